package capture

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/gopacket/gopacket/layers"
)

// ErrPermission is wrapped where the user may not capture.
var ErrPermission = errors.New("no permission to capture: it needs root, or the capability CAP_NET_RAW (setcap cap_net_raw+ep on the program)")

// patience is how long a live negotiation may take before it is reported as it stands.
const patience = 30 * time.Second

// Live follows what passes an interface until ctx ends, and calls each for every negotiation when it is decided.
// progress, if it is not nil, is called when it begins, and then once a second with what was read so far. The kernel's counter says how many
// packets were dropped because they came faster than they were read.
func Live(ctx context.Context, device string, each func(*Connection), progress func(*Stats)) (*Stats, error) {
	r, err := openRing(device)
	if err != nil {
		return nil, liveError(device, err)
	}
	defer r.close()
	link := linkOf(device)
	a := newAssembler()
	a.seen = each
	var d decoder
	var s segment
	st := &Stats{First: time.Now()}
	count := func() {
		st.Dropped += r.dropped()
		st.Packets, st.Segments, st.Partial, st.Last = a.number, a.tcp, a.partial, time.Now()
	}
	if progress != nil {
		progress(st)
	}
	for last := time.Now(); ctx.Err() == nil; {
		err := r.read(100*time.Millisecond, func(data []byte, at time.Time) {
			a.number++
			if d.packet(link, data, &s) {
				a.segment(&s, at)
			}
		})
		if err != nil {
			count()
			a.finish()
			return st, fmt.Errorf("%s: %w", device, err)
		}
		if now := time.Now(); now.Sub(last) >= time.Second {
			last = now
			a.sweep(now, patience)
			count()
			if progress != nil {
				progress(st)
			}
		}
	}
	a.now = time.Now()
	count()
	a.finish()
	return st, nil
}

func liveError(device string, err error) error {
	if errors.Is(err, os.ErrPermission) {
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

// linkOf is the kind of header that the packets of an interface have.
func linkOf(device string) layers.LinkType {
	text, err := os.ReadFile("/sys/class/net/" + device + "/type")
	if err != nil {
		return layers.LinkTypeEthernet
	}
	switch strings.TrimSpace(string(text)) { // linux/if_arp.h
	case "65534", "768", "769", "776", "778": // none (tun), and the tunnels
		return layers.LinkTypeRaw
	}
	return layers.LinkTypeEthernet
}
