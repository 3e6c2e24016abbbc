package testbed

import (
	"bufio"
	"encoding/binary"
	"io"
	"net/netip"
	"time"
)

// Frame is an Ethernet frame that a Dialogue made.
type Frame struct {
	FromClient bool
	Bytes      []byte
}

// Dialogue is a TCP connection as a capture shows it: what is sent on it becomes frames.
type Dialogue struct {
	Client, Server netip.AddrPort
	MSS            int    // bytes of a segment; 0: 1460
	VLAN           uint16 // 0: no tag
	Frames         []Frame
	seq            [2]uint32 // the client's, the server's
}

// Flags of TCP.
const (
	fin = 1
	syn = 2
	rst = 4
	psh = 8
	ack = 16
)

// NewDialogue opens a connection: SYN, SYN and ACK, ACK.
func NewDialogue(client, server netip.AddrPort) *Dialogue {
	d := &Dialogue{Client: client, Server: server, seq: [2]uint32{0xFFFFFF00 - uint32(client.Port()), uint32(server.Port()) << 12}}
	d.frame(true, syn, nil)
	d.seq[0]++
	d.frame(false, syn|ack, nil)
	d.seq[1]++
	d.frame(true, ack, nil)
	return d
}

// Send sends data in as many segments as it needs; the other side acknowledges each second one.
func (d *Dialogue) Send(fromClient bool, data []byte) {
	mss := d.MSS
	if mss == 0 {
		mss = 1460
	}
	for i := 0; len(data) > 0; i++ {
		n := min(mss, len(data))
		flags := byte(ack)
		if n == len(data) {
			flags |= psh
		}
		d.frame(fromClient, flags, data[:n])
		d.seq[index(fromClient)] += uint32(n)
		if data = data[n:]; i%2 == 1 {
			d.frame(!fromClient, ack, nil)
		}
	}
}

// Say sends turns one after the other.
func (d *Dialogue) Say(turns ...Turn) {
	for _, t := range turns {
		switch {
		case t.Reset:
			d.Reset(t.FromClient)
		case t.Close:
			d.Close(t.FromClient)
		default:
			d.Send(t.FromClient, t.Data)
		}
	}
}

// Close sends a FIN.
func (d *Dialogue) Close(fromClient bool) {
	d.frame(fromClient, fin|ack, nil)
	d.seq[index(fromClient)]++
}

// Reset sends an RST.
func (d *Dialogue) Reset(fromClient bool) { d.frame(fromClient, rst|ack, nil) }

func index(fromClient bool) int {
	if fromClient {
		return 0
	}
	return 1
}

func (d *Dialogue) frame(fromClient bool, flags byte, data []byte) {
	from, to := d.Client, d.Server
	if !fromClient {
		from, to = to, from
	}
	seg := make([]byte, 20, 20+len(data))
	binary.BigEndian.PutUint16(seg, from.Port())
	binary.BigEndian.PutUint16(seg[2:], to.Port())
	binary.BigEndian.PutUint32(seg[4:], d.seq[index(fromClient)])
	if flags&ack != 0 {
		binary.BigEndian.PutUint32(seg[8:], d.seq[index(!fromClient)])
	}
	seg[12], seg[13], seg[14], seg[15] = 5<<4, flags, 0xFF, 0xFF
	seg = append(seg, data...)
	sum := checksum(checksum(uint32(6+len(seg)), from.Addr().AsSlice()), to.Addr().AsSlice())
	binary.BigEndian.PutUint16(seg[16:], fold(checksum(sum, seg)))
	d.Frames = append(d.Frames, Frame{fromClient, Ethernet(d.VLAN, IP(from.Addr(), to.Addr(), 6, seg))})
}

// IP puts a header before the content of a packet.
func IP(from, to netip.Addr, proto byte, body []byte) []byte {
	if from.Is6() {
		b := make([]byte, 8, 40+len(body))
		b[0], b[6], b[7] = 0x60, proto, 64
		binary.BigEndian.PutUint16(b[4:], uint16(len(body)))
		return append(append(append(b, from.AsSlice()...), to.AsSlice()...), body...)
	}
	b := make([]byte, 20, 20+len(body))
	b[0], b[6], b[8], b[9] = 0x45, 0x40, 64, proto
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(body)))
	copy(b[12:], from.AsSlice())
	copy(b[16:], to.AsSlice())
	binary.BigEndian.PutUint16(b[10:], fold(checksum(0, b)))
	return append(b, body...)
}

// Ethernet puts a header before an IP packet, with a VLAN tag if vlan is not 0.
func Ethernet(vlan uint16, packet []byte) []byte {
	b := make([]byte, 12, 18+len(packet))
	b[0], b[5], b[6], b[11] = 2, 2, 2, 1
	if vlan != 0 {
		b = binary.BigEndian.AppendUint16(append(b, 0x81, 0), vlan)
	}
	if packet[0]>>4 == 6 {
		b = append(b, 0x86, 0xDD)
	} else {
		b = append(b, 8, 0)
	}
	return append(b, packet...)
}

func checksum(sum uint32, b []byte) uint32 {
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	return sum>>16 + sum&0xFFFF
}

func fold(sum uint32) uint16 {
	for sum > 0xFFFF {
		sum = sum>>16 + sum&0xFFFF
	}
	return ^uint16(sum)
}

// Pcap writes frames to a capture file (libpcap's format, Ethernet).
type Pcap struct {
	w       *bufio.Writer
	At      time.Time // of the next frame
	Step    time.Duration
	Packets int
	Bytes   int64 // of the file
}

// NewPcap begins a file. Frames are a hundred microseconds apart.
func NewPcap(w io.Writer, at time.Time) *Pcap {
	p := &Pcap{w: bufio.NewWriterSize(w, 1<<20), At: at, Step: 100 * time.Microsecond, Bytes: 24}
	h := binary.LittleEndian.AppendUint32(nil, 0xA1B2C3D4)
	h = append(h, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	h = binary.LittleEndian.AppendUint32(h, 1<<18)
	p.w.Write(binary.LittleEndian.AppendUint32(h, 1))
	return p
}

// Write appends frames.
func (p *Pcap) Write(frames ...Frame) {
	for _, f := range frames {
		var h [16]byte
		binary.LittleEndian.PutUint32(h[0:], uint32(p.At.Unix()))
		binary.LittleEndian.PutUint32(h[4:], uint32(p.At.Nanosecond()/1000))
		binary.LittleEndian.PutUint32(h[8:], uint32(len(f.Bytes)))
		binary.LittleEndian.PutUint32(h[12:], uint32(len(f.Bytes)))
		p.w.Write(h[:])
		p.w.Write(f.Bytes)
		p.At = p.At.Add(p.Step)
		p.Packets++
		p.Bytes += int64(16 + len(f.Bytes))
	}
}

// Flush writes what is buffered; the error is the first of all writes.
func (p *Pcap) Flush() error { return p.w.Flush() }
