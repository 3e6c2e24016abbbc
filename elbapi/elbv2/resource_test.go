package elbv2_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/parley-tls/parley/elbapi/store"
)

func tags(pairs ...string) (l []types.Tag) {
	for i := 0; i < len(pairs); i += 2 {
		l = append(l, types.Tag{Key: aws.String(pairs[i]), Value: aws.String(pairs[i+1])})
	}
	return l
}

func TestTags(t *testing.T) {
	_, client, _ := serve(t)
	ctx := context.Background()
	alb := balancer(t, client, "shop", "application")
	web := group(t, client, "web", "HTTP")
	l := must[elb.CreateListenerOutput](t)(client.CreateListener(ctx, &elb.CreateListenerInput{LoadBalancerArn: &alb, Protocol: "HTTP", Port: aws.Int32(80), DefaultActions: forward(web), Tags: tags("made", "yes")})).Listeners[0]
	all := []string{alb, web, *l.ListenerArn, trust}
	must[elb.AddTagsOutput](t)(client.AddTags(ctx, &elb.AddTagsInput{ResourceArns: all, Tags: tags("b", "2", "a", "1", "ü:/=+-@ .", "x")}))
	must[elb.RemoveTagsOutput](t)(client.RemoveTags(ctx, &elb.RemoveTagsInput{ResourceArns: all, TagKeys: []string{"b", "nothing"}}))
	out := must[elb.DescribeTagsOutput](t)(client.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: all}))
	for i, d := range out.TagDescriptions {
		s := ""
		for _, tag := range d.Tags {
			s += *tag.Key + "=" + *tag.Value + " "
		}
		want := "a=1 ü:/=+-@ .=x "
		if i == 2 {
			want = "a=1 made=yes ü:/=+-@ .=x "
		}
		if s != want || *d.ResourceArn != all[i] {
			t.Errorf("%s has %q, want %q", *d.ResourceArn, s, want)
		}
	}
	many := []string{}
	for i := range 51 {
		many = append(many, fmt.Sprint("k", i), "v")
	}
	for _, c := range []struct {
		arn  string
		tags []types.Tag
		want string
	}{
		{alb, tags("a", "1", "a", "2"), "DuplicateTagKeys: "},
		{alb, tags(many...), "TooManyTags: "},
		{alb, tags("aws:x", "1"), "ValidationError: "},
		{alb, tags("<", "1"), "ValidationError: 1 validation error detected: Value '<' at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern"},
		{alb, tags(strings.Repeat("k", 129), "1"), "ValidationError: "},
		{alb + "0", tags("a", "1"), "LoadBalancerNotFound: "},
		{web + "0", tags("a", "1"), "TargetGroupNotFound: "},
		{*l.ListenerArn + "0", tags("a", "1"), "ListenerNotFound: "},
		{trust + "0", tags("a", "1"), "TrustStoreNotFound: "},
		{"x", tags("a", "1"), "ValidationError: "},
	} {
		// The first resource is good; what is wrong with the second keeps the first from being changed.
		if _, err := client.AddTags(ctx, &elb.AddTagsInput{ResourceArns: []string{web, c.arn}, Tags: c.tags}); !strings.HasPrefix(code(err), c.want) {
			t.Errorf("%s: %s, want %s", c.arn, code(err), c.want)
		}
	}
	kept := must[elb.DescribeTagsOutput](t)(client.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{web}}))
	if n := len(kept.TagDescriptions[0].Tags); n != 2 {
		t.Errorf("%d tags", n)
	}
	rule := must[elb.DescribeRulesOutput](t)(client.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn})).Rules[0]
	again := must[elb.DescribeRulesOutput](t)(client.DescribeRules(ctx, &elb.DescribeRulesInput{RuleArns: []string{*rule.RuleArn}})).Rules[0]
	if !*again.IsDefault || *again.Priority != "default" || *again.Actions[0].TargetGroupArn != web {
		t.Errorf("%+v", again)
	}
	if d := must[elb.DescribeTagsOutput](t)(client.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{*rule.RuleArn}})).TagDescriptions; len(d) != 1 || len(d[0].Tags) != 0 {
		t.Errorf("%+v", d)
	}
	if _, err := client.DescribeRules(ctx, &elb.DescribeRulesInput{RuleArns: []string{*rule.RuleArn + "0"}}); !strings.HasPrefix(code(err), "RuleNotFound: ") {
		t.Error(code(err))
	}
}

