package connect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/cipherlist"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/suite"
)

// Selection is what a user forces of versions and suites.
type Selection struct {
	Versions     []suite.Version    // nil: none is forced
	Cipher       string             // an OpenSSL cipher string, names, or codes (0xC02F); "": none is forced
	Ciphersuites string             // names or codes of TLS 1.3 suites; "": none is forced
	Release      cipherlist.Release // of Cipher
}

// NothingError says that a selection leaves nothing to offer: the connection is not even tried.
type NothingError struct{ why string }

func (e *NothingError) Error() string { return e.why }

// Resolve returns the versions and suites to offer, and what it passed over. Suites that are forced are
// offered and no others, so TLS 1.3 is left out where suites of TLS 1.2 alone are named, which s_client does
// not do. A version that is forced is offered whatever the release's security level makes of it.
//
// Cipher strings mean what the release makes of them: the error is a *client.NoCiphersError where it offers
// none of the suites, and a *NothingError where none goes with the forced versions. Codes are offered as they
// are, known or not.
func (s *Selection) Resolve() (versions []suite.Version, suites []suite.Code, notes []string, err error) {
	if s.Cipher == "" && s.Ciphersuites == "" {
		if versions = highestFirst(s.Versions); len(versions) == 0 {
			versions = DefaultVersions
		}
		return versions, usable(defaultSuites(), versions), nil, nil
	}
	var natural []suite.Version // of the forced suites
	if s.Ciphersuites != "" {
		if suites, err = tls13Suites(s.Ciphersuites); err != nil {
			return nil, nil, nil, err
		}
		natural = append(natural, suite.TLS13)
	}
	if s.Cipher != "" {
		older, vs, passed, err := s.older()
		if err != nil {
			return nil, nil, nil, err
		}
		suites, natural, notes = append(suites, older...), append(natural, vs...), passed
	}
	if versions = highestFirst(s.Versions); len(versions) == 0 {
		versions = highestFirst(natural)
	}
	versions = slices.DeleteFunc(versions, func(v suite.Version) bool { return len(usable(suites, []suite.Version{v})) == 0 })
	if len(versions) == 0 {
		return nil, nil, nil, &NothingError{fmt.Sprintf("%s cannot be used in %s: there is nothing to offer", enumerate(openSSLNames(suites)), enumerate(versionNames(s.Versions)))}
	}
	return versions, usable(suites, versions), notes, nil
}

// highestFirst sorts versions and drops what comes twice.
func highestFirst(l []suite.Version) []suite.Version {
	l = slices.SortedFunc(slices.Values(l), func(a, b suite.Version) int { return int(b) - int(a) })
	return slices.Compact(l)
}

// older reads Cipher.
func (s *Selection) older() (suites []suite.Code, versions []suite.Version, notes []string, err error) {
	words := split(s.Cipher)
	if slices.ContainsFunc(words, isCode) {
		for _, w := range words {
			c, err := parseCode(w)
			if err != nil {
				return nil, nil, nil, err
			}
			suites = append(suites, c)
		}
		for _, v := range DefaultVersions {
			if len(usable(suites, []suite.Version{v})) > 0 {
				versions = append(versions, v)
			}
		}
		return suites, versions, nil, nil
	}
	o, err := client.FromCipherString(s.Release, s.Cipher)
	if err != nil {
		return nil, nil, nil, err
	}
	return o.Suites, o.Versions, s.passedOver(), nil
}

// passedOver names the words of Cipher that OpenSSL ignores because it knows none of that name: most often
// a slip of the pen.
func (s *Selection) passedOver() []string {
	l, _ := cipherlist.Expand(s.Release, s.Cipher, cipherlist.Options{})
	var notes []string
	for _, w := range l.Ignored {
		if w.Reason != cipherlist.WordUnknown || suite.ByName(w.Text) != nil {
			continue
		}
		n := fmt.Sprintf("OpenSSL passes over %q in the cipher string: it knows no such word", w.Text)
		if near := suite.Nearest(w.Text, cipherlist.Names(s.Release), 3); len(near) > 0 {
			n += " (did you mean " + strings.Join(near, ", ") + "?)"
		}
		notes = append(notes, n)
	}
	return notes
}

