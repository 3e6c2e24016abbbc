package symptom

import (
	"strings"
	"testing"

	"github.com/parley-tls/parley/cause"
)

// TestClasses holds the classes apart that the user must never mix up.
func TestClasses(t *testing.T) {
	for _, c := range []struct {
		text  string
		cause cause.ID
		class Class
	}{
		{"error:0A0000B5:SSL routines::no ciphers available", cause.ClientLacksCipher, Local},
		{"140740B5", cause.ClientLacksCipher, Local},
		{"error:0A0000BF:SSL routines::no protocols available", cause.ClientLacksProtocol, Local},
		{"0A00042E", cause.NoCommonVersion, RefusedByLoadBalancer},
		{"Received fatal alert: protocol_version", cause.NoCommonVersion, RefusedByLoadBalancer},
		{"CERTIFICATE_VERIFY_FAILED: certificate has expired", cause.CertificateExpired, RefusedByClient},
		{"SSL_ERROR_RX_RECORD_TOO_LONG", cause.PlainHTTPOnTLSPort, NotTLS},
		{"SSH-2.0-OpenSSH_9.2p1", cause.NotTLS, NotTLS},
		{"curl: (6) Could not resolve host: a.example.com", cause.DNSFailure, NotNegotiation},
		{"curl: (52) Empty reply from server", cause.ClosedAfterHandshake, NotNegotiation},
		// The same alert: of whose certificate it speaks depends on who printed it.
		{"curl: (56) OpenSSL SSL_read: tlsv1 alert unknown ca", cause.ClientCertificateRejected, RefusedByLoadBalancer},
		{"SSL_do_handshake() failed (SSL: tlsv1 alert unknown ca:SSL alert number 48) while SSL handshaking, client: 192.0.2.1", cause.CertificateUntrusted, RefusedByClient},
		{"tls_process_client_certificate:certificate verify failed", cause.ClientCertificateRejected, RefusedByLoadBalancer},
		{"SSL_do_handshake() failed (SSL: error:0A000410:SSL routines::sslv3 alert handshake failure) while SSL handshaking to upstream, client: 192.0.2.1", cause.TargetTLSFailure, NotNegotiation},
		// A line that says both words: the alert is the client's own.
		{`{:tls_alert, {:unknown_ca, 'TLS client: In state certify at ssl_handshake.erl:2015 generated CLIENT ALERT: Fatal - Unknown CA'}}`, cause.CertificateUntrusted, RefusedByClient},
		{`{:tls_alert, {:unknown_ca, 'TLS client: In state connection received SERVER ALERT: Fatal - Unknown CA'}}`, cause.ClientCertificateRejected, RefusedByLoadBalancer},
		// ALB and NLB
		{`2026-03-02T09:15:41.002118Z 198.51.100.7 40122 443 - - - "-" - - Failed:ClientCertExpired TID_7be1 - app/shop/50dc 192.0.2.10`, cause.ClientCertificateRejected, RefusedByLoadBalancer},
		{"tls 2.0 2026-03-02T09:15:41 net/edge/c6e7 g3d4 198.51.100.7:40155 10.0.3.21:443 36 - 0 0 48 arn:aws:acm:x - - - - api.example.com - - - 2026-03-02T09:15:41", cause.CertificateUntrusted, RefusedByClient},
		{"tls 2.0 2026-03-02T09:15:41 net/edge/c6e7 g3d4 198.51.100.7:40155 10.0.3.21:443 36 - 0 0 - arn:aws:acm:x - - - - api.example.com - - - 2026-03-02T09:15:41", cause.NoCommonVersion, RefusedByLoadBalancer},
	} {
		if e := Explain(c.text); e.Causes[0].ID != c.cause || e.Class != c.class || e.Outcome != Named {
			t.Errorf("%q: %s (%s), want %s (%s)", c.text, e.Causes[0].ID, e.Class, c.cause, c.class)
		}
	}
	if e := Explain("tls 2.0 2026-03-02T09:14:03 net/edge/c6e7 g3d4 203.0.113.44:51341 10.0.3.21:443 118 41 912 3377 - arn:aws:acm:x - ECDHE-RSA-AES128-GCM-SHA256 tlsv12 - api.example.com h2 - h2 2026-03-02T09:14:03"); e.Outcome != Unknown {
		t.Errorf("a handshake that was done: %+v", e.Causes)
	}
}

// TestFolding: how a text was copied makes no difference.
func TestFolding(t *testing.T) {
	for _, text := range []string{
		"SSLV3_ALERT_HANDSHAKE_FAILURE", "sslv3 alert handshake failure", "sslv3 alert\n   handshake failure", "\x1b[31msslv3 alert\x1b[0m handshake failure",
		"sslv3&nbsp;alert handshake failure", "sslv3\talert  handshake\r\nfailure",
	} {
		if e := Explain(text); len(e.Evidence) == 0 || e.Evidence[0].Signal != "alert handshake_failure" {
			t.Errorf("%q: %+v", text, e.Evidence)
		}
	}
	for _, text := range []string{"sslv3 alertness handshake", "mishandshake failures", "0A0004100", "x0A000410"} {
		for _, v := range Explain(text).Evidence {
			if v.Kind == kindError {
				t.Errorf("%q: %+v", text, v)
			}
		}
	}
}

