package connect

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestRefused: what the endpoint refuses is diagnosed with the very hello that was sent.
func TestRefused(t *testing.T) {
	rsa := testbed.Make(t, testbed.RSA2048)
	modern := sServer(t, rsa, "-cipher", "ECDHE-RSA-AES128-GCM-SHA256", "-groups", "X25519:P-256", "-alpn", "h2")
	for _, c := range []struct {
		name   string
		server string
		ours   Selection
		change func(*Request)
		want   cause.ID
	}{
		{"TLS 1.1", modern, Selection{Versions: only(suite.TLS11)}, nil, cause.NoCommonVersion},
		{"SSLv3", sServer(t, rsa, "-cipher", "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA"), Selection{Versions: only(suite.SSLv3)}, nil, cause.NoCommonVersion},
		{"a weak suite", modern, Selection{Cipher: "0x000A"}, nil, cause.NoCommonCipher},
		{"a suite that nobody knows", modern, Selection{Cipher: "0xFFF0"}, nil, cause.NoCommonCipher},
		{"PSK", modern, Selection{Cipher: "0x008C"}, nil, cause.NoCommonCipher},
		{"a group", modern, Selection{Versions: only(suite.TLS13)}, func(q *Request) { q.Groups = []suite.Group{suite.Secp521r1} }, cause.NoCommonGroup},
		{"signatures", modern, Selection{Versions: only(suite.TLS13)}, func(q *Request) { q.Schemes = []suite.SignatureScheme{suite.ECDSASecp256r1SHA256} }, cause.NoCommonSignatureAlgorithm},
		{"ALPN", modern, Selection{}, func(q *Request) { q.ALPN = []string{"spdy/3"} }, cause.NoCommonALPN},
		{"TLS 1.2 where there is only less", sServer(t, rsa, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), Selection{Versions: only(suite.TLS12)}, nil, cause.NoCommonVersion},
		{"a version between the forced ones", sServer(t, rsa, "-tls1_2"), Selection{Versions: only(suite.TLS13, suite.TLS10)}, nil, cause.NoCommonVersion},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := request(t, c.server, c.ours)
			if c.change != nil {
				c.change(q)
			}
			r := run(t, q)
			checkCause(t, r, c.want)
			if r.Outcome != diagnose.Refused || r.Negotiated != nil {
				t.Errorf("%s, %+v", r.Outcome, r.Negotiated)
			}
		})
	}
}

