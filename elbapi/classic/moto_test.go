package classic_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/classic"
	"github.com/parley-tls/parley/elbapi/modeltest"
	"github.com/parley-tls/parley/elbapi/sigv4"
	"github.com/parley-tls/parley/elbapi/store"
	"github.com/parley-tls/parley/testbed"
)

func TestServiceModel(t *testing.T) { modeltest.Check(t, classic.API(), "elb") }

// TestBesideMoto makes the same calls to moto and to this API and compares the answers. wrong says in which steps moto is known
// to answer otherwise than AWS, and in what; such a step must differ, or the entry is out of date.
func TestBesideMoto(t *testing.T) {
	moto := testbed.Moto(t)
	endpoint := "http://" + moto.Addr
	keys := credentials.NewStaticCredentialsProvider("testing", "testing", "")
	made, err := acm.New(acm.Options{Region: "eu-west-1", BaseEndpoint: &endpoint, Credentials: keys}).RequestCertificate(ctx, &acm.RequestCertificateInput{DomainName: aws.String("shop.example.com")})
	if err != nil {
		t.Fatal(err)
	}
	s := store.New()
	if err := s.AddAccount(&store.Account{ID: "123456789012", Keys: []sigv4.Key{{ID: "testing", Secret: "testing"}}}); err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(elbapi.New(s, elbapi.Options{}, classic.API()))
	defer h.Close()
	options := elb.Options{Region: "eu-west-1", Credentials: keys, RetryMaxAttempts: 2, BaseEndpoint: &endpoint}
	theirs := script(t, elb.New(options), *made.CertificateArn)
	options.BaseEndpoint = &h.URL
	ours := script(t, elb.New(options), *made.CertificateArn)

	wrong := map[string]string{
		"describe":                         "copies the protocol of the listener to the instance's side, and attaches no default policy to a secure listener",
		"describe after set":               "copies the protocol of the listener to the instance's side, and carries no default policy",
		"create the same policy again":     "takes two policies of one name",
		"policy tls12":                     "does not spell out what the reference stands for",
		"policy own":                       "does not show the attributes that are false",
		"policy sticky":                    "has a type of its own for it, and no attributes",
		"policy app":                       "has a type of its own for it, and no attributes",
		"set a policy that is not there":   "takes any name",
		"set at a port without a listener": "answers nothing",
		"set a policy for TLS on HTTP":     "takes it",
		"delete a policy in use":           "deletes it",
		"policies without a load balancer": "looks for a load balancer without a name",
		"attributes":                       "has no additional attributes",
		"make it again":                    "refuses the same load balancer, which AWS takes",
	}
	modeltest.SameAsMoto(t, theirs, ours, wrong)
}

