package upstream

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/policy"
)

// SamplePrefix begins the names of Classic's samples, whose content no public table has.
const SamplePrefix = "ELBSample-"

// DescribedClassic is a policy of Classic Load Balancers, as DescribeLoadBalancerPolicies tells of it.
type DescribedClassic struct {
	Name       string
	Attributes []policy.AttributeValue // in the order of the answer
}

// DescribedAttribute is an attribute of the policy type SSLNegotiationPolicyType, as DescribeLoadBalancerPolicyTypes tells of it.
type DescribedAttribute struct {
	Name    string
	Default string // "" where the answer has none
}

// CompareClassic compares the table of predefined policies of Classic Load Balancers with what AWS tells. Samples are left out.
func CompareClassic(table []*policy.Policy, told []DescribedClassic) []Difference {
	var l []Difference
	byName := map[string]*policy.Policy{}
	for _, p := range table {
		byName[p.Name] = p
	}
	seen := map[string]bool{}
	for _, d := range told {
		seen[d.Name] = true
		if strings.HasPrefix(d.Name, SamplePrefix) {
			continue
		}
		versions, suites, order := spelt(d.Attributes)
		p := byName[d.Name]
		if p == nil {
			l = append(l, Difference{Family: policy.Classic, Kind: Added, Name: d.Name, Added: slices.Concat(versions, suites),
				Text: fmt.Sprintf("new: %s; %d suites", strings.Join(versions, ", "), len(suites))})
			continue
		}
		l = append(l, listed(p)...)
		l = append(l, lists(policy.Classic, d.Name, Versions, versionNames(p.Versions), versions)...)
		l = append(l, compareSuites(policy.Classic, d.Name, p.Suites, suites)...)
		if order != p.Order {
			l = append(l, Difference{Family: policy.Classic, Kind: Order, Name: d.Name, Table: []string{string(p.Order)}, AWS: []string{string(order)},
				Text: fmt.Sprintf("order: decided by the %s; the table says by the %s", order, p.Order)})
		}
	}
	return append(l, dropped(table, seen)...)
}

// spelt reads what the attributes of a policy switch on.
func spelt(attributes []policy.AttributeValue) (versions, suites []string, order policy.Order) {
	order = policy.ClientOrder
	for _, a := range attributes {
		if !strings.EqualFold(a.AttributeValue, "true") {
			continue
		}
		name, protocol := strings.CutPrefix(a.AttributeName, "Protocol-")
		switch {
		case a.AttributeName == "Server-Defined-Cipher-Order":
			order = policy.ServerOrder
		case protocol:
			versions = append(versions, canonical([]string{name})...)
		default:
			suites = append(suites, a.AttributeName)
		}
	}
	return versions, suites, order
}

// CompareAttributes compares the table of attributes that custom policies of Classic Load Balancers can have with what AWS tells: names,
// order, and that an attribute which is not named is false, as Parley takes it.
func CompareAttributes(table []policy.Attribute, told []DescribedAttribute) []Difference {
	var ours, theirs []string
	for _, a := range table {
		ours = append(ours, a.Name)
	}
	var l []Difference
	for _, d := range told {
		theirs = append(theirs, d.Name)
		if strings.EqualFold(d.Default, "true") {
			l = append(l, Difference{Family: policy.Classic, Kind: Default, Name: d.Name, Added: []string{d.Default},
				Text: "is true where a policy does not name it; Parley takes it for false"})
		}
	}
	added, gone := without(theirs, ours), without(ours, theirs)
	for _, n := range added {
		l = append(l, Difference{Family: policy.Classic, Kind: Attribute, Name: n, Added: []string{n}, Text: "a new attribute of Classic policies"})
	}
	for _, n := range gone {
		l = append(l, Difference{Family: policy.Classic, Kind: Attribute, Name: n, Dropped: []string{n}, Text: "no attribute of Classic policies any more"})
	}
	a, b := without(ours, gone), without(theirs, added)
	if !slices.Equal(a, b) {
		l = append(l, Difference{Family: policy.Classic, Kind: Sequence, Name: "SSLNegotiationPolicyType", Table: a, AWS: b, Text: "order of attributes: " + moved(a, b)})
	}
	return l
}
