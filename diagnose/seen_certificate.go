package diagnose

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/follow"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
)

// Alerts about certificates that package suite has no name for (RFC 8446 section 6.2).
const alertRevoked suite.Alert = 44

// clientRefuses: the client sends an alert about the server's answer.
func (s *Sighting) clientRefuses(a suite.Alert) []likely {
	n := s.Negotiation
	o := n.Hello.Offer()
	choice := n.Choice
	chosen := spoken(n.Version())
	if choice != nil && choice.Downgraded() && len(o.Versions) > 0 && o.Versions[0] == suite.TLS13 && (a == suite.AlertIllegalParameter || a == suite.AlertProtocolVersion) {
		return []likely{{id: cause.MiddleboxInterference, p: 0.85, summary: "the server says that it was asked for less than TLS 1.3, though the hello offers it: something on the way altered the hello"}}
	}
	if s.Profile != nil && choice != nil {
		o.Accepts = s.Profile.Offer().Accepts
		if r, refused := negotiate.CheckAnswer(&o, s.answer(), &policy.Policy{Versions: []suite.Version{n.Version()}}); refused && !aboutCertificate(a) {
			return []likely{{id: r.Cause, p: 0.9, summary: sentence("the client", "the server", &o, []suite.Version{n.Version()}, r), client: r.Client, server: r.Server,
				facts: []string{"the hello is that of " + s.Profile.Title + ", which is known for this rule"}}}
		}
	}
	switch a {
	case suite.AlertUnknownCA:
		return s.untrusted(0.95)
	case suite.AlertCertificateExpired:
		return []likely{{id: cause.CertificateExpired, p: 0.95, summary: "the certificate is outside its validity, or the client's clock is wrong", facts: s.validity()}}
	case alertRevoked:
		return []likely{{id: cause.CertificateRevoked, p: 0.97, summary: "the client knows the certificate as revoked"}}
	case suite.AlertBadCertificate, suite.AlertCertificateUnknown, suite.AlertUnsupportedCertificate:
		return s.badCertificate(a)
	case suite.AlertProtocolVersion:
		return []likely{{id: cause.NoCommonVersion, p: 0.95, summary: "the server chose " + chosen + ", which is below what the client accepts", server: []string{n.Version().String()}}}
	case suite.AlertNoApplicationProtocol:
		return []likely{{id: cause.NoCommonALPN, p: 0.95, summary: "the client demands an application protocol, and the server chose none", client: o.ALPN}}
	case suite.AlertHandshakeFailure, suite.AlertInsufficientSecurity, suite.AlertIllegalParameter, suite.AlertDecryptError, suite.AlertInternalError:
		return s.refusesAnswer(a)
	case suite.AlertCloseNotify, suite.AlertUserCanceled:
		return s.clientLeft()
	}
	return []likely{{id: cause.ProtocolViolation, p: 0.5, summary: fmt.Sprintf("the client finds the server's answer in breach of the protocol (%s)", a)}}
}

// aboutCertificate reports whether an alert says that something is wrong with a certificate.
func aboutCertificate(a suite.Alert) bool {
	return slices.Contains([]suite.Alert{suite.AlertUnknownCA, suite.AlertCertificateExpired, suite.AlertBadCertificate, suite.AlertCertificateUnknown,
		suite.AlertUnsupportedCertificate, suite.AlertCertificateRequired, alertRevoked}, a)
}

// answer is what the server chose and showed.
func (s *Sighting) answer() *negotiate.Answer {
	n := s.Negotiation
	a := &negotiate.Answer{Version: n.Version(), Suite: n.Suite(), ALPN: n.Choice.ALPN, ALPNHidden: n.Version() >= suite.TLS13,
		LacksEMS: n.Version() < suite.TLS13 && !n.Choice.ExtendedMaster, LacksRI: n.Version() < suite.TLS13 && !n.Choice.SecureReneg, Downgraded: n.Choice.Downgraded()}
	if n.Exchange != nil {
		a.Scheme, a.DHBits = n.Exchange.Scheme, n.Exchange.DHBits
	}
	if _, c := s.chain(); c != nil && c.KeyType == policy.ECDSA {
		a.Curve = c.Curve
	}
	return a
}

// chain is the certificates that were seen, nil in TLS 1.3.
func (s *Sighting) chain() ([]*x509.Certificate, *policy.Certificate) {
	var chain []*x509.Certificate
	for _, der := range s.Negotiation.Chain {
		if c, err := x509.ParseCertificate(der); err == nil {
			chain = append(chain, c)
		}
	}
	if len(chain) == 0 {
		return nil, nil
	}
	c := scan.Describe(chain)
	return chain, &c
}

func (s *Sighting) validity() []string {
	if _, c := s.chain(); c != nil {
		return []string{fmt.Sprintf("certificate of %s, valid %s to %s", c.Subject, c.NotBefore.Format("2006-01-02"), c.NotAfter.Format("2006-01-02"))}
	}
	return nil
}

