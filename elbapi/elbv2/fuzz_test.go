package elbv2_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/elbv2"
	"github.com/parley-tls/parley/elbapi/sigv4"
	"github.com/parley-tls/parley/elbapi/store"
)

const (
	anALB      = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/0123456789abcdef"
	anNLB      = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/edge/0123456789abcdef"
	aListener  = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/0123456789abcdef/0123456789abcdef"
	bareOne    = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/net/edge/0123456789abcdef/0123456789abcdef"
	aGroup     = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/0123456789abcdef"
	lambdaOne  = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/fn/0123456789abcdef"
	aClassic   = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/old"
	allActions = `CreateLoadBalancer&Name=new&Subnets.member.1=subnet-1&Subnets.member.2=subnet-2&Tags.member.1.Key=a&Tags.member.1.Value=b
DescribeLoadBalancers&Names.member.1=shop
DescribeLoadBalancers&PageSize=1&Marker=YQ
DeleteLoadBalancer&LoadBalancerArn=ALB
DescribeLoadBalancerAttributes&LoadBalancerArn=ALB
ModifyLoadBalancerAttributes&LoadBalancerArn=NLB&Attributes.member.1.Key=deletion_protection.enabled&Attributes.member.1.Value=true
SetSecurityGroups&LoadBalancerArn=ALB&SecurityGroups.member.1=sg-1
SetSubnets&LoadBalancerArn=NLB&SubnetMappings.member.1.SubnetId=subnet-1
SetIpAddressType&LoadBalancerArn=ALB&IpAddressType=dualstack
CreateListener&LoadBalancerArn=ALB&Protocol=HTTPS&Port=444&Certificates.member.1.CertificateArn=CERT&DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn=GROUP
CreateListener&LoadBalancerArn=NLB&Protocol=TLS&Port=444&AlpnPolicy.member.1=HTTP2Only&DefaultActions.member.1.Type=redirect&DefaultActions.member.1.RedirectConfig.StatusCode=HTTP_301
CreateListener&LoadBalancerArn=ALB&Protocol=HTTP&Port=81&DefaultActions.member.1.Type=forward&DefaultActions.member.1.ForwardConfig.TargetGroups.member.1.TargetGroupArn=GROUP&DefaultActions.member.1.ForwardConfig.TargetGroups.member.1.Weight=3
DescribeListeners&LoadBalancerArn=ALB
DescribeListeners&ListenerArns.member.1=BARE
ModifyListener&ListenerArn=LISTENER&SslPolicy=ELBSecurityPolicy-TLS13-1-2-2021-06
ModifyListener&ListenerArn=LISTENER&Protocol=HTTP&Port=80&MutualAuthentication.Mode=verify&MutualAuthentication.TrustStoreArn=TRUST
DeleteListener&ListenerArn=LISTENER
DescribeListenerAttributes&ListenerArn=BARE
ModifyListenerAttributes&ListenerArn=LISTENER&Attributes.member.1.Key=routing.http.response.server.enabled&Attributes.member.1.Value=false
DescribeListenerCertificates&ListenerArn=BARE
AddListenerCertificates&ListenerArn=LISTENER&Certificates.member.1.CertificateArn=CERT
RemoveListenerCertificates&ListenerArn=BARE&Certificates.member.1.CertificateArn=CERT
DescribeRules&ListenerArn=LISTENER
DescribeRules&RuleArns.member.1=RULE
DescribeSSLPolicies&PageSize=2&LoadBalancerType=network
DescribeTrustStores&Names.member.1=partners
CreateTargetGroup&Name=new&Protocol=HTTP&Port=80&VpcId=vpc-1&HealthCheckPath=/&Matcher.HttpCode=200
DescribeTargetGroups&LoadBalancerArn=ALB
ModifyTargetGroup&TargetGroupArn=LAMBDA&HealthCheckEnabled=true&HealthCheckProtocol=TCP
DeleteTargetGroup&TargetGroupArn=LAMBDA
DescribeTargetGroupAttributes&TargetGroupArn=LAMBDA
ModifyTargetGroupAttributes&TargetGroupArn=GROUP&Attributes.member.1.Key=stickiness.enabled&Attributes.member.1.Value=true
RegisterTargets&TargetGroupArn=GROUP&Targets.member.1.Id=10.0.0.1&Targets.member.1.Port=80
DeregisterTargets&TargetGroupArn=GROUP&Targets.member.1.Id=10.0.0.9
DescribeTargetHealth&TargetGroupArn=GROUP&Targets.member.1.Id=x
DescribeTags&ResourceArns.member.1=RULE
AddTags&ResourceArns.member.1=CLASSIC&Tags.member.1.Key=a
RemoveTags&ResourceArns.member.1=GROUP&TagKeys.member.1=a
DescribeAccountLimits&PageSize=3`
)