// script makes the calls, and returns the answers without what is random.
func script(t *testing.T, c *elb.Client, certificate string) (steps []modeltest.Step) {
	note := func(name string, out any, err error) {
		steps = append(steps, modeltest.Step{Name: name, Answer: plain(t, out, err)})
	}
	listeners := []types.Listener{{Protocol: aws.String("HTTPS"), LoadBalancerPort: 443, InstancePort: aws.Int32(8080), SSLCertificateId: &certificate},
		{Protocol: aws.String("HTTP"), LoadBalancerPort: 80, InstancePort: aws.Int32(8080), InstanceProtocol: aws.String("HTTP")}}
	in := &elb.CreateLoadBalancerInput{LoadBalancerName: shop, AvailabilityZones: []string{"eu-west-1a"}, Listeners: listeners, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}}
	describe := func(name string) {
		out, err := c.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerNames: []string{"shop"}})
		note(name, out, err)
	}
	made, err := c.CreateLoadBalancer(ctx, in)
	note("make", made, err)
	again, err := c.CreateLoadBalancer(ctx, in)
	note("make it again", again, err)
	describe("describe")
	out, err := c.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerNames: []string{"none"}})
	note("describe none", out, err)
	note("create policy tls12", nil, create(c, "tls12", "Reference-Security-Policy=ELBSecurityPolicy-TLS-1-2-2017-01"))
	note("create policy own", nil, create(c, "own", "Protocol-TLSv1.2=true", "AES128-SHA=true"))
	note("create the same policy again", nil, create(c, "own", "Protocol-TLSv1.2=true", "AES128-SHA=true"))
	_, err = c.CreateLBCookieStickinessPolicy(ctx, &elb.CreateLBCookieStickinessPolicyInput{LoadBalancerName: shop, PolicyName: aws.String("sticky"), CookieExpirationPeriod: aws.Int64(60)})
	note("create policy sticky", nil, err)
	_, err = c.CreateAppCookieStickinessPolicy(ctx, &elb.CreateAppCookieStickinessPolicyInput{LoadBalancerName: shop, PolicyName: aws.String("app"), CookieName: aws.String("SID")})
	note("create policy app", nil, err)
	for _, name := range []string{"tls12", "own", "sticky", "app", "none"} {
		policies, err := c.DescribeLoadBalancerPolicies(ctx, &elb.DescribeLoadBalancerPoliciesInput{LoadBalancerName: shop, PolicyNames: []string{name}})
		note("policy "+name, policies, err)
	}
	note("set", nil, set(c, 443, "tls12", "sticky"))
	note("set on HTTP", nil, set(c, 80, "app"))
	describe("describe after set")
	note("set a policy that is not there", nil, set(c, 443, "none"))
	note("set at a port without a listener", nil, set(c, 8443, "tls12"))
	note("set a policy for TLS on HTTP", nil, set(c, 80, "tls12"))
	drop := func(name string) error {
		_, err := c.DeleteLoadBalancerPolicy(ctx, &elb.DeleteLoadBalancerPolicyInput{LoadBalancerName: shop, PolicyName: &name})
		return err
	}
	note("delete policy", nil, drop("own"))
	note("delete a policy in use", nil, drop("sticky"))
	all, err := c.DescribeLoadBalancerPolicies(ctx, &elb.DescribeLoadBalancerPoliciesInput{})
	note("policies without a load balancer", all, err)
	attributes, err := c.DescribeLoadBalancerAttributes(ctx, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerName: shop})
	note("attributes", attributes, err)
	tags, err := c.DescribeTags(ctx, &elb.DescribeTagsInput{LoadBalancerNames: []string{"shop"}})
	note("tags", tags, err)
	_, err = c.DeleteLoadBalancerListeners(ctx, &elb.DeleteLoadBalancerListenersInput{LoadBalancerName: shop, LoadBalancerPorts: []int32{80}})
	note("delete listener", nil, err)
	_, err = c.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerName: shop})
	note("delete", nil, err)
	_, err = c.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerName: shop})
	note("delete again", nil, err)
	return steps
}

// plain is an answer without what two servers cannot have in common, and without what is empty. Of an error it is the code.
func plain(t *testing.T, out any, err error) any {
	if err != nil {
		_, text, _ := strings.Cut(err.Error(), "api error ")
		c, _, _ := strings.Cut(text, ": ")
		return c
	}
	data, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return strip(v)
}

// strip takes away what is random, and what the two keep networks for.
func strip(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for _, key := range []string{"ResultMetadata", "CreatedTime", "DNSName", "CanonicalHostedZoneName", "CanonicalHostedZoneNameID", "SecurityGroups", "SourceSecurityGroup",
			"VPCId", "Subnets", "HealthCheck"} {
			delete(x, key)
		}
		for key, member := range x {
			if x[key] = strip(member); x[key] == nil {
				delete(x, key)
			}
		}
		if len(x) == 0 {
			return nil
		}
	case []any:
		for i := range x {
			x[i] = strip(x[i])
		}
		if len(x) == 0 {
			return nil
		}
	case string:
		if x == "" {
			return nil
		}
	}
	return v
}
