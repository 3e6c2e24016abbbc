package client

import (
	"fmt"
	"strings"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// Record writes the facts of a ClientHello in the format of the data files: the part of a profile that the
// bytes show. The capture program uses it.
func Record(h *hello.ClientHello) string {
	o := h.Offer()
	var b strings.Builder
	line := func(key string, words []string) {
		if len(words) > 0 {
			fmt.Fprintf(&b, "%s %s\n", key, strings.Join(words, " "))
		}
	}
	flag := func(set bool, key string) {
		if set {
			b.WriteString(key + "\n")
		}
	}
	line("versions", words(o.Versions, suite.Version.String))
	line("suites", words(o.Suites, suiteWord))
	if o.HasGroups {
		line("groups", words(o.Groups, suite.Group.String))
	}
	line("key-shares", words(o.KeyShares, suite.Group.String))
	if o.HasSchemes {
		line("schemes", words(o.Schemes, suite.SignatureScheme.String))
	}
	line("certificate-schemes", words(o.CertSchemes, suite.SignatureScheme.String))
	line("alpn", o.ALPN)
	line("extensions", words(o.Extensions, func(t uint16) string { return fmt.Sprint(t) }))
	line("point-formats", words(o.PointFormats, func(f byte) string { return fmt.Sprint(f) }))
	flag(o.SecureReneg && !h.HasExtension(hello.ExtRenegotiationInfo), "secure-renegotiation")
	flag(o.GREASE, "grease")
	flag(o.SSLv2Format, "sslv2-format")
	flag(len(o.Compression) > 1, "compression")
	return b.String()
}

// suiteWord is the shortest name by which a suite can be read back.
func suiteWord(c suite.Code) string {
	s := suite.ByCode(c)
	switch {
	case s == nil:
		return c.String()
	case s.OpenSSL != "" && suite.ByName(s.OpenSSL) == s:
		return s.OpenSSL
	}
	return s.IANA
}

func words[T any](l []T, word func(T) string) []string {
	out := make([]string, len(l))
	for i, v := range l {
		out[i] = word(v)
	}
	return out
}
