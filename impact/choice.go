package impact

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// byHello is what would tell more than a line of a log.
const byHello = "the client's ClientHello: parley watch on a capture, or parley tap"

// byChoice judges a client of which only the choice is known, as access logs tell it. It offered what was chosen; and
// under a policy whose own order counts it did not offer what the policy has before that, nor any newer version.
func (j *judge) byChoice(e *Effect) {
	if e.Today == nil || e.Today.Suite == 0 {
		e.unknown("the log says nothing of what the client offers", byHello)
		return
	}
	c := e.Today
	assumed, ok := j.groups(c)
	switch {
	case !j.to.Accepts(c.Version):
		j.otherVersion(e)
	case !slices.Contains(j.usable(j.to, c.Version), c.Suite):
		j.otherSuite(e)
	case !ok:
		e.unknown("the log does not tell the client's groups, and the policy lacks secp256r1, which nearly all have", byHello)
	default:
		e.Verdict, e.After = Keeps, &Choice{Version: c.Version, Suite: c.Suite, Group: c.Group}
		if e.Assumes = j.assumes(c, assumed); e.Assumes != "" {
			e.Verdict, e.Decide = Likely, byHello
		}
	}
}

// assumes says what of a client that offers its choice of today might still make it fail.
func (j *judge) assumes(c *Choice, group string) string {
	var l []string
	if group != "" {
		l = append(l, group)
	}
	if slices.ContainsFunc(j.to.Versions, func(v suite.Version) bool { return v > c.Version && (j.from == nil || !j.from.Accepts(v)) }) {
		l = append(l, "with any version above "+c.Version.String()+" it has a group and a suite for that version")
	}
	if j.to.Schemes != nil && (j.from == nil || j.from.Schemes == nil) || j.from != nil && slices.ContainsFunc(j.from.Schemes, func(s suite.SignatureScheme) bool { return j.to.Schemes != nil && !slices.Contains(j.to.Schemes, s) }) {
		l = append(l, "it takes one of the policy's signature schemes")
	}
	return strings.Join(l, "; ")
}

// otherVersion judges a client whose version of today goes away.
func (j *judge) otherVersion(e *Effect) {
	v := e.Today.Version
	newer := func(w suite.Version) bool { return w > v }
	switch {
	case !slices.ContainsFunc(j.to.Versions, newer):
		e.unknown(fmt.Sprintf("it negotiates %s today, and whether it goes down from that is not known", v), byHello)
	case j.from == nil:
		e.unknown(fmt.Sprintf("it negotiates %s today, and whether the load balancer offered more is not known", v), "the policy of today (--from), or "+byHello)
	case !j.newVersion(v):
		// A server takes the newest version that both have (RFC 8446 section 4.1.3, RFC 5246 appendix E.1).
		e.Verdict, e.Cause = Breaks, cause.NoCommonVersion
		e.Reason = fmt.Sprintf("%s is the newest version that it has in common with %s, and %s does not accept it", v, j.from.Name, j.to.Name)
	default:
		e.unknown(fmt.Sprintf("it negotiates %s today; %s accepts newer versions that %s does not, and the log does not tell whether the client has those", v, j.to.Name, j.from.Name), byHello)
	}
}

// otherSuite judges a client whose cipher suite of today goes away while its version stays.
func (j *judge) otherSuite(e *Effect) {
	c := e.Today
	if j.from == nil || j.from.Order != policy.ServerOrder {
		e.unknown(fmt.Sprintf("%s goes away, and the log does not tell what else the client offers", c.Suite.OpenSSL()), "the policy of today (--from), or "+byHello)
		return
	}
	before := j.usable(j.from, c.Version)
	i := slices.Index(before, c.Suite)
	left := slices.DeleteFunc(slices.Clone(j.usable(j.to, c.Version)), func(s suite.Code) bool { return i >= 0 && slices.Contains(before[:i], s) })
	// ChaCha20 can be the client's wish against the policy's order (OpenSSL's PrioritizeChaCha, s2n's chacha20_boosting).
	if i < 0 || len(left) > 0 || j.newVersion(c.Version) || suite.ByCode(c.Suite).Encryption == "CHACHA20" {
		e.unknown(fmt.Sprintf("%s goes away, and the log does not tell whether the client offers any of the suites that %s has after it", c.Suite.OpenSSL(), j.to.Name), byHello)
		return
	}
	e.Verdict, e.Cause = Breaks, cause.NoCommonCipher
	e.Reason = fmt.Sprintf("%s prefers every suite that %s has for %s to %s, so that the client offers none of them", j.from.Name, j.to.Name, c.Version, c.Suite.OpenSSL())
}

// newVersion reports whether a client that negotiates v today may come to negotiate a newer one. The versions of clients have
// no gaps (RFC 5246 appendix E.1 does not even allow for any): one that lacks a version lacks those above it.
func (j *judge) newVersion(v suite.Version) bool {
	lacks := slices.ContainsFunc(j.from.Versions, func(w suite.Version) bool { return w > v })
	return !lacks && slices.ContainsFunc(j.to.Versions, func(w suite.Version) bool { return w > v })
}

// usable lists the suites of p that version v can carry and a certificate serves, in p's order. With certificates of two
// kinds the order over both is not known to hold, since some servers choose the certificate first: nothing follows from it.
func (j *judge) usable(p *policy.Policy, v suite.Version) []suite.Code {
	return slices.DeleteFunc(slices.Clone(p.SuitesFor(v)), func(c suite.Code) bool {
		s := suite.ByCode(c)
		return s == nil || !s.UsableIn(v) || !j.certified(s)
	})
}

func (j *judge) certified(s *suite.Suite) bool {
	if j.id == nil || len(j.id.Certificates) == 0 || s.Authentication == suite.AuthAny {
		return true
	}
	return slices.ContainsFunc(j.id.Certificates, func(c policy.Certificate) bool {
		switch s.Authentication {
		case suite.AuthRSA:
			return c.KeyType == policy.RSA
		case suite.AuthECDSA:
			return c.KeyType == policy.ECDSA || c.KeyType == policy.Ed25519 || c.KeyType == policy.Ed448
		case suite.AuthDSS:
			return c.KeyType == policy.DSA
		}
		return false
	})
}

// groups says what has to be taken for granted of the client's groups, "" if nothing; ok is false where that would be
// too much. Hardly any client with elliptic curves lacks secp256r1, which RFC 8446 section 9.1 demands.
func (j *judge) groups(c *Choice) (assumed string, ok bool) {
	s := suite.ByCode(c.Suite)
	now := j.to.GroupsFor(c.Version)
	if s == nil || len(now) == 0 || !s.KeyExchange.UsesEC() && s.KeyExchange != suite.KXAny {
		return "", true
	}
	if slices.Contains(now, c.Group) {
		return "", true
	}
	if c.Group == 0 && j.from != nil && len(j.from.GroupsFor(c.Version)) > 0 &&
		!slices.ContainsFunc(j.from.GroupsFor(c.Version), func(g suite.Group) bool { return !slices.Contains(now, g) }) {
		return "", true
	}
	if slices.Contains(now, suite.Secp256r1) {
		return "it has the group secp256r1", true
	}
	return "", false
}
