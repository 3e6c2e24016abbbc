package scan

import (
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// Endpoint is what was seen of an endpoint at one address.
type Endpoint struct {
	Address  string
	Policy   *policy.Policy // family policy.Observed
	Identity policy.Identity
	Chains   [][]*x509.Certificate // as presented, one for each certificate of Identity
	// Replies are all questions with their answers, in the order in which they were asked, but for those that ask for
	// finite fields before TLS 1.3.
	Replies []Reply
	// GroupsAsked are the groups that were tested one by one; a group not in it is open.
	GroupsAsked []suite.Group
	// OrderKnown is false where only the set of suites is known.
	OrderKnown bool
	// Open are the suites that were not asked for one by one although others of their kind are accepted.
	Open []suite.Code
	// NotTested names what was left open, for people.
	NotTested []string
}

// View is what was asked and what the certificates can show, for policy.MatchPolicies.
func (e *Endpoint) View() policy.View {
	v := policy.View{Keys: e.KeyTypes(), Groups: e.GroupsAsked, Suites: func(c suite.Code) bool { return !slices.Contains(e.Open, c) }}
	if e.Policy.Order == policy.ServerOrder {
		// Of the order a scan knows only what the server prefers to all else.
		for _, c := range e.Policy.Suites {
			if suite.ByCode(c).MaxVersion < suite.TLS13 {
				v.FirstChoice = c
				break
			}
		}
	}
	return v
}

// Reply returns the answer to the question called name.
func (e *Endpoint) Reply(name string) (Reply, bool) {
	for _, r := range e.Replies {
		if r.Name == name {
			return r, true
		}
	}
	return Reply{}, false
}

// Speaks reports whether the endpoint took any hello at all.
func (e *Endpoint) Speaks() bool { return len(e.Policy.Versions) > 0 }

// BreaksOff reports whether every flight that the endpoint began broke off before its end, and returns the first. A
// HelloRetryRequest is none.
func (e *Endpoint) BreaksOff() (Reply, bool) {
	var broken Reply
	for _, r := range e.Replies {
		switch {
		case r.Answer != probe.ServerHello:
		case r.Complete:
			return Reply{}, false
		case broken.Answer == "":
			broken = r
		}
	}
	return broken, broken.Answer != ""
}

// Answers counts the replies by how the endpoint answered.
func (e *Endpoint) Answers() map[probe.Answer]int {
	m := make(map[probe.Answer]int)
	for _, r := range e.Replies {
		m[r.Answer]++
	}
	return m
}

// KeyTypes lists the kinds of certificate that the endpoint presented.
func (e *Endpoint) KeyTypes() []policy.KeyType {
	var l []policy.KeyType
	for _, c := range e.Identity.Certificates {
		l = append(l, c.KeyType)
	}
	return l
}

// endpoint reads the replies.
func (s *state) endpoint(address string, replies []Reply) *Endpoint {
	p := &policy.Policy{
		Name:     "observed",
		Family:   policy.Observed,
		Versions: s.versions(),
		Order:    s.order(),
		Groups:   s.groups(),
	}
	p.Suites = append(s.suitesIn(suite.TLS13), s.suitesBefore13()...)
	for _, r := range replies {
		if r.DHBits > 0 {
			p.DHBits = r.DHBits
		}
	}
	e := &Endpoint{Address: address, Policy: p, Replies: replies, OrderKnown: len(s.suitesBefore13()) < 2}
	for _, name := range []string{askRSA, askECDSA, suite.TLS12.String(), suite.TLS11.String(), suite.TLS10.String(), suite.SSLv3.String()} {
		e.addChain(s.replies[name].Chain)
	}
	for _, r := range replies {
		if r.ClientAuth {
			p.ClientAuth = policy.ClientAuthRequest
		}
	}
	for _, g := range slices.Concat(pqGroups, classicGroups) {
		if s.choseGroup(g) || s.refusedGroup(g) {
			e.GroupsAsked = append(e.GroupsAsked, g)
		}
	}
	if n := unanswered(replies); n > 0 && e.Speaks() {
		e.NotTested = append(e.NotTested, fmt.Sprintf("what %d of %d hellos asked for: they met a reset or silence, which need not be the endpoint's", n, len(replies)))
	}
	if e.Open = s.open(); len(e.Open) > 0 {
		e.NotTested = append(e.NotTested, fmt.Sprintf("%d suites that hardly any policy has (%s …)", len(e.Open), e.Open[0].OpenSSL()))
	}
	return e
}

// unanswered counts the questions that were neither accepted nor refused.
func unanswered(replies []Reply) int {
	n := 0
	for _, r := range replies {
		if r.Offer.Suites != nil && !r.Answer.Accepted() && !r.Answer.Refusal() {
			n++
		}
	}
	return n
}

// refusedGroup reports whether g was asked for and refused, alone or with all post-quantum groups. Before TLS 1.3
// a refusal proves something only of an endpoint that does ECDHE at all.
func (s *state) refusedGroup(g suite.Group) bool {
	if s.refused(askPQ) && slices.Contains(pqGroups, g) {
		return !s.accepts(suite.TLS13) || slices.ContainsFunc(pqSuites, s.chosen) // else the suites may be at fault
	}
	return s.refused(groupName(g)) && (s.accepts(suite.TLS13) || slices.ContainsFunc(ecdheRSA, s.chosen))
}

// suitesBefore13 lists the accepted suites of the older versions, the first choice of the highest first.
func (s *state) suitesBefore13() []suite.Code {
	v := s.highestClassic()
	l := s.suitesIn(v)
	first := s.replies[v.String()].Suite
	for i, c := range l {
		if c == first {
			copy(l[1:i+1], l[:i])
			l[0] = first
		}
	}
	for ; v >= suite.SSLv3; v-- { // what only older ones can carry
		for _, c := range s.suitesIn(v) {
			if s.accepts(v) && !slices.Contains(l, c) {
				l = append(l, c)
			}
		}
	}
	return l
}
