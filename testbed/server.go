package testbed

import (
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Start starts a server on a free loopback port and waits until it accepts. The test is skipped where the
// program is missing. Each server answers one HTTP request and closes. Server.Policy and Server.Identity
// are what it enforces, as Decide wants them.
func Start(t testing.TB, c Config) *Server {
	t.Helper()
	if len(c.Identities) == 0 {
		t.Fatal("testbed: a server without an identity")
	}
	c = settle(c)
	start := map[Kind]func(testing.TB, *Config, int) *Server{OpenSSL: startOpenSSL, OpenSSL35: startOpenSSL, Nginx: startNginx, HAProxy: startHAProxy,
		GnuTLS: startGnuTLS, Go: startGo, Java: startJava, Node: startNode, Bun: startBun}[c.Kind]
	s := start(t, &c, FreePort(t))
	s.Policy, s.Identity, s.CA = &c.Policy, c.identity(), CABundle(t, c.Identities...)
	return s
}

// Installed reports whether the program of this configuration is on the machine, or else its name.
func (c *Config) Installed(t testing.TB) (string, bool) {
	switch c.Kind {
	case Go:
		return "", true
	case OpenSSL35:
		return "OpenSSL 3.5", openssl35(t) != nil
	case Node:
		return "Node.js " + c.Node, HaveNode(t, c.Node)
	case Bun:
		return "Bun", bunPath(t) != ""
	case GnuTLS:
		return "gnutls-serv", Have("gnutls-serv")
	case Java:
		return "java and javac", Have("java") && Have("javac")
	}
	return string(c.Kind), Have(string(c.Kind))
}

// serverDir is a folder for one server's files.
func serverDir(t testing.TB, port int) string {
	t.Helper()
	base, err := dir()
	if err != nil {
		t.Fatal(err)
	}
	d := filepath.Join(base, fmt.Sprint("server-", port))
	if err := os.MkdirAll(d, 0o755); err != nil {
		t.Fatal(err)
	}
	return d
}

func writeFile(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func startOpenSSL(t testing.TB, c *Config, port int) *Server {
	args := []string{"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port), "-www", "-legacy_renegotiation", "-no_resume_ephemeral", "-no_ticket",
		"-cipher", c.cipherString(true), "-groups", c.groups()}
	for i, id := range c.Identities {
		prefix := []string{"-", "-d"}[i]
		args = append(args, prefix+"cert", id.Cert, prefix+"key", id.Key)
		if id.Describe.Chain > 1 {
			args = append(args, "-"+[]string{"cert_chain", "dcert_chain"}[i], chainFile(t, id))
		}
	}
	if c.accepts(suite.TLS13) {
		args = append(args, "-ciphersuites", c.suites13())
	}
	for v, option := range map[suite.Version]string{suite.TLS10: "-no_tls1", suite.TLS11: "-no_tls1_1", suite.TLS12: "-no_tls1_2", suite.TLS13: "-no_tls1_3"} {
		if !c.accepts(v) {
			args = append(args, option)
		}
	}
	if c.Policy.Order == policy.ServerOrder {
		args = append(args, "-serverpref")
	}
	if l := c.sigalgs(); l != "" {
		args = append(args, "-sigalgs", l)
	}
	if l := c.Policy.ALPN.Protocols; len(l) > 0 {
		args = append(args, "-alpn", strings.Join(l, ","))
		c.Policy.ALPN.Strict = true
	}
	switch c.Policy.ClientAuth {
	case policy.ClientAuthRequired:
		args = append(args, "-Verify", "4", "-verify_return_error", "-CAfile", c.ClientCA)
	case policy.ClientAuthRequest:
		args = append(args, "-verify", "4", "-CAfile", c.ClientCA)
	}
	program := []string{"openssl"}
	if c.Kind == OpenSSL35 {
		if program = openssl35(t); program == nil {
			Missing(t, "OpenSSL 3.5")
		}
	}
	args = append(program[1:], args...)
	return run(t, port, noConfig, Need(t, program[0]), args...)
}

// openssl35 is how to run the OpenSSL 3.5 that make peers unpacks with the C library that it needs; nil if it is
// not there.
func openssl35(t testing.TB) []string {
	root := filepath.Join(Root(t), ".peers", "openssl", "3.5", "usr")
	libs := filepath.Join(root, "lib", "x86_64-linux-gnu")
	program := []string{filepath.Join(libs, "ld-linux-x86-64.so.2"), "--library-path", libs, filepath.Join(root, "bin", "openssl")}
	for _, path := range []string{program[0], program[3]} {
		if _, err := os.Stat(path); err != nil {
			return nil
		}
	}
	return program
}

// chainFile writes what comes after the leaf.
func chainFile(t testing.TB, id *Identity) string {
	text, err := os.ReadFile(id.Cert)
	if err != nil {
		t.Fatal(err)
	}
	_, rest := pem.Decode(text)
	return writeFile(t, id.Cert+".chain", string(rest))
}

// noConfig keeps the machine's openssl.cnf, in which Debian sets a floor, out of the way.
var noConfig = []string{"OPENSSL_CONF=" + os.DevNull}

func startNginx(t testing.TB, c *Config, port int) *Server {
	d := serverDir(t, port)
	var b strings.Builder
	b.WriteString("daemon off; master_process off; pid nginx.pid; error_log stderr info;\nevents { worker_connections 64; }\nhttp {\n access_log off; keepalive_timeout 0;\n")
	for _, temp := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&b, " %s_temp_path %s;\n", temp, filepath.Join(d, temp))
	}
	var versions []string
	for _, v := range c.Policy.Versions {
		versions = append(versions, strings.TrimSuffix(v.String(), ".0"))
	}
	fmt.Fprintf(&b, " ssl_protocols %s;\n ssl_ciphers %s;\n ssl_ecdh_curve %s;\n ssl_session_tickets off;\n", strings.Join(versions, " "), c.cipherString(true), c.groups())
	fmt.Fprintf(&b, " ssl_prefer_server_ciphers %s;\n", map[policy.Order]string{policy.ServerOrder: "on", policy.ClientOrder: "off"}[c.Policy.Order])
	if c.accepts(suite.TLS13) {
		fmt.Fprintf(&b, " ssl_conf_command Ciphersuites %s;\n", c.suites13())
	}
	if l := c.sigalgs(); l != "" {
		fmt.Fprintf(&b, " ssl_conf_command SignatureAlgorithms %s;\n", l)
	}
	if c.Policy.ClientAuth != policy.ClientAuthNone {
		fmt.Fprintf(&b, " ssl_verify_client %s; ssl_client_certificate %s;\n", map[policy.ClientAuth]string{policy.ClientAuthRequired: "on", policy.ClientAuthRequest: "optional"}[c.Policy.ClientAuth], c.ClientCA)
	}
	names := "_"
	if (c.Policy.SNI != policy.SNIRule{}) { // the default server refuses what no other is named for
		fmt.Fprintf(&b, " server { listen 127.0.0.1:%d ssl default_server; ssl_reject_handshake on; }\n", port)
		names = strings.Join(c.hostNames(), " ")
		c.Policy.SNI = policy.SNIRule{Required: true, RefuseUnknown: true}
	}
	fmt.Fprintf(&b, " server { listen 127.0.0.1:%d ssl; server_name %s;\n", port, names)
	for _, id := range c.Identities {
		fmt.Fprintf(&b, "  ssl_certificate %s; ssl_certificate_key %s;\n", id.Cert, id.Key)
	}
	b.WriteString("  location / { return 200 \"ok\\n\"; }\n }\n}\n")
	conf := writeFile(t, filepath.Join(d, "nginx.conf"), b.String())
	return run(t, port, noConfig, Need(t, "nginx"), "-p", d, "-c", conf, "-e", "stderr")
}

