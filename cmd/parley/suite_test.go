package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/suite"
)

// runSuite returns what parley suite prints.
func runSuite(t *testing.T, args ...string) []byte {
	t.Helper()
	root := newRoot()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs(append([]string{"suite"}, args...))
	if err := root.Execute(); err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return out.Bytes()
}

// TestSuiteJSON validates real documents against the published schema: the list of all, and every entry in full.
func TestSuiteJSON(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/suite.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var every []string
	for _, e := range suite.Entries() {
		every = append(every, e.Name)
	}
	for _, args := range [][]string{nil, every, append(every, "--clients"), {"RC4-MD5"}, {"0x001D"}, {"grease", "--clients"}, {"TLS_FALLBACK_SCSV"}, {"*GCM*", "--strength", "weak,insecure"},
		{"--kind", "scheme", "--version", "1.3", "--library", "openssl"}} {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(runSuite(t, append(args, "--json")...)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%.5q: %v", args, err)
		}
	}
}

// TestSuiteHolders goes from the policies and clients to what they have, as policy show and client show do.
func TestSuiteHolders(t *testing.T) {
	var got struct {
		Entries []struct {
			Name              string
			Policies, Clients struct {
				Names []string
				Of    int
			}
		}
	}
	if err := json.Unmarshal(runSuite(t, "ECDHE-RSA-AES128-GCM-SHA256", "x25519", "--clients", "--json"), &got); err != nil {
		t.Fatal(err)
	}
	aes, x25519 := got.Entries[0], got.Entries[1]
	for _, p := range policy.All() {
		name := string(p.Family) + "/" + p.Name
		d := render.Detail(p)
		has := slices.ContainsFunc(d.Suites, func(s render.PolicySuite) bool { return s.Cipher == 0xC02F })
		if has != slices.Contains(aes.Policies.Names, name) {
			t.Errorf("%s accepts %s: %v", name, aes.Name, has)
		}
		if has := slices.Contains(p.Groups, suite.X25519); has != slices.Contains(x25519.Policies.Names, name) {
			t.Errorf("%s accepts %s: %v", name, x25519.Name, has)
		}
	}
	if aes.Policies.Of != len(policy.All()) || x25519.Policies.Of >= aes.Policies.Of || x25519.Policies.Of == 0 {
		t.Errorf("of %d and %d policies", aes.Policies.Of, x25519.Policies.Of)
	}
	for _, c := range client.All() {
		if has := slices.Contains(c.Offer().Suites, suite.Code(0xC02F)); has != slices.Contains(aes.Clients.Names, c.Name) {
			t.Errorf("%s offers %s: %v", c.Name, aes.Name, has)
		}
	}
}

// TestSuiteTables holds that no line of any table ends in spaces and that every entry has its line.
func TestSuiteTables(t *testing.T) {
	out := string(runSuite(t))
	for line := range strings.Lines(out) {
		if strings.TrimRight(line, " \n") != strings.TrimSuffix(line, "\n") {
			t.Errorf("%q ends in spaces", line)
		}
	}
	const headings = 3*2 + 2 // a title and the columns of each table, an empty line between them
	if got, want := strings.Count(out, "\n"), len(suite.Entries())+headings; got != want {
		t.Errorf("%d lines, want %d", got, want)
	}
}
