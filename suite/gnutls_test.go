package suite_test

import (
	"context"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
	"github.com/parley-tls/parley/testbed/record"
)

// gnutlsLine is a suite in `gnutls-cli -l`.
var gnutlsLine = regexp.MustCompile(`(?m)^(TLS_\S+)\s+0x(..), 0x(..)\s+(\S+)$`)

// TestAgainstGnuTLS compares names, codes and first versions of suites in both directions.
func TestAgainstGnuTLS(t *testing.T) {
	out := gnutlsList(t)
	listed := map[suite.Code]bool{}
	for _, f := range gnutlsLine.FindAllStringSubmatch(out, -1) {
		n, err := strconv.ParseUint(f[2]+f[3], 16, 16)
		if err != nil {
			t.Fatal(err)
		}
		listed[suite.Code(n)] = true
		s := suite.ByCode(suite.Code(n))
		if s == nil {
			t.Errorf("0x%04X %s is missing", n, f[1])
			continue
		}
		if s.GnuTLS != f[1] {
			t.Errorf("%s is %q, GnuTLS calls it %s", s.Code, s.GnuTLS, f[1])
		}
		v := max(s.MinVersion, suite.TLS10) // this build has no SSL 3.0
		if got := strings.Replace(v.String(), "TLSv", "TLS", 1); got != f[4] && !(pskWithSHA2(s) && f[4] == "TLS1.2") {
			t.Errorf("%s: from %s, GnuTLS says %s", s.GnuTLS, got, f[4])
		}
	}
	if len(listed) < 150 {
		t.Fatalf("%d suites listed, want all of them", len(listed))
	}
	for _, s := range suite.All() {
		if s.GnuTLS != "" && !listed[s.Code] {
			t.Errorf("%s: GnuTLS lists no %s", s.Code, s.GnuTLS)
		}
	}
}

// pskWithSHA2 reports suites that GnuTLS (but for one) keeps for TLS 1.2, unlike RFC 5487 section 3 and OpenSSL.
func pskWithSHA2(s *suite.Suite) bool {
	return strings.Contains(s.IANA, "PSK") && (s.MAC == "SHA256" || s.MAC == "SHA384")
}

func gnutlsList(t *testing.T) string {
	t.Helper()
	out, err := exec.Command(testbed.Need(t, "gnutls-cli"), "-l").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// gnutlsNames are the words of a line of the list, each once.
func gnutlsNames(t *testing.T, out, line string) []string {
	t.Helper()
	_, rest, ok := strings.Cut(out, "\n"+line+": ")
	if !ok {
		t.Fatalf("gnutls-cli -l has no line %s", line)
	}
	rest, _, _ = strings.Cut(rest, "\n")
	l := strings.Split(rest, ", ")
	slices.Sort(l)
	return slices.Compact(l)
}

// TestGnuTLSGroups asks for every group by its GnuTLS name and reads off the wire which code it means.
func TestGnuTLSGroups(t *testing.T) {
	names := gnutlsNames(t, gnutlsList(t), "Groups")
	for _, g := range suite.AllGroups() {
		if g.GnuTLS != "" && !slices.Contains(names, g.GnuTLS) && !strings.HasPrefix(g.Name, "GC") { // this build has few of GOST's
			t.Errorf("GnuTLS lists no %s", g.GnuTLS)
		}
	}
	for _, name := range names {
		o := gnutlsOffer(t, "NORMAL:+VERS-ALL:-GROUP-ALL:+"+name)
		g := suite.GroupByName(name)
		if g == nil || o == nil {
			t.Errorf("%s: GnuTLS offers %+v, ours is %+v", name, o, g)
		} else if !slices.Equal(o.Groups, []suite.Group{g.Code}) {
			t.Errorf("%s: GnuTLS offers %v, ours is %s 0x%04X", name, o.Groups, g.Name, uint16(g.Code))
		}
	}
}

// notInTLS are signatures of GnuTLS that have no code in TLS.
var notInTLS = regexp.MustCompile(`SHA3-|RMD160|MD2|-RAW|GOSTR341001`)

// TestGnuTLSSchemes does the same for signature schemes. Some have two names, for TLS 1.2 and for 1.3. What GnuTLS
// knows but no longer offers (MD5, SHA-224, most of DSA) is compared by name alone.
func TestGnuTLSSchemes(t *testing.T) {
	names := gnutlsNames(t, gnutlsList(t), "PK-signatures")
	for _, s := range suite.AllSchemes() {
		if s.GnuTLS != "" && !slices.Contains(names, s.GnuTLS) {
			t.Errorf("GnuTLS lists no %s", s.GnuTLS)
		}
	}
	seen := 0
	for _, name := range names {
		if notInTLS.MatchString(name) {
			continue
		}
		o := gnutlsOffer(t, "NORMAL:+VERS-ALL:-SIGN-ALL:+"+name)
		s := suite.SchemeByName(name)
		if s == nil && strings.HasPrefix(name, "SIGN-ECDSA-SECP") {
			s = suite.SchemeByName(regexp.MustCompile(`SECP\d+R1-`).ReplaceAllString(name, ""))
		}
		if s == nil {
			t.Errorf("%s is missing", name)
		} else if o == nil || len(o.Schemes) == 0 {
			continue
		} else if seen++; !slices.Equal(o.Schemes, []suite.SignatureScheme{s.Code}) {
			t.Errorf("%s: GnuTLS offers %v, ours is %s 0x%04X", name, o.Schemes, s.Name, uint16(s.Code))
		}
	}
	if seen < 20 {
		t.Errorf("%d schemes seen on the wire, want 20", seen)
	}
}

// gnutlsOffer returns what gnutls-cli offers with that priority string.
func gnutlsOffer(t *testing.T, priority string) *hello.Offer {
	t.Helper()
	return offerOf(t, func(port string) *exec.Cmd {
		return exec.Command("gnutls-cli", "--insecure", "--priority", priority, "--port", port, "127.0.0.1")
	})
}

// offerOf runs a client against a listener that only reads its hello; nil where the client gives up before.
func offerOf(t *testing.T, client func(port string) *exec.Cmd) *hello.Offer {
	t.Helper()
	l, err := record.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	// The listener closes the connection after the hello, so that the client ends either way.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := client(port)
	run := exec.CommandContext(ctx, cmd.Path, cmd.Args[1:]...)
	run.Env = cmd.Env
	out, _ := run.CombinedOutput()
	raw, err := l.First(100 * time.Millisecond)
	if err != nil {
		t.Logf("%q: no hello: %.200s", cmd.Args, out)
		return nil
	}
	h, err := hello.ParseClientHello(raw)
	if err != nil {
		t.Fatalf("%q: %v", cmd.Args, err)
	}
	o := h.Offer()
	return &o
}
