// Package handshake makes one connection and takes the handshake further than its first hello: it reads what TLS
// 1.3 encrypts, and completes the handshake where asked, so that it sees the tickets that a server issues only then.
//
// It is no client to trust anything to: it verifies neither certificates nor signatures, since what a scanner
// reports is what was sent. No TLS library decides what can be offered. What comes back is bounded in bytes, in
// records and in time.
package handshake

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// Question is one connection to make.
type Question struct {
	Offer hello.Offer
	// Extra are extensions that an Offer does not describe, or that replace those that it does.
	Extra []hello.Extension
	// Finish completes the handshake and ends the connection in good order. Otherwise it ends after the server's
	// first flight.
	Finish bool
	// Say is application data to send once a handshake of TLS 1.3 is finished: BoringSSL holds its tickets back until it
	// has an answer to send.
	Say []byte
	// Certificate answers a request for a client certificate, where its key signs with a scheme that the server takes; nil
	// answers with none. The key must be a crypto.Signer.
	Certificate *tls.Certificate
	// Resume offers this session. The offer must be one that the session's suite is in.
	Resume *Session
	// EarlyData says in a hello that resumes a session of TLS 1.3 that data comes with it. None is sent, so it
	// does not go with Finish.
	EarlyData bool
}

// Result is what happened on the connection.
type Result struct {
	// Observation is as probe makes it, with what TLS 1.3 encrypts read as well: Chain, ALPN, Scheme, ClientAuth
	// and Request. Its Complete means in TLS 1.3 that the server's Finished was read.
	probe.Observation
	Asked    *hello.ClientHello  // the last one sent
	Time     time.Time           // when the ServerHello came
	Warnings []suite.Alert       // alerts in the clear that did not end the connection
	Retry    *hello.ServerHello  // the HelloRetryRequest that came first, nil if none did
	Inner    []hello.Extension   // of EncryptedExtensions; nil before TLS 1.3
	Entries  [][]hello.Extension // of the Certificate message in TLS 1.3, one list for each certificate
	Status   []byte              // the stapled OCSP response of the server's own certificate (DER), nil if none
	Messages []uint8             // types of the server's handshake messages, in their order
	Resumed  bool                // the server took the session that Resume offers
	Finished bool                // the handshake came to its end on both sides
	Lacks    string              // why Finish was not tried, or what TLS 1.3 encrypts not read: what this package cannot do
	Tickets  []Session           // issued on this connection
	// Presented is whether the question's certificate was sent.
	Presented bool
}

// Session is what a session can be resumed by.
type Session struct {
	Version      suite.Version
	Suite        suite.Code
	ID           []byte // before TLS 1.3, where the server named one; nil for a ticket
	Ticket       []byte
	Lifetime     time.Duration // 0: the server leaves it open
	MaxEarlyData uint32        // bytes; TLS 1.3
	received     time.Time
	ageAdd       uint32
	psk          []byte
}

// ByID is the session of a handshake that was completed before TLS 1.3, by the id that the server gave it. It is
// nil if there is none.
func (r *Result) ByID() *Session {
	if !r.Finished || r.Version >= suite.TLS13 || len(r.Hello.SessionID) == 0 {
		return nil
	}
	return &Session{Version: r.Version, Suite: r.Suite, ID: r.Hello.SessionID}
}

// Extension returns the body of an extension that the server answers with, in the clear or encrypted.
func (r *Result) Extension(t uint16) ([]byte, bool) {
	lists := [][]hello.Extension{r.Inner}
	if r.Hello != nil {
		lists = append(lists, r.Hello.Extensions)
	}
	for _, l := range lists {
		for _, e := range l {
			if e.Type == t {
				return e.Data, true
			}
		}
	}
	return nil, false
}

// LeafExtension returns the body of an extension of the server's own certificate in TLS 1.3.
func (r *Result) LeafExtension(t uint16) ([]byte, bool) {
	if len(r.Entries) == 0 {
		return nil, false
	}
	for _, e := range r.Entries[0] {
		if e.Type == t {
			return e.Data, true
		}
	}
	return nil, false
}

// Do makes the connection. It never fails: an error is a result. It counts the connection with p; the round trips
// are in the result.
func Do(ctx context.Context, p *probe.Prober, t probe.Target, q *Question) *Result {
	r := &Result{}
	s := &session{q: q, r: r}
	raw, err := s.firstHello()
	if err != nil {
		r.Answer, r.Err = probe.Malformed, err
		return r
	}
	conn, o := p.Connect(ctx, t)
	r.Observation = o
	if conn == nil {
		return r
	}
	defer conn.Close()
	s.wire = wire{conn: conn}
	s.say(raw)
	s.listen()
	return r
}
