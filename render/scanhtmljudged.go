package render

import (
	"fmt"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/vuln"
)

// protocolClass is the colour of an accepted version, as in the text.
func protocolClass(v suite.Version) string {
	switch {
	case v < suite.TLS10:
		return "bad"
	case v < suite.TLS12:
		return "warn"
	}
	return "good"
}

// verdictClass is the colour of a finding.
func verdictClass(f vuln.Finding) string {
	if f.Verdict == vuln.Vulnerable && (f.Severity == vuln.Critical || f.Severity == vuln.High) {
		return "bad"
	}
	return "warn"
}

// gradeSection is the level, and what keeps the endpoint from the stricter ones.
func gradeSection(grade *inspect.Grade) g.Node {
	if grade == nil {
		return nil
	}
	l := g.Group{h.H2(g.Text("Grade by Mozilla’s levels: "), span(string(grade.Level), string(grade.Level))), lineEnd}
	for i, m := range grade.Missed {
		l = append(l, missedLevel(m, i == 0), lineEnd)
	}
	for _, n := range grade.Notes {
		l = append(l, h.P(h.Class("dim"), g.Text(n)), lineEnd)
	}
	return l
}

// missedLevel is what to change for a level: open to view for the nearest, folded for the others.
func missedLevel(m inspect.Missed, nearest bool) g.Node {
	level := g.Group{h.Strong(g.Text(string(m.Level))), g.Textf(" (%s)", m.Guideline)}
	if nearest {
		return g.Group{h.P(g.Text("To reach "), level, g.Text(":")), lineEnd, deductionTable(m.Deductions)}
	}
	return h.Details(h.Summary(g.Text("For "), level), lineEnd, deductionTable(m.Deductions))
}

func deductionTable(l []inspect.Deduction) g.Node {
	return scrolled(h.Table(h.Class("changes"), headRow("found", "change"), g.Map(l, func(d inspect.Deduction) g.Node {
		return h.Tr(h.Td(g.Text(d.Found)), h.Td(g.Text(d.Change)))
	})))
}

// scrolled lets a table that is wider than the screen move by itself.
func scrolled(table g.Node) g.Node { return h.Div(h.Class("scroll"), table) }

func headRow(titles ...string) g.Node { return h.Tr(texts(h.Th, titles)) }

// vulnerabilitySection is the checks: what was found or is unsure, what was not tested, and the rest by name.
func vulnerabilitySection(r *inspect.Report) g.Node {
	if len(r.Vulnerabilities) == 0 {
		return nil
	}
	l := g.Group{h.H2(g.Text("Vulnerabilities")), lineEnd}
	for _, f := range append(findingsWith(r, vuln.Vulnerable), findingsWith(r, vuln.Unsure)...) {
		l = append(l, findingBlock(f), lineEnd)
	}
	for _, u := range untested(r) {
		l = append(l, h.P(span("warn", "not tested"), g.Textf(" %s ", strings.Join(u.Names, ", ")), dim(u.Why)), lineEnd)
	}
	if safe := findingNames(findingsWith(r, vuln.NotVulnerable)); len(safe) > 0 {
		l = append(l, h.P(span("good", "not vulnerable"), g.Text(" "), dim(strings.Join(safe, ", "))), lineEnd)
	}
	return l
}

func findingBlock(f vuln.Finding) g.Node {
	class, weight := verdictClass(f), string(f.Severity)
	if f.CVE != "" {
		weight += ", " + f.CVE
	}
	return h.Div(h.Class("finding "+class),
		h.Div(span(class, verdictWords(f.Verdict)), g.Text(" "), h.Strong(g.Text(f.Name)), g.Text(" "), dim(weight)),
		h.P(g.Text(f.Summary)),
		g.Iff(len(f.Evidence) > 0, func() g.Node {
			return h.Details(h.Summary(g.Text("evidence")), h.Ul(texts(h.Li, f.Evidence)))
		}),
	)
}

// policySection is the predefined policies that fit, or come near.
func policySection(l []inspect.PolicyMatch) g.Node {
	if len(l) == 0 {
		return nil
	}
	return g.Group{
		h.H2(g.Text("Security policy")), lineEnd,
		g.If(!l[0].Exact, g.Group{h.P(g.Text("No predefined policy; the nearest:")), lineEnd}),
		h.Ul(g.Map(l, func(m inspect.PolicyMatch) g.Node {
			return h.Li(g.Text(m.Name+" "), dim(fmt.Sprintf("(%s)", m.Family)), difference("lacks ", m.Missing), difference("also has ", m.Extra))
		})), lineEnd,
	}
}

// difference is one way in which a policy differs; nothing where it does not.
func difference(words string, l []string) g.Node {
	if len(l) == 0 {
		return nil
	}
	return g.Group{h.Br(), dim(words + strings.Join(l, ", "))}
}

// weaknessSection is the reasons against suites, with the suites folded.
func weaknessSection(l []weakness) g.Node {
	if len(l) == 0 {
		return nil
	}
	return g.Group{h.H2(g.Text("Weak ciphers")), lineEnd, g.Map(l, func(x weakness) g.Node {
		strength := fmt.Sprint(x.Strength)
		return g.Group{h.Div(h.Class("finding "+strength),
			h.P(span(strength, strength), g.Textf(" %s ", x.Text), dim(x.Source)),
			h.Details(h.Summary(g.Textf("%d of the suites", len(x.Suites))), g.Text(strings.Join(x.Suites, ", "))),
		), lineEnd}
	})}
}
