package negotiate_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// perSetup is how many generated hellos each server gets. PARLEY_HELLOS asks for more.
func perSetup() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("PARLEY_HELLOS"), 10, 32); err == nil {
		return n
	}
	if testing.Short() {
		return 40
	}
	return 150
}

func startSeed() uint64 {
	n, _ := strconv.ParseUint(os.Getenv("PARLEY_SEED"), 10, 64)
	return n
}

// predicted puts an outcome in the same terms as an answer.
func predicted(out negotiate.Outcome) answer {
	if out.OK {
		return answer{ok: true, version: out.Version, suite: out.Suite, group: out.Group, scheme: out.Scheme, retry: out.HelloRetry, alpn: out.ALPN}
	}
	a := answer{seen: " (" + string(out.Reason.Cause) + ")"}
	switch s := out.Reason.Signal; {
	case s.Alert != 0:
		a.end, a.alert = "alert", s.Alert
	case s.CloseNotify:
		a.end = "alert"
	case s.Close:
		a.end = "close"
	case s.Reset:
		a.end = "reset"
	}
	return a
}

// agree compares what can be seen of an answer with the prediction.
func agree(saw, said answer) bool {
	if saw.ok != said.ok {
		return false
	}
	if !saw.ok {
		return said.end == "" || saw.end == said.end && saw.alert == said.alert
	}
	return saw.version == said.version && saw.suite == said.suite && saw.retry == said.retry &&
		(said.group == 0 || saw.group == 0 || saw.group == said.group) && (saw.scheme == 0 || saw.scheme == said.scheme) && saw.alpn == said.alpn
}

// compare sends generated hellos to a server and holds Decide against what it does.
func compare(t *testing.T, p peer, seed uint64) {
	t.Helper()
	agreed, failures, refused := 0, 0, 0
	for n := range perSetup() {
		g := generate(t, seed+startSeed(), n)
		out := negotiate.Decide(&g.offer, p.policy, p.id)
		saw, err := ask(p.address, g.hello, g.shares)
		if err != nil {
			t.Fatalf("hello %d: %v", n, err)
		}
		if !saw.ok {
			refused++
		}
		if said := predicted(out); !agree(saw, said) {
			if failures++; failures <= 8 {
				t.Errorf("hello %d of seed %d:\n  server: %s\n  Decide: %s\n  offer: %s", n, seed, saw, said, brief(g))
			}
			continue
		}
		agreed++
	}
	t.Logf("%s: %d of %d agree, %d refused", p.name, agreed, agreed+failures, refused)
}

func brief(g generated) string {
	o := &g.offer
	var suites []string
	for _, c := range o.Suites {
		suites = append(suites, c.OpenSSL())
	}
	s := fmt.Sprintf("%v %v", o.Versions, suites)
	if o.HasGroups {
		s += fmt.Sprintf(" groups %v shares %v", o.Groups, o.KeyShares)
	} else {
		s += " no groups"
	}
	if o.HasSchemes {
		s += fmt.Sprintf(" schemes %v", o.Schemes)
	} else {
		s += " no schemes"
	}
	if o.FallbackSCSV {
		s += " fallback"
	}
	if o.ALPN != nil {
		s += fmt.Sprintf(" alpn %v", o.ALPN)
	}
	return s
}

var (
	upTo13 = []suite.Version{suite.TLS10, suite.TLS11, suite.TLS12, suite.TLS13}
	upTo12 = []suite.Version{suite.TLS10, suite.TLS11, suite.TLS12}
	new13  = []suite.Version{suite.TLS12, suite.TLS13}
)

var wide = []string{"TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256",
	"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
	"ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305", "DHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA",
	"AES128-GCM-SHA256", "AES256-SHA", "AES128-SHA", "DHE-RSA-AES256-SHA"}

