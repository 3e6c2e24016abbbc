package scan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// simulated answers as an endpoint with this list does.
type simulated struct {
	accepts  []suite.Code // in its order
	byClient bool         // the client's order counts
	loss     int          // every loss-th connection is reset; 0: none
	asked    int
}

func (s *simulated) answer(o hello.Offer) probe.Observation {
	s.asked++
	if s.loss > 0 && s.asked%s.loss == 0 {
		return probe.Observation{Answer: probe.Reset}
	}
	list, of := s.accepts, o.Suites
	if s.byClient {
		list, of = of, list
	}
	for _, c := range list {
		if slices.Contains(of, c) {
			return probe.Observation{Answer: probe.ServerHello, Suite: c, Complete: true}
		}
	}
	return probe.Observation{Answer: probe.Alerted, Alert: suite.AlertHandshakeFailure}
}

func codes(n int) []suite.Code {
	l := make([]suite.Code, n)
	for i := range l {
		l[i] = suite.Code(i + 1)
	}
	return l
}

func testLine(universe, guess []suite.Code) *line[suite.Code] {
	return &line[suite.Code]{pref: newPreference(universe), guess: guess,
		kind:  func(c suite.Code) string { return fmt.Sprint(c / 5) },
		build: func(l []suite.Code) hello.Offer { return hello.Offer{Suites: l} },
		read:  func(o *probe.Observation) (suite.Code, bool) { return o.Suite, o.Answer.Accepted() }}
}

// learn runs a line against an endpoint and returns the rounds it took.
func learn(l *line[suite.Code], s *simulated) (rounds int) {
	for {
		offers := l.next()
		if len(offers) == 0 {
			return rounds
		}
		rounds++
		answers := make([]*probe.Observation, len(offers))
		for i, o := range offers {
			a := s.answer(o)
			answers[i] = &a
		}
		l.take(answers)
	}
}

// TestLine: whatever the endpoint accepts, in whatever order, is learnt exactly.
func TestLine(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 150 {
		universe := codes(1 + r.IntN(60))
		s := &simulated{byClient: r.IntN(3) == 0}
		for _, i := range r.Perm(len(universe))[:r.IntN(len(universe)+1)] {
			s.accepts = append(s.accepts, universe[i])
		}
		if r.IntN(4) == 0 {
			s.loss = 7 + r.IntN(20)
		}
		var guess []suite.Code
		if r.IntN(2) == 0 { // a guess that is right but for some exchanges
			guess = slices.Clone(s.accepts)
			for range r.IntN(3) {
				if len(guess) > 1 {
					i, j := r.IntN(len(guess)), r.IntN(len(guess))
					guess[i], guess[j] = guess[j], guess[i]
				}
			}
		}
		l := testLine(universe, guess)
		if r.IntN(2) == 0 {
			l.rare = func(c suite.Code) bool { return c%3 == 0 }
		}
		learn(l, s)
		got, decider, sorted := l.result()
		want := slices.Clone(s.accepts)
		if s.byClient || len(want) == 1 {
			slices.Sort(want)
		}
		order := policy.ServerOrder
		if s.byClient {
			order = policy.ClientOrder
		}
		if !slices.Equal(got, want) || len(l.unsure) > 0 || sorted == s.byClient && len(want) > 1 || len(want) > 1 && decider != order {
			t.Fatalf("endpoint %+v, guess %v: learnt %v, sorted %v, order %q, unsure %v", s, guess, got, sorted, decider, l.unsure)
		}
	}
}

// TestLineCost: a right guess proves set and order in three rounds and little more than one question for each suite;
// without one it takes at most twice as many, and the kinds.
func TestLineCost(t *testing.T) {
	universe := codes(60)
	accepts := []suite.Code{12, 11, 14, 13, 2, 1, 31, 30, 33, 32}
	s := &simulated{accepts: accepts}
	if rounds := learn(testLine(universe, accepts), s); rounds > 2 || s.asked > len(accepts)+2 {
		t.Errorf("with the right guess: %d rounds, %d questions", rounds, s.asked)
	}
	s = &simulated{accepts: accepts}
	kinds := 13
	if rounds := learn(testLine(universe, nil), s); rounds > 7 || s.asked > 3*len(accepts)+kinds {
		t.Errorf("without a guess: %d rounds, %d questions", rounds, s.asked)
	}
}
