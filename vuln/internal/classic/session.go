// Package classic is the client's side of SSLv3 to TLS 1.2, taken one step at a time so that each step can be left
// out, doubled or spoilt: the checks of package vuln send what no proper client would.
//
// It is no client to trust anything to: it verifies neither certificates nor signatures. What comes back is bounded
// in bytes, in records and in time.
package classic

import (
	"bytes"
	"crypto/hmac"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan/handshake"
	"github.com/parley-tls/parley/suite"
)

// Types of records and messages that package hello, which reads first flights, does not name.
const (
	RecordHeartbeat       = 24 // RFC 6520
	TypeHelloRequest      = 0
	TypeClientKeyExchange = 16
	TypeFinished          = 20
)

// Session is a connection after the server's first flight.
type Session struct {
	Hello      *hello.ClientHello
	Server     *hello.ServerHello
	Chain      [][]byte                 // DER, leaf first
	Exchange   *hello.ServerKeyExchange // nil if there was none
	ClientAuth bool                     // the server asks for a certificate
	// Certificate answers that, where its key signs as the server wants it; nil, which it is after Open, answers with none.
	// Presented is whether it was sent.
	Certificate *tls.Certificate
	Presented   bool
	FirstByte   time.Duration // from the hello to the first byte of the answer
	Ticket      []byte        // issued in Complete; nil if none was
	// ClientVerify and ServerVerify are what the two Finished messages held, as renegotiation_info repeats them
	// (RFC 5746 section 3.2).
	ClientVerify, ServerVerify []byte

	request    *hello.CertificateRequest // nil if there was none that can be read
	proof      handshake.Proof           // of the certificate that was presented
	conn       net.Conn
	limit      time.Time // of the connection as a whole
	reader     reader
	pending    []byte // records to be sent before the next read
	transcript []byte
	premaster  []byte
	out, in    *protection // nil as long as that direction is in the clear
	next       *protection // of the server's records after its ChangeCipherSpec
}

// Refused is returned by Open where the server answered the hello with anything but its first flight.
type Refused struct{ Event Event }

func (r Refused) Error() string { return "the hello was answered with " + r.Event.String() }

// Open sends h on conn and reads the answer up to ServerHelloDone. The connection ends at limit, and is the
// caller's to close.
func Open(conn net.Conn, h *hello.ClientHello, limit time.Time) (*Session, error) {
	raw, err := h.Marshal()
	if err != nil {
		return nil, err
	}
	s := &Session{Hello: h, conn: conn, limit: limit}
	if s.transcript, err = h.MarshalHandshake(); err != nil {
		return nil, err
	}
	s.pending = raw
	start := time.Now()
	for {
		e := s.Next(time.Until(limit))
		if s.FirstByte == 0 {
			s.FirstByte = time.Since(start)
		}
		if e.Kind == Alert && !e.Fatal {
			continue // a warning, of an unknown name for example
		}
		if e.Kind != Message {
			return nil, Refused{e}
		}
		done, err := s.firstFlight(e.Message)
		if err != nil {
			return nil, Refused{Event{Kind: Garbled, Err: err}}
		}
		if done {
			return s, nil
		}
	}
}

var (
	errOrder    = errors.New("a handshake message out of order")
	errFinished = errors.New("a Finished that does not fit the handshake")
)

// firstFlight takes a message of the server's first flight, and tells whether it is the last.
func (s *Session) firstFlight(m hello.Message) (done bool, err error) {
	if s.Server == nil && m.Type != hello.TypeServerHello {
		return false, errOrder
	}
	if m.Type != TypeHelloRequest {
		s.transcript = append(s.transcript, m.Marshal()...)
	}
	switch m.Type {
	case hello.TypeServerHello:
		if s.Server != nil {
			return false, errOrder
		}
		s.Server, err = hello.ParseServerHello(m.Body)
		if err == nil {
			err = s.offered()
		}
	case hello.TypeCertificate:
		s.Chain, err = hello.ParseCertificate(m.Body)
	case hello.TypeServerKeyExchange:
		s.Exchange, err = hello.ParseServerKeyExchange(m.Body, s.Server.Version, s.Server.Suite)
	case hello.TypeCertificateRequest:
		s.ClientAuth = true
		s.request, _ = hello.ParseCertificateRequest(m.Body, s.Server.Version) // one that cannot be read is still a request
	case hello.TypeServerHelloDone:
		return true, nil
	}
	return false, err
}

