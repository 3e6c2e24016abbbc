package policy

import (
	"cmp"
	"slices"

	"github.com/parley-tls/parley/suite"
)

// Weakest returns the strength of the weakest suite that the policy accepts.
func Weakest(p *Policy) suite.Strength {
	weakest := suite.Recommended
	for _, c := range p.Suites {
		weakest = min(weakest, suite.StrengthOf(c))
	}
	return weakest
}

// WeakestSuite returns the weakest of the policy's suites: of those as weak as Weakest says the one against which most is said, and
// of these the first. It is false for a policy without suites.
func WeakestSuite(p *Policy) (suite.Code, bool) {
	weakest := Weakest(p)
	var found suite.Code
	most := -1
	for _, c := range p.Suites {
		if suite.StrengthOf(c) != weakest {
			continue
		}
		n := 0
		if s := suite.ByCode(c); s != nil {
			n = len(suite.Assess(s).Reasons)
		}
		if n > most {
			found, most = c, n
		}
	}
	return found, most >= 0
}

// ForwardSecret reports whether every suite of the policy has forward secrecy.
func ForwardSecret(p *Policy) bool {
	return !slices.ContainsFunc(p.Suites, func(c suite.Code) bool {
		s := suite.ByCode(c)
		return s != nil && !s.KeyExchange.ForwardSecret()
	})
}

// PostQuantum reports whether the policy has a post-quantum group.
func PostQuantum(p *Policy) bool { return slices.ContainsFunc(p.Groups, isPostQuantum) }

// Stricter orders policies from strict to lenient: negative where a is stricter than b. In this order it
// counts: the lowest version, how many broken suites there are, whether all suites have forward secrecy, how
// many weak suites there are, the highest version (TLS 1.3 is better than none), post-quantum groups, and how
// many suites there are at all.
func Stricter(a, b *Policy) int {
	return cmp.Or(
		cmp.Compare(lowest(b), lowest(a)),
		cmp.Compare(countWeak(a, suite.Insecure), countWeak(b, suite.Insecure)),
		boolFirst(ForwardSecret(a), ForwardSecret(b)),
		cmp.Compare(countWeak(a, suite.Weak), countWeak(b, suite.Weak)),
		cmp.Compare(highest(b), highest(a)),
		boolFirst(PostQuantum(a), PostQuantum(b)),
		cmp.Compare(len(a.Suites), len(b.Suites)),
	)
}

// Variant says what a policy is for: "general", "pq", "fips", "fips-pq" or "rfc9151".
func (p *Policy) Variant() string {
	switch {
	case p.Kind == RFC9151:
		return string(RFC9151)
	case p.Kind == FIPS && PostQuantum(p):
		return "fips-pq"
	case p.Kind == FIPS:
		return string(FIPS)
	case PostQuantum(p):
		return "pq"
	}
	return "general"
}

// Alternatives returns the policies of family f that can be set today, in the order in which to suggest
// them to someone whose endpoint now has a policy of that kind: those of the same kind first, then general
// ones, then FIPS, then RFC 9151, and within each the strictest first.
func Alternatives(f Family, kind Kind) []*Policy {
	rank := func(p *Policy) int {
		if p.Kind == kind {
			return -1
		}
		return slices.Index([]Kind{General, FIPS, RFC9151}, p.Kind)
	}
	l := slices.DeleteFunc(InFamily(f), func(p *Policy) bool { return !Selectable(p) })
	slices.SortStableFunc(l, func(a, b *Policy) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), Stricter(a, b)) })
	return l
}

// lowest and highest return the ends of a policy's versions, 0 where it has none, as an endpoint that
// speaks no TLS.
func lowest(p *Policy) suite.Version {
	if len(p.Versions) == 0 {
		return 0
	}
	return slices.Min(p.Versions)
}

func highest(p *Policy) suite.Version {
	if len(p.Versions) == 0 {
		return 0
	}
	return slices.Max(p.Versions)
}

func boolFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// countWeak counts the suites that are at most as strong as s.
func countWeak(p *Policy, s suite.Strength) int {
	n := 0
	for _, c := range p.Suites {
		if suite.StrengthOf(c) <= s {
			n++
		}
	}
	return n
}

// Selectable reports whether a user can set the policy today.
func Selectable(p *Policy) bool { return p.Status == "documented" }
