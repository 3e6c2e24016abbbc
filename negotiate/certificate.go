package negotiate

import (
	"slices"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// chooseCertificate finds a certificate and a signature scheme for suite s.
func (d *decision) chooseCertificate(s *suite.Suite) obstacle {
	if !needsCertificate(s) {
		return none
	}
	if len(d.id.Certificates) == 0 {
		return d.assumeScheme(s)
	}
	if d.rules.schemeFirst && len(d.id.Certificates) > 1 && d.pinned < 0 && d.needsScheme(s) {
		return d.chooseBoth(s)
	}
	furthest := noCertificate
	for i := range d.id.Certificates {
		if d.pinned >= 0 && i != d.pinned {
			continue
		}
		c := &d.id.Certificates[i]
		stopped := d.serves(c, s)
		if stopped == none && d.needsScheme(s) {
			stopped = d.chooseScheme(s, c)
		}
		if stopped == none {
			d.certificate = i
			return none
		}
		furthest = max(furthest, stopped)
	}
	d.stop = d.stop || furthest == noScheme && d.schemeIsFinal(s)
	return furthest
}

// chooseBoth goes through the schemes in order and takes the first for which there is a certificate.
func (d *decision) chooseBoth(s *suite.Suite) obstacle {
	furthest := noCertificate
	for i := range d.id.Certificates {
		if stopped := d.serves(&d.id.Certificates[i], s); stopped == none {
			furthest = noScheme
		} else {
			furthest = max(furthest, stopped)
		}
	}
	if furthest != noScheme {
		return furthest
	}
	first, second := d.schemeLists()
	for _, scheme := range first {
		if second != nil && !slices.Contains(second, scheme) {
			continue
		}
		for i := range d.id.Certificates {
			c := &d.id.Certificates[i]
			if d.serves(c, s) == none && d.schemeFits(scheme, c) {
				d.take(scheme, s)
				d.certificate = i
				return none
			}
		}
	}
	if d.rules.signsUnoffered {
		d.unoffered = true
	}
	d.stop = d.stop || d.schemeIsFinal(s)
	return noScheme
}

// schemeIsFinal reports whether the server has committed itself to suite s before it looks at schemes.
func (d *decision) schemeIsFinal(s *suite.Suite) bool {
	switch d.rules.schemeFinal {
	case alwaysFinal:
		return true
	case finalForRSA:
		return s.Authentication == suite.AuthRSA
	}
	return false
}

// serves reports whether certificate c can authenticate suite s in this version, or what stops it.
func (d *decision) serves(c *policy.Certificate, s *suite.Suite) obstacle {
	if d.rules.ed25519TooEarly && c.KeyType == policy.Ed25519 && d.v < suite.TLS12 && s.Authentication == suite.AuthECDSA {
		d.stop = true
	}
	if !fitsSuite(c.KeyType, s, d.v) || d.rules.noRSAPSSKeys && c.KeyType == policy.RSAPSS || d.rules.noEd25519 && c.KeyType == policy.Ed25519 {
		return noCertificate
	}
	if d.v < suite.TLS13 && c.KeyType == policy.ECDSA && c.Curve != 0 {
		switch d.rules.certificateCurve {
		case curveIfSent:
			if d.o.HasGroups && !slices.Contains(d.o.Groups, c.Curve) {
				return noCertificateCurve
			}
		case curveAlways:
			if !slices.Contains(d.o.Groups, c.Curve) {
				return noCertificateCurve
			}
		}
	}
	return none
}

// fitsSuite reports whether a key of type k can authenticate suite s in version v.
func fitsSuite(k policy.KeyType, s *suite.Suite, v suite.Version) bool {
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
	switch s.KeyExchange {
	case suite.KXDHE, suite.KXECDHE, suite.KXAny:
		return true
	}
	return false
}

// needsScheme reports whether a signature scheme has to be agreed on for suite s. Before TLS 1.2 the
// signature is MD5 with SHA-1 or SHA-1: there is nothing to agree on.
func (d *decision) needsScheme(s *suite.Suite) bool {
	return d.v >= suite.TLS12 && (signs(s) || d.rules.schemeForRSAKeyExchange && s.KeyExchange == suite.KXRSA)
}

// sha1Defaults stand for a TLS 1.2 client without signature_algorithms (RFC 5246 section 7.4.1.4.1).
var sha1Defaults = []suite.SignatureScheme{suite.RSAPKCS1SHA1, suite.DSASHA1, suite.ECDSASHA1}

func (d *decision) clientSchemes() []suite.SignatureScheme {
	if !d.o.HasSchemes && d.v == suite.TLS12 && !d.rules.refusesWithoutSchemes {
		return sha1Defaults
	}
	return d.o.Schemes
}

func (d *decision) serverSchemes() []suite.SignatureScheme {
	if d.p.Schemes != nil {
		return d.p.Schemes
	}
	return d.rules.schemes
}

// schemeLists returns the lists of both sides, the one that decides first. The second is nil where the
// server's is not known.
func (d *decision) schemeLists() (first, second []suite.SignatureScheme) {
	server, client := d.serverSchemes(), d.clientSchemes()
	if server == nil {
		return client, nil
	}
	first, second = inOrder(d, d.rules.schemeOrder, server, client)
	if second == nil {
		return nil, nil // the client offers none
	}
	return first, second
}

// sharesScheme reports whether any scheme at all is in both lists.
func (d *decision) sharesScheme() bool {
	server := d.serverSchemes()
	return server == nil || slices.ContainsFunc(d.clientSchemes(), func(s suite.SignatureScheme) bool { return slices.Contains(server, s) })
}

// chooseScheme chooses how certificate c signs the handshake, in TLS 1.2 and 1.3.
func (d *decision) chooseScheme(s *suite.Suite, c *policy.Certificate) obstacle {
	first, second := d.schemeLists()
	for _, scheme := range first {
		if (second == nil || slices.Contains(second, scheme)) && d.schemeFits(scheme, c) {
			d.take(scheme, s)
			return none
		}
	}
	if d.rules.signsUnoffered {
		d.unoffered = true
	}
	return noScheme
}

// take notes a scheme, if anything is signed by it.
func (d *decision) take(scheme suite.SignatureScheme, s *suite.Suite) {
	if signs(s) {
		d.scheme = scheme
	}
}

// assumeScheme chooses for a certificate that is not known: one scheme of the right kind is enough.
func (d *decision) assumeScheme(s *suite.Suite) obstacle {
	if !d.needsScheme(s) {
		return none
	}
	for _, k := range [...]policy.KeyType{policy.ECDSA, policy.RSA, policy.Ed25519, policy.RSAPSS} {
		c := policy.Certificate{KeyType: k}
		if d.serves(&c, s) == none && d.chooseScheme(s, &c) == none {
			d.scheme = 0 // it depends on the certificate
			return none
		}
	}
	d.stop = d.stop || d.schemeIsFinal(s)
	return noScheme
}

// schemeFits reports whether key c can sign by scheme s in this version (RFC 8446 section 4.2.3).
func (d *decision) schemeFits(s suite.SignatureScheme, c *policy.Certificate) bool {
	i := suite.SchemeByCode(s)
	if i == nil || !i.TLS13 && d.v == suite.TLS13 || !i.TLS12 && d.v == suite.TLS12 || i.Key != string(c.KeyType) {
		return false
	}
	if i.Digest == "SHA1" && d.p.Schemes == nil && d.refusesSHA1() {
		return false
	}
	if (d.v == suite.TLS13 || d.rules.schemeBindsCurve) && i.Curve != 0 && c.Curve != 0 && i.Curve != c.Curve {
		return false
	}
	// signature_algorithms_cert, where it is sent, speaks for the signature on the certificate itself.
	if d.o.CertSchemes != nil && c.SignatureScheme != 0 && !c.SelfSigned && !slices.Contains(d.o.CertSchemes, c.SignatureScheme) {
		return false
	}
	return c.Bits == 0 || !isPSS(s) || c.Bits >= pssBits(i.Digest)
}

func (d *decision) refusesSHA1() bool {
	switch d.rules.sha1 {
	case sha1Refused:
		return true
	case sha1WithOldVersions:
		return d.p.Versions[0] >= suite.TLS12
	}
	return false
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

// pinCertificate chooses a certificate before the suite, for servers that do.
func (d *decision) pinCertificate() {
	if len(d.id.Certificates) < 2 {
		return
	}
	switch d.rules.certificateFirst {
	case firstThatFit:
		d.pinned = 0
		for i := range d.id.Certificates {
			if d.supported(&d.id.Certificates[i]) {
				d.pinned = i
				return
			}
		}
	case bySchemes:
		d.pinned = d.byKind()
	}
}

// supported reports whether the client supports a certificate in full, as Go's
// ClientHelloInfo.SupportsCertificate does: name, scheme, curve and suite.
func (d *decision) supported(c *policy.Certificate) bool {
	if d.o.ServerName != "" && len(c.Names) > 0 && !MatchesName(c, d.o.ServerName) {
		return false
	}
	probe := decision{o: d.o, p: d.p, rules: d.rules, v: d.v}
	if len(d.o.Schemes) > 0 {
		first, second := probe.schemeLists()
		if !slices.ContainsFunc(first, func(s suite.SignatureScheme) bool {
			return slices.Contains(second, s) && probe.schemeFits(s, c)
		}) {
			return probe.rsaKeyExchange(c)
		}
	}
	if d.v == suite.TLS13 {
		return true
	}
	if !probe.chooseGroup12() {
		return probe.rsaKeyExchange(c)
	}
	switch c.KeyType {
	case policy.ECDSA:
		if !slices.Contains(d.o.Groups, c.Curve) || !slices.Contains(d.p.GroupsFor(d.v), c.Curve) {
			return false
		}
	case policy.Ed25519:
		if d.v < suite.TLS12 || len(d.o.Schemes) == 0 {
			return false
		}
	}
	return d.sharesSuiteOf(c, suite.KXECDHE) || probe.rsaKeyExchange(c)
}

// rsaKeyExchange reports whether an RSA certificate can serve without a signature.
func (d *decision) rsaKeyExchange(c *policy.Certificate) bool {
	return d.v < suite.TLS13 && c.KeyType == policy.RSA && d.sharesSuiteOf(c, suite.KXRSA)
}

func (d *decision) sharesSuiteOf(c *policy.Certificate, kx suite.KeyExchange) bool {
	for _, code := range d.p.SuitesFor(d.v) {
		s := suite.ByCode(code)
		if s != nil && s.KeyExchange == kx && s.UsableIn(d.v) && fitsSuite(c.KeyType, s, d.v) && slices.Contains(d.o.Suites, code) {
			return true
		}
	}
	return false
}

// byKind takes an ECDSA certificate for a client with an ECDSA scheme and an ECDSA suite, else an RSA one; a
// client whose schemes are of neither kind, PSS alone for one, gets the ECDSA certificate all the same.
func (d *decision) byKind() int {
	has := func(signature suite.SignatureScheme) bool {
		return slices.ContainsFunc(d.o.Schemes, func(s suite.SignatureScheme) bool { return s&0xFF == signature })
	}
	d.pinnedBySchemes = d.o.HasSchemes && !has(1)
	ecdsa := d.pinnedBySchemes || has(3) &&
		slices.ContainsFunc(d.o.Suites, func(c suite.Code) bool {
			s := suite.ByCode(c)
			return s != nil && (s.Authentication == suite.AuthECDSA || s.Authentication == suite.AuthAny)
		})
	for i := range d.id.Certificates {
		if k := d.id.Certificates[i].KeyType; ecdsa && k == policy.ECDSA || !ecdsa && k == policy.RSA {
			return i
		}
	}
	return 0
}
