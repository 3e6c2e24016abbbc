package classic

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	"github.com/parley-tls/parley/suite"
)

// prf is the pseudo-random function of a version and suite: of TLS 1.2 with one hash (RFC 5246 section 5), of the
// versions before with MD5 and SHA-1 (RFC 2246 section 5).
type prf struct{ hashes []func() hash.Hash }

func prfOf(v suite.Version, c suite.Code) prf {
	switch {
	case v < suite.TLS12:
		return prf{[]func() hash.Hash{md5.New, sha1.New}}
	case suite.ByCode(c).PRF == "SHA384":
		return prf{[]func() hash.Hash{sha512.New384}}
	}
	return prf{[]func() hash.Hash{sha256.New}}
}

// expand makes n bytes of secret, label and seed.
func (f prf) expand(secret []byte, label string, seed []byte, n int) []byte {
	seed = append([]byte(label), seed...)
	out := make([]byte, n)
	half := secret
	if len(f.hashes) == 2 { // each hash gets one half, which share a byte where the number is odd
		half = secret[:(len(secret)+1)/2]
	}
	for _, h := range f.hashes {
		for i, b := range stream(h, half, seed, n) {
			out[i] ^= b
		}
		half = secret[len(secret)/2:]
	}
	return out
}

// stream is P_hash.
func stream(h func() hash.Hash, secret, seed []byte, n int) []byte {
	sum := func(parts ...[]byte) []byte {
		m := hmac.New(h, secret)
		for _, p := range parts {
			m.Write(p)
		}
		return m.Sum(nil)
	}
	var out []byte
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:n]
}

// digest is the hash of the transcript that Finished and the extended master secret are made of.
func (f prf) digest(transcript []byte) []byte {
	var out []byte
	for _, h := range f.hashes {
		d := h()
		d.Write(transcript)
		out = d.Sum(out)
	}
	return out
}
