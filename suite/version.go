package suite

import (
	"fmt"
	"strconv"
)

// Version is a protocol version as it stands on the wire. SSLv2 is 0x0002.
type Version uint16

// The versions that were ever deployed.
const (
	SSLv2 Version = 0x0002
	SSLv3 Version = 0x0300
	TLS10 Version = 0x0301
	TLS11 Version = 0x0302
	TLS12 Version = 0x0303
	TLS13 Version = 0x0304
)

// Versions lists every known version, oldest first.
var Versions = []Version{SSLv2, SSLv3, TLS10, TLS11, TLS12, TLS13}

var versionNames = map[Version]string{
	SSLv2: "SSLv2", SSLv3: "SSLv3", TLS10: "TLSv1.0", TLS11: "TLSv1.1", TLS12: "TLSv1.2", TLS13: "TLSv1.3",
}

// String returns the name used in all output: SSLv3, TLSv1.0 … TLSv1.3; unknown values as 0x7F1C.
func (v Version) String() string {
	if n, ok := versionNames[v]; ok {
		return n
	}
	return fmt.Sprintf("0x%04X", uint16(v))
}

// MarshalText gives the name, so that versions are strings in JSON.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText accepts every spelling that ParseVersion accepts.
func (v *Version) UnmarshalText(b []byte) error {
	p, err := ParseVersion(string(b))
	*v = p
	return err
}

// Known reports whether v was ever deployed.
func (v Version) Known() bool { _, ok := versionNames[v]; return ok }

// ParseVersion reads a version as people write it: TLSv1.2, TLS1.2, tls1_2, 1.2, TLSv1 (1.0), SSLv3, 0x0303.
func ParseVersion(s string) (Version, error) {
	if v, ok := versionSpellings[foldVersion(s)]; ok {
		return v, nil
	}
	if n, err := strconv.ParseUint(s, 0, 16); err == nil && n>>8 == 0x7F {
		return Version(n), nil // a draft of TLS 1.3, as browsers of 2017 and 2018 offered
	}
	return 0, fmt.Errorf("unknown protocol version %q: use SSLv2, SSLv3, TLSv1.0, TLSv1.1, TLSv1.2 or TLSv1.3", s)
}

var versionSpellings = map[string]Version{
	"ssl2": SSLv2, "0x0002": SSLv2,
	"ssl3": SSLv3, "0x0300": SSLv3,
	"tls1": TLS10, "tls10": TLS10, "10": TLS10, "0x0301": TLS10,
	"tls11": TLS11, "11": TLS11, "0x0302": TLS11,
	"tls12": TLS12, "12": TLS12, "0x0303": TLS12,
	"tls13": TLS13, "13": TLS13, "0x0304": TLS13,
}

// foldVersion drops case and the characters on which spellings differ (TLSv1.2, TLS1_2, TLS 1.2).
func foldVersion(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'A' && c <= 'Z' && c != 'V':
			b = append(b, c+'a'-'A')
		case c == 'v' || c == 'V' || c == '.' || c == '_' || c == ' ' || c == '-':
		default:
			b = append(b, c)
		}
	}
	return string(b)
}
