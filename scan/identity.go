package scan

import (
	"bytes"
	"context"
	"crypto/dsa" //lint:ignore SA1019 old servers still present DSA keys; they are only measured here
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"strings"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan/handshake"
	"github.com/parley-tls/parley/suite"
)

// parseChain parses the certificates that can be parsed, in the order in which they were sent.
func parseChain(der [][]byte) []*x509.Certificate {
	var chain []*x509.Certificate
	for _, d := range der {
		if c, err := x509.ParseCertificate(d); err == nil {
			chain = append(chain, c)
		}
	}
	return chain
}

// addChain adds a chain (DER, leaf first) to the identity, unless its leaf is there already: most answers of an endpoint
// have the same.
func (e *Endpoint) addChain(der [][]byte) {
	if len(der) == 0 || e.presents(der[0]) {
		return
	}
	chain := parseChain(der)
	if len(chain) == 0 || e.presents(chain[0].Raw) { // what comes first may be none that can be parsed
		return
	}
	e.Chains = append(e.Chains, chain)
	e.Identity.Certificates = append(e.Identity.Certificates, Describe(chain))
}

func (e *Endpoint) presents(leaf []byte) bool {
	return slices.ContainsFunc(e.Chains, func(have []*x509.Certificate) bool { return bytes.Equal(have[0].Raw, leaf) })
}

// Describe reduces a chain, leaf first, to what decides a negotiation.
func Describe(chain []*x509.Certificate) policy.Certificate {
	leaf := chain[0]
	c := policy.Certificate{
		Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(), Names: slices.Clone(leaf.DNSNames),
		NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, Chain: len(chain),
		SelfSigned:      bytes.Equal(leaf.RawSubject, leaf.RawIssuer),
		SignatureDigest: weakestDigest(chain),
	}
	for _, ip := range leaf.IPAddresses {
		c.Names = append(c.Names, ip.String())
	}
	if len(c.Names) == 0 && leaf.Subject.CommonName != "" {
		c.Names = []string{leaf.Subject.CommonName} // older clients still read it
	}
	switch k := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		c.KeyType, c.Bits = policy.RSA, k.N.BitLen()
		if oid := []byte{0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A}; bytes.Contains(leaf.RawSubjectPublicKeyInfo[:min(32, len(leaf.RawSubjectPublicKeyInfo))], oid) {
			c.KeyType = policy.RSAPSS // id-RSASSA-PSS (RFC 4055)
		}
	case *ecdsa.PublicKey:
		c.KeyType, c.Bits = policy.ECDSA, k.Params().BitSize
		if g := suite.GroupByName(k.Params().Name); g != nil {
			c.Curve = g.Code
		}
	case ed25519.PublicKey:
		c.KeyType, c.Bits = policy.Ed25519, 256
	case *dsa.PublicKey:
		c.KeyType, c.Bits = policy.DSA, k.P.BitLen()
	default:
		// id-Ed448 is 1.3.101.113 (RFC 8410); Go does not parse its keys.
		if bytes.Contains(leaf.RawSubjectPublicKeyInfo[:min(16, len(leaf.RawSubjectPublicKeyInfo))], []byte{0x2B, 0x65, 0x71}) {
			c.KeyType, c.Bits = policy.Ed448, 456
		}
	}
	for _, x := range chain {
		if k, ok := x.PublicKey.(*rsa.PublicKey); ok && (c.MinChainBits == 0 || k.N.BitLen() < c.MinChainBits) {
			c.MinChainBits = k.N.BitLen()
		}
	}
	return c
}

// weakestDigest is the weakest digest by which a certificate of the chain is signed. Self-signed
// certificates do not count: nobody checks the signature of a root.
func weakestDigest(chain []*x509.Certificate) string {
	weakest, rank := "", 0
	for i, c := range chain {
		if bytes.Equal(c.RawSubject, c.RawIssuer) && (i > 0 || len(chain) == 1) && i > 0 {
			continue
		}
		d := digestOf(c.SignatureAlgorithm)
		r := slices.Index([]string{"", "SHA512", "SHA384", "SHA256", "SHA1", "MD5"}, d)
		if r > rank {
			weakest, rank = d, r
		}
	}
	return weakest
}

func digestOf(a x509.SignatureAlgorithm) string {
	s := strings.ReplaceAll(a.String(), "-", "")
	for _, d := range []string{"MD5", "SHA1", "SHA256", "SHA384", "SHA512"} {
		if strings.Contains(s, d) {
			return d
		}
	}
	return ""
}

// certificate13 reads the chain (DER) that TLS 1.3 encrypts. It verifies nothing: what it returns is evidence, not trust.
// clientAuth tells whether a client certificate was asked for.
func certificate13(ctx context.Context, p *probe.Prober, t probe.Target, sni string) (chain [][]byte, clientAuth bool) {
	r := handshake.Do(ctx, p, t, &handshake.Question{Offer: base(sni, suite.TLS13, common13)})
	return r.Chain, r.ClientAuth
}
