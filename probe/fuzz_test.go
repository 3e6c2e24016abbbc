package probe

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// FuzzPreamble holds for everything that a server can say before TLS: no more is read than the limit, nothing that
// comes after the last line of a preamble is read, and an error is one short line.
func FuzzPreamble(f *testing.F) {
	for i, said := range []string{
		"220-mail\r\n220 ready\r\n250-mail\r\n250 STARTTLS\r\n220 go\r\n\x16\x03\x03",
		"* OK ready\r\n* OK still\r\na OK go\r\n\x16\x03\x03",
		"+OK ready\r\n+OK go\r\n\x16\x03\x03",
		"220-free\r\ntext\r\n220 ready\r\n234 go\r\n\x16\x03\x03",
		"200 ready\r\n382 go\r\n\x16\x03\x03",
		"\x30\x84\x00\x00\x00\x10\x02\x01\x01\x78\x84\x00\x00\x00\x07\x0A\x01\x00\x04\x00\x04\x00\x16\x03\x03",
		"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features><proceed/>\x16\x03\x03",
		"S\x16\x03\x03",
		"\x16\x00\x00\x00\x0A8.0\x00\x01\x00\x00\x00saltsalt\x00\x00\x0A\x2D\x02\x00\x16\x03\x03",
	} {
		f.Add(uint8(i), []byte(said))
	}
	f.Fuzz(func(t *testing.T, protocol uint8, said []byte) {
		p := Protocols[int(protocol)%len(Protocols)]
		s := &script{Reader: bytes.NewReader(said)}
		err := p.Negotiate(s, "example.com")
		if s.read > maxPreamble {
			t.Fatalf("%s: read %d bytes", p, s.read)
		}
		if err != nil {
			shortLine(t, err)
			if !strings.HasPrefix(err.Error(), string(p)+": ") {
				t.Errorf("error %q", err)
			}
			return
		}
		if again := p.Negotiate(&script{Reader: bytes.NewReader(said[:s.read])}, "example.com"); again != nil {
			t.Fatalf("%s: more was read than the preamble needs: %v", p, again)
		}
		if s.read == 0 || p.Negotiate(&script{Reader: bytes.NewReader(said[:s.read-1])}, "example.com") == nil {
			t.Fatalf("%s: granted before the end of the preamble, at %d", p, s.read)
		}
	})
}

// FuzzAnswer reads whatever a server answers, at once and in pieces, and demands that it comes to the same, that
// no more is read than the limit, and that the observation makes sense.
func FuzzAnswer(f *testing.F) {
	flight := append(serverHello(), message(hello.TypeServerHelloDone)...)
	f.Add(flight, 7)
	f.Add(append(serverHello(), record(23, make([]byte, 40)...)...), 1)
	f.Add(append(alert(false, 112), alert(true, 40)...), 3)
	f.Add(append(serverHello(), message(hello.TypeCertificate, 0, 0, 5, 0, 0, 2, 0x30, 0)...), 60)
	f.Add(message(hello.TypeServerKeyExchange, 3, 0, 29, 1, 9), 2)
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), 4)
	f.Add([]byte("SSH-2.0-OpenSSH_9.2\r\n"), 100)
	f.Add(bytes.Repeat(record(22), 5000), 1000)
	f.Fuzz(func(t *testing.T, said []byte, piece int) {
		whole := observe(bytes.NewReader(said))
		sane(t, &whole)
		pieces := observe(&inPieces{said, max(1, piece)})
		sane(t, &pieces)
		// A record of application data ends the flight if nothing stands behind it yet: there it depends on the pieces.
		if bytes.Contains(said, []byte{hello.RecordApplicationData, 3}) || bytes.Contains(said, []byte{hello.RecordChangeCipherSpec, 3}) {
			return
		}
		if whole.Answer != pieces.Answer || whole.End != pieces.End || whole.Complete != pieces.Complete || whole.Alert != pieces.Alert ||
			whole.Suite != pieces.Suite || whole.Version != pieces.Version || len(whole.Chain) != len(pieces.Chain) {
			t.Fatalf("at once %+v\nin pieces of %d %+v", whole, piece, pieces)
		}
	})
}

// observe reads an answer to its end.
func observe(answer io.Reader) Observation {
	var o Observation
	r := reader{conn: &script{Reader: answer}, sent: time.Now()}
	r.run(&o)
	return o
}

// inPieces is a stream that arrives in pieces of n bytes.
type inPieces struct {
	left []byte
	n    int
}

func (p *inPieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.n)], p.left)
	p.left = p.left[n:]
	return n, nil
}

// sane demands that an observation does not contradict itself.
func sane(t *testing.T, o *Observation) {
	t.Helper()
	switch o.Answer {
	case ServerHello, HelloRetry:
		if o.Hello == nil || o.Complete == (o.End != "") {
			t.Fatalf("%+v", o)
		}
	case Alerted, Closed, NotTLS, Malformed:
		if o.Hello != nil || o.Complete || o.Suite != 0 || o.Version != suite.Version(0) {
			t.Fatalf("%+v", o)
		}
	default:
		t.Fatalf("a stream that ends gives %q", o.Answer)
	}
	if o.Received > MaxAnswer+16<<10 || len(o.Raw) > maxRaw || (o.Kind != "") != (o.Answer == NotTLS) {
		t.Fatalf("%+v", o)
	}
	if o.Err != nil {
		shortLine(t, o.Err)
	}
}
