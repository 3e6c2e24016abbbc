package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/parley-tls/parley/follow"
)

// Connection is a connection of a capture on which TLS was negotiated, or plaintext was spoken in its place.
type Connection struct {
	*follow.Negotiation
	Client netip.AddrPort // or the last machine that translated its address
	Server netip.AddrPort
	First  time.Time // of the first packet
	Packet int       // number of the packet that completed the hello, from 1; 0 if none did
	Again  int       // segments of the client that came again after its hello was whole: the way loses packets
}

// Stats is what was read of a capture.
type Stats struct {
	Packets  int
	Segments int // of TCP, with data
	// Partial counts connections of which only a part of the hello is there.
	Partial  int
	Warnings []string // damaged places: what is wrong and at which byte; the first few
	Damaged  int      // all of them
	Dropped  int      // live: packets that the kernel had no room for
	First    time.Time
	Last     time.Time
}

// Follow reads a packet capture (pcap or pcapng, packed by gzip or not) and calls each for every negotiation in it, in the order in which
// they were decided. What a damaged file still holds is read: Stats.Warnings has the places. An error says that it is
// no capture or cannot be read at all; name is for that error.
func Follow(name string, r io.Reader, each func(*Connection)) (*Stats, error) {
	br, err := unpack(bufio.NewReader(r))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	head, err := br.Peek(4)
	switch {
	case err != nil && err != io.EOF:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(head) == 0:
		return nil, fmt.Errorf("%s: an empty file: a packet capture is expected, in pcap or pcapng", name)
	case !isPcap(head) && !isPcapNG(head):
		return nil, fmt.Errorf("%s: no packet capture: it begins with % x, pcap with d4 c3 b2 a1 and pcapng with 0a 0d 0d 0a", name, head)
	}
	a := newAssembler()
	a.seen = each
	st, err := a.read(br, isPcapNG(head), func() bool { return false })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return st, nil
}

// read reads packets until the end of the file, or until stop says so.
func (a *assembler) read(r io.Reader, ng bool, stop func() bool) (*Stats, error) {
	file, err := openPackets(r, ng)
	if err != nil {
		return nil, err
	}
	var d decoder
	var s segment
	st := &Stats{}
	for !stop() {
		p, err := file.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		a.number++
		if st.First.IsZero() {
			st.First = p.time
		}
		st.Last = p.time
		if d.packet(p.link, p.data, &s) {
			a.segment(&s, p.time)
		}
	}
	a.finish()
	state := file.state()
	st.Packets, st.Segments, st.Partial, st.Warnings, st.Damaged = a.number, a.tcp, a.partial, state.warnings, state.damaged
	return st, nil
}

// HelloAt returns the hello in a capture that is whole with the packet of this number, from 1.
func HelloAt(path string, number int) (*Found, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	br, err := unpack(bufio.NewReaderSize(f, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	head, _ := br.Peek(4)
	if !isPcap(head) && !isPcapNG(head) {
		return nil, fmt.Errorf("%s: no packet capture, so it has no packet %d", path, number)
	}
	found, err := readPackets(br, isPcapNG(head), number)
	if len(found) > 0 {
		return &found[0], nil
	}
	if err != nil && !errors.Is(err, ErrNone) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return nil, fmt.Errorf("%s: %w ends with packet %d", path, ErrNone, number)
}

// readPackets finds the hellos in a packet capture; only, if it is not 0, is the packet whose hello is wanted.
func readPackets(r io.Reader, ng bool, only int) ([]Found, error) {
	var found []Found
	var malformed error
	a := newAssembler()
	a.hello = func(c *connection, nth int, at time.Time) {
		n := c.live.follower.Negotiation()
		client := c.live.follower.Client()
		f := Found{Hello: n.Hello, Source: c.endpointOf(client), Destination: c.endpointOf(1 - client), Time: at, Packet: a.number}
		if nth == 2 {
			f.Hello, f.Retry = n.Second, true
		}
		if only == 0 || only == a.number {
			found = append(found, f)
		}
	}
	a.seen = func(c *Connection) {
		if c.BadHello != nil && malformed == nil {
			malformed = fmt.Errorf("packet %d, from %s to %s: %w", a.number, c.Client, c.Server, c.BadHello)
		}
	}
	st, err := a.read(r, ng, func() bool { return len(found) >= MaxFound || only > 0 && a.number >= only })
	format := "pcap"
	if ng {
		format = "pcapng"
	}
	switch {
	case err != nil:
		return nil, err
	case st.Damaged > 0:
		return found, errors.New(st.Warnings[0])
	case len(found) > 0:
		return found, nil
	case st.Packets == 0:
		return nil, fmt.Errorf("%w: the %s file holds no packets", ErrNone, format)
	case st.Segments == 0:
		return nil, fmt.Errorf("%w: none of the %d packets carries TCP data", ErrNone, st.Packets)
	case malformed != nil:
		return nil, malformed
	case a.example != "":
		return nil, fmt.Errorf("%w that is whole: parts of the one %s are missing (capture full packets: tcpdump -s 0)", ErrNone, a.example)
	}
	return nil, fmt.Errorf("%w in %d packets with TCP data: start the capture before the client connects", ErrNone, st.Segments)
}
