package bench

import (
	"cmp"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/parley-tls/parley/bench/delayproxy"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

var scanTable = Table{
	Title: "`parley scan` and the scanners, 50 ms away",
	Intro: "One endpoint, each tool by itself as a whole program, through the delay proxy, which counts the connections and how many a\n" +
		"tool has open at once, alike for all. `--basic` asks for what sslscan reports; the full scan has all its other checks on. Wall\n" +
		"and processor time (user and system, of the tool alone) are medians. A pair is a version and a suite; the true ones are those\n" +
		"that the server was configured to accept, so that a fast wrong answer shows. Ratios are the tool's to those of the first row\n" +
		"of the endpoint. gnutls-serv and openssl s_server finish one connection before they look at the next.",
	Head: []string{"endpoint", "policy", "tool", "runs", "wall time", "ratio", "connections", "ratio", "most open at once", "processor time", "pairs found of the true"},
}

var scanBoundTable = Table{
	Title: "`parley scan` against its bounds, 50 ms away",
	Intro: fmt.Sprintf("The same runs; that of what sslscan reports. The bound of connections is what it takes to prove each list by leaving out what was\n"+
		"chosen: an accepted suite one, one for the refusal of the rest of each class of certificate (RSA, ECDSA), one for each refused\n"+
		"version; with groups, the same for each list of groups. It is computed from the server's configuration. Allowed are 1.5 times\n"+
		"for a policy that is known, else 2 times; 0.3 s, with two certificates 0.6 s, for a policy that is not known 1.0 s; %d\n"+
		"connections open at once.", maxOpen),
	Head: []string{"endpoint", "policy", "scan", "wall time", "bound", "within", "connections", "bound of connections", "ratio", "with groups", "ratio", "allowed", "within (with groups)", "most open at once", "within"},
}

var scanLocalTable = Table{
	Title: "`parley scan` and the scanners, no distance away",
	Intro: "The same endpoints without the proxy, from start to end of the program; medians. Bound: the full scan, with all its other checks\n" +
		"on, takes no longer than sslscan.",
	Head: []string{"endpoint", "policy", "parley scan --basic", "parley scan", "sslscan", "nmap", "processor time (in that order)", "runs (in that order)", "ratio of sslscan to the full scan", "no slower than sslscan"},
}

// scanScene is an endpoint to scan.
type scanScene struct {
	name       string // for the tables
	policy     *policy.Policy
	identities []testbed.Spec
	kinds      []testbed.Kind
}

var (
	oneRSA     = []testbed.Spec{testbed.RSA2048}
	both       = []testbed.Spec{testbed.RSA2048, testbed.P256}
	allServers = []testbed.Kind{testbed.HAProxy, testbed.Nginx, testbed.OpenSSL, testbed.GnuTLS}
)

// oddPolicy is of no family: versions, suites and their order are nobody's.
var oddPolicy = policy.Policy{Name: "odd", Versions: []suite.Version{suite.TLS11, suite.TLS12},
	Suites: []suite.Code{0xC014, 0xC030, 0x009C, 0x0041, 0xC09C, 0xC027, 0x0035, 0xCCA8, 0x003D}, Order: policy.ServerOrder,
	Groups: []suite.Group{suite.Secp384r1, suite.X25519, suite.Secp256r1}}

func scanScenes() []scanScene {
	return []scanScene{
		{"TLS13-1-2-2021-06", policy.ByName("TLS13-1-2-2021-06"), oneRSA, allServers},
		{"2016-08", policy.ByName("2016-08"), oneRSA, allServers},
		{"2016-08, RSA and ECDSA", policy.ByName("2016-08"), both, allServers[:2]},
		{"Mozilla old, without DHE", policy.ByName("mozilla-old"), oneRSA, allServers[:2]},
		{"of no family", &oddPolicy, oneRSA, allServers},
	}
}

// BenchmarkScan runs parley scan and the scanners against the same endpoints, with and without distance.
func BenchmarkScan(b *testing.B) {
	for _, s := range scanScenes() {
		for _, kind := range s.kinds {
			b.Run(string(kind)+"/"+s.name, func(b *testing.B) { s.run(b, kind) })
		}
	}
}

func (s *scanScene) run(b *testing.B, kind testbed.Kind) {
	config := testbed.ForPolicy(s.policy, kind)
	if missing, ok := config.Installed(b); !ok {
		b.Skipf("%s is missing", missing)
	}
	var ids []*testbed.Identity
	for _, spec := range s.identities {
		ids = append(ids, testbed.Make(b, spec))
	}
	server := testbed.Start(b, config.With(ids...))
	far, near := make(map[string]*scanCost), make(map[string]*scanCost)
	for _, t := range []scanTool{parleyBasic, parleyFull, sslscan, nmap, testssl} {
		b.Run("far/"+t.name, func(b *testing.B) { far[t.name] = t.measure(b, server, rtt) })
	}
	for _, t := range []scanTool{parleyBasic, parleyFull, sslscan, nmap} {
		b.Run("near/"+t.name, func(b *testing.B) { near[t.name] = t.measure(b, server, 0) })
	}
	s.addFar(kind, server, far)
	s.addBounds(kind, server, far)
	s.addNear(kind, near)
}

// scanCost is what a tool took of one endpoint.
type scanCost struct {
	walls, processor  times
	connections, most int // of the last run; 0 without the proxy
	found, invented   int
	true              int
}

// measure runs the tool as often as the benchmark asks, through a delay proxy of its own where there is a distance.
func (t *scanTool) measure(b *testing.B, server *testbed.Server, distance time.Duration) *scanCost {
	t.path(b) // which builds it, or skips
	want := truth(server)
	c := &scanCost{true: len(want), found: len(want)}
	for b.Loop() {
		addr := server.Addr
		var proxy *delayproxy.Proxy
		if distance > 0 {
			var err error
			if proxy, err = delayproxy.Start(server.Addr, distance); err != nil {
				b.Fatal(err)
			}
			addr = proxy.Addr
		}
		wall, processor, found := t.scan(b, addr)
		c.walls, c.processor = append(c.walls, wall), append(c.processor, processor)
		if proxy != nil {
			n := proxy.Counters()
			c.connections, c.most = max(c.connections, int(n.Connections)), max(c.most, int(n.Most))
			proxy.Stop()
		}
		c.compare(want, found)
	}
	b.ReportMetric(float64(c.found), "pairs")
	b.ReportMetric(float64(c.connections), "connections")
	return c
}

// compare keeps the worst of the answers.
func (c *scanCost) compare(want, found acceptance) {
	right := 0
	for p := range maps.Keys(found) {
		if want[p] {
			right++
		}
	}
	c.found, c.invented = min(c.found, right), max(c.invented, len(found)-right)
}

// pairs says how much of the truth was found, and how much else.
func (c *scanCost) pairs() string {
	s := fmt.Sprintf("%d of %d", c.found, c.true)
	if c.found < c.true {
		s = "**" + s + "**"
	}
	if c.invented > 0 {
		s += fmt.Sprintf(", **and %d that are not true**", c.invented)
	}
	return s
}

func (s *scanScene) addFar(kind testbed.Kind, server *testbed.Server, far map[string]*scanCost) {
	first := cmp.Or(far[parleyBasic.name], far[parleyFull.name])
	for _, t := range []scanTool{parleyBasic, parleyFull, sslscan, nmap, testssl} {
		c := far[t.name]
		if c == nil || first == nil {
			continue
		}
		scanTable.Add(kind, s.name, t.name, len(c.walls), seconds(c.walls.median()), ratio(c.walls.median(), first.walls.median()),
			c.connections, ratio(c.connections, first.connections), c.most, seconds(c.processor.median()), c.pairs())
	}
}

func (s *scanScene) addBounds(kind testbed.Kind, server *testbed.Server, far map[string]*scanCost) {
	tool := parleyBasic
	if far[tool.name] == nil {
		tool = parleyFull
	}
	c := far[tool.name]
	if c == nil {
		return
	}
	bounds := boundsFor(s.policy, server)
	suites, withGroups := connectionBound(server)
	wall := c.walls.median()
	scanBoundTable.Add(kind, s.name, tool.name, seconds(wall), seconds(bounds.wall), yes(wall <= bounds.wall), c.connections,
		suites, ratio2(c.connections, suites), withGroups, ratio2(c.connections, withGroups), fmt.Sprintf("%.1f×", bounds.connections),
		yes(float64(c.connections) <= bounds.connections*float64(withGroups)), c.most, yes(c.most <= maxOpen))
}

// ratio2 is ratio with one more digit.
func ratio2(a, b int) string { return fmt.Sprintf("%.2f×", float64(a)/float64(b)) }

func (s *scanScene) addNear(kind testbed.Kind, near map[string]*scanCost) {
	full, peer := near[parleyFull.name], near[sslscan.name]
	if full == nil {
		return
	}
	row := []any{kind, s.name}
	var processor, runs string
	for i, t := range []scanTool{parleyBasic, parleyFull, sslscan, nmap} {
		wall, cpu, n := "-", "-", "-"
		if c := near[t.name]; c != nil {
			wall, cpu, n = millis(c.walls.median()), millis(c.processor.median()), fmt.Sprint(len(c.walls))
		}
		if i > 0 {
			processor, runs = processor+", ", runs+", "
		}
		row, processor, runs = append(row, wall), processor+cpu, runs+n
	}
	row = append(row, processor, runs)
	if peer == nil {
		row = append(row, "-", "-")
	} else {
		row = append(row, ratio(peer.walls.median(), full.walls.median()), yes(full.walls.median() <= peer.walls.median()))
	}
	scanLocalTable.Add(row...)
}
