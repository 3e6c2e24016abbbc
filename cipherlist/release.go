// Package cipherlist knows OpenSSL's cipher strings: the language of ciphers(1), the suites that each
// release has and the order in which it puts them, and what the `openssl ciphers` program prints.
//
// It is pure: strings in, lists of suites or the program's output out.
package cipherlist

import (
	"fmt"
	"strings"

	"github.com/parley-tls/parley/suite"
)

// Release is a line of OpenSSL releases whose cipher strings mean the same.
type Release uint8

// The releases whose cipher strings we know, oldest first.
const (
	OpenSSL102 Release = iota
	OpenSSL111
	OpenSSL30
	OpenSSL35
)

// Default is the release that is meant where none is named.
const Default = OpenSSL30

// Releases lists every release, oldest first.
var Releases = []Release{OpenSSL102, OpenSSL111, OpenSSL30, OpenSSL35}

// ParseRelease reads "1.0.2", "1.1.1", "3.0" or "3.5".
func ParseRelease(s string) (Release, error) {
	var names []string
	for _, r := range Releases {
		if r.String() == s {
			return r, nil
		}
		names = append(names, r.String())
	}
	return 0, fmt.Errorf("unknown OpenSSL release %q: use one of %s", s, strings.Join(names, ", "))
}

// String returns the release as ParseRelease reads it.
func (r Release) String() string {
	if int(r) < len(behaviours) {
		return behaviours[r].name
	}
	return fmt.Sprintf("Release(%d)", uint8(r))
}

// MarshalText gives the name.
func (r Release) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Build names the build that the release's table mirrors: which suites are there, and at which
// security level, is decided when OpenSSL is built.
func (r Release) Build() string { return behaviours[r].build }

// SecurityLevel is the level that the mirrored build starts with; 0 for 1.0.2, which has none.
func (r Release) SecurityLevel() int { return behaviours[r].level }

// behaviour is how a release differs from the others.
type behaviour struct {
	name, build    string
	defaults       string        // what DEFAULT stands for
	ciphersuites   string        // the TLS 1.3 suites where the user names none
	oldest, newest suite.Version // of the build

	level    int              // security level of the build
	levels   bool             // knows @SECLEVEL
	floor    [6]suite.Version // oldest version by security level
	rc4Level int              // the level from which RC4 is barred; 0: RC4 counts as its 128 bits only

	wordBytes     string // bytes of a word beyond letters, digits, "-" and "."
	standardNames bool   // suites may be named by their IANA name too
	matchByID     bool   // a suite's name selects that suite only, not everything with its attributes
	readsOn       bool   // goes on with the next word after a byte it can't read
	forgetsOff    bool   // A+B drops what A asked of the default list when B is the first strength word
	strictTLS13   bool   // takes TLS 1.3 suites as named: an unknown one spoils the list, one that is unavailable stays
	preferAEAD    bool   // sorts by AEAD and forward secrecy, not by strength alone

	missingEnc, missingMAC, missingKX, missingAuth []string // algorithms that the build lacks
	legacyEnc                                      []string // ... and the legacy provider brings back

	description string // format of a line of -v
	stdname     string // format of -stdname's column
	errors      errorFormat
	options     optionStyle
}

var gostEnc = []string{"GOST89", "GOST8912", "MAGMA", "KUZNYECHIK"}
var gostMACs = []string{"GOST94", "GOST89MAC", "GOST89MAC12", "GOST12_256", "MAGMAOMAC", "KUZNYECHIKOMAC"}
var gostAuth = []string{"GOST94", "GOST01", "GOST12"}

const (
	defaultTLS13 = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"
	modernLine   = "%-30s %-7s Kx=%-8s Au=%-5s Enc=%-22s Mac=%-4s\n"
	olderLine    = "%-23s %s Kx=%-8s Au=%-4s Enc=%-9s Mac=%-4s\n"
)