// hostNames are the names that the certificates are for.
func (c *Config) hostNames() []string {
	var l []string
	for _, id := range c.Identities {
		l = append(l, id.Describe.Names...)
	}
	return l
}

func startHAProxy(t testing.TB, c *Config, port int) *Server {
	d := serverDir(t, port)
	bind := []string{fmt.Sprintf("bind 127.0.0.1:%d ssl", port)}
	for _, id := range c.Identities {
		var both []byte
		for _, f := range []string{id.Cert, id.Key} {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			both = append(both, text...)
		}
		bind = append(bind, "crt "+writeFile(t, filepath.Join(d, id.Name+".pem"), string(both)))
	}
	vs := c.Policy.Versions
	if int(vs[len(vs)-1]-vs[0]) != len(vs)-1 {
		t.Fatalf("testbed: HAProxy takes a range of versions, not %v", vs)
	}
	bind = append(bind, "ssl-min-ver "+vs[0].String(), "ssl-max-ver "+vs[len(vs)-1].String(), "ciphers "+c.cipherString(true),
		"curves "+c.groups(), "no-tls-tickets")
	if c.accepts(suite.TLS13) {
		bind = append(bind, "ciphersuites "+c.suites13())
	}
	if c.Policy.Order == policy.ClientOrder {
		bind = append(bind, "prefer-client-ciphers")
	}
	if l := c.Policy.ALPN.Protocols; len(l) > 0 {
		bind = append(bind, "alpn "+strings.Join(l, ","))
		c.Policy.ALPN.Strict = false
	}
	if (c.Policy.SNI != policy.SNIRule{}) {
		bind = append(bind, "strict-sni")
		c.Policy.SNI = policy.SNIRule{Required: true, RefuseUnknown: true}
	}
	if c.Policy.ClientAuth != policy.ClientAuthNone {
		bind = append(bind, "ca-file "+c.ClientCA, "verify "+map[policy.ClientAuth]string{policy.ClientAuthRequired: "required", policy.ClientAuthRequest: "optional"}[c.Policy.ClientAuth])
	}
	conf := "global\n  tune.ssl.default-dh-param 2048\n  tune.ssl.cachesize 0\n  log stderr format raw daemon\ndefaults\n  mode http\n  log global\n" +
		"  timeout connect 5s\n  timeout client 10s\n  timeout server 10s\n  option httpclose\nfrontend f\n  " + strings.Join(bind, " ") +
		"\n  http-request return status 200 content-type text/plain string ok\n"
	return run(t, port, noConfig, Need(t, "haproxy"), "-db", "-f", writeFile(t, filepath.Join(d, "haproxy.cfg"), conf))
}

