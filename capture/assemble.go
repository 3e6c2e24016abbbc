package capture

import (
	"bytes"
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"github.com/parley-tls/parley/follow"
)

// Limits on what is kept of connections while a capture is read.
const (
	maxConnections = 1 << 17  // the oldest is forgotten
	maxBytes       = 48 << 20 // of all that are being followed
	maxPending     = 256      // segments of one side that wait for a missing one
	window         = 32       // segments of one side that are kept before its beginning is known
)

// connectionKey names a connection; the lower endpoint comes first.
type connectionKey struct{ a, b endpoint }

// connection is one TCP connection. When its negotiation is decided, nothing but the key is kept, so that the rest
// of its packets is skipped at once.
type connection struct {
	key   connectionKey
	live  *live // nil when it is decided
	start [2]uint32
	syn   [2]bool // start is the number of the first byte
}

// live is a connection that is being followed.
type live struct {
	follower follow.Follower
	sides    [2]direction
	bytes    int // counted in assembler.bytes
	first    time.Time
	hellos   int
	packet   int // that completed the hello
	again    int // segments with bytes of the hello that came again
}

// direction is one direction of a connection, as far as it is in order.
type direction struct {
	lowest  uint32 // sequence number of the first data seen
	seen    bool   // lowest is set
	synced  bool   // next is set: where the stream goes on is known
	next    uint32 // sequence number of the byte that is next in order
	pending []held // arrived ahead of next
	idle    bool   // joined in its midst: only the beginning of a hello counts
	ended   bool   // end is set
	end     uint32 // sequence number after the FIN's data
}

// held is a segment that waits for others.
type held struct {
	seq     uint32
	data    []byte
	missing int
}

// assembler puts segments in order, in whatever order they come, and feeds them to a follower for each connection.
type assembler struct {
	connections map[connectionKey]*connection
	queue       []*connection // oldest first
	head        int           // of queue
	bytes       int
	now         time.Time
	number      int // of the packet that is being read

	tcp     int // segments with data
	partial int // connections that hold only a part of a hello
	example string

	hello func(c *connection, n int, at time.Time) // called when the nth hello of a connection is whole
	seen  func(*Connection)                        // called when a negotiation is decided, or given up
}

func newAssembler() *assembler {
	return &assembler{connections: make(map[connectionKey]*connection)}
}

// keyOf returns the key of the connection that s belongs to, and the side that sent it.
func keyOf(s *segment) (connectionKey, follow.Side) {
	c := bytes.Compare(s.from.addr[:], s.to.addr[:])
	if c < 0 || c == 0 && s.from.port <= s.to.port {
		return connectionKey{s.from, s.to}, follow.A
	}
	return connectionKey{s.to, s.from}, follow.B
}

// endpointOf is the address of a side.
func (c *connection) endpointOf(s follow.Side) netip.AddrPort {
	if s == follow.A {
		return c.key.a.addrPort()
	}
	return c.key.b.addrPort()
}

func (a *assembler) segment(s *segment, at time.Time) {
	a.now = at
	key, side := keyOf(s)
	c := a.connections[key]
	if s.flags&flagSYN != 0 {
		c = a.begin(key, c, side, s, at)
	} else if c == nil {
		if len(s.data) == 0 {
			return
		}
		c = a.open(key, at)
	}
	if len(s.data) > 0 {
		a.tcp++
	}
	if c.live == nil {
		if !follow.StartsHello(s.data) || c.syn[side] && s.seq-c.start[side] < 1<<30 {
			return
		}
		a.forget(c) // the ports are used again, and the SYN was missed
		c = a.open(key, at)
	}
	l := c.live
	if len(s.data) > 0 || s.missing > 0 {
		a.data(c, side, s, at)
	}
	if s.flags&flagFIN != 0 {
		st := &l.sides[side]
		st.ended, st.end = true, s.seq+uint32(len(s.data)+s.missing)
		if s.flags&flagSYN != 0 {
			st.end++
		}
		if !st.synced {
			l.follower.Close(side, at)
		}
	}
	if st := &l.sides[side]; st.ended && st.synced && int32(st.next-st.end) >= 0 {
		l.follower.Close(side, at)
	}
	if s.flags&flagRST != 0 {
		l.follower.Reset(side, at)
	}
	for l.hellos < l.follower.Hellos() {
		if l.hellos++; l.hellos == 1 {
			l.packet = a.number
		}
		if a.hello != nil {
			a.hello(c, l.hellos, at)
		}
	}
	if l.follower.Done() {
		a.decided(c)
		return
	}
	a.recount(l)
}

