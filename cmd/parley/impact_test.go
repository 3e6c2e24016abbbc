package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestImpactJSON validates real documents against the published schemas, and looks into the pages.
func TestImpactJSON(t *testing.T) {
	for _, c := range []struct {
		schema string
		args   []string
	}{
		{"impact", []string{"impact", "--to", "TLS13-1-2-2021-06", "--from", "2016-08", "testdata/logs", "testdata/hello-two.pcapng"}},
		{"impact", []string{"impact", "--to", "FS-1-2-Res-2020-10", "testdata/hello-tls10.pcap"}},
		{"policy-recommend", []string{"policy", "recommend", "testdata/logs/classic.log", "testdata/hello-two.pcapng", "--allow-loss", "50%"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			page := filepath.Join(t.TempDir(), "page.html")
			cmd := newRoot()
			var out bytes.Buffer
			cmd.SetOut(&out)
			cmd.SetArgs(append(c.args, "--json", "--html", page))
			cmd.Execute() // its exit code is the verdict's
			doc, err := jsonschema.UnmarshalJSON(&out)
			if err != nil {
				t.Fatal(err)
			}
			if err := jsonschema.NewCompiler().MustCompile("../../docs/schema/" + c.schema + ".schema.json").Validate(doc); err != nil {
				t.Error(err)
			}
			html, err := os.ReadFile(page)
			if err != nil || !bytes.Contains(html, []byte("</html>")) || bytes.Contains(html, []byte("<script")) || bytes.Contains(html, []byte("src=")) {
				t.Errorf("the page: %v, %d bytes", err, len(html))
			}
		})
	}
}
