package hello

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/parley-tls/parley/suite"
)

// codes reads comma-separated hex.
func codes(t *testing.T, list string) []uint16 {
	t.Helper()
	var out []uint16
	for f := range strings.SplitSeq(list, ",") {
		b, err := hex.DecodeString(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, binary.BigEndian.Uint16(b))
	}
	return out
}

// published makes a hello from the lists that a published fingerprint was made from.
func published(t *testing.T, suites, extensions, schemes, alpn string) *ClientHello {
	t.Helper()
	h := &ClientHello{RecordVersion: suite.TLS10, Version: suite.TLS12, Random: make([]byte, 32), Compression: []byte{0}}
	for _, c := range codes(t, suites) {
		h.Suites = append(h.Suites, suite.Code(c))
	}
	for _, e := range codes(t, extensions) {
		var body []byte
		switch e {
		case ExtSignatureAlgorithms:
			if schemes != "" {
				body = list16(codes(t, schemes))
			}
		case ExtALPN:
			body = alpnBody([]string{alpn})
		case ExtSupportedVersions:
			body = versionsBody([]suite.Version{0x8A8A, suite.TLS13, suite.TLS12})
		}
		h.SetExtension(e, body)
	}
	return h
}

const (
	chromeSuites     = "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"
	chromeExtensions = "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015"
	chromeSchemes    = "0403,0804,0401,0503,0805,0501,0806,0601"
)

// TestJA4Published holds the example of the specification (FoxIO-LLC/ja4, technical_details/JA4.md) against
// the code: hashed, raw, without signature algorithms, and with GREASE added, which must change nothing.
func TestJA4Published(t *testing.T) {
	h := published(t, chromeSuites, chromeExtensions, chromeSchemes, "h2")
	const want = "t13d1516h2_8daaf6152771_e5627efa2ab1"
	if got := h.JA4(); got != want {
		t.Errorf("JA4 %s, published %s", got, want)
	}
	const raw = "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_0403,0804,0401,0503,0805,0501,0806,0601"
	if got := h.JA4Raw(); got != raw {
		t.Errorf("JA4_r\n %s, published\n %s", got, raw)
	}
	greased := published(t, "2a2a,"+chromeSuites, "fafa,"+chromeExtensions+",1a1a", "caca,"+chromeSchemes, "h2")
	if got := greased.JA4(); got != want {
		t.Errorf("with GREASE %s, published %s", got, want)
	}
	if got := published(t, chromeSuites, chromeExtensions, "", "h2").JA4(); got != "t13d1516h2_8daaf6152771_6d807ffa2a79" {
		t.Errorf("without signature algorithms %s", got)
	}
	if got := (&ClientHello{Version: suite.SSLv3}).JA4(); got != "ts3i000000_000000000000_000000000000" {
		t.Errorf("an empty hello: %s", got)
	}
	sslv2 := &ClientHello{SSLv2Format: true, Version: suite.SSLv2, Suites: []suite.Code{0x010080}}
	if got := sslv2.JA4(); got != "ts2i010000_"+ja4Hash("010080")+"_000000000000" {
		t.Errorf("SSLv2: %s", got)
	}
}

// TestJA4ALPN holds the table of the same specification.
func TestJA4ALPN(t *testing.T) {
	for in, want := range map[string]string{
		"h2": "h2", "http/1.1": "h1", "x": "xx", "": "00", "\xab": "ab", "\x20": "20", "\xab\xcd": "ad", "\x20\x61": "21", "\x30\xab": "3b",
		"\x61\x20": "60", "\x30\x31\xab\xcd": "3d", "\x30\xab\xcd\x31": "01",
	} {
		if got := ja4ALPN([]string{in}); got != want {
			t.Errorf("%q: %s, published %s", in, got, want)
		}
	}
	if got := ja4ALPN(nil); got != "00" {
		t.Errorf("no protocols: %s", got)
	}
}

// TestJA3Published holds the examples of JA3's own READMEs (salesforce/ja3, README.md and python/README.rst).
func TestJA3Published(t *testing.T) {
	for text, want := range map[string]string{
		"769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0": "ada70206e40642a3e4461f35503241d5",
		"769,4-5-10-9-100-98-3-6-19-18-99,,,":                                  "de350869b8c85de67a350c8d186f11e6",
		"769,255-49162-49172-136-135-57-56-49167-49157-132-53-49159-49161-49169-49171-69-68-51-50-49164-49166-49154-49156-150-65-4-5-47-49160-49170-22-19-49165-49155-65279-10,0-10-11-35,23-24-25,0": "2aef69b4ba1938c3a400de4188743185",
	} {
		f := strings.Split(text, ",")
		h := &ClientHello{Version: suite.TLS10, Random: make([]byte, 32), Compression: []byte{0}}
		for _, c := range numbers(t, f[1]) {
			h.Suites = append(h.Suites, suite.Code(c))
		}
		for _, e := range numbers(t, f[2]) {
			var body []byte
			switch e {
			case ExtSupportedGroups:
				body = list16(numbers(t, f[3]))
			case ExtPointFormats:
				body = []byte{1, 0}
			}
			h.SetExtension(e, body)
		}
		if got, sum := h.JA3(); got != text || sum != want {
			t.Errorf("JA3 %s %s, published %s %s", got, sum, text, want)
		}
	}
}

func numbers(t *testing.T, list string) []uint16 {
	t.Helper()
	var out []uint16
	for f := range strings.SplitSeq(list, "-") {
		if f == "" {
			continue
		}
		n := 0
		for _, c := range f {
			n = 10*n + int(c-'0')
		}
		out = append(out, uint16(n))
	}
	return out
}
