package suite

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
	TLS13       bool            `json:"tls13"` // allowed in CertificateVerify
	Recommended string          `json:"recommended"`
	References  []string        `json:"references,omitempty"`
}

// ByCode returns the suite with code c, or nil. The result is shared and must not be changed.
func ByCode(c Code) *Suite { return nil }

// ByName returns the suite that any naming (IANA, OpenSSL, GnuTLS; case-insensitive) knows as name, or nil.
func ByName(name string) *Suite { return nil }

// All returns every suite by code. The result is shared and must not be changed.
func All() []Suite { return nil }

// GroupByCode returns what is known of g, or nil.
func GroupByCode(g Group) *GroupInfo { return nil }

// GroupByName returns the group that any naming knows as name, or nil.
func GroupByName(name string) *GroupInfo { return nil }

// AllGroups returns every group by code.
func AllGroups() []GroupInfo { return nil }

// SchemeByCode returns what is known of s, or nil.
func SchemeByCode(s SignatureScheme) *SchemeInfo { return nil }

// SchemeByName returns the scheme that any naming knows as name, or nil.
func SchemeByName(name string) *SchemeInfo { return nil }

// AllSchemes returns every scheme by code.
func AllSchemes() []SchemeInfo { return nil }

// Nearest returns up to n names out of candidates that someone who typed name may have meant, best first.
func Nearest(name string, candidates []string, n int) []string { return nil }
