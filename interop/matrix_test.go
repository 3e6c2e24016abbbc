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
var predictors = []Predictor{Decide, Why}

// TestMatrix has every real client connect to every real server, and holds the predictions against what
// happened.
func TestMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: hundreds of real connections")
	}
	m := &matrix{clients: realClients(t), servers: realServers(t), cells: make(map[string]*cell)}
	begin := time.Now()
	m.run(t)
	m.took = time.Since(begin)
	m.impact(t)
	if *show {
		m.print(os.Stdout)
	}
	if *only == "" && (len(m.clients) < 20 || len(m.servers) < 12) && os.Getenv("CI") == "true" {
		t.Errorf("%d clients and %d servers: at least 20 and 12 are wanted", len(m.clients), len(m.servers))
	}
	for _, c := range m.all() {
		for _, d := range c.disagreements {
			t.Errorf("%s → %s: %s\n%s", c.client.Name, c.server.name, d, c.evidence())
		}
	}
}

// realServers starts the servers whose programs are installed.
func realServers(t *testing.T) []*server {
	var l []*server
	for _, s := range subjects(t) {
		if name, ok := s.config.Installed(t); !ok {
			missing(t, "server "+s.name, name)
			continue
		}
		l = append(l, &server{subject: s, Server: s.start(t)})
	}
	return l
}

// realClients lists the clients that are installed.
func realClients(t *testing.T) []*testbed.Client {
	var l []*testbed.Client
	for _, c := range testbed.Clients(t) {
		if c.Missing() != "" {
			missing(t, "client "+c.Name, c.Missing())
			continue
		}
		l = append(l, c)
	}
	return l
}

// run has all pairs meet, a few at a time.
func (m *matrix) run(t *testing.T) {
	jobs := make(chan *cell)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for c := range jobs {
				c.meet(t)
			}
		})
	}
	for _, c := range m.clients {
		for _, s := range m.servers {
			if key := c.Name + "/" + s.name; strings.Contains(key, *only) {
				m.cells[key] = &cell{client: c, server: s}
				jobs <- m.cells[key]
			}
		}
	}
	close(jobs)
	workers.Wait()
}

// all lists the pairs, row by row.
func (m *matrix) all() []*cell {
	var l []*cell
	for _, c := range m.clients {
		for _, s := range m.servers {
			if one := m.cells[c.Name+"/"+s.name]; one != nil {
				l = append(l, one)
			}
		}
	}
	return l
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

// server is a running server. Pairs take it one after the other: openssl s_server and gnutls-serv serve one
// connection at a time, and a client that has to wait for a scan to end would time out.
type server struct {
	subject
	*testbed.Server
	busy sync.Mutex
}

// cell is one pair: what happened, and what was predicted.
type cell struct {
	client        *testbed.Client
	server        *server
	pair          Pair
	result        testbed.Result
	seen          testbed.Seen
	offer         hello.Offer
	predictions   []Prediction
	undecided     bool // why names two causes, and the right one second
	disagreements []string
}

func (c *cell) disagree(format string, args ...any) {
	c.disagreements = append(c.disagreements, fmt.Sprintf(format, args...))
}

// pairTime bounds one pair.
const pairTime = 45 * time.Second

// meet has the client connect through a relay, and compares. A pair that ran out of time has shown nothing: it gets
// a second chance.
func (c *cell) meet(t *testing.T) {
	c.server.busy.Lock()
	defer c.server.busy.Unlock()
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), pairTime)
		*c = cell{client: c.client, server: c.server}
		c.try(ctx, t)
		inTime := ctx.Err() == nil
		cancel()
		if inTime {
			return
		}
	}
	c.disagree("not done in %s, twice", pairTime)
}

func (c *cell) try(ctx context.Context, t *testing.T) {
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
	c.pair = Pair{Client: c.client.Name, Server: c.server.name, Hello: records[0].Client(), Accepts: c.client.Accepts,
		Addr: c.server.Addr, HostName: testbed.HostName, ServerName: c.offer.ServerName, CA: c.server.CA,
		Policy: c.server.Policy, Identity: c.server.Identity, Now: time.Now(), Queue: c.server.queue()}
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
		if got.Report != nil {
			c.compareReport(p.Name, got.Report)
		}
	}
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
		c.server.what, c.server.Policy.Versions, names(c.server.Policy.Suites), c.server.Policy.Groups, c.server.Policy.Schemes, c.server.Policy.Order, hex.EncodeToString(h))
}

func names(l []suite.Code) []string {
	var out []string
	for _, c := range l {
		out = append(out, c.OpenSSL())
	}
	return out
}
