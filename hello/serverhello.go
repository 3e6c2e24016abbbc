package hello

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/parley-tls/parley/suite"
	"golang.org/x/crypto/cryptobyte"
)

// retryRandom marks a ServerHello as a HelloRetryRequest (RFC 8446 section 4.1.3).
var retryRandom = sha256.Sum256([]byte("HelloRetryRequest"))

// ServerHello is the server's choice (RFC 8446 section 4.1.3, RFC 5246 section 7.4.1.3), or a
// HelloRetryRequest.
type ServerHello struct {
	LegacyVersion suite.Version
	Random        []byte // 32 bytes
	SessionID     []byte
	Suite         suite.Code
	Compression   uint8
	Extensions    []Extension
	Retry         bool // a HelloRetryRequest

	Version        suite.Version // chosen: supported_versions where present, else LegacyVersion
	Group          suite.Group   // of key_share; 0 if absent
	ALPN           string        // before TLS 1.3
	SecureReneg    bool          // RFC 5746
	ExtendedMaster bool          // RFC 7627
	SelectedPSK    bool
}

// ParseServerHello reads the body of the handshake message.
func ParseServerHello(body []byte) (*ServerHello, error) {
	h := &ServerHello{}
	s := cryptobyte.String(bytes.Clone(body))
	var version, code uint16
	var session cryptobyte.String
	if !s.ReadUint16(&version) || !s.ReadBytes(&h.Random, 32) || !s.ReadUint8LengthPrefixed(&session) ||
		!s.ReadUint16(&code) || !s.ReadUint8(&h.Compression) {
		return nil, errors.New("ServerHello: the fixed fields end early")
	}
	h.LegacyVersion, h.SessionID, h.Suite = suite.Version(version), session, suite.Code(code)
	h.Version = h.LegacyVersion
	h.Retry = bytes.Equal(h.Random, retryRandom[:])
	if s.Empty() {
		return h, nil
	}
	var extensions cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&extensions) || !s.Empty() {
		return nil, errors.New("ServerHello: the extensions do not end where the message does")
	}
	for !extensions.Empty() {
		var e Extension
		var data cryptobyte.String
		if !extensions.ReadUint16(&e.Type) || !extensions.ReadUint16LengthPrefixed(&data) {
			return nil, errors.New("ServerHello: an extension ends early")
		}
		e.Data = data
		h.Extensions = append(h.Extensions, e)
		if err := h.readExtension(e.Type, data); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func (h *ServerHello) readExtension(t uint16, data cryptobyte.String) error {
	switch t {
	case ExtSupportedVersions:
		var v uint16
		if !data.ReadUint16(&v) || !data.Empty() {
			return fmt.Errorf("ServerHello: malformed %s", ExtensionName(t))
		}
		h.Version = suite.Version(v)
	case ExtKeyShare:
		var g uint16
		if !data.ReadUint16(&g) {
			return fmt.Errorf("ServerHello: malformed %s", ExtensionName(t))
		}
		h.Group = suite.Group(g)
	case ExtALPN:
		if l := readALPN(data); len(l) == 1 {
			h.ALPN = l[0]
		} else {
			return fmt.Errorf("ServerHello: malformed %s", ExtensionName(t))
		}
	case ExtRenegotiationInfo:
		h.SecureReneg = true
	case ExtExtendedMasterSecret:
		h.ExtendedMaster = true
	case ExtPreSharedKey:
		h.SelectedPSK = true
	}
	return nil
}

// Downgraded reports whether the random carries the mark by which a TLS 1.3 server says that it was asked
// for less (RFC 8446 section 4.1.3). A client that offered TLS 1.3 and sees it knows that its hello was
// altered on the way.
func (h *ServerHello) Downgraded() bool {
	return h.Version < suite.TLS13 && len(h.Random) == 32 &&
		(bytes.Equal(h.Random[24:], []byte("DOWNGRD\x01")) || bytes.Equal(h.Random[24:], []byte("DOWNGRD\x00")))
}

// Marshal returns the handshake message, from Random, LegacyVersion and Extensions as they are.
func (h *ServerHello) Marshal() ([]byte, error) {
	random := h.Random
	if h.Retry {
		random = retryRandom[:]
	}
	if len(random) != 32 {
		return nil, fmt.Errorf("ServerHello: random of %d bytes: it has 32", len(random))
	}
	var b cryptobyte.Builder
	b.AddUint16(uint16(h.LegacyVersion))
	b.AddBytes(random)
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.SessionID) })
	b.AddUint16(uint16(h.Suite))
	b.AddUint8(h.Compression)
	if len(h.Extensions) > 0 {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, e := range h.Extensions {
				b.AddUint16(e.Type)
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(e.Data) })
			}
		})
	}
	body, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("ServerHello: %w", err)
	}
	return Message{TypeServerHello, body}.Marshal(), nil
}

