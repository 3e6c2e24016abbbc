package diagnose

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// browser is a hello with many things that a faulty server may break on.
func browser(t *testing.T) *ClientSide {
	return custom(t, func(o *hello.Offer) {
		o.Extensions = []uint16{hello.ExtServerName, hello.ExtStatusRequest, hello.ExtSCT, hello.ExtCompressCertificate, hello.ExtALPN, hello.ExtSessionTicket, hello.ExtEncryptThenMAC, hello.ExtPostHandshakeAuth}
		o.ALPN = []string{"h2", "http/1.1"}
		o.SessionTicket, o.EncryptThenMAC = true, true
		o.GREASE = true
	})
}

// TestCombinations: servers that need two changes at once. The report must name both, and no third.
func TestCombinations(t *testing.T) {
	rsa := goServer(t, configOf(t, testbed.RSA2048))
	for _, c := range []struct {
		name   string
		client *ClientSide
		breaks func(h *hello.ClientHello) bool
		want   []cause.ID
		words  []string
	}{
		{"ALPN and an extension", browser(t), func(h *hello.ClientHello) bool {
			return h.HasExtension(hello.ExtALPN) || h.HasExtension(hello.ExtSCT)
		}, []cause.ID{cause.ExtensionIntolerance, cause.NoCommonALPN}, []string{"signed_certificate_timestamp", "application_layer_protocol_negotiation"}},
		{"GREASE and TLS 1.3", browser(t), func(h *hello.ClientHello) bool {
			return h.Offer().GREASE || slices.Contains(h.Offer().Versions, suite.TLS13)
		}, []cause.ID{cause.VersionIntolerance, cause.ExtensionIntolerance}, []string{"GREASE"}},
		{"one suite and one extension", browser(t), func(h *hello.ClientHello) bool {
			return slices.Contains(h.Suites, 0x009A) || h.HasExtension(hello.ExtEncryptThenMAC)
		}, []cause.ID{cause.ExtensionIntolerance}, []string{"encrypt_then_mac"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := gate(t, rsa, func(h *hello.ClientHello, _ []byte) verdict {
				if c.breaks(h) {
					return reset
				}
				return pass
			}, nil, 0)
			d := live(t, c.client, address, testbed.HostName, nil)
			var got []cause.ID
			for _, k := range d.Causes {
				got = append(got, k.ID)
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(c.want))
			if d.Outcome != Refused || !slices.Equal(got, want) {
				t.Fatalf("outcome %s, causes %+v; want %v", d.Outcome, d.Causes, want)
			}
			for _, w := range c.words {
				if !slices.ContainsFunc(d.Causes, func(k Cause) bool { return strings.Contains(k.Summary, w) }) {
					t.Errorf("no cause speaks of %s: %+v", w, d.Causes)
				}
			}
			if len(d.Fixes) == 0 || d.Fixes[0].Side != SideClient || !d.Fixes[0].Proved {
				t.Errorf("no proved fix: %+v", d.Fixes)
			}
			t.Logf("%s (%d connections)", d.Causes[0].Summary, d.Connections)
		})
	}
}

// TestF5Range: a server that never answers a ClientHello of 256 to 511 bytes.
func TestF5Range(t *testing.T) {
	rsa := goServer(t, configOf(t, testbed.RSA2048))
	address := gate(t, rsa, func(h *hello.ClientHello, raw []byte) verdict {
		if inF5Range(h) {
			return drop
		}
		return pass
	}, nil, 0)
	c := custom(t, func(o *hello.Offer) { o.ALPN = []string{strings.Repeat("a", 60), strings.Repeat("b", 60)} })
	if !inF5Range(c.Hello) {
		t.Fatalf("the client's hello has %d bytes", c.Hello.WireSize())
	}

	d := live(t, c, address, testbed.HostName, nil)
	if !slices.ContainsFunc(d.Causes, func(k Cause) bool { return k.ID == cause.HelloSizeIntolerance }) {
		t.Errorf("causes %+v", d.Causes)
	}
}

