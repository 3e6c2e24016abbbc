package capture

import (
	"bytes"
	"encoding/hex"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

var recordFlag = flag.Bool("record", false, "write the sample files of the command-line tests, cmd/parley/testdata/hello*")

// samples are the files of the command-line tests, each made from recorded hellos.
func samples(t *testing.T) map[string]struct {
	content []byte
	hellos  []string
} {
	c := corpus(t)
	old := append([]tcp{{from: client4, to: server4, seq: 10, syn: true}, {from: server4, to: client4, seq: 70, syn: true}},
		stream(client4, server4, 11, c["gnutls-3.7-tls10"], 40)...)
	old[2], old[3] = old[3], old[2]
	old = append(old, tcp{from: server4, to: client4, seq: 71, data: []byte{21, 3, 1, 0, 2, 2, 70}})
	other := netip.AddrPortFrom(client6.Addr(), 50001)
	two := append(stream(client6, server6, 1, c["nodejs-24"], 1200), stream(other, server6, 1, c["java-17-default"], 1200)...)
	return map[string]struct {
		content []byte
		hellos  []string
	}{
		"hello-tls10.pcap":   {pcap(t, old...), []string{"gnutls-3.7-tls10"}}, // a client of TLS 1.0 alone, and the alert it gets
		"hello-two.pcapng":   {pcapng(t, two...), []string{"nodejs-24", "java-17-default"}},
		"hello-node010.hex":  {[]byte(hex.Dump(c["nodejs-0.10"])), []string{"nodejs-0.10"}},
		"hello-go.bin":       {c["go-1.26"], []string{"go-1.26"}},
		"hello-sslv2.bin":    {c["java-17-sslv2-format"], []string{"java-17-sslv2-format"}},
		"hello-cut.bin":      {c["go-1.26"][:700], nil},
		"hello-damaged.pcap": {pcap(t, old...)[:200], nil},
	}
}

// TestSamples keeps the sample files as what their names say.
func TestSamples(t *testing.T) {
	dir := filepath.Join("..", "cmd", "parley", "testdata")
	c := corpus(t)
	for name, s := range samples(t) {
		file := filepath.Join(dir, name)
		if *recordFlag {
			if err := os.WriteFile(file, s.content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		found, err := ReadFile(file)
		if (err != nil) != (s.hellos == nil) || len(found) != len(s.hellos) {
			t.Errorf("%s: %d found, %v", name, len(found), err)
			continue
		}
		for i, f := range found {
			if raw, err := f.Hello.Marshal(); err != nil || !bytes.Equal(raw, c[s.hellos[i]]) {
				t.Errorf("%s: hello %d is not that of %s: %v", name, i+1, s.hellos[i], err)
			}
		}
	}
}
