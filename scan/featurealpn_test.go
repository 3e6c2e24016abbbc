package scan

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestALPN: the list, its order and what happens without overlap, in TLS 1.3, where the answer is encrypted, and
// before. openssl s_client is told the same.
func TestALPN(t *testing.T) {
	id := testbed.Make(t, testbed.RSA2048)
	withALPN := func(protocols ...string) policy.Policy {
		p := classicPolicy()
		p.ALPN.Protocols = protocols
		return p
	}
	for name, c := range map[string]struct {
		start     func(t *testing.T) *testbed.Server
		version   suite.Version
		protocols []string
		order     policy.Order
		overlap   string
	}{
		"none":            {func(t *testing.T) *testbed.Server { return openssl(t, id) }, suite.TLS13, nil, "", NoOverlapIgnored},
		"none, Node 0.10": {func(t *testing.T) *testbed.Server { return node(t, "0.10", id, `{}`) }, suite.TLS12, nil, "", NoOverlapIgnored},
		"openssl":         {func(t *testing.T) *testbed.Server { return openssl(t, id, "-alpn", "http/1.1,h2") }, suite.TLS13, []string{"http/1.1", "h2"}, policy.ServerOrder, NoOverlapAlert},
		"openssl, 1.2":    {func(t *testing.T) *testbed.Server { return openssl(t, id, "-tls1_2", "-alpn", "h2,http/1.1") }, suite.TLS12, []string{"h2", "http/1.1"}, policy.ServerOrder, NoOverlapAlert},
		"one":             {func(t *testing.T) *testbed.Server { return openssl(t, id, "-alpn", "imap") }, suite.TLS13, []string{"imap"}, "", NoOverlapAlert},
		"rare": {func(t *testing.T) *testbed.Server {
			return openssl(t, id, "-alpn", "stun.turn,postgresql,spdy/3,http/1.0,h2")
		}, suite.TLS13, []string{"stun.turn", "postgresql", "spdy/3", "http/1.0", "h2"}, policy.ServerOrder, NoOverlapAlert},
		"haproxy": {func(t *testing.T) *testbed.Server { return haproxy(t, id, "alpn h2,http/1.1") }, suite.TLS13, []string{"h2", "http/1.1"}, policy.ServerOrder, NoOverlapIgnored},
		"nginx":   {func(t *testing.T) *testbed.Server { return nginx(t, id, "http2", "") }, suite.TLS12, []string{"h2", "http/1.1", "http/1.0", "http/0.9"}, policy.ServerOrder, NoOverlapAlert},
		"gnutls": {func(t *testing.T) *testbed.Server {
			return gnutls(t, id, "NORMAL", "--alpn", "h2", "--alpn", "http/1.1")
		}, suite.TLS13, []string{"h2", "http/1.1"}, policy.ClientOrder, NoOverlapIgnored},
		"gnutls, fatal": {func(t *testing.T) *testbed.Server { return gnutls(t, id, "NORMAL", "--alpn", "h2", "--alpn-fatal") }, suite.TLS13, []string{"h2"}, "", NoOverlapAlert},
		"java":          {func(t *testing.T) *testbed.Server { return java(t, id, withALPN("http/1.1", "h2")) }, suite.TLS13, []string{"http/1.1", "h2"}, policy.ServerOrder, NoOverlapAlert},
		"node 24":       {func(t *testing.T) *testbed.Server { return node(t, "24", id, `{"ALPNProtocols":["h2","http/1.1"]}`) }, suite.TLS13, []string{"h2", "http/1.1"}, policy.ServerOrder, NoOverlapAlert},
		"node 10":       {func(t *testing.T) *testbed.Server { return node(t, "10", id, `{"ALPNProtocols":["h2"]}`) }, suite.TLS12, []string{"h2"}, "", NoOverlapIgnored},
		"go": {func(t *testing.T) *testbed.Server {
			return goServer(t, id, func(c *tls.Config) { c.NextProtos = []string{"h2", "http/1.1", "acme-tls/1"} })
		}, suite.TLS13, []string{"h2", "http/1.1", "acme-tls/1"}, policy.ServerOrder, NoOverlapAlert},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.start(t)
			a := learnt(t, s).ALPN
			expect(t, "ALPN", a.Feature, map[bool]State{true: Yes, false: No}[len(c.protocols) > 0])
			if name == "nginx" && *a.Version == suite.TLS13 { // by the build's default
				c.version = suite.TLS13
			}
			if *a.Version != c.version || !sameStrings(a.Protocols, c.protocols) || a.Order != c.order || a.NoOverlap != c.overlap || len(a.Unsure) > 0 {
				t.Errorf("%s %+v", a.Version, a)
			}
			if c.order == policy.ServerOrder && !slices.Equal(a.Protocols, c.protocols) {
				t.Errorf("in the order %v, want %v", a.Protocols, c.protocols)
			}
			if a.NoOverlap == NoOverlapAlert && (a.Alert == nil || *a.Alert != suite.AlertNoApplicationProtocol) {
				t.Errorf("alert %v", a.Alert)
			}
			want := "No ALPN negotiated"
			if len(c.protocols) > 0 {
				want = "ALPN protocol: " + c.protocols[0]
			}
			if out := sClient(t, s, "-alpn", strings.Join(append(slices.Clone(c.protocols), "http/1.1"), ",")); !strings.Contains(out, want) {
				t.Errorf("openssl s_client does not say %q", want)
			}
		})
	}
}

func sameStrings(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// TestApplicationProtocols: the list holds no name twice, and no more than a hello carries at ease.
func TestApplicationProtocols(t *testing.T) {
	size := 0
	for i, p := range applicationProtocols() {
		if size += 1 + len(p); p == "" || slices.Contains(applicationProtocols()[:i], p) || strings.ContainsAny(p, " #") {
			t.Errorf("%q", p)
		}
	}
	if size > 320 || !slices.Contains(applicationProtocols(), acmeTLS) {
		t.Errorf("%d bytes", size)
	}
	for line := range strings.Lines(alpnText) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); !strings.HasPrefix(line, "#") && (len(f) != 2 || f[1] == "") {
			t.Errorf("no source: %q", line)
		}
	}
}
