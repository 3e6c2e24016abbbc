package connect

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/suite"
)

// clientAuth says what the endpoint asked for and what became of it. h is nil if crypto/tls made no
// connection.
func (a *attempt) clientAuth(h *handshake) *ClientAuth {
	c := &ClientAuth{Requested: a.seen.ClientAuth, Outcome: AuthUnknown}
	switch {
	case h == nil:
		// In TLS 1.3 the request is encrypted; before it, none in the first flight means none.
		if !c.Requested && a.seen.Version < suite.TLS13 {
			c.Outcome = AuthNotRequested
		}
		return c
	case h.request == nil:
		if h.err == nil && h.dialErr == nil {
			c.Outcome = AuthNotRequested
		}
		return c
	}
	c.Requested = true
	for _, der := range h.request.AcceptableCAs {
		c.Authorities = append(c.Authorities, distinguishedName(der))
	}
	if h.sent {
		c.Sent = a.ownName()
	}
	switch {
	case h.err != nil || h.after != nil:
	case h.sent:
		c.Outcome = AuthAccepted
	default:
		c.Outcome = AuthNotNeeded
	}
	return c
}

// ownChain is the client's certificate, if there is one.
func (a *attempt) ownChain() []*x509.Certificate {
	if a.q.Certificate == nil {
		return nil
	}
	return parseChain(a.q.Certificate.Certificate)
}

// ownName is the subject of the client's certificate.
func (a *attempt) ownName() string {
	if chain := a.ownChain(); len(chain) > 0 {
		return chain[0].Subject.String()
	}
	return "(a certificate that cannot be read)"
}

// distinguishedName reads the name of a CA; what is no name is shown as bytes.
func distinguishedName(der []byte) string {
	var seq pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &seq); err != nil || len(rest) > 0 {
		return fmt.Sprintf("%x", der[:min(len(der), 64)])
	}
	var n pkix.Name
	n.FillFromRDNSequence(&seq)
	return n.String()
}

// refusesClient: the endpoint asked for a certificate, and gave up after our answer.
func (a *attempt) refusesClient(h *handshake, err error) {
	a.stop("after the client's certificate")
	c := a.r.ClientAuth
	how, confidence := "ends the connection without an alert", 0.75
	if alert, ok := alertOf(err); ok {
		how, confidence = fmt.Sprintf("answers with alert %s (%d)", alert, uint8(alert)), 0.97
		if !speaksOfCertificates(alert) {
			confidence = 0.85
		}
	}
	evidence := []diagnose.Evidence{{Fact: "the endpoint sends a CertificateRequest, and then " + how}}
	if len(c.Authorities) > 0 {
		evidence = append(evidence, diagnose.Evidence{Fact: "certificates of these CAs are asked for: " + enumerate(c.Authorities)})
	}
	var d *diagnose.Diagnosis
	if !h.sent {
		c.Outcome = AuthRequired
		d = a.fail(diagnose.Refused, cause.ClientCertificateRequired, confidence, "the endpoint demands a client certificate (mutual TLS) and none was sent", evidence...)
		fix(d, diagnose.SideClient, "Give a certificate that the endpoint's trust store knows: --cert FILE --key FILE")
		fix(d, diagnose.SideLoadBalancer, "Make the client certificate optional, or switch mutual TLS off")
	} else {
		c.Outcome = AuthRejected
		d = a.fail(diagnose.Refused, cause.ClientCertificateRejected, confidence, a.rejection(err), append(evidence, a.ownFacts()...)...)
		fix(d, diagnose.SideClient, "Use a certificate that is valid, is meant for client authentication and is issued by one of the CAs that are asked for")
		fix(d, diagnose.SideLoadBalancer, "Add the issuer of the client's certificate to the trust store")
	}
	if len(c.Authorities) > 0 {
		d.Causes[0].ServerSet, d.Causes[0].ClientSet = c.Authorities, []string{"no certificate"}
		if own := a.ownChain(); h.sent && len(own) > 0 {
			d.Causes[0].ClientSet = []string{own[len(own)-1].Issuer.String()}
		}
	}
	if confidence < 0.9 {
		d.Causes[0].Decide = "the load balancer's own log"
	}
}

// speaksOfCertificates reports whether an alert can only be about the peer's certificate.
func speaksOfCertificates(a suite.Alert) bool {
	return a >= suite.AlertBadCertificate && a <= suite.AlertCertificateUnknown || a == suite.AlertUnknownCA || a == suite.AlertCertificateRequired
}

// rejection words the refusal of our certificate.
func (a *attempt) rejection(err error) string {
	s := fmt.Sprintf("the endpoint refuses the client certificate %s", a.ownName())
	alert, _ := alertOf(err)
	why := map[suite.Alert]string{
		suite.AlertUnknownCA: "it does not know the CA that issued it", suite.AlertCertificateExpired: "it has expired",
		suite.AlertBadCertificate: "it is malformed or its signature is wrong", suite.AlertUnsupportedCertificate: "it is of an unsupported kind",
		44: "it is revoked", 49: "it is valid but has no access",
	}[alert]
	if why != "" {
		s += ": " + why
	}
	return s
}

// ownFacts are what our certificate itself shows.
func (a *attempt) ownFacts() []diagnose.Evidence {
	chain := a.ownChain()
	if len(chain) == 0 {
		return nil
	}
	c := chain[0]
	facts := []diagnose.Evidence{{Fact: fmt.Sprintf("our certificate was issued by %s and is valid from %s to %s", c.Issuer, c.NotBefore.Format("2006-01-02"), c.NotAfter.Format("2006-01-02"))}}
	if a.q.Now.After(c.NotAfter) {
		facts = append(facts, diagnose.Evidence{Fact: "it has expired"})
	}
	if len(c.ExtKeyUsage) > 0 && !forClients(c) {
		facts = append(facts, diagnose.Evidence{Fact: "its extended key usage does not allow client authentication"})
	}
	if g := curveOf(chain); g != 0 && a.seen.Version < suite.TLS13 && !slices.Contains(a.offer.Groups, g) {
		facts = append(facts, diagnose.Evidence{Fact: fmt.Sprintf("its key is on %s, which the hello does not offer as a group: OpenSSL refuses such a certificate before TLS 1.3", g)})
	}
	return facts
}

func forClients(c *x509.Certificate) bool {
	for _, u := range c.ExtKeyUsage {
		if u == x509.ExtKeyUsageClientAuth || u == x509.ExtKeyUsageAny {
			return true
		}
	}
	return false
}
