package follow

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

var begun = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// turns are what crypto/tls says to itself in a handshake, with a request for a client certificate or not.
func turns(t testing.TB, server *tls.Config, client *tls.Config) []testbed.Turn {
	t.Helper()
	id := testbed.Make(t, testbed.P256)
	server.Certificates = []tls.Certificate{id.TLS}
	addr := testbed.Listen(t, 5*time.Second, func(c net.Conn) {
		s := tls.Server(c, server)
		io.Copy(s, s)
	})
	relay := testbed.NewRelay(t, addr)
	c, err := net.Dial("tcp", relay.Addr)
	if err != nil {
		t.Fatal(err)
	}
	client.InsecureSkipVerify = true
	s := tls.Client(c, client)
	if _, err := s.Write([]byte("hello")); err == nil {
		io.ReadFull(s, make([]byte, 5))
	}
	s.Close()
	return relay.Stop()[0].Turns()
}

// fed is what a follower makes of turns, cut into pieces of size bytes.
func fed(l []testbed.Turn, size int) *Follower {
	f := &Follower{}
	at := begun
	for _, t := range l {
		s := B
		if t.FromClient {
			s = A
		}
		at = at.Add(time.Millisecond)
		switch {
		case t.Close:
			f.Close(s, at)
		case t.Reset:
			f.Reset(s, at)
		}
		for piece := range slices.Chunk(t.Data, size) {
			f.Data(s, piece, at)
		}
	}
	f.End()
	return f
}

func TestHandshakes(t *testing.T) {
	for _, c := range []struct {
		name           string
		server, client *tls.Config
		result         evidence.Result
		version        suite.Version
		sealed         Sealed
		retry          bool
	}{
		{"TLS 1.2", &tls.Config{MaxVersion: tls.VersionTLS12}, &tls.Config{}, evidence.Established, suite.TLS12, "", false},
		{"TLS 1.3", &tls.Config{}, &tls.Config{}, evidence.Established, suite.TLS13, NoneAsked, false},
		{"a retry", &tls.Config{CurvePreferences: []tls.CurveID{tls.CurveP384}}, &tls.Config{}, evidence.Established, suite.TLS13, NoneAsked, true},
		{"a certificate is asked for", &tls.Config{ClientAuth: tls.RequestClientCert}, &tls.Config{}, evidence.Established, suite.TLS13, NoneSent, false},
		{"a certificate is demanded", &tls.Config{ClientAuth: tls.RequireAnyClientCert}, &tls.Config{}, evidence.Failed, suite.TLS13, NoneSent, false},
		{"no shared version", &tls.Config{MinVersion: tls.VersionTLS13}, &tls.Config{MaxVersion: tls.VersionTLS12}, evidence.Failed, 0, "", false},
	} {
		l := turns(t, c.server, c.client)
		for _, size := range []int{1, 7, 1000, 1 << 20} {
			n := fed(l, size).Negotiation()
			if n == nil {
				t.Errorf("%s, %d bytes at a time: nothing was seen", c.name, size)
				continue
			}
			if o := n.Outcome(); o.Result != c.result || o.Version != c.version || n.SealedCertificate != c.sealed || (n.Retry != nil) != c.retry || c.retry && n.Hellos() != 2 {
				t.Errorf("%s, %d bytes at a time: %+v, sealed %q, retry %v", c.name, size, o, n.SealedCertificate, n.Retry != nil)
			}
			if raw, err := n.Hello.Marshal(); err != nil || !bytes.HasPrefix(l[0].Data, raw) {
				t.Errorf("%s: the hello is not the client's: %v", c.name, err)
			}
		}
	}
}

// TestSSLv2 follows an answer in SSLv2, which no peer at hand gives any more.
func TestSSLv2(t *testing.T) {
	h := &hello.ClientHello{SSLv2Format: true, Version: suite.SSLv2, Suites: []suite.Code{0x010080}, Random: make([]byte, 16)}
	raw, err := h.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := (&hello.SSLv2ServerHello{CertificateType: 1, Version: suite.SSLv2, Certificate: make([]byte, 300), Suites: []suite.Code{0x010080}, ConnectionID: make([]byte, 16)}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	l := []testbed.Turn{{FromClient: true, Data: raw}, {Data: answer}, {FromClient: true, Data: []byte("\x80\x05\x02xxxx")}, {Data: []byte("\x80\x05xxxxx")}}
	if o := fed(l, 11).Negotiation().Outcome(); o.Result != evidence.Established || o.Version != suite.SSLv2 {
		t.Errorf("%+v", o)
	}
	l = []testbed.Turn{{FromClient: true, Data: raw}, {Data: hello.MarshalSSLv2Error(hello.SSLv2NoCipher)}}
	if o := fed(l, 100).Negotiation().Outcome(); o.Result != evidence.Failed || o.Failure != hello.SSLv2NoCipher.Error() {
		t.Errorf("%+v", o)
	}
}

// TestNothing follows connections on which no TLS is spoken.
func TestNothing(t *testing.T) {
	for _, l := range [][]testbed.Turn{
		{{FromClient: true, Data: []byte("GET / HTTP/1.1\r\n\r\n")}, {Data: []byte("HTTP/1.1 200 OK\r\n\r\n")}, {Close: true}},
		{{Data: []byte("SSH-2.0-x\r\n")}, {FromClient: true, Data: []byte("SSH-2.0-y\r\n")}},
		{{FromClient: true, Data: bytes.Repeat([]byte{0x16}, 100<<10)}},
		{{FromClient: true, Data: []byte{0x16, 3, 1}}, {Close: true}},
	} {
		f := fed(l, 100)
		if n := f.Negotiation(); n != nil {
			t.Errorf("%.20q: %+v", l[0].Data, n.Outcome())
		}
		if f.Size() > 200<<10 {
			t.Errorf("%d bytes are kept", f.Size())
		}
	}
}

// FuzzFollower feeds anything in any order: no panic, bounded memory, an outcome that can be told. Its seeds in testdata are
// handshakes of crypto/tls: a plan of sizes and sides, and the bytes.
func FuzzFollower(f *testing.F) {
	f.Fuzz(func(t *testing.T, plan, data []byte) {
		var fo Follower
		at := begun
		for _, p := range plan {
			side := Side(p >> 7)
			n := min(int(p&0x7F), len(data))
			at = at.Add(time.Duration(p) * 100 * time.Millisecond)
			switch p & 0x7F {
			case 0x7F:
				fo.Close(side, at)
			case 0x7E:
				fo.Reset(side, at)
			case 0x7D:
				fo.Missing(side, n)
			default:
				fo.Data(side, data[:n], at)
				data = data[n:]
			}
			if fo.Size() > 1<<20 {
				t.Fatalf("%d bytes are kept", fo.Size())
			}
		}
		fo.End()
		if n := fo.Negotiation(); n != nil {
			o := n.Outcome()
			if o.Result == evidence.Failed && o.Failure == "" || o.Result == evidence.Established && n.Hello == nil {
				t.Fatalf("%+v", o)
			}
		}
	})
}
