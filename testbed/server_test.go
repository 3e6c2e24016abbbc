package testbed

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// TestEveryKindOfServer starts each kind and has OpenSSL complete an exchange with it.
func TestEveryKindOfServer(t *testing.T) {
	p := policy.ByName("TLS13-1-2-Ext1-2021-06")
	for _, k := range []struct {
		kind Kind
		node string
		want suite.Version
	}{{OpenSSL, "", suite.TLS13}, {Nginx, "", suite.TLS13}, {HAProxy, "", suite.TLS13}, {GnuTLS, "", suite.TLS13}, {Go, "", suite.TLS13},
		{Java, "", suite.TLS13}, {Node, "0.10", suite.TLS12}, {Node, "8", suite.TLS12}, {Node, "26", suite.TLS13}, {Bun, "", suite.TLS13}} {
		for _, spec := range []Spec{RSA2048, P256} {
			if k.node == "0.10" && spec.Key == policy.ECDSA {
				continue // it has no ECDHE
			}
			t.Run(string(k.kind)+k.node+"/"+spec.Name, func(t *testing.T) {
				c := settle(Config{Kind: k.kind, Node: k.node, Policy: *p}).With(Make(t, spec))
				if name, ok := c.Installed(t); !ok {
					Missing(t, name)
				}
				s := Start(t, c)
				r := NewRelay(t, s.Addr)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				got := opensslClients()[0].Connect(ctx, Target{Addr: r.Addr, ServerName: HostName, CA: s.CA})
				if !got.OK || got.Version != k.want {
					t.Fatalf("%+v; the server printed:\n%s", got, s.Log())
				}
				records := r.Stop()
				if len(records) != 1 {
					t.Fatalf("%d connections", len(records))
				}
				seen, err := records[0].Read()
				if err != nil || seen.Version() != got.Version || seen.Suite() != got.Suite {
					t.Errorf("the relay saw %v %v, %v; the client %v %v", seen.Version(), seen.Suite().OpenSSL(), err, got.Version, got.Suite.OpenSSL())
				}
			})
		}
	}
}

// TestEveryClient has each client complete an exchange with a server that takes it, and compares what it
// tells with what the relay saw.
func TestEveryClient(t *testing.T) {
	servers := []*Server{}
	for _, c := range []struct {
		kind     Kind
		versions []suite.Version
	}{{OpenSSL, []suite.Version{suite.TLS10, suite.TLS11, suite.TLS12, suite.TLS13}}, {Java, []suite.Version{suite.SSLv3, suite.TLS12}}, {Node, []suite.Version{suite.TLS10, suite.TLS11}}} {
		p := policy.Policy{Versions: c.versions, Order: policy.ClientOrder, Groups: []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1}}
		for _, n := range []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
			"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA", "AES128-GCM-SHA256", "AES128-SHA", "RC4-SHA", "CAMELLIA128-SHA"} {
			p.Suites = append(p.Suites, suite.ByName(n).Code)
		}
		config := settle(Config{Kind: c.kind, Policy: p, Node: "12"}).With(Make(t, RSA2048), Make(t, P256))
		if name, ok := config.Installed(t); !ok {
			Missing(t, name)
		}
		servers = append(servers, Start(t, config))
	}
	for _, client := range Clients(t) {
		t.Run(client.Name, func(t *testing.T) {
			if client.Missing() != "" {
				Missing(t, client.Missing())
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var outputs []string
			for _, s := range servers {
				r := NewRelay(t, s.Addr)
				got := client.Connect(ctx, Target{Addr: r.Addr, ServerName: HostName, CA: s.CA})
				seen, err := r.Stop()[0].Read()
				if err != nil {
					t.Fatal(err)
				}
				if got.OK {
					if got.Version != 0 && got.Version != seen.Version() || got.Suite != 0 && got.Suite != seen.Suite() {
						t.Errorf("the client tells %v %v, the wire %v %v", got.Version, got.Suite.OpenSSL(), seen.Version(), seen.Suite().OpenSSL())
					}
					return
				}
				outputs = append(outputs, got.Output)
			}
			t.Errorf("no server takes it:\n%s", strings.Join(outputs, "\n"))
		})
	}
}

// TestDeparturesAreNamed: what a program can't do is said, and its policy is what it does instead.
func TestDeparturesAreNamed(t *testing.T) {
	for _, c := range []struct {
		policy string
		kind   Kind
		want   int
	}{{"TLS13-1-2-2021-06", OpenSSL, 0}, {"TLS13-1-2-Res-PQ-2025-09", OpenSSL, 3}, {"2016-08", HAProxy, 1}} {
		if got := ForPolicy(policy.ByName(c.policy), c.kind); len(got.Departures) != c.want {
			t.Errorf("%s on %s: %q", c.policy, c.kind, got.Departures)
		}
	}
}
