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
	h.Suites = readKinds(list)
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
	return sslv2Header(b.BytesOrPanic())
}

// SSLv2ServerHello is the answer to a hello by a server that chose SSLv2 (The SSL Protocol, Netscape 1995,
// section 5.5.1.2).
type SSLv2ServerHello struct {
	SessionHit      bool
	CertificateType uint8 // 1: X.509
	Version         suite.Version
	Certificate     []byte       // DER
	Suites          []suite.Code // those of the client's kinds that the server takes, or all of its own
	ConnectionID    []byte
}

// SSLv2Error is an ERROR message of SSLv2 (section 5.4).
type SSLv2Error uint16

// Errors of SSLv2.
const (
	SSLv2NoCipher               SSLv2Error = 1
	SSLv2NoCertificate          SSLv2Error = 2
	SSLv2BadCertificate         SSLv2Error = 4
	SSLv2UnsupportedCertificate SSLv2Error = 6
)

func (e SSLv2Error) Error() string {
	switch e {
	case SSLv2NoCipher:
		return "SSLv2 error: no cipher is shared"
	case SSLv2NoCertificate:
		return "SSLv2 error: no certificate"
	case SSLv2BadCertificate:
		return "SSLv2 error: bad certificate"
	case SSLv2UnsupportedCertificate:
		return "SSLv2 error: unsupported certificate type"
	}
	return fmt.Sprintf("SSLv2 error %d", uint16(e))
}

// ParseSSLv2ServerHello reads the record of a SERVER-HELLO. An ERROR message comes back as an SSLv2Error;
// ErrIncomplete says that more bytes are needed.
func ParseSSLv2ServerHello(b []byte) (*SSLv2ServerHello, error) {
	body, err := sslv2Record(b)
	if err != nil {
		return nil, fmt.Errorf("SSLv2 SERVER-HELLO: %w", err)
	}
	s := cryptobyte.String(bytes.Clone(body))
	var kind, hit uint8
	var version, cert, specs, id uint16
	if !s.ReadUint8(&kind) {
		return nil, errors.New("SSLv2 SERVER-HELLO: an empty record")
	}
	if kind == 0 {
		var code uint16
		if !s.ReadUint16(&code) {
			return nil, errors.New("SSLv2: an ERROR message without its code")
		}
		return nil, SSLv2Error(code)
	}
	h := &SSLv2ServerHello{}
	if kind != 4 || !s.ReadUint8(&hit) || !s.ReadUint8(&h.CertificateType) || !s.ReadUint16(&version) ||
		!s.ReadUint16(&cert) || !s.ReadUint16(&specs) || !s.ReadUint16(&id) {
		return nil, fmt.Errorf("no SSLv2 SERVER-HELLO: it begins with % x", b[:min(len(b), 5)])
	}
	h.SessionHit, h.Version = hit != 0, suite.Version(version)
	var list []byte
	if specs%3 != 0 || !s.ReadBytes(&h.Certificate, int(cert)) || !s.ReadBytes(&list, int(specs)) ||
		!s.ReadBytes(&h.ConnectionID, int(id)) || !s.Empty() {
		return nil, errors.New("SSLv2 SERVER-HELLO: the lengths of its lists do not fit")
	}
	h.Suites = readKinds(list)
	return h, nil
}

// sslv2Record returns the body of an SSLv2 record: a header of two bytes, or of three with padding.
func sslv2Record(b []byte) ([]byte, error) {
	if len(b) < 3 {
		return nil, ErrIncomplete
	}
	n, header, padding := int(b[0]&0x7F)<<8|int(b[1]), 2, 0
	if b[0]&0x80 == 0 {
		n, header, padding = int(b[0]&0x3F)<<8|int(b[1]), 3, int(b[2])
	}
	if len(b) < header+n {
		return nil, ErrIncomplete
	}
	if padding > n {
		return nil, fmt.Errorf("a record of %d bytes with %d of padding", n, padding)
	}
	return b[header : header+n-padding], nil
}

// readKinds reads the three-byte cipher kinds of SSLv2; those below 0x010000 are suites of SSLv3 and TLS.
func readKinds(list []byte) []suite.Code {
	var out []suite.Code
	for ; len(list) >= 3; list = list[3:] {
		out = append(out, suite.Code(list[0])<<16|suite.Code(list[1])<<8|suite.Code(list[2]))
	}
	return out
}

// Marshal returns the record to send.
func (h *SSLv2ServerHello) Marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint8(4)
	b.AddUint8(boolByte(h.SessionHit))
	b.AddUint8(h.CertificateType)
	b.AddUint16(uint16(h.Version))
	for _, n := range []int{len(h.Certificate), 3 * len(h.Suites), len(h.ConnectionID)} {
		b.AddUint16(uint16(n))
	}
	b.AddBytes(h.Certificate)
	for _, c := range h.Suites {
		b.AddUint24(uint32(c))
	}
	b.AddBytes(h.ConnectionID)
	return sslv2Header(b.BytesOrPanic())
}

// MarshalSSLv2Error returns the record of an ERROR message.
func MarshalSSLv2Error(e SSLv2Error) []byte { return []byte{0x80, 3, 0, byte(e >> 8), byte(e)} }

// sslv2Header puts the two-byte record header before body.
func sslv2Header(body []byte) ([]byte, error) {
	if len(body) > 0x7FFF {
		return nil, fmt.Errorf("SSLv2 record of %d bytes: the limit is %d", len(body), 0x7FFF)
	}
	return append([]byte{0x80 | byte(len(body)>>8), byte(len(body))}, body...), nil
}

func boolByte(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
