package probe

import (
	"errors"
	"net"
	"time"

	"github.com/parley-tls/parley/hello"
)

// reader reads a server's first flight into an Observation.
type reader struct {
	conn   net.Conn
	sent   time.Time
	flight hello.Flight
	done   bool // the flight is complete, or reading on is of no use
}

func (r *reader) run(o *Observation) {
	buf := make([]byte, 16<<10)
	for !r.done {
		n, err := r.conn.Read(buf)
		if n > 0 {
			if o.Received == 0 {
				o.FirstByte = time.Since(r.sent)
			}
			o.Received += n
			if len(o.Raw) < 256 {
				o.Raw = append(o.Raw, buf[:min(n, 256-len(o.Raw))]...)
			}
			if ferr := r.flight.Add(buf[:n]); ferr != nil {
				r.garbled(o, ferr)
				return
			}
			r.messages(o)
		}
		if o.Received > MaxAnswer {
			r.finish(o, Malformed, nil)
			return
		}
		if err != nil {
			r.finish(o, endOf(err), err)
			return
		}
	}
	if r.flight.Alert != nil && !o.Answer.Accepted() {
		o.Answer, o.Alert = Alerted, r.flight.Alert.Description
	}
}

// garbled handles bytes that are no TLS records.
func (r *reader) garbled(o *Observation, err error) {
	if o.Hello != nil {
		o.End, o.Err = Malformed, err
		return
	}
	o.Answer, o.Err = NotTLS, err
	o.Kind = hello.Sniff(o.Raw)
	if o.Kind == hello.KindTLS {
		o.Answer = Malformed
	}
}

// finish notes how the connection ended.
func (r *reader) finish(o *Observation, end Answer, err error) {
	if a := r.flight.Alert; a != nil {
		o.Alert = a.Description
		if o.Hello == nil {
			o.Answer = Alerted
			return
		}
	}
	if o.Hello != nil {
		o.End = end
		return
	}
	o.Answer, o.Err = end, err
	// Fewer bytes than a record header: what they are can still be told.
	if o.Received > 0 {
		if k := hello.Sniff(o.Raw); k != hello.KindTLS && (k != hello.KindUnknown || end != Silent) {
			o.Answer, o.Kind = NotTLS, k
		} else if end == Malformed {
			o.Answer = Malformed
		} else {
			o.End = end
		}
	}
}

// messages takes in what has become whole.
func (r *reader) messages(o *Observation) {
	for _, m := range r.flight.Take() {
		if err := r.message(o, m); err != nil {
			o.Err = err
			if o.Hello == nil {
				o.Answer = Malformed
			} else {
				o.End = Malformed
			}
			r.done = true
			return
		}
	}
	if r.flight.Alert != nil && r.flight.Alert.Fatal {
		o.Alert = r.flight.Alert.Description
		r.done = true
		if o.Hello != nil {
			o.End = Alerted
		}
		return
	}
	// What is encrypted (all of TLS 1.3, the end of a resumed session) cannot be read: one whole record shows that the flight got through.
	if o.Hello != nil && r.flight.Encrypted > 0 && !r.flight.Pending() {
		o.Complete, r.done = true, true
	}
}

func (r *reader) message(o *Observation, m hello.Message) (err error) {
	if m.Type != hello.TypeServerHello && o.Hello == nil {
		return errOrder
	}
	switch m.Type {
	case hello.TypeServerHello:
		if o.Hello, err = hello.ParseServerHello(m.Body); err != nil {
			return err
		}
		h := o.Hello
		o.Answer, o.Version, o.Suite, o.Group, o.ALPN = ServerHello, h.Version, h.Suite, h.Group, h.ALPN
		if h.Retry {
			o.Answer, o.Complete, r.done = HelloRetry, true, true
		}
	case hello.TypeCertificate:
		o.Chain, err = hello.ParseCertificate(m.Body)
	case hello.TypeServerKeyExchange:
		k, kerr := hello.ParseServerKeyExchange(m.Body, o.Version, o.Suite)
		if kerr != nil {
			return kerr
		}
		o.Group, o.DHBits, o.Scheme = k.Group, k.DHBits, k.Scheme
	case hello.TypeCertificateRequest:
		o.ClientAuth = true
	case hello.TypeServerHelloDone:
		o.Complete, r.done = true, true
	}
	return err
}

var errOrder = errors.New("a handshake message before the ServerHello")
