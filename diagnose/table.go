package diagnose

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/scan"
)

// TableSchema names the shape of a Table in JSON; docs/schema/why-clients.schema.json describes it.
const TableSchema = "parley/why-clients/1"

// Table says of every known client whether it gets in. The endpoint is probed once at each address; what each
// client comes to is predicted from what was seen.
type Table struct {
	Schema      string        `json:"schema"`
	Target      Target        `json:"target"`
	Reached     bool          `json:"reached"`  // the endpoint speaks TLS
	Causes      []Cause       `json:"causes"`   // why it could not be judged, if it was not reached
	Findings    []Finding     `json:"findings"` // whether the addresses behind the name differ
	PolicyMatch []PolicyMatch `json:"policy_match"`
	Observed    *Observed     `json:"observed,omitempty"`
	AWS         *Told         `json:"aws,omitempty"` // the listener, as AWS's API tells it
	Clients     []TableRow    `json:"clients"`
	Works       int           `json:"works"`
	Connections int           `json:"connections"`
	RoundTrips  int           `json:"round_trips"`
}

// TableRow is one client.
type TableRow struct {
	Name       string     `json:"name"`
	Released   string     `json:"released,omitempty"`
	Works      bool       `json:"works"` // at every address
	Negotiated *Agreement `json:"negotiated,omitempty"`
	Cause      cause.ID   `json:"cause,omitempty"`
	Summary    string     `json:"summary,omitempty"`
	FailsAt    []string   `json:"fails_at,omitempty"` // the addresses, where it does not fail at all of them
}

// AllClients judges every known client against a live endpoint, at every address of its name.
func AllClients(ctx context.Context, e *Endpoint, opt Options) *Table {
	if len(e.Addresses) == 0 {
		return tableOf(unresolved(anyClient(), e))
	}
	addresses := e.Addresses[:min(len(e.Addresses), maxAddresses)]
	tables := make([]*Table, len(addresses))
	var wg sync.WaitGroup
	for i, a := range addresses {
		wg.Go(func() { tables[i] = clientsAt(ctx, a, e, opt) })
	}
	wg.Wait()
	return mergeTables(tables)
}

func anyClient() *ClientSide { return FromOffer("any client", "profile", hello.Offer{}) }

// clientsAt judges every known client at one address.
func clientsAt(ctx context.Context, address string, e *Endpoint, opt Options) *Table {
	v := newVisit(anyClient(), e, opt, address)
	v.seen = scan.Quick(ctx, v.p, v.t, scan.Options{ServerName: e.ServerName})
	v.match()
	if !v.seen.Speaks() {
		// The first question stands for a client's hello: all were met alike.
		v.replay = v.seen.Replies[0].Observation
		if h, err := hello.Build(&v.seen.Replies[0].Offer, rand.Reader); err == nil {
			v.hello = h
		}
		v.silent(ctx)
	}
	reached := v.seen.Speaks()
	if broken, ok := v.seen.BreaksOff(); reached && ok { // no client gets in, whatever it offers
		v.replay = broken.Observation
		v.stalled()
		reached = false
	}
	t := tableOf(v.d)
	if t.Reached = reached; t.Reached {
		p := *v.seen.Policy
		if v.server.now != nil { // an exact match: then order and kind of server are known too
			p.Engine, p.Order = v.server.now.Engine, v.server.now.Order
			p.Suites = shared(v.server.now.Suites, p.Suites)
		}
		t.judge(&p, &v.seen.Identity, e.ServerName, opt.Now)
	}
	t.Connections, t.RoundTrips = v.p.Connections(), v.p.RoundTrips()
	return t
}

// mergeTables makes one table of those of several addresses.
func mergeTables(l []*Table) *Table {
	var reached []*Table
	var silent []string
	connections, rounds := 0, 0
	for _, t := range l {
		connections, rounds = connections+t.Connections, max(rounds, t.RoundTrips)
		if t.Reached {
			reached = append(reached, t)
		} else {
			silent = append(silent, t.Target.Address)
		}
	}
	if len(l) == 1 || len(reached) == 0 {
		l[0].Connections, l[0].RoundTrips = connections, rounds
		return l[0]
	}
	t := *reached[0]
	t.Connections, t.RoundTrips = connections, rounds
	t.mergeClients(reached)
	var others []string
	for _, o := range reached[1:] {
		if !o.Observed.same(t.Observed) {
			others = append(others, o.Target.Address)
		}
	}
	note := func(id, summary string) { t.Findings = append(t.Findings, Finding{ID: id, Summary: summary}) }
	if len(silent) > 0 {
		note("addresses-differ", "no TLS at "+enumerate(silent)+", though other addresses of the name speak it")
	}
	if len(others) > 0 {
		note("addresses-differ", "other protocols, cipher suites or groups at "+enumerate(others)+" than at "+t.Target.Address)
	}
	if len(silent)+len(others) == 0 {
		note("addresses-alike", fmt.Sprintf("%d addresses behind the name, all alike", len(l)))
	}
	return &t
}

// mergeClients fills in the rows: a client works if it does at every address that speaks TLS.
func (t *Table) mergeClients(at []*Table) {
	rows := slices.Clone(t.Clients)
	t.Works = 0
	for i := range rows { // every table lists all clients
		var fails []string
		for _, o := range at {
			if o.Clients[i].Works {
				continue
			}
			if fails = append(fails, o.Target.Address); rows[i].Works {
				rows[i] = o.Clients[i]
			}
		}
		if len(fails) < len(at) {
			rows[i].FailsAt = fails
		}
		if rows[i].Works {
			t.Works++
		}
	}
	t.Clients = rows
}

// same reports whether two addresses accept the same.
func (o *Observed) same(p *Observed) bool {
	return slices.Equal(o.Versions, p.Versions) && sameSet(o.Suites, p.Suites) && sameSet(o.Groups, p.Groups)
}

func sameSet[T comparable](a, b []T) bool { return len(a) == len(b) && len(shared(a, b)) == len(a) }

// AllAgainstPolicy judges every known client against a named policy, without a network.
func AllAgainstPolicy(p *policy.Policy, id *policy.Identity, serverName string, now time.Time) *Table {
	if id == nil {
		id = &policy.Identity{}
	}
	t := &Table{Schema: TableSchema, Target: Target{Name: "policy:" + p.Name, Kind: "policy"}, Reached: true, Causes: []Cause{}, Findings: []Finding{}, PolicyMatch: []PolicyMatch{}}
	t.judge(p, id, serverName, now)
	return t
}

func tableOf(d *Diagnosis) *Table {
	return &Table{Schema: TableSchema, Target: d.Target, Causes: d.Causes, Findings: d.Findings, PolicyMatch: d.PolicyMatch, Observed: d.Observed, Clients: []TableRow{}}
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
