package hello

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"github.com/parley-tls/parley/suite"
)

// TestBuiltHelloIsAccepted sends built hellos to Go's server, which checks every extension and share.
func TestBuiltHelloIsAccepted(t *testing.T) {
	for _, g := range []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1, suite.X25519MLKEM768, suite.SecP256r1MLKEM768, suite.SecP384r1MLKEM1024} {
		o := &Offer{Versions: []suite.Version{suite.TLS13, suite.TLS12}, Suites: []suite.Code{0x1301, 0xC02F}, ServerName: "lb.example.com",
			HasGroups: true, Groups: []suite.Group{g}, KeyShares: []suite.Group{g}, HasSchemes: true,
			Schemes: []suite.SignatureScheme{suite.RSAPSSRSAESHA256, suite.ECDSASecp256r1SHA256}, SecureReneg: true, ALPN: []string{"h2"}}
		h, err := Build(o, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := h.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		sh := askGo(t, raw)
		if sh.Version != suite.TLS13 || sh.Suite != 0x1301 || sh.Group != g || sh.Retry {
			t.Errorf("%s: Go answers %+v", g, sh)
		}
		back := h.Offer()
		if back.ServerName != o.ServerName || len(back.KeyShares) != 1 || back.KeyShares[0] != g || !back.SecureReneg || back.ALPN[0] != "h2" {
			t.Errorf("%s: read back %+v", g, back)
		}
	}
}

// askGo sends raw to a server of Go's crypto/tls and returns its ServerHello.
func askGo(t *testing.T, raw []byte) *ServerHello {
	t.Helper()
	cert := testCertificate(t)
	client, server := net.Pipe()
	defer client.Close()
	go func() {
		tls.Server(server, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"},
			CurvePreferences: []tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024, tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}}).Handshake()
		server.Close()
	}()
	go client.Write(raw)
	client.SetDeadline(time.Now().Add(5 * time.Second))
	var f Flight
	buf := make([]byte, 4096)
	for {
		n, err := client.Read(buf)
		if ferr := f.Add(buf[:n]); ferr != nil {
			t.Fatal(ferr)
		}
		for _, m := range f.Take() {
			if m.Type == TypeServerHello {
				sh, err := ParseServerHello(m.Body)
				if err != nil {
					t.Fatal(err)
				}
				return sh
			}
		}
		if f.Alert != nil {
			t.Fatalf("alert %s", f.Alert.Description)
		}
		if err == io.EOF || err != nil {
			t.Fatalf("no ServerHello: %v", err)
		}
	}
}

func TestSSLv2Format(t *testing.T) {
	h := &ClientHello{SSLv2Format: true, Version: suite.TLS10, Random: bytes.Repeat([]byte{7}, 16), Suites: []suite.Code{0x2F, 0x0A, 0x010080}}
	raw, err := h.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got := roundTrip(t, raw)
	if o := got.Offer(); !o.SSLv2Format || o.Versions[0] != suite.TLS10 || len(o.Suites) != 3 {
		t.Errorf("offer: %+v", o)
	}
}

func TestFragmentedRecordsKeepTheirShape(t *testing.T) {
	h := &ClientHello{RecordVersion: suite.TLS10, Version: suite.TLS12, Random: make([]byte, 32), Suites: []suite.Code{0xC02F}, Compression: []byte{0}}
	msg, err := h.MarshalHandshake()
	if err != nil {
		t.Fatal(err)
	}
	raw := AppendRecords(nil, RecordHandshake, suite.TLS10, msg[:3])
	raw = AppendRecords(raw, RecordHandshake, suite.TLS10, msg[3:])
	roundTrip(t, raw)
}
