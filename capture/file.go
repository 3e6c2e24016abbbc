package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gopacket/gopacket/layers"
)

func isPcap(b []byte) bool {
	switch string(b) {
	case "\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1", "\xa1\xb2\x3c\x4d":
		return true
	}
	return false
}

func isPcapNG(b []byte) bool { return string(b) == "\x0a\x0d\x0d\x0a" }

// maxPacket is the most bytes of one packet: what libpcap takes (MAXIMUM_SNAPLEN).
const maxPacket = 1 << 18

// fileBuffer holds a packet and the header of the next one, so that a place to go on after damage can be proved.
const fileBuffer = 2*maxPacket + 64

// maxWarnings is how many damaged places are described; the others are counted.
const maxWarnings = 5

// packet is one packet of a file. Data is valid until the next one is read.
type packet struct {
	link layers.LinkType
	time time.Time
	data []byte
	wire int // bytes that it had on the wire
}

// packetFile reads the packets of a file one by one. A damaged place is noted in warnings, and reading goes on where
// packets begin again.
type packetFile interface {
	next() (packet, error) // io.EOF at the end
	state() *fileState
}

// fileState is what both formats have in common.
type fileState struct {
	format   string
	r        *bufio.Reader
	at       int64 // offset of what r gives next
	packets  int
	warnings []string
	damaged  int // places
	last     time.Time
	failed   error // of reading, other than the end
}

func (f *fileState) state() *fileState { return f }

// openPackets reads the header of a file of this format.
func openPackets(r io.Reader, ng bool) (packetFile, error) {
	state := fileState{format: "pcap", r: bufio.NewReaderSize(r, fileBuffer)}
	if ng {
		state.format = "pcapng"
		f := &ngFile{fileState: state}
		return f, f.begin()
	}
	f := &pcapFile{fileState: state}
	return f, f.begin()
}

// peek returns n bytes, or as many as there are.
func (f *fileState) peek(n int) []byte {
	b, err := f.r.Peek(n)
	if err != nil && err != io.EOF && f.failed == nil {
		f.failed = err
	}
	return b
}

func (f *fileState) skip(n int) error {
	done, err := f.r.Discard(n)
	f.at += int64(done)
	return err
}

// damage notes what is wrong at the place that is read next.
func (f *fileState) damage(why string) {
	if f.damaged++; f.damaged <= maxWarnings {
		f.warnings = append(f.warnings, fmt.Sprintf("a damaged %s file: packet %d, at byte %d: %s", f.format, f.packets+1, f.at, why))
	}
}

// cut notes a file that ends inside a packet.
func (f *fileState) cut() error {
	if f.failed != nil {
		f.damage(f.failed.Error())
	} else {
		f.damage("the file ends in the middle of it")
	}
	f.skip(len(f.peek(fileBuffer)))
	return io.EOF
}

// seek skips bytes until plausible holds of what follows: a file that lost bytes has its blocks at any offset, though
// pcapng aligns them. It returns false where it never does.
func (f *fileState) seek(plausible func(b []byte) bool) bool {
	for {
		b := f.peek(fileBuffer)
		limit := len(b)
		if limit == fileBuffer {
			limit -= maxPacket + 32 // so that a whole packet and a header follow
		}
		for i := 1; i < limit; i++ {
			if plausible(b[i:]) {
				f.skip(i)
				return true
			}
		}
		if len(b) < fileBuffer {
			f.skip(len(b))
			return false
		}
		f.skip(limit)
	}
}

// goOn looks for the next packet after a damaged place; io.EOF says that there is none.
func (f *fileState) goOn(why string, plausible func(b []byte) bool) error {
	from := f.at
	f.damage(why)
	ok := f.seek(plausible)
	if n := len(f.warnings); f.damaged == n && n > 0 {
		if ok {
			f.warnings[n-1] += fmt.Sprintf("; %d bytes were skipped", f.at-from)
		} else {
			f.warnings[n-1] += "; no packet was found after it"
		}
	}
	if !ok {
		return io.EOF
	}
	return nil
}

// pcapFile is a file in libpcap's format (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html).
type pcapFile struct {
	fileState
	order binary.ByteOrder
	link  layers.LinkType
	unit  time.Duration // of the fraction of a second
}

const pcapHeader = 16 // bytes before each packet

func (f *pcapFile) begin() error {
	b := f.peek(24)
	if len(b) < 24 {
		return errors.New("a damaged pcap file: the file ends in the middle of its header")
	}
	f.order, f.unit = binary.ByteOrder(binary.LittleEndian), time.Microsecond
	if b[0] == 0xA1 {
		f.order = binary.BigEndian
	}
	if magic := f.order.Uint32(b); magic == 0xA1B23C4D {
		f.unit = time.Nanosecond
	}
	f.link = layers.LinkType(f.order.Uint32(b[20:]) & 0xFFFF)
	return f.skip(24)
}

func (f *pcapFile) next() (packet, error) {
	for {
		h := f.peek(pcapHeader)
		if len(h) == 0 && f.failed == nil {
			return packet{}, io.EOF
		}
		if len(h) < pcapHeader {
			return packet{}, f.cut()
		}
		n := f.order.Uint32(h[8:])
		if n > maxPacket {
			if err := f.goOn(fmt.Sprintf("it claims %d bytes, the limit is %d", n, maxPacket), f.plausible); err != nil {
				return packet{}, err
			}
			continue
		}
		b := f.peek(pcapHeader + int(n))
		if len(b) < pcapHeader+int(n) {
			// A wrong length in the midst of the file, or the end of it.
			if f.failed == nil && f.somewhere(b) {
				if err := f.goOn(fmt.Sprintf("it claims %d bytes, and the file ends before", n), f.plausible); err == nil {
					continue
				}
			}
			return packet{}, f.cut()
		}
		// Not h: its bytes may have moved.
		p := packet{link: f.link, data: b[pcapHeader:], wire: int(f.order.Uint32(b[12:])),
			time: time.Unix(int64(f.order.Uint32(b)), int64(f.order.Uint32(b[4:]))*int64(f.unit)).UTC()}
		f.packets++
		f.last = p.time
		f.skip(len(b)) // the bytes stay where they are until the next peek
		return p, nil
	}
}

// somewhere reports whether a packet begins anywhere in b after its first byte.
func (f *pcapFile) somewhere(b []byte) bool {
	for i := 1; i < len(b); i++ {
		if f.plausible(b[i:]) {
			return true
		}
	}
	return false
}

// plausible reports whether b begins with a packet, and what follows it with another or the end of the file.
func (f *pcapFile) plausible(b []byte) bool {
	n, ok := f.header(b)
	if !ok || len(b) < pcapHeader+n {
		return false
	}
	rest := b[pcapHeader+n:]
	if len(rest) == 0 {
		return true
	}
	_, ok = f.header(rest)
	return ok
}

// header reads the length in a packet header, and reports whether all of it can be true.
func (f *pcapFile) header(b []byte) (int, bool) {
	if len(b) < pcapHeader {
		return 0, false
	}
	n, wire := f.order.Uint32(b[8:]), f.order.Uint32(b[12:])
	second, fraction := int64(f.order.Uint32(b)), time.Duration(f.order.Uint32(b[4:]))*f.unit
	if n == 0 || n > wire || n > maxPacket || wire > 1<<20 || fraction >= time.Second {
		return 0, false
	}
	if !f.last.IsZero() {
		if d := second - f.last.Unix(); d < -86400 || d > 86400 {
			return 0, false
		}
	}
	return int(n), true
}
