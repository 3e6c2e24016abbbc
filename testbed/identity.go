// Package testbed starts real TLS servers and clients for tests and benchmarks, and makes the certificates
// that they need. It is no part of the product.
package testbed

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Identity is a key and certificate chain on disk.
type Identity struct {
	Name     string
	Cert     string // PEM: the chain as a server presents it, leaf first
	Key      string // PEM, PKCS #8
	CA       string // PEM of the root that signed it
	TLS      tls.Certificate
	Describe policy.Certificate
}

// HostName is the name that the identities are for, unless a kind says otherwise.
const HostName = "lb.example.com"

// Spec describes an identity to make.
type Spec struct {
	Name      string
	Key       policy.KeyType
	Bits      int    // RSA
	Curve     string // P-256, P-384
	HostNames []string
	NotBefore time.Time
	NotAfter  time.Time
	// Intermediate puts a CA between root and leaf; Incomplete leaves it out of the chain.
	Intermediate, Incomplete bool
	// SHA1 has the issuer sign with SHA-1.
	SHA1 bool
}

var (
	made   = make(map[string]*Identity)
	madeMu sync.Mutex
	dir    = sync.OnceValues(makeDir)
)

// makeDir makes the folder of this process. Test binaries have no common end at which to remove it, so
// each removes what others left behind an hour ago or more.
func makeDir() (string, error) {
	old, _ := filepath.Glob(filepath.Join(os.TempDir(), "parley-testbed*"))
	for _, d := range old {
		if i, err := os.Stat(d); err == nil && time.Since(i.ModTime()) > time.Hour {
			os.RemoveAll(d)
		}
	}
	return os.MkdirTemp("", "parley-testbed")
}

// The common specs.
var (
	RSA2048 = Spec{Name: "rsa2048", Key: policy.RSA, Bits: 2048}
	RSA1024 = Spec{Name: "rsa1024", Key: policy.RSA, Bits: 1024}
	RSA4096 = Spec{Name: "rsa4096", Key: policy.RSA, Bits: 4096}
	P256    = Spec{Name: "p256", Key: policy.ECDSA, Curve: "P-256"}
	P384    = Spec{Name: "p384", Key: policy.ECDSA, Curve: "P-384"}
	Ed25519 = Spec{Name: "ed25519", Key: policy.Ed25519}

	RSASHA1         = Spec{Name: "rsa-sha1", Key: policy.RSA, Bits: 2048, SHA1: true}
	RSAExpired      = Spec{Name: "rsa-expired", Key: policy.RSA, Bits: 2048, NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(0, 0, -1)}
	RSAOtherName    = Spec{Name: "rsa-other-name", Key: policy.RSA, Bits: 2048, HostNames: []string{"other.example.net"}}
	RSAIntermediate = Spec{Name: "rsa-intermediate", Key: policy.RSA, Bits: 2048, Intermediate: true}
	RSAIncomplete   = Spec{Name: "rsa-incomplete", Key: policy.RSA, Bits: 2048, Intermediate: true, Incomplete: true}
)

// Specs are the common specs.
var Specs = []Spec{RSA2048, RSA1024, RSA4096, P256, P384, Ed25519, RSASHA1, RSAExpired, RSAOtherName, RSAIntermediate, RSAIncomplete}

// Identities returns an identity of each of the common specs, by name.
func Identities(t testing.TB) map[string]*Identity {
	t.Helper()
	m := make(map[string]*Identity)
	for _, s := range Specs {
		m[s.Name] = Make(t, s)
	}
	return m
}

// PKCS12 writes key and chain as a PKCS #12 file with the password "parley" and returns its path.
func (id *Identity) PKCS12(t testing.TB) string {
	t.Helper()
	path := strings.TrimSuffix(id.Cert, ".crt") + ".p12"
	cmd := exec.Command(Need(t, "openssl"), "pkcs12", "-export", "-in", id.Cert, "-inkey", id.Key, "-name", id.Name, "-out", path, "-passout", "pass:parley")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("openssl pkcs12: %v\n%s", err, out)
	}
	return path
}

