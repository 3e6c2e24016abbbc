package handshake

import (
	"bytes"
	"crypto"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rc4"
	"encoding/binary"

	"github.com/parley-tls/parley/suite"
)

// prf is the pseudorandom function before TLS 1.3 and the hash of its transcripts. TLS 1.0 and 1.1 have MD5 and
// SHA-1 side by side (RFC 2246 section 5), TLS 1.2 the hash of the suite (RFC 5246 section 5).
type prf []crypto.Hash

func prfOf(v suite.Version, p *parameters) prf {
	if v < suite.TLS12 {
		return prf{crypto.MD5, crypto.SHA1}
	}
	return prf{p.hash}
}

func (f prf) digest(transcript []byte) []byte {
	var sum []byte
	for _, h := range f {
		sum = append(sum, digest(h, transcript)...)
	}
	return sum
}

// expand is PRF(secret, label, seed), n bytes of it.
func (f prf) expand(secret []byte, label string, seed []byte, n int) []byte {
	seed = append([]byte(label), seed...)
	half := (len(secret) + 1) / 2
	out := make([]byte, n)
	for i, h := range f {
		part := secret
		if len(f) == 2 { // the halves share a byte where the length is odd
			part = [][]byte{secret[:half], secret[len(secret)-half:]}[i]
		}
		for j, b := range pHash(h, part, seed, n) {
			out[j] ^= b
		}
	}
	return out
}

// pHash is P_hash of RFC 5246 section 5.
func pHash(h crypto.Hash, secret, seed []byte, n int) []byte {
	mac := func(data ...[]byte) []byte {
		m := hmac.New(h.New, secret)
		for _, d := range data {
			m.Write(d)
		}
		return m.Sum(nil)
	}
	var out []byte
	for a := mac(seed); len(out) < n; a = mac(a) {
		out = append(out, mac(a, seed)...)
	}
	return out[:n]
}

// sealer protects the client's records before TLS 1.3 (RFC 5246 section 6.2.3).
type sealer struct {
	version suite.Version
	p       *parameters
	seq     uint64
	macKey  []byte
	iv      []byte // fixed part of the nonce; in TLS 1.0 the last block of the record before
	aead    cipher.AEAD
	block   cipher.Block
	stream  *rc4.Cipher
}

// newSealer derives the client's keys from the key block (RFC 5246 section 6.3).
func newSealer(v suite.Version, p *parameters, f prf, master, client, server []byte) (*sealer, error) {
	s := &sealer{version: v, p: p}
	mac := 0
	if p.mac != 0 {
		mac = p.mac.Size()
	}
	keys := f.expand(master, "key expansion", append(bytes.Clone(server), client...), 2*(mac+p.key+p.iv))
	s.macKey = keys[:mac]
	key := keys[2*mac:][:p.key]
	s.iv = bytes.Clone(keys[2*(mac+p.key):][:p.iv])
	var err error
	switch {
	case p.aead != nil:
		s.aead, err = p.aead(key)
	case p.block != nil:
		s.block, err = p.block(key)
	default:
		s.stream, err = p.stream(key)
	}
	return s, err
}

// seal encrypts content into one record.
func (s *sealer) seal(kind uint8, content []byte) []byte {
	sequence := binary.BigEndian.AppendUint64(nil, s.seq)
	s.seq++
	header := []byte{kind, byte(s.version >> 8), byte(s.version)}
	signed := append(append(bytes.Clone(sequence), header...), byte(len(content)>>8), byte(len(content)))
	var body []byte
	switch {
	case s.aead != nil:
		body = s.sealAEAD(sequence, signed, content)
	default:
		m := hmac.New(s.p.mac.New, s.macKey)
		m.Write(signed)
		m.Write(content)
		body = m.Sum(bytes.Clone(content))
		if s.stream != nil {
			s.stream.XORKeyStream(body, body)
		} else {
			body = s.cbc(body)
		}
	}
	return append(append(header, byte(len(body)>>8), byte(len(body))), body...)
}

// sealAEAD has in AES-GCM the sequence number as the explicit part of the nonce (RFC 5288), and in ChaCha20 xored
// into it (RFC 7905).
func (s *sealer) sealAEAD(sequence, signed, content []byte) []byte {
	if len(s.iv) == s.aead.NonceSize() {
		nonce := bytes.Clone(s.iv)
		for i, b := range sequence {
			nonce[len(nonce)-8+i] ^= b
		}
		return s.aead.Seal(nil, nonce, content, signed)
	}
	nonce := append(bytes.Clone(s.iv), sequence...)
	return s.aead.Seal(sequence, nonce, content, signed)
}

// cbc pads and encrypts (RFC 5246 section 6.2.3.2).
func (s *sealer) cbc(body []byte) []byte {
	size := s.block.BlockSize()
	pad := size - len(body)%size
	body = append(body, bytes.Repeat([]byte{byte(pad - 1)}, pad)...)
	if s.version == suite.TLS10 {
		cipher.NewCBCEncrypter(s.block, s.iv).CryptBlocks(body, body)
		s.iv = bytes.Clone(body[len(body)-size:])
		return body
	}
	iv := make([]byte, size)
	rand.Read(iv) // it never fails
	cipher.NewCBCEncrypter(s.block, iv).CryptBlocks(body, body)
	return append(iv, body...)
}
