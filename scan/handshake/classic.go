package handshake

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

const typeClientKeyExchange = 16

// maxPrime bounds the Diffie-Hellman groups that a handshake is completed with, in bits: larger ones take the
// time that a hostile server wants.
const maxPrime = 8192

// messageClassic takes a message of the server before TLS 1.3.
func (s *session) messageClassic(m hello.Message) (err error) {
	r := s.r
	switch m.Type {
	case hello.TypeCertificate:
		r.Chain, err = hello.ParseCertificate(m.Body)
	case hello.TypeCertificateStatus:
		r.Status, err = hello.ParseCertificateStatus(m.Body)
	case hello.TypeServerKeyExchange:
		k, err := hello.ParseServerKeyExchange(m.Body, r.Version, r.Suite)
		if err != nil {
			return err
		}
		r.KeyExchange = k
		r.Group, r.DHBits, r.Scheme = k.Group, k.DHBits, k.Scheme
	case hello.TypeCertificateRequest:
		r.ClientAuth = true
		r.Request, _ = hello.ParseCertificateRequest(m.Body, r.Version) // one that cannot be read is still a request
	case hello.TypeServerHelloDone:
		if s.ours {
			return errOrder
		}
		r.Complete = true
		if !s.q.Finish {
			s.done = true
			return nil
		}
		return s.finishClassic()
	case hello.TypeNewSessionTicket:
		t, err := hello.ParseNewSessionTicket(m.Body, r.Version)
		if err != nil {
			return err
		}
		r.Tickets = append(r.Tickets, s.ticket(t))
	default:
		return errOrder
	}
	return err
}

// finishClassic sends the client's second flight (RFC 5246 section 7.3).
func (s *session) finishClassic() error {
	r := s.r
	if !CanFinish(r.Suite, r.Version) || r.Hello.Compression != 0 {
		r.Lacks, s.done = fmt.Sprintf("%s in %s", r.Suite.OpenSSL(), r.Version), true
		return nil
	}
	exchange, premaster, err := s.premaster()
	var lacks errLacks
	if errors.As(err, &lacks) {
		r.Lacks, s.done = string(lacks), true
		return nil
	}
	if err != nil {
		return err
	}
	plain, proof, err := s.clientCertificate() // messages in the clear
	if err != nil {
		return err
	}
	plain = append(plain, hello.Message{Type: typeClientKeyExchange, Body: exchange}.Marshal()...)
	s.transcript = append(s.transcript, plain...)

	p := parametersOf(r.Suite)
	f := prfOf(r.Version, p)
	master := f.expand(premaster, "master secret", append(bytes.Clone(s.hello.Random), r.Hello.Random...), 48)
	if r.Hello.ExtendedMaster {
		master = f.expand(premaster, "extended master secret", f.digest(s.transcript), 48) // RFC 7627
	}
	out, err := newSealer(r.Version, p, f, master, s.hello.Random, r.Hello.Random)
	if err != nil {
		return err
	}
	if proof != nil {
		verify, err := proof(s.transcript)
		if err != nil {
			return err
		}
		s.transcript = append(s.transcript, verify...)
		plain = append(plain, verify...)
	}
	fin := hello.Message{Type: typeFinished, Body: f.expand(master, "client finished", f.digest(s.transcript), 12)}.Marshal()
	s.transcript = append(s.transcript, fin...)
	v := r.Version
	flight := hello.AppendRecords(nil, hello.RecordHandshake, v, plain)
	flight = append(flight, hello.RecordChangeCipherSpec, byte(v>>8), byte(v), 0, 1, 1)
	flight = append(flight, out.seal(hello.RecordHandshake, fin)...)
	s.ours, s.out = true, out
	s.say(flight)
	return nil
}

// clientCertificate answers the server's request, if there was one, and says how to prove possession of the
// certificate's key; nil for none.
func (s *session) clientCertificate() ([]byte, Proof, error) {
	if !s.r.ClientAuth {
		return nil, nil, nil
	}
	c, proof, err := s.credential()
	if err != nil {
		return nil, nil, err
	}
	var chain [][]byte
	if c != nil {
		chain = c.Certificate
	}
	message, err := hello.MarshalCertificate(chain)
	return message, proof, err
}

