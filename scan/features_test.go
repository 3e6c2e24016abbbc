package scan

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// scanAndLearn scans a server of the test bed in full and learns its features.
func scanAndLearn(t *testing.T, addr, name string) (*Result, *FeatureReport) {
	t.Helper()
	p := probe.Prober{Timeout: 10 * time.Second}
	r := Full(context.Background(), &p, probe.Target{Address: addr}, Options{ServerName: name})
	f := Features(context.Background(), &p, probe.Target{Address: addr}, r, Options{ServerName: name})
	if f.Connections > 90 || p.Connections() != r.Connections+f.Connections {
		t.Errorf("%d connections after %d, of %d", f.Connections, r.Connections, p.Connections())
	}
	return r, f
}

// learnt is the report of a server, with the usual name.
func learnt(t *testing.T, s *testbed.Server) *FeatureReport {
	t.Helper()
	_, f := scanAndLearn(t, s.Addr, testbed.HostName)
	return f
}

// expect compares states.
func expect(t *testing.T, what string, got Feature, want State) {
	t.Helper()
	if got.State != want {
		t.Errorf("%s: %s (%s), want %s", what, got.State, got.Why, want)
	}
	if (got.State == NotApplicable || got.State == NotTested) && got.Why == "" {
		t.Errorf("%s: %s without a reason", what, got.State)
	}
}

// gnutls starts gnutls-serv.
func gnutls(t *testing.T, id *testbed.Identity, priority string, options ...string) *testbed.Server {
	t.Helper()
	port := testbed.FreePort(t)
	args := append([]string{"--http", "-q", "--port", fmt.Sprint(port), "--priority", priority, "--x509certfile", id.Cert, "--x509keyfile", id.Key}, options...)
	return testbed.Run(t, port, testbed.Need(t, "gnutls-serv"), args...)
}

