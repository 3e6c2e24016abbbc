package find

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	classic "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
)

// NotFoundError is that no session knows a load balancer or listener of the name, though all were asked.
type NotFoundError struct {
	Name    elb.Name
	Regions []string
}

func (e *NotFoundError) Error() string {
	what := "load balancer " + e.Name.LoadBalancer
	switch {
	case e.Name.ListenerARN != "":
		what = "listener " + e.Name.ListenerARN
	case e.Name.LoadBalancerARN != "":
		what = "load balancer " + e.Name.LoadBalancerARN
	case e.Name.DNSName != "":
		what = "load balancer with the name " + e.Name.DNSName
	}
	hint := ": name another region with --region, or take --all-regions"
	if e.Name.Region != "" {
		hint = ": it was deleted, or is another account's"
	}
	return fmt.Sprintf("no %s in %s%s", what, strings.Join(e.Regions, ", "), hint)
}

// AmbiguousError is that a name means several listeners where one is wanted.
type AmbiguousError struct {
	Name      elb.Name
	Listeners []elb.Listener
}

func (e *AmbiguousError) Error() string {
	var l []string
	for i := range e.Listeners {
		x := &e.Listeners[i]
		l = append(l, fmt.Sprintf("%s (%s %s, %s)", x.Identifier(), x.Kind.Title(), x.Protocol, x.Region))
	}
	return fmt.Sprintf("%s means %d listeners: name one of %s", e.Name.Text, len(l), strings.Join(l, ", "))
}

// NoTLSError is that what a name means has no listener that ends TLS, or none on the port.
type NoTLSError struct {
	Name      elb.Name
	Listeners []elb.Listener // all that the load balancer has
}

func (e *NoTLSError) Error() string {
	var l []string
	for i := range e.Listeners {
		l = append(l, fmt.Sprintf("%d (%s)", e.Listeners[i].Port, e.Listeners[i].Protocol))
	}
	has := "it has no listeners at all"
	if len(l) > 0 {
		has = "it has listeners on " + strings.Join(l, ", ")
	}
	if e.Name.Port != 0 {
		return fmt.Sprintf("%s has no TLS listener on port %d: %s", e.Name.LoadBalancer, e.Name.Port, has)
	}
	return fmt.Sprintf("%s has no TLS listener: %s", e.Name.LoadBalancer, has)
}

// SessionOf returns the session that a listener was seen in, nil if it is none of these.
func SessionOf(sessions []*account.Session, l *elb.Listener) *account.Session {
	for _, s := range sessions {
		if s.Region == l.Region && s.Profile == l.Profile && s.Role == l.Role {
			return s
		}
	}
	return nil
}

// Resolve finds the listener with TLS that a name means, asking the sessions of the name's region, or all where the name tells none.
// Errors: NotFoundError, NoTLSError and AmbiguousError are about the name; an account.Error says that AWS did not tell.
func Resolve(ctx context.Context, sessions []*account.Session, n elb.Name) (*elb.Listener, error) {
	l, err := ResolveAll(ctx, sessions, n, Options{All: true, SNICertificates: true})
	if err != nil {
		return nil, err
	}
	fit := slices.DeleteFunc(slices.Clone(l), func(x elb.Listener) bool { return !x.TLS() || n.Port != 0 && x.Port != n.Port })
	switch len(fit) {
	case 0:
		return nil, &NoTLSError{n, l}
	case 1:
		return &fit[0], nil
	}
	return nil, &AmbiguousError{n, fit}
}

