package hello

import (
	"errors"
	"fmt"
	"slices"

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
	maxPlaintext = 1 << 14      // RFC 8446 section 5.1
	maxRecord    = 1<<14 + 2048 // RFC 5246 section 6.2.3
	maxFragments = 1 << 12      // records of one ClientHello
	MaxHandshake = 1 << 17      // bytes of one handshake message
	MaxRecords   = 1 << 12      // records of one flight
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

// NextMessage splits the first handshake message off b, the content of handshake records; the body aliases it. It
// returns ErrIncomplete if b ends before the message does, and another error for one of more than MaxHandshake bytes.
func NextMessage(b []byte) (m Message, rest []byte, err error) { return nextMessage(b, MaxHandshake) }

// nextMessage splits the first handshake message off b. A header that announces more than limit bytes is
// an error, so that nobody waits for them.
func nextMessage(b []byte, limit int) (m Message, rest []byte, err error) {
	if len(b) < 4 {
		return m, b, ErrIncomplete
	}
	n := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	if n > limit {
		return m, b, fmt.Errorf("handshake message of %d bytes: the limit is %d", n, limit)
	}
	if len(b) < 4+n {
		return m, b, ErrIncomplete
	}
	return Message{b[0], b[4 : 4+n]}, b[4+n:], nil
}

// AppendRecords appends data to out in as many records of type t as it needs.
func AppendRecords(out []byte, t uint8, v suite.Version, data []byte) []byte {
	out = slices.Grow(out, len(data)+5*(len(data)/maxPlaintext+1))
	for {
		n := min(len(data), maxPlaintext)
		out = append(out, t, byte(v>>8), byte(v), byte(n>>8), byte(n))
		out = append(out, data[:n]...)
		if data = data[n:]; len(data) == 0 {
			return out
		}
	}
}

// Marshal returns the handshake message with its header.
func (m Message) Marshal() []byte {
	n := len(m.Body)
	return append([]byte{m.Type, byte(n >> 16), byte(n >> 8), byte(n)}, m.Body...)
}

// Alert is an alert in the clear (RFC 8446 section 6).
type Alert struct {
	Fatal       bool
	Description suite.Alert
}

// MarshalAlert returns the record of an alert.
func MarshalAlert(v suite.Version, fatal bool, d suite.Alert) []byte {
	level := byte(1)
	if fatal {
		level = 2
	}
	return []byte{RecordAlert, byte(v >> 8), byte(v), 0, 2, level, byte(d)}
}
