package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

const (
	manyEndpoints = 2000
	someEndpoints = 200 // of them, for the memory and for the other scanners
	fewEndpoints  = 40  // of them, to find the best number of sslscan's processes

	maxManyMemory               = 200 << 20 // bytes
	minOverSslscan, minOverNmap = 6, 3
)

var manyTable = Table{
	Title: fmt.Sprintf("`parley scan` and the scanners, %d endpoints", manyEndpoints),
	Intro: fmt.Sprintf("As many loopback addresses of one HAProxy, policy TLS13-1-2-2021-06, an ECDSA certificate, whose signatures weigh less on the\n"+
		"processors that server and tools share than those of RSA. No distance. Parley scans them all, and %d of them for its memory;\n"+
		"sslscan runs under `xargs -P` with the number of processes that was best for %d endpoints, nmap with its own parallelism (-T4,\n"+
		"all hosts in one group), both over %d of the endpoints. Bounds, for what lists all suites (--basic): %d times the endpoints a\n"+
		"second of sslscan, %d times those of nmap, under %s, and memory that does not grow with the endpoints (by no more than a quarter).",
		someEndpoints, fewEndpoints, someEndpoints, minOverSslscan, minOverNmap, mebibytes(maxManyMemory)),
	Head: []string{"tool", "endpoints", "wall time", "endpoints a second", "to sslscan", "to nmap", "processor time per endpoint", "peak memory", "pairs found of the true", "within the bounds"},
}

// manyCost is what a tool took of many endpoints.
type manyCost struct {
	tool            string
	endpoints       int
	wall, processor time.Duration
	peak            int64 // bytes, of the largest process
	found, true     int
}

func (c *manyCost) perSecond() float64 { return float64(c.endpoints) / c.wall.Seconds() }

// BenchmarkManyEndpoints scans many endpoints at once; each tool runs once.
func BenchmarkManyEndpoints(b *testing.B) {
	need(b, "time")
	want, port, hosts := startMany(b)
	dir := b.TempDir()
	list := func(n int) string {
		path := filepath.Join(dir, fmt.Sprint("targets-", n))
		if err := os.WriteFile(path, []byte(strings.Join(hosts[:n], "\n")+"\n"), 0o600); err != nil {
			b.Fatal(err)
		}
		return path
	}
	run := func(tool string, n int, read func(string) acceptance, program string, args ...string) *manyCost {
		c := scanMany(b, program, args, read, filepath.Join(dir, "output"))
		c.tool, c.endpoints, c.true = tool, n, n*len(want)
		b.Logf("%s, %d endpoints: %v, %.1f a second", tool, n, c.wall, c.perSecond())
		return c
	}
	var ours []*manyCost
	for _, mode := range []scanTool{parleyBasic, parleyFull} {
		b.Run(mode.name, func(b *testing.B) {
			flags := parleyFlags(mode)
			for _, n := range []int{someEndpoints, manyEndpoints} {
				if mode.name == parleyFull.name && hasBasic() && n == manyEndpoints {
					continue // the bounds are those of the other
				}
				file := list(n)
				ours = append(ours, run(mode.name, n, readParley, mode.path(b), append([]string{"scan", "-f", file, "--json", "--sni", testbed.HostName}, flags...)...))
			}
		})
	}
	var ssl, nm *manyCost
	b.Run("sslscan", func(b *testing.B) {
		need(b, "xargs")
		need(b, "sslscan")
		with := func(processes, n int) *manyCost {
			return run(fmt.Sprintf("sslscan, xargs -P %d", processes), n, readSSLScan, "xargs", "-a", list(n), "-n", "1", "-P", fmt.Sprint(processes),
				"sslscan", "--no-colour", "--sni-name="+testbed.HostName)
		}
		best, most := 0, 0.0
		for _, processes := range []int{2, 4, 8, 16} {
			if r := with(processes, fewEndpoints).perSecond(); r > most {
				best, most = processes, r
			}
		}
		ssl = with(best, someEndpoints)
	})
	b.Run("nmap", func(b *testing.B) {
		var plain bytes.Buffer
		for _, h := range hosts[:someEndpoints] {
			host, _, _ := strings.Cut(h, ":")
			fmt.Fprintln(&plain, host)
		}
		file := filepath.Join(dir, "hosts")
		if err := os.WriteFile(file, plain.Bytes(), 0o600); err != nil {
			b.Fatal(err)
		}
		nm = run(nmap.name, someEndpoints, readNmap, need(b, "nmap"), "-Pn", "-n", "-T4", "--min-hostgroup", fmt.Sprint(someEndpoints), "--script", "ssl-enum-ciphers",
			"--script-args", "tls.servername="+testbed.HostName, "-p", fmt.Sprint(port), "-iL", file)
	})
	for _, c := range append(ours, ssl, nm) {
		if c != nil {
			c.add(ours, ssl, nm)
		}
	}
}

// parleyFlags are those that make the difference between the modes.
func parleyFlags(mode scanTool) []string {
	if mode.name == parleyBasic.name {
		return []string{"--basic"}
	}
	return nil
}

