package suite

import (
	"fmt"
	"slices"
)

// KeyExchange is how the two sides agree on the secret.
type KeyExchange uint8

// Key exchanges. KXAny is TLS 1.3, where the group and not the suite decides.
const (
	KXUnknown KeyExchange = iota
	KXAny
	KXRSA
	KXDH // static DH
	KXDHE
	KXECDH // static ECDH
	KXECDHE
	KXPSK
	KXRSAPSK
	KXDHEPSK
	KXECDHEPSK
	KXSRP
	KXKRB5
	KXGOST
	KXECCPWD
	KXFortezza
	KXNull
	KXCECPQ1 // X25519 and NewHope in one, Chrome's experiment of 2016
	KXSM2    // key transport with an SM2 key (GM/T 0024)
	KXIBC    // identity-based encryption (GM/T 0024)
)

var kxNames = [...]string{"unknown", "any", "RSA", "DH", "DHE", "ECDH", "ECDHE", "PSK", "RSA-PSK", "DHE-PSK",
	"ECDHE-PSK", "SRP", "KRB5", "GOST", "ECCPWD", "Fortezza", "NULL", "CECPQ1", "SM2", "IBC"}

func (k KeyExchange) String() string {
	if int(k) < len(kxNames) {
		return kxNames[k]
	}
	return fmt.Sprintf("KeyExchange(%d)", uint8(k))
}

// MarshalText gives the name.
func (k KeyExchange) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UsesEC reports whether an elliptic-curve group must be agreed on before TLS 1.3.
func (k KeyExchange) UsesEC() bool { return k == KXECDHE || k == KXECDHEPSK || k == KXECDH }

// ForwardSecret reports whether a stolen long-term key leaves recorded traffic unreadable.
func (k KeyExchange) ForwardSecret() bool {
	switch k {
	case KXAny, KXDHE, KXECDHE, KXDHEPSK, KXECDHEPSK, KXECCPWD, KXCECPQ1:
		return true
	}
	return false
}

// Authentication is how the server proves who it is.
type Authentication uint8

// Authentications. AuthAny is TLS 1.3; AuthRSA, AuthECDSA and AuthDSS need a certificate with such a
// key (an Ed25519 or Ed448 key serves AuthECDSA, RFC 8422 section 5.10).
const (
	AuthUnknown Authentication = iota
	AuthAny
	AuthRSA
	AuthECDSA
	AuthDSS
	AuthAnon
	AuthPSK
	AuthSRP
	AuthKRB5
	AuthGOST
	AuthECCPWD
	AuthFortezza
	AuthDH   // a certificate with a static DH key
	AuthECDH // a certificate with an EC key that is used for static ECDH
	AuthNull
	AuthSM2 // a certificate with an SM2 key
	AuthIBC // an identity-based key
)

var authNames = [...]string{"unknown", "any", "RSA", "ECDSA", "DSS", "anon", "PSK", "SRP", "KRB5", "GOST",
	"ECCPWD", "Fortezza", "DH", "ECDH", "NULL", "SM2", "IBC"}

func (a Authentication) String() string {
	if int(a) < len(authNames) {
		return authNames[a]
	}
	return fmt.Sprintf("Authentication(%d)", uint8(a))
}

// MarshalText gives the name.
func (a Authentication) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Suite is one cipher suite.
type Suite struct {
	Code           Code           `json:"code"`
	IANA           string         `json:"iana"` // for SSLv2 kinds the name of the SSLv2 draft, SSL_CK_…
	OpenSSL        string         `json:"openssl,omitempty"`
	GnuTLS         string         `json:"gnutls,omitempty"`
	KeyExchange    KeyExchange    `json:"key_exchange"`
	Authentication Authentication `json:"authentication"`
	Encryption     string         `json:"encryption"` // AES, 3DES, RC4, CAMELLIA, ARIA, CHACHA20, NULL …
	Mode           string         `json:"mode"`       // GCM, CCM, CCM8, CBC, POLY1305, stream, none …
	Bits           int            `json:"bits"`       // effective key bits of the cipher: 0 for NULL, 40 for export, 112 for 3DES
	MAC            string         `json:"mac"`        // AEAD, SHA1, SHA256, SHA384, MD5, NULL …
	PRF            string         `json:"prf"`        // hash of the PRF or HKDF: MD5-SHA1 (TLS 1.0, 1.1), SHA256, SHA384 …
	MinVersion     Version        `json:"min_version"`
	MaxVersion     Version        `json:"max_version"`
	Export         bool           `json:"export,omitempty"`
	Signalling     bool           `json:"signalling,omitempty"` // an SCSV: not a suite that can be chosen
	Recommended    string         `json:"recommended"`          // IANA's column: Y, N, D, or - where the code is not registered
	References     []string       `json:"references,omitempty"` // RFC 5246, …
}

// AEAD reports whether the suite protects records with authenticated encryption.
func (s *Suite) AEAD() bool { return s.MAC == "AEAD" }

// cites reports whether a document is among the references.
func (s *Suite) cites(document string) bool { return slices.Contains(s.References, document) }

// UsableIn reports whether the suite may be negotiated in version v.
func (s *Suite) UsableIn(v Version) bool {
	return !s.Signalling && s.MinVersion <= v && v <= s.MaxVersion
}