// ParseCertificate reads the body of a Certificate message before TLS 1.3 (RFC 5246 section 7.4.2): DER,
// the server's own first.
func ParseCertificate(body []byte) ([][]byte, error) {
	s := cryptobyte.String(body)
	var list cryptobyte.String
	if !s.ReadUint24LengthPrefixed(&list) || !s.Empty() {
		return nil, errors.New("Certificate: the list does not end where the message does")
	}
	var chain [][]byte
	for !list.Empty() {
		var cert cryptobyte.String
		if !list.ReadUint24LengthPrefixed(&cert) {
			return nil, errors.New("Certificate: a certificate ends early")
		}
		chain = append(chain, bytes.Clone(cert))
	}
	return chain, nil
}

// ServerKeyExchange is the server's half of an ephemeral key exchange before TLS 1.3.
type ServerKeyExchange struct {
	Group  suite.Group           // ECDHE (RFC 8422 section 5.4)
	DHBits int                   // DHE: bits of the prime (RFC 5246 section 7.4.3)
	Prime  []byte                // DHE
	Scheme suite.SignatureScheme // TLS 1.2; 0 where nothing is signed or in older versions
}

// ParseServerKeyExchange reads the body of the message. Its form depends on the suite and version that the
// ServerHello chose. Forms other than (EC)DHE give an empty result.
func ParseServerKeyExchange(body []byte, v suite.Version, c suite.Code) (*ServerKeyExchange, error) {
	k := &ServerKeyExchange{}
	info := suite.ByCode(c)
	if info == nil {
		return k, nil
	}
	s := cryptobyte.String(body)
	bad := fmt.Errorf("ServerKeyExchange: malformed for %s", info.IANA)
	var skipped cryptobyte.String
	switch info.KeyExchange {
	case suite.KXDHEPSK, suite.KXECDHEPSK:
		if !s.ReadUint16LengthPrefixed(&skipped) { // PSK identity hint
			return nil, bad
		}
	}
	switch info.KeyExchange {
	case suite.KXECDHE, suite.KXECDHEPSK:
		var kind uint8
		var group uint16
		if !s.ReadUint8(&kind) {
			return nil, bad
		}
		if kind != 3 { // explicit curves
			return k, nil
		}
		if !s.ReadUint16(&group) || !s.ReadUint8LengthPrefixed(&skipped) {
			return nil, bad
		}
		k.Group = suite.Group(group)
	case suite.KXDHE, suite.KXDHEPSK:
		var p, g, y cryptobyte.String
		if !s.ReadUint16LengthPrefixed(&p) || !s.ReadUint16LengthPrefixed(&g) || !s.ReadUint16LengthPrefixed(&y) {
			return nil, bad
		}
		k.Prime = bytes.Clone(bytes.TrimLeft(p, "\x00"))
		k.DHBits = bitLen(k.Prime)
	default:
		return k, nil
	}
	var scheme uint16
	if v == suite.TLS12 && info.Authentication != suite.AuthAnon && info.Authentication != suite.AuthPSK {
		if !s.ReadUint16(&scheme) {
			return nil, bad
		}
		k.Scheme = suite.SignatureScheme(scheme)
	}
	return k, nil
}

func bitLen(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	n := 8 * (len(b) - 1)
	for x := b[0]; x > 0; x >>= 1 {
		n++
	}
	return n
}

// CertificateRequest is the server's demand for a client certificate before TLS 1.3 (RFC 5246 section 7.4.4).
type CertificateRequest struct {
	Types   []byte
	Schemes []suite.SignatureScheme // TLS 1.2
	Names   [][]byte                // DER of the distinguished names of CAs
}

// ParseCertificateRequest reads the body of the message.
func ParseCertificateRequest(body []byte, v suite.Version) (*CertificateRequest, error) {
	r := &CertificateRequest{}
	s := cryptobyte.String(bytes.Clone(body))
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
	if !s.ReadUint16LengthPrefixed(&names) || !s.Empty() {
		return nil, bad
	}
	for !names.Empty() {
		var n cryptobyte.String
		if !names.ReadUint16LengthPrefixed(&n) {
			return nil, bad
		}
		r.Names = append(r.Names, n)
	}
	return r, nil
}
