package connect

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/suite"
)

// ParseGroups reads a list of groups by any of their names or by code (0x001D), in order.
func ParseGroups(list string) ([]suite.Group, error) {
	var l []suite.Group
	for _, w := range split(list) {
		if n, ok := code16(w); ok {
			l = append(l, suite.Group(n))
			continue
		}
		g := suite.GroupByName(w)
		if g == nil {
			return nil, fmt.Errorf("unknown group %q%s", w, didYouMean(w, groupNames()))
		}
		l = append(l, g.Code)
	}
	if len(l) == 0 {
		return nil, errors.New("--groups names no group: use names such as X25519:P-256")
	}
	return l, nil
}

// ParseSchemes reads a list of signature schemes by any of their names (rsa_pss_rsae_sha256, RSA+SHA256) or
// by code, in order.
func ParseSchemes(list string) ([]suite.SignatureScheme, error) {
	var l []suite.SignatureScheme
	for _, w := range split(list) {
		if n, ok := code16(w); ok {
			l = append(l, suite.SignatureScheme(n))
			continue
		}
		s := suite.SchemeByName(w)
		if s == nil {
			return nil, fmt.Errorf("unknown signature scheme %q%s", w, didYouMean(w, schemeNames()))
		}
		l = append(l, s.Code)
	}
	if len(l) == 0 {
		return nil, errors.New("--sigalgs names no signature scheme: use names such as rsa_pss_rsae_sha256:ECDSA+SHA256")
	}
	return l, nil
}

// code16 reads 0x001D.
func code16(word string) (uint16, bool) {
	if !isCode(word) {
		return 0, false
	}
	n, err := strconv.ParseUint(word[2:], 16, 16)
	return uint16(n), err == nil
}

func groupNames() []string {
	var l []string
	for _, g := range suite.AllGroups() {
		l = append(l, g.Name)
		if g.OpenSSL != "" && g.OpenSSL != g.Name {
			l = append(l, g.OpenSSL)
		}
	}
	return l
}

func schemeNames() []string {
	var l []string
	for _, s := range suite.AllSchemes() {
		l = append(l, s.Name)
		if s.OpenSSL != "" && s.OpenSSL != s.Name {
			l = append(l, s.OpenSSL)
		}
	}
	return l
}

// didYouMean names what is nearest to a word, "" if nothing is.
func didYouMean(word string, candidates []string) string {
	near := suite.Nearest(word, candidates, 3)
	if len(near) == 0 {
		return ""
	}
	return ": did you mean " + strings.Join(near, ", ") + "?"
}

func openSSLNames(l []suite.Code) []string {
	var names []string
	for _, c := range l {
		names = append(names, c.OpenSSL())
	}
	return names
}

func versionNames(l []suite.Version) []string {
	var names []string
	for _, v := range l {
		names = append(names, spoken(v))
	}
	return names
}

// spoken is a version as people say it: TLS 1.2, not TLSv1.2.
func spoken(v suite.Version) string {
	return strings.Replace(strings.Replace(v.String(), "TLSv", "TLS ", 1), "SSLv", "SSL ", 1)
}

// enumerate joins words as in a sentence: a, b and c.
func enumerate(words []string) string {
	switch n := len(words); n {
	case 0:
		return "none"
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
}
