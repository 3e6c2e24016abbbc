package diagnose

import (
	"context"
	"net"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
)

// TableSchema names the shape of a Table in JSON; docs/schema/why-clients.schema.json describes it.
const TableSchema = "parley/why-clients/1"

// Table says of every known client whether it gets in. The endpoint is probed once; what each client comes to
// is predicted from what was seen.
type Table struct {
	Schema      string        `json:"schema"`
	Target      Target        `json:"target"`
	Reached     bool          `json:"reached"` // the endpoint speaks TLS
	Causes      []Cause       `json:"causes"`  // why it could not be judged, if it was not reached
	PolicyMatch []PolicyMatch `json:"policy_match"`
	Observed    *Observed     `json:"observed,omitempty"`
	Clients     []TableRow    `json:"clients"`
	Works       int           `json:"works"`
	Connections int           `json:"connections"`
	RoundTrips  int           `json:"round_trips"`
}

// TableRow is one client.
type TableRow struct {
	Name       string     `json:"name"`
	Released   string     `json:"released,omitempty"`
	Works      bool       `json:"works"`
	Negotiated *Agreement `json:"negotiated,omitempty"`
	Cause      cause.ID   `json:"cause,omitempty"`
	Summary    string     `json:"summary,omitempty"`
}

// AllClients judges every known client against a live endpoint.
func AllClients(ctx context.Context, e *Endpoint, opt Options) *Table {
	any := FromOffer("any client", "profile", hello.Offer{})
	if len(e.Addresses) == 0 {
		return tableOf(unresolved(any, e))
	}
	v := &visit{c: any, e: e, opt: opt, p: opt.Prober, d: newDiagnosis(any),
		t: probe.Target{Address: net.JoinHostPort(e.Addresses[0], e.Port), ServerName: e.Host, StartTLS: e.StartTLS}}
	v.d.Target = Target{Name: e.Name, Kind: "endpoint", Address: v.t.Address, ServerName: e.ServerName, StartTLS: string(e.StartTLS)}
	v.seen = scan.Quick(ctx, v.p, v.t, scan.Options{ServerName: e.ServerName})
	v.match()
	if !v.seen.Speaks() {
		// The first question stands for a client's hello: all were met alike.
		v.replay = v.seen.Replies[0].Observation
		o := v.seen.Replies[0].Offer
		if h, err := FromOffer("any client", "hello", o).to(e.ServerName); err == nil {
			v.hello = h
		}
		v.silent(ctx)
		t := tableOf(v.d)
		t.Connections, t.RoundTrips = v.p.Connections(), v.p.RoundTrips()
		return t
	}
	p := *v.seen.Policy
	if v.server.now != nil { // an exact match: then order and kind of server are known too
		p.Engine, p.Order = v.server.now.Engine, v.server.now.Order
		p.Suites = shared(v.server.now.Suites, p.Suites)
	}
	t := tableOf(v.d)
	t.Reached = true
	t.judge(&p, &v.seen.Identity, e.ServerName, opt.Now)
	t.Connections, t.RoundTrips = v.p.Connections(), v.p.RoundTrips()
	return t
}

// AllAgainstPolicy judges every known client against a named policy, without a network.
func AllAgainstPolicy(p *policy.Policy, id *policy.Identity, serverName string, now time.Time) *Table {
	if id == nil {
		id = &policy.Identity{}
	}
	t := &Table{Schema: TableSchema, Target: Target{Name: "policy:" + p.Name, Kind: "policy"}, Reached: true, Causes: []Cause{}, PolicyMatch: []PolicyMatch{}}
	t.judge(p, id, serverName, now)
	return t
}

func tableOf(d *Diagnosis) *Table {
	return &Table{Schema: TableSchema, Target: d.Target, Causes: d.Causes, PolicyMatch: d.PolicyMatch, Observed: d.Observed, Clients: []TableRow{}}
}

func (t *Table) judge(p *policy.Policy, id *policy.Identity, serverName string, now time.Time) {
	for _, c := range client.All() {
		row := TableRow{Name: c.Name, Released: c.Released}
		o := c.OfferTo(serverName)
		out := negotiate.Decide(&o, p, id)
		var r negotiate.Reason
		switch {
		case !out.OK:
			r = out.Reason
		case out.Certificate >= 0:
			if l := negotiate.CheckIdentity(&o, &id.Certificates[out.Certificate], serverName, now); len(l) > 0 {
				r = l[0]
			}
		}
		if r.Cause != "" {
			row.Cause, row.Summary = r.Cause, sentence(c.Name, "the listener", &o, p.Versions, r)
		} else {
			row.Works = true
			row.Negotiated = &Agreement{Version: out.Version, Cipher: out.Suite, Group: out.Group, Scheme: out.Scheme, ALPN: out.ALPN}
			t.Works++
		}
		t.Clients = append(t.Clients, row)
	}
}

// shared keeps the elements of a that are in b, in a's order.
func shared[T comparable](a, b []T) []T {
	var l []T
	for _, x := range a {
		for _, y := range b {
			if x == y {
				l = append(l, x)
				break
			}
		}
	}
	return l
}
