package interop

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

var (
	show = flag.Bool("matrix", false, "print the matrix")
	only = flag.String("only", "", "only pairs whose CLIENT/SERVER contains this")
)

// predictors are held against reality one after the other.
var predictors = []Predictor{Decide}

// TestMatrix has every real client connect to every real server, and holds the predictions against what
// happened.
func TestMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: hundreds of real connections")
	}
	var servers []subject
	running := make(map[string]*testbed.Server)
	for _, s := range subjects(t) {
		if name, ok := s.config.Installed(t); !ok {
			missing(t, "server "+s.name, name)
			continue
		}
		servers = append(servers, s)
		var ids []*testbed.Identity
		for _, spec := range s.specs {
			ids = append(ids, testbed.Make(t, spec))
		}
		running[s.name] = testbed.Start(t, s.config.With(ids...))
	}
	var clients []*testbed.Client
	for _, c := range testbed.Clients(t) {
		if c.Missing() != "" {
			missing(t, "client "+c.Name, c.Missing())
			continue
		}
		clients = append(clients, c)
	}
	begin := time.Now()
	m := &matrix{cells: make(map[string]*cell)}
	jobs := make(chan *cell)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for c := range jobs {
				c.meet(t)
			}
		})
	}
	for _, c := range clients {
		m.clients = append(m.clients, c.Name)
		for _, s := range servers {
			if !strings.Contains(c.Name+"/"+s.name, *only) {
				continue
			}
			one := &cell{client: c, subject: s, server: running[s.name]}
			m.cells[c.Name+"/"+s.name] = one
			jobs <- one
		}
	}
	close(jobs)
	workers.Wait()
	m.servers = servers
	m.took = time.Since(begin)
	if *show {
		m.print(os.Stdout)
	}
	if *only == "" && (len(clients) < 20 || len(servers) < 12) && os.Getenv("CI") == "true" {
		t.Errorf("%d clients and %d servers: at least 20 and 12 are wanted", len(clients), len(servers))
	}
	for _, c := range clients {
		for _, s := range servers {
			one := m.cells[c.Name+"/"+s.name]
			if one == nil {
				continue
			}
			for _, d := range one.disagreements {
				t.Errorf("%s → %s: %s\n%s", c.Name, s.name, d, one.evidence())
			}
		}
	}
}

// missing names a peer that is not installed; in CI that is a failure.
func missing(t *testing.T, who, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Errorf("%s: %s is missing: make peers installs it", who, what)
		return
	}
	t.Logf("%s left out: %s is missing: make peers installs it", who, what)
}

// cell is one pair: what happened, and what was predicted.
type cell struct {
	client        *testbed.Client
	subject       subject
	server        *testbed.Server
	pair          Pair
	result        testbed.Result
	seen          testbed.Seen
	offer         hello.Offer
	predictions   []Prediction
	disagreements []string
}

func (c *cell) disagree(format string, args ...any) {
	c.disagreements = append(c.disagreements, fmt.Sprintf(format, args...))
}

// meet has the client connect through a relay, and compares.
func (c *cell) meet(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	relay := testbed.NewRelay(t, c.server.Addr)
	c.result = c.client.Connect(ctx, testbed.Target{Addr: relay.Addr, ServerName: testbed.HostName, CA: c.server.CA})
	records := relay.Stop()
	if len(records) == 0 {
		c.disagree("the client did not connect")
		return
	}
	seen, err := records[0].Read()
	if err != nil {
		c.disagree("what went over the wire can't be read: %v", err)
	}
	if c.seen = seen; seen.Hello == nil {
		return
	}
	c.offer = seen.Hello.Offer()
	c.offer.Accepts = c.client.Accepts
	c.pair = Pair{Client: c.client.Name, Server: c.subject.name, Hello: records[0].Client(), Accepts: c.client.Accepts,
		Addr: c.server.Addr, ServerName: c.offer.ServerName, CA: c.server.CA, Policy: c.server.Policy, Identity: c.server.Identity, Now: time.Now()}
	if c.result.Version != 0 && c.result.Version != seen.Version() || c.result.Suite != 0 && c.result.Suite != seen.Suite() {
		c.disagree("the client tells %v %s, the wire %v %s", c.result.Version, c.result.Suite.OpenSSL(), seen.Version(), seen.Suite().OpenSSL())
	}
	for _, p := range predictors {
		got, err := p.Predict(ctx, &c.pair)
		c.predictions = append(c.predictions, got)
		if err != nil {
			c.disagree("%s: %v", p.Name, err)
			continue
		}
		c.compare(p.Name, got)
	}
}

