package impact

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// offered is what a client was seen to offer.
type offered struct {
	*hello.Offer
	listsVersions bool // supported_versions names each; else only the highest is known (RFC 5246 appendix E.1)
	fromLog       bool // a log has it: signature schemes and the like are not known
}

func lists(h *hello.ClientHello) bool {
	_, ok := h.Extension(hello.ExtSupportedVersions)
	return ok
}

// fromLog makes an offer of what a server logged of a hello. What is not logged is taken to be what clients with these
// suites send.
func fromLog(l *evidence.Offered) *hello.Offer {
	o := &hello.Offer{HasSchemes: true, Schemes: anyScheme(), SecureReneg: true, ExtendedMaster: true, ServerName: "logged", PointFormats: []byte{0}}
	for _, c := range l.Suites {
		switch s := suite.ByCode(c); {
		case c == suite.FallbackSCSV:
			o.FallbackSCSV = true
		case s != nil:
			o.Suites = append(o.Suites, c)
		}
	}
	top := l.Version
	if slices.ContainsFunc(o.Suites, func(c suite.Code) bool { return suite.ByCode(c).UsableIn(suite.TLS13) }) {
		top = suite.TLS13
	}
	if top == 0 {
		top = suite.TLS12
	}
	for _, v := range slices.Backward(suite.Versions) {
		if v <= top && v >= suite.SSLv3 {
			o.Versions = append(o.Versions, v)
		}
	}
	if len(l.Groups) > 0 {
		o.HasGroups, o.Groups, o.KeyShares = true, l.Groups, l.Groups[:1]
	} else {
		o.HasGroups, o.Groups = true, []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1}
		o.KeyShares = o.Groups[:1]
	}
	return o
}

func anyScheme() []suite.SignatureScheme {
	var l []suite.SignatureScheme
	for _, s := range suite.AllSchemes() {
		l = append(l, s.Code)
	}
	return l
}

// byOffer judges a client whose offer is known: what it comes to under a policy is decided, not guessed.
func (j *judge) byOffer(e *Effect, o *offered) {
	after := negotiate.Decide(o.Offer, j.to, j.id)
	before := e.Today != nil
	if !before && j.from != nil && e.Client.Failures() == 0 { // no end of a handshake was seen
		before = negotiate.Decide(o.Offer, j.from, j.id).OK
	}
	if !after.OK {
		e.Cause, e.Reason = after.Reason.Cause, reason(&after.Reason)
		if e.Verdict = Breaks; !before {
			e.Verdict = Fails
		}
		return
	}
	e.After = &Choice{after.Version, after.Suite, after.Group}
	switch why := j.doubt(e, o, &after); {
	case why != "":
		e.unknown(why, "the client itself, against a test listener with the new policy")
	case !before && e.Client.Failures() > 0:
		j.failing(e, o)
	case !before && e.Client.Failures() == 0 && j.from == nil:
		e.Verdict, e.Reason = Changes, "no handshake of today was seen to its end"
	case !before:
		e.Verdict = Gains
	case e.Today != nil && same(e.Today, e.After):
		e.Verdict = Keeps
	case e.Today == nil: // both sides are decided
		now := negotiate.Decide(o.Offer, j.from, j.id)
		e.Today = &Choice{now.Version, now.Suite, now.Group}
		if e.Verdict = Changes; same(e.Today, e.After) {
			e.Verdict = Keeps
		}
	default:
		e.Verdict = Changes
	}
}

// failing judges a client that fails today and whose offer the new policy can meet: the change helps if the policy of
// today cannot, and does not if something else is to blame.
func (j *judge) failing(e *Effect, o *offered) {
	if j.from == nil {
		e.unknown("it fails today, and whether for the policy is not known", "the policy of today (--from)")
		return
	}
	now := negotiate.Decide(o.Offer, j.from, j.id)
	if !now.OK {
		e.Verdict, e.Reason, e.Cause = Gains, "today: "+reason(&now.Reason), now.Reason.Cause
		return
	}
	for _, seen := range e.Client.Outcomes {
		switch seen.Cause.Stage() {
		case cause.Certificate, cause.ClientAuth, cause.Network, cause.Session:
			e.Verdict, e.After, e.Cause, e.Reason = Fails, nil, seen.Cause, "it fails today, and not for the policy: "+strings.ReplaceAll(string(seen.Cause), "-", " ")
			return
		}
	}
	e.unknown("it fails today although the policy would let it in, and why is not known", "parley why with its ClientHello, against the load balancer")
}

