package negotiate

import (
	"slices"

	"github.com/parley-tls/parley/cause"
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
