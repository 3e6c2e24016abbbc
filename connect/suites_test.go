package connect

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/cipherlist"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/suite"
)

// TestResolve: what a selection comes to.
func TestResolve(t *testing.T) {
	for _, c := range []struct {
		s        Selection
		versions string
		suites   string // "…" at the end: and more
		release  string // of Cipher, if not 3.0
	}{
		{Selection{}, "TLSv1.3 TLSv1.2 TLSv1.1 TLSv1.0", "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 …", ""},
		{Selection{Versions: only(suite.TLS11)}, "TLSv1.1", "ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA …", ""},
		{Selection{Versions: only(suite.SSLv3)}, "SSLv3", "AES128-SHA AES256-SHA DES-CBC3-SHA RC4-SHA …", ""},
		{Selection{Versions: only(suite.TLS10, suite.TLS13)}, "TLSv1.3 TLSv1.0", "TLS_AES_128_GCM_SHA256 …", ""},
		{Selection{Cipher: "AES128-SHA"}, "TLSv1.2 TLSv1.1 TLSv1.0", "AES128-SHA", ""},
		{Selection{Cipher: "AES128-SHA", Versions: only(suite.TLS12)}, "TLSv1.2", "AES128-SHA", ""},
		{Selection{Cipher: "AES128-SHA", Versions: only(suite.TLS13, suite.TLS12)}, "TLSv1.2", "AES128-SHA", ""},
		{Selection{Cipher: "TLS_RSA_WITH_AES_128_CBC_SHA,ECDHE-RSA-AES128-GCM-SHA256"}, "TLSv1.2 TLSv1.1 TLSv1.0", "AES128-SHA ECDHE-RSA-AES128-GCM-SHA256", ""},
		{Selection{Cipher: "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA", Versions: only(suite.TLS11)}, "TLSv1.1", "AES128-SHA", ""},
		{Selection{Cipher: "RC4-SHA", Release: cipherlist.OpenSSL102}, "TLSv1.2 TLSv1.1 TLSv1.0 SSLv3", "RC4-SHA", "1.0.2"},
		{Selection{Cipher: "0x0005:0xC02F"}, "TLSv1.2 TLSv1.1 TLSv1.0", "RC4-SHA ECDHE-RSA-AES128-GCM-SHA256", ""},
		{Selection{Cipher: "0xfff0"}, "TLSv1.2 TLSv1.1 TLSv1.0", "0xFFF0", ""},
		{Selection{Cipher: "0x13FF"}, "TLSv1.3", "0x13FF", ""},
		{Selection{Cipher: "0x009C:0x5600", Versions: only(suite.TLS12)}, "TLSv1.2", "AES128-GCM-SHA256 TLS_FALLBACK_SCSV", ""},
		{Selection{Ciphersuites: "TLS_CHACHA20_POLY1305_SHA256:0x1304"}, "TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256 TLS_AES_128_CCM_SHA256", ""},
		{Selection{Ciphersuites: "TLS_AES_128_GCM_SHA256", Cipher: "AES128-GCM-SHA256"}, "TLSv1.3 TLSv1.2", "TLS_AES_128_GCM_SHA256 AES128-GCM-SHA256", ""},
		{Selection{Cipher: "TLS_AES_256_GCM_SHA384"}, "TLSv1.3", "TLS_AES_256_GCM_SHA384", ""},
	} {
		if c.release == "" {
			c.s.Release = cipherlist.OpenSSL30
		}
		versions, suites, _, err := c.s.Resolve()
		var vs []string
		for _, v := range versions {
			vs = append(vs, v.String())
		}
		names := strings.Join(openSSLNames(suites), " ")
		want, more := strings.CutSuffix(c.suites, "…")
		if err != nil || strings.Join(vs, " ") != c.versions || names != want && !(more && strings.HasPrefix(names, want)) {
			t.Errorf("%+v: %v, %s, %v", c.s, vs, names, err)
		}
	}
}

