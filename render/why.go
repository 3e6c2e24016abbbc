package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/suite"
)

// reportWidth is where long lists are wrapped.
const reportWidth = 110

// Why writes a diagnosis for people: does it work, why not, the two sets, the policy, the fixes, the evidence.
func Why(w io.Writer, d *diagnose.Diagnosis, st Style) error {
	var b strings.Builder
	headline(&b, d, st)
	for i, c := range d.Causes {
		if i == 3 {
			fmt.Fprintf(&b, "  … and %d less probable causes (--json has them)\n", len(d.Causes)-i)
			break
		}
		causeText(&b, c, causeTitle(i, d.Explained()), st)
	}
	listenerText(&b, d.AWS, st)
	repeatText(&b, d.Repeat, st)
	matchText(&b, d, st)
	fixText(&b, d, st)
	evidenceText(&b, d, st)
	return writeLegible(w, b.String(), st)
}

func repeatText(b *strings.Builder, r *diagnose.Repeat, st Style) {
	if r == nil {
		return
	}
	fmt.Fprintf(b, "\n%s\n%s\n", st.Bold("Repeated"), wrapped("  ", r.Summary))
	var rows [][]string
	for _, s := range []diagnose.Series{r.A, r.B} {
		rows = append(rows, []string{"", fmt.Sprintf("%d of %d failed", s.Failures, s.Tries), fmt.Sprintf("%.0f %%", 100*s.Rate),
			fmt.Sprintf("95 %% confidence interval %.0f to %.0f %%", 100*s.Low, 100*s.High), s.Variant})
	}
	Table(b, nil, rows)
}

// listenerText says in short what the API tells of the listener.
func listenerText(b *strings.Builder, t *diagnose.Told, st Style) {
	if t == nil {
		return
	}
	about := []string{fmt.Sprintf("%s %s in %s", t.Kind.Title(), t.LoadBalancer, t.Region)}
	if t.Scheme != "" {
		about = append(about, t.Scheme)
	}
	protocol := t.Protocol
	if protocol == "" {
		protocol = "no listener"
	}
	about = append(about, fmt.Sprintf("port %d: %s", t.Port, protocol))
	if t.TLS() {
		about = append(about, "policy "+t.Policy)
		for _, c := range t.Certificates {
			if c.Key != "" {
				about = append(about, fmt.Sprintf("%s for %s until %s", c.Key, strings.Join(c.Names, " "), c.NotAfter.UTC().Format("2006-01-02")))
			}
		}
		if t.MutualTLS != "" && t.MutualTLS != "off" {
			about = append(about, "mutual TLS "+t.MutualTLS)
		}
	}
	fmt.Fprintf(b, "\n%s\n%s\n", st.Bold("Listener, as the API tells it"), oneLineWrapped("  ", strings.Join(about, ", ")))
}

func headline(b *strings.Builder, d *diagnose.Diagnosis, st Style) {
	target := d.Target.Name
	if a := d.Target.Address; a != "" && a != target {
		target += " (" + a + ")"
	}
	would := map[bool]string{true: "would be ", false: ""}[d.Predicted]
	switch d.Outcome {
	case diagnose.Negotiated:
		a := d.Negotiated
		fmt.Fprintf(b, "%s  %s -> %s: %snegotiated %s %s", st.Good("WORKS"), d.Client.Name, target, would, a.Version, a.Cipher.OpenSSL())
		if a.Group != 0 {
			fmt.Fprintf(b, ", %s", a.Group)
		}
		if a.ALPN != "" {
			fmt.Fprintf(b, ", ALPN %s", oneLine(a.ALPN))
		}
	case diagnose.Refused:
		fmt.Fprintf(b, "%s  %s -> %s: %srefused", st.Bad("FAILS"), d.Client.Name, target, would)
	default:
		fmt.Fprintf(b, "%s  %s -> %s: no TLS endpoint was reached", st.Bad("FAILS"), d.Client.Name, target)
	}
	b.WriteByte('\n')
}

// causeTitle heads a cause: later ones are less probable, unless the first is certain and they hold as well.
func causeTitle(i int, also bool) string {
	switch {
	case i == 0:
		return "Cause"
	case also:
		return "Also"
	}
	return "Or"
}

func causeText(b *strings.Builder, c diagnose.Cause, title string, st Style) {
	fmt.Fprintf(b, "\n%s  %s (%s, %.0f %%)\n", st.Bold(title), oneLine(c.Summary), c.ID, 100*c.Confidence)
	if len(c.ClientSet)+len(c.ServerSet) > 0 {
		sideBySide(b, c.ClientSet, c.ServerSet)
	}
	if c.Decide != "" {
		fmt.Fprintf(b, "  To be sure: %s\n", c.Decide)
	}
}

// maxSetLines keeps the two sets on one screen.
const maxSetLines = 12

// sideBySide shows the two sets that failed to meet.
func sideBySide(b *strings.Builder, client, server []string) {
	rows := [][]string{}
	at := func(l []string, i int) string {
		switch {
		case i == maxSetLines && len(l) > maxSetLines:
			return fmt.Sprintf("… %d more", len(l)-maxSetLines)
		case i < len(l) && i < maxSetLines:
			return oneLine(l[i])
		}
		return ""
	}
	for i := range min(max(len(client), len(server)), maxSetLines+1) {
		rows = append(rows, []string{"", at(client, i), at(server, i)})
	}
	Table(b, []string{"", "client", "server"}, rows)
}

