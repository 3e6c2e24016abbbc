package hello

import (
	"errors"
	"fmt"

	"github.com/parley-tls/parley/suite"
)

// Content types of records (RFC 8446 section 5.1).
const (
	RecordChangeCipherSpec = 20
	RecordAlert            = 21
	RecordHandshake        = 22
	RecordApplicationData  = 23
)

// Handshake message types (RFC 8446 section 4, RFC 5246 section 7.4).
const (
	TypeClientHello        = 1
	TypeServerHello        = 2
	TypeNewSessionTicket   = 4
	TypeEncryptedExt       = 8
	TypeCertificate        = 11
	TypeServerKeyExchange  = 12
	TypeCertificateRequest = 13
	TypeServerHelloDone    = 14
	TypeCertificateVerify  = 15
	TypeCertificateStatus  = 22
)

// Limits on what is read from a peer.
const (
	maxRecord    = 1<<14 + 2048 // RFC 5246 section 6.2.3
	MaxHandshake = 1 << 17      // bytes of one handshake message
)

// ErrIncomplete is returned where the bytes end before the message does.
var ErrIncomplete = errors.New("the bytes end in the middle of a message")

// Record is one record as it stands on the wire; Body aliases the input.
type Record struct {
	Type    uint8
	Version suite.Version
	Body    []byte
}

// NextRecord splits the first record off b. It returns ErrIncomplete if b ends before the record does,
// and another error if b does not begin with a TLS record.
func NextRecord(b []byte) (r Record, rest []byte, err error) {
	if len(b) < 5 {
		return r, b, ErrIncomplete
	}
	n := int(b[3])<<8 | int(b[4])
	if b[0] < RecordChangeCipherSpec || b[0] > 24 || b[1] != 3 {
		return r, b, fmt.Errorf("no TLS record: it begins with % x", b[:5])
	}
	if n > maxRecord {
		return r, b, fmt.Errorf("record of %d bytes: the limit is %d", n, maxRecord)
	}
	if len(b) < 5+n {
		return r, b, ErrIncomplete
	}
	return Record{b[0], suite.Version(b[1])<<8 | suite.Version(b[2]), b[5 : 5+n]}, b[5+n:], nil
}

// Message is one handshake message without its four-byte header.
type Message struct {
	Type uint8
	Body []byte
}

// nextMessage splits the first handshake message off b.
func nextMessage(b []byte) (m Message, rest []byte, err error) {
	if len(b) < 4 {
		return m, b, ErrIncomplete
	}
	n := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	if n > MaxHandshake {
		return m, b, fmt.Errorf("handshake message of %d bytes: the limit is %d", n, MaxHandshake)
	}
	if len(b) < 4+n {
		return m, b, ErrIncomplete
	}
	return Message{b[0], b[4 : 4+n]}, b[4+n:], nil
}

// appendRecords wraps data in as many records of type t as it needs.
func appendRecords(out []byte, t uint8, v suite.Version, data []byte) []byte {
	for {
		n := min(len(data), 1<<14)
		out = append(out, t, byte(v>>8), byte(v), byte(n>>8), byte(n))
		out = append(out, data[:n]...)
		if data = data[n:]; len(data) == 0 {
			return out
		}
	}
}

// handshake wraps the body of a message in its header.
func handshake(t uint8, body []byte) []byte {
	n := len(body)
	return append([]byte{t, byte(n >> 16), byte(n >> 8), byte(n)}, body...)
}

// Flight reassembles what a server sends in the clear: add bytes as they come, take messages as they
// are whole. Its memory is bounded by MaxHandshake.
type Flight struct {
	raw      []byte // not yet a whole record
	stream   []byte // handshake bytes not yet a whole message
	messages []Message
	Alert    *Alert
	// Encrypted counts whole records of application data or of handshake after ChangeCipherSpec: their
	// content is not in the clear.
	Encrypted int
	changed   bool
	Version   suite.Version // of the first record
	seen      bool
}

// Alert is an alert in the clear.
type Alert struct {
	Fatal       bool
	Description suite.Alert
}

// Add takes bytes from the wire. An error means that the peer breaks the protocol; bytes before the
// fault have been taken.
func (f *Flight) Add(b []byte) error {
	f.raw = append(f.raw, b...)
	for len(f.raw) > 0 {
		r, rest, err := NextRecord(f.raw)
		if errors.Is(err, ErrIncomplete) {
			return nil
		}
		if err != nil {
			return err
		}
		if !f.seen {
			f.seen, f.Version = true, r.Version
		}
		if err := f.record(r); err != nil {
			return err
		}
		f.raw = append(f.raw[:0], rest...)
	}
	return nil
}

func (f *Flight) record(r Record) error {
	switch {
	case r.Type == RecordChangeCipherSpec:
		f.changed = true
	case r.Type == RecordApplicationData, f.changed && r.Type == RecordHandshake:
		f.Encrypted++
	case r.Type == RecordAlert:
		if len(r.Body) != 2 {
			if f.changed {
				f.Encrypted++
				return nil
			}
			return fmt.Errorf("alert of %d bytes: it has 2", len(r.Body))
		}
		if f.Alert == nil {
			f.Alert = &Alert{Fatal: r.Body[0] == 2, Description: suite.Alert(r.Body[1])}
		}
	case r.Type == RecordHandshake:
		f.stream = append(f.stream, r.Body...)
		for len(f.stream) > 0 {
			m, rest, err := nextMessage(f.stream)
			if errors.Is(err, ErrIncomplete) {
				return nil
			}
			if err != nil {
				return err
			}
			m.Body = append([]byte(nil), m.Body...)
			f.messages = append(f.messages, m)
			f.stream = append(f.stream[:0], rest...)
		}
	}
	return nil
}

// Pending reports whether bytes were read that do not yet make a whole message or record.
func (f *Flight) Pending() bool { return len(f.raw) > 0 || len(f.stream) > 0 }

// Take returns the messages that have become whole since the last call.
func (f *Flight) Take() []Message {
	m := f.messages
	f.messages = nil
	return m
}

// MarshalAlert returns the record of an alert.
func MarshalAlert(v suite.Version, fatal bool, d suite.Alert) []byte {
	level := byte(1)
	if fatal {
		level = 2
	}
	return []byte{RecordAlert, byte(v >> 8), byte(v), 0, 2, level, byte(d)}
}
