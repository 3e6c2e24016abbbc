package negotiate_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
	"golang.org/x/crypto/chacha20poly1305"
)

// answer is what a real server did with a hello. In TLS 1.3 the server's flight is decrypted, since the
// signature scheme shows nowhere else.
type answer struct {
	ok      bool
	version suite.Version
	suite   suite.Code
	group   suite.Group
	scheme  suite.SignatureScheme
	retry   bool
	alpn    string
	dhBits  int
	end     string // how it ended if not ok: "alert", "close", "reset", "timeout"
	alert   suite.Alert
	seen    string // how far it came, for the log
}

func (a answer) String() string {
	if a.ok {
		s := fmt.Sprintf("ok %s %s group=%s scheme=%s", a.version, a.suite.OpenSSL(), groupName(a.group), schemeName(a.scheme))
		if a.retry {
			s += " retry"
		}
		if a.alpn != "" {
			s += " alpn=" + a.alpn
		}
		return s
	}
	if a.end == "alert" {
		return "refused " + a.alert.String() + a.seen
	}
	return "refused by " + a.end + a.seen
}

func groupName(g suite.Group) string {
	if g == 0 {
		return "-"
	}
	return g.String()
}

func schemeName(s suite.SignatureScheme) string {
	if s == 0 {
		return "-"
	}
	return s.String()
}

// keyShare is the private half of a key share.
type keyShare struct {
	group suite.Group
	ec    *ecdh.PrivateKey
	k768  *mlkem.DecapsulationKey768
	k1024 *mlkem.DecapsulationKey1024
}

func newShare(g suite.Group) (*keyShare, bool) {
	k := &keyShare{group: g}
	curve := map[suite.Group]ecdh.Curve{suite.X25519: ecdh.X25519(), suite.Secp256r1: ecdh.P256(), suite.Secp384r1: ecdh.P384(),
		suite.Secp521r1: ecdh.P521(), suite.X25519MLKEM768: ecdh.X25519(), suite.SecP256r1MLKEM768: ecdh.P256(),
		suite.SecP384r1MLKEM1024: ecdh.P384()}[g]
	if curve == nil {
		return nil, false
	}
	k.ec, _ = curve.GenerateKey(rand.Reader)
	switch g {
	case suite.X25519MLKEM768, suite.SecP256r1MLKEM768:
		k.k768, _ = mlkem.GenerateKey768()
	case suite.SecP384r1MLKEM1024:
		k.k1024, _ = mlkem.GenerateKey1024()
	}
	return k, true
}

func (k *keyShare) public() []byte {
	ec := k.ec.PublicKey().Bytes()
	switch {
	case k.group == suite.X25519MLKEM768:
		return append(k.k768.EncapsulationKey().Bytes(), ec...)
	case k.k768 != nil:
		return append(ec, k.k768.EncapsulationKey().Bytes()...)
	case k.k1024 != nil:
		return append(ec, k.k1024.EncapsulationKey().Bytes()...)
	}
	return ec
}

func (k *keyShare) secret(server []byte) ([]byte, error) {
	n := len(k.ec.PublicKey().Bytes())
	if len(server) < n {
		return nil, errors.New("short key share")
	}
	ec, kem := server[:n], server[n:]
	if k.group == suite.X25519MLKEM768 {
		kem, ec = server[:len(server)-n], server[len(server)-n:]
	}
	point, err := k.ec.Curve().NewPublicKey(ec)
	if err != nil {
		return nil, err
	}
	shared, err := k.ec.ECDH(point)
	if err != nil || k.k768 == nil && k.k1024 == nil {
		return shared, err
	}
	var lattice []byte
	if k.k768 != nil {
		lattice, err = k.k768.Decapsulate(kem)
	} else {
		lattice, err = k.k1024.Decapsulate(kem)
	}
	if k.group == suite.X25519MLKEM768 {
		return append(lattice, shared...), err
	}
	return append(shared, lattice...), err
}

func shareBody(shares []*keyShare) []byte {
	var l []byte
	for _, k := range shares {
		p := k.public()
		l = binary.BigEndian.AppendUint16(l, uint16(k.group))
		l = binary.BigEndian.AppendUint16(l, uint16(len(p)))
		l = append(l, p...)
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(l))), l...)
}

