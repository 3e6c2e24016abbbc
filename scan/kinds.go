package scan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/parley-tls/parley/suite"
)

// kindQuestions asks for the suites of each kind at once, unless the first round has settled that.
func (s *state) kindQuestions(sni string) []Question {
	var qs []Question
	for _, k := range kinds {
		v, l := s.carrier(k)
		settled := v == suite.TLS12 && s.refused(askRare)
		if len(l) > 0 && !settled && !slices.ContainsFunc(l, s.chosen) {
			qs = append(qs, suiteQuestion(sni, v, kindName(k.name), l...))
		}
	}
	return qs
}

// carrier is the accepted version that can carry most suites of a kind, the highest of several, and those suites.
func (s *state) carrier(k kind) (version suite.Version, carried []suite.Code) {
	for _, v := range slices.Backward(suite.Versions) {
		if l := usableIn(k.suites, v); s.accepts(v) && len(l) > len(carried) {
			version, carried = v, l
		}
	}
	return version, carried
}

// lot is some suites of an accepted kind that are asked for at once: a lot of one settles that suite. A larger one
// that is refused settles all its suites; one that is accepted leaves all but the chosen suite open.
type lot struct {
	version suite.Version
	suites  []suite.Code
	asked   bool
}

func (l *lot) name() string {
	if len(l.suites) == 1 {
		return suiteName(l.suites[0])
	}
	return fmt.Sprintf("%s and %d more", suiteName(l.suites[0]), len(l.suites)-1)
}

// openLots returns the suites of the accepted kinds that are still open: first those in first, each by itself, then
// the others, kind by kind, the small kinds before the large.
func (s *state) openLots(first []suite.Code) []lot {
	var wanted, others []lot
	for _, k := range kinds {
		v, l := s.carrier(k)
		if !slices.ContainsFunc(l, s.chosen) {
			continue
		}
		var rest []suite.Code
		for _, c := range l {
			switch {
			case s.chosen(c) || !s.couldAuthenticate(c):
			case slices.Contains(first, c):
				wanted = append(wanted, lot{version: v, suites: []suite.Code{c}})
			default:
				rest = append(rest, c)
			}
		}
		if len(rest) > 0 {
			others = append(others, lot{version: v, suites: rest})
		}
	}
	slices.SortStableFunc(others, func(a, b lot) int { return cmp.Compare(len(a.suites), len(b.suites)) })
	return append(wanted, others...)
}

// divide splits lots as far as the number of questions allows, the first ones down to single suites, and marks
// those that are to be asked.
func divide(lots []lot, questions int) []lot {
	var out []lot
	for i, l := range lots {
		// One question is kept for each lot that is still to come.
		parts := min(max(questions-(len(lots)-i-1), 1), len(l.suites))
		for part := range slices.Chunk(l.suites, (len(l.suites)+parts-1)/parts) {
			out = append(out, lot{l.version, part, questions > 0})
			questions--
		}
	}
	return out
}

// open lists the suites of accepted kinds that no answer has settled.
func (s *state) open() []suite.Code {
	var l []suite.Code
	for _, lot := range s.lots {
		if lot.asked && s.refused(lot.name()) {
			continue
		}
		for _, c := range lot.suites {
			if !s.chosen(c) {
				l = append(l, c)
			}
		}
	}
	return l
}
