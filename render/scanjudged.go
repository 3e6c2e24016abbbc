package render

import (
	"strings"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/scan"
)

func (t *scanSections) policies(r *inspect.Report) {
	if len(r.PolicyMatch) == 0 {
		return
	}
	t.title("Security policy")
	if !r.PolicyMatch[0].Exact {
		t.line("no predefined policy; the nearest:")
	}
	for _, m := range r.PolicyMatch {
		t.line("%s (%s)", m.Name, m.Family)
		if len(m.Missing) > 0 {
			t.line("%s", wrapped("  lacks ", strings.Join(m.Missing, ", ")))
		}
		if len(m.Extra) > 0 {
			t.line("%s", wrapped("  also has ", strings.Join(m.Extra, ", ")))
		}
	}
}

func (t *scanSections) grade(r *inspect.Report) {
	g := r.Grade
	if g == nil {
		return
	}
	t.title("Grade by Mozilla's levels")
	t.line("%s", t.level(g.Level))
	for i, m := range g.Missed {
		if i == 0 {
			t.line("To reach %s (%s):", m.Level, m.Guideline)
		} else {
			t.line("For %s (%s):", m.Level, m.Guideline)
		}
		for _, d := range m.Deductions {
			t.line("%s", oneLineWrapped("  - ", d.Found))
			if i == 0 {
				t.line("%s", oneLineWrapped("    change: ", d.Change))
			}
		}
	}
	for _, n := range g.Notes {
		t.line("%s", wrapped("note: ", n))
	}
}

func (t *scanSections) severity(s scan.Severity) string {
	switch s {
	case scan.Bad:
		return t.st.Bad(string(s))
	case scan.Weak:
		return t.st.Warn(string(s))
	}
	return t.st.Dim(string(s))
}

// oneLineWrapped wraps text of a peer.
func oneLineWrapped(prefix, text string) string { return wrapped(prefix, oneLine(text)) }

func (t *scanSections) level(l inspect.Level) string {
	switch l {
	case inspect.Modern, inspect.Intermediate:
		return t.st.Good(string(l))
	case inspect.Old:
		return t.st.Warn(string(l))
	}
	return t.st.Bad(string(l))
}

func (t *scanSections) changes(r *inspect.Report) {
	c := r.Baseline
	if c == nil {
		return
	}
	t.title("Changes since " + oneLine(c.Since))
	for _, x := range c.Changes {
		mark := " "
		if x.Worse {
			mark = t.st.Bad("!")
		}
		t.line("%s %s", mark, oneLine(x.What))
	}
	if len(c.Changes) == 0 {
		t.line("none")
	}
}

// maxUnsure is how many open questions the text lists: a scan that was given up has hundreds.
const maxUnsure = 20

func (t *scanSections) open(r *inspect.Report) {
	if len(r.Unsure) > 0 {
		t.title("Unsure")
		for i, u := range r.Unsure {
			if i == maxUnsure && len(r.Unsure) > maxUnsure+1 {
				t.line("and %d more, which --json lists", len(r.Unsure)-i)
				break
			}
			t.line("%s", oneLine(u))
		}
	}
	if len(r.NotTested) > 0 {
		t.title("Not tested")
		for _, u := range r.NotTested {
			t.line("%s", wrapped("", u))
		}
	}
}
