package policy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/parley-tls/parley/suite"
)

// file is what a text in Parley's own format holds.
type file struct {
	policies []*Policy
	lists    map[string][]string // what "@NAME" stands for
	sources  map[string]string   // what the words of "source" lines mean
}

// Parse reads policies in Parley's own format, described in docs/policies.md: a line [NAME] begins a
// policy, then a line for each fact, a key and its value. An error names the line.
func Parse(text string) ([]*Policy, error) {
	f, err := parse(text)
	if err != nil {
		return nil, err
	}
	return f.policies, nil
}

func parse(text string) (*file, error) {
	f := &file{lists: make(map[string][]string), sources: make(map[string]string)}
	var p *Policy
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if err := printable(strings.ReplaceAll(line, "\t", " ")); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		switch {
		case line == "" || line[0] == '#':
			continue
		case line[0] == '[' && line[len(line)-1] == ']':
			p = &Policy{Name: strings.TrimSpace(line[1 : len(line)-1]), Family: Custom, Order: ServerOrder}
			if p.Name == "" {
				return nil, fmt.Errorf("line %d: a policy needs a name between [ and ]", n)
			}
			f.policies = append(f.policies, p)
			continue
		}
		key, value, _ := strings.Cut(line, " ")
		value = strings.TrimSpace(value)
		var err error
		switch {
		case key == "list":
			err = f.addList(value)
		case key == "source-is":
			name, text, _ := strings.Cut(value, " ")
			f.sources[name] = strings.TrimSpace(text)
		case p == nil:
			err = errors.New("a policy begins with a line [NAME]")
		default:
			if err = f.set(p, key, value); err != nil {
				err = fmt.Errorf("%s: %w", p.Name, err)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	for _, p := range f.policies {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	if len(f.policies) == 0 {
		return nil, errors.New("no policy: it begins with a line [NAME]")
	}
	return f, nil
}

// printable refuses control characters, which have no place in a policy and would reach the terminal.
func printable(text string) error {
	if i := strings.IndexFunc(text, unicode.IsControl); i >= 0 {
		return fmt.Errorf("control character %q", text[i])
	}
	return nil
}

// check completes a policy and says what is wrong with it.
func (p *Policy) check() error {
	if err := printable(p.Name); err != nil {
		return err
	}
	if len(p.Versions) == 0 || len(p.Suites) == 0 {
		return errors.New("a policy needs versions and suites")
	}
	slices.Sort(p.Versions)
	for _, c := range p.Suites {
		if !slices.ContainsFunc(p.Versions, suite.ByCode(c).UsableIn) {
			return fmt.Errorf("%s cannot be used in any of its versions", c.OpenSSL())
		}
	}
	return nil
}

// addList reads "NAME word word …".
func (f *file) addList(value string) error {
	words := strings.Fields(value)
	if len(words) < 2 {
		return errors.New("list: want a name and at least one word")
	}
	if f.lists[words[0]] != nil {
		return fmt.Errorf("list %s twice", words[0])
	}
	if len(f.lists) == maxLists {
		return fmt.Errorf("more than %d lists", maxLists)
	}
	expanded, err := f.expand(words[1:])
	f.lists[words[0]] = expanded
	return err
}

// Bounds on what lists of lists can grow to: a policy has under 200 words, a file under 20 lists.
const (
	maxWords = 1024
	maxLists = 256
)

// expand replaces "@NAME" by the words of that list. Most lines name none.
func (f *file) expand(words []string) ([]string, error) {
	names := func(w string) bool { return w[0] == '@' }
	if len(words) <= maxWords && !slices.ContainsFunc(words, names) {
		return words, nil
	}
	var l []string
	for _, w := range words {
		name, isList := strings.CutPrefix(w, "@")
		switch {
		case !isList:
			l = append(l, w)
		case f.lists[name] == nil:
			return nil, fmt.Errorf("no list %q: it must stand above", name)
		default:
			l = append(l, f.lists[name]...)
		}
		if len(l) > maxWords {
			return nil, fmt.Errorf("more than %d words", maxWords)
		}
	}
	return l, nil
}

// set takes one fact.
func (f *file) set(p *Policy, key, value string) error {
	words, err := f.expand(strings.Fields(value))
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	switch key {
	case "family":
		if familyTitles[Family(value)] == "" {
			_, err := ParseFamily(value)
			return err
		}
		p.Family = Family(value)
	case "status":
		p.Status = value
	case "balancers":
		p.LoadBalancers = words
	case "kind":
		p.Kind = Kind(value)
		p.FIPS = true
		return oneOf(key, value, string(FIPS), string(RFC9151))
	case "engine":
		p.Engine = Engine(value)
		return oneOf(key, value, engines...)
	case "default":
		p.DefaultFor = append(p.DefaultFor, value)
	case "confidence":
		p.Confidence = Confidence(value)
		return oneOf(key, value, string(High), string(Medium), string(Low))
	case "order-confidence":
		p.OrderConf = Confidence(value)
		return oneOf(key, value, string(High), string(Medium), string(Low))
	case "groups-confidence":
		p.GroupsConf = Confidence(value)
		return oneOf(key, value, string(High), string(Medium), string(Low))
	case "source":
		p.Sources = append(p.Sources, words...)
	case "disagreement":
		p.Disagreements = append(p.Disagreements, value)
	case "check":
		p.Checks = append(p.Checks, value)
	case "order-open":
		var open []suite.Code
		if err := collect(words, &open, parseSuite); err != nil {
			return err
		}
		if len(open) != 2 {
			return errors.New("order-open: want two suites")
		}
		p.OrderOpen = append(p.OrderOpen, [2]suite.Code(open))
	case "dh-bits":
		return number(value, &p.DHBits)
	case "note":
		p.Notes = append(p.Notes, value)
	case "order":
		p.Order = Order(value)
		return oneOf(key, value, string(ServerOrder), string(ClientOrder), string(OrderUnknown))
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
	case "sni":
		p.SNI.Required = slices.Contains(words, "required")
		p.SNI.RefuseUnknown = slices.Contains(words, "refuse-unknown")
	case "client-certificate":
		p.ClientAuth = ClientAuth(value)
		return oneOf(key, value, string(ClientAuthRequest), string(ClientAuthRequired))
	case "requires-extended-master-secret":
		p.RequiresEMS = true
	case "requires-secure-renegotiation":
		p.RequiresRI = true
	default:
		return fmt.Errorf("unknown key %q%s", key, didYouMean(suite.Nearest(key, keys, 3)))
	}
	return nil
}

// keys are the words that a line of a policy can begin with.
var keys = []string{"family", "status", "balancers", "kind", "engine", "default", "confidence", "order-confidence",
	"groups-confidence", "source", "disagreement", "check", "order-open", "dh-bits", "note", "order", "versions", "suites",
	"groups", "schemes", "alpn", "sni", "client-certificate", "requires-extended-master-secret", "requires-secure-renegotiation"}

var engines = []string{string(EngineOpenSSL), string(EngineS2N), string(EngineGo), string(EngineBoringSSL),
	string(EngineSchannel), string(EngineGnuTLS), string(EngineJSSE), string(EngineClassic)}

// oneOf says what is wrong with a value that is not one of allowed.
func oneOf(key, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("%s %q: use %s", key, value, strings.Join(allowed, ", "))
}

// number reads a size of a key or group in bits.
func number(value string, n *int) error {
	v, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		return fmt.Errorf("%q is no number of bits", value)
	}
	*n = int(v)
	return nil
}

// collect parses words into list, in which nothing may stand twice.
func collect[T comparable](words []string, list *[]T, parse func(string) (T, error)) error {
	for _, w := range words {
		v, err := parse(w)
		if err != nil {
			return err
		}
		if slices.Contains(*list, v) {
			return fmt.Errorf("%s twice", w)
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
	var names []string
	for _, g := range suite.AllGroups() {
		names = append(names, g.Name)
	}
	return 0, fmt.Errorf("unknown group %q%s", name, didYouMean(suite.Nearest(name, names, 3)))
}

func parseScheme(name string) (suite.SignatureScheme, error) {
	if s := suite.SchemeByName(name); s != nil {
		return s.Code, nil
	}
	var names []string
	for _, s := range suite.AllSchemes() {
		names = append(names, s.Name)
	}
	return 0, fmt.Errorf("unknown signature scheme %q%s", name, didYouMean(suite.Nearest(name, names, 3)))
}

func didYouMean(near []string) string {
	if len(near) == 0 {
		return ""
	}
	return ": did you mean " + strings.Join(near, ", ") + "?"
}
