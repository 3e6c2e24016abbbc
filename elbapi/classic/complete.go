package classic

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/parley-tls/parley/elbapi/store"
)

// Complete fills in what a Classic Load Balancer that was written by hand leaves out, and checks the rest: names and
// times, what references stand for, the default policy. What is complete already stays as it is. A predefined policy that
// a listener names is one that the load balancer carries.
func Complete(r *store.Region, l *store.LoadBalancer, now time.Time) error {
	if err := checkName(l.Name); err != nil {
		return err
	}
	if l.Scheme == "" {
		l.Scheme = "internet-facing"
	}
	if l.ARN == "" {
		l.ARN = r.NewLoadBalancerARN(store.Classic, l.Name)
	}
	if l.DNSName == "" {
		l.DNSName = dnsName(l, r.Name)
	}
	if l.Created.IsZero() {
		l.Created = now.UTC()
	}
	if l.State == "" {
		l.State = "active"
	}
	if l.Classic == nil {
		l.Classic = &store.ClassicParts{}
	}
	for i := range l.Classic.Policies {
		if err := completePolicy(l, &l.Classic.Policies[i]); err != nil {
			return fmt.Errorf("policy %q: %w", l.Classic.Policies[i].Name, err)
		}
	}
	for _, x := range l.Listeners {
		if err := completeListener(r, l, x); err != nil {
			return fmt.Errorf("listener at port %d: %w", x.Port, err)
		}
	}
	if h := &l.Classic.HealthCheck; h.Protocol == "" && len(l.Listeners) > 0 {
		*h = newHealthCheck(l.Listeners[0].InstancePort)
	}
	return nil
}

// newHealthCheck is how instances are checked where nothing else is set.
func newHealthCheck(port int) store.HealthCheck {
	return store.HealthCheck{Protocol: "TCP", Port: strconv.Itoa(port), Interval: 30, Timeout: 5, Unhealthy: 2, Healthy: 10}
}

func completePolicy(l *store.LoadBalancer, p *store.ClassicPolicy) error {
	if is, ok := predefinedNamed(p.Name); ok {
		*p = is
		return nil
	}
	t := typeNamed(p.Type)
	if t == nil {
		return fmt.Errorf("no policy type %q", p.Type)
	}
	return t.check(l, p)
}

func completeListener(r *store.Region, l *store.LoadBalancer, x *store.Listener) error {
	in := show(x)
	if in.InstancePort == 0 {
		in.InstancePort = 80
	}
	is, err := in.check(r, nil)
	if err != nil {
		return err
	}
	x.Protocol, x.InstanceProtocol, x.InstancePort = is.Protocol, is.InstanceProtocol, is.InstancePort
	for _, name := range x.Policies {
		carry(l, name)
		if policyOf(l, name) == nil {
			return fmt.Errorf("the load balancer has no policy %q", name)
		}
	}
	if secure(x.Protocol) && !slices.ContainsFunc(x.Policies, func(name string) bool { return policyOf(l, name).Type == typeSSL }) {
		carry(l, defaultPolicy)
		x.Policies = append(x.Policies, defaultPolicy)
	}
	return nil
}
