package hello

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/suite"
)

// TestSessionMessages writes and reads back tickets of both forms and a stapled OCSP response.
func TestSessionMessages(t *testing.T) {
	for v, ticket := range map[suite.Version]*NewSessionTicket{
		suite.TLS12: {Lifetime: 300, Ticket: []byte{1, 2, 3}},
		suite.TLS13: {Lifetime: 7200, AgeAdd: 0x01020304, Nonce: []byte{0, 1}, Ticket: []byte{4}, MaxEarlyData: 16384,
			Extensions: []Extension{{ExtEarlyData, []byte{0, 0, 0x40, 0}}}},
	} {
		raw, err := ticket.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParseNewSessionTicket(raw[4:], v); err != nil || cmp.Diff(ticket, got) != "" {
			t.Errorf("%s: %v %s", v, err, cmp.Diff(ticket, got))
		}
		for n := range raw[4:] {
			if _, err := ParseNewSessionTicket(raw[4:4+n], v); err == nil {
				t.Errorf("%s: %d of %d bytes are taken for a ticket", v, n, len(raw)-4)
			}
		}
	}
	raw, err := MarshalCertificateStatus([]byte{0x30, 0})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseCertificateStatus(raw[4:]); err != nil || !bytes.Equal(got, []byte{0x30, 0}) {
		t.Errorf("% x, %v", got, err)
	}
	if _, err := ParseCertificateStatus(append(raw[4:], 0)); err == nil {
		t.Error("a byte too many is taken for a status")
	}
	if got, err := ParseCertificateStatus([]byte{2, 0, 0, 0}); got != nil || err != nil {
		t.Errorf("another kind of status: % x, %v", got, err)
	}
}

// FuzzSessionMessages: no panic, and what is read is written as the same bytes.
func FuzzSessionMessages(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0, 1, 9}, uint16(suite.TLS12))
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0, 1, 9, 0, 8, 0, 42, 0, 4, 0, 0, 1, 0}, uint16(suite.TLS13))
	f.Add([]byte{1, 0, 0, 2, 0x30, 0}, uint16(suite.TLS12))
	f.Fuzz(func(t *testing.T, body []byte, version uint16) {
		v := suite.Version(version)
		if ticket, err := ParseNewSessionTicket(body, v); err == nil {
			same(t, Message{TypeNewSessionTicket, body}, func() ([]byte, error) { return ticket.Marshal(v) })
		}
		if response, err := ParseCertificateStatus(body); err == nil && response != nil {
			same(t, Message{TypeCertificateStatus, body}, func() ([]byte, error) { return MarshalCertificateStatus(response) })
		}
	})
}
