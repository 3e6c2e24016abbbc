package suite

import (
	"slices"
	"strings"
	"sync"
)

// GroupInfo is what is known of a group.
type GroupInfo struct {
	Code        Group    `json:"-"`
	Name        string   `json:"name"`              // IANA
	OpenSSL     string   `json:"openssl,omitempty"` // prime256v1, X25519 …
	GnuTLS      string   `json:"gnutls,omitempty"`  // GROUP-SECP256R1
	Kind        string   `json:"kind"`              // ec, ff, pq, hybrid
	Bits        int      `json:"bits"`              // size of the field or modulus; security level where neither exists
	TLS12       bool     `json:"tls12"`             // may be used before TLS 1.3
	TLS13       bool     `json:"tls13"`
	Recommended string   `json:"recommended"`
	References  []string `json:"references,omitempty"`
}

// SchemeInfo is what is known of a signature scheme.
type SchemeInfo struct {
	Code        SignatureScheme `json:"-"`
	Name        string          `json:"name"`              // IANA; for TLS 1.2 pairs without an IANA name "sha224+rsa"
	OpenSSL     string          `json:"openssl,omitempty"` // as in -sigalgs: RSA+SHA256, rsa_pss_rsae_sha256
	GnuTLS      string          `json:"gnutls,omitempty"`  // SIGN-RSA-SHA256
	Key         string          `json:"key"`               // rsa, rsa-pss, ecdsa, ed25519, ed448, dsa …
	Digest      string          `json:"digest"`            // MD5, SHA1, SHA256 …, intrinsic
	Curve       Group           `json:"-"`                 // ECDSA in TLS 1.3: the one curve it goes with
	TLS12       bool            `json:"tls12"`
	TLS13       bool            `json:"tls13"`                 // allowed in CertificateVerify
	ClientOnly  bool            `json:"client_only,omitempty"` // allowed there in TLS 1.3 for clients alone (RFC 9963)
	Recommended string          `json:"recommended"`
	References  []string        `json:"references,omitempty"`
}

// ByCode returns the suite with code c, or nil. The result is shared and must not be changed.
func ByCode(c Code) *Suite {
	t := data()
	if c > 0xFFFF {
		return t.sslv2[c]
	}
	if i := t.byCode[c]; i != 0 {
		return &t.suites[i-1]
	}
	return nil
}

// All returns every suite by code. The result is shared and must not be changed.
func All() []Suite { return data().suites }

// GroupByCode returns what is known of g, or nil.
func GroupByCode(g Group) *GroupInfo { return data().group[g] }

// GroupByName returns the group that any naming knows as name, or nil. P-256 and its like are known too.
func GroupByName(name string) *GroupInfo { return groupsByName()[strings.ToLower(name)] }

// groupsByName indexes groups by every name they have, in lower case.
var groupsByName = sync.OnceValue(func() map[string]*GroupInfo {
	m := make(map[string]*GroupInfo)
	for i := range data().groups {
		g := &data().groups[i]
		index(m, g, g.Name, g.OpenSSL, g.GnuTLS)
	}
	for alias, name := range groupAliases {
		index(m, m[strings.ToLower(name)], alias)
	}
	return m
})

// index notes v under those of its names that exist.
func index[T any](m map[string]T, v T, names ...string) {
	for _, n := range names {
		if n != "" {
			m[strings.ToLower(n)] = v
		}
	}
}

var groupAliases = map[string]string{
	"P-256": "secp256r1", "P-384": "secp384r1", "P-521": "secp521r1", "Curve25519": "x25519",
	"x25519_mlkem768": "X25519MLKEM768", "p256_mlkem768": "SecP256r1MLKEM768", "p384_mlkem1024": "SecP384r1MLKEM1024",
}

// AllGroups returns every group by code.
func AllGroups() []GroupInfo { return data().groups }

// SchemeByCode returns what is known of s, or nil.
func SchemeByCode(s SignatureScheme) *SchemeInfo { return data().scheme[s] }

// SchemeByName returns the scheme that any naming knows as name, or nil.
func SchemeByName(name string) *SchemeInfo { return schemesByName()[strings.ToLower(name)] }

// schemesByName indexes signature schemes by every name they have, in lower case.
var schemesByName = sync.OnceValue(func() map[string]*SchemeInfo {
	m := make(map[string]*SchemeInfo)
	for i := range data().schemes {
		s := &data().schemes[i]
		index(m, s, s.Name, s.OpenSSL, s.GnuTLS)
	}
	return m
})

// AllSchemes returns every scheme by code.
func AllSchemes() []SchemeInfo { return data().schemes }

// Nearest returns up to n names out of candidates that someone who typed name may have meant, best first.
func Nearest(name string, candidates []string, n int) []string {
	type scored struct {
		name string
		cost int
	}
	want := strings.ToLower(name)
	var l []scored
	limit := max(2, len(want)/3)
	for _, c := range candidates {
		have := strings.ToLower(c)
		cost := limit + 1
		if len(have) >= len(want)-limit && len(have) <= len(want)+limit { // else the distance is greater
			cost = distance(want, have)
		}
		if strings.Contains(have, want) && len(want) > 2 {
			cost = min(cost, 1+(len(have)-len(want))/8)
		}
		if cost <= limit {
			l = append(l, scored{c, cost})
		}
	}
	slices.SortStableFunc(l, func(a, b scored) int { return a.cost - b.cost })
	out := make([]string, 0, n)
	for _, s := range l[:min(n, len(l))] {
		out = append(out, s.name)
	}
	return out
}

// distance is the number of letters to insert, delete or change to make b of a (Levenshtein). Names longer
// than 128 bytes are no near miss of anything.
func distance(a, b string) int {
	if len(a) > 128 || len(b) > 128 {
		return 1 << 10
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			next := diagonal
			if a[i-1] != b[j-1] {
				next = 1 + min(diagonal, row[j], row[j-1])
			}
			diagonal, row[j] = row[j], next
		}
	}
	return row[len(b)]
}
