package render

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/connect"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// connection is a report with everything that one can hold: a connection that failed late.
func connection() *connect.Report {
	yes, alert := true, suite.AlertUnknownCA
	day := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }
	return &connect.Report{
		Target:  diagnose.Target{Name: "lb.example.com", Kind: "endpoint", Address: "192.0.2.10:443", ServerName: "lb.example.com"},
		Offered: connect.Offered{Versions: []suite.Version{suite.TLS12}, Suites: []suite.Code{0xC013}, ALPN: []string{"h2"}},
		Outcome: diagnose.Refused,
		Negotiated: &connect.Negotiated{Agreement: diagnose.Agreement{Version: suite.TLS12, Cipher: 0xC013, Group: suite.X25519, Scheme: suite.RSAPSSRSAESHA256},
			Strength: suite.Weak, Bits: 128, SecureReneg: &yes, ExtendedMaster: &yes},
		Handshake: &connect.Handshake{Stopped: "after the client's certificate", Alert: &alert},
		Certificates: []connect.Certificate{
			{Subject: "CN=lb.example.com", Issuer: "CN=Example CA", KeyType: policy.RSA, Key: "RSA 2048", Signature: "SHA256-RSA", NotBefore: day(2026, 1, 1), NotAfter: day(2026, 12, 31),
				Names: []string{"lb.example.com", "*.lb.example.com"}, SHA256: strings.Repeat("0f", 32), PEM: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
			{Subject: "CN=Example CA", Issuer: "CN=Example Root", KeyType: policy.ECDSA, Key: "ECDSA secp256r1", Signature: "ECDSA-SHA256", NotBefore: day(2020, 1, 1), NotAfter: day(2040, 1, 1), SHA256: strings.Repeat("f0", 32)}},
		Verification: &connect.Verification{Roots: "the system", Name: "lb.example.com", Problems: []connect.Problem{{Cause: cause.CertificateUntrusted, Summary: "the issuer CN=Example Root is not among the roots of the system"}}},
		Staple:       &connect.Staple{Status: "good", NextUpdate: day(2026, 2, 1), Problem: "out of date"},
		ClientAuth:   &connect.ClientAuth{Requested: true, Authorities: []string{"CN=Clients"}, Sent: "CN=me", Outcome: connect.AuthRejected},
		Session:      &connect.Session{By: "ticket", Tickets: 2, Tested: true},
		Notes:        []string{`OpenSSL passes over "FOO" in the cipher string: it knows no such word`},
		Failure: &diagnose.Diagnosis{Outcome: diagnose.Refused,
			Causes: []diagnose.Cause{{ID: cause.ClientCertificateRejected, Confidence: 0.97, Stage: cause.ClientAuth, Summary: "the endpoint refuses the client certificate CN=me: it does not know the CA that issued it",
				ServerSet: []string{"CN=Clients"}, Evidence: []diagnose.Evidence{{Fact: "the endpoint sends a CertificateRequest, and then answers with alert unknown_ca (48)"}}}},
			Fixes: []diagnose.Fix{{Side: diagnose.SideLoadBalancer, Summary: "Add the issuer of the client's certificate to the trust store"}}},
		Connections: 2, RoundTrips: 5,
	}
}

// TestConnect holds the text of a report.
func TestConnect(t *testing.T) {
	var b strings.Builder
	if err := Connect(&b, connection(), Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/connect.txt", b.String())
}

// TestConnectLines: what single values read like.
func TestConnectLines(t *testing.T) {
	no := false
	for _, c := range []struct {
		change func(*connect.Report)
		want   string
	}{
		{func(r *connect.Report) { r.Handshake.Completed = true }, "WORKS  lb.example.com (192.0.2.10:443): TLSv1.2 ECDHE-RSA-AES128-SHA, x25519\n"},
		{func(r *connect.Report) {}, "x25519, accepted but not completed\n"},
		{func(r *connect.Report) {
			r.Negotiated.Version, r.Negotiated.SecureReneg, r.Negotiated.ExtendedMaster = suite.SSLv3, &no, &no
		}, "SSLv3, insecure: forbidden by RFC 7568"},
		{func(r *connect.Report) { r.Negotiated.SecureReneg = &no }, "insecure: the endpoint does not know RFC 5746"},
		{func(r *connect.Report) { r.Negotiated.Group, r.Negotiated.DHBits = 0, 1024 }, "DH, 1024 bits"},
		{func(r *connect.Report) { r.Negotiated.Group, r.Negotiated.Cipher = 0, 0x002F }, "Key exchange        RSA\n"},
		{func(r *connect.Report) { r.Negotiated.Cipher = 0xFFF0 }, "0xFFF0 (0xFFF0)\n"},
		{func(r *connect.Report) { r.Negotiated.HelloRetry = true }, "after a HelloRetryRequest"},
		{func(r *connect.Report) { r.Negotiated.ALPN = "h2" }, "x25519, ALPN h2"},
		{func(r *connect.Report) { r.Session = &connect.Session{} }, "cannot be resumed: neither a ticket nor a session id was given"},
		{func(r *connect.Report) {
			r.Session = &connect.Session{By: "session-id", Tested: true, Resumed: true, Partly: true}
		}, "resumed by session id, seen as far as the ServerHello"},
		{func(r *connect.Report) { r.Session = &connect.Session{Problem: "it fails"} }, "Session             it fails\n"},
		{func(r *connect.Report) { r.ClientAuth = &connect.ClientAuth{Outcome: connect.AuthUnknown} }, "not known: the handshake did not come that far"},
		{func(r *connect.Report) { r.Staple.Status = "revoked" }, "revoked until 2026-02-01 00:00, out of date"},
		{func(r *connect.Report) { r.Verification = &connect.Verification{OK: true, Roots: "ca.pem"} }, "good: roots of ca.pem, no name was given to check"},
	} {
		r := connection()
		r.Outcome, r.Failure = diagnose.Negotiated, nil
		c.change(r)
		var b strings.Builder
		Connect(&b, r, Style{})
		if !strings.Contains(b.String(), c.want) {
			t.Errorf("want %q:\n%s", c.want, b.String())
		}
	}
}
