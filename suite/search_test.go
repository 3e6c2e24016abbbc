package suite_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/parley-tls/parley/suite"
)

func listed(l []suite.Entry) string {
	var names []string
	for _, e := range l {
		names = append(names, string(e.Kind)+" "+e.Name)
	}
	return strings.Join(names, ", ")
}

func TestFind(t *testing.T) {
	const gcm = "suite TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
	for word, want := range map[string]string{
		// names
		"ECDHE-RSA-AES128-GCM-SHA256":           gcm,
		"tls_ecdhe_rsa_with_aes_128_gcm_sha256": gcm,
		"TLS_ECDHE_RSA_AES_128_GCM_SHA256":      gcm,
		"TLS_RSA_ARCFOUR_128_SHA1":              "suite TLS_RSA_WITH_RC4_128_SHA",
		"SSL_RSA_WITH_RC4_128_SHA":              "suite TLS_RSA_WITH_RC4_128_SHA",
		"EDH-RSA-DES-CBC3-SHA":                  "suite TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA",
		"RC4-MD5":                               "suite TLS_RSA_WITH_RC4_128_MD5",
		"SSL_CK_RC4_128_WITH_MD5":               "suite SSL_CK_RC4_128_WITH_MD5",
		"TLS_FALLBACK_SCSV":                     "suite TLS_FALLBACK_SCSV",
		"x25519":                                "group x25519",
		"P-256":                                 "group secp256r1",
		"prime256v1":                            "group secp256r1",
		"GROUP-SECP256R1":                       "group secp256r1",
		"x25519mlkem768":                        "group X25519MLKEM768",
		"rsa_pss_rsae_sha256":                   "scheme rsa_pss_rsae_sha256",
		"RSA+SHA256":                            "scheme rsa_pkcs1_sha256",
		"SIGN-EdDSA-Ed25519":                    "scheme ed25519",
		// codes
		"0xC02F":         gcm,
		"C02F":           gcm,
		"c0,2f":          gcm,
		"0xC0,0x2F":      gcm,
		"{0xC0, 0x2F}":   gcm,
		"C0:2F":          gcm,
		"49199":          gcm,
		"1301":           "suite TLS_AES_128_GCM_SHA256", // as tables write it
		"4865":           "suite TLS_AES_128_GCM_SHA256", // as JA3 does
		"0035":           "suite TLS_RSA_WITH_AES_256_CBC_SHA",
		"2f":             "suite TLS_RSA_WITH_AES_128_CBC_SHA",
		"0x0700C0":       "suite SSL_CK_DES_192_EDE3_CBC_WITH_MD5",
		"07,00,c0":       "suite SSL_CK_DES_192_EDE3_CBC_WITH_MD5",
		"0x001D":         "suite SSL_FORTEZZA_KEA_WITH_FORTEZZA_CBC_SHA, group x25519",
		"0x11EC":         "group X25519MLKEM768",
		"0x0403":         "scheme ecdsa_secp256r1_sha256",
		"0x0a0a":         "grease GREASE",
		"0":              "suite TLS_NULL_WITH_NULL_NULL",
		"0xBEEF":         "",
		"0x":             "",
		"0xC02F00000000": "",
		"c0,2f,00,00":    "",
		"c0,zz":          "",
		"":               "",
		"*":              "",
		"GCM":            "",
	} {
		if got := listed(suite.Find(word)); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
	if n := len(suite.Find("grease")); n != 16 {
		t.Errorf("%d GREASE values", n)
	}
}

func TestSearch(t *testing.T) {
	for word, want := range map[string]string{
		"ECDHE-*-CHACHA20-POLY1305": "suite TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, suite TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, suite TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256",
		"*arcfour_128_md5":          "suite TLS_RSA_WITH_RC4_128_MD5, suite TLS_DH_anon_WITH_RC4_128_MD5",
		"x25519?????768":            "group X25519MLKEM768",
		"AEGIS_256":                 "suite TLS_AEGIS_256_SHA512",
		"mldsa":                     "scheme mldsa44, scheme mldsa65, scheme mldsa87",
		"kyber":                     "group X25519Kyber768Draft00, group SecP256r1Kyber768Draft00",
		"sha[25]*+dsa":              "scheme sha224+dsa, scheme sha256+dsa, scheme sha512+dsa",
		"ffdhe3":                    "group ffdhe3072",
	} {
		l, err := suite.Search(word)
		if got := listed(l); err != nil || got != want {
			t.Errorf("%q: got %s, %v, want %s", word, got, err, want)
		}
	}
	for word, want := range map[string]string{
		"ECDHE-RSA-AES128-GCM-SHA26": `unknown suite, group or signature scheme "ECDHE-RSA-AES128-GCM-SHA26": did you mean ECDHE-RSA-AES128-GCM-SHA256, `,
		"x25518":                     "did you mean x25519",
		"0xBEEF":                     `unknown code "0xBEEF"`,
		"no-such-thing-at-all":       "parley suite lists them all",
		"[a":                         "without its ]",
		"":                           "an empty name",
	} {
		if l, err := suite.Search(word); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %s, %v, want %s", word, listed(l), err, want)
		}
	}
}

func TestEntryNames(t *testing.T) {
	for name, want := range map[string]string{
		"DHE-RSA-DES-CBC3-SHA": "EDH-RSA-DES-CBC3-SHA", "secp256r1": "P-256", "AES128-SHA": "", "ed25519": "",
	} {
		e := suite.Find(name)[0]
		if got := strings.Join(e.OtherNames(), " "); got != want {
			t.Errorf("%s is also called %q, want %q", name, got, want)
		}
	}
}

func TestEntryVersions(t *testing.T) {
	for name, want := range map[string]string{
		"AES128-SHA": "[SSLv3 TLSv1.0 TLSv1.1 TLSv1.2]", "TLS_AES_128_GCM_SHA256": "[TLSv1.3]", "EXP-RC4-MD5": "[SSLv3 TLSv1.0]",
		"SSL_CK_RC4_128_WITH_MD5": "[SSLv2]", "x25519": "[TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3]", "X25519MLKEM768": "[TLSv1.3]",
		"rsa_pkcs1_sha256": "[TLSv1.2]", "rsa_pkcs1_sha256_legacy": "[TLSv1.3]", "ed25519": "[TLSv1.2 TLSv1.3]",
	} {
		e := suite.Find(name)[0]
		if got := fmt.Sprint(e.Versions()); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestEveryVerdictHasReasons goes through all there is: each has a strength, reasons of that strength at most, each
// with a source.
func TestEveryVerdictHasReasons(t *testing.T) {
	for _, e := range suite.Entries() {
		a, ok := e.Assess()
		if !ok || len(a.Reasons) == 0 || a.Reasons[0].Strength != a.Strength {
			t.Errorf("%s: %+v", e.Name, a)
		}
		for _, r := range a.Reasons {
			if r.Strength < a.Strength || r.Text == "" || r.Source == "" {
				t.Errorf("%s is %s for %+v", e.Name, a.Strength, r)
			}
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, seed := range []string{"0xC02F", "c0,2f", "{0xC0, 0x2F}", "49199", "ECDHE-*", "[", "x25519", "\xff", "0x0a0a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if len(suite.Find(word)) > 0 {
			return
		}
		if l, err := suite.Search(word); (len(l) == 0) != (err != nil) {
			t.Errorf("%q: %d entries, %v", word, len(l), err)
		}
	})
}
