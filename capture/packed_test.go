package capture

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopacket/gopacket/layers"
)

// gzipped packs b as gzip does.
func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A packed capture gives what the unpacked one gives; of one that is cut or damaged, what comes before is read.
func TestPacked(t *testing.T) {
	good, _ := talks(t, tls.VersionTLS12)
	var frames [][]byte
	for i := range 200 {
		for _, f := range dialogue(netip.AddrPortFrom(client4.Addr(), uint16(50000+i)), server4, 0, good).Frames {
			frames = append(frames, f.Bytes)
		}
	}
	for _, ng := range []bool{false, true} {
		plain := written(t, layers.LinkTypeEthernet, ng, 1<<16, frames...)
		file := gzipped(t, plain)
		if !IsCapture(file[:min(len(file), 4096)]) {
			t.Error("a packed capture is not known for one")
		}
		count := func(b []byte) (int, *Stats) {
			n := 0
			st, err := Follow("c", bytes.NewReader(b), func(*Connection) { n++ })
			if err != nil {
				t.Fatal(err)
			}
			return n, st
		}
		want, _ := count(plain)
		if n, st := count(file); n != want || st.Damaged != 0 {
			t.Errorf("packed: %d negotiations, unpacked %d; %v", n, want, st.Warnings)
		}
		if n, st := count(file[:len(file)/2]); n == 0 || n >= want || st.Damaged != 1 || !strings.Contains(st.Warnings[0], "the gzip file ends before its end") {
			t.Errorf("cut: %d of %d negotiations; %q", n, want, st.Warnings)
		}
		wrong := bytes.Clone(file)
		wrong[len(wrong)-8] ^= 1 // the checksum
		if n, st := count(wrong); n != want || st.Damaged != 1 || !strings.Contains(st.Warnings[0], "the gzip file is damaged") {
			t.Errorf("a wrong checksum: %d of %d negotiations; %q", n, want, st.Warnings)
		}
		path := filepath.Join(t.TempDir(), "c.pcap.gz")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := ReadFile(path)
		if err != nil || len(found) == 0 {
			t.Fatal(len(found), err)
		}
		if one, err := HelloAt(path, found[len(found)-1].Packet); err != nil || one.Source != found[len(found)-1].Source {
			t.Errorf("the hello by its packet: %+v %v", one, err)
		}
	}
	for _, b := range [][]byte{gzipped(t, []byte("no capture")), {0x1F, 0x8B}, {0x1F, 0x8B, 8, 0}} {
		if IsCapture(b) {
			t.Errorf("% x is taken for a capture", b)
		}
	}
}
