package capture

import (
	"encoding/binary"
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// endpoint is an address and a port in a form that makes a cheap key of a map.
type endpoint struct {
	addr [16]byte // IPv4 as ::ffff:a.b.c.d
	port uint16
}

func (e endpoint) addrPort() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(e.addr).Unmap(), e.port)
}

// Flags of a TCP header (RFC 9293 section 3.1).
const (
	flagFIN = 1 << 0
	flagSYN = 1 << 1
	flagRST = 1 << 2
	flagACK = 1 << 4
)

// segment is one TCP segment.
type segment struct {
	from, to endpoint
	seq, ack uint32
	flags    uint8
	data     []byte
	missing  int // bytes after data that were not captured
}

// decoder finds the TCP segment in a packet. The common headers are read here, for speed; what they do not lead to
// goes to gopacket, which knows more kinds of links and tunnels.
type decoder struct {
	fragments fragments
	depth     int
}

// maxDepth is how many headers of tunnels may be around a packet.
const maxDepth = 8

// EtherTypes and protocol numbers (IEEE, IANA).
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86DD

	protoHopByHop = 0
	protoIPv4     = 4
	protoTCP      = 6
	protoUDP      = 17
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoGRE      = 47
	protoAH       = 51
	protoOptions  = 60
	protoEtherIP  = 97

	portGTP        = 2152
	portTeredo     = 3544
	portVXLAN      = 4789
	portVXLANLinux = 8472 // the default of Linux, from before the port was assigned
	portGeneve     = 6081
	portMPLS       = 6635
)

// packet finds the segment in a packet; of tunnels the innermost counts.
func (d *decoder) packet(link layers.LinkType, data []byte, s *segment) bool {
	d.depth = 0
	switch link {
	case layers.LinkTypeEthernet:
		return d.ethernet(data, s)
	case layers.LinkTypeRaw, 12, 14, layers.LinkTypeIPv4, layers.LinkTypeIPv6:
		return d.ip(data, s)
	case layers.LinkTypeNull, layers.LinkTypeLoop:
		return len(data) > 4 && d.ip(data[4:], s)
	case layers.LinkTypeLinuxSLL:
		return len(data) >= 16 && d.ether(binary.BigEndian.Uint16(data[14:]), data[16:], s)
	case 276: // LINKTYPE_LINUX_SLL2
		return len(data) >= 20 && d.ether(binary.BigEndian.Uint16(data), data[20:], s)
	case 104: // LINKTYPE_C_HDLC
		return len(data) >= 4 && d.ether(binary.BigEndian.Uint16(data[2:]), data[4:], s)
	}
	return d.other(data, link, s)
}

func (d *decoder) ethernet(b []byte, s *segment) bool {
	return len(b) >= 14 && d.ether(binary.BigEndian.Uint16(b[12:]), b[14:], s)
}

// ether reads what follows an EtherType.
func (d *decoder) ether(kind uint16, b []byte, s *segment) bool {
	for range maxDepth {
		switch kind {
		case etherIPv4:
			return d.ipv4(b, s)
		case etherIPv6:
			return d.ipv6(b, s)
		case 0x8100, 0x88A8, 0x9100: // VLAN tags
			if len(b) < 4 {
				return false
			}
			kind, b = binary.BigEndian.Uint16(b[2:]), b[4:]
		case 0x8847, 0x8848: // MPLS
			return d.other(b, layers.LayerTypeMPLS, s)
		case 0x8864: // PPPoE
			return d.other(b, layers.LayerTypePPPoE, s)
		default:
			if kind < 0x600 { // a length (IEEE 802.3): the kind stands in the LLC header
				return d.other(b, layers.LayerTypeLLC, s)
			}
			return false
		}
	}
	return false
}

func (d *decoder) ip(b []byte, s *segment) bool {
	switch {
	case len(b) == 0:
	case b[0]>>4 == 4:
		return d.ipv4(b, s)
	case b[0]>>4 == 6:
		return d.ipv6(b, s)
	}
	return false
}

func (d *decoder) ipv4(b []byte, s *segment) bool {
	if len(b) < 20 || b[0]>>4 != 4 {
		return false
	}
	header, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	if header < 20 || len(b) < header {
		return false
	}
	if total == 0 { // left to the network card, which cut the packet after it was captured
		total = len(b)
	}
	if total < header {
		return false
	}
	s.from.addr, s.to.addr = v4(b[12:16]), v4(b[16:20])
	s.missing = max(0, total-len(b))
	body := b[header:min(total, len(b))]
	if part := binary.BigEndian.Uint16(b[6:]); part&0x3FFF != 0 {
		if s.missing > 0 {
			return false
		}
		key := fragmentKey{s.from.addr, s.to.addr, uint32(binary.BigEndian.Uint16(b[4:])), b[9]}
		body = d.fragments.add(key, int(part&0x1FFF)*8, part&0x2000 != 0, body)
		if body == nil {
			return false
		}
	}
	return d.transport(b[9], body, s)
}

