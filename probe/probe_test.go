package probe

import (
	"context"
	"net"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// TestAll: answers come in the order of the hellos, no more connections are open at once than allowed, and
// they are counted.
func TestAll(t *testing.T) {
	var open, most atomic.Int64
	address := listen(t, func(c *net.TCPConn) {
		n := open.Add(1)
		defer open.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		b := make([]byte, 4096)
		k, _ := c.Read(b)
		h, err := hello.ParseClientHello(b[:k])
		if err != nil {
			return
		}
		c.Write(alert(true, suite.Alert(h.Suites[0]))) // so that the answer tells which hello it is for
	})
	var hellos [][]byte
	var want []suite.Alert
	for i := range 10 {
		h, err := hello.ParseClientHello(clientHello(t, suite.TLS12))
		if err != nil {
			t.Fatal(err)
		}
		h.SetSuites(suite.Code(40 + i))
		raw, err := h.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		hellos, want = append(hellos, raw), append(want, suite.Alert(40+i))
	}
	p := &Prober{Parallel: 3}
	var got []suite.Alert
	for _, o := range p.All(context.Background(), Target{Address: address}, hellos) {
		if o.Answer != Alerted || o.FirstByte == 0 || o.Received != 7 || len(o.Raw) != 7 {
			t.Errorf("%+v", o)
		}
		got = append(got, o.Alert)
	}
	if !slices.Equal(got, want) {
		t.Errorf("alerts %v, want %v", got, want)
	}
	if most.Load() > 4 { // one may be on its way out at the server
		t.Errorf("%d connections at once", most.Load())
	}
	if p.Connections() != 10 || p.RoundTrips() != 2*4 {
		t.Errorf("%d connections, %d round trips", p.Connections(), p.RoundTrips())
	}
	p.Hello(context.Background(), Target{Address: address}, hellos[0])
	p.Waited(1, 3)
	if p.Connections() != 12 || p.RoundTrips() != 2*5+3 {
		t.Errorf("%d connections, %d round trips", p.Connections(), p.RoundTrips())
	}
	if p.All(context.Background(), Target{Address: address}, nil); p.RoundTrips() != 2*5+3 {
		t.Error("nothing was sent, and something counted")
	}
}

// TestAnswers says what the answers mean.
func TestAnswers(t *testing.T) {
	for a, want := range map[Answer][3]bool{ // accepted, refusal, reached
		NoAddress: {}, Refused: {}, ConnectTimeout: {}, Unreachable: {},
		PreambleFailed: {false, false, true}, ServerHello: {true, false, true}, HelloRetry: {true, false, true},
		Alerted: {false, true, true}, Closed: {false, true, true}, Reset: {false, false, true}, Silent: {false, false, true},
		NotTLS: {false, false, true}, Malformed: {false, false, true},
	} {
		if got := [3]bool{a.Accepted(), a.Refusal(), a.Reached()}; got != want {
			t.Errorf("%s: %v, want %v", a, got, want)
		}
	}
}
