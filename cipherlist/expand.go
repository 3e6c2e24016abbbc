package cipherlist

import (
	"strings"

	"github.com/parley-tls/parley/suite"
)

// Options are what the program around a cipher string sets besides it. The zero value asks for the
// list as the string gives it, whatever can be offered of it.
type Options struct {
	// Ciphersuites are the TLS 1.3 suites, by standard name and colon-separated; nil for the
	// release's default. 1.0.2 has no TLS 1.3 and ignores it.
	Ciphersuites *string
	// Supported leaves only what a client really offers: within Min and Max, at the security level,
	// and PSK and SRP suites only where asked for.
	Supported bool
	// Min and Max bound the protocol version, with Supported only; zero leaves the build's bound.
	Min, Max suite.Version
	PSK, SRP bool
	// SecurityLevel replaces the build's level, 0 to 5; nil keeps it. @SECLEVEL in the string wins.
	SecurityLevel *int
	// Legacy adds the algorithms of OpenSSL 3's legacy provider.
	Legacy bool
}

// List is what a cipher string selects.
type List struct {
	Release       Release
	Suites        []Suite // in order of preference, TLS 1.3 first
	SecurityLevel int     // in force at the end
	SuiteB        bool    // the string asked for a Suite B profile, which also restricts curves and digests
	Ignored       []Word  // words that the build passes over
}

// Codes lists the suites' codes in order.
func (l List) Codes() []suite.Code {
	codes := make([]suite.Code, len(l.Suites))
	for i, s := range l.Suites {
		codes[i] = s.Code
	}
	return codes
}

// Suite is a suite in the words of an OpenSSL release.
type Suite struct {
	Code     suite.Code
	Name     string        // OpenSSL's
	Standard string        // as -stdname prints it; empty where OpenSSL has none
	Min, Max suite.Version // 1.0.2 calls everything before TLS 1.2 SSLv3; zero for a signalling value
	// KeyExchange … MAC are printed by -v: ECDH, RSA, AESGCM(256), AEAD.
	KeyExchange, Authentication, Encryption, MAC string
	Class                                        []string // HIGH, MEDIUM, FIPS …
	Bits                                         int      // of strength, as @STRENGTH and security levels count them
}

func (r *row) export() Suite {
	s := Suite{Code: r.code, Name: r.name, Standard: r.standard, Min: r.min, Max: r.max,
		KeyExchange: keyExchanges.shown(r.kx), Authentication: authentications.shown(r.auth),
		Encryption: encryptions.shown(r.enc), MAC: macs.shown(r.mac), Bits: r.bits}
	s.Class = classes.names(r.class &^ classes.of("none"))
	return s
}

// Expand returns the suites that spec selects in rel, in order. "DEFAULT" stands for no string at all.
//
// It fails with *NoMatchError where nothing is selected, as OpenSSL does even if TLS 1.3 suites are
// left, and with *CommandError where the string can't be read. Words that the build doesn't know are
// no error by themselves: they are in List.Ignored, and in NoMatchError.Ignored.
func Expand(rel Release, spec string, o Options) (List, error) {
	if int(rel) >= len(behaviours) {
		rel = Default
	}
	t := tableOf(rel, o.Legacy)
	l := List{Release: rel, SecurityLevel: t.level}
	if o.SecurityLevel != nil && t.levels {
		l.SecurityLevel = max(0, min(*o.SecurityLevel, len(levelBits)-1))
	}

	tls13, err := t.tls13Suites(rel, o.Ciphersuites)
	if err != nil {
		return l, err
	}
	e := evaluation{table: t, level: -1}
	e.order = make(order, len(t.start))
	for i, r := range t.start {
		e.order[i].row = r
	}
	var ok bool
	l.SuiteB, ok = e.runAll(spec)
	l.Ignored = e.ignored
	if e.level >= 0 {
		l.SecurityLevel = e.level
	}
	if !ok {
		return l, &CommandError{Release: rel, Spec: spec, faults: e.faults}
	}
	rows := append(tls13, e.order.chosen()...)
	if !anyBefore13(rows) {
		return l, &NoMatchError{Release: rel, Spec: spec, Ignored: e.ignored}
	}
	if o.Supported {
		rows = t.supported(rows, o, l.SecurityLevel, l.SuiteB)
	}
	l.Suites = make([]Suite, len(rows))
	for i, r := range rows {
		l.Suites[i] = r.export()
	}
	return l, nil
}