func startGnuTLS(t testing.TB, c *Config, port int) *Server {
	args := []string{"--http", "--noticket", "--nodb", "-q", "--port", fmt.Sprint(port), "--priority", c.gnutlsPriority()}
	for _, id := range c.Identities {
		args = append(args, "--x509certfile", id.Cert, "--x509keyfile", id.Key)
	}
	for _, p := range c.Policy.ALPN.Protocols {
		args = append(args, "--alpn", p)
	}
	if c.Policy.ALPN.Strict && len(c.Policy.ALPN.Protocols) > 0 {
		args = append(args, "--alpn-fatal")
	}
	switch c.Policy.ClientAuth {
	case policy.ClientAuthRequired:
		args = append(args, "--require-client-cert", "--verify-client-cert", "--x509cafile", c.ClientCA)
	case policy.ClientAuthRequest:
		args = append(args, "--verify-client-cert", "--x509cafile", c.ClientCA)
	default:
		args = append(args, "--disable-client-cert")
	}
	return run(t, port, []string{"GNUTLS_SYSTEM_PRIORITY_FILE=" + os.DevNull}, Need(t, "gnutls-serv"), args...)
}

// contiguous reports whether a list of versions has no hole.
func contiguous(vs []suite.Version) bool {
	return slices.IsSorted(vs) && (len(vs) == 0 || int(vs[len(vs)-1]-vs[0]) == len(vs)-1)
}
