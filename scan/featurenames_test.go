package scan

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestServerNames: servers that have one certificate for all names, another for the right one, or refuse the rest.
func TestServerNames(t *testing.T) {
	id, other := testbed.Make(t, testbed.RSA2048), testbed.Make(t, testbed.RSAOtherName)
	second := []string{"-servername", testbed.HostName, "-cert2", id.Cert, "-key2", id.Key}
	byName := func(fold bool) func(c *tls.Config) {
		return func(c *tls.Config) {
			c.GetCertificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
				name := h.ServerName
				if fold {
					name = strings.ToLower(name)
				}
				if name == testbed.HostName {
					return &id.TLS, nil
				}
				return &other.TLS, nil
			}
		}
	}
	for name, c := range map[string]struct {
		start                              func(t *testing.T) *testbed.Server
		required, refuses, differs, casing State
	}{
		"one":               {func(t *testing.T) *testbed.Server { return openssl(t, id) }, No, No, No, No},
		"openssl, two":      {func(t *testing.T) *testbed.Server { return openssl(t, other, second...) }, No, No, Yes, No},
		"openssl, two, 1.2": {func(t *testing.T) *testbed.Server { return openssl(t, other, append(second, "-tls1_2")...) }, No, No, Yes, No},
		"openssl, fatal":    {func(t *testing.T) *testbed.Server { return openssl(t, other, append(second, "-servername_fatal")...) }, No, Yes, Yes, No},
		"haproxy, strict":   {func(t *testing.T) *testbed.Server { return haproxy(t, id, "strict-sni") }, Yes, Yes, NotApplicable, No},
		"nginx, rejecting": {func(t *testing.T) *testbed.Server {
			return nginx(t, id, "default_server", "ssl_reject_handshake on; } server { listen 127.0.0.1:"+"PORT ssl; ssl_certificate "+id.Cert+"; ssl_certificate_key "+id.Key+"; server_name "+testbed.HostName+";")
		}, Yes, Yes, NotApplicable, No},
		"node 24": {func(t *testing.T) *testbed.Server { return node(t, "24", id, `{}`) }, No, No, No, No},
		"go, two": {func(t *testing.T) *testbed.Server { return goServer(t, other, byName(true)) }, No, No, Yes, No},
		"go, by case": {func(t *testing.T) *testbed.Server {
			return goServer(t, other, byName(false))
		}, No, No, Yes, Yes},
		"go, refusing": {func(t *testing.T) *testbed.Server {
			return goServer(t, id, func(c *tls.Config) {
				c.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
					if h.ServerName == "" {
						return nil, errors.New("no name")
					}
					return nil, nil
				}
			})
		}, Yes, No, NotApplicable, No},
	} {
		t.Run(name, func(t *testing.T) {
			n := learnt(t, c.start(t)).ServerName
			expect(t, "required", n.Required, c.required)
			expect(t, "refuses unknown", n.RefusesUnknown, c.refuses)
			expect(t, "default differs", n.DefaultDiffers, c.differs)
			expect(t, "case", n.CaseSensitive, c.casing)
			if len(n.Answers) != 4 {
				t.Fatalf("%+v", n)
			}
			for _, a := range n.Answers {
				refuses := a.Case == nameNone && c.required == Yes || a.Case == nameUnknown && c.refuses == Yes
				if a.Accepted == refuses || a.Accepted == (a.Certificate == "") || (a.Alert != nil) != refuses {
					t.Errorf("%+v", a)
				}
				if a.Case == nameGiven && a.Certificate != fingerprint(id.TLS.Certificate[0]) {
					t.Errorf("another certificate: %+v", a)
				}
				warns := strings.HasPrefix(name, "openssl, two, 1.2") && a.Case == nameUnknown
				if (a.Warning != nil) != warns || warns && *a.Warning != suite.AlertUnrecognizedName {
					t.Errorf("warning %v: %+v", a.Warning, a)
				}
			}
		})
	}
	t.Run("no name given", func(t *testing.T) {
		_, f := scanAndLearn(t, haproxy(t, id, "strict-sni").Addr, "")
		expect(t, "required", f.ServerName.Required, NotTested)
	})
}

