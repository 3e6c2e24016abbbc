package negotiate_test

import (
	"crypto/rand"
	"slices"
	"testing"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// refusal is a hello that brings a situation about with one of refusalServers.
type refusal struct {
	situation negotiate.Situation
	server    string
	offer     hello.Offer
}

// What the servers and the hellos of the refusals are made of.
var (
	rsaSuite   = []string{"ECDHE-RSA-AES128-GCM-SHA256"}
	ecdsaSuite = []string{"ECDHE-ECDSA-AES128-GCM-SHA256"}
	kxRSASuite = []string{"AES128-GCM-SHA256"}
	suites13   = []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
	only12     = []suite.Version{suite.TLS12}
	only13     = []suite.Version{suite.TLS13}
	twoGroups  = []suite.Group{suite.X25519, suite.Secp256r1}
	allSchemes = []suite.SignatureScheme{suite.ECDSASecp256r1SHA256, suite.RSAPSSRSAESHA256, suite.RSAPKCS1SHA256}
)

// refusalServers are the servers that refuse. OpenSSL makes no SHA-1 signatures at level 1.
func refusalServers(t testing.TB) map[string]setup {
	suites := codes(t, slices.Concat(suites13, ecdsaSuite, rsaSuite, kxRSASuite)...)
	both := policy.Policy{Versions: new13, Suites: suites, Order: policy.ServerOrder, Groups: twoGroups}
	old, insists, modern := both, both, both
	modern.Schemes = allSchemes[1:]
	old.Versions, old.Suites = only12, suites[len(suites13):]
	insists.ALPN = policy.ALPNRule{Protocols: []string{"h2"}, Strict: true}
	rsa, ecdsa := []testbed.Spec{testbed.RSA2048}, []testbed.Spec{testbed.P256}
	return map[string]setup{
		"RSA":           {specs: rsa, policy: both, level: "@SECLEVEL=1"},
		"ECDSA":         {specs: ecdsa, policy: both, level: "@SECLEVEL=1"},
		"TLS 1.2":       {specs: rsa, policy: old, level: "@SECLEVEL=1"},
		"no SHA-1":      {specs: rsa, policy: modern, level: "@SECLEVEL=1"},
		"insists on h2": {specs: rsa, policy: insists, level: "@SECLEVEL=1"},
	}
}

// refusals bring about every situation that these servers can be brought into.
func refusals(t testing.TB) []refusal {
	hello12 := func(suites []string, groups []suite.Group, schemes []suite.SignatureScheme) hello.Offer {
		return hello.Offer{Versions: only12, Suites: codes(t, suites...), HasGroups: groups != nil, Groups: groups,
			HasSchemes: schemes != nil, Schemes: schemes, SecureReneg: true, ExtendedMaster: true}
	}
	hello13 := func(groups []suite.Group, schemes []suite.SignatureScheme) hello.Offer {
		o := hello12(suites13, groups, schemes)
		o.Versions, o.KeyShares = only13, groups
		return o
	}
	oldFormat := hello12(kxRSASuite, nil, nil)
	oldFormat.SSLv2Format = true
	low := hello12([]string{"ECDHE-RSA-AES128-SHA"}, twoGroups, nil)
	low.Versions = []suite.Version{suite.TLS11, suite.TLS10}
	fallback := hello12(rsaSuite, twoGroups, allSchemes)
	fallback.FallbackSCSV = true
	other12, other13 := hello12(rsaSuite, twoGroups, allSchemes), hello13(twoGroups, allSchemes)
	other12.ALPN, other13.ALPN = []string{"acme-tls/1"}, []string{"acme-tls/1"}
	p521, ecdsaSchemes := []suite.Group{suite.Secp521r1}, allSchemes[:1]
	return []refusal{
		{negotiate.SSLv2Hello, "RSA", oldFormat},
		{negotiate.Version, "RSA", low},
		{negotiate.VersionTLS13Only, "TLS 1.2", hello13(twoGroups, allSchemes)},
		{negotiate.Fallback, "RSA", fallback},
		{negotiate.ALPN, "insists on h2", other12},
		{negotiate.ALPN, "insists on h2", other13},
		{negotiate.Cipher, "RSA", hello12([]string{"AES256-SHA256"}, twoGroups, allSchemes)},
		{negotiate.CipherCertificate, "RSA", hello12(ecdsaSuite, twoGroups, allSchemes)},
		{negotiate.CertificateCurve, "ECDSA", hello12(ecdsaSuite, twoGroups[:1], allSchemes)},
		{negotiate.Group12, "RSA", hello12(rsaSuite, p521, allSchemes)},
		{negotiate.Group13, "RSA", hello13(p521, allSchemes)},
		{negotiate.GroupsMissing13, "RSA", hello13(nil, allSchemes)},
		{negotiate.Scheme12, "RSA", hello12(rsaSuite, twoGroups, ecdsaSchemes)},
		{negotiate.Scheme13, "RSA", hello13(twoGroups, ecdsaSchemes)},
		{negotiate.SchemesMissing12, "RSA", hello12(rsaSuite, twoGroups, nil)},
		{negotiate.SchemesMissing12, "no SHA-1", hello12(rsaSuite, twoGroups, nil)},
		{negotiate.SchemesMissing13, "RSA", hello13(twoGroups, nil)},
	}
}

// TestSignals brings real servers into each situation, and holds against what they send both what Decide says
// and the rows of signals.tsv.
func TestSignals(t *testing.T) {
	kind := func(k testbed.Kind) func(testing.TB, setup) peer {
		return func(t testing.TB, s setup) peer { return startKind(t, s, k) }
	}
	for engine, start := range map[policy.Engine]func(testing.TB, setup) peer{
		policy.EngineOpenSSL:   func(t testing.TB, s setup) peer { return startOpenSSL(t, s, testbed.Need(t, "openssl")) },
		policy.EngineGo:        func(t testing.TB, s setup) peer { return startGo(t, s) },
		policy.EngineGnuTLS:    startGnuTLSForRefusals,
		policy.EngineJSSE:      kind(testbed.Java),
		policy.EngineBoringSSL: kind(testbed.Bun),
	} {
		t.Run(string(engine), func(t *testing.T) {
			servers := make(map[string]peer)
			for name, s := range refusalServers(t) {
				servers[name] = start(t, s)
			}
			held := make(map[negotiate.Situation]bool)
			for _, r := range refusals(t) {
				held[r.situation] = r.hold(t, servers[r.server]) || held[r.situation]
			}
			for _, s := range negotiate.Situations {
				if negotiate.SignalIn(engine, s) != (negotiate.Signal{}) && !held[s] {
					t.Errorf("%s: signals.tsv says what is sent, and nothing was seen to refuse", s)
				}
			}
		})
	}
}

// hold reports whether the server refused, after it compared that with Decide and the row.
func (r *refusal) hold(t *testing.T, p peer) bool {
	t.Helper()
	h, shares := r.hello(t)
	o := h.Offer()
	out := negotiate.Decide(&o, p.policy, p.id)
	said, row := predicted(out), negotiate.SignalIn(p.policy.Engine, r.situation)
	saw, err := ask(p.address, h, shares)
	if err != nil {
		t.Fatalf("%s: %v", r.situation, err)
	}
	switch {
	case saw.ok != said.ok || !saw.ok && (saw.end != said.end || saw.alert != said.alert):
		t.Errorf("%s: server: %s; Decide: %s", r.situation, saw, said)
	case !saw.ok && out.Reason.Cause == r.situation.Cause() && out.Reason.Signal != row:
		t.Errorf("%s: Decide has another signal than the row: %+v, %+v", r.situation, out.Reason.Signal, row)
	}
	return !saw.ok
}

// hello builds the hello, with key shares that can be used.
func (r *refusal) hello(t *testing.T) (*hello.ClientHello, []*keyShare) {
	t.Helper()
	h, err := hello.Build(&r.offer, rand.Reader)
	if err != nil {
		t.Fatalf("%s: %v", r.situation, err)
	}
	var shares []*keyShare
	for _, g := range r.offer.KeyShares {
		k, ok := newShare(g)
		if !ok {
			t.Fatalf("%s: no key share of %s", r.situation, g)
		}
		shares = append(shares, k)
	}
	if r.offer.Versions[0] == suite.TLS13 {
		h.SetExtension(hello.ExtKeyShare, shareBody(shares))
	}
	return h, shares
}

// startGnuTLSForRefusals starts gnutls-serv as the policy says, application protocols and versions included.
func startGnuTLSForRefusals(t testing.TB, s setup) peer {
	if s.policy.ALPN.Strict {
		s.extra = []string{"--alpn-fatal"}
	}
	return startGnuTLS(t, s, gnutlsBase)
}