// TestAccepted: forced on one server, with the details that the report is to give.
func TestAccepted(t *testing.T) {
	rsa := testbed.Make(t, testbed.RSA2048)
	modern := sServer(t, rsa, "-alpn", "h2")
	t.Run("ALPN", func(t *testing.T) {
		for _, v := range []suite.Version{suite.TLS12, suite.TLS13} {
			q := request(t, modern, Selection{Versions: only(v)})
			q.ALPN = []string{"spdy/3", "h2"}
			r := run(t, q)
			if checkCause(t, r, ""); r.Negotiated.ALPN != "h2" {
				t.Errorf("%s: ALPN %q", v, r.Negotiated.ALPN)
			}
		}
		q := request(t, sServer(t, rsa), Selection{})
		q.ALPN = []string{"h2"}
		r := run(t, q)
		if checkCause(t, r, ""); r.Negotiated.ALPN != "" {
			t.Errorf("ALPN %q of a server without", r.Negotiated.ALPN)
		}
	})
	t.Run("signature scheme", func(t *testing.T) {
		q := request(t, modern, Selection{Versions: only(suite.TLS12), Cipher: "0xC02F"})
		q.Schemes = []suite.SignatureScheme{suite.RSAPKCS1SHA512}
		r := run(t, q)
		if checkCause(t, r, ""); r.Negotiated.Scheme != suite.RSAPKCS1SHA512 || r.Handshake.With == nil || !r.Handshake.Completed {
			t.Errorf("%v, %+v", r.Negotiated.Scheme, r.Handshake)
		}
	})
	t.Run("a TLS 1.3 suite that crypto/tls is not held to", func(t *testing.T) {
		r := run(t, request(t, modern, Selection{Ciphersuites: "TLS_CHACHA20_POLY1305_SHA256"}))
		checkCause(t, r, "")
		if r.Negotiated.Cipher != 0x1303 || !r.Handshake.Completed || r.Handshake.With == nil || r.Handshake.With.Cipher == 0x1303 {
			t.Errorf("%v, %+v", r.Negotiated, r.Handshake)
		}
	})
	t.Run("what crypto/tls lacks, before what it has", func(t *testing.T) {
		s := sServer(t, rsa, "-no_tls1_3", "-serverpref", "-cipher", "DHE-RSA-AES256-GCM-SHA384:AES128-SHA:@SECLEVEL=0")
		r := run(t, request(t, s, Selection{}))
		checkCause(t, r, "")
		if r.Negotiated.Cipher != 0x009F || r.Negotiated.DHBits != 2048 || !r.Handshake.Completed || r.Handshake.With == nil || r.Handshake.With.Cipher != 0x002F {
			t.Errorf("%v, %+v", r.Negotiated, r.Handshake)
		}
		if n := r.Negotiated; n.SecureReneg == nil || !*n.SecureReneg || n.ExtendedMaster == nil || !*n.ExtendedMaster {
			t.Errorf("%+v", n)
		}
	})
	t.Run("HelloRetryRequest for a group without a key share", func(t *testing.T) {
		q := request(t, sServer(t, rsa, "-groups", "P-384"), Selection{Versions: only(suite.TLS13)})
		q.Groups = []suite.Group{suite.X25519, suite.Secp384r1}
		r := run(t, q)
		if checkCause(t, r, ""); !r.Negotiated.HelloRetry || r.Negotiated.Group != suite.Secp384r1 || !r.Handshake.Completed {
			t.Errorf("%+v, %+v", r.Negotiated, r.Handshake)
		}
	})
	t.Run("old server", func(t *testing.T) {
		s := bed(testbed.Node, "0.10", []suite.Version{suite.SSLv3}, "AES128-SHA")(t)
		r := run(t, request(t, s, Selection{Versions: only(suite.SSLv3)}))
		if checkCause(t, r, ""); r.Negotiated.Version != suite.SSLv3 || r.Handshake.Completed || !strings.Contains(r.Handshake.Stopped, "crypto/tls has no SSL 3") {
			t.Errorf("%+v, %+v", r.Negotiated, r.Handshake)
		}
		if len(r.Certificates) != 1 || r.Certificates[0].Key != "RSA 2048" {
			t.Errorf("%+v", r.Certificates)
		}
	})
	t.Run("a key that crypto/tls does not know", func(t *testing.T) {
		s := sServerWithKey(t, "ed448")
		r := run(t, request(t, s, Selection{Versions: only(suite.TLS12)}))
		if checkCause(t, r, ""); r.Handshake.Completed || !strings.Contains(r.Handshake.Stopped, "Ed448") || len(r.Certificates) != 1 || r.Certificates[0].Key != "Ed448" {
			t.Errorf("%+v, %+v", r.Handshake, r.Certificates)
		}
		r = run(t, request(t, s, Selection{Versions: only(suite.TLS13)}))
		if checkCause(t, r, ""); r.Handshake.Completed || !strings.Contains(r.Handshake.Stopped, "takes the forced hello") {
			t.Errorf("%+v", r.Handshake)
		}
	})
}

// TestVerification names each problem of a chain.
func TestVerification(t *testing.T) {
	for _, c := range []struct {
		spec  testbed.Spec
		roots string // whose CA is trusted
		name  string
		want  []cause.ID
	}{
		{testbed.RSA2048, "rsa2048", testbed.HostName, nil},
		{testbed.RSAIntermediate, "rsa-intermediate", testbed.HostName, nil},
		{testbed.P256, "rsa2048", testbed.HostName, []cause.ID{cause.CertificateChainIncomplete}},
		{testbed.RSAIncomplete, "rsa-incomplete", testbed.HostName, []cause.ID{cause.CertificateChainIncomplete}},
		{testbed.RSAExpired, "rsa-expired", testbed.HostName, []cause.ID{cause.CertificateExpired}},
		{testbed.RSAOtherName, "rsa-other-name", testbed.HostName, []cause.ID{cause.CertificateNameMismatch}},
		{testbed.RSAOtherName, "rsa-other-name", "", nil},
		{testbed.RSA1024, "rsa1024", testbed.HostName, []cause.ID{cause.WeakCertificateKey}},
		{testbed.RSASHA1, "rsa-sha1", testbed.HostName, []cause.ID{cause.WeakCertificateKey}},
		{testbed.RSAExpired, "rsa2048", "www.example.org", []cause.ID{cause.CertificateChainIncomplete, cause.CertificateExpired, cause.CertificateNameMismatch}},
	} {
		for _, demanded := range []bool{true, false} {
			address := goServer(t, &tls.Config{Certificates: []tls.Certificate{testbed.Make(t, c.spec).TLS}})
			q := trusting(t, request(t, address, Selection{}), testbed.Identities(t)[c.roots].CA)
			q.Name, q.Verify = c.name, demanded
			r := run(t, q)
			var got []cause.ID
			for _, p := range r.Verification.Problems {
				got = append(got, p.Cause)
			}
			if !slices.Equal(got, c.want) || r.Verification.OK != (len(c.want) == 0) || !r.Handshake.Completed {
				t.Errorf("%s as %q: %+v, %+v", c.spec.Name, c.name, r.Verification, r.Handshake)
			}
			if demanded && len(c.want) > 0 {
				checkCause(t, r, c.want[0])
			} else {
				checkCause(t, r, "")
			}
		}
	}
	address := goServer(t, &tls.Config{Certificates: []tls.Certificate{testbed.Make(t, testbed.P256).TLS}})
	r := run(t, request(t, address, Selection{})) // against the system's roots
	if r.Verification.OK || r.Verification.Roots != "the system" || r.Failure != nil {
		t.Errorf("%+v, %+v", r.Verification, r.Failure)
	}
}

