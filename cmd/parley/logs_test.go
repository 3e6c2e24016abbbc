package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-tls/parley/evidence"
)

// TestLogsJSON validates a real document against the published schema, and reads the file of evidence back.
func TestLogsJSON(t *testing.T) {
	schema := jsonschema.NewCompiler().MustCompile("../../docs/schema/logs.schema.json")
	clients := filepath.Join(t.TempDir(), "clients.jsonl")
	cmd := newRoot()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"logs", "testdata/logs", "--json", "--evidence", clients})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(&out)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Error(err)
	}
	f, err := os.Open(clients)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	read, err := evidence.Read(f)
	if in := doc.(map[string]any)["clients"].([]any); err != nil || len(read) != len(in) || len(read) < 8 {
		t.Errorf("%d clients in the file of evidence, %d in the document: %v", len(read), len(in), err)
	}
	for _, c := range read {
		if c.Seen() == 0 || len(c.Servers) > 1 {
			t.Errorf("%+v", c)
		}
	}
}
