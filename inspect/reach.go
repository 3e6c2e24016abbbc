package inspect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
)

// hopeless is how many connections have to fail before any succeeded for an endpoint to be given up, mute how many have
// to meet silence before any byte came, and foreign how many have to be reset or answered in another protocol before
// anything came that may be TLS: to ask it everything would take minutes.
const (
	hopeless = 8
	mute     = 16
	foreign  = 16
)

// dials counts how connections came about.
type dials struct {
	preamble   bool // plaintext comes first
	mu         sync.Mutex
	failed     int
	succeeded  bool
	silent     int  // connections that ended by their time limit, without a byte
	heard      bool // a byte came on some connection
	foreign    int  // connections that were reset, or answered in another protocol
	spoken     bool // what may be TLS or SSLv2 came on some connection
	givenUp    bool
	lastFailed error
}

// guard counts the prober's connections, and ends the context that it returns once so many failed that the endpoint
// is not there.
func guard(ctx context.Context, p *probe.Prober, t *Target) (context.Context, *dials) {
	ctx, cancel := context.WithCancel(ctx)
	dial := p.DialContext
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: -1}).DialContext // none lives long enough
	}
	d := &dials{preamble: t.StartTLS != ""}
	p.DialContext = func(c context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(c, network, address)
		if d.note(err) {
			cancel()
		}
		if err != nil {
			return nil, err
		}
		return &listeningConn{Conn: conn, dials: d, giveUp: cancel}, nil
	}
	return ctx, d
}

// listeningConn tells what is read from a connection.
type listeningConn struct {
	net.Conn
	dials       *dials
	giveUp      func()
	read, spoke bool // anything; what may be TLS
	closed      bool
}

func (c *listeningConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.dials.listen(c, b[:n], err) {
		c.giveUp()
	}
	return n, err
}

func (c *listeningConn) Close() error {
	if c.dials.closing(c) {
		c.giveUp()
	}
	return c.Conn.Close()
}

// listen takes in one read and reports whether it is time to give up. A clean close is how some servers refuse a hello,
// so it says nothing.
func (d *dials) listen(c *listeningConn, b []byte, err error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := !c.read
	c.read = true
	switch {
	case len(b) > 0:
		d.heard = true
		if (first || d.preamble) && mayBeTLS(b) {
			c.spoke, d.spoken = true, true
		} else if first && !d.preamble {
			d.foreign++
		}
	case errors.Is(err, os.ErrDeadlineExceeded):
		d.silent++
	case first && errors.Is(err, syscall.ECONNRESET):
		d.foreign++
	}
	return d.hopeless()
}

// closing takes in that a connection ends: after a preamble alone, TLS was never spoken on it.
func (d *dials) closing(c *listeningConn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.preamble && c.read && !c.spoke && !c.closed {
		d.foreign++
	}
	c.closed = true
	return d.hopeless()
}

// hopeless reports whether what was heard so far shows that no more will come of it.
func (d *dials) hopeless() bool {
	return !d.heard && d.silent >= mute || !d.spoken && d.foreign >= foreign
}

// mayBeTLS reports whether bytes are the beginning of a record of TLS, or of an SSLv2 message with a header of two bytes
// (The SSL Protocol, Netscape 1995, section 4.1): SERVER-HELLO or ERROR.
func mayBeTLS(b []byte) bool {
	if b[0] >= hello.RecordChangeCipherSpec && b[0] <= hello.RecordApplicationData {
		return len(b) < 2 || b[1] == 3
	}
	return b[0] >= 0x80 && (len(b) < 3 || b[2] == 4 || b[2] == 0)
}

// note takes in one result and reports whether it is time to give up.
func (d *dials) note(err error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.succeeded = true
		return false
	}
	if d.givenUp { // what fails now fails because of that
		return true
	}
	d.failed, d.lastFailed = d.failed+1, err
	d.givenUp = !d.succeeded && d.failed >= hopeless
	return d.givenUp
}

