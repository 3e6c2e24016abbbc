package tap

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/parley-tls/parley/capture"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/testbed"
)

// seen collects what a tap tells.
type seen struct {
	mu        sync.Mutex
	all       []*capture.Connection
	unreached []error
}

func (s *seen) tap() *Tap {
	return &Tap{Seen: func(c *capture.Connection) { s.mu.Lock(); s.all = append(s.all, c); s.mu.Unlock() },
		Unreached: func(_ netip.AddrPort, _ string, err error) {
			s.mu.Lock()
			s.unreached = append(s.unreached, err)
			s.mu.Unlock()
		}}
}

// serve starts a relay to target; stop ends it and waits for its connections.
func serve(t *testing.T, r *Tap, target string) (addr string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Serve(ctx, l, target) }()
	return l.Addr().String(), func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		r.Wait()
	}
}

// TestUntouched passes random bytes both ways, and the end of one side while the other goes on.
func TestUntouched(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	data := make([]byte, 3<<20)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	data[0], data[1] = 22, 3 // as if it were TLS
	got := make(chan []byte, 1)
	server := testbed.Listen(t, 20*time.Second, func(c net.Conn) {
		b, _ := io.ReadAll(c) // until the client's end
		got <- b
		c.Write(b[:len(b)/2]) // and only then an answer
	})
	addr, stop := serve(t, (&seen{}).tap(), server)
	defer stop()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write(data)
	c.(*net.TCPConn).CloseWrite()
	back, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(<-got, data) || !bytes.Equal(back, data[:len(data)/2]) {
		t.Errorf("bytes were altered: %v", err)
	}
}

// TestResets passes a reset on as a reset, in both directions.
func TestResets(t *testing.T) {
	abortive := func(c net.Conn) { c.(*net.TCPConn).SetLinger(0); c.Close() }
	server := testbed.Listen(t, 10*time.Second, func(c net.Conn) { c.Read(make([]byte, 1)); abortive(c) })
	addr, stop := serve(t, (&seen{}).tap(), server)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c.Write([]byte("x"))
	if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the server's reset arrives as %v", err)
	}
	c.Close()
	stop()

	errs := make(chan error, 1)
	server = testbed.Listen(t, 10*time.Second, func(c net.Conn) { _, err := io.ReadAll(c); errs <- err })
	addr, stop = serve(t, (&seen{}).tap(), server)
	defer stop()
	if c, err = net.Dial("tcp", addr); err != nil {
		t.Fatal(err)
	}
	c.Write([]byte("x"))
	time.Sleep(50 * time.Millisecond)
	abortive(c)
	if err := <-errs; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client's reset arrives as %v", err)
	}
}

func TestTells(t *testing.T) {
	id := testbed.Make(t, testbed.P256)
	server := testbed.Listen(t, 10*time.Second, func(c net.Conn) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{id.TLS}})
		io.Copy(s, s)
	})
	var s seen
	addr, stop := serve(t, s.tap(), server)
	for i := range 20 {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: i%2 == 0, ServerName: "lb.example.com"})
		if (err == nil) != (i%2 == 0) {
			t.Fatal(err)
		}
		if err == nil {
			c.Write([]byte("x"))
			io.ReadFull(c, make([]byte, 1))
			c.Close()
		}
	}
	time.Sleep(100 * time.Millisecond)
	stop()
	count := make(map[evidence.Result]int)
	for _, c := range s.all {
		count[c.Outcome().Result]++
		if !c.Client.IsValid() || c.Server.String() != server {
			t.Errorf("%v to %v", c.Client, c.Server)
		}
	}
	if count[evidence.Established] != 10 || count[evidence.Failed] != 10 {
		t.Errorf("%v", count)
	}
}

func TestUnreached(t *testing.T) {
	var s seen
	addr, stop := serve(t, s.tap(), "127.0.0.1:1")
	if c, err := net.Dial("tcp", addr); err == nil { // or it is reset at once
		io.ReadAll(c)
		c.Close()
	}
	stop()
	if len(s.unreached) != 1 || !errors.Is(s.unreached[0], syscall.ECONNREFUSED) {
		t.Errorf("%v", s.unreached)
	}
}

func TestEnvironment(t *testing.T) {
	got := Environment([]string{"PATH=/bin", "https_proxy=http://other:1", "NO_PROXY=localhost", "JAVA_TOOL_OPTIONS=-Xmx1g"}, "127.0.0.1:99")
	for _, want := range []string{"PATH=/bin", "https_proxy=http://127.0.0.1:99", "HTTPS_PROXY=http://127.0.0.1:99", "NO_PROXY=", "NODE_USE_ENV_PROXY=1"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in %q", want, got)
		}
	}
	if text := strings.Join(got, " "); strings.Contains(text, "other") || strings.Contains(text, "NO_PROXY=localhost") || !strings.Contains(text, "-Xmx1g -Dhttps.proxyHost=127.0.0.1") {
		t.Error(text)
	}
}

func TestSameTarget(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{{"lb.example.com:443", "LB.example.com.:443", true}, {"lb.example.com:443", "lb.example.com:8443", false}, {"[::1]:443", "[::1]:443", true}, {"lb.example.com", "lb.example.com:443", false}} {
		if SameTarget(c.a, c.b) != c.same {
			t.Errorf("%s and %s: %v", c.a, c.b, !c.same)
		}
	}
}

// exhausted is a listener for which there are no files a few times.
type exhausted struct {
	net.Listener
	times int
}

func (l *exhausted) Accept() (net.Conn, error) {
	if l.times--; l.times >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

// TestOutOfFiles: a relay outlives a lack of files.
func TestOutOfFiles(t *testing.T) {
	server := testbed.Listen(t, 10*time.Second, func(c net.Conn) { io.Copy(c, c) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- (&Tap{}).Serve(ctx, &exhausted{l, 3}, server) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	c.Write([]byte("x"))
	b := make([]byte, 1)
	if _, err := c.Read(b); err != nil || b[0] != 'x' {
		t.Errorf("%q %v", b, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
