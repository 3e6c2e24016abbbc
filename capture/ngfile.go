package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/gopacket/gopacket/layers"
)

// Block types of pcapng (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html).
const (
	ngSection   = 0x0A0D0D0A
	ngInterface = 1
	ngObsolete  = 2 // packet block
	ngSimple    = 3
	ngNames     = 4
	ngStatistic = 5
	ngEnhanced  = 6
	ngSecrets   = 10
)

const (
	maxInterfaces = 1 << 12
	maxBlock      = 64 << 20 // bytes of a block that is skipped
)

// ngFile is a file in the format pcapng.
type ngFile struct {
	fileState
	order      binary.ByteOrder
	interfaces []ngDevice // of this section
	beyond     bool       // there were too many
}

// ngDevice is an interface that packets were captured on.
type ngDevice struct {
	link   layers.LinkType
	unit   uint64 // of time stamps: so many are a second
	offset int64  // seconds to add
}

func (f *ngFile) begin() error {
	if err := f.section(); err != nil {
		return fmt.Errorf("a damaged pcapng file: %w", err)
	}
	return nil
}

// section reads the byte order of the section whose header is next, without taking it.
func (f *ngFile) section() error {
	b := f.peek(12)
	if len(b) < 12 {
		return errors.New("the file ends in the middle of its header")
	}
	switch string(b[8:12]) {
	case "\x1a\x2b\x3c\x4d":
		f.order = binary.BigEndian
	case "\x4d\x3c\x2b\x1a":
		f.order = binary.LittleEndian
	default:
		return fmt.Errorf("its byte order is marked % x", b[8:12])
	}
	f.interfaces, f.beyond = nil, false
	return nil
}

func (f *ngFile) next() (packet, error) {
	for {
		h := f.peek(12)
		if len(h) == 0 && f.failed == nil {
			return packet{}, io.EOF
		}
		if len(h) < 12 {
			return packet{}, f.cut()
		}
		if isPcapNG(h[:4]) {
			if err := f.section(); err != nil {
				if err := f.goOn(err.Error(), f.plausible); err != nil {
					return packet{}, err
				}
				continue
			}
		}
		kind, size := f.order.Uint32(h), f.order.Uint32(h[4:])
		holds := kind == ngEnhanced || kind == ngSimple || kind == ngObsolete || kind == ngInterface
		limit := uint32(maxBlock)
		if holds {
			limit = maxPacket + 4096 // with its options
		}
		if size < 12 || size%4 != 0 || size > limit {
			if err := f.goOn(fmt.Sprintf("a block of %d bytes", size), f.plausible); err != nil {
				return packet{}, err
			}
			continue
		}
		if !holds {
			if err := f.pass(int(size)); err != nil {
				return packet{}, err
			}
			continue
		}
		b := f.peek(int(size))
		if len(b) < int(size) {
			if f.failed == nil && f.somewhere(b) {
				if err := f.goOn(fmt.Sprintf("a block of %d bytes, and the file ends before", size), f.plausible); err == nil {
					continue
				}
			}
			return packet{}, f.cut()
		}
		p, isPacket, err := f.block(kind, b)
		if err != nil {
			if err := f.goOn(err.Error(), f.plausible); err != nil {
				return packet{}, err
			}
			continue
		}
		if isPacket {
			f.packets++
			f.last = p.time
		}
		f.skip(len(b)) // the bytes stay where they are until the next peek
		if isPacket {
			return p, nil
		}
	}
}

// pass skips a block that holds no packet.
func (f *ngFile) pass(size int) error {
	if b := f.peek(min(size, fileBuffer)); len(b) == size {
		if f.order.Uint32(b[size-4:]) != uint32(size) {
			return f.goOn("a block whose two lengths differ", f.plausible)
		}
	}
	if f.skip(size) != nil {
		return f.cut()
	}
	return nil
}

func (f *ngFile) somewhere(b []byte) bool {
	for i := 1; i < len(b); i++ {
		if f.plausible(b[i:]) {
			return true
		}
	}
	return false
}

