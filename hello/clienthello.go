package hello

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/parley-tls/parley/suite"
	"golang.org/x/crypto/cryptobyte"
)

// ParseClientHello reads a ClientHello from records as they stand on the wire (one or several), from a
// bare handshake message, or from an SSLv2-format hello. Bytes after the hello are ignored. The result
// does not alias b.
func ParseClientHello(b []byte) (*ClientHello, error) {
	b = bytes.Clone(b)
	switch {
	case len(b) == 0:
		return nil, errors.New("no bytes: a ClientHello is expected")
	case b[0] == RecordHandshake:
		return parseRecords(b)
	case isSSLv2Hello(b):
		return parseSSLv2(b)
	case b[0] == TypeClientHello:
		m, _, err := nextMessage(b)
		if err != nil {
			return nil, fmt.Errorf("ClientHello: %w", err)
		}
		return parseBody(m.Body)
	}
	return nil, fmt.Errorf("no ClientHello: it begins with % x", b[:min(len(b), 5)])
}

func parseRecords(b []byte) (*ClientHello, error) {
	var stream []byte
	var first suite.Version
	var fragments []int
	for len(b) > 0 {
		r, rest, err := NextRecord(b)
		if err != nil {
			return nil, fmt.Errorf("ClientHello: %w", err)
		}
		if r.Type != RecordHandshake {
			return nil, fmt.Errorf("ClientHello: record of type %d after %d bytes of it", r.Type, len(stream))
		}
		if first == 0 {
			first = r.Version
		}
		stream, b = append(stream, r.Body...), rest
		fragments = append(fragments, len(r.Body))
		m, after, err := nextMessage(stream)
		if errors.Is(err, ErrIncomplete) && len(b) > 0 {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("ClientHello: %w", err)
		}
		if m.Type != TypeClientHello {
			return nil, fmt.Errorf("no ClientHello: a handshake message of type %d", m.Type)
		}
		h, err := parseBody(m.Body)
		if err != nil {
			return nil, err
		}
		h.RecordVersion = first
		if len(fragments) > 1 && len(after) == 0 {
			h.fragments = fragments
		}
		return h, nil
	}
	return nil, fmt.Errorf("ClientHello: %w", ErrIncomplete)
}

// parseBody reads the body of the handshake message.
func parseBody(body []byte) (*ClientHello, error) {
	h := &ClientHello{RecordVersion: suite.TLS10}
	s := cryptobyte.String(body)
	var version uint16
	var session, suites, compression cryptobyte.String
	if !s.ReadUint16(&version) || !s.ReadBytes(&h.Random, 32) ||
		!s.ReadUint8LengthPrefixed(&session) || !s.ReadUint16LengthPrefixed(&suites) ||
		!s.ReadUint8LengthPrefixed(&compression) {
		return nil, fmt.Errorf("ClientHello: the fixed fields end early, at byte %d", len(body)-len(s))
	}
	h.Version, h.SessionID, h.Compression = suite.Version(version), session, compression
	for !suites.Empty() {
		var c uint16
		if !suites.ReadUint16(&c) {
			return nil, errors.New("ClientHello: the list of cipher suites has an odd length")
		}
		h.Suites = append(h.Suites, suite.Code(c))
	}
	if s.Empty() {
		return h, nil
	}
	var extensions cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&extensions) || !s.Empty() {
		return nil, fmt.Errorf("ClientHello: the extensions do not end where the message does, at byte %d", len(body)-len(s))
	}
	h.HasExtensions = true
	for !extensions.Empty() {
		var e Extension
		var data cryptobyte.String
		if !extensions.ReadUint16(&e.Type) || !extensions.ReadUint16LengthPrefixed(&data) {
			return nil, fmt.Errorf("ClientHello: extension %d of the list ends early", len(h.Extensions)+1)
		}
		e.Data = data
		h.Extensions = append(h.Extensions, e)
	}
	return h, nil
}

// MarshalHandshake returns the handshake message, header included.
func (h *ClientHello) MarshalHandshake() ([]byte, error) {
	if h.SSLv2Format {
		return nil, errors.New("an SSLv2-format hello is no handshake message")
	}
	var b cryptobyte.Builder
	b.AddUint8(TypeClientHello)
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint16(uint16(h.Version))
		b.AddBytes(h.Random)
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.SessionID) })
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, c := range h.Suites {
				b.AddUint16(uint16(c))
			}
		})
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.Compression) })
		if !h.HasExtensions && len(h.Extensions) == 0 {
			return
		}
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, e := range h.Extensions {
				b.AddUint16(e.Type)
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(e.Data) })
			}
		})
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("ClientHello too large for its length fields: %w", err)
	}
	if len(h.Random) != 32 {
		return nil, fmt.Errorf("ClientHello: random of %d bytes: it has 32", len(h.Random))
	}
	return out, nil
}

// Marshal returns the records to send. A hello that was parsed and not changed gives the bytes it came
// from, the split into records included.
func (h *ClientHello) Marshal() ([]byte, error) {
	if h.SSLv2Format {
		return h.marshalSSLv2()
	}
	msg, err := h.MarshalHandshake()
	if err != nil {
		return nil, err
	}
	total := 0
	for _, n := range h.fragments {
		total += n
	}
	if total != len(msg) {
		return appendRecords(nil, RecordHandshake, h.RecordVersion, msg), nil
	}
	var out []byte
	for _, n := range h.fragments {
		out = append(out, RecordHandshake, byte(h.RecordVersion>>8), byte(h.RecordVersion), byte(n>>8), byte(n))
		out, msg = append(out, msg[:n]...), msg[n:]
	}
	return out, nil
}

// Clone returns a copy that shares nothing with h.
func (h *ClientHello) Clone() *ClientHello {
	c := *h
	c.Random, c.SessionID, c.Compression = bytes.Clone(h.Random), bytes.Clone(h.SessionID), bytes.Clone(h.Compression)
	c.Suites = slices.Clone(h.Suites)
	c.fragments = slices.Clone(h.fragments)
	c.Extensions = slices.Clone(h.Extensions)
	for i := range c.Extensions {
		c.Extensions[i].Data = bytes.Clone(c.Extensions[i].Data)
	}
	return &c
}
