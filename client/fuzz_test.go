package client

import (
	"errors"
	"strings"
	"testing"

	"github.com/parley-tls/parley/cipherlist"
	"github.com/parley-tls/parley/hello"
)

// FuzzFromCipherString holds for every cipher string: an offer with versions and suites that can be written as a
// hello, or an error that says what is wrong in one line.
func FuzzFromCipherString(f *testing.F) {
	for i, spec := range []string{"AES128-SHA", "TLS_AES_128_GCM_SHA256", "TLS_RSA_WITH_RC4_128_SHA:AES128-SHA", "ECDHE+AESGCM:@SECLEVEL=2", "NOSUCH", "", "!ALL", "@SECLEVEL=99",
		"PSK-AES128-CBC-SHA", "TLS_AES_128_GCM_SHA256, AES128-SHA", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"} {
		f.Add(uint8(i), spec)
	}
	f.Fuzz(func(t *testing.T, release uint8, spec string) {
		rel := []cipherlist.Release{cipherlist.OpenSSL102, cipherlist.OpenSSL111, cipherlist.OpenSSL30, cipherlist.OpenSSL35}[int(release)%4]
		o, err := FromCipherString(rel, spec)
		if err != nil {
			var none *NoCiphersError
			if !errors.As(err, &none) && !errors.Is(err, cipherlist.ErrInvalidCommand) || strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Fatalf("%q", err)
			}
			return
		}
		if len(o.Versions) == 0 || len(o.Suites) == 0 {
			t.Fatalf("%+v", o)
		}
		if _, err := hello.Build(o, strings.NewReader(strings.Repeat("r", 1<<12))); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzProfiles holds for every file of profiles: an error, or profiles that pass their own checks or say why not.
func FuzzProfiles(f *testing.F) {
	f.Add("[a-1]\ntitle A 1\nfamily a\nversions TLSv1.2 TLSv1.0\nsuites AES128-SHA\n[a-2]\nlike a-1\nextensions server_name\nfor a-*\nsource x\n")
	f.Add("[a]\nlike b\n[b]\nlike a\n")
	f.Add("for *\nsource x\n")
	for _, name := range []string{"java", "opera", "libraries"} {
		if text, err := dataFiles.ReadFile("data/" + name + ".txt"); err == nil {
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		blocks, err := parse(text)
		if err != nil {
			return
		}
		l, err := build(blocks)
		if err != nil {
			return
		}
		for _, p := range l {
			if p.check() == nil && (len(p.offer.Versions) == 0 || len(p.offer.Suites) == 0) {
				t.Fatalf("%+v", p)
			}
		}
	})
}