var behaviours = [...]behaviour{
	OpenSSL102: {
		name: "1.0.2", build: "OpenSSL 1.0.2u, default configuration (no SSLv2, no export or LOW suites)",
		defaults: "ALL:!EXPORT:!LOW:!aNULL:!eNULL:!SSLv2",
		oldest:   suite.SSLv3, newest: suite.TLS12,
		readsOn: true, missingEnc: gostEnc, missingMAC: gostMACs, missingKX: []string{"GOST", "KRB5"},
		missingAuth: append([]string{"KRB5"}, gostAuth...),
		description: olderLine, stdname: "%s - ", errors: errors102, options: options102,
	},
	OpenSSL111: {
		name: "1.1.1", build: "OpenSSL 1.1.1w as Debian 11 builds it, without its openssl.cnf (no SSLv3, security level 1)",
		defaults: "ALL:!COMPLEMENTOFDEFAULT:!eNULL", ciphersuites: defaultTLS13,
		oldest: suite.TLS10, newest: suite.TLS13,
		level: 1, levels: true, floor: gradualFloor, rc4Level: 2,
		wordBytes: "=", matchByID: true, forgetsOff: true, strictTLS13: true, preferAEAD: true,
		missingEnc: append([]string{"IDEA"}, gostEnc...), missingMAC: gostMACs,
		missingKX: []string{"GOST", "GOST18"}, missingAuth: gostAuth,
		description: olderLine, stdname: "%s - ", errors: errors111, options: options111,
	},
	OpenSSL30: {
		name: "3.0", build: "OpenSSL 3.0.19 as Debian 12 builds it (no SSLv3, default provider, security level 2)",
		defaults: "ALL:!COMPLEMENTOFDEFAULT:!eNULL", ciphersuites: defaultTLS13,
		oldest: suite.TLS10, newest: suite.TLS13,
		level: 2, levels: true, floor: gradualFloor, rc4Level: 2,
		wordBytes: "=", matchByID: true, forgetsOff: true, preferAEAD: true,
		missingEnc: append([]string{"DES", "RC2", "RC4", "IDEA", "SEED"}, gostEnc...), missingMAC: gostMACs,
		missingKX: []string{"GOST", "GOST18"}, missingAuth: gostAuth, legacyEnc: []string{"DES", "RC2", "RC4", "SEED"},
		description: modernLine, stdname: "%-45s - ", errors: errors30, options: options30,
	},
	OpenSSL35: {
		name: "3.5", build: "OpenSSL 3.5.9 as Debian 13 builds it (no SSLv3, default provider, security level 2)",
		defaults: "ALL:!COMPLEMENTOFDEFAULT:!eNULL", ciphersuites: defaultTLS13,
		oldest: suite.TLS10, newest: suite.TLS13,
		level: 2, levels: true, floor: [6]suite.Version{suite.SSLv3, suite.TLS12, suite.TLS12, suite.TLS12, suite.TLS12, suite.TLS12},
		wordBytes: "=_", standardNames: true, matchByID: true, forgetsOff: true, preferAEAD: true,
		missingEnc: append([]string{"DES", "RC2", "RC4", "IDEA", "SEED"}, gostEnc...), missingMAC: gostMACs,
		missingKX: []string{"GOST", "GOST18"}, missingAuth: gostAuth, legacyEnc: []string{"DES", "RC2", "RC4", "SEED"},
		description: modernLine, stdname: "%-45s - ", errors: errors35, options: options35,
	},
}

// gradualFloor is the oldest version by security level from 1.1.0 to 3.1 (SSL_CTX_set_security_level(3)).
var gradualFloor = [6]suite.Version{suite.SSLv3, suite.SSLv3, suite.TLS10, suite.TLS11, suite.TLS12, suite.TLS12}

// levelBits are the bits of security that a suite needs at each level.
var levelBits = [6]int{0, 80, 112, 128, 192, 256}
