package hello

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/suite"
)

// record listens once on loopback and returns the bytes that run's client sends first.
func record(t *testing.T, run func(addr string)) []byte {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan []byte, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			got <- nil
			return
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(5 * time.Second))
		buf := make([]byte, 1<<14)
		var all []byte
		for {
			n, err := c.Read(buf)
			all = append(all, buf[:n]...)
			if _, perr := ParseClientHello(all); perr == nil || err != nil {
				break
			}
		}
		got <- all
	}()
	go run(l.Addr().String())
	return <-got
}

// need skips a test whose peer is missing; in CI that is a failure.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing: run make peers", program)
		}
		t.Skipf("%s is missing: run make peers", program)
	}
}

// TestRealHellosRoundTrip parses hellos of real clients and demands the same bytes back.
func TestRealHellosRoundTrip(t *testing.T) {
	clients := map[string][]string{
		"openssl default":   {"openssl", "s_client", "-connect", "ADDR", "-servername", "lb.example.com"},
		"openssl tls1":      {"openssl", "s_client", "-connect", "ADDR", "-tls1", "-cipher", "ALL:@SECLEVEL=0"},
		"openssl alpn":      {"openssl", "s_client", "-connect", "ADDR", "-alpn", "h2,http/1.1", "-groups", "P-521:X25519"},
		"openssl fallback":  {"openssl", "s_client", "-connect", "ADDR", "-fallback_scsv", "-tls1_2"},
		"gnutls default":    {"gnutls-cli", "--insecure", "-p", "PORT", "127.0.0.1"},
		"curl":              {"curl", "-sk", "--max-time", "3", "https://ADDR/"},
		"gnutls no ext (1)": {"gnutls-cli", "--insecure", "--priority", "NORMAL:%NO_EXTENSIONS:-VERS-ALL:+VERS-TLS1.2:-ECDHE-RSA:-ECDHE-ECDSA", "-p", "PORT", "127.0.0.1"},
	}
	for name, argv := range clients {
		t.Run(name, func(t *testing.T) {
			need(t, argv[0])
			raw := record(t, func(addr string) {
				_, port, _ := net.SplitHostPort(addr)
				args := make([]string, len(argv))
				for i, a := range argv {
					args[i] = strings.NewReplacer("ADDR", addr, "PORT", port).Replace(a)
				}
				exec.Command(args[0], args[1:]...).Run()
			})
			roundTrip(t, raw)
		})
	}
	t.Run("go", func(t *testing.T) {
		raw := record(t, func(addr string) { tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) })
		h := roundTrip(t, raw)
		o := h.Offer()
		if o.Versions[0] != suite.TLS13 || len(o.KeyShares) == 0 || o.WireSize != len(raw) {
			t.Errorf("offer of Go's client: %+v", o)
		}
	})
}

func roundTrip(t *testing.T, raw []byte) *ClientHello {
	t.Helper()
	h, err := ParseClientHello(raw)
	if err != nil {
		t.Fatalf("%v\n% x", err, raw)
	}
	out, err := h.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out, raw) {
		t.Fatalf("not the same bytes\n got % x\nwant % x", out, raw)
	}
	return h
}

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
