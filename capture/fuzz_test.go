package capture

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// FuzzRead holds for every file: no panic, an error of one line or at least one hello, and hellos that can be
// written.
func FuzzRead(f *testing.F) {
	raw := corpus(f)["gnutls-3.7-tls10"]
	parts := append([]tcp{{from: client4, to: server4, seq: 10, syn: true}}, stream(client4, server4, 11, raw, 40)...)
	parts6 := append([]tcp{{from: client6, to: server6, seq: 10, syn: true, vlan: 7}}, stream(client6, server6, 11, raw, 40)...)
	f.Add(pcap(f, parts...))
	f.Add(pcapng(f, parts6...))
	f.Add(raw)
	f.Add(raw[5:])
	f.Add([]byte(hex.Dump(raw)))
	f.Add([]byte(wireshark(raw)))
	f.Add([]byte(hex.EncodeToString(raw)))
	f.Add([]byte(base64.StdEncoding.EncodeToString(raw)))
	f.Add(corpus(f)["java-17-sslv2-format"])
	f.Add([]byte(">>> TLS 1.3, Handshake [length 013b], ClientHello\n    01 00\n"))
	f.Add([]byte("0000 16 03\n*\n0020 00\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		found, err := Bytes("f", b)
		if err == nil && len(found) == 0 {
			t.Fatal("neither a hello nor an error")
		}
		if err != nil && (strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "f: ")) {
			t.Fatalf("error %q", err)
		}
		for _, x := range found {
			if _, err := x.Hello.Marshal(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzSegments cuts a hello into segments of the sizes that the input names, in the order that it names, with
// bytes of its own before them, and demands that the hello is found.
func FuzzSegments(f *testing.F) {
	raw := corpus(f)["nodejs-12"]
	f.Add([]byte{200, 1, 50, 0, 9}, []byte("EHLO\r\n"), uint32(0xFFFFFFF0))
	f.Fuzz(func(t *testing.T, plan, before []byte, isn uint32) {
		mayBeTLS := func(c byte) bool { return c >= 20 && c <= 23 }
		if len(before) > 1000 || len(plan) > 200 || slices.ContainsFunc(before, mayBeTLS) || len(before) > 0 && before[0] >= 0x80 {
			return // bytes that look like TLS themselves are another question
		}
		data := append(bytes.Clone(before), raw...)
		var segments []segment
		seq, at := isn+1, 0
		for i := 0; at < len(data); i++ {
			n := 100
			if i < len(plan) {
				n = 1 + int(plan[i])
			}
			n = min(n, len(data)-at)
			segments = append(segments, segment{from: endpointAt(client4), to: endpointAt(server4), seq: seq, data: data[at : at+n]})
			seq, at = seq+uint32(n), at+n
		}
		for i, p := range plan { // swap, and send some again
			j, k := i%len(segments), int(p)%len(segments)
			segments[j], segments[k] = segments[k], segments[j]
			if p%3 == 0 {
				segments = append(segments, segments[k])
			}
		}
		a := newAssembler()
		var found []byte
		a.seen = func(c *Connection) {
			if c.Hello != nil && found == nil {
				found, _ = c.Hello.Marshal()
			}
		}
		a.segment(&segment{from: endpointAt(client4), to: endpointAt(server4), seq: isn, flags: flagSYN}, begin)
		for _, s := range segments {
			a.segment(&s, begin)
		}
		a.finish()
		if !bytes.Equal(found, raw) {
			t.Fatalf("not found in %d segments, or another", len(segments))
		}
	})
}
