package main

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/parley-tls/parley/cipherlist"
	"github.com/parley-tls/parley/connect"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// versionFlags are s_client's options that force a protocol.
var versionFlags = map[suite.Version]string{suite.SSLv3: "ssl3", suite.TLS10: "tls1", suite.TLS11: "tls1_1", suite.TLS12: "tls1_2", suite.TLS13: "tls1_3"}

// otherSpellings are how people write options besides.
var otherSpellings = map[string]string{"noservername": "no-servername", "curves": "groups", "cafile": "ca-file", "protocol": "version"}

// spellings reads --tls1.2, --tlsv1-2 and --tls12 as --tls1_2, and s_client's names of other options as ours.
func spellings(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	low := strings.ToLower(name)
	if other, ok := otherSpellings[low]; ok {
		return pflag.NormalizedName(other)
	}
	if strings.HasPrefix(low, "tls") || strings.HasPrefix(low, "ssl") {
		if v, err := suite.ParseVersion(strings.ReplaceAll(low, "-", "_")); err == nil && versionFlags[v] != "" {
			return pflag.NormalizedName(versionFlags[v])
		}
	}
	return pflag.NormalizedName(name)
}

// oneDash explains the error that an option in s_client's style gives.
func oneDash(_ *cobra.Command, err error) error {
	if strings.HasPrefix(err.Error(), "unknown shorthand flag") {
		return fmt.Errorf("%w: options take two dashes here, as --tls1_2", err)
	}
	return err
}

// request reads the flags. Only the endpoint is left open.
func (f *connectFlags) request() (*connect.Request, error) {
	q := &connect.Request{Prober: &probe.Prober{Timeout: f.timeout}, ALPN: f.alpn, Now: time.Now(), Resume: !f.noResumption, PEM: f.certs,
		Verify: f.verify || f.caFile != ""}
	if f.timeout <= 0 {
		return nil, fmt.Errorf("--timeout %s: use a positive duration such as 5s", f.timeout)
	}
	if err := f.checkNames(); err != nil {
		return nil, err
	}
	var err error
	if f.groups != "" {
		if q.Groups, err = connect.ParseGroups(f.groups); err != nil {
			return nil, fmt.Errorf("--groups: %w", err)
		}
	}
	if f.sigalgs != "" {
		if q.Schemes, err = connect.ParseSchemes(f.sigalgs); err != nil {
			return nil, fmt.Errorf("--sigalgs: %w", err)
		}
	}
	if f.caFile != "" {
		if q.Roots, err = readRoots(f.caFile); err != nil {
			return nil, fmt.Errorf("--ca-file %w", err)
		}
		q.RootsFile = f.caFile
	}
	if q.Certificate, err = f.certificate(); err != nil {
		return nil, err
	}
	return q, f.selection(q)
}

// selection reads what is forced of versions and suites.
func (f *connectFlags) selection(q *connect.Request) error {
	s := connect.Selection{Cipher: f.cipher, Ciphersuites: f.ciphersuites}
	for _, v := range slices.Backward(suite.Versions) {
		if on := f.only[v]; on != nil && *on {
			s.Versions = append(s.Versions, v)
		}
	}
	for _, name := range f.version {
		v, err := suite.ParseVersion(name)
		switch {
		case err != nil:
			return fmt.Errorf("--version: %w", err)
		case versionFlags[v] == "":
			return fmt.Errorf("--version %s: a hello of it is not made here; use SSLv3, TLSv1.0, TLSv1.1, TLSv1.2 or TLSv1.3", name)
		}
		s.Versions = append(s.Versions, v)
	}
	var err error
	if s.Release, err = cipherlist.ParseRelease(f.openssl); err != nil {
		return fmt.Errorf("--openssl: %w", err)
	}
	q.Versions, q.Suites, q.Notes, err = s.Resolve()
	return err
}

// checkNames refuses names that no hello can carry.
func (f *connectFlags) checkNames() error {
	if f.serverName != "" && f.noServerName {
		return errors.New("--servername and --no-servername: use one of them")
	}
	if _, err := netip.ParseAddr(f.serverName); err == nil {
		return fmt.Errorf("--servername %s: an address is no server name (RFC 6066 section 3)", f.serverName)
	}
	if len(f.serverName) > 255 {
		return fmt.Errorf("--servername: a name of %d bytes: 255 is the most", len(f.serverName))
	}
	for _, p := range f.alpn {
		if p == "" || len(p) > 255 {
			return fmt.Errorf("--alpn %q: a protocol name has 1 to 255 bytes (RFC 7301 section 3.1)", p)
		}
	}
	return nil
}

func readRoots(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: no certificate in it: a PEM file is expected", path)
	}
	return roots, nil
}

// certificate reads the client's certificate and key, nil if none is named.
func (f *connectFlags) certificate() (*tls.Certificate, error) {
	if f.cert == "" {
		if f.key != "" {
			return nil, errors.New("--key: name its certificate with --cert")
		}
		return nil, nil
	}
	chain, err := readChain(f.cert)
	if err != nil {
		return nil, fmt.Errorf("--cert %w", err)
	}
	path, option := f.key, "--key"
	if path == "" {
		path, option = f.cert, "--cert"
	}
	key, err := readKey(path)
	if err != nil {
		return nil, fmt.Errorf("%s %w", option, err)
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return nil, fmt.Errorf("--cert %s: its first certificate cannot be read: %w", f.cert, err)
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

// fileError names the file once: the system's error does so too.
func fileError(path string, err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}
