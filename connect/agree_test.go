package connect

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// sClient is what `openssl s_client -brief` of a release tells of a connection, by its own words.
type sClient struct{ protocol, cipher, key, signature, output string }

// connectOpenSSL runs s_client. Releases other than the machine's own are unpacked under .peers/openssl.
func connectOpenSSL(t *testing.T, release, address string, options ...string) sClient {
	t.Helper()
	command := []string{testbed.Need(t, "openssl")}
	env := append(os.Environ(), "OPENSSL_CONF="+os.DevNull)
	if release != "" {
		root := filepath.Join(testbed.Root(t), ".peers", "openssl", release, "usr")
		libs := filepath.Join(root, "lib", "x86_64-linux-gnu")
		command = []string{filepath.Join(root, "bin", "openssl")}
		if _, err := os.Stat(command[0]); err != nil {
			testbed.Missing(t, "OpenSSL "+release)
		}
		if loader := filepath.Join(libs, "ld-linux-x86-64.so.2"); exists(loader) {
			command = []string{loader, "--library-path", libs, command[0]}
		} else {
			env = append(env, "LD_LIBRARY_PATH="+libs)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	args := append(command[1:], "s_client", "-brief", "-connect", address)
	cmd := exec.CommandContext(ctx, command[0], append(args, options...)...)
	cmd.Env = env
	cmd.Stdin = strings.NewReader("")
	out, _ := cmd.CombinedOutput() // a refused connection has nothing that can be read
	s := sClient{output: string(out)}
	for line := range strings.Lines(s.output) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "Protocol version":
			s.protocol = value
		case "Ciphersuite":
			s.cipher = value
		case "Server Temp Key", "Peer Temp Key":
			s.key, _, _ = strings.Cut(value, " bits")
		case "Negotiated TLS1.3 group":
			s.key = value
		case "Signature type":
			s.signature = value
		}
	}
	return s
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// keyWords is a key exchange in the words of s_client.
func keyWords(n *Negotiated) string {
	switch g := suite.GroupByCode(n.Group); {
	case n.DHBits > 0:
		return fmt.Sprintf("DH, %d", n.DHBits)
	case g == nil:
		return ""
	case g.Kind == "hybrid":
		return g.OpenSSL
	case g.Code == suite.X25519:
		return "X25519, 253"
	case g.Code == suite.X448:
		return "X448, 448"
	default:
		return fmt.Sprintf("ECDH, %s, %d", g.OpenSSL, g.Bits)
	}
}

// signs is whether a signature scheme is of the kind that s_client names.
func signs(s suite.SignatureScheme, kind string) bool {
	switch kind {
	case "RSA-PSS":
		return strings.HasPrefix(s.String(), "rsa_pss")
	case "RSA":
		return strings.HasPrefix(s.String(), "rsa_pkcs1")
	case "ECDSA":
		return strings.HasPrefix(s.String(), "ecdsa")
	case "Ed25519":
		return s == suite.Ed25519
	}
	return strings.EqualFold(s.String(), kind) // 3.5 says the scheme itself
}

// bed starts a server with these suites and an RSA certificate.
func bed(kind testbed.Kind, node string, versions []suite.Version, ciphers string) func(*testing.T) string {
	return func(t *testing.T) string {
		c := testbed.Config{Kind: kind, Node: node, Policy: policy.Policy{Versions: versions, Order: policy.ServerOrder}}
		for name := range strings.FieldsSeq(ciphers) {
			c.Policy.Suites = append(c.Policy.Suites, suite.ByName(name).Code)
		}
		if name, ok := c.Installed(t); !ok {
			testbed.Missing(t, name)
		}
		return testbed.Start(t, c.With(testbed.Make(t, testbed.RSA2048))).Addr
	}
}

func only(v ...suite.Version) []suite.Version { return v }

// TestAgreesWithSClient forces the same on real servers as s_client does, and compares what both report.
func TestAgreesWithSClient(t *testing.T) {
	rsa, ec := testbed.Make(t, testbed.RSA2048), testbed.Make(t, testbed.P256)
	openssl := func(id *testbed.Identity, options ...string) func(*testing.T) string {
		return func(t *testing.T) string { return sServer(t, id, options...) }
	}
	const complete, stop = true, false
	for _, c := range []struct {
		name      string
		server    func(*testing.T) string
		ours      Selection
		groups    string
		release   string // of the s_client to compare with; "": the machine's
		theirs    string
		completes bool
	}{
		{"RSA key exchange", openssl(rsa, "-cipher", "AES128-SHA"), Selection{Versions: only(suite.TLS12), Cipher: "AES128-SHA"}, "", "", "-tls1_2 -cipher AES128-SHA", complete},
		{"ECDHE on P-384", openssl(rsa, "-cipher", "ECDHE-RSA-AES256-GCM-SHA384"), Selection{Versions: only(suite.TLS12), Cipher: "ECDHE-RSA-AES256-GCM-SHA384"}, "P-384", "", "-tls1_2 -groups P-384", complete},
		{"ECDSA", openssl(ec), Selection{Versions: only(suite.TLS12)}, "X25519:P-256", "", "-tls1_2 -groups X25519:P-256 -cipher ECDHE-ECDSA-AES128-GCM-SHA256", complete},
		{"CBC with SHA-384", openssl(rsa), Selection{Versions: only(suite.TLS12), Cipher: "ECDHE-RSA-AES256-SHA384"}, "X25519", "", "-tls1_2 -groups X25519 -cipher ECDHE-RSA-AES256-SHA384", stop},
		{"DHE alone", openssl(rsa, "-no_tls1_3", "-cipher", "DHE-RSA-AES128-SHA"), Selection{}, "", "", "-cipher DHE-RSA-AES128-SHA", stop},
		{"Camellia", openssl(rsa, "-cipher", "CAMELLIA256-SHA"), Selection{Cipher: "CAMELLIA256-SHA"}, "", "", "-tls1_2 -cipher CAMELLIA256-SHA", stop},
		{"CCM", openssl(rsa, "-cipher", "ECDHE-RSA-AES128-SHA:DHE-RSA-AES256-CCM8:@SECLEVEL=0"), Selection{Cipher: "0xC0A3"}, "", "", "-tls1_2 -cipher DHE-RSA-AES256-CCM8:@SECLEVEL=0", stop},
		{"no encryption", openssl(rsa, "-cipher", "NULL-SHA256:@SECLEVEL=0"), Selection{Cipher: "0x003B"}, "", "", "-tls1_2 -cipher NULL-SHA256:@SECLEVEL=0", stop},
		{"no certificate", openssl(rsa, "-cipher", "ADH-AES128-SHA:@SECLEVEL=0"), Selection{Versions: only(suite.TLS12), Cipher: "0x0034"}, "", "", "-tls1_2 -cipher ADH-AES128-SHA:@SECLEVEL=0", stop},
		{"TLS 1.1", openssl(rsa, "-cipher", "ALL:@SECLEVEL=0", "-tls1_1"), Selection{Versions: only(suite.TLS11), Cipher: "AES256-SHA"}, "", "", "-tls1_1 -cipher AES256-SHA:@SECLEVEL=0", complete},
		{"TLS 1.0", openssl(rsa, "-cipher", "ALL:@SECLEVEL=0", "-tls1"), Selection{Versions: only(suite.TLS10), Cipher: "0xC013"}, "P-256", "", "-tls1 -groups P-256 -cipher ECDHE-RSA-AES128-SHA:@SECLEVEL=0", complete},
		{"TLS 1.3 alone", openssl(rsa, "-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"), Selection{}, "X25519", "", "-groups X25519", complete},
		{"TLS 1.3, X448", openssl(rsa, "-tls1_3"), Selection{Ciphersuites: "TLS_AES_128_GCM_SHA256"}, "X448", "", "-groups X448 -ciphersuites TLS_AES_128_GCM_SHA256", stop},
		{"TLS 1.3, CCM", openssl(ec, "-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256"), Selection{Ciphersuites: "TLS_AES_128_CCM_SHA256"}, "X25519", "", "-groups X25519 -ciphersuites TLS_AES_128_CCM_SHA256", stop},
		{"HelloRetryRequest", openssl(rsa, "-tls1_3", "-groups", "P-384"), Selection{}, "X25519:P-384", "", "-groups X25519:P-384 -ciphersuites TLS_AES_128_GCM_SHA256", complete},
		{"nginx", bed(testbed.Nginx, "", only(suite.TLS12, suite.TLS13), "TLS_AES_256_GCM_SHA384 ECDHE-RSA-AES256-GCM-SHA384"), Selection{Versions: only(suite.TLS13)}, "X25519", "", "-groups X25519", complete},
		{"HAProxy", bed(testbed.HAProxy, "", only(suite.TLS12), "ECDHE-RSA-AES256-SHA AES128-SHA"), Selection{}, "P-521", "", "-groups P-521", complete},
		{"GnuTLS, Camellia", bed(testbed.GnuTLS, "", only(suite.TLS12), "CAMELLIA128-SHA"), Selection{Cipher: "CAMELLIA128-SHA"}, "", "1.1.1", "-tls1_2 -cipher CAMELLIA128-SHA", stop},
		{"Node.js 4", bed(testbed.Node, "4", only(suite.TLS10, suite.TLS11, suite.TLS12), "ECDHE-RSA-AES128-GCM-SHA256 AES128-SHA"), Selection{}, "P-256", "", "-groups P-256", complete},
		{"Java", bed(testbed.Java, "", only(suite.TLS12), "ECDHE-RSA-AES128-SHA256"), Selection{Cipher: "ECDHE-RSA-AES128-SHA256"}, "P-256", "", "-tls1_2 -groups P-256", complete},
		{"Go, post-quantum", func(t *testing.T) string { return goServer(t, &tls.Config{Certificates: []tls.Certificate{rsa.TLS}}) }, Selection{}, "", "3.5", "-ciphersuites TLS_AES_128_GCM_SHA256", complete},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := c.server(t)
			q := trusting(t, request(t, address, c.ours), rsa.CA)
			q.Verify = false // some have another identity
			if c.groups != "" {
				var err error
				if q.Groups, err = ParseGroups(c.groups); err != nil {
					t.Fatal(err)
				}
			}
			r := run(t, q)
			theirs := connectOpenSSL(t, c.release, address, append([]string{"-servername", testbed.HostName}, strings.Fields(c.theirs)...)...)
			if r.Outcome != diagnose.Negotiated || r.Failure != nil {
				t.Fatalf("%s %+v; s_client:\n%s", r.Outcome, r.Failure, theirs.output)
			}
			n := r.Negotiated
			v, err := suite.ParseVersion(theirs.protocol)
			if err != nil || v != n.Version || theirs.cipher != n.Cipher.OpenSSL() {
				t.Errorf("%s %s; s_client:\n%s", n.Version, n.Cipher.OpenSSL(), theirs.output)
			}
			if got := keyWords(n); theirs.key != got {
				t.Errorf("key exchange %q, s_client has %q", got, theirs.key)
			}
			if theirs.signature != "" && n.Version > suite.TLS11 && (r.Handshake.Completed || n.Version == suite.TLS12) && !signs(n.Scheme, theirs.signature) {
				t.Errorf("signature %s, s_client has %s", n.Scheme, theirs.signature)
			}
			if r.Handshake.Completed != c.completes || r.Handshake.With != nil || !c.completes && !strings.Contains(r.Handshake.Stopped, "crypto/tls has no") {
				t.Errorf("handshake %+v", r.Handshake)
			}
		})
	}
}

