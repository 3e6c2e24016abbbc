package follow

import (
	"bytes"
	"errors"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// Side is one direction of a connection, as its source counts them. Which of the two is the TLS client shows by the
// hello.
type Side int

// The sides.
const (
	A Side = iota
	B
)

// Limits on what is kept and read of a connection.
const (
	maxHello  = 160 << 10 // bytes: more than a hello can have with the headers of its records
	maxPlain  = 32 << 10  // bytes of plaintext of one side before it counts as no TLS
	maxHead   = 512       // of which so many are kept
	maxHeld   = 64 << 10  // bytes of a server's records that came before the hello did
	maxAlerts = 8
)

// Follower follows one connection. The zero value is ready.
type Follower struct {
	n       Negotiation
	started bool // the hello was found
	client  Side
	done    bool
	early   bool // the hello announces early data
	suspect bool // the server's last encrypted record has the size of an alert
	leaving bool // the client ended an encrypted connection itself: what the server says then is no refusal
	hellos  int  // bytes of the hellos that are kept
	sides   [2]side
}

// side is what one side sent.
type side struct {
	buf     []byte // not yet looked at, or not whole
	want    int    // size of buf before it is worth looking at again
	skip    int    // bytes to come of a record that is not looked into
	plain   int    // bytes of plaintext before TLS
	head    []byte // the first of them
	stream  []byte // of handshake messages, not yet a whole one
	changed bool   // it sent ChangeCipherSpec
	sealed  int    // encrypted records after the ServerHello
	deaf    bool   // nothing more of it can be read
	gone    bool   // it closed
}

// Done reports whether the negotiation is decided: nothing more needs to be fed.
func (f *Follower) Done() bool { return f.done }

// Started reports whether the hello was found.
func (f *Follower) Started() bool { return f.started }

// Client is the side that sent the hello, once it is found.
func (f *Follower) Client() Side { return f.client }

// Hellos counts the hellos that were read so far.
func (f *Follower) Hellos() int { return f.n.Hellos() }

// Size is about how many bytes are kept of the connection.
func (f *Follower) Size() int {
	n := f.hellos
	for i := range f.sides {
		s := &f.sides[i]
		n += cap(s.buf) + cap(s.stream) + cap(s.head)
	}
	for _, c := range f.n.Chain {
		n += len(c)
	}
	return n
}

// Partial reports whether the connection holds the beginning of a hello and not its end, and from which side.
func (f *Follower) Partial() (Side, bool) {
	for s := range f.sides {
		if !f.started && StartsHello(f.sides[s].buf) {
			return Side(s), true
		}
	}
	return A, false
}

// Negotiation is what was seen so far, nil where there is neither a hello nor plaintext in its place. It is the
// follower's own and changes with it.
func (f *Follower) Negotiation() *Negotiation {
	if !f.started && f.n.BadHello == nil && f.n.ClientPlain == nil {
		return nil
	}
	return &f.n
}

func (f *Follower) party(s Side) Party {
	if s == f.client {
		return Client
	}
	return Server
}

// Data takes the next bytes of a side. b may be used again afterwards.
func (f *Follower) Data(from Side, b []byte, at time.Time) {
	if f.done || len(b) == 0 || f.sides[from].deaf {
		return
	}
	f.n.Last = at
	if !f.started {
		f.plaintext(from, b, at)
		return
	}
	if from != f.client && f.n.AnswerAt.IsZero() {
		f.n.AnswerAt = at
	}
	f.records(from, b, at)
}

// Missing says that the next n bytes of a side exist but were not seen; n is 0 where it is not known how many.
func (f *Follower) Missing(from Side, n int) {
	s := &f.sides[from]
	if f.done || s.deaf {
		return
	}
	if n > 0 && n <= s.skip { // inside a record that is not looked into
		s.skip -= n
		return
	}
	f.n.Gap = true
	if !f.started {
		if StartsHello(s.buf) { // the end of the hello is missing: what follows is worth nothing
			s.deaf = true
			return
		}
		s.buf, s.want, s.skip = nil, 0, 0
		return
	}
	f.deafen(s)
}

func (f *Follower) deafen(s *side) { s.deaf, s.buf, s.stream = true, nil, nil }

// Now says that time has passed without anything to see.
func (f *Follower) Now(at time.Time) {
	if !f.done && at.After(f.n.Last) {
		f.n.Last = at
	}
}

// Close says that a side sent all it had (FIN).
func (f *Follower) Close(from Side, at time.Time) { f.end(from, Closed, at) }

// Reset says that a side broke the connection off (RST).
func (f *Follower) Reset(from Side, at time.Time) { f.end(from, Reset, at) }

func (f *Follower) end(from Side, how How, at time.Time) {
	if f.done {
		return
	}
	f.sides[from].gone = true
	over := how == Reset || f.sides[A].gone && f.sides[B].gone
	if f.started && f.n.End == nil {
		f.n.End = &End{By: f.party(from), How: how, After: f.n.Stage, At: at}
	}
	if f.started && f.n.Stage == ClientFinished && f.n.Version() == suite.TLS13 {
		switch {
		case f.suspect:
			f.n.SealedAlert, f.done = Server, true
		case f.party(from) == Client || f.leaving:
			f.establish() // the client was content
		}
	}
	if over {
		f.done = true
	}
}

// End says that the source ends here, or gives up on the connection.
func (f *Follower) End() {
	if !f.done && f.started && f.n.Stage == ClientFinished && f.n.Version() == suite.TLS13 && f.n.End == nil {
		f.establish() // the client was content, and nothing was seen to say otherwise
	}
	f.done = true
}

func (f *Follower) establish() { f.n.Stage, f.done = Established, true }

// reach notes a stage.
func (f *Follower) reach(s Stage) { f.n.Stage = max(f.n.Stage, s) }

// plaintext looks for the hello in what came before any TLS.
func (f *Follower) plaintext(from Side, b []byte, at time.Time) {
	s := &f.sides[from]
	if s.skip > 0 {
		n := min(s.skip, len(b))
		s.skip, b = s.skip-n, b[n:]
	}
	whole := b
	if len(s.buf) > 0 {
		s.buf = append(s.buf, b...)
		whole = s.buf
	}
	for len(whole) > 0 && len(whole) >= s.want {
		s.want = 0
		var h *hello.ClientHello
		err := errNone
		if StartsHello(whole) {
			h, err = hello.ParseClientHello(whole)
		}
		record, size := recordHeader(whole)
		record = record && whole[0] != recordHeartbeat // there is none before a hello
		switch {
		case err == nil:
			f.begin(from, h, whole, at)
			return
		case err != errNone && errors.Is(err, hello.ErrIncomplete) && len(whole) < maxHello:
			s.want = wanted(whole)
			s.keep(whole)
			return
		case err != errNone && !errors.Is(err, hello.ErrIncomplete):
			f.n.BadHello, f.client, f.done = err, from, true
			f.n.HelloAt = at
			return
		case len(whole) < 6 && (plausible(whole) || whole[0] != recordHeartbeat && halfHeader(whole)):
			s.keep(whole)
			return
		case record && (whole[0] == hello.RecordHandshake || whole[0] == hello.RecordAlert) && len(whole) < maxHeld:
			if len(f.sides[1-from].head) > 0 && hello.Sniff(f.sides[1-from].head) == hello.KindHTTP && whole[0] == hello.RecordAlert {
				f.refusedPlain(1-from, at)
				return
			}
			s.want = len(whole) + 1
			s.keep(whole) // the server's, ahead of the client's hello
			return
		case record: // a connection that was joined late
			whole = s.drop(whole, size)
		default:
			n := bytes.IndexByte(whole[1:], hello.RecordHandshake)
			if n < 0 {
				n = len(whole) - 1
			}
			s.head = append(s.head, whole[:min(1+n, maxHead-len(s.head))]...)
			s.plain += 1 + n
			whole = whole[1+n:]
			if f.httpRefused(from) {
				f.refusedPlain(1-from, at)
				return
			}
		}
		if s.plain > maxPlain {
			f.done = true
			return
		}
	}
	s.keep(whole)
}

var errNone = errors.New("no hello begins here")

// drop removes n bytes; of those that are still to come they are skipped.
func (s *side) drop(b []byte, n int) []byte {
	if n > len(b) {
		s.skip += n - len(b)
		return nil
	}
	return b[n:]
}

// keep keeps what was not read, which may be the end of buf itself.
func (s *side) keep(b []byte) {
	if len(b) == 0 {
		if cap(s.buf) > 4<<10 {
			s.buf = nil
		}
		s.buf = s.buf[:0]
		return
	}
	s.buf = append(s.buf[:0], b...)
}

// begin takes note of the hello at the beginning of whole.
func (f *Follower) begin(from Side, h *hello.ClientHello, whole []byte, at time.Time) {
	f.started, f.client = true, from
	f.early = h.HasExtension(hello.ExtEarlyData)
	f.n.Hello, f.n.HelloAt, f.n.ClientCertificates = h, at, -1
	f.n.Gap = false
	f.hellos = 2 * h.WireSize()
	f.reach(Hello)
	s, other := &f.sides[from], &f.sides[1-from]
	if len(other.head) > 0 || len(s.head) > 0 {
		f.n.Banner = len(s.head) == 0
		f.n.Preamble = hello.Sniff(other.head)
		if k := hello.Sniff(s.head); f.n.Preamble == hello.KindUnknown || k == hello.KindHTTP {
			f.n.Preamble = k
		}
		if f.n.Banner && f.n.Preamble == hello.KindPostgres { // a lone S or N that nobody asked for
			f.n.Preamble = hello.KindUnknown
		}
	}
	rest := whole[afterHello(h, whole):]
	s.head, other.head, s.want, other.want = nil, nil, 0, 0
	held := other.buf
	s.keep(rest)
	if len(s.buf) > 0 {
		f.records(from, nil, at)
	}
	if len(held) > 0 && !f.done {
		f.n.AnswerAt = at
		f.records(1-from, nil, at)
	}
}

// afterHello is where the last record of the hello ends.
func afterHello(h *hello.ClientHello, b []byte) int {
	n := h.WireSize()
	if h.SSLv2Format {
		return n
	}
	at := 0
	for at < n {
		_, size := recordHeader(b[at:])
		at += size
	}
	return at
}

// httpTexts are what servers say, in plaintext, to plaintext HTTP on a TLS port: nginx and the load balancers of AWS,
// Go's net/http, Apache.
var httpTexts = [][]byte{
	[]byte("plain HTTP request was sent to HTTPS port"),
	[]byte("Client sent an HTTP request to an HTTPS server"),
	[]byte("speaking plain HTTP to an SSL-enabled server port"),
}

// httpRefused reports whether side from is a server that says so.
func (f *Follower) httpRefused(from Side) bool {
	h := f.sides[from].head
	if len(h) < 12 || !bytes.HasPrefix(h, []byte("HTTP/")) {
		return false
	}
	for _, t := range httpTexts {
		if bytes.Contains(h, t) {
			return true
		}
	}
	return false
}

// refusedPlain ends a connection on which the client speaks HTTP and the server wants TLS.
func (f *Follower) refusedPlain(client Side, at time.Time) {
	f.client, f.done = client, true
	f.n.ClientPlain, f.n.ServerPlain = f.sides[client].head, f.sides[1-client].head
	if f.n.ClientPlain == nil {
		f.n.ClientPlain = []byte{}
	}
	f.n.HelloAt, f.n.AnswerAt = at, at
}
