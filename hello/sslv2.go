package hello

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/parley-tls/parley/suite"
	"golang.org/x/crypto/cryptobyte"
)

// isSSLv2Hello tells a CLIENT-HELLO in an SSLv2 record: a two-byte header with the high bit set, then the
// message type 1 (RFC 5246 appendix E.2).
func isSSLv2Hello(b []byte) bool { return len(b) >= 3 && b[0]&0x80 != 0 && b[2] == 1 }

func parseSSLv2(b []byte) (*ClientHello, error) {
	n := int(b[0]&0x7F)<<8 | int(b[1])
	if len(b) < 2+n {
		return nil, fmt.Errorf("SSLv2-format hello: %w", ErrIncomplete)
	}
	s := cryptobyte.String(bytes.Clone(b[2 : 2+n]))
	var version, specs, session, challenge uint16
	if !s.Skip(1) || !s.ReadUint16(&version) || !s.ReadUint16(&specs) || !s.ReadUint16(&session) || !s.ReadUint16(&challenge) {
		return nil, errors.New("SSLv2-format hello: the fixed fields end early")
	}
	h := &ClientHello{SSLv2Format: true, RecordVersion: suite.SSLv2, Version: suite.Version(version)}
	var list []byte
	if specs%3 != 0 || !s.ReadBytes(&list, int(specs)) || !s.ReadBytes(&h.SessionID, int(session)) ||
		!s.ReadBytes(&h.Random, int(challenge)) || !s.Empty() {
		return nil, errors.New("SSLv2-format hello: the lengths of its lists do not fit")
	}
	for ; len(list) > 0; list = list[3:] {
		h.Suites = append(h.Suites, suite.Code(list[0])<<16|suite.Code(list[1])<<8|suite.Code(list[2]))
	}
	return h, nil
}

func (h *ClientHello) marshalSSLv2() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint8(1)
	b.AddUint16(uint16(h.Version))
	b.AddUint16(uint16(3 * len(h.Suites)))
	b.AddUint16(uint16(len(h.SessionID)))
	b.AddUint16(uint16(len(h.Random)))
	for _, c := range h.Suites {
		b.AddUint24(uint32(c))
	}
	b.AddBytes(h.SessionID)
	b.AddBytes(h.Random)
	body := b.BytesOrPanic()
	if len(body) > 0x7FFF {
		return nil, fmt.Errorf("SSLv2-format hello of %d bytes: the limit is %d", len(body), 0x7FFF)
	}
	return append([]byte{0x80 | byte(len(body)>>8), byte(len(body))}, body...), nil
}