func TestEndpoints(t *testing.T) {
	for text, want := range map[string]Endpoint{
		"fatal: unable to access 'https://git.example.com/a.git/': x":                          {Host: "git.example.com", Port: "443"},
		"curl: (7) Failed to connect to localhost port 8443: Connection refused":               {Host: "localhost", Port: "8443"},
		"$ openssl s_client -connect lb.example.com:8443 -servername www.example.com":          {Host: "lb.example.com", Port: "8443"},
		"dial tcp 10.0.0.5:443: i/o timeout":                                                   {Host: "10.0.0.5", Port: "443"},
		"at TLSSocket.onConnectSecure (_tls_wrap.js:1496:34)":                                  {},
		"sun.security.ssl.Alerts.getSSLException(Alerts.java:192)":                             {},
		"HTTPSConnectionPool(host='api.example.com', port=443): Max retries exceeded with url": {Host: "api.example.com", Port: "443"},
		"https://kibana:5601/: wrong version number":                                           {Host: "kibana", Port: "5601"},
		"http: TLS handshake error from 10.0.0.1:51234: EOF":                                   {},
		"wrong version number, the mail server listens on port 25":                             {Port: "25"},
		"https://user:secret@[::1]/":                                                           {},
	} {
		if got := Explain(text).Endpoint; got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}

// TestRepetitionIsNoEvidence: a line that a log has a thousand times says no more than once.
func TestRepetitionIsNoEvidence(t *testing.T) {
	const line = "Received fatal alert: handshake_failure\n"
	once, often := Explain(line), Explain(strings.Repeat(line, 1000))
	if once.Causes[0].Confidence != often.Causes[0].Confidence || often.Evidence[0].Count != 1000 {
		t.Errorf("once %v, often %v, count %d", once.Causes[0].Confidence, often.Causes[0].Confidence, often.Evidence[0].Count)
	}
}

// TestLogHeadline: a log of many failures is led by the most frequent, the few lines of one failure by what they say together.
func TestLogHeadline(t *testing.T) {
	one := "10:00:00 INFO connecting\n10:00:01 WARN connection closed by remote host\n10:00:01 ERROR handshake failed\n10:00:01 ERROR x509: certificate has expired or is not yet valid\n"
	if e := Explain(one); e.Causes[0].ID != cause.CertificateExpired {
		t.Errorf("one failure: %s", e.Causes[0].ID)
	}
	var many strings.Builder
	for range 40 {
		many.WriteString("10:00:01 error:0A0000C1:SSL routines::no shared cipher, client: 192.0.2.1\n")
	}
	many.WriteString("10:00:02 SSL_do_handshake() failed (SSL: tlsv1 alert protocol version:SSL alert number 70) while SSL handshaking, client: 192.0.2.2\n")
	if e := Explain(many.String()); e.Causes[0].ID != cause.NoCommonCipher || len(e.Groups) != 2 || e.Groups[0].Lines != 40 {
		t.Errorf("many failures: %s, groups %+v", e.Causes[0].ID, e.Groups)
	}
}

func TestConfidencesAreParts(t *testing.T) {
	d := load()
	sum := 0.0
	for _, r := range d.combine(d.read(foldText("tlsv1 alert internal error, old client, java 6, proxy, upstream")).all, true) {
		sum += r.Confidence
	}
	if sum < 0.97 || sum > 1.03 {
		t.Errorf("the confidences add up to %v", sum)
	}
}

func FuzzExplain(f *testing.F) {
	d := load()
	for i, p := range d.patterns {
		if i%20 == 0 {
			f.Add(p.Text + " " + p.sample)
		}
	}
	f.Add("tls 2.0 " + strings.Repeat("- ", 20))
	f.Add("error:0A000410 error:14094410 140740B5 268435703 \x1b[ &quot; \xe2\x80\x99")
	f.Add("12:34:56 econnreset\n12:34:57 no shared cipher\n12:34:58 refused connection\n12:34:59 x509: certificate is valid for")
	f.Fuzz(func(t *testing.T, text string) {
		e := Explain(text)
		if len(e.Causes) == 0 || e.Causes[0].Confidence < 0 || e.Causes[0].Confidence > 1 || !e.Class.known() {
			t.Fatalf("%+v", e)
		}
		for _, v := range e.Evidence {
			if v.Line < 1 || v.Line > len(strings.Split(text, "\n")) || len(v.Text) > maxQuote+8 {
				t.Fatalf("%+v", v)
			}
		}
	})
}

// TestSubject: a text without an error text speaks for what it is about; beside an error the same words count little.
func TestSubject(t *testing.T) {
	for _, c := range []struct {
		text string
		want cause.ID
	}{
		{"The server does not implement RFC 5746", cause.LegacyRenegotiationDisabled},
		{"Handshake failed; the server does not implement RFC 5746", cause.LegacyRenegotiationDisabled},
		{"x509: certificate has expired or is not yet valid; the server does not implement RFC 5746", cause.CertificateExpired},
		{"Server closes the connection when more than 80 cipher suites are offered", cause.HelloSizeIntolerance},
		{"The site has no SAN entry for the hostname in its certificate", cause.CertificateNameMismatch},
	} {
		if e := Explain(c.text); e.Causes[0].ID != c.want {
			t.Errorf("%q: %+v, want %s", c.text, e.Causes, c.want)
		}
	}
	long := strings.Repeat("Nothing herein grants more than the sections above.\n", 100)
	for _, text := range []string{"The weather is fine, and the picnic was moved to noon.", long + "The server does not implement RFC 5746.\n"} {
		if e := Explain(text); e.Outcome != Unknown {
			t.Errorf("no failure at all: %+v", e.Causes)
		}
	}
}

// TestSideOfProxy: on a line about its target a proxy is the client, whatever the other words of its log say.
func TestSideOfProxy(t *testing.T) {
	const line = "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream, client: 192.0.2.1"
	for _, v := range Explain(line).Evidence {
		if v.Signal == "wrong-version-number" && v.Side != sideClient {
			t.Errorf("wrong version number by the %s", v.Side)
		}
	}
}
