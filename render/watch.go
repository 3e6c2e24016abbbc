package render

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/impact"
	"github.com/parley-tls/parley/watch"
)

// maxGroupsShown keeps a report of a large capture readable; --json has all.
const maxGroupsShown = 60

// Watch writes the report of a capture for people: those that fail first, then what was chosen.
func Watch(w io.Writer, r *watch.Report, failedOnly bool, st Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", r.Source, plural(r.Negotiations, "negotiation"))
	if r.Negotiations > 0 {
		fmt.Fprintf(&b, ": %d established, %s, %d unfinished", r.Established, failedCount(r.Failed, st), r.Unfinished)
	}
	fmt.Fprintf(&b, "\n%s\n", st.Dim(fmt.Sprintf("  %s, %s, %s to %s", plural(r.Packets, "packet"), plural(r.Hellos, "ClientHello"), clock(r.From), clock(r.To))))
	if r.Dropped != nil {
		line := fmt.Sprintf("  %s dropped by the kernel", plural(*r.Dropped, "packet"))
		if *r.Dropped > 0 {
			line = st.Warn(line + ": some negotiations may be missing")
		}
		b.WriteString(line + "\n")
	}
	if r.Partial > 0 {
		fmt.Fprintf(&b, "%s\n", wrapped("  ", fmt.Sprintf("%s of which only a part of the hello was captured (capture full packets: tcpdump -s 0)", plural(r.Partial, "connection"))))
	}
	if r.Negotiations == 0 && r.Partial == 0 {
		b.WriteString(wrapped("  ", "no TLS handshake over TCP begins here: the capture must start before the client connects, and hold the packets of both sides") + "\n")
	}
	if r.Beyond > 0 {
		fmt.Fprintf(&b, "  %s of kinds that there was no room for\n", plural(r.Beyond, "negotiation"))
	}
	groups := r.Groups
	if failedOnly { // which come first
		if n := slices.IndexFunc(groups, func(g watch.Group) bool { return g.Failed == 0 }); n >= 0 {
			groups = groups[:n]
		}
	}
	for i := range groups[:min(len(groups), maxGroupsShown)] {
		groupText(&b, &groups[i], failedOnly, st)
	}
	if more := len(groups) - maxGroupsShown; more > 0 {
		fmt.Fprintf(&b, "\n… and %s (--json has them)\n", plural(more, "more group"))
	}
	return writeLegible(w, b.String(), st)
}

func failedCount(n int, st Style) string {
	text := fmt.Sprintf("%d failed", n)
	if n > 0 {
		return st.Bad(text)
	}
	return text
}

func groupText(b *strings.Builder, g *watch.Group, failedOnly bool, st Style) {
	word := st.Good("WORKS")
	switch {
	case g.Failed == g.Negotiations:
		word = st.Bad("FAILS")
	case g.Failed > 0:
		word = st.Warn("SOME FAIL")
	case g.Failed == 0 && g.Unfinished == g.Negotiations:
		word = st.Dim("UNFINISHED")
	}
	count := plural(g.Negotiations, "negotiation")
	if g.Failed > 0 && g.Failed < g.Negotiations {
		count = fmt.Sprintf("%d of %s fail", g.Failed, count)
	}
	server := g.Server
	if len(g.Names) > 0 {
		server += " (" + oneLine(some(g.Names, 2)) + ")"
	}
	if g.StartTLS != "" {
		server += ", STARTTLS " + g.StartTLS
	}
	fmt.Fprintf(b, "\n%s  %s -> %s: %s\n", word, st.Bold(clientWords(g.Nearest, g.JA4)), server, count)
	fmt.Fprintf(b, "  %s\n", st.Dim(fmt.Sprintf("JA4 %s, from %s, last %s", orNone(g.JA4), some(g.Clients, 3), clock(g.Last))))
	if !failedOnly {
		for _, c := range g.Chosen {
			fmt.Fprintf(b, "  %6d  %s\n", c.Count, (&impact.Choice{Version: c.Version, Suite: c.Suite, Group: c.Group}).String())
		}
	}
	for _, f := range g.Failures {
		fmt.Fprintf(b, "  %6d  %s\n", f.Count, st.Bad(oneLine(f.Seen)))
		causesText(b, f.Causes, f.Fixes, "          ", st)
	}
}

// clientWords name a client as far as its hello shows it.
func clientWords(c *watch.Client, ja4 string) string {
	switch {
	case c == nil && ja4 == "":
		return "a client without a hello"
	case c == nil:
		return "an unknown client"
	case c.Exact && len(c.Also) == 0:
		return c.Name
	case c.Exact:
		return c.Name + " or " + c.Also[0] + alsoMore(c)
	}
	return "unknown, near to " + c.Name + " (" + strings.Join(c.Differs, "; ") + ")"
}