var names = strings.NewReplacer("LISTENER", aListener, "BARE", bareOne, "GROUP", aGroup, "LAMBDA", lambdaOne, "ALB", anALB, "NLB", anNLB, "CERT", issued, "TRUST", trust, "CLASSIC", aClassic,
	"RULE", strings.Replace(aListener, ":listener/", ":listener-rule/", 1)+"/0123456789abcdef")

// odd is an account as files can have it: with listeners that lack everything.
func odd(t testing.TB) *elbapi.Server {
	s := store.New()
	if err := s.AddAccount(&store.Account{ID: owner, Keys: []sigv4.Key{{ID: "testing", Secret: "testing"}}, Regions: map[string]*store.Region{region: {
		LoadBalancers: []*store.LoadBalancer{
			{ARN: anALB, Name: "shop", Type: "application", Listeners: []*store.Listener{{ARN: aListener, Port: 443, Protocol: "HTTPS", SSLPolicy: "ELBSecurityPolicy-2016-08", Certificates: []string{issued},
				Actions: []store.Action{{Type: "forward", TargetGroupArn: aGroup}}, RuleID: "0123456789abcdef"}}},
			{ARN: anNLB, Name: "edge", Type: "network", Listeners: []*store.Listener{{ARN: bareOne, Port: 443, Protocol: "TLS"}, {}}},
			{ARN: aClassic, Name: "old", Type: "classic"}, {}},
		TargetGroups: []*store.TargetGroup{{ARN: aGroup, Name: "web", Protocol: "HTTP", Port: 80, TargetType: "ip", Targets: []store.Target{{}}}, {ARN: lambdaOne, Name: "fn", TargetType: "lambda"}},
		TrustStores:  []*store.TrustStore{{ARN: trust, Name: "partners", Status: "ACTIVE"}},
	}}}); err != nil {
		t.Fatal(err)
	}
	return elbapi.New(s, elbapi.Options{}, elbv2.API())
}

// FuzzActions sends parameters of all kinds to all actions: each answer is XML and none says that the fault is the server's.
func FuzzActions(f *testing.F) {
	for line := range strings.Lines(allActions) {
		f.Add(names.Replace(strings.TrimSpace(line)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		body := "Version=2015-12-01&Action=" + text
		r := httptest.NewRequest("POST", "http://elasticloadbalancing.eu-west-1.amazonaws.com/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		hash := sha256.Sum256([]byte(body))
		if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: "testing", SecretAccessKey: "testing"}, r, hex.EncodeToString(hash[:]), "elasticloadbalancing", region, time.Now()); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		odd(t).ServeHTTP(w, r)
		if w.Code >= 500 || w.Code == 403 {
			t.Fatalf("%q: %d %s", text, w.Code, w.Body)
		}
		d := xml.NewDecoder(w.Body)
		for {
			if _, err := d.Token(); err == io.EOF {
				return
			} else if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
	})
}

// TestEveryAction sends the seeds of the fuzz test, one to each action at least, and wants an answer without an error from most.
func TestEveryAction(t *testing.T) {
	asked, refused := map[string]bool{}, []string{}
	for line := range strings.Lines(allActions) {
		body := "Version=2015-12-01&Action=" + names.Replace(strings.TrimSpace(line))
		v, err := url.ParseQuery(body)
		if err != nil {
			t.Fatal(err)
		}
		asked[v.Get("Action")] = true
		r := httptest.NewRequest("GET", "http://example.com/?"+body, nil)
		if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: "testing", SecretAccessKey: "testing"}, r, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "elasticloadbalancing", region, time.Now()); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		odd(t).ServeHTTP(w, r)
		if w.Code != 200 {
			refused = append(refused, v.Get("Action")+": "+w.Body.String())
		}
	}
	for _, a := range elbv2.API().Actions {
		if !asked[a.Name] {
			t.Errorf("%s is not asked", a.Name)
		}
	}
	if len(refused) != 6 {
		t.Errorf("%d refused:\n%s", len(refused), strings.Join(refused, "\n"))
	}
}
