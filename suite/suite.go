// Package suite knows the vocabulary of TLS: protocol versions, cipher suites, groups, signature
// schemes and alerts, with all their names, their parts and how strong they are.
//
// It is pure data: it opens no file and no connection.
package suite

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Code is the number of a cipher suite on the wire. TLS suites have two bytes; the cipher kinds of
// SSLv2 have three and lie above 0xFFFF (SSL_CK_DES_192_EDE3_CBC_WITH_MD5 is 0x0700C0). SSLv2 kinds
// below 0x010000 do not exist.
type Code uint32

// String returns the code as 0xC02F, or 0x0700C0 for an SSLv2 kind.
func (c Code) String() string {
	if c > 0xFFFF {
		return fmt.Sprintf("0x%06X", uint32(c))
	}
	return fmt.Sprintf("0x%04X", uint32(c))
}

// Name returns the IANA name of c, or the code where there is none.
func (c Code) Name() string {
	if s := ByCode(c); s != nil {
		return s.IANA
	}
	return c.String()
}

// OpenSSL returns the OpenSSL name of c if it has one, else the IANA name, else the code: what an
// engineer would type or read in a log.
func (c Code) OpenSSL() string {
	if s := ByCode(c); s != nil {
		if s.OpenSSL != "" {
			return s.OpenSSL
		}
		return s.IANA
	}
	return c.String()
}

// MarshalJSON gives the object {"code","iana","openssl"} that stands for a suite in all of Parley's
// JSON; names that do not exist are left out.
func (c Code) MarshalJSON() ([]byte, error) {
	ref := struct {
		Code    string `json:"code"`
		IANA    string `json:"iana,omitempty"`
		OpenSSL string `json:"openssl,omitempty"`
	}{Code: c.String()}
	if s := ByCode(c); s != nil {
		ref.IANA, ref.OpenSSL = s.IANA, s.OpenSSL
	}
	return json.Marshal(ref)
}

// IsGREASE reports whether a 16-bit code point is one that RFC 8701 reserves (0x0A0A, 0x1A1A … 0xFAFA).
// It holds for suites, groups, extensions, versions and signature schemes alike.
func IsGREASE(v uint16) bool { return v&0x0F0F == 0x0A0A && v>>8 == v&0xFF }

// The signalling values that stand in a suite list without being suites.
const (
	EmptyRenegotiationInfoSCSV Code = 0x00FF // RFC 5746
	FallbackSCSV               Code = 0x5600 // RFC 7507
)

// UnmarshalJSON reads the object that MarshalJSON writes; the code counts.
func (c *Code) UnmarshalJSON(b []byte) error {
	var ref struct {
		Code string `json:"code"`
	}
	if err := json.Unmarshal(b, &ref); err != nil {
		return err
	}
	n, err := strconv.ParseUint(ref.Code, 0, 24)
	if err != nil {
		return fmt.Errorf("%q is no cipher suite's code: expected hexadecimal digits after 0x", ref.Code)
	}
	*c = Code(n)
	return nil
}