// opensslSetups are the configurations of OpenSSL that Decide is compared with.
func opensslSetups(t testing.TB) []setup {
	suites := codes(t, wide...)
	few := []suite.Group{suite.Secp256r1, suite.X25519}
	many := []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp521r1, suite.Secp384r1}
	return []setup{
		{name: "RSA, server order", specs: []testbed.Spec{testbed.RSA2048},
			policy: policy.Policy{Versions: upTo13, Suites: suites, Order: policy.ServerOrder, Groups: many}},
		{name: "RSA, client order", specs: []testbed.Spec{testbed.RSA2048},
			policy: policy.Policy{Versions: upTo13, Suites: suites, Order: policy.ClientOrder, Groups: few}},
		{name: "P-256, server order", specs: []testbed.Spec{testbed.P256},
			policy: policy.Policy{Versions: upTo13, Suites: suites, Order: policy.ServerOrder, Groups: few}},
		{name: "P-384, client order", specs: []testbed.Spec{testbed.P384},
			policy: policy.Policy{Versions: upTo13, Suites: suites, Order: policy.ClientOrder, Groups: many}},
		{name: "Ed25519, server order", specs: []testbed.Spec{testbed.Ed25519},
			policy: policy.Policy{Versions: upTo13, Suites: suites, Order: policy.ServerOrder, Groups: many}},
		{name: "RSA and P-256, server order", specs: []testbed.Spec{testbed.RSA2048, testbed.P256},
			policy: policy.Policy{Versions: upTo13, Suites: suites, Order: policy.ServerOrder, Groups: many}},
		{name: "P-256 and RSA, client order", specs: []testbed.Spec{testbed.P256, testbed.RSA2048},
			policy: policy.Policy{Versions: upTo13, Suites: suites, Order: policy.ClientOrder, Groups: many}},
		{name: "TLS 1.2 at most, ALPN", specs: []testbed.Spec{testbed.RSA2048},
			policy: policy.Policy{Versions: upTo12, Suites: suites[3:], Order: policy.ServerOrder, Groups: few, ALPN: policy.ALPNRule{Protocols: []string{"h2", "http/1.1"}, Strict: true}}},
		{name: "TLS 1.2 and 1.3, listed schemes", specs: []testbed.Spec{testbed.RSA2048},
			policy: policy.Policy{Versions: new13, Suites: suites, Order: policy.ServerOrder, Groups: many,
				Schemes: []suite.SignatureScheme{suite.RSAPKCS1SHA256, suite.RSAPSSRSAESHA384, suite.RSAPSSRSAESHA256}}},
		{name: "security level 1", specs: []testbed.Spec{testbed.P256, testbed.RSA2048}, level: "@SECLEVEL=1",
			policy: policy.Policy{Versions: new13, Suites: suites, Order: policy.ClientOrder, Groups: many}},
	}
}

func TestAgreesWithOpenSSL(t *testing.T) {
	program := testbed.Need(t, "openssl")
	for i, s := range opensslSetups(t) {
		t.Run(s.name, func(t *testing.T) { compare(t, startOpenSSL(t, s, program), uint64(i+1)) })
	}
}

// goSuites are suites in the order that crypto/tls gives them, whatever Config.CipherSuites says.
var goSuites = []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
	"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
	"ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA",
	"AES128-GCM-SHA256", "AES128-SHA", "AES256-SHA", "DES-CBC3-SHA"}

