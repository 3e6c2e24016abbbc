package connect

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestHostile: servers that do everything but serve. Each has its cause, in bounded time and memory.
func TestHostile(t *testing.T) {
	rsa := testbed.Make(t, testbed.RSA2048)
	upstream := goServer(t, &tls.Config{Certificates: []tls.Certificate{rsa.TLS}})
	// after relays the first flight of the server and then does as told.
	after := func(do func(net.Conn)) string {
		return listener(t, func(c net.Conn) {
			raw, h := readHello(c)
			if h == nil {
				return
			}
			u, err := net.Dial("tcp", upstream)
			if err != nil {
				return
			}
			defer u.Close()
			u.Write(raw)
			u.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			io.Copy(c, u)
			do(c)
		})
	}
	for _, c := range []struct {
		name    string
		address string
		want    cause.ID
		outcome string
	}{
		{"nobody listens", "127.0.0.1:1", cause.ConnectionRefused, diagnose.Unreachable},
		{"garbage", listener(t, func(c net.Conn) { c.Write(bytes.Repeat([]byte{0xA5, 0x5A, 0x00}, 1000)) }), cause.NotTLS, diagnose.Refused},
		{"garbage in records", listener(t, func(c net.Conn) {
			readHello(c)
			c.Write(hello.AppendRecords(nil, hello.RecordHandshake, suite.TLS12, []byte{2, 0, 0, 3, 1, 2, 3}))
		}), cause.ProtocolViolation, diagnose.Refused},
		{"silence", listener(t, func(c net.Conn) { io.Copy(io.Discard, c) }), cause.NotTLS, diagnose.Unreachable},
		{"close", listener(t, func(c net.Conn) { readHello(c) }), cause.ConnectionReset, diagnose.Refused},
		{"flood", listener(t, func(c net.Conn) {
			readHello(c)
			record := hello.AppendRecords(nil, hello.RecordHandshake, suite.TLS12, make([]byte, 16<<10))
			for _, err := c.Write(record); err == nil; _, err = c.Write(record) {
			}
		}), cause.ProtocolViolation, diagnose.Refused},
		{"flood after the first flight", after(func(c net.Conn) {
			record := hello.AppendRecords(nil, hello.RecordApplicationData, suite.TLS12, make([]byte, 16<<10))
			for _, err := c.Write(record); err == nil; _, err = c.Write(record) {
			}
		}), cause.ProtocolViolation, diagnose.Refused},
		{"reset after the first flight", after(func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }), cause.ConnectionReset, diagnose.Refused},
		{"a suite that was not offered", listener(t, func(c net.Conn) {
			readHello(c)
			h := hello.ServerHello{LegacyVersion: suite.TLS12, Random: make([]byte, 32), Suite: 0x0000}
			m, _ := h.Marshal()
			m = append(m, hello.Message{Type: hello.TypeServerHelloDone}.Marshal()...)
			c.Write(hello.AppendRecords(nil, hello.RecordHandshake, suite.TLS12, m))
			io.Copy(io.Discard, c)
		}), cause.ProtocolViolation, diagnose.Refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := request(t, c.address, Selection{Versions: only(suite.TLS13, suite.TLS12)})
			q.Prober.Timeout = time.Second
			var before, now runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			r := run(t, q)
			took := time.Since(start)
			runtime.ReadMemStats(&now)
			if took > 12*time.Second {
				t.Errorf("it took %s", took)
			}
			if r.Outcome != c.outcome {
				t.Errorf("outcome %s, want %s; %+v", r.Outcome, c.outcome, r.Handshake)
			}
			checkCause(t, r, c.want)
			t.Logf("%s, %d connections, %d MiB allocated", took.Round(time.Millisecond), r.Connections, (now.TotalAlloc-before.TotalAlloc)>>20)
		})
	}
}

// TestUnresolved: no address, no connection.
func TestUnresolved(t *testing.T) {
	q := request(t, "127.0.0.1:1", Selection{})
	q.Endpoint.Addresses = nil
	r := run(t, q)
	if checkCause(t, r, cause.DNSFailure); r.Outcome != diagnose.Unreachable || r.Connections != 0 {
		t.Errorf("%s, %d connections", r.Outcome, r.Connections)
	}
}

// TestSecondAddress: where the first address does not answer, the next is tried.
func TestSecondAddress(t *testing.T) {
	q := request(t, sServer(t, testbed.Make(t, testbed.RSA2048)), Selection{})
	q.Endpoint.Addresses = []string{"127.0.0.9", "127.0.0.1"}
	r := run(t, q)
	if checkCause(t, r, ""); r.Target.Address != "127.0.0.1:"+q.Endpoint.Port || r.Connections != 4 {
		t.Errorf("%s in %d connections", r.Target.Address, r.Connections)
	}
}

// TestAlteredOnTheWay: something on the way takes TLS 1.3 out of the hello.
func TestAlteredOnTheWay(t *testing.T) {
	upstream := goServer(t, &tls.Config{Certificates: []tls.Certificate{testbed.Make(t, testbed.RSA2048).TLS}})
	address := listener(t, func(c net.Conn) {
		raw, h := readHello(c)
		if h == nil {
			return
		}
		if slices.Contains(h.Offer().Versions, suite.TLS13) {
			h.SetVersions(suite.TLS12)
			raw, _ = h.Marshal()
		}
		relay(c, upstream, raw)
	})
	checkCause(t, run(t, request(t, address, Selection{})), cause.MiddleboxInterference)
}

// TestFailsOnceOnly: a failure that does not come again is not explained away.
func TestFailsOnceOnly(t *testing.T) {
	upstream := goServer(t, &tls.Config{Certificates: []tls.Certificate{testbed.Make(t, testbed.RSA2048).TLS}})
	first := make(chan bool, 1)
	first <- true
	address := listener(t, func(c net.Conn) {
		raw, h := readHello(c)
		select {
		case <-first:
			c.Write(hello.MarshalAlert(suite.TLS12, true, suite.AlertInternalError))
		default:
			if h != nil {
				relay(c, upstream, raw)
			}
		}
	})
	r := run(t, request(t, address, Selection{}))
	if checkCause(t, r, cause.Unknown); r.Failure.Causes[0].Decide == "" {
		t.Errorf("%+v", r.Failure.Causes)
	}
}
