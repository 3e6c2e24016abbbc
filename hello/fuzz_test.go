package hello

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/suite"
)

// FuzzClientHello holds for every input: no panic; what is read comes back as the bytes it was read from; every
// reader of a hello takes it; and what is read of a hello that was written says the same.
func FuzzClientHello(f *testing.F) {
	for _, raw := range corpus(f) {
		f.Add(raw)
		if raw[0] == RecordHandshake {
			f.Add(raw[5:])
			f.Add(AppendRecords(AppendRecords(nil, RecordHandshake, suite.TLS10, raw[5:60]), RecordHandshake, suite.TLS12, raw[60:]))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.Clone(b)
		h, err := ParseClientHello(b)
		if !bytes.Equal(in, b) {
			t.Fatal("the input has changed")
		}
		if err != nil {
			return
		}
		if n := 40*len(b) + 4096; cost(h) > n {
			t.Fatalf("%d bytes make a hello of %d", len(b), cost(h))
		}
		raw, err := h.Marshal()
		if err != nil {
			t.Fatalf("a hello that was read cannot be written: %v", err)
		}
		if b[0] != TypeClientHello && !bytes.HasPrefix(b, raw) && !tailDropped(h, b) {
			t.Fatalf("not the same bytes\n got % x\nfrom % x", raw, b)
		}
		if h.WireSize() != len(raw) {
			t.Fatalf("wire size %d of %d bytes", h.WireSize(), len(raw))
		}
		again, err := ParseClientHello(raw)
		if err != nil {
			t.Fatalf("a hello that was written cannot be read: %v", err)
		}
		if d := cmp.Diff(h.Offer(), again.Offer()); d != "" {
			t.Fatalf("another offer: %s", d)
		}
		h.JA3()
		h.JA4()
		h.KeyShares()
		c := h.Clone()
		c.SetGroups(suite.X25519)
		c.SetVersions(suite.TLS12)
		c.SetServerName("lb.example.com")
		c.SetSuites(0xC02F)
		c.SetPadding(512)
		if again, err := h.Marshal(); err != nil || !bytes.Equal(again, raw) {
			t.Fatal("an edit of the copy has changed the hello")
		}
	})
}

// tailDropped reports whether the last record of the hello in b holds more than the hello: then the header
// that is written back has another length.
func tailDropped(h *ClientHello, b []byte) bool {
	n := 0
	for range max(1, len(h.fragments)) {
		r, rest, err := NextRecord(b)
		if err != nil {
			return false
		}
		n, b = n+len(r.Body), rest
	}
	msg, err := h.MarshalHandshake()
	return err == nil && n > len(msg)
}

// cost is about how much memory a hello takes.
func cost(h *ClientHello) int {
	n := len(h.Random) + len(h.SessionID) + 4*cap(h.Suites) + cap(h.Compression) + 16*cap(h.fragments)
	for _, e := range h.Extensions {
		n += 32 + len(e.Data)
	}
	return n
}

// FuzzServerFlight feeds a flight in two pieces, whatever it holds, and writes back every message that can
// be read.
func FuzzServerFlight(f *testing.F) {
	data, _ := serverFlight(f)
	f.Add(AppendRecords(nil, RecordHandshake, suite.TLS12, data), 7, uint16(suite.TLS12), uint16(0xC02F))
	f.Add(MarshalAlert(suite.TLS10, true, 40), 3, uint16(suite.TLS10), uint16(0x0033))
	f.Fuzz(func(t *testing.T, b []byte, cut int, version, code uint16) {
		cut = max(0, min(cut, len(b)))
		var flight, whole Flight
		err := flight.Add(b[:cut])
		if err == nil {
			err = flight.Add(b[cut:])
		}
		if wholeErr := whole.Add(b); (err == nil) != (wholeErr == nil) {
			t.Fatalf("in pieces %v, at once %v", err, wholeErr)
		}
		messages := flight.Take()
		same := func(a, b Message) bool { return a.Type == b.Type && bytes.Equal(a.Body, b.Body) }
		if !slices.EqualFunc(messages, whole.Take(), same) {
			t.Fatalf("cut at %d: other messages", cut)
		}
		a := answer{hello: &ServerHello{Version: suite.Version(version), Suite: suite.Code(code)}}
		for _, m := range messages {
			stable(t, &a, m)
		}
	})
}

// FuzzServerMessage reads one message of every type there is.
func FuzzServerMessage(f *testing.F) {
	data, _ := serverFlight(f)
	for len(data) > 0 {
		m, rest, err := nextMessage(data, MaxHandshake)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.Type, m.Body, uint16(suite.TLS12), uint16(0xC02F))
		data = rest
	}
	f.Add(uint8(TypeServerKeyExchange), []byte{0, 1, 7, 0, 1, 2, 0, 1, 3, 0, 0}, uint16(suite.TLS10), uint16(0x0033))
	f.Add(uint8(TypeCertificate), []byte{0, 0, 0, 6, 0, 0, 1, 9, 0, 0}, uint16(suite.TLS13), uint16(0x1301))
	f.Add(uint8(TypeEncryptedExt), []byte{0, 0}, uint16(suite.TLS13), uint16(0x1301))
	f.Add(uint8(TypeCertificateRequest), []byte{0, 0, 0}, uint16(suite.TLS13), uint16(0x1301))
	f.Fuzz(func(t *testing.T, kind uint8, body []byte, version, code uint16) {
		a := answer{hello: &ServerHello{Version: suite.Version(version), Suite: suite.Code(code)}}
		stable(t, &a, Message{kind, body})
		if c, err := ParseCertificateTLS13(body); err == nil {
			same(t, Message{TypeCertificate, body}, c.Marshal)
		}
		if e, err := ParseEncryptedExtensions(body); err == nil {
			same(t, Message{TypeEncryptedExt, body}, e.Marshal)
		}
		if h, err := ParseSSLv2ServerHello(body); err == nil {
			if raw, err := h.Marshal(); err != nil {
				t.Fatal(err)
			} else if again, err := ParseSSLv2ServerHello(raw); err != nil || cmp.Diff(h, again) != "" {
				t.Fatalf("%v %s", err, cmp.Diff(h, again))
			}
		}
		Sniff(body)
	})
}

// stable demands that a message which can be read is written as the same bytes.
func stable(t *testing.T, a *answer, m Message) {
	t.Helper()
	if m.Type == TypeCertificate && a.hello.Version >= suite.TLS13 {
		return
	}
	again, err := a.message(m)
	if err != nil || again == nil {
		if m.Type == TypeServerHello && a.hello == nil {
			a.hello = &ServerHello{}
		}
		return
	}
	if m.Type == TypeServerKeyExchange && len(again) == 4 {
		return // a form that is not read
	}
	if !bytes.Equal(again, m.Marshal()) {
		t.Fatalf("message %d in %s, %s\n got % x\nwant % x", m.Type, a.hello.Version, a.hello.Suite, again, m.Marshal())
	}
}

func same(t *testing.T, m Message, marshal func() ([]byte, error)) {
	t.Helper()
	if raw, err := marshal(); err != nil || !bytes.Equal(raw, m.Marshal()) {
		t.Fatalf("message %d: %v\n got % x\nwant % x", m.Type, err, raw, m.Marshal())
	}
}