// ask sends h to a server and reads how it answers, through a HelloRetryRequest if there is one.
func ask(address string, h *hello.ClientHello, shares []*keyShare) (answer, error) {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(4 * time.Second))
	raw, err := h.Marshal()
	if err != nil {
		return answer{}, err
	}
	if _, err := conn.Write(raw); err != nil {
		return answer{}, err
	}
	c := &clientSide{conn: conn, hello: h, shares: shares, first: handshakeOf(raw)}
	a := c.run()
	return a, c.err
}

// handshakeOf strips the record headers of a ClientHello.
func handshakeOf(raw []byte) []byte {
	var out []byte
	for len(raw) > 0 {
		r, rest, err := hello.NextRecord(raw)
		if err != nil {
			return nil
		}
		out, raw = append(out, r.Body...), rest
	}
	return out
}

type clientSide struct {
	conn       net.Conn
	hello      *hello.ClientHello
	shares     []*keyShare
	first      []byte
	transcript []byte // for TLS 1.3: messages so far
	buf        []byte // unread records
	stream     []byte // handshake bytes
	a          answer
	open       func(record []byte) ([]byte, error)
	err        error // of the test itself
}

// record reads one record; an error is how the connection ended.
func (c *clientSide) record() (hello.Record, error) {
	for {
		r, rest, err := hello.NextRecord(c.buf)
		if err == nil {
			c.buf = rest
			return r, nil
		}
		if !errors.Is(err, hello.ErrIncomplete) {
			return r, err
		}
		b := make([]byte, 16<<10)
		n, err := c.conn.Read(b)
		c.buf = append(c.buf, b[:n]...)
		if n == 0 && err != nil {
			return r, err
		}
	}
}

func (c *clientSide) run() answer {
	for !c.a.ok {
		r, err := c.record()
		if err != nil {
			c.end(err)
			return c.a
		}
		body, kind := r.Body, r.Type
		if kind == hello.RecordApplicationData && c.open != nil {
			header := []byte{r.Type, byte(r.Version >> 8), byte(r.Version), byte(len(r.Body) >> 8), byte(len(r.Body))}
			plain, err := c.open(append(header, r.Body...))
			if err != nil {
				c.err = fmt.Errorf("decrypt: %w", err)
				return c.a
			}
			plain = bytes.TrimRight(plain, "\x00")
			body, kind = plain[:len(plain)-1], plain[len(plain)-1]
		}
		switch kind {
		case hello.RecordAlert:
			if len(body) == 2 && (body[0] == 2 || c.a.version == 0) && body[1] != byte(suite.AlertUnrecognizedName) || len(body) == 2 && body[0] == 2 {
				c.a.end, c.a.alert = "alert", suite.Alert(body[1])
				return c.a
			}
		case hello.RecordHandshake:
			c.stream = append(c.stream, body...)
			if c.messages(); c.err != nil {
				return c.a
			}
		}
	}
	return c.a
}

func (c *clientSide) end(err error) {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.a.end = "timeout"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		c.a.end = "reset"
	case errors.Is(err, io.EOF):
		c.a.end = "close"
	default:
		c.err = err
	}
}

func (c *clientSide) messages() {
	for len(c.stream) >= 4 {
		n := 4 + int(c.stream[1])<<16 + int(c.stream[2])<<8 + int(c.stream[3])
		if len(c.stream) < n {
			return
		}
		m := c.stream[:n]
		c.stream = c.stream[n:]
		if err := c.message(m[0], m[4:], m); err != nil {
			c.err = err
			return
		}
	}
}

func (c *clientSide) message(kind byte, body, whole []byte) error {
	a := &c.a
	switch kind {
	case hello.TypeServerHello:
		h, err := hello.ParseServerHello(body)
		if err != nil {
			return err
		}
		a.version, a.suite, a.group, a.alpn = h.Version, h.Suite, h.Group, h.ALPN
		a.seen = " after ServerHello " + h.Version.String() + " " + h.Suite.OpenSSL()
		if h.Retry {
			a.retry, a.seen = true, " after HelloRetryRequest "+h.Group.String()
			return c.again(h, whole)
		}
		if h.Version == suite.TLS13 {
			return c.keys(h, whole)
		}
	case hello.TypeServerKeyExchange:
		k, err := hello.ParseServerKeyExchange(body, a.version, a.suite)
		if err != nil {
			return err
		}
		a.group, a.scheme, a.dhBits = k.Group, k.Scheme, k.DHBits
	case hello.TypeServerHelloDone:
		a.ok = true
	case hello.TypeEncryptedExt:
		a.alpn = encryptedALPN(body)
	case hello.TypeCertificateVerify:
		a.scheme, a.ok = suite.SignatureScheme(binary.BigEndian.Uint16(body)), true
	}
	return nil
}

