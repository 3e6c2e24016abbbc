package cause_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/testbed"
)

// peer is a server that fails its clients in one way, and what it logs of it.
type peer struct {
	addr string
	ca   string // PEM of the roots that its clients trust
	log  func() string
}

// failing starts a server; saying is a text that docs/causes.md quotes, and who prints it.
type (
	failing func(testing.TB) peer
	saying  struct{ who, text string }
)

// TestMessages runs real clients against real servers and demands that the texts that docs/causes.md quotes
// for a cause are what they print. A client is one of the test bed's or "s_client" with its options; "server"
// is what the server logs.
func TestMessages(t *testing.T) {
	_, _, sections := page(t)
	clients := make(map[string]*testbed.Client)
	for _, c := range testbed.Clients(t) {
		clients[c.Name] = c
	}
	for i, c := range []struct {
		id      cause.ID
		server  failing
		sayings []saying
	}{
		{cause.ClientLacksCipher, goServer(testbed.RSA2048, nil), []saying{
			{"s_client -cipher RC4-SHA", "no cipher match"},
			{"s_client -tls1_2 -cipher PSK-AES128-CBC-SHA", "no ciphers available"}}},
		{cause.ConnectionRefused, refused, []saying{
			{"openssl", "Connection refused"}, {"gnutls", "Connection refused"}, {"python", "Connection refused"},
			{"java-17", "java.net.ConnectException: Connection refused"}, {"go", "connect: connection refused"}, {"node-24", "connect ECONNREFUSED"}}},
		{cause.ConnectionReset, plain(reset), []saying{
			{"curl", "curl: (35) Recv failure: Connection reset by peer"}, {"s_client", "write:errno=104"}, {"node-24", "read ECONNRESET"},
			{"java-17", "java.net.SocketException: Connection reset"}}},
		{cause.ConnectionReset, plain(hear), []saying{
			{"s_client", "unexpected eof while reading"}, {"gnutls", "The TLS connection was non-properly terminated."},
			{"java-17", "Remote host terminated the handshake"}}},
		{cause.PlainHTTPOnTLSPort, plain(say("HTTP/1.1 400 Bad Request\r\n\r\n")), []saying{
			{"openssl", "wrong version number"}, {"curl", "wrong version number"}, {"node-24", "wrong version number"}, {"node-0.10", "unknown protocol"},
			{"java-17", "Unsupported or unrecognized SSL message"}, {"gnutls", "An unexpected TLS packet was received."}}},
		{cause.TLSOnSTARTTLSPort, plain(say("220 mail.example.com ESMTP\r\n")), []saying{
			{"openssl", "wrong version number"}, {"go", "tls: first record does not look like a TLS handshake"}, {"java-17", "Unsupported or unrecognized SSL message"}}},
		{cause.NotTLS, plain(say("SSH-2.0-OpenSSH_9.2\r\n")), []saying{
			{"python", "wrong version number"}, {"go", "tls: first record does not look like a TLS handshake"}, {"gnutls", "An unexpected TLS packet was received."}}},
		{cause.ProtocolViolation, plain(say("\x16\x03\x03\x00\x05\x02\x00\x00\x01\x09")), []saying{
			{"openssl", "length mismatch"}, {"go", "tls: error decoding message"}, {"java-17", "Illegal handshake message: server_hello"},
			{"gnutls", "Error decoding the received TLS packet."}}},
		{cause.NoCommonVersion, openssl(testbed.RSA2048, "-no_tls1", "-no_tls1_1"), []saying{
			{"openssl-tls1.0", "tlsv1 alert protocol version"}, {"go-tls1.0", "remote error: tls: protocol version not supported"},
			{"java-17-tls1.0", "Received fatal alert: protocol_version"}, {"gnutls-tls1.1", "Received alert [70]: Error in protocol version"},
			{"server", "unsupported protocol"}}},
		{cause.NoCommonVersion, openssl(testbed.RSA2048, "-tls1_1", "-cipher", "ECDHE:@SECLEVEL=0"), []saying{
			{"openssl", "legacy sigalg disallowed or unsupported"}}},
		{cause.NoCommonVersion, goServer(testbed.RSA2048, nil), []saying{
			{"openssl-tls1.0", "tlsv1 alert protocol version"}, {"server", "tls: client offered only unsupported versions:"}}},
		{cause.NoCommonCipher, openssl(testbed.RSA2048, "-tls1_2", "-cipher", "CAMELLIA256-SHA"), []saying{
			{"openssl", "sslv3 alert handshake failure"}, {"go", "remote error: tls: handshake failure"}, {"java-17", "Received fatal alert: handshake_failure"},
			{"gnutls", "Received alert [40]: Handshake failed"}, {"node-24", "ssl/tls alert handshake failure"}, {"server", "no shared cipher"}}},
		{cause.NoCommonCipher, goServer(testbed.RSA2048, nil), []saying{
			{"s_client -tls1_2 -cipher CAMELLIA256-SHA", "sslv3 alert handshake failure"}, {"server", "tls: no cipher suite supported by both client and server"}}},
		{cause.NoCommonCipher, gnutls("NORMAL:-KX-ALL:+ECDHE-RSA"), []saying{
			{"openssl-aes128-sha", "sslv3 alert handshake failure"}, {"server", "No supported cipher suites have been found."}}},
		{cause.CipherNeedsOtherCertificate, openssl(testbed.P256), []saying{
			{"openssl-aes128-sha", "sslv3 alert handshake failure"}, {"go-rsa-kex", "remote error: tls: handshake failure"}, {"server", "no shared cipher"}}},
		{cause.NoCommonGroup, goServer(testbed.RSA2048, func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP384} }), []saying{
			{"openssl-x25519-only", "sslv3 alert handshake failure"}, {"server", "tls: no key exchanges supported by both client and server"}}},
		{cause.NoCommonSignatureAlgorithm, goServer(testbed.RSA2048, nil), []saying{
			{"s_client -sigalgs ECDSA+SHA256", "sslv3 alert handshake failure"}, {"server", "tls: peer doesn't support any of the certificate's signature algorithms"}}},
		{cause.SNIUnknown, goServer(testbed.RSA2048, refuseName), []saying{
			{"openssl", "tlsv1 unrecognized name"}, {"java-17", "Received fatal alert: unrecognized_name"}, {"node-24", "ERR_SSL_TLSV1_UNRECOGNIZED_NAME"},
			{"server", "tls: no certificates configured"}}},
		{cause.SNIRequired, goServer(testbed.RSA2048, refuseName), []saying{
			{"s_client -noservername", "tlsv1 unrecognized name"}, {"server", "tls: no certificates configured"}}},
		{cause.NoCommonALPN, goServer(testbed.RSA2048, func(c *tls.Config) { c.NextProtos = []string{"h2"} }), []saying{
			{"s_client -alpn foo", "tlsv1 alert no application protocol"}, {"server", `tls: client requested unsupported application protocols (["foo"])`}}},
		{cause.InappropriateFallback, goServer(testbed.RSA2048, nil), []saying{
			{"s_client -tls1_2 -fallback_scsv", "tlsv1 alert inappropriate fallback"}, {"server", "tls: client using inappropriate protocol fallback"}}},
		{cause.InappropriateFallback, gnutls("NORMAL"), []saying{
			{"s_client -tls1_2 -fallback_scsv", "tlsv1 alert inappropriate fallback"}, {"server", "A connection with inappropriate fallback was attempted."}}},
		{cause.LegacyRenegotiationDisabled, gnutls("NORMAL:-VERS-TLS1.3:%DISABLE_SAFE_RENEGOTIATION"), []saying{
			{"openssl", "unsafe legacy renegotiation disabled"}, {"curl", "unsafe legacy renegotiation disabled"}, {"node-18", "unsafe legacy renegotiation disabled"}}},
		{cause.WeakDHParameters, dh1536, []saying{
			{"openssl", "dh key too small"}, {"python", "[SSL: DH_KEY_TOO_SMALL] dh key too small"}, {"node-24", "dh key too small"},
			{"server", "sslv3 alert handshake failure"}}},
		{cause.HandshakeSignatureRefused, openssl(testbed.RSA2048, "-tls1_1", "-cipher", "ECDHE:@SECLEVEL=0"), []saying{
			{"s_client -tls1_1 -cipher ECDHE:@SECLEVEL=1", "legacy sigalg disallowed or unsupported"}, {"server", "tlsv1 alert internal error"}}},
		{cause.WeakCertificateKey, openssl(testbed.RSA1024, "-cipher", "DEFAULT:@SECLEVEL=0"), []saying{
			{"openssl", "EE certificate key too weak"}, {"node-24", "EE certificate key too weak"}, {"server", "sslv3 alert bad certificate"}}},
		{cause.WeakCertificateKey, openssl(testbed.RSASHA1, "-cipher", "DEFAULT:@SECLEVEL=0"), []saying{
			{"openssl", "CA signature digest algorithm too weak"}, {"go", "x509: cannot verify signature: insecure algorithm SHA1-RSA"},
			{"gnutls", "The certificate chain uses insecure algorithm."}}},
		{cause.CertificateExpired, goServer(testbed.RSAExpired, nil), []saying{
			{"openssl", "certificate has expired"}, {"curl", "certificate has expired"}, {"go", "x509: certificate has expired or is not yet valid"},
			{"java-17", "java.security.cert.CertificateExpiredException: NotAfter:"}, {"gnutls", "The certificate chain uses expired certificate."},
			{"node-24", "CERT_HAS_EXPIRED"}}},
		{cause.CertificateNameMismatch, goServer(testbed.RSAOtherName, nil), []saying{
			{"openssl", "hostname mismatch"}, {"curl", "no alternative certificate subject name matches target host name"}, {"python", "certificate is not valid for"},
			{"go", "x509: certificate is valid for other.example.net, not lb.example.com"}, {"java-17", "No subject alternative DNS name matching lb.example.com found."},
			{"gnutls", "The name in the certificate does not match the expected."}, {"node-24", "ERR_TLS_CERT_ALTNAME_INVALID"}}},
		{cause.CertificateUntrusted, strangers(goServer(testbed.RSA2048, nil)), []saying{
			{"openssl", "unable to get local issuer certificate"}, {"go", "x509: certificate signed by unknown authority"},
			{"java-17", "unable to find valid certification path to requested target"}, {"gnutls", "The certificate issuer is unknown."}}},
		{cause.CertificateChainIncomplete, goServer(testbed.RSAIncomplete, nil), []saying{
			{"openssl", "unable to get local issuer certificate"}, {"node-24", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"}, {"go", "x509: certificate signed by unknown authority"}}},
		{cause.ClientCertificateRequired, openssl(testbed.RSA2048, "-Verify", "1", "-verify_return_error"), []saying{
			{"openssl", "tlsv13 alert certificate required"}, {"go", "remote error: tls: certificate required"}, {"java-17", "Received fatal alert: certificate_required"},
			{"node-24", "tlsv13 alert certificate required"}, {"server", "peer did not return a certificate"}}},
		{cause.ClientCertificateRequired, goServer(testbed.RSA2048, demandCertificate), []saying{
			{"s_client -ign_eof", "tlsv13 alert certificate required"}, {"server", "tls: client didn't provide a certificate"}}},
		{cause.ClosedAfterHandshake, goServer(testbed.RSA2048, nil), []saying{
			{"curl", "curl: (52) Empty reply from server"}, {"go", "EOF"}}},
	} {
		t.Run(fmt.Sprintf("%02d-%s", i, c.id), func(t *testing.T) {
			t.Parallel()
			p := c.server(t)
			said := plainText(sections[string(c.id)])
			for _, s := range c.sayings {
				if !strings.Contains(said, s.text) {
					t.Errorf("docs/causes.md does not quote %q", s.text)
				}
				if s.who == "server" {
					p.waitFor(t, s.text)
					continue
				}
				out := p.ask(t, clients, s.who)
				if !strings.Contains(plainText(out), s.text) {
					t.Errorf("%s does not say %q but:\n%.600s", s.who, s.text, out)
				}
			}
		})
	}
}

// plainText is text without line breaks.
func plainText(s string) string { return strings.Join(strings.Fields(s), " ") }

// ask connects one client and returns what it prints.
func (p peer) ask(t *testing.T, clients map[string]*testbed.Client, who string) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if words := strings.Fields(who); words[0] == "s_client" {
		args := []string{"s_client", "-connect", p.addr, "-CAfile", p.ca}
		if words[len(words)-1] != "-noservername" {
			args = append(args, "-servername", testbed.HostName)
		}
		cmd := exec.CommandContext(ctx, testbed.Need(t, "openssl"), append(args, words[1:]...)...)
		cmd.Env = append(os.Environ(), "OPENSSL_CONF="+os.DevNull)
		cmd.Stdin = strings.NewReader("GET / HTTP/1.0\r\n\r\n")
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	c := clients[who]
	if c == nil {
		t.Fatalf("no client %q in the test bed", who)
	}
	if missing := c.Missing(); missing != "" {
		testbed.Missing(t, missing)
	}
	return c.Connect(ctx, testbed.Target{Addr: p.addr, ServerName: testbed.HostName, CA: p.ca}).Output
}

// waitFor demands that the server logs text, a moment after the client has gone.
func (p peer) waitFor(t *testing.T, text string) {
	for range 500 { // 10 s on a busy machine
		if strings.Contains(plainText(p.log()), text) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("the server does not log %q but:\n%.600s", text, p.log())
}

func openssl(spec testbed.Spec, options ...string) failing {
	return func(t testing.TB) peer {
		id, port := testbed.Make(t, spec), testbed.FreePort(t)
		s := testbed.Run(t, port, testbed.Need(t, "openssl"), append([]string{"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port),
			"-cert", id.Cert, "-key", id.Key, "-www"}, options...)...)
		return peer{s.Addr, id.CA, s.Log}
	}
}

// dh1536 uses the group of RFC 3526 that is too small for OpenSSL's security level 2.
func dh1536(t testing.TB) peer {
	path := filepath.Join(t.(*testing.T).TempDir(), "dh.pem")
	cmd := exec.Command(testbed.Need(t, "openssl"), "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:modp_1536", "-out", path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("openssl genpkey: %v\n%s", err, out)
	}
	return openssl(testbed.RSA2048, "-tls1_2", "-cipher", "DHE:@SECLEVEL=0", "-dhparam", path)(t)
}

func gnutls(priority string) failing {
	return func(t testing.TB) peer {
		testbed.Need(t, "gnutls-cli")
		id, port := testbed.Make(t, testbed.RSA2048), testbed.FreePort(t)
		s := testbed.Run(t, port, testbed.Need(t, "gnutls-serv"), "--port", fmt.Sprint(port), "--http", "--x509certfile", id.Cert, "--x509keyfile", id.Key,
			"--priority", priority)
		return peer{s.Addr, id.CA, s.Log}
	}
}

// goServer does handshakes, logs how they fail, hears a request out and closes.
func goServer(spec testbed.Spec, edit func(*tls.Config)) failing {
	return func(t testing.TB) peer {
		id := testbed.Make(t, spec)
		config := &tls.Config{Certificates: []tls.Certificate{id.TLS}}
		if edit != nil {
			edit(config)
		}
		log := make(chan string, 100)
		p := plain(func(c net.Conn) {
			tc := tls.Server(c, config)
			if err := tc.Handshake(); err != nil {
				log <- err.Error()
				return
			}
			tc.Read(make([]byte, 1000))
			tc.Close()
		})(t)
		text := ""
		return peer{p.addr, id.CA, func() string {
			for len(log) > 0 {
				text += <-log + "\n"
			}
			return text
		}}
	}
}

func refuseName(c *tls.Config) {
	c.Certificates = nil
	c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }
}

func demandCertificate(c *tls.Config) {
	c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
}

// strangers has the clients trust another root.
func strangers(f failing) failing {
	return func(t testing.TB) peer {
		p := f(t)
		p.ca = testbed.Make(t, testbed.P256).CA
		return p
	}
}

// refused is a port on which nothing listens.
func refused(t testing.TB) peer {
	return peer{fmt.Sprintf("127.0.0.1:%d", testbed.FreePort(t)), testbed.Make(t, testbed.RSA2048).CA, func() string { return "" }}
}

// plain serves each connection by a function and closes it.
func plain(serve func(net.Conn)) failing {
	return func(t testing.TB) peer {
		return peer{testbed.Listen(t, 20*time.Second, serve), testbed.Make(t, testbed.RSA2048).CA, func() string { return "" }}
	}
}

// hear reads the hello and says nothing.
func hear(c net.Conn) { c.Read(make([]byte, 4096)) }

// reset reads the hello and resets.
func reset(c net.Conn) {
	hear(c)
	c.(*net.TCPConn).SetLinger(0)
}

// say answers the hello with text, and waits for the client to go.
func say(text string) func(net.Conn) {
	return func(c net.Conn) {
		hear(c)
		io.WriteString(c, text)
		c.SetReadDeadline(time.Now().Add(2 * time.Second))
		io.Copy(io.Discard, c)
	}
}
