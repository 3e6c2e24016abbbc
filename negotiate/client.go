package negotiate

import (
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// clientAccepts applies the client's own demands to what the server chose.
func (d *decision) clientAccepts(out Outcome) Outcome {
	a := &d.o.Accepts
	s := suite.ByCode(out.Suite)
	switch {
	case d.v < suite.TLS13 && a.RequiresExtendedMS && d.p.LacksEMS:
		return d.giveUp(cause.ExtendedMasterSecretRequired, []string{"extended_master_secret"}, nil)
	case d.v < suite.TLS13 && a.RequiresSecureReneg && d.p.LacksRI:
		return d.giveUp(cause.LegacyRenegotiationDisabled, []string{"renegotiation_info"}, nil)
	case a.RequiresALPN && len(d.o.ALPN) > 0 && d.alpn == "":
		return d.giveUp(cause.NoCommonALPN, d.o.ALPN, d.p.ALPN.Protocols)
	case a.CurveInGroups && d.v < suite.TLS13 && d.o.HasGroups && d.strangeCurve():
		return d.giveUp(cause.NoCommonGroup, groupNames(d.o.Groups), d.certificateCurves())
	case a.ChecksDowngrade && d.fallsBack() && marksDowngrade(d.v, d.p.Versions[len(d.p.Versions)-1]):
		return d.giveUp(cause.InappropriateFallback, versionNames(d.o.Versions), versionNames(d.p.Versions))
	case slices.Contains(a.RefusedSuites, out.Suite):
		return d.giveUp(cause.NoCommonCipher, suiteNames(d.inVersion(d.o.Suites)), suiteNames([]suite.Code{out.Suite}))
	}
	if digest := d.signatureDigest(s); digest != "" && slices.Contains(a.RefusedSigDigests, digest) {
		r := d.giveUp(cause.HandshakeSignatureRefused, []string{"no " + digest + " signature in the handshake"}, []string{"signed with " + digest})
		r.Suite = out.Suite
		return r
	}
	if s.KeyExchange == suite.KXDHE {
		bits := d.p.DHBits
		if g := suite.GroupByCode(out.Group); g != nil {
			bits = g.Bits
		}
		if r, weak := checkDH(a, bits); weak && bits > 0 {
			r.Version = d.v
			return Outcome{Certificate: -1, Version: d.v, Suite: out.Suite, Reason: r}
		}
	}
	return out
}

// strangeCurve reports whether the certificate's curve is not one of the client's groups.
func (d *decision) strangeCurve() bool {
	if d.certificate < 0 {
		return false
	}
	c := &d.id.Certificates[d.certificate]
	return c.KeyType == policy.ECDSA && c.Curve != 0 && !slices.Contains(d.o.Groups, c.Curve)
}

// marksDowngrade reports whether a server up to version top marks its random when it agrees on v (RFC 8446
// section 4.1.3).
func marksDowngrade(v, top suite.Version) bool {
	return v == suite.TLS12 && top >= suite.TLS13 || v < suite.TLS12 && top >= suite.TLS12
}

// signatureDigest is the digest that the handshake is signed with, "" if nothing is signed or it is not
// known. Before TLS 1.2 RSA signs MD5 and SHA-1 together, the others SHA-1 (RFC 4346 section 7.4.3).
func (d *decision) signatureDigest(s *suite.Suite) string {
	switch {
	case !signs(s) || !needsCertificate(s):
		return ""
	case d.v < suite.TLS12:
		return "SHA1"
	case d.scheme == 0:
		return ""
	}
	return suite.SchemeByCode(d.scheme).Digest
}
