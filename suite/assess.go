package suite

import "fmt"

// Strength is how strong a suite, group or scheme is. Higher is stronger, so strengths compare with <.
type Strength uint8

// Strengths, as ciphersuites.info names them.
const (
	Insecure    Strength = iota // broken: an attack is practical, or nothing is protected
	Weak                        // old: not broken outright, but no longer to be used
	Secure                      // no known weakness of its own
	Recommended                 // to be preferred: also has IANA's recommendation
)

var strengthNames = [...]string{"insecure", "weak", "secure", "recommended"}

func (s Strength) String() string {
	if int(s) < len(strengthNames) {
		return strengthNames[s]
	}
	return fmt.Sprintf("Strength(%d)", uint8(s))
}

// MarshalText gives the name.
func (s Strength) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseStrength reads a name.
func ParseStrength(name string) (Strength, error) {
	for i, n := range strengthNames {
		if n == name {
			return Strength(i), nil
		}
	}
	return 0, fmt.Errorf("unknown strength %q: use insecure, weak, secure or recommended", name)
}

// Reason is one weakness, or one merit where Strength is Recommended.
type Reason struct {
	Strength Strength `json:"strength"` // the most that a suite with this property can be
	Text     string   `json:"text"`
	Source   string   `json:"source"` // RFC or name of the attack
}

// Assessment is a verdict with all its reasons, worst first.
type Assessment struct {
	Strength Strength `json:"strength"`
	Reasons  []Reason `json:"reasons"`
}

// property is one rule: suites for which it holds are at most this strong.
type property struct {
	holds  func(*Suite) bool
	reason Reason
}

// properties are the rules by which suites are judged, worst first. They are those of ciphersuites.info,
// but follow RFC 9325, RFC 7465, RFC 8996, RFC 9155 and IANA's Recommended column where that site is behind:
// it calls RSA key exchange and CBC "weak" as here, and static DH "weak" too.
var properties = []property{
	{func(s *Suite) bool { return s.MaxVersion == SSLv2 }, Reason{Insecure, "SSLv2 only: the handshake itself can be forged and helps decrypt TLS", "RFC 6176, DROWN (CVE-2016-0800)"}},
	{func(s *Suite) bool { return s.Encryption == "NULL" && s.KeyExchange != KXAny }, Reason{Insecure, "NULL encryption: data goes in plaintext", "RFC 9325 section 4.1"}},
	{func(s *Suite) bool { return s.Encryption == "NULL" && s.KeyExchange == KXAny }, Reason{Insecure, "integrity only: data goes in plaintext", "RFC 9150 section 8"}},
	{func(s *Suite) bool { return s.Authentication == AuthAnon || s.Authentication == AuthNull }, Reason{Insecure, "no authentication: anybody on the path can take the server's place", "RFC 9325 section 4.1"}},
	{func(s *Suite) bool { return s.Export }, Reason{Insecure, "export-grade: the key can be found by search", "RFC 4346 section 1.1, FREAK (CVE-2015-0204), Logjam (CVE-2015-4000)"}},
	{func(s *Suite) bool { return s.Encryption == "RC4" }, Reason{Insecure, "RC4: its biases give away the plaintext", "RFC 7465"}},
	{func(s *Suite) bool { return s.Encryption == "RC2" }, Reason{Insecure, "RC2: a 64-bit block cipher of 1987", "RFC 9325 section 4.1"}},
	{func(s *Suite) bool { return s.Encryption == "DES" }, Reason{Insecure, "DES: 56-bit keys can be found by search", "RFC 5469"}},
	{func(s *Suite) bool { return s.MAC == "MD5" }, Reason{Insecure, "MD5 as MAC", "RFC 6151, RFC 9155"}},
	{func(s *Suite) bool { return s.Encryption == "3DES" }, Reason{Weak, "3DES: 64-bit blocks collide on long connections", "Sweet32 (CVE-2016-2183), RFC 9325 section 4.1"}},
	{func(s *Suite) bool { return s.Encryption == "IDEA" }, Reason{Weak, "IDEA: 64-bit blocks collide on long connections", "RFC 5469, Sweet32 (CVE-2016-2183)"}},
	{func(s *Suite) bool { return s.Encryption == "GOST28147" || s.Encryption == "MAGMA" }, Reason{Weak, "64-bit blocks collide on long connections", "Sweet32 (CVE-2016-2183)"}},
	{func(s *Suite) bool { return s.Encryption == "Fortezza" || s.Encryption == "SM1" }, Reason{Weak, "a cipher that was never open to analysis", "RFC 9325 section 4.1"}},
	{func(s *Suite) bool { return s.KeyExchange == KXRSA }, Reason{Weak, "RSA key exchange: no forward secrecy, and a target of Bleichenbacher's attack", "RFC 9325 section 4.1, ROBOT"}},
	{func(s *Suite) bool { return s.KeyExchange == KXDH || s.KeyExchange == KXECDH }, Reason{Weak, "static (EC)DH: no forward secrecy", "RFC 9325 section 4.1, Raccoon (CVE-2020-1968)"}},
	{func(s *Suite) bool {
		switch s.KeyExchange {
		case KXPSK, KXRSAPSK, KXSRP, KXKRB5, KXGOST, KXFortezza:
			return true
		}
		return false
	}, Reason{Weak, "no forward secrecy", "RFC 9325 section 4.1"}},
	{func(s *Suite) bool { return s.KeyExchange == KXDHE && s.Authentication != AuthAnon }, Reason{Weak, "finite-field DHE: small or reused groups cannot be refused by name", "Logjam (CVE-2015-4000), Raccoon, RFC 9325 section 4.1, IANA: D"}},
	{func(s *Suite) bool { return s.Authentication == AuthDSS }, Reason{Weak, "DSA signatures", "RFC 9325 section 4.1, FIPS 186-5"}},
	{func(s *Suite) bool { return s.Mode == "CBC" }, Reason{Weak, "CBC mode with MAC-then-encrypt: padding oracles", "Lucky Thirteen (CVE-2013-0169), RFC 9325 section 4.2"}},
	{func(s *Suite) bool { return s.MAC == "SHA1" }, Reason{Weak, "SHA-1 as MAC", "RFC 9155 (signatures); RFC 9325 section 4.2"}},
	{func(s *Suite) bool { return s.Mode == "CCM8" }, Reason{Secure, "8-byte authentication tag: IANA does not recommend it", "RFC 6655 section 6.1"}},
}

