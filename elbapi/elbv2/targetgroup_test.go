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

func TestCreateTargetGroup(t *testing.T) {
	_, client, _ := serve(t)
	ctx := context.Background()
	base := func(change func(*elb.CreateTargetGroupInput)) *elb.CreateTargetGroupInput {
		in := &elb.CreateTargetGroupInput{Name: aws.String("web"), Protocol: "HTTP", Port: aws.Int32(80), VpcId: aws.String("vpc-1")}
		if change != nil {
			change(in)
		}
		return in
	}
	first := must[elb.CreateTargetGroupOutput](t)(client.CreateTargetGroup(ctx, base(nil))).TargetGroups[0]
	if *first.HealthCheckPath != "/" || *first.Matcher.HttpCode != "200" || *first.HealthCheckTimeoutSeconds != 5 || first.TargetType != "instance" || *first.ProtocolVersion != "HTTP1" {
		t.Errorf("%+v", first)
	}
	for _, c := range []struct {
		name   string
		change func(*elb.CreateTargetGroupInput)
		want   string
	}{
		{"the same again", nil, "no error"},
		{"the same name", func(in *elb.CreateTargetGroupInput) { in.Port = aws.Int32(81) }, "DuplicateTargetGroupName: A target group with the same name 'web' exists, but with different settings"},
		{"grpc", func(in *elb.CreateTargetGroupInput) {
			in.Name, in.ProtocolVersion = aws.String("grpc"), aws.String("GRPC")
		}, "no error"},
		{"lambda", func(in *elb.CreateTargetGroupInput) {
			*in = elb.CreateTargetGroupInput{Name: aws.String("fn"), TargetType: "lambda"}
		}, "no error"},
		{"tcp with a path", func(in *elb.CreateTargetGroupInput) {
			in.Name, in.Protocol, in.HealthCheckPath = aws.String("t"), "TCP", aws.String("/")
		}, "InvalidConfigurationRequest: "},
		{"tcp checked by http", func(in *elb.CreateTargetGroupInput) {
			in.Name, in.Protocol, in.HealthCheckProtocol, in.HealthCheckPath = aws.String("t"), "TCP", "HTTP", aws.String("/ok")
		}, "no error"},
		{"http checked by tcp", func(in *elb.CreateTargetGroupInput) { in.Name, in.HealthCheckProtocol = aws.String("h"), "TCP" }, "ValidationError: "},
		{"timeout", func(in *elb.CreateTargetGroupInput) {
			in.Name, in.HealthCheckTimeoutSeconds = aws.String("h"), aws.Int32(31)
		}, "ValidationError: Health check timeout '31' must be smaller than or equal to the interval '30'"},
		{"interval", func(in *elb.CreateTargetGroupInput) {
			in.Name, in.HealthCheckIntervalSeconds = aws.String("h"), aws.Int32(4)
		}, "ValidationError: 1 validation error detected: Value '4' at 'healthCheckIntervalSeconds' failed to satisfy constraint: Member must have value greater than or equal to 5"},
		{"switched off", func(in *elb.CreateTargetGroupInput) {
			in.Name, in.HealthCheckEnabled = aws.String("h"), aws.Bool(false)
		}, "InvalidConfigurationRequest: "},
		{"no port", func(in *elb.CreateTargetGroupInput) { in.Name, in.Port = aws.String("h"), nil }, "ValidationError: A port must be specified"},
		{"no VPC", func(in *elb.CreateTargetGroupInput) { in.Name, in.VpcId = aws.String("h"), nil }, "ValidationError: A VPC ID must be specified"},
		{"long name", func(in *elb.CreateTargetGroupInput) { in.Name = aws.String(strings.Repeat("x", 33)) }, "ValidationError: Target group name '" + strings.Repeat("x", 33) + "' cannot be longer than '32' characters"},
		{"bad name", func(in *elb.CreateTargetGroupInput) { in.Name = aws.String("a_b") }, "ValidationError: Target group name 'a_b' can only contain characters that are alphanumeric characters"},
		{"hyphen", func(in *elb.CreateTargetGroupInput) { in.Name = aws.String("-b") }, "ValidationError: Target group name '-b' cannot begin or end with '-'"},
		{"tag twice", func(in *elb.CreateTargetGroupInput) {
			in.Name, in.Tags = aws.String("h"), []types.Tag{{Key: aws.String("a")}, {Key: aws.String("a")}}
		}, "DuplicateTagKeys: "},
	} {
		if _, err := client.CreateTargetGroup(ctx, base(c.change)); !strings.HasPrefix(code(err), c.want) {
			t.Errorf("%s: %s, want %s", c.name, code(err), c.want)
		}
	}
	changed := must[elb.ModifyTargetGroupOutput](t)(client.ModifyTargetGroup(ctx, &elb.ModifyTargetGroupInput{TargetGroupArn: first.TargetGroupArn, HealthCheckPath: aws.String("/up"), Matcher: &types.Matcher{HttpCode: aws.String("200-299")}}))
	if g := changed.TargetGroups[0]; *g.HealthCheckPath != "/up" || *g.Matcher.HttpCode != "200-299" || *g.HealthyThresholdCount != 5 {
		t.Errorf("%+v", g)
	}
}

