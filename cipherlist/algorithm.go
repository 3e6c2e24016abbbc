package cipherlist

import (
	"fmt"
	"strings"
)

// set is a set of algorithms of one kind. The empty set of a suite means that the kind does not
// apply to it (TLS 1.3 fixes neither key exchange nor authentication); that of an alias, that it
// does not ask.
type set uint32

// algorithm is one member of a kind: its name in our data and how `openssl ciphers -v` prints it.
type algorithm struct{ name, shown string }

// kind is a family of algorithms, one bit each in order.
type kind struct {
	title string
	none  string // printed for the empty set
	list  []algorithm
}

var keyExchanges = kind{"key exchange", "any", []algorithm{
	{"RSA", "RSA"}, {"DHr", "DH/RSA"}, {"DHd", "DH/DSS"}, {"DHE", "DH"}, {"ECDHr", "ECDH/RSA"},
	{"ECDHe", "ECDH/ECDSA"}, {"ECDHE", "ECDH"}, {"PSK", "PSK"}, {"RSAPSK", "RSAPSK"},
	{"DHEPSK", "DHEPSK"}, {"ECDHEPSK", "ECDHEPSK"}, {"SRP", "SRP"}, {"GOST", "GOST"},
	{"GOST18", "GOST18"}, {"KRB5", "KRB5"},
}}

var authentications = kind{"authentication", "any", []algorithm{
	{"RSA", "RSA"}, {"DSS", "DSS"}, {"ECDSA", "ECDSA"}, {"NULL", "None"}, {"PSK", "PSK"}, {"SRP", "SRP"},
	{"DH", "DH"}, {"ECDH", "ECDH"}, {"KRB5", "KRB5"}, {"GOST94", "GOST94"}, {"GOST01", "GOST01"},
	{"GOST12", "unknown"}, // alone; with GOST01, as most suites have it, it is printed as GOST12
}}

var encryptions = kind{"encryption", "unknown", []algorithm{
	{"NULL", "None"}, {"DES", "DES(56)"}, {"3DES", "3DES(168)"}, {"RC2", "RC2(128)"}, {"RC4", "RC4(128)"},
	{"IDEA", "IDEA(128)"}, {"SEED", "SEED(128)"}, {"AES128", "AES(128)"}, {"AES256", "AES(256)"},
	{"AES128GCM", "AESGCM(128)"}, {"AES256GCM", "AESGCM(256)"}, {"AES128CCM", "AESCCM(128)"},
	{"AES256CCM", "AESCCM(256)"}, {"AES128CCM8", "AESCCM8(128)"}, {"AES256CCM8", "AESCCM8(256)"},
	{"CAMELLIA128", "Camellia(128)"}, {"CAMELLIA256", "Camellia(256)"}, {"ARIA128GCM", "ARIAGCM(128)"},
	{"ARIA256GCM", "ARIAGCM(256)"}, {"CHACHA20", "CHACHA20/POLY1305(256)"}, {"GOST89", "GOST89(256)"},
	{"GOST8912", "GOST89(256)"}, {"MAGMA", "MAGMA"}, {"KUZNYECHIK", "KUZNYECHIK"},
}}

var macs = kind{"MAC", "unknown", []algorithm{
	{"AEAD", "AEAD"}, {"MD5", "MD5"}, {"SHA1", "SHA1"}, {"SHA256", "SHA256"}, {"SHA384", "SHA384"},
	{"GOST94", "GOST94"}, {"GOST89MAC", "GOST89"}, {"GOST89MAC12", "GOST89"}, {"GOST12_256", "GOST2012"},
	{"MAGMAOMAC", "unknown"}, {"KUZNYECHIKOMAC", "unknown"},
}}

// classes are the strength classes. A suite may be HIGH and FIPS at once; "none" is a class of its
// own in OpenSSL, so that NULL suites match no strength word.
var classes = kind{"class", "", []algorithm{
	{"none", "none"}, {"EXPORT40", ""}, {"EXPORT56", ""}, {"LOW", "LOW"}, {"MEDIUM", "MEDIUM"}, {"HIGH", "HIGH"}, {"FIPS", "FIPS"},
}}

// parse reads the notation of the data files: "-", "A", "A+B", "!A".
func (k *kind) parse(s string) (set, error) {
	if s == "-" {
		return 0, nil
	}
	word, negated := strings.CutPrefix(s, "!")
	var r set
	for _, name := range strings.Split(word, "+") {
		bit := k.bit(name)
		if bit == 0 {
			return 0, fmt.Errorf("unknown %s %q", k.title, name)
		}
		r |= bit
	}
	if negated {
		r = ^r
	}
	return r, nil
}

// of returns the set of the named algorithms and panics on a name that is not one.
func (k *kind) of(names ...string) set {
	if len(names) == 0 {
		return 0
	}
	r, err := k.parse(strings.Join(names, "+"))
	if err != nil {
		panic(err)
	}
	return r
}

func (k *kind) bit(name string) set {
	for i, a := range k.list {
		if a.name == name {
			return 1 << i
		}
	}
	return 0
}

// shown is how `openssl ciphers -v` prints a suite's s.
func (k *kind) shown(s set) string {
	if s == 0 {
		return k.none
	}
	for i, a := range k.list {
		if s == 1<<i {
			return a.shown
		}
	}
	if k.title == "authentication" && s == k.of("GOST01", "GOST12") {
		return "GOST12"
	}
	return "unknown"
}

// names lists the members of s in the words of our data.
func (k *kind) names(s set) []string {
	var r []string
	for i, a := range k.list {
		if s&(1<<i) != 0 {
			r = append(r, a.name)
		}
	}
	return r
}
