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
	HasExtensions bool // false: the extensions block is absent, not empty
	Extensions    []Extension
	Retry         bool // a HelloRetryRequest

	Version        suite.Version // chosen: supported_versions where present, else LegacyVersion
	Group          suite.Group   // of key_share; 0 if absent
	KeyShare       []byte        // the server's half; nil in a HelloRetryRequest
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
	h.HasExtensions = true
	var err error
	if h.Extensions, err = readExtensions(extensions); err != nil {
		return nil, fmt.Errorf("ServerHello: %w", err)
	}
	for _, e := range h.Extensions {
		if err := h.readExtension(e.Type, e.Data); err != nil {
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
		var key cryptobyte.String
		if !data.ReadUint16(&g) || !h.Retry && !data.ReadUint16LengthPrefixed(&key) || !data.Empty() {
			return fmt.Errorf("ServerHello: malformed %s", ExtensionName(t))
		}
		h.Group, h.KeyShare = suite.Group(g), key
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

// Extension returns the body of the first extension of type t.
func (h *ServerHello) Extension(t uint16) ([]byte, bool) { return findExtension(h.Extensions, t) }

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
	if h.HasExtensions || len(h.Extensions) > 0 {
		addExtensions(&b, h.Extensions)
	}
	body, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("ServerHello: %w", err)
	}
	return Message{TypeServerHello, body}.Marshal(), nil
}
