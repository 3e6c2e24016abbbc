package symptom

import "strings"

// folded is a text in the form in which patterns are looked for: lower case, `_` and hyphens inside words as spaces, runs of
// blanks as one, line ends as blanks, colour codes gone. So SSLV3_ALERT_HANDSHAKE_FAILURE, "sslv3 alert handshake failure"
// and a copy that a terminal has wrapped are the same.
type folded struct {
	flat  []byte
	lines []int // where each line begins in flat
	raw   []string
}

func foldText(text string) *folded {
	f := &folded{flat: append(make([]byte, 0, len(text)+2), ' '), raw: strings.Split(text, "\n")}
	for i, line := range f.raw {
		if i > 0 && len(f.flat) > 0 && f.flat[len(f.flat)-1] != ' ' {
			f.flat = append(f.flat, ' ')
		}
		f.lines = append(f.lines, len(f.flat))
		f.flat, _ = foldLine(f.flat, line, nil)
	}
	return f
}

// foldLine appends the folded line to b. With offsets it notes for each byte where in line it comes from.
func foldLine(b []byte, line string, offsets []int) ([]byte, []int) {
	put := func(c byte, at int) {
		if c == ' ' && (len(b) == 0 || b[len(b)-1] == ' ') {
			return
		}
		b = append(b, c)
		if offsets != nil {
			offsets = append(offsets, at)
		}
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case 'A' <= c && c <= 'Z':
			put(c+'a'-'A', i)
		case c == '_' || c == '\t' || c == '\r' || c == ' ' || c == '`':
			put(' ', i)
		case c == '-' && i > 0 && isWord(line[i-1]) && i+1 < len(line) && isWord(line[i+1]):
			put(' ', i)
		case c == 0x1b:
			i = colourEnd(line, i)
		case c == '&' && i+4 < len(line):
			plain, n := entity(line[i:])
			put(plain, i)
			i += n - 1
		case c == 0xE2 && i+2 < len(line) && line[i+1] == 0x80:
			put(punctuation(line[i+2]), i)
			i += 2
		default:
			put(c, i)
		}
	}
	return b, offsets
}

// colourEnd is the index of the last byte of the terminal escape sequence that begins at i.
func colourEnd(line string, i int) int {
	if i+1 >= len(line) || line[i+1] != '[' {
		return i
	}
	for j := i + 2; j < len(line) && j < i+16; j++ {
		if line[j] >= '@' {
			return j
		}
	}
	return i + 1
}

// entity reads one of the few character references that copies of web pages have in error texts.
func entity(s string) (byte, int) {
	for _, e := range []struct {
		name  string
		plain byte
	}{{"&quot;", '"'}, {"&#39;", '\''}, {"&apos;", '\''}, {"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&nbsp;", ' '}} {
		if strings.HasPrefix(s, e.name) {
			return e.plain, len(e.name)
		}
	}
	return '&', 1
}

// punctuation is the plain form of U+20xx (its last UTF-8 byte): typographic quotes and dashes.
func punctuation(last byte) byte {
	switch last {
	case 0x98, 0x99:
		return '\''
	case 0x9C, 0x9D:
		return '"'
	case 0x90, 0x91, 0x92, 0x93, 0x94:
		return '-'
	}
	return ' '
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c) || c == '_'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// lineOf is the index of the line that holds the byte at.
func (f *folded) lineOf(at int) int {
	lo, hi := 0, len(f.lines)
	for lo+1 < hi {
		if mid := (lo + hi) / 2; f.lines[mid] <= at {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// lineEnd is where line i ends in flat.
func (f *folded) lineEnd(i int) int {
	if i+1 < len(f.lines) {
		return f.lines[i+1]
	}
	return len(f.flat)
}

const maxQuote = 160

// quote is what of the original text stands from start to end; of a phrase that a line end parts, what is on its first line.
func (f *folded) quote(start, end int) string {
	i := f.lineOf(start)
	raw := f.raw[i]
	_, at := foldLine(nil, raw, []int{})
	from, to := start-f.lines[i], end-f.lines[i]
	// A blank that began the line was joined with the one before it.
	if len(at) == 0 || from >= len(at) {
		return clip(raw, 0, len(raw))
	}
	first, last := at[from], len(raw)
	if to-1 < len(at) && to > 0 {
		last = at[to-1] + 1
	}
	return clip(raw[first:last], 0, last-first)
}

// clip cuts s to maxQuote bytes around the part from first to last, at whole characters.
func clip(s string, first, last int) string {
	s, first, last = trimmed(s, first, last)
	if len(s) <= maxQuote {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	from := max(0, min(first-(maxQuote-(last-first))/2, len(s)-maxQuote))
	to := min(len(s), from+maxQuote)
	out := strings.ToValidUTF8(s[from:to], "")
	if from > 0 {
		out = "…" + out
	}
	if to < len(s) {
		out += "…"
	}
	return out
}

func trimmed(s string, first, last int) (string, int, int) {
	t := strings.TrimLeft(s, " \t\r")
	cut := len(s) - len(t)
	t = strings.TrimRight(t, " \t\r")
	return t, max(0, first-cut), min(len(t), max(0, last-cut))
}
