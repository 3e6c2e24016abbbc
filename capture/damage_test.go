package capture

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/gopacket/gopacket/layers"
)

// TestReadsOn damages a capture of five connections in one place: one warning names it, and all connections but
// the one that was hit are found.
func TestReadsOn(t *testing.T) {
	good, _ := talks(t, tls.VersionTLS12)
	var frames [][]byte
	for i := range 5 {
		for _, f := range dialogue(netip.AddrPortFrom(client4.Addr(), uint16(50000+i)), server4, 0, good).Frames {
			frames = append(frames, f.Bytes)
		}
	}
	whole := map[string][]byte{"pcap": written(t, layers.LinkTypeEthernet, false, 1<<16, frames...), "pcapng": written(t, layers.LinkTypeEthernet, true, 1<<16, frames...)}
	places := map[string][]int{"pcap": offsets(t, whole["pcap"], false), "pcapng": offsets(t, whole["pcapng"], true)}
	type damage struct {
		name string
		do   func(file []byte, at int) []byte
	}
	overwrite := func(offset int, with string) func([]byte, int) []byte {
		return func(b []byte, at int) []byte {
			b = bytes.Clone(b)
			copy(b[at+offset:], with)
			return b
		}
	}
	insert := func(n int) func([]byte, int) []byte {
		return func(b []byte, at int) []byte {
			return append(append(bytes.Clone(b[:at]), bytes.Repeat([]byte{0xA5}, n)...), b[at:]...)
		}
	}
	remove := func(n int) func([]byte, int) []byte {
		return func(b []byte, at int) []byte { return append(bytes.Clone(b[:at]), b[at+n:]...) }
	}
	for form, l := range map[string][]damage{
		"pcap": {{"a length out of bounds", overwrite(8, "\xff\xff\xff\x7f")}, {"a length beyond the end", overwrite(8, "\x00\x00\x03\x00")},
			{"garbage", insert(1000)}, {"much garbage", insert(700000)}},
		"pcapng": {{"a length out of bounds", overwrite(4, "\xff\xff\xff\x7f")}, {"an odd length", overwrite(4, "\x33")}, {"two lengths that differ", overwrite(4, "\x24\x00\x00\x00")},
			{"an interface that is not there", overwrite(8, "\x09")}, {"garbage", insert(1000)}, {"much garbage", insert(700000)}, {"a hole", remove(40)},
			{"a hole of odd size", remove(41)}, {"garbage of odd size", insert(1001)}},
	} {
		for _, d := range l {
			at := places[form][len(frames)/2]
			file := d.do(whole[form], at)
			established := 0
			st, err := Follow("c", bytes.NewReader(file), func(*Connection) { established++ })
			if err != nil {
				t.Errorf("%s, %s: %v", form, d.name, err)
				continue
			}
			if len(st.Warnings) != 1 || !strings.Contains(st.Warnings[0], fmt.Sprintf("packet %d, at byte %d", len(frames)/2+1, at)) {
				t.Errorf("%s, %s at byte %d: warnings %q", form, d.name, at, st.Warnings)
			}
			if established < 4 || st.Packets < len(frames)-2 {
				t.Errorf("%s, %s: %d negotiations and %d of %d packets were found", form, d.name, established, st.Packets, len(frames))
			}
		}
		cut := whole[form][:places[form][len(frames)-1]+20]
		st, err := Follow("c", bytes.NewReader(cut), func(*Connection) {})
		if err != nil || len(st.Warnings) != 1 || !strings.Contains(st.Warnings[0], "the file ends in the middle of it") || st.Packets != len(frames)-1 {
			t.Errorf("%s, cut: %+v %v", form, st, err)
		}
	}
}

// offsets are the places in a file at which its packets begin.
func offsets(t *testing.T, file []byte, ng bool) (l []int) {
	t.Helper()
	f, err := openPackets(bytes.NewReader(file), ng)
	if err != nil {
		t.Fatal(err)
	}
	for {
		at := int(f.state().at)
		if ng && len(l) == 0 { // after the section and the interface
			at = bytes.Index(file, []byte{6, 0, 0, 0})
		}
		if _, err := f.next(); err != nil {
			return l
		}
		l = append(l, at)
	}
}

func TestNoCapture(t *testing.T) {
	for name, b := range map[string]string{"empty": "", "gzip": "\x1f\x8b\x08\x00", "text": "hello, world", "cut": "\xd4\xc3\xb2\xa1\x02\x00", "ng, cut": "\x0a\x0d\x0d\x0a\x1c\x00"} {
		_, err := Follow("c.pcap", strings.NewReader(b), func(*Connection) {})
		if err == nil || !strings.HasPrefix(err.Error(), "c.pcap: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzFollow reads any file: no panic, and nothing that cannot be told. Its seeds in testdata are captures of a handshake.
func FuzzFollow(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := Follow("f", bytes.NewReader(b), func(c *Connection) {
			c.Outcome()
			if c.Hello != nil {
				if _, err := c.Hello.Marshal(); err != nil {
					t.Fatal(err)
				}
			}
		})
		if err == nil && (len(st.Warnings) > maxWarnings || len(st.Warnings) > st.Damaged) {
			t.Fatalf("%+v", st)
		}
	})
}
