package reach

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	classic "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/diagnose"
)

// targets finds whether any target is healthy. None is no cause in the negotiation: an ALB agrees on TLS and answers 503.
func targets(ctx context.Context, s *account.Session, l *elb.Listener, _ Options) ([]diagnose.Obstacle, error) {
	if l.Kind == elb.Classic {
		return instances(ctx, s, l)
	}
	states := map[string]int{}
	for _, g := range l.TargetGroups {
		out, err := s.ELBv2().DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: aws.String(g)})
		if err != nil {
			return nil, err
		}
		for _, d := range out.TargetHealthDescriptions {
			if d.TargetHealth == nil {
				continue
			}
			switch d.TargetHealth.State {
			case types.TargetHealthStateEnumHealthy, types.TargetHealthStateEnumUnavailable: // unavailable: nobody checks
				return nil, nil
			}
			states[string(d.TargetHealth.State)]++
		}
	}
	if len(l.TargetGroups) == 0 {
		return nil, nil // a redirect or a fixed answer needs no target
	}
	return unhealthy(l, states, command("elbv2 describe-target-health --target-group-arn "+l.TargetGroups[0], l)), nil
}

func instances(ctx context.Context, s *account.Session, l *elb.Listener) ([]diagnose.Obstacle, error) {
	out, err := s.Classic().DescribeInstanceHealth(ctx, &classic.DescribeInstanceHealthInput{LoadBalancerName: aws.String(l.LoadBalancer)})
	if err != nil {
		return nil, err
	}
	states := map[string]int{}
	for _, i := range out.InstanceStates {
		if aws.ToString(i.State) == "InService" {
			return nil, nil
		}
		states[aws.ToString(i.State)]++
	}
	return unhealthy(l, states, command("elb describe-instance-health --load-balancer-name "+l.LoadBalancer, l)), nil
}

func unhealthy(l *elb.Listener, states map[string]int, command string) []diagnose.Obstacle {
	text := "it has none registered"
	if len(states) > 0 {
		var words []string
		for _, s := range slices.Sorted(maps.Keys(states)) {
			words = append(words, fmt.Sprintf("%d %s", states[s], s))
		}
		text = strings.Join(words, ", ")
	}
	return []diagnose.Obstacle{{ID: "targets", Keeps: diagnose.KeepsNone, Evidence: evidence("targets: "+text, command),
		Summary: "no target of " + l.LoadBalancer + " is healthy (" + text + "): requests fail whatever is negotiated, which is no failure of the negotiation"}}
}
