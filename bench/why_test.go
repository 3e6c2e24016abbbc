package bench

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/parley-tls/parley/bench/delayproxy"
	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// rtt is how far away the endpoints are.
const rtt = 50 * time.Millisecond

// The bounds of a version, cipher, group or certificate cause.
const (
	maxRoundTrips  = 10
	maxConnections = 40
)

var whyTable = Table{
	Title: "`parley why` and the scanners, 50 ms away",
	Intro: "One endpoint of each kind for each cause, behind a delay proxy that makes a round trip 50 ms long (25 ms each way, and one\n" +
		"for the TCP handshake). `parley why` is the whole program, from start to end; the round-trip times are the median wall time\n" +
		"divided by 50 ms, so its own work is in them. Connections are counted at the proxy and must be what the report says. sslscan\n" +
		"and nmap (ssl-enum-ciphers) scan the same endpoint through the same proxy; neither says why a client fails. Ratios are theirs\n" +
		"to Parley's. nginx and HAProxy serve connections side by side, as load balancers do; gnutls-serv and openssl s_server are\n" +
		"test servers that finish one connection before they look at the next, so that there each costs a round trip by itself.",
	Head: []string{"endpoint", "cause", "parley: connections", "wall time", "round-trip times", "sslscan: connections", "wall time", "nmap: connections", "wall time",
		"ratio of connections (sslscan, nmap)", "ratio of time (sslscan, nmap)"},
}

var roundTable = Table{
	Title: "Round trips by the clock and as counted",
	Intro: fmt.Sprintf("The same runs. Bounds: %d round-trip times, %d connections.", maxRoundTrips, maxConnections),
	Head:  []string{"endpoint", "cause", "runs", "counted in the report", "by the clock: best", "median", "worst", "within both bounds (median)"},
}

// scene is a client that fails for one cause.
type scene struct {
	cause    cause.ID
	what     string // for the table
	client   func(*testing.B) string
	policy   string
	identity testbed.Spec
	not      testbed.Kind // which cannot be configured so
}

var scenes = []scene{
	{cause.NoCommonVersion, "version", known("java-7u25"), "TLS13-1-2-2021-06", testbed.RSA2048, ""},
	{cause.NoCommonCipher, "cipher", known("ciphers:AES128-SHA"), "TLS13-1-2-Res-2021-06", testbed.RSA2048, ""},
	{cause.NoCommonGroup, "group", offering(func(o *hello.Offer) {
		o.Versions = []suite.Version{suite.TLS13}
		o.Groups, o.KeyShares = []suite.Group{suite.Secp521r1}, []suite.Group{suite.Secp521r1}
	}), "TLS13-1-3-2021-06", testbed.RSA2048, ""},
	{cause.CipherNeedsOtherCertificate, "certificate of the wrong kind", offering(func(o *hello.Offer) {
		o.Versions, o.Suites = []suite.Version{suite.TLS12}, []suite.Code{0xC02B, 0xC02C}
	}), "TLS13-1-2-2021-06", testbed.RSA2048, ""},
	{cause.CertificateExpired, "certificate expired", known("nodejs-20"), "TLS13-1-2-2021-06", testbed.RSAExpired, ""},
	{cause.WeakCertificateKey, "certificate with a weak key", known("nodejs-24"), "TLS13-1-2-2021-06", testbed.RSA1024, testbed.HAProxy}, // it loads no key as small as that
}

func known(name string) func(*testing.B) string { return func(*testing.B) string { return name } }

// offering writes the hello of a client of today, changed, to a file.
func offering(change func(*hello.Offer)) func(*testing.B) string {
	return func(b *testing.B) string {
		o := hello.Offer{Versions: []suite.Version{suite.TLS13, suite.TLS12}, Suites: []suite.Code{0x1301, 0x1302, 0xC02B, 0xC02F, 0xC02C, 0xC030}, ServerName: testbed.HostName,
			HasGroups: true, Groups: []suite.Group{suite.X25519, suite.Secp256r1}, KeyShares: []suite.Group{suite.X25519}, PointFormats: []byte{0}, HasSchemes: true,
			Schemes:     []suite.SignatureScheme{suite.ECDSASecp256r1SHA256, suite.RSAPSSRSAESHA256, suite.RSAPKCS1SHA256},
			SecureReneg: true, ExtendedMaster: true}
		change(&o)
		h, err := hello.Build(&o, rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		raw, err := h.Marshal()
		if err != nil {
			b.Fatal(err)
		}
		path := filepath.Join(b.TempDir(), "hello.bin")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			b.Fatal(err)
		}
		return path
	}
}

// BenchmarkWhy runs parley why, sslscan and nmap against the same endpoints.
func BenchmarkWhy(b *testing.B) {
	for _, kind := range []testbed.Kind{testbed.Nginx, testbed.HAProxy, testbed.GnuTLS, testbed.OpenSSL} {
		for _, s := range scenes {
			if s.not == kind {
				continue
			}
			b.Run(string(kind)+"/"+string(s.cause), func(b *testing.B) { s.run(b, kind) })
		}
	}
}

