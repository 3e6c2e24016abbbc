package negotiate

import (
	"slices"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// usable12 reports whether a group can be used for ECDHE before TLS 1.3.
func usable12(g suite.Group) bool {
	return g >= 1 && g <= suite.X448 // RFC 8422 and the older curves; not ffdhe, not the hybrids
}

func usable13(g suite.Group) bool {
	switch {
	case g >= suite.Secp256r1 && g <= suite.Secp521r1, g == suite.X25519, g == suite.X448:
		return true
	case g >= 31 && g <= 41, g >= 0x100: // TLS 1.3 brainpool, GOST, SM2; ffdhe, ML-KEM and the hybrids
		return true
	}
	return false
}

// postQuantum reports whether a group withstands a quantum computer.
func postQuantum(g suite.Group) bool {
	return g >= 0x200 && g <= 0x202 || g >= 0x11EB && g <= 0x11EE || g == 0x6399 || g == 0x639A
}

// chooseGroup12 chooses the group of ECDHE. A client without supported_groups leaves the choice to the
// server (RFC 8422 section 4).
func (d *decision) chooseGroup12() bool {
	server := d.p.GroupsFor(d.v)
	if !d.o.HasGroups {
		if len(server) > 0 {
			for _, g := range server {
				if usable12(g) {
					d.group = g
					break
				}
			}
		}
		return true
	}
	if server == nil {
		for _, g := range d.o.Groups {
			if usable12(g) {
				d.noGroups = true // the group itself is not known
				return true
			}
		}
		return false
	}
	first, second := server, d.o.Groups
	if d.p.Order == policy.ClientOrder {
		first, second = second, first
	}
	for _, g := range first {
		if usable12(g) && slices.Contains(second, g) {
			d.group = g
			return true
		}
	}
	return false
}

// chooseGroup13 chooses the group of TLS 1.3, and whether another ClientHello is needed for it.
func (d *decision) chooseGroup13() bool {
	server := d.p.GroupsFor(suite.TLS13)
	if server == nil {
		for _, g := range d.o.Groups {
			if usable13(g) {
				d.noGroups = true
				return true
			}
		}
		return false
	}
	first, second := server, d.o.Groups
	if d.p.Order == policy.ClientOrder {
		first, second = second, first
	}
	best, shared := suite.Group(0), suite.Group(0)
	for _, g := range first {
		if !usable13(g) || !slices.Contains(second, g) {
			continue
		}
		if shared == 0 {
			shared = g
		}
		if slices.Contains(d.o.KeyShares, g) {
			best = g
			break
		}
	}
	switch {
	case shared == 0:
		return false
	case best == 0, d.rules.retryForPostQuantum && postQuantum(shared) && !postQuantum(best):
		d.group, d.retry = shared, true
	default:
		d.group = best
	}
	return true
}

// chooseCertificate finds a certificate and a signature scheme for suite s.
func (d *decision) chooseCertificate(s *suite.Suite) obstacle {
	if !needsCertificate(s) {
		return none
	}
	if len(d.id.Certificates) == 0 {
		return d.assumeScheme(s)
	}
	furthest := noCertificate
	for i := range d.id.Certificates {
		c := &d.id.Certificates[i]
		stopped := d.tryCertificate(s, c)
		if stopped == none {
			d.certificate = i
			return none
		}
		furthest = max(furthest, stopped)
	}
	return furthest
}

func (d *decision) tryCertificate(s *suite.Suite, c *policy.Certificate) obstacle {
	if !serves(c.KeyType, s, d.v) {
		return noCertificate
	}
	if d.v < suite.TLS13 {
		if c.KeyType == policy.ECDSA && d.o.HasGroups && c.Curve != 0 && d.rules.certificateCurveInGroups &&
			!slices.Contains(d.o.Groups, c.Curve) {
			return noCertificateCurve
		}
		if !signs(s) {
			return none
		}
		if d.v < suite.TLS12 {
			return none // MD5+SHA1 or SHA1: nothing to agree on
		}
	}
	return d.chooseScheme(c)
}

// serves reports whether a key of type k can authenticate suite s in version v.
func serves(k policy.KeyType, s *suite.Suite, v suite.Version) bool {
	if v == suite.TLS13 {
		return k != policy.DSA
	}
	switch s.Authentication {
	case suite.AuthRSA:
		return k == policy.RSA || k == policy.RSAPSS && v == suite.TLS12 && s.KeyExchange != suite.KXRSA
	case suite.AuthECDSA:
		return k == policy.ECDSA || (k == policy.Ed25519 || k == policy.Ed448) && v == suite.TLS12
	case suite.AuthECDH:
		return k == policy.ECDSA
	case suite.AuthDSS:
		return k == policy.DSA
	}
	return false
}

// signs reports whether the server signs its key exchange in this suite.
func signs(s *suite.Suite) bool {
	return s.KeyExchange == suite.KXDHE || s.KeyExchange == suite.KXECDHE
}

// sha1Defaults stand for a TLS 1.2 client without signature_algorithms (RFC 5246 section 7.4.1.4.1).
var sha1Defaults = []suite.SignatureScheme{suite.RSAPKCS1SHA1, suite.DSASHA1, suite.ECDSASHA1}

func (d *decision) clientSchemes() []suite.SignatureScheme {
	if !d.o.HasSchemes && d.v == suite.TLS12 {
		return sha1Defaults
	}
	return d.o.Schemes
}

// chooseScheme chooses how certificate c signs the handshake, in TLS 1.2 and 1.3.
func (d *decision) chooseScheme(c *policy.Certificate) obstacle {
	client, server := d.clientSchemes(), d.p.Schemes
	if server != nil && d.p.Order != policy.ClientOrder {
		for _, s := range server {
			if slices.Contains(client, s) && d.schemeFits(s, c) {
				d.scheme = s
				return none
			}
		}
		return noScheme
	}
	for _, s := range client {
		if (server == nil || slices.Contains(server, s)) && d.schemeFits(s, c) {
			d.scheme = s
			return none
		}
	}
	return noScheme
}

// assumeScheme chooses for a certificate that is not known: one scheme of the right kind is enough.
func (d *decision) assumeScheme(s *suite.Suite) obstacle {
	if d.v < suite.TLS12 || d.v == suite.TLS12 && !signs(s) {
		return none
	}
	for _, k := range [...]policy.KeyType{policy.ECDSA, policy.RSA, policy.Ed25519, policy.RSAPSS} {
		c := policy.Certificate{KeyType: k}
		if serves(k, s, d.v) && d.chooseScheme(&c) == none {
			d.scheme = 0 // it depends on the certificate
			return none
		}
	}
	return noScheme
}

// schemeFits reports whether key c can sign by scheme s in this version (RFC 8446 section 4.2.3).
func (d *decision) schemeFits(s suite.SignatureScheme, c *policy.Certificate) bool {
	i := suite.SchemeByCode(s)
	if i == nil || !i.TLS13 && d.v == suite.TLS13 || !i.TLS12 && d.v == suite.TLS12 || i.Key != string(c.KeyType) {
		return false
	}
	if d.v == suite.TLS12 && d.rules.refusesSHA1 && i.Digest == "SHA1" {
		return false
	}
	if d.v == suite.TLS13 && i.Curve != 0 && c.Curve != 0 && i.Curve != c.Curve {
		return false
	}
	return c.Bits == 0 || !isPSS(s) || c.Bits >= pssBits(i.Digest)
}

func isPSS(s suite.SignatureScheme) bool {
	return s >= 0x0804 && s <= 0x0806 || s >= 0x0809 && s <= 0x080B
}

// pssBits is the smallest modulus that holds a PSS signature with a salt as long as the digest (RFC 8017
// section 9.1.1).
func pssBits(digest string) int {
	switch digest {
	case "SHA256":
		return 8*(2*32+2) - 7
	case "SHA384":
		return 8*(2*48+2) - 7
	}
	return 8*(2*64+2) - 7
}
