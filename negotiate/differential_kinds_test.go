package negotiate_test

import (
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// kindSetups are the configurations of the servers that the test bed drives.
func kindSetups(t testing.TB) []setup {
	suites := codes(t, wide...)
	few := []suite.Group{suite.Secp256r1, suite.X25519}
	many := []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp521r1, suite.Secp384r1}
	h2 := policy.ALPNRule{Protocols: []string{"h2", "http/1.1"}, Strict: true}
	return []setup{
		{name: "RSA, client order", specs: []testbed.Spec{testbed.RSA2048}, policy: policy.Policy{Versions: upTo13, Suites: suites, Order: policy.ClientOrder, Groups: many}},
		{name: "RSA, server order, ALPN", specs: []testbed.Spec{testbed.RSA2048}, policy: policy.Policy{Versions: new13, Suites: suites, Order: policy.ServerOrder, Groups: few, ALPN: h2}},
		{name: "P-256, client order", specs: []testbed.Spec{testbed.P256}, policy: policy.Policy{Versions: upTo13, Suites: suites, Order: policy.ClientOrder, Groups: few}},
		{name: "P-384, server order", specs: []testbed.Spec{testbed.P384}, policy: policy.Policy{Versions: upTo13, Suites: suites, Order: policy.ServerOrder, Groups: many}},
		{name: "Ed25519, server order", specs: []testbed.Spec{testbed.Ed25519}, policy: policy.Policy{Versions: upTo13, Suites: suites, Order: policy.ServerOrder, Groups: many}},
		{name: "TLS 1.2 at most", specs: []testbed.Spec{testbed.RSA2048}, policy: policy.Policy{Versions: upTo12, Suites: suites[3:], Order: policy.ServerOrder, Groups: few}},
	}
}

// TestAgreesWithJSSE leaves out what Decide does not say of JSSE. In TLS 1.3 it signs by ecdsa_sha1, against RFC
// 8446 section 4.2.3, and ends with another alert where a scheme is for another curve than the certificate's;
// and it has Ed25519 certificates sign before TLS 1.2.
func TestAgreesWithJSSE(t *testing.T) {
	for i, s := range kindSetups(t) {
		switch s.specs[0].Key {
		case policy.Ed25519:
			continue
		case policy.ECDSA:
			s.policy.Versions, s.policy.Suites = upTo12, s.policy.Suites[3:]
		}
		t.Run(s.name, func(t *testing.T) { compare(t, startKind(t, s, testbed.Java), uint64(i+301)) })
	}
}

func TestAgreesWithBoringSSL(t *testing.T) {
	for i, s := range kindSetups(t) {
		t.Run(s.name, func(t *testing.T) { compare(t, startKind(t, s, testbed.Bun), uint64(i+401)) })
	}
}
