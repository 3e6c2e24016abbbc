package scan

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/testbed"
)

// mustStaple is the extension of RFC 7633 for status_request.
var mustStaple = pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0x30, 3, 2, 1, 5}}

// TestCertificates serves certificates with one fault each, and demands the verdict with that reason and no other bad
// one. openssl s_client, given the same root, says the same by its code.
func TestCertificates(t *testing.T) {
	root := newAuthority(t, "certificates root", nil)
	inter := newAuthority(t, "certificates intermediate", root)
	old := newAuthority(t, "certificates old intermediate", nil)
	old.cert = root.sign(t, &x509.Certificate{SerialNumber: serials, Subject: pkix.Name{CommonName: "certificates old intermediate"}, NotBefore: time.Now().AddDate(-2, 0, 0),
		NotAfter: time.Now().AddDate(-1, 0, 0), BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign}, old.key.Public())
	private := newAuthority(t, "private root", nil)
	aia := func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://ca.invalid/inter.crt"} }
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	self := newAuthority(t, testbed.HostName, nil)
	selfSigned := identity(t, self.key, self.cert)
	revoked := func(id *testbed.Identity) []string {
		der := inter.respond(t, leaf(t, id), func(r *ocsp.Response) { r.Status, r.RevokedAt = ocsp.Revoked, time.Now().Add(-time.Hour) })
		return []string{"-status_file", writeTo(t, filepath.Join(t.TempDir(), "ocsp"), der)}
	}
	good := inter.issue(t, nil, nil, inter.cert)
	stapled := inter.issue(t, nil, func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{mustStaple} }, inter.cert)
	withdrawn := inter.issue(t, nil, nil, inter.cert)
	rootFile := writeTo(t, filepath.Join(t.TempDir(), "root"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.cert.Raw}))

	for name, c := range map[string]struct {
		id      *testbed.Identity
		options []string
		reasons string // ids
		good    bool
		code    int // openssl's
	}{
		"good":                    {good, nil, "", true, 0},
		"ECDSA":                   {inter.issue(t, ecKey(t, elliptic.P256()), nil, inter.cert), nil, "", true, 0},
		"wildcard":                {inter.issue(t, nil, func(c *x509.Certificate) { c.DNSNames = []string{"*.example.com"} }, inter.cert), nil, "", true, 0},
		"expired":                 {inter.issue(t, nil, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }, inter.cert), nil, "certificate-expired", false, 10},
		"not yet valid":           {inter.issue(t, nil, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(48 * time.Hour) }, inter.cert), nil, "certificate-not-yet-valid", false, 9},
		"soon":                    {inter.issue(t, nil, func(c *x509.Certificate) { c.NotAfter = time.Now().AddDate(0, 0, 9) }, inter.cert), nil, "certificate-expires-soon", true, 0},
		"other name":              {inter.issue(t, nil, func(c *x509.Certificate) { c.DNSNames = []string{"other.example.com"} }, inter.cert), nil, "certificate-name-mismatch", false, 62},
		"common name alone":       {inter.issue(t, nil, func(c *x509.Certificate) { c.DNSNames = nil }, inter.cert), nil, "certificate-name-mismatch certificate-without-alternative-names", false, 0},
		"missing":                 {inter.issue(t, nil, aia), nil, "certificate-chain-incomplete", false, 21},
		"missing or private":      {inter.issue(t, nil, nil), nil, "certificate-untrusted", false, 21},
		"private root":            {private.issue(t, nil, nil, private.cert), nil, "certificate-untrusted certificate-root-sent", false, 19},
		"root sent":               {inter.issue(t, nil, nil, inter.cert, root.cert), nil, "certificate-root-sent", true, 0},
		"out of order":            {inter.issue(t, nil, nil, root.cert, inter.cert), nil, "certificate-chain-order certificate-root-sent", true, 0},
		"superfluous":             {inter.issue(t, nil, nil, inter.cert, private.cert, inter.cert), nil, "certificate-chain-superfluous", true, 0},
		"self-signed":             {selfSigned, nil, "certificate-self-signed certificate-without-alternative-names certificate-name-mismatch", false, 18},
		"weak key":                {inter.issue(t, weak, nil, inter.cert), []string{"-cipher", "DEFAULT:@SECLEVEL=0"}, "weak-certificate-key", false, -1},
		"SHA-1":                   {inter.issue(t, nil, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }, inter.cert), []string{"-cipher", "DEFAULT:@SECLEVEL=0"}, "weak-certificate-signature", false, -1},
		"expired intermediate":    {old.issue(t, nil, nil, old.cert), nil, "certificate-chain-expired", false, 10},
		"must staple and does":    {stapled, []string{"-status_file", writeTo(t, filepath.Join(t.TempDir(), "ocsp"), inter.respond(t, leaf(t, stapled), nil))}, "", true, 0},
		"must staple and doesn't": {stapled, nil, "certificate-must-staple", false, 0},
		"revoked":                 {withdrawn, revoked(withdrawn), "certificate-revoked", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			options := c.options
			if len(c.id.TLS.Certificate) > 1 {
				options = append(withChain(t, c.id), options...)
			}
			s := openssl(t, c.id, options...)
			r, f := scanAndLearn(t, s.Addr, testbed.HostName)
			l := Certificates(r, f, CertificateOptions{Name: testbed.HostName, Roots: pool(root)})
			if len(l) != 1 {
				t.Fatalf("%d certificates", len(l))
			}
			x := l[0]
			var ids []string
			for _, reason := range x.Verdict.Reasons {
				ids = append(ids, reason.ID)
				t.Logf("%s: %s %s", reason.Severity, reason.ID, reason.Summary)
			}
			if !sameStrings(ids, strings.Fields(c.reasons)) || x.Verdict.Good != c.good {
				t.Errorf("good %t, reasons %q, want %q\n%+v", x.Verdict.Good, ids, c.reasons, x.ChainState)
			}
			if len(x.Chain) != len(c.id.TLS.Certificate) || x.SHA256 != fingerprint(c.id.TLS.Certificate[0]) || len(x.Seen) < 2 || x.Fingerprints.Pin == "" {
				t.Errorf("%+v", x)
			}
			compareVerify(t, s, rootFile, c.code)
			compareDump(t, c.id, &x)
		})
	}
}

