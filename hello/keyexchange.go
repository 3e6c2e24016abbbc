package hello

import (
	"bytes"
	"fmt"
	"math/bits"

	"github.com/parley-tls/parley/suite"
	"golang.org/x/crypto/cryptobyte"
)

// ServerKeyExchange is the server's half of an ephemeral key exchange before TLS 1.3. Numbers are big-endian
// as they stand on the wire.
type ServerKeyExchange struct {
	Group     suite.Group // ECDHE (RFC 8422 section 5.4)
	Explicit  bool        // ECDHE over a curve that is spelled out (forbidden by RFC 8422): nothing after it is read
	DHBits    int         // DHE: bits of the prime (RFC 5246 section 7.4.3)
	Prime     []byte      // DHE
	Generator []byte      // DHE
	RSABits   int         // RSA_EXPORT: bits of the temporary modulus
	Modulus   []byte      // RSA_EXPORT (RFC 2246 section 7.4.3)
	Exponent  []byte      // RSA_EXPORT
	Public    []byte      // the server's half: a point or a number
	Hint      []byte      // identity hint, with PSK (RFC 4279 section 2)

	Scheme    suite.SignatureScheme // TLS 1.2; 0 where nothing is signed, and before TLS 1.2, where the key decides
	Signature []byte                // nil where nothing is signed
}

// keyExchangeForm says which parts a message has.
type keyExchangeForm struct {
	hint, ec, dh, rsa, signed bool
}

func formOf(info *suite.Suite) (f keyExchangeForm) {
	switch info.KeyExchange {
	case suite.KXECDHE:
		f.ec = true
	case suite.KXECDHEPSK:
		f.hint, f.ec = true, true
	case suite.KXDHE:
		f.dh = true
	case suite.KXDHEPSK:
		f.hint, f.dh = true, true
	case suite.KXPSK, suite.KXRSAPSK:
		f.hint = true
	case suite.KXRSA:
		f.rsa = info.Export
	}
	switch info.Authentication {
	case suite.AuthRSA, suite.AuthECDSA, suite.AuthDSS:
		f.signed = f.ec || f.dh || f.rsa
	}
	return f
}

// ParseServerKeyExchange reads the body of the message. Its form depends on the suite and version that the
// ServerHello chose. Forms other than (EC)DHE, PSK and export RSA give an empty result.
func ParseServerKeyExchange(body []byte, v suite.Version, c suite.Code) (*ServerKeyExchange, error) {
	k := &ServerKeyExchange{}
	info := suite.ByCode(c)
	if info == nil {
		return k, nil
	}
	form := formOf(info)
	s := cryptobyte.String(bytes.Clone(body))
	bad := fmt.Errorf("ServerKeyExchange: malformed for %s", info.IANA)
	if form.hint && !read16Bytes(&s, &k.Hint) {
		return nil, bad
	}
	switch {
	case form.ec:
		var kind uint8
		var group uint16
		if !s.ReadUint8(&kind) {
			return nil, bad
		}
		if kind != 3 { // named_curve
			k.Explicit = true
			return k, nil
		}
		var point cryptobyte.String
		if !s.ReadUint16(&group) || !s.ReadUint8LengthPrefixed(&point) {
			return nil, bad
		}
		k.Group, k.Public = suite.Group(group), point
	case form.dh:
		if !read16Bytes(&s, &k.Prime) || !read16Bytes(&s, &k.Generator) || !read16Bytes(&s, &k.Public) {
			return nil, bad
		}
		k.DHBits = bitLen(k.Prime)
	case form.rsa:
		if !read16Bytes(&s, &k.Modulus) || !read16Bytes(&s, &k.Exponent) {
			return nil, bad
		}
		k.RSABits = bitLen(k.Modulus)
	case !form.hint:
		return k, nil
	}
	if form.signed {
		var scheme uint16
		if v == suite.TLS12 && !s.ReadUint16(&scheme) || !read16Bytes(&s, &k.Signature) {
			return nil, bad
		}
		k.Scheme = suite.SignatureScheme(scheme)
	}
	if !s.Empty() {
		return nil, bad
	}
	return k, nil
}

// Marshal returns the handshake message in the form of version v and suite c.
func (k *ServerKeyExchange) Marshal(v suite.Version, c suite.Code) ([]byte, error) {
	info := suite.ByCode(c)
	if info == nil || k.Explicit {
		return nil, fmt.Errorf("ServerKeyExchange: no form to write for %s", c)
	}
	form := formOf(info)
	var b cryptobyte.Builder
	add := func(data []byte) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(data) })
	}
	if form.hint {
		add(k.Hint)
	}
	switch {
	case form.ec:
		b.AddUint8(3)
		b.AddUint16(uint16(k.Group))
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(k.Public) })
	case form.dh:
		add(k.Prime)
		add(k.Generator)
		add(k.Public)
	case form.rsa:
		add(k.Modulus)
		add(k.Exponent)
	}
	if form.signed {
		if v == suite.TLS12 {
			b.AddUint16(uint16(k.Scheme))
		}
		add(k.Signature)
	}
	return message(TypeServerKeyExchange, &b)
}

// read16Bytes reads a vector of bytes with a 16-bit length.
func read16Bytes(s *cryptobyte.String, out *[]byte) bool {
	var v cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&v) {
		return false
	}
	*out = v
	return true
}

// bitLen is the length of a big-endian number in bits.
func bitLen(b []byte) int {
	b = bytes.TrimLeft(b, "\x00")
	if len(b) == 0 {
		return 0
	}
	return 8*(len(b)-1) + bits.Len8(b[0])
}