// nginx starts nginx with these words on its listen line and these lines in its server block, after the certificate.
func nginx(t *testing.T, id *testbed.Identity, listen, lines string) *testbed.Server {
	t.Helper()
	d, port := t.TempDir(), testbed.FreePort(t)
	conf := fmt.Sprintf(`daemon off; master_process off; pid nginx.pid; error_log stderr info;
events { worker_connections 64; }
http {
 access_log off; keepalive_timeout 0; client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
 server { listen 127.0.0.1:%[2]d ssl %[6]s; ssl_certificate %[3]s; ssl_certificate_key %[4]s;
  %[5]s
  location / { return 200 "ok\n"; } }
}
`, d, port, id.Cert, id.Key, strings.ReplaceAll(lines, "PORT", fmt.Sprint(port)), listen)
	path := filepath.Join(d, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	return testbed.Run(t, port, testbed.Need(t, "nginx"), "-p", d, "-c", path, "-e", "stderr")
}

// haproxy starts HAProxy with these words on its bind line, after the certificate.
func haproxy(t *testing.T, id *testbed.Identity, bind string) *testbed.Server {
	t.Helper()
	return haproxyWith(t, bundle(t, t.TempDir(), id), bind)
}

// haproxyWith is haproxy with a certificate and key in one file.
func haproxyWith(t *testing.T, both, bind string) *testbed.Server {
	t.Helper()
	d, port := t.TempDir(), testbed.FreePort(t)
	conf := fmt.Sprintf("global\n  tune.ssl.default-dh-param 2048\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 10s\n  timeout server 10s\n"+
		"frontend f\n  bind 127.0.0.1:%d ssl crt %s %s\n  http-request return status 200 content-type text/plain string ok\n", port, both, bind)
	path := filepath.Join(d, "haproxy.cfg")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	return testbed.Run(t, port, testbed.Need(t, "haproxy"), "-db", "-f", path)
}

// bundle writes certificate and key into one file of a folder.
func bundle(t *testing.T, d string, id *testbed.Identity) string {
	t.Helper()
	path := filepath.Join(d, id.Name+".pem")
	var both []byte
	for _, f := range []string{id.Cert, id.Key} {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, b...)
	}
	if err := os.WriteFile(path, both, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// node starts a Node.js of a release line with options of its own, as JSON.
func node(t *testing.T, line string, id *testbed.Identity, options string, flags ...string) *testbed.Server {
	t.Helper()
	path, port := testbed.NodePath(t, line), testbed.FreePort(t)
	script := filepath.Join(testbed.Root(t), "testbed", "programs", "server.js")
	input := fmt.Sprintf(`{"port":%d,"options":%s,"cert":[%q],"key":[%q]}`, port, options, id.Cert, id.Key)
	return testbed.Run(t, port, path, append(flags, script, input)...)
}

// java starts JSSE for TLS 1.0 to 1.3.
func java(t *testing.T, id *testbed.Identity, p policy.Policy) *testbed.Server {
	t.Helper()
	c := testbed.Config{Kind: testbed.Java, Policy: p}
	if name, ok := c.Installed(t); !ok {
		testbed.Missing(t, name)
	}
	return testbed.Start(t, c.With(id))
}

// classicPolicy is TLS 1.0 to 1.3 with a few suites.
func classicPolicy() policy.Policy {
	return policy.Policy{Versions: []suite.Version{suite.TLS10, suite.TLS11, suite.TLS12, suite.TLS13}, Order: policy.ServerOrder,
		Suites: []suite.Code{0x1301, 0x1302, 0xC02F, 0xC013, 0x002F}}
}

// sClient is what openssl s_client prints of a server.
func sClient(t *testing.T, s *testbed.Server, options ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, testbed.Need(t, "openssl"), append([]string{"s_client", "-connect", s.Addr, "-servername", testbed.HostName}, options...)...)
	cmd.Stdin = &quitter{}
	cmd.Env = append(os.Environ(), "OPENSSL_CONF="+os.DevNull)
	out, _ := cmd.CombinedOutput() // a refused connection has nothing that can be read
	return string(out)
}

// quitter says Q to s_client once tickets of TLS 1.3 have had time to come.
type quitter struct{ said bool }

func (q *quitter) Read(b []byte) (int, error) {
	if q.said {
		return 0, io.EOF
	}
	time.Sleep(300 * time.Millisecond)
	q.said = true
	return copy(b, "Q\n"), nil
}

// everything has the old versions, and CBC, on.
var everything = []string{"-cipher", "ALL:@SECLEVEL=0"}

// TestExtensions: what a ServerHello answers, by servers that have it and servers that do not.
func TestExtensions(t *testing.T) {
	id := testbed.Make(t, testbed.RSA2048)
	start := map[string]func(t *testing.T) *testbed.Server{
		"openssl": func(t *testing.T) *testbed.Server { return openssl(t, id, everything...) },
		"openssl npn": func(t *testing.T) *testbed.Server {
			return openssl(t, id, append(everything, "-nextprotoneg", "spdy/3,http/1.1")...)
		},
		"openssl 1.2": func(t *testing.T) *testbed.Server { return openssl(t, id, "-tls1_2", "-cipher", "ECDHE+AESGCM") },
		"openssl 1.3": func(t *testing.T) *testbed.Server { return openssl(t, id, "-tls1_3") },
		"gnutls":      func(t *testing.T) *testbed.Server { return gnutls(t, id, "NORMAL:+VERS-TLS1.0", "-b") },
		"gnutls without": func(t *testing.T) *testbed.Server {
			return gnutls(t, id, "NORMAL:%DISABLE_SAFE_RENEGOTIATION:%NO_SESSION_HASH:%NO_ETM")
		},
		"go":        func(t *testing.T) *testbed.Server { return goServer(t, id, nil) },
		"java":      func(t *testing.T) *testbed.Server { return java(t, id, classicPolicy()) },
		"node 0.10": func(t *testing.T) *testbed.Server { return node(t, "0.10", id, `{"NPNProtocols":["http/1.1"]}`) },
		"node 24":   func(t *testing.T) *testbed.Server { return node(t, "24", id, `{}`) },
	}
	for name, want := range map[string]struct {
		npn, ems, etm, heartbeat, mfl, limit, extension, scsv, fallback, retry State
	}{
		"openssl":        {No, Yes, Yes, No, Yes, No, Yes, Yes, Yes, Yes},
		"openssl npn":    {Yes, Yes, Yes, No, Yes, No, Yes, Yes, Yes, Yes},
		"openssl 1.2":    {No, Yes, NotApplicable, No, Yes, NotApplicable, Yes, Yes, NotApplicable, NotApplicable},
		"openssl 1.3":    {NotApplicable, NotApplicable, NotApplicable, NotApplicable, Yes, No, NotApplicable, NotApplicable, NotApplicable, Yes},
		"gnutls":         {No, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes},
		"gnutls without": {No, No, No, No, Yes, Yes, No, No, Yes, Yes},
		"go":             {No, Yes, No, No, No, No, Yes, Yes, Yes, Yes},
		"java":           {No, Yes, No, No, Yes, No, Yes, Yes, No, Yes},
		"node 0.10":      {Yes, No, No, No, No, NotApplicable, Yes, Yes, Yes, NotApplicable},
		"node 24":        {No, Yes, Yes, No, Yes, No, Yes, Yes, Yes, Yes},
	} {
		t.Run(name, func(t *testing.T) {
			s := start[name](t)
			f := learnt(t, s)
			compareExtensions(t, s, f)
			expect(t, "NPN", f.NPN.Feature, want.npn)
			expect(t, "extended master secret", f.ExtendedMasterSecret, want.ems)
			expect(t, "encrypt-then-MAC", f.EncryptThenMAC, want.etm)
			expect(t, "heartbeat", f.Heartbeat, want.heartbeat)
			expect(t, "max_fragment_length", f.MaxFragmentLength, want.mfl)
			expect(t, "record_size_limit", f.RecordSizeLimit.Feature, want.limit)
			expect(t, "renegotiation by extension", f.SecureRenegotiation.ByExtension, want.extension)
			expect(t, "renegotiation by SCSV", f.SecureRenegotiation.BySCSV, want.scsv)
			expect(t, "fallback", f.FallbackSCSV.Feature, want.fallback)
			expect(t, "HelloRetryRequest", f.HelloRetry.Feature, want.retry)
			if want.retry == Yes {
				expect(t, "after HelloRetryRequest", f.HelloRetry.Completes, Yes)
				if f.HelloRetry.Group == nil || !f.HelloRetry.SessionIDEchoed || f.HelloRetry.Cookie != (name == "java") {
					t.Errorf("HelloRetryRequest: %+v", f.HelloRetry)
				}
			}
			alert := f.FallbackSCSV.Alert
			if closes := name == "node 0.10"; want.fallback == Yes && (alert == nil) != closes || alert != nil && *alert != suite.AlertInappropriateFallback {
				t.Errorf("fallback: %+v", f.FallbackSCSV)
			}
			if want.limit == Yes && f.RecordSizeLimit.Limit != 16385 {
				t.Errorf("record size limit %d", f.RecordSizeLimit.Limit)
			}
			compression := No
			if want.npn == NotApplicable {
				compression = NotApplicable
			}
			expect(t, "compression", f.Compression.Feature, compression)
		})
	}
}

// compareExtensions holds the report against what openssl s_client says of a connection of TLS 1.2 at most.
func compareExtensions(t *testing.T, s *testbed.Server, f *FeatureReport) {
	t.Helper()
	out := sClient(t, s, "-no_tls1_3", "-cipher", "DEFAULT:@SECLEVEL=0", "-legacy_server_connect", "-nextprotoneg", "http/1.1")
	if strings.Contains(out, "Cipher is (NONE)") {
		return
	}
	for text, state := range map[string]State{"Secure Renegotiation IS supported": f.SecureRenegotiation.State, "Extended master secret: yes": f.ExtendedMasterSecret.State,
		"Next protocol: ": f.NPN.State} {
		if strings.Contains(out, text) != (state == Yes) {
			t.Errorf("openssl s_client says %q: %t, here it is %s", text, strings.Contains(out, text), state)
		}
	}
}

// TestBasicFeatures: what a basic scan learns is what a full one does, in a few connections.
func TestBasicFeatures(t *testing.T) {
	id := testbed.Make(t, testbed.RSA2048)
	for name, s := range map[string]*testbed.Server{
		"haproxy":   haproxy(t, id, ""),
		"node 0.10": node(t, "0.10", id, `{}`),
	} {
		r, want := scanAndLearn(t, s.Addr, testbed.HostName)
		p, target, opt := &probe.Prober{}, probe.Target{Address: s.Addr}, Options{ServerName: testbed.HostName}
		var early *Basic
		opt.Told = func(first *Result) { early = BeginBasic(t.Context(), p, target, first, opt) }
		Full(t.Context(), &probe.Prober{}, target, opt)
		got := early.Report(t.Context(), r)
		expect(t, name+": fallback", got.FallbackSCSV.Feature, want.FallbackSCSV.State)
		expect(t, name+": compression", got.Compression.Feature, want.Compression.State)
		expect(t, name+": renegotiation", got.SecureRenegotiation.Feature, want.SecureRenegotiation.State)
		expect(t, name+": ALPN", got.ALPN.Feature, NotTested)
		if n := p.Connections(); n > 3 {
			t.Errorf("%s: %d connections", name, n)
		}
	}
}
