package watch

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/evidence"
)

// Unreached describes a connection for which the relay could not reach the server.
func Unreached(at time.Time, client netip.AddrPort, target string, err error) *Event {
	var dns *net.DNSError
	var timeout net.Error
	id, summary := cause.Unknown, "the server could not be reached"
	switch {
	case errors.As(err, &dns):
		id, summary = cause.DNSFailure, "the name "+dns.Name+" does not resolve"
	case errors.Is(err, syscall.ECONNREFUSED):
		id, summary = cause.ConnectionRefused, "nothing listens at "+target
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		id, summary = cause.ConnectionTimeout, "there is no route to "+target
	case errors.As(err, &timeout) && timeout.Timeout():
		id, summary = cause.ConnectionTimeout, target+" does not answer"
	}
	k := diagnose.Cause{ID: id, Confidence: 0.95, Stage: id.Stage(), Summary: summary, Evidence: []diagnose.Evidence{{Fact: err.Error()}}}
	if id == cause.Unknown {
		k.Confidence = 0.5
	}
	e := &Event{Schema: EventSchema, Time: at, Client: client.String(), Server: target, Causes: []diagnose.Cause{k}, Fixes: diagnose.Fixes([]diagnose.Cause{k}),
		Outcome: evidence.Outcome{Result: evidence.Failed, Failure: "no connection to the server: " + err.Error()}}
	e.Outcome.Cause = decided(e.Causes)
	return e
}
