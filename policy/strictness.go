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

// ForwardSecret reports whether every suite of the policy has forward secrecy.
func ForwardSecret(p *Policy) bool {
	return !slices.ContainsFunc(p.Suites, func(c suite.Code) bool {
		s := suite.ByCode(c)
		return s != nil && !s.KeyExchange.ForwardSecret()
	})
}

// PostQuantum reports whether the policy has a post-quantum group.
func PostQuantum(p *Policy) bool { return slices.ContainsFunc(p.Groups, isPostQuantum) }

// Stricter orders policies from strict to lenient: negative where a is stricter than b. The lowest version
// decides first, then whether all suites have forward secrecy, how many suites of each strength there are,
// the highest version (TLS 1.3 is better than none), and post-quantum groups.
func Stricter(a, b *Policy) int {
	return cmp.Or(
		cmp.Compare(b.Versions[0], a.Versions[0]),
		boolFirst(ForwardSecret(a), ForwardSecret(b)),
		cmp.Compare(countWeak(a, suite.Insecure), countWeak(b, suite.Insecure)),
		cmp.Compare(countWeak(a, suite.Weak), countWeak(b, suite.Weak)),
		cmp.Compare(slices.Max(b.Versions), slices.Max(a.Versions)),
		boolFirst(PostQuantum(a), PostQuantum(b)),
		cmp.Compare(len(a.Suites), len(b.Suites)),
	)
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
