package scan

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"net"
	"testing"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// fakeServer sends first flights of TLS 1.2 that no server on this machine can be made to send: TLS compression, which
// no library here is built with, values that are used again, and the clock in the random, which the last libraries gave
// up. It completes no handshake.
type fakeServer struct {
	compress bool
	reuse    bool          // one public value for all
	clock    bool          // the time in the random
	skew     time.Duration // of that clock
	prime    string        // hexadecimal; "": ECDHE
	status   []byte        // stapled OCSP response
}

func (d fakeServer) start(t *testing.T) *testbed.Server {
	t.Helper()
	id := testbed.Make(t, testbed.RSA2048)
	fixed := make([]byte, 32)
	rand.Read(fixed)
	return listener(t, func(c net.Conn) {
		buf := make([]byte, 16<<10)
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		h, err := hello.ParseClientHello(buf[:n])
		if err != nil {
			return
		}
		o := h.Offer()
		flight, err := d.flight(&o, h, id.TLS.Certificate, fixed)
		if flight == nil || err != nil {
			c.Write(hello.MarshalAlert(suite.TLS12, true, suite.AlertHandshakeFailure))
			return
		}
		c.Write(hello.AppendRecords(nil, hello.RecordHandshake, suite.TLS12, flight))
		c.Read(buf)
	})
}

// flight is the answer to a hello of TLS 1.2 that offers the one suite; nil for another.
func (d fakeServer) flight(o *hello.Offer, h *hello.ClientHello, chain [][]byte, fixed []byte) ([]byte, error) {
	code := suite.Code(0xC02F)
	if d.prime != "" {
		code = 0x009E
	}
	offered := false
	for _, c := range o.Suites {
		offered = offered || c == code
	}
	if h.Version != suite.TLS12 || o.Versions[0] != suite.TLS12 || !offered {
		return nil, nil
	}
	public := fixed
	if !d.reuse {
		public = make([]byte, 32)
		rand.Read(public)
	}
	s := &hello.ServerHello{LegacyVersion: suite.TLS12, Random: make([]byte, 32), Suite: code}
	rand.Read(s.Random)
	if d.clock {
		binary.BigEndian.PutUint32(s.Random, uint32(time.Now().Add(d.skew).Unix()))
	}
	for _, m := range h.Compression {
		if d.compress && m == 1 {
			s.Compression = 1
		}
	}
	k := &hello.ServerKeyExchange{Group: suite.X25519, Public: public, Scheme: suite.RSAPKCS1SHA256, Signature: make([]byte, 256)}
	if d.prime != "" {
		k.Prime, _ = hex.DecodeString(d.prime)
		k.Generator = []byte{2}
	}
	messages := []func() ([]byte, error){
		s.Marshal,
		func() ([]byte, error) { return hello.MarshalCertificate(chain) },
		func() ([]byte, error) {
			if d.status == nil || !h.HasExtension(hello.ExtStatusRequest) {
				return nil, nil
			}
			return hello.MarshalCertificateStatus(d.status)
		},
		func() ([]byte, error) { return k.Marshal(suite.TLS12, code) },
	}
	var flight []byte
	for _, marshal := range messages {
		m, err := marshal()
		if err != nil {
			return nil, err
		}
		flight = append(flight, m...)
	}
	return append(flight, hello.TypeServerHelloDone, 0, 0, 0), nil
}

// TestFakes: what no real server here does is told, and told apart from its absence.
func TestFakes(t *testing.T) {
	plain := learnt(t, fakeServer{}.start(t))
	expect(t, "compression", plain.Compression.Feature, No)
	expect(t, "reuse", plain.KeyShareReuse.ECDHE.Feature, No)
	expect(t, "clock", plain.Clock.Feature, No)

	f := learnt(t, fakeServer{compress: true, reuse: true, clock: true, skew: -90 * time.Second}.start(t))
	if expect(t, "compression", f.Compression.Feature, Yes); f.Compression.Method != "deflate" {
		t.Errorf("%+v", f.Compression)
	}
	if expect(t, "reuse", f.KeyShareReuse.ECDHE.Feature, Yes); f.KeyShareReuse.ECDHE.Distinct != 1 || f.KeyShareReuse.ECDHE.Compared < 10 {
		t.Errorf("%+v", f.KeyShareReuse)
	}
	if expect(t, "clock", f.Clock.Feature, Yes); f.Clock.SkewSeconds > -88 || f.Clock.SkewSeconds < -92 {
		t.Errorf("%+v", f.Clock)
	}

	dh := learnt(t, fakeServer{prime: hex.EncodeToString(knownPrimes()[1].prime), reuse: true}.start(t))
	expect(t, "reuse", dh.KeyShareReuse.DHE.Feature, Yes)
	if len(dh.DiffieHellman) != 1 || dh.DiffieHellman[0].Known != "RFC 2409 group 2" {
		t.Errorf("%+v", dh.DiffieHellman)
	}
}
