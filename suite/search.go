package suite

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Kind says which number space an Entry is of.
type Kind string

// Kinds. A GREASE value stands in all three spaces.
const (
	KindSuite  Kind = "suite"
	KindGroup  Kind = "group"
	KindScheme Kind = "scheme"
	KindGREASE Kind = "grease"
)

// Entry is a suite, a group, a signature scheme or a GREASE value: what they have in common, and the record
// itself.
type Entry struct {
	Kind        Kind
	Code        Code   // the number, whatever the kind
	Name        string // IANA's
	OpenSSL     string
	GnuTLS      string
	Recommended string // IANA's column
	References  []string

	Suite  *Suite // the record: the pointer of the kind is set
	Group  *GroupInfo
	Scheme *SchemeInfo
}

// Entries returns everything that has a code: suites, then groups, then schemes, each by code; GREASE values
// are left out.
func Entries() []Entry {
	t := data()
	l := make([]Entry, 0, len(t.suites)+len(t.groups)+len(t.schemes))
	for i := range t.suites {
		l = append(l, suiteEntry(&t.suites[i]))
	}
	for i := range t.groups {
		l = append(l, groupEntry(&t.groups[i]))
	}
	for i := range t.schemes {
		l = append(l, schemeEntry(&t.schemes[i]))
	}
	return l
}

func suiteEntry(s *Suite) Entry {
	return Entry{Kind: KindSuite, Code: s.Code, Name: s.IANA, OpenSSL: s.OpenSSL, GnuTLS: s.GnuTLS, Recommended: s.Recommended,
		References: s.References, Suite: s}
}

func groupEntry(g *GroupInfo) Entry {
	return Entry{Kind: KindGroup, Code: Code(g.Code), Name: g.Name, OpenSSL: g.OpenSSL, GnuTLS: g.GnuTLS, Recommended: g.Recommended,
		References: g.References, Group: g}
}

func schemeEntry(s *SchemeInfo) Entry {
	return Entry{Kind: KindScheme, Code: Code(s.Code), Name: s.Name, OpenSSL: s.OpenSSL, GnuTLS: s.GnuTLS, Recommended: s.Recommended,
		References: s.References, Scheme: s}
}

func greaseEntry(c Code) Entry {
	return Entry{Kind: KindGREASE, Code: c, Name: "GREASE", Recommended: "N", References: []string{"RFC 8701"}}
}

// Assess judges the entry. A GREASE value has no strength: ok is false.
func (e *Entry) Assess() (a Assessment, ok bool) {
	switch e.Kind {
	case KindSuite:
		return Assess(e.Suite), true
	case KindGroup:
		return AssessGroup(e.Group), true
	case KindScheme:
		return AssessScheme(e.Scheme), true
	}
	return Assessment{}, false
}

// Versions lists the protocol versions in which the entry may be used, oldest first; for a signalling value
// those in which it may be sent.
func (e *Entry) Versions() []Version {
	var l []Version
	for _, v := range Versions {
		if e.usableIn(v) {
			l = append(l, v)
		}
	}
	return l
}

// OtherNames lists what older releases, forks and standards call the entry, in alphabetical order.
func (e *Entry) OtherNames() []string {
	var l []string
	switch e.Kind {
	case KindSuite:
		for alias, name := range otherNames {
			if ByName(name) == e.Suite {
				l = append(l, strings.ToUpper(alias))
			}
		}
	case KindGroup:
		for alias, name := range groupAliases {
			if name == e.Name {
				l = append(l, alias)
			}
		}
	}
	slices.Sort(l)
	return l
}

func (e *Entry) usableIn(v Version) bool {
	switch e.Kind {
	case KindSuite:
		return e.Suite.MinVersion <= v && v <= e.Suite.MaxVersion
	case KindGroup: // supported_groups is an extension: SSLv3 has none
		return v == TLS13 && e.Group.TLS13 || v >= TLS10 && v < TLS13 && e.Group.TLS12
	case KindScheme: // before TLS 1.2 the key alone decides
		return v == TLS13 && (e.Scheme.TLS13 || e.Scheme.ClientOnly) || v == TLS12 && e.Scheme.TLS12
	}
	return v >= TLS10
}

// Find returns what word names: by a name in any case, or by a code (0xC02F, C02F, c0,2f, 49199), which may be
// both a suite's and a group's. None if it names nothing.
func Find(word string) []Entry {
	if l := named(word); len(l) > 0 {
		return l
	}
	codes, _ := readCodes(word)
	return coded(codes)
}

