package cipherlist

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

var (
	generated = flag.Int("generated", 400, "command lines to generate for each release")
	seed      = flag.Uint64("seed", 20, "seed of the generated command lines")
)

// program is an `openssl` that runs here.
type program struct {
	release Release
	command []string
	env     []string
	exact   bool // the very version that our error lines are taken from
}

// mirrored are the versions whose source lines error messages name.
var mirrored = map[Release]string{OpenSSL111: "OpenSSL 1.1.1w ", OpenSSL30: "OpenSSL 3.0.19 ", OpenSSL35: "OpenSSL 3.5.9 "}

// install unpacks the other releases' programs, once, where CI has none yet.
var install = sync.OnceFunc(func() {
	if out, err := exec.Command("testdata/install-openssl.sh").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "install-openssl.sh: %v\n%s", err, out)
	}
})

// peer returns the openssl of a release. 3.0 is the machine's own; the others are Debian packages
// unpacked under .peers/openssl, with the libraries and the loader they need beside them.
func peer(t *testing.T, rel Release) program {
	t.Helper()
	p := program{release: rel, env: append(os.Environ(), "OPENSSL_CONF=/dev/null")}
	if rel == OpenSSL30 {
		p.command = []string{"openssl"}
	} else {
		root, err := filepath.Abs("../.peers/openssl/" + rel.String())
		if err != nil {
			t.Fatal(err)
		}
		libs := filepath.Join(root, "usr/lib/x86_64-linux-gnu")
		bin := filepath.Join(root, "usr/bin/openssl")
		if !exists(bin) && os.Getenv("CI") == "true" {
			install()
		}
		if !exists(bin) {
			missing(t, "openssl "+rel.String()+" (cipherlist/testdata/install-openssl.sh unpacks it)")
		}
		p.command = []string{bin}
		if loader := filepath.Join(libs, "ld-linux-x86-64.so.2"); exists(loader) {
			p.command = []string{loader, "--library-path", libs, bin}
		} else {
			p.env = append(p.env, "LD_LIBRARY_PATH="+libs)
		}
	}
	out, err := p.cmd("version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "OpenSSL "+rel.String()) {
		missing(t, fmt.Sprintf("openssl %s: %s %v", rel, bytes.TrimSpace(out), err))
	}
	p.exact = strings.HasPrefix(string(out), mirrored[rel])
	t.Log(strings.TrimSpace(string(out)))
	return p
}

func (p program) cmd(args ...string) *exec.Cmd {
	c := exec.Command(p.command[0], append(p.command[1:], args...)...)
	c.Env = p.env
	return c
}

func (p program) run(args []string) (Output, error) {
	c := p.cmd(append([]string{"ciphers"}, args...)...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Output{}, err
	}
	return Output{stdout.String(), stderr.String(), c.ProcessState.ExitCode()}, nil
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// missing skips a test whose peer isn't here; in CI every peer must be.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("missing peer: %s", what)
	}
	t.Skipf("missing peer: %s", what)
}

var (
	threadNumber = regexp.MustCompile(`(?m)^[0-9A-F]+:error:`)
	sourceLine   = regexp.MustCompile(`(\.c):[0-9]+:`)
)

// masked hides the thread's number, which differs from run to run, and where the version is not the
// mirrored one, the lines of its source.
func (p program) masked(s string) string {
	s = threadNumber.ReplaceAllString(s, "THREAD:error:")
	if !p.exact {
		s = sourceLine.ReplaceAllString(s, "$1:LINE:")
	}
	return s
}

func compare(t *testing.T, p program, args []string) bool {
	t.Helper()
	want, err := p.run(args)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Run(p.release, args)
	if err != nil {
		t.Errorf("openssl %s ciphers %q: %v", p.release, args, err)
		return false
	}
	got.Stderr, want.Stderr = p.masked(got.Stderr), p.masked(want.Stderr)
	if got == want {
		return true
	}
	t.Errorf("openssl %s ciphers %q\n%s", p.release, args, difference(got, want))
	return false
}

// difference shows the first line on which two outputs differ.
func difference(got, want Output) string {
	if got.Exit != want.Exit {
		return fmt.Sprintf("exit %d, want %d\nstderr %q\nwant   %q", got.Exit, want.Exit, got.Stderr, want.Stderr)
	}
	if got.Stderr != want.Stderr {
		return fmt.Sprintf("stderr %q\nwant   %q", got.Stderr, want.Stderr)
	}
	sep := "\n"
	if strings.Count(want.Stdout, "\n") == 1 {
		sep = ":"
	}
	g, w := strings.Split(got.Stdout, sep), strings.Split(want.Stdout, sep)
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			return fmt.Sprintf("item %d of %d, want %d\ngot  %q\nwant %q", i, len(g), len(w), g[min(i, len(g)-1)], w[min(i, len(w)-1)])
		}
	}
	return "the same"
}

