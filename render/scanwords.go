package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
)

// opensslTime is how OpenSSL prints a time.
const opensslTime = "Jan _2 15:04:05 2006 GMT"

// curve is a group in sslscan's words.
type curve struct {
	name   string // of its attribute curve: "25519", "P-256"
	bits   int    // of its attribute ecdhebits
	finite bool   // a finite field: attribute dhebits
}

// curveOf names a group as sslscan does, which takes the names from OpenSSL: of Montgomery curves the number, of
// NIST's the short name, of others the name in the registry.
func curveOf(g suite.Group) curve {
	i := suite.GroupByCode(g)
	switch {
	case i == nil:
		return curve{name: g.String()}
	case g == suite.X25519:
		return curve{"25519", 253, false}
	case g == suite.X448:
		return curve{"448", 448, false}
	case i.Kind == "ff":
		return curve{i.Name, i.Bits, true}
	}
	if short, ok := nistNames[g]; ok {
		return curve{short, i.Bits, false}
	}
	return curve{i.Name, i.Bits, false}
}

func (c curve) words() string {
	if c.finite {
		return fmt.Sprintf("DHE %d bits", c.bits)
	}
	return fmt.Sprintf("Curve %s DHE %d", c.name, c.bits)
}

// nistNames are what NIST calls the curves (FIPS 186-4 appendix D), by number in the IANA registry.
var nistNames = map[suite.Group]string{
	1: "K-163", 3: "B-163", 6: "K-233", 7: "B-233", 9: "K-283", 10: "B-283", 11: "K-409", 12: "B-409", 13: "K-571", 14: "B-571",
	19: "P-192", 21: "P-224", suite.Secp256r1: "P-256", suite.Secp384r1: "P-384", suite.Secp521r1: "P-521",
}

// scanGroupName names a group as sslscan's list of groups does.
func scanGroupName(g suite.Group) string {
	if nist, ok := nistNames[g]; ok {
		return g.String() + " (NIST " + nist + ")"
	}
	return g.String()
}

// securityBits is the strength that sslscan prints for a group: half the field of a curve, and for finite fields what
// RFC 7919 appendix A and NIST SP 800-57 give, in sslscan's rounding.
func securityBits(g inspect.Group) int {
	switch g.Group {
	case suite.X25519:
		return 128
	case suite.X448:
		return 224
	case suite.FFDHE2048:
		return 112
	case suite.FFDHE3072:
		return 128
	case suite.FFDHE4096:
		return 150
	case suite.FFDHE6144:
		return 175
	case suite.FFDHE8192:
		return 192
	}
	if i := suite.GroupByCode(g.Group); i != nil && i.Kind == "ec" {
		return i.Bits / 2
	}
	return g.Bits
}

// opensslSignatures are OpenSSL's names of the algorithms by which certificates are signed, by Go's.
var opensslSignatures = map[string]string{
	"MD5-RSA": "md5WithRSAEncryption", "SHA1-RSA": "sha1WithRSAEncryption", "SHA256-RSA": "sha256WithRSAEncryption",
	"SHA384-RSA": "sha384WithRSAEncryption", "SHA512-RSA": "sha512WithRSAEncryption",
	"SHA256-RSAPSS": "rsassaPss", "SHA384-RSAPSS": "rsassaPss", "SHA512-RSAPSS": "rsassaPss",
	"DSA-SHA1": "dsaWithSHA1", "DSA-SHA256": "dsa_with_SHA256",
	"ECDSA-SHA1": "ecdsa-with-SHA1", "ECDSA-SHA256": "ecdsa-with-SHA256", "ECDSA-SHA384": "ecdsa-with-SHA384", "ECDSA-SHA512": "ecdsa-with-SHA512",
	"Ed25519": "ED25519",
}

func signatureWords(algorithm string) string {
	if s, ok := opensslSignatures[algorithm]; ok {
		return s
	}
	return algorithm
}

// keyRows are the lines on a certificate's key.
func keyRows(c *scan.CertificateReport) [][2]string {
	switch c.KeyType {
	case policy.RSA, policy.RSAPSS:
		return [][2]string{{"RSA Key Strength", fmt.Sprint(c.KeyBits)}}
	case policy.ECDSA:
		return [][2]string{{"ECC Curve Name", opensslCurve(c)}, {"ECC Key Strength", fmt.Sprint(c.KeyBits / 2)}}
	case policy.DSA:
		return [][2]string{{"DSA Key Strength", fmt.Sprint(c.KeyBits)}}
	}
	return [][2]string{{"Key", strings.ToUpper(string(c.KeyType))}}
}

// opensslCurve is OpenSSL's name of the curve of a certificate's key.
func opensslCurve(c *scan.CertificateReport) string {
	if c.Curve == nil {
		return ""
	}
	if g := suite.GroupByCode(*c.Curve); g != nil && g.OpenSSL != "" {
		return g.OpenSSL
	}
	return c.Curve.String()
}

// shortName is the common name in a distinguished name, as sslscan prints subjects and issuers; the whole name where
// there is none. Values in which RFC 2253 needs an escape are left whole too.
func shortName(full string) string {
	for part := range strings.SplitSeq(full, ",") {
		if name, ok := strings.CutPrefix(part, "CN="); ok && !strings.ContainsAny(name, "\\+") {
			return name
		}
	}
	return full
}

// altNames are the alternative names in OpenSSL's words.
func altNames(c *scan.CertificateReport) string {
	var l []string
	for _, n := range c.Names.DNS {
		l = append(l, "DNS:"+n)
	}
	for _, a := range c.Names.IP {
		l = append(l, "IP Address:"+a)
	}
	return strings.Join(l, ", ")
}

// invalidToday reports whether a certificate has expired or is not valid yet.
func invalidToday(c *scan.CertificateReport) bool {
	return slices.ContainsFunc(c.Verdict.Reasons, func(r scan.CertificateReason) bool {
		return r.ID == "certificate-expired" || r.ID == "certificate-not-yet-valid"
	})
}
