package truth

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// proxyEndpoints are nginx and HAProxy, as load balancers are set up.
var proxyEndpoints = []endpoint{
	{name: "nginx-1.2-1.3", what: "nginx with TLS 1.2 and 1.3, RSA certificate, server's order", start: func(t *testing.T) *subject {
		return behind(t)
	}},
	{name: "nginx-two-certificates", what: "nginx with RSA and ECDSA certificates from TLS 1.0 on, client's order", start: func(t *testing.T) *subject {
		o := proxyPolicy(t, policy.RSA, policy.ECDSA)
		o.versions, o.clientOrder = allVersions, true
		return nginx(t, o, "", testbed.RSA2048, testbed.P256)
	}},
	{name: "nginx-sni-only", what: "nginx that rejects every handshake without a name that it knows", start: func(t *testing.T) *subject {
		return nginx(t, proxyPolicy(t, policy.RSA), " server { listen 127.0.0.1:%d ssl default_server; ssl_reject_handshake on; }\n", testbed.RSA2048)
	}},
	{name: "haproxy-two-certificates", what: "HAProxy with RSA and ECDSA certificates from TLS 1.0 on, server's order: it chooses the certificate before the suite", start: func(t *testing.T) *subject {
		o := proxyPolicy(t, policy.RSA, policy.ECDSA)
		o.versions = allVersions
		s := haproxy(t, o, "", testbed.RSA2048, testbed.P256)
		for v, l := range s.truth.versions { // so all suites of ECDSA come before those of RSA
			slices.SortStableFunc(l.items, func(a, b suite.Code) int { return ecdsaRank(a) - ecdsaRank(b) })
			if v < suite.TLS12 { // where no client names signature schemes HAProxy takes it to know RSA alone: s_client -tls1 shows it
				l.items = slices.DeleteFunc(l.items, func(c suite.Code) bool { return ecdsaRank(c) == 0 })
			}
			s.truth.versions[v] = l
		}
		return s
	}},
	{name: "haproxy-client-order", what: "HAProxy with TLS 1.2 and 1.3, ECDSA certificate, client's order", start: func(t *testing.T) *subject {
		o := proxyPolicy(t, policy.ECDSA)
		o.clientOrder = true
		return haproxy(t, o, " prefer-client-ciphers", testbed.P256)
	}},
	{name: "haproxy-sni-only", what: "HAProxy with strict-sni", start: func(t *testing.T) *subject {
		return haproxy(t, proxyPolicy(t, policy.RSA), " strict-sni", testbed.RSA2048)
	}},
}

func ecdsaRank(c suite.Code) int {
	if suite.ByCode(c).Authentication == suite.AuthECDSA {
		return 0
	}
	return 1
}

// proxyPolicy is a policy like those of load balancers, in an order of its own.
func proxyPolicy(t *testing.T, keys ...policy.KeyType) *openSSL {
	return &openSSL{program: opensslProgram(t, "3.0"), suites: "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384", noDHE: true,
		ciphers: "ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA" +
			":ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:AES256-SHA:ECDHE-RSA-AES256-SHA:@SECLEVEL=0",
		keys: keys, versions: slices.Clone(allVersions[2:]), groups: []string{"secp384r1", "x25519", "secp256r1"}}
}

// opensslGroups are the groups as OpenSSL's configuration wants them.
func (o *openSSL) opensslGroups() string {
	var l []string
	for _, g := range o.groups {
		l = append(l, suite.GroupByName(g).OpenSSL)
	}
	return strings.Join(l, ":")
}

// nginx starts nginx. before is another server block, with a place for the port; "" for none.
func nginx(t *testing.T, o *openSSL, before string, specs ...testbed.Spec) *subject {
	port, dir := testbed.FreePort(t), t.TempDir()
	var b strings.Builder
	b.WriteString("daemon off; master_process off; pid nginx.pid; error_log stderr crit;\nevents { worker_connections 256; }\nhttp {\n access_log off; keepalive_timeout 0;\n")
	for _, temp := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&b, " %s_temp_path %s;\n", temp, filepath.Join(dir, temp))
	}
	var versions []string
	for _, v := range o.versions {
		versions = append(versions, strings.TrimSuffix(v.String(), ".0"))
	}
	fmt.Fprintf(&b, " ssl_protocols %s;\n ssl_ciphers %s;\n ssl_ecdh_curve %s;\n ssl_session_tickets off;\n ssl_conf_command Ciphersuites %s;\n",
		strings.Join(versions, " "), o.ciphers, o.opensslGroups(), o.suites)
	fmt.Fprintf(&b, " ssl_prefer_server_ciphers %s;\n", map[bool]string{true: "off", false: "on"}[o.clientOrder])
	name := "_"
	if before != "" {
		fmt.Fprintf(&b, before, port)
		name = testbed.HostName
	}
	fmt.Fprintf(&b, " server { listen 127.0.0.1:%d ssl; server_name %s;\n", port, name)
	for _, spec := range specs {
		id := testbed.Make(t, spec)
		fmt.Fprintf(&b, "  ssl_certificate %s; ssl_certificate_key %s;\n", id.Cert, id.Key)
	}
	b.WriteString("  location / { return 200 \"ok\\n\"; }\n }\n}\n")
	s := testbed.Run(t, port, testbed.Need(t, "nginx"), "-p", dir, "-c", write(t, dir, "nginx.conf", b.String()), "-e", "stderr")
	return &subject{addr: s.Addr, serverName: testbed.HostName, truth: o.truth(t), openssl: o}
}

// haproxy starts HAProxy, which takes no lone certificate file: key and chain are in one.
func haproxy(t *testing.T, o *openSSL, option string, specs ...testbed.Spec) *subject {
	port, dir := testbed.FreePort(t), t.TempDir()
	bind := fmt.Sprintf("bind 127.0.0.1:%d ssl no-tls-tickets ssl-min-ver %s ssl-max-ver TLSv1.3 ciphers %s ciphersuites %s curves %s%s",
		port, o.versions[0], o.ciphers, o.suites, o.opensslGroups(), option)
	for _, spec := range specs {
		id := testbed.Make(t, spec)
		var both []byte
		for _, path := range pair(id) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			both = append(both, text...)
		}
		bind += " crt " + write(t, dir, id.Name+".pem", string(both))
	}
	conf := "global\n  tune.ssl.default-dh-param 2048\n  tune.ssl.cachesize 0\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 10s\n" +
		"  timeout server 10s\nfrontend f\n  " + bind + "\n  http-request return status 200 content-type text/plain string ok\n"
	s := testbed.Run(t, port, testbed.Need(t, "haproxy"), "-db", "-f", write(t, dir, "haproxy.cfg", conf))
	return &subject{addr: s.Addr, serverName: testbed.HostName, truth: o.truth(t), openssl: o}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
