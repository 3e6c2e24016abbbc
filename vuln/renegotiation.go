package vuln

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/vuln/internal/classic"
)

// renegotiated is what became of an attempt to renegotiate.
type renegotiated struct {
	secure bool // the server confirms RFC 5746
	event  classic.Event
}

// insecureRenegotiation renegotiates as a client that does not know RFC 5746: an attacker can put bytes of their own
// before those of such a client, if the server lets it.
func insecureRenegotiation(ctx context.Context, s *subject) answer {
	r, a := s.renegotiate(ctx, false)
	if a != nil {
		return *a
	}
	evidence := []string{fmt.Sprintf("renegotiation without renegotiation_info was answered with %s", r.event)}
	// A hello that is not answered leaves it at yes: the verdict does not depend on it.
	if h, err := s.survey(ctx); err == nil && !h.SecureReneg {
		evidence = append(evidence, "the server does not confirm secure renegotiation")
	}
	switch {
	case accepted(r.event):
		return yes(evidence, "The server renegotiates with clients that do not bind the new handshake to the old: an attacker on the path can put a request of their own before a client's.")
	case r.event.Kind == classic.Silence:
		return unsure(evidence, "The server did not answer an attempt to renegotiate.")
	case len(evidence) > 1:
		return no(evidence, "The server does not renegotiate with clients, but does not say so either: it does not know RFC 5746.")
	}
	return no(evidence, "The server confirms secure renegotiation and does not renegotiate without.")
}

// clientRenegotiation renegotiates once, properly.
func clientRenegotiation(ctx context.Context, s *subject) answer {
	r, a := s.renegotiate(ctx, true)
	if a != nil {
		return *a
	}
	evidence := []string{fmt.Sprintf("a renegotiation by the client was answered with %s", r.event)}
	switch {
	case !r.secure && !accepted(r.event):
		return no(evidence, "The server does not let clients renegotiate.")
	case accepted(r.event):
		return yes(evidence, "The server lets clients renegotiate, which costs it far more than them; how often was not tested.")
	case r.event.Kind == classic.Silence:
		return unsure(evidence, "The server did not answer an attempt to renegotiate.")
	}
	return no(evidence, "The server does not let clients renegotiate.")
}

func accepted(e classic.Event) bool {
	return e.Kind == classic.Message && e.Message.Type == hello.TypeServerHello
}

// renegotiate completes a handshake, begins another on the same connection and breaks it off where the server agrees.
// The answer is not nil where it cannot be tried.
func (s *subject) renegotiate(ctx context.Context, secure bool) (r renegotiated, _ *answer) {
	stop := func(a answer) (renegotiated, *answer) { return r, &a }
	v, suites := s.newest(speaks)
	if v == 0 {
		return stop(s.cannotComplete("The endpoint speaks TLS 1.3 only, which has no renegotiation."))
	}
	var unfinished error
	err := s.open(ctx, s.renegotiable(v, suites, secure), func(x *classic.Session) {
		if unfinished = x.Complete(); unfinished != nil {
			return
		}
		r.secure = x.Server.SecureReneg
		again := s.renegotiable(v, suites, secure)
		if secure && r.secure {
			again.SetExtension(hello.ExtRenegotiationInfo, append([]byte{byte(len(x.ClientVerify))}, x.ClientVerify...))
		}
		raw, err := again.MarshalHandshake()
		if err != nil {
			panic("vuln: " + err.Error())
		}
		x.Send(hello.RecordHandshake, raw)
		r.event = renegotiation(x)
	})
	var refused classic.Refused
	if !secure && errors.As(err, &refused) && (refused.Event.Kind == classic.Alert || refused.Event.Kind == classic.Closed) {
		return stop(no([]string{"a hello without renegotiation_info was answered with " + refused.Event.String()}, "The server refuses clients that do not know RFC 5746."))
	}
	if err = firstError(err, unfinished); err != nil {
		return stop(failed(err))
	}
	return r, nil
}

// renegotiable is a hello with or without the signal of RFC 5746.
func (s *subject) renegotiable(v suite.Version, suites []suite.Code, secure bool) *hello.ClientHello {
	return s.build(&hello.Offer{Versions: []suite.Version{v}, Suites: suites, SecureReneg: secure})
}

// renegotiation waits for what the server does with a second hello. One that says nothing gets a goodbye: if it
// answers that, it has ignored the hello.
func renegotiation(x *classic.Session) classic.Event {
	e := decision(x, patienceOf(x))
	if e.Kind == classic.Silence {
		x.Send(hello.RecordAlert, []byte{1, byte(suite.AlertCloseNotify)})
		e = decision(x, longPatienceOf(x))
	}
	return e
}

// decision reads on to a ServerHello, a refusal or the end.
func decision(x *classic.Session, wait time.Duration) classic.Event {
	for until := time.Now().Add(wait); ; {
		e := x.Next(time.Until(until))
		refusal := e.Kind == classic.Alert && e.Alert == suite.AlertNoRenegotiation
		if accepted(e) || refusal || e.Kind == classic.Silence || e.Ends() {
			return e
		}
	}
}
