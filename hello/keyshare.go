package hello

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"

	"github.com/parley-tls/parley/suite"
)

// x25519Kyber768Draft00 is the post-quantum group of Chrome 124 to 130
// (draft-tls-westerbaan-xyber768d00): the classical half first. Kyber's keys have ML-KEM's form.
const x25519Kyber768Draft00 suite.Group = 0x6399

// PrivateKey is the private half of a key share. A hybrid group has two parts. Shares of X448 and of the
// finite-field groups have none: they are valid, but nobody knows their private key.
type PrivateKey struct {
	Group   suite.Group
	EC      *ecdh.PrivateKey
	KEM768  *mlkem.DecapsulationKey768
	KEM1024 *mlkem.DecapsulationKey1024
}

// makeShares generates a key share for each group.
func makeShares(groups []suite.Group, rand io.Reader) ([]KeyShare, []PrivateKey, error) {
	shares, keys := make([]KeyShare, 0, len(groups)+1), make([]PrivateKey, 0, len(groups))
	for _, g := range groups {
		k := PrivateKey{Group: g}
		data, err := k.generate(rand)
		if err != nil {
			return nil, nil, fmt.Errorf("key share for %s: %w", g, err)
		}
		shares, keys = append(shares, KeyShare{g, data}), append(keys, k)
	}
	return shares, keys, nil
}

// generate fills in the private key and returns the public one, as key_share carries it (RFC 8446 section
// 4.2.8, draft-ietf-tls-ecdhe-mlkem section 4.1).
func (k *PrivateKey) generate(rand io.Reader) ([]byte, error) {
	ec := func(c ecdh.Curve) func() ([]byte, error) {
		return func() (_ []byte, err error) {
			if k.EC, err = ecKey(c, rand); err != nil {
				return nil, err
			}
			return k.EC.PublicKey().Bytes(), nil
		}
	}
	kem768 := func() (_ []byte, err error) {
		seed := make([]byte, mlkem.SeedSize)
		if _, err = io.ReadFull(rand, seed); err != nil {
			return nil, err
		}
		if k.KEM768, err = mlkem.NewDecapsulationKey768(seed); err != nil {
			return nil, err
		}
		return k.KEM768.EncapsulationKey().Bytes(), nil
	}
	kem1024 := func() (_ []byte, err error) {
		seed := make([]byte, mlkem.SeedSize)
		if _, err = io.ReadFull(rand, seed); err != nil {
			return nil, err
		}
		if k.KEM1024, err = mlkem.NewDecapsulationKey1024(seed); err != nil {
			return nil, err
		}
		return k.KEM1024.EncapsulationKey().Bytes(), nil
	}
	switch k.Group {
	case suite.X25519:
		return ec(ecdh.X25519())()
	case suite.Secp256r1:
		return ec(ecdh.P256())()
	case suite.Secp384r1:
		return ec(ecdh.P384())()
	case suite.Secp521r1:
		return ec(ecdh.P521())()
	case suite.X25519MLKEM768: // the lattice half first
		return join(kem768, ec(ecdh.X25519()))
	case suite.SecP256r1MLKEM768:
		return join(ec(ecdh.P256()), kem768)
	case suite.SecP384r1MLKEM1024:
		return join(ec(ecdh.P384()), kem1024)
	case suite.MLKEM1024:
		return kem1024()
	case x25519Kyber768Draft00:
		return join(ec(ecdh.X25519()), kem768)
	case suite.X448:
		b := make([]byte, 56) // any 56 bytes are a point (RFC 7748 section 5)
		_, err := io.ReadFull(rand, b)
		return b, err
	case suite.FFDHE2048, suite.FFDHE3072, suite.FFDHE4096, suite.FFDHE6144, suite.FFDHE8192:
		return ffdhe(suite.GroupByCode(k.Group).Bits, rand)
	}
	return nil, errors.New("not a group that key shares are made for here")
}

func join(parts ...func() ([]byte, error)) ([]byte, error) {
	var out []byte
	for _, p := range parts {
		b, err := p()
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out, nil
}

// ecKey draws scalars from rand until one is in range: ecdh's GenerateKey reads its own randomness.
func ecKey(c ecdh.Curve, rand io.Reader) (*ecdh.PrivateKey, error) {
	size := map[ecdh.Curve]int{ecdh.X25519(): 32, ecdh.P256(): 32, ecdh.P384(): 48, ecdh.P521(): 66}[c]
	b := make([]byte, size)
	for range 64 {
		if _, err := io.ReadFull(rand, b); err != nil {
			return nil, err
		}
		if c == ecdh.P521() {
			b[0] &= 1
		}
		if k, err := c.NewPrivateKey(b); err == nil {
			return k, nil
		}
	}
	return nil, errors.New("the source of randomness gives no scalar in range")
}

// ffdhe returns a share of a finite-field group of that many bits. The primes of RFC 7919 begin with 64
// one bits, so the square of a number of half their length less one bit is below them; a square is a
// quadratic residue, so it lies in the group that a server may check for.
func ffdhe(bits int, rand io.Reader) ([]byte, error) {
	b := make([]byte, bits/16)
	if _, err := io.ReadFull(rand, b); err != nil {
		return nil, err
	}
	b[0] = b[0]&0x7F | 0x40
	n := new(big.Int).SetBytes(b)
	return slices.Clip(n.Mul(n, n).FillBytes(make([]byte, bits/8))), nil
}
