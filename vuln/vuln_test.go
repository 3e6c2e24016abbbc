package vuln

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestTable: each check has all that a finding shows, and a section in the documentation.
func TestTable(t *testing.T) {
	text, err := os.ReadFile("../docs/vulnerabilities.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, c := range checks {
		if seen[c.id] || !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(c.id) {
			t.Errorf("id %q is not an id, or there twice", c.id)
		}
		seen[c.id] = true
		if c.name == "" || c.severity == "" || c.source == "" || c.test == nil {
			t.Errorf("%s: incomplete", c.id)
		}
		if !strings.Contains(string(text), "\n## "+c.id+"\n") {
			t.Errorf("docs/vulnerabilities.md lacks a section %s", c.id)
		}
		if cve := regexp.MustCompile(`CVE-\d+-\d+`).FindAllString(c.cve, -1); strings.Join(cve, ", ") != c.cve {
			t.Errorf("%s: CVE %q", c.id, c.cve)
		}
	}
	if n := strings.Count(string(text), "\n## "); n != len(checks) {
		t.Errorf("docs/vulnerabilities.md has %d sections for %d checks", n, len(checks))
	}
}

// TestJSON: the keys are an interface that programs rely on.
func TestJSON(t *testing.T) {
	got, err := json.Marshal(Finding{"heartbleed", "Heartbleed", "CVE-2014-0160", Vulnerable, "S.", []string{"e"}, Critical, "x"})
	want := `{"id":"heartbleed","name":"Heartbleed","cve":"CVE-2014-0160","verdict":"vulnerable","summary":"S.","evidence":["e"],"severity":"critical","source":"x"}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}

// scanned is what a scan of an endpoint says that accepts these suites in one version.
func scanned(v suite.Version, suites ...suite.Code) *scan.Result {
	return &scan.Result{Versions: []scan.VersionResult{{Version: v, Accepted: true, Suites: suites}}, Seen: &scan.Endpoint{}}
}

// TestConditions reads results that no server at hand gives.
func TestConditions(t *testing.T) {
	open := scanned(suite.TLS12, 0x009C)
	open.Versions[0].Unsure = []suite.Code{0x000A, 0x0005, 0x002F, 0x0033, 0x0006}
	for _, c := range []struct {
		name   string
		result *scan.Result
		id     string
		want   Verdict
	}{
		{"a suite that could not be asked for", open, "sweet32", Unsure},
		{"a suite that could not be asked for", open, "rc4", Unsure},
		{"a suite that could not be asked for", open, "logjam", Unsure},
		{"a suite that could not be asked for", open, "raccoon", Unsure},
		{"a suite that could not be asked for", open, "lucky13", Unsure},
		{"a suite that could not be asked for", open, "anonymous-suites", NotVulnerable},
		{"SSLv3 with RC4 alone", scanned(suite.SSLv3, 0x0005), "poodle-ssl3", NotVulnerable},
		{"SSLv3 with RC4 alone", scanned(suite.SSLv3, 0x0005), "beast", NotVulnerable},
		{"static Diffie-Hellman", scanned(suite.TLS12, 0x0031), "raccoon", Vulnerable},
		{"integrity alone in TLS 1.3", scanned(suite.TLS13, 0xC0B4), "null-suites", NotVulnerable},
		{"export", scanned(suite.TLS10, 0x0003), "freak", Vulnerable},
		{"export", scanned(suite.TLS10, 0x0014), "logjam", Vulnerable},
		{"export", scanned(suite.TLS10, 0x0014), "freak", NotVulnerable},
		{"one version", scanned(suite.TLS12, 0x009C), "fallback-scsv", NotVulnerable},
		{"suites that are not spoken here", scanned(suite.TLS12, 0xC0A6), "ccs-injection", NotTested},
		{"suites that are not spoken here", scanned(suite.TLS12, 0x0041), "poodle-tls", NotTested},
	} {
		f := Check(context.Background(), &probe.Prober{DialContext: refuse}, probe.Target{}, c.result, Options{Only: []string{c.id}})[0]
		if f.Verdict != c.want || f.Summary == "" {
			t.Errorf("%s, %s: %s: %s", c.name, c.id, f.Verdict, f.Summary)
		}
	}
}

// refuse is a network without the endpoint.
func refuse(context.Context, string, string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Err: os.ErrPermission}
}

// answering serves connections by a function, which may keep them as long as it likes.
func answering(t testing.TB, serve func(net.Conn)) string {
	t.Helper()
	return testbed.Listen(t, 0, serve)
}

// TestWithoutTLS: of an endpoint that speaks no TLS only SSLv2 is asked.
func TestWithoutTLS(t *testing.T) {
	kinds := []suite.Code{0x010080, 0x060040}
	for _, c := range []struct {
		name   string
		answer func() []byte
		want   Verdict
	}{
		{"SSLv2", func() []byte { return sslv2Hello(t, []byte{0x30, 0}, kinds...) }, Vulnerable},
		{"SSLv2 without ciphers", func() []byte { return sslv2Hello(t, []byte{0x30, 0}) }, Unsure},
		{"SSLv2 without a certificate", func() []byte { return sslv2Hello(t, nil, kinds...) }, Unsure},
		{"an SSLv2 error", func() []byte { return hello.MarshalSSLv2Error(hello.SSLv2NoCipher) }, Unsure},
		{"a TLS alert", func() []byte { return hello.MarshalAlert(suite.TLS10, true, suite.AlertProtocolVersion) }, NotVulnerable},
		{"HTTP", func() []byte { return []byte("HTTP/1.0 400 Bad Request\r\n\r\n") }, NotVulnerable},
		{"a close", func() []byte { return nil }, NotVulnerable},
	} {
		addr := answering(t, func(conn net.Conn) {
			conn.Read(make([]byte, 1024))
			conn.Write(c.answer())
		})
		for _, f := range Check(context.Background(), &probe.Prober{}, probe.Target{Address: addr}, &scan.Result{Seen: &scan.Endpoint{}}, Options{}) {
			want := NotTested
			if f.ID == "drown" {
				want = c.want
			}
			if f.Verdict != want {
				t.Errorf("%s: %s: %s: %s", c.name, f.ID, f.Verdict, f.Summary)
			}
		}
	}
}

func sslv2Hello(t testing.TB, certificate []byte, kinds ...suite.Code) []byte {
	t.Helper()
	raw, err := (&hello.SSLv2ServerHello{CertificateType: 1, Version: suite.SSLv2, Certificate: certificate, Suites: kinds, ConnectionID: make([]byte, 16)}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// noConnection are the checks that need none where the endpoint accepts one version with TLS_RSA_WITH_AES_128_CBC_SHA
// and TLS_DHE_RSA_WITH_AES_128_CBC_SHA.
var noConnection = []string{"poodle-ssl3", "freak", "sweet32", "rc4", "beast", "null-suites", "anonymous-suites", "export-suites", "fallback-scsv"}

// TestHostile: whatever an endpoint does once it was scanned, there is an end in time, and no check says that a flaw is
// not there which it could not look for.
func TestHostile(t *testing.T) {
	flood := func(piece []byte) func(net.Conn) {
		return func(c net.Conn) {
			for {
				if _, err := c.Write(piece); err != nil {
					return
				}
			}
		}
	}
	for name, serve := range map[string]func(net.Conn){
		"silence": func(c net.Conn) { io.Copy(io.Discard, c) },
		"drip": func(c net.Conn) {
			for _, b := range []byte{22, 3, 3, 0x10, 0} {
				c.Write([]byte{b})
				time.Sleep(50 * time.Millisecond)
			}
			io.Copy(io.Discard, c)
		},
		"garbage":                      flood(bytes.Repeat([]byte{0xA5}, 4096)),
		"warnings":                     flood(hello.MarshalAlert(suite.TLS12, false, suite.AlertUnrecognizedName)),
		"empty records":                flood([]byte{22, 3, 3, 0, 0}),
		"a handshake message for ever": flood(append([]byte{22, 3, 3, 0x10, 0, 11, 1, 0, 0}, make([]byte, 0x1000-4)...)),
		"the same hello for ever":      flood(append([]byte{22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3}, append(make([]byte, 33), 0, 0x2F, 0)...)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &probe.Prober{Timeout: 500 * time.Millisecond}
			start := time.Now()
			for _, f := range Check(context.Background(), p, probe.Target{Address: answering(t, serve)}, scanned(suite.TLS12, 0x002F, 0x0033), Options{}) {
				noTLS := f.ID == "drown" && f.Verdict == NotVulnerable
				if !slices.Contains(noConnection, f.ID) && f.Verdict != Unsure && !noTLS {
					t.Errorf("%s: %s: %s", f.ID, f.Verdict, f.Summary)
				}
			}
			if d := time.Since(start); d > patience*p.Timeout+3*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}
