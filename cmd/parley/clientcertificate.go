package main

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
)

// certificateFiles name a client's certificate and key, with the options that they were given by.
type certificateFiles struct {
	certOption, cert string
	keyOption, key   string // "": the key is in the file of the certificate
}

// read reads them; it returns nil if none is named.
func (f certificateFiles) read() (*tls.Certificate, error) {
	if f.cert == "" {
		if f.key != "" {
			return nil, fmt.Errorf("%s: name its certificate with %s", f.keyOption, f.certOption)
		}
		return nil, nil
	}
	chain, err := readChain(f.cert)
	if err != nil {
		return nil, fmt.Errorf("%s %w", f.certOption, err)
	}
	path, option := f.key, f.keyOption
	if path == "" {
		path, option = f.cert, f.certOption
	}
	key, err := readKey(path)
	if err != nil {
		return nil, fmt.Errorf("%s %w", option, err)
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return nil, fmt.Errorf("%s %s: its first certificate cannot be read: %w", f.certOption, f.cert, err)
	}
	if public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(leaf.PublicKey) {
		return nil, fmt.Errorf("%s %s: the key is not that of the first certificate in %s (%s)", option, path, f.cert, leaf.Subject)
	}
	return &tls.Certificate{Certificate: chain, PrivateKey: key, Leaf: leaf}, nil
}

// readChain reads the certificates of a PEM file, in order.
func readChain(path string) ([][]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	var chain [][]byte
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			chain = append(chain, block.Bytes)
		}
	}
	if chain == nil {
		return nil, fmt.Errorf("%s: no certificate in it: a PEM file with a block CERTIFICATE is expected", path)
	}
	return chain, nil
}

// readKey reads the first private key of a PEM file.
func readKey(path string) (crypto.Signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return nil, fmt.Errorf("%s: the key is encrypted: decrypt it first, with openssl pkey -in %s -out FILE", path, path)
		}
		if key := parseKey(block.Bytes); key != nil {
			return key, nil
		}
		return nil, fmt.Errorf("%s: its %s cannot be read: RSA, ECDSA (P-256, P-384, P-521) and Ed25519 keys can", path, strings.ToLower(block.Type))
	}
	return nil, fmt.Errorf("%s: no private key in it: a PEM file with a block PRIVATE KEY is expected", path)
}

// parseKey reads PKCS #8, PKCS #1 or SEC 1; nil if it is none of them.
func parseKey(der []byte) crypto.Signer {
	if k, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		signer, _ := k.(crypto.Signer)
		return signer
	}
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return k
	}
	if k, err := x509.ParseECPrivateKey(der); err == nil {
		return k
	}
	return nil
}