func (a *assembler) recount(l *live) {
	n := liveSize + l.follower.Size()
	for i := range l.sides {
		for _, p := range l.sides[i].pending {
			n += len(p.data)
		}
	}
	a.bytes += n - l.bytes
	l.bytes = n
}

// open makes a new connection, and forgets the oldest where there are too many.
func (a *assembler) open(key connectionKey, at time.Time) *connection {
	for len(a.connections) >= maxConnections || a.bytes > maxBytes {
		old := a.queue[a.head]
		a.queue[a.head] = nil
		a.head++
		if a.connections[old.key] == old {
			a.forget(old)
		}
	}
	if len(a.queue)-a.head > 2*len(a.connections)+1024 || a.head > len(a.queue)/2 && a.head > 1024 {
		a.compact()
	}
	c := &connection{key: key, live: &live{first: at, bytes: liveSize}}
	a.bytes += liveSize
	a.connections[key] = c
	a.queue = append(a.queue, c)
	return c
}

// liveSize is about what a connection takes that is being followed, beside its buffers.
const liveSize = int(unsafe.Sizeof(live{})) + 64

// compact drops from the queue what was forgotten already.
func (a *assembler) compact() {
	kept := a.queue[:0]
	for _, c := range a.queue[a.head:] {
		if a.connections[c.key] == c {
			kept = append(kept, c)
		}
	}
	clear(a.queue[len(kept):])
	a.queue, a.head = kept, 0
}

// forget removes a connection whose ports are used again.
func (a *assembler) forget(c *connection) {
	a.decided(c)
	delete(a.connections, c.key)
}

// decided reports what was seen of a connection and lets it go.
func (a *assembler) decided(c *connection) {
	l := c.live
	if l == nil {
		return
	}
	c.live = nil
	a.bytes -= l.bytes
	for i := range l.sides {
		if len(l.sides[i].pending) > 0 {
			l.follower.Missing(follow.Side(i), 0)
		}
	}
	l.follower.Now(a.now)
	l.follower.End()
	if from, ok := l.follower.Partial(); ok {
		if a.partial++; a.example == "" {
			a.example = fmt.Sprintf("from %s to %s", c.endpointOf(from), c.endpointOf(1-from))
		}
	}
	if n := l.follower.Negotiation(); n != nil && a.seen != nil {
		client := l.follower.Client()
		a.seen(&Connection{Negotiation: n, Client: c.endpointOf(client), Server: c.endpointOf(1 - client), First: l.first, Packet: l.packet, Again: l.again})
	}
}

// sweep gives up on connections on which nothing was decided for so long, for a source without an end.
func (a *assembler) sweep(now time.Time, patience time.Duration) {
	a.now = now
	for _, c := range a.queue[a.head:] {
		if c.live == nil || a.connections[c.key] != c {
			continue
		}
		n := c.live.follower.Negotiation()
		if n != nil && now.Sub(n.HelloAt) > patience || n == nil && now.Sub(c.live.first) > 10*patience {
			a.decided(c)
		}
	}
}

// finish ends all connections: the source has no more. Time that passed until then is silence.
func (a *assembler) finish() {
	for _, c := range a.queue[a.head:] {
		if c.live != nil && a.connections[c.key] == c {
			a.decided(c)
		}
	}
	a.connections, a.queue, a.head = make(map[connectionKey]*connection), nil, 0
}

