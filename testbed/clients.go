package testbed

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// What OpenSSL's security levels demand of certificates (SSL_CTX_set_security_level(3)). 3.0 counts SHA-1
// among what level 1 refuses.
func level(n int, floor suite.Version, sha1 bool) hello.Rules {
	r := hello.Rules{Known: true, MinVersion: floor, ChecksName: true, CurveInGroups: true, ChecksDowngrade: true}
	switch n {
	case 1:
		r.MinRSABits, r.MinDHBits, r.MinECBits = 1024, 1024, 160
	case 2:
		r.MinRSABits, r.MinDHBits, r.MinECBits = 2048, 2048, 224
	}
	if !sha1 {
		r.RefusedDigests = []string{"MD5", "SHA1"}
	}
	return r
}

func nodeClients(t testing.TB) []*Client {
	var l []*Client
	for _, n := range []struct {
		line  string
		rules hello.Rules
	}{
		{"0.10", level(0, suite.TLS10, true)}, {"0.12", level(0, suite.TLS10, true)}, {"4", level(0, suite.TLS10, true)},
		{"6", level(0, suite.TLS10, true)}, {"8", level(0, suite.TLS10, true)}, {"10", level(1, suite.TLS10, true)},
		{"12", level(1, suite.TLS12, true)}, {"14", level(1, suite.TLS12, true)}, {"16", level(1, suite.TLS12, true)},
		{"18", level(1, suite.TLS12, false)}, {"20", level(1, suite.TLS12, false)}, {"22", level(1, suite.TLS12, false)},
		{"24", level(2, suite.TLS12, false)}, {"26", level(2, suite.TLS12, false)},
	} {
		path := nodePath(t, n.line)
		c := &Client{Name: "node-" + n.line, Accepts: n.rules}
		if path == "" {
			c.missing = "Node.js " + n.line
		}
		script := program(t, "client.js")
		c.command = func(at Target) command {
			host, port := hostPort(at)
			o, _ := json.Marshal(map[string]string{"host": host, "port": port, "servername": at.ServerName, "ca": at.CA})
			return command{name: path, args: []string{script, string(o)}, negotiated: afterOK, env: noConfig}
		}
		l = append(l, c)
	}
	return l
}

