// Package audit judges listeners of load balancers, as an account has them or as files declare them, by what is required of
// their security policies. It does no I/O.
package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Requirement is what every listener has to meet: all of its terms.
type Requirement struct{ Terms []Term }

// Term is one demand: a level, or a policy that nothing may go beyond.
type Term struct {
	Name   string
	What   string         // in words
	Beyond *policy.Policy // of a policy
	level  *level
}

// Kind is what a shortfall is about.
type Kind string

// Kinds.
const (
	Version Kind = "version"
	Suite   Kind = "suite"
	Group   Kind = "group"
	Module  Kind = "fips"
)

// Shortfall is one thing by which a policy misses a term.
type Shortfall struct {
	Term    string        `json:"requirement"`
	Kind    Kind          `json:"kind"`
	Version suite.Version `json:"version,omitzero"`
	Suite   suite.Code    `json:"cipher,omitzero"`
	Text    string        `json:"text"` // what is wrong: "accepts TLSv1.0"
	Why     string        `json:"why,omitempty"`
}

// level is a demand that no policy of a table is the measure of.
type level struct {
	name, what string
	misses     func(p *policy.Policy) []Shortfall
}

// levels are the demands by name. docs/aws-audit.md describes them.
var levels = []level{
	{"tls1.2", "accepts no version older than TLS 1.2", func(p *policy.Policy) []Shortfall { return older(p, suite.TLS12) }},
	{"tls1.3", "accepts no version older than TLS 1.3", func(p *policy.Policy) []Shortfall { return older(p, suite.TLS13) }},
	{"offers-tls1.3", "accepts TLS 1.3, whatever else it accepts", offers13},
	{"forward-secrecy", "accepts no cipher suite without forward secrecy", func(p *policy.Policy) []Shortfall {
		return suites(p, func(s *suite.Suite) string {
			if s.KeyExchange.ForwardSecret() {
				return ""
			}
			return "no forward secrecy: who gets the private key can read what was recorded"
		})
	}},
	{"no-insecure", "accepts no SSL and no cipher suite that is broken", func(p *policy.Policy) []Shortfall {
		return append(older(p, suite.TLS10), weaker(p, suite.Weak)...)
	}},
	{"no-weak", "accepts no version older than TLS 1.2 and no cipher suite that is weak or broken", func(p *policy.Policy) []Shortfall {
		return append(older(p, suite.TLS12), weaker(p, suite.Secure)...)
	}},
	{"pq", "accepts a hybrid post-quantum group", postQuantum},
	{"fips", "is one of AWS's FIPS policies, which run on a validated module", fips},
}

// aliases are levels that are policies of Mozilla's "Server Side TLS", in its latest version.
var aliases = map[string]string{"modern": "Mozilla-modern", "intermediate": "Mozilla-intermediate", "old": "Mozilla-old"}

// Levels lists the names of levels with what they demand, in the order in which to show them.
func Levels() [][2]string {
	var l [][2]string
	for _, x := range levels {
		l = append(l, [2]string{x.name, x.what})
	}
	for _, name := range []string{"old", "intermediate", "modern"} {
		l = append(l, [2]string{name, "accepts nothing that Mozilla's configuration \"" + name + "\" does not"})
	}
	return l
}

// Parse reads a requirement: words, each a level or what find knows as a policy. All of them must be met.
func Parse(words []string, find func(string) (*policy.Policy, error)) (Requirement, error) {
	var r Requirement
	for _, w := range words {
		w = strings.TrimSpace(w)
		name := strings.ToLower(w)
		if i := slices.IndexFunc(levels, func(l level) bool { return l.name == name }); i >= 0 {
			r.Terms = append(r.Terms, Term{Name: name, What: levels[i].what, level: &levels[i]})
			continue
		}
		asked := w
		if a := aliases[name]; a != "" {
			asked = a
		}
		p, err := find(asked)
		if err != nil {
			var all []string
			for _, l := range Levels() {
				all = append(all, l[0])
			}
			return r, fmt.Errorf("--require %q is neither a level (%s) nor a policy: %w", w, strings.Join(all, ", "), err)
		}
		r.Terms = append(r.Terms, Term{Name: p.Name, What: "accepts nothing that " + p.Name + " does not", Beyond: p})
	}
	if len(r.Terms) == 0 {
		return r, fmt.Errorf("--require names nothing: give a level or a policy")
	}
	return r, nil
}

