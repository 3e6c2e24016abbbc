package scan

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// openssl starts openssl s_server with these options.
func openssl(t *testing.T, id *testbed.Identity, options ...string) *testbed.Server {
	testbed.Need(t, "openssl")
	port := testbed.FreePort(t)
	args := append([]string{"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port), "-cert", id.Cert, "-key", id.Key, "-quiet"}, options...)
	return testbed.Run(t, port, "openssl", args...)
}

// TestQuickSeesThePolicy configures OpenSSL as each policy that it can enforce and demands the same policy
// back: versions, suites, groups, order and certificate.
func TestQuickSeesThePolicy(t *testing.T) {
	for _, c := range []struct {
		name     string
		spec     testbed.Spec
		options  []string
		versions []suite.Version
		suites   []string
		groups   []suite.Group
		order    policy.Order
		keys     []policy.KeyType
	}{
		{"TLS 1.2 and 1.3, RSA", testbed.RSA2048,
			[]string{"-serverpref", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA", "-ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384", "-groups", "X25519:P-256"},
			[]suite.Version{suite.TLS12, suite.TLS13},
			[]string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "AES128-SHA"},
			[]suite.Group{suite.X25519, suite.Secp256r1}, policy.ServerOrder, []policy.KeyType{policy.RSA}},
		{"TLS 1.0 to 1.2, client order", testbed.RSA2048,
			[]string{"-cipher", "ECDHE-RSA-AES128-SHA:AES128-SHA:AES256-SHA:@SECLEVEL=0", "-no_tls1_3"},
			[]suite.Version{suite.TLS10, suite.TLS11, suite.TLS12},
			[]string{"ECDHE-RSA-AES128-SHA", "AES128-SHA", "AES256-SHA"},
			[]suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1}, policy.ClientOrder, []policy.KeyType{policy.RSA}},
		{"TLS 1.3 alone, ECDSA", testbed.P256, []string{"-tls1_3", "-groups", "P-384"},
			[]suite.Version{suite.TLS13}, []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"},
			[]suite.Group{suite.Secp384r1}, policy.OrderUnknown, []policy.KeyType{policy.ECDSA}},
		{"CCM in TLS 1.3", testbed.RSA2048, []string{"-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_8_SHA256:TLS_AES_128_CCM_SHA256"},
			[]suite.Version{suite.TLS13}, []string{"TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_8_SHA256", "TLS_AES_128_CCM_SHA256"},
			[]suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1}, policy.OrderUnknown, []policy.KeyType{policy.RSA}},
		{"DHE and CAMELLIA", testbed.RSA2048, []string{"-tls1_2", "-cipher", "DHE-RSA-AES256-GCM-SHA384:CAMELLIA128-SHA:@SECLEVEL=0"},
			[]suite.Version{suite.TLS12}, []string{"DHE-RSA-AES256-GCM-SHA384", "CAMELLIA128-SHA"}, nil, policy.ClientOrder, []policy.KeyType{policy.RSA}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openssl(t, testbed.Make(t, c.spec), c.options...)
			var p probe.Prober
			e := Quick(context.Background(), &p, probe.Target{Address: s.Addr}, Options{ServerName: testbed.HostName})
			var want []suite.Code
			for _, n := range c.suites {
				want = append(want, suite.ByName(n).Code)
			}
			got := slices.Clone(e.Policy.Suites)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(e.Policy.Versions, c.versions) || !slices.Equal(got, want) || e.Policy.Order != c.order || !slices.Equal(e.KeyTypes(), c.keys) {
				t.Errorf("saw %+v\nkeys %v", e.Policy, e.KeyTypes())
			}
			gg, wg := slices.Clone(e.Policy.Groups), slices.Clone(c.groups)
			slices.Sort(gg)
			slices.Sort(wg)
			if !slices.Equal(gg, wg) {
				t.Errorf("groups %v, want %v", e.Policy.Groups, c.groups)
			}
			if p.Connections() > 40 {
				t.Errorf("%d connections", p.Connections())
			}
			t.Logf("%d connections, %d round trips", p.Connections(), p.RoundTrips())
		})
	}
}