// untrusted shares a probability between a root that the client lacks and an intermediate that the server leaves out.
func (s *Sighting) untrusted(p float64) []likely {
	chain, c := s.chain()
	if chain == nil {
		return []likely{{id: cause.CertificateUntrusted, p: 0.65 * p, summary: "the client does not trust the issuer of the certificate"}, {id: cause.CertificateChainIncomplete, p: 0.3 * p}}
	}
	top := chain[len(chain)-1]
	missing := 0.2
	switch {
	case bytes.Equal(top.RawSubject, top.RawIssuer):
		missing = 0
	case len(top.IssuingCertificateURL) > 0:
		missing = 0.8
	case len(chain) == 1:
		missing = 0.6
	}
	issuer := top.Issuer.String()
	facts := []string{fmt.Sprintf("%s presented, the last issued by %s", plural(len(chain), "certificate"), issuer)}
	l := []likely{{id: cause.CertificateUntrusted, p: p * (1 - missing), summary: "the client does not trust the issuer: " + issuer, server: []string{c.Issuer}, facts: facts}}
	if missing > 0 {
		l = append(l, likely{id: cause.CertificateChainIncomplete, p: p * missing, summary: "the server leaves out an intermediate certificate: " + issuer, facts: facts})
	}
	return l
}

// badCertificate: an alert that says that something is wrong with the certificate, but not what. Where the
// certificate was seen its faults decide.
func (s *Sighting) badCertificate(a suite.Alert) []likely {
	o := s.Negotiation.Hello.Offer()
	_, c := s.chain()
	if c == nil {
		return s.hiddenCertificate(fmt.Sprintf("the client refuses the certificate (%s)", a))
	}
	at := s.Negotiation.HelloAt
	subject := "certificate of " + c.Subject
	var l []likely
	if at.After(c.NotAfter) || at.Before(c.NotBefore) {
		l = append(l, likely{id: cause.CertificateExpired, p: 0.85, summary: "the certificate is outside its validity", facts: s.validity()})
	}
	if o.ServerName != "" && len(c.Names) > 0 && !negotiate.MatchesName(c, o.ServerName) {
		l = append(l, likely{id: cause.CertificateNameMismatch, p: 0.8, client: []string{o.ServerName}, server: c.Names, facts: []string{subject},
			summary: fmt.Sprintf("the client asks for %s; the certificate is for %s", o.ServerName, some(c.Names, 3))})
	}
	if c.KeyType == policy.RSA && c.Bits < 2048 || c.SignatureDigest == "MD5" || c.SignatureDigest == "SHA1" {
		l = append(l, likely{id: cause.WeakCertificateKey, p: 0.5, facts: []string{subject},
			summary: fmt.Sprintf("the client may refuse the certificate as weak: %s, signed with %s", negotiate.KeyName(c), c.SignatureDigest)})
	}
	if a == suite.AlertUnsupportedCertificate {
		return append(l, likely{id: cause.WeakCertificateKey, p: 0.4, summary: "the client cannot use this kind of certificate"}, likely{id: cause.Unknown, p: 0.3})
	}
	rest := 0.95
	if len(l) > 0 {
		rest = 0.3
		if len(l) > 1 {
			for i := range l {
				l[i].p *= 0.7
			}
		}
	}
	return append(l, s.untrusted(rest*0.85)...)
}

// hiddenCertificate: TLS 1.3 hides the certificate, so that its faults are a guess.
func (s *Sighting) hiddenCertificate(summary string) []likely {
	return []likely{{id: cause.CertificateUntrusted, p: 0.45, summary: summary + "; most often the issuer is unknown to it"},
		{id: cause.CertificateNameMismatch, p: 0.2, summary: summary + ", perhaps for its name"}, {id: cause.CertificateExpired, p: 0.1, summary: summary + ", perhaps for its date"},
		{id: cause.CertificateChainIncomplete, p: 0.1}}
}

