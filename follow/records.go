package follow

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// records reads TLS records of a side, after the hello.
func (f *Follower) records(from Side, b []byte, at time.Time) {
	s := &f.sides[from]
	if s.skip > 0 {
		n := min(s.skip, len(b))
		s.skip, b = s.skip-n, b[n:]
	}
	if len(s.buf) > 0 {
		s.buf = append(s.buf, b...)
		b = s.buf
	}
	if f.n.Hello.SSLv2Format && f.n.Choice == nil && from != f.client {
		if b = f.sslv2(b); b == nil {
			return
		}
	}
	if f.n.SSLv2 != nil {
		f.sealedSSLv2(from)
		s.keep(nil)
		return
	}
	for len(b) >= 5 && !f.done && !s.deaf {
		record, size := recordHeader(b)
		if !record {
			f.notTLS(from, b)
			break
		}
		if f.encrypted(s, b[0]) { // its header says all that can be known
			f.sealed(from, b[0], size-5)
			b = s.drop(b, size)
			continue
		}
		if len(b) < size {
			break
		}
		f.record(from, b[0], b[5:size])
		b = b[size:]
	}
	if f.done || s.deaf {
		s.buf, s.stream = nil, nil
		return
	}
	if len(b) > 0 && len(b) < 5 && !halfHeader(b) {
		f.notTLS(from, b)
		return
	}
	s.keep(b)
}

// encrypted reports whether the content of a record of type t is.
func (f *Follower) encrypted(s *side, t uint8) bool {
	return t == hello.RecordApplicationData ||
		s.changed && f.n.Choice != nil && f.n.Choice.Version < suite.TLS13 && t != hello.RecordChangeCipherSpec
}

// notTLS takes note of a side that does not go on in TLS.
func (f *Follower) notTLS(from Side, b []byte) {
	s := &f.sides[from]
	if from != f.client && f.n.Stage < ServerHello && len(s.stream) == 0 {
		f.n.ServerPlain = slices.Clone(b[:min(len(b), maxHead)])
		f.done = true
	} else if from != f.client && f.n.Violation == nil && !f.n.Gap && f.n.Stage < Established {
		f.n.Violation = fmt.Errorf("no TLS record: % x", b[:min(len(b), 5)])
	}
	f.deafen(s)
}

// sslv2 reads what may be an answer in SSLv2. It returns what is left for TLS, nil where there is nothing.
func (f *Follower) sslv2(b []byte) []byte {
	s := &f.sides[1-f.client]
	if len(b) < 5 || hello.Sniff(b) != hello.KindSSLv2 {
		return b
	}
	h, err := hello.ParseSSLv2ServerHello(b)
	var refusal hello.SSLv2Error
	switch {
	case err == nil:
		f.n.SSLv2 = h
		f.reach(ServerHello)
	case errors.Is(err, hello.ErrIncomplete) && len(b) < maxHeld:
		s.keep(b)
		return nil
	case errors.As(err, &refusal):
		f.n.SSLv2Error, f.done = refusal, true
	default:
		f.n.Violation = err
		f.deafen(s)
		return nil
	}
	s.keep(nil)
	return nil
}

// sealedSSLv2 counts what follows an SSLv2 SERVER-HELLO: the keys, and then encrypted data.
func (f *Follower) sealedSSLv2(from Side) {
	s := &f.sides[from]
	s.sealed++
	switch {
	case from == f.client:
		f.reach(ClientFinished)
	case f.n.Stage >= ClientFinished:
		f.establish()
	}
}

// record reads a record in the clear.
func (f *Follower) record(from Side, t uint8, body []byte) {
	s := &f.sides[from]
	switch t {
	case hello.RecordChangeCipherSpec:
		s.changed = true
		if from == f.client && f.n.AnswerAt.IsZero() && !f.early {
			f.n.Gap = true // it was answered, and the answer was not seen
		}
		if from == f.client && f.n.Choice != nil && f.n.Choice.Version < suite.TLS13 {
			f.reach(ClientFinished)
		}
	case hello.RecordAlert:
		if len(body) == 2 {
			f.alert(from, hello.Alert{Fatal: body[0] == 2, Description: suite.Alert(body[1])})
		}
	case hello.RecordHandshake:
		f.handshake(from, body)
	}
}

func (f *Follower) alert(from Side, a hello.Alert) {
	if e := f.n.End; e != nil && e.By != f.party(from) {
		f.done = true // what a side says of the other's leaving is no reason
		return
	}
	if len(f.n.Alerts) < maxAlerts || ends(a) {
		f.n.Alerts = append(f.n.Alerts, Alert{From: f.party(from), Alert: a, After: f.n.Stage})
	}
	if !ends(a) {
		return
	}
	if a.Description == suite.AlertCloseNotify && from == f.client && f.n.Stage == ClientFinished {
		f.establish()
	}
	f.done = true
}

func (f *Follower) handshake(from Side, body []byte) {
	s := &f.sides[from]
	left := body
	if len(s.stream) > 0 {
		s.stream = append(s.stream, body...)
		left = s.stream
	}
	for len(left) > 0 && !f.done {
		m, rest, err := hello.NextMessage(left)
		if errors.Is(err, hello.ErrIncomplete) {
			break
		}
		if err == nil {
			err = f.message(from, m)
		}
		if err != nil {
			if from != f.client {
				f.n.Violation = err
			}
			f.deafen(s)
			return
		}
		left = rest
	}
	s.stream = append(s.stream[:0], left...)
}

