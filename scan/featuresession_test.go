package scan

import (
	"crypto/tls"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestSessions: what is issued and what is taken back, with every kind of memory on and off.
func TestSessions(t *testing.T) {
	id := testbed.Make(t, testbed.RSA2048)
	for name, c := range map[string]struct {
		start                      func(t *testing.T) *testbed.Server
		ids, idResumes             State
		tickets, ticketResumes     State
		psk, pskResumes            State
		earlyData, earlyDataAccept State
		maxEarlyData               uint32
	}{
		"openssl":              {func(t *testing.T) *testbed.Server { return openssl(t, id) }, Yes, Yes, Yes, Yes, Yes, Yes, No, NotApplicable, 0},
		"openssl, tickets off": {func(t *testing.T) *testbed.Server { return openssl(t, id, "-no_ticket") }, Yes, Yes, No, NotApplicable, Yes, Yes, No, NotApplicable, 0},
		"openssl, all off": {func(t *testing.T) *testbed.Server {
			return openssl(t, id, "-no_ticket", "-no_cache", "-num_tickets", "0")
		}, No, NotApplicable, No, NotApplicable, No, NotApplicable, No, NotApplicable, 0},
		"openssl, forgetful": {func(t *testing.T) *testbed.Server { return openssl(t, id, "-no_resume_ephemeral", "-no_ticket") }, Yes, No, No, NotApplicable, Yes, Yes, No, NotApplicable, 0},
		"openssl, early":     {func(t *testing.T) *testbed.Server { return openssl(t, id, "-early_data", "-max_early_data", "12345") }, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, 12345},
		"openssl, 1.2":       {func(t *testing.T) *testbed.Server { return openssl(t, id, "-tls1_2") }, Yes, Yes, Yes, Yes, NotApplicable, NotApplicable, NotApplicable, NotApplicable, 0},
		"openssl, 1.0":       {func(t *testing.T) *testbed.Server { return openssl(t, id, append(everything, "-tls1")...) }, Yes, Yes, Yes, Yes, NotApplicable, NotApplicable, NotApplicable, NotApplicable, 0},
		"openssl, 1.3":       {func(t *testing.T) *testbed.Server { return openssl(t, id, "-tls1_3") }, NotApplicable, NotApplicable, NotApplicable, NotApplicable, Yes, Yes, No, NotApplicable, 0},
		"openssl, CCM alone": {func(t *testing.T) *testbed.Server {
			return openssl(t, id, "-ciphersuites", "TLS_AES_128_CCM_SHA256", "-cipher", "AES128-CCM")
		}, NotTested, NotTested, NotTested, NotTested, NotTested, NotTested, NotTested, NotTested, 0},
		"nginx": {func(t *testing.T) *testbed.Server {
			return nginx(t, id, "", "ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:x:1m; ssl_session_tickets on; ssl_early_data on;")
		}, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, 16384},
		"nginx, all off": {func(t *testing.T) *testbed.Server {
			return nginx(t, id, "", "ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache none; ssl_session_tickets off;")
		}, Yes, No, No, NotApplicable, Yes, No, No, NotApplicable, 0},
		"haproxy":         {func(t *testing.T) *testbed.Server { return haproxy(t, id, "allow-0rtt") }, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, 15360},
		"gnutls":          {func(t *testing.T) *testbed.Server { return gnutls(t, id, "NORMAL") }, Yes, Yes, Yes, Yes, Yes, Yes, No, NotApplicable, 0},
		"gnutls, all off": {func(t *testing.T) *testbed.Server { return gnutls(t, id, "NORMAL", "--noticket", "--nodb") }, Yes, No, No, NotApplicable, No, NotApplicable, No, NotApplicable, 0},
		"gnutls, early": {func(t *testing.T) *testbed.Server {
			return gnutls(t, id, "NORMAL", "--earlydata", "--maxearlydata", "4000")
		}, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, 4000},
		"go": {func(t *testing.T) *testbed.Server { return goServer(t, id, nil) }, No, NotApplicable, Yes, Yes, Yes, Yes, No, NotApplicable, 0},
		"go, all off": {func(t *testing.T) *testbed.Server {
			return goServer(t, id, func(c *tls.Config) { c.SessionTicketsDisabled = true })
		}, No, NotApplicable, No, NotApplicable, No, NotApplicable, No, NotApplicable, 0},
		"java":      {func(t *testing.T) *testbed.Server { return java(t, id, classicPolicy()) }, Yes, Yes, No, NotApplicable, Yes, Yes, No, NotApplicable, 0},
		"node 0.12": {func(t *testing.T) *testbed.Server { return node(t, "0.12", id, `{}`) }, Yes, No, Yes, Yes, NotApplicable, NotApplicable, NotApplicable, NotApplicable, 0},
		"node 24":   {func(t *testing.T) *testbed.Server { return node(t, "24", id, `{}`) }, Yes, No, Yes, Yes, Yes, Yes, No, NotApplicable, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.start(t)
			f := learnt(t, s)
			expect(t, "session ids", f.SessionIDs.Feature, c.ids)
			expect(t, "session ids resume", f.SessionIDs.Resumes, c.idResumes)
			expect(t, "tickets", f.SessionTickets.Feature, c.tickets)
			expect(t, "tickets resume", f.SessionTickets.Resumes, c.ticketResumes)
			expect(t, "PSK", f.PSK.Feature, c.psk)
			expect(t, "PSK resumes", f.PSK.Resumes, c.pskResumes)
			expect(t, "early data", f.EarlyData.Feature, c.earlyData)
			expect(t, "early data accepted", f.EarlyData.Accepted, c.earlyDataAccept)
			if f.EarlyData.MaxBytes != c.maxEarlyData {
				t.Errorf("%d bytes of early data, want %d", f.EarlyData.MaxBytes, c.maxEarlyData)
			}
			if c.ticketResumes == Yes || c.ticketResumes == No {
				compareReuse(t, s, "-tls1_2", c.ticketResumes)
			}
			if c.pskResumes == Yes || c.pskResumes == No {
				compareReuse(t, s, "-tls1_3", c.pskResumes)
			}
			if c.psk == Yes && (f.PSK.Tickets == 0 || f.PSK.LifetimeSeconds == 0 || f.PSK.Bytes == 0) {
				t.Errorf("%+v", f.PSK)
			}
		})
	}
}