func alsoMore(c *watch.Client) string {
	if len(c.Also) > 1 {
		return " or alike"
	}
	return ""
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// some joins at most n words and counts the rest.
func some(words []string, n int) string {
	if len(words) > n {
		return strings.Join(words[:n], ", ") + fmt.Sprintf(" and %d more", len(words)-n)
	}
	return strings.Join(words, ", ")
}

// causesText says what the likeliest cause is, what else it may be, what helps, and what would decide.
func causesText(b *strings.Builder, causes []diagnose.Cause, fixes []diagnose.Fix, indent string, st Style) {
	var others []string
	for i, c := range causes {
		if i > 0 {
			others = append(others, fmt.Sprintf("%s %.0f %%", c.ID, 100*c.Confidence))
			continue
		}
		b.WriteString(wrapped(indent, fmt.Sprintf("%s %.0f %%: %s", c.ID, 100*c.Confidence, oneLine(c.Summary))) + "\n")
		for i, e := range c.Evidence {
			if i > 0 {
				b.WriteString(wrapped(indent+"  ", oneLine(e.Fact)) + "\n")
			}
		}
	}
	if len(others) > 0 {
		fmt.Fprintf(b, "%sor %s\n", indent, strings.Join(others, ", "))
	}
	for _, f := range fixes {
		b.WriteString(wrapped(indent+"fix ", oneLine(f.Side+": "+f.Summary)) + "\n")
	}
	if len(causes) > 0 && causes[0].Decide != "" {
		fmt.Fprintf(b, "%s%s %s\n", indent, st.Dim("to be sure:"), oneLine(causes[0].Decide))
	}
}

// WatchEvent writes one negotiation as it happens: a line, and the causes.
func WatchEvent(w io.Writer, e *watch.Event, st Style) error {
	var b strings.Builder
	eventText(&b, e, st)
	causesText(&b, e.Causes, e.Fixes, "    ", st)
	return writeLegible(w, b.String(), st)
}

// TapEvent writes the line of a negotiation, before it is known what a diagnosis comes to.
func TapEvent(w io.Writer, e *watch.Event, st Style) error {
	var b strings.Builder
	eventText(&b, e, st)
	return writeLegible(w, b.String(), st)
}

// eventText is who met whom, and what came of it.
func eventText(b *strings.Builder, e *watch.Event, st Style) {
	word := map[evidence.Result]string{evidence.Established: st.Good("WORKS"), evidence.Failed: st.Bad("FAILS"), evidence.Unfinished: st.Dim("UNFINISHED")}[e.Result]
	server := e.Server
	if e.Name != "" {
		server += " (" + oneLine(e.Name) + ")"
	}
	fmt.Fprintf(b, "%s  %s  %s from %s -> %s", clock(e.Time), word, st.Bold(clientWords(e.Nearest, e.JA4)), e.Client, server)
	if e.Version != 0 {
		fmt.Fprintf(b, ": %s", (&impact.Choice{Version: e.Version, Suite: e.Suite, Group: e.Group}).String())
	}
	if e.Failure != "" {
		fmt.Fprintf(b, ": %s", oneLine(e.Failure))
	}
	b.WriteByte('\n')
}

// TapCauses writes why a relayed negotiation failed: what the diagnosis with the same hello came to. Where there is none,
// or the hello is accepted when it is sent again, what was seen of the connection stands.
func TapCauses(w io.Writer, e *watch.Event, st Style) error {
	d := e.Diagnosis
	var b strings.Builder
	if d != nil && d.Outcome != diagnose.Negotiated {
		if err := Why(&b, d, st); err != nil {
			return err
		}
		for line := range strings.Lines(strings.TrimSpace(b.String())) {
			if line = strings.TrimRight(line, "\n"); line != "" {
				line = "    " + line
			}
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
		}
		return nil
	}
	causes := e.Causes
	if d != nil && len(causes) > 0 {
		causes = slices.Clone(causes)
		causes[0].Decide = "" // it was done
	}
	causesText(&b, causes, e.Fixes, "    ", st)
	if d != nil {
		b.WriteString(wrapped("    ", fmt.Sprintf("sent again, the same hello is accepted (%s %s): what failed comes after it", d.Negotiated.Version, d.Negotiated.Cipher.OpenSSL())) + "\n")
		for _, f := range d.Findings {
			b.WriteString(wrapped("    ", oneLine(f.Summary)) + "\n")
		}
	}
	return writeLegible(w, b.String(), st)
}

// clock is a time of day with its date, in UTC.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}