// anyBefore13 reports whether there is a suite for anything older than TLS 1.3. A signalling value
// counts, as OpenSSL counts it.
func anyBefore13(rows []*row) bool {
	for _, r := range rows {
		if r.min < suite.TLS13 {
			return true
		}
	}
	return false
}

// tls13Suites reads a list of standard names as -ciphersuites takes it. OpenSSL accepts the names of
// older suites here too, and puts them first.
func (t *table) tls13Suites(rel Release, list *string) ([]*row, error) {
	names := t.ciphersuites
	if list != nil {
		names = *list
	}
	if t.newest < suite.TLS13 || names == "" {
		return nil, nil
	}
	var known, usable []*row
	var ignored []Word
	lacksEnc, lacksMAC := encryptions.of(t.missingEnc...), macs.of(t.missingMAC...)
	for name := range strings.SplitSeq(names, ":") {
		name = strings.Trim(name, " \t\n\v\f\r")
		r := t.names[name]
		if r == nil || len(name) > longestName {
			if name != "" {
				ignored = append(ignored, Word{Text: name})
			}
			if t.strictTLS13 {
				return nil, &NoMatchError{Release: rel, Spec: names, Ciphersuites: true, Ignored: ignored}
			}
			continue
		}
		known = append(known, r)
		if t.strictTLS13 || r.enc&lacksEnc == 0 && r.mac&lacksMAC == 0 {
			usable = append(usable, r)
		}
	}
	if len(known) == 0 {
		return nil, &NoMatchError{Release: rel, Spec: names, Ciphersuites: true, Ignored: ignored}
	}
	return usable, nil
}

// longestName is the longest name that OpenSSL looks up in a list of TLS 1.3 suites.
const longestName = 79

// supported leaves the suites that a client offers (ssl_cipher_disabled in OpenSSL's t1_lib.c).
func (t *table) supported(rows []*row, o Options, level int, isSuiteB bool) []*row {
	oldest, newest := t.oldest, t.newest
	if t.levels {
		oldest = max(oldest, t.floor[level])
	}
	if isSuiteB {
		oldest = max(oldest, suite.TLS12)
	}
	oldest = max(oldest, o.Min)
	if o.Max != 0 {
		newest = min(newest, o.Max)
	}
	if oldest > newest {
		return nil
	}
	pskKX, srpKX := keyExchanges.of("PSK", "RSAPSK", "DHEPSK", "ECDHEPSK"), keyExchanges.of("SRP")
	var kx, auth set // not to be had
	if !o.PSK {
		kx |= pskKX
		auth |= authentications.of("PSK")
	}
	if !o.SRP {
		kx |= srpKX
		auth |= authentications.of("SRP")
	}
	if isSuiteB { // its signature algorithms are ECDSA's only
		auth |= authentications.of("RSA", "DSS")
	}
	var r []*row
	for _, s := range rows {
		if s.kx&kx == 0 && s.auth&auth == 0 && s.min <= newest && s.max >= oldest && t.secure(s, level) {
			r = append(r, s)
		}
	}
	return r
}

// secure reports whether s may be used at a security level (SSL_CTX_set_security_level(3)).
func (t *table) secure(s *row, level int) bool {
	if !t.levels || level == 0 {
		return true
	}
	switch {
	case s.bits < levelBits[level],
		s.auth&authentications.of("NULL") != 0,
		s.mac&macs.of("MD5") != 0,
		levelBits[level] > 160 && s.mac&macs.of("SHA1") != 0,
		t.rc4Level > 0 && level >= t.rc4Level && s.enc&encryptions.of("RC4") != 0:
		return false
	}
	return level < 3 || s.min == suite.TLS13 || s.kx&keyExchanges.of("DHE", "ECDHE", "DHEPSK", "ECDHEPSK") != 0
}

// StandardToOpenSSL returns OpenSSL's name for the suite or signalling value with the given standard
// name, whether the build can use it or not, and "" where the release doesn't know it.
func StandardToOpenSSL(rel Release, standard string) string {
	if r := tableOf(rel, false).names[standard]; r != nil {
		return r.name
	}
	return ""
}

// Names lists every word that a cipher string may contain in rel: suites and classes, sorted.
func Names(rel Release) []string {
	return sortedKeys(tableOf(rel, false).words)
}

// StandardNames lists the standard names of rel's suites, sorted.
func StandardNames(rel Release) []string {
	return sortedKeys(tableOf(rel, false).names)
}
