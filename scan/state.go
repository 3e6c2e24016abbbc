package scan

import (
	"slices"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// Reply is a question with what came back.
type Reply struct {
	Question
	probe.Observation
}

// state is what the replies so far amount to.
type state struct {
	replies map[string]Reply
	lots    []lot // of the third round
}

func (s *state) add(rs []Reply) {
	for _, r := range rs {
		s.replies[r.Name] = r
	}
}

func (s *state) accepted(name string) bool {
	r, ok := s.replies[name]
	return ok && r.Answer.Accepted()
}

func (s *state) refused(name string) bool {
	r, ok := s.replies[name]
	return ok && r.Answer.Refusal()
}

// accepts reports whether a hello of exactly version v was answered in version v.
func (s *state) accepts(v suite.Version) bool {
	r, ok := s.replies[v.String()]
	return ok && r.Answer.Accepted() && r.Version == v
}

// highestClassic is the highest accepted version before TLS 1.3, or 0.
func (s *state) highestClassic() suite.Version {
	for _, v := range []suite.Version{suite.TLS12, suite.TLS11, suite.TLS10, suite.SSLv3} {
		if s.accepts(v) {
			return v
		}
	}
	return 0
}

// versions lists what was accepted, oldest first.
func (s *state) versions() []suite.Version {
	var vs []suite.Version
	for _, v := range suite.Versions {
		if s.accepts(v) {
			vs = append(vs, v)
		}
	}
	return vs
}

func (s *state) hasRSA() bool   { return s.accepted(askRSA) }
func (s *state) hasECDSA() bool { return s.accepted(askECDSA) }

// couldAuthenticate reports whether the endpoint was seen to have a certificate for suite c.
func (s *state) couldAuthenticate(c suite.Code) bool {
	switch suite.ByCode(c).Authentication {
	case suite.AuthRSA:
		return s.hasRSA()
	case suite.AuthECDSA:
		return s.hasECDSA()
	}
	return true
}

// chosen reports whether some reply chose c.
func (s *state) chosen(c suite.Code) bool {
	for _, r := range s.replies {
		if r.Answer.Accepted() && r.Suite == c {
			return true
		}
	}
	return false
}

// choseGroup reports whether some TLS 1.3 reply chose g, or some earlier one where TLS 1.3 is off.
func (s *state) choseGroup(g suite.Group) bool {
	is13 := s.accepts(suite.TLS13)
	for _, r := range s.replies {
		if r.Answer.Accepted() && r.Group == g && (r.Version == suite.TLS13) == is13 {
			return true
		}
	}
	return false
}

// suitesIn lists the accepted suites that version v can carry, in the order of the questions' lists.
func (s *state) suitesIn(v suite.Version) []suite.Code {
	var l []suite.Code
	for _, c := range slices.Concat(common13, wideSuites) {
		if s.chosen(c) && suite.ByCode(c).UsableIn(v) {
			l = append(l, c)
		}
	}
	return l
}

func (s *state) groups() []suite.Group {
	var l []suite.Group
	for _, g := range append(slices.Clone(pqGroups), classicGroups...) {
		if s.choseGroup(g) {
			l = append(l, g)
		}
	}
	// What the server chose of all classic groups comes first of them, whatever the lists say.
	for _, name := range []string{suite.TLS13.String(), suite.TLS12.String()} {
		if r, ok := s.replies[name]; ok && r.Answer.Accepted() {
			if i := slices.Index(l, r.Group); i > 0 && !slices.Contains(pqGroups, r.Group) {
				l = slices.Insert(slices.Delete(l, i, i+1), firstClassic(l), r.Group)
				break
			}
		}
	}
	return l
}

func firstClassic(l []suite.Group) int {
	for i, g := range l {
		if !slices.Contains(pqGroups, g) {
			return i
		}
	}
	return len(l)
}

// order says who decides, as far as the questions tell. Of one suite there is no order.
func (s *state) order() policy.Order {
	r, ok := s.replies[askOrder]
	if !ok || !r.Answer.Accepted() {
		return policy.OrderUnknown
	}
	offered := r.Offer.Suites
	choice := offered[len(offered)-1]
	same := 0
	for _, c := range s.suitesIn(s.highestClassic()) {
		if sameAuth(c, choice) && suite.ByCode(c).Encryption != "CHACHA20" {
			same++
		}
	}
	switch {
	case same < 2:
		return policy.OrderUnknown
	case r.Suite == choice:
		return policy.ServerOrder
	}
	return policy.ClientOrder
}
