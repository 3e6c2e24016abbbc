package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/accesslog"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/suite"
)

// maxLoadBalancers bounds the sections of the text.
const maxLoadBalancers = 100

// Logs is what logs say of the clients of load balancers. Text and JSON come from it.
type Logs struct {
	Schema        string            `json:"schema"`
	Files         int               `json:"files"`
	Bytes         int64             `json:"bytes"` // unpacked
	Lines         int               `json:"lines"`
	Formats       []LogFormat       `json:"formats"`
	LoadBalancers []LoadBalancer    `json:"load_balancers"`
	Clients       []evidence.Client `json:"clients"`
	Beyond        int               `json:"beyond,omitempty"`
	Warnings      []string          `json:"warnings,omitempty"`

	Top int `json:"-"` // clients shown of each load balancer
}

// LogFormat is a format that was read, and what it does not tell.
type LogFormat struct {
	Format     accesslog.Format `json:"format"`
	Title      string           `json:"title"`
	Handshakes int              `json:"handshakes"`  // lines that tell of one
	WithoutTLS int              `json:"without_tls"` // lines that tell of none
	Lacks      []accesslog.Lack `json:"lacks"`
}

// LoadBalancer sums up the clients of one.
type LoadBalancer struct {
	Name        string    `json:"name"` // "" where the log does not have it
	Connections int       `json:"connections"`
	Requests    int       `json:"requests"`
	Failures    int       `json:"failures"`
	Last        time.Time `json:"last_seen,omitzero"`

	clients []*evidence.Client
}

// DescribeLogs makes the value of a report.
func DescribeLogs(r *accesslog.Report, top int) *Logs {
	l := &Logs{Schema: "parley/logs/1", Files: r.Files, Bytes: r.Bytes, Lines: r.Lines, Clients: r.Clients, Beyond: r.Beyond, Warnings: r.Warnings, Top: top,
		Formats: []LogFormat{}, LoadBalancers: []LoadBalancer{}}
	if l.Clients == nil {
		l.Clients = []evidence.Client{}
	}
	for _, f := range r.Formats {
		l.Formats = append(l.Formats, LogFormat{f.Format, f.Title, f.TLS, f.Plain, r.Lacking(&f)})
	}
	index := map[string]int{}
	for i := range l.Clients {
		c := &l.Clients[i]
		name := strings.Join(c.Servers, " ") // one, since they were counted by server
		at, ok := index[name]
		if !ok {
			at = len(l.LoadBalancers)
			index[name] = at
			l.LoadBalancers = append(l.LoadBalancers, LoadBalancer{Name: name})
		}
		b := &l.LoadBalancers[at]
		b.clients = append(b.clients, c)
		b.Connections += c.Connections
		b.Requests += c.Requests
		b.Failures += c.Failures()
		if c.Last.After(b.Last) {
			b.Last = c.Last
		}
	}
	return l
}

// Text writes the tables of each load balancer, what could not be read, and what the logs do not tell.
func (l *Logs) Text(w io.Writer, st Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s\n", plural(l.Lines, "line"), plural(l.Files, "file"))
	for _, f := range l.Formats {
		fmt.Fprintf(&b, "  %s: %s", f.Title, plural(f.Handshakes+f.WithoutTLS, "line"))
		if f.WithoutTLS > 0 {
			fmt.Fprintf(&b, ", %d without TLS", f.WithoutTLS)
		}
		b.WriteString("\n")
	}
	shown := min(len(l.LoadBalancers), maxLoadBalancers)
	for i := range shown {
		l.LoadBalancers[i].text(&b, st, l.Top)
	}
	if more := len(l.LoadBalancers) - shown; more > 0 {
		fmt.Fprintf(&b, "\n… and %s (--json has all)\n", plural(more, "more load balancer"))
	}
	if l.Beyond > 0 {
		fmt.Fprintf(&b, "\n%s\n", st.Warn(fmt.Sprintf("%d more lines are of clients beyond the first 16384 kinds: read the logs in parts", l.Beyond)))
	}
	section(&b, st, "Could not be read", escapedAll(l.Warnings))
	var lacks []string
	for _, f := range l.Formats {
		for _, lack := range f.Lacks {
			lacks = append(lacks, fmt.Sprintf("%s: %s. What would: %s", f.Format, lack.What, lack.Where))
		}
	}
	section(&b, st, "What these logs cannot tell", lacks)
	return writeLegible(w, b.String(), st)
}

func escapedAll(l []string) []string {
	out := make([]string, len(l))
	for i, s := range l {
		out[i] = oneLine(s)
	}
	return out
}

