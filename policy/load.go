package policy

import (
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/parley-tls/parley/suite"
)

//go:embed data/*.txt
var dataFiles embed.FS

// registry is every predefined policy, in the order of the data files.
type registry struct {
	all    []*Policy
	byName map[string]*Policy
}

var predefined = sync.OnceValue(func() *registry {
	r := &registry{byName: make(map[string]*Policy)}
	for _, file := range []string{"aws-elb", "aws-classic", "others"} {
		text, err := dataFiles.ReadFile("data/" + file + ".txt")
		if err != nil {
			panic(err)
		}
		l, err := Parse(string(text))
		if err != nil {
			panic("policy data: " + file + ": " + err.Error())
		}
		r.all = append(r.all, l...)
	}
	for _, p := range r.all {
		r.byName[strings.ToLower(string(p.Family)+"/"+p.Name)] = p
		for _, n := range shortNames(p) {
			if r.byName[n] == nil {
				r.byName[n] = p
			}
		}
	}
	return r
})

// shortNames are the spellings by which people name a policy, in lower case.
func shortNames(p *Policy) []string {
	full := strings.ToLower(p.Name)
	l := []string{full}
	if short, ok := strings.CutPrefix(full, "elbsecuritypolicy-"); ok {
		l = append(l, short)
	}
	if p.Family == Classic {
		l = append(l, "classic/"+full, "classic/"+strings.TrimPrefix(full, "elbsecuritypolicy-"))
	}
	if p.Family == Mozilla && p.Status != "superseded" {
		l = append(l, full[:strings.LastIndex(full, "-")])
	}
	return l
}

// All returns every predefined policy. The result is shared and must not be changed.
func All() []*Policy { return predefined().all }

// InFamily returns the predefined policies of one family, in the order of the vendor's table.
func InFamily(f Family) []*Policy {
	var l []*Policy
	for _, p := range All() {
		if p.Family == f {
			l = append(l, p)
		}
	}
	return l
}

// Names returns the name of every predefined policy, each once.
func Names() []string {
	var l []string
	for _, p := range All() {
		if !slices.Contains(l, p.Name) {
			l = append(l, p.Name)
		}
	}
	return l
}

// ByName returns the predefined policy of that name, in any case and with or without AWS's prefix
// "ELBSecurityPolicy-". A name that ALB/NLB and Classic share means ALB/NLB; "classic/NAME" or
// "aws-classic/NAME" means Classic. It returns nil if there is none.
func ByName(name string) *Policy {
	return predefined().byName[strings.ToLower(strings.TrimSpace(name))]
}

// Find is ByName with an error that names the nearest policies.
func Find(name string) (*Policy, error) {
	if p := ByName(name); p != nil {
		return p, nil
	}
	near := suite.Nearest(name, Names(), 3)
	if len(near) == 0 {
		near = suite.Nearest("ELBSecurityPolicy-"+name, Names(), 3)
	}
	if len(near) > 0 {
		return nil, fmt.Errorf("unknown policy %q: did you mean %s?", name, strings.Join(near, ", "))
	}
	return nil, fmt.Errorf("unknown policy %q: see parley policy list", name)
}

// Parse reads policies in Parley's own format, described in docs/policies.md: a line [NAME] begins a
// policy, then a line for each fact, a key and its value. An error names the line.
func Parse(text string) ([]*Policy, error) {
	var l []*Policy
	var p *Policy
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case line[0] == '[' && line[len(line)-1] == ']':
			p = &Policy{Name: strings.TrimSpace(line[1 : len(line)-1]), Family: Custom, Order: ServerOrder}
			l = append(l, p)
			continue
		case p == nil:
			return nil, fmt.Errorf("line %d: a policy begins with a line [NAME]", n)
		}
		key, value, _ := strings.Cut(line, " ")
		if err := p.set(key, strings.TrimSpace(value)); err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", n, p.Name, err)
		}
	}
	for _, p := range l {
		if len(p.Versions) == 0 || len(p.Suites) == 0 {
			return nil, fmt.Errorf("%s: a policy needs versions and suites", p.Name)
		}
		slices.Sort(p.Versions)
	}
	if len(l) == 0 {
		return nil, errors.New("no policy: it begins with a line [NAME]")
	}
	return l, nil
}

// set takes one fact.
func (p *Policy) set(key, value string) error {
	words := strings.Fields(value)
	switch key {
	case "family":
		p.Family = Family(value)
	case "status":
		p.Status = value
	case "balancers":
		p.LoadBalancers = words
	case "kind":
		p.Kind = Kind(value)
		p.FIPS = p.Kind != General
	case "engine":
		p.Engine = Engine(value)
	case "default":
		p.DefaultFor = append(p.DefaultFor, value)
	case "confidence":
		p.Confidence = Confidence(value)
	case "order-confidence":
		p.OrderConf = Confidence(value)
	case "groups-confidence":
		p.GroupsConf = Confidence(value)
	case "source":
		p.Sources = append(p.Sources, words...)
	case "disagreement":
		p.Disagreements = append(p.Disagreements, value)
	case "note":
		p.Notes = append(p.Notes, value)
	case "order":
		if value != string(ServerOrder) && value != string(ClientOrder) && value != string(OrderUnknown) {
			return fmt.Errorf("order %q: use server, client or unknown", value)
		}
		p.Order = Order(value)
	case "versions":
		return collect(words, &p.Versions, suite.ParseVersion)
	case "suites":
		return collect(words, &p.Suites, parseSuite)
	case "groups":
		return collect(words, &p.Groups, parseGroup)
	case "schemes":
		return collect(words, &p.Schemes, parseScheme)
	case "alpn":
		p.ALPN.Protocols = words
	default:
		return fmt.Errorf("unknown key %q", key)
	}
	return nil
}

// collect parses words into list.
func collect[T any](words []string, list *[]T, parse func(string) (T, error)) error {
	for _, w := range words {
		v, err := parse(w)
		if err != nil {
			return err
		}
		*list = append(*list, v)
	}
	return nil
}

func parseSuite(name string) (suite.Code, error) {
	if s := suite.ByName(name); s != nil {
		return s.Code, nil
	}
	return 0, fmt.Errorf("unknown cipher suite %q%s", name, didYouMean(suite.Nearest(name, suiteNames(), 3)))
}

func suiteNames() []string {
	var l []string
	for _, s := range suite.All() {
		l = append(l, s.IANA)
		if s.OpenSSL != "" {
			l = append(l, s.OpenSSL)
		}
	}
	return l
}

func parseGroup(name string) (suite.Group, error) {
	if g := suite.GroupByName(name); g != nil {
		return g.Code, nil
	}
	return 0, fmt.Errorf("unknown group %q", name)
}

func parseScheme(name string) (suite.SignatureScheme, error) {
	if s := suite.SchemeByName(name); s != nil {
		return s.Code, nil
	}
	return 0, fmt.Errorf("unknown signature scheme %q", name)
}

func didYouMean(near []string) string {
	if len(near) == 0 {
		return ""
	}
	return ": did you mean " + strings.Join(near, ", ") + "?"
}
