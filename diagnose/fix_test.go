package diagnose

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

var rsaIdentity = &policy.Identity{Certificates: []policy.Certificate{{KeyType: policy.RSA, Bits: 2048, Names: []string{"lb.example.com"}}}}

// TestFixesFix: for clients and policies that do not agree, every proposed policy lets the client in, is one
// that can be set, and no stricter one of the same kind does; every proposed offer is accepted.
func TestFixesFix(t *testing.T) {
	refused := 0
	clients := client.All()
	for i, p := range slices.Concat(policy.InFamily(policy.AWS), policy.InFamily(policy.Classic), policy.InFamily(policy.Google), policy.InFamily(policy.Azure)) {
		for j := i % 9; j < len(clients); j += 9 {
			c := FromProfile(clients[j])
			d := AgainstPolicy(c, p, rsaIdentity, "lb.example.com", time.Now())
			if d.Outcome != Refused || d.Causes[0].ID.Stage() != cause.Hello {
				continue
			}
			refused++
			o := c.offerTo("lb.example.com")
			s := &server{policy: p, id: rsaIdentity, name: "lb.example.com", family: p.Family, kind: p.Kind, now: p}
			for _, f := range clientFixes(c, s) {
				if f.Side != SideClient || f.offer == nil || !s.accepts(f.offer) {
					t.Errorf("%s under %s: %q does not help", c.Name, p.Name, f.Summary)
				}
			}
			first := true
			for _, f := range d.Fixes {
				if f.Policy == "" {
					continue
				}
				to := policy.ByName(string(p.Family) + "/" + f.Policy)
				if to == nil || !policy.Selectable(to) || !negotiate.Decide(&o, to, rsaIdentity).OK {
					t.Fatalf("%s under %s: the policy %s is no fix", c.Name, p.Name, f.Policy)
				}
				if first {
					stricterHelps(t, c.Name, &o, p, to)
				} else if len(f.Price.LosesClients)+len(f.Price.DropsVersions) > 0 {
					t.Errorf("%s under %s: %s is said to keep everybody but has the price %+v", c.Name, p.Name, f.Policy, f.Price)
				}
				first = false
			}
		}
	}
	if refused < 300 {
		t.Errorf("only %d refusals: the test looks at too little", refused)
	}
}

// stricterHelps fails the test if a policy stricter than the proposed one, of the same kind, lets the client in.
func stricterHelps(t *testing.T, name string, o *hello.Offer, now, proposed *policy.Policy) {
	for _, q := range policy.InFamily(proposed.Family) {
		if q != proposed && q != now && q.Kind == proposed.Kind && policy.Selectable(q) && policy.Stricter(q, proposed) < 0 && negotiate.Decide(o, q, rsaIdentity).OK {
			t.Errorf("%s: %s is proposed, but %s is stricter and lets the client in", name, proposed.Name, q.Name)
		}
	}
}

// TestListenerFix: on a listener of its own making, the least that lets the client in is enabled and no more.
func TestListenerFix(t *testing.T) {
	p := &policy.Policy{Family: policy.Observed, Versions: []suite.Version{suite.TLS12}, Suites: []suite.Code{0xC02F, 0xC030}, Groups: []suite.Group{suite.X25519, suite.Secp256r1}}
	for _, c := range []struct {
		client string
		want   string
	}{
		{"ie8-winxp", "TLS 1.0 and the cipher suite DES-CBC3-SHA"},
		{"java-7u25", "TLS 1.0 and the cipher suite ECDHE-RSA-AES128-SHA"},
		{"ie11-win7", "the cipher suite ECDHE-RSA-AES256-SHA384"},
	} {
		prof, err := client.Find(c.client)
		if err != nil {
			t.Fatal(err)
		}
		o := prof.OfferTo("lb.example.com")
		f, ok := listenerFix(&o, &server{policy: p, id: rsaIdentity, name: "lb.example.com"})
		out := negotiate.Decide(&o, p, rsaIdentity)
		if out.OK {
			t.Errorf("%s gets in already", c.client)
			continue
		}
		if !ok || !strings.Contains(f.Summary, "Enable "+c.want) {
			t.Errorf("%s: %q, want %q", c.client, f.Summary, c.want)
		}
	}
}

// TestSetting: the first setting that is enough, or all together where it takes more than one.
func TestSetting(t *testing.T) {
	remedies := []client.Remedy{
		{Enables: []string{"TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"}, Summary: "enable TLS 1.2", Commands: []string{"tls on"}, Source: "its manual"},
		{Enables: []string{"x25519"}, Summary: "enable the curve", Commands: []string{"curve on"}, Source: "its release notes"},
		{Enables: []string{"server_name"}, Summary: "send the name", Source: "its manual"},
	}
	old := hello.Offer{Versions: []suite.Version{suite.TLS10}, Suites: []suite.Code{0x002F}, HasGroups: true, Groups: []suite.Group{suite.Secp256r1}}
	accepting := func(groups ...suite.Group) *server {
		return &server{id: rsaIdentity, name: "lb.example.com", policy: &policy.Policy{Versions: []suite.Version{suite.TLS12}, Suites: []suite.Code{0xC02F}, Groups: groups}}
	}
	for _, c := range []struct {
		server   *server
		commands []string
	}{
		{accepting(suite.Secp256r1), []string{"tls on"}},
		{accepting(suite.X25519), []string{"tls on", "curve on"}},
		{accepting(suite.Secp521r1), nil},
	} {
		f, ok := setting(old, remedies, c.server)
		if ok != (c.commands != nil) || ok && (!slices.Equal(f.Commands, c.commands) || !c.server.accepts(f.offer)) {
			t.Errorf("groups %v: %+v, %v; want %v", c.server.policy.Groups, f.Fix, ok, c.commands)
		}
	}
	if o := old; !slices.Equal(o.Versions, []suite.Version{suite.TLS10}) || len(o.Groups) != 1 {
		t.Errorf("the offer itself was changed: %+v", o)
	}
}

// TestTolerance: a refusal of the client's own comes with the client's own setting, and every word that is asked for
// is one that profiles know.
func TestTolerance(t *testing.T) {
	for id, word := range tolerances {
		if client.Enabling[word] == "" {
			t.Errorf("%s asks for %q, which client.Enabling does not know", id, word)
		}
	}
	d := live(t, profile(t, "nodejs-24"), goServer(t, configOf(t, testbed.RSA1024)), testbed.HostName, nil)
	if len(d.Fixes) < 2 || d.Fixes[0].Side != SideClient || len(d.Fixes[0].Commands) == 0 || d.Fixes[1].Side != SideCertificate {
		t.Errorf("%+v", d.Fixes)
	}
}
