package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/symptom"
	"github.com/parley-tls/parley/testbed"
)

// runExplain returns the document that parley explain prints, checked against the published schema.
func runExplain(t *testing.T, args ...string) *symptom.Explanation {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/explain.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	root := newRoot()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs(append([]string{"explain", "--json"}, args...))
	var exit *exitError
	if err := root.Execute(); err != nil && !(errors.As(err, &exit) && exit.code == exitUndecided) {
		t.Fatalf("%q: %v", args, err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("%q: %v", args, err)
	}
	var e symptom.Explanation
	if err := json.Unmarshal(out.Bytes(), &e); err != nil {
		t.Fatal(err)
	}
	return &e
}

func TestExplainJSON(t *testing.T) {
	log := filepath.Join(t.TempDir(), "error.log")
	lines := strings.Repeat("2026/03/02 10:00:00 [info] 7#7: *1 SSL_do_handshake() failed (SSL: error:0A0000C1:SSL routines::no shared cipher) while SSL handshaking, client: 192.0.2.7, server: 0.0.0.0:443\n", 5) +
		"2026/03/02 10:00:01 [info] 7#7: *2 client sent plain HTTP request to HTTPS port while reading client request headers, client: 192.0.2.7\n"
	if err := os.WriteFile(log, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"14094410", "nothing at all", "curl: (6) Could not resolve host: lb.example.com"} {
		runExplain(t, text)
	}
	e := runExplain(t, log)
	if len(e.Groups) != 2 || e.Groups[0].Cause != cause.NoCommonCipher || e.Groups[0].Lines != 5 || e.Groups[1].Cause != cause.HTTPSentToTLS {
		t.Errorf("groups of the log: %+v", e.Groups)
	}
	if e.Causes[0].ID != cause.NoCommonCipher || e.Class != symptom.RefusedByLoadBalancer {
		t.Errorf("%s (%s)", e.Causes[0].ID, e.Class)
	}
}

// TestExplainCut: a log is read up to a bound, and that is said.
func TestExplainCut(t *testing.T) {
	log := filepath.Join(t.TempDir(), "big.log")
	if err := os.WriteFile(log, bytes.Repeat([]byte("2026-03-02 10:00:00 nothing of note\n"), symptom.MaxText/30), 0o644); err != nil {
		t.Fatal(err)
	}
	if e := runExplain(t, log); !e.Cut || e.BytesRead != symptom.MaxText {
		t.Errorf("cut %v, read %d", e.Cut, e.BytesRead)
	}
}

// TestExplainSettled: a bare handshake_failure says little; the client's own hello, sent to the endpoint, decides.
func TestExplainSettled(t *testing.T) {
	strict := testbed.ForPolicy(policy.ByName("TLS13-1-2-2021-06"), testbed.OpenSSL)
	s := testbed.Start(t, strict.With(testbed.Make(t, testbed.RSA2048)))
	e := runExplain(t, "Received fatal alert: handshake_failure", "--target", s.Addr, "--client", "java-7u25")
	if e.Settled == nil || !e.Settled.Decided || e.Causes[0].ID != cause.NoCommonVersion {
		t.Errorf("%+v, %+v", e.Settled, e.Causes)
	}
	if e := runExplain(t, "Received fatal alert: handshake_failure", "--target", s.Addr); e.Settled == nil || e.Settled.Decided {
		t.Errorf("without a client: %+v", e.Settled)
	}
	e = runExplain(t, "handshake failed", "--target", s.Addr, "--client", "ciphers:EXPORT", "--openssl", "3.0")
	if e.Causes[0].ID != cause.ClientLacksCipher || !e.Settled.Decided {
		t.Errorf("a client with nothing to offer: %+v", e.Causes)
	}
}