// ResolveAll finds every listener of the load balancers that a name means, whatever the port in it, or the one listener of an
// ARN. Without o.All it is those with TLS. A name that several accounts, regions or kinds of load balancer know means all of
// them. A load balancer without listeners gives an empty list and no error.
func ResolveAll(ctx context.Context, sessions []*account.Session, n elb.Name, o Options) ([]elb.Listener, error) {
	var askers []*asker
	var regions []string
	for _, s := range sessions {
		if n.Region == "" || s.Region == n.Region {
			askers = append(askers, newAsker(s, o))
			if !slices.Contains(regions, s.Region) {
				regions = append(regions, s.Region)
			}
		}
	}
	if len(askers) == 0 {
		return nil, fmt.Errorf("%s is in %s, which is not among the regions to ask", n.Text, n.Region)
	}
	var wg sync.WaitGroup
	for _, a := range askers {
		wg.Go(func() { a.named(ctx, n) })
	}
	var ids map[identity]elb.Place
	if n.Account == "" || n.Kind == elb.Classic {
		ids = identify(ctx, sessions)
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if !o.NoCertificates {
		iamCertificates(ctx, askers)
	}
	found := false
	for _, a := range askers {
		// A Classic ARN tells an account, which a session of another account must not answer for by a name alike.
		if id := ids[identityOf(a.s)].Account; n.Kind == elb.Classic && id != "" && id != n.Account {
			a.listeners, a.problems, a.balancers = nil, nil, 0
		}
		found = found || a.balancers > 0
	}
	inv := gather(askers, ids)
	if found {
		return inv.Listeners, partly(inv)
	}
	if len(inv.Problems) > 0 {
		return nil, inv.Problems[0]
	}
	return nil, &NotFoundError{n, regions}
}

// partly is the error where a load balancer was found and its listeners were not told.
func partly(inv *Inventory) error {
	if len(inv.Listeners) > 0 || len(inv.Problems) == 0 {
		return nil
	}
	return inv.Problems[0]
}

// named lists the listeners of the load balancers of that name.
func (a *asker) named(ctx context.Context, n elb.Name) {
	var wg sync.WaitGroup
	if n.Kind == "" || n.Kind == elb.ALB || n.Kind == elb.NLB || n.Kind == elb.Gateway {
		wg.Go(func() { a.namedModern(ctx, n) })
	}
	if n.Kind == "" || n.Kind == elb.Classic {
		wg.Go(func() { a.namedClassic(ctx, n) })
	}
	wg.Wait()
	a.fill(ctx)
}

func (a *asker) namedModern(ctx context.Context, n elb.Name) {
	client := a.s.ELBv2()
	in := &elbv2.DescribeLoadBalancersInput{Names: []string{n.LoadBalancer}}
	if n.LoadBalancerARN != "" {
		in = &elbv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{n.LoadBalancerARN}}
	}
	out, err := client.DescribeLoadBalancers(ctx, in)
	if code(err) == codeNoLoadBalancer {
		return
	}
	if err != nil {
		a.problem("load balancer "+n.LoadBalancer, err)
		return
	}
	for i := range out.LoadBalancers {
		lb := &out.LoadBalancers[i]
		switch {
		case n.DNSName != "" && !strings.EqualFold(aws.ToString(lb.DNSName), n.DNSName):
		case n.ListenerARN != "":
			a.listener(ctx, n.ListenerARN, func(l *elbv2.DescribeListenersOutput) {
				a.looked()
				for j := range l.Listeners {
					a.add(fromModern(a.s.Place, lb, &l.Listeners[j]))
				}
			})
		default:
			a.looked()
			a.listenersOf(ctx, client, lb)
		}
	}
}

// listener asks for one listener by its ARN.
func (a *asker) listener(ctx context.Context, arn string, found func(*elbv2.DescribeListenersOutput)) {
	out, err := a.s.ELBv2().DescribeListeners(ctx, &elbv2.DescribeListenersInput{ListenerArns: []string{arn}})
	switch {
	case code(err) == codeNoListener || code(err) == codeNoLoadBalancer:
	case err != nil:
		a.problem("listener "+arn, err)
	case len(out.Listeners) > 0:
		found(out)
	}
}

func (a *asker) namedClassic(ctx context.Context, n elb.Name) {
	client := a.s.Classic()
	out, err := client.DescribeLoadBalancers(ctx, &classic.DescribeLoadBalancersInput{LoadBalancerNames: []string{n.LoadBalancer}})
	if code(err) == codeNoLoadBalancer {
		return
	}
	if err != nil {
		a.problem("Classic Load Balancer "+n.LoadBalancer, err)
		return
	}
	for i := range out.LoadBalancerDescriptions {
		lb := &out.LoadBalancerDescriptions[i]
		if n.DNSName == "" || strings.EqualFold(strings.TrimPrefix(aws.ToString(lb.DNSName), "dualstack."), n.DNSName) {
			a.looked()
			a.add(a.classicListeners(ctx, client, lb)...)
		}
	}
}

// AboutName reports whether an error of Resolve is about the name, and not that AWS did not tell.
func AboutName(err error) bool {
	var missing *NotFoundError
	var noTLS *NoTLSError
	var several *AmbiguousError
	return errors.As(err, &missing) || errors.As(err, &noTLS) || errors.As(err, &several)
}
