package cipherlist

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/parley-tls/parley/suite"
)

// TestData checks every record against the registry and against the other records of its release.
func TestData(t *testing.T) {
	for _, rel := range Releases {
		tab := tableOf(rel, false) // panics on a record that can't be read
		names, codes := map[string]bool{}, map[suite.Code]bool{}
		for _, r := range tab.rows {
			if names[r.name] || codes[r.code] {
				t.Errorf("%s: %s %v is there twice", rel, r.name, r.code)
			}
			names[r.name], codes[r.code] = true, true
			known := suite.ByCode(r.code)
			if r.kx&keyExchanges.of("GOST", "GOST18") != 0 {
				continue // OpenSSL's GOST names and codes are older than IANA's
			}
			if known == nil || known.IANA != r.standard {
				t.Errorf("%s: %v is %q here and %v in the registry", rel, r.code, r.standard, known)
				continue
			}
			now := strings.Replace(r.name, "EDH-", "DHE-", 1)                   // 1.0.2 still had the SSLeay names
			if r.min < suite.TLS13 && !r.signalling() && known.OpenSSL != now { // TLS 1.3 suites go by their IANA name
				t.Errorf("%s: %v is %q here, OpenSSL name %q in the registry", rel, r.code, r.name, known.OpenSSL)
			}
			if !r.signalling() && (r.mac&macs.of("AEAD") != 0) != known.AEAD() {
				t.Errorf("%s: %s: AEAD or not?", rel, r.name)
			}
			if r.bits != known.Bits && r.enc&encryptions.of("AES128CCM8", "AES256CCM8") == 0 && !r.signalling() {
				t.Errorf("%s: %s: %d bits here, %d in the registry", rel, r.name, r.bits, known.Bits)
			}
		}
		if len(tab.start) < 100 {
			t.Errorf("%s: only %d usable suites", rel, len(tab.start))
		}
	}
	for _, tsv := range []string{suitesTSV, aliasesTSV} {
		for n, line := range strings.Split(strings.TrimSuffix(tsv, "\n"), "\n") {
			if line == "" || strings.TrimSpace(line) != line {
				t.Errorf("line %d: stray blanks", n+1)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	_, err := Expand(OpenSSL30, "RC4-SHA:AES129-SHA", Options{})
	var noMatch *NoMatchError
	if !errors.Is(err, ErrNoCipherMatch) || !errors.As(err, &noMatch) {
		t.Fatalf("got %v", err)
	}
	want := []Word{{"RC4-SHA", WordUnavailable}, {"AES129-SHA", WordUnknown}}
	if !slices.Equal(noMatch.Ignored, want) {
		t.Errorf("ignored %v, want %v", noMatch.Ignored, want)
	}
	_, err = Expand(OpenSSL30, "DEFAULT:AES:@FOO", Options{})
	var command *CommandError
	if !errors.Is(err, ErrInvalidCommand) || !errors.As(err, &command) {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(err.Error(), "at byte 14 ") {
		t.Errorf("wrong place: %v", err)
	}
	nothing := "NOPE"
	_, err = Expand(OpenSSL30, "ALL", Options{Ciphersuites: &nothing})
	if !errors.As(err, &noMatch) || !noMatch.Ciphersuites {
		t.Errorf("got %v", err)
	}
	if l, err := Expand(OpenSSL102, "ALL", Options{Ciphersuites: &nothing}); err != nil || len(l.Suites) == 0 {
		t.Errorf("1.0.2 has no TLS 1.3 suites to name: %v", err)
	}
}

// TestReleasesDiffer checks what changed between releases and people trip over.
func TestReleasesDiffer(t *testing.T) {
	has := func(rel Release, spec, name string, o Options) bool {
		l, err := Expand(rel, spec, o)
		return err == nil && slices.ContainsFunc(l.Suites, func(s Suite) bool { return s.Name == name })
	}
	for _, c := range []struct {
		rel        Release
		spec, name string
		o          Options
		want       bool
	}{
		{OpenSSL102, "DEFAULT", "RC4-SHA", Options{}, true},
		{OpenSSL111, "ALL", "RC4-SHA", Options{}, false},
		{OpenSSL102, "DEFAULT", "DES-CBC3-SHA", Options{}, true},
		{OpenSSL111, "3DES:AES", "DES-CBC3-SHA", Options{}, false},
		{OpenSSL111, "ALL", "SEED-SHA", Options{}, true},
		{OpenSSL30, "ALL", "SEED-SHA", Options{}, false},
		{OpenSSL30, "ALL", "SEED-SHA", Options{Legacy: true}, true},
		{OpenSSL102, "DEFAULT", "TLS_AES_128_GCM_SHA256", Options{}, false},
		{OpenSSL30, "TLS_RSA_WITH_AES_128_CBC_SHA:AES256-SHA", "AES128-SHA", Options{}, false},
		{OpenSSL35, "TLS_RSA_WITH_AES_128_CBC_SHA:AES256-SHA", "AES128-SHA", Options{}, true},
		{OpenSSL30, "ALL", "AES128-CCM8", Options{Supported: true}, true},
		{OpenSSL35, "ALL", "AES128-CCM8", Options{Supported: true}, false},
		{OpenSSL30, "DEFAULT", "AES128-SHA", Options{Supported: true, Min: suite.TLS10, Max: suite.TLS10}, true},
		{OpenSSL35, "DEFAULT", "AES128-SHA", Options{Supported: true, Min: suite.TLS10, Max: suite.TLS10}, false},
		{OpenSSL35, "DEFAULT:@SECLEVEL=0", "AES128-SHA", Options{Supported: true, Min: suite.TLS10, Max: suite.TLS10}, true},
	} {
		if got := has(c.rel, c.spec, c.name, c.o); got != c.want {
			t.Errorf("%s %q %+v: %s is there: %v, want %v", c.rel, c.spec, c.o, c.name, got, c.want)
		}
	}
}

func TestParseRelease(t *testing.T) {
	for _, r := range Releases {
		if got, err := ParseRelease(r.String()); err != nil || got != r {
			t.Errorf("%v: %v %v", r, got, err)
		}
	}
	if _, err := ParseRelease("2.0"); err == nil || !strings.Contains(err.Error(), "3.5") {
		t.Errorf("got %v", err)
	}
}

// TestUnmodelled: what depends on the machine is refused, not guessed.
func TestUnmodelled(t *testing.T) {
	var u *UnmodelledError
	for _, args := range [][]string{{"-provider", "fips"}, {"-propquery", "fips=yes"}, {"-provider-path=/tmp"}} {
		if _, err := Run(OpenSSL30, args); !errors.As(err, &u) {
			t.Errorf("%q: got %v", args, err)
		}
	}
}

// FuzzExpand: any string ends in a list without repetition or in an error of ours, for every release.
func FuzzExpand(f *testing.F) {
	for _, s := range []string{"DEFAULT", "ALL:!aNULL:@STRENGTH", "ECDHE+AESGCM:-SHA1:+RSA", "@SECLEVEL=3:ALL", "AES+", "@", "SUITEB128", "*", "kRSA!SHA1",
		"RC4!AES", "DEFAULT+", "\xff", "@SECLEVEL=", "EXP+HIGH"} {
		f.Add(uint8(2), s, "TLS_AES_128_GCM_SHA256:NOPE", true)
	}
	f.Fuzz(func(t *testing.T, rel uint8, spec, ciphersuites string, supported bool) {
		r := Releases[int(rel)%len(Releases)]
		l, err := Expand(r, spec, Options{Supported: supported, Ciphersuites: &ciphersuites})
		if err != nil {
			if !errors.Is(err, ErrNoCipherMatch) && !errors.Is(err, ErrInvalidCommand) || err.Error() == "" {
				t.Fatalf("%q: %v", spec, err)
			}
			return
		}
		seen := map[suite.Code]bool{}
		for _, s := range l.Suites[min(len(l.Suites), strings.Count(ciphersuites, ":")+1):] {
			if seen[s.Code] {
				t.Fatalf("%q has %s twice", spec, s.Name)
			}
			seen[s.Code] = true
		}
		if _, err := Run(r, []string{"-V", "-stdname", "--", spec}); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzArgs: no command line crashes the program.
func FuzzArgs(f *testing.F) {
	f.Add(uint8(0), "-v\x00ALL")
	f.Add(uint8(2), "-ciphersuites\x00a:b\x00-s")
	f.Add(uint8(3), "-convert=x\x00--\x00-")
	f.Fuzz(func(t *testing.T, rel uint8, line string) {
		out, err := Run(Releases[int(rel)%len(Releases)], strings.Split(line, "\x00"))
		if err == nil && out.Exit == 0 && out.Stdout == "" && out.Stderr == "" && !strings.Contains(line, "-v") && !strings.Contains(line, "-V") && !strings.Contains(line, "stdname") {
			t.Fatalf("%q says nothing", line)
		}
	})
}

func BenchmarkExpand(b *testing.B) {
	for b.Loop() {
		if _, err := Expand(OpenSSL30, "DEFAULT:!SHA1:@STRENGTH", Options{Supported: true}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBuild is what a command pays once: reading a release's tables.
func BenchmarkBuild(b *testing.B) {
	for b.Loop() {
		build(OpenSSL30, false)
	}
}
