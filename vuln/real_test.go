package vuln

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
	"github.com/parley-tls/parley/testbed/vulnerable"
)

// examine scans an endpoint and runs the checks with these ids, or all if none are named.
func examine(t testing.TB, addr string, ids ...string) map[string]Finding {
	t.Helper()
	return examineVia(t, addr, addr, ids...)
}

// examineVia scans an endpoint at one address and checks it at another.
func examineVia(t testing.TB, scanned, addr string, ids ...string) map[string]Finding {
	t.Helper()
	p := &probe.Prober{}
	r := scan.Full(context.Background(), p, probe.Target{Address: scanned}, scan.Options{ServerName: testbed.HostName})
	before, start := p.Connections(), time.Now()
	found := make(map[string]Finding)
	for _, f := range Check(context.Background(), p, probe.Target{Address: addr}, r, Options{ServerName: testbed.HostName, Only: ids}) {
		found[f.ID] = f
	}
	t.Logf("%d checks: %d connections, %v", len(found), p.Connections()-before, time.Since(start).Round(time.Millisecond))
	return found
}

// verdicts are what a server is to be found to be, by id; all other checks must say not-vulnerable.
type verdicts map[string]Verdict

// expect compares all findings with what the server is known to be.
func expect(t *testing.T, found map[string]Finding, want verdicts) {
	t.Helper()
	for _, id := range slices.Sorted(maps.Keys(found)) {
		f := found[id]
		w := want[id]
		if w == "" {
			w = NotVulnerable
		}
		if f.Verdict != w {
			t.Errorf("%s: %s, want %s: %s\n%q", id, f.Verdict, w, f.Summary, f.Evidence)
		}
	}
}

// node0101 is a server with OpenSSL 1.0.1e as it was.
func node0101(t testing.TB) string {
	t.Helper()
	return startNode0101(t)
}

// startNode0101 starts it with further arguments.
func startNode0101(t testing.TB, more ...string) string {
	t.Helper()
	path := filepath.Join(testbed.Root(t), ".peers", "vulnerable", "node-0.10.1", "bin", "node")
	if _, err := os.Stat(path); err != nil {
		testbed.Missing(t, "Node.js 0.10.1")
	}
	id := testbed.Make(t, testbed.RSA2048)
	port := testbed.FreePort(t)
	return testbed.Run(t, port, path, append([]string{"testdata/server.js", fmt.Sprint(port), id.Cert, id.Key, "ALL:SSLv2"}, more...)...).Addr
}