// compareReuse asks openssl s_client whether a session is taken back.
func compareReuse(t *testing.T, s *testbed.Server, version string, want State) {
	t.Helper()
	if out := sClient(t, s, version); !strings.Contains(out, "Cipher is") || strings.Contains(out, "Cipher is (NONE)") {
		return // not a version of this server
	}
	file := filepath.Join(t.TempDir(), "session")
	for range 3 { // on a busy machine s_client may leave before its ticket comes
		sClient(t, s, version, "-sess_out", file)
		if strings.Contains(sClient(t, s, version, "-sess_in", file), "Reused, ") == (want == Yes) {
			return
		}
	}
	t.Errorf("%s: openssl s_client disagrees with %s", version, want)
}

// TestSessionsBehindClientCertificate: who needs a certificate and has none learns no more than that.
func TestSessionsBehindClientCertificate(t *testing.T) {
	id, ca := testbed.Make(t, testbed.RSA2048), testbed.Make(t, testbed.P256)
	for _, kind := range []testbed.Kind{testbed.OpenSSL, testbed.HAProxy, testbed.GnuTLS, testbed.Go, testbed.Java, testbed.Node} {
		for _, auth := range []policy.ClientAuth{policy.ClientAuthRequest, policy.ClientAuthRequired} {
			t.Run(string(kind)+" "+string(auth), func(t *testing.T) {
				p := classicPolicy()
				p.ClientAuth = auth
				config := testbed.Config{Kind: kind, Policy: p, ClientCA: ca.CA}
				if kind == testbed.Node {
					config.Node = "24"
				}
				if name, ok := config.Installed(t); !ok {
					testbed.Missing(t, name)
				}
				s := testbed.Start(t, config.With(id))
				f := learnt(t, s)
				required := auth == policy.ClientAuthRequired
				c := f.ClientCertificate
				expect(t, "client certificate", c.Feature, Yes)
				expect(t, "required", c.Required, map[bool]State{true: Yes, false: No}[required])
				if len(c.Schemes) == 0 || *c.Version != suite.TLS13 || len(c.Authorities) != 1 || c.Authorities[0] != "CN=Parley test root p256,O=Parley test bed" {
					t.Errorf("%s %+v", c.Version, c)
				}
				if out := sClient(t, s, "-nameopt", "compat"); !strings.Contains(out, "Parley test root p256") {
					t.Error("openssl s_client sees no name of a CA")
				}
				if required && (f.SessionTickets.State != NotTested || f.PSK.State != NotTested || f.PSK.Resumes.Why == "") {
					t.Errorf("%+v %+v", f.SessionTickets, f.PSK)
				}
			})
		}
	}
}