func v4(b []byte) (a [16]byte) {
	a[10], a[11] = 0xFF, 0xFF
	copy(a[12:], b)
	return a
}

func (d *decoder) ipv6(b []byte, s *segment) bool {
	if len(b) < 40 || b[0]>>4 != 6 {
		return false
	}
	copy(s.from.addr[:], b[8:24])
	copy(s.to.addr[:], b[24:40])
	total := 40 + int(binary.BigEndian.Uint16(b[4:]))
	if total == 40 { // a jumbogram, or left to the network card
		total = len(b)
	}
	s.missing = max(0, total-len(b))
	next, body := b[6], b[40:min(total, len(b))]
	for range maxDepth {
		switch next {
		case protoHopByHop, protoRouting, protoOptions:
			if len(body) < 8 || len(body) < 8+int(body[1])*8 {
				return false
			}
			next, body = body[0], body[8+int(body[1])*8:]
		case protoAH:
			if len(body) < 8 || len(body) < 8+int(body[1])*4 {
				return false
			}
			next, body = body[0], body[8+int(body[1])*4:]
		case protoFragment:
			if len(body) < 8 {
				return false
			}
			part := binary.BigEndian.Uint16(body[2:])
			next0, id := body[0], binary.BigEndian.Uint32(body[4:])
			body = body[8:]
			if part&0xFFF9 != 0 {
				if s.missing > 0 {
					return false
				}
				body = d.fragments.add(fragmentKey{s.from.addr, s.to.addr, id, protoFragment}, int(part&0xFFF8), part&1 != 0, body)
				if body == nil {
					return false
				}
			}
			next = next0
		default:
			return d.transport(next, body, s)
		}
	}
	return false
}

// transport reads what an IP packet carries.
func (d *decoder) transport(proto uint8, b []byte, s *segment) bool {
	switch proto {
	case protoTCP:
		return readTCP(b, s)
	case protoUDP:
		if len(b) < 8 {
			return false
		}
		return d.datagram(binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), b, s)
	case protoIPv4, protoIPv6:
		return d.deeper() && d.ip(b, s)
	case protoGRE:
		return d.other(b, layers.LayerTypeGRE, s)
	case protoEtherIP:
		return d.other(b, layers.LayerTypeEtherIP, s)
	}
	return false
}

// datagram reads the tunnel, if any, in a UDP datagram; b begins with its header.
func (d *decoder) datagram(from, to uint16, b []byte, s *segment) bool {
	switch to {
	case portVXLAN, portVXLANLinux: // RFC 7348: the flag says that there is a network identifier
		return len(b) >= 16 && b[8]&0x08 != 0 && d.deeper() && d.ethernet(b[16:], s)
	case portGTP, portGeneve:
		return d.other(b, layers.LayerTypeUDP, s)
	case portMPLS:
		return d.other(b[8:], layers.LayerTypeMPLS, s)
	}
	if to == portTeredo || from == portTeredo {
		return d.teredo(b[8:], s)
	}
	return false
}

// teredo reads IPv6 in UDP, with the indications that a server puts before it (RFC 4380 section 5.1.1).
func (d *decoder) teredo(b []byte, s *segment) bool {
	if len(b) >= 4 && b[0] == 0 && b[1] == 1 { // authentication: two lengths, what they count, a nonce, a byte
		n := 13 + int(b[2]) + int(b[3])
		if len(b) < n {
			return false
		}
		b = b[n:]
	}
	if len(b) >= 8 && b[0] == 0 && b[1] == 0 { // the origin
		b = b[8:]
	}
	return d.deeper() && d.ipv6(b, s)
}

func (d *decoder) deeper() bool {
	d.depth++
	return d.depth <= maxDepth
}

func readTCP(b []byte, s *segment) bool {
	if len(b) < 20 {
		return false
	}
	header := int(b[12]>>4) * 4
	if header < 20 || len(b) < header {
		return false
	}
	s.from.port, s.to.port = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	s.seq, s.ack, s.flags = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:]), b[13]
	s.data = b[header:]
	return true
}

// other has gopacket decode the headers that are not read here. The first IP packet behind them is read as any other is,
// with its fragments and tunnels.
func (d *decoder) other(b []byte, first gopacket.Decoder, s *segment) bool {
	if !d.deeper() {
		return false
	}
	var header, payload []byte
	switch l := gopacket.NewPacket(b, first, gopacket.DecodeOptions{NoCopy: true, Lazy: true}).NetworkLayer().(type) {
	case *layers.IPv4:
		header, payload = l.Contents, l.Payload
	case *layers.IPv6:
		header, payload = l.Contents, l.Payload
	}
	return d.ip(header[:len(header)+len(payload)], s) // which lie one behind the other in b
}