func TestTargets(t *testing.T) {
	server, client, _ := serve(t)
	ctx := context.Background()
	arn := group(t, client, "web", "HTTP")
	register := func(ids ...string) string {
		in := &elb.RegisterTargetsInput{TargetGroupArn: &arn}
		for _, id := range ids {
			in.Targets = append(in.Targets, types.TargetDescription{Id: aws.String(id)})
		}
		_, err := client.RegisterTargets(ctx, in)
		return code(err)
	}
	for ids, want := range map[string]string{"10.0.0.1 10.0.0.2": "no error", "10.0.0.1": "no error", "i-0123456789abcdef0": "InvalidTarget: ", "192.0.2.1": "InvalidTarget: ", "100.64.1.1": "no error", "10.0.0.3 x": "InvalidTarget: "} {
		if got := register(strings.Fields(ids)...); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", ids, got, want)
		}
	}
	health := func() (s string) {
		out := must[elb.DescribeTargetHealthOutput](t)(client.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &arn}))
		for _, d := range out.TargetHealthDescriptions {
			s += fmt.Sprintf("%s:%d %s %s; ", *d.Target.Id, *d.Target.Port, d.TargetHealth.State, d.TargetHealth.Reason)
		}
		return s
	}
	if got := health(); strings.Count(got, " unused Target.NotInUse;") != 3 || strings.Contains(got, "10.0.0.3") {
		t.Error(got)
	}
	alb := balancer(t, client, "shop", "application")
	must[elb.CreateListenerOutput](t)(client.CreateListener(ctx, &elb.CreateListenerInput{LoadBalancerArn: &alb, Protocol: "HTTP", Port: aws.Int32(80), DefaultActions: forward(arn)}))
	if got := health(); strings.Count(got, " initial Elb.RegistrationInProgress;") != 3 {
		t.Error(got)
	}
	if err := server.Store().Update(owner, region, func(r *store.Region) error { // what a health check would find
		g := r.TargetGroup(arn)
		for i := range g.Targets {
			g.Targets[i].State = "healthy"
		}
		g.Targets[0].State, g.Targets[0].Reason = "unhealthy", "Target.Timeout"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := health(); strings.Count(got, " healthy ;") != 2 || strings.Count(got, " unhealthy Target.Timeout;") != 1 {
		t.Error(got)
	}
	one := must[elb.DescribeTargetHealthOutput](t)(client.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &arn, Targets: []types.TargetDescription{{Id: aws.String("10.9.9.9")}}}))
	if d := one.TargetHealthDescriptions; len(d) != 1 || d[0].TargetHealth.Reason != "Target.NotRegistered" {
		t.Errorf("%+v", d)
	}
	groups := must[elb.DescribeTargetGroupsOutput](t)(client.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{LoadBalancerArn: &alb}))
	if len(groups.TargetGroups) != 1 || fmt.Sprint(groups.TargetGroups[0].LoadBalancerArns) != "["+alb+"]" {
		t.Errorf("%+v", groups.TargetGroups)
	}
	must[elb.DeregisterTargetsOutput](t)(client.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{TargetGroupArn: &arn, Targets: []types.TargetDescription{{Id: aws.String("10.0.0.1")}}}))
	if got := health(); strings.Contains(got, "10.0.0.1:") {
		t.Error(got)
	}
	if _, err := client.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{TargetGroupArn: &arn, Targets: []types.TargetDescription{{Id: aws.String("10.0.0.1")}}}); !strings.HasPrefix(code(err), "InvalidTarget: ") {
		t.Error(code(err))
	}
	if _, err := client.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &arn}); !strings.HasPrefix(code(err), "ResourceInUse: ") {
		t.Error(code(err))
	}
	must[elb.DeleteLoadBalancerOutput](t)(client.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &alb}))
	must[elb.DeleteTargetGroupOutput](t)(client.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &arn}))
	if _, err := client.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &arn}); !strings.HasPrefix(code(err), "TargetGroupNotFound: ") {
		t.Error(code(err))
	}
}
