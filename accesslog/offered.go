package accesslog

import (
	"strconv"
	"strings"

	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/suite"
)

// maxOffered bounds the entries of one list. The longest hellos of real clients have some 170 suites.
const maxOffered = 512

// offerTexts are the values of a line that say what was offered.
type offerTexts struct{ version, ciphers, groups, extensions, ja3 string }

// offered reads what a line says of the ClientHello; nil where it says nothing, false where it makes no sense.
func (d *decoder) offered(v *values) (*evidence.Offered, bool) {
	if v.present&offerFields == 0 {
		return nil, true
	}
	texts := offerTexts{v.text[helloVersionField], v.text[offeredCiphersField], v.text[offeredGroupsField], v.text[offeredExtensionsField], v.text[ja3Field]}
	for _, s := range [...]*string{&texts.version, &texts.ciphers, &texts.groups, &texts.extensions, &texts.ja3} {
		if none(*s) {
			*s = ""
		}
	}
	if texts == (offerTexts{}) {
		return nil, true
	}
	if o, ok := d.offers[texts]; ok {
		return o, true
	}
	o, ok := readOffered(texts)
	if ok {
		if len(d.offers) >= maxCached/4 {
			clear(d.offers)
		}
		d.offers[offerTexts{strings.Clone(texts.version), strings.Clone(texts.ciphers), strings.Clone(texts.groups), strings.Clone(texts.extensions), strings.Clone(texts.ja3)}] = o
	}
	return o, ok
}

func readOffered(t offerTexts) (*evidence.Offered, bool) {
	if t.ja3 != "" { // version, ciphers, extensions, groups, point formats
		parts := strings.Split(t.ja3, ",")
		if len(parts) != 5 {
			return nil, false
		}
		t.version, t.ciphers, t.extensions, t.groups = parts[0], parts[1], parts[2], parts[3]
	}
	o := &evidence.Offered{}
	if t.version != "" {
		n, err := strconv.ParseUint(t.version, 0, 16)
		if o.Version = suite.Version(n); err != nil || !o.Version.Known() {
			return nil, false
		}
	}
	isSuite := func(n uint16) bool { return suite.ByCode(suite.Code(n)) != nil }
	isGroup := func(n uint16) bool { return suite.GroupByCode(suite.Group(n)) != nil }
	for _, n := range codes(t.ciphers, isSuite, func(name string) (uint16, bool) {
		s := suite.ByName(name)
		if s == nil || s.Code > 0xFFFF {
			return 0, false
		}
		return uint16(s.Code), true
	}) {
		o.Suites = append(o.Suites, suite.Code(n))
	}
	for _, n := range codes(t.groups, isGroup, func(name string) (uint16, bool) {
		g := suite.GroupByName(name)
		if g == nil {
			return 0, false
		}
		return uint16(g.Code), true
	}) {
		o.Groups = append(o.Groups, suite.Group(n))
	}
	o.Extensions = codes(t.extensions, func(uint16) bool { return true }, func(string) (uint16, bool) { return 0, false })
	if o.Suites == nil && o.Groups == nil && o.Extensions == nil && o.Version == 0 {
		return nil, false
	}
	return o, true
}

// codes reads a list in any of the forms that servers write: names and 0x numbers between colons (nginx) or commas (HAProxy's
// _str), decimal numbers between hyphens (JA3, HAProxy's be2dec), bare hexadecimal digits (HAProxy's hex). GREASE and names
// that are not known are left out.
func codes(s string, known func(uint16) bool, byName func(string) (uint16, bool)) []uint16 {
	if s == "" {
		return nil
	}
	var out []uint16
	add := func(n uint16, ok bool) {
		if ok && !suite.IsGREASE(n) && len(out) < maxOffered {
			out = append(out, n)
		}
	}
	one, err := strconv.ParseUint(s, 10, 16)
	switch {
	case err == nil && (len(s)%4 != 0 || known(uint16(one))): // a list of one number
		add(uint16(one), true)
	case len(s)%4 == 0 && isHex(s):
		for ; s != ""; s = s[4:] {
			n, err := strconv.ParseUint(s[:4], 16, 16)
			add(uint16(n), err == nil)
		}
	case isDecimalList(s):
		for part := range strings.SplitSeq(s, "-") {
			n, err := strconv.ParseUint(part, 10, 16)
			add(uint16(n), err == nil)
		}
	default:
		for name := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ':' || r == ',' || r == ' ' }) {
			if n, ok := hexNumber(name); ok {
				add(n, true)
			} else {
				add(byName(name))
			}
		}
	}
	return out
}

// hexNumber reads 0x001d.
func hexNumber(s string) (uint16, bool) {
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 16, 16)
	return uint16(n), err == nil
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

func isDecimalList(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) && s[i] != '-' {
			return false
		}
	}
	return true
}
