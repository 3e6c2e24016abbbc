package main

import (
	"crypto/tls"
	"crypto/x509"
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
	return certificateFiles{"--cert", f.cert, "--key", f.key}.read()
}

// fileError names the file once: the system's error does so too.
func fileError(path string, err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}
