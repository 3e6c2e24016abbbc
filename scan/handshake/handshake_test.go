package handshake

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

var schemes = []suite.SignatureScheme{suite.ECDSASecp256r1SHA256, suite.ECDSASecp384r1SHA384, suite.Ed25519,
	suite.RSAPSSRSAESHA256, suite.RSAPSSRSAESHA384, suite.RSAPKCS1SHA256, suite.RSAPKCS1SHA1, suite.ECDSASHA1}

// offer is what the tests ask with.
func offer(v suite.Version, suites ...suite.Code) hello.Offer {
	o := hello.Offer{Versions: []suite.Version{v}, Suites: suites, SecureReneg: true, ServerName: testbed.HostName, ExtendedMaster: true,
		HasGroups: true, Groups: []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1}, PointFormats: []byte{0},
		HasSchemes: true, Schemes: schemes}
	if v == suite.TLS13 {
		o.KeyShares = []suite.Group{suite.X25519}
	}
	return o
}

func ask(t *testing.T, addr string, q Question) *Result {
	t.Helper()
	var p probe.Prober
	return Do(context.Background(), &p, probe.Target{Address: addr}, &q)
}

// sServer starts openssl s_server.
func sServer(t *testing.T, id *testbed.Identity, options ...string) *testbed.Server {
	t.Helper()
	port := testbed.FreePort(t)
	args := append([]string{"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port), "-cert", id.Cert, "-key", id.Key, "-quiet"}, options...)
	return testbed.Run(t, port, testbed.Need(t, "openssl"), args...)
}

// TestFinish completes a handshake with every suite that this package claims to know and OpenSSL accepts, in every
// version. The server logs what it agreed on, and takes the session again.
func TestFinish(t *testing.T) {
	rsa, ec := testbed.Make(t, testbed.RSA2048), testbed.Make(t, testbed.P256)
	dh := testbed.DHParameters(t, "ffdhe2048")
	s := sServer(t, rsa, "-dcert", ec.Cert, "-dkey", ec.Key, "-cipher", "ALL:@SECLEVEL=0", "-ciphersuites",
		"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256", "-dhparam", dh)
	tried := 0
	for _, x := range suite.All() {
		for _, v := range suite.Versions {
			if !CanFinish(x.Code, v) || x.Authentication == suite.AuthAnon || x.Authentication == suite.AuthDSS {
				continue
			}
			o := offer(v, x.Code)
			o.SessionTicket = true
			r := ask(t, s.Addr, Question{Offer: o, Finish: true})
			if r.Answer == probe.Alerted && (x.Encryption == "RC4" || x.Encryption == "3DES") {
				continue // Debian's build has neither
			}
			tried++
			if !r.Finished || r.Lacks != "" || r.Suite != x.Code || r.Version != v || len(r.Chain) == 0 {
				t.Errorf("%s in %s: %+v", x.OpenSSL, v, r)
				continue
			}
			if len(r.Tickets) == 0 {
				t.Errorf("%s in %s: no ticket", x.OpenSSL, v)
				continue
			}
			again := ask(t, s.Addr, Question{Offer: o, Resume: &r.Tickets[0]})
			if !again.Resumed || again.Suite != x.Code {
				t.Errorf("%s in %s: not resumed: %+v", x.OpenSSL, v, again)
			}
		}
	}
	if tried < 40 {
		t.Errorf("%d suites were tried", tried)
	}
}

// TestServers completes handshakes with servers of other kinds, with a group that needs a HelloRetryRequest as well.
func TestServers(t *testing.T) {
	id := testbed.Make(t, testbed.RSA2048)
	for _, k := range []struct {
		kind testbed.Kind
		node string
	}{{testbed.Nginx, ""}, {testbed.HAProxy, ""}, {testbed.GnuTLS, ""}, {testbed.Go, ""}, {testbed.Java, ""}, {testbed.Node, "0.10"}, {testbed.Node, "4"}, {testbed.Node, "24"}} {
		t.Run(string(k.kind)+k.node, func(t *testing.T) {
			c := testbed.Config{Kind: k.kind, Node: k.node, Policy: policy.Policy{Versions: []suite.Version{suite.TLS10, suite.TLS11, suite.TLS12, suite.TLS13},
				Order: policy.ServerOrder, Suites: []suite.Code{0x1301, 0x1302, 0xC02F, 0xC013, 0x009C, 0x002F}, Groups: []suite.Group{suite.Secp384r1}}}
			if name, ok := c.Installed(t); !ok {
				testbed.Missing(t, name)
			}
			s := testbed.Start(t, c.With(id))
			for _, v := range s.Policy.Versions {
				for _, code := range s.Policy.Suites {
					if !suite.ByCode(code).UsableIn(v) {
						continue
					}
					r := ask(t, s.Addr, Question{Offer: offer(v, code), Finish: true})
					if !r.Finished || r.Suite != code || len(r.Chain) == 0 {
						t.Errorf("%s in %s: %+v", code.OpenSSL(), v, r)
					}
					if v == suite.TLS13 && (r.Retry == nil || r.Retry.Group != suite.Secp384r1 || r.Scheme == 0 || r.Inner == nil) {
						t.Errorf("%s in %s: %+v", code.OpenSSL(), v, r)
					}
				}
			}
		})
	}
}

// TestHybridGroups finishes the key exchange of each post-quantum hybrid.
func TestHybridGroups(t *testing.T) {
	groups := []suite.Group{suite.X25519MLKEM768, suite.SecP256r1MLKEM768, suite.SecP384r1MLKEM1024}
	s := testbed.Start(t, testbed.Config{Kind: testbed.Go, Policy: policy.Policy{Versions: []suite.Version{suite.TLS13}, Order: policy.ServerOrder,
		Suites: []suite.Code{0x1301}, Groups: groups}}.With(testbed.Make(t, testbed.P256)))
	for _, g := range groups {
		o := offer(suite.TLS13, 0x1301)
		o.Groups, o.KeyShares = []suite.Group{g}, []suite.Group{g}
		if r := ask(t, s.Addr, Question{Offer: o, Finish: true}); !r.Finished || r.Group != g {
			t.Errorf("%s: %+v", g, r)
		}
	}
}

// TestMutual: a server that asks for a certificate is given none. What it asked for is told, and that it then
// refuses.
func TestMutual(t *testing.T) {
	id, ca := testbed.Make(t, testbed.RSA2048), testbed.Make(t, testbed.P256)
	for _, auth := range []policy.ClientAuth{policy.ClientAuthRequest, policy.ClientAuthRequired} {
		s := testbed.Start(t, testbed.Config{Kind: testbed.Go, ClientCA: ca.CA, Policy: policy.Policy{Versions: []suite.Version{suite.TLS12, suite.TLS13},
			Order: policy.ServerOrder, Suites: []suite.Code{0x1301, 0xC02F}, ClientAuth: auth}}.With(id))
		for v, code := range map[suite.Version]suite.Code{suite.TLS12: 0xC02F, suite.TLS13: 0x1301} {
			r := ask(t, s.Addr, Question{Offer: offer(v, code), Finish: true})
			if !r.ClientAuth || r.Request == nil || len(r.Request.Names) != 1 || len(r.Request.Schemes) == 0 {
				t.Errorf("%s, %s: %+v", auth, v, r.Request)
			}
			if r.Finished != (auth == policy.ClientAuthRequest) || !r.Finished && r.End != probe.Alerted {
				t.Errorf("%s, %s: finished %t, %s, alert %s, %v", auth, v, r.Finished, r.End, r.Alert, r.Err)
			}
		}
	}
}

// TestFirstFlight reads the flight of TLS 1.3 and leaves it at that.
func TestFirstFlight(t *testing.T) {
	s := sServer(t, testbed.Make(t, testbed.RSAIntermediate), "-alpn", "h2")
	o := offer(suite.TLS13, 0x1302)
	o.ALPN = []string{"http/1.1", "h2"}
	r := ask(t, s.Addr, Question{Offer: o})
	want := []uint8{hello.TypeServerHello, hello.TypeEncryptedExt, hello.TypeCertificate, hello.TypeCertificateVerify, typeFinished}
	if !r.Complete || r.Finished || r.ALPN != "h2" || r.Scheme != suite.RSAPSSRSAESHA256 || !slices.Equal(r.Messages, want) {
		t.Errorf("%+v", r)
	}
	o.ServerName = "" // and one that refuses
	o.Schemes = []suite.SignatureScheme{suite.Ed25519}
	if r = ask(t, s.Addr, Question{Offer: o}); r.Answer != probe.Alerted || r.Alert != suite.AlertHandshakeFailure {
		t.Errorf("%+v", r)
	}
}
