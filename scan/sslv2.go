package scan

import (
	"context"
	"crypto/rand"
	"errors"
	"net"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// SSLv2Result is how an endpoint answers a CLIENT-HELLO of SSLv2 (The SSL Protocol, Netscape 1995, section 5.2).
type SSLv2Result struct {
	Hello *hello.SSLv2ServerHello // nil unless it speaks SSLv2
	// Err says why there is no Hello: a hello.SSLv2Error (it speaks SSLv2, and refuses), ErrNoSSLv2, or anything else
	// where the network failed each time.
	Err error
}

// ErrNoSSLv2 is the refusal of an endpoint that does not speak SSLv2.
var ErrNoSSLv2 = errors.New("no SSLv2")

// sslv2Kinds are all cipher kinds of SSLv2 (The SSL Protocol, Netscape 1995, section 5.1.1).
var sslv2Kinds = []suite.Code{0x010080, 0x020080, 0x030080, 0x040080, 0x050080, 0x060040, 0x0700C0}

// triesSSLv2 is how often SSLv2 is asked for where the network fails, or seems to.
const triesSSLv2 = 3

// AskSSLv2 offers all ciphers of SSLv2. It tries again where the network fails.
func AskSSLv2(ctx context.Context, p *probe.Prober, t probe.Target) *SSLv2Result {
	r := &SSLv2Result{}
	for range triesSSLv2 {
		var settled bool
		if settled, r.Hello, r.Err = askSSLv2(ctx, p, t); settled || ctx.Err() != nil {
			break
		}
	}
	return r
}

func askSSLv2(ctx context.Context, p *probe.Prober, t probe.Target) (settled bool, h *hello.SSLv2ServerHello, err error) {
	challenge := make([]byte, 16)
	rand.Read(challenge) // it never fails
	ask := &hello.ClientHello{SSLv2Format: true, Version: suite.SSLv2, RecordVersion: suite.SSLv2, Suites: sslv2Kinds, Random: challenge}
	raw, err := ask.Marshal()
	if err != nil {
		panic("scan: " + err.Error()) // the hello is ours
	}
	conn, o := p.Connect(ctx, t)
	if conn == nil {
		return false, nil, errors.New(string(o.Answer))
	}
	defer conn.Close()
	conn.Write(raw) // a server that hangs up at once may still have said why
	return readSSLv2(conn)
}

// readSSLv2 reads a SERVER-HELLO. A record of SSLv2 holds 32 KiB at most.
func readSSLv2(conn net.Conn) (settled bool, h *hello.SSLv2ServerHello, err error) {
	var raw []byte
	buf := make([]byte, 4096)
	for len(raw) < 1<<15+2 {
		n, err := conn.Read(buf)
		raw = append(raw, buf[:n]...)
		if len(raw) > 0 && hello.Sniff(raw) == hello.KindTLS {
			return true, nil, ErrNoSSLv2 // an alert, or a server that takes the bytes for something else
		}
		reply, parseErr := hello.ParseSSLv2ServerHello(raw)
		if parseErr == nil || errors.As(parseErr, new(hello.SSLv2Error)) {
			return true, reply, parseErr
		}
		if !errors.Is(parseErr, hello.ErrIncomplete) {
			return true, nil, ErrNoSSLv2
		}
		if err == nil {
			continue
		}
		if how := probe.Ending(err); len(raw) == 0 && how == probe.Silent {
			return true, nil, errors.New(string(how)) // to wait that long once is enough
		}
		// A close is how a server refuses what it takes for garbage. So is a reset, where it comes each time.
		return probe.Ending(err) != probe.Reset, nil, ErrNoSSLv2
	}
	return true, nil, ErrNoSSLv2
}
