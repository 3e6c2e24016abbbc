package symptom

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Pattern is one record of the data: a text that programs print, and what it signals.
type Pattern struct {
	Text   string // as in the file: … stands for up to maxGap characters of a line (at the end: a word may go on), # for a number, a last % for an alert's words
	Signal string // a signal, "+" and a context (with "!" and another: unless the text gives that), "alert:" and a NAME, # or % (received), "sent:" and the same, "side", or "-" (nothing: words that always stand there)
	By     string // who prints it
	Side   string // "client", "server" or "" where either prints it
	Source string // where it was seen, or the run that produced it
	sample string // a text that the record is meant for, where Text itself is none
	padded bool   // three letters, and the blank before them
	open   bool   // the last word may go on
	listed bool   // a record of p-*.tsv, not made of another table
	alerts []alertWords
	parts  []part
	key    int // the part that holds the four bytes that are looked for first
	offset int // of these in the part
}

// part is a piece of a pattern that stands in the text as it is; before says what may stand in front of it.
type part struct {
	text   []byte
	before byte // 0 the beginning, gapMark or numberMark
}

const (
	gapMark    = '~'
	numberMark = '#'
	alertMark  = '%'
	maxGap     = 60
)

// nothing is the signal of words that programs always print: what lies within them is no evidence.
const nothing = "-"

// alertWords is one way to write an alert.
type alertWords struct {
	text   []byte // folded
	number int
}

// compile takes the text of a pattern apart.
func (p *Pattern) compile() error {
	rest, before := p.Text, byte(0)
	rest, p.open = strings.CutSuffix(rest, "…")
	if p.namesAlert() {
		rest = strings.TrimSuffix(rest, "%")
	}
	for {
		i := nextMark(rest)
		piece := rest
		if i >= 0 {
			piece = rest[:i]
		}
		text, _ := foldLine(append(make([]byte, 0, 1+len(piece)), '.'), piece, nil) // the dot keeps a blank at the beginning
		text = text[1:]
		if before == 0 {
			text = bytes.TrimLeft(text, " ")
		}
		if i < 0 && !p.namesAlert() {
			text = bytes.TrimRight(text, " ")
		}
		if before == gapMark || i >= 0 && strings.HasPrefix(rest[i:], "…") {
			text = bytes.TrimSpace(text)
		}
		p.parts = append(p.parts, part{text, before})
		if i < 0 {
			break
		}
		if rest[i] == '#' {
			before, rest = numberMark, rest[i+1:]
		} else {
			before, rest = gapMark, rest[i+len("…"):]
		}
	}
	if only := p.parts[0].text; len(p.parts) == 1 && len(only) == 3 {
		p.parts[0].text = append([]byte{' '}, only...) // four bytes to look for; a folded text begins with a blank
		p.padded = true
	}
	for i, q := range p.parts {
		if len(q.text) == 0 && !(i == len(p.parts)-1 && q.before == numberMark) {
			return fmt.Errorf("%q: nothing stands before or between its marks", p.Text)
		}
	}
	return nil
}

// nextMark is where the first … or # stands in s, or -1. All patterns are read for each text, so it looks at bytes.
func nextMark(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] == '#' || s[i] == "…"[0] && strings.HasPrefix(s[i:], "…") {
			return i
		}
	}
	return -1
}

// namesAlert reports whether p ends in the words of an alert.
func (p *Pattern) namesAlert() bool { return strings.HasSuffix(p.Signal, ":%") }

// index finds patterns by four bytes of each: most places of a text hold the four bytes of none.
type index struct {
	patterns []*Pattern
	first    [slots]int32 // by the slot of four bytes: the first pattern that has them, counted from 1
	next     []int32      // by pattern: the next with the same slot
}

const slots = 1 << 16

func slot(g uint32) uint32 { return (g * 2654435761) >> 16 }

// newIndex chooses for each pattern those four bytes that the fewest patterns share, without a blank where there are such: texts
// are full of blanks.
func newIndex(patterns []*Pattern) (*index, error) {
	x := &index{patterns: patterns, next: make([]int32, len(patterns))}
	count := make([]int32, slots)
	for _, p := range patterns {
		for _, q := range p.parts {
			for o := 0; o+4 <= len(q.text); o++ {
				count[slot(gramOf(q.text[o:]))]++
			}
		}
	}
	for n, p := range patterns {
		best, fewest := uint32(0), int32(1<<30)
		for i, q := range p.parts {
			for o := 0; o+4 <= len(q.text); o++ {
				g := gramOf(q.text[o:])
				c := count[slot(g)]
				if hasBlank(g) {
					c += 1 << 20
				}
				if c < fewest {
					best, fewest, p.key, p.offset = slot(g), c, i, o
				}
			}
		}
		if fewest == 1<<30 {
			return nil, fmt.Errorf("%q: four characters in a row are needed", p.Text)
		}
		x.next[n], x.first[best] = x.first[best], int32(n+1)
	}
	return x, nil
}

