package hello

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/suite"
)

// JA3 returns the JA3 string of a ClientHello and its MD5 (Althouse, Atkinson and Atkins, Salesforce 2017):
// version, suites, extensions, groups and point formats in wire order, without GREASE. Of an SSLv2-format
// hello, which JA3 does not know, the first two parts are given.
func (h *ClientHello) JA3() (text, sum string) {
	var suites, extensions []string
	for _, c := range h.Suites {
		if c > 0xFFFF || !suite.IsGREASE(uint16(c)) {
			suites = append(suites, strconv.Itoa(int(c)))
		}
	}
	for _, e := range h.Extensions {
		if !suite.IsGREASE(e.Type) {
			extensions = append(extensions, strconv.Itoa(int(e.Type)))
		}
	}
	o := h.Offer()
	var groups, formats []string
	for _, g := range o.Groups {
		groups = append(groups, strconv.Itoa(int(g)))
	}
	for _, f := range o.PointFormats {
		formats = append(formats, strconv.Itoa(int(f)))
	}
	text = fmt.Sprintf("%d,%s,%s,%s,%s", uint16(h.Version), strings.Join(suites, "-"), strings.Join(extensions, "-"),
		strings.Join(groups, "-"), strings.Join(formats, "-"))
	digest := md5.Sum([]byte(text))
	return text, hex.EncodeToString(digest[:])
}

// JA4 returns the JA4 fingerprint of a ClientHello over TCP (FoxIO, "JA4: TLS Client Fingerprinting",
// BSD 3-Clause). GREASE is ignored throughout. JA4 says nothing of SSLv2-format hellos: theirs is made by
// the same rules, three-byte kinds in six digits, and begins with ts2 where SSLv2 is all that they offer.
func (h *ClientHello) JA4() string {
	a, suites, extensions := h.ja4Parts()
	return a + "_" + ja4Hash(suites) + "_" + ja4Hash(extensions)
}

// JA4Raw returns the fingerprint before hashing, JA4_r.
func (h *ClientHello) JA4Raw() string {
	a, suites, extensions := h.ja4Parts()
	return a + "_" + suites + "_" + extensions
}

// ja4Parts returns the three parts: what is counted, the sorted suites, and the sorted extensions with the
// signature algorithms after them.
func (h *ClientHello) ja4Parts() (a, suites, extensions string) {
	version := h.Version
	if data, ok := h.Extension(ExtSupportedVersions); ok {
		l, _ := read16[suite.Version](data, true)
		l = slices.DeleteFunc(l, func(v suite.Version) bool { return suite.IsGREASE(uint16(v)) })
		if len(l) > 0 {
			version = slices.Max(l)
		}
	}
	var suiteList, extensionList, schemes []string
	for _, c := range h.Suites {
		switch {
		case c > 0xFFFF:
			suiteList = append(suiteList, fmt.Sprintf("%06x", uint32(c)))
		case !suite.IsGREASE(uint16(c)):
			suiteList = append(suiteList, fmt.Sprintf("%04x", uint32(c)))
		}
	}
	count, sni, alpn := 0, "i", "00"
	for _, e := range h.Extensions {
		if suite.IsGREASE(e.Type) {
			continue
		}
		count++
		switch e.Type {
		case ExtServerName:
			sni = "d"
			continue
		case ExtALPN:
			alpn = ja4ALPN(readALPN(e.Data))
			continue
		case ExtSignatureAlgorithms:
			l, _ := read16[uint16](e.Data, false)
			for _, s := range l {
				if !suite.IsGREASE(s) {
					schemes = append(schemes, fmt.Sprintf("%04x", s))
				}
			}
		}
		extensionList = append(extensionList, fmt.Sprintf("%04x", e.Type))
	}
	a = fmt.Sprintf("t%s%s%02d%02d%s", ja4Version(version), sni, min(len(suiteList), 99), min(count, 99), alpn)
	slices.Sort(suiteList)
	slices.Sort(extensionList)
	extensions = strings.Join(extensionList, ",")
	if len(schemes) > 0 {
		extensions += "_" + strings.Join(schemes, ",")
	}
	return a, strings.Join(suiteList, ","), extensions
}

func ja4Version(v suite.Version) string {
	switch v {
	case suite.TLS13:
		return "13"
	case suite.TLS12:
		return "12"
	case suite.TLS11:
		return "11"
	case suite.TLS10:
		return "10"
	case suite.SSLv3:
		return "s3"
	case suite.SSLv2:
		return "s2"
	}
	return "00"
}

// ja4ALPN is the first and last character of the first protocol; of its hex digits where one of them is
// not alphanumeric; 00 where there is none.
func ja4ALPN(protocols []string) string {
	if len(protocols) == 0 || protocols[0] == "" {
		return "00"
	}
	p := protocols[0]
	alnum := func(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }
	if !alnum(p[0]) || !alnum(p[len(p)-1]) {
		p = hex.EncodeToString([]byte(p))
	}
	return string([]byte{p[0], p[len(p)-1]})
}

func ja4Hash(s string) string {
	if s == "" {
		return "000000000000"
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:12]
}
