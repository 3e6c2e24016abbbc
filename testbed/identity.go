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
	"path/filepath"
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
}

var (
	made   = make(map[string]*Identity)
	madeMu sync.Mutex
	dir    = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "parley-testbed") })
)

// The common specs.
var (
	RSA2048 = Spec{Name: "rsa2048", Key: policy.RSA, Bits: 2048}
	RSA1024 = Spec{Name: "rsa1024", Key: policy.RSA, Bits: 1024}
	P256    = Spec{Name: "p256", Key: policy.ECDSA, Curve: "P-256"}
	P384    = Spec{Name: "p384", Key: policy.ECDSA, Curve: "P-384"}
	Ed25519 = Spec{Name: "ed25519", Key: policy.Ed25519}
)

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
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
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
	c := policy.Certificate{KeyType: spec.Key, Bits: spec.Bits, Names: spec.HostNames, NotBefore: spec.NotBefore, NotAfter: spec.NotAfter}
	if spec.Key == policy.ECDSA {
		c.Curve, c.Bits = suite.Secp256r1, 256
		if spec.Curve == "P-384" {
			c.Curve, c.Bits = suite.Secp384r1, 384
		}
	}
	return c
}
