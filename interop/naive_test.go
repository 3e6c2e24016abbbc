package interop

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// What a failure must be blamed on, said as plainly as can be: intersect the two sides' sets, one after
// the other, and blame the first that comes out empty. It knows nothing of how servers choose, and shares
// no code with negotiate.
func expectedCause(o *hello.Offer, host string, p *policy.Policy, id *policy.Identity) (cause.ID, error) {
	if o.SSLv2Format && !takesSSLv2Format[p.Engine] {
		return cause.SSLv2HelloRefused, nil
	}
	var versions []suite.Version
	for _, v := range o.Versions {
		if slices.Contains(p.Versions, v) && v >= o.Accepts.MinVersion {
			versions = append(versions, v)
		}
	}
	if len(versions) == 0 {
		return cause.NoCommonVersion, nil
	}
	version := slices.Max(versions)
	all := id
	id = candidates(o, p, id)
	if o.FallbackSCSV && slices.Max(p.Versions) > slices.Max(o.Versions) {
		return cause.InappropriateFallback, nil
	}
	var shared, signable, reachable []suite.Code
	for _, c := range o.Suites {
		s := suite.ByCode(c)
		if s != nil && slices.Contains(p.Suites, c) && s.MinVersion <= version && version <= s.MaxVersion {
			shared = append(shared, c)
		}
	}
	if len(shared) == 0 {
		return cause.NoCommonCipher, nil
	}
	if version == suite.TLS12 && (p.Engine == policy.EngineOpenSSL || p.Engine == negotiate.EngineOpenSSL35 || p.Engine == negotiate.EngineHAProxy) && !schemesOverlap(o, p) {
		// Even for suites that sign nothing. A hello without extensions lacks groups as well: with suites that
		// need both, adding either alone does not help, and the group is asked for first.
		if !o.HasGroups && !o.HasSchemes && !slices.ContainsFunc(shared, func(c suite.Code) bool { return suite.ByCode(c).KeyExchange != suite.KXECDHE }) && canSign(shared, id, version) {
			return cause.NoCommonGroup, nil
		}
		return cause.NoCommonSignatureAlgorithm, nil
	}
	for _, c := range shared {
		for _, k := range id.Certificates {
			if keyFits(suite.ByCode(c), k.KeyType, version) {
				signable = append(signable, c)
			}
		}
	}
	if len(signable) == 0 {
		if len(all.Certificates) > len(id.Certificates) && !signsAs(o, 1) && canSign(shared, all, version) {
			return cause.NoCommonSignatureAlgorithm, nil // which is what kept the RSA certificate out
		}
		return cause.CipherNeedsOtherCertificate, nil
	}
	for _, c := range signable {
		kx := suite.ByCode(c).KeyExchange
		if kx != suite.KXECDHE && kx != suite.KXAny || groupsMeet(o, p, id, version) {
			reachable = append(reachable, c)
		}
	}
	if len(reachable) == 0 {
		return cause.NoCommonGroup, nil
	}
	if signs := slices.ContainsFunc(reachable, func(c suite.Code) bool { return suite.ByCode(c).KeyExchange == suite.KXRSA }); !signs && !schemesMeet(o, p, id, version) {
		return cause.NoCommonSignatureAlgorithm, nil
	}
	for _, k := range id.Certificates {
		switch {
		case k.KeyType == policy.RSA && k.Bits < o.Accepts.MinRSABits, slices.Contains(o.Accepts.RefusedDigests, k.SignatureDigest):
			return cause.WeakCertificateKey, nil
		case !k.NotAfter.IsZero() && time.Now().After(k.NotAfter):
			return cause.CertificateExpired, nil
		case !slices.Contains(k.Names, cmp.Or(o.ServerName, host)):
			return cause.CertificateNameMismatch, nil
		}
	}
	return "", fmt.Errorf("nothing in the two sides' sets speaks against it")
}

// takesSSLv2Format: who still reads a ClientHello in the record format of SSLv2.
var takesSSLv2Format = map[policy.Engine]bool{policy.EngineOpenSSL: true, negotiate.EngineOpenSSL10: true, negotiate.EngineOpenSSL35: true, negotiate.EngineHAProxy: true, policy.EngineGnuTLS: true, policy.EngineGo: false, policy.EngineJSSE: false}

// canSign reports whether some certificate serves one of the suites.
func canSign(suites []suite.Code, id *policy.Identity, v suite.Version) bool {
	return slices.ContainsFunc(suites, func(c suite.Code) bool {
		return slices.ContainsFunc(id.Certificates, func(k policy.Certificate) bool { return keyFits(suite.ByCode(c), k.KeyType, v) })
	})
}