func TestAttributes(t *testing.T) {
	_, client, _ := serve(t)
	ctx := context.Background()
	alb, nlb := balancer(t, client, "shop", "application"), balancer(t, client, "edge", "network")
	set := func(arn, key, value string) string {
		_, err := client.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{LoadBalancerArn: &arn, Attributes: []types.LoadBalancerAttribute{{Key: &key, Value: &value}}})
		return code(err)
	}
	for _, c := range []struct{ arn, key, value, want string }{
		{alb, "idle_timeout.timeout_seconds", "4000", "no error"},
		{alb, "idle_timeout.timeout_seconds", "4001", "ValidationError: 'idle_timeout.timeout_seconds' value '4001' must be between '1-4000' inclusive"},
		{alb, "idle_timeout.timeout_seconds", "x", "ValidationError: "},
		{nlb, "idle_timeout.timeout_seconds", "60", "InvalidConfigurationRequest: Load balancer attribute key 'idle_timeout.timeout_seconds' is not supported for 'network'"},
		{alb, "idle", "60", "ValidationError: Load balancer attribute key 'idle' is not recognized"},
		{alb, "routing.http2.enabled", "false", "no error"},
		{alb, "routing.http2.enabled", "no", "ValidationError: "},
		{alb, "routing.http.desync_mitigation_mode", "strictest", "no error"},
		{alb, "routing.http.desync_mitigation_mode", "lax", "ValidationError: "},
		{alb, "load_balancing.cross_zone.enabled", "false", "ValidationError: "},
		{nlb, "load_balancing.cross_zone.enabled", "true", "no error"},
		{alb, "access_logs.s3.enabled", "true", "InvalidConfigurationRequest: The value of 'access_logs.s3.bucket' cannot be empty"},
		{alb, "access_logs.s3.bucket", "logs", "no error"},
		{alb, "access_logs.s3.enabled", "true", "no error"},
		{alb, "a b", "true", "ValidationError: 1 validation error detected: Value 'a b' at 'attributes.1.member.key'"},
	} {
		if got := set(c.arn, c.key, c.value); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s=%s: %s, want %s", c.key, c.value, got, c.want)
		}
	}
	have := map[string]string{}
	for _, a := range must[elb.DescribeLoadBalancerAttributesOutput](t)(client.DescribeLoadBalancerAttributes(ctx, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &alb})).Attributes {
		have[*a.Key] = *a.Value
	}
	for key, want := range map[string]string{"idle_timeout.timeout_seconds": "4000", "routing.http2.enabled": "false", "access_logs.s3.enabled": "true", "access_logs.s3.bucket": "logs", "access_logs.s3.prefix": "", "waf.fail_open.enabled": "false"} {
		if got, ok := have[key]; !ok || got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	const ipv6 = "ipv6.deny_all_igw_traffic"
	if _, ok := have[ipv6]; ok {
		t.Errorf("a load balancer with IPv4 addresses has %s", ipv6)
	}
	inside := *must[elb.CreateLoadBalancerOutput](t)(client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("inside"), Scheme: "internal", IpAddressType: "dualstack", Subnets: []string{"subnet-1", "subnet-2"}})).LoadBalancers[0].LoadBalancerArn
	for _, want := range []string{"true", "false", "true"} {
		got := ""
		for _, a := range must[elb.DescribeLoadBalancerAttributesOutput](t)(client.DescribeLoadBalancerAttributes(ctx, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &inside})).Attributes {
			if *a.Key == ipv6 {
				got = *a.Value
			}
		}
		if got != want {
			t.Errorf("%s is %q, want %q", ipv6, got, want)
		}
		set(inside, ipv6, map[string]string{"true": "false", "false": "true"}[got])
	}
	arn := must[elb.CreateListenerOutput](t)(client.CreateListener(ctx, &elb.CreateListenerInput{LoadBalancerArn: &alb, Protocol: "HTTPS", Port: aws.Int32(443), Certificates: certs(issued), DefaultActions: fixed()})).Listeners[0].ListenerArn
	changed := must[elb.ModifyListenerAttributesOutput](t)(client.ModifyListenerAttributes(ctx, &elb.ModifyListenerAttributesInput{ListenerArn: arn, Attributes: []types.ListenerAttribute{{Key: aws.String("routing.http.response.server.enabled"), Value: aws.String("false")}}}))
	found := false
	for _, a := range changed.Attributes {
		found = found || *a.Key == "routing.http.response.server.enabled" && *a.Value == "false"
	}
	if !found {
		t.Errorf("%+v", changed.Attributes)
	}
	if _, err := client.ModifyListenerAttributes(ctx, &elb.ModifyListenerAttributesInput{ListenerArn: arn, Attributes: []types.ListenerAttribute{{Key: aws.String("tcp.idle_timeout.seconds"), Value: aws.String("60")}}}); !strings.HasPrefix(code(err), "InvalidConfigurationRequest: ") {
		t.Error(code(err))
	}
}

