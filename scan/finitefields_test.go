package scan

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestFiniteFields: servers that go by the client's finite-field groups before TLS 1.3, and those that do not. asked is
// how many hellos may ask for them.
func TestFiniteFields(t *testing.T) {
	id := testbed.Make(t, testbed.RSA2048)
	all := finiteGroups()
	gnu := func(priority string) func(*testing.T) *testbed.Server {
		return func(t *testing.T) *testbed.Server { return gnutls(t, id, priority) }
	}
	jsse := func(groups ...suite.Group) func(*testing.T) *testbed.Server {
		return func(t *testing.T) *testbed.Server {
			c := testbed.Config{Kind: testbed.Java, Policy: classicPolicy(), JavaGroups: slices.Concat(groups, []suite.Group{suite.Secp256r1})}
			c.Policy.Suites = []suite.Code{0x009E, 0xC02F}
			if name, ok := c.Installed(t); !ok {
				testbed.Missing(t, name)
			}
			return testbed.Start(t, c.With(id))
		}
	}
	sServer := func(options ...string) func(*testing.T) *testbed.Server {
		return func(t *testing.T) *testbed.Server {
			return openssl(t, id, append([]string{"-tls1_2", "-cipher", "DHE:ECDHE:@SECLEVEL=0"}, options...)...)
		}
	}
	for name, c := range map[string]struct {
		start func(*testing.T) *testbed.Server
		want  []suite.Group
		order policy.Order
		asked int
	}{
		"gnutls, all, client's order": {gnu("NORMAL"), all, policy.ClientOrder, 8},
		"gnutls, two, server's order": {gnu("NORMAL:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-FFDHE3072:+GROUP-FFDHE2048:%SERVER_PRECEDENCE"),
			[]suite.Group{suite.FFDHE3072, suite.FFDHE2048}, policy.ServerOrder, 6},
		"gnutls, one":               {gnu("NORMAL:-KX-ALL:+DHE-RSA:-GROUP-ALL:+GROUP-FFDHE2048:-VERS-TLS1.3"), []suite.Group{suite.FFDHE2048}, policy.OrderUnknown, 2},
		"gnutls, no suite has them": {gnu("NORMAL:-DHE-RSA"), nil, "", 0},
		"gnutls, pre-shared keys alone": {func(t *testing.T) *testbed.Server {
			keys := filepath.Join(t.TempDir(), "psk")
			if err := os.WriteFile(keys, []byte("client:1a2b3c4d\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return gnutls(t, id, "NORMAL:-VERS-TLS1.3:-KX-ALL:+DHE-PSK:+PSK:-GROUP-ALL:+GROUP-FFDHE2048:+GROUP-FFDHE4096", "--pskpasswd", keys)
		}, []suite.Group{suite.FFDHE2048, suite.FFDHE4096}, policy.ClientOrder, 6},
		"java, all":                            {jsse(all...), all, policy.ClientOrder, 8},
		"java, another prime without a name":   {jsse(suite.FFDHE3072, suite.FFDHE4096), []suite.Group{suite.FFDHE3072, suite.FFDHE4096}, policy.ClientOrder, 6},
		"java, two, one without a name too":    {jsse(suite.FFDHE3072, suite.FFDHE2048), []suite.Group{suite.FFDHE2048, suite.FFDHE3072}, policy.ClientOrder, 6},
		"java, one, not that without a name":   {jsse(suite.FFDHE3072), []suite.Group{suite.FFDHE3072}, "", 6},
		"java, one, that without a name":       {jsse(suite.FFDHE2048), nil, "", 2},
		"openssl, prime of its own":            {sServer(), nil, "", 1},
		"openssl, ffdhe2048 whatever is asked": {sServer("-dhparam", testbed.DHParameters(t, "ffdhe2048")), nil, "", 2},
		"openssl, TLS 1.0":                     {func(t *testing.T) *testbed.Server { return openssl(t, id, "-tls1", "-cipher", "DHE:@SECLEVEL=0") }, nil, "", 1},
		"go":                                   {func(t *testing.T) *testbed.Server { return goServer(t, id, nil) }, nil, "", 0},
		"nginx, Mozilla's old policy, ffdhe2048": {func(t *testing.T) *testbed.Server {
			c := testbed.ForPolicy(mustFind(t, "Mozilla-old-5.7"), testbed.OpenSSL)
			ciphers := ""
			for _, s := range c.Policy.Suites {
				ciphers += s.OpenSSL() + ":"
			}
			return nginx(t, id, "", fmt.Sprintf("ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers %sDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0; ssl_dhparam %s;",
				ciphers, testbed.DHParameters(t, "ffdhe2048")))
		}, nil, "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.start(t)
			relay := testbed.NewRelay(t, s.Addr)
			r := Full(context.Background(), &probe.Prober{}, probe.Target{Address: relay.Addr}, Options{ServerName: testbed.HostName})
			got := slices.DeleteFunc(slices.Clone(r.Groups12.Groups), func(g suite.Group) bool { return !isFinite(g) })
			asked := 0
			for _, record := range relay.Stop() {
				h, err := hello.ParseClientHello(record.Client())
				if err != nil {
					continue // a spare connection, or SSLv2
				}
				if o := h.Offer(); o.Versions[0] < suite.TLS13 && slices.ContainsFunc(o.Groups, isFinite) {
					asked++
				}
			}
			t.Logf("%v, %s order; %d of %d connections", r.Groups12.Groups, r.Groups12.Order, asked, r.Connections)
			want := slices.Clone(c.want)
			if c.order == policy.ClientOrder {
				slices.Sort(got)
			}
			if !slices.Equal(got, want) || len(r.Groups12.Unsure) > 0 {
				t.Errorf("%v, unsure %v; want %v", got, r.Groups12.Unsure, want)
			}
			if curves := len(r.Groups12.Groups) - len(got); c.order != "" && r.Groups12.Order != c.order || c.order == policy.ServerOrder && !r.Groups12.Sorted || curves == 0 && len(got) == 1 && r.Groups12.Order != policy.OrderUnknown {
				t.Errorf("order %q, sorted %t", r.Groups12.Order, r.Groups12.Sorted)
			}
			if asked > c.asked || asked == 0 && c.asked > 0 {
				t.Errorf("%d hellos asked, want %d at most", asked, c.asked)
			}
			for _, q := range r.Seen.Replies {
				if q.Version < suite.TLS13 && q.Answer.Accepted() && slices.ContainsFunc(q.Offer.Groups, isFinite) {
					t.Fatalf("an answer in %s to %v is left", q.Version, q.Offer.Groups)
				}
			}
		})
	}
}

// TestFiniteAnswers: what a line of finite fields makes of answers that no server here can be made to give.
func TestFiniteAnswers(t *testing.T) {
	f := &full{}
	prime := func(name string) *probe.Observation {
		return &probe.Observation{Answer: probe.ServerHello, Complete: true, KeyExchange: &hello.ServerKeyExchange{Prime: primeNamed(t, name).Bytes()}}
	}
	own := &probe.Observation{Answer: probe.ServerHello, Complete: true, KeyExchange: &hello.ServerKeyExchange{Prime: big.NewInt(23).Bytes()}}
	ask := func(answers ...*probe.Observation) *finiteLine {
		l := f.finiteLine(suite.TLS12, []suite.Code{0x009E})
		for _, o := range answers {
			round := make([]*probe.Observation, len(l.next()))
			for i := range round {
				round[i] = o
			}
			l.take(round)
		}
		return l
	}
	alert := &probe.Observation{Answer: probe.Alerted}
	for name, c := range map[string]struct {
		answers []*probe.Observation
		want    []suite.Group
		ended   bool
	}{
		"refused":                       {[]*probe.Observation{alert}, nil, true},
		"refused after its ServerHello": {[]*probe.Observation{{Answer: probe.ServerHello, End: probe.Alerted}}, nil, true},
		"broken off, then taken":        {[]*probe.Observation{{Answer: probe.ServerHello, End: probe.Reset}, prime("ffdhe4096"), alert}, []suite.Group{suite.FFDHE4096}, true},
		"ended after the first answer":  {[]*probe.Observation{prime("ffdhe4096")}, nil, false},
		"another prime":                 {[]*probe.Observation{own}, nil, true},
		"RFC 3526":                      {[]*probe.Observation{prime("RFC 3526 group 14")}, nil, true},
		"one by name, else its own":     {[]*probe.Observation{prime("ffdhe4096"), own}, []suite.Group{suite.FFDHE4096}, true},
		"the same whatever is offered":  {[]*probe.Observation{prime("ffdhe4096"), prime("ffdhe4096")}, nil, true},
	} {
		l := ask(c.answers...)
		ended := len(l.next()) == 0
		if got := l.result().Groups; !slices.Equal(got, c.want) || ended != c.ended {
			t.Errorf("%s: %v, ended %t", name, got, ended)
		}
	}
	l := ask()
	for range maxTries {
		if n := len(l.next()); n != 1 {
			t.Fatalf("%d questions", n)
		}
		l.take([]*probe.Observation{{Answer: probe.ServerHello, End: probe.Silent}})
	}
	if r := l.result(); len(r.Groups) != 0 || len(r.Unsure) != len(finiteGroups()) {
		t.Errorf("silence: %+v", r)
	}
}

// TestGroupsOfTwoKinds puts lists together.
func TestGroupsOfTwoKinds(t *testing.T) {
	curves := []suite.Group{suite.X25519, suite.Secp256r1}
	fields := []suite.Group{suite.FFDHE2048, suite.FFDHE3072}
	server, client := policy.ServerOrder, policy.ClientOrder
	for _, c := range []struct {
		a, b   GroupResult
		order  policy.Order
		sorted bool
	}{
		{GroupResult{Groups: curves, Order: server, Sorted: true}, GroupResult{Order: policy.OrderUnknown, Sorted: true}, server, true},
		{GroupResult{Groups: curves, Order: server, Sorted: true}, GroupResult{Groups: fields, Order: server, Sorted: true}, server, true},
		{GroupResult{Groups: curves, Order: server, Sorted: true}, GroupResult{Groups: fields, Order: server}, server, false},
		{GroupResult{Groups: curves, Order: client}, GroupResult{Groups: fields[:1], Order: policy.OrderUnknown, Sorted: true}, client, false},
		{GroupResult{Groups: curves[:1], Order: policy.OrderUnknown, Sorted: true}, GroupResult{Groups: fields, Order: client}, client, false},
		{GroupResult{Groups: curves, Order: client}, GroupResult{Groups: fields, Order: server, Sorted: true}, policy.OrderUnknown, false},
	} {
		got := c.a.and(c.b)
		if got.Order != c.order || got.Sorted != c.sorted || !slices.Equal(got.Groups, slices.Concat(c.a.Groups, c.b.Groups)) {
			t.Errorf("%+v", got)
		}
	}
}
