package scan

import (
	"slices"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// finiteLine asks for the finite-field groups of RFC 7919 before TLS 1.3: which of them DHE uses for a client that names
// it. Most endpoints have one prime of their own and do not read the client's groups (OpenSSL does not before TLS 1.3).
// If that prime is one of RFC 7919's, as with parameters from a file, it still is no group that was agreed on.
type finiteLine struct {
	*line[suite.Group]
	own     suite.Group     // used where none is offered that the endpoint has a name for, 0 if none of RFC 7919
	doubted bool            // it was offered before others, to see whether it has that name too
	answers map[string]bool // the primes that were used; "" is a refusal
}

// beginFinite begins to ask for finite fields once a suite is known by which they show. It reports whether it did.
func (f *full) beginFinite() bool {
	if f.finite != nil {
		return false
	}
	for _, v := range scanned[1:] {
		if v < suite.TLS10 {
			break // SSLv3 knows no extensions
		}
		if suites := f.versions[v].finite(); len(suites) > 0 {
			f.finite = f.finiteLine(v, suites)
			return true
		}
	}
	return false
}

// finite lists the accepted suites whose keys are exchanged in a finite field.
func (s *versionScan) finite() []suite.Code {
	var l []suite.Code
	for _, x := range s.lines {
		for _, c := range x.pref.accepted() {
			if kx := suite.ByCode(c).KeyExchange; kx == suite.KXDHE || kx == suite.KXDHEPSK {
				l = append(l, c)
			}
		}
	}
	return l
}

// finiteLine offers nothing but suites that were accepted, so that a refusal is one of the groups (RFC 7919 section 4).
func (f *full) finiteLine(v suite.Version, suites []suite.Code) *finiteLine {
	if f.limit > 0 {
		suites = suites[:min(f.limit, len(suites))]
	}
	return &finiteLine{answers: make(map[string]bool), line: &line[suite.Group]{
		pref: newPreference(finiteGroups()), kind: kindOfGroup,
		build: func(l []suite.Group) hello.Offer {
			o := base(f.sni, v, suites)
			o.Groups = l
			return o
		},
		read: func(o *probe.Observation) (suite.Group, bool) {
			g := finiteGroup(o.KeyExchange)
			return g, o.Answer.Accepted() && g != 0
		},
	}}
}

// finiteGroups are the groups of RFC 7919, the smallest first.
func finiteGroups() []suite.Group {
	var l []suite.Group
	for _, g := range suite.AllGroups() {
		if g.Kind == "ff" && g.TLS12 && g.Bits > 0 {
			l = append(l, g.Code)
		}
	}
	return l
}

// finiteGroup is the group of RFC 7919 to which a prime belongs, 0 if to none.
func finiteGroup(k *hello.ServerKeyExchange) suite.Group {
	if k == nil || len(k.Prime) == 0 {
		return 0
	}
	if g := suite.GroupByName(PrimeName(k.Prime)); g != nil && isFinite(g.Code) {
		return g.Code
	}
	return 0
}

func isFinite(g suite.Group) bool {
	i := suite.GroupByCode(g)
	return i != nil && i.Kind == "ff"
}

// forgetFinite leaves the answers to these questions out of those that others read: what prime an endpoint uses for a
// client that names a group says nothing of the one that most clients get.
func (f *full) forgetFinite() {
	f.replies = slices.DeleteFunc(f.replies, func(r Reply) bool {
		return r.Offer.Versions[0] < suite.TLS13 && slices.ContainsFunc(r.Offer.Groups, isFinite)
	})
}

// take also notes which primes there are. A flight that broke off before its prime says nothing of the groups.
func (l *finiteLine) take(answers []*probe.Observation) {
	answers = slices.Clone(answers)
	for i, o := range answers {
		switch k := o.KeyExchange; {
		case k != nil && len(k.Prime) > 0:
			l.answers[string(k.Prime)] = true
			if g := finiteGroup(k); g != 0 && !slices.Contains(l.waiting[i].list, g) {
				l.own = g
			}
		case o.Answer.Refusal(), o.Answer.Accepted() && o.End.Refusal():
			l.answers[""] = true
		case o.Answer.Accepted() && !o.Complete:
			lost := *o
			lost.Answer = probe.Reset
			answers[i] = &lost
		}
	}
	l.line.take(answers)
	if others := l.disown(); len(others) > 0 && !l.doubted {
		l.doubted = true
		l.again = append(l.again, question[suite.Group]{list: slices.Concat([]suite.Group{l.own}, others)})
	}
}

// disown takes back that the endpoint's own prime was accepted, unless it was taken before another group: it may have
// been used for want of any. It returns those others where it did so.
func (l *finiteLine) disown() (others []suite.Group) {
	p := l.pref
	accepted := p.accepted()
	own := func(c choice[suite.Group]) bool { return c.taken == l.own }
	preferred := func(c choice[suite.Group]) bool { return own(c) && len(shared(c.offered, accepted)) > 1 }
	if l.own == 0 || !slices.ContainsFunc(p.choices, own) || slices.ContainsFunc(p.choices, preferred) {
		return nil
	}
	p.choices = slices.DeleteFunc(p.choices, own)
	p.refused([]suite.Group{l.own})
	return p.accepted()
}

// result leaves out what does not depend on the client's groups: all that is left where every answer was the same.
func (l *finiteLine) result() GroupResult {
	l.disown()
	if len(l.answers) < 2 {
		l.pref.choices = nil
	}
	return groupResult(l.line)
}

// and puts groups of another kind behind these. Between the two kinds the suite decides, so that they have no order.
func (r GroupResult) and(other GroupResult) GroupResult {
	one, many := len(r.Groups) < 2, len(other.Groups) > 1
	switch {
	case one && many:
		r.Order, r.Sorted = other.Order, other.Sorted
	case many && r.Order != other.Order:
		r.Order, r.Sorted = policy.OrderUnknown, false
	case many:
		r.Sorted = r.Sorted && other.Sorted
	}
	r.Groups = slices.Concat(r.Groups, other.Groups)
	r.Unsure = slices.Concat(r.Unsure, other.Unsure)
	return r
}
