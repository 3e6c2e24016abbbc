package classic

import (
	"slices"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// maxPolicies is how many policies a load balancer can have here. There is such a bound (error TooManyPolicies); AWS does not
// say which.
const maxPolicies = 100

// reserved begin the names that only AWS's own policies have. Source: "Configure security policies", Classic guide.
var reserved = []string{"ELBSecurityPolicy-", "ELBSample-"}

// PolicyAttribute is an attribute of a policy.
type PolicyAttribute struct{ AttributeName, AttributeValue string }

type createPolicyInput struct {
	LoadBalancerName string `query:"required"`
	PolicyName       string `query:"required"`
	PolicyTypeName   string `query:"required"`
	PolicyAttributes []PolicyAttribute
}

func createPolicy(c *elbapi.Call, in *createPolicyInput) (*nothing, error) {
	return &nothing{}, update(c, in.LoadBalancerName, func(_ *store.Region, l *store.LoadBalancer) error {
		t := typeNamed(in.PolicyTypeName)
		if t == nil {
			return query.Fail("PolicyTypeNotFound", "There is no policy type with name %s", in.PolicyTypeName)
		}
		p := store.ClassicPolicy{Name: in.PolicyName, Type: t.name}
		for _, a := range in.PolicyAttributes {
			p.Attributes = append(p.Attributes, store.ClassicAttribute{Name: a.AttributeName, Value: a.AttributeValue})
		}
		if err := t.check(l, &p); err != nil {
			return err
		}
		return put(l, p)
	})
}

type createAppCookiePolicyInput struct {
	LoadBalancerName string `query:"required"`
	PolicyName       string `query:"required"`
	CookieName       string `query:"required"`
}

func createAppCookiePolicy(c *elbapi.Call, in *createAppCookiePolicyInput) (*nothing, error) {
	return createPolicy(c, &createPolicyInput{in.LoadBalancerName, in.PolicyName, typeAppCookie, []PolicyAttribute{{"CookieName", in.CookieName}}})
}

type createLBCookiePolicyInput struct {
	LoadBalancerName       string `query:"required"`
	PolicyName             string `query:"required"`
	CookieExpirationPeriod *int64
}

func createLBCookiePolicy(c *elbapi.Call, in *createLBCookiePolicyInput) (*nothing, error) {
	p := &createPolicyInput{in.LoadBalancerName, in.PolicyName, typeLBCookie, nil}
	if in.CookieExpirationPeriod != nil {
		p.PolicyAttributes = []PolicyAttribute{{"CookieExpirationPeriod", strconv.FormatInt(*in.CookieExpirationPeriod, 10)}}
	}
	return createPolicy(c, p)
}

// put adds a new policy to a load balancer.
func put(l *store.LoadBalancer, p store.ClassicPolicy) error {
	switch {
	case policyOf(l, p.Name) != nil:
		return query.Fail("DuplicatePolicyName", "Policy Name %s already exists", p.Name)
	case len(l.Classic.Policies) >= maxPolicies:
		return query.Fail("TooManyPolicies", "The quota of %d policies of load balancer %s has been reached", maxPolicies, l.Name)
	}
	l.Classic.Policies = append(l.Classic.Policies, p)
	return nil
}

// carry makes a load balancer carry a predefined policy, which can then be set by its name.
func carry(l *store.LoadBalancer, name string) {
	if policyOf(l, name) == nil {
		if p, ok := predefinedNamed(name); ok {
			l.Classic.Policies = append(l.Classic.Policies, p)
		}
	}
}

func policyOf(l *store.LoadBalancer, name string) *store.ClassicPolicy {
	for i := range l.Classic.Policies {
		if l.Classic.Policies[i].Name == name {
			return &l.Classic.Policies[i]
		}
	}
	return nil
}

// valueOf is the value of a policy's attribute.
func valueOf(p *store.ClassicPolicy, name string) string {
	for _, a := range p.Attributes {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// check checks a new policy, and spells out what answers will show of it.
func (t *policyType) check(l *store.LoadBalancer, p *store.ClassicPolicy) error {
	if p.Name == "" || strings.Trim(p.Name, letters+"-") != "" {
		return query.Invalid("PolicyName must contain only alphanumeric characters and hyphens")
	}
	for _, prefix := range reserved {
		if strings.HasPrefix(p.Name, prefix) {
			return query.Invalid("PolicyName must not begin with the reserved prefix %s", prefix)
		}
	}
	given := map[string]int{}
	for _, a := range p.Attributes {
		if a.Name == "" || strings.ContainsFunc(a.Name, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return query.Invalid("PolicyAttributeName may only contain non-whitespace printable ASCII characters")
		}
		known := t.attribute(a.Name)
		if known == nil {
			return query.Invalid("PolicyAttribute '%s' is not defined in the policy type", a.Name)
		}
		if given[a.Name]++; given[a.Name] > 1 && known.cardinality != "ONE_OR_MORE" {
			return query.Invalid("PolicyAttribute '%s' is given more than once", a.Name)
		}
		if err := known.checkValue(l, a.Value); err != nil {
			return err
		}
	}
	for _, a := range t.attributes {
		if strings.HasPrefix(a.cardinality, "ONE") && given[a.name] == 0 {
			return query.Invalid("PolicyAttribute '%s' is required", a.name)
		}
	}
	if t.name == typeSSL {
		return checkSSL(p)
	}
	return nil
}

func (a *attributeType) checkValue(l *store.LoadBalancer, value string) error {
	ok := value != ""
	switch a.kind {
	case "Boolean":
		ok = value == "true" || value == "false"
	case "Long":
		n, err := strconv.ParseInt(value, 10, 64)
		ok = err == nil && n >= 0
	case "PolicyName":
		if policyOf(l, value) == nil {
			return query.Fail("PolicyNotFound", "There is no policy with name %s for load balancer %s", value, l.Name)
		}
	}
	if !ok {
		return query.Invalid("PolicyAttribute '%s' cannot have the value '%s': it is of type %s", a.name, value, a.kind)
	}
	return nil
}

// checkSSL checks a policy for TLS as a whole. One that refers to a predefined policy gets its attributes.
func checkSSL(p *store.ClassicPolicy) error {
	if name := valueOf(p, attributeReference); name != "" {
		of, ok := predefinedNamed(name)
		if !ok || !strings.HasPrefix(name, "ELBSecurityPolicy-") {
			return query.Invalid("Invalid Reference Security Policy: %s. Use DescribeLoadBalancerPolicies API to list valid security policies.", name)
		}
		p.Attributes = slices.Clone(of.Attributes)
		return nil
	}
	on := map[string]bool{}
	protocol, cipher := false, false
	for _, a := range p.Attributes {
		if a.Value != "true" {
			continue
		}
		on[a.Name] = true
		switch {
		case a.Name == sslV2:
			return conflict("SSL protocol version 2.0 is deprecated: a new policy cannot enable it")
		case strings.HasPrefix(a.Name, "Protocol-"):
			protocol = true
		case a.Name != "Server-Defined-Cipher-Order":
			cipher = true
		}
	}
	if !protocol || !cipher {
		return conflict("Policy %s must enable at least one protocol and one cipher", p.Name)
	}
	p.Attributes = spellOut(on)
	return nil
}

// Policy is a policy as the API shows it.
type Policy struct {
	PolicyName                  string
	PolicyTypeName              string
	PolicyAttributeDescriptions []PolicyAttribute
}

type describePoliciesInput struct {
	LoadBalancerName string
	PolicyNames      []string
}

type describePoliciesOutput struct{ PolicyDescriptions []Policy }

func describePolicies(c *elbapi.Call, in *describePoliciesInput) (*describePoliciesOutput, error) {
	out := &describePoliciesOutput{PolicyDescriptions: []Policy{}}
	return out, c.View(func(r *store.Region) error {
		all, where := predefined(), ""
		if in.LoadBalancerName != "" {
			l, err := find(r, in.LoadBalancerName)
			if err != nil {
				return err
			}
			all, where = l.Classic.Policies, " for load balancer "+l.Name
		}
		for _, name := range in.PolicyNames {
			if !slices.ContainsFunc(all, func(p store.ClassicPolicy) bool { return p.Name == name }) {
				return query.Fail("PolicyNotFound", "There is no policy with name %s%s", name, where)
			}
		}
		for i := range all {
			if len(in.PolicyNames) > 0 && !slices.Contains(in.PolicyNames, all[i].Name) {
				continue
			}
			d := Policy{PolicyName: all[i].Name, PolicyTypeName: all[i].Type, PolicyAttributeDescriptions: []PolicyAttribute{}}
			for _, a := range all[i].Attributes {
				// What is there without a load balancer does not name itself.
				if a.Name != attributeReference || in.LoadBalancerName != "" {
					d.PolicyAttributeDescriptions = append(d.PolicyAttributeDescriptions, PolicyAttribute{a.Name, a.Value})
				}
			}
			out.PolicyDescriptions = append(out.PolicyDescriptions, d)
		}
		return nil
	})
}

type policyNameInput struct {
	LoadBalancerName string `query:"required"`
	PolicyName       string `query:"required"`
}

// deletePolicy deletes a policy that nothing uses. It succeeds where there is none: the model has no error for that.
func deletePolicy(c *elbapi.Call, in *policyNameInput) (*nothing, error) {
	return &nothing{}, update(c, in.LoadBalancerName, func(_ *store.Region, l *store.LoadBalancer) error {
		for _, x := range l.Listeners {
			if slices.Contains(x.Policies, in.PolicyName) {
				return conflict("Policy %s is enabled for the listener at port %d of load balancer %s: a policy in use cannot be deleted", in.PolicyName, x.Port, l.Name)
			}
		}
		for port, names := range l.Classic.BackendPolicies {
			if slices.Contains(names, in.PolicyName) {
				return conflict("Policy %s is enabled for instance port %d of load balancer %s: a policy in use cannot be deleted", in.PolicyName, port, l.Name)
			}
		}
		for _, p := range l.Classic.Policies {
			if slices.ContainsFunc(p.Attributes, func(a store.ClassicAttribute) bool {
				return a.Name == "PublicKeyPolicyName" && a.Value == in.PolicyName
			}) {
				return conflict("Policy %s is named by policy %s: a policy in use cannot be deleted", in.PolicyName, p.Name)
			}
		}
		l.Classic.Policies = slices.DeleteFunc(l.Classic.Policies, func(p store.ClassicPolicy) bool { return p.Name == in.PolicyName })
		return nil
	})
}