func (b *LoadBalancer) text(w *strings.Builder, st Style, top int) {
	name := b.Name
	if name == "" {
		name = "load balancer not named in the log"
	}
	var counts []string
	if b.Requests > 0 {
		counts = append(counts, plural(b.Requests, "request"))
	}
	if b.Connections > 0 {
		counts = append(counts, plural(b.Connections, "connection"))
	}
	if b.Failures > 0 {
		counts = append(counts, st.Bad(fmt.Sprintf("%d failed", b.Failures)))
	}
	fmt.Fprintf(w, "\n%s  %s, last seen %s\n", st.Bold(oneLine(name)), strings.Join(counts, ", "), lastSeen(b.Last))
	var made, failed []*evidence.Client
	for _, c := range b.clients {
		if c.Failures() > 0 {
			failed = append(failed, c)
		} else {
			made = append(made, c)
		}
	}
	if len(made) > 0 {
		fmt.Fprintln(w)
		b.negotiated(w, made, st)
	}
	if slices.ContainsFunc(made, func(c *evidence.Client) bool { return c.UserAgent != "" || c.Offered != nil }) {
		fmt.Fprintf(w, "\n%s\n", st.Bold("Who, the weakest first"))
		who(w, made, st, top)
	}
	if len(failed) > 0 {
		fmt.Fprintf(w, "\n%s\n", st.Bold("Failed handshakes"))
		failures(w, failed, st, top)
	}
}

// negotiated adds up the clients by what was chosen.
func (b *LoadBalancer) negotiated(w *strings.Builder, clients []*evidence.Client, st Style) {
	type sum struct {
		evidence.Outcome
		connections, requests, sources, kinds int
		last                                  time.Time
	}
	sums := map[evidence.Outcome]*sum{}
	for _, c := range clients {
		o := c.Outcomes[0].Outcome
		s := sums[o]
		if s == nil {
			s = &sum{Outcome: o}
			sums[o] = s
		}
		s.connections += c.Connections
		s.requests += c.Requests
		s.sources += c.Sources
		s.kinds++
		if c.Last.After(s.last) {
			s.last = c.Last
		}
	}
	var list []*sum
	for _, s := range sums {
		list = append(list, s)
	}
	slices.SortFunc(list, func(x, y *sum) int {
		return cmp.Or(cmp.Compare(y.requests+y.connections, x.requests+x.connections), cmp.Compare(y.Version, x.Version), cmp.Compare(x.Suite, y.Suite), cmp.Compare(x.Group, y.Group))
	})
	header := []string{"share", "version", "cipher suite", "group", "strength", "sources", "last seen"}
	unit := func(s *sum) []string {
		switch {
		case b.Connections-b.Failures == 0:
			return []string{fmt.Sprint(s.requests)}
		case b.Requests == 0:
			return []string{fmt.Sprint(s.connections)}
		}
		return []string{fmt.Sprint(s.requests), fmt.Sprint(s.connections)}
	}
	switch {
	case b.Connections-b.Failures == 0:
		header = append([]string{"requests"}, header...)
	case b.Requests == 0:
		header = append([]string{"connections"}, header...)
	default:
		header = append([]string{"requests", "connections"}, header...)
	}
	all := b.Requests + b.Connections - b.Failures
	var rows [][]string
	for _, s := range list {
		sources := fmt.Sprint(s.sources)
		if s.kinds > 1 {
			sources = "≤" + sources // one address may be several kinds of client
		}
		rows = append(rows, append(unit(s), fmt.Sprintf("%.1f %%", 100*float64(s.requests+s.connections)/float64(all)), versionWord(s.Version, st), suiteWord(s.Suite),
			groupWord(s.Group), suiteStrength(s.Suite, st), sources, lastSeen(s.last)))
	}
	Table(w, header, rows)
}

// who lists clients, the weakest choice first, since those are who a stricter policy turns away.
func who(w *strings.Builder, clients []*evidence.Client, st Style, top int) {
	clients = slices.Clone(clients)
	slices.SortStableFunc(clients, func(x, y *evidence.Client) int {
		a, b := x.Outcomes[0].Outcome, y.Outcomes[0].Outcome
		return cmp.Or(cmp.Compare(min(a.Version, suite.TLS12), min(b.Version, suite.TLS12)), cmp.Compare(suite.StrengthOf(a.Suite), suite.StrengthOf(b.Suite)),
			cmp.Compare(a.Version, b.Version), cmp.Compare(y.Seen(), x.Seen()))
	})
	shown := clients[:min(top, len(clients))]
	var rows [][]string
	for _, c := range shown {
		o := c.Outcomes[0].Outcome
		rows = append(rows, []string{fmt.Sprint(c.Seen()), sourcesWord(c), versionWord(o.Version, st), suiteWord(o.Suite), lastSeen(c.Last), clientWord(c)})
	}
	tableOfClients(w, []string{"seen", "sources", "version", "cipher suite", "last seen", "client"}, rows, shown, st)
	more(w, len(clients)-top)
}

