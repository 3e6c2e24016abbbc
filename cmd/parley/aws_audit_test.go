package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-tls/parley/testbed"
)

// runAudit runs parley aws audit and returns what it prints and its exit code.
func runAudit(t *testing.T, args ...string) (*bytes.Buffer, int) {
	t.Helper()
	return runParley(t, append([]string{"aws", "audit"}, args...)...)
}

func validateWith(t *testing.T, schema string, doc []byte) any {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(schema)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	if err := s.Validate(v); err != nil {
		t.Error(err)
	}
	return v
}

const (
	auditSchema = "../../docs/schema/aws-audit.schema.json"
	// sarifOASIS is the schema of the OASIS standard, SARIF 2.1.0 with errata 01.
	sarifOASIS = "../../render/testdata/sarif-schema-2.1.0.json"
)

// TestAuditDocuments validates real documents against the published schema, and against SARIF's.
func TestAuditDocuments(t *testing.T) {
	samples := filepath.Join("..", "..", "aws", "declared", "testdata")
	waivers := filepath.Join(t.TempDir(), "waivers")
	if err := os.WriteFile(waivers, []byte("aws_elb.legacy 2099-01-01 old tills\nIngress/shop/* 2020-01-01\nnobody 2099-01-01\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--terraform", filepath.Join(samples, "terraform"), "--terraform", filepath.Join(samples, "plan.json"), "--allow", waivers},
		{"--cloudformation", filepath.Join(samples, "cloudformation"), "--plaintext"},
		{"--kubernetes", filepath.Join(samples, "kubernetes"), "--allow", waivers, "--plaintext"},
	} {
		for _, require := range []string{"tls1.2,forward-secrecy", "intermediate,pq", "fips", "TLS13-1-2-2021-06"} {
			args := append(args, "--require", require)
			out, code := runAudit(t, append(args, "--json")...)
			doc := validateWith(t, auditSchema, out.Bytes()).(map[string]any)
			if code != exitBad {
				t.Errorf("%v: exit %d", args, code)
			}
			out, _ = runAudit(t, append(args, "--sarif", "-")...)
			log := validateWith(t, sarifOASIS, out.Bytes()).(map[string]any)
			results := log["runs"].([]any)[0].(map[string]any)["results"].([]any)
			meets, _ := doc["counts"].(map[string]any)["meets"].(interface{ Int64() (int64, error) }).Int64()
			if len(results) != len(doc["listeners"].([]any))-int(meets) {
				t.Errorf("%v: %d results in SARIF of %d listeners, %d of which meet it", args, len(results), len(doc["listeners"].([]any)), meets)
			}
		}
	}
}

// TestAuditAccount audits listeners of an account.
func TestAuditAccount(t *testing.T) {
	testbed.Moto(t)
	testbed.LoadBalancers(t)
	out, code := runAudit(t, "--require", "tls1.2")
	for _, want := range []string{"Below what is required: 1 listener", "edge-nlb", "accepts TLSv1.0", "Meets it: 3 listeners"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	if code != exitBad {
		t.Errorf("exit %d", code)
	}
	out, code = runAudit(t, "--require", "tls1.2", "--plaintext", "--json")
	validateWith(t, auditSchema, out.Bytes())
	if code != exitBad {
		t.Errorf("exit %d", code)
	}
	out, _ = runAudit(t, "--require", "tls1.2", "--sarif", "-")
	validateWith(t, sarifOASIS, out.Bytes())
	if out, code = runAudit(t, "--require", "old"); code != exitGood {
		t.Errorf("exit %d for what Mozilla's old configuration accepts:\n%s", code, out)
	}
}

// TestAuditSimulated audits an account, what AWS refuses to tell of it included.
func TestAuditSimulated(t *testing.T) {
	state := fmt.Sprintf(threeBalancers, "")
	simulated(t, state)
	out, code := runParley(t, "aws", "audit", "--require", "tls1.2", "--plaintext")
	for _, want := range []string{"Below what is required: 1 listener\n  eu-west-1  shop  ALB HTTPS:443  2016-08\n", "Without TLS: 1 listener\n  eu-west-1  legacy  Classic HTTP:80\n",
		"  eu-west-1  edge  NLB TLS:443  TLS13-1-2-Res-PQ-2025-09\n", "  eu-west-1  legacy  Classic HTTPS:443  own (refers to TLS-1-2-2017-01)\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	if code != exitBad {
		t.Errorf("exit %d", code)
	}
	simulated(t, state, "elasticloadbalancing:DescribeListeners")
	out, code = runParley(t, "aws", "audit", "--require", "tls1.2", "--json")
	if doc := validateWith(t, auditSchema, out.Bytes()).(map[string]any); code != exitUndecided || len(doc["problems"].([]any)) == 0 {
		t.Errorf("exit %d:\n%s", code, out)
	}
}
