// Package bench measures Parley against its bounds and against the scanners that people use today. All of it
// is benchmarks, which run on demand alone: `make bench` runs them and writes RESULTS.md, `go test ./bench
// -run '^$' -bench Why/nginx` runs some. Peers run in the same run, on the same endpoint, through the same
// delay proxy.
package bench

import (
	"fmt"
	"io"
	"strings"
)

// Table is one table of results.
type Table struct {
	Title string
	Intro string // Markdown; what was measured and how
	Head  []string
	Rows  [][]string
}

// Add appends a row; cells are printed with fmt.Sprint.
func (t *Table) Add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = fmt.Sprint(c)
	}
	t.Rows = append(t.Rows, row)
}

// WriteMarkdown prints the table as a section, or nothing if it has no rows.
func (t *Table) WriteMarkdown(w io.Writer) error {
	if len(t.Rows) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", t.Title, t.Intro)
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.Head)
	rule := make([]string, len(t.Head))
	for i := range rule {
		rule[i] = "---"
	}
	line(rule)
	for _, r := range t.Rows {
		line(r)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Replace puts the table into a Markdown text in place of the section with its title, or at the end.
func (t *Table) Replace(text string) string {
	var b strings.Builder
	t.WriteMarkdown(&b) // a Builder takes everything
	before, rest, found := strings.Cut(text, "\n## "+t.Title+"\n")
	if !found {
		return text + b.String()
	}
	if _, after, more := strings.Cut(rest, "\n## "); more {
		return before + b.String() + "\n## " + after
	}
	return before + b.String()
}