func hasBlank(g uint32) bool {
	return byte(g) == ' ' || byte(g>>8) == ' ' || byte(g>>16) == ' ' || byte(g>>24) == ' '
}

func gramOf(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

// match is a place where a pattern stands in a text.
type match struct {
	start, end int
	line       int
	number     int // what stands for #, or -1
	*Pattern
}

// find calls use for each place of each pattern, until use returns false.
func (x *index) find(f *folded, use func(match) bool) {
	t := f.flat
	for i := 0; i+4 <= len(t); i++ {
		for n := x.first[slot(gramOf(t[i:]))]; n != 0; n = x.next[n-1] {
			if m, ok := x.patterns[n-1].at(t, i); ok {
				m.line = f.lineOf(m.start)
				if m.hasGap() && f.lineOf(m.end-1) != m.line {
					continue
				}
				if !use(m) {
					return
				}
			}
		}
	}
}

func (p *Pattern) hasGap() bool { return len(p.parts) > 1 }

// at reports whether p stands in t with its key at i.
func (p *Pattern) at(t []byte, i int) (match, bool) {
	m := match{number: -1, Pattern: p}
	start := i - p.offset
	if start < 0 || !bytes.HasPrefix(t[start:], p.parts[p.key].text) {
		return m, false
	}
	m.start, m.end = start, start+len(p.parts[p.key].text)
	for k := p.key; k > 0; k-- {
		if !m.before(t, p.parts[k-1], p.parts[k].before) {
			return m, false
		}
	}
	for _, q := range p.parts[p.key+1:] {
		if !m.after(t, q) {
			return m, false
		}
	}
	if p.namesAlert() && !m.alert(t) {
		return m, false
	}
	if m.start > 0 && isWord(t[m.start]) && isWord(t[m.start-1]) || !p.open && m.end < len(t) && isWord(t[m.end-1]) && isWord(t[m.end]) {
		return m, false
	}
	if p.padded {
		m.start++
	}
	return m, true
}

// alert extends m by the words of an alert, the longest that stand there.
func (m *match) alert(t []byte) bool {
	if m.end < len(t) && t[m.end] == ' ' {
		m.end++
	}
	for _, w := range m.alerts {
		end := m.end + len(w.text)
		if bytes.HasPrefix(t[m.end:], w.text) && (end == len(t) || !isWord(t[end])) {
			m.end, m.number = end, w.number
			return true
		}
	}
	return false
}

// before extends m to the left by q, with mark between.
func (m *match) before(t []byte, q part, mark byte) bool {
	if mark == numberMark {
		i := m.start
		for i > 0 && isDigit(t[i-1]) {
			i--
		}
		if !m.count(t[i:m.start]) || !bytes.HasSuffix(t[:i], q.text) {
			return false
		}
		m.start = i - len(q.text)
		return true
	}
	from := max(0, m.start-maxGap-len(q.text))
	i := bytes.LastIndex(t[from:m.start], q.text)
	if i < 0 {
		return false
	}
	m.start = from + i
	return true
}

// after extends m to the right by q.
func (m *match) after(t []byte, q part) bool {
	if q.before == numberMark {
		i := m.end
		for i < len(t) && isDigit(t[i]) {
			i++
		}
		if !m.count(t[m.end:i]) || !bytes.HasPrefix(t[i:], q.text) {
			return false
		}
		m.end = i + len(q.text)
		return true
	}
	i := bytes.Index(t[m.end:min(len(t), m.end+maxGap+len(q.text))], q.text)
	if i < 0 {
		return false
	}
	m.end += i + len(q.text)
	return true
}

// count reads the digits that stand for #; there must be some, and not many.
func (m *match) count(digits []byte) bool {
	if len(digits) == 0 || len(digits) > 9 {
		return false
	}
	n, err := strconv.Atoi(string(digits))
	m.number = n
	return err == nil
}
