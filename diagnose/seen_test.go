package diagnose

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/follow"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

var seenAt = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// seenHello is a negotiation that came as far as the hello of a known client.
func seenHello(t *testing.T, profile string) *follow.Negotiation {
	t.Helper()
	p := client.ByName(profile)
	if p == nil {
		t.Fatalf("no client %s", profile)
	}
	o := p.OfferTo("lb.example.com")
	h, err := hello.Build(&o, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &follow.Negotiation{Hello: h, Stage: follow.Hello, HelloAt: seenAt, Last: seenAt.Add(time.Second), ClientCertificates: -1}
}

func alerted(n *follow.Negotiation, from follow.Party, a suite.Alert) *follow.Negotiation {
	n.Alerts = []follow.Alert{{From: from, Alert: hello.Alert{Fatal: true, Description: a}, After: n.Stage}}
	return n
}

// TestSightings puts what an onlooker can know of failures beside what it must make of them.
func TestSightings(t *testing.T) {
	reset := func(n *follow.Negotiation) *follow.Negotiation {
		n.End = &follow.End{By: follow.Server, How: follow.Reset, After: n.Stage, At: seenAt}
		return n
	}
	chosen := func(n *follow.Negotiation, v suite.Version, dh int, ri bool) *follow.Negotiation {
		n.Stage, n.AnswerAt = follow.ServerFlight, seenAt
		n.Choice = &hello.ServerHello{Version: v, Suite: 0x0039, SecureReneg: ri, Random: make([]byte, 32)}
		if dh > 0 {
			n.Exchange = &hello.ServerKeyExchange{DHBits: dh}
		}
		return n
	}
	tls12 := &Accepted{Versions: []suite.Version{suite.TLS12, suite.TLS13}, Suites: []suite.Code{0xC02F}}
	for _, c := range []struct {
		name   string
		s      Sighting
		first  cause.ID
		least  float64 // of its confidence
		most   float64
		second bool // others must stand beside it
	}{
		{name: "a late answer", s: Sighting{Negotiation: func() *follow.Negotiation {
			n := chosen(seenHello(t, "curl-7.88"), suite.TLS12, 0, true)
			n.End, n.AnswerAt = &follow.End{By: follow.Client, How: follow.Closed, After: follow.Hello, At: seenAt.Add(5 * time.Second)}, seenAt.Add(7*time.Second)
			return n
		}()}, first: cause.ConnectionTimeout, least: 0.9, most: 0.9},
		{name: "SHA-1 in TLS 1.0", s: Sighting{Negotiation: alerted(chosen(seenHello(t, "openssl-3.0"), suite.TLS10, 2048, true), follow.Client, suite.AlertInternalError)},
			first: cause.HandshakeSignatureRefused, least: 0.8, most: 0.8},
		{name: "closed, where others use STARTTLS", s: Sighting{Negotiation: reset(seenHello(t, "curl-7.88")), Accepted: &Accepted{StartTLS: []probe.StartTLS{probe.Postgres}}},
			first: cause.TLSOnSTARTTLSPort, least: 0.9, most: 0.9},
		{"protocol_version", Sighting{Negotiation: alerted(seenHello(t, "java-7u25"), follow.Server, suite.AlertProtocolVersion)}, cause.NoCommonVersion, 0.9, 1, false},
		{"handshake_failure to an old client", Sighting{Negotiation: alerted(seenHello(t, "nodejs-0.10"), follow.Server, suite.AlertHandshakeFailure)}, cause.NoCommonCipher, 0.2, 0.89, true},
		{"a reset where others get TLS 1.2", Sighting{Negotiation: reset(seenHello(t, "java-7u25")), Accepted: tls12}, cause.NoCommonVersion, 0.3, 0.89, true},
		{"inappropriate_fallback", Sighting{Negotiation: alerted(seenHello(t, "openssl-3.0"), follow.Server, suite.AlertInappropriateFallback)}, cause.InappropriateFallback, 0.9, 1, false},
		{"a name that is not known", Sighting{Negotiation: alerted(seenHello(t, "curl-7.88"), follow.Server, suite.AlertUnrecognizedName)}, "", 0.9, 1, false},
		{"an alert that means nothing", Sighting{Negotiation: alerted(seenHello(t, "openssl-3.0"), follow.Server, suite.AlertUserCanceled)}, cause.Unknown, 0.3, 0.89, false},
		{"a reset of a modern hello", Sighting{Negotiation: reset(seenHello(t, "openssl-3.0"))}, cause.ConnectionReset, 0.4, 0.89, true},
		{"the client's floor", Sighting{Negotiation: alerted(chosen(seenHello(t, "openssl-3.0"), suite.TLS10, 0, true), follow.Client, suite.AlertProtocolVersion)}, cause.NoCommonVersion, 0.9, 1, false},
		{"a small DH group", Sighting{Negotiation: alerted(chosen(seenHello(t, "openssl-3.0"), suite.TLS12, 1024, true), follow.Client, suite.AlertHandshakeFailure)}, cause.WeakDHParameters, 0.8, 0.95, false},
		{"no secure renegotiation", Sighting{Negotiation: alerted(chosen(seenHello(t, "openssl-3.0"), suite.TLS12, 0, false), follow.Client, suite.AlertHandshakeFailure)}, cause.LegacyRenegotiationDisabled, 0.8, 0.95, false},
		{"a certificate is demanded", Sighting{Negotiation: func() *follow.Negotiation {
			n := chosen(seenHello(t, "openssl-3.0"), suite.TLS12, 0, true)
			n.CertificateRequested, n.ClientCertificates, n.Stage = true, 0, follow.ClientFinished
			return alerted(n, follow.Server, suite.AlertHandshakeFailure)
		}()}, cause.ClientCertificateRequired, 0.9, 1, false},
		{"a large hello without an answer", Sighting{Again: 3, Negotiation: func() *follow.Negotiation {
			n := seenHello(t, "chrome-140")
			n.Last = seenAt.Add(time.Minute)
			return n
		}()}, cause.LargeHelloDropped, 0.5, 0.89, true},
		{"a small hello without an answer", Sighting{Negotiation: func() *follow.Negotiation {
			n := seenHello(t, "openssl-3.0")
			n.Last = seenAt.Add(time.Minute)
			return n
		}()}, cause.ConnectionTimeout, 0.3, 0.89, true},
		{"an answer that stops", Sighting{Negotiation: func() *follow.Negotiation {
			n := chosen(seenHello(t, "openssl-3.0"), suite.TLS12, 0, true)
			n.Stage, n.Last = follow.ServerHello, seenAt.Add(time.Minute)
			return n
		}()}, cause.MTUBlackhole, 0.4, 0.89, true},
	} {
		c.s.Server, c.s.Client = "192.0.2.1:443", "capture.pcap#7"
		l := c.s.Causes()
		if len(l) == 0 || c.first != "" && l[0].ID != c.first || l[0].Confidence < c.least || l[0].Confidence > c.most || c.second && len(l) < 2 {
			t.Errorf("%s: %+v", c.name, l)
			continue
		}
		sum := 0.0
		for _, k := range l {
			sum += k.Confidence
			if k.Summary == "" || strings.Contains(k.Summary, "\n") || k.Stage == "" {
				t.Errorf("%s: %+v", c.name, k)
			}
		}
		if sum > 1.3 { // causes may hold side by side
			t.Errorf("%s: the confidences come to %.2f", c.name, sum)
		}
		if open := l[0].Confidence < 0.9; open != strings.Contains(l[0].Decide, "parley why 192.0.2.1:443 --client 'capture.pcap#7'") {
			t.Errorf("%s: to be sure: %q", c.name, l[0].Decide)
		}
	}
}

// TestFixesSayWhat: each cause that needs no further question has a fix with words.
func TestFixesSayWhat(t *testing.T) {
	for _, id := range []cause.ID{cause.CertificateExpired, cause.CertificateNameMismatch, cause.CertificateUntrusted, cause.ClientCertificateRequired, cause.PlainHTTPOnTLSPort, cause.HTTPSentToTLS,
		cause.TLSOnSTARTTLSPort, cause.DNSFailure, cause.ConnectionRefused} {
		l := Fixes([]Cause{{ID: id}})
		if len(l) == 0 {
			t.Errorf("%s: no fix", id)
		}
		for _, f := range l {
			if f.Side == "" || f.Summary == "" || f.Commands == nil {
				t.Errorf("%s: %+v", id, f)
			}
		}
	}
	if Fixes(nil) != nil || Fixes([]Cause{{ID: cause.NoCommonCipher}}) != nil {
		t.Error("a fix of what is not known")
	}
}