// CABundle writes the roots of several identities into one PEM file and returns its path.
func CABundle(t testing.TB, ids ...*Identity) string {
	t.Helper()
	if len(ids) == 1 {
		return ids[0].CA
	}
	var text []byte
	name := "bundle"
	for _, id := range ids {
		b, err := os.ReadFile(id.CA)
		if err != nil {
			t.Fatal(err)
		}
		text, name = append(text, b...), name+"-"+id.Name
	}
	path := filepath.Join(filepath.Dir(ids[0].CA), name+".ca")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Make returns the identity of spec, made once per process.
func Make(t testing.TB, spec Spec) *Identity {
	t.Helper()
	madeMu.Lock()
	defer madeMu.Unlock()
	if id, ok := made[spec.Name]; ok {
		return id
	}
	base, err := dir()
	if err != nil {
		t.Fatal(err)
	}
	id, err := makeIdentity(base, spec)
	if err != nil {
		t.Fatalf("identity %s: %v", spec.Name, err)
	}
	made[spec.Name] = id
	return id
}

func makeIdentity(base string, spec Spec) (*Identity, error) {
	if spec.NotBefore.IsZero() {
		spec.NotBefore = time.Now().Add(-24 * time.Hour)
	}
	if spec.NotAfter.IsZero() {
		spec.NotAfter = time.Now().Add(90 * 24 * time.Hour)
	}
	if spec.HostNames == nil {
		spec.HostNames = []string{HostName, "localhost", "127.0.0.1"}
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	var caSigner crypto.Signer = caKey
	if spec.Key == policy.RSA { // clients without ECDSA must be able to verify the chain
		caSigner, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		return nil, err
	}
	ca := template("Parley test root "+spec.Name, true)
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caSigner.Public(), caSigner)
	if err != nil {
		return nil, err
	}
	issuer, issuerKey, chain := ca, caSigner, [][]byte{}
	if spec.Intermediate {
		inter := template("Parley test intermediate", true)
		var key crypto.Signer
		if spec.Key == policy.RSA {
			key, err = rsa.GenerateKey(rand.Reader, 2048)
		} else {
			key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		}
		if err != nil {
			return nil, err
		}
		der, err := x509.CreateCertificate(rand.Reader, inter, ca, key.Public(), caSigner)
		if err != nil {
			return nil, err
		}
		issuer, issuerKey = inter, key
		if !spec.Incomplete {
			chain = append(chain, der)
		}
	}
	key, err := makeKey(spec)
	if err != nil {
		return nil, err
	}
	leaf := template(spec.HostNames[0], false)
	leaf.NotBefore, leaf.NotAfter = spec.NotBefore, spec.NotAfter
	for _, n := range spec.HostNames {
		if ip := net.ParseIP(n); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, n)
		}
	}
	if spec.SHA1 {
		leaf.SignatureAlgorithm = x509.SHA1WithRSA
		if _, isEC := issuerKey.Public().(*ecdsa.PublicKey); isEC {
			leaf.SignatureAlgorithm = x509.ECDSAWithSHA1
		}
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, issuer, key.Public(), issuerKey)
	if err != nil {
		return nil, err
	}
	chain = append([][]byte{leafDER}, chain...)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	id := &Identity{Name: spec.Name, TLS: tls.Certificate{Certificate: chain, PrivateKey: key}, Describe: describe(spec)}
	for _, f := range []struct {
		path *string
		name string
		kind string
		der  [][]byte
	}{{&id.Cert, ".crt", "CERTIFICATE", chain}, {&id.Key, ".key", "PRIVATE KEY", [][]byte{pkcs8}}, {&id.CA, ".ca", "CERTIFICATE", [][]byte{caDER}}} {
		*f.path = filepath.Join(base, spec.Name+f.name)
		var text []byte
		for _, d := range f.der {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: d})...)
		}
		if err := os.WriteFile(*f.path, text, 0o600); err != nil {
			return nil, err
		}
	}
	return id, nil
}

func template(name string, ca bool) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		panic(err) // the system has no randomness
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: []string{"Parley test bed"}},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour),
		BasicConstraintsValid: true, IsCA: ca, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
	if ca {
		t.KeyUsage = x509.KeyUsageCertSign
	}
	return t
}

func makeKey(spec Spec) (crypto.Signer, error) {
	switch spec.Key {
	case policy.RSA:
		return rsa.GenerateKey(rand.Reader, spec.Bits)
	case policy.ECDSA:
		if spec.Curve == "P-384" {
			return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		}
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case policy.Ed25519:
		_, k, err := ed25519.GenerateKey(rand.Reader)
		return k, err
	}
	return nil, fmt.Errorf("no key of type %q is made here", spec.Key)
}

func describe(spec Spec) policy.Certificate {
	c := policy.Certificate{KeyType: spec.Key, Bits: spec.Bits, Names: spec.HostNames, NotBefore: spec.NotBefore, NotAfter: spec.NotAfter,
		SignatureDigest: "SHA256", SignatureScheme: suite.ECDSASecp256r1SHA256, MinChainBits: spec.Bits, Chain: 1,
		Subject: "CN=" + spec.HostNames[0], Issuer: "CN=Parley test root " + spec.Name}
	switch {
	case spec.Key == policy.RSA && spec.SHA1:
		c.SignatureDigest, c.SignatureScheme = "SHA1", suite.RSAPKCS1SHA1
	case spec.SHA1:
		c.SignatureDigest, c.SignatureScheme = "SHA1", suite.ECDSASHA1
	case spec.Key == policy.RSA:
		c.SignatureScheme = suite.RSAPKCS1SHA256
	}
	if spec.Intermediate {
		c.Issuer = "CN=Parley test intermediate"
		if !spec.Incomplete {
			c.Chain = 2
		}
	}
	switch spec.Key {
	case policy.Ed25519:
		c.Bits = 256
	case policy.ECDSA:
		c.Curve, c.Bits = suite.Secp256r1, 256
		if spec.Curve == "P-384" {
			c.Curve, c.Bits = suite.Secp384r1, 384
		}
	}
	return c
}
