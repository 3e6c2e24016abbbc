package accesslog

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// documented is a block of docs/logs.md in a language: what users are told to configure.
func documented(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile("../docs/logs.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatalf("docs/logs.md has no block of %s", language)
	}
	return string(block[1])
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// visit makes the connections that the logs are to tell of: one that works, one of a client that does not trust the chain, one
// whose version is refused, one without a cipher in common.
func visit(t *testing.T, addr, host string, roots *x509.CertPool) {
	t.Helper()
	for _, c := range []struct {
		config *tls.Config
		works  bool
	}{
		{&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP384}}, true},
		{&tls.Config{RootCAs: x509.NewCertPool()}, false},
		{&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		{&tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}, false},
	} {
		c.config.ServerName = host
		client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: c.config, DisableKeepAlives: true}}
		request, err := http.NewRequest("GET", "https://"+addr+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("User-Agent", `visitor "1"`)
		response, err := client.Do(request)
		if (err == nil) != c.works {
			t.Fatalf("versions %x to %x: %v", c.config.MinVersion, c.config.MaxVersion, err)
		}
		if err == nil {
			response.Body.Close()
		}
	}
}

// awaited reads logs until they tell of so many connections and requests.
func awaited(t *testing.T, n int, logs func() string) []evidence.Client {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		text := logs()
		r := NewReader(Options{})
		f := r.Read("log", strings.NewReader(text))
		clients := r.Tally.Clients()
		seen := 0
		for i := range clients {
			seen += clients[i].Seen()
		}
		switch {
		case seen >= n && f.Bad == 0:
			return clients
		case time.Now().After(deadline):
			t.Fatalf("%d of %d, %s\n%s", seen, n, f.Warning(), text)
		}
	}
}

// check holds what a server logged of visit against what visit did.
func check(t *testing.T, clients []evidence.Client, offers bool) {
	t.Helper()
	made := slices.IndexFunc(clients, func(c evidence.Client) bool { return c.Failures() == 0 })
	if made < 0 {
		t.Fatalf("nothing established: %+v", clients)
	}
	c := &clients[made]
	if o := c.Outcomes[0]; c.Requests != 1 || o.Version != suite.TLS12 || o.Suite != 0xC02F || !strings.Contains(c.UserAgent, "visitor") || c.Last.IsZero() {
		t.Errorf("established: %+v", c)
	}
	if o := c.Offered; o == nil || !slices.Equal(o.Groups, []suite.Group{suite.X25519, suite.Secp384r1}) || !slices.Contains(o.Suites, 0xC02F) {
		t.Errorf("offered: %+v", o)
	}
	want := map[string]cause.ID{"unsupported protocol": cause.NoCommonVersion, "no shared cipher": ""}
	for _, c := range clients {
		o := c.Outcomes[0]
		if why, ok := want[o.Failure]; ok {
			delete(want, o.Failure)
			if o.Cause != why || c.Busiest[0].Address.String() != "127.0.0.1" {
				t.Errorf("%+v", c)
			}
			if offers && o.Failure == "no shared cipher" && (c.Offered == nil || !slices.Contains(c.Offered.Suites, 0x002F) || len(c.Offered.Suites) > 2) {
				t.Errorf("what it offered: %+v", c.Offered)
			}
		}
	}
	if len(want) > 0 || len(clients) < 4 {
		t.Errorf("not logged: %v\n%+v", want, clients)
	}
}

func roots(t *testing.T, id *testbed.Identity) *x509.CertPool {
	pool := x509.NewCertPool()
	text, err := os.ReadFile(testbed.CABundle(t, id))
	if err != nil || !pool.AppendCertsFromPEM(text) {
		t.Fatal("no roots", err)
	}
	return pool
}

func identity(t *testing.T) *testbed.Identity {
	return testbed.Make(t, testbed.Spec{Name: "logs", Key: policy.RSA, Bits: 2048, HostNames: []string{testbed.HostName}})
}

// TestNginx configures a real nginx as docs/logs.md says and reads what it logs.
func TestNginx(t *testing.T) {
	program := testbed.Need(t, "nginx")
	id, port, d := identity(t), testbed.FreePort(t), t.TempDir()
	var temp strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temp, "%s_temp_path %s;\n", kind, filepath.Join(d, kind))
	}
	logging := strings.ReplaceAll(documented(t, "nginx"), "/var/log/nginx", d)
	conf := write(t, filepath.Join(d, "nginx.conf"), fmt.Sprintf("daemon off; master_process off; pid nginx.pid;\nevents { worker_connections 64; }\nhttp {\n%s%s"+
		"ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256; ssl_certificate %s; ssl_certificate_key %s;\n"+
		"server { listen 127.0.0.1:%d ssl; location / { return 200 ok; } }\n}\n", temp.String(), logging, id.Cert, id.Key, port))
	s := testbed.Run(t, port, program, "-p", d, "-c", conf, "-e", "stderr")
	visit(t, s.Addr, testbed.HostName, roots(t, id))
	clients := awaited(t, 5, func() string { // with the connection by which the test bed finds the port open
		access, _ := os.ReadFile(filepath.Join(d, "tls.log"))
		errors, _ := os.ReadFile(filepath.Join(d, "error.log"))
		return string(access) + string(errors)
	})
	check(t, clients, false)
	if made := clients[slices.IndexFunc(clients, func(c evidence.Client) bool { return c.Requests > 0 })]; made.Outcomes[0].Group != suite.X25519 || made.UserAgent != `visitor "1"` {
		t.Errorf("%+v", made)
	}
}

