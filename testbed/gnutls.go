package testbed

import (
	"slices"
	"strings"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// GnuTLS has no list of suites: a priority string lists key exchanges, ciphers and MACs, and every suite
// made of them is on, ordered by key exchange, then cipher, then MAC.

// gnutlsParts names the parts of a suite; kx is "" in TLS 1.3.
func gnutlsParts(s *suite.Suite) (kx, cipher, mac string) {
	switch {
	case s.KeyExchange == suite.KXRSA:
		kx = "RSA"
	case s.KeyExchange == suite.KXECDHE && s.Authentication == suite.AuthRSA:
		kx = "ECDHE-RSA"
	case s.KeyExchange == suite.KXECDHE && s.Authentication == suite.AuthECDSA:
		kx = "ECDHE-ECDSA"
	}
	bits := map[int]string{128: "-128", 256: "-256"}[s.Bits]
	switch {
	case s.Encryption == "AES" || s.Encryption == "CAMELLIA":
		cipher = s.Encryption + bits + "-" + strings.Replace(s.Mode, "CCM8", "CCM-8", 1)
	case s.Encryption == "CHACHA20":
		cipher = "CHACHA20-POLY1305"
	case s.Encryption == "3DES":
		cipher = "3DES-CBC"
	case s.Encryption == "RC4" && s.Bits == 128:
		cipher = "ARCFOUR-128"
	}
	return kx, cipher, s.MAC
}

func gnutlsSuite(c suite.Code) bool {
	s := suite.ByCode(c)
	kx, cipher, _ := gnutlsParts(s)
	return s.GnuTLS != "" && s.Authentication != suite.AuthAnon && cipher != "" && (kx != "" || s.KeyExchange == suite.KXAny)
}

func gnutlsGroup(g suite.Group) bool { return ecGroup(g) || g == suite.X448 }

// gnutlsLists are the components of the policy's suites, in the order in which they first come up.
func gnutlsLists(p *policy.Policy) (kxs, ciphers, macs []string) {
	add := func(l []string, s string) []string {
		if s == "" || slices.Contains(l, s) {
			return l
		}
		return append(l, s)
	}
	for _, code := range p.Suites {
		kx, cipher, mac := gnutlsParts(suite.ByCode(code))
		kxs, ciphers, macs = add(kxs, kx), add(ciphers, cipher), add(macs, mac)
	}
	return kxs, ciphers, macs
}

// gnutlsOrder replaces the policy's suites by those that its components make.
func gnutlsOrder(p *policy.Policy) {
	kxs, ciphers, macs := gnutlsLists(p)
	p.Suites = nil
	if p.Accepts(suite.TLS13) {
		kxs = append([]string{""}, kxs...)
	}
	for _, kx := range kxs {
		for _, cipher := range ciphers {
			for _, mac := range macs {
				for _, s := range suite.All() {
					k, c, m := gnutlsParts(&s)
					if k == kx && c == cipher && m == mac && gnutlsSuite(s.Code) {
						p.Suites = append(p.Suites, s.Code)
					}
				}
			}
		}
	}
}

// gnutlsPriority is the priority string of the policy.
func (c *Config) gnutlsPriority() string {
	p := &c.Policy
	l := []string{"NONE"}
	for _, v := range slices.Backward(p.Versions) {
		l = append(l, "+VERS-"+strings.Replace(v.String(), "TLSv", "TLS", 1))
	}
	kxs, ciphers, macs := gnutlsLists(p)
	for _, part := range slices.Concat(kxs, ciphers, macs) {
		l = append(l, "+"+part)
	}
	for _, g := range p.Groups {
		l = append(l, "+"+suite.GroupByCode(g).GnuTLS)
	}
	l = append(l, "+SIGN-ALL", "+COMP-NULL", "+CTYPE-X509")
	if p.Order == policy.ServerOrder {
		l = append(l, "%SERVER_PRECEDENCE")
	}
	return strings.Join(l, ":")
}
