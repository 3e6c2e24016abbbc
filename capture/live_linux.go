package capture

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"golang.org/x/net/bpf"
)

// ErrPermission is wrapped where the user may not capture.
var ErrPermission = errors.New("no permission to capture: it needs root, or the capability CAP_NET_RAW (setcap cap_net_raw+ep on the program)")

// patience is how long a live negotiation may take before it is reported as it stands.
const patience = 30 * time.Second

// livePacket is a packet on its way from the reader to the follower.
type livePacket struct {
	data []byte
	time time.Time
}

// Live follows what passes an interface until ctx ends, and calls each for every negotiation when it is decided.
// progress is called now and then with what was read so far. The kernel's counter says how many packets were dropped
// because they came faster than they were read.
func Live(ctx context.Context, device string, each func(*Connection), progress func(*Stats)) (*Stats, error) {
	handle, err := pcapgo.NewEthernetHandle(device)
	if err != nil {
		return nil, liveError(device, err)
	}
	defer handle.Close()
	link := linkOf(device)
	handle.SetPromiscuous(true) // where it may not, the interface's own traffic is all there is
	if err := filterOutgoing(handle, device); err != nil {
		return nil, fmt.Errorf("%s: %w", device, err)
	}
	packets := make(chan livePacket, 1<<14)
	failed := make(chan error, 1)
	go func() {
		defer close(packets)
		for {
			var data []byte
			var ci gopacket.CaptureInfo
			data, ci, err := handle.ReadPacketData()
			if err != nil {
				failed <- err
				return
			}
			select {
			case packets <- livePacket{data, ci.Timestamp}:
			case <-ctx.Done():
				return
			}
		}
	}()
	a := newAssembler()
	a.seen = each
	var d decoder
	var s segment
	st := &Stats{First: time.Now()}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	count := func() {
		if k, err := handle.Stats(); err == nil {
			st.Dropped += int(k.Drops)
		}
		st.Packets, st.Segments, st.Partial, st.Last = a.number, a.tcp, a.partial, time.Now()
	}
	for {
		select {
		case p, ok := <-packets:
			if !ok {
				count()
				a.finish()
				if ctx.Err() != nil {
					return st, nil
				}
				return st, fmt.Errorf("%s: %w", device, <-failed)
			}
			a.number++
			if d.packet(link, p.data, &s) {
				a.segment(&s, p.time)
			}
		case now := <-tick.C:
			a.sweep(now, patience)
			count()
			if progress != nil {
				progress(st)
			}
		case <-ctx.Done():
			count()
			a.finish()
			return st, nil
		}
	}
}

func liveError(device string, err error) error {
	if errors.Is(err, os.ErrPermission) || strings.Contains(err.Error(), "operation not permitted") {
		return fmt.Errorf("%s: %w", device, ErrPermission)
	}
	if _, lookup := net.InterfaceByName(device); lookup != nil {
		names := []string{}
		all, _ := net.Interfaces()
		for _, i := range all {
			names = append(names, i.Name)
		}
		return fmt.Errorf("there is no interface %q: there are %s", device, strings.Join(names, ", "))
	}
	return fmt.Errorf("%s: %w", device, err)
}

// filterOutgoing has the loopback interface show each packet once: it shows it when it is sent and when it arrives.
func filterOutgoing(handle *pcapgo.EthernetHandle, device string) error {
	i, err := net.InterfaceByName(device)
	if err != nil || i.Flags&net.FlagLoopback == 0 {
		return err
	}
	const packetOutgoing = 4 // linux/if_packet.h
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: packetOutgoing, SkipTrue: 1},
		bpf.RetConstant{Val: maxPacket},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		return err
	}
	return handle.SetBPF(program)
}

// linkOf is the kind of header that the packets of an interface have.
func linkOf(device string) layers.LinkType {
	text, err := os.ReadFile("/sys/class/net/" + device + "/type")
	if err != nil {
		return layers.LinkTypeEthernet
	}
	switch strings.TrimSpace(string(text)) { // linux/if_arp.h
	case "1", "772": // Ethernet, loopback
		return layers.LinkTypeEthernet
	case "65534", "768", "769", "776", "778": // none (tun), and the tunnels
		return layers.LinkTypeRaw
	}
	return layers.LinkTypeEthernet
}
