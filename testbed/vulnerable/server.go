package vulnerable

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"math/big"
	"net"
	"slices"
	"sync"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

const (
	typeClientKeyExchange = 16
	typeFinished          = 20

	rsaAES suite.Code = 0x002F // TLS_RSA_WITH_AES_128_CBC_SHA
	dheAES suite.Code = 0x0033 // TLS_DHE_RSA_WITH_AES_128_CBC_SHA
)

// server is what all connections share.
type server struct {
	flaws    Flaws
	chain    [][]byte
	key      *rsa.PrivateKey
	exponent []byte // of the Diffie-Hellman value that is used more than once

	mu        sync.Mutex
	tickets   map[string][]byte // master secrets
	exchanges int               // RSA key exchanges so far
}

// connection is one client.
type connection struct {
	*server
	records
	hello      *hello.ClientHello
	suite      suite.Code
	random     []byte
	transcript []byte
	master     []byte
	x          *big.Int // our Diffie-Hellman exponent
	ticket     []byte   // what the client sent in session_ticket; nil without the extension
}

// serve ends with the connection. What went wrong is for the client to see.
func (s *server) serve(conn net.Conn) {
	c := &connection{server: s, records: records{conn: conn, version: suite.TLS10, flawed: s.flaws}}
	if err := c.handshake(); err != nil {
		c.fail(err)
		return
	}
	for {
		kind, body, err := c.read()
		switch {
		case err != nil:
			c.fail(err)
			return
		case kind == hello.RecordAlert:
			c.write(hello.RecordAlert, []byte{1, byte(suite.AlertCloseNotify)})
			return
		case kind == hello.RecordHandshake && len(body) > 0 && body[0] == hello.TypeClientHello:
			c.write(hello.RecordAlert, []byte{1, byte(suite.AlertNoRenegotiation)})
		case kind != hello.RecordApplicationData:
			c.fail(alert(suite.AlertUnexpectedMessage))
			return
		case len(body) > 0:
			c.write(hello.RecordApplicationData, []byte("HTTP/1.0 200 OK\r\n\r\nok\n"))
			c.write(hello.RecordAlert, []byte{1, byte(suite.AlertCloseNotify)})
			return
		}
	}
}

// alert is an error that ends a connection with this alert.
type alert suite.Alert

func (a alert) Error() string { return suite.Alert(a).String() }

// fail tells the client, if there is something to tell.
func (c *connection) fail(err error) {
	var a alert
	if errors.As(err, &a) && !c.flaws.NoAlerts {
		c.write(hello.RecordAlert, []byte{2, byte(a)})
	}
}

func (c *connection) handshake() error {
	if err := c.clientHello(); err != nil {
		return err
	}
	if master := c.known(c.ticket); master != nil {
		c.master = master
		return c.resume()
	}
	if err := c.flight(); err != nil {
		return err
	}
	exchange, err := c.message(typeClientKeyExchange)
	if err != nil {
		return err
	}
	secret, late, err := c.secret(exchange)
	if err != nil {
		return err
	}
	c.master = prf(c.version, secret, "master secret", slices.Concat(c.hello.Random, c.random), 48)
	if c.hello.HasExtension(hello.ExtExtendedMasterSecret) {
		c.master = prf(c.version, secret, "extended master secret", digest(c.version, c.transcript), 48)
	}
	if err := c.clientFinished(); err != nil {
		if late != 0 {
			return late
		}
		return err
	}
	if c.ticket != nil {
		c.issue()
	}
	return c.finish()
}

func (c *connection) clientHello() error {
	raw, err := c.handshakeMessage()
	if err != nil {
		return err
	}
	if c.hello, err = hello.ParseClientHello(raw); err != nil || c.hello.Version < suite.TLS10 {
		return alert(suite.AlertProtocolVersion)
	}
	c.version = min(c.hello.Version, suite.TLS12)
	i := slices.IndexFunc(c.hello.Suites, func(x suite.Code) bool { return x == rsaAES || x == dheAES })
	if i < 0 {
		return alert(suite.AlertHandshakeFailure)
	}
	if slices.Contains(c.hello.Suites, suite.FallbackSCSV) && c.version < suite.TLS12 {
		return alert(suite.AlertInappropriateFallback)
	}
	c.suite, c.random = c.hello.Suites[i], randomBytes(32)
	if t, ok := c.hello.Extension(hello.ExtSessionTicket); ok {
		c.ticket = append([]byte{}, t...)
	}
	return nil
}

// serverHello answers with a session id of the server's own, or with the client's where a ticket is taken.
func (c *connection) serverHello(id []byte) error {
	h := &hello.ServerHello{LegacyVersion: c.version, Random: c.random, SessionID: id, Suite: c.suite}
	if m := c.flaws.Compression; m != 0 && bytes.IndexByte(c.hello.Compression, m) >= 0 {
		h.Compression = m
	}
	if c.hello.HasExtension(hello.ExtRenegotiationInfo) || slices.Contains(c.hello.Suites, suite.EmptyRenegotiationInfoSCSV) {
		h.Extensions = append(h.Extensions, hello.Extension{Type: hello.ExtRenegotiationInfo, Data: []byte{0}})
	}
	if c.hello.HasExtension(hello.ExtExtendedMasterSecret) {
		h.Extensions = append(h.Extensions, hello.Extension{Type: hello.ExtExtendedMasterSecret})
	}
	if c.ticket != nil && c.known(c.ticket) == nil {
		h.Extensions = append(h.Extensions, hello.Extension{Type: hello.ExtSessionTicket})
	}
	return c.sendAll(h.Marshal)
}