// sServer is openssl s_server, which serves one connection after the other.
func sServer(t testing.TB, options ...string) string {
	t.Helper()
	id := testbed.Make(t, testbed.RSA2048)
	port := testbed.FreePort(t)
	args := append([]string{"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port), "-cert", id.Cert, "-key", id.Key, "-www"}, options...)
	return testbed.Run(t, port, testbed.Need(t, "openssl"), args...).Addr
}

// javaLegacy is Java with everything that was ever on.
func javaLegacy(t testing.TB) string {
	t.Helper()
	c := testbed.Config{Kind: testbed.Java}
	c.Policy.Versions = []suite.Version{suite.SSLv3, suite.TLS10, suite.TLS11, suite.TLS12}
	for _, n := range []string{"ECDHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES128-SHA", "AES128-SHA", "DES-CBC3-SHA", "RC4-SHA", "DES-CBC-SHA", "EXP-RC4-MD5", "EXP-DES-CBC-SHA",
		"EXP-EDH-RSA-DES-CBC-SHA", "ADH-AES128-SHA"} {
		c.Policy.Suites = append(c.Policy.Suites, suite.ByName(n).Code)
	}
	return start(t, c)
}

func start(t testing.TB, c testbed.Config) string {
	t.Helper()
	if name, ok := c.Installed(t); !ok {
		testbed.Missing(t, name)
	}
	return testbed.Start(t, c.With(testbed.Make(t, testbed.RSA2048))).Addr
}

// serving starts a program with a policy.
func serving(t testing.TB, name string, kind testbed.Kind, node string) string {
	t.Helper()
	p, err := policy.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	if kind == testbed.Node {
		return start(t, testbed.ForPolicyNode(p, node))
	}
	return start(t, testbed.ForPolicy(p, kind))
}

// TestRealServers holds all findings of real servers to what is known of them. JSSE, gnutls-serv and Node.js (three times
// in ten minutes) let clients renegotiate.
func TestRealServers(t *testing.T) {
	const modern = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06" // ECDHE with AES-GCM, and TLS 1.3
	for _, c := range []struct {
		name  string
		start func(testing.TB) string
		want  verdicts
	}{
		{"OpenSSL 1.0.1e", node0101, verdicts{
			"heartbleed": Vulnerable, "ccs-injection": Vulnerable, "drown": Vulnerable, "poodle-ssl3": Vulnerable, "sweet32": Vulnerable, "rc4": Vulnerable,
			"beast": Vulnerable, "lucky13": Unsure, "client-renegotiation": Vulnerable, "fallback-scsv": Vulnerable}},
		{"OpenSSL 3.0 with all that it can be told to do", func(t testing.TB) string {
			return sServer(t, "-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0", "-legacy_renegotiation", "-client_renegotiation", "-dhparam", testbed.DHParameters(t, "dh_1024_160"))
		}, verdicts{
			"logjam": Vulnerable, "beast": Vulnerable, "lucky13": Unsure, "insecure-renegotiation": Vulnerable, "client-renegotiation": Vulnerable,
			"null-suites": Vulnerable, "anonymous-suites": Vulnerable}},
		{"OpenSSL 3.0", func(t testing.TB) string { return sServer(t, "-cipher", "ECDHE+AESGCM") }, nil},
		{"Java 17 with all that it can be told to do", javaLegacy, verdicts{
			"poodle-ssl3": Vulnerable, "freak": Vulnerable, "logjam": Vulnerable, "sweet32": Vulnerable, "rc4": Vulnerable, "beast": Vulnerable, "lucky13": Unsure,
			"client-renegotiation": Vulnerable, "anonymous-suites": Vulnerable, "export-suites": Vulnerable, "fallback-scsv": Vulnerable}},
		{"Java 17 with SSLv3 alone", func(t testing.TB) string {
			c := testbed.Config{Kind: testbed.Java}
			c.Policy.Versions, c.Policy.Suites = []suite.Version{suite.SSLv3}, []suite.Code{0x002F}
			return start(t, c)
		}, verdicts{"poodle-ssl3": Vulnerable, "beast": Vulnerable, "lucky13": Unsure, "ccs-injection": NotTested, "ticketbleed": NotTested,
			"insecure-renegotiation": NotTested, "client-renegotiation": NotTested}},
		{"nginx", func(t testing.TB) string { return serving(t, modern, testbed.Nginx, "") }, nil},
		{"HAProxy", func(t testing.TB) string { return serving(t, modern, testbed.HAProxy, "") }, nil},
		{"GnuTLS", func(t testing.TB) string { return serving(t, modern, testbed.GnuTLS, "") }, verdicts{"client-renegotiation": Vulnerable}},
		{"Go", func(t testing.TB) string { return serving(t, "ELBSecurityPolicy-2015-05", testbed.Go, "") }, verdicts{"beast": Vulnerable, "lucky13": Unsure}},
		{"Node.js 24", func(t testing.TB) string { return serving(t, modern, testbed.Node, "24") }, verdicts{"client-renegotiation": Vulnerable}},
		{"Node.js 8", func(t testing.TB) string { return serving(t, "ELBSecurityPolicy-2015-05", testbed.Node, "8") }, verdicts{
			"beast": Vulnerable, "lucky13": Unsure, "client-renegotiation": Vulnerable}},
		{"TLS 1.3 alone", func(t testing.TB) string {
			return serving(t, "ELBSecurityPolicy-TLS13-1-3-2021-06", testbed.OpenSSL, "")
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := examine(t, c.start(t))
			if len(found) != len(checks) {
				t.Errorf("%d findings of %d checks", len(found), len(checks))
			}
			expect(t, found, c.want)
		})
	}
}

// TestPrimeIsNamed: the prime that openssl has of RFC 5114 is known by its name.
func TestPrimeIsNamed(t *testing.T) {
	f := examine(t, sServer(t, "-cipher", "DHE-RSA-AES128-SHA:@SECLEVEL=0", "-dhparam", testbed.DHParameters(t, "dh_1024_160")), "logjam")["logjam"]
	if want := "RFC 5114 section 2.1 (160-bit subgroup)"; f.Verdict != Vulnerable || f.Severity != Medium || !strings.Contains(f.Summary, want) {
		t.Errorf("%+v", f)
	}
}

// TestStartTLS: a flaw is found behind a plaintext preamble too.
func TestStartTLS(t *testing.T) {
	upstream := vulnerable.Start(t, vulnerable.Flaws{LongID: true, Padding: vulnerable.PaddingIgnored})
	addr := answering(t, func(c net.Conn) {
		io.WriteString(c, "220 mail\r\n")
		r := bufio.NewReader(c)
		r.ReadString('\n')
		io.WriteString(c, "250 STARTTLS\r\n")
		r.ReadString('\n')
		io.WriteString(c, "220 go\r\n")
		u, err := net.Dial("tcp", upstream)
		if err != nil {
			return
		}
		relay(c, r, u)
	})
	p, target := &probe.Prober{}, probe.Target{Address: addr, StartTLS: probe.SMTP}
	r := scan.Full(t.Context(), p, target, scan.Options{})
	found := make(map[string]Finding)
	for _, f := range Check(t.Context(), p, target, r, Options{}) {
		found[f.ID] = f
	}
	expect(t, found, verdicts{"ticketbleed": Vulnerable, "poodle-tls": Vulnerable, "beast": Vulnerable, "lucky13": Unsure})
}
