package find

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	classic "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
)

// classic lists the listeners of Classic Load Balancers.
func (a *asker) classic(ctx context.Context) {
	client := a.s.Classic()
	var wg sync.WaitGroup
	defer wg.Wait()
	pages := classic.NewDescribeLoadBalancersPaginator(client, &classic.DescribeLoadBalancersInput{PageSize: aws.Int32(pageSize)},
		func(o *classic.DescribeLoadBalancersPaginatorOptions) { o.StopOnDuplicateToken = true })
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			a.problem("Classic Load Balancers", err)
			return
		}
		a.page()
		for _, lb := range out.LoadBalancerDescriptions {
			a.looked()
			wg.Go(func() {
				defer a.enter()()
				a.add(a.classicListeners(ctx, client, &lb)...)
			})
		}
	}
}

// classicListeners makes the listeners of one Classic Load Balancer, and asks for its policies where names do not tell.
// One that was deleted meanwhile has none.
func (a *asker) classicListeners(ctx context.Context, client *classic.Client, lb *types.LoadBalancerDescription) []elb.Listener {
	var l []elb.Listener
	ask := false
	for i := range lb.ListenerDescriptions {
		d := &lb.ListenerDescriptions[i]
		if d.Listener == nil {
			continue
		}
		x := fromClassic(a.s.Place, lb, d)
		if x.TLS() && x.Policy == "" && len(d.PolicyNames) > 0 {
			ask = true
		}
		l = append(l, x)
	}
	if !ask {
		return l
	}
	name := aws.ToString(lb.LoadBalancerName)
	out, err := client.DescribeLoadBalancerPolicies(ctx, &classic.DescribeLoadBalancerPoliciesInput{LoadBalancerName: lb.LoadBalancerName})
	if code(err) == codeNoLoadBalancer {
		return nil
	}
	if err != nil {
		a.problem("policies of "+name, err)
		return l
	}
	for i := range l {
		if l[i].TLS() && l[i].Policy == "" {
			if err := setPolicies(&l[i], out.PolicyDescriptions); err != nil {
				a.problem("policies of "+name, err)
			}
		}
	}
	return l
}

// fromClassic makes a listener of a description. Its policies are told apart by name where one is a predefined one; else all are
// in OtherPolicies, and Policy is empty.
func fromClassic(place elb.Place, lb *types.LoadBalancerDescription, d *types.ListenerDescription) elb.Listener {
	x := elb.Listener{Place: place, Kind: elb.Classic, LoadBalancer: aws.ToString(lb.LoadBalancerName), DNSName: aws.ToString(lb.DNSName),
		Scheme: aws.ToString(lb.Scheme), VPC: aws.ToString(lb.VPCId), SecurityGroups: lb.SecurityGroups, Subnets: lb.Subnets,
		Port: int(d.Listener.LoadBalancerPort), Protocol: strings.ToUpper(aws.ToString(d.Listener.Protocol)),
		InstanceProtocol: strings.ToUpper(aws.ToString(d.Listener.InstanceProtocol)), OtherPolicies: slices.Clone(d.PolicyNames)}
	if !x.TLS() {
		return x
	}
	if id := aws.ToString(d.Listener.SSLCertificateId); id != "" {
		x.Certificates = []elb.Certificate{{ARN: id, Default: true}}
	}
	for i, n := range d.PolicyNames {
		// No custom policy can have such a name: the prefix is reserved.
		if p := policy.ByName(string(policy.Classic) + "/" + n); p != nil && p.Name == n {
			x.Policy, x.Accepts = n, p
			x.OtherPolicies = slices.Delete(x.OtherPolicies, i, i+1)
			break
		}
	}
	return x
}

// negotiationPolicy is the type of a Classic policy that says which protocols and ciphers are accepted.
const negotiationPolicy = "SSLNegotiationPolicyType"

// referenceAttribute names the predefined policy that a policy was made from.
const referenceAttribute = "Reference-Security-Policy"

// setPolicies tells the security policy of a listener from its other policies.
func setPolicies(x *elb.Listener, described []types.PolicyDescription) error {
	for i, name := range x.OtherPolicies {
		at := slices.IndexFunc(described, func(d types.PolicyDescription) bool { return aws.ToString(d.PolicyName) == name })
		if at < 0 || aws.ToString(described[at].PolicyTypeName) != negotiationPolicy {
			continue
		}
		x.Policy = name
		x.OtherPolicies = slices.Delete(x.OtherPolicies, i, i+1)
		var values []policy.AttributeValue
		for _, v := range described[at].PolicyAttributeDescriptions {
			values = append(values, policy.AttributeValue{AttributeName: aws.ToString(v.AttributeName), AttributeValue: aws.ToString(v.AttributeValue)})
			if aws.ToString(v.AttributeName) == referenceAttribute {
				x.Reference = aws.ToString(v.AttributeValue)
			}
		}
		p, err := policy.ClassicCustom(name, values)
		if err != nil {
			return fmt.Errorf("policy %s of port %d: %w", name, x.Port, err)
		}
		x.Accepts = p
		return nil
	}
	return nil
}
