package suite

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed suites.tsv
var suitesTSV string

//go:embed groups.tsv
var groupsTSV string

//go:embed schemes.tsv
var schemesTSV string

// table is the parsed data. Codes of two bytes index a dense array, so that a look-up costs a load.
type table struct {
	suites  []Suite
	byCode  [1 << 16]uint16 // index into suites plus one
	sslv2   map[Code]*Suite
	byName  map[string]*Suite
	groups  []GroupInfo
	group   map[Group]*GroupInfo
	schemes []SchemeInfo
	scheme  map[SignatureScheme]*SchemeInfo
}

var data = sync.OnceValue(load)

// formerNames are names of OpenSSL before 1.1.0, in lower case, with the name of today.
var formerNames = map[string]string{
	"edh-rsa-des-cbc3-sha": "dhe-rsa-des-cbc3-sha",
	"edh-dss-des-cbc3-sha": "dhe-dss-des-cbc3-sha",
}

// load panics on a broken record: the data is part of the program and a test reads all of it.
func load() *table {
	t := &table{sslv2: make(map[Code]*Suite), byName: make(map[string]*Suite, 2048),
		group: make(map[Group]*GroupInfo), scheme: make(map[SignatureScheme]*SchemeInfo)}
	records(suitesTSV, 5, func(f []string) {
		s := Suite{Code: Code(number(f[0])), IANA: f[1], OpenSSL: optional(f[2]), GnuTLS: optional(f[3]), Recommended: f[4]}
		s.parseName()
		t.suites = append(t.suites, s)
	})
	for i := range t.suites {
		s := &t.suites[i]
		if s.Code <= 0xFFFF {
			t.byCode[s.Code] = uint16(i + 1)
		} else {
			t.sslv2[s.Code] = s
		}
	}
	for i := range t.suites {
		s := &t.suites[i]
		for _, n := range []string{s.IANA, s.OpenSSL, s.GnuTLS} {
			// OpenSSL gave one name to an SSLv2 kind and to its SSLv3 successor: the suite wins.
			if key := strings.ToLower(n); n != "" && t.byName[key] == nil {
				t.byName[key] = s
			}
		}
	}
	for alias, name := range formerNames {
		t.byName[alias] = t.byName[name]
	}
	records(groupsTSV, 9, func(f []string) {
		t.groups = append(t.groups, GroupInfo{Code: Group(number(f[0])), Name: f[1], OpenSSL: optional(f[2]), GnuTLS: optional(f[3]),
			Kind: f[4], Bits: int(number(f[5])), TLS12: strings.Contains(f[6], "12"), TLS13: strings.Contains(f[6], "13"),
			Recommended: f[7], References: strings.Split(f[8], ",")})
	})
	for i := range t.groups {
		t.group[t.groups[i].Code] = &t.groups[i]
	}
	records(schemesTSV, 10, func(f []string) {
		s := SchemeInfo{Code: SignatureScheme(number(f[0])), Name: f[1], OpenSSL: optional(f[2]), GnuTLS: optional(f[3]),
			Key: f[4], Digest: f[5], TLS12: strings.Contains(f[7], "12"), TLS13: strings.Contains(f[7], "13"),
			Recommended: f[8], References: strings.Split(f[9], ",")}
		if f[6] != "-" {
			s.Curve = Group(number(f[6]))
		}
		t.schemes = append(t.schemes, s)
	})
	for i := range t.schemes {
		t.scheme[t.schemes[i].Code] = &t.schemes[i]
	}
	return t
}

// records calls use with the fields of every line of a TSV that is neither empty nor a comment.
func records(tsv string, fields int, use func([]string)) {
	for line := range strings.Lines(tsv) {
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != fields {
			panic(fmt.Sprintf("suite data: %d fields, want %d: %q", len(f), fields, line))
		}
		use(f)
	}
}

func number(s string) uint64 {
	n, err := strconv.ParseUint(s, 0, 32)
	if err != nil {
		panic("suite data: " + err.Error())
	}
	return n
}

func optional(s string) string {
	if s == "-" {
		return ""
	}
	return s
}