// offered demands that the server chose from what the hello offers.
func (s *Session) offered() error {
	if v := s.Server.Version; v < suite.SSLv3 || v > s.Hello.Version {
		return fmt.Errorf("the server chooses %s, which was not offered", v)
	}
	if c := s.Server.Suite; !slices.Contains(s.Hello.Suites, c) {
		return fmt.Errorf("the server chooses %s, which was not offered", c)
	}
	return nil
}

// Send queues one record, protected if a ChangeCipherSpec was sent. What is queued goes out in one piece with the
// next call of Next, so that a server sees it at once.
func (s *Session) Send(kind uint8, body []byte) { s.sendSpoilt(kind, body, nil) }

// SendSpoilt is Send, but spoil changes the padding of the record, without its last byte, which says how long it
// is. There are at least 15 bytes of it. Only CBC suites have padding.
func (s *Session) SendSpoilt(kind uint8, body []byte, spoil func(padding []byte)) {
	s.sendSpoilt(kind, body, &spoilt{padding: spoil})
}

// SendForged is Send, but with a MAC that is wrong.
func (s *Session) SendForged(kind uint8, body []byte) {
	s.sendSpoilt(kind, body, &spoilt{mac: true})
}

func (s *Session) sendSpoilt(kind uint8, body []byte, how *spoilt) {
	v := s.version()
	if s.out != nil {
		body = s.out.seal(kind, body, how)
	}
	s.pending = hello.AppendRecords(s.pending, kind, v, body)
}

// version is what records carry: the server's choice.
func (s *Session) version() suite.Version {
	if s.Server == nil {
		return s.Hello.RecordVersion
	}
	return s.Server.Version
}

// SendMessage queues a handshake message and adds it to the transcript.
func (s *Session) SendMessage(m hello.Message) { s.sendHandshake(m.Marshal()) }

func (s *Session) sendHandshake(raw []byte) {
	s.transcript = append(s.transcript, raw...)
	s.Send(hello.RecordHandshake, raw)
}

// ChangeCipherSpec queues the message of that name and protects what is sent after it with keys made from this
// master secret, which may be empty.
func (s *Session) ChangeCipherSpec(master []byte) error {
	out, in, err := newProtection(s.Server.Version, s.Server.Suite, master, s.Hello.Random, s.Server.Random)
	if err != nil {
		return err
	}
	s.SendBareChangeCipherSpec()
	s.out, s.next = out, in
	return nil
}

// SendBareChangeCipherSpec queues a ChangeCipherSpec that changes nothing on this side.
func (s *Session) SendBareChangeCipherSpec() { s.Send(hello.RecordChangeCipherSpec, []byte{1}) }

// Complete goes through the rest of the handshake (RFC 5246 section 7.3). ErrUnable says that this package cannot.
// An Unfinished says how the server answered instead.
func (s *Session) Complete() error { return s.complete(nil, false) }

// CompleteSpoilt is Complete, but spoil changes the padding of the Finished message.
func (s *Session) CompleteSpoilt(spoil func(padding []byte)) error {
	return s.complete(&spoilt{padding: spoil}, false)
}

// CompleteEarly is Complete with the ChangeCipherSpec before the key exchange, and all records from there on under the
// keys of a master secret that is still empty, in both directions. Only a server with that flaw completes it.
func (s *Session) CompleteEarly() error { return s.complete(nil, true) }

// Unfinished is returned where a server does not finish the handshake.
type Unfinished struct {
	Event      Event
	ClientAuth bool // the server asked for a certificate
	Presented  bool // and got one
}

func (u Unfinished) Error() string { return "the handshake ended with " + u.Event.String() }

