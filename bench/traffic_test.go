package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/testbed"
)

// talk is what went over one real connection.
type talk struct {
	turns []testbed.Turn
	whole bool // the handshake was finished
}

// talks records real handshakes: of real clients with real servers, and what the servers answer to each recorded
// hello of the client profiles.
func talks(b testing.TB) (l []talk) {
	b.Helper()
	id := testbed.Identities(b)["rsa2048"]
	modern := *policy.ByName("ELBSecurityPolicy-2016-08")
	strict := *policy.ByName("ELBSecurityPolicy-TLS13-1-2-Res-2021-06")
	for _, kind := range []testbed.Kind{testbed.OpenSSL, testbed.Nginx, testbed.GnuTLS, testbed.Go} {
		for _, p := range []*policy.Policy{&modern, &strict} {
			config := testbed.ForPolicy(p, kind).With(id)
			if _, ok := config.Installed(b); !ok {
				continue
			}
			s := testbed.Start(b, config)
			relay := testbed.NewRelay(b, s.Addr)
			for _, c := range testbed.Clients(b) {
				if c.Missing() != "" || strings.HasPrefix(c.Name, "java") {
					continue
				}
				ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
				c.Connect(ctx, testbed.Target{Addr: relay.Addr, ServerName: "localhost", CA: s.CA})
				cancel()
			}
			for _, r := range relay.Stop() {
				t := slices.DeleteFunc(r.Turns(), func(t testbed.Turn) bool { return t.Reset || t.Close })
				if len(t) > 1 {
					l = append(l, talk{t, len(t) > 3})
				}
			}
			for _, c := range client.All() {
				if raw := c.Hello(); raw != nil {
					if answer := answerTo(s.Addr, raw); answer != nil {
						l = append(l, talk{turns: []testbed.Turn{{FromClient: true, Data: raw}, {Data: answer}}})
					}
				}
			}
			s.Stop()
		}
	}
	if len(l) < 20 {
		b.Fatalf("only %d handshakes were recorded", len(l))
	}
	return l
}

// answerTo is what a server answers to a hello.
func answerTo(addr string, raw []byte) []byte {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return nil
	}
	defer c.Close()
	c.Write(raw)
	var answer []byte
	buf := make([]byte, 32<<10)
	for {
		c.SetReadDeadline(time.Now().Add(60 * time.Millisecond))
		n, err := c.Read(buf)
		answer = append(answer, buf[:n]...)
		if err != nil || len(answer) > 32<<10 {
			return answer
		}
	}
}

