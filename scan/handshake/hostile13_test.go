package handshake

import (
	"crypto/ecdh"
	"crypto/rand"
	"io"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// encrypting is a server of TLS 1.3 that agrees on keys and then says under them whatever say sends, by the keys of the
// handshake or, after its Finished, by those of the application.
func encrypting(t *testing.T, say func(send func(kind uint8, content []byte) error, finish func())) string {
	return testbed.Listen(t, time.Minute, func(c net.Conn) {
		raw := make([]byte, 1<<14)
		n, err := c.Read(raw)
		if err != nil {
			return
		}
		h, err := hello.ParseClientHello(raw[:n])
		if err != nil {
			t.Error(err)
			return
		}
		share, _ := h.Extension(hello.ExtKeyShare)
		own, err := ecdh.X25519().GenerateKey(rand.Reader)
		if err != nil || len(share) != 2+2+2+32 {
			t.Errorf("%v, a share of %d bytes", err, len(share))
			return
		}
		theirs, err := ecdh.X25519().NewPublicKey(share[6:])
		if err != nil {
			t.Error(err)
			return
		}
		secret, err := own.ECDH(theirs)
		if err != nil {
			t.Error(err)
			return
		}
		answer, err := (&hello.ServerHello{LegacyVersion: suite.TLS12, Random: make([]byte, 32), SessionID: h.SessionID, Suite: 0x1301, Extensions: []hello.Extension{
			{Type: hello.ExtSupportedVersions, Data: []byte{3, 4}}, {Type: hello.ExtKeyShare, Data: append([]byte{0, 29, 0, 32}, own.PublicKey().Bytes()...)}}}).Marshal()
		if err != nil {
			t.Error(err)
			return
		}
		transcript := slices.Concat(raw[5:n], answer)
		k := &schedule{suite: 0x1301, hash: hashOf(0x1301)}
		k.extract(nil)
		k.extract(secret)
		if k.out, err = k.key(k.derive("s hs traffic", transcript)); err != nil {
			t.Error(err)
			return
		}
		c.Write(hello.AppendRecords(nil, hello.RecordHandshake, suite.TLS12, answer))
		send := func(kind uint8, content []byte) error {
			if kind == hello.RecordHandshake {
				transcript = append(transcript, content...)
			}
			_, err := c.Write(k.seal(kind, content))
			return err
		}
		say(send, func() {
			send(hello.RecordHandshake, hello.Message{Type: typeFinished, Body: make([]byte, 32)}.Marshal())
			k.extract(nil)
			k.out, err = k.key(k.derive("s ap traffic", transcript))
		})
		io.Copy(io.Discard, c)
	})
}

// TestHostileEncrypted: what TLS 1.3 encrypts is bounded as what is in the clear is. A compressed certificate (RFC 8879),
// which no hello here allows, is not unpacked whatever size it claims.
func TestHostileEncrypted(t *testing.T) {
	compressed := func(algorithm byte) []byte {
		body := append([]byte{0, algorithm, 0xFF, 0xFF, 0xFF, 0, 0, 64}, make([]byte, 64)...) // says that it unpacks to 16 MB
		return hello.Message{Type: 25, Body: body}.Marshal()
	}
	extensions := hello.Message{Type: hello.TypeEncryptedExt, Body: []byte{0, 0}}.Marshal()
	ticket := hello.Message{Type: hello.TypeNewSessionTicket, Body: append([]byte{0, 0, 14, 16, 0, 0, 0, 2, 1, 0, 4, 0}, make([]byte, 1024+2)...)}.Marshal()
	warning := []byte{1, byte(suite.AlertUserCanceled)}
	forever := func(send func(uint8, []byte) error, kind uint8, content []byte) {
		for send(kind, content) == nil {
		}
	}
	type sender = func(uint8, []byte) error
	for name, x := range map[string]struct {
		say      func(send sender, finish func())
		end      probe.Answer
		finished bool
	}{
		"zlib":   {func(send sender, _ func()) { send(22, append(slices.Clone(extensions), compressed(1)...)) }, probe.Malformed, false},
		"brotli": {func(send sender, _ func()) { send(22, append(slices.Clone(extensions), compressed(2)...)) }, probe.Malformed, false},
		"zstd":   {func(send sender, _ func()) { send(22, append(slices.Clone(extensions), compressed(3)...)) }, probe.Malformed, false},
		"compressed without end": {func(send sender, _ func()) {
			send(22, []byte{25, 0xFF, 0xFF, 0xFF})
			forever(send, 22, make([]byte, 1<<14))
		}, probe.Malformed, false},
		"extensions":              {func(send sender, _ func()) { forever(send, 22, extensions) }, probe.Malformed, false},
		"warnings":                {func(send sender, _ func()) { forever(send, 21, warning) }, probe.Alerted, false},
		"data":                    {func(send sender, _ func()) { forever(send, 23, make([]byte, 100)) }, probe.Malformed, false},
		"padding":                 {func(send sender, _ func()) { forever(send, 0, nil) }, probe.Malformed, false},
		"silence":                 {func(send sender, _ func()) { send(22, extensions) }, probe.Silent, false},
		"tickets":                 {func(send sender, finish func()) { finish(); forever(send, 22, ticket) }, probe.Malformed, true},
		"data after it":           {func(send sender, finish func()) { finish(); forever(send, 23, make([]byte, 1000)) }, probe.Malformed, true},
		"key updates after it":    {func(send sender, finish func()) { finish(); forever(send, 22, []byte{24, 0, 0, 1, 1}) }, probe.Malformed, true},
		"silence after it":        {func(_ sender, finish func()) { finish() }, "", true},
		"one drop of data for it": {func(send sender, finish func()) { finish(); send(23, []byte{0}) }, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			addr := encrypting(t, x.say)
			p := &probe.Prober{Timeout: 2 * time.Second}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			r := Do(t.Context(), p, probe.Target{Address: addr}, &Question{Offer: offer(suite.TLS13, 0x1301), Finish: true})
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if r.Answer != probe.ServerHello || r.End != x.end || r.Finished != x.finished {
				t.Errorf("%s, end %q, finished %t: %v", r.Answer, r.End, r.Finished, r.Err)
			}
			if took > 5*time.Second || r.Received > probe.MaxAnswer+4096 || len(r.Tickets) > 200 {
				t.Errorf("%v, %d bytes, %d tickets", took, r.Received, len(r.Tickets))
			}
			most := uint64(8 << 20)
			if r.Received > 1<<16 { // what floods takes memory too
				most *= 8
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > most {
				t.Errorf("%d MiB allocated", n>>20)
			}
		})
	}
}
