package render

import (
	_ "embed"
	"fmt"
	"io"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/parley-tls/parley/inspect"
)

//go:embed scan.css
var scanStyle string

type scanHTML struct {
	w     io.Writer
	names ScanNames
	begun bool
}

// NewScanHTML writes one page that needs nothing else: no script, no font, no image from anywhere.
func NewScanHTML(w io.Writer, names ScanNames) ScanWriter { return &scanHTML{w: w, names: names} }

func (s *scanHTML) begin() error {
	if s.begun {
		return nil
	}
	s.begun = true
	return writeHTML(s.w, pageHead("TLS scan by Parley", scanStyle))
}

func (s *scanHTML) Report(r *inspect.Report) error {
	if err := s.begin(); err != nil {
		return err
	}
	return writeHTML(s.w, scanArticle(r, s.names))
}

func (s *scanHTML) Close() error {
	if err := s.begin(); err != nil {
		return err
	}
	return writeHTML(s.w, g.Raw(pageEnd))
}

// scanArticle is all of one report.
func scanArticle(r *inspect.Report, names ScanNames) g.Node {
	return g.Group{h.Article(lineEnd,
		scanHeader(r), lineEnd,
		scanTrouble(r),
		g.Iff(r.Reached, func() g.Node { return scanFound(r, names) }),
		baselineSection(r.Baseline),
		listSection("Unsure", r.Unsure),
		listSection("Not tested", r.NotTested),
		h.P(h.Class("dim"), g.Textf("%d connections, %d ms", r.Connections, r.DurationMS)), lineEnd,
	), lineEnd}
}

// scanHeader names the endpoint, with its level.
func scanHeader(r *inspect.Report) g.Node {
	return h.Header(lineEnd,
		h.Div(h.H1(g.Text(r.Target.Name)), lineEnd, h.Div(h.Class("dim"), g.Text(targetWords(r)))), lineEnd,
		g.Iff(r.Grade != nil, func() g.Node {
			level := string(r.Grade.Level)
			return g.Group{h.Div(h.Class("badge "+level), h.Small(g.Text("level")), g.Text(level)), lineEnd}
		}),
	)
}

// targetWords say what was connected to, when, and how much was asked.
func targetWords(r *inspect.Report) string {
	l := []string{r.Target.Address}
	if r.Target.ServerName != "" {
		l = append(l, "name "+r.Target.ServerName)
	}
	if r.Target.StartTLS != "" {
		l = append(l, "STARTTLS "+r.Target.StartTLS)
	}
	l = append(l, r.Started.Format("2 January 2006 15:04 MST"))
	if r.Depth != inspect.Full {
		l = append(l, string(r.Depth)+" scan")
	}
	return strings.Join(l, " · ")
}

// scanTrouble says why a report is empty or not whole.
func scanTrouble(r *inspect.Report) g.Node {
	var l g.Group
	if r.Cause != nil {
		l = append(l, h.P(h.Class("bad"), g.Textf("Not scanned: %s (%s)", r.Cause.Summary, r.Cause.ID)), lineEnd)
	}
	if r.Interrupted {
		l = append(l, h.P(h.Class("warn"), g.Text("Interrupted: this is what was found until then.")), lineEnd)
	}
	return l
}

// scanFound is what an endpoint that answered was found to do.
func scanFound(r *inspect.Report, names ScanNames) g.Node {
	return g.Group{
		protocolChips(r.Protocols),
		vulnerableLead(r),
		gradeSection(r.Grade),
		vulnerabilitySection(r),
		policySection(r.PolicyMatch),
		g.Map(r.Ciphers, func(l inspect.CipherList) g.Node { return cipherSection(&l, names) }),
		weaknessSection(weaknessesOf(r, names)),
		g.Map(r.Groups, groupSection),
		certificateSections(r.Certificates),
		featureSection(featureRows(r)),
	}
}

// protocolChips say for each version whether it is accepted.
func protocolChips(l []inspect.Protocol) g.Node {
	return g.Group{h.Ul(h.Class("chips"), g.Map(l, func(p inspect.Protocol) g.Node {
		class, state := "warn", string(p.State)
		switch p.State {
		case inspect.Yes:
			class, state = protocolClass(p.Version), "on"
		case inspect.No:
			class, state = "dim", "off"
		}
		return h.Li(h.Class(class), g.Text(p.Version.String()+" "+state))
	})), lineEnd}
}

// vulnerableLead names at the top what was proved.
func vulnerableLead(r *inspect.Report) g.Node {
	var names []string
	for _, x := range r.Proven() {
		names = append(names, x.Name)
	}
	if len(names) == 0 {
		return nil
	}
	return g.Group{h.P(h.Class("lead bad"), g.Text("Vulnerable: "+strings.Join(names, ", "))), lineEnd}
}

// baselineSection is what changed since a former report.
func baselineSection(c *inspect.Comparison) g.Node {
	if c == nil {
		return nil
	}
	changes := g.Group{h.Li(g.Text("none"))}
	if len(c.Changes) > 0 {
		changes = g.Map(c.Changes, func(x inspect.Change) g.Node { return h.Li(classIf(x.Worse, "bad"), g.Text(x.What)) })
	}
	return g.Group{h.H2(g.Text("Changes since " + c.Since)), h.Ul(changes), lineEnd}
}

// listSection is a title with its items; nothing without any.
func listSection(title string, items []string) g.Node {
	if len(items) == 0 {
		return nil
	}
	return g.Group{h.H2(g.Text(title)), h.Ul(texts(h.Li, items)), lineEnd}
}

// featureSection is what the endpoint does beside versions and suites.
func featureSection(rows [][2]string) g.Node {
	if len(rows) == 0 {
		return nil
	}
	return g.Group{h.H2(g.Text("Features")), h.Dl(g.Map(rows, func(row [2]string) g.Node {
		return g.Group{h.Dt(g.Text(row[0])), h.Dd(classIf(strings.HasPrefix(row[1], "not "), "dim"), g.Text(row[1]))}
	})), lineEnd}
}

// groupSection is the groups of one version, in a chip each.
func groupSection(l inspect.GroupList) g.Node {
	return g.Group{h.H2(g.Textf("Groups of %s", l.Version)), lineEnd, h.Ul(h.Class("chips"), g.Map(l.Groups, func(x inspect.Group) g.Node {
		return h.Li(h.Class(fmt.Sprint(x.Strength)), g.Text(scanGroupName(x.Group)))
	})), lineEnd}
}
