package vulnerable

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"net"
	"slices"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// records are the two directions of a connection, in the clear or under AES-128-CBC with HMAC-SHA1.
type records struct {
	conn    net.Conn
	version suite.Version
	in, out *keys
	stream  []byte // handshake bytes not yet a whole message
	flawed  Flaws
}

// keys protect one direction.
type keys struct {
	block    cipher.Block
	mac      hash.Hash
	iv       []byte // TLS 1.0: the last block
	sequence uint64
}

const macSize, keySize = sha1.Size, 16

// keysOf makes the keys of the client's direction and of the server's.
func keysOf(v suite.Version, master, client, server []byte) (ours [2]*keys) {
	b := prf(v, master, "key expansion", slices.Concat(server, client), 2*(macSize+keySize+aes.BlockSize))
	for i := range ours {
		key := b[2*macSize+i*keySize:][:keySize]
		block, err := aes.NewCipher(key)
		if err != nil {
			panic(err) // 16 bytes are a key
		}
		ours[i] = &keys{block: block, mac: hmac.New(sha1.New, b[i*macSize:][:macSize]), iv: b[2*(macSize+keySize)+i*aes.BlockSize:][:aes.BlockSize]}
	}
	return ours
}

func (k *keys) sum(kind uint8, v suite.Version, body []byte) []byte {
	head := binary.BigEndian.AppendUint64(nil, k.sequence)
	k.sequence++
	k.mac.Reset()
	k.mac.Write(append(head, kind, byte(v>>8), byte(v), byte(len(body)>>8), byte(len(body))))
	k.mac.Write(body)
	return k.mac.Sum(nil)
}

// write sends one record.
func (r *records) write(kind uint8, body []byte) error {
	if k := r.out; k != nil {
		plain := slices.Concat(body, k.sum(kind, r.version, body))
		n := aes.BlockSize - len(plain)%aes.BlockSize
		plain = append(plain, slices.Repeat([]byte{byte(n - 1)}, n)...)
		iv, head := k.iv, []byte(nil)
		if r.version > suite.TLS10 {
			iv = randomBytes(aes.BlockSize)
			head = iv
		}
		cipher.NewCBCEncrypter(k.block, iv).CryptBlocks(plain, plain)
		k.iv = slices.Clone(plain[len(plain)-aes.BlockSize:])
		body = append(slices.Clone(head), plain...)
	}
	_, err := r.conn.Write(hello.AppendRecords(nil, kind, r.version, body))
	return err
}

// read reads one record.
func (r *records) read() (kind uint8, body []byte, err error) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(r.conn, head); err != nil {
		return 0, nil, err
	}
	n := int(head[3])<<8 | int(head[4])
	if head[1] != 3 || n > 1<<14+2048 {
		return 0, nil, errors.New("no TLS record")
	}
	body = make([]byte, n)
	if _, err := io.ReadFull(r.conn, body); err != nil {
		return 0, nil, err
	}
	if r.in != nil {
		body, err = r.open(head[0], body)
	}
	return head[0], body, err
}

// open decrypts a record and checks its padding and MAC, as far as the flaws let it.
func (r *records) open(kind uint8, body []byte) ([]byte, error) {
	k := r.in
	bad := alert(suite.AlertBadRecordMAC)
	iv := k.iv
	if r.version > suite.TLS10 {
		if len(body) < aes.BlockSize {
			return nil, bad
		}
		iv, body = body[:aes.BlockSize], body[aes.BlockSize:]
	}
	if len(body) < aes.BlockSize || len(body)%aes.BlockSize != 0 {
		return nil, bad
	}
	plain := make([]byte, len(body))
	cipher.NewCBCDecrypter(k.block, iv).CryptBlocks(plain, body)
	k.iv = body[len(body)-aes.BlockSize:]
	padding := int(plain[len(plain)-1])
	size := len(plain) - padding - 1 - macSize
	if size < 0 {
		return nil, bad
	}
	content, mac := plain[:size], plain[size:size+macSize]
	fits := hmac.Equal(mac, k.sum(kind, r.version, content))
	if !fits && !(r.flawed.IgnoresMAC && kind == hello.RecordApplicationData) || !r.padded(kind, plain[size+macSize:]) {
		return nil, bad
	}
	return content, nil
}

// padded checks a padding with its last byte.
func (r *records) padded(kind uint8, padding []byte) bool {
	n := padding[len(padding)-1]
	switch r.flawed.Padding {
	case PaddingIgnored:
		return true
	case PaddingOfDataAlone:
		if kind == hello.RecordApplicationData {
			return true
		}
	case PaddingFirstByte:
		padding = padding[1:]
	}
	return !slices.ContainsFunc(padding, func(b byte) bool { return b != n })
}

// readChange takes the client's ChangeCipherSpec.
func (r *records) readChange(master, client, server []byte) error {
	kind, _, err := r.read()
	if err == nil && (kind != hello.RecordChangeCipherSpec || len(r.stream) > 0) {
		err = alert(suite.AlertUnexpectedMessage)
	}
	r.in = keysOf(r.version, master, client, server)[0]
	return err
}

// writeChange sends ours.
func (r *records) writeChange(master, client, server []byte) error {
	err := r.write(hello.RecordChangeCipherSpec, []byte{1})
	r.out = keysOf(r.version, master, client, server)[1]
	return err
}

// prf is the pseudo-random function of TLS 1.2 (RFC 5246 section 5) and of the versions before (RFC 2246 section 5).
func prf(v suite.Version, secret []byte, label string, seed []byte, n int) []byte {
	seed = append([]byte(label), seed...)
	if v == suite.TLS12 {
		return expand(sha256.New, secret, seed, n)
	}
	half := (len(secret) + 1) / 2
	out := expand(md5.New, secret[:half], seed, n)
	for i, b := range expand(sha1.New, secret[len(secret)-half:], seed, n) {
		out[i] ^= b
	}
	return out
}

func expand(h func() hash.Hash, secret, seed []byte, n int) (out []byte) {
	sum := func(b []byte) []byte {
		m := hmac.New(h, secret)
		m.Write(b)
		return m.Sum(nil)
	}
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(slices.Concat(a, seed))...)
	}
	return out[:n]
}

// digest is the hash of the handshake so far.
func digest(v suite.Version, transcript []byte) []byte {
	if v == suite.TLS12 {
		s := sha256.Sum256(transcript)
		return s[:]
	}
	m, s := md5.Sum(transcript), sha1.Sum(transcript)
	return slices.Concat(m[:], s[:])
}
