package scan

import (
	"slices"

	"github.com/parley-tls/parley/suite"
)

// mergeLine asks for the order over several classes, nil where there is one class at most. Some servers choose the
// certificate first: then that shows as the order.
func (f *full) mergeLine(s *versionScan) *line[suite.Code] {
	m := f.suiteLine(s.version, nil, nil)
	used := 0
	for _, l := range s.lines {
		accepted := l.pref.accepted()
		used += min(len(accepted), 1)
		m.pref.universe = append(m.pref.universe, accepted...)
		m.pref.choices = append(m.pref.choices, l.pref.choices...)
	}
	if used < 2 {
		return nil
	}
	slices.SortStableFunc(m.pref.universe, func(a, b suite.Code) int { return rank(a) - rank(b) })
	m.stage = sorting
	if s.pair != nil && len(s.pair.pref.choices) > 0 {
		m.pref.choices = append(m.pref.choices, s.pair.pref.choices...)
	} else {
		m.ends = s.ends()
	}
	if f.foretold != nil {
		m.guess = f.foretold.SuitesFor(s.version)
	}
	return m
}

// ends are pairs of the last suite of one class and the first of another: an endpoint that takes the one has all of
// its class before the other's.
func (s *versionScan) ends() [][]suite.Code {
	var pairs [][]suite.Code
	for _, a := range s.lines {
		for _, b := range s.lines {
			before, _, _ := a.result()
			after, _, _ := b.result()
			if a != b && len(before) > 0 && len(after) > 0 {
				pairs = append(pairs, []suite.Code{after[0], before[len(before)-1]})
			}
		}
	}
	return pairs
}

// settlePair finds out, of a version that has certificates of two kinds and whose policy is foreseen, whether the kind
// counts before the order of the suites: it offers the last suite of each kind and the first of the other. Where the
// order of the suites alone counts, one line learns both kinds. It reports whether a line was begun.
func (s *versionScan) settlePair(f *full) bool {
	rsa, ecdsa := s.lineOf(classRSA), s.lineOf(classECDSA)
	switch {
	case f.foretold == nil || rsa == nil || ecdsa == nil:
	case s.pair == nil && rsa.foresees() && ecdsa.foresees():
		s.pair = f.suiteLine(s.version, nil, nil)
		s.pair.stage, s.pair.once = sorting, true
		s.pair.ends = [][]suite.Code{{lastOf(ecdsa.guess), rsa.guess[0]}, {lastOf(rsa.guess), ecdsa.guess[0]}}
		return true
	case s.pair != nil && s.pair.finished() && s.pair.took(rsa.guess[0]) && s.pair.took(ecdsa.guess[0]):
		joint := f.jointLine(s.version, f.foretold.SuitesFor(s.version))
		joint.stage = foresee
		for _, l := range []*line[suite.Code]{rsa, ecdsa, s.pair} {
			joint.pref.choices = append(joint.pref.choices, l.pref.choices...)
		}
		s.lines = append(slices.DeleteFunc(s.lines, func(l *line[suite.Code]) bool { return l == rsa || l == ecdsa }), joint)
		return true
	}
	return false
}

// lastOf is the last suite of a list that does not depend on the client's.
func lastOf(l []suite.Code) suite.Code {
	for _, c := range slices.Backward(l) {
		if !isChaCha(c) {
			return c
		}
	}
	return l[len(l)-1]
}

// took reports whether some answer took x of several.
func (l *line[T]) took(x T) bool {
	return slices.ContainsFunc(l.pref.choices, func(c choice[T]) bool { return c.taken == x && len(c.offered) > 1 })
}

// foresees reports whether what the line asks next is what it foresees.
func (l *line[T]) foresees() bool {
	return l.stage == foresee && len(l.guess) > 0 && len(l.pref.accepted()) > 0 && len(l.waiting) == 0
}

// undecided reports whether the lines of a version wait for the answer of its pair.
func (s *versionScan) undecided() bool { return s.pair != nil && !s.pair.finished() }

// joint reports whether one line learns the suites of both kinds of certificate.
func (s *versionScan) joint() bool {
	return len(s.lines) > 0 && s.lineOf(classRSA) == nil && s.lineOf(classECDSA) == nil && s.version < suite.TLS13
}

// lineOf returns the line that asks for one class of suites, nil if there is none.
func (s *versionScan) lineOf(c certificateClass) *line[suite.Code] {
	for _, l := range s.lines {
		if slices.Equal(l.pref.universe, universe(s.version, c)) {
			return l
		}
	}
	return nil
}

// jointLine asks for the suites of RSA and ECDSA certificates together, where the endpoint goes by their order alone.
func (f *full) jointLine(v suite.Version, guess []suite.Code) *line[suite.Code] {
	both := slices.Concat(universe(v, classRSA), universe(v, classECDSA))
	slices.SortStableFunc(both, func(a, b suite.Code) int { return rank(a) - rank(b) })
	return f.suiteLine(v, both, shared(guess, both))
}
