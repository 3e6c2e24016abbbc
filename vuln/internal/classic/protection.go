package classic

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"hash"

	"github.com/parley-tls/parley/suite"
)

// ErrUnable says that this package lacks the suite, version or key exchange to go on.
var ErrUnable = errors.New("a handshake that cannot be completed here")

// Speaks reports whether a handshake of version v with suite c can be completed here: TLS 1.0 to 1.2, RSA, DHE or
// ECDHE, AES in CBC or GCM or 3DES.
func Speaks(c suite.Code, v suite.Version) bool {
	i := suite.ByCode(c)
	if i == nil || v < suite.TLS10 || v > suite.TLS12 || !i.UsableIn(v) || i.Export {
		return false
	}
	switch i.KeyExchange {
	case suite.KXRSA, suite.KXDHE, suite.KXECDHE:
	default:
		return false
	}
	return CBC(c) && macOf(i) != nil || i.Encryption == "AES" && i.Mode == "GCM"
}

// CBC reports whether suite c is one of this package's with padded records.
func CBC(c suite.Code) bool {
	i := suite.ByCode(c)
	return i != nil && i.Mode == "CBC" && (i.Encryption == "AES" || i.Encryption == "3DES")
}

func macOf(i *suite.Suite) func() hash.Hash {
	switch i.MAC {
	case "SHA1":
		return sha1.New
	case "SHA256":
		return sha256.New
	case "SHA384":
		return sha512.New384
	}
	return nil
}

// protection is how the records of one direction are protected.
type protection struct {
	version  suite.Version
	sequence uint64
	block    cipher.Block // CBC
	mac      hash.Hash    // CBC
	chained  []byte       // CBC in TLS 1.0: the last block, which the next record begins with
	aead     cipher.AEAD  // GCM
	salt     []byte       // GCM
}

// spoilt says what is wrong with a record.
type spoilt struct {
	padding func([]byte)
	mac     bool
}

// newProtection makes the keys of both directions (RFC 5246 section 6.3).
func newProtection(v suite.Version, c suite.Code, master, client, server []byte) (out, in *protection, err error) {
	if !Speaks(c, v) {
		return nil, nil, ErrUnable
	}
	i := suite.ByCode(c)
	key, mac, iv := i.Bits/8, 0, 0
	if i.Encryption == "3DES" {
		key = 24
	}
	if CBC(c) {
		mac = macOf(i)().Size()
		if v == suite.TLS10 {
			iv = blockSize(i)
		}
	} else {
		iv = 4
	}
	block := prfOf(v, c).expand(master, "key expansion", append(append([]byte{}, server...), client...), 2*(mac+key+iv))
	take := func(n int) []byte {
		b := block[:n:n]
		block = block[n:]
		return b
	}
	macs, keys, ivs := [2][]byte{take(mac), take(mac)}, [2][]byte{take(key), take(key)}, [2][]byte{take(iv), take(iv)}
	var both [2]*protection
	for n := range both {
		p := &protection{version: v}
		if i.Encryption == "3DES" {
			p.block, err = des.NewTripleDESCipher(keys[n])
		} else {
			p.block, err = aes.NewCipher(keys[n])
		}
		if err != nil {
			return nil, nil, err
		}
		if CBC(c) {
			p.mac, p.chained = hmac.New(macOf(i), macs[n]), ivs[n]
		} else if p.aead, err = cipher.NewGCM(p.block); err != nil {
			return nil, nil, err
		}
		p.salt = ivs[n]
		both[n] = p
	}
	return both[0], both[1], nil
}

func blockSize(i *suite.Suite) int {
	if i.Encryption == "3DES" {
		return des.BlockSize
	}
	return aes.BlockSize
}

// header is what is authenticated beside the content: sequence number, type, version and length.
func (p *protection) header(kind uint8, size int) []byte {
	b := binary.BigEndian.AppendUint64(nil, p.sequence)
	return append(b, kind, byte(p.version>>8), byte(p.version), byte(size>>8), byte(size))
}

func (p *protection) sum(kind uint8, body []byte) []byte {
	p.mac.Reset()
	p.mac.Write(p.header(kind, len(body)))
	p.mac.Write(body)
	return p.mac.Sum(nil)
}

// seal protects the content of one record. how is nil for a record without fault.
func (p *protection) seal(kind uint8, body []byte, how *spoilt) []byte {
	defer func() { p.sequence++ }()
	if p.aead != nil {
		explicit := binary.BigEndian.AppendUint64(nil, p.sequence)
		nonce := append(append([]byte{}, p.salt...), explicit...)
		sealed := p.aead.Seal(explicit, nonce, body, p.header(kind, len(body)))
		if how != nil {
			sealed[len(sealed)-1] ^= 0xFF
		}
		return sealed
	}
	plain := append(append([]byte{}, body...), p.sum(kind, body)...)
	if how != nil && how.mac {
		plain[len(plain)-1] ^= 0xFF
	}
	size := p.block.BlockSize()
	n := size - len(plain)%size // of padding, with the byte that says how long it is
	if how != nil && how.padding != nil {
		for n < 16 {
			n += size
		}
	}
	padding := make([]byte, n)
	for i := range padding {
		padding[i] = byte(n - 1)
	}
	if how != nil && how.padding != nil {
		how.padding(padding[:n-1])
	}
	plain = append(plain, padding...)
	iv := p.chained
	var out []byte
	if p.version > suite.TLS10 {
		iv = make([]byte, size)
		rand.Read(iv) // it never fails
		out = append(out, iv...)
	}
	cipher.NewCBCEncrypter(p.block, iv).CryptBlocks(plain, plain)
	if p.version == suite.TLS10 {
		p.chained = plain[len(plain)-size:]
	}
	return append(out, plain...)
}

var errSealed = errors.New("a record that does not decrypt")

// open is the reverse of seal. It gives away by its time what is wrong with a record: nobody but the server that
// is tested sends it any.
func (p *protection) open(kind uint8, body []byte) ([]byte, error) {
	defer func() { p.sequence++ }()
	if p.aead != nil {
		if len(body) < 8+p.aead.Overhead() {
			return nil, errSealed
		}
		nonce := append(append([]byte{}, p.salt...), body[:8]...)
		return p.aead.Open(nil, nonce, body[8:], p.header(kind, len(body)-8-p.aead.Overhead()))
	}
	size, iv := p.block.BlockSize(), p.chained
	if p.version > suite.TLS10 {
		if len(body) < size {
			return nil, errSealed
		}
		iv, body = body[:size], body[size:]
	}
	if len(body) == 0 || len(body)%size != 0 {
		return nil, errSealed
	}
	plain := make([]byte, len(body))
	cipher.NewCBCDecrypter(p.block, iv).CryptBlocks(plain, body)
	if p.version == suite.TLS10 {
		p.chained = append([]byte{}, body[len(body)-size:]...)
	}
	n := len(plain) - 1 - int(plain[len(plain)-1]) - p.mac.Size()
	if n < 0 {
		return nil, errSealed
	}
	if !hmac.Equal(plain[n:n+p.mac.Size()], p.sum(kind, plain[:n])) {
		return nil, errSealed
	}
	return plain[:n], nil
}