// TestStaple reads the OCSP response that comes with the certificate.
func TestStaple(t *testing.T) {
	id := testbed.Make(t, testbed.RSAIntermediate)
	leaf, _ := x509.ParseCertificate(id.TLS.Certificate[0])
	issuer, _ := x509.ParseCertificate(id.TLS.Certificate[1])
	now := time.Now()
	for _, c := range []struct {
		status int
		next   time.Time
		want   Staple
		ok     bool
	}{
		{ocsp.Good, now.Add(time.Hour), Staple{Status: "good"}, true},
		{ocsp.Good, now.Add(-time.Hour), Staple{Status: "good", Problem: "out of date"}, true},
		{ocsp.Revoked, now.Add(time.Hour), Staple{Status: "revoked"}, false},
	} {
		key := id.TLS.PrivateKey.(crypto.Signer) // not the issuer's: the certificate below vouches for it
		raw, err := ocsp.CreateResponse(issuer, leaf, ocsp.Response{Status: c.status, SerialNumber: leaf.SerialNumber, ThisUpdate: now.Add(-2 * time.Hour), NextUpdate: c.next, RevokedAt: now, Certificate: leaf}, key)
		if err != nil {
			t.Fatal(err)
		}
		config := tls.Certificate{Certificate: id.TLS.Certificate[:1], PrivateKey: key, OCSPStaple: raw}
		r := run(t, trusting(t, request(t, goServer(t, &tls.Config{Certificates: []tls.Certificate{config}}), Selection{}), id.CA))
		if s := r.Staple; s == nil || s.Status != c.want.Status || s.Problem != c.want.Problem || s.NextUpdate.IsZero() {
			t.Errorf("%+v, want %+v", s, c.want)
		}
		if revoked := slices.ContainsFunc(r.Verification.Problems, func(p Problem) bool { return p.Cause == cause.CertificateRevoked }); revoked == c.ok {
			t.Errorf("%+v", r.Verification)
		}
	}
	config := tls.Certificate{Certificate: id.TLS.Certificate, PrivateKey: id.TLS.PrivateKey, OCSPStaple: []byte("no response")}
	r := run(t, request(t, goServer(t, &tls.Config{Certificates: []tls.Certificate{config}}), Selection{}))
	if r.Staple == nil || r.Staple.Status != "unreadable" || r.Staple.Problem == "" {
		t.Errorf("%+v", r.Staple)
	}
}

// TestResumption: by ticket, by session id, not at all; and a server that fails when it is tried.
func TestResumption(t *testing.T) {
	rsa := testbed.Make(t, testbed.RSA2048)
	for _, c := range []struct {
		name    string
		address string
		version suite.Version
		want    Session
		after   int // connections
	}{
		{"TLS 1.3 tickets", sServer(t, rsa), suite.TLS13, Session{By: "ticket", Tickets: 2, Tested: true, Resumed: true}, 3},
		{"TLS 1.2 ticket", sServer(t, rsa), suite.TLS12, Session{By: "ticket", Tickets: 1, Tested: true, Resumed: true}, 3},
		{"TLS 1.2 session id", sServer(t, rsa, "-no_ticket"), suite.TLS12, Session{By: "session-id", Tested: true, Resumed: true, Partly: true}, 3},
		{"tickets that are not taken", sServer(t, rsa, "-no_cache", "-no_ticket"), suite.TLS13, Session{By: "ticket", Tickets: 2, Tested: true}, 3},
		{"no tickets", sServer(t, rsa, "-num_tickets", "0"), suite.TLS13, Session{}, 2},
		{"neither", bed(testbed.Go, "", only(suite.TLS12), "ECDHE-RSA-AES128-GCM-SHA256")(t), suite.TLS12, Session{}, 2},
	} {
		r := run(t, request(t, c.address, Selection{Versions: only(c.version)}))
		if checkCause(t, r, ""); r.Session == nil || *r.Session != c.want || r.Connections != c.after {
			t.Errorf("%s: %+v in %d connections", c.name, r.Session, r.Connections)
		}
	}
	q := request(t, sServer(t, rsa), Selection{})
	q.Resume = false
	if r := run(t, q); r.Session != nil || r.Connections != 2 {
		t.Errorf("%+v in %d connections", r.Session, r.Connections)
	}
	t.Run("fails", func(t *testing.T) {
		upstream := goServer(t, &tls.Config{Certificates: []tls.Certificate{rsa.TLS}})
		address := listener(t, func(c net.Conn) {
			raw, h := readHello(c)
			if h == nil || h.HasExtension(hello.ExtPreSharedKey) {
				return // no alert, as a machine that shares no ticket keys and is not written well
			}
			relay(c, upstream, raw)
		})
		r := run(t, request(t, address, Selection{Versions: only(suite.TLS13)}))
		checkCause(t, r, cause.SessionResumptionFailure)
		if r.Session == nil || r.Session.Resumed || r.Session.Problem == "" || !r.Handshake.Completed {
			t.Errorf("%+v, %+v", r.Session, r.Handshake)
		}
	})
}

