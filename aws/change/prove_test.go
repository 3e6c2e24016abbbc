package change

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/testbed"
)

// TestWatchAddresses: an endpoint with two addresses is proven when both follow; until then, and where one cannot be reached, it is not.
func TestWatchAddresses(t *testing.T) {
	from, to := policy.ByName("TLS-1-2-2017-01"), policy.ByName("TLS13-1-2-2021-06")
	id := testbed.Make(t, testbed.RSA2048)
	server := func(p *policy.Policy) string {
		return testbed.Start(t, testbed.ForPolicy(p, testbed.OpenSSL).With(id)).Addr
	}
	now, before := server(to), server(from)
	host, port, err := net.SplitHostPort(now)
	if err != nil {
		t.Fatal(err)
	}
	var follows atomic.Bool
	second, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err != nil {
		t.Skip("no second loopback address: ", err)
	}
	defer second.Close()
	go func() {
		for {
			c, err := second.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				upstream := before
				if follows.Load() {
					upstream = now
				}
				s, err := net.Dial("tcp", upstream)
				if err != nil {
					return
				}
				defer s.Close()
				go func() { io.Copy(s, c); s.(*net.TCPConn).CloseWrite() }()
				io.Copy(c, s)
			}()
		}
	}()
	addresses := []string{"127.0.0.2", host}
	e := &Endpoint{Host: "lb.test", Port: port, ServerName: "localhost", LookUp: func(context.Context, string) ([]string, error) { return addresses, nil }}
	var told []string
	p := e.Watch(t.Context(), from, to, 30*time.Second, func(text string) {
		told = append(told, text)
		follows.Store(true)
	})
	if p.Verdict != Proven || len(p.Addresses) != 2 || p.Looks < 2 || p.Connections == 0 || p.Took < firstPause {
		t.Errorf("%+v", p)
	}
	if len(told) == 0 || !strings.Contains(told[0], "1 of 2 addresses proven, 1 of 2 addresses still-old") {
		t.Errorf("told %q", told)
	}

	addresses = []string{"100::1", host} // RFC 6666: packets to it are discarded
	if p := e.Watch(t.Context(), from, to, 30*time.Second, nil); p.Addresses[1].noRoute && p.Verdict != Proven {
		t.Errorf("no route to IPv6: %+v", p)
	}
	addresses = []string{host, "127.0.0.3"} // where nothing listens
	if p := e.Watch(t.Context(), from, to, 30*time.Second, nil); p.Verdict != Unreachable || p.Looks != 2 || p.Addresses[0].Verdict != Proven {
		t.Errorf("one of two cannot be reached: %+v", p)
	}
	for _, c := range []struct {
		sights []Sight
		want   Verdict
	}{
		{[]Sight{{Address: "192.0.2.1", Verdict: Proven}, {Address: "2001:db8::1", Verdict: Unreachable, noRoute: true}}, Proven},
		{[]Sight{{Address: "192.0.2.1", Verdict: Proven}, {Address: "2001:db8::1", Verdict: Unreachable}}, Unreachable},
		{[]Sight{{Address: "192.0.2.1", Verdict: Proven}, {Address: "192.0.2.2", Verdict: Unreachable, noRoute: true}}, Unreachable},
		{[]Sight{{Address: "2001:db8::1", Verdict: Unreachable, noRoute: true}}, Unreachable},
		{[]Sight{{Verdict: Alike}, {Verdict: Alike}}, Alike},
		{[]Sight{{Verdict: Neither}, {Verdict: StillOld}, {Verdict: Proven}}, StillOld},
	} {
		if got := sum(c.sights); got != c.want {
			t.Errorf("%+v: %s, want %s", c.sights, got, c.want)
		}
	}
	addresses = nil
	if p := e.Watch(t.Context(), from, to, 0, nil); p.Verdict != Unreachable {
		t.Errorf("no address: %+v", p)
	}
	e.LookUp = func(context.Context, string) ([]string, error) { return nil, errors.New("no such host") }
	if p := e.Watch(t.Context(), from, nil, 0, nil); p.Verdict != Unprovable {
		t.Errorf("nothing is known of the new policy: %+v", p)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	begun := time.Now()
	if p := e.Watch(ended, from, to, time.Hour, nil); p.Verdict != Unreachable || time.Since(begun) > 10*time.Second {
		t.Errorf("interrupted: %+v", p)
	}
}
