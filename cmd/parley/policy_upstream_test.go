package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/parley-tls/parley/testbed"
)

// runUpstream runs parley policy check-upstream and returns what it prints and its exit code.
func runUpstream(t *testing.T, args ...string) (*bytes.Buffer, int) {
	t.Helper()
	cmd := newRoot()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs(append([]string{"policy", "check-upstream"}, args...))
	err := cmd.ExecuteContext(t.Context())
	var exit *exitError
	switch {
	case err == nil:
		return &out, exitGood
	case errors.As(err, &exit):
		return &out, exit.code
	}
	t.Fatal(err)
	return nil, 0
}

// TestCheckUpstreamMoto holds for an account whose table is another one: exit code 1, and a document that fits the schema.
func TestCheckUpstreamMoto(t *testing.T) {
	testbed.Moto(t)
	out, code := runUpstream(t, "--family", "alb")
	if code != exitBad || !strings.Contains(out.String(), "TLS13-1-2-Ext1-PQ-2025-09\n      suites: +") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	out, _ = runUpstream(t, "--family", "alb", "--json")
	validateWith(t, "../../docs/schema/policy-check-upstream.schema.json", out.Bytes())
}
