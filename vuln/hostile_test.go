package vuln

import (
	"io"
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

// TestLiars: endpoints whose answers are well formed and of their own invention come to an end in time and in a bounded
// number of connections, with a finding for each check.
func TestLiars(t *testing.T) {
	chain := testbed.Make(t, testbed.RSA2048).TLS.Certificate
	flight := func(v suite.Version, c suite.Code, retry bool, rest ...hello.Message) []byte {
		s := &hello.ServerHello{LegacyVersion: min(v, suite.TLS12), Random: make([]byte, 32), Suite: c, Retry: retry}
		if retry {
			s.Extensions = []hello.Extension{{Type: hello.ExtSupportedVersions, Data: []byte{3, 4}}, {Type: hello.ExtKeyShare, Data: []byte{0, 23}}}
		}
		out, err := s.Marshal()
		if err != nil {
			t.Error(err)
		}
		for _, m := range rest {
			out = append(out, m.Marshal()...)
		}
		return hello.AppendRecords(nil, hello.RecordHandshake, suite.TLS12, out)
	}
	certificate, err := hello.MarshalCertificate(chain)
	if err != nil {
		t.Fatal(err)
	}
	cert, done := hello.Message{Type: hello.TypeCertificate, Body: certificate[4:]}, hello.Message{Type: hello.TypeServerHelloDone}
	request := hello.Message{Type: hello.TypeCertificateRequest, Body: []byte{1, 1, 0, 2, 4, 1, 0, 0}}
	refusal := hello.MarshalAlert(suite.TLS12, true, suite.AlertHandshakeFailure)
	for name, answer := range map[string]func(r *rand.Rand, h *hello.ClientHello) []byte{
		"a suite that was not offered": func(_ *rand.Rand, h *hello.ClientHello) []byte { return flight(h.Version, 0xCAFE, false, cert, done) },
		"a version that was not":       func(_ *rand.Rand, h *hello.ClientHello) []byte { return flight(0x0305, h.Suites[0], false, cert, done) },
		"a HelloRetryRequest for ever": func(_ *rand.Rand, h *hello.ClientHello) []byte { return flight(suite.TLS12, h.Suites[0], true) },
		"a choice, and a refusal": func(_ *rand.Rand, h *hello.ClientHello) []byte {
			return append(flight(h.Version, h.Suites[0], false, cert), refusal...)
		},
		"any suite, and silence": func(r *rand.Rand, h *hello.ClientHello) []byte {
			return flight(h.Version, h.Suites[r.IntN(len(h.Suites))], false, cert, done)
		},
		"no certificate": func(_ *rand.Rand, h *hello.ClientHello) []byte { return flight(h.Version, h.Suites[0], false, done) },
		"a request, and silence": func(_ *rand.Rand, h *hello.ClientHello) []byte {
			return flight(h.Version, h.Suites[0], false, cert, request, done)
		},
		"requests without end": func(_ *rand.Rand, h *hello.ClientHello) []byte {
			return flight(h.Version, h.Suites[0], false, requests(request, 9000)...)
		},
		"now refusal, now agreement": func(r *rand.Rand, h *hello.ClientHello) []byte {
			if r.IntN(2) == 0 {
				return refusal
			}
			return flight(h.Version, h.Suites[0], false, cert, done)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			random := rand.New(rand.NewPCG(5, 6))
			addr := answering(t, func(c net.Conn) {
				raw := make([]byte, 1<<16)
				n, _ := c.Read(raw)
				h, err := hello.ParseClientHello(raw[:n])
				if err != nil || len(h.Suites) == 0 {
					return
				}
				mu.Lock()
				b := answer(random, h)
				mu.Unlock()
				c.Write(b)
				io.Copy(io.Discard, c)
			})
			p := &probe.Prober{Timeout: 500 * time.Millisecond}
			r := scanned(suite.TLS12, 0x002F, 0x0033, 0xC02F, 0xC013)
			r.Versions = append(r.Versions, scanned(suite.TLS10, 0x002F, 0x000A).Versions...)
			start := time.Now()
			findings := Check(t.Context(), p, probe.Target{Address: addr}, r, Options{ServerName: testbed.HostName, ClientCertificate: &testbed.Make(t, testbed.P256).TLS})
			if took := time.Since(start); took > patience*p.Timeout+3*time.Second {
				t.Errorf("took %v", took)
			}
			t.Logf("%d connections", p.Connections())
			if n := p.Connections(); n > 250 {
				t.Errorf("%d connections", n)
			}
			if len(findings) != len(checks) {
				t.Errorf("%d findings of %d checks", len(findings), len(checks))
			}
			for _, f := range findings {
				if f.Verdict == "" || f.Summary == "" {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

// requests repeats a message.
func requests(m hello.Message, n int) []hello.Message {
	l := make([]hello.Message, n)
	for i := range l {
		l[i] = m
	}
	return l
}
