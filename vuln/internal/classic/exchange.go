package classic

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"

	"github.com/parley-tls/parley/suite"
)

// maxBits bounds the RSA keys and Diffie-Hellman primes that are computed with: larger ones take the time that a
// hostile server wants.
const maxBits = 8192

// keyExchange makes the body of a ClientKeyExchange and the secret that goes with it.
func (s *Session) keyExchange() ([]byte, error) {
	switch suite.ByCode(s.Server.Suite).KeyExchange {
	case suite.KXRSA:
		secret := make([]byte, 48)
		rand.Read(secret) // it never fails
		secret[0], secret[1] = byte(s.Hello.Version>>8), byte(s.Hello.Version)
		key, err := s.RSAKey()
		if err != nil {
			return nil, err
		}
		s.premaster = secret
		return RSAExchange(key, Pad(key, secret), s.Server.Version), nil
	case suite.KXECDHE:
		return s.ecdhe()
	case suite.KXDHE:
		return s.dhe()
	}
	return nil, ErrUnable
}

// RSAKey is the key of the server's certificate; ErrUnable where it is none of RSA of a usable size.
func (s *Session) RSAKey() (*rsa.PublicKey, error) {
	if len(s.Chain) == 0 {
		return nil, ErrUnable
	}
	cert, err := x509.ParseCertificate(s.Chain[0])
	if err != nil {
		return nil, ErrUnable
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || key.Size() < 48+11 || key.N.BitLen() > maxBits {
		return nil, ErrUnable
	}
	return key, nil
}

// Pad is the block type 2 of PKCS #1 v1.5 with this content, as long as the key (RFC 8017 section 7.2.1).
func Pad(key *rsa.PublicKey, content []byte) []byte {
	size := key.Size()
	block := make([]byte, size)
	block[1] = 2
	for i := 2; i < size-len(content)-1; i++ {
		for block[i] == 0 {
			rand.Read(block[i : i+1])
		}
	}
	copy(block[size-len(content):], content)
	return block
}

// RSAExchange is the body of a ClientKeyExchange that holds this block, encrypted. crypto/rsa encrypts no block that
// the caller padded, and refuses short keys.
func RSAExchange(key *rsa.PublicKey, block []byte, v suite.Version) []byte {
	size := key.Size()
	sealed := new(big.Int).Exp(new(big.Int).SetBytes(block), big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, size))
	if v < suite.TLS10 {
		return sealed // SSLv3 gives no length (RFC 5246 section 7.4.7.1)
	}
	return append([]byte{byte(size >> 8), byte(size)}, sealed...)
}

func (s *Session) ecdhe() ([]byte, error) {
	if s.Exchange == nil {
		return nil, ErrUnable
	}
	curve := map[suite.Group]ecdh.Curve{suite.X25519: ecdh.X25519(), suite.Secp256r1: ecdh.P256(), suite.Secp384r1: ecdh.P384(), suite.Secp521r1: ecdh.P521()}[s.Exchange.Group]
	if curve == nil {
		return nil, ErrUnable
	}
	theirs, err := curve.NewPublicKey(s.Exchange.Public)
	if err != nil {
		return nil, fmt.Errorf("ServerKeyExchange: %w", err)
	}
	own, err := curve.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	if s.premaster, err = own.ECDH(theirs); err != nil {
		return nil, fmt.Errorf("ServerKeyExchange: %w", err)
	}
	point := own.PublicKey().Bytes()
	return append([]byte{byte(len(point))}, point...), nil
}

func (s *Session) dhe() ([]byte, error) {
	k := s.Exchange
	if k == nil || k.DHBits > maxBits || k.DHBits < 2 {
		return nil, ErrUnable
	}
	p, g, theirs := new(big.Int).SetBytes(k.Prime), new(big.Int).SetBytes(k.Generator), new(big.Int).SetBytes(k.Public)
	exponent := make([]byte, 32)
	rand.Read(exponent)
	x := new(big.Int).SetBytes(exponent)
	own := new(big.Int).Exp(g, x, p).Bytes()
	// Leading zeros of the secret are dropped (RFC 5246 section 8.1.2).
	s.premaster = new(big.Int).Exp(theirs, x, p).Bytes()
	return append([]byte{byte(len(own) >> 8), byte(len(own))}, own...), nil
}
