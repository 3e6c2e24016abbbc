package suite

import (
	"strings"
	"sync"
)

// byName indexes suites by every name they have, in lower case. It is apart from the table because most
// commands never look up a name.
var byName = sync.OnceValue(func() map[string]*Suite {
	t := data()
	m := make(map[string]*Suite, 3*len(t.suites))
	for i := range t.suites {
		s := &t.suites[i]
		for _, n := range [...]string{s.IANA, s.OpenSSL, s.GnuTLS} {
			if n == "" {
				continue
			}
			// OpenSSL gave one name to an SSLv2 kind and to its SSLv3 successor: the suite wins.
			if key := strings.ToLower(n); m[key] == nil {
				m[key] = s
			}
		}
	}
	for alias, name := range otherNames {
		m[alias] = m[name]
	}
	return m
})

// otherNames are names that other releases and forks gave, in lower case, with the one above.
var otherNames = map[string]string{
	// OpenSSL before 1.1.0.
	"edh-rsa-des-cbc3-sha": "dhe-rsa-des-cbc3-sha",
	"edh-dss-des-cbc3-sha": "dhe-dss-des-cbc3-sha",
	// What the names that 1.1.0 dropped would be in its style, as curl and nginx configurations have them.
	"dhe-rsa-des-cbc-sha":     "edh-rsa-des-cbc-sha",
	"dhe-dss-des-cbc-sha":     "edh-dss-des-cbc-sha",
	"exp-dhe-rsa-des-cbc-sha": "exp-edh-rsa-des-cbc-sha",
	"exp-dhe-dss-des-cbc-sha": "exp-edh-dss-des-cbc-sha",
	// OpenSSL 1.1.0 and 1.1.1.
	"gost2012-gost8912-gost8912": "legacy-gost2012-gost8912-gost8912",
	// LibreSSL 2.x and OpenSSL forks.
	"ecdhe-rsa-chacha20-poly1305-old":   "old_tls_ecdhe_rsa_with_chacha20_poly1305_sha256",
	"ecdhe-ecdsa-chacha20-poly1305-old": "old_tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256",
	"dhe-rsa-chacha20-poly1305-old":     "old_tls_dhe_rsa_with_chacha20_poly1305_sha256",
}

// ByName returns the suite that any naming knows as name, or nil. Case does not matter. Beside the names of
// IANA, OpenSSL and GnuTLS it reads those of Java (SSL_ for TLS_), Schannel (_P256 at the end), mbed TLS
// (dashes) and Go (ChaCha20 suites without the hash).
func ByName(name string) *Suite {
	const longest = 80 // the longest name has 58 bytes
	if len(name) > longest {
		return nil
	}
	m := byName()
	var lower [longest]byte // names are looked up by the thousand when profiles are read
	if s := m[string(appendLower(lower[:0], name))]; s != nil {
		return s
	}
	key := strings.ToLower(name)
	if rest, ok := strings.CutPrefix(key, "tls-"); ok {
		key = "tls_" + strings.ReplaceAll(rest, "-", "_")
	}
	if rest, ok := strings.CutPrefix(key, "ssl_"); ok {
		key = "tls_" + rest
	}
	for _, curve := range [...]string{"_p256", "_p384", "_p521"} {
		key = strings.TrimSuffix(key, curve)
	}
	if s := m[key]; s != nil {
		return s
	}
	if strings.HasSuffix(key, "_with_chacha20_poly1305") {
		return m[key+"_sha256"]
	}
	return nil
}

// appendLower appends s with the letters A to Z in lower case.
func appendLower(b []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}
