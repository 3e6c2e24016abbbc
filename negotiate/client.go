package negotiate

import (
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Answer is what a server chose from a hello and showed of itself. What was not seen is zero.
type Answer struct {
	Version    suite.Version
	Suite      suite.Code
	Scheme     suite.SignatureScheme // of the server's signature
	DHBits     int                   // of a DHE group
	Curve      suite.Group           // of the key of an ECDSA certificate
	ALPN       string
	ALPNHidden bool // whether there is an application protocol was not seen, as in TLS 1.3
	LacksEMS   bool // before TLS 1.3: without extended_master_secret (RFC 7627)
	LacksRI    bool // before TLS 1.3: without renegotiation_info (RFC 5746)
	Downgraded bool // the random is marked as of a server that could do more (RFC 8446 section 4.1.3)
}

// CheckAnswer says why a client gives up on what the server chose, by the client's own rules (o.Accepts), and false
// if it does not. What the client makes of the certificate is for CheckIdentity. p is what is known of the server;
// it serves the words of the reason.
func CheckAnswer(o *hello.Offer, a *Answer, p *policy.Policy) (Reason, bool) {
	rules := &o.Accepts
	before13 := a.Version < suite.TLS13
	switch {
	case a.Version < rules.MinVersion:
		return a.refused(cause.NoCommonVersion, versionNames(floored(o)), versionNames(p.Versions))
	case before13 && rules.RequiresExtendedMS && a.LacksEMS:
		return a.refused(cause.ExtendedMasterSecretRequired, []string{"extended_master_secret"}, nil)
	case before13 && rules.RequiresSecureReneg && a.LacksRI:
		return a.refused(cause.LegacyRenegotiationDisabled, []string{"renegotiation_info"}, nil)
	case rules.RequiresALPN && len(o.ALPN) > 0 && a.ALPN == "" && !a.ALPNHidden:
		return a.refused(cause.NoCommonALPN, o.ALPN, p.ALPN.Protocols)
	case before13 && rules.CurveInGroups && o.HasGroups && a.Curve != 0 && !slices.Contains(o.Groups, a.Curve):
		return a.refused(cause.NoCommonGroup, groupNames(o.Groups), []string{ofCertificate(a.Curve)})
	case rules.ChecksDowngrade && o.FallbackSCSV && a.Downgraded:
		return a.refused(cause.InappropriateFallback, versionNames(o.Versions), versionNames(p.Versions))
	case slices.Contains(rules.RefusedSuites, a.Suite):
		return a.refused(cause.NoCommonCipher, suiteNames(inVersion(o.Suites, a.Version)), suiteNames([]suite.Code{a.Suite}))
	}
	if len(rules.RefusedSigDigests) > 0 {
		if digest := a.signatureDigest(); slices.Contains(rules.RefusedSigDigests, digest) {
			return a.refused(cause.HandshakeSignatureRefused, []string{"no " + digest + " signature in the handshake"}, []string{"signed with " + digest})
		}
	}
	if a.DHBits > 0 {
		r, weak := checkDH(rules, a.DHBits)
		r.Version = a.Version
		return r, weak
	}
	return Reason{}, false
}

func (a *Answer) refused(id cause.ID, client, server []string) (Reason, bool) {
	return Reason{Cause: id, By: "client", Version: a.Version, Client: slices.Clone(client), Server: slices.Clone(server)}, true
}

// signatureDigest is the digest that the handshake is signed with, "" if nothing is signed or it is not
// known. Before TLS 1.2 RSA signs MD5 and SHA-1 together, the others SHA-1 (RFC 4346 section 7.4.3).
func (a *Answer) signatureDigest() string {
	s := suite.ByCode(a.Suite)
	switch {
	case s == nil || !signs(s) || !needsCertificate(s):
		return ""
	case a.Version < suite.TLS12:
		return "SHA1"
	}
	if i := suite.SchemeByCode(a.Scheme); i != nil {
		return i.Digest
	}
	return ""
}

// clientAccepts applies the client's own demands to what the server chose.
func (d *decision) clientAccepts(out Outcome) Outcome {
	a := Answer{Version: d.v, Suite: out.Suite, Scheme: d.scheme, ALPN: d.alpn, LacksEMS: d.p.LacksEMS, LacksRI: d.p.LacksRI,
		Downgraded: marksDowngrade(d.v, d.p.Versions[len(d.p.Versions)-1])}
	if d.certificate >= 0 && d.id.Certificates[d.certificate].KeyType == policy.ECDSA {
		a.Curve = d.id.Certificates[d.certificate].Curve
	}
	if suite.ByCode(out.Suite).KeyExchange == suite.KXDHE {
		a.DHBits = d.p.DHBits
		if g := suite.GroupByCode(out.Group); g != nil {
			a.DHBits = g.Bits
		}
	}
	if r, refused := CheckAnswer(d.o, &a, d.p); refused {
		return Outcome{Certificate: -1, Version: d.v, Suite: out.Suite, Reason: r}
	}
	return out
}

// marksDowngrade reports whether a server up to version top marks its random when it agrees on v (RFC 8446
// section 4.1.3).
func marksDowngrade(v, top suite.Version) bool {
	return v == suite.TLS12 && top >= suite.TLS13 || v < suite.TLS12 && top >= suite.TLS12
}