// TestAgreesWithGnuTLS does the same with ciphers that no OpenSSL of the test bed has any more.
func TestAgreesWithGnuTLS(t *testing.T) {
	client := testbed.Need(t, "gnutls-cli")
	for _, c := range []struct {
		name     string
		server   func(*testing.T) string
		ours     Selection
		priority string
	}{
		{"GnuTLS, 3DES", bed(testbed.GnuTLS, "", only(suite.TLS11, suite.TLS12), "DES-CBC3-SHA"), Selection{Versions: only(suite.TLS11), Cipher: "0x000A"}, "NONE:+VERS-TLS1.1:+RSA:+3DES-CBC:+SHA1:+SIGN-ALL:+COMP-NULL"},
		{"Node.js 0.10, RC4", bed(testbed.Node, "0.10", only(suite.TLS10, suite.TLS11, suite.TLS12), "RC4-SHA"), Selection{Versions: only(suite.TLS12), Cipher: "0x0005"}, "NONE:+VERS-TLS1.2:+RSA:+ARCFOUR-128:+SHA1:+SIGN-ALL:+COMP-NULL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := c.server(t)
			r := run(t, request(t, address, c.ours))
			host, port, _ := net.SplitHostPort(address)
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, client, "--insecure", "--priority", c.priority, "-p", port, host)
			cmd.Env = append(os.Environ(), "GNUTLS_SYSTEM_PRIORITY_FILE="+os.DevNull)
			out, _ := cmd.CombinedOutput()
			if r.Outcome != diagnose.Negotiated || !r.Handshake.Completed || r.Handshake.With != nil {
				t.Fatalf("%s %+v %+v", r.Outcome, r.Handshake, r.Failure)
			}
			cipher := suite.ByCode(r.Negotiated.Cipher)
			mode := map[string]string{"3DES": "3DES-CBC", "RC4": "ARCFOUR-128"}[cipher.Encryption]
			want := fmt.Sprintf("(%s)-(%s)-(%s)-(%s)", strings.Replace(r.Negotiated.Version.String(), "TLSv", "TLS", 1), cipher.KeyExchange, mode, cipher.MAC)
			if !strings.Contains(string(out), "- Description: "+strings.Replace(want, ")", "-X.509)", 1)) {
				t.Errorf("want %s; gnutls-cli:\n%s", want, out)
			}
		})
	}
}