func keyFits(s *suite.Suite, k policy.KeyType, v suite.Version) bool {
	if v == suite.TLS13 {
		return true
	}
	switch s.Authentication {
	case suite.AuthRSA:
		return k == policy.RSA
	case suite.AuthECDSA:
		return k == policy.ECDSA || k == policy.Ed25519 && v == suite.TLS12
	}
	return false
}

// candidates are the certificates that come into question. HAProxy takes the ECDSA one, and no other, for a
// client that has an ECDSA suite and scheme, or no RSA scheme of the TLS 1.2 kind.
func candidates(o *hello.Offer, p *policy.Policy, id *policy.Identity) *policy.Identity {
	if p.Engine != negotiate.EngineHAProxy || len(id.Certificates) < 2 {
		return id
	}
	ecdsaSuite := slices.ContainsFunc(o.Suites, func(c suite.Code) bool {
		s := suite.ByCode(c)
		return s != nil && (s.Authentication == suite.AuthECDSA || s.KeyExchange == suite.KXAny)
	})
	kind := policy.ECDSA
	if rsa := signsAs(o, 1) || !o.HasSchemes; rsa && !(signsAs(o, 3) && ecdsaSuite) {
		kind = policy.RSA
	}
	return &policy.Identity{Certificates: slices.DeleteFunc(slices.Clone(id.Certificates), func(c policy.Certificate) bool { return c.KeyType != kind })}
}

// signsAs reports whether the client lists schemes of a kind of TLS 1.2: 1 is RSA, 3 is ECDSA (RFC 5246 section 7.4.1.4.1).
func signsAs(o *hello.Offer, kind suite.SignatureScheme) bool {
	return slices.ContainsFunc(o.Schemes, func(s suite.SignatureScheme) bool { return s&0xFF == kind })
}

// groupsMeet: a client that names no groups takes any, but OpenSSL and Go give it no ECDHE.
func groupsMeet(o *hello.Offer, p *policy.Policy, id *policy.Identity, v suite.Version) bool {
	if !o.HasGroups {
		return p.Engine == policy.EngineGnuTLS || p.Engine == policy.EngineJSSE || p.Engine == negotiate.EngineOpenSSL10
	}
	common := false
	for _, g := range o.Groups {
		if slices.Contains(p.Groups, g) && (v == suite.TLS13 || g < suite.FFDHE2048) {
			common = true
		}
	}
	if v == suite.TLS13 || p.Engine == policy.EngineGo && !o.Accepts.CurveInGroups {
		return common
	}
	for _, k := range id.Certificates { // before TLS 1.3 the list is for the certificate's curve too
		if k.KeyType != policy.ECDSA || slices.Contains(o.Groups, k.Curve) {
			return common
		}
	}
	return false
}

// schemesOverlap: a client without signature_algorithms means SHA-1 (RFC 5246 section 7.4.1.4.1), which
// OpenSSL 3.0 has at security level 0 only; the test bed sets that for old versions and where asked to.
func schemesOverlap(o *hello.Offer, p *policy.Policy) bool {
	switch {
	case !o.HasSchemes:
		return p.Schemes != nil || slices.Min(p.Versions) < suite.TLS12
	case p.Schemes == nil:
		return true
	}
	return slices.ContainsFunc(o.Schemes, func(s suite.SignatureScheme) bool { return slices.Contains(p.Schemes, s) })
}

func schemesMeet(o *hello.Offer, p *policy.Policy, id *policy.Identity, v suite.Version) bool {
	if v < suite.TLS12 {
		return true
	}
	if !o.HasSchemes { // SHA-1 then, which Ed25519 can't do
		return slices.ContainsFunc(id.Certificates, func(k policy.Certificate) bool { return k.KeyType != policy.Ed25519 })
	}
	for _, s := range o.Schemes {
		i := suite.SchemeByCode(s)
		if i == nil || v == suite.TLS13 && !i.TLS13 || p.Schemes != nil && !slices.Contains(p.Schemes, s) {
			continue
		}
		for _, k := range id.Certificates {
			bound := v == suite.TLS13 || p.Engine == policy.EngineJSSE // where a scheme names the curve too
			if i.Key == string(k.KeyType) && (!bound || i.Curve == 0 || i.Curve == k.Curve) {
				return true
			}
		}
	}
	return false
}
