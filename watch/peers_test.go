package watch

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/capture"
	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// captured is the capture of what clients did through a relay to a server, each on a connection of its own.
func captured(t *testing.T, upstream string, run func(addr string)) []byte {
	t.Helper()
	relay := testbed.NewRelay(t, upstream)
	run(relay.Addr)
	var file bytes.Buffer
	w := testbed.NewPcap(&file, time.Now())
	w.Step = 10 * time.Millisecond
	for i, r := range relay.Stop() {
		w.Write(dialogue(i, r.Turns()).Frames...)
	}
	w.At = w.At.Add(time.Minute)
	w.Write(testbed.NewDialogue(netip.MustParseAddrPort("10.9.9.9:1"), netip.MustParseAddrPort("10.9.9.8:2")).Frames...) // time has passed
	w.Flush()
	return file.Bytes()
}

func dialogue(i int, turns []testbed.Turn) *testbed.Dialogue {
	d := testbed.NewDialogue(netip.AddrPortFrom(netip.MustParseAddr("192.0.2.7"), uint16(40000+i)), netip.MustParseAddrPort("198.51.100.1:443"))
	d.Say(turns...)
	return d
}

// read collects a capture.
func read(t *testing.T, file []byte) (*Report, []*Event) {
	t.Helper()
	c := NewCollector()
	var events []*Event
	st, err := capture.Follow("test", bytes.NewReader(file), func(n *capture.Connection) {
		events = append(events, c.Event(n))
		c.Add(n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Report("test", st), events
}

// sServer starts openssl s_server.
func sServer(t *testing.T, id *testbed.Identity, options ...string) string {
	port := testbed.FreePort(t)
	args := append([]string{"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port), "-www", "-cert", id.Cert, "-key", id.Key}, options...)
	return testbed.Run(t, port, testbed.Need(t, "openssl"), args...).Addr
}

// program runs a client program; what it prints and whether it succeeds is for the capture to tell.
func program(t *testing.T, name string, args ...string) func(addr string) {
	path := testbed.Need(t, name)
	return func(addr string) {
		host, port, _ := net.SplitHostPort(addr)
		words := make([]string, len(args))
		for i, a := range args {
			words[i] = strings.NewReplacer("ADDR", addr, "HOST", host, "PORT", port).Replace(a)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, path, words...)
		cmd.Stdin = strings.NewReader("GET / HTTP/1.0\r\n\r\n")
		out, err := cmd.CombinedOutput()
		t.Logf("%s %s: %v\n%s", name, strings.Join(words, " "), err, out[:min(len(out), 200)])
	}
}

func sClient(t *testing.T, options ...string) func(addr string) {
	return program(t, "openssl", append([]string{"s_client", "-connect", "ADDR", "-servername", "lb.example.com"}, options...)...)
}

// known runs a client of the test bed.
func known(t *testing.T, name, ca string) func(addr string) {
	for _, c := range testbed.Clients(t) {
		if c.Name == name {
			if m := c.Missing(); m != "" {
				testbed.Missing(t, m)
			}
			return func(addr string) {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				t.Log(c.Connect(ctx, testbed.Target{Addr: addr, ServerName: "lb.example.com", CA: ca}))
			}
		}
	}
	t.Fatalf("no client %s", name)
	return nil
}

// scene is a real client and a real server, and what an onlooker must make of them.
type scene struct {
	name    string
	server  func(*testing.T) string
	client  func(*testing.T) func(addr string)
	result  evidence.Result
	version suite.Version // 0: none chosen
	seen    string        // part of the failure
	cause   cause.ID
	sure    float64 // least confidence
	check   func(*testing.T, *Event)
}

func TestRealPeers(t *testing.T) {
	ids := testbed.Identities(t)
	rsa, other := ids["rsa2048"], ids["p256"]
	open := func(options ...string) func(*testing.T) string {
		return func(t *testing.T) string {
			return sServer(t, rsa, append([]string{"-cipher", "ALL:@SECLEVEL=0"}, options...)...)
		}
	}
	client := func(options ...string) func(*testing.T) func(string) {
		return func(t *testing.T) func(string) { return sClient(t, options...) }
	}
	bed := func(name string) func(*testing.T) func(string) {
		return func(t *testing.T) func(string) { return known(t, name, rsa.CA) }
	}
	untrusting := func(name string) func(*testing.T) func(string) {
		return func(t *testing.T) func(string) { return known(t, name, other.CA) }
	}
	serve := func(f func(net.Conn)) func(*testing.T) string {
		return func(t *testing.T) string { return testbed.Listen(t, 20*time.Second, f) }
	}
	loose := []string{"-cipher", "ALL:@SECLEVEL=0"}
	scenes := []scene{
		{name: "TLS 1.0", server: open(), client: client(append(loose, "-tls1")...), result: evidence.Established, version: suite.TLS10},
		{name: "TLS 1.1", server: open(), client: client(append(loose, "-tls1_1")...), result: evidence.Established, version: suite.TLS11},
		{name: "TLS 1.2", server: open(), client: client("-tls1_2"), result: evidence.Established, version: suite.TLS12},
		{name: "TLS 1.3", server: open(), client: client("-tls1_3"), result: evidence.Established, version: suite.TLS13},
		{name: "gnutls", server: open(), client: bed("gnutls"), result: evidence.Established, version: suite.TLS13},
		{name: "java", server: open(), client: bed("java-17"), result: evidence.Established, version: suite.TLS13},
		{name: "old Node.js", server: open(), client: bed("node-0.10"), result: evidence.Established, version: suite.TLS12},
		{name: "go", server: open(), client: bed("go"), result: evidence.Established, version: suite.TLS13},
		{name: "an SSLv2 hello", server: open(), client: bed("java-17-sslv2hello"), result: evidence.Established, version: suite.TLS12, check: func(t *testing.T, e *Event) {
			if len(e.Hello) == 0 || e.Hello[0]&0x80 == 0 {
				t.Errorf("the hello is % x", e.Hello[:min(len(e.Hello), 8)])
			}
		}},
		{name: "HelloRetryRequest", server: open("-groups", "X25519"), client: client("-groups", "P-521:X25519", "-tls1_3"), result: evidence.Established, version: suite.TLS13,
			check: func(t *testing.T, e *Event) {
				if !e.Retried {
					t.Error("no HelloRetryRequest was seen")
				}
			}},
		{name: "a version is refused", server: open("-no_tls1", "-no_tls1_1"), client: client(append(loose, "-tls1_1")...), result: evidence.Failed,
			seen: "protocol_version from the server", cause: cause.NoCommonVersion, sure: 0.9},
		{name: "a cipher is refused", server: open("-cipher", "ECDHE-RSA-AES256-GCM-SHA384", "-no_tls1_3"), client: client("-tls1_2", "-cipher", "AES128-SHA,ECDHE-RSA-AES128-SHA"),
			result: evidence.Failed, seen: "handshake_failure from the server", cause: cause.NoCommonCipher},
		{name: "a group is refused", server: open("-groups", "P-384"), client: client("-tls1_3", "-groups", "X25519"), result: evidence.Failed, seen: "handshake_failure from the server"},
		{name: "unknown CA, OpenSSL, TLS 1.2", server: open("-no_tls1_3"), client: untrusting("curl"), result: evidence.Failed, version: suite.TLS12,
			seen: "unknown_ca from the client", cause: cause.CertificateChainIncomplete},
		{name: "unknown CA, Go, TLS 1.3", server: open(), client: untrusting("go"), result: evidence.Failed, version: suite.TLS13,
			seen: "encrypted alert from the client", cause: cause.CertificateUntrusted},
		{name: "unknown CA, Java, TLS 1.3", server: open(), client: untrusting("java-17"), result: evidence.Failed, version: suite.TLS13, seen: "from the client"},
		{name: "an expired certificate", server: func(t *testing.T) string { return sServer(t, ids["rsa-expired"], "-no_tls1_3") },
			client: func(t *testing.T) func(string) { return known(t, "curl", ids["rsa-expired"].CA) }, result: evidence.Failed, version: suite.TLS12,
			seen: "certificate_expired from the client", cause: cause.CertificateExpired, sure: 0.9},
		{name: "another name", server: func(t *testing.T) string { return sServer(t, ids["rsa-other-name"], "-no_tls1_3") },
			client: func(t *testing.T) func(string) { return known(t, "go", ids["rsa-other-name"].CA) }, result: evidence.Failed, version: suite.TLS12,
			seen: "bad_certificate from the client", cause: cause.CertificateNameMismatch, sure: 0.7},
		{name: "mTLS without a certificate, TLS 1.2", server: open("-Verify", "3", "-verify_return_error", "-no_tls1_3"), client: client(), result: evidence.Failed, version: suite.TLS12,
			seen: "from the server", cause: cause.ClientCertificateRequired, sure: 0.9},
		{name: "mTLS without a certificate, TLS 1.3", server: open("-Verify", "3", "-verify_return_error"), client: client("-ign_eof"), result: evidence.Failed, version: suite.TLS13,
			seen: "encrypted alert from the server", cause: cause.ClientCertificateRequired, sure: 0.8},
		{name: "mTLS with a wrong certificate, TLS 1.2", server: open("-Verify", "3", "-verify_return_error", "-no_tls1_3", "-CAfile", other.CA), client: client("-cert", rsa.Cert, "-key", rsa.Key),
			result: evidence.Failed, version: suite.TLS12, seen: "from the server", cause: cause.ClientCertificateRejected, sure: 0.9},
		{name: "mTLS with a wrong certificate, TLS 1.3", server: open("-Verify", "3", "-verify_return_error", "-CAfile", other.CA), client: client("-cert", rsa.Cert, "-key", rsa.Key, "-ign_eof"),
			result: evidence.Failed, version: suite.TLS13, seen: "encrypted alert from the server", cause: cause.ClientCertificateRejected, sure: 0.6},
		{name: "a reset", server: serve(func(c net.Conn) {
			c.Read(make([]byte, 100))
			c.(*net.TCPConn).SetLinger(0)
		}), client: client(), result: evidence.Failed, seen: "reset by the server after the client's hello", cause: cause.ConnectionReset},
		{name: "a close", server: serve(func(c net.Conn) { io.CopyN(io.Discard, c, 5); c.(*net.TCPConn).CloseWrite(); io.Copy(io.Discard, c) }), client: client(), result: evidence.Failed,
			seen: "closed by the server after the client's hello"},
		{name: "no answer", server: serve(func(c net.Conn) { io.Copy(io.Discard, c) }), client: func(t *testing.T) func(string) {
			return program(t, "curl", "-sk", "--max-time", "1", "https://ADDR/")
		}, result: evidence.Failed, seen: "by the client after the client's hello"},
		{name: "STARTTLS", server: serve(func(c net.Conn) { smtp(c, rsa.TLS) }), client: client("-starttls", "smtp"), result: evidence.Established, version: suite.TLS13,
			check: func(t *testing.T, e *Event) {
				if e.StartTLS != "smtp" {
					t.Errorf("STARTTLS is %q", e.StartTLS)
				}
			}},
		{name: "TLS on a STARTTLS port", server: serve(func(c net.Conn) { smtp(c, rsa.TLS) }), client: client(), result: evidence.Failed, cause: cause.TLSOnSTARTTLSPort, sure: 0.8},
		{name: "SSH", server: serve(func(c net.Conn) {
			io.CopyN(io.Discard, c, 5)
			io.WriteString(c, "SSH-2.0-OpenSSH_9.2\r\n")
			io.Copy(io.Discard, c)
		}), client: client(), result: evidence.Failed,
			seen: "no TLS (SSH)", cause: cause.NotTLS},
		{name: "plain HTTP", server: func(t *testing.T) string { return httpServer(t, nil) }, client: func(t *testing.T) func(string) {
			return program(t, "curl", "-sk", "https://ADDR/")
		}, result: evidence.Failed, seen: "no TLS (HTTP)", cause: cause.PlainHTTPOnTLSPort, sure: 0.9},
		{name: "HTTP sent to TLS", server: func(t *testing.T) string { return httpServer(t, &tls.Config{Certificates: []tls.Certificate{rsa.TLS}}) },
			client: func(t *testing.T) func(string) { return program(t, "curl", "-s", "http://ADDR/") }, result: evidence.Failed, seen: "plaintext", cause: cause.HTTPSentToTLS, sure: 0.9},
	}
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			file := captured(t, s.server(t), s.client(t))
			_, events := read(t, file)
			if len(events) == 0 {
				t.Fatal("no negotiation was seen")
			}
			e := events[0]
			if e.Result != s.result || e.Version != s.version || !strings.Contains(e.Failure, s.seen) {
				t.Errorf("seen: %s %v %q, want %s %v %q", e.Result, e.Version, e.Failure, s.result, s.version, s.seen)
			}
			if s.result != evidence.Failed && len(e.Causes) > 0 || s.result == evidence.Failed && len(e.Causes) == 0 {
				t.Fatalf("causes: %+v", e.Causes)
			}
			if s.cause != "" && (e.Causes[0].ID != s.cause || e.Causes[0].Confidence < s.sure) {
				t.Errorf("causes: %+v, want %s", e.Causes, s.cause)
			}
			if s.check != nil {
				s.check(t, e)
			}
		})
	}
}

// smtp is a mail server that knows STARTTLS.
func smtp(c net.Conn, cert tls.Certificate) {
	io.WriteString(c, "220 mx.example.com ESMTP\r\n")
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		switch {
		case err != nil:
			return
		case strings.HasPrefix(line, "EHLO"):
			io.WriteString(c, "250-mx.example.com\r\n250 STARTTLS\r\n")
		case strings.HasPrefix(line, "STARTTLS"):
			io.WriteString(c, "220 go ahead\r\n")
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
			if s.Handshake() == nil {
				io.WriteString(s, "250 hello\r\n")
				io.Copy(io.Discard, s)
			}
			return
		default:
			io.WriteString(c, "500 what?\r\n")
		}
	}
}

// httpServer is Go's, with TLS or without.
func httpServer(t *testing.T, config *tls.Config) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{TLSConfig: config, Handler: http.NotFoundHandler()}
	t.Cleanup(func() { s.Close() })
	if config == nil {
		go s.Serve(l)
	} else {
		go s.ServeTLS(l, "", "")
	}
	return l.Addr().String()
}