func (f *Follower) message(from Side, m hello.Message) error {
	if from == f.client {
		return f.clientMessage(m)
	}
	n := &f.n
	switch m.Type {
	case hello.TypeServerHello:
		h, err := hello.ParseServerHello(m.Body)
		switch {
		case err != nil:
			return err
		case h.Retry:
			n.Retry = h
			f.reach(Retry)
		case n.Choice == nil:
			n.Choice = h
			f.reach(ServerHello)
		}
	case hello.TypeCertificate:
		if n.Chain == nil {
			n.Chain, _ = hello.ParseCertificate(m.Body)
		}
	case hello.TypeServerKeyExchange:
		if n.Choice != nil && n.Exchange == nil {
			n.Exchange, _ = hello.ParseServerKeyExchange(m.Body, n.Choice.Version, n.Choice.Suite)
		}
	case hello.TypeCertificateRequest:
		n.CertificateRequested = true
	case hello.TypeServerHelloDone:
		f.reach(ServerFlight)
	}
	return nil
}

const typeClientKeyExchange = 16 // RFC 5246 section 7.4

func (f *Follower) clientMessage(m hello.Message) error {
	n := &f.n
	switch m.Type {
	case hello.TypeClientHello:
		h, err := hello.ParseClientHello(m.Marshal())
		if err != nil {
			return err
		}
		if n.Second == nil && n.Choice == nil {
			n.Second = h
			f.hellos += 2 * h.WireSize()
		}
	case hello.TypeCertificate:
		chain, err := hello.ParseCertificate(m.Body)
		if err == nil {
			n.ClientCertificates = len(chain)
		}
	case typeClientKeyExchange:
		f.reach(ServerFlight) // it has seen all of it, whatever was seen here
	}
	return nil
}

// sealed counts an encrypted record of size bytes.
func (f *Follower) sealed(from Side, t uint8, size int) {
	n, s := &f.n, &f.sides[from]
	server := &f.sides[1-f.client]
	if n.Choice == nil {
		if from == f.client && !f.early && n.AnswerAt.IsZero() {
			n.Gap = true // it was answered, and the answer was not seen
		}
		f.blind(from)
		return
	}
	s.sealed++
	if n.Choice.Version < suite.TLS13 {
		f.sealedTLS12(from, t)
		return
	}
	content := size - 1 - tagSize(n.Choice.Suite)
	alert := content == 2 || content == 2+padding
	switch {
	case from != f.client && n.Stage < ClientFinished:
		f.reach(ServerFlight)
	case from != f.client && alert && !f.leaving && !f.early && !f.suspect:
		f.suspect = true // an alert, if nothing but the end follows
	case from != f.client:
		f.establish()
	case f.early:
		// Where early data ends and the Finished begins cannot be seen.
		if server.sealed > 0 {
			f.reach(ClientFinished)
		}
	case server.sealed == 0 && !server.deaf:
	case alert && n.Stage < ClientFinished:
		n.SealedAlert, f.done = Client, true
	case content == 2:
		f.leaving = true // with close_notify
	case n.Stage < ClientFinished:
		f.reach(ClientFinished)
		n.SealedCertificate = flight(size, n.Choice.Suite)
	}
}

// blind counts encrypted records that come though no ServerHello was seen, since bytes are missing: both sides cannot
// but have agreed.
func (f *Follower) blind(from Side) {
	server := &f.sides[1-f.client]
	if from == f.client && f.n.Gap && (server.deaf || f.n.AnswerAt.IsZero()) {
		if f.sides[from].sealed++; f.sides[from].sealed >= 2 {
			f.establish()
		}
	}
}

func (f *Follower) sealedTLS12(from Side, t uint8) {
	client, server := &f.sides[f.client], &f.sides[1-f.client]
	if from == f.client {
		f.reach(ClientFinished)
	}
	if client.sealed > 0 && server.sealed > 0 || from == f.client && server.deaf && t == hello.RecordApplicationData {
		f.establish()
	}
}

// tagSize is how many bytes the authentication tag of a TLS 1.3 suite has (RFC 8446 appendix B.4).
func tagSize(c suite.Code) int {
	if c == 0x1305 { // TLS_AES_128_CCM_8_SHA256
		return 8
	}
	return 16
}

// flight tells from the size of its first record what a client's last flight in TLS 1.3 holds. A Finished has four
// bytes and a digest, an empty Certificate eight (RFC 8446 sections 4.4.2 and 4.4.4), a record a byte and its tag.
func flight(size int, c suite.Code) Sealed {
	digest := 32
	if c == 0x1302 { // TLS_AES_256_GCM_SHA384
		digest = 48
	}
	for _, padded := range []int{0, padding} {
		switch size - 1 - tagSize(c) - padded {
		case 4 + digest:
			return NoneAsked
		case 8, 8 + 4 + digest:
			return NoneSent
		}
	}
	return Sent
}

// padding is how many zeros Java (JSSE) adds to the records of a handshake in TLS 1.3 (measured on OpenJDK 17).
const padding = 16
