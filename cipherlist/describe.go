package cipherlist

import (
	"fmt"
	"strings"

	"github.com/parley-tls/parley/suite"
)

// errorFormat is how a release words its error queue (ERR_print_errors_fp(3)).
type errorFormat struct {
	thread string // a constant where OpenSSL prints the thread's number
	sites  map[faultKind]errorSite
}

// errorSite is the rest of an error line: code, library, function, reason, file and line.
type errorSite struct{ code, function, reason, place string }

// The numbers of lines are those of the mirrored builds.
var (
	errors102 = errorFormat{"140000000000000", map[faultKind]errorSite{
		faultByte:    {"140E6118", "SSL_CIPHER_PROCESS_RULESTR", "invalid command", "ssl_ciph.c:1222"},
		faultSpecial: {"140E6118", "SSL_CIPHER_PROCESS_RULESTR", "invalid command", "ssl_ciph.c:1378"},
		faultNoMatch: {"1410D0B9", "SSL_CTX_set_cipher_list", "no cipher match", "ssl_lib.c:1395"},
	}}
	errors111 = errorFormat{"140000000000000", map[faultKind]errorSite{
		faultByte:         {"140E6118", "ssl_cipher_process_rulestr", "invalid command", "../ssl/ssl_ciph.c:1028"},
		faultLevel:        {"140E6118", "ssl_cipher_process_rulestr", "invalid command", "../ssl/ssl_ciph.c:1184"},
		faultSpecial:      {"140E6118", "ssl_cipher_process_rulestr", "invalid command", "../ssl/ssl_ciph.c:1191"},
		faultNoMatch:      {"1410D0B9", "SSL_CTX_set_cipher_list", "no cipher match", "../ssl/ssl_lib.c:2588"},
		faultCiphersuites: {"1426E0B9", "ciphersuite_cb", "no cipher match", "../ssl/ssl_ciph.c:1292"},
	}}
	errors30 = errorFormat{"4000000000000000", map[faultKind]errorSite{
		faultByte:         {"0A000118", "ssl_cipher_process_rulestr", "invalid command", "../ssl/ssl_ciph.c:1054"},
		faultLevel:        {"0A000118", "ssl_cipher_process_rulestr", "invalid command", "../ssl/ssl_ciph.c:1205"},
		faultSpecial:      {"0A000118", "ssl_cipher_process_rulestr", "invalid command", "../ssl/ssl_ciph.c:1211"},
		faultNoMatch:      {"0A0000B9", "SSL_CTX_set_cipher_list", "no cipher match", "../ssl/ssl_lib.c:2741"},
		faultCiphersuites: {"0A0000B9", "set_ciphersuites", "no cipher match", "../ssl/ssl_ciph.c:1325"},
		faultNoCiphers:    {"0A0000A1", "SSL_CTX_new_ex", "library has no ciphers", "../ssl/ssl_lib.c:3285"},
	}}
	errors35 = errorFormat{"4000000000000000", map[faultKind]errorSite{
		faultByte:         {"0A000118", "ssl_cipher_process_rulestr", "invalid command", "../ssl/ssl_ciph.c:1023"},
		faultLevel:        {"0A000118", "ssl_cipher_process_rulestr", "invalid command", "../ssl/ssl_ciph.c:1179"},
		faultSpecial:      {"0A000118", "ssl_cipher_process_rulestr", "invalid command", "../ssl/ssl_ciph.c:1185"},
		faultNoMatch:      {"0A0000B9", "SSL_CTX_set_cipher_list", "no cipher match", "../ssl/ssl_lib.c:3377"},
		faultCiphersuites: {"0A0000B9", "set_ciphersuites", "no cipher match", "../ssl/ssl_ciph.c:1303"},
		faultNoCiphers:    {"0A0000A1", "SSL_CTX_new_ex", "library has no ciphers", "../ssl/ssl_lib.c:4105"},
	}}
)

func (f errorFormat) lines(faults []fault) string {
	var b strings.Builder
	for _, x := range faults {
		s := f.sites[x.kind]
		fmt.Fprintf(&b, "%s:error:%s:SSL routines:%s:%s:%s:\n", f.thread, s.code, s.function, s.reason, s.place)
	}
	return b.String()
}

// shownVersion is OpenSSL's name of a suite's first version.
func shownVersion(v suite.Version) string {
	switch v {
	case 0:
		return "unknown"
	case suite.TLS10:
		return "TLSv1"
	}
	return v.String()
}

// Describe returns the line, newline included, that `openssl ciphers -v` of rel prints for s.
func Describe(rel Release, s Suite) string {
	return fmt.Sprintf(behaviours[rel].description, s.Name, shownVersion(s.Min), s.KeyExchange, s.Authentication, s.Encryption, s.MAC)
}

// Columns says what stands before the description of a suite.
type Columns struct{ Code, Standard bool } // -V, -stdname

// Verbose returns what `openssl ciphers -v` prints, with the columns that -V and -stdname add.
func (l List) Verbose(c Columns) string {
	var b strings.Builder
	for _, s := range l.Suites {
		if c.Code {
			fmt.Fprintf(&b, "          0x%02X,0x%02X - ", uint8(s.Code>>8), uint8(s.Code))
		}
		if c.Standard {
			name := s.Standard
			if name == "" {
				name = "UNKNOWN"
			}
			fmt.Fprintf(&b, behaviours[l.Release].stdname, name)
		}
		b.WriteString(Describe(l.Release, s))
	}
	return b.String()
}

// String returns the names joined by ":", as `openssl ciphers` prints them without the newline.
func (l List) String() string {
	var b strings.Builder
	for i, s := range l.Suites {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(s.Name)
	}
	return b.String()
}
