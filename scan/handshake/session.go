package handshake

import (
	"crypto"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// session is one handshake under way.
type session struct {
	wire
	q *Question
	r *Result

	hello      *hello.ClientHello
	keys       []hello.PrivateKey
	transcript []byte // all handshake messages so far
	flight     hello.Flight
	sent       time.Time
	done       bool

	certAsked  bool
	reqContext []byte // certificate_request_context
	tls13      *schedule
	ours       bool    // our last flight is sent
	out        *sealer // of our records, before TLS 1.3
	changed    bool    // the server's ChangeCipherSpec was seen
}

var (
	errOrder = errors.New("a handshake message out of order")
	errTwice = errors.New("a second ServerHello")
)

// firstHello builds the hello and returns the records to send.
func (s *session) firstHello() ([]byte, error) {
	h, keys, err := hello.BuildWithKeys(&s.q.Offer, rand.Reader)
	if err != nil {
		return nil, err
	}
	s.hello, s.keys, s.r.Asked = h, keys, h
	for _, e := range s.q.Extra {
		h.SetExtension(e.Type, e.Data)
	}
	if err := s.offerSession(); err != nil {
		return nil, err
	}
	return s.marshalHello()
}

// offerSession puts the session to resume into the hello.
func (s *session) offerSession() error {
	old := s.q.Resume
	switch {
	case old == nil:
	case old.Version == suite.TLS13:
		if s.q.EarlyData {
			s.hello.SetExtension(hello.ExtEarlyData, []byte{})
		}
	case old.Ticket != nil:
		// By a session id of the client's own the server says that it takes the ticket (RFC 5077 section 3.4).
		s.hello.SessionID = make([]byte, 32)
		if _, err := rand.Read(s.hello.SessionID); err != nil {
			return fmt.Errorf("session id: %w", err)
		}
		s.hello.SetExtension(hello.ExtSessionTicket, old.Ticket)
	default:
		s.hello.SessionID = old.ID
	}
	return nil
}

// marshalHello returns the records of the hello and adds it to the transcript.
func (s *session) marshalHello() ([]byte, error) {
	if s.q.Resume != nil && s.q.Resume.Version == suite.TLS13 {
		if err := s.bind(); err != nil {
			return nil, err
		}
	}
	msg, err := s.hello.MarshalHandshake()
	if err != nil {
		return nil, err
	}
	s.transcript = append(s.transcript, msg...)
	return hello.AppendRecords(nil, hello.RecordHandshake, s.hello.RecordVersion, msg), nil
}

// say sends bytes. A server that has refused already may have closed its side: what it said is still worth
// reading, so that an error shows there.
func (s *session) say(b []byte) {
	s.sent = time.Now()
	s.r.Sent += len(b)
	s.r.RoundTrips++
	s.conn.Write(b)
}

// listen reads until the question is answered or the connection ends.
func (s *session) listen() {
	for !s.done {
		header, record, err := s.next()
		s.r.Received = s.received
		if s.received > 0 && s.r.FirstByte == 0 {
			s.r.FirstByte = time.Since(s.sent)
		}
		if err == nil {
			err = s.record(header, record)
		} else {
			var garbled errGarbled
			if !errors.As(err, &garbled) {
				s.closed(err)
				return
			}
		}
		if err != nil {
			s.end(probe.Malformed, err)
			if s.r.Hello == nil {
				s.sniff()
			}
			return
		}
	}
}

// sniff tells what answers where no TLS does.
func (s *session) sniff() {
	if k := hello.Sniff(s.in); k != hello.KindTLS && s.records <= 1 {
		s.r.Answer, s.r.Kind = probe.NotTLS, k
	}
}

// closed notes that the connection came to its end.
func (s *session) closed(err error) {
	if s.ours && s.r.Version == suite.TLS13 && s.r.Finished {
		s.done = true // it has said what it had to say after the handshake
		return
	}
	s.end(probe.Ending(err), err)
	if n := len(s.r.Warnings); n > 0 && s.r.Hello == nil {
		s.r.Answer, s.r.Alert = probe.Alerted, s.r.Warnings[n-1]
	}
}

// end notes how it ended, before or after the ServerHello.
func (s *session) end(how probe.Answer, err error) {
	s.done = true
	s.r.Err = err
	if s.r.Hello == nil {
		s.r.Answer = how
		return
	}
	s.r.End = how
}

// record takes one record.
func (s *session) record(header []byte, r hello.Record) error {
	switch {
	case r.Type == hello.RecordApplicationData && s.tls13 != nil:
		kind, plain, err := s.tls13.open(header, r.Body)
		if err != nil {
			return err
		}
		return s.content(kind, plain)
	case r.Type == hello.RecordChangeCipherSpec:
		return s.changeCipherSpec()
	case s.changed:
		return s.encrypted(r)
	case s.tls13 != nil && r.Type == hello.RecordHandshake:
		return errors.New("a handshake message in the clear after the ServerHello of TLS 1.3")
	}
	return s.content(r.Type, r.Body)
}

// changeCipherSpec: in TLS 1.3 it says nothing; before, the server's first flight is at its end, or it resumes.
func (s *session) changeCipherSpec() error {
	if s.r.Hello == nil {
		if s.r.Retry != nil {
			return nil
		}
		return errOrder
	}
	if s.tls13 != nil {
		return nil
	}
	s.changed = true
	if !s.r.Complete && !slices.Contains(s.r.Messages, hello.TypeCertificate) {
		s.r.Resumed, s.r.Complete, s.done = true, true, true
	}
	return nil
}

// encrypted takes a record that TLS before 1.3 encrypts: after our Finished it is the server's.
func (s *session) encrypted(r hello.Record) error {
	if r.Type == hello.RecordHandshake && s.ours {
		s.r.Finished = true
		s.sayGoodbye()
	}
	s.done = true
	return nil
}

// content takes what a record holds, decrypted if need be.
func (s *session) content(kind uint8, body []byte) error {
	switch kind {
	case hello.RecordHandshake:
		if err := s.flight.Add(hello.AppendRecords(nil, kind, suite.TLS12, body)); err != nil {
			return err
		}
		for _, m := range s.flight.Take() {
			if err := s.message(m); err != nil {
				return err
			}
			if s.done {
				return nil
			}
		}
	case hello.RecordAlert:
		return s.alert(body)
	}
	return nil // application data after the handshake is of no interest
}

func (s *session) alert(body []byte) error {
	if len(body) != 2 {
		return fmt.Errorf("alert of %d bytes: it has 2", len(body))
	}
	a := suite.Alert(body[1])
	switch {
	case s.ours && a == suite.AlertCloseNotify:
		s.done = true
	case body[0] == 1 && s.tls13 == nil:
		if s.r.Warnings = append(s.r.Warnings, a); len(s.r.Warnings) > 16 {
			return errors.New("more than 16 warnings")
		}
	default:
		s.r.Alert = a
		if s.ours {
			s.r.Finished = false // it comes after our Finished: the server takes it back
		}
		s.end(probe.Alerted, nil)
	}
	return nil
}

// message takes one handshake message in the clear, or decrypted.
func (s *session) message(m hello.Message) error {
	s.r.Messages = append(s.r.Messages, m.Type)
	switch {
	case m.Type == hello.TypeServerHello:
		return s.serverHello(m)
	case s.r.Hello == nil:
		return errOrder
	case s.ours && s.r.Version == suite.TLS13:
		return s.afterHandshake(m)
	}
	s.transcript = append(s.transcript, m.Marshal()...)
	if s.r.Version == suite.TLS13 {
		return s.message13(m)
	}
	return s.messageClassic(m)
}

func (s *session) serverHello(m hello.Message) error {
	if s.r.Hello != nil {
		return errTwice
	}
	h, err := hello.ParseServerHello(m.Body)
	if err != nil {
		return err
	}
	if err := probe.Offered(s.hello, h); err != nil {
		return err
	}
	if h.Retry {
		return s.retry(h, m)
	}
	s.transcript = append(s.transcript, m.Marshal()...)
	r := s.r
	r.Hello, r.Time = h, time.Now()
	r.Answer, r.Version, r.Suite, r.Group, r.ALPN = probe.ServerHello, h.Version, h.Suite, h.Group, h.ALPN
	if h.Version == suite.TLS13 {
		return s.begin13()
	}
	return nil
}

// retry answers a HelloRetryRequest with the share that it asks for (RFC 8446 section 4.1.4).
func (s *session) retry(h *hello.ServerHello, m hello.Message) error {
	if s.r.Retry != nil {
		return errors.New("a second HelloRetryRequest")
	}
	s.r.Retry = h
	o := s.q.Offer
	if h.Group != 0 {
		if !slices.Contains(o.Groups, h.Group) {
			return fmt.Errorf("a HelloRetryRequest for %s, which was not offered", h.Group)
		}
		o.KeyShares = []suite.Group{h.Group}
		again, keys, err := hello.BuildWithKeys(&o, rand.Reader)
		if err != nil { // a group that no share can be made for
			s.r.Answer, s.r.Group, s.r.Hello, s.r.Version, s.r.Suite = probe.HelloRetry, h.Group, h, h.Version, h.Suite
			s.r.Lacks, s.done = fmt.Sprintf("a key share of %s", h.Group), true
			return nil
		}
		share, _ := again.Extension(hello.ExtKeyShare)
		s.hello.SetExtension(hello.ExtKeyShare, share)
		s.keys = keys
	}
	if cookie, ok := h.Extension(hello.ExtCookie); ok {
		s.hello.SetExtension(hello.ExtCookie, cookie)
	}
	s.hello.RemoveExtension(hello.ExtEarlyData)
	// The first hello stands in the transcript by its hash (section 4.4.1).
	hash := hashOf(h.Suite)
	if !hash.Available() {
		return fmt.Errorf("a HelloRetryRequest with %s", h.Suite)
	}
	sum := digest(hash, s.transcript)
	s.transcript = append([]byte{254, 0, 0, byte(len(sum))}, sum...)
	s.transcript = append(s.transcript, m.Marshal()...)
	s.hello.RecordVersion = suite.TLS12 // only a first hello may say less (section 5.1)
	raw, err := s.marshalHello()
	if err != nil {
		return err
	}
	s.say(raw)
	return nil
}

func digest(h crypto.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}

// hashOf is the hash of a suite of TLS 1.3.
func hashOf(c suite.Code) crypto.Hash {
	if i := suite.ByCode(c); i != nil && i.PRF == "SHA384" {
		return crypto.SHA384
	}
	return crypto.SHA256
}

// ticket keeps a ticket that can be used.
func (s *session) ticket(t *hello.NewSessionTicket) Session {
	return Session{Version: s.r.Version, Suite: s.r.Suite, Ticket: t.Ticket, Lifetime: time.Duration(t.Lifetime) * time.Second,
		MaxEarlyData: t.MaxEarlyData, received: time.Now(), ageAdd: t.AgeAdd}
}

// age is what a hello says of a ticket's age (RFC 8446 section 4.2.11.1).
func (s *Session) age() []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(time.Since(s.received).Milliseconds())+s.ageAdd)
}
