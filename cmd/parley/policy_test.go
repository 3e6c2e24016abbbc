package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-tls/parley/policy"
)

// TestPolicyJSON validates real documents of every subcommand against the published schemas.
func TestPolicyJSON(t *testing.T) {
	const files = "../../policy/testdata/"
	for _, c := range []struct {
		schema string
		runs   [][]string
	}{
		{"policy-list", [][]string{{"list"}, {"list", "--family", "clb"}}},
		{"policy", [][]string{append([]string{"show"}, allPolicies()...), {"show", files + "describe-load-balancer-policies.json"}, {"show", files + "describe-ssl-policies.json"}}},
		{"policy-compare", [][]string{{"compare", "2016-08", "TLS13-1-3-PQ-2025-09"}, {"compare", "classic/2011-08", "gcp/GCP-MODERN", "--cert", "ecdsa:p-256"},
			{"compare", "2015-05", "2016-08"}}},
		{"policy-match", [][]string{{"match", "2016-08"}, {"match", "TLS13-1-2-2021-06", "--cert", "ecdsa"}, {"match", files + "describe-load-balancer-policies.json#legacy-clients"}}},
	} {
		schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/" + c.schema + ".schema.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, args := range c.runs {
			root := newRoot()
			var out bytes.Buffer
			root.SetOut(&out)
			root.SetErr(&out)
			root.SetArgs(append(append([]string{"policy"}, args...), "--json"))
			_ = root.Execute() // a difference carries an exit code
			doc, err := jsonschema.UnmarshalJSON(&out)
			if err != nil {
				t.Errorf("%q: %v", args, err)
				continue
			}
			if err := schema.Validate(doc); err != nil {
				t.Errorf("%q: %v", args, err)
			}
		}
	}
}

func allPolicies() []string {
	var l []string
	for _, p := range policy.All() {
		l = append(l, string(p.Family)+"/"+p.Name)
	}
	return l
}

func TestParseCertificate(t *testing.T) {
	for spec, want := range map[string]policy.Certificate{
		"rsa":         {KeyType: policy.RSA, Bits: 2048},
		"RSA:4096":    {KeyType: policy.RSA, Bits: 4096},
		"ecdsa":       {KeyType: policy.ECDSA, Bits: 256, Curve: 23},
		"ecdsa:P-384": {KeyType: policy.ECDSA, Bits: 384, Curve: 24},
		"ecdsa:521":   {KeyType: policy.ECDSA, Bits: 521, Curve: 25},
		"ed25519":     {KeyType: policy.Ed25519, Bits: 256},
	} {
		if got, err := parseCertificate(spec); err != nil || got.KeyType != want.KeyType || got.Bits != want.Bits || got.Curve != want.Curve {
			t.Errorf("%s: %+v, %v", spec, got, err)
		}
	}
	for _, spec := range []string{"", "rsa:", "rsa:100", "ecdsa:x25519", "ecdsa:999", "gost", "ed25519:256"} {
		if c, err := parseCertificate(spec); err == nil || !strings.Contains(err.Error(), "use rsa:2048") {
			t.Errorf("%q: %+v, %v", spec, c, err)
		}
	}
}

// BenchmarkAllClientsAllPolicies is the full table of who can connect to what.
func BenchmarkAllClientsAllPolicies(b *testing.B) {
	all := policy.All()
	for b.Loop() {
		for _, p := range all {
			comparePolicies(p, p, nil)
		}
	}
}