// TestRefusedOnce: an endpoint that resets one connection in its life. The report must not blame the hello.
func TestRefusedOnce(t *testing.T) {
	rsa := goServer(t, configOf(t, testbed.RSA2048))
	c := browser(t)
	var seen atomic.Int32
	address := gate(t, rsa, func(h *hello.ClientHello, _ []byte) verdict {
		if h.HasExtension(hello.ExtALPN) && seen.Add(1) == 1 {
			return reset
		}
		return pass
	}, nil, 0)
	d := live(t, c, address, testbed.HostName, nil)
	if d.Outcome != Refused || len(d.Causes) != 1 || d.Causes[0].ID != cause.ConnectionReset || d.Repeat == nil || d.Repeat.A.Failures != 0 {
		t.Errorf("outcome %s, causes %+v, repeat %+v", d.Outcome, d.Causes, d.Repeat)
	}
}

// TestAddressesDiffer: two machines behind one name, one of them with another policy.
func TestAddressesDiffer(t *testing.T) {
	modern := goServer(t, configOf(t, testbed.RSA2048))
	old := openssl(t, testbed.RSA2048, "-cipher", "AES128-SHA:@SECLEVEL=0", "-no_tls1_3")
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		to := map[string]string{"192.0.2.1:443": modern, "192.0.2.2:443": old}[address]
		return (&net.Dialer{}).DialContext(ctx, network, to)
	}
	e := &Endpoint{Name: "lb.example.com", Host: "lb.example.com", Port: "443", ServerName: testbed.HostName, Addresses: []string{"192.0.2.1", "192.0.2.2"}}
	opt := Options{Prober: &probe.Prober{Timeout: 2 * time.Second, DialContext: dial}, Now: time.Now()}
	d := Live(context.Background(), profile(t, "java-7u25"), e, opt)
	if len(d.Addresses) != 2 || d.Addresses[0].Outcome != Refused || d.Addresses[1].Outcome != Negotiated || d.Findings[0].ID != "addresses-differ" {
		t.Errorf("addresses %+v, findings %+v", d.Addresses, d.Findings)
	}
	if d.Outcome != Refused || d.Causes[0].ID != cause.NoCommonVersion {
		t.Errorf("outcome %s, causes %+v", d.Outcome, d.Causes)
	}
	valid(t, "why", d)

	table := AllClients(context.Background(), e, opt)
	valid(t, "why-clients", table)
	if !table.Reached || len(table.Findings) != 1 || table.Findings[0].ID != "addresses-differ" {
		t.Errorf("findings %+v", table.Findings)
	}
	for _, r := range table.Clients {
		if want := map[string][]string{"java-7u25": {"192.0.2.1:443"}, "chrome-137": {}, "tls13-only": {"192.0.2.2:443"}}[r.Name]; want != nil && (r.Works != (len(want) == 0) || !slices.Equal(r.FailsAt, want)) {
			t.Errorf("%+v, want it to fail at %v", r, want)
		}
	}
}

// TestQuote: what a capture says is a name must not become a command.
func TestQuote(t *testing.T) {
	for word, want := range map[string]string{
		"lb.example.com": "lb.example.com", "::1": "::1", "": "''", "-connect": "'-connect'",
		"x;touch /tmp/owned;$(id)": "'x;touch /tmp/owned;$(id)'", "it's": `'it'\''s'`,
	} {
		if got := quote(word); got != want {
			t.Errorf("quote(%q) = %s, want %s", word, got, want)
		}
	}
}

// TestTableOfAStalledEndpoint: where every answer breaks off, no client gets in.
func TestTableOfAStalledEndpoint(t *testing.T) {
	address := gate(t, goServer(t, configOf(t, testbed.RSA2048)), everything, nil, 300)
	host, port, _ := net.SplitHostPort(address)
	table := AllClients(context.Background(), &Endpoint{Name: address, Host: host, Port: port, Addresses: []string{host}, ServerName: testbed.HostName},
		Options{Prober: &probe.Prober{Timeout: time.Second}, Now: time.Now()})
	if table.Reached || len(table.Causes) == 0 || table.Causes[0].ID != cause.MTUBlackhole || len(table.Clients) != 0 {
		t.Errorf("reached %v, %d clients, causes %+v", table.Reached, len(table.Clients), table.Causes)
	}
}
