package diagnose

import (
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// With one kind of certificate the suites of the other kind cannot be seen from outside. So where the endpoint
// accepts none of a client's suites, either its list has none of them, or it has some that its certificates cannot
// serve. A policy that the endpoint matches decides which; without one, both causes are named.

// likelier is the confidence in the likelier of the two.
const likelier = 0.7

const seeTheList = "the listener's policy in the API: does it hold the client's suites? From outside those that no certificate serves cannot be seen"

// lookBehindCertificates refines "no common cipher" by what the endpoint's list most probably holds behind its
// certificates, and sets v.instead where that is not sure.
func (v *visit) lookBehindCertificates(o *hello.Offer, out *negotiate.Outcome) {
	unseen := slices.DeleteFunc(slices.Clone(o.Suites), func(c suite.Code) bool {
		s := suite.ByCode(c)
		return s == nil || !s.UsableIn(out.Version) || certified(s, &v.seen.Identity, out.Version) ||
			s.Authentication != suite.AuthRSA && s.Authentication != suite.AuthECDSA
	})
	if len(unseen) == 0 {
		return
	}
	held, sure := v.heldBehind(unseen)
	var keys []string
	for i := range v.seen.Identity.Certificates {
		keys = append(keys, negotiate.KeyName(&v.seen.Identity.Certificates[i]))
	}
	none := out.Reason
	some := out.Reason
	some.Cause, some.Client, some.Server = cause.CipherNeedsOtherCertificate, suiteNames(held), keys
	if len(held) == 0 {
		some.Client = suiteNames(unseen)
	} else {
		out.Reason = some
		p := *v.seen.Policy // what the listener's list most probably is
		p.Suites = append(slices.Clone(p.Suites), held...)
		v.server.policy = &p
	}
	if sure {
		return
	}
	r := some
	if len(held) > 0 {
		r = none
	}
	k := causeOf(v.c, o, v.seen.Policy, r, "the listener")
	k.Summary = "or else: " + k.Summary
	k.Confidence, k.Decide = 1-likelier, seeTheList
	k.Evidence = append(k.Evidence, v.met())
	v.instead = &k
}

// heldBehind lists which of the suites that no certificate serves the endpoint's list holds, as far as can be told:
// by the policies that it matches exactly, or else because it accepts the same suite with another kind of
// certificate. It is sure if all policies that match agree.
func (v *visit) heldBehind(unseen []suite.Code) (held []suite.Code, sure bool) {
	exact := slices.DeleteFunc(slices.Clone(v.matches), func(m policy.Match) bool { return !m.Exact })
	if len(exact) == 0 {
		return slices.DeleteFunc(slices.Clone(unseen), func(c suite.Code) bool {
			return !slices.ContainsFunc(v.seen.Policy.Suites, func(x suite.Code) bool { return twins(suite.ByCode(c), suite.ByCode(x)) })
		}), false
	}
	held = shared(unseen, exact[0].Policy.Suites)
	for _, m := range exact[1:] {
		if (len(shared(unseen, m.Policy.Suites)) > 0) != (len(held) > 0) {
			return held, false
		}
	}
	return held, true
}

// twins reports whether two suites differ in the kind of certificate alone.
func twins(a, b *suite.Suite) bool {
	return b != nil && a.Authentication != b.Authentication && a.KeyExchange == b.KeyExchange && a.Encryption == b.Encryption &&
		a.Bits == b.Bits && a.Mode == b.Mode && a.MAC == b.MAC
}