// TestSignatureSchemes: servers configured to sign with these and no other.
func TestSignatureSchemes(t *testing.T) {
	rsa, ec, ed := testbed.Make(t, testbed.RSA2048), testbed.Make(t, testbed.P256), testbed.Make(t, testbed.Ed25519)
	type lists map[string]string // "TLSv1.2 rsa" → names
	pss := "rsa_pss_rsae_sha256 rsa_pss_rsae_sha384 rsa_pss_rsae_sha512"
	for name, c := range map[string]struct {
		start func(t *testing.T) *testbed.Server
		want  lists
	}{
		"openssl, set": {func(t *testing.T) *testbed.Server {
			return openssl(t, rsa, "-sigalgs", "rsa_pss_rsae_sha384:RSA+SHA256:rsa_pss_rsae_sha256", "-serverpref")
		}, lists{"TLSv1.2 rsa": "rsa_pss_rsae_sha384 rsa_pkcs1_sha256 rsa_pss_rsae_sha256", "TLSv1.3 rsa": "rsa_pss_rsae_sha384 rsa_pss_rsae_sha256"}},
		"openssl, one": {func(t *testing.T) *testbed.Server { return openssl(t, rsa, "-sigalgs", "RSA+SHA512", "-tls1_2") },
			lists{"TLSv1.2 rsa": "rsa_pkcs1_sha512"}},
		"openssl, two keys": {func(t *testing.T) *testbed.Server { return openssl(t, rsa, "-dcert", ec.Cert, "-dkey", ec.Key) },
			lists{"TLSv1.2 rsa": pss + " rsa_pkcs1_sha256 rsa_pkcs1_sha384 rsa_pkcs1_sha512 sha224+rsa", "TLSv1.3 rsa": pss,
				"TLSv1.2 ecdsa": "ecdsa_secp256r1_sha256 ecdsa_secp384r1_sha384 ecdsa_secp521r1_sha512 sha224+ecdsa", "TLSv1.3 ecdsa": "ecdsa_secp256r1_sha256"}},
		"openssl, Ed25519": {func(t *testing.T) *testbed.Server {
			return openssl(t, ec, "-dcert", ed.Cert, "-dkey", ed.Key, "-sigalgs", "ed25519:ECDSA+SHA256")
		},
			lists{"TLSv1.2 ecdsa": "ecdsa_secp256r1_sha256", "TLSv1.3 ecdsa": "ecdsa_secp256r1_sha256", "TLSv1.2 eddsa": "ed25519", "TLSv1.3 eddsa": "ed25519"}},
		"gnutls": {func(t *testing.T) *testbed.Server {
			return gnutls(t, ec, "NORMAL:-SIGN-ALL:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SHA256")
		},
			lists{"TLSv1.2 ecdsa": "ecdsa_secp256r1_sha256", "TLSv1.3 ecdsa": "ecdsa_secp256r1_sha256"}},
		"go":         {func(t *testing.T) *testbed.Server { return goServer(t, ed, nil) }, lists{"TLSv1.2 eddsa": "ed25519", "TLSv1.3 eddsa": "ed25519"}},
		"static RSA": {func(t *testing.T) *testbed.Server { return openssl(t, rsa, "-tls1_2", "-cipher", "AES128-SHA") }, lists{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(lists)
			for _, r := range learnt(t, c.start(t)).SignatureSchemes {
				var l []string
				for _, s := range r.Schemes {
					l = append(l, s.String())
				}
				got[r.Version.String()+" "+r.Key] = strings.Join(l, " ")
				if len(r.Unsure) > 0 {
					t.Errorf("%+v", r)
				}
			}
			for k, want := range c.want {
				if got[k] != want {
					t.Errorf("%s: %q, want %q", k, got[k], want)
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