func failures(w *strings.Builder, clients []*evidence.Client, st Style, top int) {
	shown := clients[:min(top, len(clients))]
	var rows [][]string
	for _, c := range shown {
		o := c.Outcomes[0].Outcome
		rows = append(rows, []string{fmt.Sprint(c.Seen()), sourcesWord(c), lastSeen(c.Last), st.Bad(oneLine(o.Failure)), dash(string(o.Cause)), clientWord(c)})
	}
	tableOfClients(w, []string{"seen", "sources", "last seen", "failure", "cause", "client"}, rows, shown, st)
	more(w, len(clients)-top)
}

// tableOfClients writes a row for each client, and below it what is known of the offer.
func tableOfClients(w *strings.Builder, header []string, rows [][]string, clients []*evidence.Client, st Style) {
	var table strings.Builder
	Table(&table, header, rows)
	i := -1
	for line := range strings.Lines(table.String()) {
		w.WriteString(line)
		if i >= 0 {
			if offer := offerWords(clients[i].Offered); offer != "" {
				fmt.Fprintln(w, st.Dim(wrapped("      ", offer)))
			}
		}
		i++
	}
}

// offerWords are the beginning of what a client offers, as far as the log has it.
func offerWords(o *evidence.Offered) string {
	if o == nil || len(o.Suites) == 0 {
		return ""
	}
	text := "offers " + few(o.Suites, func(s suite.Code) string { return s.OpenSSL() })
	if len(o.Groups) > 0 {
		text += "; groups " + few(o.Groups, suite.Group.String)
	}
	return text
}

func more(w *strings.Builder, n int) {
	if n > 0 {
		fmt.Fprintf(w, "… and %s (--top shows more, --json all)\n", plural(n, "more client"))
	}
}

// clientWord names a client by what the log says of it: its user agent, else whence it came and for whom.
func clientWord(c *evidence.Client) string {
	var parts []string
	if c.UserAgent != "" {
		parts = append(parts, shortened(oneLine(c.UserAgent), 70))
	} else {
		parts = append(parts, addresses(c))
		if len(c.Names) > 0 {
			parts = append(parts, "for "+shortened(oneLine(strings.Join(c.Names[:min(2, len(c.Names))], ", ")), 60))
		}
	}
	return strings.Join(parts, "; ")
}

// few names the first of a list.
func few[T any](l []T, name func(T) string) string {
	const shown = 3
	var names []string
	for _, v := range l[:min(shown, len(l))] {
		names = append(names, name(v))
	}
	text := strings.Join(names, " ")
	if len(l) > shown {
		text += fmt.Sprintf(" and %d more", len(l)-shown)
	}
	return text
}

// addresses names the busiest sources.
func addresses(c *evidence.Client) string {
	var l []string
	for _, s := range c.Busiest[:min(3, len(c.Busiest))] {
		l = append(l, fmt.Sprintf("%v (%d)", s.Address, s.Seen))
	}
	if n := c.Sources - len(l); n > 0 {
		l = append(l, fmt.Sprintf("%d more", n))
	}
	return dash(strings.Join(l, ", "))
}

func sourcesWord(c *evidence.Client) string {
	if c.AtLeast {
		return fmt.Sprintf("≥%d", c.Sources)
	}
	return fmt.Sprint(c.Sources)
}

func versionWord(v suite.Version, st Style) string {
	switch {
	case v == 0:
		return "-"
	case v < suite.TLS10:
		return st.Bad(v.String())
	case v < suite.TLS12:
		return st.Warn(v.String())
	}
	return v.String()
}

func suiteWord(c suite.Code) string {
	if c == 0 {
		return "-"
	}
	return c.OpenSSL()
}

func groupWord(g suite.Group) string {
	if g == 0 {
		return "-"
	}
	return g.String()
}

func suiteStrength(c suite.Code, st Style) string {
	if c == 0 {
		return "-"
	}
	return mark(st, suite.StrengthOf(c))
}

func lastSeen(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04")
}
