package suite_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/parley-tls/parley/suite"
)

// TestAgainstGo compares Go's suites, their versions, and what Go calls insecure.
func TestAgainstGo(t *testing.T) {
	for _, l := range [][]*tls.CipherSuite{tls.CipherSuites(), tls.InsecureCipherSuites()} {
		for _, g := range l {
			s := suite.ByCode(suite.Code(g.ID))
			if s == nil {
				t.Errorf("0x%04X %s is missing", g.ID, g.Name)
				continue
			}
			if suite.ByName(g.Name) != s {
				t.Errorf("%s is not found by Go's name", g.Name)
			}
			if s.IANA != g.Name {
				t.Errorf("%s: Go says %s", s.IANA, g.Name)
			}
			var versions []string
			for _, v := range g.SupportedVersions {
				versions = append(versions, suite.Version(v).String())
				if !s.UsableIn(suite.Version(v)) {
					t.Errorf("%s: not for %s, Go says it is", s.IANA, suite.Version(v))
				}
			}
			if first := versions[0]; first != max(s.MinVersion, suite.TLS10).String() {
				t.Errorf("%s: from %s, Go says %s", s.IANA, s.MinVersion, strings.Join(versions, " "))
			}
			if g.Insecure && suite.Assess(s).Strength > suite.Weak {
				t.Errorf("%s: Go calls it insecure, we %s", s.IANA, suite.Assess(s).Strength)
			}
		}
	}
}

// TestAgainstGoConstants compares the codes of groups and schemes that Go exports.
func TestAgainstGoConstants(t *testing.T) {
	for name, id := range map[string]tls.CurveID{"secp256r1": tls.CurveP256, "secp384r1": tls.CurveP384, "secp521r1": tls.CurveP521,
		"x25519": tls.X25519, "X25519MLKEM768": tls.X25519MLKEM768} {
		if g := suite.GroupByName(name); g == nil || uint16(g.Code) != uint16(id) {
			t.Errorf("%s: Go says 0x%04X", name, uint16(id))
		}
	}
	for name, id := range map[string]tls.SignatureScheme{
		"rsa_pkcs1_sha1": tls.PKCS1WithSHA1, "ecdsa_sha1": tls.ECDSAWithSHA1, "rsa_pkcs1_sha256": tls.PKCS1WithSHA256,
		"rsa_pkcs1_sha384": tls.PKCS1WithSHA384, "rsa_pkcs1_sha512": tls.PKCS1WithSHA512, "rsa_pss_rsae_sha256": tls.PSSWithSHA256,
		"rsa_pss_rsae_sha384": tls.PSSWithSHA384, "rsa_pss_rsae_sha512": tls.PSSWithSHA512, "ed25519": tls.Ed25519,
		"ecdsa_secp256r1_sha256": tls.ECDSAWithP256AndSHA256, "ecdsa_secp384r1_sha384": tls.ECDSAWithP384AndSHA384,
		"ecdsa_secp521r1_sha512": tls.ECDSAWithP521AndSHA512,
	} {
		if s := suite.SchemeByName(name); s == nil || uint16(s.Code) != uint16(id) {
			t.Errorf("%s: Go says 0x%04X", name, uint16(id))
		}
	}
}
