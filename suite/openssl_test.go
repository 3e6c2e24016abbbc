package suite_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// opensslLine is a line of `openssl ciphers -V -stdname`.
var opensslLine = regexp.MustCompile(`^\s*0x(..),0x(..) - (\S+) +- (\S+) +(\S+) +Kx=(\S+) +Au=(\S+) +Enc=([^ (]+)(?:\((\d+)\))? +Mac=(\S+)`)

// opensslRow is what OpenSSL says of a suite.
type opensslRow struct {
	code                                 suite.Code
	standard, name, version, kx, au, enc string
	bits                                 int
	mac                                  string
}

// opensslRows runs `openssl ciphers` for every suite that it was built with.
func opensslRows(t *testing.T, cmd *exec.Cmd) []opensslRow {
	t.Helper()
	cmd.Args = append(cmd.Args, "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v", cmd.Args, err)
	}
	var rows []opensslRow
	for line := range strings.Lines(string(out)) {
		f := opensslLine.FindStringSubmatch(line)
		if f == nil {
			t.Fatalf("not understood: %q", line)
		}
		code, err := strconv.ParseUint(f[1]+f[2], 16, 16)
		if err != nil {
			t.Fatal(err)
		}
		bits, _ := strconv.Atoi(f[9])
		rows = append(rows, opensslRow{suite.Code(code), f[3], f[4], f[5], f[6], f[7], f[8], bits, f[10]})
	}
	return rows
}

// TestAgainstOpenSSL compares every suite of the machine's openssl and of the releases under .peers with ours,
// part by part.
func TestAgainstOpenSSL(t *testing.T) {
	for _, release := range []string{"", "1.1.1", "3.5"} {
		t.Run("openssl"+release, func(t *testing.T) {
			rows := opensslRows(t, openssl(t, release))
			if len(rows) < 150 {
				t.Fatalf("%d suites, want all of ALL:COMPLEMENTOFALL", len(rows))
			}
			for _, r := range rows {
				s := suite.ByCode(r.code)
				if s == nil {
					t.Errorf("%s %s is missing", r.code, r.name)
				} else if got := rowOf(s); got != r {
					t.Errorf("%s:\n got %+v\nwant %+v", r.code, got, r)
				}
			}
		})
	}
}

// openssl returns the program of a release: the machine's, or one unpacked under .peers with its libraries.
func openssl(t *testing.T, release string) *exec.Cmd {
	t.Helper()
	if release == "" {
		return exec.Command(testbed.Need(t, "openssl"))
	}
	root := filepath.Join(testbed.Root(t), ".peers/openssl", release, "usr")
	bin, libs := filepath.Join(root, "bin/openssl"), filepath.Join(root, "lib/x86_64-linux-gnu")
	if _, err := os.Stat(bin); err != nil {
		testbed.Missing(t, "openssl "+release)
	}
	cmd := exec.Command(bin)
	if loader := filepath.Join(libs, "ld-linux-x86-64.so.2"); exists(loader) {
		cmd = exec.Command(loader, "--library-path", libs, bin)
	}
	cmd.Env = append(os.Environ(), "OPENSSL_CONF=/dev/null", "LD_LIBRARY_PATH="+libs)
	return cmd
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// rowOf says of s what OpenSSL would.
func rowOf(s *suite.Suite) opensslRow {
	v := s.MinVersion
	if s.KeyExchange == suite.KXSRP {
		v = suite.SSLv3 // as OpenSSL has it, though RFC 5054 needs an extension, which SSLv3 has none of
	}
	return opensslRow{s.Code, s.IANA, s.OpenSSL, opensslVersion(v), opensslKx(s.KeyExchange), opensslAu(s.Authentication), opensslEnc(s),
		s.Bits, s.MAC}
}

// TestOpenSSLNamesAreReal goes the other way: each of our OpenSSL names is one of the machine's openssl or of the
// releases that package cipherlist has tables of, or belongs to what every build of today leaves out.
func TestOpenSSLNamesAreReal(t *testing.T) {
	known := map[suite.Code][]string{}
	for _, r := range opensslRows(t, openssl(t, "")) {
		known[r.code] = append(known[r.code], r.name)
	}
	table, err := os.ReadFile("../cipherlist/suites.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		if f := strings.Split(line, "\t"); !strings.HasPrefix(line, "#") {
			code, err := strconv.ParseUint(f[0], 0, 16)
			if err != nil {
				t.Fatal(err)
			}
			known[suite.Code(code)] = append(known[suite.Code(code)], f[2])
		}
	}
	for _, s := range suite.All() {
		if s.OpenSSL == "" || leftOut(&s) || s.Code == 0xFF85 { // 0xFF85 was renamed in 3.0, for whose builds with an engine
			continue
		}
		if !slices.Contains(known[s.Code], s.OpenSSL) {
			t.Errorf("%s: no OpenSSL calls it %s: %q", s.Code, s.OpenSSL, known[s.Code])
		}
	}
}

