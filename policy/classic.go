package policy

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/parley-tls/parley/suite"
)

// Attribute is a setting of a custom policy of a Classic Load Balancer (policy type
// SSLNegotiationPolicyType).
type Attribute struct {
	Name    string
	Kind    string        // "reference", "protocol", "option" or "cipher"
	Version suite.Version // of a protocol
	Code    suite.Code    // of a cipher
}

// The two attributes that are neither a protocol nor a cipher.
const (
	attributeReference = "Reference-Security-Policy"
	attributeOrder     = "Server-Defined-Cipher-Order"
)

type attributeTable struct {
	all    []Attribute
	byName map[string]*Attribute // in lower case
}

//go:embed data/classic-attributes.txt
var classicAttributeData string

var attributes = sync.OnceValue(func() *attributeTable {
	t := &attributeTable{byName: make(map[string]*Attribute)}
	for line := range strings.Lines(classicAttributeData) {
		if line[0] == '#' {
			continue
		}
		a, err := parseAttribute(strings.Fields(line))
		if err != nil {
			panic("policy data: classic-attributes: " + err.Error())
		}
		t.all = append(t.all, a)
	}
	for i := range t.all {
		t.byName[strings.ToLower(t.all[i].Name)] = &t.all[i]
	}
	return t
})

func parseAttribute(fields []string) (a Attribute, err error) {
	if len(fields) != 3 {
		return a, fmt.Errorf("want kind, name and code, have %q", fields)
	}
	a.Kind, a.Name = fields[0], fields[1]
	switch a.Kind {
	case "protocol":
		a.Version, err = suite.ParseVersion(strings.TrimPrefix(a.Name, "Protocol-"))
	case "cipher":
		var n uint32
		if _, err = fmt.Sscanf(fields[2], "0x%X", &n); err == nil && suite.ByCode(suite.Code(n)) == nil {
			err = fmt.Errorf("no suite %s", fields[2])
		}
		a.Code = suite.Code(n)
	}
	return a, err
}

// Attributes returns the attributes that a custom policy of a Classic Load Balancer can have, in the order of
// the API's answers, which is the order of preference. The result is shared and must not be changed.
func Attributes() []Attribute { return attributes().all }

// ParseClassicCustom reads the policies of Classic Load Balancers out of one of
//   - the answer of `aws elb describe-load-balancer-policies`, in which other kinds of policies are passed over,
//   - the --policy-attributes of `aws elb create-load-balancer-policy` as a JSON list,
//   - lines, each the name of an attribute that is true, or NAME=true, NAME=false; "#" begins a comment.
//
// Attributes that are not named are false. Suites are in the order of the API, and the server's order counts
// only with Server-Defined-Cipher-Order. A Reference-Security-Policy stands for that predefined policy.
func ParseClassicCustom(data []byte) ([]*Policy, error) {
	if len(data) > maxFile {
		return nil, errTooLarge
	}
	if text := bytes.TrimSpace(data); len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		return parseClassicJSON(text)
	}
	l, err := attributeLines(string(data))
	if err != nil {
		return nil, err
	}
	p, err := ClassicCustom("custom", l)
	if err != nil {
		return nil, err
	}
	return []*Policy{p}, nil
}

// AttributeValue is an attribute of a Classic policy and its value, as the API spells both.
type AttributeValue struct {
	AttributeName, AttributeValue string
}

func attributeLines(text string) ([]AttributeValue, error) {
	var l []AttributeValue
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		name, value, hasValue := strings.Cut(strings.TrimSpace(line), "=")
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !hasValue {
			value = "true"
		}
		if _, err := findAttribute(name); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		l = append(l, AttributeValue{name, strings.TrimSpace(value)})
	}
	return l, nil
}

