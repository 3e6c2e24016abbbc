package capture

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// talks are real handshakes of crypto/tls: one that is established, and one that the client refuses.
func talks(t testing.TB, version uint16) (good, bad []testbed.Turn) {
	t.Helper()
	id := testbed.Make(t, testbed.RSA2048)
	addr := testbed.Listen(t, 10*time.Second, func(c net.Conn) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{id.TLS}, MinVersion: tls.VersionTLS10})
		io.Copy(s, s)
	})
	pem, err := os.ReadFile(id.CA)
	if err != nil {
		t.Fatal(err)
	}
	relay := testbed.NewRelay(t, addr)
	for _, trusts := range []bool{true, false} {
		config := &tls.Config{ServerName: "lb.example.com", RootCAs: x509.NewCertPool(), MinVersion: version, MaxVersion: version}
		if trusts {
			config.RootCAs.AppendCertsFromPEM(pem)
		}
		c, err := (&tls.Dialer{Config: config}).DialContext(context.Background(), "tcp", relay.Addr)
		if (err == nil) != trusts {
			t.Fatal(err)
		}
		if err == nil {
			c.Write(bytes.Repeat([]byte("x"), 5000))
			io.ReadFull(c, make([]byte, 5000))
			c.Close()
		}
	}
	records := relay.Stop()
	return records[0].Turns(), records[1].Turns()
}

// written writes frames to a file of a link type.
func written(t testing.TB, link layers.LinkType, ng bool, snap int, frames ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var write func(gopacket.CaptureInfo, []byte) error
	flush := func() error { return nil }
	if ng {
		w, err := pcapgo.NewNgWriter(&b, link)
		if err != nil {
			t.Fatal(err)
		}
		write, flush = w.WritePacket, w.Flush
	} else {
		w := pcapgo.NewWriter(&b)
		if err := w.WriteFileHeader(65535, link); err != nil {
			t.Fatal(err)
		}
		write = w.WritePacket
	}
	for i, f := range frames {
		n := min(len(f), snap)
		if err := write(gopacket.CaptureInfo{Timestamp: begin.Add(time.Duration(i) * time.Millisecond), CaptureLength: n, Length: len(f)}, f[:n]); err != nil {
			t.Fatal(err)
		}
	}
	if err := flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// carried puts a packet into a datagram to a port.
func carried(port uint16, header string, inner []byte) []byte {
	u := binary.BigEndian.AppendUint16(nil, 40000)
	u = binary.BigEndian.AppendUint16(u, port)
	u = binary.BigEndian.AppendUint16(u, uint16(8+len(header)+len(inner)))
	u = append(append(append(u, 0, 0), header...), inner...)
	return testbed.Ethernet(0, testbed.IP(netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), 17, u))
}

// inPieces cuts an IPv4 packet into pieces of 600 bytes, last first.
func inPieces(frame []byte) (out [][]byte) {
	head, body := frame[14:34], frame[34:]
	for at := 0; at < len(body); at += 600 {
		n := min(600, len(body)-at)
		p := append(bytes.Clone(head), body[at:at+n]...)
		binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
		binary.BigEndian.PutUint16(p[4:], binary.BigEndian.Uint16(body[4:])^binary.BigEndian.Uint16(body[6:])) // an identification of its own
		flag := uint16(at / 8)
		if at+n < len(body) {
			flag |= 0x2000
		}
		binary.BigEndian.PutUint16(p[6:], flag)
		out = append(out, append(bytes.Clone(frame[:14]), p...))
	}
	slices.Reverse(out)
	return out
}

// inPieces6 does the same to an IPv6 packet.
func inPieces6(frame []byte) (out [][]byte) {
	head, body := frame[14:54], frame[54:]
	for at := 0; at < len(body); at += 600 {
		n := min(600, len(body)-at)
		flag := uint16(at)
		if at+n < len(body) {
			flag |= 1
		}
		p := bytes.Clone(head)
		p[6] = 44
		binary.BigEndian.PutUint16(p[4:], uint16(8+n))
		p = append(p, 6, 0)
		p = binary.BigEndian.AppendUint16(p, flag)
		p = append(p, body[4:8]...)
		p = append(p, body[at:at+n]...)
		out = append(out, append(bytes.Clone(frame[:14]), p...))
	}
	slices.Reverse(out)
	return out
}

// each applies f to every frame.
func each(frames [][]byte, f func([]byte) [][]byte) (out [][]byte) {
	for _, x := range frames {
		out = append(out, f(x)...)
	}
	return out
}

