package classic

import (
	"errors"
	"fmt"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// Kind is what came next.
type Kind int

// Kinds.
const (
	Silence Kind = iota // nothing in the time that was given
	Closed              // a clean close
	Reset
	Garbled // what breaks the protocol, or cannot be decrypted
	Alert
	Message // of the handshake
	ChangeCipherSpec
	Data // application data
	Heartbeat
)

// Event is what the server did next.
type Event struct {
	Kind    Kind
	Alert   suite.Alert   // Kind Alert
	Fatal   bool          // Kind Alert
	Message hello.Message // Kind Message
	Body    []byte        // Kinds Data and Heartbeat
	Err     error         // Kind Garbled
}

// String describes the event for people: two events with the same text are the same answer.
func (e Event) String() string {
	switch e.Kind {
	case Silence:
		return "silence"
	case Closed:
		return "a close"
	case Reset:
		return "a reset"
	case Alert:
		if e.Fatal {
			return "alert " + e.Alert.String()
		}
		return "warning " + e.Alert.String()
	case Message:
		return fmt.Sprintf("handshake message %d", e.Message.Type)
	case ChangeCipherSpec:
		return "ChangeCipherSpec"
	case Data:
		return "application data"
	case Heartbeat:
		return "a heartbeat"
	}
	return "bytes that break the protocol"
}

// Ends reports whether the connection is of no further use.
func (e Event) Ends() bool {
	switch e.Kind {
	case Closed, Reset, Garbled:
		return true
	case Alert:
		return e.Fatal || e.Alert == suite.AlertCloseNotify
	}
	return false
}

// reader splits what comes into records, within bounds.
type reader struct {
	raw      []byte // not yet a whole record
	received int
	records  int
	messages []hello.Message
	flight   hello.Flight // reassembles messages of the handshake
	buf      [4096]byte
}

var errTooMuch = fmt.Errorf("more than %d bytes or %d records", probe.MaxAnswer, hello.MaxRecords)

// Next sends what is queued and waits for what the server does next, as long as wait and no longer than the
// connection may last.
func (s *Session) Next(wait time.Duration) Event {
	until := time.Now().Add(wait)
	if until.After(s.limit) {
		until = s.limit
	}
	s.conn.SetDeadline(until)
	if len(s.pending) > 0 {
		// A server that has hung up already may have said why.
		s.conn.Write(s.pending)
		s.pending = nil
	}
	for {
		if l := s.reader.messages; len(l) > 0 {
			s.reader.messages = l[1:]
			return Event{Kind: Message, Message: l[0]}
		}
		r, err := s.record()
		if err != nil {
			if broken := (errBroken{}); errors.As(err, &broken) {
				return Event{Kind: Garbled, Err: err}
			}
			return Event{Kind: ending(err)}
		}
		if e, whole := s.event(r); whole {
			return e
		}
	}
}

// errBroken wraps what makes bytes no TLS.
type errBroken struct{ error }

// record reads one record as it stands on the wire.
func (s *Session) record() (hello.Record, error) {
	in := &s.reader
	for {
		r, rest, err := hello.NextRecord(in.raw)
		if err == nil {
			if in.records++; in.records > hello.MaxRecords {
				return r, errBroken{errTooMuch}
			}
			in.raw = rest
			return r, nil
		}
		if !errors.Is(err, hello.ErrIncomplete) {
			return r, errBroken{err}
		}
		if in.received > probe.MaxAnswer {
			return r, errBroken{errTooMuch}
		}
		n, err := s.conn.Read(in.buf[:])
		in.received += n
		in.raw = append(in.raw, in.buf[:n]...)
		if n == 0 && err != nil {
			return r, err
		}
	}
}

// event reads a record; whole is false for a part of a handshake message.
func (s *Session) event(r hello.Record) (e Event, whole bool) {
	body := r.Body
	if r.Type == hello.RecordChangeCipherSpec {
		if s.next != nil {
			s.in, s.next = s.next, nil
		}
		return Event{Kind: ChangeCipherSpec}, true
	}
	if s.in != nil {
		var err error
		if body, err = s.in.open(r.Type, body); err != nil {
			return Event{Kind: Garbled, Err: err}, true
		}
	}
	switch r.Type {
	case hello.RecordAlert:
		if len(body) != 2 {
			return Event{Kind: Garbled, Err: fmt.Errorf("an alert of %d bytes", len(body))}, true
		}
		return Event{Kind: Alert, Fatal: body[0] == 2, Alert: suite.Alert(body[1])}, true
	case hello.RecordHandshake:
		if err := s.reader.flight.Add(hello.AppendRecords(nil, hello.RecordHandshake, suite.TLS12, body)); err != nil {
			return Event{Kind: Garbled, Err: err}, true
		}
		s.reader.messages = s.reader.flight.Take()
		return Event{}, false
	case RecordHeartbeat:
		return Event{Kind: Heartbeat, Body: body}, true
	}
	return Event{Kind: Data, Body: body}, true
}
