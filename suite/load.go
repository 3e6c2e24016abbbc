package suite

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

//go:embed suites.tsv
var suitesTSV string

//go:embed groups.tsv
var groupsTSV string

//go:embed schemes.tsv
var schemesTSV string

// table is the parsed data. Codes of two bytes index a dense array, so that a look-up costs a load.
type table struct {
	suites   []Suite
	strength []Strength      // of suites, by the same index
	byCode   [1 << 16]uint16 // index into suites plus one
	sslv2    map[Code]*Suite
	groups   []GroupInfo
	group    map[Group]*GroupInfo
	schemes  []SchemeInfo
	scheme   map[SignatureScheme]*SchemeInfo
}

var (
	loaded  atomic.Pointer[table]
	loading sync.Mutex
)

// data returns the table, which it loads at its first call. It is small enough to be inlined, so that a
// look-up costs two loads; sync.OnceValue would cost several times that.
func data() *table {
	if t := loaded.Load(); t != nil {
		return t
	}
	return loadOnce()
}

func loadOnce() *table {
	loading.Lock()
	defer loading.Unlock()
	if loaded.Load() == nil {
		loaded.Store(load())
	}
	return loaded.Load()
}

// load panics on a broken record: the data is part of the program and a test reads all of it.
func load() *table {
	t := &table{suites: make([]Suite, 0, 512), strength: make([]Strength, 0, 512), sslv2: make(map[Code]*Suite),
		group: make(map[Group]*GroupInfo), scheme: make(map[SignatureScheme]*SchemeInfo)}
	records(suitesTSV, 6, func(f []string) {
		s := Suite{Code: Code(number(f[0])), IANA: f[1], OpenSSL: optional(f[2]), GnuTLS: optional(f[3]), Recommended: f[4],
			References: strings.Split(f[5], ",")}
		s.parseName()
		t.suites = append(t.suites, s)
	})
	for i := range t.suites {
		s := &t.suites[i]
		t.strength = append(t.strength, judge(s))
		if s.Code <= 0xFFFF {
			t.byCode[s.Code] = uint16(i + 1)
		} else {
			t.sslv2[s.Code] = s
		}
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
			ClientOnly: f[7] == "client", Recommended: f[8], References: strings.Split(f[9], ",")}
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