// Assess judges a suite. A signalling value is Secure: it protects nothing itself.
func Assess(s *Suite) Assessment {
	a := Assessment{Strength: Secure}
	if s.Signalling {
		return a
	}
	for _, p := range properties {
		if p.holds(s) {
			a.Reasons = append(a.Reasons, p.reason)
			a.Strength = min(a.Strength, p.reason.Strength)
		}
	}
	if len(a.Reasons) > 0 {
		return a
	}
	if s.Recommended == "Y" {
		a.Strength = Recommended
		a.Reasons = []Reason{{Recommended, "authenticated encryption and forward secrecy", "IANA: Recommended Y"}}
		return a
	}
	a.Reasons = []Reason{{Secure, "no known weakness; not recommended by IANA for general use", "IANA: Recommended " + s.Recommended}}
	return a
}

// StrengthOf is Assess(...).Strength for a code; Weak for a code that is not known.
func StrengthOf(c Code) Strength {
	if s := ByCode(c); s != nil {
		strength := Recommended
		for _, p := range properties {
			if p.reason.Strength < strength && p.holds(s) {
				strength = p.reason.Strength
			}
		}
		if s.Recommended != "Y" {
			strength = min(strength, Secure)
		}
		return strength
	}
	return Weak
}

// AssessGroup judges a group.
func AssessGroup(g *GroupInfo) Assessment {
	one := func(s Strength, text, source string) Assessment {
		return Assessment{s, []Reason{{s, text, source}}}
	}
	switch {
	case g.Kind == "hybrid" && g.Recommended != "D":
		return one(Recommended, "hybrid: withstands a quantum computer, and is as strong as its classical half otherwise", "draft-ietf-tls-ecdhe-mlkem")
	case g.Kind == "hybrid":
		return one(Weak, "a draft of before ML-KEM was standardised", "FIPS 203")
	case g.Kind == "pq":
		return one(Secure, "post-quantum alone, without a classical half", "draft-ietf-tls-mlkem")
	case g.Kind == "ff" && g.Bits < 3072:
		return one(Secure, "finite field of 2048 bits: the least that is accepted today", "RFC 7919, RFC 9325 section 4.4")
	case g.Kind == "ff":
		return one(Secure, "finite field", "RFC 7919")
	case g.Bits > 0 && g.Bits < 224:
		return one(Insecure, "a curve below 224 bits", "RFC 8422 section 5.1.1, SP 800-57")
	case g.Code < Secp256r1 || g.Bits == 0:
		return one(Weak, "deprecated curve", "RFC 8422 section 5.1.1")
	case g.Recommended == "Y":
		return one(Recommended, "elliptic curve in general use", "RFC 8422, IANA: Recommended Y")
	}
	return one(Secure, "elliptic curve", "IANA: Recommended "+g.Recommended)
}

// AssessScheme judges a signature scheme.
func AssessScheme(s *SchemeInfo) Assessment {
	one := func(st Strength, text, source string) Assessment {
		return Assessment{st, []Reason{{st, text, source}}}
	}
	switch {
	case s.Digest == "MD5":
		return one(Insecure, "MD5 signatures can be forged", "RFC 9155, SLOTH (CVE-2015-7575)")
	case s.Digest == "SHA1":
		return one(Weak, "SHA-1 signatures", "RFC 9155")
	case s.Key == "dsa":
		return one(Weak, "DSA signatures", "FIPS 186-5")
	case s.Digest == "SHA224":
		return one(Weak, "SHA-224 signatures", "RFC 8422 section 5.1.3")
	case s.Recommended == "Y":
		return one(Recommended, "in general use", "RFC 8446 section 4.2.3, IANA: Recommended Y")
	}
	return one(Secure, "no known weakness", "IANA: Recommended "+s.Recommended)
}