// compareVerify holds the code of openssl s_client's verification against the one that is expected.
func compareVerify(t *testing.T, s *testbed.Server, root string, code int) {
	t.Helper()
	if code < 0 {
		return // by the level of the build
	}
	out := sClient(t, s, "-CAfile", root, "-verify_hostname", testbed.HostName, "-no-CApath", "-no-CAstore")
	if want := fmt.Sprintf("Verify return code: %d (", code); !strings.Contains(out, want) {
		t.Errorf("openssl s_client does not say %q", want)
	}
}

// run runs a program and returns what it prints.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(testbed.Need(t, program), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
	return string(out)
}

// compareDump holds serial number, fingerprints and dates against openssl x509.
func compareDump(t *testing.T, id *testbed.Identity, x *CertificateReport) {
	t.Helper()
	out := run(t, "openssl", "x509", "-in", id.Cert, "-noout", "-serial", "-fingerprint", "-sha256", "-enddate")
	for _, want := range []string{"serial=" + x.SerialNumber, "notAfter=" + x.NotAfter.UTC().Format("Jan _2 15:04:05 2006 GMT")} {
		if !strings.Contains(out, want) {
			t.Errorf("openssl x509 does not say %q\n%s", want, out)
		}
	}
	if !strings.Contains(strings.ToLower(strings.ReplaceAll(out, ":", "")), x.SHA256) {
		t.Errorf("openssl x509 does not say %s\n%s", x.SHA256, out)
	}
}

// TestManyCertificates: an endpoint with an RSA and an ECDSA certificate, and another one for no name and for wrong names.
func TestManyCertificates(t *testing.T) {
	rsaID, ecID, other := testbed.Make(t, testbed.RSA2048), testbed.Make(t, testbed.P256), testbed.Make(t, testbed.RSAOtherName)
	s := goServer(t, other, func(c *tls.Config) {
		c.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			if !strings.EqualFold(h.ServerName, testbed.HostName) {
				return nil, nil
			}
			named := c.Clone()
			named.Certificates = []tls.Certificate{ecID.TLS, rsaID.TLS}
			return named, nil
		}
	})
	r, f := scanAndLearn(t, s.Addr, testbed.HostName)
	l := Certificates(r, f, CertificateOptions{Name: testbed.HostName})
	var seen []string
	for _, x := range l {
		var cases []string
		for _, p := range x.Seen {
			if !slices.Contains(cases, p.ServerName) {
				cases = append(cases, p.ServerName)
			}
		}
		slices.Sort(cases)
		seen = append(seen, fmt.Sprint(x.Names.DNS[0], " ", x.KeyType, " ", cases))
		if len(x.Trust) > 0 || x.Verdict.Good != (len(x.Verdict.Reasons) == 0) {
			t.Errorf("%+v", x)
		}
	}
	want := []string{"lb.example.com ecdsa [given upper-case]", "lb.example.com rsa [given]", "other.example.net rsa [none unknown]"}
	slices.Sort(seen)
	if !slices.Equal(seen, want) {
		t.Errorf("%q, want %q", seen, want)
	}
	if i := slices.IndexFunc(l, func(x CertificateReport) bool { return x.Names.DNS[0] == "other.example.net" }); i != len(l)-1 {
		t.Errorf("the certificate of no name is number %d of %d", i+1, len(l))
	}
	if without := Certificates(r, nil, CertificateOptions{}); len(without) != 2 {
		t.Errorf("%d certificates from the scan alone", len(without))
	}
}

