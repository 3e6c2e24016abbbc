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
)

// matrix is the outcome of all pairs.
type matrix struct {
	clients []string
	servers []subject
	cells   map[string]*cell // by client/server
	took    time.Duration
}

// short are the words for causes in the table.
var short = map[cause.ID]string{
	cause.NoCommonVersion: "version", cause.NoCommonCipher: "cipher", cause.CipherNeedsOtherCertificate: "key type", cause.NoCommonGroup: "group",
	cause.NoCommonSignatureAlgorithm: "scheme", cause.InappropriateFallback: "fallback", cause.SSLv2HelloRefused: "sslv2", cause.WeakCertificateKey: "key size",
}

// text is the cell's entry: what was negotiated ("1.2 C02F") or why nothing was ("version"), with "!" for
// a disagreement. What happened comes from the wire, the cause from the first prediction.
func (c *cell) text() string {
	mark := ""
	if len(c.disagreements) > 0 {
		mark = "!"
	}
	if c.result.OK {
		return fmt.Sprintf("%s %04X%s", strings.TrimPrefix(c.seen.Version().String(), "TLSv"), uint32(c.seen.Suite()), mark)
	}
	if len(c.predictions) > 0 && short[c.predictions[0].Cause] != "" {
		return short[c.predictions[0].Cause] + mark
	}
	return "failed" + mark
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
		seen[fmt.Sprintf("%s\t%s\t%s\t", c.subject.config.Name(), c.predictions[0].Cause, signal)]++
	}
	fmt.Fprintln(w, "\nHow the servers refused:")
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range slices.Sorted(maps.Keys(seen)) {
		fmt.Fprintf(tab, "  %s%d×\n", line, seen[line])
	}
	tab.Flush()
}

func (m *matrix) print(w io.Writer) {
	tab := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprint(tab, "client \\ server")
	for i := range m.servers {
		fmt.Fprintf(tab, "\t%d", i+1)
	}
	fmt.Fprintln(tab)
	pairs, ok, wrong := 0, 0, 0
	used := make(map[suite.Code]bool)
	for _, name := range m.clients {
		fmt.Fprint(tab, name)
		for _, s := range m.servers {
			c := m.cells[name+"/"+s.name]
			if c == nil {
				fmt.Fprint(tab, "\t")
				continue
			}
			pairs++
			if c.result.OK {
				ok++
				used[c.seen.Suite()] = true
			}
			if len(c.disagreements) > 0 {
				wrong++
			}
			fmt.Fprintf(tab, "\t%s", c.text())
		}
		fmt.Fprintln(tab)
	}
	tab.Flush()
	fmt.Fprintln(w, "\nA cell is the version and the suite's code that were negotiated, or the set in which the two do not meet.")
	for i, s := range m.servers {
		fmt.Fprintf(w, "%3d  %-13s %s\n", i+1, s.name, s.what)
	}
	m.printSignals(w)
	fmt.Fprintf(w, "\n%d clients × %d servers: %d connections in %.0f s, %d negotiated with %d suites, %d refused; predictions disagree in %d.\n",
		len(m.clients), len(m.servers), pairs, m.took.Seconds(), ok, len(used), pairs-ok, wrong)
}
