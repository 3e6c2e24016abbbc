package suite_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/parley-tls/parley/suite"
)

// registered are the codes that IANA has given to cipher suites, as ranges: "TLS Cipher Suites" in its state of
// 2026-09-29.
var registered = [][2]suite.Code{{0x0000, 0x001B}, {0x001E, 0x0046}, {0x0067, 0x0071}, {0x0084, 0x00C7}, {0x00FF, 0x00FF}, {0x1301, 0x1307},
	{0x5600, 0x5600}, {0xC001, 0xC0B5}, {0xC100, 0xC106}, {0xCCA8, 0xCCAE}, {0xD001, 0xD003}, {0xD005, 0xD005}}

// TestEveryRegisteredSuite holds the data against IANA's ranges: all of them are there, and nothing else claims to be
// registered.
func TestEveryRegisteredSuite(t *testing.T) {
	want := map[suite.Code]bool{}
	for _, r := range registered {
		for c := r[0]; c <= r[1]; c++ {
			want[c] = true
			if suite.ByCode(c) == nil {
				t.Errorf("%s is missing", c)
			}
		}
	}
	for _, s := range suite.All() {
		if (s.Recommended != "-") != want[s.Code] {
			t.Errorf("%s %s: Recommended %s", s.Code, s.IANA, s.Recommended)
		}
	}
}

// recommendedY are the suites with a Y: RFC 9846 section 11, RFC 5289, RFC 7905 and RFC 8442, less the DHE ones, which
// RFC 10015 sets to D.
var recommendedY = []suite.Code{0x1301, 0x1302, 0x1303, 0x1304, 0xC02B, 0xC02C, 0xC02F, 0xC030, 0xCCA8, 0xCCA9, 0xCCAC, 0xD001, 0xD002, 0xD005}

// discouraged9847 are the suites that RFC 9847 section 5 sets to D.
var discouraged9847 = []suite.Code{0x001E, 0x0020, 0x0021, 0x0022, 0x0024, 0x0025, 0x0026, 0x0027, 0x0028, 0x0029, 0x002A, 0x002B, 0x002C, 0x008A,
	0x00B0, 0x00B1, 0xC006, 0xC007, 0xC010, 0xC011, 0xC033, 0xC039, 0xC03A, 0xC03B, 0xC0B4, 0xC0B5}

// TestRecommendedColumn derives IANA's column anew from the documents that fill it.
func TestRecommendedColumn(t *testing.T) {
	for _, s := range suite.All() {
		if s.Recommended == "-" || s.Signalling {
			continue
		}
		want := "N"
		switch {
		case slices.Contains(recommendedY, s.Code):
			want = "Y"
		case slices.Contains(discouraged9847, s.Code), obsoleteExchange(&s):
			want = "D"
		}
		if s.Recommended != want {
			t.Errorf("%s: Recommended %s, want %s", s.IANA, s.Recommended, want)
		}
		if cites := slices.Contains(s.References, "RFC 10015"); cites != obsoleteExchange(&s) {
			t.Errorf("%s: cites RFC 10015: %v", s.IANA, cites)
		}
		if cites := slices.Contains(s.References, "RFC 9847"); cites != slices.Contains(discouraged9847, s.Code) {
			t.Errorf("%s: cites RFC 9847: %v", s.IANA, cites)
		}
	}
}

// obsoleteExchange reports whether RFC 10015 sections 5.1 to 5.4 list the suite: all with RSA, static or
// finite-field Diffie-Hellman key exchange and the anonymous ones.
func obsoleteExchange(s *suite.Suite) bool {
	switch s.KeyExchange {
	case suite.KXRSA, suite.KXRSAPSK, suite.KXDH, suite.KXDHE, suite.KXDHEPSK, suite.KXECDH:
		return true
	}
	return s.Authentication == suite.AuthAnon
}

// TestRegisteredGroups holds the D of RFC 9847 section 6, and the Y of RFC 9846, RFC 8422 and RFC 10024.
func TestRegisteredGroups(t *testing.T) {
	for _, g := range suite.AllGroups() {
		want := "N"
		switch {
		case slices.Contains([]string{"secp256r1", "secp384r1", "x25519", "x448", "X25519MLKEM768"}, g.Name):
			want = "Y"
		case g.Kind == "ec" && g.Bits > 0 && g.Bits < 240, strings.Contains(g.Name, "Kyber"):
			want = "D"
		}
		if g.Recommended != want {
			t.Errorf("%s: Recommended %s, want %s", g.Name, g.Recommended, want)
		}
	}
}

// TestRecordsOfGroupsAndSchemes reads every record: no code or name is there twice, and every curve of a scheme exists.
func TestRecordsOfGroupsAndSchemes(t *testing.T) {
	last := suite.Code(0)
	kind := suite.KindSuite
	for _, e := range suite.Entries() {
		if e.Kind != kind {
			kind, last = e.Kind, 0
		} else if last > 0 && e.Code <= last {
			t.Errorf("%s %s is out of order or twice", e.Kind, e.Name)
		}
		last = e.Code
		if len(e.References) == 0 || e.References[0] == "" {
			t.Errorf("%s has no reference", e.Name)
		}
		if !slices.Contains([]string{"Y", "N", "D", "-"}, e.Recommended) {
			t.Errorf("%s: Recommended %q", e.Name, e.Recommended)
		}
		if len(e.Versions()) == 0 {
			t.Errorf("%s is for no version", e.Name)
		}
		if e.Kind == suite.KindScheme && e.Scheme.Curve != 0 && suite.GroupByCode(e.Scheme.Curve) == nil {
			t.Errorf("%s: its curve is unknown", e.Name)
		}
		for _, name := range []string{e.Name, e.OpenSSL, e.GnuTLS} {
			l := suite.Find(name)
			found := slices.ContainsFunc(l, func(f suite.Entry) bool { return f.Kind == e.Kind && f.Code == e.Code })
			if name != "" && !found && e.Code <= 0xFFFF { // an SSLv2 kind yields its name to its successor
				t.Errorf("%s is not found by its name %s", e.Code, name)
			}
		}
	}
}
