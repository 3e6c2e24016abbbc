package classic_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
)

func TestAttributes(t *testing.T) {
	client := open(t)
	out, err := client.DescribeLoadBalancerAttributes(ctx, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerName: shop})
	if err != nil || out.LoadBalancerAttributes.AccessLog.Enabled || *out.LoadBalancerAttributes.ConnectionSettings.IdleTimeout != 60 {
		t.Fatalf("%+v, error %v", out, err)
	}
	modify := func(a types.LoadBalancerAttributes) error {
		_, err := client.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{LoadBalancerName: shop, LoadBalancerAttributes: &a})
		return err
	}
	if err := modify(types.LoadBalancerAttributes{AccessLog: &types.AccessLog{Enabled: true, S3BucketName: aws.String("logs"), EmitInterval: aws.Int32(5)},
		ConnectionDraining: &types.ConnectionDraining{Enabled: true, Timeout: aws.Int32(30)}}); err != nil {
		t.Fatal(err)
	}
	if err := modify(types.LoadBalancerAttributes{ConnectionSettings: &types.ConnectionSettings{IdleTimeout: aws.Int32(120)}}); err != nil {
		t.Fatal(err)
	}
	out, err = client.DescribeLoadBalancerAttributes(ctx, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerName: shop})
	a := out.LoadBalancerAttributes
	if err != nil || *a.AccessLog.S3BucketName != "logs" || *a.AccessLog.EmitInterval != 5 || *a.ConnectionDraining.Timeout != 30 || *a.ConnectionSettings.IdleTimeout != 120 || a.CrossZoneLoadBalancing.Enabled {
		t.Errorf("%+v, error %v", a, err)
	}
	wantError(t, modify(types.LoadBalancerAttributes{AccessLog: &types.AccessLog{Enabled: true}}), "InvalidConfigurationRequest", "S3BucketName")
	wantError(t, modify(types.LoadBalancerAttributes{ConnectionSettings: &types.ConnectionSettings{IdleTimeout: aws.Int32(5000)}}), "ValidationError", "idleTimeout")
	wantError(t, modify(types.LoadBalancerAttributes{AdditionalAttributes: []types.AdditionalAttribute{{Key: aws.String("ssl.policy"), Value: aws.String("x")}}}), "LoadBalancerAttributeNotFound", "ssl.policy")
}

func TestTags(t *testing.T) {
	client := open(t)
	add := func(tags ...types.Tag) error {
		_, err := client.AddTags(ctx, &elb.AddTagsInput{LoadBalancerNames: []string{"shop"}, Tags: tags})
		return err
	}
	if err := add(types.Tag{Key: aws.String("team"), Value: aws.String("shop")}, types.Tag{Key: aws.String("env")}); err != nil {
		t.Fatal(err)
	}
	wantError(t, add(types.Tag{Key: aws.String("a")}, types.Tag{Key: aws.String("a")}), "DuplicateTagKeys", "a")
	if _, err := client.RemoveTags(ctx, &elb.RemoveTagsInput{LoadBalancerNames: []string{"shop"}, Tags: []types.TagKeyOnly{{Key: aws.String("env")}}}); err != nil {
		t.Fatal(err)
	}
	out, err := client.DescribeTags(ctx, &elb.DescribeTagsInput{LoadBalancerNames: []string{"shop"}})
	if err != nil || len(out.TagDescriptions) != 1 || len(out.TagDescriptions[0].Tags) != 1 || *out.TagDescriptions[0].Tags[0].Value != "shop" {
		t.Errorf("%+v, error %v", out, err)
	}
}

