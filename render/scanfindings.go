package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/vuln"
)

// heartbleed says it in sslscan's words, of each version.
func (t *scanSections) heartbleed(r *inspect.Report) {
	f := r.Finding("heartbleed")
	if f == nil {
		return
	}
	t.title("Heartbleed")
	switch f.Verdict {
	case vuln.Vulnerable, vuln.NotVulnerable:
		for _, v := range heartbleedVersions(r) {
			words := t.st.Good("not vulnerable")
			if heartbleeds(f, v) {
				words = t.st.Bad("vulnerable")
			}
			t.line("%s %s to heartbleed", v, words)
		}
	default:
		t.line("%s", oneLineWrapped(verdictWords(f.Verdict)+": ", f.Summary))
	}
}

// heartbleedVersions are those that sslscan asks in: all of TLS that are accepted, newest first.
func heartbleedVersions(r *inspect.Report) []suite.Version {
	var l []suite.Version
	for _, p := range slices.Backward(r.Protocols) {
		if p.State == inspect.Yes && p.Version >= suite.TLS10 {
			l = append(l, p.Version)
		}
	}
	return l
}

// heartbleeds says of a version what the check found out in the newest one before TLS 1.3: all have the same code for
// heartbeats. No OpenSSL with the flaw has TLS 1.3.
func heartbleeds(f *vuln.Finding, v suite.Version) bool {
	return f.Verdict == vuln.Vulnerable && v < suite.TLS13
}

// findings writes in full what was found and what is open, worst first, and the rest in few lines.
func (t *scanSections) findings(r *inspect.Report) {
	if len(r.Vulnerabilities) == 0 {
		return
	}
	t.title("Vulnerabilities")
	for _, v := range []vuln.Verdict{vuln.Vulnerable, vuln.Unsure} {
		for _, f := range findingsWith(r, v) {
			t.finding(&f)
		}
	}
	for _, g := range untested(r) {
		t.line("%s", oneLineWrapped("not tested  ", strings.Join(g.Names, ", ")+": "+g.Why))
	}
	if l := findingsWith(r, vuln.NotVulnerable); len(l) > 0 {
		t.line("%s", t.wrap("not vulnerable", t.st.Good, strings.Join(findingNames(l), ", ")))
	}
}

// finding writes one in full.
func (t *scanSections) finding(f *vuln.Finding) {
	paint := t.st.Warn
	if verdictClass(*f) == "bad" {
		paint = t.st.Bad
	}
	t.line("%s", t.wrap(verdictWords(f.Verdict), paint, findingTitle(f)+": "+f.Summary))
	for _, e := range f.Evidence {
		t.line("%s", t.st.Dim(oneLineWrapped("  seen: ", e)))
	}
}

// wrap writes a painted word and what it speaks of, wrapped as if the colour took no space.
func (t *scanSections) wrap(word string, paint func(string) string, text string) string {
	return paint(word) + strings.TrimPrefix(oneLineWrapped(word+"  ", text), word)
}

// findingTitle is "Heartbleed (critical, CVE-2014-0160)".
func findingTitle(f *vuln.Finding) string {
	if f.CVE == "" {
		return fmt.Sprintf("%s (%s)", f.Name, f.Severity)
	}
	return fmt.Sprintf("%s (%s, %s)", f.Name, f.Severity, f.CVE)
}

func verdictWords(v vuln.Verdict) string { return strings.ReplaceAll(string(v), "-", " ") }

// severities are in the order in which findings are shown.
var severities = []vuln.Severity{vuln.Critical, vuln.High, vuln.Medium, vuln.Low, vuln.Info}

// findingsWith are the findings of one verdict, worst first.
func findingsWith(r *inspect.Report, v vuln.Verdict) []vuln.Finding {
	l := slices.DeleteFunc(slices.Clone(r.Vulnerabilities), func(f vuln.Finding) bool { return f.Verdict != v })
	slices.SortStableFunc(l, func(a, b vuln.Finding) int {
		return slices.Index(severities, a.Severity) - slices.Index(severities, b.Severity)
	})
	return l
}

func findingNames(l []vuln.Finding) []string {
	var names []string
	for _, f := range l {
		names = append(names, f.Name)
	}
	return names
}

// unmade is one reason for which checks were not made.
type unmade struct {
	Why   string
	Names []string
}

// untested puts the checks together that were not made for the same reason.
func untested(r *inspect.Report) []unmade {
	var l []unmade
	for _, f := range findingsWith(r, vuln.NotTested) {
		i := slices.IndexFunc(l, func(u unmade) bool { return u.Why == f.Summary })
		if i < 0 {
			l = append(l, unmade{Why: f.Summary})
			i = len(l) - 1
		}
		l[i].Names = append(l[i].Names, f.Name)
	}
	return l
}
