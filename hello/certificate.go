package hello

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/parley-tls/parley/suite"
	"golang.org/x/crypto/cryptobyte"
)

// ParseCertificate reads the body of a Certificate message before TLS 1.3 (RFC 5246 section 7.4.2): DER,
// the server's own first.
func ParseCertificate(body []byte) ([][]byte, error) {
	s := cryptobyte.String(bytes.Clone(body))
	var list cryptobyte.String
	if !s.ReadUint24LengthPrefixed(&list) || !s.Empty() {
		return nil, errors.New("certificate message: the list does not end where the message does")
	}
	var chain [][]byte
	for !list.Empty() {
		var cert cryptobyte.String
		if !list.ReadUint24LengthPrefixed(&cert) {
			return nil, fmt.Errorf("certificate message: certificate %d of the list ends early", len(chain)+1)
		}
		chain = append(chain, cert)
	}
	return chain, nil
}

// MarshalCertificate returns the handshake message before TLS 1.3.
func MarshalCertificate(chain [][]byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, c := range chain {
			b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(c) })
		}
	})
	return message(TypeCertificate, &b)
}

// CertificateTLS13 is the Certificate message of TLS 1.3 (RFC 8446 section 4.4.2). A server sends it
// encrypted: only who holds the keys sees one.
type CertificateTLS13 struct {
	Context []byte // certificate_request_context: empty from a server
	Entries []CertificateEntry
}

// CertificateEntry is one certificate of the chain, the sender's own first.
type CertificateEntry struct {
	DER        []byte
	Extensions []Extension // status_request, signed_certificate_timestamp
}

// ParseCertificateTLS13 reads the body of the message.
func ParseCertificateTLS13(body []byte) (*CertificateTLS13, error) {
	m := &CertificateTLS13{}
	s := cryptobyte.String(bytes.Clone(body))
	var context, list cryptobyte.String
	if !s.ReadUint8LengthPrefixed(&context) || !s.ReadUint24LengthPrefixed(&list) || !s.Empty() {
		return nil, errors.New("certificate message: the list does not end where the message does")
	}
	m.Context = context
	for !list.Empty() {
		var cert, extensions cryptobyte.String
		if !list.ReadUint24LengthPrefixed(&cert) || !list.ReadUint16LengthPrefixed(&extensions) {
			return nil, fmt.Errorf("certificate message: certificate %d of the list ends early", len(m.Entries)+1)
		}
		l, err := readExtensions(extensions)
		if err != nil {
			return nil, fmt.Errorf("certificate message: certificate %d: %w", len(m.Entries)+1, err)
		}
		m.Entries = append(m.Entries, CertificateEntry{cert, l})
	}
	return m, nil
}

// Marshal returns the handshake message.
func (m *CertificateTLS13) Marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(m.Context) })
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, e := range m.Entries {
			b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(e.DER) })
			addExtensions(b, e.Extensions)
		}
	})
	return message(TypeCertificate, &b)
}

// CertificateRequest is the server's demand for a client certificate: RFC 5246 section 7.4.4 before TLS
// 1.3, RFC 8446 section 4.3.2 from there on.
type CertificateRequest struct {
	Types   []byte                  // ClientCertificateType (rsa_sign 1, ecdsa_sign 64 …); before TLS 1.3
	Schemes []suite.SignatureScheme // from TLS 1.2 on
	Names   [][]byte                // DER of the distinguished names of CAs
	Context []byte                  // TLS 1.3
	// Extensions are those of TLS 1.3, from which Schemes and Names are read.
	Extensions []Extension
}