// TestShapes reads the same handshakes however they are wrapped, cut, and shuffled.
func TestShapes(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		good, bad := talks(t, version)
		frames := func(v6 bool, vlan uint16) [][]byte {
			from, to := client4, server4
			if v6 {
				from, to = client6, server6
			}
			one := dialogue(from, to, vlan, good)
			two := dialogue(netip.AddrPortFrom(from.Addr(), from.Port()+1), to, vlan, bad)
			var out [][]byte
			for i := range max(len(one.Frames), len(two.Frames)) { // interleaved
				for _, d := range []*testbed.Dialogue{one, two} {
					if i < len(d.Frames) {
						out = append(out, d.Frames[i].Bytes)
					}
				}
			}
			return out
		}
		plain, six := frames(false, 0), frames(true, 0)
		wrap := func(f func([]byte) []byte) [][]byte {
			return each(plain, func(b []byte) [][]byte { return [][]byte{f(b)} })
		}
		swapped := slices.Clone(plain)
		for i := 7; i+2 < len(swapped); i += 3 { // frames of one connection are two apart
			swapped[i], swapped[i+2] = swapped[i+2], swapped[i]
		}
		random := rand.New(rand.NewPCG(3, 4))
		doubled := each(plain, func(b []byte) [][]byte {
			if random.IntN(2) == 0 {
				return [][]byte{b, b}
			}
			return [][]byte{b}
		})
		gre := func(b []byte) []byte {
			return testbed.Ethernet(0, testbed.IP(netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), 47, append([]byte{0, 0, 8, 0}, b[14:]...)))
		}
		for name, file := range map[string][]byte{
			"plain":            written(t, layers.LinkTypeEthernet, false, 1<<16, plain...),
			"pcapng":           written(t, layers.LinkTypeEthernet, true, 1<<16, plain...),
			"IPv6":             written(t, layers.LinkTypeEthernet, false, 1<<16, six...),
			"VLAN":             written(t, layers.LinkTypeEthernet, false, 1<<16, frames(false, 7)...),
			"VLAN, IPv6":       written(t, layers.LinkTypeEthernet, false, 1<<16, frames(true, 7)...),
			"swapped":          written(t, layers.LinkTypeEthernet, false, 1<<16, swapped...),
			"doubled":          written(t, layers.LinkTypeEthernet, false, 1<<16, doubled...),
			"without SYN":      written(t, layers.LinkTypeEthernet, false, 1<<16, plain[6:]...),
			"fragmented":       written(t, layers.LinkTypeEthernet, false, 1<<16, each(plain, inPieces)...),
			"fragmented, IPv6": written(t, layers.LinkTypeEthernet, false, 1<<16, each(six, inPieces6)...),
			"raw IP":           written(t, layers.LinkTypeRaw, false, 1<<16, wrap(func(b []byte) []byte { return b[14:] })...),
			"loopback of BSD":  written(t, layers.LinkTypeNull, false, 1<<16, wrap(func(b []byte) []byte { return append([]byte{2, 0, 0, 0}, b[14:]...) })...),
			"Linux cooked":     written(t, layers.LinkTypeLinuxSLL, false, 1<<16, wrap(func(b []byte) []byte { return append(make([]byte, 14), append([]byte{8, 0}, b[14:]...)...) })...),
			"Linux cooked 2":   written(t, 276, false, 1<<16, wrap(func(b []byte) []byte { return append([]byte{8, 0}, append(make([]byte, 18), b[14:]...)...) })...),
			"VXLAN":            written(t, layers.LinkTypeEthernet, false, 1<<16, wrap(func(b []byte) []byte { return carried(4789, "\x08\x00\x00\x00\x00\x00\x07\x00", b) })...),
			"Geneve":           written(t, layers.LinkTypeEthernet, false, 1<<16, wrap(func(b []byte) []byte { return carried(6081, "\x00\x00\x65\x58\x00\x00\x07\x00", b) })...),
			"GTP":              written(t, layers.LinkTypeEthernet, false, 1<<16, wrap(func(b []byte) []byte { return carried(2152, gtp(b[14:]), b[14:]) })...),
			"GRE":              written(t, layers.LinkTypeEthernet, false, 1<<16, wrap(gre)...),
			"IP in IP": written(t, layers.LinkTypeEthernet, false, 1<<16, wrap(func(b []byte) []byte {
				return testbed.Ethernet(0, testbed.IP(netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), 4, b[14:]))
			})...),
			"MPLS": written(t, layers.LinkTypeEthernet, false, 1<<16, wrap(func(b []byte) []byte {
				return append(append(bytes.Clone(b[:12]), 0x88, 0x47, 0, 0, 0x11, 0x40), b[14:]...)
			})...),
			"MPLS in UDP": written(t, layers.LinkTypeEthernet, false, 1<<16, wrap(func(b []byte) []byte { return carried(6635, "\x00\x00\x11\x40", b[14:]) })...),
			"PPPoE": written(t, layers.LinkTypeEthernet, false, 1<<16, wrap(func(b []byte) []byte {
				n := len(b) - 14 + 2
				return append(append(bytes.Clone(b[:12]), 0x88, 0x64, 0x11, 0, 0, 9, byte(n>>8), byte(n), 0, 0x21), b[14:]...)
			})...),
			"EtherIP": written(t, layers.LinkTypeEthernet, false, 1<<16, wrap(func(b []byte) []byte {
				return testbed.Ethernet(0, testbed.IP(netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), 97, append([]byte{0x30, 0}, b...)))
			})...),
			"Teredo": written(t, layers.LinkTypeEthernet, false, 1<<16, each(six, func(b []byte) [][]byte {
				authentication := "\x00\x01\x00\x02" + "IDnonce___\x00"
				origin := "\x00\x00\x12\x34\x01\x02\x03\x04"
				return [][]byte{carried(3544, authentication+origin, b[14:])}
			})...),
			"LLC and SNAP": written(t, layers.LinkTypeEthernet, false, 1<<16, wrap(func(b []byte) []byte {
				n := len(b) - 14 + 8
				return append(append(bytes.Clone(b[:12]), byte(n>>8), byte(n), 0xAA, 0xAA, 3, 0, 0, 0, 8, 0), b[14:]...)
			})...),
			"C-HDLC": written(t, 104, false, 1<<16, wrap(func(b []byte) []byte { return append([]byte{0x0F, 0, 8, 0}, b[14:]...) })...),
			"fragmented in Geneve": written(t, layers.LinkTypeEthernet, false, 1<<16, each(each(plain, inPieces), func(b []byte) [][]byte {
				return [][]byte{carried(6081, "\x00\x00\x65\x58\x00\x00\x07\x00", b)}
			})...),
			"Geneve in GRE": written(t, layers.LinkTypeEthernet, false, 1<<16, wrap(func(b []byte) []byte {
				return gre(carried(6081, "\x00\x00\x65\x58\x00\x00\x07\x00", b))
			})...),
		} {
			t.Run(fmt.Sprintf("%x %s", version, name), func(t *testing.T) {
				seen := followed(t, file)
				if len(seen) != 2 {
					t.Fatalf("%d negotiations were seen", len(seen))
				}
				for _, c := range seen {
					o := c.Outcome()
					refused := c.Client != client4 && c.Client != client6
					if o.Version != suite.Version(version) || refused != (o.Result == evidence.Failed) || !refused && o.Result != evidence.Established {
						t.Errorf("%s: %+v", c.Client, o)
					}
					if refused && !strings.Contains(o.Failure, "from the client") {
						t.Errorf("%s: %s", c.Client, o.Failure)
					}
				}
			})
		}
	}
}

