package handshake

import (
	"bytes"
	"crypto/ecdh"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

const typeFinished = 20

// afterwards bounds how long a server is listened to after the handshake. It answers a close with a close; one
// that does not has sent its tickets long before.
const afterwards = time.Second

// bind adds pre_shared_key with its binder (RFC 8446 section 4.2.11.2).
func (s *session) bind() error {
	old := s.q.Resume
	k := &schedule{suite: old.Suite, hash: hashOf(old.Suite)}
	k.extract(old.psk)
	identity := append([]byte{byte(len(old.Ticket) >> 8), byte(len(old.Ticket))}, old.Ticket...)
	identity = append(identity, old.age()...)
	size := k.hash.Size()
	body := append([]byte{byte(len(identity) >> 8), byte(len(identity))}, identity...)
	binders := append([]byte{0, byte(size + 1), byte(size)}, make([]byte, size)...)
	s.hello.RemoveExtension(hello.ExtPreSharedKey)
	s.hello.SetExtension(hello.ExtPreSharedKey, append(body, binders...))
	msg, err := s.hello.MarshalHandshake()
	if err != nil {
		return err
	}
	key := k.derive("res binder", nil)
	signed := append(bytes.Clone(s.transcript), msg[:len(msg)-len(binders)]...)
	copy(binders[3:], k.finished(key, signed))
	s.hello.SetExtension(hello.ExtPreSharedKey, append(body, binders...))
	return nil
}

// begin13 agrees on the handshake keys.
func (s *session) begin13() error {
	h := s.r.Hello
	s.tls13 = &schedule{suite: h.Suite, hash: hashOf(h.Suite)}
	k := s.tls13
	shared, err := s.shared(h)
	var lacks errLacks
	if errors.As(err, &lacks) || !CanFinish(h.Suite, suite.TLS13) {
		s.r.Lacks, s.done = string(lacks), true
		if lacks == "" {
			s.r.Lacks = h.Suite.Name()
		}
		return nil
	}
	if err != nil {
		return err
	}
	if h.SelectedPSK {
		if s.q.Resume == nil {
			return errors.New("the server resumes a session that was not offered")
		}
		s.r.Resumed = true
		k.extract(s.q.Resume.psk)
	} else {
		k.extract(nil)
	}
	k.extract(shared)
	k.clientSecret = k.derive("c hs traffic", s.transcript)
	k.serverSecret = k.derive("s hs traffic", s.transcript)
	k.in, err = k.key(k.serverSecret)
	if err != nil {
		return err
	}
	k.out, err = k.key(k.clientSecret)
	return err
}

// errLacks says what this package cannot do.
type errLacks string

func (e errLacks) Error() string { return "not possible here: " + string(e) }

// shared finishes the key exchange (RFC 8446 section 7.4, draft-ietf-tls-ecdhe-mlkem section 4.3).
func (s *session) shared(h *hello.ServerHello) ([]byte, error) {
	i := slices.IndexFunc(s.keys, func(k hello.PrivateKey) bool { return k.Group == h.Group })
	if i < 0 {
		return nil, fmt.Errorf("a key share of %s, which was not offered", h.Group)
	}
	k := &s.keys[i]
	if k.EC == nil && k.KEM768 == nil && k.KEM1024 == nil {
		return nil, errLacks("the key exchange of " + h.Group.String())
	}
	var kem func([]byte) ([]byte, error)
	kemSize := 0
	switch {
	case k.KEM768 != nil:
		kem, kemSize = k.KEM768.Decapsulate, 1088
	case k.KEM1024 != nil:
		kem, kemSize = k.KEM1024.Decapsulate, 1568
	}
	share := h.KeyShare
	if len(share) < kemSize {
		return nil, fmt.Errorf("a key share of %d bytes", len(share))
	}
	switch {
	case kem == nil:
		return ecShared(k.EC, share)
	case k.EC == nil:
		return kem(share)
	case h.Group == suite.X25519MLKEM768: // the lattice half first
		return joined(share[:kemSize], kem, share[kemSize:], func(b []byte) ([]byte, error) { return ecShared(k.EC, b) })
	}
	at := len(share) - kemSize
	return joined(share[:at], func(b []byte) ([]byte, error) { return ecShared(k.EC, b) }, share[at:], kem)
}

func joined(a []byte, first func([]byte) ([]byte, error), b []byte, second func([]byte) ([]byte, error)) ([]byte, error) {
	x, err := first(a)
	if err != nil {
		return nil, err
	}
	y, err := second(b)
	return append(x, y...), err
}

func ecShared(key *ecdh.PrivateKey, share []byte) ([]byte, error) {
	peer, err := key.Curve().NewPublicKey(share)
	if err != nil {
		return nil, fmt.Errorf("key share: %w", err)
	}
	return key.ECDH(peer)
}

// message13 takes a message of the server's flight.
func (s *session) message13(m hello.Message) (err error) {
	r := s.r
	switch m.Type {
	case hello.TypeEncryptedExt:
		e, err := hello.ParseEncryptedExtensions(m.Body)
		if err != nil {
			return err
		}
		if e.ALPN != "" && !slices.Contains(s.q.Offer.ALPN, e.ALPN) {
			return fmt.Errorf("the server chooses the application protocol %q, which was not offered", e.ALPN)
		}
		r.Inner, r.ALPN = e.Extensions, e.ALPN
		if r.Inner == nil {
			r.Inner = []hello.Extension{}
		}
	case hello.TypeCertificateRequest:
		r.ClientAuth, s.certAsked = true, true
		if r.Request, err = hello.ParseCertificateRequest(m.Body, suite.TLS13); err != nil {
			return err
		}
		s.reqContext = r.Request.Context
	case hello.TypeCertificate:
		return s.certificate13(m.Body)
	case hello.TypeCertificateVerify:
		if len(m.Body) < 2 {
			return errors.New("CertificateVerify: it ends early")
		}
		r.Scheme = suite.SignatureScheme(binary.BigEndian.Uint16(m.Body))
	case typeFinished:
		r.Complete = true
		if !s.q.Finish {
			s.done = true
			return nil
		}
		return s.finish13()
	default:
		return errOrder
	}
	return nil
}

func (s *session) certificate13(body []byte) error {
	c, err := hello.ParseCertificateTLS13(body)
	if err != nil {
		return err
	}
	for i, e := range c.Entries {
		s.r.Chain = append(s.r.Chain, e.DER)
		s.r.Entries = append(s.r.Entries, e.Extensions)
		for _, x := range e.Extensions {
			if x.Type == hello.ExtStatusRequest && i == 0 {
				if s.r.Status, err = hello.ParseCertificateStatus(x.Data); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// clientCertificate13 answers the server's request and adds the answer to the transcript.
func (s *session) clientCertificate13() ([]byte, error) {
	c, proof, err := s.credential()
	if err != nil {
		return nil, err
	}
	answer := &hello.CertificateTLS13{Context: s.reqContext}
	if c != nil {
		for _, der := range c.Certificate {
			answer.Entries = append(answer.Entries, hello.CertificateEntry{DER: der})
		}
	}
	messages, err := answer.Marshal()
	if err != nil {
		return nil, err
	}
	s.transcript = append(s.transcript, messages...)
	if c == nil {
		return messages, nil
	}
	verify, err := proof(s.signed13())
	if err != nil {
		return nil, err
	}
	s.transcript = append(s.transcript, verify...)
	return append(messages, verify...), nil
}

// finish13 sends the client's last flight and says goodbye, so that a server that issues tickets does so before
// it closes too.
func (s *session) finish13() error {
	k := s.tls13
	// The server's Finished ends what the traffic secrets are made of.
	handshake := *k
	k.extract(nil)
	serverTraffic := k.derive("s ap traffic", s.transcript)
	clientTraffic := k.derive("c ap traffic", s.transcript)

	flight := []byte{hello.RecordChangeCipherSpec, 3, 3, 0, 1, 1}
	if s.certAsked {
		messages, err := s.clientCertificate13()
		if err != nil {
			return err
		}
		for len(messages) > 0 { // a record holds 16 KiB
			n := min(len(messages), 1<<14)
			flight = append(flight, handshake.seal(hello.RecordHandshake, messages[:n])...)
			messages = messages[n:]
		}
	}
	fin := hello.Message{Type: typeFinished, Body: handshake.finished(k.clientSecret, s.transcript)}.Marshal()
	s.transcript = append(s.transcript, fin...)
	flight = append(flight, handshake.seal(hello.RecordHandshake, fin)...)

	var err error
	if k.in, err = k.key(serverTraffic); err != nil {
		return err
	}
	if k.out, err = k.key(clientTraffic); err != nil {
		return err
	}
	if len(s.q.Say) > 0 {
		flight = append(flight, k.seal(hello.RecordApplicationData, s.q.Say)...)
	}
	flight = append(flight, k.seal(hello.RecordAlert, []byte{1, byte(suite.AlertCloseNotify)})...)
	s.ours, s.r.Finished = true, true
	s.say(flight)
	s.conn.SetReadDeadline(time.Now().Add(afterwards + 2*s.r.FirstByte))
	return nil
}

// afterHandshake takes what comes under the application keys.
func (s *session) afterHandshake(m hello.Message) error {
	if m.Type != hello.TypeNewSessionTicket {
		return nil
	}
	t, err := hello.ParseNewSessionTicket(m.Body, suite.TLS13)
	if err != nil {
		return err
	}
	k := s.tls13
	x := s.ticket(t)
	x.psk = k.expandLabel(k.derive("res master", s.transcript), "resumption", t.Nonce, k.hash.Size())
	s.r.Tickets = append(s.r.Tickets, x)
	return nil
}
