// Package change changes the security policy of a listener so that nothing is lost: by a plan that can be reviewed, in steps that
// a journal keeps, with a proof at the endpoint, and with a way back.
package change

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
)

// Target is the listener that a plan is for.
type Target struct {
	elb.Place
	Kind            elb.Kind `json:"type"`
	LoadBalancer    string   `json:"load_balancer"`
	LoadBalancerARN string   `json:"load_balancer_arn,omitempty"` // none for Classic
	ARN             string   `json:"listener_arn,omitempty"`      // none for Classic
	DNSName         string   `json:"dns_name,omitempty"`
	Port            int      `json:"port"`
}

// TargetOf is the target that l is. How Parley got there (profile, role) is left out: others get there otherwise.
func TargetOf(l *elb.Listener) Target {
	t := Target{Place: l.Place, Kind: l.Kind, LoadBalancer: l.LoadBalancer, LoadBalancerARN: l.LoadBalancerARN, ARN: l.ARN, DNSName: l.DNSName, Port: l.Port}
	t.Profile, t.Role = "", ""
	return t
}

// Same reports whether both are the same listener.
func (t *Target) Same(o *Target) bool {
	if t.ARN != "" || o.ARN != "" {
		return t.ARN == o.ARN
	}
	return t.SameLoadBalancer(o) && t.Port == o.Port
}

// SameLoadBalancer reports whether both are of one load balancer.
func (t *Target) SameLoadBalancer(o *Target) bool {
	if t.LoadBalancerARN != "" || o.LoadBalancerARN != "" {
		return t.LoadBalancerARN == o.LoadBalancerARN
	}
	return t.Kind == o.Kind && t.Account == o.Account && t.Region == o.Region && t.LoadBalancer == o.LoadBalancer
}

// String is the target as NAME:PORT.
func (t *Target) String() string { return fmt.Sprintf("%s:%d", t.LoadBalancer, t.Port) }

// State is what a listener has, as far as a change of policy rests on it.
type State struct {
	Protocol string `json:"protocol"`
	Policy   string `json:"policy,omitempty"` // of TLS; "" where a Classic listener has none
	// Reference and Attributes are what a Classic policy was made of: the predefined policy, or the attributes that are true.
	Reference  string   `json:"reference_policy,omitempty"`
	Attributes []string `json:"attributes,omitempty"`
	// Policies are all that a Classic listener has, Policy among them, in the API's order.
	Policies     []string `json:"policies,omitempty"`
	Certificates []string `json:"certificates,omitempty"` // ARNs, the default one first
}

// Differences says in words in what b, which is seen now, differs from a, which is expected.
func (a *State) Differences(b *State) []string {
	var l []string
	add := func(what, was, is string) {
		if was != is {
			l = append(l, fmt.Sprintf("the %s is %s, not %s", what, orNone(is), orNone(was)))
		}
	}
	add("security policy", a.Policy, b.Policy)
	add("protocol", a.Protocol, b.Protocol)
	if a.Policy == b.Policy {
		add("content of "+a.Policy, a.content(), b.content())
	}
	if x, y := a.others(), b.others(); !sameNames(x, y) {
		add("list of the listener's other policies", strings.Join(x, ", "), strings.Join(y, ", "))
	}
	if !sameCertificates(a.Certificates, b.Certificates) {
		add("list of certificates", strings.Join(a.Certificates, ", "), strings.Join(b.Certificates, ", "))
	}
	return l
}

// sameNames compares lists of names whose order means nothing: a listener has at most one policy of a kind.
func sameNames(a, b []string) bool { return slices.Equal(sorted(a), sorted(b)) }

func sorted(l []string) []string { return slices.Sorted(slices.Values(l)) }

// others are the listener's policies but the one for TLS.
func (a *State) others() []string {
	return slices.DeleteFunc(slices.Clone(a.Policies), func(n string) bool { return n == a.Policy })
}

// content words what a Classic policy was made of. A reference stands for attributes, which some answers spell out and some do not.
func (a *State) content() string {
	if a.Reference != "" {
		return "what " + a.Reference + " is"
	}
	return strings.Join(a.Attributes, ", ")
}

// sameCertificates compares certificates: the default one is the first, the others have no order.
func sameCertificates(a, b []string) bool {
	if len(a) != len(b) || len(a) == 0 {
		return len(a) == len(b)
	}
	return a[0] == b[0] && sameNames(a[1:], b[1:])
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// Reading is what the API shows of a listener and what is around it.
type Reading struct {
	State
	Siblings []Sibling       // the load balancer's other listeners that end TLS
	Own      []ClassicPolicy // all policies of a Classic Load Balancer, of every type
	// InUse are the policies that listeners or instance ports of a Classic Load Balancer have.
	InUse []string
}

// Sibling is another listener of the same load balancer.
type Sibling struct {
	Port   int
	Policy string
}

// ClassicPolicy is a policy of a Classic Load Balancer.
type ClassicPolicy struct {
	Name       string
	Type       string   // SSLNegotiationPolicyType and others
	Reference  string   // a predefined policy
	Attributes []string // those that are true, by name
}

// negotiation is the type of the policies that say which protocols and ciphers are accepted.
const negotiation = "SSLNegotiationPolicyType"

// Attributes of a policy that are no protocol and no cipher.
const referenceAttribute = "Reference-Security-Policy"

func (r *Reading) own(name string) *ClassicPolicy {
	for i := range r.Own {
		if r.Own[i].Name == name {
			return &r.Own[i]
		}
	}
	return nil
}

// made reports whether the policy is what these make: a reference, or attributes where there is none.
func (p *ClassicPolicy) made(reference string, attributes []string) bool {
	if p.Type != negotiation || p.Reference != reference {
		return false
	}
	return reference != "" || slices.Equal(p.Attributes, attributes)
}

// Accepts is the policy's content; nil where it cannot be read.
func (p *ClassicPolicy) Accepts() *policy.Policy {
	return classicContent(p.Name, p.Reference, p.Attributes)
}

// classicContent is what a Classic policy of that reference or these attributes accepts; nil where that is not known.
func classicContent(name, reference string, attributes []string) *policy.Policy {
	if reference == "" && len(attributes) == 0 { // a predefined one by its own name
		return policy.ByName(string(policy.Classic) + "/" + name)
	}
	var l []policy.AttributeValue
	if reference != "" {
		l = append(l, policy.AttributeValue{AttributeName: referenceAttribute, AttributeValue: reference})
	}
	for _, a := range attributes {
		l = append(l, policy.AttributeValue{AttributeName: a, AttributeValue: "true"})
	}
	p, err := policy.ClassicCustom(name, l)
	if err != nil {
		return nil
	}
	return p
}