// refusesAnswer: the client refuses the choice or the key exchange.
func (s *Sighting) refusesAnswer(a suite.Alert) []likely {
	n := s.Negotiation
	var l []likely
	if x := n.Exchange; x != nil && x.DHBits > 0 && x.DHBits < 2048 {
		l = append(l, likely{id: cause.WeakDHParameters, p: 0.85, server: []string{fmt.Sprintf("DH %d", x.DHBits)}, summary: fmt.Sprintf("the client refuses the server's DH group: DH %d", x.DHBits)})
	}
	if n.Choice != nil && n.Version() < suite.TLS13 && !n.Choice.SecureReneg {
		p := 0.85
		if n.Chain != nil && len(l) > 0 {
			p = 0.3
		}
		l = append(l, likely{id: cause.LegacyRenegotiationDisabled, p: p, client: []string{"renegotiation_info"}, summary: "the server lacks secure renegotiation (RFC 5746), which many clients demand"})
	}
	if x := n.Exchange; x != nil {
		if n.Choice != nil && n.Version() < suite.TLS12 && a == suite.AlertInternalError { // measured on OpenSSL 3.0; see docs/causes.md
			l = append(l, likely{id: cause.HandshakeSignatureRefused, p: 0.8, server: []string{"SHA-1"},
				summary: "the client refuses the signature of the key exchange, by SHA-1 in " + n.Version().String() + ": OpenSSL does from 3.0 on, above security level 0"})
		}
		if i := suite.SchemeByCode(x.Scheme); i != nil && (i.Digest == "SHA1" || i.Digest == "MD5") {
			l = append(l, likely{id: cause.HandshakeSignatureRefused, p: 0.7, server: []string{x.Scheme.String()}, summary: fmt.Sprintf("the client refuses the signature of the handshake: %s", x.Scheme)})
		}
	}
	if _, c := s.chain(); c != nil && c.KeyType == policy.RSA && c.Bits < 2048 {
		l = append(l, likely{id: cause.WeakCertificateKey, p: 0.6, server: []string{negotiate.KeyName(c)}, summary: "the client refuses the certificate's key: " + negotiate.KeyName(c)})
	}
	if len(l) == 0 {
		l = append(l, likely{id: cause.Unknown, p: 0.5, summary: fmt.Sprintf("the client refuses the server's answer (%s) for a reason that does not show", a)},
			likely{id: cause.ExtendedMasterSecretRequired, p: map[bool]float64{true: 0.2}[n.Choice != nil && n.Version() < suite.TLS13 && !n.Choice.ExtendedMaster]})
	}
	return l
}

// sealedByClient: in TLS 1.3 the client breaks off after the server's flight, with an alert that is encrypted.
func (s *Sighting) sealedByClient() []likely {
	return s.hiddenCertificate("the client refuses the server's flight with an encrypted alert")
}

// clientLeft: the client ends the connection without saying why.
func (s *Sighting) clientLeft() []likely {
	l := s.hiddenCertificate("the client leaves upon the server's answer and does not say why")
	if s.Negotiation.Chain != nil {
		l = s.badCertificate(suite.AlertBadCertificate)
	}
	for i := range l {
		l[i].p *= 0.6
	}
	return append(l, likely{id: cause.Unknown, p: 0.4, summary: "the client leaves upon the server's answer and does not say why: a scanner or a health check would do the same"})
}

// refusedClient: the server sends an alert after it chose.
func (s *Sighting) refusedClient(a suite.Alert) []likely {
	n := s.Negotiation
	certificate := aboutCertificate(a)
	switch {
	case n.CertificateRequested && n.ClientCertificates <= 0 && (certificate || a == suite.AlertHandshakeFailure), a == suite.AlertCertificateRequired:
		return []likely{{id: cause.ClientCertificateRequired, p: 0.95, summary: "the server demands a client certificate, and the client sent none"}}
	case n.ClientCertificates > 0 && (certificate || a == suite.AlertHandshakeFailure):
		return []likely{{id: cause.ClientCertificateRejected, p: 0.93, summary: fmt.Sprintf("the server refuses the client's certificate (%s)", a)}}
	case certificate:
		return []likely{{id: cause.ClientCertificateRejected, p: 0.6, summary: fmt.Sprintf("the server refuses the client's certificate (%s)", a)}}
	case n.Hello.HasExtension(0) && a == suite.AlertUnrecognizedName:
		return []likely{{id: cause.SNIUnknown, p: 0.9}}
	}
	return []likely{{id: cause.ProtocolViolation, p: 0.5, summary: fmt.Sprintf("the server breaks off in the midst of the handshake (%s)", a)}, {id: cause.SessionResumptionFailure, p: map[bool]float64{true: 0.2}[len(n.Hello.SessionID) > 0 && n.Chain == nil]}}
}

// sealedByServer: the server ends a handshake that the client had finished, without a word that can be read.
func (s *Sighting) sealedByServer() []likely {
	n := s.Negotiation
	switch {
	case n.SealedCertificate == follow.NoneSent || n.CertificateRequested && n.ClientCertificates == 0:
		return []likely{{id: cause.ClientCertificateRequired, p: 0.85, summary: "the server demands a client certificate, and the client sent none",
			facts: []string{"the client's last flight has the size of an empty Certificate and a Finished"}}}
	case n.SealedCertificate == follow.Sent || n.ClientCertificates > 0:
		return []likely{{id: cause.ClientCertificateRejected, p: 0.7, summary: "the server refuses the client's certificate", facts: []string{"the client's last flight is larger than a Finished"}}}
	}
	return []likely{{id: cause.ClosedAfterHandshake, p: 0.6, summary: "the server ends the connection right after the handshake; no client certificate was asked for"}, {id: cause.Unknown, p: 0.3}}
}
