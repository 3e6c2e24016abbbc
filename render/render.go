// Package render turns values into what people and programs read. Text and JSON come from the same
// value; nothing here decides anything.
package render

import (
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"
)

// JSON writes v as one indented document and a newline.
func JSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// Table writes rows with their columns aligned and two spaces between them; the last column is not
// padded. An empty header is left out.
func Table(w io.Writer, header []string, rows [][]string) error {
	all := rows
	if len(header) > 0 {
		all = append([][]string{header}, rows...)
	}
	var widths []int
	for _, r := range all {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], displayWidth(c))
		}
	}
	var b strings.Builder
	for _, r := range all {
		var line strings.Builder
		for i, c := range r {
			line.WriteString(c)
			if i < len(r)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-displayWidth(c)+2))
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n") // cells at the end may be empty
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// displayWidth counts the characters of s that take room on a terminal: colour codes do not.
func displayWidth(s string) int {
	n := 0
	for {
		i := strings.Index(s, "\x1b[")
		if i < 0 {
			return n + utf8.RuneCountInString(s)
		}
		n += utf8.RuneCountInString(s[:i])
		end := strings.IndexByte(s[i:], 'm')
		if end < 0 {
			return n
		}
		s = s[i+end+1:]
	}
}

// Style colours words. The zero value leaves them plain, as files and pipes want them.
type Style struct{ Colour bool }

func (s Style) paint(code, text string) string {
	if !s.Colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Good, Bad, Warn, Dim and Bold mark a word by its meaning.
func (s Style) Good(t string) string { return s.paint("32", t) }

// Bad marks a failure.
func (s Style) Bad(t string) string { return s.paint("31", t) }

// Warn marks a weakness.
func (s Style) Warn(t string) string { return s.paint("33", t) }

// Dim marks a side remark.
func (s Style) Dim(t string) string { return s.paint("2", t) }

// Bold marks a heading.
func (s Style) Bold(t string) string { return s.paint("1", t) }
