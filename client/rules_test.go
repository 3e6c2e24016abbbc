package client

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/parley-tls/parley/suite"
)

// TestRemedies: each names what it enables in words that a diagnosis asks for, says how, and enables nothing
// that the client has anyway.
func TestRemedies(t *testing.T) {
	for _, p := range All() {
		for _, r := range p.Remedies {
			if len(r.Enables) == 0 || r.Summary == "" || len(r.Commands) == 0 || r.Source == "" {
				t.Errorf("%s: incomplete remedy %+v", p.Name, r)
			}
			for _, what := range r.Enables {
				has, known := p.has(what)
				switch {
				case !known:
					t.Errorf("%s: a remedy enables %q, which is no version, suite (IANA name), group, scheme or word of Enabling", p.Name, what)
				case has:
					t.Errorf("%s: a remedy enables %q, which the client has", p.Name, what)
				}
			}
		}
	}
}

// has reports whether the profile has what a remedy enables, and whether the word is known at all.
func (p *Profile) has(what string) (has, known bool) {
	o := p.Offer()
	if v, err := suite.ParseVersion(what); err == nil {
		return slices.Contains(o.Versions, v) && v >= o.Accepts.MinVersion, v.String() == what
	}
	if s := suite.ByName(what); s != nil {
		return slices.Contains(o.Suites, s.Code), s.IANA == what
	}
	if g := suite.GroupByName(what); g != nil {
		return slices.Contains(o.Groups, g.Code), true
	}
	if s := suite.SchemeByName(what); s != nil {
		return slices.Contains(o.Schemes, s.Code), true
	}
	a := &o.Accepts
	switch what {
	case "extended_master_secret":
		has = o.ExtendedMaster
	case "renegotiation_info":
		has = o.SecureReneg
	case "alpn":
		has = len(o.ALPN) > 0
	case "tls-record-format":
		has = !o.SSLv2Format
	case "legacy-renegotiation":
		has = !a.RequiresSecureReneg
	case "small-dh":
		has = a.MinDHBits == 0
	case "small-rsa":
		has = a.MinRSABits == 0
	case "sha1-certificate":
		has = !slices.Contains(a.RefusedDigests, "SHA1")
	case "sha1-signature":
		has = !slices.Contains(a.RefusedSigDigests, "SHA1") && slices.Contains(o.Schemes, suite.RSAPKCS1SHA1)
	case "small-hello":
		has = len(o.KeyShares) == 0 || o.WireSize > 0 && o.WireSize < 1000
	}
	return has, Enabling[what] != ""
}

// TestEnablingIsDocumented: docs/clients.md lists the words that remedies use, and no others.
func TestEnablingIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	for word, meaning := range Enabling {
		if !strings.Contains(string(page), "| `"+word+"` | "+meaning+" |\n") {
			t.Errorf("docs/clients.md: no row for %s: %s", word, meaning)
		}
	}
}

// TestRules: what clients refuse is written in words that Decide understands.
func TestRules(t *testing.T) {
	for _, p := range All() {
		a := &p.Offer().Accepts
		for _, d := range append(slices.Clone(a.RefusedDigests), a.RefusedSigDigests...) {
			if d != "MD5" && d != "SHA1" {
				t.Errorf("%s refuses the digest %q", p.Name, d)
			}
		}
		if a.MinVersion > slices.Max(p.Offer().Versions) {
			t.Errorf("%s demands at least %s and offers %s at most", p.Name, a.MinVersion, p.Offer().Versions[0])
		}
		if a.MaxDHBits > 0 && a.MaxDHBits < a.MinDHBits {
			t.Errorf("%s takes DH of %d to %d bits", p.Name, a.MinDHBits, a.MaxDHBits)
		}
		if p.Ended != "" && p.Ended < p.Released {
			t.Errorf("%s: support ended %s, released %s", p.Name, p.Ended, p.Released)
		}
	}
}

// TestEveryHelloHasARecord: no bytes without the facts that they show.
func TestEveryHelloHasARecord(t *testing.T) {
	files, err := os.ReadDir("data/hello")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if p := ByName(strings.TrimSuffix(f.Name(), ".hex")); p == nil || !p.Captured {
			t.Errorf("data/hello/%s: no captured profile of that name", f.Name())
		}
	}
	for _, p := range All() {
		if p.Captured && p.Hello() == nil {
			t.Errorf("%s: captured, and no bytes in data/hello", p.Name)
		}
	}
}

// families of the clients that people connect with, and the span of years that profiles cover.
var families = map[string]struct {
	atLeast     int
	first, last string
}{
	"openssl": {15, "2013", "2026"}, "java": {15, "2013", "2025"}, "ie": {10, "2001", "2015"}, "android": {15, "2011", "2025"},
	"safari": {10, "2011", "2026"}, "safari-ios": {9, "2011", "2026"}, "chrome": {50, "2013", "2026"}, "firefox": {35, "2012", "2025"},
	"curl": {6, "2014", "2026"}, "gnutls": {4, "2021", "2026"}, "python": {8, "2013", "2025"}, "go": {20, "2013", "2026"},
	"nodejs": {14, "2013", "2026"}, "ruby": {4, "2015", "2023"}, "php": {4, "2014", "2024"}, "aws-cli": {3, "2021", "2025"},
	"schannel": {6, "2008", "2021"}, "dotnet": {5, "2007", "2023"}, "aws-sdk-js": {2, "2024", "2025"}, "aws-sdk-java": {3, "2013", "2021"},
}

// TestFamilies holds that no family loses its profiles again.
func TestFamilies(t *testing.T) {
	for name, want := range families {
		var years []string
		for _, p := range All() {
			if p.Family == name {
				years = append(years, p.Released[:4])
			}
		}
		if len(years) < want.atLeast || slices.Min(years) > want.first || slices.Max(years) < want.last {
			t.Errorf("%s: %d profiles of %v, want at least %d from %s to %s", name, len(years), years, want.atLeast, want.first, want.last)
		}
	}
}