// Search finds the entries of which a name of IANA's, OpenSSL's or GnuTLS's fits a pattern with * or ?, or has
// word as a part, in any case. It finds at least one, or the error names the nearest names.
func Search(word string) ([]Entry, error) {
	switch _, certain := readCodes(word); {
	case word == "":
		return nil, errors.New("an empty name: give a name, a code or a pattern")
	case certain:
		return nil, fmt.Errorf("unknown code %q: no suite, group or signature scheme has it", word)
	}
	pattern := strings.ToLower(word)
	if !strings.ContainsAny(pattern, "*?[") {
		pattern = "*" + pattern + "*"
	}
	var l []Entry
	for _, e := range Entries() {
		for _, name := range [...]string{e.Name, e.OpenSSL, e.GnuTLS} {
			match, err := path.Match(pattern, strings.ToLower(name))
			if err != nil {
				return nil, fmt.Errorf("pattern %q: a [ without its ]", word)
			}
			if match {
				l = append(l, e)
				break
			}
		}
	}
	if len(l) == 0 {
		return nil, unknown(word)
	}
	return l, nil
}

// named finds entries by one of their names.
func named(word string) []Entry {
	var l []Entry
	if s := ByName(word); s != nil {
		l = append(l, suiteEntry(s))
	}
	if g := GroupByName(word); g != nil {
		l = append(l, groupEntry(g))
	}
	if s := SchemeByName(word); s != nil {
		l = append(l, schemeEntry(s))
	}
	if strings.EqualFold(word, "GREASE") {
		for i := range 16 {
			l = append(l, greaseEntry(Code(0x0A0A+i*0x1010)))
		}
	}
	return l
}

// coded finds entries by their numbers.
func coded(codes []Code) []Entry {
	var l []Entry
	for _, c := range codes {
		if s := ByCode(c); s != nil {
			l = append(l, suiteEntry(s))
		}
		if c > 0xFFFF {
			continue
		}
		if g := GroupByCode(Group(c)); g != nil {
			l = append(l, groupEntry(g))
		}
		if s := SchemeByCode(SignatureScheme(c)); s != nil {
			l = append(l, schemeEntry(s))
		}
		if IsGREASE(uint16(c)) {
			l = append(l, greaseEntry(c))
		}
	}
	return l
}

// readCodes reads a code as tables and logs write it. Digits alone may be both: 1301 is hexadecimal where
// people write four digits, and decimal as in a JA3 string. Certain reports that word can be nothing but a code.
func readCodes(word string) (codes []Code, certain bool) {
	word = strings.ToLower(strings.Trim(word, "{}()"))
	if parts := strings.FieldsFunc(word, func(r rune) bool { return r == ',' || r == ' ' || r == ':' }); len(parts) > 1 {
		c, ok := readBytes(parts)
		if !ok {
			return nil, false
		}
		return []Code{c}, true
	}
	if digits, ok := strings.CutPrefix(word, "0x"); ok {
		n, err := strconv.ParseUint(digits, 16, 24)
		if err != nil {
			return nil, false
		}
		return []Code{Code(n)}, true
	}
	if n, err := strconv.ParseUint(word, 16, 24); err == nil && (len(word) == 4 || len(word) == 6 || strings.ContainsAny(word, "abcdef")) {
		codes = append(codes, Code(n))
	}
	if n, err := strconv.ParseUint(word, 10, 16); err == nil && (word == "0" || word[0] != '0') {
		codes = append(codes, Code(n))
	}
	return codes, false
}

// readBytes reads two or three bytes: 0xC0,0x2F.
func readBytes(parts []string) (Code, bool) {
	var c Code
	for _, p := range parts {
		n, err := strconv.ParseUint(strings.TrimPrefix(p, "0x"), 16, 8)
		if err != nil {
			return 0, false
		}
		c = c<<8 | Code(n)
	}
	return c, len(parts) <= 3
}

// unknown says that word is no name, and which names are near.
func unknown(word string) error {
	var names []string
	for _, e := range Entries() {
		names = append(names, e.Name)
		if e.OpenSSL != "" && e.OpenSSL != e.Name {
			names = append(names, e.OpenSSL)
		}
		if e.GnuTLS != "" && e.GnuTLS != e.Name && e.GnuTLS != e.OpenSSL {
			names = append(names, e.GnuTLS)
		}
	}
	if near := Nearest(word, names, 3); len(near) > 0 {
		return fmt.Errorf("unknown suite, group or signature scheme %q: did you mean %s?", word, strings.Join(near, ", "))
	}
	return fmt.Errorf("unknown suite, group or signature scheme %q: parley suite lists them all", word)
}