// flight sends everything up to ServerHelloDone.
func (c *connection) flight() error {
	if err := c.serverHello(nil); err != nil {
		return err
	}
	if err := c.sendAll(func() ([]byte, error) { return hello.MarshalCertificate(c.chain) }); err != nil {
		return err
	}
	if c.suite == dheAES {
		if err := c.sendAll(c.keyExchange); err != nil {
			return err
		}
	}
	return c.send(hello.Message{Type: hello.TypeServerHelloDone}.Marshal())
}

func (c *connection) sendAll(marshal func() ([]byte, error)) error {
	raw, err := marshal()
	if err != nil {
		return err
	}
	return c.send(raw)
}

// send writes a handshake message.
func (c *connection) send(raw []byte) error {
	c.transcript = append(c.transcript, raw...)
	return c.write(hello.RecordHandshake, raw)
}

// keyExchange is our half of a Diffie-Hellman exchange, signed.
func (c *connection) keyExchange() ([]byte, error) {
	exponent := c.exponent
	if !c.flaws.SameDH {
		exponent = randomBytes(32)
	}
	c.x = new(big.Int).SetBytes(exponent)
	k := &hello.ServerKeyExchange{Prime: group14.Bytes(), Generator: []byte{2}, Public: new(big.Int).Exp(big.NewInt(2), c.x, group14).Bytes()}
	params := slices.Concat(c.hello.Random, c.random)
	for _, b := range [][]byte{k.Prime, k.Generator, k.Public} {
		params = append(append(params, byte(len(b)>>8), byte(len(b))), b...)
	}
	hash := crypto.MD5SHA1
	sha, md := sha1.Sum(params), md5.Sum(params)
	sum := slices.Concat(md[:], sha[:])
	if c.version == suite.TLS12 {
		s := sha256.Sum256(params)
		hash, sum, k.Scheme = crypto.SHA256, s[:], suite.RSAPKCS1SHA256
	}
	var err error
	if k.Signature, err = rsa.SignPKCS1v15(rand.Reader, c.key, hash, sum); err != nil {
		return nil, err
	}
	return k.Marshal(c.version, c.suite)
}

// secret is the premaster secret. late is the alert by which a LateAlertOracle answers a Finished that does not fit.
func (c *connection) secret(exchange []byte) (secret []byte, late alert, err error) {
	if len(exchange) < 2 || len(exchange) != 2+int(exchange[0])<<8+int(exchange[1]) {
		return nil, 0, alert(suite.AlertDecodeError)
	}
	if c.suite == dheAES {
		return new(big.Int).Exp(new(big.Int).SetBytes(exchange[2:]), c.x, group14).Bytes(), 0, nil
	}
	return c.decrypt(exchange[2:])
}

func (c *connection) clientFinished() error {
	if err := c.readChange(c.master, c.hello.Random, c.random); err != nil {
		return err
	}
	want := prf(c.version, c.master, "client finished", digest(c.version, c.transcript), 12)
	got, err := c.message(typeFinished)
	if err == nil && !hmac.Equal(got, want) {
		err = alert(suite.AlertDecryptError)
	}
	return err
}

// finish sends our Finished.
func (c *connection) finish() error {
	if err := c.writeChange(c.master, c.hello.Random, c.random); err != nil {
		return err
	}
	return c.send(hello.Message{Type: typeFinished, Body: prf(c.version, c.master, "server finished", digest(c.version, c.transcript), 12)}.Marshal())
}

// issue sends a ticket (RFC 5077 section 3.3).
func (c *connection) issue() {
	t := randomBytes(160)
	c.mu.Lock()
	c.tickets[string(t)] = c.master
	c.mu.Unlock()
	c.sendAll(func() ([]byte, error) { return (&hello.NewSessionTicket{Lifetime: 300, Ticket: t}).Marshal(c.version) })
}

// known is the master secret of a ticket, nil if there is none.
func (c *connection) known(ticket []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tickets[string(ticket)]
}

// resume goes through an abbreviated handshake (RFC 5077 section 3.1). The flaw is what Ticketbleed is: the session id is
// repeated from a buffer of 32 bytes, of which the client filled less.
func (c *connection) resume() error {
	id := c.hello.SessionID
	if c.flaws.LongID && len(id) > 0 {
		memory := randomBytes(32)
		copy(memory, id)
		id = memory
	}
	if err := c.serverHello(id); err != nil {
		return err
	}
	if err := c.finish(); err != nil {
		return err
	}
	return c.clientFinished()
}

// message reads the handshake message of this type and adds it to the transcript.
func (c *connection) message(kind uint8) ([]byte, error) {
	raw, err := c.handshakeMessage()
	if err != nil {
		return nil, err
	}
	if raw[0] != kind {
		return nil, alert(suite.AlertUnexpectedMessage)
	}
	return raw[4:], nil
}

// handshakeMessage reads one handshake message with its header.
func (c *connection) handshakeMessage() ([]byte, error) {
	for {
		if b := c.stream; len(b) >= 4 {
			if n := 4 + int(b[1])<<16 + int(b[2])<<8 + int(b[3]); n > 1<<16 {
				return nil, alert(suite.AlertDecodeError)
			} else if len(b) >= n {
				c.stream = b[n:]
				c.transcript = append(c.transcript, b[:n]...)
				return b[:n:n], nil
			}
		}
		kind, body, err := c.read()
		if err != nil {
			return nil, err
		}
		if kind != hello.RecordHandshake {
			return nil, alert(suite.AlertUnexpectedMessage)
		}
		c.stream = append(c.stream, body...)
	}
}

// group14 is the 2048-bit prime of RFC 3526 section 3: 2^2048 - 2^1984 - 1 + 2^64 * ([2^1918 pi] + 124476).
var group14, _ = new(big.Int).SetString("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"+
	"EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5"+
	"AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"+
	"9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9"+
	"DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF", 16)

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // it never fails
	return b
}
