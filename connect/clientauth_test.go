package connect

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestMutualTLS: servers that demand a client certificate, given none, a good one and one of another CA. In
// TLS 1.3 they refuse only after the handshake has ended for the client.
func TestMutualTLS(t *testing.T) {
	server, ours, other := testbed.Make(t, testbed.RSA2048), testbed.Make(t, testbed.P256), testbed.Make(t, testbed.P384)
	for _, k := range []struct {
		kind testbed.Kind
		node string
	}{{testbed.OpenSSL, ""}, {testbed.HAProxy, ""}, {testbed.GnuTLS, ""}, {testbed.Go, ""}, {testbed.Java, ""}, {testbed.Node, "12"}, {testbed.Node, "22"}} {
		for _, v := range []suite.Version{suite.TLS12, suite.TLS13} {
			t.Run(string(k.kind)+k.node+" "+v.String(), func(t *testing.T) {
				c := testbed.Config{Kind: k.kind, Node: k.node, ClientCA: ours.CA, Policy: policy.Policy{Versions: []suite.Version{v}, Order: policy.ServerOrder,
					ClientAuth: policy.ClientAuthRequired, Suites: []suite.Code{0x1301, 0xC02F}}}
				if name, ok := c.Installed(t); !ok {
					testbed.Missing(t, name)
				}
				s := testbed.Start(t, c.With(server))
				for _, try := range []struct {
					sent    *testbed.Identity
					outcome string
					id      cause.ID
				}{{nil, AuthRequired, cause.ClientCertificateRequired}, {ours, AuthAccepted, ""}, {other, AuthRejected, cause.ClientCertificateRejected}} {
					q := request(t, s.Addr, Selection{})
					if try.sent != nil {
						q.Certificate = &try.sent.TLS
					}
					r := run(t, q)
					a := r.ClientAuth
					if a == nil || !a.Requested || a.Outcome != try.outcome || (a.Sent != "") != (try.sent != nil) {
						t.Errorf("want %s: %+v, handshake %+v", try.outcome, a, r.Handshake)
					}
					if !slices.Contains(a.Authorities, "CN=Parley test root p256,O=Parley test bed") {
						t.Errorf("authorities %q", a.Authorities)
					}
					checkCause(t, r, try.id)
					if completed := try.id == ""; r.Handshake.Completed != completed || r.Negotiated == nil || r.Negotiated.Version != v {
						t.Errorf("handshake %+v", r.Handshake)
					}
				}
			})
		}
	}
}

// checkCause demands a failure with this cause first, or none where id is empty.
func checkCause(t *testing.T, r *Report, id cause.ID) {
	t.Helper()
	switch {
	case id == "" && (r.Failure != nil || r.Outcome != diagnose.Negotiated):
		t.Errorf("%s: %+v", r.Outcome, r.Failure)
	case id == "":
	case r.Failure == nil || len(r.Failure.Causes) == 0:
		t.Errorf("%s without a cause, want %s; %+v", r.Outcome, id, r.Handshake)
	case r.Failure.Causes[0].ID != id:
		t.Errorf("cause %s, want %s: %+v", r.Failure.Causes[0].ID, id, r.Failure.Causes)
	default:
		k := r.Failure.Causes[0]
		if r.Outcome == diagnose.Negotiated || r.Failure.Outcome != r.Outcome || k.Summary == "" || k.Stage == "" || k.Confidence <= 0 || k.Evidence == nil {
			t.Errorf("%s, %+v", r.Outcome, k)
		}
		t.Logf("%s (%d connections)", k.Summary, r.Connections)
	}
}

// TestOptionalClientCertificate: one that is asked for and not needed.
func TestOptionalClientCertificate(t *testing.T) {
	server, ours := testbed.Make(t, testbed.RSA2048), testbed.Make(t, testbed.P256)
	pool := x509.NewCertPool()
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		address := goServer(t, &tls.Config{Certificates: []tls.Certificate{server.TLS}, ClientAuth: tls.RequestClientCert, ClientCAs: pool, MaxVersion: v})
		r := run(t, request(t, address, Selection{}))
		checkCause(t, r, "")
		if a := r.ClientAuth; !a.Requested || a.Outcome != AuthNotNeeded {
			t.Errorf("%+v", a)
		}
		q := request(t, address, Selection{})
		q.Certificate = &ours.TLS
		r = run(t, q)
		checkCause(t, r, "")
		if a := r.ClientAuth; a.Outcome != AuthAccepted || a.Sent == "" {
			t.Errorf("%+v", a)
		}
	}
}

// TestClientCertificateOnForcedGroup: before TLS 1.3 OpenSSL refuses a client certificate whose curve is not
// among the groups, and the report says so.
func TestClientCertificateOnForcedGroup(t *testing.T) {
	server, ours := testbed.Make(t, testbed.RSA2048), testbed.Make(t, testbed.P256)
	q := request(t, sServer(t, server, "-tls1_2", "-Verify", "2", "-verify_return_error", "-CAfile", ours.CA), Selection{})
	q.Certificate, q.Groups = &ours.TLS, []suite.Group{suite.X25519}
	r := run(t, q)
	checkCause(t, r, cause.ClientCertificateRejected)
	facts := r.Failure.Causes[0].Evidence
	if !slices.ContainsFunc(facts, func(e diagnose.Evidence) bool { return strings.Contains(e.Fact, "its key is on secp256r1") }) {
		t.Errorf("%+v", facts)
	}
}

// TestClientKeyCannotSign: a key by which nothing can be signed that the endpoint accepts.
func TestClientKeyCannotSign(t *testing.T) {
	server, ours := testbed.Make(t, testbed.RSA2048), testbed.Make(t, testbed.Ed25519)
	q := request(t, sServer(t, server, "-tls1_2", "-verify", "2", "-client_sigalgs", "RSA+SHA256"), Selection{})
	q.Certificate = &ours.TLS
	checkCause(t, run(t, q), cause.NoCommonSignatureAlgorithm)
}
