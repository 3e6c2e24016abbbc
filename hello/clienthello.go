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
// does not alias b. ErrIncomplete says that b is the beginning of a hello.
func ParseClientHello(b []byte) (*ClientHello, error) {
	switch {
	case len(b) == 0:
		return nil, errors.New("no bytes: a ClientHello is expected")
	case b[0] == RecordHandshake:
		return parseRecords(b)
	case isSSLv2Hello(b):
		return parseSSLv2(b)
	case b[0] == TypeClientHello:
		m, _, err := nextMessage(b, MaxHandshake)
		if err != nil {
			return nil, fmt.Errorf("ClientHello: %w", err)
		}
		return parseBody(bytes.Clone(m.Body))
	}
	return nil, fmt.Errorf("no ClientHello: it begins with % x", b[:min(len(b), 5)])
}

// fragment is one of the records that a hello came in.
type fragment struct {
	version suite.Version
	size    int
}

func parseRecords(b []byte) (*ClientHello, error) {
	var stream []byte // of the handshake, where it takes more than one record
	var fragments []fragment
	for first := true; len(b) > 0; first = false {
		r, rest, err := NextRecord(b)
		if err != nil {
			return nil, fmt.Errorf("ClientHello: %w", err)
		}
		if r.Type != RecordHandshake {
			return nil, fmt.Errorf("ClientHello: record of type %d after %d bytes of it", r.Type, len(stream))
		}
		whole := r.Body
		if !first {
			stream = append(stream, r.Body...)
			whole = stream
		}
		m, after, err := nextMessage(whole, MaxHandshake)
		if errors.Is(err, ErrIncomplete) && len(rest) > 0 {
			if first {
				stream = bytes.Clone(r.Body)
			}
			if len(fragments) == maxFragments {
				return nil, fmt.Errorf("ClientHello: not complete after %d records", maxFragments)
			}
			fragments = append(fragments, fragment{r.Version, len(r.Body)})
			b = rest
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("ClientHello: %w", err)
		}
		if m.Type != TypeClientHello {
			return nil, fmt.Errorf("no ClientHello: a handshake message of type %d", m.Type)
		}
		h, err := parseBody(bytes.Clone(m.Body))
		if err != nil {
			return nil, err
		}
		h.RecordVersion = r.Version
		if !first {
			h.RecordVersion = fragments[0].version
			h.fragments = append(fragments, fragment{r.Version, len(r.Body) - len(after)})
		}
		return h, nil
	}
	return nil, fmt.Errorf("ClientHello: %w", ErrIncomplete)
}

// parseBody reads the body of the handshake message; the result aliases it.
func parseBody(body []byte) (*ClientHello, error) {
	h := &ClientHello{RecordVersion: suite.TLS10}
	s := cryptobyte.String(body)
	var version uint16
	var random []byte
	var session, suites, compression cryptobyte.String
	if !s.ReadUint16(&version) || !s.ReadBytes(&random, 32) ||
		!s.ReadUint8LengthPrefixed(&session) || !s.ReadUint16LengthPrefixed(&suites) ||
		!s.ReadUint8LengthPrefixed(&compression) {
		return nil, fmt.Errorf("ClientHello: the fixed fields end early, at byte %d", len(body)-len(s))
	}
	// Clipped, so that an append to one field cannot run into the next.
	h.Version, h.Random, h.SessionID, h.Compression = suite.Version(version), slices.Clip(random), slices.Clip(session), slices.Clip(compression)
	if len(suites)%2 != 0 {
		return nil, errors.New("ClientHello: the list of cipher suites has an odd length")
	}
	h.Suites = make([]suite.Code, len(suites)/2)
	for i := range h.Suites {
		h.Suites[i] = suite.Code(suites[2*i])<<8 | suite.Code(suites[2*i+1])
	}
	if s.Empty() {
		return h, nil
	}
	var extensions cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&extensions) || !s.Empty() {
		return nil, fmt.Errorf("ClientHello: the extensions do not end where the message does, at byte %d", len(body)-len(s))
	}
	h.HasExtensions = true
	var err error
	if h.Extensions, err = readExtensions(extensions); err != nil {
		return nil, fmt.Errorf("ClientHello: %w", err)
	}
	return h, nil
}

// readExtensions reads a list of extensions without its length; the result aliases it.
func readExtensions(list cryptobyte.String) ([]Extension, error) {
	if list.Empty() {
		return nil, nil
	}
	out := make([]Extension, 0, min(len(list)/4, 24))
	for !list.Empty() {
		var t uint16
		var data cryptobyte.String
		if !list.ReadUint16(&t) || !list.ReadUint16LengthPrefixed(&data) {
			return nil, fmt.Errorf("extension %d of the list ends early", len(out)+1)
		}
		out = append(out, Extension{t, slices.Clip(data)})
	}
	return out, nil
}

// addExtensions writes a list of extensions with its length.
func addExtensions(b *cryptobyte.Builder, list []Extension) {
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, e := range list {
			b.AddUint16(e.Type)
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(e.Data) })
		}
	})
}

// MarshalHandshake returns the handshake message, header included.
func (h *ClientHello) MarshalHandshake() ([]byte, error) {
	if h.SSLv2Format {
		return nil, errors.New("an SSLv2-format hello is no handshake message")
	}
	if len(h.Random) != 32 {
		return nil, fmt.Errorf("ClientHello: random of %d bytes: it has 32", len(h.Random))
	}
	if i := slices.IndexFunc(h.Suites, func(c suite.Code) bool { return c > 0xFFFF }); i >= 0 {
		return nil, fmt.Errorf("ClientHello: %s is an SSLv2 kind: only an SSLv2-format hello can carry it", h.Suites[i])
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
		if h.HasExtensions || len(h.Extensions) > 0 {
			addExtensions(b, h.Extensions)
		}
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("ClientHello too large for its length fields: %w", err)
	}
	return out, nil
}

// Marshal returns the records to send. A hello that was parsed from records and not changed gives the
// bytes it came from, the split into records included; one that has another size now, or came as a bare
// handshake message, gets records of its own.
func (h *ClientHello) Marshal() ([]byte, error) {
	if h.SSLv2Format {
		return h.marshalSSLv2()
	}
	msg, err := h.MarshalHandshake()
	if err != nil {
		return nil, err
	}
	if !h.keepsFragments(len(msg)) {
		return AppendRecords(nil, RecordHandshake, h.RecordVersion, msg), nil
	}
	var out []byte
	for _, f := range h.fragments {
		out = append(out, RecordHandshake, byte(f.version>>8), byte(f.version), byte(f.size>>8), byte(f.size))
		out, msg = append(out, msg[:f.size]...), msg[f.size:]
	}
	return out, nil
}

// keepsFragments reports whether a message of size bytes fits the records that the hello came in.
func (h *ClientHello) keepsFragments(size int) bool {
	for _, f := range h.fragments {
		size -= f.size
	}
	return size == 0
}

// WireSize returns how many bytes Marshal gives, without making them.
func (h *ClientHello) WireSize() int {
	if h.SSLv2Format {
		return 2 + 9 + 3*len(h.Suites) + len(h.SessionID) + len(h.Random)
	}
	n := 4 + 2 + len(h.Random) + 1 + len(h.SessionID) + 2 + 2*len(h.Suites) + 1 + len(h.Compression)
	if h.HasExtensions || len(h.Extensions) > 0 {
		n += 2
		for _, e := range h.Extensions {
			n += 4 + len(e.Data)
		}
	}
	if h.keepsFragments(n) {
		return n + 5*len(h.fragments)
	}
	return n + 5*((n+maxPlaintext-1)/maxPlaintext)
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
