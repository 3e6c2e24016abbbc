package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

func isPcap(b []byte) bool {
	switch string(b) {
	case "\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1", "\xa1\xb2\x3c\x4d":
		return true
	}
	return false
}

func isPcapNG(b []byte) bool { return string(b) == "\x0a\x0d\x0d\x0a" }

// packetReader is what pcapgo's two readers have in common.
type packetReader interface {
	ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error)
}

// counter counts the bytes that were taken from a file, so that an error can name the place.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// readPackets reads a packet capture. pcapgo allocates no more than the file really holds.
func readPackets(r io.Reader, ng bool) ([]Found, error) {
	count := &counter{r: r}
	// pcapgo buffers its input with a buffer of at most this size unless it gets one: the buffer's rest
	// tells how far it has read.
	buf := bufio.NewReaderSize(count, 1<<16)
	format := "pcap"
	var packets packetReader
	var linkType func(gopacket.CaptureInfo) layers.LinkType
	if ng {
		format = "pcapng"
		p, err := pcapgo.NewNgReader(buf, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
		if err != nil {
			return nil, fmt.Errorf("a damaged pcapng file: %w", plain(err))
		}
		packets = p
		linkType = func(ci gopacket.CaptureInfo) layers.LinkType {
			if len(ci.AncillaryData) > 0 {
				if l, ok := ci.AncillaryData[0].(layers.LinkType); ok {
					return l
				}
			}
			return p.LinkType()
		}
	} else {
		p, err := pcapgo.NewReader(buf)
		if err != nil {
			return nil, fmt.Errorf("a damaged pcap file: %w", plain(err))
		}
		packets = p
		linkType = func(gopacket.CaptureInfo) layers.LinkType { return p.LinkType() }
	}
	f := newFinder()
	for n := 1; ; n++ {
		start := count.n - int64(buf.Buffered())
		data, ci, err := packets.ZeroCopyReadPacketData()
		switch {
		case errors.Is(err, io.EOF) && (ng || count.n-int64(buf.Buffered()) == start):
			return f.result(format, n-1) // the pcapng reader tells an end between blocks from one inside a block
		case err != nil:
			return f.found, fmt.Errorf("a damaged %s file: packet %d, at byte %d: %w", format, n, start, plain(err))
		}
		f.packet(n, linkType(ci), data, ci)
		if len(f.found) == MaxFound {
			return f.found, nil
		}
	}
}

// plain says what an end of file means here.
func plain(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends in the middle of it")
	}
	return err
}

// packet feeds the TCP segment of one packet, if it has one, to its connection. Of tunnels (VXLAN as in
// traffic mirroring, GRE, IP in IP) the innermost counts.
func (f *finder) packet(n int, link layers.LinkType, data []byte, ci gopacket.CaptureInfo) {
	p := gopacket.NewPacket(data, link, gopacket.DecodeOptions{NoCopy: true})
	var src, dst netip.Addr
	var tcp *layers.TCP
	for _, l := range p.Layers() {
		switch l := l.(type) {
		case *layers.IPv4:
			src, _ = netip.AddrFromSlice(l.SrcIP)
			dst, _ = netip.AddrFromSlice(l.DstIP)
			tcp = nil
		case *layers.IPv6:
			src, _ = netip.AddrFromSlice(l.SrcIP)
			dst, _ = netip.AddrFromSlice(l.DstIP)
			tcp = nil
		case *layers.TCP:
			tcp = l
		}
	}
	if tcp == nil {
		return
	}
	f.segment(segment{
		from: netip.AddrPortFrom(src.Unmap(), uint16(tcp.SrcPort)), to: netip.AddrPortFrom(dst.Unmap(), uint16(tcp.DstPort)),
		seq: tcp.Seq, syn: tcp.SYN, data: tcp.Payload, time: ci.Timestamp, packet: n,
	})
}