// sayGoodbye closes a completed session in good order: some servers forget one that was torn.
func (s *session) sayGoodbye() {
	s.conn.Write(s.out.seal(hello.RecordAlert, []byte{1, byte(suite.AlertCloseNotify)}))
}

// premaster makes the client's half of the key exchange.
func (s *session) premaster() (exchange, secret []byte, err error) {
	switch k := s.r.KeyExchange; suite.ByCode(s.r.Suite).KeyExchange {
	case suite.KXRSA:
		return s.transport()
	case suite.KXECDHE:
		if k == nil || k.Public == nil {
			return nil, nil, errors.New("no ServerKeyExchange that can be read")
		}
		return ecdheClassic(k)
	case suite.KXDHE:
		if k == nil {
			return nil, nil, errors.New("no ServerKeyExchange that can be read")
		}
		return dhe(k)
	}
	return nil, nil, errLacks(s.r.Suite.OpenSSL())
}

// transport encrypts a secret with the server's RSA key (RFC 5246 section 7.4.7.1). It is done by hand since
// crypto/rsa refuses the short keys that are worth finding.
func (s *session) transport() (exchange, secret []byte, err error) {
	if len(s.r.Chain) == 0 {
		return nil, nil, errors.New("no certificate")
	}
	cert, err := x509.ParseCertificate(s.r.Chain[0])
	if err != nil {
		return nil, nil, errLacks("a certificate that Go does not parse")
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	size := 0
	if ok {
		size = key.Size()
	}
	if size < 48+11 || size > maxPrime/8 {
		return nil, nil, errLacks("an RSA key of this size")
	}
	secret = make([]byte, 48)
	rand.Read(secret) // it never fails
	top := s.hello.Version
	secret[0], secret[1] = byte(top>>8), byte(top)
	padded := make([]byte, size)
	padded[1] = 2
	for i := 2; i < size-49; i++ {
		for padded[i] == 0 {
			rand.Read(padded[i : i+1])
		}
	}
	copy(padded[size-48:], secret)
	sealed := new(big.Int).Exp(new(big.Int).SetBytes(padded), big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, size))
	return append([]byte{byte(size >> 8), byte(size)}, sealed...), secret, nil
}

func ecdheClassic(k *hello.ServerKeyExchange) (exchange, secret []byte, err error) {
	curve := map[suite.Group]ecdh.Curve{suite.X25519: ecdh.X25519(), suite.Secp256r1: ecdh.P256(), suite.Secp384r1: ecdh.P384(), suite.Secp521r1: ecdh.P521()}[k.Group]
	if curve == nil {
		return nil, nil, errLacks("the key exchange of " + k.Group.String())
	}
	own, err := curve.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if secret, err = ecShared(own, k.Public); err != nil {
		return nil, nil, err
	}
	point := own.PublicKey().Bytes()
	return append([]byte{byte(len(point))}, point...), secret, nil
}

func dhe(k *hello.ServerKeyExchange) (exchange, secret []byte, err error) {
	if k.DHBits > maxPrime {
		return nil, nil, errLacks(fmt.Sprintf("a Diffie-Hellman group of %d bits", k.DHBits))
	}
	p, g, theirs := new(big.Int).SetBytes(k.Prime), new(big.Int).SetBytes(k.Generator), new(big.Int).SetBytes(k.Public)
	if p.Sign() == 0 {
		return nil, nil, errors.New("a Diffie-Hellman prime of 0")
	}
	exponent := make([]byte, 32)
	rand.Read(exponent)
	x := new(big.Int).SetBytes(exponent)
	own := new(big.Int).Exp(g, x, p).Bytes()
	// Leading zeros of the secret are dropped (RFC 5246 section 8.1.2).
	return append([]byte{byte(len(own) >> 8), byte(len(own))}, own...), new(big.Int).Exp(theirs, x, p).Bytes(), nil
}
