package classic

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// offer is a hello of one version with these suites.
func offer(t testing.TB, v suite.Version, suites ...suite.Code) *hello.ClientHello {
	t.Helper()
	o := hello.Offer{Versions: []suite.Version{v}, Suites: suites, SecureReneg: true, ServerName: testbed.HostName,
		HasGroups: true, Groups: []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1}, PointFormats: []byte{0}}
	if v == suite.TLS12 {
		o.HasSchemes, o.Schemes = true, []suite.SignatureScheme{suite.RSAPKCS1SHA256, suite.RSAPKCS1SHA1, suite.ECDSASecp256r1SHA256, suite.RSAPSSRSAESHA256}
	}
	h, err := hello.Build(&o, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// with opens a connection for do, and closes it again: s_server serves one after the other.
func with(t testing.TB, addr string, h *hello.ClientHello, do func(*Session)) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s, err := Open(conn, h, time.Now().Add(10*time.Second))
	if err != nil {
		t.Errorf("%s in %s: %v", h.Suites[0].OpenSSL(), h.Version, err)
		return
	}
	do(s)
}

// sServer starts openssl s_server with all suites.
func sServer(t testing.TB, options ...string) *testbed.Server {
	t.Helper()
	id, ec := testbed.Make(t, testbed.RSA2048), testbed.Make(t, testbed.P256)
	port := testbed.FreePort(t)
	args := append([]string{"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port), "-cert", id.Cert, "-key", id.Key, "-dcert", ec.Cert, "-dkey", ec.Key,
		"-cipher", "ALL:@SECLEVEL=0", "-dhparam", testbed.DHParameters(t, "ffdhe2048"), "-rev"}, options...)
	return testbed.Run(t, port, testbed.Need(t, "openssl"), args...)
}

// TestComplete completes a handshake with every suite that Speaks claims and OpenSSL accepts, in every version, with
// and without the extended master secret, and exchanges data.
func TestComplete(t *testing.T) {
	s := sServer(t)
	tried := 0
	for _, x := range suite.All() {
		for v := suite.TLS10; v <= suite.TLS12; v++ {
			if !Speaks(x.Code, v) || x.Encryption == "3DES" || x.Authentication == suite.AuthAnon || x.Authentication == suite.AuthDSS {
				continue // Debian's build has no 3DES, and there is no DSA certificate
			}
			h := offer(t, v, x.Code)
			if tried%2 == 1 {
				h.SetExtension(hello.ExtExtendedMasterSecret, nil)
			}
			tried++
			with(t, s.Addr, h, func(c *Session) {
				if err := c.Complete(); err != nil {
					t.Errorf("%s in %s: %v", x.OpenSSL, v, err)
					return
				}
				c.Send(hello.RecordApplicationData, []byte("abc\n"))
				e := c.Next(5 * time.Second)
				for e.Kind == Data && len(e.Body) == 0 { // OpenSSL's answer to BEAST
					e = c.Next(5 * time.Second)
				}
				if e.Kind != Data || !bytes.HasPrefix([]byte("cba\n"), e.Body) {
					t.Errorf("%s in %s: %v %q", x.OpenSSL, v, e, e.Body)
				}
			})
		}
	}
	if tried < 20 {
		t.Errorf("%d suites were tried", tried)
	}
}

// TestOtherServers completes handshakes with servers of other kinds; old Node.js and Java have 3DES.
func TestOtherServers(t *testing.T) {
	id := testbed.Make(t, testbed.RSA2048)
	for _, k := range []struct {
		config testbed.Config
		suite  string
	}{
		{testbed.Config{Kind: testbed.GnuTLS}, "ECDHE-RSA-AES128-GCM-SHA256"},
		{testbed.Config{Kind: testbed.Go}, "AES256-SHA"},
		{testbed.Config{Kind: testbed.Java}, "ECDHE-RSA-AES256-SHA384"},
		{testbed.Config{Kind: testbed.Node, Node: "0.10"}, "DES-CBC3-SHA"},
		{testbed.Config{Kind: testbed.Node, Node: "24"}, "AES128-SHA256"},
	} {
		t.Run(k.config.Name(), func(t *testing.T) {
			if name, ok := k.config.Installed(t); !ok {
				testbed.Missing(t, name)
			}
			k.config.Policy.Versions = []suite.Version{suite.TLS12}
			k.config.Policy.Suites = []suite.Code{suite.ByName(k.suite).Code}
			s := testbed.Start(t, k.config.With(id))
			with(t, s.Addr, offer(t, suite.TLS12, k.config.Policy.Suites...), func(c *Session) {
				if err := c.Complete(); err != nil {
					t.Fatal(err)
				}
				c.Send(hello.RecordApplicationData, []byte("GET / HTTP/1.0\r\n\r\n"))
				if e := c.Next(5 * time.Second); e.Kind != Data {
					t.Errorf("got %v", e)
				}
			})
		})
	}
}