// TestHAProxy configures a real HAProxy as docs/logs.md says and reads what it logs; then with option httpslog.
func TestHAProxy(t *testing.T) {
	program := testbed.Need(t, "haproxy")
	id, d := identity(t), t.TempDir()
	var both []byte
	for _, f := range []string{id.Cert, id.Key} {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, text...)
	}
	pem := write(t, filepath.Join(d, "both.pem"), string(both))
	start := func(logging string) *testbed.Server {
		port := testbed.FreePort(t)
		conf := write(t, filepath.Join(d, strconv.Itoa(port)), fmt.Sprintf("global\n  tune.ssl.capture-buffer-size 1024\n  log stderr len 8192 format raw daemon\n"+
			"defaults\n  mode http\n  log global\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\nfrontend web\n%s\n"+
			"  bind 127.0.0.1:%d ssl crt %s ssl-min-ver TLSv1.2 ciphers ECDHE-RSA-AES128-GCM-SHA256\n  http-request return status 200 content-type text/plain string ok\n",
			logging, port, pem))
		return testbed.Run(t, port, program, "-db", "-f", conf)
	}
	// what HAProxy says of its start is no log
	logs := func(s *testbed.Server) func() string {
		return func() string {
			var b strings.Builder
			for l := range strings.Lines(s.Log()) {
				if strings.HasPrefix(l, "client=") || strings.HasPrefix(l, "127.0.0.1:") {
					b.WriteString(l)
				}
			}
			return b.String()
		}
	}
	s := start(documented(t, "haproxy"))
	visit(t, s.Addr, testbed.HostName, roots(t, id))
	check(t, awaited(t, 5, logs(s)), true)

	s = start("  option httpslog")
	visit(t, s.Addr, testbed.HostName, roots(t, id))
	clients := awaited(t, 5, logs(s)) // and the connection by which the test bed finds the port open
	failed := 0
	for _, c := range clients {
		if c.Servers[0] != "web" {
			t.Errorf("%+v", c)
		}
		if o := c.Outcomes[0]; o.Failure != "Connection closed during SSL handshake" { // that was the test bed, which waits for the port
			failed += c.Failures()
		}
	}
	if failed != 3 {
		t.Errorf("%d failures: %+v", failed, clients)
	}
}

// TestOpenSSLReasons asks OpenSSL for the words of each number in the table.
func TestOpenSSLReasons(t *testing.T) {
	program := testbed.Need(t, "openssl")
	for n, m := range reasons() {
		out, err := exec.Command(program, "errstr", fmt.Sprintf("%X", 20<<23|n)).Output()
		if want := "::" + m.words; err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), want) {
			t.Errorf("%d is %q, not %q (%v)", n, out, m.words, err)
		}
	}
}

// TestVariablesExist has nginx and HAProxy read a format with every variable of the table.
func TestVariablesExist(t *testing.T) {
	var nginx, haproxy []string
	for f := range records(variablesTSV, 3) {
		switch name := f[0]; {
		case f[2] == "nginx":
			nginx = append(nginx, "${"+name+"}")
		case name == "ssl_fc_curve": // of HAProxy 3.0
		case f[2] == "HAProxy" && name[0] == '%':
			haproxy = append(haproxy, name)
		case f[2] == "HAProxy":
			haproxy = append(haproxy, "%["+name+"]")
		case f[2] != "keys":
			t.Errorf("%q: where is it from?", f)
		}
	}
	if len(nginx) < 10 || len(haproxy) < 20 {
		t.Errorf("%d and %d variables", len(nginx), len(haproxy))
	}
	d := t.TempDir()
	conf := write(t, filepath.Join(d, "haproxy.cfg"), "global\n  tune.ssl.capture-buffer-size 1024\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n"+
		fmt.Sprintf("frontend web\n  bind 127.0.0.1:%d\n  log-format \"%s\"\n", testbed.FreePort(t), strings.Join(haproxy, " ")))
	if out, err := exec.Command(testbed.Need(t, "haproxy"), "-c", "-f", conf).CombinedOutput(); err != nil {
		t.Errorf("HAProxy: %v\n%s", err, out)
	}
	conf = write(t, filepath.Join(d, "nginx.conf"), "pid nginx.pid; error_log stderr;\nevents {}\nhttp { log_format all '"+strings.Join(nginx, " ")+"'; access_log "+filepath.Join(d, "a.log")+" all; server { listen 127.0.0.1:"+
		strconv.Itoa(testbed.FreePort(t))+"; } }\n")
	if out, err := exec.Command(testbed.Need(t, "nginx"), "-t", "-p", d, "-c", conf, "-e", "stderr").CombinedOutput(); err != nil {
		t.Errorf("nginx: %v\n%s", err, out)
	}
}