func opensslClients() []*Client {
	client := func(name string, rules hello.Rules, options ...string) *Client {
		c := &Client{Name: name, Accepts: rules}
		c.command = func(at Target) command {
			args := append([]string{"s_client", "-connect", at.Addr, "-servername", at.ServerName, "-verify_hostname", at.ServerName,
				"-verify_return_error", "-CAfile", at.CA, "-ign_eof"}, options...)
			return command{name: "openssl", args: args, stdin: request, done: answered,
				negotiated: func(out string) (string, string) {
					_, tail, ok := strings.Cut(out, "New, ")
					if !ok {
						return "", ""
					}
					cipher, _, _ := strings.Cut(field(tail, "Cipher is"), "\n")
					return versionOf(tail), cipher
				}}
		}
		return c.need("openssl")
	}
	debian := level(2, suite.TLS12, false)
	free := level(0, suite.TLS10, true)
	return []*Client{
		client("openssl", debian),
		client("openssl-tls1.0", free, "-tls1", "-cipher", "ALL:@SECLEVEL=0"),
		client("openssl-tls1.1-scsv", free, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-fallback_scsv"),
		client("openssl-aes128-sha", level(2, suite.TLS12, false), "-no_tls1_3", "-cipher", "AES128-SHA"),
		client("openssl-ecdsa-only", debian, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA"),
		client("openssl-p521", debian, "-groups", "P-521"),
		client("openssl-chacha", debian, "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256", "-cipher", "ECDHE+CHACHA20:ECDHE+AESGCM"),
		client("openssl-pss-only", debian, "-tls1_2", "-sigalgs", "rsa_pss_rsae_sha256"),
		client("openssl-p256-sha384", debian, "-tls1_2", "-groups", "P-256", "-sigalgs", "ECDSA+SHA384:RSA+SHA384"),
		client("openssl-x25519-only", debian, "-groups", "X25519"),
		client("openssl-tls1.3", debian, "-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384", "-groups", "P-384:P-256"),
		client("openssl-dhe-camellia", free, "-tls1_2", "-cipher", "DHE-RSA-AES128-SHA:CAMELLIA128-SHA:@SECLEVEL=0"),
	}
}

// versionOf reads "TLSv1.3, Cipher is …". s_client names the version of the cipher there, so the protocol
// comes from its own line where there is one.
func versionOf(tail string) string {
	if v := field(tail, "Protocol  :"); v != "" {
		return v
	}
	v, _, _ := strings.Cut(tail, ",")
	return v
}

func gnutlsClients() []*Client {
	client := func(name, priority string, rules hello.Rules) *Client {
		c := &Client{Name: name, Accepts: rules}
		c.command = func(at Target) command {
			host, port := hostPort(at)
			return command{name: "gnutls-cli", stdin: request, done: answered, env: []string{"GNUTLS_SYSTEM_PRIORITY_FILE=" + os.DevNull},
				args: []string{"--x509cafile", at.CA, "--sni-hostname", at.ServerName, "--verify-hostname", at.ServerName, "--priority", priority, "-p", port, host}}
		}
		return c.need("gnutls-cli")
	}
	// GnuTLS refuses SHA-1 in certificates and, by its default profile, short keys (gnutls_priority_init(3)).
	rules := func(floor suite.Version) hello.Rules {
		return hello.Rules{Known: true, MinVersion: floor, MinRSABits: 1008, RefusedDigests: []string{"MD5", "SHA1"}, ChecksName: true}
	}
	return []*Client{
		client("gnutls", "NORMAL", rules(suite.TLS10)),
		client("gnutls-tls1.1", "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0", rules(suite.TLS10)),
		client("gnutls-rsa-kex", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA", rules(suite.TLS12)),
		client("gnutls-p521", "NORMAL:-GROUP-ALL:+GROUP-SECP521R1", rules(suite.TLS10)),
		client("gnutls-p384", "PFS:-VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP384R1", rules(suite.TLS10)),
	}
}

func javaClients(t testing.TB) []*Client {
	client := func(name string, rules hello.Rules, security map[string]string, groups, versions, suites string) *Client {
		c := (&Client{Name: name, Accepts: rules}).need("java", "javac")
		if c.missing != "" {
			return c
		}
		jvm := javaArguments(t, name, security, groups)
		c.command = func(at Target) command {
			host, port := hostPort(at)
			args := append(jvm[:len(jvm):len(jvm)], "Peer", "client", host, port, at.ServerName, at.CA, versions, suites)
			return command{name: "java", args: args, negotiated: afterOK}
		}
		return c
	}
	// jdk.tls.disabledAlgorithms and jdk.certpath.disabledAlgorithms of JDK 17.
	rules := func(floor suite.Version) hello.Rules {
		return hello.Rules{Known: true, MinVersion: floor, MinRSABits: 1024, MinDHBits: 1024, MinECBits: 224, ChecksName: true}
	}
	loose := hello.Rules{Known: true, MinVersion: suite.SSLv3, ChecksName: true}
	at := func(floor suite.Version) hello.Rules { r := loose; r.MinVersion = floor; return r }
	return []*Client{
		client("java-17", rules(suite.TLS12), nil, "", "-", "-"),
		client("java-17-tls1.0", at(suite.TLS10), javaEverything, "", "TLSv1", "-"),
		client("java-17-sslv2hello", at(suite.TLS10), javaEverything, "", "SSLv2Hello,TLSv1,TLSv1.1,TLSv1.2", "-"),
		client("java-17-sslv3-rc4", loose, javaEverything, "", "SSLv3,TLSv1", "TLS_RSA_WITH_RC4_128_SHA,TLS_RSA_WITH_RC4_128_MD5,TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
		client("java-17-secp521r1", rules(suite.TLS12), nil, "secp521r1", "-", "-"),
		client("java-17-no-gcm", rules(suite.TLS12), map[string]string{"jdk.tls.disabledAlgorithms": "SSLv3, TLSv1, TLSv1.1, TLSv1.3, GCM, RC4, DES, 3DES_EDE_CBC, anon, NULL, DTLSv1.0, ChaCha20-Poly1305"}, "", "-", "-"),
	}
}

func goClients() []*Client {
	client := func(name string, rules hello.Rules, config *tls.Config) *Client {
		return &Client{Name: name, Accepts: rules, dial: func(ctx context.Context, at Target) Result {
			pem, err := os.ReadFile(at.CA)
			if err != nil {
				return Result{Output: err.Error()}
			}
			c := config.Clone()
			c.RootCAs, c.ServerName = x509.NewCertPool(), at.ServerName
			c.RootCAs.AppendCertsFromPEM(pem)
			conn, err := (&tls.Dialer{Config: c}).DialContext(ctx, "tcp", at.Addr)
			if err != nil {
				return Result{Output: err.Error()}
			}
			defer conn.Close()
			if d, ok := ctx.Deadline(); ok {
				conn.SetDeadline(d)
			}
			io.WriteString(conn, request)
			if _, err := io.ReadFull(conn, make([]byte, 8)); err != nil {
				return Result{Output: "no answer: " + err.Error()}
			}
			s := conn.(*tls.Conn).ConnectionState()
			return Result{OK: true, Version: suite.Version(s.Version), Suite: suite.Code(s.CipherSuite)}
		}}
	}
	// crypto/tls: VersionTLS12 by default since 1.18, no SHA-1 in certificates since 1.18, RSA keys of 1024
	// bits at least since 1.24.
	rules := func(floor suite.Version) hello.Rules {
		return hello.Rules{Known: true, MinVersion: floor, MinRSABits: 1024, RefusedDigests: []string{"MD5", "SHA1"}, ChecksName: true}
	}
	return []*Client{
		client("go", rules(suite.TLS12), &tls.Config{}),
		client("go-tls1.0", rules(suite.TLS10), &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}),
		client("go-tls1.2-p384", rules(suite.TLS12), &tls.Config{MaxVersion: tls.VersionTLS12, CurvePreferences: []tls.CurveID{tls.CurveP384}}),
		client("go-rsa-kex", rules(suite.TLS12), &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_CBC_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}}),
	}
}

func scriptClients(t testing.TB) []*Client {
	python := pythonPath()
	script := program(t, "client.py")
	py := func(name string, rules hello.Rules, options ...string) *Client {
		c := &Client{Name: name, Accepts: rules}
		c.command = func(at Target) command {
			host, port := hostPort(at)
			return command{name: python, args: append([]string{script, host, port, at.ServerName, at.CA}, options...), negotiated: afterOK}
		}
		return c.need("python3")
	}
	curl := func(name string, rules hello.Rules, options ...string) *Client {
		c := &Client{Name: name, Accepts: rules}
		c.command = func(at Target) command {
			host, port := hostPort(at)
			args := append([]string{"-sSv", "--http1.0", "--max-time", "15", "--cacert", at.CA, "--resolve", at.ServerName + ":" + port + ":" + host, "-o", os.DevNull}, options...)
			return command{name: "curl", args: append(args, "https://"+at.ServerName+":"+port+"/"), negotiated: func(out string) (string, string) {
				v, s, _ := strings.Cut(field(out, "SSL connection using "), " / ")
				return v, s
			}}
		}
		return c.need("curl")
	}
	// wget resolves names by itself, so it asks for localhost, which all identities of the test bed are for.
	wget := func(name string, rules hello.Rules, options ...string) *Client {
		c := &Client{Name: name, Accepts: rules}
		c.command = func(at Target) command {
			_, port := hostPort(at)
			args := append([]string{"-nv", "-O", os.DevNull, "--tries=1", "--timeout=15", "-4", "--ca-certificate=" + at.CA}, options...)
			return command{name: "wget", args: append(args, "https://localhost:"+port+"/")}
		}
		return c.need("wget")
	}
	gnutls := hello.Rules{Known: true, MinVersion: suite.TLS12, MinRSABits: 1008, RefusedDigests: []string{"MD5", "SHA1"}, ChecksName: true}
	gnutls11 := gnutls
	gnutls11.MinVersion = suite.TLS10
	debian := level(2, suite.TLS12, false)
	return []*Client{
		py("python", debian),
		py("python-tls1.2-ecdsa", debian, "max=TLSv1_2", "ciphers=ECDHE-ECDSA-AES128-GCM-SHA256"),
		py("python-tls1.1", level(0, suite.TLS11, true), "min=TLSv1_1", "max=TLSv1_1", "ciphers=ALL:@SECLEVEL=0"),
		curl("curl", debian),
		curl("curl-tls1.2-cbc", debian, "--tls-max", "1.2", "--ciphers", "AES256-SHA256:ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA384"),
		wget("wget", gnutls11),
		wget("wget-tls1.1", gnutls11, "--secure-protocol=TLSv1_1"),
	}
}

// pythonPath is the interpreter itself: a shim in front of it costs as much as the handshake.
func pythonPath() string {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return "python3"
	}
	return filepath.Clean(strings.TrimSpace(string(out)))
}
