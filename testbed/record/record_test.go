package record_test

import (
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/testbed/record"
)

// TestFirst records a hello whose records come in two pieces, after a connection that sends none, and one
// behind PostgreSQL's request for TLS.
func TestFirst(t *testing.T) {
	for _, postgres := range []bool{false, true} {
		l, err := record.Listen()
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if c, err := net.Dial("tcp", l.Addr()); err == nil {
			c.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
			c.Close()
		}
		c, err := net.Dial("tcp", l.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if postgres {
			c.Write([]byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f})
			answer := make([]byte, 1)
			if _, err := c.Read(answer); err != nil || answer[0] != 'S' {
				t.Fatalf("answer to SSLRequest: %q, %v", answer, err)
			}
		}
		go tls.Client(slow{c}, &tls.Config{ServerName: "lb.example.com"}).Handshake()
		b, err := l.First(5 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		h, err := hello.ParseClientHello(b)
		if err != nil {
			t.Fatal(err)
		}
		if o := h.Offer(); o.ServerName != "lb.example.com" {
			t.Errorf("server name %q", o.ServerName)
		}
	}
}

// slow writes in two pieces.
type slow struct{ net.Conn }

func (s slow) Write(b []byte) (int, error) {
	n, err := s.Conn.Write(b[:len(b)/2])
	if err != nil {
		return n, err
	}
	time.Sleep(20 * time.Millisecond)
	m, err := s.Conn.Write(b[len(b)/2:])
	return n + m, err
}
