package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
)

// diagnose finds out why the endpoint does not take the forced hello, with that very hello.
func (a *attempt) diagnose(ctx context.Context) {
	c := diagnose.FromHello(clientName, a.hello)
	// Bytes before TLS 1.3 seem to offer everything below their version: what is forced is known here.
	c.Offer.Accepts = hello.Rules{Known: true, MinVersion: slices.Min(a.offer.Versions), IgnoresTrust: true}
	e := *a.q.Endpoint
	e.Addresses = a.addresses
	p := &probe.Prober{Timeout: a.q.Prober.Timeout, Parallel: a.q.Prober.Parallel, DialContext: a.q.Prober.DialContext}
	d := diagnose.Live(ctx, c, &e, diagnose.Options{Prober: p, Roots: a.q.Roots, CAGiven: a.q.RootsFile != "", Now: a.q.Now})
	a.r.Outcome, a.r.Failure = d.Outcome, d
	a.r.Connections += d.Connections
	a.r.RoundTrips += d.RoundTrips
	if d.Outcome == diagnose.Negotiated {
		a.fail(diagnose.Refused, cause.Unknown, 0.5, fmt.Sprintf("the first try was met with: %s; the same hello a moment later is accepted", answerWords(&a.seen)))
		a.r.Failure.Causes[0].Decide = "how often it fails: parley why --repeat 30"
		a.r.Failure.PolicyMatch = d.PolicyMatch
	}
}

// fail notes a failure whose cause is known without further probes.
func (a *attempt) fail(outcome string, id cause.ID, confidence float64, summary string, evidence ...diagnose.Evidence) *diagnose.Diagnosis {
	a.r.Outcome = outcome
	a.r.Failure = &diagnose.Diagnosis{Schema: diagnose.Schema, Target: a.r.Target, Client: diagnose.Client{Name: clientName, Kind: "hello", Versions: a.offer.Versions},
		Outcome: outcome, Findings: []diagnose.Finding{}, Fixes: []diagnose.Fix{}, PolicyMatch: []diagnose.PolicyMatch{},
		Causes: []diagnose.Cause{{ID: id, Confidence: confidence, Stage: id.Stage(), Summary: summary, Evidence: append([]diagnose.Evidence{}, evidence...)}}}
	return a.r.Failure
}

// fix adds what can be done about the failure.
func fix(d *diagnose.Diagnosis, side, summary string) {
	d.Fixes = append(d.Fixes, diagnose.Fix{Side: side, Summary: summary, Commands: []string{}})
}

// preambleFailed: the service did not grant the upgrade to TLS. What it says to a ClientHello without the
// preamble tells why.
func (a *attempt) preambleFailed(ctx context.Context) {
	address, asked := a.t.Address, a.t.StartTLS
	fact := diagnose.Evidence{Fact: fmt.Sprintf("speaking %s: %v", asked, a.seen.Err)}
	t := a.t
	t.StartTLS = ""
	plain := a.try(ctx, t, a.hello)
	_, text, _ := net.SplitHostPort(address)
	port, _ := strconv.Atoi(text)
	speaks := probe.StartTLSForGreeting(plain.Raw, port)
	switch {
	case plain.Answer.Accepted(), plain.Answer == probe.Alerted:
		d := a.fail(diagnose.Refused, cause.ClientBadConfig, 0.95, fmt.Sprintf("%s speaks TLS from the first byte; --starttls %s waits for plaintext that never comes", address, asked), fact)
		fix(d, diagnose.SideClient, "Leave out --starttls")
	case speaks != "" && speaks != asked:
		d := a.fail(diagnose.Refused, cause.ClientBadConfig, 0.95, fmt.Sprintf("%s speaks %s, not %s", address, speaks, asked), fact)
		fix(d, diagnose.SideClient, "Use --starttls "+string(speaks))
	case errors.Is(a.seen.Err, probe.ErrNotOffered):
		d := a.fail(diagnose.Refused, cause.NotTLS, 0.9, fmt.Sprintf("%s does not offer an upgrade from %s to TLS", address, asked), fact)
		fix(d, diagnose.SideLoadBalancer, "Switch STARTTLS on in the service behind the port")
	default:
		d := a.fail(diagnose.Refused, cause.NotTLS, 0.5, fmt.Sprintf("%s did not take part in the %s preamble", address, asked), fact)
		d.Causes[0].Decide = "what the port speaks: the configuration of the service behind it"
	}
}

// answerWords says how an endpoint answered.
func answerWords(o *probe.Observation) string {
	switch {
	case o.Answer == probe.Alerted:
		return fmt.Sprintf("alert %s (%d)", o.Alert, uint8(o.Alert))
	case o.Answer.Accepted() && !o.Complete:
		return fmt.Sprintf("a %s, then %s", o.Answer, o.End)
	}
	return string(o.Answer)
}
