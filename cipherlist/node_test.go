package cipherlist

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// nodes are Node.js releases by the OpenSSL in them. Node.js builds it itself, at security level 1, and
// asks for TLS 1.2 at least from 12 on. The suites that its builds have and the mirrored ones lack are extra.
var nodes = []struct {
	version string // first numbers
	release Release
	openssl string // beginning of process.versions.openssl
	min     suite.Version
	extra   []suite.Code
	silent  bool // goes on where OpenSSL refuses the string: with no suite, or with the default ones
}{
	{"4", OpenSSL102, "1.0.2", 0, nil, true},
	{"6", OpenSSL102, "1.0.2", 0, nil, true},
	{"8", OpenSSL102, "1.0.2", 0, nil, true},
	{"10", OpenSSL111, "1.1.1", 0, []suite.Code{0x0007}, true}, // IDEA
	{"12", OpenSSL111, "1.1.1", suite.TLS12, nil, false},
	{"14", OpenSSL111, "1.1.1", suite.TLS12, nil, false},
	{"16", OpenSSL111, "1.1.1", suite.TLS12, nil, false},
	{"18", OpenSSL30, "3.0", suite.TLS12, nil, false},
	{"20", OpenSSL30, "3.0", suite.TLS12, nil, false},
	{"22", OpenSSL35, "3.5", suite.TLS12, nil, false},
	{"24", OpenSSL35, "3.5", suite.TLS12, nil, false},
}

// TestAgainstNode compares what a real client offers for a cipher string with what we say it does.
func TestAgainstNode(t *testing.T) {
	for _, n := range nodes {
		t.Run(n.version, func(t *testing.T) {
			bins, _ := filepath.Glob("../.peers/node/" + n.version + ".*/bin/node")
			if len(bins) == 0 {
				missing(t, "Node.js "+n.version+" (make peers)")
			}
			bin := bins[len(bins)-1]
			version, err := exec.Command(bin, "-p", "process.versions.openssl").Output()
			if err != nil || !strings.HasPrefix(string(version), n.openssl) {
				missing(t, "Node.js "+n.version+" with OpenSSL "+n.openssl+", this one has "+string(version))
			}
			specs := nodeSpecs(n.release)
			list, err := json.Marshal(specs)
			if err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(bin, "testdata/hello.js", string(list)).Output()
			if err != nil {
				t.Fatal(err)
			}
			var answers []string
			if err := json.Unmarshal(out, &answers); err != nil {
				t.Fatalf("%v: %.200q", err, out)
			}
			level, none := 1, ""
			compared, agree, refused := 0, 0, 0
			byDefault, err := Expand(n.release, "DEFAULT", Options{Supported: true, SecurityLevel: &level, Ciphersuites: &none, Min: n.min, Max: suite.TLS12})
			if err != nil {
				t.Fatal(err)
			}
			for i, spec := range specs {
				l, err := Expand(n.release, spec, Options{Supported: true, SecurityLevel: &level, Ciphersuites: &none, Min: n.min, Max: suite.TLS12})
				offered, failure := nodeOffer(t, answers[i], n.extra)
				if l.SecurityLevel == 5 && strings.Contains(failure, "no suitable key share") {
					continue // 3.5 has no group for that level, so there is no hello to compare
				}
				compared++
				want := l.Codes()
				reason := ""
				switch {
				case errors.Is(err, ErrNoCipherMatch) && !n.silent:
					reason = "no cipher match"
				case errors.Is(err, ErrInvalidCommand) && !n.silent:
					reason = "invalid command"
				case errors.Is(err, ErrInvalidCommand):
					want = byDefault.Codes()
				case len(want) == 0 && failure != "": // where TLS 1.3 suites are left it sends those
					reason = "no ciphers available"
				}
				if reason != "" {
					refused++
				}
				if !strings.Contains(strings.ToLower(failure), reason) || reason == "" && !slices.Equal(want, offered) {
					t.Errorf("%q: %v\ngot  %v\nwant %v %s", spec, err, want, offered, failure)
					continue
				}
				agree++
			}
			t.Logf("OpenSSL %s: %d of %d strings agree, %d of them refused", strings.TrimSpace(string(version)), agree, compared, refused)
		})
	}
}

// nodeOffer reads the suites older than TLS 1.3 from a hello, without signalling values and extra ones.
func nodeOffer(t *testing.T, answer string, extra []suite.Code) (codes []suite.Code, failure string) {
	if f, ok := strings.CutPrefix(answer, "error: "); ok {
		return nil, f
	}
	b, err := hex.DecodeString(answer)
	if err != nil {
		t.Fatal(err)
	}
	h, err := hello.ParseClientHello(b)
	if err != nil {
		t.Fatal(err)
	}
	codes = []suite.Code{}
	for _, c := range h.Offer().Suites {
		if c>>8 != 0x13 && c != suite.EmptyRenegotiationInfoSCSV && !slices.Contains(extra, c) {
			codes = append(codes, c)
		}
	}
	return codes, ""
}

// nodeSpecs are strings that reach OpenSSL as they are: Node.js splits them at ":" and takes what
// begins with TLS_ for TLS 1.3 suites.
func nodeSpecs(rel Release) []string {
	specs := []string{"ALL:COMPLEMENTOFALL", "DEFAULT", "ALL", "HIGH", "NOSUCH", "eNULL", "PSK", "SRP", "kRSA:+AES", "ALL:@STRENGTH",
		"ALL:-SHA1:SHA1", "AES128-SHA:AES256-SHA:!AES256", "kRSA!SHA1", "AES128-SHA:@FOO", "AES128-SHA*", "AES+", "EXPORT", "RC4", "3DES:AES128-SHA",
		"EDH-RSA-DES-CBC3-SHA", "DHE-RSA-DES-CBC3-SHA", "COMPLEMENTOFDEFAULT+HIGH", "kECDHr:kDHE", "FIPS+HIGH"}
	if rel != OpenSSL102 {
		specs = append(specs, "ALL:COMPLEMENTOFALL:@SECLEVEL=0", "ALL:@SECLEVEL=3", "@SECLEVEL=4:ALL", "ALL:@SECLEVEL=5")
	}
	g := newGenerator(rel)
	for len(specs) < 70 {
		s := g.spec()
		if strings.ContainsAny(s, " ,;") || !utf8.ValidString(s) || strings.Contains(s, "TLS_") || strings.Contains(s, "SUITEB") || strings.HasPrefix(s, ":") || s == "" {
			continue
		}
		specs = append(specs, s)
	}
	return specs
}
