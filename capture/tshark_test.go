package capture

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-tls/parley/hello"
)

// TestAgreesWithTshark writes every recorded hello into one capture, has tshark dissect it, and demands the
// same fields and the same JA3 from both.
func TestAgreesWithTshark(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("tshark is missing")
		}
		t.Skip("tshark is missing")
	}
	hellos := corpus(t)
	var names []string
	for name := range hellos {
		names = append(names, name)
	}
	slices.Sort(names)
	var segments []tcp
	for i, name := range names {
		from := netip.AddrPortFrom(client4.Addr(), uint16(20000+i))
		back := tcp{from: server4, to: from, seq: 1, syn: true}
		segments = append(segments, tcp{from: from, to: server4, seq: 99, syn: true}, back)
		segments = append(segments, stream(from, server4, 100, hellos[name], 700)...)
	}
	file := filepath.Join(t.TempDir(), "corpus.pcap")
	if err := os.WriteFile(file, pcap(t, segments...), 0o644); err != nil {
		t.Fatal(err)
	}
	found, err := ReadFile(file)
	if err != nil || len(found) != len(names) {
		t.Fatalf("%d of %d found, %v", len(found), len(names), err)
	}
	seen := tshark(t, file)
	if len(seen) != len(names) {
		t.Fatalf("tshark finds %d of %d hellos", len(seen), len(names))
	}
	for _, f := range found {
		name := names[f.Source.Port()-20000]
		theirs, ours := seen[f.Source.Port()], fields(f.Hello)
		for i, field := range tsharkFields {
			if f.Hello.SSLv2Format && i > 2 { // tshark fingerprints no SSLv2-format hello
				break
			}
			if ours[i] != theirs[i] {
				t.Errorf("%s: %s\n ours  %s\ntshark %s", name, field, ours[i], theirs[i])
			}
		}
	}
}

// tsharkFields are the fields compared, after the port.
var tsharkFields = []string{
	"tls.handshake.version", "tls.handshake.ciphersuite", "tls.handshake.cipherspec", "tls.handshake.extension.type",
	"tls.handshake.extensions_supported_group", "tls.handshake.extensions_ec_point_format", "tls.handshake.sig_hash_alg",
	"tls.handshake.extensions_alpn_str", "tls.handshake.extensions_server_name", "tls.handshake.extensions.supported_version",
	"tls.handshake.extensions_key_share_group", "tls.extension.psk_ke_mode", "tls.handshake.comp_method", "tls.handshake.random",
	"tls.handshake.session_id", "tls.handshake.ja3_full", "tls.handshake.ja3",
}

// tshark returns the fields of every ClientHello by source port, lists separated by semicolons.
func tshark(t *testing.T, file string) map[uint16][]string {
	t.Helper()
	args := []string{"-r", file, "-Y", "tls.handshake.type == 1 || ssl.handshake.type == 1", "-T", "fields", "-E", "separator=|", "-E", "aggregator=;", "-e", "tcp.srcport"}
	for _, f := range tsharkFields {
		args = append(args, "-e", f)
	}
	out, err := exec.Command("tshark", args...).Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	seen := make(map[uint16][]string)
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		port, err := strconv.ParseUint(f[0], 10, 16)
		if err != nil || len(f) != 1+len(tsharkFields) {
			t.Fatalf("tshark: %q", line)
		}
		values := f[1:]
		for i, v := range values { // numbers in whatever base tshark prints them
			if tsharkFields[i] == "tls.handshake.random" || tsharkFields[i] == "tls.handshake.session_id" || strings.Contains(tsharkFields[i], "ja3") || strings.HasSuffix(tsharkFields[i], "_str") {
				continue
			}
			words := strings.Split(v, ";")
			for j, w := range words {
				if n, err := strconv.ParseUint(w, 0, 32); err == nil {
					words[j] = fmt.Sprint(n)
				}
			}
			values[i] = strings.Join(words, ";")
		}
		seen[uint16(port)] = values
	}
	return seen
}

// fields returns what tsharkFields name as this module reads it.
func fields(h *hello.ClientHello) []string {
	o := h.Offer()
	var tlsSuites, kinds []uint32
	for _, c := range h.Suites {
		if h.SSLv2Format {
			kinds = append(kinds, uint32(c))
		} else {
			tlsSuites = append(tlsSuites, uint32(c))
		}
	}
	var types []uint16
	for _, e := range h.Extensions {
		types = append(types, e.Type)
	}
	versions := o.Versions
	if !h.HasExtension(hello.ExtSupportedVersions) {
		versions = nil
	}
	full, sum := h.JA3()
	return []string{
		fmt.Sprint(uint16(h.Version)), numbers(tlsSuites), numbers(kinds), numbers(types), numbers(o.Groups), numbers(o.PointFormats),
		numbers(append(o.Schemes, o.CertSchemes...)), // tshark prints the two extensions as one field
		strings.Join(o.ALPN, ";"), o.ServerName, numbers(versions), numbers(o.KeyShares), numbers(o.PSKModes), numbers(h.Compression),
		fmt.Sprintf("%x", h.Random), fmt.Sprintf("%x", h.SessionID), full, sum,
	}
}

func numbers[T ~uint8 | ~uint16 | ~uint32](l []T) string {
	out := make([]string, len(l))
	for i, v := range l {
		out[i] = strconv.FormatUint(uint64(v), 10)
	}
	return strings.Join(out, ";")
}
