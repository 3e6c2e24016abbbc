package simulate

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// TestLoadBalancersOfAState: what is written by hand is complete once it is there.
func TestLoadBalancersOfAState(t *testing.T) {
	_, conf := start(t)
	conf.Region = "eu-south-1"
	ctx := context.Background()
	two, err := elbv2.NewFromConfig(conf).DescribeLoadBalancers(ctx, nil)
	if err != nil || len(two.LoadBalancers) != 1 {
		t.Fatalf("%+v, error %v", two, err)
	}
	edge := two.LoadBalancers[0]
	if !strings.HasPrefix(*edge.LoadBalancerArn, "arn:aws:elasticloadbalancing:eu-south-1:111122223333:loadbalancer/net/edge/") || !strings.HasSuffix(*edge.DNSName, ".elb.eu-south-1.amazonaws.com") {
		t.Errorf("%+v", edge)
	}
	classic := elb.NewFromConfig(conf)
	one, err := classic.DescribeLoadBalancers(ctx, nil)
	if err != nil || len(one.LoadBalancerDescriptions) != 1 {
		t.Fatalf("%+v, error %v", one, err)
	}
	var policies [][]string
	for _, l := range one.LoadBalancerDescriptions[0].ListenerDescriptions {
		policies = append(policies, l.PolicyNames)
	}
	if diff := cmp.Diff([][]string{{"own", "sticky"}, {"ELBSecurityPolicy-2015-05"}, {"ELBSecurityPolicy-2016-08"}}, policies); diff != "" {
		t.Error(diff)
	}
	own, err := classic.DescribeLoadBalancerPolicies(ctx, &elb.DescribeLoadBalancerPoliciesInput{LoadBalancerName: aws.String("legacy"), PolicyNames: []string{"own"}})
	if err != nil || len(own.PolicyDescriptions[0].PolicyAttributeDescriptions) < 90 {
		t.Errorf("the reference is not spelt out: %+v, error %v", own, err)
	}
}

