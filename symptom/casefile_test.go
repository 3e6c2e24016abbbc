package symptom_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-tls/parley/cause"
)

// testCase is one reported failure; testdata/cases/README.md describes the fields.
type testCase struct {
	ID     string
	Source string
	Text   string
	Cause  cause.ID
	Also   []cause.ID
	Class  string
	Split  string // "dev" or "test"
	basis  string
	file   string
	line   int // of the id, from 1
}

// caseClasses are the classes of testdata/cases/README.md.
var caseClasses = map[string]bool{
	"local":                    true,
	"refused-by-load-balancer": true,
	"refused-by-client":        true,
	"not-tls":                  true,
	"not-negotiation":          true,
	"network":                  true,
}

// readCases reads all cases under testdata/cases, in the order of files and lines, and ends the
// test at the first that can't be read.
func readCases(t *testing.T) []testCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "cases", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var all []testCase
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cases, err := parseCases(file, string(data))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, cases...)
	}
	return all
}

// parseCases reads the blocks of one file. Errors name file and line.
func parseCases(file, data string) ([]testCase, error) {
	var cases []testCase
	var c *testCase
	var seen map[string]bool
	var text []string
	inText := false
	finish := func() error {
		if c == nil {
			return nil
		}
		for _, key := range []string{"id", "source", "cause", "class", "split", "basis", "text"} {
			if !seen[key] {
				return fmt.Errorf("%s:%d: case without %s", file, c.line, key)
			}
		}
		c.Text = strings.Join(text, "\n")
		cases = append(cases, *c)
		c, seen, text, inText = nil, nil, nil, false
		return nil
	}
	for i, line := range strings.Split(data, "\n") {
		n := i + 1
		if line == "" {
			if err := finish(); err != nil {
				return nil, err
			}
			continue
		}
		if inText {
			content, ok := strings.CutPrefix(line, "  ")
			if !ok {
				return nil, fmt.Errorf("%s:%d: a line of text begins with two spaces", file, n)
			}
			if content == "." {
				content = ""
			}
			text = append(text, content)
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if !ok {
			return nil, fmt.Errorf("%s:%d: want field: value", file, n)
		}
		if c == nil {
			if key != "id" {
				return nil, fmt.Errorf("%s:%d: a case begins with its id", file, n)
			}
			c, seen = &testCase{file: file, line: n}, map[string]bool{}
		}
		if seen[key] {
			return nil, fmt.Errorf("%s:%d: a second %s", file, n, key)
		}
		seen[key] = true
		if (value == "") != (key == "text") {
			return nil, fmt.Errorf("%s:%d: %s has a value out of place, or none", file, n, key)
		}
		switch key {
		case "id":
			c.ID = value
		case "source":
			c.Source = value
		case "cause":
			c.Cause = cause.ID(value)
		case "also":
			for _, id := range strings.Fields(value) {
				c.Also = append(c.Also, cause.ID(id))
			}
		case "class":
			c.Class = value
		case "split":
			c.Split = value
		case "basis":
			c.basis = value
		case "text":
			inText = true
		default:
			return nil, fmt.Errorf("%s:%d: no field %q", file, n, key)
		}
	}
	return cases, finish()
}

func TestCaseFiles(t *testing.T) {
	cases := readCases(t)
	if len(cases) < 120 {
		t.Errorf("%d cases, want 120 at least", len(cases))
	}
	ids, sources := map[string]string{}, map[string]string{}
	inFile := map[string]int{}
	for _, c := range cases {
		at := fmt.Sprintf("%s:%d %s", c.file, c.line, c.ID)
		if other, ok := ids[c.ID]; ok {
			t.Errorf("%s: id is taken by %s", at, other)
		}
		ids[c.ID] = at
		if other, ok := sources[c.Source]; ok {
			t.Errorf("%s: source is that of %s", at, other)
		}
		sources[c.Source] = at

		inFile[c.file]++
		name := strings.TrimSuffix(filepath.Base(c.file), ".txt")
		if want := fmt.Sprintf("%s-%03d", name, inFile[c.file]); c.ID != want {
			t.Errorf("%s: id is %q, want %q", at, c.ID, want)
		}
		every := 3
		switch {
		case strings.HasSuffix(name, "-2"):
			every = 2
		case strings.HasSuffix(name, "-3"):
			every = 1
		}
		want := "test"
		if (inFile[c.file]-1)%every == 0 {
			want = "dev"
		}
		if c.Split != want {
			t.Errorf("%s: split is %q, want %q", at, c.Split, want)
		}

		u, err := url.Parse(c.Source)
		if err != nil || u.Scheme != "https" || !strings.Contains(u.Host, ".") || len(u.Path) < 2 {
			t.Errorf("%s: source %q is no https address of a thread", at, c.Source)
		}
		if !caseClasses[c.Class] {
			t.Errorf("%s: no class %q", at, c.Class)
		}
		for i, id := range append([]cause.ID{c.Cause}, c.Also...) {
			if _, ok := cause.Lookup(id); !ok {
				t.Errorf("%s: no cause %q", at, id)
			}
			if i > 0 && id == c.Cause {
				t.Errorf("%s: also has the cause itself", at)
			}
		}
		if strings.TrimSpace(c.Text) == "" {
			t.Errorf("%s: no text", at)
		}
		if n := strings.Count(c.Text, "\n") + 1; n > 40 {
			t.Errorf("%s: text of %d lines, want 40 at most", at, n)
		}
	}
}

func TestParseCasesErrors(t *testing.T) {
	good := "id: a-001\nsource: https://example.com/1\ncause: unknown\nclass: local\nsplit: dev\nbasis: b\ntext:\n  x\n  .\n  y\n"
	cases, err := parseCases("a.txt", "\n"+good)
	if err != nil || len(cases) != 1 || cases[0].Text != "x\n\ny" {
		t.Fatalf("parseCases(good) = %+v, %v", cases, err)
	}
	for name, data := range map[string]string{
		"no id first":     strings.Replace(good, "id: a-001\n", "", 1),
		"missing cause":   strings.Replace(good, "cause: unknown\n", "", 1),
		"empty cause":     strings.Replace(good, "cause: unknown", "cause:", 1),
		"twice":           strings.Replace(good, "class: local\n", "class: local\nclass: local\n", 1),
		"no such field":   strings.Replace(good, "class: local", "klass: local", 1),
		"no colon":        strings.Replace(good, "class: local", "class local", 1),
		"text unindented": strings.Replace(good, "  x\n", "x\n", 1),
		"text in line":    strings.Replace(good, "text:\n", "text: x\n", 1),
		"no text":         strings.Replace(good, "text:\n  x\n  .\n  y\n", "", 1),
	} {
		if _, err := parseCases("a.txt", data); err == nil {
			t.Errorf("%s: no error", name)
		} else if !strings.HasPrefix(err.Error(), "a.txt:") {
			t.Errorf("%s: error %q names no place", name, err)
		}
	}
}
