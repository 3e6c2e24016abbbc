package classic

import (
	"slices"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

type setPoliciesOfListenerInput struct {
	LoadBalancerName string   `query:"required"`
	LoadBalancerPort int      `query:"required"`
	PolicyNames      []string `query:"required"`
}

// setPoliciesOfListener replaces the whole list of a listener's policies: what is not named again is off. A secure listener
// whose list has no policy for TLS falls back to the default one.
func setPoliciesOfListener(c *elbapi.Call, in *setPoliciesOfListenerInput) (*nothing, error) {
	return &nothing{}, update(c, in.LoadBalancerName, func(_ *store.Region, l *store.LoadBalancer) error {
		x, err := listenerAt(l, in.LoadBalancerPort)
		if err != nil {
			return err
		}
		names, err := toSet(l, in.PolicyNames, func(t *policyType) bool { return slices.Contains(t.listeners, x.Protocol) })
		if err != nil {
			return err
		}
		if secure(x.Protocol) && !slices.ContainsFunc(names, func(name string) bool { return policyOf(l, name).Type == typeSSL }) {
			carry(l, defaultPolicy)
			names = append(names, defaultPolicy)
		}
		x.Policies = names
		return nil
	})
}

// toSet checks that policies can be set where fits says what can, and returns each once. A predefined policy that the load
// balancer does not carry is not found, as with AWS.
func toSet(l *store.LoadBalancer, names []string, fits func(*policyType) bool) ([]string, error) {
	list := []string{}
	kinds := map[string]string{}
	for _, name := range names {
		p := policyOf(l, name)
		if p == nil {
			return nil, query.Fail("PolicyNotFound", "There is no policy with name %s for load balancer %s", name, l.Name)
		}
		if t := typeNamed(p.Type); t == nil || !fits(t) {
			return nil, conflict("%s cannot be enabled", name)
		}
		if slices.Contains(list, name) {
			continue
		}
		kind := p.Type
		if kind == typeAppCookie {
			kind = typeLBCookie // a listener is sticky in one way
		}
		if other := kinds[kind]; other != "" && (kind == typeSSL || kind == typeLBCookie) {
			return nil, conflict("Policies %s and %s cannot be enabled at once: they are of one kind", other, name)
		}
		kinds[kind] = name
		list = append(list, name)
	}
	return list, nil
}

type setPoliciesForBackendInput struct {
	LoadBalancerName string   `query:"required"`
	InstancePort     int      `query:"required"`
	PolicyNames      []string `query:"required"`
}

// setPoliciesForBackend replaces the policies of an instance port.
func setPoliciesForBackend(c *elbapi.Call, in *setPoliciesForBackendInput) (*nothing, error) {
	return &nothing{}, update(c, in.LoadBalancerName, func(_ *store.Region, l *store.LoadBalancer) error {
		if !slices.ContainsFunc(l.Listeners, func(x *store.Listener) bool { return x.InstancePort == in.InstancePort }) {
			return conflict("No listener configured on this port")
		}
		names, err := toSet(l, in.PolicyNames, func(t *policyType) bool { return t.backend })
		if err != nil {
			return err
		}
		if l.Classic.BackendPolicies == nil {
			l.Classic.BackendPolicies = map[int][]string{}
		}
		if l.Classic.BackendPolicies[in.InstancePort] = names; len(names) == 0 {
			delete(l.Classic.BackendPolicies, in.InstancePort)
		}
		return nil
	})
}