// TestLots: what the budget reaches is asked for suite by suite, the rest in lots, and only what is settled counts
// as not accepted.
func TestLots(t *testing.T) {
	s := &state{replies: make(map[string]Reply)}
	answer := func(name string, a probe.Answer, v suite.Version, c suite.Code) {
		s.replies[name] = Reply{Question{Name: name}, probe.Observation{Answer: a, Version: v, Suite: c}}
	}
	answer(suite.TLS12.String(), probe.ServerHello, suite.TLS12, 0x0005)
	answer(suite.TLS10.String(), probe.ServerHello, suite.TLS10, 0x0005)
	answer(askRSA, probe.ServerHello, suite.TLS12, 0x0005)
	answer(kindName("anonymous and NULL"), probe.ServerHello, suite.TLS12, 0x003B)
	lots := s.openLots([]suite.Code{0x0002})
	var got []string
	for _, l := range divide(lots, 7) {
		got = append(got, fmt.Sprintf("%s %d %t", l.version, len(l.suites), l.asked))
	}
	// The client's own first, then RC4, which is the smallest kind, suite by suite.
	want := []string{"TLSv1.2 1 true", "TLSv1.2 1 true", "TLSv1.2 1 true", "TLSv1.2 4 true", "TLSv1.2 4 true", "TLSv1.2 4 true", "TLSv1.2 2 true"}
	if !slices.Equal(got, want) || lots[0].suites[0] != 0x0002 {
		t.Errorf("%q, want %q", got, want)
	}
	if l := divide(lots, 1); !l[0].asked || l[1].asked {
		t.Errorf("a budget of one question: %v", l)
	}
	s.lots = []lot{{suite.TLS12, []suite.Code{0x0018, 0x0034}, true}, {suite.TLS12, []suite.Code{0x001B, 0x003A}, true}, {suite.TLS12, []suite.Code{0x0001}, false}}
	answer(s.lots[0].name(), probe.Alerted, 0, 0)
	answer(s.lots[1].name(), probe.ServerHello, suite.TLS12, 0x003A)
	if got := s.open(); !slices.Equal(got, []suite.Code{0x001B, 0x0001}) {
		t.Errorf("open: %v", got)
	}
}

// TestQuickUnderLoss: an endpoint that resets a connection now and then looks the same as without.
func TestQuickUnderLoss(t *testing.T) {
	s := testbed.Start(t, testbed.ForPolicy(policy.ByName("ELBSecurityPolicy-TLS13-1-2-2021-06"), testbed.Go).With(testbed.Make(t, testbed.RSA2048)))
	want := Quick(context.Background(), &probe.Prober{}, probe.Target{Address: s.Addr}, Options{ServerName: testbed.HostName})
	for phase := range 7 {
		got := Quick(context.Background(), &probe.Prober{}, probe.Target{Address: lossy(t, s.Addr, 9, phase)}, Options{ServerName: testbed.HostName})
		if !slices.Equal(got.Policy.Versions, want.Policy.Versions) || !slices.Equal(got.Policy.Suites, want.Policy.Suites) || !slices.Equal(got.Policy.Groups, want.Policy.Groups) {
			t.Errorf("phase %d: saw %+v, want %+v", phase, got.Policy, want.Policy)
		}
	}
}

// lossy relays to upstream but resets one connection of every n.
func lossy(t *testing.T, upstream string, n, phase int) string {
	return admitting(t, upstream, func(i int) bool { return (i-1+phase)%n != n-1 })
}

// TestPostQuantumGroups: with a server that has one suite alone, which is not offered with these groups, their
// refusal proves nothing.
func TestPostQuantumGroups(t *testing.T) {
	for suites, asked := range map[string]bool{"TLS_AES_128_GCM_SHA256": false, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384": true} {
		s := openssl(t, testbed.Make(t, testbed.RSA2048), "-tls1_3", "-ciphersuites", suites, "-groups", "X25519")
		var p probe.Prober
		e := Quick(context.Background(), &p, probe.Target{Address: s.Addr}, Options{ServerName: testbed.HostName})
		if slices.Contains(e.GroupsAsked, suite.X25519MLKEM768) != asked || !slices.Equal(e.Policy.Groups, []suite.Group{suite.X25519}) {
			t.Errorf("%s: asked for %v, saw %v", suites, e.GroupsAsked, e.Policy.Groups)
		}
	}
}
