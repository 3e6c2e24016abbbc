package interop

import (
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// subject is one server of the matrix.
type subject struct {
	name   string
	what   string // for the reader of the table
	config testbed.Config
	specs  []testbed.Spec
	// noAlerts: closes the connection before its alert is out, as Node.js 0.10 does.
	noAlerts bool
}

// start starts the server with its identities.
func (s *subject) start(t *testing.T) *testbed.Server {
	t.Helper()
	var ids []*testbed.Identity
	for _, spec := range s.specs {
		ids = append(ids, testbed.Make(t, spec))
	}
	return testbed.Start(t, s.config.With(ids...))
}

// queue is how many connections may wait to be accepted, where that is few: beyond them the kernel lets a
// connection wait a second and more. gnutls-serv asks listen(2) for 10.
func (s *subject) queue() int {
	if s.config.Kind == testbed.GnuTLS {
		return 8
	}
	return 0
}

// aws is the predefined policy as a program of this kind enforces it. It may put the suites in an order of
// its own and sign by its own schemes; a policy that it can't enforce has no place in the matrix.
func aws(t *testing.T, name string, kind testbed.Kind, node string) testbed.Config {
	t.Helper()
	p := policy.ByName(name)
	if p == nil {
		t.Fatalf("no policy %s", name)
	}
	var c testbed.Config
	if kind == testbed.Node {
		c = testbed.ForPolicyNode(p, node)
	} else {
		c = testbed.ForPolicy(p, kind)
	}
	for _, d := range c.Departures {
		if d != "suites in the program's own order" && d != "signature schemes are the program's own" {
			t.Fatalf("%s cannot enforce %s: %s", c.Name(), name, d)
		}
	}
	return c
}

// own is a policy that no load balancer has.
func own(name string, versions []suite.Version, order policy.Order, groups []suite.Group, suites ...string) *policy.Policy {
	p := &policy.Policy{Name: name, Family: policy.Custom, Versions: versions, Order: order, Groups: groups}
	for _, s := range suites {
		p.Suites = append(p.Suites, suite.ByName(s).Code)
	}
	return p
}

func subjects(t *testing.T) []subject {
	tls10to12 := []suite.Version{suite.TLS10, suite.TLS11, suite.TLS12}
	legacy := own("RC4, 3DES and SSLv3", append([]suite.Version{suite.SSLv3}, tls10to12...), policy.ServerOrder, nil,
		"RC4-SHA", "RC4-MD5", "DES-CBC3-SHA", "DES-CBC-SHA", "AES128-SHA", "ECDHE-RSA-AES128-SHA")
	old := own("Node.js of 2013", tls10to12, policy.ServerOrder, nil,
		"ECDHE-RSA-AES128-SHA256", "AES128-GCM-SHA256", "RC4-SHA", "AES128-SHA", "DES-CBC3-SHA")
	cbc := own("client's order", []suite.Version{suite.TLS11, suite.TLS12}, policy.ClientOrder, nil,
		"ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA", "AES256-GCM-SHA384", "AES128-SHA", "CAMELLIA128-SHA", "ECDHE-RSA-CHACHA20-POLY1305")
	goTLS := own("crypto/tls", []suite.Version{suite.TLS10, suite.TLS11, suite.TLS12, suite.TLS13}, policy.ServerOrder, nil,
		"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-SHA", "AES128-SHA")
	goEC := own("crypto/tls, ECDSA", []suite.Version{suite.TLS12}, policy.ServerOrder, nil,
		"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-GCM-SHA256")
	goCert := own("crypto/tls, TLS 1.2 and 1.3", []suite.Version{suite.TLS12, suite.TLS13}, policy.ServerOrder, nil,
		"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-SHA256", "AES128-GCM-SHA256")
	configured := func(p *policy.Policy, kind testbed.Kind) testbed.Config { return testbed.ForPolicy(p, kind) }
	return []subject{
		{"ossl-2016-08", "OpenSSL, 2016-08, RSA", aws(t, "2016-08", testbed.OpenSSL, ""), []testbed.Spec{testbed.RSA2048}, false},
		{"ossl-tls13-ec", "OpenSSL, TLS13-1-2-2021-06, ECDSA P-256", aws(t, "TLS13-1-2-2021-06", testbed.OpenSSL, ""), []testbed.Spec{testbed.P256}, false},
		{"ossl-ed25519", "OpenSSL, TLS13-1-2-Res-2021-06, Ed25519", aws(t, "TLS13-1-2-Res-2021-06", testbed.OpenSSL, ""), []testbed.Spec{testbed.Ed25519}, false},
		{"ossl-client", "OpenSSL, TLS 1.1 and 1.2 in the client's order, RSA 1024", configured(cbc, testbed.OpenSSL), []testbed.Spec{testbed.RSA1024}, false},
		{"nginx-1-2", "nginx, TLS-1-2-2017-01, RSA", aws(t, "TLS-1-2-2017-01", testbed.Nginx, ""), []testbed.Spec{testbed.RSA2048}, false},
		{"nginx-fs-res", "nginx, FS-1-2-Res-2020-10, ECDSA P-384", aws(t, "FS-1-2-Res-2020-10", testbed.Nginx, ""), []testbed.Spec{testbed.P384}, false},
		{"haproxy-ext1", "HAProxy, TLS13-1-2-Ext1-2021-06, RSA and ECDSA", aws(t, "TLS13-1-2-Ext1-2021-06", testbed.HAProxy, ""), []testbed.Spec{testbed.RSA2048, testbed.P256}, false},
		{"haproxy-1-3", "HAProxy, TLS13-1-3-2021-06, RSA", aws(t, "TLS13-1-3-2021-06", testbed.HAProxy, ""), []testbed.Spec{testbed.RSA2048}, false},
		{"gnutls-1-1", "GnuTLS, TLS-1-1-2017-01, RSA", aws(t, "TLS-1-1-2017-01", testbed.GnuTLS, ""), []testbed.Spec{testbed.RSA2048}, false},
		{"gnutls-ed", "GnuTLS, TLS13-1-2-FIPS-2023-04, Ed25519", aws(t, "TLS13-1-2-FIPS-2023-04", testbed.GnuTLS, ""), []testbed.Spec{testbed.Ed25519}, false},
		{"go-rsa", "Go, TLS 1.0 to 1.3, RSA", configured(goTLS, testbed.Go), []testbed.Spec{testbed.RSA2048}, false},
		{"go-ec", "Go, TLS 1.2, ECDSA P-256", configured(goEC, testbed.Go), []testbed.Spec{testbed.P256}, false},
		{"java-legacy", "Java 17, SSLv3 to TLS 1.2 with RC4, 3DES and DES, RSA", configured(legacy, testbed.Java), []testbed.Spec{testbed.RSA2048}, false},
		{"java-1-2", "Java 17, TLS-1-2-2017-01, ECDSA P-256", aws(t, "TLS-1-2-2017-01", testbed.Java, ""), []testbed.Spec{testbed.P256}, false},
		{"java-ec", "Java 17, TLS13-1-2-2021-06, ECDSA P-384", aws(t, "TLS13-1-2-2021-06", testbed.Java, ""), []testbed.Spec{testbed.P384}, false},
		{"ossl35-pq", "OpenSSL 3.5, TLS13-1-2-Ext2-PQ-2025-09, RSA and ECDSA", aws(t, "TLS13-1-2-Ext2-PQ-2025-09", testbed.OpenSSL35, ""), []testbed.Spec{testbed.RSA2048, testbed.P256}, false},
		{"go-sha1", "Go, TLS 1.2 and 1.3, RSA signed with SHA-1", configured(goCert, testbed.Go), []testbed.Spec{testbed.RSASHA1}, false},
		{"go-expired", "Go, TLS 1.2 and 1.3, RSA, expired", configured(goCert, testbed.Go), []testbed.Spec{testbed.RSAExpired}, false},
		{"go-name", "Go, TLS 1.2 and 1.3, RSA for another name", configured(goCert, testbed.Go), []testbed.Spec{testbed.RSAOtherName}, false},
		{"node-0.10", "Node.js 0.10, RC4 and 3DES, RSA", testbed.ForPolicyNode(old, "0.10"), []testbed.Spec{testbed.RSA2048}, true},
		{"node-12-2016", "Node.js 12, 2016-08, ECDSA P-256", aws(t, "2016-08", testbed.Node, "12"), []testbed.Spec{testbed.P256}, false},
		{"node-24-pq", "Node.js 24, TLS13-1-2-Res-PQ-2025-09, RSA 4096", aws(t, "TLS13-1-2-Res-PQ-2025-09", testbed.Node, "24"), []testbed.Spec{testbed.RSA4096}, false},
	}
}
