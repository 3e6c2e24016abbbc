package connect

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/parley-tls/parley/suite"
)

// library is the one that completes handshakes, as the report names it.
const library = "Go's crypto/tls"

var goSuites = func() []suite.Code {
	var l []suite.Code
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		l = append(l, suite.Code(s.ID))
	}
	return l
}()

var goGroups = []suite.Group{suite.X25519MLKEM768, suite.SecP256r1MLKEM768, suite.SecP384r1MLKEM1024,
	suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1}

// plan is how crypto/tls is to complete the handshake that the forced hello began.
type plan struct {
	version suite.Version
	suites  []uint16      // before TLS 1.3; in TLS 1.3 crypto/tls offers all it has
	groups  []tls.CurveID // nil: crypto/tls's own
	lacks   string        // what crypto/tls does not have of the endpoint's choice, "" if nothing
	// hopeless: without it nothing is left to offer.
	hopeless bool
}

// plan holds crypto/tls to what the endpoint chose from the forced hello; where it has no such thing, to the
// rest of the offer.
func (a *attempt) plan(chain []*x509.Certificate) plan {
	p := plan{version: a.seen.Version}
	if p.version < suite.TLS10 || p.version > suite.TLS13 {
		p.lacks, p.hopeless = spoken(p.version), true
		return p
	}
	if key := unknownKey(chain); key != "" {
		p.lacks, p.hopeless = key, true
		return p
	}
	left := []suite.Code{a.seen.Suite}
	if !slices.Contains(goSuites, a.seen.Suite) {
		p.lacks = a.seen.Suite.OpenSSL()
		left = slices.DeleteFunc(usable(a.offer.Suites, []suite.Version{p.version}), func(c suite.Code) bool { return !slices.Contains(goSuites, c) })
	}
	for _, c := range left {
		p.suites = append(p.suites, uint16(c))
	}
	p.hopeless = len(left) == 0
	if !p.hopeless {
		p.chooseGroups(a, chain)
	}
	return p
}

func (p *plan) chooseGroups(a *attempt, chain []*x509.Certificate) {
	g := a.seen.Group
	if g != 0 && slices.Contains(goGroups, g) {
		p.groups = []tls.CurveID{tls.CurveID(g)}
		// Before TLS 1.3 OpenSSL wants the curves of both sides' certificates among the groups as well.
		for _, c := range []suite.Group{curveOf(chain), curveOf(a.ownChain())} {
			if p.version < suite.TLS13 && slices.Contains(a.offer.Groups, c) && !slices.Contains(p.groups, tls.CurveID(c)) {
				p.groups = append(p.groups, tls.CurveID(c))
			}
		}
		return
	}
	for _, x := range a.offer.Groups {
		if slices.Contains(goGroups, x) {
			p.groups = append(p.groups, tls.CurveID(x))
		}
	}
	if g != 0 {
		p.lacks = "group " + g.String()
		p.hopeless = len(p.groups) == 0
	}
}

// unknownKey names the kind of the server's key if crypto/tls cannot verify its signatures.
func unknownKey(chain []*x509.Certificate) string {
	if len(chain) == 0 {
		return ""
	}
	switch k := chain[0].PublicKey.(type) {
	case *rsa.PublicKey, ed25519.PublicKey:
		return ""
	case *ecdsa.PublicKey:
		if curveOf(chain) != 0 {
			return ""
		}
		return fmt.Sprintf("keys on the curve %s", k.Params().Name)
	}
	return "keys of the type " + keyName(chain[0])
}

// curveOf is the curve of the server's key, 0 if it has none that crypto/tls knows.
func curveOf(chain []*x509.Certificate) suite.Group {
	if len(chain) == 0 {
		return 0
	}
	if k, ok := chain[0].PublicKey.(*ecdsa.PublicKey); ok {
		if g := suite.GroupByName(k.Params().Name); g != nil && slices.Contains(goGroups, g.Code) {
			return g.Code
		}
	}
	return 0
}