// compare demands agreement: in outcome, in version and suite, in the cause that the configuration
// implies, and in the alert where one is predicted.
func (c *cell) compare(name string, p Prediction) {
	switch {
	case p.OK != c.result.OK:
		c.disagree("%s: predicted %s, but %s", name, p.text(), c.reality())
	case p.OK && (p.Version != c.seen.Version() || p.Suite != c.seen.Suite()):
		c.disagree("%s: predicted %s, but %s", name, p.text(), c.reality())
	case p.OK && p.Details != nil:
		c.compareDetails(name, p.Details)
	case p.OK:
	default:
		want, err := expectedCause(&c.offer, c.pair.Policy, c.pair.Identity)
		switch {
		case err != nil:
			c.disagree("%s: predicted %s: %v; %s", name, p.text(), err, c.reality())
		case want != p.Cause:
			c.disagree("%s: predicted %s, the configuration implies %s; %s", name, p.text(), want, c.reality())
		}
		a := c.seen.ServerAlert
		if c.subject.noAlerts && a == nil {
			return
		}
		if p.By == "server" && p.Signal.Alert != 0 && (a == nil || a.Description != p.Signal.Alert) {
			c.disagree("%s: predicted %s with alert %v, but %s", name, p.Cause, p.Signal.Alert, c.reality())
		} else if p.By == "client" && a != nil && a.Fatal {
			c.disagree("%s: predicted that the client gives up (%s), but %s", name, p.Cause, c.reality())
		}
	}
}

func (c *cell) compareDetails(name string, d *Details) {
	if d.Group != 0 && d.Group != c.seen.Group {
		c.disagree("%s: predicted group %v, the wire shows %v", name, d.Group, c.seen.Group)
	}
	if d.Retry != c.seen.Retry {
		c.disagree("%s: HelloRetryRequest predicted: %t, seen: %t", name, d.Retry, c.seen.Retry)
	}
	if c.seen.Scheme != 0 && d.Scheme != 0 && d.Scheme != c.seen.Scheme {
		c.disagree("%s: predicted signature %v, the wire shows %v", name, d.Scheme, c.seen.Scheme)
	}
}

func (p Prediction) text() string {
	if p.OK {
		return fmt.Sprintf("%v %s", p.Version, p.Suite.OpenSSL())
	}
	return fmt.Sprintf("refusal by the %s (%s)", p.By, p.Cause)
}

func (c *cell) reality() string {
	var l []string
	if c.seen.Choice != nil {
		l = append(l, fmt.Sprintf("the server chose %v %s", c.seen.Version(), c.seen.Suite().OpenSSL()))
	}
	if a := c.seen.ServerAlert; a != nil {
		l = append(l, fmt.Sprintf("the server sent alert %v", a.Description))
	}
	if a := c.seen.ClientAlert; a != nil {
		l = append(l, fmt.Sprintf("the client sent alert %v", a.Description))
	}
	if c.result.OK {
		return strings.Join(append(l, "the client succeeded"), ", ")
	}
	return strings.Join(append(l, "the client failed"), ", ")
}

// evidence is what a reader needs to repeat a disagreement.
func (c *cell) evidence() string {
	out := c.result.Output
	if len(out) > 600 {
		out = out[:300] + " … " + out[len(out)-300:]
	}
	h := c.pair.Hello
	if len(h) > 1200 {
		h = h[:1200]
	}
	return fmt.Sprintf("  client printed: %s\n  versions %v\n  suites %v\n  groups %v shares %v\n  schemes %v\n  server: %s; versions %v suites %v groups %v schemes %v order %s\n  hello %s",
		strings.ReplaceAll(strings.TrimSpace(out), "\n", "\n    "), c.offer.Versions, names(c.offer.Suites), c.offer.Groups, c.offer.KeyShares, c.offer.Schemes,
		c.subject.what, c.server.Policy.Versions, names(c.server.Policy.Suites), c.server.Policy.Groups, c.server.Policy.Schemes, c.server.Policy.Order, hex.EncodeToString(h))
}

func names(l []suite.Code) []string {
	var out []string
	for _, c := range l {
		out = append(out, c.OpenSSL())
	}
	return out
}