// TestResolveNothing: what leaves nothing to offer is told from what is no selection at all.
func TestResolveNothing(t *testing.T) {
	for _, c := range []struct {
		s    Selection
		none bool // the client has nothing to offer
	}{
		{Selection{Cipher: "PSK-AES128-CBC-SHA"}, true},
		{Selection{Cipher: "RC4-SHA"}, true},
		{Selection{Cipher: "AES128-SHA", Versions: only(suite.TLS13)}, true},
		{Selection{Ciphersuites: "TLS_AES_128_GCM_SHA256", Versions: only(suite.TLS12)}, true},
		{Selection{Cipher: "FOO"}, false},
		{Selection{Cipher: "AES128-SHA:@"}, false},
		{Selection{Cipher: "0xC02F:FOO"}, false},
		{Selection{Cipher: "0x12345"}, false},
		{Selection{Ciphersuites: "TLS_FOO"}, false},
		{Selection{Ciphersuites: "AES128-SHA"}, false},
		{Selection{Ciphersuites: ","}, false},
	} {
		c.s.Release = cipherlist.OpenSSL30
		_, _, _, err := c.s.Resolve()
		var none *client.NoCiphersError
		var nothing *NothingError
		is := errors.As(err, &none) && len(none.Unknown) == 0 || errors.As(err, &nothing)
		if err == nil || is != c.none {
			t.Errorf("%+v: %v", c.s, err)
		}
		if is {
			r := NotTried("lb.example.com", &c.s, err)
			if r.Connections != 0 || r.Failure.Causes[0].ID != cause.ClientLacksCipher || none != nil && len(r.Notes) != 1 {
				t.Errorf("%+v", r)
			}
		}
	}
}

// TestNotes: a word that OpenSSL passes over is said to be passed over.
func TestNotes(t *testing.T) {
	s := Selection{Cipher: "AES128-SHA:AES129-SHA:!aNULL:CAMELLIA128-SHA:SEED-SHA", Release: cipherlist.OpenSSL30}
	_, _, notes, err := s.Resolve()
	if err != nil || len(notes) != 1 || !strings.Contains(notes[0], `"AES129-SHA"`) || !strings.Contains(notes[0], "did you mean AES128-SHA") {
		t.Errorf("%q, %v", notes, err)
	}
}

// TestDefaultSuites: all that crypto/tls can complete come first, so that a server that follows the client's
// order chooses one of them.
func TestDefaultSuites(t *testing.T) {
	l := defaultSuites()
	for i, c := range l {
		if has, first := slices.Contains(goSuites, c), i < len(goSuites); has != first {
			t.Errorf("%s at place %d", c.OpenSSL(), i+1)
		}
	}
	for _, c := range goSuites {
		if !slices.Contains(l, c) {
			t.Errorf("%s is not offered", c.OpenSSL())
		}
	}
	if slices.Sort(l); len(slices.Compact(l)) != len(defaultSuites()) {
		t.Error("a suite is offered twice")
	}
}

// TestParseNames reads groups and signature schemes by every kind of name.
func TestParseNames(t *testing.T) {
	groups, err := ParseGroups("X25519:P-256,secp384r1;GROUP-SECP521R1 0x11EC prime256v1")
	if want := []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1, suite.X25519MLKEM768, suite.Secp256r1}; err != nil || !slices.Equal(groups, want) {
		t.Errorf("%v, %v", groups, err)
	}
	schemes, err := ParseSchemes("rsa_pss_rsae_sha256:ECDSA+SHA256:SIGN-EdDSA-Ed25519:0x0201")
	if want := []suite.SignatureScheme{suite.RSAPSSRSAESHA256, suite.ECDSASecp256r1SHA256, suite.Ed25519, suite.RSAPKCS1SHA1}; err != nil || !slices.Equal(schemes, want) {
		t.Errorf("%v, %v", schemes, err)
	}
	for _, list := range []string{"", "foo", "0xZZ", ":"} {
		if l, err := ParseGroups(list); err == nil {
			t.Errorf("groups %q: %v", list, l)
		}
		if l, err := ParseSchemes(list); err == nil {
			t.Errorf("schemes %q: %v", list, l)
		}
	}
}

// TestFirstShares: key shares as crypto/tls sends them, and none that cannot be made.
func TestFirstShares(t *testing.T) {
	for _, c := range []struct{ groups, want []suite.Group }{
		{defaultGroups, []suite.Group{suite.X25519MLKEM768, suite.X25519}},
		{[]suite.Group{suite.SecP256r1MLKEM768, suite.X25519MLKEM768, suite.Secp384r1, suite.X25519}, []suite.Group{suite.SecP256r1MLKEM768, suite.Secp384r1}},
		{[]suite.Group{suite.Secp256r1, suite.X25519}, []suite.Group{suite.Secp256r1}},
		{[]suite.Group{0x0013, suite.X448}, []suite.Group{suite.X448}}, // secp192r1 is not for TLS 1.3
		{[]suite.Group{0x0013, 0xFFFE}, nil},
	} {
		if got := firstShares(c.groups); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.groups, got, c.want)
		}
	}
}