func TestInstances(t *testing.T) {
	client := open(t)
	one, two := types.Instance{InstanceId: aws.String("i-0123456789abcdef0")}, types.Instance{InstanceId: aws.String("i-0123456789abcdef1")}
	in, err := client.RegisterInstancesWithLoadBalancer(ctx, &elb.RegisterInstancesWithLoadBalancerInput{LoadBalancerName: shop, Instances: []types.Instance{one, two, one}})
	if err != nil || len(in.Instances) != 2 {
		t.Fatalf("%+v, error %v", in, err)
	}
	health, err := client.DescribeInstanceHealth(ctx, &elb.DescribeInstanceHealthInput{LoadBalancerName: shop})
	if err != nil || len(health.InstanceStates) != 2 || *health.InstanceStates[0].State != "OutOfService" {
		t.Errorf("%+v, error %v", health, err)
	}
	if _, err := client.DeregisterInstancesFromLoadBalancer(ctx, &elb.DeregisterInstancesFromLoadBalancerInput{LoadBalancerName: shop, Instances: []types.Instance{one}}); err != nil {
		t.Error(err)
	}
	_, err = client.DescribeInstanceHealth(ctx, &elb.DescribeInstanceHealthInput{LoadBalancerName: shop, Instances: []types.Instance{one}})
	wantError(t, err, "InvalidInstance", *one.InstanceId)
	_, err = client.RegisterInstancesWithLoadBalancer(ctx, &elb.RegisterInstancesWithLoadBalancerInput{LoadBalancerName: shop, Instances: []types.Instance{{InstanceId: aws.String("web-1")}}})
	wantError(t, err, "InvalidInstance", "web-1")

	check := types.HealthCheck{Target: aws.String("HTTP:8080/ready"), Interval: aws.Int32(10), Timeout: aws.Int32(5), HealthyThreshold: aws.Int32(2), UnhealthyThreshold: aws.Int32(3)}
	if _, err := client.ConfigureHealthCheck(ctx, &elb.ConfigureHealthCheckInput{LoadBalancerName: shop, HealthCheck: &check}); err != nil {
		t.Error(err)
	}
	if h := seen(t, client).HealthCheck; *h.Target != "HTTP:8080/ready" || *h.UnhealthyThreshold != 3 {
		t.Errorf("%+v", h)
	}
	check.Target = aws.String("HTTP:8080")
	_, err = client.ConfigureHealthCheck(ctx, &elb.ConfigureHealthCheckInput{LoadBalancerName: shop, HealthCheck: &check})
	wantError(t, err, "ValidationError", "path")

	limits, err := client.DescribeAccountLimits(ctx, &elb.DescribeAccountLimitsInput{})
	if err != nil || len(limits.Limits) != 3 {
		t.Errorf("%+v, error %v", limits, err)
	}
}

func TestNetwork(t *testing.T) {
	client := open(t)
	enabled, err := client.EnableAvailabilityZonesForLoadBalancer(ctx, &elb.EnableAvailabilityZonesForLoadBalancerInput{LoadBalancerName: shop, AvailabilityZones: []string{"eu-west-1a", "eu-west-1b"}})
	if err != nil || !slices.Equal(enabled.AvailabilityZones, []string{"eu-west-1a", "eu-west-1b"}) {
		t.Errorf("%+v, error %v", enabled, err)
	}
	disable := func(zones ...string) error {
		_, err := client.DisableAvailabilityZonesForLoadBalancer(ctx, &elb.DisableAvailabilityZonesForLoadBalancerInput{LoadBalancerName: shop, AvailabilityZones: zones})
		return err
	}
	wantError(t, disable("eu-west-1a", "eu-west-1b"), "InvalidConfigurationRequest", "at least one")
	if err := disable("eu-west-1a"); err != nil || !slices.Equal(seen(t, client).AvailabilityZones, []string{"eu-west-1b"}) {
		t.Errorf("%v, error %v", seen(t, client).AvailabilityZones, err)
	}
	groups, err := client.ApplySecurityGroupsToLoadBalancer(ctx, &elb.ApplySecurityGroupsToLoadBalancerInput{LoadBalancerName: shop, SecurityGroups: []string{"sg-1"}})
	if err != nil || !slices.Equal(groups.SecurityGroups, []string{"sg-1"}) || !slices.Equal(seen(t, client).SecurityGroups, []string{"sg-1"}) {
		t.Errorf("%+v, error %v", groups, err)
	}

	if _, err := client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{LoadBalancerName: aws.String("inside"), Subnets: []string{"subnet-1"}, Listeners: []types.Listener{http}}); err != nil {
		t.Fatal(err)
	}
	attached, err := client.AttachLoadBalancerToSubnets(ctx, &elb.AttachLoadBalancerToSubnetsInput{LoadBalancerName: aws.String("inside"), Subnets: []string{"subnet-2", "subnet-1"}})
	if err != nil || !slices.Equal(attached.Subnets, []string{"subnet-1", "subnet-2"}) {
		t.Errorf("%+v, error %v", attached, err)
	}
	detached, err := client.DetachLoadBalancerFromSubnets(ctx, &elb.DetachLoadBalancerFromSubnetsInput{LoadBalancerName: aws.String("inside"), Subnets: []string{"subnet-1"}})
	if err != nil || !slices.Equal(detached.Subnets, []string{"subnet-2"}) {
		t.Errorf("%+v, error %v", detached, err)
	}
	_, err = client.EnableAvailabilityZonesForLoadBalancer(ctx, &elb.EnableAvailabilityZonesForLoadBalancerInput{LoadBalancerName: aws.String("inside"), AvailabilityZones: []string{"eu-west-1a"}})
	wantError(t, err, "ValidationError", "subnets")
}