// add puts the figures into the table.
func (c *manyCost) add(ours []*manyCost, ssl, nm *manyCost) {
	over := func(peer *manyCost) float64 {
		if peer == nil {
			return 0
		}
		return c.perSecond() / peer.perSecond()
	}
	within := "-"
	if c.endpoints == manyEndpoints {
		steady := true
		for _, o := range ours {
			steady = steady && (o.tool != c.tool || c.peak <= o.peak+o.peak/4)
		}
		within = fmt.Sprintf("sslscan %s, nmap %s, memory %s, steady %s", yes(over(ssl) >= minOverSslscan), yes(over(nm) >= minOverNmap), yes(c.peak < maxManyMemory), yes(steady))
	}
	manyTable.Add(c.tool, c.endpoints, seconds(c.wall), fmt.Sprintf("%.1f", c.perSecond()), fmt.Sprintf("%.1f×", over(ssl)), fmt.Sprintf("%.1f×", over(nm)),
		millis(c.processor/time.Duration(c.endpoints)), mebibytes(c.peak), fmt.Sprintf("%d of %d", c.found, c.true), within)
}

// scanMany runs a program under GNU time, its output in a file, and counts what it found: document by document of
// Parley's, and without regard to whose it is of the others.
func scanMany(b *testing.B, program string, args []string, read func(string) acceptance, output string) *manyCost {
	b.Helper()
	out, err := os.Create(output)
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	var errs bytes.Buffer
	cmd := exec.Command("time", append([]string{"-q", "-f", "peak %M", program}, args...)...)
	cmd.Stdout, cmd.Stderr = out, &errs
	start := time.Now()
	if err := cmd.Run(); err != nil && !exited(err) {
		b.Fatal(err)
	}
	c := &manyCost{wall: time.Since(start), processor: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak: peakIn(errs.String())}
	if c.found, err = countPairs(output, read); err != nil {
		b.Fatal(err)
	}
	if c.found == 0 {
		b.Errorf("%s found nothing: %.300s", program, &errs)
	}
	return c
}

// countPairs counts what the reports in a file have, which begin where a line of one tool's reports does.
func countPairs(path string, read func(string) acceptance) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	n, report := 0, strings.Builder{}
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "{") || strings.HasPrefix(line, "Nmap scan report for") || strings.HasPrefix(line, "Testing SSL server") {
			n += len(read(report.String()))
			report.Reset()
		}
		report.WriteString(line + "\n")
	}
	return n + len(read(report.String())), lines.Err()
}

// startMany starts an HAProxy on one port of many loopback addresses, and returns what it accepts and the endpoints.
func startMany(b *testing.B) (want acceptance, port int, endpoints []string) {
	config := testbed.ForPolicy(policy.ByName("TLS13-1-2-2021-06"), testbed.HAProxy)
	if missing, ok := config.Installed(b); !ok {
		b.Skipf("%s is missing", missing)
	}
	dir, id := b.TempDir(), testbed.Make(b, testbed.P256)
	both := writeBoth(b, filepath.Join(dir, "both.pem"), id)
	port = testbed.FreePort(b)
	for i := range manyEndpoints {
		endpoints = append(endpoints, fmt.Sprintf("127.1.%d.%d:%d", i/250, i%250+1, port))
	}
	var old, suites13 []string
	for _, c := range config.Policy.Suites {
		if s := suite.ByCode(c); s.MinVersion == suite.TLS13 {
			suites13 = append(suites13, s.IANA)
		} else {
			old = append(old, s.OpenSSL)
		}
	}
	how := fmt.Sprintf("ssl crt %s ssl-min-ver TLSv1.2 ciphers %s:@SECLEVEL=1 ciphersuites %s no-tls-tickets", both, strings.Join(old, ":"), strings.Join(suites13, ":"))
	var text strings.Builder
	text.WriteString("global\n  maxconn 8000\n  tune.ssl.cachesize 0\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 10s\n  timeout server 10s\n  option httpclose\nfrontend f\n")
	fmt.Fprintf(&text, "  bind 127.0.0.1:%d %s\n", port, how) // which tells that the server is up
	for l := range slices.Chunk(endpoints, 40) {              // a line has a greatest length
		fmt.Fprintf(&text, "  bind %s %s\n", strings.Join(l, ","), how)
	}
	text.WriteString("  http-request return status 200 content-type text/plain string ok\n")
	conf := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(conf, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	server := testbed.Run(b, port, need(b, "haproxy"), "-db", "-f", conf)
	server.Policy, server.Identity = &config.Policy, &policy.Identity{Certificates: []policy.Certificate{id.Describe}}
	return truth(server), port, endpoints
}

// writeBoth writes certificate and key into one file, as HAProxy wants them.
func writeBoth(b *testing.B, path string, id *testbed.Identity) string {
	b.Helper()
	var both []byte
	for _, f := range []string{id.Cert, id.Key} {
		text, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		both = append(both, text...)
	}
	if err := os.WriteFile(path, both, 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}
