package diagnose

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// liar answers each hello with a well-formed flight of its own invention: versions, groups and schemes that do not
// exist or do not go together, certificates that are half a certificate, flights that break off anywhere.
type liar struct {
	mu     sync.Mutex
	random *rand.Rand
	chain  [][]byte
}

func pick[T any](r *rand.Rand, l ...T) T { return l[r.IntN(len(l))] }

func (l *liar) serve(c net.Conn) {
	raw := make([]byte, 1<<16)
	n, _ := c.Read(raw)
	h, err := hello.ParseClientHello(raw[:n])
	if err != nil || len(h.Suites) == 0 {
		return
	}
	l.mu.Lock()
	flight := l.flight(h)
	l.mu.Unlock()
	c.Write(flight)
}

func (l *liar) flight(h *hello.ClientHello) []byte {
	r := l.random
	switch r.IntN(8) {
	case 0:
		return hello.MarshalAlert(suite.TLS12, r.IntN(2) == 0, suite.Alert(r.IntN(256)))
	case 1:
		return nil
	}
	version := pick(r, 0x0300, 0x0301, 0x0302, suite.TLS12, suite.TLS12, suite.TLS13, suite.TLS13, 0x7F1C, 0xFFFF)
	sh := &hello.ServerHello{LegacyVersion: min(version, suite.TLS12), Random: make([]byte, 32), Suite: pick(r, h.Suites...), Retry: r.IntN(6) == 0}
	group := uint16(pick(r, suite.X25519, suite.Secp256r1, suite.X25519MLKEM768, 0, 0x0A0A, 0xFFFF))
	if r.IntN(8) == 0 {
		copy(sh.Random[24:], "DOWNGRD\x01")
	}
	if version >= suite.TLS13 {
		share := []byte{byte(group >> 8), byte(group)}
		if !sh.Retry {
			share = append(share, 0, 1, 9)
		}
		sh.Extensions = []hello.Extension{{Type: hello.ExtSupportedVersions, Data: []byte{byte(version >> 8), byte(version)}}, {Type: hello.ExtKeyShare, Data: share}}
	}
	out, err := sh.Marshal()
	if err != nil {
		return nil
	}
	if version < suite.TLS13 {
		out = append(out, l.rest(sh, group)...)
	}
	flight := hello.AppendRecords(nil, hello.RecordHandshake, suite.TLS12, out)
	if version >= suite.TLS13 {
		flight = hello.AppendRecords(flight, hello.RecordApplicationData, suite.TLS12, make([]byte, 40))
	}
	if r.IntN(6) == 0 {
		flight = flight[:r.IntN(len(flight))]
	}
	return flight
}

// rest is what comes after a ServerHello before TLS 1.3, or some of it.
func (l *liar) rest(sh *hello.ServerHello, group uint16) []byte {
	r := l.random
	var out []byte
	if r.IntN(4) > 0 {
		var chain [][]byte
		for _, der := range l.chain {
			der = append([]byte(nil), der...)
			for range pick(r, 0, 0, 1, 5) {
				der[r.IntN(len(der))] = byte(r.Uint32())
			}
			chain = append(chain, der[:pick(r, len(der), len(der), r.IntN(len(der)))])
		}
		m, err := hello.MarshalCertificate(chain)
		if err != nil {
			return nil
		}
		out = append(out, m...)
	}
	k := hello.ServerKeyExchange{Group: suite.Group(group), Public: []byte{1, 2}, Prime: make([]byte, 1+r.IntN(300)), Generator: []byte{2},
		Scheme: pick(r, suite.RSAPKCS1SHA256, 0, 0xFFFF), Signature: []byte{1}}
	if m, err := k.Marshal(sh.LegacyVersion, sh.Suite); err == nil && r.IntN(4) > 0 {
		out = append(out, m...)
	}
	if r.IntN(3) == 0 {
		out = append(out, hello.Message{Type: hello.TypeCertificateRequest, Body: []byte{0, 0, 0, 0, 0}}.Marshal()...)
	}
	return append(out, hello.Message{Type: hello.TypeServerHelloDone}.Marshal()...)
}

// TestLiars: whatever a server claims, there is a report, with an outcome and, where it fails, a cause in words. Each
// run of the test meets the same liars.
func TestLiars(t *testing.T) {
	clients := []*ClientSide{profile(t, "go-1.26"), profile(t, "java-7u25"), profile(t, "nodejs-20"), custom(t, func(o *hello.Offer) { o.Versions = o.Versions[:1] })}
	for seed := range uint64(40) {
		l := &liar{random: rand.New(rand.NewPCG(seed, 7)), chain: testbed.Make(t, testbed.RSAIntermediate).TLS.Certificate}
		address := listen(t, l.serve)
		d := live(t, clients[seed%4], address, testbed.HostName, func(o *Options) { o.Prober = &probe.Prober{Timeout: 500 * time.Millisecond} })
		switch {
		case d.Outcome == "" || d.Connections == 0:
			t.Errorf("seed %d: %+v", seed, d)
		case d.Outcome == Negotiated && d.Negotiated == nil:
			t.Errorf("seed %d: negotiated nothing", seed)
		case d.Outcome != Negotiated && (len(d.Causes) == 0 || d.Causes[0].Summary == "" || d.Causes[0].ID == ""):
			t.Errorf("seed %d: %s without a cause: %+v", seed, d.Outcome, d.Causes)
		}
	}
}