// TestAgainstOpenSSL compares whole command lines, output byte for byte, with the real programs.
func TestAgainstOpenSSL(t *testing.T) {
	for _, rel := range []Release{OpenSSL111, OpenSSL30, OpenSSL35} {
		t.Run(rel.String(), func(t *testing.T) {
			p := peer(t, rel)
			lines := fixedLines()
			g := newGenerator(rel)
			for range *generated {
				lines = append(lines, g.line())
			}
			agree := 0
			for _, l := range lines {
				if compare(t, p, l) {
					agree++
				}
			}
			t.Logf("%d of %d command lines agree", agree, len(lines))
		})
	}
}

// generator makes command lines that lean towards the places where the language is subtle.
type generator struct {
	*rand.Rand
	words, suites, standard []string
}

func newGenerator(rel Release) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(*seed, uint64(rel)))}
	t := tableOf(rel, false)
	for _, r := range t.rows {
		g.suites = append(g.suites, r.name)
		if r.standard != "" {
			g.standard = append(g.standard, r.standard)
		}
	}
	seen := map[string]bool{}
	for _, any := range Releases { // classes of other releases too: some are gone, some not there yet
		must(eachRecord(aliasesTSV, 9, any, func(f []string) error {
			if !seen[f[0]] {
				seen[f[0]] = true
				g.words = append(g.words, f[0])
			}
			return nil
		}))
	}
	return g
}

func pick(g *generator, s ...string) string { return s[g.IntN(len(s))] }

func (g *generator) word() string {
	switch g.IntN(20) {
	case 0, 1, 2, 3:
		return pick(g, g.suites...)
	case 4:
		return pick(g, g.standard...)
	case 5:
		return pick(g, "NOSUCH", "aes128", "DEFAULT", "TLSv1.3", "AES_128", "SSLv2", "kRSA.", "A-B")
	case 6, 7, 8, 9:
		return pick(g, "ALL", "HIGH", "kRSA", "ECDHE", "AES", "AESGCM", "aRSA", "SHA1", "PSK", "eNULL", "aNULL", "DHE", "CHACHA20", "TLSv1.2", "COMPLEMENTOFDEFAULT")
	}
	return pick(g, g.words...)
}

func (g *generator) rule() string {
	switch g.IntN(24) {
	case 0:
		return "@STRENGTH"
	case 1:
		return fmt.Sprintf("@SECLEVEL=%d", g.IntN(7))
	case 2:
		return pick(g, "@", "@FOO", "@SECLEVEL", "@SECLEVEL=10", "@SECLEVEL=x", "+", "-", "!", "AES+", "*", "AES*", "NOSUCH*", "RC4!AES", "kRSA!SHA1", "_", "ECDHE/RSA", "@STRENGTH+AES", "AES++SHA1", "\xff", "=")
	}
	r := pick(g, "", "", "", "", "", "+", "-", "!", "!") + g.word()
	for g.IntN(3) == 0 {
		r += "+" + g.word()
	}
	return r
}

func (g *generator) spec() string {
	var b strings.Builder
	switch g.IntN(12) {
	case 0, 1, 2:
		b.WriteString(pick(g, "DEFAULT", "DEFAULT:", "DEFAULT+", "DEFAULT!", "DEFAULT,"))
	case 3, 4, 5:
		b.WriteString(pick(g, "ALL:", "ALL:COMPLEMENTOFALL:", "HIGH:MEDIUM:", "ALL,"))
	case 6:
		if g.IntN(3) == 0 {
			b.WriteString(pick(g, "SUITEB128", "SUITEB128ONLY", "SUITEB128C2", "SUITEB192", "SUITEB128:AES", "SUITEB256"))
		}
	}
	for i := range 1 + g.IntN(6) {
		if i > 0 {
			b.WriteString(pick(g, ":", ":", ":", ":", ",", ";", " ", "::", ": "))
		}
		b.WriteString(g.rule())
	}
	return b.String()
}

func (g *generator) line() []string {
	var l []string
	with := func(n int, s ...string) {
		if g.IntN(n) == 0 {
			l = append(l, s...)
		}
	}
	with(3, pick(g, "-v", "-V", "-v", "-stdname", "--v"))
	with(4, "-V")
	with(5, "-stdname")
	with(2, "-s")
	with(6, "-psk")
	with(8, "-srp")
	with(3, pick(g, "-tls1", "-tls1_1", "-tls1_2", "-tls1_3"))
	with(6, "-ciphersuites", g.ciphersuites())
	with(60, pick(g, "-nosuch", "-ssl3", "-v=1", "-", "-h", "-convert", "-ciphersuites"))
	with(40, "-convert", pick(g, g.standard...))
	with(20, "--")
	with(12, "-ciphersuites="+g.ciphersuites())
	spec := g.spec()
	if len(l) == 0 || l[len(l)-1] != "--" {
		spec = strings.TrimLeft(spec, "-") // would be an option
	}
	if g.IntN(20) > 0 {
		l = append(l, spec)
	}
	with(60, "extra")
	return l
}

func (g *generator) ciphersuites() string {
	var names []string
	for range g.IntN(5) {
		names = append(names, pick(g, "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
			"TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256", " TLS_AES_128_GCM_SHA256 ", "", pick(g, g.standard...), "NOPE", "TLS_SHA256_SHA256"))
	}
	return strings.Join(names, ":")
}
