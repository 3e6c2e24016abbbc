package main

import (
	"strings"
	"testing"

	"github.com/parley-tls/parley/testbed"
)

const upstreamSchema = "../../docs/schema/policy-check-upstream.schema.json"

// TestCheckUpstream holds for accounts whose policies are those of the tables, and where one call is refused.
func TestCheckUpstream(t *testing.T) {
	simulated(t, `{}`)
	out, code := runParley(t, "policy", "check-upstream")
	if code != exitGood || !strings.Contains(out.String(), "the same as Parley's tables") || !strings.Contains(out.String(), "not compared, as no table has them: ELBSample-") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	out, _ = runParley(t, "policy", "check-upstream", "--json")
	if doc := validateWith(t, upstreamSchema, out.Bytes()).(map[string]any); doc["same"] != true {
		t.Errorf("%s", out)
	}
	simulated(t, `{}`, "elasticloadbalancing:DescribeLoadBalancerPolicyTypes")
	out, code = runParley(t, "policy", "check-upstream", "--json")
	if doc := validateWith(t, upstreamSchema, out.Bytes()).(map[string]any); code != exitUndecided || doc["same"] != false {
		t.Errorf("exit %d:\n%s", code, out)
	}
}

// TestCheckUpstreamMoto holds for an account whose table is another one: exit code 1, and a document that fits the schema.
func TestCheckUpstreamMoto(t *testing.T) {
	testbed.Moto(t)
	out, code := runParley(t, "policy", "check-upstream", "--family", "alb")
	if code != exitBad || !strings.Contains(out.String(), "TLS13-1-2-Ext1-PQ-2025-09\n      suites: +") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	out, _ = runParley(t, "policy", "check-upstream", "--family", "alb", "--json")
	validateWith(t, upstreamSchema, out.Bytes())
}
