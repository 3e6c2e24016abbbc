// Package delayproxy relays TCP on loopback and adds the round trip that loopback lacks, so that what a
// scanner costs over a network can be measured on one machine. It counts connections and bytes.
//
// Both ends stay on loopback; the distance is made by holding bytes back: half a round trip each way, and
// none arrive before the TCP handshake would have ended over that distance, one round trip after connect.
package delayproxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy is a running relay.
type Proxy struct {
	Addr string // host:port to connect to

	upstream string
	rtt      time.Duration
	listener net.Listener
	open     sync.Map // net.Conn → struct{}
	wait     sync.WaitGroup

	connections, refused, up, down atomic.Int64

	crowd crowd
}

// Counters is what a proxy has carried.
type Counters struct {
	Connections int64 // accepted from clients
	Refused     int64 // of these, the upstream could not be reached
	Up, Down    int64 // bytes towards the upstream and back
	Most        int64 // connections that the client had open at once, at the worst time
}

func (c Counters) String() string {
	return fmt.Sprintf("connections %d refused %d up %d down %d most %d", c.Connections, c.Refused, c.Up, c.Down, c.Most)
}

// Start relays a free loopback port to upstream (host:port), rtt away. Stop ends it.
func Start(upstream string, rtt time.Duration) (*Proxy, error) {
	return Listen("127.0.0.1:0", upstream, rtt)
}

// Listen is Start with the address to listen on.
func Listen(addr, upstream string, rtt time.Duration) (*Proxy, error) {
	if _, _, err := net.SplitHostPort(upstream); err != nil {
		return nil, fmt.Errorf("upstream %q: want HOST:PORT", upstream)
	}
	if rtt < 0 || rtt > time.Minute {
		return nil, fmt.Errorf("round-trip time %v: want 0 to 1m", rtt)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	p := &Proxy{Addr: l.Addr().String(), upstream: upstream, rtt: rtt, listener: l}
	p.wait.Go(p.accept)
	return p, nil
}

// Counters returns what the proxy has carried so far.
func (p *Proxy) Counters() Counters {
	return Counters{p.connections.Load(), p.refused.Load(), p.up.Load(), p.down.Load(), p.crowd.largest()}
}

// Stop ends the proxy and its connections.
func (p *Proxy) Stop() {
	p.listener.Close()
	p.open.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
	p.wait.Wait()
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond) // out of file descriptors: they come back
			continue
		}
		p.connections.Add(1)
		p.wait.Go(func() { p.carry(c, time.Now()) })
	}
}

func (p *Proxy) carry(client net.Conn, start time.Time) {
	p.open.Store(client, struct{}{})
	defer p.open.Delete(client)
	defer client.Close()
	leave := p.crowd.enter(p.rtt / 10)
	defer leave()
	server, err := net.Dial("tcp", p.upstream)
	if err != nil {
		p.refused.Add(1)
		time.Sleep(time.Until(start.Add(p.rtt)))
		if t, ok := client.(*net.TCPConn); ok {
			t.SetLinger(0) // as the upstream's own reset would look
		}
		return
	}
	p.open.Store(server, struct{}{})
	defer p.open.Delete(server)
	defer server.Close()
	// The SYN and its answer take one round trip before the client may send, and what it sends half
	// another to arrive; the server's first bytes can be at the client no sooner.
	earliest := start.Add(p.rtt + p.rtt/2)
	var both sync.WaitGroup
	both.Go(func() { p.pipe(server, client, earliest, &p.up, leave) })
	both.Go(func() { p.pipe(client, server, earliest, &p.down, func() {}) })
	both.Wait()
}

// event is bytes on their way, or the end of the stream.
type event struct {
	due   time.Time
	data  []byte
	reset bool
}

// pipe carries one direction. Reading goes on while earlier bytes are on their way, as on a real line; ended is called
// when src has no more.
func (p *Proxy) pipe(dst, src net.Conn, earliest time.Time, count *atomic.Int64, ended func()) {
	line := make(chan event, 1024)
	go func() {
		defer close(line)
		for {
			buf := make([]byte, 32<<10)
			n, err := src.Read(buf)
			due := time.Now().Add(p.rtt / 2)
			if due.Before(earliest) {
				due = earliest
			}
			if n > 0 {
				count.Add(int64(n))
				line <- event{due: due, data: buf[:n]}
			}
			if err != nil {
				ended()
				line <- event{due: due, reset: !errors.Is(err, io.EOF)}
				return
			}
		}
	}()
	for e := range line {
		time.Sleep(time.Until(e.due))
		switch {
		case e.data != nil:
			if _, err := dst.Write(e.data); err != nil {
				src.Close() // ends the reader; drain what it still has
			}
		case e.reset:
			if t, ok := dst.(*net.TCPConn); ok {
				t.SetLinger(0)
			}
			dst.Close()
		default:
			if t, ok := dst.(*net.TCPConn); ok {
				t.CloseWrite()
			}
		}
	}
}