func matchText(b *strings.Builder, d *diagnose.Diagnosis, st Style) {
	if len(d.PolicyMatch) == 0 || d.Target.Kind == "policy" {
		return
	}
	b.WriteString("\n" + st.Bold("Policy") + "\n")
	if d.PolicyMatch[0].Exact {
		for i, m := range d.PolicyMatch {
			if i == 4 {
				fmt.Fprintf(b, "  … and %d more that look the same from outside\n", len(d.PolicyMatch)-i)
				break
			}
			fmt.Fprintf(b, "  %s (%s)\n", m.Name, m.Family)
		}
		if t := d.PolicyMatch[0].TellApart; t != "" {
			fmt.Fprintf(b, "  told apart by: %s\n", t)
		}
		return
	}
	m := d.PolicyMatch[0]
	fmt.Fprintf(b, "  none exactly; nearest is %s (%s)\n", m.Name, m.Family)
	differences(b, "lacks", m.Missing)
	differences(b, "has besides", m.Extra)
}

func differences(b *strings.Builder, what string, l []string) {
	if len(l) > 0 {
		fmt.Fprintf(b, "%s\n", wrapped("    "+what+": ", strings.Join(l, ", ")))
	}
}

// wrapped breaks text into lines that begin below the first one's text.
func wrapped(prefix, text string) string {
	var b strings.Builder
	b.WriteString(prefix)
	column := len(prefix)
	for i, w := range strings.Fields(text) {
		if i > 0 && column+1+len(w) > reportWidth {
			b.WriteString("\n" + strings.Repeat(" ", len(prefix)))
			column = len(prefix)
		} else if i > 0 {
			b.WriteByte(' ')
			column++
		}
		b.WriteString(w)
		column += len(w)
	}
	return b.String()
}

func fixText(b *strings.Builder, d *diagnose.Diagnosis, st Style) {
	if len(d.Fixes) == 0 {
		return
	}
	b.WriteString("\n" + st.Bold("Fix") + "\n")
	for _, f := range d.Fixes {
		proved := ""
		if f.Proved {
			proved = " (proved: such a hello was accepted)"
		}
		b.WriteString(wrapped(fmt.Sprintf("  %-14s ", f.Side), f.Summary+proved) + "\n")
		if p := f.Price; p != nil {
			b.WriteString(wrapped("                 price: ", priceWords(p)) + "\n")
		}
		for _, c := range f.Commands {
			fmt.Fprintf(b, "                 $ %s\n", c)
		}
	}
}

func priceWords(p *diagnose.Price) string {
	var l []string
	versions := func(what string, vs []suite.Version) {
		var names []string
		for _, v := range vs {
			names = append(names, v.String())
		}
		if len(names) > 0 {
			l = append(l, what+" "+strings.Join(names, ", "))
		}
	}
	versions("lets in", p.AddsVersions)
	versions("drops", p.DropsVersions)
	if n := len(p.AddsSuites); n > 0 {
		weak := 0
		for _, c := range p.AddsSuites {
			if suite.StrengthOf(c) <= suite.Weak {
				weak++
			}
		}
		l = append(l, fmt.Sprintf("adds %s (weak: %d)", plural(n, "cipher suite"), weak))
	}
	if n := len(p.DropsSuites); n > 0 {
		l = append(l, "drops "+plural(n, "cipher suite"))
	}
	if p.WeakestNow != p.Weakest {
		l = append(l, fmt.Sprintf("the weakest suite would be %s (now %s)", p.Weakest, p.WeakestNow))
	} else {
		l = append(l, "the weakest suite stays "+p.Weakest)
	}
	return strings.Join(append(l, fmt.Sprintf("%d more of the known clients get in, %d no longer", len(p.GainsClients), len(p.LosesClients))), "; ")
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func evidenceText(b *strings.Builder, d *diagnose.Diagnosis, st Style) {
	var rows []diagnose.Evidence
	for _, c := range d.Causes {
		rows = append(rows, c.Evidence...)
	}
	if len(rows)+len(d.Findings) == 0 {
		return
	}
	b.WriteString("\n" + st.Bold("Evidence") + "\n")
	for _, e := range rows {
		b.WriteString(wrapped("  ", e.Fact) + "\n")
		if e.Command != "" {
			fmt.Fprintf(b, "    %s\n", st.Dim("$ "+e.Command))
		}
	}
	for _, f := range d.Findings {
		b.WriteString(wrapped("  ", f.Summary) + "\n")
	}
	if c := d.Client.Confidence; c != "" && c != "high" && c != "captured" {
		b.WriteString(wrapped("  ", fmt.Sprintf("what %s offers is known with %s confidence only (parley client show %s)", d.Client.Name, c, d.Client.Name)) + "\n")
	}
	if d.Connections > 0 {
		fmt.Fprintf(b, "  %s\n", st.Dim(fmt.Sprintf("%d connections, %d round trips", d.Connections, d.RoundTrips)))
	}
}
