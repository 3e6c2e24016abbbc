package interop

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// matrix is the outcome of all pairs.
type matrix struct {
	clients []*testbed.Client
	servers []*server
	cells   map[string]*cell // by client/server
	took    time.Duration
}

// short are the words for causes in the table.
var short = map[cause.ID]string{
	cause.NoCommonVersion: "version", cause.NoCommonCipher: "cipher", cause.CipherNeedsOtherCertificate: "key type", cause.NoCommonGroup: "group",
	cause.NoCommonSignatureAlgorithm: "scheme", cause.InappropriateFallback: "fallback", cause.SSLv2HelloRefused: "sslv2",
	cause.WeakCertificateKey: "weak", cause.CertificateExpired: "expired", cause.CertificateNameMismatch: "name",
}

// last is the prediction of why.
func (c *cell) last() Prediction {
	if len(c.predictions) == 0 {
		return Prediction{}
	}
	return c.predictions[len(c.predictions)-1]
}

// text is the cell's entry: what was negotiated ("1.2 C02F"), as the wire shows it, or the cause that why gives for
// the failure ("version").
func (c *cell) text() string {
	mark := ""
	switch {
	case len(c.disagreements) > 0:
		mark = "!"
	case c.undecided:
		mark = "?"
	}
	if c.result.OK {
		return fmt.Sprintf("%s %04X%s", strings.TrimPrefix(c.seen.Version().String(), "TLSv"), uint32(c.seen.Suite()), mark)
	}
	if word := short[c.last().Cause]; word != "" {
		return word + mark
	}
	return "failed" + mark
}

// columns is how many servers stand side by side.
const columns = 11

func (m *matrix) print(w io.Writer) {
	fmt.Fprintln(w, "Real clients and real servers: what they negotiated, or why not.")
	for from := 0; from < len(m.servers); from += columns {
		m.table(w, from, min(from+columns, len(m.servers)))
	}
	m.legend(w)
	m.printSignals(w)
	m.summary(w)
}

// table prints the columns of some of the servers.
func (m *matrix) table(w io.Writer, from, to int) {
	tab := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprint(tab, "\nclient \\ server")
	for i := from; i < to; i++ {
		fmt.Fprintf(tab, "\t%d", i+1)
	}
	fmt.Fprintln(tab)
	for _, client := range m.clients {
		fmt.Fprint(tab, client.Name)
		for _, s := range m.servers[from:to] {
			text := ""
			if c := m.cells[client.Name+"/"+s.name]; c != nil {
				text = c.text()
			}
			fmt.Fprintf(tab, "\t%s", text)
		}
		fmt.Fprintln(tab)
	}
	tab.Flush()
}

func (m *matrix) legend(w io.Writer) {
	fmt.Fprintln(w, "\nServers:")
	for i, s := range m.servers {
		fmt.Fprintf(w, "%4d  %-13s %s\n", i+1, s.name, s.what)
	}
	fmt.Fprintln(w, "\nA cell is the version and the suite's code that were negotiated, or the cause of the failure:")
	for _, id := range slices.Sorted(maps.Keys(short)) {
		fmt.Fprintf(w, "  %-8s  %s\n", short[id], id)
	}
	fmt.Fprintln(w, "  !         a prediction disagrees with what happened\n  ?         nobody could tell from outside: why names this cause and the right one, and what decides")
	used := make(map[suite.Code]int)
	for _, c := range m.cells {
		if c.result.OK {
			used[c.seen.Suite()]++
		}
	}
	fmt.Fprintln(w, "\nSuites:")
	for _, code := range slices.Sorted(maps.Keys(used)) {
		fmt.Fprintf(w, "  %04X  %s (%d×)\n", uint32(code), code.OpenSSL(), used[code])
	}
}

// printSignals lists how the servers' refusals looked on the wire.
func (m *matrix) printSignals(w io.Writer) {
	seen := make(map[string]int)
	for _, c := range m.cells {
		if c.result.OK || len(c.predictions) == 0 || c.predictions[0].By != "server" || c.seen.Hello == nil {
			continue
		}
		signal := "closed without an alert"
		if a := c.seen.ServerAlert; a != nil {
			signal = a.Description.String()
		}
		seen[fmt.Sprintf("%s\t%s\t%s\t", c.server.config.Name(), c.predictions[0].Cause, signal)]++
	}
	fmt.Fprintln(w, "\nHow the servers refused:")
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range slices.Sorted(maps.Keys(seen)) {
		fmt.Fprintf(tab, "  %s%d×\n", line, seen[line])
	}
	tab.Flush()
}

// summary counts, and explains each disagreement in one line.
func (m *matrix) summary(w io.Writer) {
	negotiated, refused, undecided, connections, most, longest := 0, 0, 0, 0, 0, 0
	var wrong []string
	disagree := 0
	for _, c := range m.all() {
		if c.result.OK {
			negotiated++
		} else {
			refused++
		}
		if c.undecided {
			undecided++
		}
		if len(c.disagreements) > 0 {
			disagree++
		}
		for _, d := range c.disagreements {
			wrong = append(wrong, fmt.Sprintf("  %s → %s: %s", c.client.Name, c.server.name, d))
		}
		if d := c.last().Report; d != nil {
			connections += d.Connections
			if most = max(most, d.Connections); c.pair.Queue == 0 {
				longest = max(longest, d.RoundTrips)
			}
		}
	}
	pairs := negotiated + refused
	fmt.Fprintf(w, "\n%d clients × %d servers in %.0f s: %d pairs, %d negotiated and %d refused; predictions agree in %d and disagree in %d.\n",
		len(m.clients), len(m.servers), m.took.Seconds(), pairs, negotiated, refused, pairs-disagree, disagree)
	fmt.Fprintf(w, "Of those that agree why names two causes in %d, since from outside nobody could tell, and the right one second.\n", undecided)
	if pairs > 0 {
		fmt.Fprintf(w, "For a pair why made %d connections on average and %d at most, and waited for %d round trips at most.\n", connections/pairs, most, longest)
	}
	for _, line := range wrong {
		fmt.Fprintln(w, line)
	}
}
