package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/parley-tls/parley/aws/audit"
	"github.com/parley-tls/parley/aws/declared"
)

// AWSAudit is the answer of `parley aws audit` (docs/schema/aws-audit.schema.json).
type AWSAudit struct {
	Schema      string               `json:"schema"`
	Requirement []AWSAuditTerm       `json:"requirement"`
	Listeners   []audit.Judgement    `json:"listeners"` // with TLS, and without where that was asked about; the worst first
	Counts      map[audit.Status]int `json:"counts"`
	WithoutTLS  int                  `json:"without_tls"` // listeners that were not judged
	Unseen      []declared.Unseen    `json:"unseen"`      // what may declare listeners and is in no file here
	Problems    []AWSAuditProblem    `json:"problems"`    // what could not be found out
	Unused      []audit.Waiver       `json:"unused_waivers"`
}

// AWSAuditTerm is one demand of the requirement.
type AWSAuditTerm struct {
	Name string `json:"name"`
	What string `json:"what"`
}

// AWSAuditProblem is something that AWS did not tell, or a file that could not be read.
type AWSAuditProblem struct {
	Where string `json:"where"` // region or file
	Error string `json:"error"`
}

// NewAWSAudit makes the document of a report.
func NewAWSAudit(r *audit.Requirement, report *audit.Report) *AWSAudit {
	d := &AWSAudit{Schema: "parley/aws-audit/1", Listeners: orEmpty(report.Judgements), Counts: report.Counts, WithoutTLS: report.Plain,
		Unused: orEmpty(report.Unused), Unseen: []declared.Unseen{}, Problems: []AWSAuditProblem{}}
	for _, t := range r.Terms {
		d.Requirement = append(d.Requirement, AWSAuditTerm{t.Name, t.What})
	}
	return d
}

// auditHeadings are the statuses that get a section, with what it is called.
var auditHeadings = []struct {
	status audit.Status
	title  string
}{{audit.Below, "Below what is required"}, {audit.Plaintext, "Without TLS"}, {audit.Unknown, "Not known"}, {audit.Waived, "Waived"}}

// Text writes the listeners that do not meet the requirement, with what they fall short of, and how many meet it.
func (d *AWSAudit) Text(w io.Writer, st Style) error {
	var b strings.Builder
	var terms []string
	for _, t := range d.Requirement {
		terms = append(terms, t.Name)
	}
	fmt.Fprintf(&b, "Required: %s\n", st.Bold(strings.Join(terms, ", ")))
	for _, h := range auditHeadings {
		if d.Counts[h.status] == 0 {
			continue
		}
		title := st.Warn(h.title)
		if h.status == audit.Below || h.status == audit.Plaintext {
			title = st.Bad(h.title)
		}
		fmt.Fprintf(&b, "\n%s: %s\n", title, plural(d.Counts[h.status], "listener"))
		for i := range d.Listeners {
			if d.Listeners[i].Status == h.status {
				judgement(&b, &d.Listeners[i], st)
			}
		}
	}
	if n := d.Counts[audit.Meets]; n > 0 {
		fmt.Fprintf(&b, "\n%s: %s\n", st.Good("Meets it"), plural(n, "listener"))
		for i := range d.Listeners {
			if j := &d.Listeners[i]; j.Status == audit.Meets {
				fmt.Fprintf(&b, "  %s\n", judgementLine(j))
			}
		}
	}
	if len(d.Listeners) == 0 {
		b.WriteString("\nNo listener with TLS was found.\n")
	}
	if len(d.Problems)+len(d.Unseen)+len(d.Unused) > 0 {
		b.WriteString("\n")
	}
	for _, p := range d.Problems {
		fmt.Fprintf(&b, "%s %s: %s\n", st.Warn("Not found out:"), oneLine(p.Where), oneLine(p.Error))
	}
	for i, u := range d.Unseen {
		if i == maxUnseen {
			fmt.Fprintf(&b, "%s %d more of the kind: --json has all\n", st.Warn("Not seen:"), len(d.Unseen)-i)
			break
		}
		fmt.Fprintf(&b, "%s %s: %s\n", st.Warn("Not seen:"), oneLine(u.At.String()), oneLine(u.What))
	}
	for _, u := range d.Unused {
		fmt.Fprintf(&b, "%s\n", st.Dim(fmt.Sprintf("The waiver of line %d (%s) is of no use: no listener needs it.", u.Line, oneLine(u.Listener))))
	}
	if d.WithoutTLS > 0 {
		fmt.Fprintf(&b, "\n%s\n", st.Dim(plural(d.WithoutTLS, "listener")+" without TLS not judged."))
	}
	return writeLegible(w, b.String(), st)
}

// maxUnseen is how much of what was not seen the text names.
const maxUnseen = 8

// judgementLine names a listener in one line: where, what, its policy.
func judgementLine(j *audit.Judgement) string {
	var l []string
	if j.At != nil {
		l = append(l, j.At.String(), j.Name)
	} else {
		l = append(l, j.Region, j.LoadBalancer)
	}
	l = append(l, j.Title())
	if j.Policy != "" {
		name := shortPolicy(j.Policy)
		if j.Default {
			name += " (by default)"
		}
		if j.Reference != "" && j.Reference != j.Policy {
			name += " (refers to " + shortPolicy(j.Reference) + ")"
		}
		l = append(l, name)
	}
	return oneLine(strings.Join(l, "  "))
}

// judgement writes a listener with its shortfalls and what to do.
func judgement(b *strings.Builder, j *audit.Judgement, st Style) {
	fmt.Fprintf(b, "  %s\n", judgementLine(j))
	line := func(text string) {
		for _, l := range wrap(text, 94) {
			fmt.Fprintf(b, "      %s\n", oneLine(l))
		}
	}
	for _, text := range shortfalls(j) {
		line(text)
	}
	if j.Reason != "" {
		line(j.Reason)
	}
	if j.Suggested != "" && j.Status == audit.Below {
		line("least change: " + st.Good(j.Suggested))
	}
	for _, n := range j.Notes {
		line(n)
	}
	if wv := j.Waiver; wv != nil {
		day := wv.Until.Format("2006-01-02")
		text := "waived until " + day
		if j.Status != audit.Waived {
			text = st.Bad("its waiver ended on " + day)
		}
		if wv.Reason != "" {
			text += ": " + wv.Reason
		}
		line(text)
	}
}

// shortfalls puts what a listener falls short of into one text for each term: what it accepts beyond it, suites by name.
func shortfalls(j *audit.Judgement) []string {
	var l []string
	for _, group := range chunk(j.Shortfalls, func(a, b *audit.Shortfall) bool { return a.Term == b.Term }) {
		var parts, suites []string
		for _, s := range group {
			if s.Kind == audit.Suite {
				suites = append(suites, s.Suite.OpenSSL())
				continue
			}
			text := s.Text
			if s.Why != "" {
				text += " (" + s.Why + ")"
			}
			parts = append(parts, text)
		}
		if len(suites) > 0 {
			parts = append(parts, fmt.Sprintf("accepts %s: %s", plural(len(suites), "suite"), strings.Join(suites, ", ")))
		}
		l = append(l, shortPolicy(group[0].Term)+": "+strings.Join(parts, "; "))
	}
	return l
}
