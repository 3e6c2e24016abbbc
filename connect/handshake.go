package connect

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// handshake is one connection that crypto/tls made.
type handshake struct {
	dialErr error // the network's or the preamble's; then there is nothing else
	state   tls.ConnectionState
	err     error // of the handshake
	// after is what came when the handshake had ended well on our side: in TLS 1.3 a server that refuses the
	// client's certificate says so only then (RFC 8446 section 4.4.2.4). Nil if nothing did.
	after   error
	request *tls.CertificateRequestInfo // nil if no client certificate was asked for
	sent    bool                        // ours was sent
	flight  flight
}

// tickets is a session cache that counts what comes in.
type tickets struct {
	tls.ClientSessionCache
	n int
}

func newTickets() *tickets { return &tickets{ClientSessionCache: tls.NewLRUClientSessionCache(1)} }

func (t *tickets) Put(key string, s *tls.ClientSessionState) {
	if s != nil {
		t.n++
	}
	t.ClientSessionCache.Put(key, s)
}

// shake completes a handshake as planned. What it verifies of the server is that it holds the key of its
// certificate; what to think of the certificate is decided elsewhere.
func (a *attempt) shake(ctx context.Context, p *plan, cache tls.ClientSessionCache) *handshake {
	h := &handshake{}
	ctx, cancel := context.WithTimeout(ctx, a.timeout())
	defer cancel()
	conn, err := a.dial(ctx)
	if err != nil {
		h.dialErr = err
		return h
	}
	defer conn.Close()
	var keyLog bytes.Buffer
	wire := &recorder{Conn: conn}
	c := tls.Client(wire, &tls.Config{
		InsecureSkipVerify: true, ServerName: a.offer.ServerName, NextProtos: a.offer.ALPN, KeyLogWriter: &keyLog,
		MinVersion: uint16(p.version), MaxVersion: uint16(p.version), CipherSuites: p.suites, CurvePreferences: p.groups,
		ClientSessionCache: cache,
		GetClientCertificate: func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			h.request = r
			if a.q.Certificate == nil {
				return &tls.Certificate{}, nil
			}
			h.sent = true
			return a.q.Certificate, nil
		},
	})
	h.err = c.HandshakeContext(ctx)
	h.state = c.ConnectionState()
	h.flight = readFlight(wire.got, keyLog.Bytes())
	if h.err == nil {
		h.after = listen(c, a.patience(), h.request != nil)
		if errors.Is(h.after, io.EOF) && saysGoodbye(wire.got) {
			h.after = nil
		}
	}
	return h
}

func (a *attempt) timeout() time.Duration {
	if a.q.Prober.Timeout > 0 {
		return a.q.Prober.Timeout
	}
	return probe.DefaultTimeout
}

// dial opens the connection and speaks the preamble. Its deadline is that of ctx.
func (a *attempt) dial(ctx context.Context) (net.Conn, error) {
	dial := a.q.Prober.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	rounds := 4 // TCP, two of TLS, the end
	if a.seen.Version == suite.TLS13 {
		rounds = 3
	}
	if a.t.StartTLS != "" {
		rounds += 2
	}
	a.q.Prober.Waited(1, rounds)
	conn, err := dial(ctx, "tcp", a.t.Address)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	if a.t.StartTLS != "" {
		if err := a.t.StartTLS.Negotiate(conn, a.t.ServerName); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// patience is how long a server is given to say something after the handshake: some round trips.
func (a *attempt) patience() time.Duration {
	return min(max(4*a.seen.FirstByte, 300*time.Millisecond), a.timeout())
}

// maxAfter bounds what is read after a handshake.
const maxAfter = 64 << 10

// listen reads what a server sends after the handshake: session tickets, or an alert. Then it ends the
// connection in good order and reads on to its end, which shows that the server took everything in. With
// alone, an end before that is io.EOF: the server had no reason to leave.
func listen(c *tls.Conn, patience time.Duration, alone bool) error {
	if alone {
		c.SetReadDeadline(time.Now().Add(patience))
		if err := readOn(c); !isTimeout(err) {
			return err
		}
		patience = max(patience, time.Second) // a verdict on a certificate may take its time
	}
	c.CloseWrite()
	c.SetReadDeadline(time.Now().Add(patience))
	if err := readOn(c); err != nil && !isTimeout(err) && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// readOn reads until the connection fails or ends, or enough was said.
func readOn(c *tls.Conn) error {
	buf := make([]byte, 4<<10)
	for total := 0; total < maxAfter; {
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		total += n
	}
	return nil
}

// saysGoodbye reports whether the last record of a connection is an alert: close_notify, if crypto/tls saw no
// other. TLS 1.3 hides the type, but no other record is as short: two bytes, their type and the tag.
func saysGoodbye(wire []byte) bool {
	var last hello.Record
	for {
		r, rest, err := hello.NextRecord(wire)
		if err != nil {
			return last.Type == hello.RecordAlert || last.Type == hello.RecordApplicationData && len(last.Body) == 2+1+16
		}
		last, wire = r, rest
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// alertOf returns the alert by which the other side ended the connection, if it is what err says. crypto/tls
// keeps its type of alerts to itself, so they are known by their words.
func alertOf(err error) (suite.Alert, bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return 0, false
	}
	for n := range 256 {
		if tls.AlertError(n).Error() == op.Err.Error() {
			return suite.Alert(n), true
		}
	}
	return 0, false
}

// fromLibrary reports whether err is crypto/tls's own judgement and not the network's or the other side's.
func fromLibrary(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op == "local error"
	}
	return err != nil && !isTimeout(err) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, context.DeadlineExceeded)
}
