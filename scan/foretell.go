package scan

import (
	"slices"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// tell makes up its mind once the first answers are there: those of the versions and the kinds of certificate. What
// met a failure is waited for once more.
func (f *full) tell() {
	if f.told || len(f.replies) == 0 {
		return
	}
	first := slices.Concat(f.marks, f.short)
	for _, s := range f.versions {
		first = append(append(first, s.lines...), s.knock)
	}
	if slices.ContainsFunc(first, func(l *line[suite.Code]) bool { return l != nil && !l.opened() }) {
		return
	}
	if f.retreat() {
		return
	}
	f.told = true
	if f.limit == 0 {
		f.foretell()
	}
	if f.newestClassic() == nil && f.versions[suite.TLS13].accepts() { // no certificate in the clear
		f.beside.Go(func() { f.chain13, f.clientAuth13 = certificate13(f.ctx, f.p, f.t, f.sni) })
	}
	if f.tellOthers != nil {
		f.tellOthers(f.result())
	}
}

// shortList is how many suites a hello has that some servers and boxes before them take where they refuse longer ones.
const shortList = 16

// retreat begins again with short lists where an endpoint refuses every long one and takes a short one. It reports
// whether there is something to wait for.
func (f *full) retreat() bool {
	if f.limit > 0 || f.newestClassic() != nil || f.versions[suite.TLS13].accepts() {
		return false
	}
	marked := slices.ContainsFunc(f.marks, func(l *line[suite.Code]) bool { return len(l.pref.accepted()) > 0 })
	if f.short == nil && !marked {
		if slices.ContainsFunc(f.replies, func(r Reply) bool { return !r.Answer.Refusal() }) {
			return false
		}
		f.short = []*line[suite.Code]{f.suiteLine(suite.TLS13, common13, nil), f.suiteLine(suite.TLS12, slices.Concat(ecdheRSA[:4], ecdsaSuites[:4], rsaSuites), nil)}
		for _, l := range f.short {
			l.once = true
		}
		return true
	}
	if !marked && !slices.ContainsFunc(f.short, func(l *line[suite.Code]) bool { return len(l.pref.accepted()) > 0 }) {
		return false
	}
	f.limit, f.marks = shortList, nil
	f.start()
	return true
}

// opened reports whether the first question was answered, or failed twice. That it has to be asked by itself is an
// answer: it is seldom another.
func (l *line[T]) opened() bool {
	return l.stage > first && len(l.waiting) == 0 && !slices.ContainsFunc(l.again, func(q question[T]) bool { return !q.apart && q.tries < 2 })
}

// expect is what to expect of an endpoint that accepts these, by its first answer: they come in its own order, and then
// it lacks what comes before what it took, or in that in which they are offered.
func (l *line[T]) expect(accepts []T) []T {
	taken, offered := l.pref.accepted(), shared(l.backwards(l.pref.universe), accepts)
	if len(taken) != 1 || !slices.Contains(accepts, taken[0]) {
		return accepts
	}
	if taken[0] == offered[0] && taken[0] != accepts[0] {
		return offered
	}
	return accepts[slices.Index(accepts, taken[0]):]
}

// foretell looks for the predefined policy that the first answers fit, and tells the lines to expect its suites: if the
// endpoint runs it, or one with less of the same, the next answers prove that. Of several it is one of the family that
// comes first: what its API gives to who names none, or else that with most suites.
func (f *full) foretell() {
	for _, p := range policy.All() {
		if g := f.foretold; (g == nil || p.Family == g.Family && likelier(p, g)) && f.fits(p) {
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
			l.guess = l.expect(guess)
		}
	}
}

func likelier(p, than *policy.Policy) bool {
	given, other := slices.Contains(p.DefaultFor, "api"), slices.Contains(than.DefaultFor, "api")
	return given && !other || given == other && len(p.Suites) > len(than.Suites)
}

// reconsider gives lines another policy to expect where the answers contradict the first: one that fits all of
// them. Where the set is known already, it is the order that is expected of it.
func (f *full) reconsider() {
	for v, s := range f.versions {
		for _, l := range s.lines {
			if len(l.waiting)+len(l.again) == 0 && l.stage >= narrowing && l.stage < done && len(l.pref.accepted()) > 1 {
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
	offered := l.backwards(l.pref.universe)
	for _, p := range policy.All() {
		has := shared(p.SuitesFor(v), l.pref.universe)
		for _, expected := range [][]suite.Code{has, shared(offered, has), shared(goOrder, has)} {
			if closed {
				expected = shared(expected, accepted)
			}
			switch {
			case !l.pref.agrees(expected):
			case closed && len(expected) == len(accepted):
				l.guess = expected
				return
			case !closed && l.stage == narrowing && l.batches == nil:
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
	class := f.certified()
	for _, m := range f.marks {
		has := shared(p.SuitesFor(suite.TLS12), m.pref.universe)
		if class != "" {
			has = shared(has, universe(suite.TLS12, class))
		}
		if (len(has) > 0) != (len(m.pref.accepted()) > 0) {
			return false
		}
	}
	return true
}

// certified is the one class of RSA and ECDSA whose suites TLS 1.2 accepts, "" if both or none.
func (f *full) certified() certificateClass {
	s := f.versions[suite.TLS12]
	rsa, ecdsa := len(s.lineOf(classRSA).pref.accepted()) > 0, len(s.lineOf(classECDSA).pref.accepted()) > 0
	switch {
	case rsa && !ecdsa:
		return classRSA
	case ecdsa && !rsa:
		return classECDSA
	}
	return ""
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