// TestEd25519Certificate is found beside an ECDSA one only by asking for its schemes; one of TLS 1.3 alone as well.
func TestEd25519Certificate(t *testing.T) {
	ec, ed := testbed.Make(t, testbed.P256), testbed.Make(t, testbed.Ed25519)
	for _, options := range [][]string{nil, {"-tls1_3"}} {
		r, f := scanAndLearn(t, openssl(t, ec, append(options, "-dcert", ed.Cert, "-dkey", ed.Key)...).Addr, testbed.HostName)
		var keys []string
		for _, x := range Certificates(r, f, CertificateOptions{}) {
			keys = append(keys, string(x.KeyType))
		}
		if slices.Sort(keys); !slices.Equal(keys, []string{string(policy.ECDSA), string(policy.Ed25519)}) {
			t.Errorf("%v: %q", options, keys)
		}
	}
}

// TestCertificateOfAnAddress: scanned by its address, an endpoint is sent no name, and is held to the address.
func TestCertificateOfAnAddress(t *testing.T) {
	for _, c := range []struct {
		spec    testbed.Spec
		matches State
	}{{testbed.RSA2048, Yes}, {testbed.RSAOtherName, No}} {
		r, f := scanAndLearn(t, openssl(t, testbed.Make(t, c.spec)).Addr, "")
		l := Certificates(r, f, CertificateOptions{Name: "127.0.0.1"})
		if len(l) != 1 || l[0].Names.Matches.State != c.matches || l[0].Verdict.Good != (c.matches == Yes) {
			t.Errorf("%s: %+v", c.spec.Name, l)
		}
	}
}

// TestUnreadableCertificate is reported as such.
func TestUnreadableCertificate(t *testing.T) {
	r := &Result{Seen: &Endpoint{}}
	f := &FeatureReport{presented: []presented{{chain: [][]byte{{0x30, 3, 2, 1, 5}, {1}}}}}
	l := Certificates(r, f, CertificateOptions{Name: "x"})
	if len(l) != 1 || l[0].Error == "" || l[0].Verdict.Good || len(l[0].Chain) != 2 || l[0].Fingerprints.SHA256 == "" {
		t.Errorf("%+v", l)
	}
}

// FuzzCertificates: no panic, and the path is a path, whatever a server presents.
func FuzzCertificates(f *testing.F) {
	id, err := tls.X509KeyPair([]byte(samplePEM), []byte(sampleKey))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(id.Certificate[0], id.Certificate[0])
	f.Add([]byte{0x30, 0}, id.Certificate[0])
	f.Fuzz(func(t *testing.T, a, b []byte) {
		l := Certificates(&Result{Seen: &Endpoint{}}, &FeatureReport{presented: []presented{{chain: [][]byte{a, b, a}, status: b, asked: true}}}, CertificateOptions{Name: "a.example", Roots: x509.NewCertPool()})
		if len(l) != 1 || len(l[0].ChainState.Path)+len(l[0].ChainState.Superfluous) > 3 || len(l[0].Chain) != 3 {
			t.Fatalf("%+v", l)
		}
	})
}

// A self-signed certificate for a.example to begin with.
const (
	samplePEM = `-----BEGIN CERTIFICATE-----
MIIBljCCATugAwIBAgIUExpD7vYD4+Fbeabp7nB8xMFPBkwwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJYS5leGFtcGxlMCAXDTI2MTEyNTAzMTgxNVoYDzIxMjYxMTAx
MDMxODE1WjAUMRIwEAYDVQQDDAlhLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATMI4KQm9Bo3cfXhhA4GP9b0gaNfZYanlR8+0FVCV68ELb/C3AmAoN/
9ID/L0XTDubL+viu/ZCzCKvkhGQoA/oro2kwZzAdBgNVHQ4EFgQUhYFUjQuuSJRD
iP5KghE44D6wWxEwHwYDVR0jBBgwFoAUhYFUjQuuSJRDiP5KghE44D6wWxEwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglhLmV4YW1wbGUwCgYIKoZIzj0EAwID
SQAwRgIhANZewx5bkHLq4Ks+BBMy23HtWE49/ZfbfIeRMMa7DsW/AiEA7iH5HIbK
U6K4+yZF8sfmatf/zKOk4BHLyoE2N6XFxUY=
-----END CERTIFICATE-----`
	sampleKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjFyMURVhBE4sNiKT
VTQBdhVsKRWQulTIor6YiA2qKBuhRANCAATMI4KQm9Bo3cfXhhA4GP9b0gaNfZYa
nlR8+0FVCV68ELb/C3AmAoN/9ID/L0XTDubL+viu/ZCzCKvkhGQoA/or
-----END PRIVATE KEY-----`
)