func parseClassicJSON(data []byte) ([]*Policy, error) {
	var answer struct {
		PolicyDescriptions []struct {
			PolicyName, PolicyTypeName  string
			PolicyAttributeDescriptions []AttributeValue
		}
	}
	if data[0] == '[' {
		var l []AttributeValue
		if err := json.Unmarshal(data, &l); err != nil {
			return nil, jsonError(err)
		}
		p, err := ClassicCustom("custom", l)
		if err != nil {
			return nil, err
		}
		return []*Policy{p}, nil
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, jsonError(err)
	}
	var l []*Policy
	for _, d := range answer.PolicyDescriptions {
		if d.PolicyTypeName != "" && d.PolicyTypeName != "SSLNegotiationPolicyType" {
			continue
		}
		p, err := ClassicCustom(d.PolicyName, d.PolicyAttributeDescriptions)
		if err != nil {
			return nil, fmt.Errorf("policy %q: %w", d.PolicyName, err)
		}
		l = append(l, p)
	}
	if len(l) == 0 {
		return nil, errors.New("no policy of type SSLNegotiationPolicyType in PolicyDescriptions")
	}
	return l, nil
}

func findAttribute(name string) (*Attribute, error) {
	if a := attributes().byName[strings.ToLower(name)]; a != nil {
		return a, nil
	}
	var names []string
	for _, a := range Attributes() {
		names = append(names, a.Name)
	}
	return nil, fmt.Errorf("a Classic Load Balancer has no attribute %q%s", name, didYouMean(suite.Nearest(name, names, 3)))
}

// ClassicCustom makes a policy of type SSLNegotiationPolicyType of its attributes, as ParseClassicCustom does.
func ClassicCustom(name string, values []AttributeValue) (*Policy, error) {
	if err := printable(name); err != nil {
		return nil, err
	}
	on := make(map[*Attribute]bool)
	seen := make(map[*Attribute]bool)
	reference := ""
	for _, v := range values {
		a, err := findAttribute(v.AttributeName)
		switch {
		case err != nil:
			return nil, err
		case seen[a]:
			return nil, fmt.Errorf("attribute %s twice", a.Name)
		case a.Kind == "reference":
			reference = v.AttributeValue
		case strings.EqualFold(v.AttributeValue, "true"):
			on[a] = true
		case !strings.EqualFold(v.AttributeValue, "false"):
			return nil, fmt.Errorf("attribute %s is %q: use true or false", a.Name, v.AttributeValue)
		}
		seen[a] = true
	}
	p := &Policy{Name: name, Family: Classic, Status: "custom", Order: ClientOrder, Engine: EngineClassic,
		Confidence: High, OrderConf: Medium, LoadBalancers: []string{"classic"}}
	if reference != "" {
		if err := p.refer(reference); err != nil || len(on) == 0 {
			return p, err
		}
		p.Versions, p.Suites, p.Order = nil, nil, ClientOrder // the answer spells out what the reference stands for
	}
	for i := range attributes().all {
		switch a := &attributes().all[i]; {
		case !on[a]:
		case a.Kind == "protocol":
			p.Versions = append(p.Versions, a.Version)
		case a.Kind == "cipher":
			p.Suites = append(p.Suites, a.Code)
		case a.Name == attributeOrder:
			p.Order = ServerOrder
		}
	}
	switch {
	case len(p.Versions) == 0:
		return nil, errors.New("no protocol is enabled: a policy needs at least one Protocol-… attribute")
	case len(p.Suites) == 0:
		return nil, errors.New("no cipher is enabled: a policy needs at least one")
	}
	slices.Sort(p.Versions)
	for _, c := range p.Suites {
		if !slices.ContainsFunc(p.Versions, suite.ByCode(c).UsableIn) {
			p.Notes = append(p.Notes, c.OpenSSL()+" has no effect: none of the enabled protocols can use it")
		}
	}
	return p, nil
}

// refer makes p what the predefined policy of that name is.
func (p *Policy) refer(name string) error {
	r := ByName("classic/" + name)
	if r == nil {
		return fmt.Errorf("%s %q is no predefined policy that is known here%s", attributeReference, name,
			didYouMean(suite.Nearest(name, familyNames(Classic), 3)))
	}
	p.Versions, p.Suites, p.Order = slices.Clone(r.Versions), slices.Clone(r.Suites), r.Order
	p.Confidence, p.OrderConf, p.Sources = r.Confidence, r.OrderConf, r.Sources
	p.Notes = append(p.Notes, "refers to the predefined policy "+r.Name)
	return nil
}

func familyNames(f Family) []string {
	var l []string
	for _, p := range InFamily(f) {
		l = append(l, p.Name)
	}
	return l
}
