package find

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
)

// pageSize is the largest that the load balancing APIs take.
const pageSize = 400

// modern lists the listeners of Application and Network Load Balancers.
func (a *asker) modern(ctx context.Context) {
	client := a.s.ELBv2()
	var wg sync.WaitGroup
	defer wg.Wait()
	asked := 0
	pages := elbv2.NewDescribeLoadBalancersPaginator(client, &elbv2.DescribeLoadBalancersInput{PageSize: aws.Int32(pageSize)},
		func(o *elbv2.DescribeLoadBalancersPaginatorOptions) { o.StopOnDuplicateToken = true })
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			a.problem("Application and Network Load Balancers", err)
			return
		}
		a.page()
		for _, lb := range out.LoadBalancers {
			if !a.o.wants(elb.Kind(lb.Type)) || lb.Type == types.LoadBalancerTypeEnumGateway {
				continue
			}
			a.looked()
			asked++
			wg.Go(func() {
				defer a.enter()()
				a.listenersOf(ctx, client, &lb)
			})
		}
	}
	if d := account.DescribeTime(asked); d >= slow && a.o.Slow != nil {
		a.o.Slow(a.s.Region, asked, d)
	}
}

// listenersOf lists the listeners of one load balancer. One that was deleted meanwhile has none.
func (a *asker) listenersOf(ctx context.Context, client *elbv2.Client, lb *types.LoadBalancer) {
	pages := elbv2.NewDescribeListenersPaginator(client, &elbv2.DescribeListenersInput{LoadBalancerArn: lb.LoadBalancerArn, PageSize: aws.Int32(pageSize)},
		func(o *elbv2.DescribeListenersPaginatorOptions) { o.StopOnDuplicateToken = true })
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if code(err) == codeNoLoadBalancer {
			return
		}
		if err != nil {
			a.problem("listeners of "+aws.ToString(lb.LoadBalancerName), err)
			return
		}
		a.page()
		for i := range out.Listeners {
			a.add(fromModern(a.s.Place, lb, &out.Listeners[i]))
		}
	}
}

// Codes of the APIs' errors.
const (
	codeNoLoadBalancer = "LoadBalancerNotFound"
	codeNoListener     = "ListenerNotFound"
)

// code is the API's name of an error, "" where it is none of the API's.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// fromModern makes a listener of the answers of DescribeLoadBalancers and DescribeListeners.
func fromModern(place elb.Place, lb *types.LoadBalancer, l *types.Listener) elb.Listener {
	x := elb.Listener{Place: place, Kind: elb.Kind(lb.Type), LoadBalancer: aws.ToString(lb.LoadBalancerName),
		LoadBalancerARN: aws.ToString(lb.LoadBalancerArn), ARN: aws.ToString(l.ListenerArn), DNSName: aws.ToString(lb.DNSName),
		Scheme: string(lb.Scheme), VPC: aws.ToString(lb.VpcId), SecurityGroups: lb.SecurityGroups,
		Port: int(aws.ToInt32(l.Port)), Protocol: string(l.Protocol)}
	if n, err := elb.ParseName(x.LoadBalancerARN); err == nil {
		x.Partition, x.Account = n.Partition, n.Account
	}
	if lb.State != nil {
		x.State = string(lb.State.Code)
	}
	for _, z := range lb.AvailabilityZones {
		x.Subnets = append(x.Subnets, aws.ToString(z.SubnetId))
	}
	for i := range l.DefaultActions {
		x.TargetGroups = targetGroups(x.TargetGroups, &l.DefaultActions[i])
		if r := l.DefaultActions[i].RedirectConfig; r != nil && strings.EqualFold(aws.ToString(r.Protocol), "HTTPS") {
			x.Redirects = true
		}
	}
	if !x.TLS() {
		return x
	}
	x.Policy = aws.ToString(l.SslPolicy)
	x.Accepts = policy.ByName(string(policy.AWS) + "/" + x.Policy)
	for i, c := range l.Certificates {
		x.Certificates = append(x.Certificates, elb.Certificate{ARN: aws.ToString(c.CertificateArn), Default: i == 0})
	}
	if len(l.AlpnPolicy) > 0 {
		x.ALPN = l.AlpnPolicy[0]
	}
	if m := l.MutualAuthentication; m != nil {
		x.MutualTLS, x.TrustStore = aws.ToString(m.Mode), aws.ToString(m.TrustStoreArn)
	}
	return x
}

// targetGroups adds the target groups of an action, each once.
func targetGroups(l []string, action *types.Action) []string {
	add := func(arn *string) {
		if g := aws.ToString(arn); g != "" && !slices.Contains(l, g) {
			l = append(l, g)
		}
	}
	add(action.TargetGroupArn)
	if action.ForwardConfig != nil {
		for _, g := range action.ForwardConfig.TargetGroups {
			add(g.TargetGroupArn)
		}
	}
	return l
}

// policies asks for the security policies of ALB and NLB that the tables do not have, or are not sure of.
func (a *asker) policies(ctx context.Context) {
	var names []string
	for i := range a.listeners {
		l := &a.listeners[i] // not a copy: its certificates are filled in meanwhile
		if l.Kind != elb.Classic && l.Policy != "" && !slices.Contains(names, l.Policy) && (l.Accepts == nil || l.Accepts.Confidence != policy.High) {
			names = append(names, l.Policy)
		}
	}
	if len(names) == 0 {
		return
	}
	slices.Sort(names)
	client := a.s.ELBv2()
	var marker *string
	for {
		out, err := client.DescribeSSLPolicies(ctx, &elbv2.DescribeSSLPoliciesInput{Names: names, Marker: marker})
		if err != nil {
			a.problem("content of "+strings.Join(names, ", "), err)
			break
		}
		for i := range out.SslPolicies {
			p, err := policy.Described(description(&out.SslPolicies[i]))
			if err != nil {
				a.problem("content of a policy", err)
				continue
			}
			a.described[p.Name] = p
		}
		if aws.ToString(out.NextMarker) == "" || aws.ToString(out.NextMarker) == aws.ToString(marker) {
			break
		}
		marker = out.NextMarker
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.listeners {
		if p := a.described[a.listeners[i].Policy]; p != nil && a.listeners[i].Kind != elb.Classic {
			a.listeners[i].Accepts = p
		}
	}
}

// description puts an answer of DescribeSSLPolicies into Parley's shape.
func description(p *types.SslPolicy) policy.Description {
	d := policy.Description{Name: aws.ToString(p.Name), SslProtocols: p.SslProtocols, SupportedLoadBalancerTypes: p.SupportedLoadBalancerTypes}
	for _, c := range p.Ciphers {
		d.Ciphers = append(d.Ciphers, policy.DescribedCipher{Name: aws.ToString(c.Name), Priority: int(aws.ToInt32(c.Priority))})
	}
	return d
}
