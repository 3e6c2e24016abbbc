package hello

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/parley-tls/parley/suite"
	"golang.org/x/crypto/cryptobyte"
)

// NewSessionTicket is what a server gives a client to resume the session by: RFC 5077 section 3.3 before TLS 1.3,
// RFC 8446 section 4.6.1 from there on.
type NewSessionTicket struct {
	Lifetime   uint32 // seconds; before TLS 1.3 a hint, and 0 leaves it open
	Ticket     []byte
	AgeAdd     uint32      // TLS 1.3
	Nonce      []byte      // TLS 1.3
	Extensions []Extension // TLS 1.3
	// MaxEarlyData is how many bytes of early data the server takes with this ticket; 0 without early_data.
	MaxEarlyData uint32
}

// ParseNewSessionTicket reads the body of the message in the form of version v.
func ParseNewSessionTicket(body []byte, v suite.Version) (*NewSessionTicket, error) {
	t := &NewSessionTicket{}
	s := cryptobyte.String(bytes.Clone(body))
	bad := errors.New("NewSessionTicket: malformed")
	var nonce, extensions cryptobyte.String
	if !s.ReadUint32(&t.Lifetime) {
		return nil, bad
	}
	if v >= suite.TLS13 {
		if !s.ReadUint32(&t.AgeAdd) || !s.ReadUint8LengthPrefixed(&nonce) {
			return nil, bad
		}
		t.Nonce = nonce
	}
	if !read16Bytes(&s, &t.Ticket) {
		return nil, bad
	}
	if v >= suite.TLS13 {
		var err error
		if !s.ReadUint16LengthPrefixed(&extensions) {
			return nil, bad
		}
		if t.Extensions, err = readExtensions(extensions); err != nil {
			return nil, fmt.Errorf("NewSessionTicket: %w", err)
		}
		if data, ok := findExtension(t.Extensions, ExtEarlyData); ok {
			size := cryptobyte.String(data)
			if !size.ReadUint32(&t.MaxEarlyData) || !size.Empty() {
				return nil, fmt.Errorf("NewSessionTicket: malformed %s", ExtensionName(ExtEarlyData))
			}
		}
	}
	if !s.Empty() {
		return nil, bad
	}
	return t, nil
}

// Marshal returns the handshake message in the form of version v; in TLS 1.3 Extensions as they are.
func (t *NewSessionTicket) Marshal(v suite.Version) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint32(t.Lifetime)
	if v >= suite.TLS13 {
		b.AddUint32(t.AgeAdd)
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(t.Nonce) })
	}
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(t.Ticket) })
	if v >= suite.TLS13 {
		addExtensions(&b, t.Extensions)
	}
	return message(TypeNewSessionTicket, &b)
}

// ParseCertificateStatus reads a stapled OCSP response (DER): the body of the message before TLS 1.3 (RFC 6066
// section 8), or that of the status_request extension in a Certificate of TLS 1.3, which is the same (RFC 8446
// section 4.4.2.1). Of another kind of status it returns nil.
func ParseCertificateStatus(body []byte) ([]byte, error) {
	s := cryptobyte.String(bytes.Clone(body))
	var kind uint8
	var response cryptobyte.String
	if !s.ReadUint8(&kind) {
		return nil, errors.New("CertificateStatus: it is empty")
	}
	if kind != 1 { // ocsp
		return nil, nil
	}
	if !s.ReadUint24LengthPrefixed(&response) || !s.Empty() {
		return nil, errors.New("CertificateStatus: the response does not end where the message does")
	}
	return response, nil
}

// MarshalCertificateStatus returns the handshake message before TLS 1.3.
func MarshalCertificateStatus(response []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint8(1)
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(response) })
	return message(TypeCertificateStatus, &b)
}
