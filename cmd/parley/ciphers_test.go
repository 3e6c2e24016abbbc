package main

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestCiphersJSON validates real documents, good answers and bad, against the published schema.
func TestCiphersJSON(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/ciphers.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"ALL:COMPLEMENTOFALL"}, {"--openssl", "1.0.2", "ALL:COMPLEMENTOFALL"}, {"--openssl=1.1.1", "-s", "-psk", "-srp", "ALL"},
		{"--openssl", "3.5", "-ciphersuites", "TLS_FALLBACK_SCSV:TLS_SHA256_SHA256", "SUITEB128"}, {"RC4-SHA:AES129-SHA"}, {"AES:@FOO"},
		{"-ciphersuites", "NOPE", "AES"}, {"-convert", "TLS_AES_128_GCM_SHA256"}, {"-convert", "TLS_AES_128_GCM_SHA257"}, {"-provider", "legacy", "ALL"},
		{"-s", "-tls1_3", "-ciphersuites", "", "ALL"},
	} {
		root := newRoot()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetErr(&out)
		root.SetArgs(append([]string{"ciphers", "--json"}, args...))
		_ = root.Execute() // bad answers carry an exit code
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
