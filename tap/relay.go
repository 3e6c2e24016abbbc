// Package tap passes connections on to a server, byte for byte, and tells what was negotiated on each. It decrypts
// nothing and alters nothing: not a byte, not where a side ends.
package tap

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/parley-tls/parley/capture"
	"github.com/parley-tls/parley/follow"
)

// Limits of a relay.
const (
	maxConnections = 1024 // at a time; more wait to be accepted
	dialTimeout    = 10 * time.Second
	bufferSize     = 32 << 10
)

// Tap records connections. Seen and Unreached may be called by several goroutines at once, and must return at once: the
// bytes that decided a negotiation are passed on only then.
type Tap struct {
	Seen      func(*capture.Connection)                             // a negotiation is decided, or its connection has ended
	Unreached func(client netip.AddrPort, target string, err error) // no connection to the target could be made
	// Dial makes a connection; nil: by TCP.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// Silent counts the connections that ended without a hello.
	Silent atomic.Int64

	wait sync.WaitGroup
}

// Wait waits until all connections have ended.
func (t *Tap) Wait() { t.wait.Wait() }

// Serve passes every connection that l accepts on to target (host:port), until ctx ends: then those that are open are
// closed.
func (t *Tap) Serve(ctx context.Context, l net.Listener, target string) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	room := make(chan struct{}, maxConnections)
	for {
		room <- struct{}{}
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			if passes(err) {
				<-room
				time.Sleep(pause)
				continue
			}
			return err
		}
		t.wait.Go(func() {
			defer func() { <-room }()
			defer c.Close()
			server, err := t.dial(ctx, target)
			if err != nil {
				if t.Unreached != nil {
					t.Unreached(addressOf(c.RemoteAddr()), target, err)
				}
				abort(c) // as the server would
				return
			}
			defer server.Close()
			t.Carry(ctx, c, server)
		})
	}
}

// pause is how long a relay waits before it accepts again where that failed.
const pause = 50 * time.Millisecond

// passes reports whether an error of accept is over soon: there are no files to open, or the client left at once.
func passes(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ECONNABORTED)
}

func (t *Tap) dial(ctx context.Context, target string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if t.Dial != nil {
		return t.Dial(ctx, target)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", target)
}

func addressOf(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		p := t.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	return netip.AddrPort{}
}

// passage is a connection that is being carried.
type passage struct {
	tap            *Tap
	client, server net.Conn
	mu             sync.Mutex
	follower       follow.Follower
	first          time.Time
	decided        atomic.Bool // and told
}

// Carry passes bytes on between a client and a server until both have ended, and tells what was negotiated.
func (t *Tap) Carry(ctx context.Context, client, server net.Conn) {
	p := &passage{tap: t, client: client, server: server, first: time.Now()}
	stop := context.AfterFunc(ctx, func() {
		client.Close()
		server.Close()
	})
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { p.pass(follow.A, server, client) })
	both.Go(func() { p.pass(follow.B, client, server) })
	both.Wait()
	p.tell(func(f *follow.Follower) {
		f.Now(time.Now())
		f.End()
	})
}

// tell feeds the follower, and reports the negotiation when it is decided.
func (p *passage) tell(feed func(*follow.Follower)) {
	if p.decided.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.decided.Load() {
		return
	}
	feed(&p.follower)
	if !p.follower.Done() {
		return
	}
	p.decided.Store(true)
	n := p.follower.Negotiation()
	switch {
	case n == nil:
		p.tap.Silent.Add(1)
	case p.tap.Seen != nil:
		p.tap.Seen(&capture.Connection{Negotiation: n, Client: addressOf(p.client.RemoteAddr()), Server: addressOf(p.server.RemoteAddr()), First: p.first})
	}
}

// pass carries one direction. Bytes are looked at before they are passed on: an answer cannot be seen before what it
// answers. The end of a side is passed on as what it was, an end or a reset.
func (p *passage) pass(from follow.Side, dst, src net.Conn) {
	buf := make([]byte, bufferSize)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			p.tell(func(f *follow.Follower) { f.Data(from, buf[:n], time.Now()) })
			if _, err := dst.Write(buf[:n]); err != nil {
				// The other side is gone; its own direction says how.
				io.Copy(io.Discard, src)
				return
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			p.tell(func(f *follow.Follower) { f.Close(from, time.Now()) })
			if w, ok := dst.(interface{ CloseWrite() error }); ok {
				w.CloseWrite()
			} else {
				dst.Close()
			}
			return
		case errors.Is(err, net.ErrClosed): // by the other direction, or the end of the tap
			return
		default:
			p.tell(func(f *follow.Follower) { f.Reset(from, time.Now()) })
			abort(dst)
			return
		}
	}
}

// abort closes a connection by a reset.
func abort(c net.Conn) {
	if t, ok := c.(interface{ SetLinger(int) error }); ok {
		t.SetLinger(0)
	}
	c.Close()
}