func TestAgreesWithGo(t *testing.T) {
	suites := codes(t, goSuites...)
	few := []suite.Group{suite.X25519, suite.Secp256r1}
	many := []suite.Group{suite.X25519MLKEM768, suite.SecP256r1MLKEM768, suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1}
	for i, s := range []setup{
		{name: "RSA", specs: []testbed.Spec{testbed.RSA2048}, policy: policy.Policy{Versions: upTo13, Suites: suites, Groups: many}},
		{name: "RSA, two groups", specs: []testbed.Spec{testbed.RSA2048}, policy: policy.Policy{Versions: upTo13, Suites: suites, Groups: few}},
		{name: "P-256", specs: []testbed.Spec{testbed.P256}, policy: policy.Policy{Versions: upTo13, Suites: suites, Groups: many}},
		{name: "P-384, two groups", specs: []testbed.Spec{testbed.P384}, policy: policy.Policy{Versions: upTo13, Suites: suites, Groups: few}},
		{name: "Ed25519", specs: []testbed.Spec{testbed.Ed25519}, policy: policy.Policy{Versions: upTo13, Suites: suites, Groups: many}},
		{name: "RSA and P-256", specs: []testbed.Spec{testbed.RSA2048, testbed.P256}, policy: policy.Policy{Versions: upTo13, Suites: suites, Groups: many}},
		{name: "P-256 and RSA", specs: []testbed.Spec{testbed.P256, testbed.RSA2048}, policy: policy.Policy{Versions: upTo13, Suites: suites, Groups: many}},
		{name: "TLS 1.2 at most, ALPN", specs: []testbed.Spec{testbed.RSA2048}, policy: policy.Policy{Versions: upTo12, Suites: suites[3:], Groups: few,
			ALPN: policy.ALPNRule{Protocols: []string{"http/1.1"}, Strict: true}}},
		{name: "TLS 1.2 and 1.3, ALPN", specs: []testbed.Spec{testbed.P256}, policy: policy.Policy{Versions: new13, Suites: suites, Groups: few,
			ALPN: policy.ALPNRule{Protocols: []string{"h2", "http/1.1"}, Strict: true}}},
	} {
		s.policy.Order = policy.ServerOrder
		t.Run(s.name, func(t *testing.T) { compare(t, startGo(t, s), uint64(i+101)) })
	}
}

// gnutlsBase is a priority string without versions, groups and schemes.
const gnutlsBase = "NONE:+COMP-NULL:+CTYPE-X509:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-CBC:+AES-256-CBC:+AEAD:+SHA1:" +
	"+ECDHE-ECDSA:+ECDHE-RSA:+DHE-RSA:+RSA"

func TestAgreesWithGnuTLS(t *testing.T) {
	few := []suite.Group{suite.Secp256r1, suite.X25519}
	many := []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1, suite.FFDHE2048, suite.FFDHE3072}
	listed := []suite.SignatureScheme{suite.RSAPSSRSAESHA384, suite.RSAPKCS1SHA256, suite.RSAPSSRSAESHA256, suite.ECDSASecp256r1SHA256}
	for i, s := range []setup{
		{name: "RSA, client order", specs: []testbed.Spec{testbed.RSA2048}, policy: policy.Policy{Versions: upTo13, Order: policy.ClientOrder, Groups: many}},
		{name: "RSA, server order", specs: []testbed.Spec{testbed.RSA2048}, policy: policy.Policy{Versions: upTo13, Order: policy.ServerOrder, Groups: many}},
		{name: "RSA, two groups", specs: []testbed.Spec{testbed.RSA2048}, policy: policy.Policy{Versions: upTo13, Order: policy.ServerOrder, Groups: few}},
		{name: "P-256, client order", specs: []testbed.Spec{testbed.P256}, policy: policy.Policy{Versions: upTo13, Order: policy.ClientOrder, Groups: few}},
		{name: "P-384, server order", specs: []testbed.Spec{testbed.P384}, policy: policy.Policy{Versions: upTo13, Order: policy.ServerOrder, Groups: many}},
		{name: "Ed25519, client order", specs: []testbed.Spec{testbed.Ed25519}, policy: policy.Policy{Versions: upTo13, Order: policy.ClientOrder, Groups: many}},
		{name: "RSA and P-256, server order", specs: []testbed.Spec{testbed.RSA2048, testbed.P256}, policy: policy.Policy{Versions: upTo13, Order: policy.ServerOrder, Groups: many}},
		{name: "P-256 and RSA, client order", specs: []testbed.Spec{testbed.P256, testbed.RSA2048}, policy: policy.Policy{Versions: upTo13, Order: policy.ClientOrder, Groups: many}},
		{name: "TLS 1.2 and 1.3, listed schemes", specs: []testbed.Spec{testbed.RSA2048}, policy: policy.Policy{Versions: new13, Order: policy.ServerOrder, Groups: many, Schemes: listed}},
	} {
		base := gnutlsBase
		if !slices.Contains(s.policy.Groups, suite.FFDHE2048) { // without a group it chooses DHE all the same, and fails
			base = strings.Replace(base, ":+DHE-RSA", "", 1)
		}
		t.Run(s.name, func(t *testing.T) { compare(t, startGnuTLS(t, s, base), uint64(i+201)) })
	}
}