// readHello reads a ClientHello; nil if the connection ends before.
func readHello(c net.Conn) ([]byte, *hello.ClientHello) {
	var raw []byte
	buf := make([]byte, 1<<14)
	for {
		n, err := c.Read(buf)
		raw = append(raw, buf[:n]...)
		if h, perr := hello.ParseClientHello(raw); perr == nil {
			return raw, h
		}
		if err != nil {
			return raw, nil
		}
	}
}

// relay passes a connection on, with what was read of it.
func relay(c net.Conn, upstream string, raw []byte) {
	u, err := net.Dial("tcp", upstream)
	if err != nil {
		return
	}
	defer u.Close()
	u.Write(raw)
	go func() {
		io.Copy(u, c)
		u.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(c, u)
}

// TestStartTLS: a small SMTP server; and ports where the preamble is out of place.
func TestStartTLS(t *testing.T) {
	rsa := testbed.Make(t, testbed.RSA2048)
	config := &tls.Config{Certificates: []tls.Certificate{rsa.TLS}}
	mail := smtp(t, config, true)
	for _, c := range []struct {
		name     string
		address  string
		protocol probe.StartTLS
		want     cause.ID
	}{
		{"smtp", mail, probe.SMTP, ""},
		{"another protocol", mail, probe.IMAP, cause.ClientBadConfig},
		{"TLS at once", goServer(t, config), probe.SMTP, cause.ClientBadConfig},
		{"not offered", smtp(t, config, false), probe.SMTP, cause.NotTLS},
		{"left out", mail, "", cause.TLSOnSTARTTLSPort},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := trusting(t, request(t, c.address, Selection{}), rsa.CA)
			q.Endpoint.StartTLS = c.protocol
			q.Prober.Timeout = time.Second
			r := run(t, q)
			checkCause(t, r, c.want)
			if c.want == "" && (!r.Handshake.Completed || !r.Session.Resumed || !r.Verification.OK) {
				t.Errorf("%+v %+v %+v", r.Handshake, r.Session, r.Verification)
			}
		})
	}
	theirs := connectOpenSSL(t, "", mail, "-starttls", "smtp")
	if q := request(t, mail, Selection{}); theirs.protocol != "TLSv1.3" {
		t.Errorf("%v: s_client does not get in at this server:\n%s", q.Endpoint, theirs.output)
	}
}

// smtp speaks RFC 3207, and refuses every other word.
func smtp(t *testing.T, config *tls.Config, offers bool) string {
	return listener(t, func(c net.Conn) {
		io.WriteString(c, "220 mail.example.com ESMTP\r\n")
		buf := make([]byte, 2000)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			switch line := string(buf[:n]); {
			case strings.HasPrefix(line, "EHLO") && offers:
				io.WriteString(c, "250-mail.example.com\r\n250 STARTTLS\r\n")
			case strings.HasPrefix(line, "EHLO"):
				io.WriteString(c, "250 mail.example.com\r\n")
			case strings.HasPrefix(line, "STARTTLS") && offers:
				io.WriteString(c, "220 go\r\n")
				s := tls.Server(c, config)
				if s.Handshake() == nil {
					s.Read(buf)
					s.Close()
				}
				return
			default:
				io.WriteString(c, "500 unrecognised\r\n")
				return
			}
		}
	})
}

// TestPolicyServer: a server with a predefined policy, post-quantum groups included.
func TestPolicyServer(t *testing.T) {
	p := policy.ByName("TLS13-1-2-Res-PQ-2025-09")
	s := testbed.Start(t, testbed.ForPolicy(p, testbed.Go).With(testbed.Make(t, testbed.P256)))
	r := run(t, trusting(t, request(t, s.Addr, Selection{}), s.CA))
	if checkCause(t, r, ""); r.Negotiated.Group != suite.X25519MLKEM768 || r.Negotiated.Scheme != suite.ECDSASecp256r1SHA256 || !r.Handshake.Completed || r.Handshake.With != nil {
		t.Errorf("%+v, %+v", r.Negotiated, r.Handshake)
	}
}