// tls13Suites reads names and codes of TLS 1.3 suites.
func tls13Suites(list string) ([]suite.Code, error) {
	var l []suite.Code
	for _, w := range split(list) {
		if isCode(w) {
			c, err := parseCode(w)
			if err != nil {
				return nil, err
			}
			l = append(l, c)
			continue
		}
		s := suite.ByName(w)
		switch {
		case s == nil:
			return nil, fmt.Errorf("unknown TLS 1.3 cipher suite %q%s", w, didYouMean(w, namesOf13()))
		case s.MaxVersion < suite.TLS13 || s.Signalling:
			return nil, fmt.Errorf("%s is no suite of TLS 1.3: use --cipher for it", w)
		}
		l = append(l, s.Code)
	}
	if len(l) == 0 {
		return nil, fmt.Errorf("--ciphersuites names no suite: use names such as TLS_AES_128_GCM_SHA256")
	}
	return l, nil
}

func namesOf13() []string {
	var l []string
	for _, s := range suite.All() {
		if s.MinVersion == suite.TLS13 && !s.Signalling {
			l = append(l, s.IANA)
		}
	}
	return l
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(":,; ", r) })
}

func isCode(word string) bool { return strings.HasPrefix(strings.ToLower(word), "0x") }

// parseCode reads 0xC02F.
func parseCode(word string) (suite.Code, error) {
	if !isCode(word) {
		return 0, fmt.Errorf("%q among codes: name suites either by code (0xC02F) or by OpenSSL's cipher string", word)
	}
	n, err := strconv.ParseUint(word[2:], 16, 16)
	if err != nil {
		return 0, fmt.Errorf("%q is no code of a cipher suite: use four hexadecimal digits, as 0xC02F", word)
	}
	return suite.Code(n), nil
}

// usable keeps the suites that can be chosen in one of the versions. Of a suite that is not known only its
// code speaks: 0x13.. is TLS 1.3's.
func usable(suites []suite.Code, versions []suite.Version) []suite.Code {
	var l []suite.Code
	for _, c := range suites {
		s := suite.ByCode(c)
		if slices.ContainsFunc(versions, func(v suite.Version) bool {
			if s == nil || s.Signalling {
				return (v == suite.TLS13) == (c>>8 == 0x13)
			}
			return s.UsableIn(v)
		}) {
			l = append(l, c)
		}
	}
	return l
}

// defaultNames are the suites that are offered where none is forced: first all that crypto/tls can complete
// a handshake with, by its preference, then those that only old servers ask for.
const defaultNames = `TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256
ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384
ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305
ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA ECDHE-ECDSA-AES256-SHA ECDHE-RSA-AES256-SHA
AES128-GCM-SHA256 AES256-GCM-SHA384 AES128-SHA AES256-SHA
ECDHE-RSA-DES-CBC3-SHA DES-CBC3-SHA ECDHE-ECDSA-AES128-SHA256 ECDHE-RSA-AES128-SHA256 AES128-SHA256
ECDHE-ECDSA-RC4-SHA ECDHE-RSA-RC4-SHA RC4-SHA
DHE-RSA-AES128-GCM-SHA256 DHE-RSA-AES256-GCM-SHA384 DHE-RSA-CHACHA20-POLY1305
ECDHE-ECDSA-AES256-SHA384 ECDHE-RSA-AES256-SHA384 DHE-RSA-AES128-SHA256 DHE-RSA-AES256-SHA256 AES256-SHA256
DHE-RSA-AES128-SHA DHE-RSA-AES256-SHA DHE-RSA-CAMELLIA256-SHA DHE-RSA-CAMELLIA128-SHA CAMELLIA256-SHA CAMELLIA128-SHA
DHE-RSA-DES-CBC3-SHA RC4-MD5`

func defaultSuites() []suite.Code {
	var l []suite.Code
	for name := range strings.FieldsSeq(defaultNames) {
		l = append(l, suite.ByName(name).Code)
	}
	return l
}