// ParseCertificateRequest reads the body of the message in the form of version v.
func ParseCertificateRequest(body []byte, v suite.Version) (*CertificateRequest, error) {
	r := &CertificateRequest{}
	s := cryptobyte.String(bytes.Clone(body))
	if v >= suite.TLS13 {
		return r, r.readTLS13(s)
	}
	bad := errors.New("CertificateRequest: malformed")
	var types, schemes, names cryptobyte.String
	if !s.ReadUint8LengthPrefixed(&types) {
		return nil, bad
	}
	r.Types = types
	if v == suite.TLS12 {
		if !s.ReadUint16LengthPrefixed(&schemes) {
			return nil, bad
		}
		for !schemes.Empty() {
			var x uint16
			if !schemes.ReadUint16(&x) {
				return nil, bad
			}
			r.Schemes = append(r.Schemes, suite.SignatureScheme(x))
		}
	}
	if !s.ReadUint16LengthPrefixed(&names) || !s.Empty() || !r.readNames(names) {
		return nil, bad
	}
	return r, nil
}

func (r *CertificateRequest) readTLS13(s cryptobyte.String) error {
	var context, extensions cryptobyte.String
	if !s.ReadUint8LengthPrefixed(&context) || !s.ReadUint16LengthPrefixed(&extensions) || !s.Empty() {
		return errors.New("CertificateRequest: malformed")
	}
	r.Context = context
	var err error
	if r.Extensions, err = readExtensions(extensions); err != nil {
		return fmt.Errorf("CertificateRequest: %w", err)
	}
	for _, e := range r.Extensions {
		ok := true
		switch e.Type {
		case ExtSignatureAlgorithms:
			r.Schemes, ok = read16[suite.SignatureScheme](e.Data, false)
		case ExtCertAuthorities:
			data := cryptobyte.String(e.Data)
			var names cryptobyte.String
			ok = data.ReadUint16LengthPrefixed(&names) && data.Empty() && r.readNames(names)
		}
		if !ok {
			return fmt.Errorf("CertificateRequest: malformed %s", ExtensionName(e.Type))
		}
	}
	return nil
}

func (r *CertificateRequest) readNames(list cryptobyte.String) bool {
	for !list.Empty() {
		var n cryptobyte.String
		if !list.ReadUint16LengthPrefixed(&n) {
			return false
		}
		r.Names = append(r.Names, n)
	}
	return true
}

// Marshal returns the handshake message in the form of version v; in TLS 1.3 Extensions as they are.
func (r *CertificateRequest) Marshal(v suite.Version) ([]byte, error) {
	var b cryptobyte.Builder
	if v >= suite.TLS13 {
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(r.Context) })
		addExtensions(&b, r.Extensions)
		return message(TypeCertificateRequest, &b)
	}
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(r.Types) })
	if v == suite.TLS12 {
		b.AddBytes(list16(r.Schemes))
	}
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, n := range r.Names {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(n) })
		}
	})
	return message(TypeCertificateRequest, &b)
}

// EncryptedExtensions is what a TLS 1.3 server adds to its hello under the handshake keys (RFC 8446
// section 4.3.1).
type EncryptedExtensions struct {
	Extensions []Extension
	ALPN       string // the protocol chosen; empty if none was
}

// ParseEncryptedExtensions reads the body of the message.
func ParseEncryptedExtensions(body []byte) (*EncryptedExtensions, error) {
	m := &EncryptedExtensions{}
	s := cryptobyte.String(bytes.Clone(body))
	var list cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&list) || !s.Empty() {
		return nil, errors.New("EncryptedExtensions: the extensions do not end where the message does")
	}
	var err error
	if m.Extensions, err = readExtensions(list); err != nil {
		return nil, fmt.Errorf("EncryptedExtensions: %w", err)
	}
	if data, ok := findExtension(m.Extensions, ExtALPN); ok {
		l := readALPN(data)
		if len(l) != 1 {
			return nil, fmt.Errorf("EncryptedExtensions: malformed %s", ExtensionName(ExtALPN))
		}
		m.ALPN = l[0]
	}
	return m, nil
}

// Marshal returns the handshake message, from Extensions.
func (m *EncryptedExtensions) Marshal() ([]byte, error) {
	var b cryptobyte.Builder
	addExtensions(&b, m.Extensions)
	return message(TypeEncryptedExt, &b)
}

// message wraps what b holds in the header of a handshake message.
func message(t uint8, b *cryptobyte.Builder) ([]byte, error) {
	body, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("handshake message of type %d: %w", t, err)
	}
	return Message{t, body}.Marshal(), nil
}
