package hello

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/suite"
)

// serverFlight is a flight as a TLS 1.2 server sends it.
func serverFlight(t testing.TB) ([]byte, []uint8) {
	t.Helper()
	hello := &ServerHello{LegacyVersion: suite.TLS12, Random: bytes.Repeat([]byte{5}, 32), SessionID: []byte{1}, Suite: 0xC02F, HasExtensions: true,
		Extensions: []Extension{{ExtRenegotiationInfo, []byte{0}}, {ExtALPN, alpnBody([]string{"h2"})}}}
	exchange := &ServerKeyExchange{Group: suite.X25519, Public: make([]byte, 32), Scheme: suite.RSAPSSRSAESHA256, Signature: make([]byte, 256)}
	request := &CertificateRequest{Types: []byte{1, 64}, Schemes: []suite.SignatureScheme{suite.Ed25519}, Names: [][]byte{{0x30, 0}}}
	parts := make([][]byte, 4)
	var errs [4]error
	parts[0], errs[0] = hello.Marshal()
	parts[1], errs[1] = MarshalCertificate([][]byte{make([]byte, 900), make([]byte, 1200)})
	parts[2], errs[2] = exchange.Marshal(suite.TLS12, 0xC02F)
	parts[3], errs[3] = request.Marshal(suite.TLS12)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	return append(slices.Concat(parts...), TypeServerHelloDone, 0, 0, 0), []uint8{2, 11, 12, 13, 14}
}

// TestFlightInPieces takes the same messages from records and reads of every size.
func TestFlightInPieces(t *testing.T) {
	data, want := serverFlight(t)
	for _, record := range []int{1, 3, 4, 5, 100, 2000, 16384} {
		var wire []byte
		for piece := range slices.Chunk(data, record) {
			wire = AppendRecords(wire, RecordHandshake, suite.TLS12, piece)
		}
		for _, read := range []int{1, 2, 7, 1000, len(wire)} {
			var f Flight
			var types []uint8
			var all []byte
			for piece := range slices.Chunk(wire, read) {
				if err := f.Add(piece); err != nil {
					t.Fatalf("records of %d, reads of %d: %v", record, read, err)
				}
				for _, m := range f.Take() {
					types, all = append(types, m.Type), append(all, m.Marshal()...)
				}
			}
			if !slices.Equal(types, want) || !bytes.Equal(all, data) || f.Pending() || f.Version != suite.TLS12 {
				t.Errorf("records of %d, reads of %d: messages %v, pending %v", record, read, types, f.Pending())
			}
		}
	}
}

// TestFlightLimits stops at the first byte that breaks a limit, and stays stopped.
func TestFlightLimits(t *testing.T) {
	big := []byte{22, 3, 3, 0, 4, 11, 2, 0, 1}
	for name, c := range map[string]struct {
		f    Flight
		data []byte
		says string
	}{
		"a message too large":        {Flight{}, big, "handshake message of 131073 bytes: the limit is 131072"},
		"a lower limit":              {Flight{MaxMessage: 100}, []byte{22, 3, 3, 0, 4, 11, 0, 0, 101}, "the limit is 100"},
		"a record too large":         {Flight{}, []byte{22, 3, 3, 0xFF, 0xFF}, "record of 65535 bytes: the limit is 18432"},
		"empty records":              {Flight{}, bytes.Repeat([]byte{22, 3, 3, 0, 0}, MaxRecords+1), "more than 4096 records"},
		"a lower number":             {Flight{MaxRecords: 2}, bytes.Repeat([]byte{20, 3, 3, 0, 1, 1}, 3), "more than 2 records"},
		"an alert of three bytes":    {Flight{}, []byte{21, 3, 3, 0, 3, 2, 40, 0}, "alert of 3 bytes"},
		"another protocol":           {Flight{}, []byte("HTTP/1.1 400 Bad Request"), "no TLS record: it begins with 48 54 54 50 2f"},
		"another protocol, half-way": {Flight{}, append([]byte{20, 3, 3, 0, 1, 1}, "SSH-2.0"...), "no TLS record"},
	} {
		err := c.f.Add(c.data)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if again := c.f.Add([]byte{22, 3, 3, 0, 0}); again != err {
			t.Errorf("%s: after the error: %v", name, again)
		}
	}
	f := Flight{MaxMessage: 1 << 18}
	if err := f.Add(big); err != nil {
		t.Errorf("a higher limit: %v", err)
	}
}

// TestFlightAlerts prefers the alert that ends the connection over a warning before it.
func TestFlightAlerts(t *testing.T) {
	warning, fatal := MarshalAlert(suite.TLS12, false, 112), MarshalAlert(suite.TLS12, true, 40)
	var f Flight
	if err := f.Add(warning); err != nil || f.Alert == nil || f.Alert.Fatal || f.Alert.Description != 112 {
		t.Fatalf("%+v, %v", f.Alert, err)
	}
	if err := f.Add(append(fatal, MarshalAlert(suite.TLS12, true, 80)...)); err != nil || !f.Alert.Fatal || f.Alert.Description != 40 {
		t.Errorf("%+v, %v", f.Alert, err)
	}
	if err := f.Add(AppendRecords(nil, RecordHandshake, suite.TLS12, Message{Type: TypeServerHelloDone}.Marshal())); err != nil || len(f.Take()) != 0 {
		t.Errorf("messages after the end: %v", err)
	}
}

