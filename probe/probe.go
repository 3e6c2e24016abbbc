// Package probe makes one connection: dial, speak the plaintext preamble where the service has one,
// send exactly these hello bytes, read the answer as far as it is in the clear, hang up.
//
// No TLS library decides what can be sent. What comes back is hostile until proven otherwise: every
// read is bounded in bytes and in time.
package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/parley-tls/parley/hello"
)

// DefaultTimeout bounds one connection, from dial to the last byte read.
const DefaultTimeout = 5 * time.Second

// DefaultParallel is how many connections a Prober keeps open at once: all that one round of a diagnosis asks,
// which is within its 40, so that no round takes longer than one answer.
const DefaultParallel = 40

// MaxAnswer is how many bytes of an answer are read at most. A certificate chain with a
// post-quantum key exchange stays far below it.
const MaxAnswer = 128 << 10

// Target is one endpoint at one address.
type Target struct {
	Address    string   // IP:port or host:port to dial
	ServerName string   // what the preamble (EHLO, XMPP stream) is addressed to; the hello has its own
	StartTLS   StartTLS // "" for TLS from the first byte
}

// Prober makes connections and counts them. Its zero value works with the defaults. It may be used by
// many goroutines.
type Prober struct {
	Timeout  time.Duration // a connection; 0: DefaultTimeout
	Parallel int           // connections open at once, while none was narrowed; 0: DefaultParallel
	// DialContext replaces net.Dialer, for tests and proxies.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Pace is called before each connection, outside its time limit, and returns when it may be made; nil: at once.
	Pace func(ctx context.Context)

	connections atomic.Int64
	roundTrips  atomic.Int64
	gate        gate
	parent      *Prober // whose connections a variant's are
}

// Variant returns a prober with another time limit, and with another dialer unless that is nil. Its connections are
// p's: they count there, and wait for their turn with p's.
func (p *Prober) Variant(timeout time.Duration, dial func(ctx context.Context, network, address string) (net.Conn, error)) *Prober {
	v := &Prober{Timeout: timeout, DialContext: p.DialContext, Pace: p.Pace, parent: p.root()}
	if dial != nil {
		v.DialContext = dial
	}
	return v
}

// root is the prober that counts.
func (p *Prober) root() *Prober {
	if p.parent != nil {
		return p.parent
	}
	return p
}

// Limit returns how many connections may be open at once. Others wait for their turn, outside their time limit.
func (p *Prober) Limit() int {
	p = p.root()
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	return p.gate.bound(p.parallel())
}

// Narrow halves how many connections may be open at once, for an endpoint that does not keep up.
func (p *Prober) Narrow() { p.root().gate.narrow(p.root().parallel()) }

func (p *Prober) parallel() int {
	if p.Parallel > 0 {
		return p.Parallel
	}
	return DefaultParallel
}

// Connections returns how many connections were attempted so far.
func (p *Prober) Connections() int { return int(p.root().connections.Load()) }

// RoundTrips returns the round trips on the critical path so far: connections that run side by side
// count as one.
func (p *Prober) RoundTrips() int { return int(p.root().roundTrips.Load()) }

// Waited adds round trips that a caller made in connections of its own, one after the other.
func (p *Prober) Waited(connections, roundTrips int) {
	p.root().connections.Add(int64(connections))
	p.root().roundTrips.Add(int64(roundTrips))
}

// TimeLimit is the limit of a connection.
func (p *Prober) TimeLimit() time.Duration { return p.timeout() }

func (p *Prober) timeout() time.Duration {
	if p.Timeout > 0 {
		return p.Timeout
	}
	return DefaultTimeout
}

// Hello sends one hello to t and returns what happened. It never fails: an error is an observation.
func (p *Prober) Hello(ctx context.Context, t Target, hello []byte) Observation {
	o := p.one(ctx, t, hello)
	p.root().roundTrips.Add(int64(o.RoundTrips))
	return o
}

// All sends every hello to t, side by side, and returns the observations in the same order.
func (p *Prober) All(ctx context.Context, t Target, hellos [][]byte) []Observation {
	out := make([]Observation, len(hellos))
	limit := p.Limit()
	var wg sync.WaitGroup
	for i := range hellos {
		wg.Go(func() { out[i] = p.one(ctx, t, hellos[i]) })
	}
	wg.Wait()
	longest := 0
	for i := range out {
		longest = max(longest, out[i].RoundTrips)
	}
	waves := (len(hellos) + limit - 1) / limit
	p.root().roundTrips.Add(int64(longest * waves))
	return out
}

// one makes the connection and reads the answer.
func (p *Prober) one(ctx context.Context, t Target, raw []byte) Observation {
	conn, o := p.Connect(ctx, t)
	if conn == nil {
		o.Sent = len(raw)
		return o
	}
	defer conn.Close()
	Ask(conn, raw, &o)
	return o
}

// Ask sends a hello on a connection of Connect, whose observation is o, and adds the answer to it. The caller closes
// the connection.
func Ask(conn net.Conn, raw []byte, o *Observation) {
	o.RoundTrips++
	o.Sent = len(raw)
	sent := time.Now()
	// A server that has refused already may have closed its side: what it said is still worth reading.
	_, writeErr := conn.Write(raw)
	r := reader{conn: conn, sent: sent}
	r.asked, _ = hello.ParseClientHello(raw)
	r.run(o)
	if writeErr != nil && o.Answer == Closed && o.Received == 0 {
		o.Answer, o.Err = endOf(writeErr), writeErr
	}
}

// dialer sends no keep-alives: no connection lives long enough for one.
var dialer = net.Dialer{KeepAlive: -1}

func (p *Prober) dial(ctx context.Context, address string) (net.Conn, error) {
	if p.DialContext != nil {
		return p.DialContext(ctx, "tcp", address)
	}
	return dialer.DialContext(ctx, "tcp", address)
}

// dialAnswer classifies a connection that never came about.
func dialAnswer(err error) Answer {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return NoAddress
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, syscall.ECONNRESET): // SYN was answered, and the reset came before connect returned
		return Reset
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return ConnectTimeout
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return Unreachable
	}
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		return ConnectTimeout
	}
	return Unreachable
}

// endOf classifies how an open connection ended.
func endOf(err error) Answer {
	var ne net.Error
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Closed
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		return Reset
	case errors.As(err, &ne) && ne.Timeout():
		return Silent
	}
	return Closed
}
