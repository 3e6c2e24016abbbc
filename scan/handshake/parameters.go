package handshake

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	_ "crypto/md5" // for the suites and versions that are made of it
	"crypto/rc4"
	_ "crypto/sha1"   // likewise
	_ "crypto/sha256" // likewise
	_ "crypto/sha512" // likewise

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/parley-tls/parley/suite"
)

// parameters are what a suite means for the records that it protects.
type parameters struct {
	hash   crypto.Hash // of the PRF, or of HKDF in TLS 1.3
	key    int         // bytes
	iv     int         // bytes of the fixed part of the nonce, or of the first IV of TLS 1.0
	mac    crypto.Hash // 0 with an AEAD
	aead   func(key []byte) (cipher.AEAD, error)
	block  func(key []byte) (cipher.Block, error) // CBC
	stream func(key []byte) (*rc4.Cipher, error)
}

// parametersOf returns nil for a suite that this package cannot protect records with.
func parametersOf(c suite.Code) *parameters {
	s := suite.ByCode(c)
	if s == nil {
		return nil
	}
	p := &parameters{hash: crypto.SHA256, key: s.Bits / 8}
	if s.PRF == "SHA384" {
		p.hash = crypto.SHA384
	}
	switch {
	case s.Encryption == "AES" && s.Mode == "GCM":
		p.iv, p.aead = 4, newGCM
	case s.Encryption == "CHACHA20" && s.Recommended != "-": // the drafts of it have other nonces
		p.iv, p.aead = 12, chacha20poly1305.New
	case s.Encryption == "AES" && s.Mode == "CBC":
		p.iv, p.block = aes.BlockSize, aes.NewCipher
	case s.Encryption == "3DES" && s.Mode == "CBC":
		p.key, p.iv, p.block = 24, des.BlockSize, des.NewTripleDESCipher
	case s.Encryption == "RC4" && s.Bits == 128:
		p.stream = rc4.NewCipher
	default:
		return nil
	}
	if p.aead == nil {
		p.mac = map[string]crypto.Hash{"MD5": crypto.MD5, "SHA1": crypto.SHA1, "SHA256": crypto.SHA256, "SHA384": crypto.SHA384}[s.MAC]
		if p.mac == 0 {
			return nil
		}
	}
	return p
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// CanFinish reports whether this package can complete a handshake with suite c in version v.
func CanFinish(c suite.Code, v suite.Version) bool {
	s := suite.ByCode(c)
	if s == nil || s.Export || v < suite.TLS10 || parametersOf(c) == nil {
		return false
	}
	if v == suite.TLS13 {
		return c >= 0x1301 && c <= 0x1303
	}
	switch s.KeyExchange {
	case suite.KXRSA, suite.KXDHE, suite.KXECDHE:
		return s.UsableIn(v)
	}
	return false
}
