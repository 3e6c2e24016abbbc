package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/symptom"
)

// maxEvidence is how many phrases the text output shows.
const maxEvidence = 6

// Explain writes what an error text means for people: the cause, where it failed, the other causes, what in the text decided,
// what would decide, and the next command.
func Explain(w io.Writer, e *symptom.Explanation, st Style) error {
	var b strings.Builder
	explainHead(&b, e, st)
	explainGroups(&b, e, st)
	explainOthers(&b, e, st)
	explainEvidence(&b, e, st)
	explainDecide(&b, e, st)
	if len(e.Next) > 0 {
		fmt.Fprintf(&b, "\n%s\n", st.Bold("Next"))
		for _, c := range e.Next {
			fmt.Fprintf(&b, "  %s\n", oneLine(c))
		}
	}
	if e.Cut {
		fmt.Fprintf(&b, "\nOnly the first %d MiB were read (%d lines); the rest was left out.\n", symptom.MaxText>>20, e.Lines)
	}
	return writeLegible(w, b.String(), st)
}

func explainHead(b *strings.Builder, e *symptom.Explanation, st Style) {
	top := e.Causes[0]
	if e.Outcome == symptom.Unknown {
		fmt.Fprintf(b, "%s  %s\n", st.Warn("UNKNOWN"), "the text does not decide")
	} else {
		fmt.Fprintf(b, "%s  %s, %s\n", st.Bad(string(top.ID)), share(top.Confidence), symptom.ConfidenceWords(top.Confidence))
		fmt.Fprintln(b, wrapped("  ", sentence(top.Summary)))
	}
	fmt.Fprintf(b, "  Where: %s\n", e.Class.Words())
	if s := e.Settled; s != nil {
		fmt.Fprintln(b, wrapped("  ", s.Words))
	}
}

func explainOthers(b *strings.Builder, e *symptom.Explanation, st Style) {
	if len(e.Causes) < 2 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", st.Bold("Other causes"))
	var rows [][]string
	for _, c := range e.Causes[1:] {
		rows = append(rows, []string{"", share(c.Confidence), string(c.ID), c.Summary})
	}
	Table(b, nil, rows)
}

func explainGroups(b *strings.Builder, e *symptom.Explanation, st Style) {
	if len(e.Groups) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", st.Bold("Lines by cause"))
	var rows [][]string
	for _, g := range e.Groups {
		rows = append(rows, []string{"", fmt.Sprint(g.Lines), string(g.Cause), share(g.Confidence), fmt.Sprintf("line %d: %s", g.First, shortened(oneLine(g.Sample), 80))})
	}
	Table(b, []string{"", "lines", "cause", "", "first"}, rows)
}

func explainEvidence(b *strings.Builder, e *symptom.Explanation, st Style) {
	if len(e.Evidence) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", st.Bold("What the text says"))
	for i, v := range e.Evidence {
		if i == maxEvidence {
			fmt.Fprintf(b, "  … and %d more (--json has them)\n", len(e.Evidence)-i)
			break
		}
		at := fmt.Sprintf("line %d: ", v.Line)
		if e.Lines < 2 || v.Line == 0 {
			at = ""
		}
		times := ""
		if v.Count > 1 && v.Kind != "context" {
			times = fmt.Sprintf(" (%d times)", v.Count)
		}
		fmt.Fprintf(b, "  %s`%s`%s\n%s\n", at, shortened(oneLine(v.Text), 100), times, wrapped("    ", v.Means))
	}
}

func explainDecide(b *strings.Builder, e *symptom.Explanation, st Style) {
	var lines []string
	for i, c := range e.Causes {
		if c.Shows == "" || i > 0 && c.Confidence < 0.1 || i == 4 {
			continue
		}
		line := fmt.Sprintf("%s, if %s", c.ID, c.Shows)
		if c.ID == cause.Unknown || e.Settled != nil && e.Settled.Decided {
			line = sentence(c.Shows)
		}
		lines = append(lines, wrapped("  ", line))
	}
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n%s\n", st.Bold("What would decide"), strings.Join(lines, "\n"))
}

func share(c float64) string { return fmt.Sprintf("%.0f %%", 100*c) }

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// shortened cuts s to n characters.
func shortened(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
