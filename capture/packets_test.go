package capture

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

var (
	client4 = netip.MustParseAddrPort("192.0.2.7:49152")
	server4 = netip.MustParseAddrPort("198.51.100.1:443")
	client6 = netip.MustParseAddrPort("[2001:db8::7]:49153")
	server6 = netip.MustParseAddrPort("[2001:db8::1]:8443")
	begin   = time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)
)

// corpus returns the recorded hellos of package hello by name.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../hello/testdata/clients/*.hex")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded hellos: %v", err)
	}
	out := make(map[string][]byte)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(f), ".hex")] = raw
	}
	return out
}

// tcp is one TCP segment to write into a capture.
type tcp struct {
	from, to netip.AddrPort
	seq      uint32
	syn      bool
	data     []byte
	vlan     uint16
}

// frame makes an Ethernet frame of it.
func (s tcp) frame(t testing.TB) []byte {
	t.Helper()
	seg := &layers.TCP{SrcPort: layers.TCPPort(s.from.Port()), DstPort: layers.TCPPort(s.to.Port()), Seq: s.seq, SYN: s.syn, ACK: !s.syn, PSH: len(s.data) > 0, Window: 65535}
	eth := &layers.Ethernet{SrcMAC: []byte{2, 0, 0, 0, 0, 1}, DstMAC: []byte{2, 0, 0, 0, 0, 2}, EthernetType: layers.EthernetTypeIPv4}
	stack := []gopacket.SerializableLayer{eth}
	kind := layers.EthernetTypeIPv4
	if s.from.Addr().Is6() {
		kind = layers.EthernetTypeIPv6
	}
	eth.EthernetType = kind
	if s.vlan != 0 {
		eth.EthernetType = layers.EthernetTypeDot1Q
		stack = append(stack, &layers.Dot1Q{VLANIdentifier: s.vlan, Type: kind})
	}
	if kind == layers.EthernetTypeIPv6 {
		ip := &layers.IPv6{Version: 6, NextHeader: layers.IPProtocolTCP, HopLimit: 64, SrcIP: s.from.Addr().AsSlice(), DstIP: s.to.Addr().AsSlice()}
		seg.SetNetworkLayerForChecksum(ip)
		stack = append(stack, ip)
	} else {
		ip := &layers.IPv4{Version: 4, Protocol: layers.IPProtocolTCP, TTL: 64, SrcIP: s.from.Addr().AsSlice(), DstIP: s.to.Addr().AsSlice()}
		seg.SetNetworkLayerForChecksum(ip)
		stack = append(stack, ip)
	}
	stack = append(stack, seg, gopacket.Payload(s.data))
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, stack...); err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(b.Bytes())
	for len(out) < 60 {
		out = append(out, 0xEE) // padding of short Ethernet frames is no data
	}
	return out
}

