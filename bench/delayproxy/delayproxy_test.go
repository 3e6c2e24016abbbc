package delayproxy

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/parley-tls/parley/testbed"
)

// serve answers each connection by f and returns its address.
func serve(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	return testbed.Listen(t, 0, f)
}

func start(t *testing.T, upstream string, rtt time.Duration) (*Proxy, net.Conn, time.Time) {
	t.Helper()
	p, err := Start(upstream, rtt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	begin := time.Now()
	c, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return p, c, begin
}

func within(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got < want || got > want+want/2+50*time.Millisecond {
		t.Errorf("%s after %v, want %v", what, got, want)
	}
}

func TestEchoTakesTwoRoundTrips(t *testing.T) {
	const rtt = 60 * time.Millisecond
	p, c, begin := start(t, serve(t, func(c net.Conn) { io.Copy(c, c) }), rtt)
	buf := make([]byte, 5)
	for i := range 3 {
		c.Write([]byte("hello"))
		if _, err := io.ReadFull(c, buf); err != nil {
			t.Fatal(err)
		}
		// One for the TCP handshake, one for each exchange.
		within(t, "answer", time.Since(begin), time.Duration(i+2)*rtt)
	}
	if got, want := p.Counters(), (Counters{Connections: 1, Up: 15, Down: 15, Most: 1}); got != want {
		t.Errorf("counters %v, want %v", got, want)
	}
}

func TestGreetingTakesOneAndAHalf(t *testing.T) {
	const rtt = 80 * time.Millisecond
	_, c, begin := start(t, serve(t, func(c net.Conn) { c.Write([]byte("220 ready\r\n")); io.Copy(io.Discard, c) }), rtt)
	if _, err := c.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	within(t, "greeting", time.Since(begin), rtt+rtt/2)
}

func TestDelayIsNoThrottle(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB
	_, c, begin := start(t, serve(t, func(c net.Conn) { c.Write(want) }), 20*time.Millisecond)
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, %v; want %d", len(got), err, len(want))
	}
	if d := time.Since(begin); d > 2*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestResetAndRefusalReachTheClient(t *testing.T) {
	_, c, _ := start(t, serve(t, func(c net.Conn) {
		c.Read(make([]byte, 1))
		c.(*net.TCPConn).SetLinger(0)
	}), time.Millisecond)
	c.Write([]byte("x"))
	if _, err := c.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("reset upstream seen as %v", err)
	}
	p, c, _ := start(t, "127.0.0.1:1", time.Millisecond)
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("an upstream that refuses was not noticed")
	}
	if p.Counters().Refused != 1 {
		t.Errorf("counters %v", p.Counters())
	}
}

func TestBadInput(t *testing.T) {
	for _, c := range []struct {
		upstream string
		rtt      time.Duration
	}{{"no-port", time.Millisecond}, {"127.0.0.1:443", -1}, {"127.0.0.1:443", time.Hour}} {
		if p, err := Start(c.upstream, c.rtt); err == nil {
			p.Stop()
			t.Errorf("Start(%q, %v) went through", c.upstream, c.rtt)
		}
	}
}

func TestMostOpenAtOnce(t *testing.T) {
	const rtt = 100 * time.Millisecond
	p, first, _ := start(t, serve(t, func(c net.Conn) { io.Copy(c, c) }), rtt)
	dial := func() net.Conn {
		c, err := net.Dial("tcp", p.Addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	second := dial()
	time.Sleep(rtt / 2)
	for range 5 { // one after the other: never more than three at once
		first.Close()
		first = dial()
		time.Sleep(rtt / 2)
	}
	dial()
	time.Sleep(rtt / 2)
	if got := p.Counters().Most; got != 3 {
		t.Errorf("%d open at once, want 3", got)
	}
	second.Close()
}
