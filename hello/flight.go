package hello

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/parley-tls/parley/suite"
)

// Flight reassembles what a server sends in the clear: add bytes as they come, take messages as they
// are whole. Its memory is bounded by MaxMessage and one record, its work by MaxRecords; the zero value
// has the default limits.
type Flight struct {
	MaxMessage int // bytes of one handshake message; 0: MaxHandshake
	MaxRecords int // 0: the constant MaxRecords

	// Alert is the first fatal alert, or the first warning where there is none: a server may warn of an
	// unrecognized name before it refuses for another reason.
	Alert *Alert
	// Encrypted counts whole records of application data or of handshake after ChangeCipherSpec: their
	// content is not in the clear.
	Encrypted int
	Version   suite.Version // of the first record
	Records   int           // whole records so far

	raw      []byte // not yet a whole record
	stream   []byte // handshake bytes not yet a whole message
	messages []Message
	changed  bool // ChangeCipherSpec was seen
	retrying bool // the last ServerHello was a HelloRetryRequest
	err      error
}

// Add takes bytes from the wire. An error means that the peer breaks the protocol or a limit; messages
// before the fault can be taken, and every further Add gives the same error.
func (f *Flight) Add(b []byte) error {
	if f.err != nil {
		return f.err
	}
	f.raw = append(f.raw, b...)
	left := f.raw
	for len(left) > 0 {
		r, rest, err := NextRecord(left)
		if errors.Is(err, ErrIncomplete) {
			break
		}
		if err == nil {
			err = f.record(r)
		}
		if err != nil {
			f.err = err
			break
		}
		left = rest
	}
	f.raw = keep(f.raw, left)
	return f.err
}

func (f *Flight) record(r Record) error {
	if f.Records++; f.Records == 1 {
		f.Version = r.Version
	}
	if limit := orDefault(f.MaxRecords, MaxRecords); f.Records > limit {
		return fmt.Errorf("more than %d records", limit)
	}
	switch {
	case f.Alert != nil && f.Alert.Fatal: // nothing counts after it (RFC 8446 section 6.2)
	case r.Type == RecordChangeCipherSpec:
		// After a HelloRetryRequest it is there for middleboxes only, and the next ServerHello comes in the
		// clear (RFC 8446 appendix D.4).
		f.changed = !f.retrying
	case r.Type == RecordApplicationData, f.changed && r.Type == RecordHandshake:
		f.Encrypted++
	case r.Type == RecordAlert && len(r.Body) == 2:
		a := &Alert{Fatal: r.Body[0] == 2, Description: suite.Alert(r.Body[1])}
		if f.Alert == nil || a.Fatal && !f.Alert.Fatal {
			f.Alert = a
		}
	case r.Type == RecordAlert && f.changed:
		f.Encrypted++
	case r.Type == RecordAlert:
		return fmt.Errorf("alert of %d bytes: it has 2", len(r.Body))
	case r.Type == RecordHandshake:
		return f.handshake(r.Body)
	}
	return nil
}

func (f *Flight) handshake(b []byte) error {
	f.stream = append(f.stream, b...)
	left := f.stream
	for len(left) > 0 {
		m, rest, err := nextMessage(left, orDefault(f.MaxMessage, MaxHandshake))
		if errors.Is(err, ErrIncomplete) {
			break
		}
		if err != nil {
			return err
		}
		m.Body = append([]byte(nil), m.Body...)
		if m.Type == TypeServerHello {
			f.retrying = len(m.Body) >= 34 && bytes.Equal(m.Body[2:34], retryRandom[:])
		}
		f.messages = append(f.messages, m)
		left = rest
	}
	f.stream = keep(f.stream, left)
	return nil
}

// keep moves left, the end of buf, to its beginning. Where all of it is left nothing moves, so that a peer that
// drips bytes costs no more than one that does not.
func keep(buf, left []byte) []byte {
	if len(left) == len(buf) {
		return buf
	}
	return append(buf[:0], left...)
}

// Pending reports whether bytes were read that do not yet make a whole message or record.
func (f *Flight) Pending() bool { return len(f.raw) > 0 || len(f.stream) > 0 }

// Take returns the messages that have become whole since the last call.
func (f *Flight) Take() []Message {
	m := f.messages
	f.messages = nil
	return m
}

func orDefault(n, d int) int {
	if n > 0 {
		return n
	}
	return d
}
