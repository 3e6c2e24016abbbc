package truth

import (
	"slices"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

var allVersions = []suite.Version{suite.TLS10, suite.TLS11, suite.TLS12, suite.TLS13}

// openSSLEndpoints are servers of `openssl s_server`.
var openSSLEndpoints = []endpoint{
	{name: "openssl-3.0-all-rsa-dsa", what: "OpenSSL 3.0 at security level 0 with all suites, RSA and DSA certificates and a pre-shared key, server's order", start: func(t *testing.T) *subject {
		cert, key := dsaFiles(t, t.TempDir())
		o := &openSSL{program: opensslProgram(t, "3.0"), ciphers: everything, suites: all13, keys: []policy.KeyType{policy.RSA, dsa}, psk: true, versions: allVersions,
			groups: []string{"secp521r1", "ffdhe3072", "x25519", "brainpoolP256r1", "secp256r1", "sect571r1", "secp256k1", "ffdhe2048", "x448"}}
		return o.sServer(t, [][2]string{pair(testbed.Make(t, testbed.RSA2048)), {cert, key}})
	}},
	{name: "openssl-3.0-all-ecdsa", what: "the same with an ECDSA certificate alone, client's order", start: func(t *testing.T) *subject {
		o := &openSSL{program: opensslProgram(t, "3.0"), ciphers: everything, suites: all13, keys: []policy.KeyType{policy.ECDSA}, versions: allVersions, clientOrder: true,
			groups: []string{"secp384r1", "secp256r1", "x448"}}
		return o.sServer(t, [][2]string{pair(testbed.Make(t, testbed.P256))})
	}},
	{name: "openssl-1.1.1-all-rsa-ecdsa", what: "OpenSSL 1.1.1 with all suites, RSA and ECDSA certificates, server's order", start: func(t *testing.T) *subject {
		o := release(t, "1.1.1")
		o.keys, o.groups = []policy.KeyType{policy.RSA, policy.ECDSA}, []string{"secp256r1", "x25519", "secp521r1"}
		return o.sServer(t, [][2]string{pair(testbed.Make(t, testbed.RSA2048)), pair(testbed.Make(t, testbed.P256))})
	}},
	{name: "openssl-3.5-hybrids", what: "OpenSSL 3.5 with post-quantum groups, TLS 1.2 and 1.3, server's order", start: func(t *testing.T) *subject {
		o := release(t, "3.5")
		o.ciphers, o.versions, o.keys = "ECDHE+AESGCM:ECDHE+CHACHA20:!aPSK:!kEDH", []suite.Version{suite.TLS12, suite.TLS13}, []policy.KeyType{policy.RSA}
		o.groups = []string{"X25519MLKEM768", "SecP384r1MLKEM1024", "MLKEM768", "x25519", "secp384r1", "secp256r1"}
		return o.sServer(t, [][2]string{pair(testbed.Make(t, testbed.RSA2048))})
	}},
	{name: "openssl-3.0-chacha-first", what: "OpenSSL 3.0, server's order, but ChaCha20 first for a client that has it first (PrioritizeChaCha)", start: func(t *testing.T) *subject {
		o := modern(t)
		return o.sServer(t, [][2]string{pair(testbed.Make(t, testbed.RSA2048))}, "-prioritize_chacha")
	}},
	{name: "openssl-3.0-client-order", what: "OpenSSL 3.0 with a policy of today, client's order", start: func(t *testing.T) *subject {
		o := modern(t)
		o.clientOrder = true
		return o.sServer(t, [][2]string{pair(testbed.Make(t, testbed.RSA2048))})
	}},
	{name: "openssl-3.0-one-suite", what: "OpenSSL 3.0 with one suite in TLS 1.2 and none else", start: func(t *testing.T) *subject {
		o := modern(t)
		o.ciphers, o.versions, o.groups = "AES256-SHA256", []suite.Version{suite.TLS12}, []string{"x25519"}
		return o.sServer(t, [][2]string{pair(testbed.Make(t, testbed.RSA2048))})
	}},
	{name: "openssl-3.0-anonymous", what: "OpenSSL 3.0 without a certificate: anonymous suites, with and without encryption", start: func(t *testing.T) *subject {
		o := modern(t)
		o.ciphers, o.versions, o.keys = "aNULL:@SECLEVEL=0", []suite.Version{suite.TLS10, suite.TLS11, suite.TLS12}, nil
		return o.sServer(t, nil, "-nocert")
	}},
}

// release is everything that a release of OpenSSL has.
func release(t *testing.T, name string) *openSSL {
	o := &openSSL{program: opensslProgram(t, name), ciphers: everything, suites: all13, versions: allVersions}
	if o.program == nil {
		testbed.Missing(t, "OpenSSL "+name)
	}
	return o
}

// modern is a policy of today in an order of its own.
func modern(t *testing.T) *openSSL {
	return &openSSL{program: opensslProgram(t, "3.0"), suites: "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
		ciphers: "ECDHE-RSA-AES256-GCM-SHA384:AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-SHA:AES256-SHA",
		keys:    []policy.KeyType{policy.RSA}, versions: slices.Clone(allVersions[2:]), groups: []string{"x25519", "secp256r1"}}
}
