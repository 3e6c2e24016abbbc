package probe

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// reader reads a server's first flight into an Observation.
type reader struct {
	conn   net.Conn
	sent   time.Time
	asked  *hello.ClientHello // nil where the hello that was sent cannot be read
	flight hello.Flight
	done   bool // the flight is complete, or reading on is of no use
}

// What a server does wrong.
var (
	errTooMuch = fmt.Errorf("more than %d bytes, and still no end of the first flight", MaxAnswer)
	errOrder   = errors.New("a handshake message before the ServerHello")
	errTwice   = errors.New("a second ServerHello")
)

// buffers are what answers are read into, one at a time.
var buffers = sync.Pool{New: func() any { b := make([]byte, 16<<10); return &b }}

func (r *reader) run(o *Observation) {
	defer func() { o.Ended = time.Since(r.sent) }()
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for {
		n, err := r.conn.Read(*buf)
		if n > 0 {
			r.take(o, (*buf)[:n])
		}
		switch {
		case r.done:
			return
		case o.Received > MaxAnswer:
			r.finish(o, Malformed, errTooMuch)
			return
		case err != nil:
			r.finish(o, endOf(err), err)
			return
		}
	}
}

// take adds bytes to the flight. What was whole before a fault still counts, however the bytes arrived.
func (r *reader) take(o *Observation, b []byte) {
	if o.Received == 0 {
		o.FirstByte = time.Since(r.sent)
	}
	o.LastByte = time.Since(r.sent)
	o.Reads++
	o.Received += len(b)
	if len(o.Raw) < maxRaw {
		o.Raw = append(o.Raw, b[:min(len(b), maxRaw-len(o.Raw))]...)
	}
	fault := r.flight.Add(b)
	r.messages(o)
	if fault != nil && !r.done {
		r.garbled(o, fault)
	}
}

// garbled handles bytes that are no TLS records, or records that break the protocol.
func (r *reader) garbled(o *Observation, err error) {
	r.end(o, Malformed, err)
	if o.Hello != nil {
		return
	}
	if k := hello.Sniff(o.Raw); k != hello.KindTLS {
		o.Answer, o.Kind = NotTLS, k
	}
}

// end notes that the connection came to its end in this way, before or after the ServerHello.
func (r *reader) end(o *Observation, how Answer, err error) {
	r.done = true
	o.Err = err
	if o.Hello != nil {
		o.End = how
	} else {
		o.Answer = how
	}
}

// finish notes how the connection ended when the flight was not complete.
func (r *reader) finish(o *Observation, how Answer, err error) {
	r.end(o, how, err)
	if a := r.flight.Alert; a != nil {
		o.Alert = a.Description
		if o.Hello == nil {
			o.Answer, o.End = Alerted, how // a warning, and no more
		}
		return
	}
	if o.Hello != nil || o.Received == 0 {
		return
	}
	// Fewer bytes than a record header: what they are can still be told.
	if k := hello.Sniff(o.Raw); k != hello.KindTLS && (k != hello.KindUnknown || how != Silent) {
		o.Answer, o.Kind = NotTLS, k
	} else if how != Malformed {
		o.End = how
	}
}

// messages takes in what has become whole.
func (r *reader) messages(o *Observation) {
	for _, m := range r.flight.Take() {
		if err := r.message(o, m); err != nil {
			r.end(o, Malformed, err)
		}
		if r.done {
			return
		}
	}
	if a := r.flight.Alert; a != nil && a.Fatal {
		o.Alert = a.Description
		r.end(o, Alerted, nil)
		return
	}
	// What is encrypted (all of TLS 1.3, the end of a resumed session) cannot be read: one whole record shows that the flight got through.
	if o.Hello != nil && r.flight.Encrypted > 0 && !r.flight.Pending() {
		o.Complete, r.done = true, true
	}
}

func (r *reader) message(o *Observation, m hello.Message) error {
	switch {
	case m.Type != hello.TypeServerHello && o.Hello == nil:
		return errOrder
	case m.Type == hello.TypeServerHello && o.Hello != nil:
		return errTwice
	}
	switch m.Type {
	case hello.TypeServerHello:
		h, err := hello.ParseServerHello(m.Body)
		if err != nil {
			return err
		}
		if r.asked != nil {
			if err := Offered(r.asked, h); err != nil {
				return err
			}
		}
		o.Hello = h
		o.Answer, o.Version, o.Suite, o.Group, o.ALPN = ServerHello, h.Version, h.Suite, h.Group, h.ALPN
		if h.Retry {
			o.Answer, o.Complete, r.done = HelloRetry, true, true
		}
	case hello.TypeCertificate:
		chain, err := hello.ParseCertificate(m.Body)
		if err != nil {
			return err
		}
		o.Chain = chain
	case hello.TypeServerKeyExchange:
		k, err := hello.ParseServerKeyExchange(m.Body, o.Version, o.Suite)
		if err != nil {
			return err
		}
		o.KeyExchange = k
		o.Group, o.DHBits, o.Scheme = k.Group, k.DHBits, k.Scheme
	case hello.TypeCertificateRequest:
		o.ClientAuth = true
		o.Request, _ = hello.ParseCertificateRequest(m.Body, o.Version) // one that cannot be read is still a request
	case hello.TypeServerHelloDone:
		o.Complete, r.done = true, true
	}
	return nil
}

// Offered demands that the server chose from what the hello offers (RFC 8446 section 4.1.3, RFC 7301 section 3.2):
// every client refuses what it did not ask for. A version below the offered ones is no such case: a server that does
// not know supported_versions goes by the hello's own version, and it is the client that finds it too low.
func Offered(asked *hello.ClientHello, h *hello.ServerHello) error {
	o := asked.Offer()
	switch _, selected := h.Extension(hello.ExtSupportedVersions); {
	case selected && !slices.Contains(o.Versions, h.Version),
		!selected && (h.Version < suite.SSLv3 || h.Version > min(asked.Version, suite.TLS12)):
		return fmt.Errorf("the server chooses %s, which was not offered", h.Version)
	case !slices.Contains(asked.Suites, h.Suite):
		return fmt.Errorf("the server chooses %s, which was not offered", h.Suite)
	case h.ALPN != "" && !slices.Contains(o.ALPN, h.ALPN):
		return fmt.Errorf("the server chooses the application protocol %q, which was not offered", h.ALPN)
	}
	return nil
}