// causeOf says why an endpoint took no hello, in the ids that `parley why` uses.
func causeOf(e *scan.Endpoint, d *dials, r *Report) *Cause {
	address := r.Target.Address
	n := e.Answers()
	say := func(id cause.ID, format string, args ...any) *Cause { return &Cause{id, fmt.Sprintf(format, args...)} }
	switch {
	case r.Interrupted:
		return say(cause.Unknown, "interrupted before %s answered", address)
	case !d.succeeded && n[probe.NoAddress] > 0:
		return say(cause.DNSFailure, "the name %s does not resolve", r.Target.Host)
	case !d.succeeded && n[probe.Refused] > 0:
		return say(cause.ConnectionRefused, "nothing listens on %s: the connection is refused", address)
	case !d.succeeded:
		return say(cause.ConnectionTimeout, "no connection to %s: %v", address, d.lastFailed)
	case n[probe.NotTLS] > 0:
		return notTLS(e, address)
	case n[probe.PreambleFailed] > 0:
		return say(cause.NotTLS, "%s does not upgrade to TLS: %v", address, firstError(e, probe.PreambleFailed))
	case n[probe.Malformed] > 0:
		return say(cause.ProtocolViolation, "%s answers with TLS records that break the protocol", address)
	case n[probe.Alerted] > 0 && r.Target.ServerName == "":
		return say(cause.SNIRequired, "%s refuses every hello; none carried a server_name, which it may demand (--sni NAME)", address)
	case n[probe.Alerted] > 0:
		return say(cause.Unknown, "%s refuses every hello with an alert (%s)", address, firstAlert(e))
	case n[probe.Reset]+n[probe.Closed] > 0:
		return say(cause.ConnectionReset, "%s ends the connection after every hello", address)
	case n[probe.Silent] > 0:
		return say(cause.NotTLS, "%s accepts connections but answers no hello", address)
	}
	return say(cause.Unknown, "the answers of %s do not add up to one cause", address)
}

// notTLS words an endpoint that speaks another protocol.
func notTLS(e *scan.Endpoint, address string) *Cause {
	_, text, _ := net.SplitHostPort(address)
	port, _ := strconv.Atoi(text)
	for i := range e.Replies {
		o := &e.Replies[i].Observation
		if o.Answer != probe.NotTLS {
			continue
		}
		switch p := probe.StartTLSForGreeting(o.Raw, port); {
		case o.Kind == hello.KindHTTP || o.Kind == hello.KindHTTP2:
			return &Cause{cause.PlainHTTPOnTLSPort, address + " answers a ClientHello with plaintext HTTP"}
		case p != "":
			return &Cause{cause.TLSOnSTARTTLSPort, fmt.Sprintf("%s speaks plaintext %s first: use --starttls %s", address, p, p)}
		case o.Kind != hello.KindUnknown:
			return &Cause{cause.NotTLS, fmt.Sprintf("%s speaks %s, not TLS", address, o.Kind)}
		}
	}
	return &Cause{cause.NotTLS, address + " answers with bytes that are no TLS"}
}

func firstError(e *scan.Endpoint, a probe.Answer) error {
	for i := range e.Replies {
		if o := &e.Replies[i].Observation; o.Answer == a {
			return o.Err
		}
	}
	return nil
}

func firstAlert(e *scan.Endpoint) string {
	for i := range e.Replies {
		if o := &e.Replies[i].Observation; o.Answer == probe.Alerted {
			return o.Alert.String()
		}
	}
	return ""
}

// Unresolved is the report of a target whose name has no address. err is how the look-up ended, or nil.
func Unresolved(t Target, err error, opt Options) *Report {
	r := NewReport(t, opt.Depth, opt.Now)
	summary := fmt.Sprintf("the name %s does not resolve", t.Host)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		summary = fmt.Sprintf("the name %s was not looked up in time: no name server answers", t.Host)
	}
	r.Cause = &Cause{cause.DNSFailure, summary}
	return r
}