func TestNetworks(t *testing.T) {
	server, client, _ := serve(t)
	ctx := context.Background()
	if err := server.Store().Update(owner, region, func(r *store.Region) error {
		r.Subnets = []store.Subnet{{ID: "subnet-a1", Zone: "eu-west-1a", VPC: "vpc-1"}, {ID: "subnet-a2", Zone: "eu-west-1a", VPC: "vpc-1"}, {ID: "subnet-b", Zone: "eu-west-1b", VPC: "vpc-1"}, {ID: "subnet-c", Zone: "eu-west-1c", VPC: "vpc-2"}}
		r.SecurityGroups = []string{"sg-1", "sg-2"}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		in   elb.CreateLoadBalancerInput
		want string
	}{
		{elb.CreateLoadBalancerInput{Subnets: []string{"subnet-a1", "subnet-b"}, SecurityGroups: []string{"sg-1"}}, "no error"},
		{elb.CreateLoadBalancerInput{Subnets: []string{"subnet-a1"}}, "ValidationError: At least two subnets in two different Availability Zones must be specified"},
		{elb.CreateLoadBalancerInput{}, "ValidationError: At least two subnets"},
		{elb.CreateLoadBalancerInput{Type: "network", Subnets: []string{"subnet-a1"}}, "no error"},
		{elb.CreateLoadBalancerInput{Type: "network"}, "ValidationError: At least one subnet must be specified"},
		{elb.CreateLoadBalancerInput{Subnets: []string{"subnet-a1", "subnet-a2"}}, "InvalidConfigurationRequest: A load balancer cannot be attached to multiple subnets in the same Availability Zone"},
		{elb.CreateLoadBalancerInput{Subnets: []string{"subnet-a1", "subnet-c"}}, "InvalidConfigurationRequest: "},
		{elb.CreateLoadBalancerInput{Subnets: []string{"subnet-a1", "subnet-d"}}, "SubnetNotFound: "},
		{elb.CreateLoadBalancerInput{Subnets: []string{"subnet-a1", "b"}}, "ValidationError: The subnet ID 'b' is not valid"},
		{elb.CreateLoadBalancerInput{Subnets: []string{"subnet-a1", "subnet-b"}, SecurityGroups: []string{"sg-3"}}, "InvalidSecurityGroup: "},
		{elb.CreateLoadBalancerInput{Type: "gateway", Subnets: []string{"subnet-a1"}, SecurityGroups: []string{"sg-1"}}, "ValidationError: Security groups are not supported for load balancers with type 'gateway'"},
		{elb.CreateLoadBalancerInput{Type: "network", SubnetMappings: []types.SubnetMapping{{SubnetId: aws.String("subnet-a1"), AllocationId: aws.String("eipalloc-1")}}}, "no error"},
		{elb.CreateLoadBalancerInput{SubnetMappings: []types.SubnetMapping{{SubnetId: aws.String("subnet-a1"), AllocationId: aws.String("eipalloc-1")}, {SubnetId: aws.String("subnet-b")}}}, "InvalidConfigurationRequest: "},
		{elb.CreateLoadBalancerInput{Name: aws.String("internal-x"), Subnets: []string{"subnet-a1", "subnet-b"}}, "ValidationError: "},
		{elb.CreateLoadBalancerInput{Name: aws.String("lb-0"), Scheme: "internal", Subnets: []string{"subnet-a1", "subnet-b"}}, "DuplicateLoadBalancerName: A load balancer with the same name 'lb-0' exists, but with different settings"},
	} {
		if c.in.Name == nil {
			c.in.Name = aws.String(fmt.Sprint("lb-", i))
		}
		if _, err := client.CreateLoadBalancer(ctx, &c.in); !strings.HasPrefix(code(err), c.want) {
			t.Errorf("%d: %s, want %s", i, code(err), c.want)
		}
	}
	seen := must[elb.DescribeLoadBalancersOutput](t)(client.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{"lb-0", "lb-3", "lb-11"}})).LoadBalancers
	alb, nlb := seen[0], seen[1]
	if fmt.Sprint(alb.SecurityGroups) != "[sg-1]" || *alb.VpcId != "vpc-1" || nlb.Type != "network" || !strings.Contains(*nlb.DNSName, ".elb.eu-west-1.amazonaws.com") {
		t.Errorf("%+v", seen)
	}
	groups := must[elb.SetSecurityGroupsOutput](t)(client.SetSecurityGroups(ctx, &elb.SetSecurityGroupsInput{LoadBalancerArn: alb.LoadBalancerArn, SecurityGroups: []string{"sg-2"}}))
	if fmt.Sprint(groups.SecurityGroupIds) != "[sg-2]" {
		t.Errorf("%v", groups.SecurityGroupIds)
	}
	if _, err := client.SetSecurityGroups(ctx, &elb.SetSecurityGroupsInput{LoadBalancerArn: nlb.LoadBalancerArn, SecurityGroups: []string{"sg-2"}}); !strings.HasPrefix(code(err), "InvalidConfigurationRequest: ") {
		t.Error(code(err))
	}
	moved := must[elb.SetSubnetsOutput](t)(client.SetSubnets(ctx, &elb.SetSubnetsInput{LoadBalancerArn: alb.LoadBalancerArn, Subnets: []string{"subnet-a2", "subnet-b"}}))
	if len(moved.AvailabilityZones) != 2 || *moved.AvailabilityZones[0].SubnetId != "subnet-a2" {
		t.Errorf("%+v", moved.AvailabilityZones)
	}
	if _, err := client.SetSubnets(ctx, &elb.SetSubnetsInput{LoadBalancerArn: nlb.LoadBalancerArn, Subnets: []string{"subnet-b"}}); !strings.HasPrefix(code(err), "InvalidConfigurationRequest: Subnet removal is not supported for Network Load Balancers.") {
		t.Error(code(err))
	}
	kind := must[elb.SetIpAddressTypeOutput](t)(client.SetIpAddressType(ctx, &elb.SetIpAddressTypeInput{LoadBalancerArn: alb.LoadBalancerArn, IpAddressType: "dualstack"}))
	if kind.IpAddressType != "dualstack" {
		t.Error(kind.IpAddressType)
	}
	if err := server.Store().Update(owner, region, func(r *store.Region) error {
		r.Quotas = map[string]int{"application-load-balancers": 1}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("more"), Subnets: []string{"subnet-a1", "subnet-b"}}); !strings.HasPrefix(code(err), "TooManyLoadBalancers: ") {
		t.Error(code(err))
	}
	many := make([]string, 21)
	for i := range many {
		many[i] = fmt.Sprint("lb-", i)
	}
	if _, err := client.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: many}); code(err) != "ValidationError: Up to 20 load balancers can be described at a time, but 21 were specified" {
		t.Error(code(err))
	}
}

func TestAccount(t *testing.T) {
	_, client, _ := serve(t)
	ctx := context.Background()
	limits := map[string]string{}
	in := &elb.DescribeAccountLimitsInput{PageSize: aws.Int32(5)}
	for {
		out := must[elb.DescribeAccountLimitsOutput](t)(client.DescribeAccountLimits(ctx, in))
		for _, l := range out.Limits {
			limits[*l.Name] = *l.Max
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	if len(limits) < 20 || limits["application-load-balancers"] != "50" || limits["certificates-per-application-load-balancer"] != "25" {
		t.Errorf("%v", limits)
	}
	stores := must[elb.DescribeTrustStoresOutput](t)(client.DescribeTrustStores(ctx, &elb.DescribeTrustStoresInput{Names: []string{"partners"}})).TrustStores
	if len(stores) != 1 || *stores[0].TrustStoreArn != trust || stores[0].Status != "ACTIVE" || *stores[0].NumberOfCaCertificates != 3 {
		t.Errorf("%+v", stores)
	}
	if _, err := client.DescribeTrustStores(ctx, &elb.DescribeTrustStoresInput{Names: []string{"nobody"}}); !strings.HasPrefix(code(err), "TrustStoreNotFound: ") {
		t.Error(code(err))
	}
}
