package watch

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/parley-tls/parley/capture"
	"github.com/parley-tls/parley/follow"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// TestBounded collects hostile variety: hellos as large as they may be, each another client, each refused.
func TestBounded(t *testing.T) {
	c := NewCollector()
	filler := make([]byte, 30000)
	name := hello.Extension{Type: hello.ExtServerName, Data: append([]byte{0x75, 0x33, 0, 0x75, 0x30}, bytes.Repeat([]byte("n"), 30000)...)}
	for i := range maxGroups + 100 {
		h := &hello.ClientHello{RecordVersion: suite.TLS10, Version: suite.TLS12, Random: make([]byte, 32), Suites: []suite.Code{suite.Code(i), 0xC02F},
			Extensions: []hello.Extension{{Type: uint16(i) + 16, Data: filler}, name}}
		n := &follow.Negotiation{Hello: h, Stage: follow.Hello, HelloAt: time.Unix(1e9, 0), ClientCertificates: -1,
			Alerts: []follow.Alert{{From: follow.Server, Alert: hello.Alert{Fatal: true, Description: suite.AlertHandshakeFailure}, After: follow.Hello}}}
		c.Add(&capture.Connection{Negotiation: n, Client: netip.MustParseAddrPort("192.0.2.1:1"), Server: netip.MustParseAddrPort("192.0.2.2:443")})
	}
	r := c.Report("test", &capture.Stats{})
	if c.kept > maxKept || r.Beyond == 0 || len(r.Groups) != maxGroups || r.Failed != maxGroups+100 {
		t.Errorf("%d bytes are kept, %d groups, %d beyond, %d failed", c.kept, len(r.Groups), r.Beyond, r.Failed)
	}
	for _, g := range r.Groups {
		if len(g.Names) != 1 || len(g.Names[0]) != maxName {
			t.Fatalf("names: %d bytes", len(g.Names[0]))
		}
		if len(g.Failures) != 1 || len(g.Failures[0].Causes) == 0 {
			t.Fatalf("%+v", g)
		}
	}
}