// begin takes note of a SYN. It belongs to the connection that is there if it only came late or again; else the ports
// are used again.
func (a *assembler) begin(key connectionKey, c *connection, side follow.Side, s *segment, at time.Time) *connection {
	first := s.seq + 1
	s.seq++
	if c != nil {
		again := c.syn[side] && c.start[side] == first
		answer := s.flags&flagACK != 0 && !c.syn[side] && (!c.syn[1-side] || s.ack == c.start[1-side])
		late := false
		if c.live != nil {
			st := &c.live.sides[side]
			late = !c.syn[side] && st.seen && st.lowest-first < 1<<16
			answer = answer && !st.seen
		}
		if !again && !answer && !late {
			a.forget(c)
			c = nil
		}
	}
	if c == nil {
		c = a.open(key, at)
	}
	if c.syn[side] {
		return c
	}
	c.syn[side], c.start[side] = true, first
	if c.live != nil {
		if st := &c.live.sides[side]; !st.synced {
			st.synced, st.idle, st.next = true, false, first
			a.drain(c, side, at)
		}
	}
	return c
}

// data puts a segment in its place.
func (a *assembler) data(c *connection, side follow.Side, s *segment, at time.Time) {
	l := c.live
	st := &l.sides[side]
	if !st.seen {
		st.lowest, st.seen = s.seq, true
	}
	if !st.synced && a.joins(l, side, s) {
		st.synced, st.idle, st.next = true, false, s.seq
		if other := &l.sides[1-side]; !other.synced && s.flags&flagACK != 0 && s.ack != 0 && follow.StartsHello(s.data) {
			other.synced, other.idle, other.next = true, false, s.ack
			a.drain(c, 1-side, at)
		}
	}
	switch {
	case st.synced && int32(s.seq-st.next) <= 0:
		if int32(s.seq+uint32(len(s.data))-st.next) <= 0 {
			l.repeated(side, s, at)
			return
		}
		a.feed(l, side, s.seq, s.data, s.missing, at)
		a.drain(c, side, at)
		return
	case st.idle:
		return
	case !st.synced && len(st.pending) >= window:
		st.pending, st.idle = nil, true
		return
	case len(st.pending) >= maxPending:
		// What is missing will not come. A segment that looks like a hello begins the stream anew.
		st.pending, st.synced, st.idle = nil, false, true
		l.follower.Missing(side, 0)
		return
	}
	st.pending = append(st.pending, held{s.seq, bytes.Clone(s.data), s.missing})
}

// repeated counts a segment of the hello that came again for want of an answer. A keep-alive has one byte at most, and
// a capture that shows each packet twice shows it at once.
func (l *live) repeated(side follow.Side, s *segment, at time.Time) {
	if n := l.follower.Negotiation(); l.follower.Started() && side == l.follower.Client() && len(s.data) > 1 && n.AnswerAt.IsZero() && at.Sub(n.HelloAt) > 100*time.Millisecond {
		l.again++
	}
}

// joins reports whether a stream whose beginning was not captured can be read from this segment on.
func (a *assembler) joins(l *live, side follow.Side, s *segment) bool {
	if follow.StartsHello(s.data) {
		return true
	}
	// The answer to a hello, where only the hello's direction could be joined.
	return l.follower.Started() && side != l.follower.Client() && len(s.data) >= 6 && (s.data[0] == 22 || s.data[0] == 21) && s.data[1] == 3
}

// feed gives the follower what is new of a segment that touches the stream's end.
func (a *assembler) feed(l *live, side follow.Side, seq uint32, data []byte, missing int, at time.Time) {
	st := &l.sides[side]
	old := st.next - seq
	if uint64(old) < uint64(len(data)) {
		b := data[old:]
		st.next += uint32(len(b))
		l.follower.Data(side, b, at)
	}
	if missing > 0 && seq+uint32(len(data)) == st.next {
		st.next += uint32(missing)
		l.follower.Missing(side, missing)
	}
}

// drain feeds what waited for the stream to come so far.
func (a *assembler) drain(c *connection, side follow.Side, at time.Time) {
	l := c.live
	st := &l.sides[side]
	for more := len(st.pending) > 0; more; {
		more = false
		for i, p := range st.pending {
			if int32(p.seq-st.next) <= 0 {
				st.pending = append(st.pending[:i], st.pending[i+1:]...)
				a.feed(l, side, p.seq, p.data, p.missing, at)
				more = true
				break
			}
		}
	}
}
