package testbed

import (
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// Relay passes TCP connections on to a server, byte for byte, and keeps what both sides sent.
type Relay struct {
	Addr     string // 127.0.0.1:port
	upstream string
	listener net.Listener
	mu       sync.Mutex
	records  []*Record
	wait     sync.WaitGroup
}

// Record is what went over one connection.
type Record struct {
	mu             sync.Mutex
	client, server []byte
	turns          []Turn
	clientReset    bool
	serverReset    bool
}

// Turn is what one side sent before the other did.
type Turn struct {
	FromClient bool
	Data       []byte
	Reset      bool // the side reset the connection, and sent nothing
	Close      bool // the side ended the connection, and sent nothing
}

// NewRelay starts a relay to a server (host:port). It ends with the test, or by Stop.
func NewRelay(t testing.TB, upstream string) *Relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{Addr: l.Addr().String(), upstream: upstream, listener: l}
	t.Cleanup(func() { l.Close() })
	r.wait.Go(r.accept)
	return r
}

// Stop ends the relay when its connections have ended, and returns what they carried, in the order in
// which they came.
func (r *Relay) Stop() []*Record {
	r.listener.Close()
	r.wait.Wait()
	return r.records
}

func (r *Relay) accept() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return
		}
		record := &Record{}
		r.mu.Lock()
		r.records = append(r.records, record)
		r.mu.Unlock()
		r.wait.Go(func() {
			defer c.Close()
			s, err := net.Dial("tcp", r.upstream)
			if err != nil {
				return
			}
			defer s.Close()
			var both sync.WaitGroup
			both.Go(func() { carry(s, c, record, &record.client, &record.clientReset) })
			both.Go(func() { carry(c, s, record, &record.server, &record.serverReset) })
			both.Wait()
		})
	}
}

// carry passes one direction on. A reset is passed on as a reset.
func carry(dst, src net.Conn, record *Record, kept *[]byte, reset *bool) {
	buf := make([]byte, 16<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			record.mu.Lock()
			if len(*kept) < 1<<20 {
				*kept = append(*kept, buf[:n]...)
				record.turn(kept == &record.client, buf[:n])
			}
			record.mu.Unlock()
			if _, err := dst.Write(buf[:n]); err != nil {
				src.Close()
				return
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			record.mu.Lock()
			record.turns = append(record.turns, Turn{FromClient: kept == &record.client, Close: true})
			record.mu.Unlock()
			dst.(*net.TCPConn).CloseWrite()
			return
		default:
			record.mu.Lock()
			if *reset = !errors.Is(err, net.ErrClosed); *reset {
				record.turns = append(record.turns, Turn{FromClient: kept == &record.client, Reset: true})
			}
			record.mu.Unlock()
			dst.(*net.TCPConn).SetLinger(0)
			dst.Close()
			return
		}
	}
}

// turn notes bytes in the order in which they came.
func (r *Record) turn(fromClient bool, b []byte) {
	if n := len(r.turns); n > 0 && r.turns[n-1].FromClient == fromClient && !r.turns[n-1].Reset && !r.turns[n-1].Close {
		r.turns[n-1].Data = append(r.turns[n-1].Data, b...)
		return
	}
	r.turns = append(r.turns, Turn{FromClient: fromClient, Data: slices.Clone(b)})
}

// Turns returns what both sides sent, in order.
func (r *Record) Turns() []Turn {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.turns)
}

// Client returns the bytes that the client sent.
func (r *Record) Client() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.client)
}

// Server returns the bytes that the server sent.
func (r *Record) Server() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.server)
}

// Seen is what a recorded connection shows in the clear.
type Seen struct {
	Hello       *hello.ClientHello    // nil if the client sent none
	Choice      *hello.ServerHello    // nil if the server did not choose
	Retry       bool                  // the server asked for another key share first
	Group       suite.Group           // of the key exchange; 0 if it has none
	Scheme      suite.SignatureScheme // of the server's signature in TLS 1.2; 0 if it is not in the clear
	ServerAlert *hello.Alert          // before encryption
	ClientAlert *hello.Alert          // before encryption
}

// Version is the negotiated version, 0 where none was.
func (s *Seen) Version() suite.Version {
	if s.Choice == nil {
		return 0
	}
	return s.Choice.Version
}

// Suite is the negotiated suite, 0 where none was.
func (s *Seen) Suite() suite.Code {
	if s.Choice == nil {
		return 0
	}
	return s.Choice.Suite
}

// Read reads what the bytes show.
func (r *Record) Read() (Seen, error) {
	var s Seen
	h, err := hello.ParseClientHello(r.Client())
	if err != nil {
		return s, err
	}
	s.Hello = h
	var server hello.Flight
	err = server.Add(r.Server())
	for _, m := range server.Take() {
		if m.Type == hello.TypeServerKeyExchange && s.Choice != nil {
			k, err := hello.ParseServerKeyExchange(m.Body, s.Choice.Version, s.Choice.Suite)
			if err != nil {
				return s, err
			}
			s.Group, s.Scheme = k.Group, k.Scheme
		}
		if m.Type != hello.TypeServerHello {
			continue
		}
		choice, err := hello.ParseServerHello(m.Body)
		if err != nil {
			return s, err
		}
		if choice.Retry {
			s.Retry = true
			continue
		}
		s.Choice, s.Group = choice, choice.Group
	}
	s.ServerAlert = server.Alert
	if !h.SSLv2Format {
		var client hello.Flight
		if client.Add(r.Client()) == nil {
			s.ClientAlert = client.Alert
		}
	}
	return s, err
}