// TestSpoilt: OpenSSL refuses records with a wrong padding and with a wrong MAC, in the Finished and after it.
func TestSpoilt(t *testing.T) {
	s := sServer(t)
	c := suite.ByName("AES128-SHA").Code
	for v := suite.TLS10; v <= suite.TLS12; v++ {
		flip := func(p []byte) { p[0] ^= 1 }
		with(t, s.Addr, offer(t, v, c), func(x *Session) {
			if err := x.CompleteSpoilt(flip); err == nil || err.Error() != "the handshake ended with alert bad_record_mac" {
				t.Errorf("%s: Finished with a wrong padding: %v", v, err)
			}
		})
		for _, k := range []struct {
			name string
			send func(*Session)
			want string
		}{
			{"nothing", func(x *Session) { x.SendSpoilt(hello.RecordApplicationData, []byte("abc\n"), func([]byte) {}) }, "application data"},
			{"padding", func(x *Session) { x.SendSpoilt(hello.RecordApplicationData, nil, flip) }, "alert bad_record_mac"},
			{"MAC", func(x *Session) { x.SendForged(hello.RecordApplicationData, nil) }, "alert bad_record_mac"},
		} {
			with(t, s.Addr, offer(t, v, c), func(x *Session) {
				if err := x.Complete(); err != nil {
					t.Fatal(err)
				}
				k.send(x)
				if e := x.Next(5 * time.Second); e.String() != k.want {
					t.Errorf("%s: wrong %s: %v", v, k.name, e)
				}
			})
		}
	}
}

// TestTicket: a ticket that is issued is kept.
func TestTicket(t *testing.T) {
	s := sServer(t)
	h := offer(t, suite.TLS12, suite.ByName("AES128-GCM-SHA256").Code)
	h.SetExtension(hello.ExtSessionTicket, nil)
	with(t, s.Addr, h, func(c *Session) {
		if err := c.Complete(); err != nil || len(c.Ticket) == 0 || len(c.ServerVerify) != 12 {
			t.Errorf("%v, ticket of %d bytes", err, len(c.Ticket))
		}
	})
}

// scripted is a connection on which the server says these bytes, whatever it hears, and closes.
type scripted struct {
	net.Conn
	says *bytes.Reader
}

func (c scripted) Read(b []byte) (int, error)  { return c.says.Read(b) }
func (c scripted) Write(b []byte) (int, error) { return len(b), nil }
func (c scripted) SetDeadline(time.Time) error { return nil }

// FuzzServer: whatever a server sends, there is an end and no panic.
func FuzzServer(f *testing.F) {
	chain := testbed.Make(f, testbed.RSA2048).TLS.Certificate
	exchanges := map[suite.Code]*hello.ServerKeyExchange{0x002F: nil,
		0xC013: {Group: suite.Secp256r1, Public: make([]byte, 65), Scheme: suite.RSAPKCS1SHA256, Signature: []byte{1}},
		0x0033: {Prime: []byte{23}, Generator: []byte{5}, Public: []byte{8}, Scheme: suite.RSAPKCS1SHA256, Signature: []byte{1}}}
	for c, k := range exchanges {
		flight, err := (&hello.ServerHello{LegacyVersion: suite.TLS12, Random: make([]byte, 32), Suite: c}).Marshal()
		if err != nil {
			f.Fatal(err)
		}
		cert, err := hello.MarshalCertificate(chain)
		if err != nil {
			f.Fatal(err)
		}
		flight = append(flight, cert...)
		if k != nil {
			exchange, err := k.Marshal(suite.TLS12, c)
			if err != nil {
				f.Fatal(err)
			}
			flight = append(flight, exchange...)
		}
		flight = hello.AppendRecords(nil, hello.RecordHandshake, suite.TLS12, append(flight, hello.TypeServerHelloDone, 0, 0, 0))
		flight = hello.AppendRecords(flight, hello.RecordChangeCipherSpec, suite.TLS12, []byte{1})
		f.Add(hello.AppendRecords(flight, hello.RecordHandshake, suite.TLS12, make([]byte, 64)))
	}
	f.Add(hello.MarshalAlert(suite.TLS12, false, suite.AlertUnrecognizedName))
	h := offer(f, suite.TLS12, 0x002F, 0xC013, 0x0033)
	f.Fuzz(func(t *testing.T, says []byte) {
		s, err := Open(scripted{says: bytes.NewReader(says)}, h, time.Now().Add(time.Minute))
		if err != nil {
			return
		}
		s.Complete()
		for !s.Next(time.Minute).Ends() {
		}
	})
}

// FuzzOpen: no record makes open panic, and what is sealed is opened.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("abc"), uint8(0))
	f.Add(make([]byte, 64), uint8(1))
	f.Fuzz(func(t *testing.T, body []byte, n uint8) {
		suites := []suite.Code{0x002F, 0x009C, 0x000A, 0xC028}
		c, v := suites[n%4], suite.TLS10+suite.Version(n/4%3)
		if !Speaks(c, v) {
			return
		}
		out, _, err := newProtection(v, c, []byte("master"), make([]byte, 32), make([]byte, 32))
		if err != nil {
			t.Fatal(err)
		}
		twin, _, _ := newProtection(v, c, []byte("master"), make([]byte, 32), make([]byte, 32))
		stranger, _, _ := newProtection(v, c, []byte("master"), make([]byte, 32), make([]byte, 32))
		stranger.open(23, body)
		for range 2 {
			if got, err := twin.open(23, out.seal(23, body, nil)); err != nil || !bytes.Equal(got, body) {
				t.Fatalf("%v: % x", err, got)
			}
		}
	})
}