// pcap writes segments, one a millisecond.
func pcap(t testing.TB, segments ...tcp) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriter(&b)
	if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for i, s := range segments {
		f := s.frame(t)
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: begin.Add(time.Duration(i) * time.Millisecond), CaptureLength: len(f), Length: len(f)}, f); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// pcapng writes segments, one a millisecond.
func pcapng(t testing.TB, segments ...tcp) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriter(&b, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range segments {
		f := s.frame(t)
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: begin.Add(time.Duration(i) * time.Millisecond), CaptureLength: len(f), Length: len(f)}, f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// stream cuts data into segments of size bytes, from sequence number seq.
func stream(from, to netip.AddrPort, seq uint32, data []byte, size int) []tcp {
	var out []tcp
	for piece := range slices.Chunk(data, size) {
		out = append(out, tcp{from: from, to: to, seq: seq, data: piece})
		seq += uint32(len(piece))
	}
	return out
}

// TestOrders finds the same hello however its segments come.
func TestOrders(t *testing.T) {
	raw := corpus(t)["nodejs-24"] // more than one segment long
	const isn = 0xFFFFFF00        // so that the numbers wrap inside the hello
	syn := tcp{from: client4, to: server4, seq: isn, syn: true}
	parts := stream(client4, server4, isn+1, raw, 400)
	answer := tcp{from: server4, to: client4, seq: 9, data: []byte("\x16\x03\x03\x00\x04\x02\x00\x00\x00")}
	reversed := slices.Clone(parts)
	slices.Reverse(reversed)
	bytewise := stream(client4, server4, isn+1, raw, 1)
	overlapping := []tcp{parts[0], parts[1], parts[1]}
	long := parts[2]
	long.seq -= 100
	long.data = append(bytes.Clone(raw[700:800]), long.data...)
	overlapping = append(append(overlapping, long), parts[3:]...)
	vlan := slices.Clone(parts)
	for i := range vlan {
		vlan[i].vlan = 42
	}
	starttls := append(stream(client4, server4, 100, []byte("EHLO me\r\nSTARTTLS\r\n"), 9), stream(client4, server4, 119, raw, 700)...)
	other := stream(client4, server4, 5000, bytes.Repeat([]byte("GET /a HTTP/1.1\r\n"), 400), 300)
	for name, segments := range map[string][]tcp{
		"in order":               append([]tcp{syn}, parts...),
		"reversed":               append([]tcp{syn}, reversed...),
		"reversed, SYN last":     append(slices.Clone(reversed), syn),
		"without SYN":            parts,
		"without SYN, reversed":  reversed,
		"one byte a segment":     append([]tcp{syn}, bytewise...),
		"sent again, overlaps":   append([]tcp{syn}, overlapping...),
		"VLAN":                   append([]tcp{syn}, vlan...),
		"answers between":        {syn, parts[0], answer, parts[1], answer, parts[2], parts[3]},
		"after STARTTLS":         append([]tcp{{from: client4, to: server4, seq: 99, syn: true}}, starttls...),
		"after STARTTLS, no SYN": starttls,
		"after other data":       append(other, append([]tcp{syn}, parts...)...),
	} {
		for form, file := range map[string][]byte{"pcap": pcap(t, segments...), "pcapng": pcapng(t, segments...)} {
			found, err := Bytes(form, file)
			if err != nil || len(found) != 1 {
				t.Errorf("%s, %s: %d found, %v", name, form, len(found), err)
				continue
			}
			f := found[0]
			if got, err := f.Hello.Marshal(); err != nil || !bytes.Equal(got, raw) {
				t.Errorf("%s, %s: not the same hello: %v", name, form, err)
			}
			if f.Source != client4 || f.Destination != server4 || f.Retry || !f.Time.Equal(begin.Add(time.Duration(f.Packet-1)*time.Millisecond)) {
				t.Errorf("%s, %s: found %+v", name, form, f)
			}
		}
	}
}

// TestManyConnections finds every hello of the corpus in one capture, over both versions of IP, interleaved.
func TestManyConnections(t *testing.T) {
	hellos := corpus(t)
	var all [][]tcp
	want := make(map[uint16][]byte)
	port := uint16(40000)
	for _, raw := range hellos {
		port++
		from, to := netip.AddrPortFrom(client4.Addr(), port), server4
		if port%2 == 0 {
			from, to = netip.AddrPortFrom(client6.Addr(), port), server6
		}
		want[port] = raw
		all = append(all, append([]tcp{{from: from, to: to, seq: 77, syn: true}}, stream(from, to, 78, raw, 333)...))
	}
	var segments []tcp
	for len(all) > 0 {
		for i := range all {
			segments, all[i] = append(segments, all[i][0]), all[i][1:]
		}
		all = slices.DeleteFunc(all, func(l []tcp) bool { return len(l) == 0 })
	}
	found, err := Bytes("many", pcap(t, segments...))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if got, err := f.Hello.Marshal(); err != nil || !bytes.Equal(got, want[f.Source.Port()]) {
			t.Errorf("%s: not the same hello: %v", f.Source, err)
		}
		delete(want, f.Source.Port())
	}
	if len(want) != 0 {
		t.Errorf("%d of %d hellos are not found", len(want), len(hellos))
	}
}

// TestRetry finds both hellos of a connection with a HelloRetryRequest, and a new connection from the same
// port.
func TestRetry(t *testing.T) {
	raw := corpus(t)["openssl-3.0-default"]
	ccs := []byte{20, 3, 3, 0, 1, 1}
	data := slices.Concat(raw, ccs, raw, []byte{23, 3, 3, 0, 3, 1, 2, 3})
	segments := append([]tcp{{from: client4, to: server4, seq: 10, syn: true}}, stream(client4, server4, 11, data, 256)...)
	again := append([]tcp{{from: client4, to: server4, seq: 900000, syn: true}}, stream(client4, server4, 900001, raw, 256)...)
	found, err := Bytes("retry", pcap(t, append(segments, again...)...))
	if err != nil || len(found) != 3 {
		t.Fatalf("%d found, %v", len(found), err)
	}
	if found[0].Retry || !found[1].Retry || found[2].Retry {
		t.Errorf("retries: %v %v %v", found[0].Retry, found[1].Retry, found[2].Retry)
	}
}