func encryptedALPN(body []byte) string {
	for b := body[2:]; len(b) >= 4; {
		t, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if t == hello.ExtALPN {
			return string(b[7 : 4+n])
		}
		b = b[4+n:]
	}
	return ""
}

func hashOf(c suite.Code) func() hash.Hash {
	if s := suite.ByCode(c); s != nil && s.PRF == "SHA384" {
		return sha512.New384
	}
	return sha256.New
}

func sum(h func() hash.Hash, b []byte) []byte { x := h(); x.Write(b); return x.Sum(nil) }

// again answers a HelloRetryRequest (RFC 8446 section 4.1.4).
func (c *clientSide) again(h *hello.ServerHello, whole []byte) error {
	digest := sum(hashOf(h.Suite), c.first)
	c.transcript = append([]byte{254, 0, 0, byte(len(digest))}, digest...)
	c.transcript = append(c.transcript, whole...)
	k, ok := newShare(h.Group)
	if !ok {
		c.a.ok = true // this client cannot go on, and the server could
		return nil
	}
	c.shares = []*keyShare{k}
	c.hello.SetExtension(hello.ExtKeyShare, shareBody(c.shares))
	for _, e := range h.Extensions {
		if e.Type == 44 { // cookie
			c.hello.SetExtension(44, e.Data)
		}
	}
	c.hello.RecordVersion = suite.TLS12 // RFC 8446 section 5.1: 0x0301 is for the first hello alone
	raw, err := c.hello.Marshal()
	if err != nil {
		return err
	}
	c.first = handshakeOf(raw)
	_, err = c.conn.Write(raw)
	if err != nil {
		c.end(err)
	}
	return nil
}

func expand(h func() hash.Hash, secret []byte, label string, context []byte, n int) []byte {
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(info, byte(len("tls13 ")+len(label)))
	info = append(append(info, "tls13 "...), label...)
	info = append(append(info, byte(len(context))), context...)
	out, err := hkdf.Expand(h, secret, string(info), n)
	if err != nil {
		panic(err)
	}
	return out
}

// keys derives the key of the server's handshake records (RFC 8446 section 7.1).
func (c *clientSide) keys(h *hello.ServerHello, whole []byte) error {
	c.transcript = append(append(c.transcript, c.first...), whole...)
	var secret []byte
	for _, e := range h.Extensions {
		if e.Type != hello.ExtKeyShare {
			continue
		}
		for _, k := range c.shares {
			if k.group == h.Group {
				var err error
				if secret, err = k.secret(e.Data[4:]); err != nil {
					return err
				}
			}
		}
	}
	info := suite.ByCode(h.Suite)
	if secret == nil || info.Mode == "CCM" || info.Mode == "CCM8" {
		c.a.ok = true // cannot look further
		return nil
	}
	hs := hashOf(h.Suite)
	zero := make([]byte, hs().Size())
	early, _ := hkdf.Extract(hs, zero, zero)
	master, _ := hkdf.Extract(hs, secret, expand(hs, early, "derived", sum(hs, nil), hs().Size()))
	traffic := expand(hs, master, "s hs traffic", sum(hs, c.transcript), hs().Size())
	key, iv := expand(hs, traffic, "key", nil, info.Bits/8), expand(hs, traffic, "iv", nil, 12)
	var aead cipher.AEAD
	var err error
	if info.Encryption == "CHACHA20" {
		aead, err = chacha20poly1305.New(key)
	} else {
		var block cipher.Block
		if block, err = aes.NewCipher(key); err == nil {
			aead, err = cipher.NewGCM(block)
		}
	}
	if err != nil {
		return err
	}
	n := uint64(0)
	c.open = func(record []byte) ([]byte, error) {
		nonce := bytes.Clone(iv)
		for i := range 8 {
			nonce[4+i] ^= byte(n >> (56 - 8*i))
		}
		n++
		return aead.Open(nil, nonce, record[5:], record[:5])
	}
	return nil
}