func (s *Session) complete(how *spoilt, early bool) error {
	if !Speaks(s.Server.Suite, s.Server.Version) || s.Server.Compression != 0 {
		return ErrUnable
	}
	if early {
		if err := s.ChangeCipherSpec(nil); err != nil {
			return err
		}
	}
	if err := s.AnswerRequest(); err != nil {
		return err
	}
	exchange, err := s.keyExchange()
	if err != nil {
		return err
	}
	s.SendMessage(hello.Message{Type: TypeClientKeyExchange, Body: exchange})
	f := prfOf(s.Server.Version, s.Server.Suite)
	master := f.expand(s.premaster, "master secret", append(bytes.Clone(s.Hello.Random), s.Server.Random...), 48)
	if s.Server.ExtendedMaster { // RFC 7627
		master = f.expand(s.premaster, "extended master secret", f.digest(s.transcript), 48)
	}
	if err := s.Prove(); err != nil {
		return err
	}
	if !early {
		if err := s.ChangeCipherSpec(master); err != nil {
			return err
		}
	}
	s.ClientVerify = f.expand(master, "client finished", f.digest(s.transcript), 12)
	fin := hello.Message{Type: TypeFinished, Body: s.ClientVerify}.Marshal()
	s.transcript = append(s.transcript, fin...)
	s.sendSpoilt(hello.RecordHandshake, fin, how)
	return s.serverFinished(f, master)
}

// serverFinished reads the server's second flight.
func (s *Session) serverFinished(f prf, master []byte) error {
	for {
		e := s.Next(time.Until(s.limit))
		switch {
		case e.Kind == ChangeCipherSpec, e.Kind == Alert && !e.Fatal:
			continue
		case e.Kind != Message:
			return s.unfinished(e)
		}
		switch e.Message.Type {
		case TypeHelloRequest:
			continue
		case hello.TypeNewSessionTicket:
			t, err := hello.ParseNewSessionTicket(e.Message.Body, s.Server.Version)
			if err != nil {
				return s.garbled(err)
			}
			s.Ticket = t.Ticket
		case TypeFinished:
			s.ServerVerify = e.Message.Body
			if s.in == nil || !hmac.Equal(s.ServerVerify, f.expand(master, "server finished", f.digest(s.transcript), 12)) {
				return s.garbled(errFinished)
			}
			return nil
		default:
			return s.garbled(errOrder)
		}
		s.transcript = append(s.transcript, e.Message.Marshal()...)
	}
}

func (s *Session) garbled(err error) error { return s.unfinished(Event{Kind: Garbled, Err: err}) }

func (s *Session) unfinished(e Event) error { return Unfinished{e, s.ClientAuth, s.Presented} }

// AnswerRequest queues the Certificate that answers a request for one, and nothing where there was none.
func (s *Session) AnswerRequest() error {
	if !s.ClientAuth {
		return nil
	}
	var chain [][]byte
	if s.Certificate != nil {
		var wanted []suite.SignatureScheme
		if s.request != nil {
			wanted = s.request.Schemes
		}
		var err error
		if s.proof, err = handshake.ProofOf(s.Certificate, s.Server.Version, wanted); err != nil {
			return err
		}
		if s.Presented = s.proof != nil; s.Presented {
			chain = s.Certificate.Certificate
		}
	}
	message, err := hello.MarshalCertificate(chain)
	if err == nil {
		s.sendHandshake(message)
	}
	return err
}

// Prove queues the CertificateVerify of the certificate that AnswerRequest presented, if it did. Its place is after the
// ClientKeyExchange (RFC 5246 section 7.4.8).
func (s *Session) Prove() error {
	if s.proof == nil {
		return nil
	}
	message, err := s.proof(s.transcript)
	if err == nil {
		s.sendHandshake(message)
	}
	return err
}

// ending classifies how a connection ended.
func ending(err error) Kind {
	switch probe.Ending(err) {
	case probe.Silent:
		return Silence
	case probe.Reset:
		return Reset
	}
	return Closed
}