// plausible reports whether b begins with a block of a known type whose two lengths agree.
func (f *ngFile) plausible(b []byte) bool {
	if len(b) < 12 {
		return false
	}
	if isPcapNG(b[:4]) {
		return string(b[8:12]) == "\x1a\x2b\x3c\x4d" || string(b[8:12]) == "\x4d\x3c\x2b\x1a"
	}
	switch f.order.Uint32(b) {
	case ngInterface, ngObsolete, ngSimple, ngNames, ngStatistic, ngEnhanced, ngSecrets:
	default:
		return false
	}
	n := f.order.Uint32(b[4:])
	return n >= 12 && n%4 == 0 && uint64(n) <= uint64(len(b)) && f.order.Uint32(b[n-4:]) == n
}

// block reads a block that holds a packet or describes an interface.
func (f *ngFile) block(kind uint32, b []byte) (p packet, isPacket bool, err error) {
	body := b[8 : len(b)-4]
	if f.order.Uint32(b[len(b)-4:]) != uint32(len(b)) {
		return p, false, errors.New("a block whose two lengths differ")
	}
	var device, high, low, size uint32
	var fixed int
	switch kind {
	case ngInterface:
		return p, false, f.device(body)
	case ngSimple:
		if len(body) < 4 {
			return p, false, errors.New("a block that is too short")
		}
		p.wire, fixed = int(f.order.Uint32(body)), 4
		size = uint32(min(p.wire, len(body)-4))
		p.time = f.last
	default:
		if fixed = 20; len(body) < fixed {
			return p, false, errors.New("a block that is too short")
		}
		device, high, low, size = f.order.Uint32(body), f.order.Uint32(body[4:]), f.order.Uint32(body[8:]), f.order.Uint32(body[12:])
		if kind == ngObsolete {
			device = uint32(f.order.Uint16(body))
		}
		p.wire = int(f.order.Uint32(body[16:]))
	}
	if uint64(size) > uint64(len(body)-fixed) {
		return p, false, fmt.Errorf("it claims %d bytes in a block that has room for %d", size, len(body)-fixed)
	}
	p.data = body[fixed : fixed+int(size)]
	if int(device) >= len(f.interfaces) {
		if f.beyond {
			return p, false, nil
		}
		return p, false, fmt.Errorf("interface %d is not described", device)
	}
	d := f.interfaces[device]
	p.link = d.link
	if kind != ngSimple {
		p.time = d.when(uint64(high)<<32 | uint64(low))
	}
	return p, true, nil
}

// when is the time of a stamp.
func (d *ngDevice) when(stamp uint64) time.Time {
	second, fraction := stamp/d.unit, stamp%d.unit
	ns := uint64(float64(fraction) * 1e9 / float64(d.unit))
	if d.unit <= 1e9 {
		ns = fraction * (1e9 / d.unit)
	}
	return time.Unix(int64(second)+d.offset, int64(ns)).UTC()
}

// device reads the description of an interface.
func (f *ngFile) device(body []byte) error {
	if len(body) < 8 {
		return errors.New("an interface description that is too short")
	}
	if len(f.interfaces) >= maxInterfaces {
		f.beyond = true
		return nil
	}
	d := ngDevice{link: layers.LinkType(f.order.Uint16(body)), unit: 1e6}
	for o := body[8:]; len(o) >= 4; {
		code, n := f.order.Uint16(o), int(f.order.Uint16(o[2:]))
		if code == 0 || len(o) < 4+n {
			break
		}
		value := o[4 : 4+n]
		switch {
		case code == 9 && n == 1: // if_tsresol
			d.unit = resolution(value[0])
		case code == 14 && n == 8: // if_tsoffset
			d.offset = int64(f.order.Uint64(value))
		}
		o = o[min(len(o), 4+(n+3)/4*4):]
	}
	f.interfaces = append(f.interfaces, d)
	return nil
}

// resolution is how many units a second has: a power of ten, or of two where the high bit is set.
func resolution(b byte) uint64 {
	e := int(b & 0x7F)
	if b&0x80 != 0 {
		return 1 << min(e, 63)
	}
	return uint64(math.Pow10(min(e, 18)))
}
