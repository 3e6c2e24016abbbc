package scan

import (
	"slices"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// groupLine13 asks for groups by hellos without a key share, which a HelloRetryRequest answers (RFC 8446 section
// 4.1.4): the hello stays small however large the group's share is.
func (f *full) groupLine13() *line[suite.Group] {
	return &line[suite.Group]{
		pref: newPreference(groupUniverse(true)), kind: kindOfGroup,
		build: func(l []suite.Group) hello.Offer { return groupQuestion(f.sni, "", l...).Offer },
		read:  func(o *probe.Observation) (suite.Group, bool) { return o.Group, o.Answer == probe.HelloRetry },
		fits:  func(suite.Group) bool { return true },
	}
}

// groupLine12 asks for groups before TLS 1.3 with suites of one kind of certificate. Where that is an ECDSA one, many
// servers want its curve among the groups of the hello: every list then has it too, at the end, and what is taken
// before it is accepted. What such a server prefers less than the curve no client can get.
func (f *full) groupLine12(class certificateClass, curve suite.Group) *line[suite.Group] {
	suites := slices.DeleteFunc(slices.Clone(universe(suite.TLS12, class)), func(c suite.Code) bool { return suite.ByCode(c).KeyExchange != suite.KXECDHE })
	if f.limit > 0 {
		suites = suites[:min(f.limit, len(suites))]
	}
	return &line[suite.Group]{
		pref: newPreference(groupUniverse(false)), kind: kindOfGroup,
		build: func(l []suite.Group) hello.Offer {
			o := base(f.sni, suite.TLS12, suites)
			o.Groups = l
			if curve != 0 {
				o.Groups = with(slices.Clone(l), curve)
			}
			return o
		},
		read: func(o *probe.Observation) (suite.Group, bool) { return o.Group, o.Answer.Accepted() && o.Group != 0 },
	}
}

// otherGroups asks for groups before TLS 1.3 where there is no RSA certificate: without a certificate, if the endpoint
// does that, or else with an ECDSA one, once it is known whether the hello must have its curve.
func (f *full) otherGroups() (began bool) {
	s := f.newestClassic()
	if s == nil || f.regrouped || !f.groups12.finished() || len(f.groups12.pref.accepted()) > 0 || f.free != nil && !f.free.finished() {
		return false
	}
	accepted := s.accepted()
	uses := func(class certificateClass) bool {
		return slices.ContainsFunc(shared(universe(s.version, class), accepted), func(c suite.Code) bool { return suite.ByCode(c).KeyExchange == suite.KXECDHE })
	}
	switch {
	case uses(classRSA):
		return false
	case uses(classAnon):
		f.groups12 = f.groupLine12(classAnon, 0)
	case uses(classECDSA):
		curve := f.ecdsaCurve()
		if curve == 0 {
			return false
		}
		if f.free == nil {
			f.free = f.groupLine12(classECDSA, 0)
			f.free.pref.universe, f.free.once = slices.DeleteFunc(f.free.pref.universe, func(g suite.Group) bool { return g == curve }), true
			return true
		}
		if f.curveBound = len(f.free.pref.accepted()) == 0; !f.curveBound {
			curve = 0
		}
		f.groups12 = f.groupLine12(classECDSA, curve)
	default:
		return false
	}
	f.regrouped = true
	f.groups12.guess = usualGroups
	if f.foretold != nil {
		f.groups12.guess = f.foretold.GroupsFor(suite.TLS12)
	}
	f.groups12.guess = shared(f.groups12.guess, f.groups12.pref.universe)
	f.groups12.eager = true
	return true
}

// ecdsaCurve is the curve of the endpoint's ECDSA certificate, 0 if none was seen.
func (f *full) ecdsaCurve() suite.Group {
	for i := range f.replies {
		r := &f.replies[i]
		if len(r.Chain) == 0 || suite.ByCode(r.Suite).Authentication != suite.AuthECDSA {
			continue
		}
		if chain := parseChain(r.Chain); len(chain) > 0 {
			if c := Describe(chain); c.KeyType == policy.ECDSA {
				return c.Curve
			}
		}
	}
	return 0
}