// TestDamage gives one clear line for every kind of damage, and what was found before it.
func TestDamage(t *testing.T) {
	raw := corpus(t)["openssl-3.0-default"]
	parts := append([]tcp{{from: client4, to: server4, seq: 10, syn: true}}, stream(client4, server4, 11, raw, 100)...)
	whole := pcap(t, append(parts, tcp{from: server4, to: client4, seq: 1, data: []byte("x")})...)
	ng := pcapng(t, append(parts, tcp{from: server4, to: client4, seq: 1, data: []byte("x")})...)
	bad := bytes.Clone(raw)
	bad[43] = 0xFF // the length of the session id
	huge := bytes.Clone(whole)
	copy(huge[32:], []byte{0xFF, 0xFF, 0xFF, 0x7F}) // the first packet's captured length
	for name, c := range map[string]struct {
		file  []byte
		found int
		says  string
	}{
		"cut in the last packet":        {whole[:len(whole)-30], 1, "packet 6, at byte"},
		"cut in the last header":        {whole[:len(whole)-60-10], 1, "packet 6, at byte"},
		"pcapng, cut":                   {ng[:len(ng)-30], 1, "a damaged pcapng file: packet 6, at byte"},
		"cut in the file header":        {whole[:20], 0, "the file ends in the middle of it"},
		"a length out of bounds":        {huge, 1, "packet 1, at byte 24: it claims 2147483647 bytes"},
		"a missing segment":             {pcap(t, parts[0], parts[1], parts[3], parts[4]), 0, "parts of the one from 192.0.2.7:49152 to 198.51.100.1:443 are missing"},
		"no beginning":                  {pcap(t, parts[2:]...), 0, "no ClientHello in 3 packets with TCP data"},
		"no packets":                    {pcap(t), 0, "holds no packets"},
		"a hello that cannot be read":   {pcap(t, tcp{from: client4, to: server4, seq: 1, data: []byte("\x16\x03\x01\x00\x08\x01\x00\x00\x04\x03\x03\x00\x00")}), 0, "packet 1, from 192.0.2.7:49152"},
		"a hello with extensions askew": {pcap(t, tcp{from: client4, to: server4, seq: 1, data: bad}), 0, "ClientHello"},
	} {
		found, err := Bytes("c.pcap", c.file)
		if err == nil || !strings.HasPrefix(err.Error(), "c.pcap: ") || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") || len(found) != c.found {
			t.Errorf("%s: %d found, error %v", name, len(found), err)
		}
	}
}

// endpointAt is an address in the form that the assembler takes.
func endpointAt(a netip.AddrPort) endpoint { return endpoint{a.Addr().As16(), a.Port()} }

// TestPortsUsedAgain reads a stream of short connections between few ports: nothing of them is left.
func TestPortsUsedAgain(t *testing.T) {
	a := newAssembler()
	for i := range 200000 {
		from := endpoint{addr: [16]byte{10}, port: uint16(i % 100)}
		a.segment(&segment{from: from, to: endpointAt(server4), seq: uint32(i) << 18, flags: flagSYN}, begin)
	}
	if len(a.connections) != 100 || len(a.queue) > 2000 || a.bytes != 100*liveSize {
		t.Errorf("%d connections, %d in the queue, %d bytes", len(a.connections), len(a.queue), a.bytes)
	}
}

// TestFlood reads a capture of many connections that never finish their hello, in bounded memory.
func TestFlood(t *testing.T) {
	a := newAssembler()
	data := append([]byte("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03"), bytes.Repeat([]byte{1}, 1400)...)
	for i := range 200000 {
		from := endpoint{addr: [16]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}, port: 1000}
		a.segment(&segment{from: from, to: endpointAt(server4), seq: 5, data: data}, begin)
		a.segment(&segment{from: from, to: endpointAt(server4), seq: 5 + 9000, data: data}, begin)
		if len(a.connections) > maxConnections || a.bytes > maxBytes+4*len(data) || len(a.queue) > 3*maxConnections {
			t.Fatalf("after %d connections: %d connections, %d in the queue, %d bytes", i, len(a.connections), len(a.queue), a.bytes)
		}
	}
	sum := 0
	for _, c := range a.connections {
		if c.live != nil {
			sum += c.live.bytes
		}
	}
	if sum != a.bytes {
		t.Errorf("%d bytes are kept, %d counted", sum, a.bytes)
	}
	a.finish()
	if a.bytes != 0 || a.partial != 200000 {
		t.Errorf("%d bytes are kept at the end, %d hellos were partial", a.bytes, a.partial)
	}
}

func TestErrNone(t *testing.T) {
	if _, err := Bytes("x", pcap(t)); !errors.Is(err, ErrNone) {
		t.Errorf("%v", err)
	}
	if _, err := ReadFile("does-not-exist"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// TestFewBytes reads streams that end after a byte or a few, whatever they promise.
func TestFewBytes(t *testing.T) {
	for _, data := range []string{"\x80", "\x80\x16", "\xff\xff\x01", "\x16", "\x16\x03\x01\xff\xff\x01", "\x80\x2e\x01\x00\x02", "\x14", "\x17\x03\x03\x00"} {
		if found, err := Bytes("few", pcap(t, tcp{from: client4, to: server4, seq: 1, syn: true}, tcp{from: client4, to: server4, seq: 2, data: []byte(data)})); err == nil {
			t.Errorf("% x: %d found", data, len(found))
		}
	}
}