func TestBadLoadBalancersOfAState(t *testing.T) {
	for _, c := range []struct{ balancer, want string }{
		{`{"type": "network"}`, "no name"},
		{`{"name": "a", "type": "alb"}`, `type "alb"`},
		{`{"name": "a", "type": "application", "arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/a/1"}`, "16 hexadecimal digits"},
		{`{"name": "a", "type": "application", "arn": "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/a/0123456789abcdef"}`, "eu-west-1"},
		{`{"name": "a", "type": "application", "listeners": [{"port": 443, "protocol": "TLS"}]}`, `protocol "TLS"`},
		{`{"name": "a", "type": "network", "listeners": [{"port": 80, "protocol": "TCP", "ssl_policy": "ELBSecurityPolicy-2016-08"}]}`, "TCP has no ssl_policy"},
		{`{"name": "a", "type": "network", "listeners": [{"port": 0, "protocol": "TCP"}]}`, "port 0"},
		{`{"name": "a", "type": "classic", "listeners": [{"port": 443, "protocol": "HTTPS", "policies": ["x"]}]}`, "SSLCertificateId"},
		{`{"name": "a", "type": "classic", "listeners": [{"port": 80, "protocol": "HTTP", "policies": ["x"]}]}`, `no policy "x"`},
		{`{"name": "a", "type": "classic", "classic": {"policies": [{"name": "x", "type": "y"}]}}`, `no policy type "y"`},
	} {
		s, err := ReadState([]byte(`{"accounts": [{"id": "111122223333", "regions": {"eu-west-1": {"load_balancers": [` + c.balancer + `]}}}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = New(s); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "account 111122223333: region eu-west-1: load balancer ") {
			t.Errorf("%s: error %v, want …%s…", c.balancer, err, c.want)
		}
	}
}

// TestRecordedChanges: what changes a load balancer is in CloudTrail, whether it came about or not.
func TestRecordedChanges(t *testing.T) {
	c, conf := start(t)
	conf.Region = "eu-south-1"
	ctx := context.Background()
	client := elb.NewFromConfig(conf)
	set := func(names ...string) error {
		_, err := client.SetLoadBalancerPoliciesOfListener(ctx, &elb.SetLoadBalancerPoliciesOfListenerInput{LoadBalancerName: aws.String("legacy"), LoadBalancerPort: 443, PolicyNames: names})
		return err
	}
	if err := set("own"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, set("none"), "PolicyNotFound")
	if _, err := client.DescribeLoadBalancers(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if c.Changes() != 2 {
		t.Errorf("%d changes, want 2", c.Changes())
	}
	trail := cloudtrail.NewFromConfig(conf)
	of := func(key, value string) []trailtypes.Event {
		out, err := trail.LookupEvents(ctx, &cloudtrail.LookupEventsInput{LookupAttributes: []trailtypes.LookupAttribute{{AttributeKey: trailtypes.LookupAttributeKey(key), AttributeValue: &value}}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Events
	}
	if reads := of("ReadOnly", "true"); len(reads) != 1 || *reads[0].EventName != "DescribeLoadBalancers" || len(reads[0].Resources) != 0 {
		t.Errorf("%+v", reads)
	}
	events := of("ReadOnly", "false")
	if len(events) != 2 {
		t.Fatalf("%+v", events)
	}
	e := events[1]
	if *e.EventName != "SetLoadBalancerPoliciesOfListener" || *e.Username != "ada" || *e.ReadOnly != "false" || *e.EventSource != "elasticloadbalancing.amazonaws.com" ||
		time.Since(*e.EventTime) > time.Minute || len(e.Resources) != 1 || *e.Resources[0].ResourceName != "legacy" || *e.Resources[0].ResourceType != "AWS::ElasticLoadBalancing::LoadBalancer" {
		t.Errorf("%+v", e)
	}
	type detail struct {
		UserIdentity      struct{ Type, Arn, UserName, AccountID string }
		RequestParameters map[string]any
		ErrorCode         string
		AWSRegion         string
		SourceIPAddress   string
		APIVersion        string
	}
	var good, bad detail
	if err := json.Unmarshal([]byte(*e.CloudTrailEvent), &good); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(*events[0].CloudTrailEvent), &bad); err != nil {
		t.Fatal(err)
	}
	want := detail{RequestParameters: map[string]any{"loadBalancerName": "legacy", "loadBalancerPort": 443.0, "policyNames": []any{"own"}}, AWSRegion: "eu-south-1",
		SourceIPAddress: "127.0.0.1", APIVersion: "2012-06-01"}
	want.UserIdentity.Type, want.UserIdentity.Arn, want.UserIdentity.UserName, want.UserIdentity.AccountID = "IAMUser", "arn:aws:iam::111122223333:user/ada", "ada", "111122223333"
	if diff := cmp.Diff(want, good); diff != "" {
		t.Error(diff)
	}
	if bad.ErrorCode != "PolicyNotFound" {
		t.Errorf("%+v", bad)
	}
	c.SetFaults(Faults{Deny: []string{"elasticloadbalancing:Set*"}})
	wantCode(t, set("own"), "AccessDenied")
	if refused := of("ReadOnly", "false"); len(refused) != 3 || !strings.Contains(*refused[0].CloudTrailEvent, `"errorCode":"AccessDenied"`) {
		t.Errorf("%+v", refused)
	}
}

// TestLoadBalancingOfRoles: temporary credentials reach their account's load balancers and no other's, and what they may not do
// is refused and recorded nowhere as done.
func TestLoadBalancingOfRoles(t *testing.T) {
	c, conf := start(t)
	ctx := context.Background()
	conf.Region = "eu-south-1"
	if err := c.Add(State{Accounts: []Account{{ID: "444455556666", Roles: []Role{{Name: "reader", Deny: []string{"elasticloadbalancing:Set*"}}}, Regions: map[string]*Region{"eu-south-1": {}}}}}); err != nil {
		t.Fatal(err)
	}
	other := conf.Copy()
	other.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(conf), "arn:aws:iam::444455556666:role/reader"))
	client := elb.NewFromConfig(other)
	out, err := client.DescribeLoadBalancers(ctx, nil)
	if err != nil || len(out.LoadBalancerDescriptions) != 0 {
		t.Errorf("%+v, error %v", out, err)
	}
	_, err = client.SetLoadBalancerPoliciesOfListener(ctx, &elb.SetLoadBalancerPoliciesOfListenerInput{LoadBalancerName: aws.String("legacy"), LoadBalancerPort: 443, PolicyNames: []string{"own"}})
	wantCode(t, err, "AccessDenied")
	if err := c.ExpireSessions(); err != nil {
		t.Fatal(err)
	}
	_, err = client.DescribeLoadBalancers(ctx, nil)
	wantCode(t, err, "ExpiredToken")
}

// TestState: what is saved comes up the same.
func TestState(t *testing.T) {
	c, _ := start(t)
	save := func(c *Cloud) string {
		s, err := c.State()
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.MarshalIndent(s, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := save(c)
	s, err := ReadState([]byte(first))
	if err != nil {
		t.Fatal(err)
	}
	again, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(first, "\n"), strings.Split(save(again), "\n")); diff != "" {
		t.Error(diff)
	}
	for _, want := range []string{"ClientTLSNegotiationErrorCount", "sg-1", "certificate/2", "parley-reader", "server_certificates", `"edge"`, "ELBSecurityPolicy-TLS-1-1-2017-01"} {
		if !strings.Contains(first, want) {
			t.Errorf("the state lacks %s", want)
		}
	}
}

func TestBadStates(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{`, "unexpected"},
		{`{"accounts": 1}`, "accounts"},
		{`{"account": []}`, `"account"`},
		{`{"accounts": [{"id": "12"}]}`, `account 1: the id "12"`},
		{`{"accounts": [{"id": "111122223333", "users": [{"name": "x"}]}]}`, "user 1"},
		{`{"accounts": [{"id": "111122223333", "regions": {"eu-west-1": {"security_groups": [{}]}}}]}`, "region eu-west-1: security group 1 has no GroupId"},
		{`{"accounts": [{"id": "111122223333", "regions": {"eu-west-1": {"certificates": [{"CertificateArn": "a", "NotAfter": "soon"}]}}}]}`, `NotAfter is "soon"`},
		{`{"accounts": [{"id": "111122223333", "regions": {"eu-west-1": {"metrics": [{"namespace": "a", "metric": "b", "values": [1]}]}}}]}`, "metric 1"},
	} {
		s, err := ReadState([]byte(c.text))
		if err == nil {
			_, err = New(s)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want …%s…", c.text, err, c.want)
		}
	}
}

func TestForms(t *testing.T) {
	in, err := parseForm(map[string][]string{"A.member.10": {"j"}, "A.member.2": {"b"}, "B.1.Name": {"n"}, "B.1.Value.1": {"v"}, "C": {"c"}, "D.entry.1.key": {"k"}})
	if err != nil || !slices.Equal(in.texts("A"), []string{"b", "j"}) || in.trees("B")[0].texts("Value")[0] != "v" || in.text("C") != "c" {
		t.Errorf("%v, error %v", in, err)
	}
	if _, err := parseForm(map[string][]string{strings.Repeat("a.", 100): {""}}); err == nil {
		t.Error("a parameter 100 deep was taken")
	}
}

// TestDemo: the demo is there as it is told, in the words of the real API's client.
func TestDemo(t *testing.T) {
	c, err := New(Demo(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	serve(t, c)
	t.Setenv("AWS_ACCESS_KEY_ID", DemoKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", DemoKey)
	ctx := context.Background()
	conf := configure(t)
	var names, policies []string
	for _, region := range []string{"eu-west-1", "us-east-1", "ap-southeast-2"} {
		conf.Region = region
		two, err := elbv2.NewFromConfig(conf).DescribeLoadBalancers(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range two.LoadBalancers {
			names = append(names, *l.LoadBalancerName)
			listeners, err := elbv2.NewFromConfig(conf).DescribeListeners(ctx, &elbv2.DescribeListenersInput{LoadBalancerArn: l.LoadBalancerArn})
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range listeners.Listeners {
				if x.SslPolicy == nil {
					continue
				}
				policies = append(policies, *x.SslPolicy)
				if _, err := elbv2.NewFromConfig(conf).ModifyListener(ctx, &elbv2.ModifyListenerInput{ListenerArn: x.ListenerArn, SslPolicy: aws.String("none")}); err != nil {
					wantCode(t, err, "SSLPolicyNotFound")
				}
			}
		}
		one, err := elb.NewFromConfig(conf).DescribeLoadBalancers(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range one.LoadBalancerDescriptions {
			names = append(names, *l.LoadBalancerName)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"api", "checkout", "edge", "intranet", "legacy", "mail", "shop", "telemetry"}, names); diff != "" {
		t.Error(diff)
	}
	slices.Sort(policies)
	if n := len(slices.Compact(policies)); n != 7 {
		t.Errorf("%d policies, want 7: %v", n, policies)
	}
}

// TestAtOnce: many ask and change at once, and each change is there.
func TestAtOnce(t *testing.T) {
	c, conf := start(t)
	conf.Region = "eu-south-1"
	client := elb.NewFromConfig(conf)
	ctx := context.Background()
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			key := string(rune('a' + i))
			if _, err := client.AddTags(ctx, &elb.AddTagsInput{LoadBalancerNames: []string{"legacy"}, Tags: []elbtypes.Tag{{Key: &key}}}); err != nil {
				t.Error(err)
			}
			if _, err := client.DescribeLoadBalancers(ctx, nil); err != nil {
				t.Error(err)
			}
			if _, err := cloudtrail.NewFromConfig(conf).LookupEvents(ctx, nil); err != nil {
				t.Error(err)
			}
			if _, err := c.State(); err != nil {
				t.Error(err)
			}
			if _, err := sts.NewFromConfig(conf).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::444455556666:role/parley-reader"), RoleSessionName: aws.String("me")}); err != nil {
				t.Error(err)
			}
		}()
	}
	wait.Wait()
	out, err := client.DescribeTags(ctx, &elb.DescribeTagsInput{LoadBalancerNames: []string{"legacy"}})
	if err != nil || len(out.TagDescriptions[0].Tags) != 8 {
		t.Errorf("%+v, error %v", out, err)
	}
}