// TestEncryptedMessages writes and reads back the messages that only who holds the keys sees.
func TestEncryptedMessages(t *testing.T) {
	cert := &CertificateTLS13{Context: []byte{}, Entries: []CertificateEntry{{DER: []byte{1, 2, 3}, Extensions: []Extension{{ExtStatusRequest, []byte{9}}}}, {DER: []byte{4}}}}
	raw, err := cert.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseCertificateTLS13(raw[4:]); err != nil || cmp.Diff(cert, got) != "" {
		t.Errorf("Certificate: %v %s", err, cmp.Diff(cert, got))
	}
	ee := &EncryptedExtensions{Extensions: []Extension{{ExtALPN, alpnBody([]string{"h2"})}, {ExtSupportedGroups, list16([]suite.Group{suite.X25519})}}, ALPN: "h2"}
	if raw, err = ee.Marshal(); err != nil {
		t.Fatal(err)
	}
	if got, err := ParseEncryptedExtensions(raw[4:]); err != nil || cmp.Diff(ee, got) != "" {
		t.Errorf("EncryptedExtensions: %v %s", err, cmp.Diff(ee, got))
	}
	names := []byte{0, 4, 0, 2, 0x30, 0}
	request := &CertificateRequest{Context: []byte{7}, Schemes: []suite.SignatureScheme{suite.Ed25519}, Names: [][]byte{{0x30, 0}},
		Extensions: []Extension{{ExtSignatureAlgorithms, list16([]suite.SignatureScheme{suite.Ed25519})}, {ExtCertAuthorities, names}}}
	if raw, err = request.Marshal(suite.TLS13); err != nil {
		t.Fatal(err)
	}
	if got, err := ParseCertificateRequest(raw[4:], suite.TLS13); err != nil || cmp.Diff(request, got) != "" {
		t.Errorf("CertificateRequest: %v %s", err, cmp.Diff(request, got))
	}
}

// TestSSLv2Answers writes and reads back what a server of SSLv2 answers.
func TestSSLv2Answers(t *testing.T) {
	h := &SSLv2ServerHello{SessionHit: true, CertificateType: 1, Version: suite.SSLv2, Certificate: []byte{0x30, 0}, Suites: []suite.Code{0x010080, 0x0700C0}, ConnectionID: make([]byte, 16)}
	raw, err := h.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseSSLv2ServerHello(raw); err != nil || cmp.Diff(h, got) != "" {
		t.Errorf("%v %s", err, cmp.Diff(h, got))
	}
	for n := range raw {
		if _, err := ParseSSLv2ServerHello(raw[:n]); !errors.Is(err, ErrIncomplete) {
			t.Fatalf("%d of %d bytes: %v", n, len(raw), err)
		}
	}
	padded := append([]byte{byte(len(raw) >> 8), byte(len(raw)), 2}, append(raw[2:], 0, 0)...) // a header of three bytes
	if got, err := ParseSSLv2ServerHello(padded); err != nil || cmp.Diff(h, got) != "" {
		t.Errorf("padded: %v %s", err, cmp.Diff(h, got))
	}
	var code SSLv2Error
	if _, err := ParseSSLv2ServerHello(MarshalSSLv2Error(SSLv2NoCipher)); !errors.As(err, &code) || code != SSLv2NoCipher {
		t.Errorf("%v", err)
	}
	if k := Sniff(raw); k != KindSSLv2 {
		t.Errorf("a SERVER-HELLO is taken for %s", k)
	}
	if k := Sniff(MarshalSSLv2Error(SSLv2NoCipher)); k != KindSSLv2 {
		t.Errorf("an ERROR is taken for %s", k)
	}
}

// TestSniff tells what answers where no TLS does.
func TestSniff(t *testing.T) {
	for in, want := range map[string]Kind{
		"":                                                            KindUnknown,
		"\x16\x03\x03\x00\x7a\x02":                                    KindTLS,
		"\x15\x03\x01\x00\x02\x02\x28":                                KindTLS,
		"HTTP/1.1 400 Bad Request\r\n":                                KindHTTP,
		"<html>\r\n<head>":                                            KindHTTP,
		"GET / HTTP/1.1\r\n":                                          KindHTTP,
		"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n":                          KindSSH,
		"220 mx.example.com ESMTP Postfix\r\n":                        KindSMTP,
		"220 (vsFTPd 3.0.3)\r\n":                                      KindFTP,
		"220-FileZilla Server 1.7\r\n":                                KindFTP,
		"220 ProFTPD Server ready.\r\n":                               KindFTP,
		"* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n":              KindIMAP,
		"+OK Dovecot ready.\r\n":                                      KindPOP3,
		"200 news.example.com InterNetNews\r\n":                       KindNNTP,
		"<?xml version='1.0'?><stream:stream":                         KindXMPP,
		"\x4a\x00\x00\x00\x0a8.0.36\x00":                              KindMySQL,
		"\x45\x00\x00\x00\xff\x6a\x04Host '192.0.2.1' is not allowed": KindMySQL,
		"E\x00\x00\x00\x8fSFATAL\x00":                                 KindPostgres,
		"N":                                                           KindPostgres,
		"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x02\x04\x00\x04\x00":    KindLDAP,
		"\x03\x00\x00\x13\x0e\xd0\x00\x00":                            KindRDP,
		"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03":                KindHTTP2,
		"\x84\x0b\x04\x00\x01\x00\x02":                                KindSSLv2,
		"AMQP\x00\x00\x09\x01":                                        KindUnknown,
		"\x00\x01\x02\x03\x04":                                        KindUnknown,
	} {
		if got := Sniff([]byte(in)); got != want {
			t.Errorf("%.30q is taken for %s, not %s", in, got, want)
		}
	}
}
