// Package record listens for a client and keeps the ClientHello that it sends. It answers nothing, apart
// from the one byte that lets a PostgreSQL client go on to TLS.
package record

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/parley-tls/parley/hello"
)

// maxHello bounds what is kept of one connection: the largest known hellos are below 4 KiB.
const maxHello = 1 << 16

// sslRequest is how a PostgreSQL client asks for TLS (PostgreSQL documentation, Message Formats).
var sslRequest = []byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}

// Listener records on a loopback port.
type Listener struct {
	l   net.Listener
	got chan []byte
}

// Listen opens a free port of 127.0.0.1 and records until Close.
func Listen() (*Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Listener{l: l, got: make(chan []byte, 1)}
	go r.serve()
	return r, nil
}

// Addr returns host:port.
func (r *Listener) Addr() string { return r.l.Addr().String() }

// Close stops listening.
func (r *Listener) Close() error { return r.l.Close() }

// First waits for the first connection that brings a ClientHello and returns its bytes, from the first
// record on. Later ones are dropped: a client that falls back to an older version shows its best first.
func (r *Listener) First(timeout time.Duration) ([]byte, error) {
	select {
	case b := <-r.got:
		return b, nil
	case <-time.After(timeout):
		return nil, fmt.Errorf("no ClientHello in %v", timeout)
	}
}

func (r *Listener) serve() {
	for {
		c, err := r.l.Accept()
		if err != nil {
			return
		}
		if b, err := read(c); err == nil {
			select {
			case r.got <- b:
			default:
			}
		}
		c.Close()
	}
}

// read returns what a connection sends until it is a whole ClientHello.
func read(c net.Conn) ([]byte, error) {
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, err
	}
	var all []byte
	buf := make([]byte, 1<<14)
	for len(all) < maxHello {
		n, err := c.Read(buf)
		all = append(all, buf[:n]...)
		if bytes.Equal(all, sslRequest) {
			all = nil
			if _, err := c.Write([]byte("S")); err != nil {
				return nil, err
			}
			continue
		}
		if _, perr := hello.ParseClientHello(all); perr == nil {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errors.New("no ClientHello in the first 64 KiB")
}
