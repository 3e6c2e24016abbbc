package render

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ownCodes are the escape sequences that a Style writes.
var ownCodes = []string{"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"}

// writeLegible writes a report in which names and texts of a peer may stand. What is not printable in them is
// shown as an escape, so that it does nothing to a terminal; only the line ends and the colours of the report
// itself pass.
func writeLegible(w io.Writer, text string, st Style) error {
	var b strings.Builder
	for i := 0; i < len(text); {
		if code := ownCode(text[i:]); code != "" && st.Colour {
			b.WriteString(code)
			i += len(code)
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1, r < 0x80 && r != '\n' && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += n
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// oneLine keeps a name or a text of a peer from beginning a line of its own in a report.
func oneLine(text string) string { return lineEnds.Replace(text) }

var lineEnds = strings.NewReplacer("\n", `\n`, "\r", `\r`)

// ownCode is the escape sequence of a Style that text begins with, or "".
func ownCode(text string) string {
	for _, c := range ownCodes {
		if strings.HasPrefix(text, c) {
			return c
		}
	}
	return ""
}
