package connect

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/suite"
)

// accepted: the endpoint took the forced hello. The handshake is completed as far as it can be.
func (a *attempt) accepted(ctx context.Context) {
	a.r.Outcome = diagnose.Negotiated
	a.negotiated()
	chain := parseChain(a.seen.Chain)
	p := a.plan(chain)
	if p.hopeless {
		a.stop(fmt.Sprintf("after the server's first flight: %s has no %s", library, p.lacks))
		a.r.ClientAuth = a.clientAuth(nil)
		a.certificates(chain, nil)
		return
	}
	cache := newTickets()
	h := a.shake(ctx, &p, cache)
	if len(chain) == 0 {
		chain = parseChain(h.flight.chain)
	}
	a.r.ClientAuth = a.clientAuth(h)
	a.ended(h, &p)
	a.certificates(chain, h.state.OCSPResponse)
	if a.q.Resume && a.r.Handshake.Completed {
		a.resume(ctx, &p, h, cache)
	}
}

// ended notes how the handshake went.
func (a *attempt) ended(h *handshake, p *plan) {
	err, where := h.err, "after the server's first flight"
	if err == nil {
		err, where = h.after, "after the handshake"
	}
	alert, alerted := alertOf(err)
	switch {
	case h.dialErr != nil:
		a.stop(fmt.Sprintf("%s: the second connection failed: %v", where, h.dialErr))
	case err == nil:
		a.r.Handshake = &Handshake{Completed: true}
		a.agree(h)
	case h.request != nil && !fromLibrary(err):
		a.refusesClient(h, err)
	case h.sent && fromLibrary(err):
		a.broken(where, cause.NoCommonSignatureAlgorithm, 0.8, fmt.Sprintf("the client certificate cannot be used here: %v", err), err)
	case p.lacks != "":
		a.stop(fmt.Sprintf("%s: %s has no %s, and the rest of the offer ends with: %v", where, library, p.lacks, err))
	case unknownKey(parseChain(h.flight.chain)) != "":
		a.stop(fmt.Sprintf("%s: %s has no %s", where, library, unknownKey(parseChain(h.flight.chain))))
	case alerted && h.flight.hello == nil:
		a.stop(fmt.Sprintf("%s: the endpoint takes the forced hello, but answers that of %s, which offers less, with alert %s", where, library, alert))
	case alerted:
		a.broken(where, cause.Unknown, 0.4, fmt.Sprintf("the endpoint accepts the hello and ends the connection %s with alert %s (%d)", where, alert, uint8(alert)), err)
	case fromLibrary(err):
		a.broken(where, cause.ProtocolViolation, 0.7, fmt.Sprintf("what the endpoint sends %s breaks the protocol: %v", where, err), err)
	case isTimeout(err):
		a.broken(where, cause.Unknown, 0.4, "the connection stalls "+where, err)
	default:
		a.broken(where, cause.ConnectionReset, 0.6, fmt.Sprintf("the endpoint accepts the hello and ends the connection %s without an alert", where), err)
	}
	if alerted {
		a.r.Handshake.Alert = &alert
	}
}

// broken notes a connection that failed after the hello was accepted.
func (a *attempt) broken(where string, id cause.ID, confidence float64, summary string, err error) {
	a.stop(where)
	d := a.fail(diagnose.Refused, id, confidence, summary, diagnose.Evidence{Fact: fmt.Sprintf("%s says: %v", library, err)})
	if confidence < 0.7 {
		d.Causes[0].Decide = "the load balancer's own log; a capture on both ends"
	}
}

// agree completes what the forced hello left open, and notes where the completed handshake differs from it.
func (a *attempt) agree(h *handshake) {
	n := a.r.Negotiated
	s := h.state
	with := diagnose.Agreement{Version: suite.Version(s.Version), Cipher: suite.Code(s.CipherSuite), Group: suite.Group(s.CurveID),
		Scheme: h.flight.scheme, ALPN: s.NegotiatedProtocol}
	sameSuite := with.Version == n.Version && with.Cipher == n.Cipher
	if n.ALPN == "" {
		n.ALPN = with.ALPN // in TLS 1.3 it is not in the clear
	}
	if n.Group == 0 && sameSuite {
		n.Group = with.Group // a HelloRetryRequest may name none
	}
	// crypto/tls cannot be held to signature schemes: what it agreed on counts only where it was offered.
	if n.Scheme == 0 && slices.Contains(a.offer.Schemes, with.Scheme) {
		n.Scheme = with.Scheme
	}
	if !sameSuite || with.Group != n.Group || with.Scheme != n.Scheme {
		a.r.Handshake.With = &with
	}
}

// parseChain parses the certificates that can be parsed.
func parseChain(der [][]byte) []*x509.Certificate {
	var chain []*x509.Certificate
	for _, d := range der {
		if c, err := x509.ParseCertificate(d); err == nil {
			chain = append(chain, c)
		}
	}
	return chain
}
