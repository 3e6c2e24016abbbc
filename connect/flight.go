package connect

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// recorder keeps the beginning of what a server sends, so that what crypto/tls does not tell can be read
// from the wire.
type recorder struct {
	net.Conn
	got []byte // at most probe.MaxAnswer bytes
}

func (r *recorder) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.got = append(r.got, b[:min(n, probe.MaxAnswer-len(r.got))]...)
	return n, err
}

// flight is what a server's first flight says.
type flight struct {
	hello  *hello.ServerHello // nil if none came
	scheme suite.SignatureScheme
	chain  [][]byte // DER, the server's own first
}

// readFlight reads a server's first flight from the bytes of a connection. What TLS 1.3 encrypts is read with
// the secret of keyLog (NSS key log format). It returns what it could read; the rest is left empty.
func readFlight(raw, keyLog []byte) flight {
	var f flight
	var inner hello.Flight // TLS 1.3: what was decrypted
	var clear hello.Flight
	var key *recordKey
	for {
		r, rest, err := hello.NextRecord(raw)
		if err != nil {
			return f
		}
		switch {
		case key == nil:
			if clear.Add(raw[:len(raw)-len(rest)]) != nil {
				return f
			}
			f.take(clear.Take())
			if h := f.hello; h != nil && !h.Retry && h.Version == suite.TLS13 {
				if key, err = newRecordKey(h.Suite, serverSecret(keyLog)); err != nil {
					return f
				}
			}
		case r.Type == hello.RecordApplicationData:
			plain, kind, err := key.open(raw[:5], r.Body)
			if err != nil || kind != hello.RecordHandshake || inner.Add(hello.AppendRecords(nil, kind, suite.TLS12, plain)) != nil {
				return f
			}
			if f.take(inner.Take()) {
				return f
			}
		}
		raw = rest
	}
}

// take reads messages and reports whether the flight is at its end. Messages that are malformed say nothing:
// crypto/tls has its own opinion of them.
func (f *flight) take(l []hello.Message) (end bool) {
	for _, m := range l {
		switch m.Type {
		case hello.TypeServerHello:
			if h, err := hello.ParseServerHello(m.Body); err == nil {
				f.hello = h
			}
		case hello.TypeCertificate:
			f.certificate(m.Body)
		case hello.TypeServerKeyExchange:
			if f.hello == nil {
				break
			}
			if k, err := hello.ParseServerKeyExchange(m.Body, f.hello.Version, f.hello.Suite); err == nil {
				f.scheme = k.Scheme
			}
		case hello.TypeCertificateVerify:
			if len(m.Body) > 2 {
				f.scheme = suite.SignatureScheme(binary.BigEndian.Uint16(m.Body))
			}
			return true
		}
	}
	return false
}

func (f *flight) certificate(body []byte) {
	if f.hello == nil || f.hello.Version < suite.TLS13 {
		f.chain, _ = hello.ParseCertificate(body)
		return
	}
	if m, err := hello.ParseCertificateTLS13(body); err == nil {
		for _, e := range m.Entries {
			f.chain = append(f.chain, e.DER)
		}
	}
}

// serverSecret finds the secret of the server's handshake records in a key log; nil if it is not there.
func serverSecret(keyLog []byte) []byte {
	lines := bufio.NewScanner(bytes.NewReader(keyLog))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) == 3 && f[0] == "SERVER_HANDSHAKE_TRAFFIC_SECRET" {
			secret, _ := hex.DecodeString(f[2])
			return secret
		}
	}
	return nil
}

// recordKey opens the records of one direction of a TLS 1.3 handshake (RFC 8446 section 5.2).
type recordKey struct {
	aead cipher.AEAD
	iv   []byte
	seq  uint64
}

var errNoKey = errors.New("no key for these records")

// newRecordKey derives the key of a suite from a traffic secret (RFC 8446 section 7.3).
func newRecordKey(c suite.Code, secret []byte) (*recordKey, error) {
	var newHash func() hash.Hash = sha256.New
	keyLen, build := 16, newGCM
	switch c {
	case 0x1301:
	case 0x1302:
		newHash, keyLen = sha512.New384, 32
	case 0x1303:
		keyLen, build = chacha20poly1305.KeySize, chacha20poly1305.New
	default:
		return nil, errNoKey
	}
	if len(secret) == 0 {
		return nil, errNoKey
	}
	key, err := expandLabel(newHash, secret, "key", keyLen)
	if err != nil {
		return nil, err
	}
	iv, err := expandLabel(newHash, secret, "iv", 12)
	if err != nil {
		return nil, err
	}
	aead, err := build(key)
	return &recordKey{aead: aead, iv: iv}, err
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// expandLabel is HKDF-Expand-Label with an empty context (RFC 8446 section 7.1).
func expandLabel(h func() hash.Hash, secret []byte, label string, n int) ([]byte, error) {
	info := []byte{byte(n >> 8), byte(n), byte(len("tls13 ") + len(label))}
	info = append(info, "tls13 "+label+"\x00"...)
	return hkdf.Expand(h, secret, string(info), n)
}

// open decrypts one record and returns its content and content type.
func (k *recordKey) open(header, body []byte) ([]byte, uint8, error) {
	nonce := bytes.Clone(k.iv)
	for i := range 8 {
		nonce[4+i] ^= byte(k.seq >> (8 * (7 - i)))
	}
	k.seq++
	plain, err := k.aead.Open(nil, nonce, body, header)
	if err != nil {
		return nil, 0, fmt.Errorf("record %d: %w", k.seq, err)
	}
	plain = bytes.TrimRight(plain, "\x00") // padding
	if len(plain) == 0 {
		return nil, 0, errors.New("a record of padding alone")
	}
	return plain[:len(plain)-1], plain[len(plain)-1], nil
}
