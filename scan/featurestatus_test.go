package scan

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/parley-tls/parley/testbed"
)

// respond makes an OCSP response for a certificate.
func (a *authority) respond(t *testing.T, c *x509.Certificate, change func(*ocsp.Response)) []byte {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	template := ocsp.Response{Status: ocsp.Good, SerialNumber: c.SerialNumber, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(24 * time.Hour)}
	if change != nil {
		change(&template)
	}
	der, err := ocsp.CreateResponse(a.cert, a.cert, template, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func writeTo(t *testing.T, path string, b []byte) string {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestStapling: responses of every kind, by every server that staples, and none.
func TestStapling(t *testing.T) {
	root := newAuthority(t, "stapling root", nil)
	inter := newAuthority(t, "stapling intermediate", root)
	id := inter.issue(t, nil, nil, inter.cert)
	other := inter.issue(t, nil, nil)
	stranger := newAuthority(t, "stapling intermediate", root) // of the same name
	file := func(t *testing.T, response []byte) string {
		return writeTo(t, filepath.Join(t.TempDir(), "ocsp"), response)
	}
	bySServer := func(response []byte, options ...string) func(t *testing.T) *testbed.Server {
		return func(t *testing.T) *testbed.Server {
			return openssl(t, id, append(append(withChain(t, id), "-status_file", file(t, response)), options...)...)
		}
	}
	good := inter.respond(t, leaf(t, id), nil)
	revoked := inter.respond(t, leaf(t, id), func(r *ocsp.Response) {
		r.Status, r.RevokedAt, r.RevocationReason = ocsp.Revoked, time.Now().Add(-48*time.Hour), ocsp.KeyCompromise
	})
	for name, c := range map[string]struct {
		start     func(t *testing.T) *testbed.Server
		status    string // "": no response that can be read
		signature string
		wrong     string // in Error
	}{
		"openssl":      {bySServer(good), "good", "valid", ""},
		"openssl, 1.2": {bySServer(good, "-tls1_2"), "good", "valid", ""},
		"openssl, 1.0": {bySServer(good, append(everything, "-tls1")...), "good", "valid", ""},
		"revoked":      {bySServer(revoked), "revoked", "valid", ""},
		"revoked, 1.2": {bySServer(revoked, "-tls1_2"), "revoked", "valid", ""},
		"unknown":      {bySServer(inter.respond(t, leaf(t, id), func(r *ocsp.Response) { r.Status = ocsp.Unknown })), "unknown", "valid", ""},
		"expired": {bySServer(inter.respond(t, leaf(t, id), func(r *ocsp.Response) {
			r.ThisUpdate, r.NextUpdate = time.Now().AddDate(0, 0, -9), time.Now().AddDate(0, 0, -2)
		})), "good", "valid", ""},
		"of another certificate": {bySServer(inter.respond(t, leaf(t, other), nil)), "good", "not-checked", "another certificate"},
		"of another key":         {bySServer(stranger.respond(t, leaf(t, id), nil)), "good", "invalid", "signature"},
		"try later":              {bySServer(ocsp.TryLaterErrorResponse), "", "", "try later"},
		"garbage":                {func(t *testing.T) *testbed.Server { return fakeServer{status: []byte("no OCSP")}.start(t) }, "", "", "asn1"},
		"without an issuer":      {func(t *testing.T) *testbed.Server { return openssl(t, id, "-status_file", file(t, good)) }, "good", "not-checked", ""},
		"nginx": {func(t *testing.T) *testbed.Server {
			return nginx(t, id, "", "ssl_stapling on; ssl_stapling_file "+file(t, good)+";")
		}, "good", "valid", ""},
		"gnutls": {func(t *testing.T) *testbed.Server { return gnutls(t, id, "NORMAL", "--ocsp-response", file(t, good)) }, "good", "valid", ""},
		"go": {func(t *testing.T) *testbed.Server {
			return goServer(t, id, func(c *tls.Config) { c.Certificates[0].OCSPStaple = revoked })
		}, "revoked", "valid", ""},
		"haproxy": {func(t *testing.T) *testbed.Server { return haproxyStapling(t, id, good) }, "good", "valid", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.start(t)
			st := learnt(t, s).OCSPStapling
			expect(t, "stapling", st.Feature, Yes)
			if (st.Response != nil) != (c.status != "") || (st.Error != "") != (c.wrong != "") || !strings.Contains(st.Error, c.wrong) || st.Bytes == 0 {
				t.Fatalf("%+v", st)
			}
			r := st.Response
			if r == nil {
				return
			}
			if r.Status != c.status || r.Signature != c.signature || r.ThisUpdate.IsZero() || r.Expired != (name == "expired") {
				t.Errorf("%+v", r)
			}
			if c.status == "revoked" && (r.RevocationReason != "keyCompromise" || r.RevokedAt.IsZero()) {
				t.Errorf("%+v", r)
			}
			if c.wrong == "" && r.SerialNumber != serial(leaf(t, id).SerialNumber) {
				t.Errorf("serial number %s", r.SerialNumber)
			}
			version := "-tls1_2"
			if name == "openssl, 1.0" {
				return
			}
			if out := sClient(t, s, "-status", version); !strings.Contains(out, "Cert Status: "+c.status) {
				t.Errorf("openssl s_client does not say %q", c.status)
			}
		})
	}
	for name, start := range map[string]func(t *testing.T) *testbed.Server{
		"none, openssl": func(t *testing.T) *testbed.Server { return openssl(t, id) },
		"none, go":      func(t *testing.T) *testbed.Server { return goServer(t, id, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			expect(t, "stapling", learnt(t, s).OCSPStapling.Feature, No)
			if out := sClient(t, s, "-status"); !strings.Contains(out, "OCSP response: no response sent") {
				t.Error("openssl s_client says otherwise")
			}
		})
	}
}

// haproxyStapling puts the response beside the certificate, which is how HAProxy finds it.
func haproxyStapling(t *testing.T, id *testbed.Identity, response []byte) *testbed.Server {
	t.Helper()
	both := bundle(t, t.TempDir(), id)
	writeTo(t, both+".ocsp", response)
	return haproxyWith(t, both, "")
}

// sctList is a list with timestamps of these logs, in TLS encoding.
func sctList(logs ...byte) []byte {
	var list []byte
	for _, log := range logs {
		sct := append([]byte{0}, bytes.Repeat([]byte{log}, 32)...)
		sct = binary.BigEndian.AppendUint64(sct, 1_700_000_000_000)
		sct = append(sct, 0, 0, 4, 3, 0, 1, 9) // no extensions, a signature
		list = append(append(list, byte(len(sct)>>8), byte(len(sct))), sct...)
	}
	return append([]byte{byte(len(list) >> 8), byte(len(list))}, list...)
}

func octets(t *testing.T, b []byte) []byte {
	t.Helper()
	der, err := asn1.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestTransparency: timestamps in the certificate, in the TLS extension and in the OCSP response.
func TestTransparency(t *testing.T) {
	root := newAuthority(t, "transparency root", nil)
	plain := root.issue(t, nil, nil, root.cert)
	embedded := root.issue(t, nil, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: octets(t, sctList(1, 2))}}
	}, root.cert)
	stapled := root.respond(t, leaf(t, plain), func(r *ocsp.Response) {
		r.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 5}, Value: octets(t, sctList(5))}}
	})
	raw := sctList(3, 4)[2:]
	withSCTs := func(c *tls.Config) {
		for list := raw; len(list) > 0; {
			n := 2 + int(list[0])<<8 + int(list[1])
			c.Certificates[0].SignedCertificateTimestamps = append(c.Certificates[0].SignedCertificateTimestamps, list[2:n])
			list = list[n:]
		}
	}
	for name, c := range map[string]struct {
		start                        func(t *testing.T) *testbed.Server
		certificate, extension, ocsp int
	}{
		"none":        {func(t *testing.T) *testbed.Server { return openssl(t, plain) }, 0, 0, 0},
		"certificate": {func(t *testing.T) *testbed.Server { return openssl(t, embedded) }, 2, 0, 0},
		"go":          {func(t *testing.T) *testbed.Server { return goServer(t, embedded, withSCTs) }, 2, 2, 0},
		"go, 1.2": {func(t *testing.T) *testbed.Server {
			return goServer(t, plain, func(c *tls.Config) { withSCTs(c); c.MaxVersion = tls.VersionTLS12 })
		}, 0, 2, 0},
		"ocsp": {func(t *testing.T) *testbed.Server {
			return openssl(t, plain, "-status_file", writeTo(t, filepath.Join(t.TempDir(), "ocsp"), stapled))
		}, 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			ct := learnt(t, c.start(t)).CertificateTransparency
			expect(t, "transparency", ct.Feature, map[bool]State{true: Yes, false: No}[c.certificate+c.extension+c.ocsp > 0])
			if len(ct.Certificate) != c.certificate || len(ct.Extension) != c.extension || len(ct.OCSP) != c.ocsp {
				t.Fatalf("%+v", ct)
			}
			for _, s := range append(append(ct.Certificate, ct.Extension...), ct.OCSP...) {
				if id, err := base64.StdEncoding.DecodeString(s.LogID); err != nil || len(id) != 32 || s.Timestamp.Unix() != 1_700_000_000 {
					t.Errorf("%+v", s)
				}
			}
		})
	}
}

// FuzzStatus: no panic, whatever a server staples.
func FuzzStatus(f *testing.F) {
	f.Add(sctList(1), []byte{0x30, 3, 0x0A, 1, 3})
	f.Add([]byte{0, 2, 0, 0}, []byte{2, 'h', '2'})
	f.Fuzz(func(t *testing.T, list, response []byte) {
		if l, err := parseSCTs(list); err == nil && 35*len(l) > len(list) {
			t.Fatalf("%d timestamps in %d bytes", len(l), len(list))
		}
		wrappedSCTs(list)
		npnProtocols(response)
		distinguishedName(response)
		if r, wrong := readOCSP(response, parseChain([][]byte{list}), time.Now()); r == nil && wrong == "" {
			t.Fatal("neither a response nor a reason")
		}
		ocspTimestamps(response)
	})
}