// traffic writes a capture of about size bytes with so many TLS handshakes among other traffic. Two hundred connections go on at a time.
func traffic(b testing.TB, path string, size int64, handshakes int) {
	b.Helper()
	var whole, refused []talk
	for _, t := range talks(b) {
		if t.whole {
			whole = append(whole, t)
		} else {
			refused = append(refused, t)
		}
	}
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	w := testbed.NewPcap(f, time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC))
	w.Step = 50 * time.Microsecond
	random := rand.New(rand.NewPCG(1, 2))
	var active [][]testbed.Frame
	budget := size / int64(handshakes) // bytes of the file for each handshake, other traffic aside
	made := 0
	add := func() {
		t := whole[random.IntN(len(whole))]
		if random.IntN(8) == 0 {
			t = refused[random.IntN(len(refused))]
		}
		frames := tlsConnection(random, t, made, budget)
		made++
		active = append(active, frames)
		if made%10 == 0 {
			active = append(active, noise(random, made))
		}
	}
	for made < handshakes || len(active) > 0 {
		for made < handshakes && len(active) < 200 {
			add()
		}
		i := random.IntN(len(active))
		n := min(1+random.IntN(6), len(active[i]))
		w.Write(active[i][:n]...)
		if active[i] = active[i][n:]; len(active[i]) == 0 {
			active[i] = active[len(active)-1]
			active = active[:len(active)-1]
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
}

// tlsConnection is one connection: the recorded handshake with a random of its own, then application data so that the
// file comes to its size. One in 50 has two segments in the wrong order, one in 50 a segment twice.
func tlsConnection(random *rand.Rand, t talk, n int, budget int64) []testbed.Frame {
	from, to := addresses(n, 443)
	d := testbed.NewDialogue(from, to)
	if n%20 == 0 {
		d.VLAN = 7
	}
	for i, turn := range t.turns {
		if i == 0 && len(turn.Data) > 43 && turn.Data[0] == 22 {
			turn.Data = slices.Clone(turn.Data)
			for j := 11; j < 43; j += 8 { // the hello's random
				binary.LittleEndian.PutUint64(turn.Data[j:], random.Uint64())
			}
		}
		d.Say(turn)
	}
	if t.whole {
		used := int64(0)
		for _, f := range d.Frames {
			used += int64(16 + len(f.Bytes))
		}
		// One connection in eight is refused: the others carry its weight.
		for left := budget*8/7 - used; left > 0; left -= 17000 {
			record := make([]byte, 5+16384)
			for j := 5; j < len(record); j += 8 {
				binary.LittleEndian.PutUint64(record[min(j, len(record)-8):], random.Uint64())
			}
			copy(record, []byte{23, 3, 3, 0x40, 0})
			d.Send(random.IntN(8) == 0, record[:min(len(record), int(max(left, 100)))])
		}
	}
	d.Close(true)
	d.Close(false)
	switch f := d.Frames; {
	case n%50 == 1 && len(f) > 8:
		f[5], f[6] = f[6], f[5]
	case n%50 == 2 && len(f) > 8:
		f = slices.Insert(f, 4, f[3])
		d.Frames = f
	}
	return d.Frames
}

func addresses(n int, port uint16) (from, to netip.AddrPort) {
	source := uint16(1024 + n%60000)
	if n%5 == 0 {
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 5: 1, 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}), source),
			netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(n % 7)}), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), source),
		netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + n%7)}), port)
}

// noise is traffic of other kinds: plaintext HTTP, SSH, and datagrams.
func noise(random *rand.Rand, n int) []testbed.Frame {
	from, to := addresses(n, 80)
	body := make([]byte, 200+random.IntN(4000))
	for i := range body {
		body[i] = byte(random.Uint32())
	}
	if n%3 == 0 {
		var l []testbed.Frame
		for range 4 {
			datagram := binary.BigEndian.AppendUint16(nil, from.Port())
			datagram = binary.BigEndian.AppendUint16(datagram, 53)
			datagram = binary.BigEndian.AppendUint16(datagram, 8+100)
			datagram = append(append(datagram, 0, 0), body[:100]...)
			l = append(l, testbed.Frame{FromClient: true, Bytes: testbed.Ethernet(0, testbed.IP(from.Addr(), to.Addr(), 17, datagram))})
		}
		return l
	}
	if n%3 == 1 {
		to = netip.AddrPortFrom(to.Addr(), 22)
	}
	d := testbed.NewDialogue(from, to)
	if n%3 == 1 {
		d.Say(testbed.Turn{Data: []byte("SSH-2.0-OpenSSH_9.2\r\n")}, testbed.Turn{FromClient: true, Data: []byte("SSH-2.0-OpenSSH_9.6\r\n")}, testbed.Turn{Data: body})
	} else {
		d.Say(testbed.Turn{FromClient: true, Data: []byte("GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n")},
			testbed.Turn{Data: fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)})
	}
	d.Close(true)
	d.Close(false)
	return d.Frames
}

// trafficFile is the capture, made unless one of this size was left by a run before.
func trafficFile(b testing.TB, size int64, handshakes int) string {
	dir := filepath.Join(os.TempDir(), "parley-bench")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(dir, fmt.Sprintf("traffic-%d-%d.pcap", size, handshakes))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	partial := path + ".part"
	traffic(b, partial, size, handshakes)
	if err := os.Rename(partial, path); err != nil {
		b.Fatal(err)
	}
	return path
}
