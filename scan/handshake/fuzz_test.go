package handshake

import (
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// scripted is a connection whose other side says what is written here, whatever it is told.
type scripted struct {
	net.Conn
	in []byte
}

func (c *scripted) Read(b []byte) (int, error) {
	if len(c.in) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.in)
	c.in = c.in[n:]
	return n, nil
}

func (c *scripted) Write(b []byte) (int, error)     { return len(b), nil }
func (c *scripted) SetReadDeadline(time.Time) error { return nil }

// answered runs a question against a scripted answer.
func answered(t testing.TB, q *Question, answer []byte) *Result {
	t.Helper()
	s := &session{q: q, r: &Result{}}
	if _, err := s.firstHello(); err != nil {
		t.Fatal(err)
	}
	s.conn = &scripted{in: answer}
	s.listen()
	return s.r
}

// FuzzAnswer: no panic, whatever comes in the clear, and every connection comes to an end that is told.
func FuzzAnswer(f *testing.F) {
	for _, v := range []suite.Version{suite.TLS12, suite.TLS13} {
		h := &hello.ServerHello{LegacyVersion: suite.TLS12, Random: make([]byte, 32), Suite: 0xC02F}
		if v == suite.TLS13 {
			h.Suite, h.Extensions = 0x1301, []hello.Extension{{Type: hello.ExtSupportedVersions, Data: []byte{3, 4}}, {Type: hello.ExtKeyShare, Data: append([]byte{0, 29, 0, 32}, make([]byte, 32)...)}}
		}
		msg, err := h.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(hello.AppendRecords(nil, hello.RecordHandshake, suite.TLS12, msg), v == suite.TLS13)
		h.Retry, h.Extensions = true, []hello.Extension{{Type: hello.ExtSupportedVersions, Data: []byte{3, 4}}, {Type: hello.ExtKeyShare, Data: []byte{0, 23}}}
		if msg, err = h.Marshal(); err != nil {
			f.Fatal(err)
		}
		f.Add(hello.AppendRecords(nil, hello.RecordHandshake, suite.TLS12, msg), v == suite.TLS13)
	}
	f.Add([]byte{20, 3, 3, 0, 1, 1, 21, 3, 3, 0, 2, 1, 112}, false)
	f.Fuzz(func(t *testing.T, answer []byte, tls13 bool) {
		o := offer(suite.TLS12, 0xC02F, 0x009C, 0x009E, 0xC013)
		if tls13 {
			o = offer(suite.TLS13, 0x1301, 0x1302, 0x1303)
		}
		r := answered(t, &Question{Offer: o, Finish: true}, answer)
		if r.Answer == "" || r.Hello != nil && !r.Complete && r.End == "" && r.Lacks == "" || len(r.Warnings) > 17 {
			t.Fatalf("%+v", r)
		}
	})
}

// FuzzEncrypted: no panic, whatever TLS 1.3 brings under the handshake and application keys.
func FuzzEncrypted(f *testing.F) {
	for _, m := range []hello.Message{{Type: hello.TypeEncryptedExt, Body: []byte{0, 0}}, {Type: hello.TypeCertificate, Body: []byte{0, 0, 0, 6, 0, 0, 1, 9, 0, 0}},
		{Type: hello.TypeCertificateVerify, Body: []byte{8, 4, 0, 0}}, {Type: typeFinished, Body: make([]byte, 32)},
		{Type: hello.TypeNewSessionTicket, Body: []byte{0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0, 1, 9, 0, 0}}, {Type: hello.TypeCertificateRequest, Body: []byte{0, 0, 0}}} {
		f.Add(uint8(hello.RecordHandshake), m.Marshal(), m.Type == hello.TypeNewSessionTicket)
	}
	f.Add(uint8(hello.RecordAlert), []byte{1, 0}, true)
	f.Fuzz(func(t *testing.T, kind uint8, content []byte, afterwards bool) {
		s := &session{q: &Question{Offer: offer(suite.TLS13, 0x1301), Finish: true}, r: &Result{}}
		if _, err := s.firstHello(); err != nil {
			t.Fatal(err)
		}
		s.conn = &scripted{}
		s.r.Answer, s.r.Version, s.r.Suite, s.r.Hello = probe.ServerHello, suite.TLS13, 0x1301, &hello.ServerHello{Suite: 0x1301, Version: suite.TLS13}
		s.tls13 = &schedule{suite: 0x1301, hash: hashOf(0x1301)}
		s.tls13.extract(nil)
		s.tls13.clientSecret = s.tls13.derive("c hs traffic", nil)
		out, err := s.tls13.key(s.tls13.clientSecret)
		if err != nil {
			t.Fatal(err)
		}
		s.tls13.out, s.ours = out, afterwards
		if s.content(kind, content) == nil && len(s.r.Tickets) > len(content)/12 {
			t.Fatalf("%d tickets in %d bytes", len(s.r.Tickets), len(content))
		}
	})
}

// TestEndless: what does not end is cut off at the limit, and what goes on after the handshake too.
func TestEndless(t *testing.T) {
	h, err := (&hello.ServerHello{LegacyVersion: suite.TLS12, Random: make([]byte, 32), Suite: 0xC02F}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	record := func(b []byte) []byte { return hello.AppendRecords(nil, hello.RecordHandshake, suite.TLS12, b) }
	certificate := record([]byte{hello.TypeCertificate, 0, 0, 3, 0, 0, 0})
	warning := hello.MarshalAlert(suite.TLS12, false, suite.AlertUnrecognizedName)
	for name, answer := range map[string][]byte{
		"records":  slices.Repeat(record(nil), 2*hello.MaxRecords),
		"messages": append(record(h), slices.Repeat(certificate, 40_000)...),
		"warnings": slices.Repeat(warning, 100),
		"hellos":   slices.Repeat(record(h), 9),
		"garbage":  slices.Repeat([]byte("HTTP/1.1 200 OK\r\n"), 20_000),
	} {
		r := answered(t, &Question{Offer: offer(suite.TLS12, 0xC02F), Finish: true}, answer)
		if r.Finished || r.Received > probe.MaxAnswer+4096 || r.Err == nil || r.Answer != probe.Malformed && r.End != probe.Malformed && r.Answer != probe.NotTLS {
			t.Errorf("%s: %s, %s, %v after %d bytes", name, r.Answer, r.End, r.Err, r.Received)
		}
	}
}

// TestPrimeSize: a handshake with an enormous Diffie-Hellman group is not completed.
func TestPrimeSize(t *testing.T) {
	id := testbed.Make(t, testbed.RSA2048)
	h, err := (&hello.ServerHello{LegacyVersion: suite.TLS12, Random: make([]byte, 32), Suite: 0x009E}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	c, err := hello.MarshalCertificate(id.TLS.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 1 + maxPrime/8, 60_000} {
		k, err := (&hello.ServerKeyExchange{Prime: slices.Repeat([]byte{0xFF}, size), Generator: []byte{2}, Public: []byte{3}, Signature: []byte{1}}).Marshal(suite.TLS12, 0x009E)
		if err != nil {
			t.Fatal(err)
		}
		flight := slices.Concat(h, c, k, []byte{hello.TypeServerHelloDone, 0, 0, 0})
		start := time.Now()
		r := answered(t, &Question{Offer: offer(suite.TLS12, 0x009E), Finish: true}, hello.AppendRecords(nil, hello.RecordHandshake, suite.TLS12, flight))
		if r.Finished || (r.Lacks != "") != (size > 1) || time.Since(start) > time.Second {
			t.Errorf("%d bytes: %q, %v", size, r.Lacks, time.Since(start))
		}
	}
}