// doubt says what a hello does not tell that the answer rests on, "" if nothing.
func (j *judge) doubt(e *Effect, o *offered, after *negotiate.Outcome) string {
	lowest := lowestSeen(e.Client)
	s := suite.ByCode(after.Suite)
	switch {
	case o.FallbackSCSV && slices.ContainsFunc(j.to.Versions, func(v suite.Version) bool { return v > after.Version }):
		return "its hello is a second try after a failure (TLS_FALLBACK_SCSV), and what it offers first is not known"
	case after.Version < o.Versions[0] && !o.listsVersions && (lowest == 0 || after.Version < lowest):
		return fmt.Sprintf("it would have to go down to %s, and its hello does not tell whether it does", after.Version)
	case after.Version < suite.TLS12 && after.Version < o.Versions[0] && (lowest == 0 || lowest >= suite.TLS12):
		return fmt.Sprintf("it would negotiate %s, where servers sign with SHA-1, and no hello tells whether a client takes that", after.Version)
	case (s.KeyExchange == suite.KXDHE) && !seenWith(e.Client, s.KeyExchange):
		return "it would negotiate DHE, and no hello before TLS 1.3 tells which sizes of a group the client takes"
	case after.Certificate >= 0 && after.Version < suite.TLS13 && o.HasGroups && curveMissing(o, &j.id.Certificates[after.Certificate]):
		return "it would get an ECDSA certificate on a curve that is not among its groups, which some clients refuse"
	case j.id != nil && after.Certificate >= 0 && len(j.id.Certificates) > 1 && e.Today != nil && e.Today.Suite != 0 && otherKey(s, suite.ByCode(e.Today.Suite)):
		return "it would get another certificate than today, and no hello tells whether the client trusts its chain"
	}
	return ""
}

// curveMissing reports whether a certificate's key is on a curve that the client does not list. RFC 8422 section 5.1 wants
// both sides to look at that; some servers do not.
func curveMissing(o *offered, c *policy.Certificate) bool {
	return c.Curve != 0 && !slices.Contains(o.Groups, c.Curve)
}

// otherKey reports whether two suites are authenticated by keys of different kinds.
func otherKey(a, b *suite.Suite) bool {
	return b != nil && a.Authentication != b.Authentication && a.Authentication != suite.AuthAny && b.Authentication != suite.AuthAny
}

// lowestSeen is the lowest version that a client was seen to accept, 0 if none.
func lowestSeen(c *evidence.Client) (lowest suite.Version) {
	for _, o := range c.Outcomes {
		if o.Result == evidence.Established && o.Version != 0 && (lowest == 0 || o.Version < lowest) {
			lowest = o.Version
		}
	}
	return lowest
}

func seenWith(c *evidence.Client, k suite.KeyExchange) bool {
	return slices.ContainsFunc(c.Outcomes, func(o evidence.Count) bool {
		s := suite.ByCode(o.Suite)
		return o.Result == evidence.Established && s != nil && s.KeyExchange == k
	})
}

// same compares what is known of both.
func same(a, b *Choice) bool {
	return a.Version == b.Version && (a.Suite == 0 || a.Suite == b.Suite) && (a.Group == 0 || b.Group == 0 || a.Group == b.Group)
}

// reason words why a handshake fails, with the two sets that do not meet.
func reason(r *negotiate.Reason) string {
	text := strings.ReplaceAll(string(r.Cause), "-", " ")
	if len(r.Client) > 0 && len(r.Server) > 0 && r.Cause != cause.Unknown {
		text += fmt.Sprintf(": the client has %s, the policy %s", few(r.Client), few(r.Server))
	}
	return text
}

const named = 4 // members of a set that a sentence names

func few(l []string) string {
	if len(l) > named {
		return fmt.Sprintf("%s and %d more", strings.Join(l[:named], ", "), len(l)-named)
	}
	return strings.Join(l, ", ")
}