func (s *scene) run(b *testing.B, kind testbed.Kind) {
	config := testbed.ForPolicy(policy.ByName(s.policy), kind)
	if missing, ok := config.Installed(b); !ok {
		b.Skipf("%s is missing", missing)
	}
	server := testbed.Start(b, config.With(testbed.Make(b, s.identity)))
	proxy, err := delayproxy.Start(server.Addr, rtt)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(proxy.Stop)
	_, port, _ := net.SplitHostPort(proxy.Addr)
	program, client := parley(b), s.client(b)

	var ours, sslscan, nmap cost
	b.Run("parley", func(b *testing.B) {
		ours = measure(b, proxy, func() report {
			return s.why(b, program, "why", proxy.Addr, "--client", client, "--servername", testbed.HostName, "--json")
		})
		b.ReportMetric(float64(ours.walls.median())/float64(rtt), "rtts")
	})
	b.Run("sslscan", func(b *testing.B) {
		args := []string{"--no-colour", "--sni-name=" + testbed.HostName, proxy.Addr}
		sslscan = measure(b, proxy, func() report { return scanner(b, need(b, "sslscan"), args...) })
	})
	b.Run("nmap", func(b *testing.B) {
		args := []string{"-Pn", "-n", "--script", "ssl-enum-ciphers", "--script-args", "tls.servername=" + testbed.HostName, "-p", port, "127.0.0.1"}
		nmap = measure(b, proxy, func() report { return scanner(b, need(b, "nmap"), args...) })
	})
	s.add(kind, &ours, &sslscan, &nmap)
}

// add puts the figures into the tables.
func (s *scene) add(kind testbed.Kind, ours, sslscan, nmap *cost) {
	if len(ours.walls) == 0 {
		return // not among the benchmarks that were asked for
	}
	rtts := func(d time.Duration) float64 { return float64(d) / float64(rtt) }
	connections := func(c *cost) string {
		if len(c.walls) == 0 {
			return "-"
		}
		return fmt.Sprint(c.connections)
	}
	wall := func(c *cost) string {
		if len(c.walls) == 0 {
			return "-"
		}
		return seconds(c.walls.median())
	}
	ratios := func(of func(*cost) string) string { return of(sslscan) + ", " + of(nmap) }
	median := ours.walls.median()
	whyTable.Add(kind, s.what, ours.connections, wall(ours), fmt.Sprintf("%.1f", rtts(median)), connections(sslscan), wall(sslscan), connections(nmap), wall(nmap),
		ratios(func(c *cost) string { return ratio(c.connections, ours.connections) }),
		ratios(func(c *cost) string {
			if len(c.walls) == 0 {
				return "-"
			}
			return ratio(c.walls.median(), median)
		}))
	roundTable.Add(kind, s.what, len(ours.walls), ours.roundTrips, fmt.Sprintf("%.1f", rtts(ours.walls.best())), fmt.Sprintf("%.1f", rtts(median)),
		fmt.Sprintf("%.1f", rtts(ours.walls.worst())), yes(rtts(median) <= maxRoundTrips && ours.connections <= maxConnections))
}

// cost is what a program took.
type cost struct {
	walls       times
	connections int // of the last run, at the proxy
	roundTrips  int // that the program itself counted; 0: it does not
}

// report is what a program says it took; zero where it does not say.
type report struct{ connections, roundTrips int }

// measure runs a program as often as the benchmark asks and counts its connections at the proxy.
func measure(b *testing.B, proxy *delayproxy.Proxy, run func() report) cost {
	b.Helper()
	var c cost
	for b.Loop() {
		before, start := proxy.Counters().Connections, time.Now()
		r := run()
		c.walls = append(c.walls, time.Since(start))
		c.connections, c.roundTrips = int(proxy.Counters().Connections-before), r.roundTrips
		if r.connections != 0 && r.connections != c.connections {
			b.Errorf("the report says %d connections, the proxy counted %d", r.connections, c.connections)
		}
	}
	b.ReportMetric(float64(c.connections), "connections")
	return c
}

// why runs parley and demands the cause.
func (s *scene) why(b *testing.B, program string, args ...string) report {
	out, err := exec.Command(program, args...).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.Fatal(err)
	}
	var d struct {
		Causes      []struct{ ID cause.ID }
		Connections int
		RoundTrips  int `json:"round_trips"`
	}
	if err := json.Unmarshal(out, &d); err != nil {
		b.Fatalf("%v: %v\n%s", args, err, out)
	}
	if len(d.Causes) == 0 || d.Causes[0].ID != s.cause {
		b.Errorf("causes %v, want %s", d.Causes, s.cause)
	}
	return report{d.Connections, d.RoundTrips}
}

// scanner runs another program.
func scanner(b *testing.B, program string, args ...string) report {
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", program, err, out)
	}
	return report{}
}