// leftOut reports whether builds of today lack the suite: SSLv2, export, DES, Kerberos, and from 1.1.0 on RC4 and
// 3DES without the option enable-weak-ssl-ciphers.
func leftOut(s *suite.Suite) bool {
	return s.MaxVersion == suite.SSLv2 || s.Export || s.KeyExchange == suite.KXKRB5 || slices.Contains([]string{"DES", "RC4", "3DES"}, s.Encryption)
}

func opensslVersion(v suite.Version) string {
	if v == suite.TLS10 {
		return "TLSv1"
	}
	return v.String()
}

// opensslKx is Kx=, which does not tell ephemeral from static Diffie-Hellman.
func opensslKx(k suite.KeyExchange) string {
	switch k {
	case suite.KXAny:
		return "any"
	case suite.KXDHE:
		return "DH"
	case suite.KXECDHE:
		return "ECDH"
	}
	return strings.ReplaceAll(k.String(), "-", "")
}

func opensslAu(a suite.Authentication) string {
	switch a {
	case suite.AuthAnon:
		return "None"
	}
	return a.String()
}

func opensslEnc(s *suite.Suite) string {
	switch {
	case s.Encryption == "NULL":
		return "None"
	case s.Encryption == "CHACHA20":
		return "CHACHA20/POLY1305"
	case s.Encryption == "CAMELLIA":
		return "Camellia"
	case s.AEAD():
		return s.Encryption + s.Mode
	}
	return s.Encryption
}

// TestOpenSSLGroups offers every group by its OpenSSL name and reads off the wire which code it means. 3.5 knows
// the post-quantum ones; the names that it lacks are those of curves that are left out of today's builds.
func TestOpenSSLGroups(t *testing.T) {
	seen := 0
	for _, g := range suite.AllGroups() {
		if g.OpenSSL == "" {
			continue
		}
		options := []string{"-groups", g.OpenSSL}
		if !g.TLS13 {
			options = append(options, "-tls1_2")
		}
		o := opensslOffer(t, options...)
		if o == nil {
			if g.Kind != "ec" || g.Bits >= 256 && !strings.HasPrefix(g.Name, "sect") {
				t.Errorf("OpenSSL does not know %s", g.OpenSSL)
			}
			continue
		}
		if seen++; !slices.Equal(o.Groups, []suite.Group{g.Code}) {
			t.Errorf("%s: OpenSSL offers %v, ours is %s", g.OpenSSL, o.Groups, g.Name)
		}
	}
	if seen < 15 {
		t.Errorf("%d groups seen on the wire, want 15", seen)
	}
}

// TestOpenSSLSchemes does the same for signature schemes.
func TestOpenSSLSchemes(t *testing.T) {
	for _, s := range suite.AllSchemes() {
		if s.OpenSSL == "" || s.Digest == "MD5" { // OpenSSL 1.1.0 and later know no MD5 here
			continue
		}
		if o := opensslOffer(t, "-sigalgs", s.OpenSSL); o == nil {
			t.Errorf("OpenSSL does not know %s", s.OpenSSL)
		} else if !slices.Equal(o.Schemes, []suite.SignatureScheme{s.Code}) {
			t.Errorf("%s: OpenSSL offers %v, ours is %s", s.OpenSSL, o.Schemes, s.Name)
		}
	}
}

// opensslOffer returns what s_client of OpenSSL 3.5 offers with these options, or nil where it refuses them.
func opensslOffer(t *testing.T, options ...string) *hello.Offer {
	t.Helper()
	return offerOf(t, func(port string) *exec.Cmd {
		cmd := openssl(t, "3.5")
		cmd.Args = append(append(cmd.Args, "s_client", "-cipher", "ALL:@SECLEVEL=0", "-connect", "127.0.0.1:"+port), options...)
		return cmd
	})
}
