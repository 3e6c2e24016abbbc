package negotiate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/testbed"
)

// documented are the columns of the tables in docs/signals.md, and what they are called there.
var documented = [][]struct {
	engine policy.Engine
	title  string
}{
	{{policy.EngineS2N, "ALB, NLB, CloudFront (s2n)"}, {policy.EngineClassic, "Classic Load Balancer"}, {policy.EngineSchannel, "IIS (Schannel)"},
		{policy.EngineBoringSSL, "Envoy, Google (BoringSSL)"}},
	{{policy.EngineOpenSSL, "nginx, HAProxy, Apache (OpenSSL 3)"}, {policy.EngineGo, "Go"}, {policy.EngineJSSE, "Java (JSSE)"}, {policy.EngineGnuTLS, "GnuTLS"}},
}

// situationWords are the rows.
var situationWords = map[negotiate.Situation]string{
	negotiate.SSLv2Hello:        "a hello in the SSLv2 format",
	negotiate.Version:           "no shared version",
	negotiate.VersionTLS13Only:  "a client of TLS 1.3 alone meets TLS 1.2",
	negotiate.Fallback:          "TLS_FALLBACK_SCSV below the server's best",
	negotiate.ALPN:              "no shared application protocol, and the server insists",
	negotiate.Cipher:            "no shared cipher suite",
	negotiate.CipherCertificate: "shared suites, but for another kind of certificate",
	negotiate.CertificateCurve:  "the certificate's curve is not listed",
	negotiate.Group12:           "no shared group, TLS 1.2",
	negotiate.Group13:           "no shared group, TLS 1.3",
	negotiate.GroupsMissing13:   "no supported_groups, TLS 1.3",
	negotiate.Scheme12:          "no shared signature scheme, TLS 1.2",
	negotiate.Scheme13:          "no shared signature scheme, TLS 1.3",
	negotiate.SchemesMissing12:  "no signature_algorithms, TLS 1.2, and no SHA-1",
	negotiate.SchemesMissing13:  "no signature_algorithms, TLS 1.3",
}

// TestSignalDocument holds docs/signals.md against signals.tsv.
func TestSignalDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(testbed.Root(t), "docs", "signals.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, columns := range documented {
		var b strings.Builder
		b.WriteString("| situation |")
		for _, c := range columns {
			fmt.Fprintf(&b, " %s |", c.title)
		}
		b.WriteString("\n|" + strings.Repeat(" --- |", len(columns)+1) + "\n")
		for _, s := range negotiate.Situations {
			if situationWords[s] == "" {
				continue
			}
			fmt.Fprintf(&b, "| %s |", situationWords[s])
			for _, c := range columns {
				fmt.Fprintf(&b, " %s |", cell(t, c.engine, s))
			}
			b.WriteString("\n")
		}
		if !strings.Contains(string(text), b.String()) {
			t.Errorf("docs/signals.md lacks this table:\n%s", b.String())
		}
	}
}

// cell is what a table says: the signal, or what Decide says in place of a refusal, as far as that was measured.
func cell(t *testing.T, e policy.Engine, s negotiate.Situation) string {
	signal, mark := negotiate.SignalIn(e, s), ""
	if strings.HasPrefix(signal.Source, "reported") {
		mark = " (reported)"
	}
	switch {
	case signal.Alert != 0:
		return fmt.Sprintf("%s (%d)%s", signal.Alert, uint8(signal.Alert), mark)
	case signal.CloseNotify:
		return "close_notify (0)" + mark
	case signal.Close:
		return "close" + mark
	case signal.Reset:
		return "reset" + mark
	case e == policy.EngineSchannel || e == policy.EngineClassic:
		return "?"
	}
	return withoutSignal(t, e, s)
}

// withoutSignal is what comes of the refusal of a situation with a kind of server that sends nothing in it.
func withoutSignal(t *testing.T, e policy.Engine, s negotiate.Situation) string {
	for _, r := range slices.Backward(refusals(t)) {
		if r.situation != s {
			continue
		}
		server := refusalServers(t)[r.server]
		_, id := server.identities(t)
		p := server.policy
		p.Engine = e
		p.ALPN.Strict = e != policy.EngineS2N // which cannot be told to insist
		switch out := negotiate.Decide(&r.offer, &p, id); {
		case out.OK || out.Reason.Cause != s.Cause():
			return "goes on"
		case out.Reason.By == "client":
			return "goes on, the client ends it"
		}
		return "?"
	}
	return "?"
}

// TestSignalRows reads every row of signals.tsv: each is told once, has a source of a known kind and stands by its
// engine in the order of Situations.
func TestSignalRows(t *testing.T) {
	text, err := os.ReadFile("signals.tsv")
	if err != nil {
		t.Fatal(err)
	}
	place := make(map[string]int)
	for i, s := range negotiate.Situations {
		place[string(s)] = i
	}
	last, ended := -1, make(map[string]bool)
	engine := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		if f[0] != engine {
			if ended[f[0]] {
				t.Errorf("%q: the rows of %s stand in two places", line, f[0])
			}
			ended[engine], engine, last = true, f[0], -1
		}
		if at := place[f[1]]; at <= last {
			t.Errorf("%q: out of order, or told twice", line)
		} else {
			last = at
		}
		if !strings.HasPrefix(f[3], "measured: ") && !strings.HasPrefix(f[3], "reported: ") {
			t.Errorf("%q: the source must begin with measured: or reported:", line)
		}
		if negotiate.SignalIn(policy.Engine(f[0]), negotiate.Situation(f[1])).Source != f[3] {
			t.Errorf("%q: SignalIn has another row", line)
		}
	}
}