func gtp(inner []byte) string {
	return string([]byte{0x30, 0xFF, byte(len(inner) >> 8), byte(len(inner)), 0, 0, 0, 1})
}

func dialogue(from, to netip.AddrPort, vlan uint16, turns []testbed.Turn) *testbed.Dialogue {
	d := testbed.NewDialogue(from, to)
	d.VLAN, d.MSS = vlan, 1000
	d.Say(turns...)
	return d
}

// followed is what a capture holds.
func followed(t testing.TB, file []byte) (out []*Connection) {
	t.Helper()
	if _, err := Follow("c", bytes.NewReader(file), func(c *Connection) { out = append(out, c) }); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSnap reads packets of which only the beginning was captured: the hello is partial, and nothing is made up.
func TestSnap(t *testing.T) {
	good, _ := talks(t, tls.VersionTLS12)
	d := dialogue(client4, server4, 0, good)
	var frames [][]byte
	for _, f := range d.Frames {
		frames = append(frames, f.Bytes)
	}
	var seen int
	st, err := Follow("c", bytes.NewReader(written(t, layers.LinkTypeEthernet, false, 150, frames...)), func(*Connection) { seen++ })
	if err != nil || seen != 0 || st.Partial != 1 {
		t.Errorf("%d seen, %+v, %v", seen, st, err)
	}
	// The hello is whole, the server's flight is not.
	for _, c := range followed(t, written(t, layers.LinkTypeEthernet, false, 400, frames...)) {
		if o := c.Outcome(); o.Result == evidence.Failed {
			t.Errorf("%+v", o)
		}
	}
}
