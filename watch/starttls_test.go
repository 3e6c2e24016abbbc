package watch

import (
	"net/netip"
	"testing"
	"time"

	"github.com/parley-tls/parley/capture"
	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/follow"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// TestStartTLSApart: a client that upgrades and one that begins with TLS are two groups, and why the other fails shows.
func TestStartTLSApart(t *testing.T) {
	at := time.Unix(1e9, 0)
	h := &hello.ClientHello{RecordVersion: suite.TLS10, Version: suite.TLS12, Random: make([]byte, 32), Suites: []suite.Code{0xC02F}}
	c := NewCollector()
	for _, n := range []*follow.Negotiation{
		{Hello: h, HelloAt: at, AnswerAt: at, Last: at, End: &follow.End{By: follow.Server, How: follow.Closed, After: follow.Hello, At: at}, Stage: follow.Hello},
		{Hello: h, HelloAt: at, AnswerAt: at, Last: at, Preamble: hello.KindPostgres, Stage: follow.Established, Choice: &hello.ServerHello{Version: suite.TLS12, Suite: 0xC02F, Random: make([]byte, 32)}},
	} {
		c.Add(&capture.Connection{Negotiation: n, Client: netip.MustParseAddrPort("192.0.2.1:1"), Server: netip.MustParseAddrPort("192.0.2.2:5432")})
	}
	r := c.Report("test", &capture.Stats{})
	if len(r.Groups) != 2 || r.Groups[0].StartTLS != "" || r.Groups[1].StartTLS != "postgres" {
		t.Fatalf("%+v", r.Groups)
	}
	if f := r.Groups[0].Failures; len(f) != 1 || len(f[0].Causes) == 0 || f[0].Causes[0].ID != cause.TLSOnSTARTTLSPort {
		t.Errorf("%+v", f)
	}
}
