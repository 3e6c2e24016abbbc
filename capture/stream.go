package capture

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/parley-tls/parley/hello"
)

// Limits on what is kept of connections while a capture is read.
const (
	maxFlows   = 1 << 14   // directions of connections; the oldest is forgotten
	maxBytes   = 64 << 20  // of all of them
	maxPending = 256       // segments of one that wait for a missing one
	maxHello   = 160 << 10 // bytes of one: more than a hello can have with the headers of its records
	window     = 32        // segments of one that are kept before its beginning is known
)

// segment is what one packet adds to one direction of a connection.
type segment struct {
	from, to netip.AddrPort
	seq      uint32
	syn      bool
	data     []byte
	time     time.Time
	packet   int
}

// flowKey names one direction of a connection.
type flowKey struct{ from, to netip.AddrPort }

// flow is one direction of a connection as far as it may hold a ClientHello.
type flow struct {
	key     flowKey
	lowest  uint32    // sequence number of the first data seen
	seen    bool      // lowest is set
	synced  bool      // next is set: where the stream goes on is known
	next    uint32    // sequence number of the byte after buf
	buf     []byte    // of the stream, from where a hello may begin
	want    int       // size of buf before it is worth looking at again
	skip    int       // bytes to come that belong to a record of another kind
	pending []segment // that arrived ahead of next
	hellos  int
}

func (fl *flow) size() int {
	n := cap(fl.buf)
	for _, s := range fl.pending {
		n += len(s.data)
	}
	return n
}

// finder puts segments in order, in whatever order they come, and looks for hellos in the streams. A stream
// begins with its SYN, or at a segment that looks like a hello where the capture missed the SYN.
type finder struct {
	flows map[flowKey]*flow
	queue []*flow // oldest first
	bytes int
	tcp   int // segments with data
	found []Found

	malformed error // of the first hello that cannot be read
}

func newFinder() *finder { return &finder{flows: make(map[flowKey]*flow)} }

// result is what a whole file gave.
func (f *finder) result(format string, packets int) ([]Found, error) {
	switch {
	case len(f.found) > 0:
		return f.found, nil
	case packets == 0:
		return nil, fmt.Errorf("%w: the %s file holds no packets", ErrNone, format)
	case f.tcp == 0:
		return nil, fmt.Errorf("%w: none of the %d packets carries TCP data", ErrNone, packets)
	}
	if f.malformed != nil {
		return nil, f.malformed
	}
	for _, fl := range f.queue {
		if startsHello(fl.buf) {
			return nil, fmt.Errorf("%w that is whole: parts of the one from %s to %s are missing (capture full packets: tcpdump -s 0)", ErrNone, fl.key.from, fl.key.to)
		}
	}
	return nil, fmt.Errorf("%w in %d packets with TCP data: start the capture before the client connects", ErrNone, f.tcp)
}

func (f *finder) segment(s segment) {
	if !s.syn && len(s.data) == 0 {
		return
	}
	fl := f.flow(flowKey{s.from, s.to})
	before := fl.size()
	if s.syn {
		s.seq++
		fl.begin(s.seq)
	}
	if len(s.data) > 0 {
		f.tcp++
		if !fl.seen {
			fl.lowest, fl.seen = s.seq, true
		}
		if at, ok := fl.data(s); ok {
			f.scan(fl, at)
		}
	}
	f.bytes += fl.size() - before
}

// flow returns the state of a direction, new if need be.
func (f *finder) flow(key flowKey) *flow {
	if fl := f.flows[key]; fl != nil {
		return fl
	}
	for len(f.flows) >= maxFlows || f.bytes > maxBytes {
		old := f.queue[0]
		f.queue = f.queue[1:]
		f.bytes -= old.size()
		delete(f.flows, old.key)
	}
	fl := &flow{key: key}
	f.flows[key] = fl
	f.queue = append(f.queue, fl)
	return fl
}

// begin takes note of a SYN before the byte numbered next. It belongs to the data that was seen already if
// it only came late; else the ports are used again.
func (fl *flow) begin(next uint32) {
	if late := fl.seen && fl.lowest-next < 1<<16; !late {
		*fl = flow{key: fl.key}
	} else if fl.synced {
		return
	}
	fl.synced, fl.next = true, next
}