// Misses lists by what p falls short of the requirement; nothing where it meets it.
func (r *Requirement) Misses(p *policy.Policy) []Shortfall {
	var l []Shortfall
	for _, t := range r.Terms {
		var found []Shortfall
		if t.level != nil {
			found = t.level.misses(p)
		} else {
			found = beyond(p, t.Beyond)
		}
		for _, s := range found {
			s.Term = t.Name
			l = append(l, s)
		}
	}
	return l
}

// beyond lists what p accepts and q does not: versions, and suites in a version that both accept. The suites of a version that
// q does not accept at all go without saying.
func beyond(p, q *policy.Policy) []Shortfall {
	var l []Shortfall
	for _, v := range p.Versions {
		if !q.Accepts(v) {
			l = append(l, Shortfall{Kind: Version, Version: v, Text: "accepts " + v.String(), Why: versionFault(v)})
		}
	}
	var seen []suite.Code
	for _, v := range p.Versions {
		if !q.Accepts(v) {
			continue
		}
		for _, c := range p.SuitesFor(v) {
			if usable(c, v) && !slices.Contains(q.SuitesFor(v), c) && !slices.Contains(seen, c) {
				seen = append(seen, c)
				l = append(l, accepts(c, ""))
			}
		}
	}
	return l
}

func usable(c suite.Code, v suite.Version) bool {
	s := suite.ByCode(c)
	return s != nil && s.UsableIn(v)
}

// accepts is the shortfall that a suite is. why is its own fault where the term tells none.
func accepts(c suite.Code, why string) Shortfall {
	s := suite.ByCode(c)
	if why == "" && s != nil {
		if a := suite.Assess(s); a.Strength < suite.Secure {
			why = a.Reasons[0].Text
		}
	}
	return Shortfall{Kind: Suite, Suite: c, Text: "accepts " + c.OpenSSL(), Why: why}
}

// older lists the versions of p below least.
func older(p *policy.Policy, least suite.Version) []Shortfall {
	var l []Shortfall
	for _, v := range p.Versions {
		if v < least {
			l = append(l, Shortfall{Kind: Version, Version: v, Text: "accepts " + v.String(), Why: versionFault(v)})
		}
	}
	return l
}

// versionFault says what is wrong with a version, "" for one in general use.
func versionFault(v suite.Version) string {
	switch v {
	case suite.SSLv2:
		return "prohibited by RFC 6176"
	case suite.SSLv3:
		return "prohibited by RFC 7568 (POODLE)"
	case suite.TLS10, suite.TLS11:
		return "deprecated by RFC 8996"
	}
	return ""
}

// suites lists the suites of p that are usable in one of its versions and at fault.
func suites(p *policy.Policy, fault func(*suite.Suite) string) []Shortfall {
	var l []Shortfall
	var seen []suite.Code
	for _, v := range p.Versions {
		for _, c := range p.SuitesFor(v) {
			s := suite.ByCode(c)
			if s == nil || s.Signalling || !s.UsableIn(v) || slices.Contains(seen, c) {
				continue
			}
			seen = append(seen, c)
			if why := fault(s); why != "" {
				l = append(l, accepts(c, why))
			}
		}
	}
	return l
}

// weaker lists the suites of p that are weaker than least.
func weaker(p *policy.Policy, least suite.Strength) []Shortfall {
	return suites(p, func(s *suite.Suite) string {
		if a := suite.Assess(s); a.Strength < least {
			return a.Reasons[0].Text
		}
		return ""
	})
}

func offers13(p *policy.Policy) []Shortfall {
	if p.Accepts(suite.TLS13) {
		return nil
	}
	return []Shortfall{{Kind: Version, Version: suite.TLS13, Text: "does not accept TLSv1.3"}}
}

func postQuantum(p *policy.Policy) []Shortfall {
	if policy.PostQuantum(p) {
		return nil
	}
	return []Shortfall{{Kind: Group, Text: "accepts no post-quantum group", Why: "what is recorded today can be read with a quantum computer later"}}
}

func fips(p *policy.Policy) []Shortfall {
	if p.FIPS || p.Kind == policy.FIPS || p.Kind == policy.RFC9151 {
		return nil
	}
	return []Shortfall{{Kind: Module, Text: "is no FIPS policy", Why: "its connections do not run on a module that is validated to FIPS 140-3"}}
}
