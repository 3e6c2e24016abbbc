package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The ring that the kernel writes packets to (Linux, Documentation/networking/packet_mmap.rst, TPACKET_V3). Its size
// is what a burst may have before packets are dropped.
const (
	blockSize = 1 << 20
	blocks    = 32
	retire    = 50 // milliseconds after which a block that is not full is handed over
)

// ring is a packet socket with its ring.
type ring struct {
	fd   int
	mem  []byte
	next int // block
}

// openRing opens a packet socket on an interface. It needs CAP_NET_RAW.
func openRing(device string) (*ring, error) {
	i, err := net.InterfaceByName(device)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0) // of no protocol until it is set up
	if err != nil {
		return nil, err
	}
	r := &ring{fd: fd}
	if err := r.setUp(i); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *ring) setUp(i *net.Interface) error {
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("the kernel has no TPACKET_V3: %w", err)
	}
	const frame = 2048
	req := unix.TpacketReq3{Block_size: blockSize, Block_nr: blocks, Frame_size: frame, Frame_nr: blockSize / frame * blocks, Retire_blk_tov: retire}
	if err := unix.SetsockoptTpacketReq3(r.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return fmt.Errorf("a ring of %d MiB: %w", blocks*blockSize>>20, err)
	}
	var err error
	if r.mem, err = unix.Mmap(r.fd, 0, blockSize*blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return err
	}
	if i.Flags&net.FlagLoopback != 0 {
		if err := r.filterOutgoing(); err != nil {
			return err
		}
	}
	// Where it may not, the interface's own traffic is all there is.
	unix.SetsockoptPacketMreq(r.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &unix.PacketMreq{Ifindex: int32(i.Index), Type: unix.PACKET_MR_PROMISC})
	return unix.Bind(r.fd, &unix.SockaddrLinklayer{Protocol: binary.NativeEndian.Uint16([]byte{unix.ETH_P_ALL >> 8, unix.ETH_P_ALL & 0xFF}), Ifindex: i.Index})
}

// filterOutgoing has the loopback interface show each packet once: it shows it when it is sent and when it arrives.
func (r *ring) filterOutgoing() error {
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.PACKET_OUTGOING, SkipTrue: 1},
		bpf.RetConstant{Val: maxPacket},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		return err
	}
	f := make([]unix.SockFilter, len(program))
	for i, p := range program {
		f[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	return unix.SetsockoptSockFprog(r.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]})
}

func (r *ring) close() {
	if r.mem != nil {
		unix.Munmap(r.mem)
	}
	unix.Close(r.fd)
}

// dropped is how many packets were dropped since it was last asked.
func (r *ring) dropped() int {
	s, err := unix.GetsockoptTpacketStatsV3(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0
	}
	return int(s.Drops)
}

// Offsets in the header of a block (struct tpacket_block_desc) and of a packet (struct tpacket3_hdr).
const (
	blockStatus = 8
	blockCount  = 12
	blockFirst  = 16

	packetNext    = 0
	packetSecond  = 4
	packetNano    = 8
	packetSnaplen = 12
	packetMAC     = 24
)

// read hands the packets of the next block to each; it waits for one no longer than timeout. The bytes are valid
// during the call.
func (r *ring) read(timeout time.Duration, each func(data []byte, at time.Time)) error {
	b := r.mem[r.next*blockSize : (r.next+1)*blockSize]
	status := (*uint32)(unsafe.Pointer(&b[blockStatus]))
	if atomic.LoadUint32(status)&unix.TP_STATUS_USER == 0 {
		fds := []unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN | unix.POLLERR}}
		if _, err := unix.Poll(fds, int(timeout.Milliseconds())); err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if fds[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0 {
			code, _ := unix.GetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_ERROR)
			if code != 0 {
				return unix.Errno(code)
			}
			return errors.New("the interface is gone")
		}
		if atomic.LoadUint32(status)&unix.TP_STATUS_USER == 0 {
			return nil
		}
	}
	native := binary.NativeEndian
	at := int(native.Uint32(b[blockFirst:]))
	for range native.Uint32(b[blockCount:]) {
		h := b[at:]
		n, mac := int(native.Uint32(h[packetSnaplen:])), int(native.Uint16(h[packetMAC:]))
		each(h[mac:mac+n], time.Unix(int64(native.Uint32(h[packetSecond:])), int64(native.Uint32(h[packetNano:]))))
		next := int(native.Uint32(h[packetNext:]))
		if next == 0 {
			break
		}
		at += next
	}
	atomic.StoreUint32(status, unix.TP_STATUS_KERNEL)
	r.next = (r.next + 1) % blocks
	return nil
}
