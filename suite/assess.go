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

// UnmarshalText reads a name.
func (s *Strength) UnmarshalText(b []byte) error {
	p, err := ParseStrength(string(b))
	*s = p
	return err
}

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

// Assessment is a verdict with all its reasons, worst first. It has at least one.
type Assessment struct {
	Strength Strength `json:"strength"`
	Reasons  []Reason `json:"reasons"`
}

// Assess judges a suite. A signalling value is Secure: it protects nothing itself.
func Assess(s *Suite) Assessment {
	if s.Signalling {
		return Assessment{Secure, []Reason{{Secure, "a signal, not a suite: it is never chosen", s.References[0]}}}
	}
	a := Assessment{Strength: Recommended}
	for i := range properties {
		if len(a.Reasons) > 0 && i >= len(properties)-unremarkable {
			break
		}
		if p := &properties[i]; p.holds(s) {
			a.Reasons = append(a.Reasons, p.reason)
			a.Strength = min(a.Strength, p.reason.Strength)
		}
	}
	if a.Strength == Recommended {
		a.Reasons = []Reason{{Recommended, "authenticated encryption and forward secrecy", "IANA: Recommended Y"}}
	}
	return a
}

// judge is Assess(s).Strength without the reasons, and without allocating.
func judge(s *Suite) Strength {
	if s.Signalling {
		return Secure
	}
	for i := range properties { // worst first
		if p := &properties[i]; p.holds(s) {
			return p.reason.Strength
		}
	}
	return Recommended
}

// StrengthOf is Assess(...).Strength for a code, for the price of a look-up; Weak for a code that is not known.
func StrengthOf(c Code) Strength {
	t := data()
	if c > 0xFFFF {
		if s := t.sslv2[c]; s != nil {
			return judge(s)
		}
		return Weak
	}
	if i := t.byCode[c]; i != 0 {
		return t.strength[i-1]
	}
	return Weak
}

// AssessGroup judges a group.
func AssessGroup(g *GroupInfo) Assessment {
	one := func(s Strength, text, source string) Assessment {
		return Assessment{s, []Reason{{s, text, source}}}
	}
	switch {
	case g.Kind == "hybrid" && g.Recommended == "D":
		return one(Weak, "a draft of before ML-KEM was standardised: two sides with it may still not understand each other", "FIPS 203, RFC 10024, IANA: Recommended D")
	case g.Kind == "hybrid" && g.Recommended == "Y":
		return one(Recommended, "hybrid: safe if either half is, so what is recorded today stays secret from a quantum computer", "RFC 10024, IANA: Recommended Y")
	case g.Kind == "hybrid":
		return one(Secure, "hybrid: safe if either half is, so what is recorded today stays secret from a quantum computer", "IANA: Recommended "+g.Recommended)
	case g.Kind == "pq":
		return one(Secure, "post-quantum alone: nothing stands behind it if ML-KEM falls", "draft-ietf-tls-mlkem, IANA: Recommended "+g.Recommended)
	case g.Kind == "ff" && g.Bits < 3072:
		return one(Secure, "finite field of 2048 bits, about 103 bits of strength: the least that is accepted today", "RFC 7919 appendix A.1, RFC 9325 section 4.5")
	case g.Kind == "ff":
		return one(Secure, "finite field: slower than a curve of the same strength", "RFC 7919")
	case g.Bits == 0:
		return one(Insecure, "explicit curve parameters: the other side may choose a curve that it can break", "RFC 8422 section 5.1.1, CVE-2020-0601")
	case g.Bits < 224:
		return one(Insecure, "a curve with less than 112 bits of strength", "NIST SP 800-57 part 1 table 4, RFC 9847 section 6")
	case g.Recommended == "D":
		return one(Weak, "a curve with 112 bits of strength", "RFC 9847 section 6, RFC 8422 section 5.1.1")
	case g.Code < Secp256r1:
		return one(Weak, "deprecated curve", "RFC 8422 section 5.1.1")
	case g.Recommended == "Y":
		return one(Recommended, "elliptic curve in general use", "RFC 9846 section 4.3.7, IANA: Recommended Y")
	}
	return one(Secure, "elliptic curve without known weakness", "IANA: Recommended "+g.Recommended)
}

// AssessScheme judges a signature scheme.
func AssessScheme(s *SchemeInfo) Assessment {
	one := func(st Strength, text, source string) Assessment {
		return Assessment{st, []Reason{{st, text, source}}}
	}
	switch {
	case s.Digest == "MD5":
		return one(Insecure, "MD5: a signature can be made to fit a second text", "RFC 9155 section 2, SLOTH (CVE-2015-7575)")
	case s.Digest == "SHA1":
		return one(Weak, "SHA-1: collisions are within reach of anybody with money", "RFC 9155 section 2, SHA-1 is a Shambles (2020)")
	case s.Digest == "SHA224":
		return one(Weak, "SHA-224: 112 bits of strength", "RFC 9846 section 4.3.3, RFC 9847 section 9")
	case s.Key == "dsa":
		return one(Weak, "DSA: a weak or repeated nonce gives away the key", "FIPS 186-5, RFC 9846 section 4.3.3")
	case s.Code == 0xEDED:
		return one(Weak, "GOST R 34.10-2001: withdrawn in favour of 2012", "RFC 7091")
	case s.ClientOnly:
		return one(Secure, "RSASSA-PKCS1-v1_5 in TLS 1.3: for client keys in hardware that cannot do PSS", "RFC 9963, IANA: Recommended N")
	case s.Recommended == "-":
		return one(Secure, "no known weakness, but never registered", s.References[0])
	case s.Recommended == "Y":
		return one(Recommended, "in general use", "RFC 9846 section 4.3.3, IANA: Recommended Y")
	}
	return one(Secure, "no known weakness, but no recommendation of the IETF", "IANA: Recommended "+s.Recommended)
}
