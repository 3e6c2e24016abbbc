package scan

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/parley-tls/parley/testbed"
)

// authority is a CA of a test, which can issue what testbed's cannot be asked for.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// serials makes every certificate of a test different.
var serials = big.NewInt(0xA000)

// newAuthority makes a CA; parent is nil for a root.
func newAuthority(t *testing.T, name string, parent *authority) *authority {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := newTemplate(name)
	template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
	template.NotBefore, template.NotAfter = time.Now().AddDate(-3, 0, 0), time.Now().AddDate(2, 0, 0)
	a := &authority{key: key}
	if parent == nil {
		parent = &authority{template, key}
	}
	a.cert = parent.sign(t, template, key.Public())
	return a
}

func newTemplate(name string) *x509.Certificate {
	serials = new(big.Int).Add(serials, big.NewInt(1))
	return &x509.Certificate{SerialNumber: serials, Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-24 * time.Hour),
		NotAfter: time.Now().AddDate(0, 2, 0), BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment}
}

func (a *authority) sign(t *testing.T, template *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// issue makes a certificate for the usual name. change alters it before it is signed; key is nil for an RSA key of
// 2,048 bits. The chain that goes with it is sent in the order given.
func (a *authority) issue(t *testing.T, key crypto.Signer, change func(*x509.Certificate), chain ...*x509.Certificate) *testbed.Identity {
	t.Helper()
	if key == nil {
		var err error
		if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
	}
	template := newTemplate(testbed.HostName)
	template.DNSNames = []string{testbed.HostName}
	if change != nil {
		change(template)
	}
	return identity(t, key, append([]*x509.Certificate{a.sign(t, template, key.Public())}, chain...)...)
}

// identity writes a chain, as it stands, and its key to files.
func identity(t *testing.T, key crypto.Signer, chain ...*x509.Certificate) *testbed.Identity {
	t.Helper()
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	d := t.TempDir()
	id := &testbed.Identity{Name: "own", Cert: filepath.Join(d, "crt"), Key: filepath.Join(d, "key"), TLS: tls.Certificate{PrivateKey: key}}
	var text []byte
	for _, c := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
		id.TLS.Certificate = append(id.TLS.Certificate, c.Raw)
	}
	for path, text := range map[string][]byte{id.Cert: text, id.Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

// withChain has openssl s_server send what comes after the leaf.
func withChain(t *testing.T, id *testbed.Identity) []string {
	t.Helper()
	text, err := os.ReadFile(id.Cert)
	if err != nil {
		t.Fatal(err)
	}
	_, rest := pem.Decode(text)
	path := id.Cert + ".chain"
	if err := os.WriteFile(path, rest, 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"-cert_chain", path}
}

func ecKey(t *testing.T, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// pool is a set of roots.
func pool(l ...*authority) *x509.CertPool {
	p := x509.NewCertPool()
	for _, a := range l {
		p.AddCert(a.cert)
	}
	return p
}

// leaf is the first certificate of an identity.
func leaf(t *testing.T, id *testbed.Identity) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(id.TLS.Certificate[0])
	if err != nil {
		t.Fatal(fmt.Errorf("leaf: %w", err))
	}
	return c
}
