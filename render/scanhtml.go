package render

import (
	_ "embed"
	"html/template"
	"io"
	"strings"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/vuln"
)

//go:embed scan.html
var scanPage string

type scanHTML struct {
	w     io.Writer
	page  *template.Template
	begun bool
}

// NewScanHTML writes one page that needs nothing else: no script, no font, no image from anywhere.
func NewScanHTML(w io.Writer, names ScanNames) ScanWriter {
	words := template.FuncMap{
		"cipher":   names.of,
		"group":    scanGroupName,
		"exchange": exchangeWords,
		"briefly":  briefly,
		"weak":     func(r *inspect.Report) []weakness { return weaknessesOf(r, names) },
		"order":    func(l inspect.CipherList) string { return cipherOrderWords(&l) },
		"altnames": func(c scan.CertificateReport) string { return altNames(&c) },
		"day":      func(c scan.CertificateReport) string { return c.NotAfter.UTC().Format("2 January 2006") },
		"invalid":  func(c scan.CertificateReport) bool { return invalidToday(&c) },
		"features": featureRows,
		"age":      protocolClass,
		"open":     func(words string) bool { return strings.HasPrefix(words, "not ") },
		"found": func(r *inspect.Report) []vuln.Finding {
			return append(findingsWith(r, vuln.Vulnerable), findingsWith(r, vuln.Unsure)...)
		},
		"safe":         func(r *inspect.Report) []string { return findingNames(findingsWith(r, vuln.NotVulnerable)) },
		"untested":     untested,
		"words":        verdictWords,
		"verdictClass": verdictClass,
		"join":         func(l []string) string { return strings.Join(l, ", ") },
		"exact":        func(l []inspect.PolicyMatch) bool { return len(l) > 0 && l[0].Exact },
	}
	return &scanHTML{w: w, page: template.Must(template.New("scan").Funcs(words).Parse(scanPage))}
}

// briefly names the reasons for a suite's strength. What follows a colon explains them, once for all suites.
func briefly(reasons []suite.Reason) string {
	var l []string
	for _, x := range reasons {
		name, _, _ := strings.Cut(x.Text, ":")
		l = append(l, name)
	}
	return strings.Join(l, ", ")
}

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

func (s *scanHTML) begin() error {
	if s.begun {
		return nil
	}
	s.begun = true
	return s.write("head", nil)
}

// write fills a part of the page in. The template keeps what a peer says from becoming markup; control characters are
// shown as escapes besides.
func (s *scanHTML) write(part string, v any) error {
	var b strings.Builder
	if err := s.page.ExecuteTemplate(&b, part, v); err != nil {
		return err
	}
	return writeLegible(s.w, b.String(), Style{})
}

func (s *scanHTML) Report(r *inspect.Report) error {
	if err := s.begin(); err != nil {
		return err
	}
	return s.write("report", r)
}

func (s *scanHTML) Close() error {
	if err := s.begin(); err != nil {
		return err
	}
	return s.write("foot", nil)
}
