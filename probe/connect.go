package probe

import (
	"context"
	"net"
	"sync"
	"time"
)

// Connect opens a connection to t and speaks its preamble, for who has more to say than one hello. It waits while as
// many are open as may be: who holds one must not wait for another. The connection ends with ctx or with the prober's
// time limit, whichever comes first; the caller closes it. Where none comes about it is nil and the observation says
// why. The caller adds the round trips, with Waited.
func (p *Prober) Connect(ctx context.Context, t Target) (net.Conn, Observation) {
	root := p.root()
	root.gate.enter(ctx, root.parallel())
	leave := func() { root.gate.leave(root.parallel()) }
	conn, o := p.connect(ctx, t)
	if conn == nil {
		leave()
		return nil, o
	}
	release := conn.release
	conn.release = func() { release(); leave() }
	return conn, o
}

func (p *Prober) connect(ctx context.Context, t Target) (*boundConn, Observation) {
	if p.Pace != nil {
		p.Pace(ctx)
	}
	p.root().connections.Add(1)
	ctx, cancel := context.WithTimeout(ctx, p.timeout())
	o := Observation{RoundTrips: 1}
	start := time.Now()
	conn, err := p.dial(ctx, t.Address)
	o.ConnectTime = time.Since(start)
	if err != nil {
		cancel()
		o.Answer, o.Err = dialAnswer(err), err
		return nil, o
	}
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	if t.StartTLS != "" {
		if err := t.StartTLS.Negotiate(conn, t.ServerName); err != nil {
			stop()
			cancel()
			conn.Close()
			o.Answer, o.Err = PreambleFailed, err
			return nil, o
		}
		o.RoundTrips += t.StartTLS.roundTrips()
	}
	return &boundConn{Conn: conn, release: func() { stop(); cancel() }}, o
}

// boundConn is a connection that a context can end, and that makes room for another when it is closed.
type boundConn struct {
	net.Conn
	once    sync.Once
	release func()
}

func (b *boundConn) Close() error {
	err := b.Conn.Close()
	b.once.Do(b.release)
	return err
}

// Ending classifies the error by which an open connection ended.
func Ending(err error) Answer { return endOf(err) }
