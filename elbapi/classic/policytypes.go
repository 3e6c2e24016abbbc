package classic

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
	"github.com/parley-tls/parley/policy"
)

// Names of the types that have rules of their own.
const (
	typeSSL       = "SSLNegotiationPolicyType"
	typeAppCookie = "AppCookieStickinessPolicyType"
	typeLBCookie  = "LBCookieStickinessPolicyType"

	attributeReference = "Reference-Security-Policy"
)

// The protocol that no new policy can have, which is left out of answers too.
const sslV2 = "Protocol-SSLv2"

// policyType is a type of policies.
type policyType struct {
	name       string
	listeners  []string // protocols of the listeners that can have it
	backend    bool
	attributes []attributeType
}

// attributeType is an attribute that policies of a type can have.
type attributeType struct {
	name, kind, cardinality, otherwise string
}

//go:embed policytypes.txt
var policyTypeData string

var policyTypes = sync.OnceValue(func() []*policyType {
	l, err := parsePolicyTypes(policyTypeData)
	if err != nil {
		panic("elbapi/classic: policytypes.txt: " + err.Error())
	}
	return l
})

func parsePolicyTypes(text string) ([]*policyType, error) {
	var l []*policyType
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || strings.HasPrefix(f[0], "#"):
		case f[0] == "type" && len(f) == 3:
			t := &policyType{name: f[1], backend: f[2] == "backend"}
			if f[2] != "backend" && f[2] != "-" {
				t.listeners = strings.Split(f[2], ",")
			}
			if t.name == typeSSL {
				t.attributes = sslAttributes()
			}
			l = append(l, t)
		case f[0] == "attribute" && len(f) == 4 && len(l) > 0:
			last := l[len(l)-1]
			last.attributes = append(last.attributes, attributeType{name: f[1], kind: f[2], cardinality: f[3]})
		default:
			return nil, fmt.Errorf("not a line of a type or an attribute: %q", strings.TrimSpace(line))
		}
	}
	return l, nil
}

// sslAttributes are those of policies for TLS: what is not named in a policy is false.
func sslAttributes() []attributeType {
	var l []attributeType
	for _, a := range policy.Attributes() {
		t := attributeType{name: a.Name, kind: "Boolean", cardinality: "ZERO_OR_ONE", otherwise: "false"}
		if a.Kind == "reference" {
			t.kind, t.otherwise = "String", ""
		}
		l = append(l, t)
	}
	return l
}

func typeNamed(name string) *policyType {
	for _, t := range policyTypes() {
		if t.name == name {
			return t
		}
	}
	return nil
}

func (t *policyType) attribute(name string) *attributeType {
	for i := range t.attributes {
		if t.attributes[i].name == name {
			return &t.attributes[i]
		}
	}
	return nil
}

// PolicyType is a type of policies as the API shows it.
type PolicyType struct {
	PolicyTypeName                  string
	Description                     string
	PolicyAttributeTypeDescriptions []PolicyAttributeType
}

// PolicyAttributeType is an attribute that policies of a type can have.
type PolicyAttributeType struct{ AttributeName, AttributeType, DefaultValue, Cardinality string }

type describePolicyTypesInput struct{ PolicyTypeNames []string }

type describePolicyTypesOutput struct{ PolicyTypeDescriptions []PolicyType }

func describePolicyTypes(_ *elbapi.Call, in *describePolicyTypesInput) (*describePolicyTypesOutput, error) {
	for _, name := range in.PolicyTypeNames {
		if typeNamed(name) == nil {
			return nil, query.Fail("PolicyTypeNotFound", "There is no policy type with name %s", name)
		}
	}
	out := &describePolicyTypesOutput{}
	for _, t := range policyTypes() {
		if len(in.PolicyTypeNames) > 0 && !slices.Contains(in.PolicyTypeNames, t.name) {
			continue
		}
		d := PolicyType{PolicyTypeName: t.name, Description: t.describe()}
		for _, a := range t.attributes {
			d.PolicyAttributeTypeDescriptions = append(d.PolicyAttributeTypeDescriptions, PolicyAttributeType{a.name, a.kind, a.otherwise, a.cardinality})
		}
		out.PolicyTypeDescriptions = append(out.PolicyTypeDescriptions, d)
	}
	return out, nil
}

// describe says where policies of a type go.
func (t *policyType) describe() string {
	switch {
	case t.backend:
		return "For instance ports."
	case len(t.listeners) == 0:
		return "For other policies to name."
	}
	return "For " + strings.Join(t.listeners, " and ") + " listeners."
}

//go:embed samples.txt
var sampleData string

// defaultPolicy is what new HTTPS and SSL listeners have. Source: "Predefined SSL security policies", Classic guide.
const defaultPolicy = "ELBSecurityPolicy-2016-08"

// predefined are the policies that are there without a load balancer: the predefined ones, and the samples.
var predefined = sync.OnceValue(func() []store.ClassicPolicy {
	var l []store.ClassicPolicy
	for _, p := range policy.InFamily(policy.Classic) {
		on := map[string]bool{}
		for _, a := range policy.Attributes() {
			switch a.Kind {
			case "protocol":
				on[a.Name] = slices.Contains(p.Versions, a.Version)
			case "cipher":
				on[a.Name] = slices.Contains(p.Suites, a.Code)
			case "option":
				on[a.Name] = p.Order == policy.ServerOrder
			}
		}
		l = append(l, store.ClassicPolicy{Name: p.Name, Type: typeSSL, Attributes: append([]store.ClassicAttribute{{Name: attributeReference, Value: p.Name}}, spellOut(on)...)})
	}
	for line := range strings.Lines(sampleData) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		on := map[string]bool{}
		for _, name := range f[1:] {
			on[name] = true
		}
		l = append(l, store.ClassicPolicy{Name: f[0], Type: typeSSL, Attributes: spellOut(on)})
	}
	return l
})

// predefinedNamed returns a policy that is there without a load balancer.
func predefinedNamed(name string) (store.ClassicPolicy, bool) {
	for _, p := range predefined() {
		if p.Name == name {
			return p, true
		}
	}
	return store.ClassicPolicy{}, false
}

// spellOut lists every attribute of a policy for TLS as answers do, true or false, in the order of the API.
func spellOut(on map[string]bool) []store.ClassicAttribute {
	var l []store.ClassicAttribute
	for _, a := range policy.Attributes() {
		if a.Kind == "reference" || a.Name == sslV2 {
			continue
		}
		l = append(l, store.ClassicAttribute{Name: a.Name, Value: fmt.Sprint(on[a.Name])})
	}
	return l
}
