package main

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-tls/parley/client"
)

// TestClientJSON validates real documents of every subcommand, all profiles included, against the published
// schemas.
func TestClientJSON(t *testing.T) {
	for _, c := range []struct {
		schema string
		runs   [][]string
	}{
		{"client-list", [][]string{{"list"}, {"list", "--family", "java,ie"}, {"list", "winxp"}}},
		{"client", [][]string{append([]string{"show"}, client.Names()...), {"show", "jdk-17", "openssl-1.0.1", "python-3.12"}}},
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
			root.SetArgs(append(append([]string{"client"}, args...), "--json"))
			if err := root.Execute(); err != nil {
				t.Errorf("%.3q: %v", args, err)
			}
			doc, err := jsonschema.UnmarshalJSON(&out)
			if err != nil {
				t.Errorf("%.3q: %v", args, err)
				continue
			}
			if err := schema.Validate(doc); err != nil {
				t.Errorf("%.3q: %v", args, err)
			}
		}
	}
}
