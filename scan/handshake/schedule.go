package handshake

import (
	"bytes"
	"crypto"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"errors"
	"fmt"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// schedule is the key schedule of TLS 1.3 (RFC 8446 section 7.1) and the keys in use.
type schedule struct {
	suite  suite.Code
	hash   crypto.Hash
	secret []byte // the present one of early, handshake and master secret

	in, out recordKey
	// The traffic secrets of the handshake, from which the Finished messages are made.
	clientSecret, serverSecret []byte
}

func (k *schedule) newHash() hash.Hash { return k.hash.New() }

// expandLabel is HKDF-Expand-Label (RFC 8446 section 7.1).
func (k *schedule) expandLabel(secret []byte, label string, context []byte, n int) []byte {
	label = "tls13 " + label
	info := []byte{byte(n >> 8), byte(n), byte(len(label))}
	info = append(info, label...)
	info = append(append(info, byte(len(context))), context...)
	out, err := hkdf.Expand(k.newHash, secret, string(info), n)
	if err != nil {
		panic(err) // n is at most the size of a hash
	}
	return out
}

// derive is Derive-Secret over a transcript.
func (k *schedule) derive(label string, transcript []byte) []byte {
	return k.expandLabel(k.secret, label, digest(k.hash, transcript), k.hash.Size())
}

// extract goes on to the next secret with new input; nil stands for zeros.
func (k *schedule) extract(input []byte) {
	salt := make([]byte, k.hash.Size())
	if k.secret != nil {
		salt = k.derive("derived", nil)
	}
	if input == nil {
		input = make([]byte, k.hash.Size())
	}
	secret, err := hkdf.Extract(k.newHash, input, salt)
	if err != nil {
		panic(err) // it fails for hashes that FIPS 140 forbids alone
	}
	k.secret = secret
}

// finished is the content of a Finished message, or a binder (RFC 8446 sections 4.4.4 and 4.2.11.2).
func (k *schedule) finished(base, transcript []byte) []byte {
	mac := hmac.New(k.newHash, k.expandLabel(base, "finished", nil, k.hash.Size()))
	mac.Write(digest(k.hash, transcript))
	return mac.Sum(nil)
}

// recordKey protects the records of one direction (RFC 8446 section 5.2).
type recordKey struct {
	aead cipher.AEAD
	iv   []byte
	seq  uint64
}

var errNoKey = errors.New("no key for these records")

// key derives the key of a traffic secret (RFC 8446 section 7.3).
func (k *schedule) key(secret []byte) (recordKey, error) {
	n, build := 16, newGCM
	switch k.suite {
	case 0x1301:
	case 0x1302:
		n = 32
	case 0x1303:
		n, build = chacha20poly1305.KeySize, chacha20poly1305.New
	default:
		return recordKey{}, errNoKey
	}
	aead, err := build(k.expandLabel(secret, "key", nil, n))
	return recordKey{aead: aead, iv: k.expandLabel(secret, "iv", nil, 12)}, err
}

func (r *recordKey) nonce() []byte {
	nonce := bytes.Clone(r.iv)
	for i := range 8 {
		nonce[4+i] ^= byte(r.seq >> (8 * (7 - i)))
	}
	r.seq++
	return nonce
}

// open decrypts a record and returns its content type and content.
func (k *schedule) open(header, body []byte) (uint8, []byte, error) {
	if k.in.aead == nil {
		return 0, nil, errNoKey
	}
	plain, err := k.in.aead.Open(nil, k.in.nonce(), body, header)
	if err != nil {
		return 0, nil, fmt.Errorf("encrypted record %d: %w", k.in.seq, err)
	}
	plain = bytes.TrimRight(plain, "\x00") // padding
	if len(plain) == 0 {
		return 0, nil, errors.New("a record of padding alone")
	}
	return plain[len(plain)-1], plain[:len(plain)-1], nil
}

// seal encrypts content into one record.
func (k *schedule) seal(kind uint8, content []byte) []byte {
	n := len(content) + 1 + k.out.aead.Overhead()
	header := []byte{hello.RecordApplicationData, 3, 3, byte(n >> 8), byte(n)}
	inner := append(bytes.Clone(content), kind)
	return k.out.aead.Seal(header, k.out.nonce(), inner, header)
}
