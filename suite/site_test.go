package suite_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/parley-tls/parley/suite"
)

// siteRow is a line of testdata/ciphersuites-info.tsv.
type siteRow struct {
	suite      *suite.Suite
	site, ours string
	why        string // the document that we follow, "-" where both say the same
}

func siteRows(t *testing.T) []siteRow {
	t.Helper()
	raw, err := os.ReadFile("testdata/ciphersuites-info.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var rows []siteRow
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSpace(line), "\t")
		s := suite.ByName(f[0])
		if len(f) != 4 || s == nil {
			t.Fatalf("not understood: %q", line)
		}
		rows = append(rows, siteRow{s, f[1], f[2], f[3]})
	}
	return rows
}

var citesRFC = regexp.MustCompile(`RFC \d{4,5}`)

// TestSiteTable holds both verdicts of every line: the site's by its rules, ours by Assess, and a document where
// they differ.
func TestSiteTable(t *testing.T) {
	for _, r := range siteRows(t) {
		if got := siteVerdict(r.suite); got != r.site {
			t.Errorf("%s: the site's rules say %s, the table %s", r.suite.IANA, got, r.site)
		}
		if got := suite.Assess(r.suite).Strength.String(); got != r.ours {
			t.Errorf("%s: %s, the table says %s", r.suite.IANA, got, r.ours)
		}
		if (r.site != r.ours) != citesRFC.MatchString(r.why) {
			t.Errorf("%s: the site says %s, we %s, because %q", r.suite.IANA, r.site, r.ours, r.why)
		}
	}
}

// TestSiteTableIsWhole goes through all suites that are on the site: each with another verdict is in the table, and
// so is each kind of key exchange, authentication, cipher, mode and MAC.
func TestSiteTableIsWhole(t *testing.T) {
	inTable := map[suite.Code]bool{}
	kinds := map[string]bool{}
	for _, r := range siteRows(t) {
		inTable[r.suite.Code] = true
		for _, k := range kindsOf(r.suite) {
			kinds[k] = true
		}
	}
	for _, s := range suite.All() {
		if !onSite(&s) {
			continue
		}
		if site, ours := siteVerdict(&s), suite.Assess(&s).Strength.String(); site != ours && !inTable[s.Code] {
			t.Errorf("%s: the site says %s, we %s: the table must say why", s.IANA, site, ours)
		}
		for _, k := range kindsOf(&s) {
			if !kinds[k] {
				t.Errorf("no line of the table has %s, as %s does", k, s.IANA)
				kinds[k] = true
			}
		}
	}
}

func kindsOf(s *suite.Suite) []string {
	return []string{"key exchange " + s.KeyExchange.String(), "authentication " + s.Authentication.String(), "cipher " + s.Encryption, "mode " + s.Mode, "MAC " + s.MAC}
}

// onSite reports whether the site has the suite: it takes IANA's list, less what no RFC defines.
func onSite(s *suite.Suite) bool {
	byRFC := slices.ContainsFunc(s.References, func(r string) bool { return strings.HasPrefix(r, "RFC ") })
	return byRFC && s.Recommended != "-" && !s.Signalling && !strings.Contains(s.IANA, "ASCON")
}

// siteVerdict applies the site's rules.
func siteVerdict(s *suite.Suite) string {
	name := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s.IANA, w) })
	}
	switch {
	case s.Export, name("anon", "NULL", "RC4", "RC2", "_DES", "MD5", "SM3", "SM4", "GOST", "SHA256_SHA256", "SHA384_SHA384"):
		return "insecure"
	case s.MAC == "SHA1", s.Mode == "CBC", s.KeyExchange == suite.KXSRP:
		return "weak"
	}
	switch s.KeyExchange { // without forward secrecy, or finite-field with an ephemeral key: D(HE)at
	case suite.KXRSA, suite.KXRSAPSK, suite.KXPSK, suite.KXDH, suite.KXECDH, suite.KXKRB5, suite.KXDHE, suite.KXDHEPSK:
		return "weak"
	}
	if s.Authentication == suite.AuthRSA || strings.HasPrefix(s.Mode, "CCM") {
		return "secure"
	}
	return "recommended"
}
