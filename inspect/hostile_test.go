package inspect

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// hears reads a hello, and returns nil where there is none that can be read.
func hears(c net.Conn) *hello.ClientHello {
	raw := make([]byte, 1<<16)
	n, _ := c.Read(raw)
	h, err := hello.ParseClientHello(raw[:n])
	if err != nil || len(h.Suites) == 0 {
		return nil
	}
	return h
}

// says answers whatever comes, and waits for the client to hang up.
func says(b []byte) func(net.Conn) {
	return func(c net.Conn) {
		c.Read(make([]byte, 1<<16))
		c.Write(b)
		io.Copy(io.Discard, c)
	}
}

// floods answers whatever comes with some bytes, and then with others for ever.
func floods(first []byte, unit ...byte) func(net.Conn) {
	block := bytes.Repeat(unit, 1+1<<14/len(unit))
	return func(c net.Conn) {
		c.Read(make([]byte, 1<<16))
		c.Write(first)
		for {
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	}
}

// drips sends bytes one by one, each before a client that waits for the next gives up.
func drips(b []byte) func(net.Conn) {
	return func(c net.Conn) {
		for i := 0; ; i++ {
			if _, err := c.Write(b[i%len(b):][:1]); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func record(kind uint8, b []byte) []byte { return hello.AppendRecords(nil, kind, suite.TLS12, b) }

func message(kind uint8, body ...byte) []byte {
	return record(hello.RecordHandshake, hello.Message{Type: kind, Body: body}.Marshal())
}

// choice is a ServerHello.
func choice(t testing.TB, v suite.Version, c suite.Code, retry bool) []byte {
	t.Helper()
	s := &hello.ServerHello{LegacyVersion: min(v, suite.TLS12), Random: make([]byte, 32), Suite: c, Retry: retry}
	if v >= suite.TLS13 {
		s.Extensions = []hello.Extension{{Type: hello.ExtSupportedVersions, Data: []byte{byte(v >> 8), byte(v)}}}
		share := []byte{0, 29, 0, 32}
		if retry {
			share = share[:2]
		} else {
			share = append(share, bytes.Repeat([]byte{9}, 32)...)
		}
		s.Extensions = append(s.Extensions, hello.Extension{Type: hello.ExtKeyShare, Data: share})
	}
	m, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return record(hello.RecordHandshake, m)
}

// flight is what a server of version v answers that chooses suite c: TLS 1.3 ends with a record that is encrypted, TLS
// before with ServerHelloDone.
func flight(t testing.TB, v suite.Version, c suite.Code, chain [][]byte) []byte {
	b := choice(t, v, c, false)
	if v >= suite.TLS13 {
		return append(b, record(hello.RecordApplicationData, make([]byte, 400))...)
	}
	m, err := hello.MarshalCertificate(chain)
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, record(hello.RecordHandshake, m)...)
	k := hello.ServerKeyExchange{Group: suite.X25519, Public: bytes.Repeat([]byte{9}, 32), Prime: bytes.Repeat([]byte{0xFF}, 256), Generator: []byte{2}, Scheme: suite.RSAPKCS1SHA256, Signature: []byte{1}}
	if m, err := k.Marshal(v, c); err == nil {
		b = append(b, record(hello.RecordHandshake, m)...)
	}
	return append(b, message(hello.TypeServerHelloDone)...)
}

// lies answers each hello with a flight for what pick chooses of it.
func lies(t testing.TB, pick func(r *rand.Rand, h *hello.ClientHello) (suite.Version, suite.Code, bool)) func(net.Conn) {
	chain := testbed.Make(t, testbed.RSA2048).TLS.Certificate
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(1, 2))
	return func(c net.Conn) {
		for h := hears(c); h != nil; h = hears(c) {
			mu.Lock()
			v, s, retry := pick(random, h)
			mu.Unlock()
			if retry {
				c.Write(choice(t, suite.TLS13, s, true))
				continue
			}
			c.Write(flight(t, v, s, chain))
		}
	}
}

func newest(h *hello.ClientHello) suite.Version {
	o := h.Offer()
	return o.Versions[0]
}

func anyOf[T any](r *rand.Rand, l []T) T { return l[r.IntN(len(l))] }

// noSuite is none that anybody offers.
const noSuite suite.Code = 0xCAFE

// TestHostile: whatever an endpoint does, a scan of it ends, within a time that its limit for a connection bounds, with a
// bounded number of connections and in bounded memory, and leaves nothing running.
func TestHostile(t *testing.T) {
	check, used := leavesNothing(t), peak()
	t.Run("servers", hostileServers)
	if n := used(); n > 64<<20 {
		t.Errorf("%d MiB of memory", n>>20)
	}
	check()
}

// TestInterruptedEnds: a scan that is given up, whenever that is, ends soon and leaves nothing running.
func TestInterruptedEnds(t *testing.T) {
	check := leavesNothing(t)
	t.Run("servers", func(t *testing.T) {
		id := testbed.Make(t, testbed.RSA2048).TLS
		for name, serve := range map[string]func(net.Conn){
			"silence": func(c net.Conn) { io.Copy(io.Discard, c) },
			"drip":    drips(record(22, nil)),
			"stall":   says(choice(t, suite.TLS12, 0xC02F, false)),
			"good":    func(c net.Conn) { tls.Server(c, &tls.Config{Certificates: []tls.Certificate{id}}).Handshake() },
		} {
			addr := testbed.Listen(t, time.Minute, serve)
			host, port, _ := net.SplitHostPort(addr)
			for _, depth := range []Depth{Quick, Basic, Full} {
				for _, after := range []time.Duration{0, 3 * time.Millisecond, 20 * time.Millisecond, 60 * time.Millisecond} {
					ctx, cancel := context.WithTimeout(t.Context(), after)
					start := time.Now()
					Run(ctx, &probe.Prober{Timeout: time.Minute}, Target{Name: addr, Host: host, Port: port, Address: addr, ServerName: testbed.HostName}, Options{Depth: depth})
					if took := time.Since(start); took > after+5*time.Second {
						t.Errorf("%s, %s, given up after %v: took %v", name, depth, after, took)
					}
					cancel()
				}
			}
		}
	})
	check()
}

// leavesNothing counts goroutines, and returns a check that there are no more.
func leavesNothing(t *testing.T) func() {
	goroutines := runtime.NumGoroutine()
	return func() {
		t.Helper()
		for until := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(until) {
				var stacks strings.Builder
				pprof.Lookup("goroutine").WriteTo(&stacks, 1)
				t.Fatalf("%d goroutines are left of %d:\n%s", runtime.NumGoroutine(), goroutines, stacks.String())
			}
		}
	}
}

func hostileServers(t *testing.T) {
	hello12 := choice(t, suite.TLS12, 0xC02F, false)
	all, good := suite.All(), testbed.Make(t, testbed.RSA2048).TLS
	chain := good.Certificate
	for _, x := range []struct {
		name     string
		startTLS string
		serve    func(net.Conn)
	}{
		{"silence", "", func(c net.Conn) { io.Copy(io.Discard, c) }},
		{"close", "", func(c net.Conn) { hears(c) }},
		{"garbage", "", says([]byte("\xDE\xAD\xBE\xEF"))},
		{"endless garbage", "", floods(nil, 0xDE, 0xAD, 0xBE)},
		{"endless warnings", "", floods(nil, hello.MarshalAlert(suite.TLS12, false, suite.AlertUnrecognizedName)...)},
		{"endless requests for a hello", "", floods(nil, message(0)...)},
		{"endless empty records", "", floods(nil, record(22, nil)...)},
		{"endless ServerHellos", "", floods(nil, hello12...)},
		{"endless messages", "", floods(hello12, message(99, make([]byte, 2000)...)...)},
		{"endless small messages", "", floods(hello12, message(22, 1)...)},
		{"a message of 16 MB", "", floods(append(hello12, record(22, []byte{11, 0xFF, 0xFF, 0xFF})...), record(22, make([]byte, 16000))...)},
		{"a record of 64 KiB", "", floods(hello12, append([]byte{22, 3, 3, 0xFF, 0xFF}, make([]byte, 0xFFFF)...)...)},
		{"drip", "", drips(append(hello12, message(hello.TypeCertificate, make([]byte, 3000)...)...))},
		{"drip of records", "", drips(record(22, nil))},
		{"stall after the ServerHello", "", says(hello12)},
		{"truncation", "", says(hello12[:20])},
		{"endless smtp greeting", "smtp", floods(nil, []byte("220-more\r\n")...)},
		{"endless imap greeting", "imap", floods(nil, []byte("* OK more\r\n")...)},
		{"endless xmpp greeting", "xmpp", floods(nil, []byte("<more/>")...)},
		{"silent smtp", "smtp", func(c net.Conn) { io.Copy(io.Discard, c) }},
		{"drip of smtp", "smtp", drips([]byte("220-more\r\n"))},
		{"suite that was not offered", "", lies(t, func(r *rand.Rand, h *hello.ClientHello) (suite.Version, suite.Code, bool) {
			return newest(h), noSuite, false
		})},
		{"one suite for ever", "", lies(t, func(r *rand.Rand, h *hello.ClientHello) (suite.Version, suite.Code, bool) {
			return newest(h), 0xC02F, false
		})},
		{"any suite", "", lies(t, func(r *rand.Rand, h *hello.ClientHello) (suite.Version, suite.Code, bool) {
			return newest(h), anyOf(r, all).Code & 0xFFFF, false
		})},
		{"any suite of the hello", "", lies(t, func(r *rand.Rand, h *hello.ClientHello) (suite.Version, suite.Code, bool) {
			return newest(h), anyOf(r, h.Suites), false
		})},
		{"first suite of the hello", "", lies(t, func(r *rand.Rand, h *hello.ClientHello) (suite.Version, suite.Code, bool) {
			return newest(h), h.Suites[0], false
		})},
		{"any version", "", lies(t, func(r *rand.Rand, h *hello.ClientHello) (suite.Version, suite.Code, bool) {
			return anyOf(r, []suite.Version{suite.SSLv3, suite.TLS10, suite.TLS11, suite.TLS12, suite.TLS13}), anyOf(r, h.Suites), false
		})},
		{"a choice, and a refusal after it", "", func(c net.Conn) {
			if h := hears(c); h != nil {
				c.Write(append(choice(t, newest(h), anyOf(rand.New(rand.NewPCG(uint64(h.Random[0]), 3)), h.Suites), false), hello.MarshalAlert(suite.TLS12, true, suite.AlertHandshakeFailure)...))
			}
		}},
		{"refusal of what it accepts", "", func(c net.Conn) {
			accepts, h := []suite.Code{0xC028, 0x003C, 0xC030, 0x009D, 0xC013}, hears(c)
			if h == nil || newest(h) != suite.TLS12 {
				return
			}
			first := slices.IndexFunc(accepts, func(x suite.Code) bool { return slices.Contains(h.Suites, x) })
			others := slices.ContainsFunc(h.Suites, func(x suite.Code) bool { return !slices.Contains(accepts, x) })
			if first < 0 || !others && len(h.Suites) > 1 { // so that no question tells the order
				c.Write(hello.MarshalAlert(suite.TLS12, true, suite.AlertHandshakeFailure))
				return
			}
			c.Write(flight(t, suite.TLS12, accepts[first], chain))
		}},
		{"data without end after the handshake", "", func(c net.Conn) {
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{good}})
			for s.Handshake() == nil {
				if _, err := s.Write(make([]byte, 1<<14)); err != nil {
					return
				}
			}
		}},
		{"HelloRetryRequest for ever", "", lies(t, func(r *rand.Rand, h *hello.ClientHello) (suite.Version, suite.Code, bool) {
			return newest(h), anyOf(r, h.Suites), true
		})},
		{"now and then", "", lies(t, func(r *rand.Rand, h *hello.ClientHello) (suite.Version, suite.Code, bool) {
			return newest(h), anyOf(r, []suite.Code{h.Suites[0], noSuite}), r.IntN(3) == 0
		})},
	} {
		for _, depth := range []Depth{Quick, Basic, Full} {
			t.Run(x.name+", "+string(depth), func(t *testing.T) {
				t.Parallel()
				var connections atomic.Int32
				addr := testbed.Listen(t, time.Minute, func(c net.Conn) {
					connections.Add(1)
					x.serve(c)
				})
				host, port, _ := net.SplitHostPort(addr)
				p := &probe.Prober{Timeout: hostileLimit}
				start := time.Now()
				r := Run(t.Context(), p, Target{Name: addr, Host: host, Port: port, Address: addr, ServerName: testbed.HostName, StartTLS: x.startTLS}, Options{Depth: depth})
				if took := time.Since(start); took > 60*hostileLimit+5*time.Second {
					t.Errorf("took %v, %.0f times the limit of a connection", took.Round(time.Millisecond), float64(took)/float64(hostileLimit))
				}
				most := map[Depth]int{Quick: 60, Basic: 4000, Full: 4500}[depth]
				if n := connections.Load(); r.Connections > most || int(n) > r.Connections {
					t.Errorf("%d connections, and it says %d", n, r.Connections)
				}
				gaveUp := slices.ContainsFunc(r.NotTested, func(s string) bool { return strings.Contains(s, "given up") })
				if many := r.Connections >= 10000; many && !gaveUp {
					t.Errorf("%d connections, and it does not say that it gave up: %q", r.Connections, r.NotTested)
				}
				for _, l := range r.Ciphers {
					if gaveUp && l.Sorted {
						t.Errorf("%s: it says that the order is known", l.Version)
					}
				}
			})
		}
	}
}

// hostileLimit is the limit of a connection to a hostile server.
const hostileLimit = 200 * time.Millisecond

// peak watches the heap until it is asked what it was at most beyond what it was at first.
func peak() func() uint64 {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	runtime.GC()
	before, most := heap(), uint64(0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			most = max(most, heap())
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-stopped
		return most - min(most, before)
	}
}
