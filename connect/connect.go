package connect

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// clientName is what the report calls the client side.
const clientName = "this connection"

// Run makes the connection and returns what came of it. It does not fail: what goes wrong is in the report.
// Its time is bounded by a few times the prober's time limit for one connection.
func Run(ctx context.Context, q *Request) *Report {
	o := q.offer()
	e := q.Endpoint
	r := &Report{Schema: Schema, Certificates: []Certificate{}, Notes: append([]string{}, q.Notes...),
		Target:  diagnose.Target{Name: e.Name, Kind: "endpoint", ServerName: e.ServerName, StartTLS: string(e.StartTLS)},
		Offered: Offered{Versions: o.Versions, Suites: o.Suites, Groups: o.Groups, Schemes: o.Schemes, ServerName: o.ServerName, ALPN: o.ALPN}}
	a := &attempt{q: q, r: r, offer: o, addresses: e.Addresses}
	a.run(ctx)
	r.Connections += q.Prober.Connections()
	r.RoundTrips += q.Prober.RoundTrips()
	return r
}

// NotTried is the report of a connection that is not made because the client's side has nothing to offer:
// err, from Selection.Resolve, says why.
func NotTried(target string, s *Selection, err error) *Report {
	d := diagnose.NothingToOffer(strings.Trim(s.Cipher+":"+s.Ciphersuites, ":"), target, err)
	r := &Report{Schema: Schema, Target: d.Target, Offered: Offered{Versions: []suite.Version{}, Suites: []suite.Code{}},
		Outcome: d.Outcome, Certificates: []Certificate{}, Notes: []string{}, Failure: d}
	var none *client.NoCiphersError
	if errors.As(err, &none) && len(none.Suites) > 0 {
		var codes []string
		for _, c := range none.Suites {
			codes = append(codes, c.String())
		}
		r.Notes = append(r.Notes, fmt.Sprintf("To ask the load balancer all the same: --cipher %s (by code a suite is offered whatever a library makes of it)", strings.Join(codes, ":")))
	}
	return r
}

// attempt is one run.
type attempt struct {
	q         *Request
	r         *Report
	offer     hello.Offer
	addresses []string // to try
	t         probe.Target
	hello     *hello.ClientHello // the forced one, as it was sent last
	seen      probe.Observation  // of the forced hello
	retried   bool               // it was sent again after a HelloRetryRequest
}

func (a *attempt) run(ctx context.Context) {
	a.send(ctx)
	if a.seen.Answer == probe.HelloRetry && a.seen.Group != 0 && !a.retry(ctx) {
		return
	}
	o := &a.offer
	switch {
	case a.seen.Answer == probe.PreambleFailed:
		a.preambleFailed(ctx)
	case !a.seen.Accepted(), a.seen.Version < slices.Min(o.Versions), a.seen.Hello.Downgraded() && o.Versions[0] == suite.TLS13:
		a.diagnose(ctx)
	case a.retried && a.seen.Answer == probe.HelloRetry:
		a.fail(diagnose.Refused, cause.ProtocolViolation, 0.95, fmt.Sprintf("the endpoint asks for a key share of %s (HelloRetryRequest) and, given one, asks again", a.seen.Group))
	case !slices.Contains(o.Versions, a.seen.Version):
		a.fail(diagnose.Refused, cause.NoCommonVersion, 0.95, fmt.Sprintf("the endpoint answers with %s; only %s may be used here", spoken(a.seen.Version), enumerate(versionNames(o.Versions))))
	case !slices.Contains(o.Suites, a.seen.Suite):
		a.fail(diagnose.Refused, cause.ProtocolViolation, 0.95, fmt.Sprintf("the endpoint answers with %s, which the hello does not offer", a.seen.Suite.OpenSSL()))
	default:
		a.accepted(ctx)
	}
}

// send sends the forced hello to the first address that takes a connection, and keeps to that one.
func (a *attempt) send(ctx context.Context) {
	e := a.q.Endpoint
	if len(a.addresses) == 0 {
		a.seen = probe.Observation{Answer: probe.NoAddress, Err: e.LookupErr}
	}
	h, err := hello.Build(&a.offer, rand.Reader)
	if err != nil { // a key share that cannot be made is left out before
		panic("connect: " + err.Error())
	}
	a.hello = h
	for _, address := range a.addresses {
		a.t = probe.Target{Address: net.JoinHostPort(address, e.Port), ServerName: e.Host, StartTLS: e.StartTLS}
		a.r.Target.Address = a.t.Address
		if a.seen = a.try(ctx, a.t, h); a.seen.Answer.Reached() {
			a.addresses = []string{address}
			return
		}
	}
}

// try sends one hello. One that is too long for the wire is not sent, and counts as not answered.
func (a *attempt) try(ctx context.Context, t probe.Target, h *hello.ClientHello) probe.Observation {
	raw, err := h.Marshal()
	if err != nil {
		return probe.Observation{Answer: probe.Malformed, Err: err}
	}
	return a.q.Prober.Hello(ctx, t, raw)
}

// retry follows a HelloRetryRequest: the same offer with a key share for the group that the endpoint asks
// for. It reports false where that cannot be done; the report then says how far the connection came.
func (a *attempt) retry(ctx context.Context) bool {
	g := a.seen.Group
	a.retried = true
	if !slices.Contains(a.offer.Groups, g) || slices.Contains(a.offer.KeyShares, g) {
		a.fail(diagnose.Refused, cause.ProtocolViolation, 0.95, fmt.Sprintf("the endpoint asks for a key share of %s (HelloRetryRequest), which the hello already has or does not offer", g))
		return false
	}
	if !shareable(g) {
		a.r.Outcome = diagnose.Negotiated
		a.negotiated()
		a.stop(fmt.Sprintf("at the HelloRetryRequest: the endpoint asks for a key share of %s, which cannot be made here", g))
		return false
	}
	a.offer.KeyShares = []suite.Group{g}
	a.send(ctx)
	return true
}

// stop notes that the handshake ends here though the endpoint refused nothing.
func (a *attempt) stop(where string) {
	a.r.Handshake = &Handshake{Stopped: where}
}

// negotiated notes what the endpoint chose from the forced hello.
func (a *attempt) negotiated() {
	o := &a.seen
	n := &Negotiated{Agreement: diagnose.Agreement{Version: o.Version, Cipher: o.Suite, Group: o.Group, Scheme: o.Scheme, ALPN: o.ALPN},
		Strength: suite.StrengthOf(o.Suite), DHBits: o.DHBits, HelloRetry: a.retried || o.Answer == probe.HelloRetry}
	if s := suite.ByCode(o.Suite); s != nil {
		n.Bits = s.Bits
	}
	if o.Version < suite.TLS13 {
		n.SecureReneg, n.ExtendedMaster = &o.Hello.SecureReneg, &o.Hello.ExtendedMaster
	}
	a.r.Negotiated = n
}
