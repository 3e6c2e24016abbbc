package elbv2_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/elbv2"
	"github.com/parley-tls/parley/elbapi/modeltest"
	"github.com/parley-tls/parley/elbapi/sigv4"
	"github.com/parley-tls/parley/elbapi/store"
	"github.com/parley-tls/parley/testbed"
)

// motoAccount is the account that moto plays.
const motoAccount = "123456789012"

// TestBesideMoto makes the same calls to moto and to this API and compares all answers. wrong says in which steps moto is known
// to answer otherwise than AWS, and in what; such a step must differ, or the entry is out of date.
func TestBesideMoto(t *testing.T) {
	moto := testbed.Moto(t)
	endpoint := "http://" + moto.Addr
	keys := credentials.NewStaticCredentialsProvider("testing", "testing", "")
	net := ec2.New(ec2.Options{Region: region, BaseEndpoint: &endpoint, Credentials: keys})
	subnets := must[ec2.DescribeSubnetsOutput](t)(net.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{})).Subnets
	ids := []string{*subnets[0].SubnetId, *subnets[1].SubnetId}
	certificate := must[acm.RequestCertificateOutput](t)(acm.New(acm.Options{Region: region, BaseEndpoint: &endpoint, Credentials: keys}).RequestCertificate(t.Context(),
		&acm.RequestCertificateInput{DomainName: aws.String("shop.example.com")})).CertificateArn

	s := store.New()
	a := &store.Account{ID: motoAccount, Keys: []sigv4.Key{{ID: "testing", Secret: "testing"}}, Regions: map[string]*store.Region{region: {}}}
	for _, n := range subnets {
		a.Regions[region].Subnets = append(a.Regions[region].Subnets, store.Subnet{ID: *n.SubnetId, Zone: *n.AvailabilityZone, VPC: *n.VpcId})
	}
	if err := s.AddAccount(a); err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(elbapi.New(s, elbapi.Options{}, elbv2.API()))
	defer h.Close()
	options := elb.Options{Region: region, Credentials: keys, RetryMaxAttempts: 3}
	options.BaseEndpoint = &endpoint
	theirs := script(t, elb.New(options), ids, *subnets[0].VpcId, *certificate)
	options.BaseEndpoint = &h.URL
	ours := script(t, elb.New(options), ids, *subnets[0].VpcId, *certificate)

	few := "knows a few attributes only, and waf.fail_open.enabled of a target group, which AWS has for load balancers"
	policyOnHTTP := "shows a security policy for a listener that has none"
	wrong := map[string]string{
		"attributes of alb": few, "attributes of nlb": few, "attributes of target group web": few, "attributes of target group safe": few, "attributes of target group tcp": few,
		"create listener http": policyOnHTTP, "describe listener http": policyOnHTTP,
		"create listener again":            "takes two listeners on one port",
		"policy ELBSecurityPolicy-2016-08": "has the two ECDHE AES256-SHA suites the other way round, as a newer table of AWS; see the disagreement in package policy",
		"health":                           "calls targets healthy that nobody checked, and shows traffic-port in place of the port",
		"target groups of alb":             "names a load balancer once for each listener",
	}
	modeltest.SameAsMoto(t, theirs, ours, wrong)
}

