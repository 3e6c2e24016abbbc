package declared

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// files reads those that a pattern names, with names below testdata.
func files(t testing.TB, patterns ...string) []File {
	t.Helper()
	var l []File
	for _, p := range patterns {
		names, err := filepath.Glob(filepath.Join("testdata", p))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v, no file", p, err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			rel, _ := filepath.Rel("testdata", name)
			l = append(l, File{filepath.ToSlash(rel), data})
		}
	}
	return l
}

// TestSamples compares what samples declare with golden files, which a person has read.
func TestSamples(t *testing.T) {
	terraform := files(t, "terraform/*.tf", "terraform/modules/web/*.tf", "terraform/.terraform/modules/*.json", "terraform/.terraform/modules/alb/*.tf")
	for name, read := range map[string]func() (*Result, error){
		"terraform":  func() (*Result, error) { return ReadTerraform(terraform) },
		"plan":       func() (*Result, error) { return ReadPlan(files(t, "plan.json")[0]) },
		"shop":       func() (*Result, error) { return ReadCloudFormation(files(t, "cloudformation/shop.yaml")[0]) },
		"cdk":        func() (*Result, error) { return ReadCloudFormation(files(t, "cloudformation/cdk.json")[0]) },
		"kubernetes": func() (*Result, error) { return ReadKubernetes(files(t, "kubernetes/*.yaml")) },
	} {
		t.Run(name, func(t *testing.T) {
			r, err := read()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", write(r))
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

// write puts a result into lines for people to review.
func write(r *Result) string {
	var b strings.Builder
	for _, l := range r.Listeners {
		fmt.Fprintf(&b, "%s  %s:%d kind=%s\n", l.Resource, l.Protocol, l.Port, l.Kind)
		fmt.Fprintf(&b, "    at %s %s\n", l.At, l.At.Path)
		if l.Policy != "" {
			fmt.Fprintf(&b, "    policy %s default=%v reference=%s\n", l.Policy, l.Default, l.Reference)
		}
		if l.Accepts != nil {
			fmt.Fprintf(&b, "    accepts %v %v\n", l.Accepts.Versions, l.Accepts.Suites)
		}
		if l.Unknown != "" {
			fmt.Fprintf(&b, "    unknown: %s\n", l.Unknown)
		}
		if l.Redirects {
			fmt.Fprintf(&b, "    redirects to HTTPS\n")
		}
		for _, n := range l.Notes {
			fmt.Fprintf(&b, "    note: %s\n", n)
		}
	}
	for _, u := range r.Unseen {
		fmt.Fprintf(&b, "unseen %s: %s\n", u.At, u.What)
	}
	return b.String()
}
