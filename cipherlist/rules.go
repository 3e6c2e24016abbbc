package cipherlist

import (
	"strings"

	"github.com/parley-tls/parley/suite"
)

// evaluation runs cipher strings over a list.
type evaluation struct {
	*table
	order   order
	level   int // -1 until @SECLEVEL sets it
	faults  []fault
	ignored []Word
	offset  int // of the string being run in what the user wrote; -1 for our own strings
}

// isSeparator reports whether c stands between words.
func isSeparator(c byte) bool { return c == ':' || c == ' ' || c == ';' || c == ',' }

func (b *behaviour) isWordByte(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' ||
		c == '-' || c == '.' || strings.IndexByte(b.wordBytes, c) >= 0
}

// word returns the end of the word that starts at pos.
func (e *evaluation) word(s string, pos int) int {
	for pos < len(s) && e.isWordByte(s[pos]) {
		pos++
	}
	return pos
}

// skip returns the position of the next separator.
func skip(s string, pos int) int {
	for pos < len(s) && !isSeparator(s[pos]) {
		pos++
	}
	return pos
}

// run carries out the rules in s and reports whether it could read all of them. Words that the
// release does not know are passed over, as OpenSSL does.
func (e *evaluation) run(s string) bool {
	ok := true
	for pos := 0; pos < len(s); {
		act, special := add, false
		switch c := s[pos]; {
		case isSeparator(c):
			pos++
			continue
		case c == '-':
			act = drop
			pos++
		case c == '+':
			act = toEnd
			pos++
		case c == '!':
			act = kill
			pos++
		case c == '@':
			special = true
			pos++
		}
		if special {
			end := e.word(s, pos)
			if end == pos {
				e.fault(faultByte, s, pos)
				if !e.readsOn {
					return false
				}
				end = min(end+1, len(s))
			}
			ok = e.special(s, pos, end) && ok
			pos = skip(s, end)
			continue
		}
		p, next, found := e.selection(s, pos)
		switch {
		case found:
			e.order.apply(act, func(r *row) bool { return p.matches(r, e.exportOf()) })
			pos = next
		case next < 0:
			if !e.readsOn {
				return false
			}
			ok = false
			pos = skip(s, min(-next, len(s)))
		default:
			pos = skip(s, next)
		}
	}
	return ok
}

// exportOf is what every suite of the release is: 1.0.2's export suites are not in the mirrored build.
func (e *evaluation) exportOf() exportKind {
	if e.matchByID {
		return exportUnasked
	}
	return exportNot
}

// selection reads words joined by "+" from pos on. It returns what they ask for together, and where
// reading goes on. A negative next is the position after a byte that can't be read.
func (e *evaluation) selection(s string, pos int) (p pattern, next int, found bool) {
	start := pos
	for {
		end := e.word(s, pos)
		if end == pos {
			e.fault(faultByte, s, pos)
			return p, -(end + 1), false
		}
		name, more := s[pos:end], end < len(s) && s[end] == '+'
		if more {
			end++
		}
		q := e.words[name]
		if q == nil {
			e.ignore(name, start, s)
			return p, end, false
		}
		if !p.narrow(q, e.behaviour) {
			return p, end, false
		}
		if !more {
			return p, end, true
		}
		pos = end
	}
}

// narrow makes p ask for what q asks for too, and reports whether anything can satisfy both.
func (p *pattern) narrow(q *pattern, b *behaviour) bool {
	meet := func(a *set, b set) bool {
		switch {
		case b == 0:
		case *a == 0:
			*a = b
		default:
			*a &= b
			return *a != 0
		}
		return true
	}
	if !meet(&p.kx, q.kx) || !meet(&p.auth, q.auth) || !meet(&p.enc, q.enc) || !meet(&p.mac, q.mac) {
		return false
	}
	if q.export != exportUnasked {
		if p.export != exportUnasked && p.export != q.export {
			return false
		}
		p.export = q.export
	}
	if q.class != 0 && p.class == 0 && b.forgetsOff {
		p.off = false
	}
	if !meet(&p.class, q.class) {
		return false
	}
	p.off = p.off || q.off
	p.code = q.code
	if q.code == 0 && q.min != 0 {
		if p.min != 0 && p.min != q.min {
			return false
		}
		p.min = q.min
	}
	return true
}

// special carries out the command s[from:to] that stood after "@".
func (e *evaluation) special(s string, from, to int) bool {
	word := s[from:to]
	level, isLevel := strings.CutPrefix(word, "SECLEVEL=")
	switch {
	case word == "STRENGTH":
		e.order.byStrength()
	case isLevel && len(level) == 1 && e.levels:
		if level[0] < '0' || level[0] > '5' {
			e.fault(faultLevel, s, from)
			return false
		}
		e.level = int(level[0] - '0')
	default:
		e.fault(faultSpecial, s, from)
		return false
	}
	return true
}

// suiteB are the strings that a list beginning with a Suite B word is replaced by (RFC 6460).
var suiteB = []struct{ prefix, rules string }{
	{"SUITEB128ONLY", "ECDHE-ECDSA-AES128-GCM-SHA256"},
	{"SUITEB128C2", "ECDHE-ECDSA-AES256-GCM-SHA384"},
	{"SUITEB128", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"},
	{"SUITEB192", "ECDHE-ECDSA-AES256-GCM-SHA384"},
}

// runAll runs a whole cipher string: Suite B words replace it, DEFAULT at its very beginning stands
// for the release's default string.
func (e *evaluation) runAll(spec string) (isSuiteB, ok bool) {
	for _, b := range suiteB {
		if strings.HasPrefix(spec, b.prefix) {
			e.offset = -1
			return true, e.run(b.rules)
		}
	}
	rest, ok := strings.CutPrefix(spec, "DEFAULT")
	if ok {
		e.offset = -1
		e.run(e.defaults)
		rest = strings.TrimPrefix(rest, ":")
	}
	e.offset = len(spec) - len(rest)
	return false, e.run(rest)
}

// chosen lists the chosen suites in order.
func (o order) chosen() []*row {
	var r []*row
	for _, e := range o {
		if e.chosen {
			r = append(r, e.row)
		}
	}
	return r
}

// ignore notes a word that means nothing to the build.
func (e *evaluation) ignore(name string, at int, s string) {
	if e.offset < 0 {
		return
	}
	w := Word{Text: name}
	if e.lacking(name) || knownElsewhere(name) {
		w.Reason = WordUnavailable
	}
	e.ignored = append(e.ignored, w)
}

// knownElsewhere reports whether some other release or build knows name, as a suite or a class.
func knownElsewhere(name string) bool {
	for _, rel := range Releases {
		t := tableOf(rel, true)
		if t.words[name] != nil || t.lacking(name) {
			return true
		}
	}
	return suite.ByName(name) != nil
}