// data puts a segment in its place. It returns the segment by which the stream grew, if it did.
func (fl *flow) data(s segment) (grown segment, ok bool) {
	if !fl.synced && startsHello(s.data) {
		fl.synced, fl.next = true, s.seq
	}
	switch {
	case fl.synced && int32(s.seq-fl.next) <= 0:
		ok = fl.append(s)
		for more := ok; more; {
			more = false
			for i, p := range fl.pending {
				if int32(p.seq-fl.next) <= 0 {
					fl.pending = append(fl.pending[:i], fl.pending[i+1:]...)
					fl.append(p)
					more = true
					break
				}
			}
		}
		return s, ok
	case !fl.synced && len(fl.pending) >= window:
		fl.pending = append(fl.pending[:0], fl.pending[1:]...)
	case len(fl.pending) >= maxPending:
		// What is missing will not come. The next segment that looks like a hello begins the stream anew.
		fl.synced, fl.buf, fl.want, fl.skip, fl.pending = false, nil, 0, 0, nil
	}
	s.data = bytes.Clone(s.data)
	fl.pending = append(fl.pending, s)
	return s, false
}

// append adds what is new of a segment that touches the stream's end.
func (fl *flow) append(s segment) bool {
	old := fl.next - s.seq
	if uint64(old) >= uint64(len(s.data)) {
		return false // sent again
	}
	b := s.data[old:]
	fl.next += uint32(len(b))
	n := min(fl.skip, len(b))
	fl.skip -= n
	fl.buf = append(fl.buf, b[n:]...)
	return true
}

// scan looks for hellos in what the stream holds, and drops what cannot be part of one.
func (f *finder) scan(fl *flow, s segment) {
	for len(fl.buf) > 0 && len(fl.buf) >= fl.want {
		fl.want = 0
		h, err := hello.ParseClientHello(fl.buf)
		record, size := recordHeader(fl.buf)
		switch {
		case err == nil:
			if len(f.found) < MaxFound {
				f.found = append(f.found, Found{Hello: h, Source: fl.key.from, Destination: fl.key.to, Time: s.time, Packet: s.packet, Retry: fl.hellos > 0})
			}
			fl.hellos++
			fl.drop(h.WireSize())
		case errors.Is(err, hello.ErrIncomplete) && plausible(fl.buf) && len(fl.buf) < maxHello:
			fl.want = wanted(fl.buf)
			return
		case len(fl.buf) < 6 && fl.buf[0] >= hello.RecordChangeCipherSpec && fl.buf[0] <= hello.RecordApplicationData && (len(fl.buf) < 2 || fl.buf[1] == 3):
			return // the header of a record
		case record && !startsHello(fl.buf):
			fl.drop(size) // ChangeCipherSpec before a second hello, key exchanges, alerts, data
		default:
			if startsHello(fl.buf) && f.malformed == nil {
				f.malformed = fmt.Errorf("packet %d, from %s to %s: %w", s.packet, fl.key.from, fl.key.to, err)
			}
			n := bytes.IndexByte(fl.buf[1:], hello.RecordHandshake) // after plaintext
			if n < 0 {
				n = len(fl.buf) - 1
			}
			fl.drop(1 + n)
		}
	}
}

// wanted returns how long b must be before it is worth another look: until it can be told from other things,
// then until its last record is whole.
func wanted(b []byte) int {
	if len(b) < 6 {
		return 6
	}
	if b[0]&0x80 != 0 {
		if len(b) < 11 {
			return 11
		}
		return 2 + int(b[0]&0x7F)<<8 + int(b[1])
	}
	n := 0
	for n+5 <= len(b) {
		n += 5 + int(b[n+3])<<8 + int(b[n+4])
	}
	return n
}

// drop removes n bytes from the front of the stream; of those that are still to come they are skipped.
func (fl *flow) drop(n int) {
	if n >= len(fl.buf) {
		fl.skip += n - len(fl.buf)
		fl.buf = nil
		return
	}
	fl.buf = fl.buf[n:]
}

// plausible reports whether b, a few bytes perhaps, can be the beginning of a hello.
func plausible(b []byte) bool {
	if len(b) >= 6 {
		return startsHello(b)
	}
	return b[0] == hello.RecordHandshake && (len(b) < 2 || b[1] == 3) || b[0]&0x80 != 0 && len(b) < 3 || b[0]&0x80 != 0 && b[2] == 1
}

// recordHeader reports whether b begins with the header of a TLS record, and its size with the header.
func recordHeader(b []byte) (ok bool, size int) {
	if len(b) < 5 || b[0] < hello.RecordChangeCipherSpec || b[0] > hello.RecordApplicationData || b[1] != 3 || b[2] > 4 {
		return false, 0
	}
	n := int(b[3])<<8 | int(b[4])
	return n <= 1<<14+2048, 5 + n
}