// script makes the calls, and returns the answers without what is random.
func script(t *testing.T, c *elb.Client, subnets []string, vpc, certificate string) (steps []modeltest.Step) {
	ctx := context.Background()
	note := func(name string, out any, err error) {
		steps = append(steps, modeltest.Step{Name: name, Answer: plain(t, out, err)})
	}
	kinds := map[string]types.LoadBalancerTypeEnum{"alb": "application", "nlb": "network"}
	arn := map[string]string{}
	for _, name := range []string{"alb", "nlb"} {
		out, err := c.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: &name, Type: kinds[name], Scheme: "internet-facing", Subnets: subnets, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}, {Key: aws.String("a"), Value: aws.String("1")}}})
		note("create "+name, out, err)
		if err == nil {
			arn[name] = *out.LoadBalancers[0].LoadBalancerArn
		}
		seen, err := c.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{name}})
		note("describe "+name, seen, err)
		attributes, err := c.DescribeLoadBalancerAttributes(ctx, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: aws.String(arn[name])})
		note("attributes of "+name, attributes, err)
	}
	for _, g := range []struct {
		name     string
		protocol types.ProtocolEnum
	}{{"web", "HTTP"}, {"safe", "HTTPS"}, {"tcp", "TCP"}} {
		out, err := c.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{Name: &g.name, Protocol: g.protocol, Port: aws.Int32(80), VpcId: &vpc, TargetType: "ip"})
		note("create target group "+g.name, out, err)
		if err == nil {
			arn[g.name] = *out.TargetGroups[0].TargetGroupArn
		}
		attributes, err := c.DescribeTargetGroupAttributes(ctx, &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: aws.String(arn[g.name])})
		note("attributes of target group "+g.name, attributes, err)
	}
	for _, l := range []struct {
		name, on string
		in       elb.CreateListenerInput
	}{
		{"http", "alb", elb.CreateListenerInput{Protocol: "HTTP", Port: aws.Int32(80), DefaultActions: fixed()}},
		{"https", "alb", elb.CreateListenerInput{Protocol: "HTTPS", Port: aws.Int32(443), SslPolicy: aws.String("ELBSecurityPolicy-TLS13-1-2-2021-06"), Certificates: certs(certificate), DefaultActions: forward(arn["web"])}},
		{"https by default", "alb", elb.CreateListenerInput{Protocol: "HTTPS", Port: aws.Int32(444), Certificates: certs(certificate), DefaultActions: forward(arn["web"])}},
		{"tls", "nlb", elb.CreateListenerInput{Protocol: "TLS", Port: aws.Int32(443), SslPolicy: aws.String("ELBSecurityPolicy-2016-08"), Certificates: certs(certificate), AlpnPolicy: []string{"HTTP2Preferred"}, DefaultActions: forward(arn["tcp"])}},
		{"tls on alb", "alb", elb.CreateListenerInput{Protocol: "TLS", Port: aws.Int32(445), Certificates: certs(certificate), DefaultActions: fixed()}},
		{"again", "alb", elb.CreateListenerInput{Protocol: "HTTP", Port: aws.Int32(443), DefaultActions: fixed()}},
	} {
		l.in.LoadBalancerArn = aws.String(arn[l.on])
		out, err := c.CreateListener(ctx, &l.in)
		note("create listener "+l.name, out, err)
		if err == nil {
			arn[l.name] = *out.Listeners[0].ListenerArn
		}
	}
	for _, name := range []string{"http", "https", "tls"} {
		seen, err := c.DescribeListeners(ctx, &elb.DescribeListenersInput{ListenerArns: []string{arn[name]}})
		note("describe listener "+name, seen, err)
		rules, err := c.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: aws.String(arn[name])})
		note("rules of "+name, rules, err)
		list, err := c.DescribeListenerCertificates(ctx, &elb.DescribeListenerCertificatesInput{ListenerArn: aws.String(arn[name])})
		note("certificates of "+name, list, err)
	}
	modified, err := c.ModifyListener(ctx, &elb.ModifyListenerInput{ListenerArn: aws.String(arn["https"]), SslPolicy: aws.String("ELBSecurityPolicy-TLS13-1-2-Res-2021-06")})
	note("modify the policy", modified, err)
	modified, err = c.ModifyListener(ctx, &elb.ModifyListenerInput{ListenerArn: aws.String(arn["https"]), SslPolicy: aws.String("no")})
	note("modify to no policy", modified, err)
	for _, name := range []string{"ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-3-2021-06", "ELBSecurityPolicy-2016-08"} {
		policies, err := c.DescribeSSLPolicies(ctx, &elb.DescribeSSLPoliciesInput{Names: []string{name}})
		note("policy "+name, policies, err)
	}
	registered, err := c.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: aws.String(arn["web"]), Targets: []types.TargetDescription{{Id: aws.String("10.0.0.5")}, {Id: aws.String("10.0.0.6"), Port: aws.Int32(8080)}}})
	note("register", registered, err)
	healths, err := c.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: aws.String(arn["web"])})
	note("health", healths, err)
	groups, err := c.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{LoadBalancerArn: aws.String(arn["alb"])})
	note("target groups of alb", groups, err)
	tags, err := c.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{arn["alb"]}})
	note("tags", tags, err)
	_, err = c.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: aws.String(arn["web"])})
	note("delete target group in use", nil, err)
	deleted, err := c.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: aws.String(arn["http"])})
	note("delete listener", deleted, err)
	gone, err := c.DescribeListeners(ctx, &elb.DescribeListenersInput{ListenerArns: []string{arn["http"]}})
	note("describe deleted listener", gone, err)
	lost, err := c.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{"nobody"}})
	note("describe no load balancer", lost, err)
	return steps
}

var (
	randomID = regexp.MustCompile(`[0-9a-f]{16}`)
	ruleID   = regexp.MustCompile(`(listener-rule/\w+/\w+/ID/ID)/[0-9a-zA-Z]+`)
	kindOf   = regexp.MustCompile(`(loadbalancer|listener|listener-rule)/(app|net)/`) // moto has app for all
)

// plain is an answer without what two servers cannot have in common (random ids, times, names of DNS), without what is empty, and
// with attributes by key. Of an error it is the code.
func plain(t *testing.T, out any, err error) any {
	if err != nil {
		c, _, _ := strings.Cut(code(err), ": ")
		return c
	}
	data, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	text := kindOf.ReplaceAllString(ruleID.ReplaceAllString(randomID.ReplaceAllString(string(data), "ID"), "$1/ID"), "$1/KIND/")
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return strip(v)
}

func strip(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for _, key := range []string{"ResultMetadata", "CreatedTime", "DNSName", "CanonicalHostedZoneId", "SecurityGroups"} {
			delete(x, key)
		}
		for key, member := range x {
			if x[key] = strip(member); x[key] == nil {
				delete(x, key)
			}
		}
		if x["TargetGroupArn"] != nil {
			delete(x, "ForwardConfig") // says the same; moto echoes what it was given
		}
		if m, ok := x["MutualAuthentication"].(map[string]any); ok && m["Mode"] == "off" {
			delete(x, "MutualAuthentication") // moto never shows it
		}
		delete(x, "SupportedLoadBalancerTypes") // the same
		if len(x) == 0 {
			return nil
		}
	case []any:
		byKey := make(map[string]any)
		for i := range x {
			x[i] = strip(x[i])
			if a, ok := x[i].(map[string]any); ok && a["Key"] != nil {
				byKey[a["Key"].(string)] = a["Value"]
			}
		}
		if len(x) == 0 {
			return nil
		}
		if len(byKey) == len(x) {
			return byKey
		}
	case string:
		if x == "" {
			return nil
		}
	}
	return v
}
