package connect

import (
	"bytes"
	"context"
	"fmt"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// resume tries to resume the session of h in one more connection: by a ticket, or before TLS 1.3, where the
// endpoint gives none, by the session id. crypto/tls knows no session ids, so those are tried with a hello of
// our own, and seen as far as the ServerHello.
func (a *attempt) resume(ctx context.Context, p *plan, h *handshake, cache *tickets) {
	s := &Session{Tickets: cache.n}
	a.r.Session = s
	first := h.flight.hello
	switch {
	case cache.n > 0:
		s.By, s.Tested = "ticket", true
		switch again := a.shake(ctx, p, cache); {
		case again.dialErr != nil:
			s.Tested, s.Problem = false, fmt.Sprintf("the second connection fails: %v", again.dialErr)
		case again.err != nil && again.flight.hello == nil:
			a.resumptionFails(ctx, p, s, again.err)
		default:
			s.Resumed = again.state.DidResume
		}
	case p.version < suite.TLS13 && first != nil && len(first.SessionID) > 0:
		s.By, s.Tested, s.Partly = "session-id", true, true
		resumed := a.hello.Clone()
		resumed.SessionID = first.SessionID
		o := a.try(ctx, a.t, resumed)
		s.Resumed = o.Answer == probe.ServerHello && bytes.Equal(o.Hello.SessionID, first.SessionID)
	}
}

// resumptionFails: a hello with a ticket was not answered. One without tells whether the ticket is at fault.
func (a *attempt) resumptionFails(ctx context.Context, p *plan, s *Session, err error) {
	s.Problem = fmt.Sprintf("the connection with a ticket fails: %v", err)
	if control := a.shake(ctx, p, nil); control.err != nil || control.dialErr != nil {
		return
	}
	d := a.fail(diagnose.Refused, cause.SessionResumptionFailure, 0.9, "the endpoint takes a full handshake, but not a hello with the ticket that it gave before",
		diagnose.Evidence{Fact: s.Problem}, diagnose.Evidence{Fact: "a third connection without the ticket succeeds"})
	fix(d, diagnose.SideLoadBalancer, "Share the ticket keys among all machines behind the name, or switch tickets off")
	fix(d, diagnose.SideClient, "Switch session tickets off (OpenSSL: the option -SessionTicket)")
}
