package vuln

import (
	"crypto/tls"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// examineWith scans an endpoint and runs all checks with a client certificate, nil for none.
func examineWith(t *testing.T, addr string, certificate *tls.Certificate) map[string]Finding {
	t.Helper()
	p, target := &probe.Prober{}, probe.Target{Address: addr}
	r := scan.Full(t.Context(), p, target, scan.Options{ServerName: testbed.HostName})
	found := make(map[string]Finding)
	for _, f := range Check(t.Context(), p, target, r, Options{ServerName: testbed.HostName, ClientCertificate: certificate}) {
		found[f.ID] = f
	}
	return found
}

// TestClientCertificate: a server that demands a client certificate completes no handshake without one, and what can be
// told without still is; with one it is told like any other.
func TestClientCertificate(t *testing.T) {
	client, other := testbed.Make(t, testbed.P256), testbed.Make(t, testbed.RSAIntermediate)
	rsaClient := testbed.Make(t, testbed.RSA2048)
	demanding := func(ca string) string {
		c := testbed.ForPolicy(policy.ByName("ELBSecurityPolicy-2015-05"), testbed.OpenSSL)
		c.Policy.ClientAuth, c.ClientCA = policy.ClientAuthRequired, ca
		return start(t, c)
	}
	condition := verdicts{"beast": Vulnerable, "lucky13": Unsure}
	undecided := verdicts{"robot": Unsure, "ticketbleed": Unsure, "poodle-tls": Unsure, "insecure-renegotiation": Unsure, "client-renegotiation": Unsure}
	for id, v := range condition {
		undecided[id] = v
	}
	addr := demanding(client.CA)
	expect(t, examineWith(t, addr, nil), undecided)
	expect(t, examineWith(t, addr, &other.TLS), undecided)
	expect(t, examineWith(t, addr, &client.TLS), condition)
	expect(t, examineWith(t, demanding(rsaClient.CA), &rsaClient.TLS), condition)
}

// TestClientCertificateVersions: it is presented in each version.
func TestClientCertificateVersions(t *testing.T) {
	for _, spec := range []testbed.Spec{testbed.P256, testbed.RSA2048} {
		client := testbed.Make(t, spec)
		for _, v := range []suite.Version{suite.TLS10, suite.TLS11, suite.TLS12} {
			c := testbed.Config{Kind: testbed.OpenSSL, ClientCA: client.CA, Policy: policy.Policy{Versions: []suite.Version{v}, Suites: []suite.Code{0x002F, 0xC013}, ClientAuth: policy.ClientAuthRequired}}
			found := examineWith(t, start(t, c), &client.TLS)
			for _, id := range []string{"robot", "ccs-injection", "ticketbleed", "poodle-tls", "insecure-renegotiation", "client-renegotiation", "heartbleed"} {
				if f := found[id]; f.Verdict != NotVulnerable {
					t.Errorf("%s, %s: %s: %s: %s", v, spec.Name, id, f.Verdict, f.Summary)
				}
			}
		}
	}
}

// TestFlawsBehindClientCertificate: OpenSSL 1.0.1e shows what it has behind a client certificate too. It takes no early
// ChangeCipherSpec there: its ssl3_get_cert_verify refuses that, as it always did.
func TestFlawsBehindClientCertificate(t *testing.T) {
	client := testbed.Make(t, testbed.P256)
	found := examineWith(t, startNode0101(t, client.CA), &client.TLS)
	for _, id := range []string{"heartbleed", "client-renegotiation"} {
		if f := found[id]; f.Verdict != Vulnerable {
			t.Errorf("%s: %s: %s\n%q", id, f.Verdict, f.Summary, f.Evidence)
		}
	}
	for _, id := range []string{"ccs-injection", "robot", "ticketbleed", "poodle-tls"} {
		if f := found[id]; f.Verdict != NotVulnerable {
			t.Errorf("%s: %s: %s\n%q", id, f.Verdict, f.Summary, f.Evidence)
		}
	}
}
