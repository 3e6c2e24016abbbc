package scan

import (
	"slices"
	"sync"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// tell makes up its mind once the first answers are there: those of the versions and the kinds of certificate. What
// met a failure is waited for once more.
func (f *full) tell() {
	if f.told || len(f.replies) == 0 {
		return
	}
	for _, s := range f.versions {
		for _, l := range append(slices.Clone(s.lines), s.knock) {
			if l != nil && !l.opened() {
				return
			}
		}
	}
	f.told = true
	f.foretell()
}

// opened reports whether the first question was answered, or failed twice.
func (l *line[T]) opened() bool {
	return l.stage > first && len(l.waiting) == 0 && !slices.ContainsFunc(l.again, func(q question[T]) bool { return q.tries < 2 })
}

// expect is the order in which an endpoint that accepts these would take them, by its first answer: its own, or that
// in which they are offered.
func (l *line[T]) expect(accepts []T) []T {
	taken, offered := l.pref.accepted(), shared(l.backwards(l.pref.universe), accepts)
	if len(taken) == 1 && len(accepts) > 0 && taken[0] == offered[0] && taken[0] != accepts[0] {
		return offered
	}
	return accepts
}

// foretell looks for the predefined policy that the answers of the first round fit, and tells the lines to expect its
// suites: if the endpoint runs it, one more round proves that. Of several it is the one that listeners get by default,
// or the one with fewest suites, since every suite that is expected in vain costs a connection, and one that is not
// expected shows in the next answer.
func (f *full) foretell() {
	for _, p := range policy.All() {
		g := f.foretold
		if (g == nil || p.Family == g.Family && len(g.DefaultFor) == 0 && (len(p.DefaultFor) > 0 || len(p.Suites) < len(g.Suites))) && f.fits(p) {
			f.foretold = p
		}
	}
	if f.foretold == nil {
		return
	}
	for _, s := range f.versions {
		for _, l := range s.lines {
			l.guess = l.expect(shared(f.foretold.SuitesFor(s.version), l.pref.universe))
		}
	}
	for v, l := range map[suite.Version]*line[suite.Group]{suite.TLS13: f.groups13, suite.TLS12: f.groups12} {
		if guess := shared(f.foretold.GroupsFor(v), l.pref.universe); len(guess) > 0 {
			l.guess = guess
		}
	}
}

// reconsider gives lines another policy to expect where the answers contradict the first: one that fits all of
// them. Where the set is known already, it is the order that is expected of it.
func (f *full) reconsider() {
	for v, s := range f.versions {
		for _, l := range s.lines {
			if len(l.waiting)+len(l.again) == 0 && l.stage >= byKind && len(l.pref.accepted()) > 1 {
				reconsider(l, v)
			}
		}
	}
}

func reconsider(l *line[suite.Code], v suite.Version) {
	accepted := l.pref.accepted()
	closed := len(l.pref.open()) == 0
	if closed && sameSet(accepted, l.guess) || !closed && l.pref.agrees(l.guess) {
		return
	}
	for _, p := range bySize() {
		has := shared(p.SuitesFor(v), l.pref.universe)
		for _, expected := range [][]suite.Code{has, shared(l.backwards(l.pref.universe), has)} {
			switch {
			case closed && sameSet(expected, accepted) && l.pref.agrees(expected):
				l.guess = expected
				return
			case !closed && l.stage == byKind && l.pref.agrees(expected):
				l.guess, l.stage = expected, foresee
				return
			}
		}
	}
}

func sameSet[T comparable](a, b []T) bool { return len(a) == len(b) && len(shared(a, b)) == len(a) }

// fits reports whether an endpoint with policy p would have answered the first round as this one did: the same
// versions, and of each class the suite that p has first.
func (f *full) fits(p *policy.Policy) bool {
	for _, v := range scanned {
		s := f.versions[v]
		if p.Accepts(v) != s.accepts() {
			return false
		}
		for _, l := range s.lines {
			expected := shared(p.SuitesFor(v), l.pref.universe)
			taken := l.pref.accepted()
			if len(taken) == 0 {
				continue // the endpoint may lack the kind of certificate
			}
			if len(expected) == 0 || taken[0] != expected[0] && taken[0] != firstOffered(l.backwards(l.pref.universe), expected) {
				return false
			}
		}
	}
	return true
}

// firstOffered is what an endpoint takes that accepts these and leaves the order to the client.
func firstOffered(offered, accepted []suite.Code) suite.Code {
	for _, c := range offered {
		if slices.Contains(accepted, c) {
			return c
		}
	}
	return 0
}

// bySize lists all policies, those with fewest suites first.
var bySize = sync.OnceValue(func() []*policy.Policy {
	l := slices.Clone(policy.All())
	slices.SortStableFunc(l, func(a, b *policy.Policy) int { return len(a.Suites) - len(b.Suites) })
	return l
})
