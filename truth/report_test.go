package truth

import (
	"fmt"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// report is the comparison of all scanners with the truth.
type report struct {
	mu   sync.Mutex
	rows []row
}

// row is one endpoint.
type row struct {
	endpoint endpoint
	truth    *picture
	cells    []cell // Parley, then the tools
}

// cell is what one scanner said of an endpoint.
type cell struct {
	seen     *picture
	mistakes []mistake
	groups   bool   // it looks for groups
	absent   string // why it did not run; "" if it did
	err      error
	took     time.Duration
}

// add runs the other scanners against an endpoint.
func (r *report) add(t *testing.T, e endpoint, s *subject, found *picture, took time.Duration) {
	one := row{endpoint: e, truth: s.truth, cells: []cell{{seen: found, mistakes: compare(s.truth, found, e.lossy), groups: true, took: took}}}
	for _, x := range tools {
		switch {
		case !strings.Contains(*with, x.name):
			one.cells = append(one.cells, cell{absent: "not run"})
			continue
		case !testbed.Have(x.name):
			one.cells = append(one.cells, cell{absent: "not installed"})
			continue
		}
		begin := time.Now()
		p, err := x.run(t, s)
		c := cell{seen: p, groups: x.groups, err: err, took: time.Since(begin)}
		c.mistakes = compareTold(s.truth, p, x.groups)
		one.cells = append(one.cells, c)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, one)
}

// compareTold compares what a tool says, and holds nothing against it that it does not speak of.
func compareTold(truth, seen *picture, groups bool) []mistake {
	told := *seen
	told.versions = make(map[suite.Version]list[suite.Code])
	for v, l := range seen.versions {
		if want := truth.versions[v]; l.order == "" { // whose order counts it does not say
			l.order = want.order
		}
		told.versions[v] = l
	}
	if !groups {
		told.groups13, told.groups12 = truth.groups13, truth.groups12
	}
	// Of the groups' order none of them speaks.
	told.groups13.order, told.groups13.sorted = truth.groups13.order, true
	told.groups12.order, told.groups12.sorted = truth.groups12.order, true
	m := compare(truth, &told, false)
	return slices.DeleteFunc(m, func(x mistake) bool { return strings.Contains(string(x), "groups: in place") })
}

// text is the cell in the table.
func (c *cell) text(truth *picture) string {
	if c.absent != "" {
		return c.absent
	}
	found, invented := 0, 0
	for v, l := range c.seen.versions {
		found += len(common(l.items, truth.versions[v].items))
		invented += len(without(l.items, truth.versions[v].items))
	}
	s := fmt.Sprint(found)
	if invented > 0 {
		s += fmt.Sprintf(", %d invented", invented)
	}
	if found > 0 {
		s += ", order " + c.order(truth)
	}
	if c.groups {
		n := len(common(c.seen.groups13.items, truth.groups13.items)) + len(common(c.seen.groups12.items, truth.groups12.items))
		s += fmt.Sprintf(", groups %d", n)
	}
	if c.err != nil {
		s += " (not whole)"
	}
	return s
}

// order says whether whose order counts, and the order, were told as they are. sslscan never says the former.
func (c *cell) order(truth *picture) string {
	wrong := slices.ContainsFunc(c.mistakes, func(m mistake) bool {
		return strings.Contains(string(m), "suites: order is") || strings.Contains(string(m), "suites: in place")
	})
	told := false
	for v, l := range c.seen.versions {
		told = told || l.order != "" || truth.versions[v].order == "server" && l.sorted && len(l.items) > 1
	}
	switch {
	case wrong:
		return "wrong"
	case !told:
		return "not told"
	}
	return "right"
}

// text is the report in Markdown.
func (r *report) text() string {
	slices.SortFunc(r.rows, func(a, b row) int { return strings.Compare(a.endpoint.name, b.endpoint.name) })
	var b strings.Builder
	b.WriteString("# What scanners see of endpoints whose configuration is known\n\nWritten by `make truth`. ")
	fmt.Fprintf(&b, "%s, %d cores, %s. Each scanner ran with what limits it to versions, suites and groups; testssl.sh with -P, for %.0f s at most.\n\n",
		strings.Join(versions(), ", "), runtime.NumCPU(), runtime.Version(), toolTime.Seconds())
	b.WriteString("The first number is how many of the true pairs of version and suite were found. Groups are those of TLS 1.3 and of the versions before it; " +
		"nmap and testssl.sh (with -P) do not list them. sslscan does not say whose order counts: only its list is judged, and only where the server decides.\n\n")
	b.WriteString("| endpoint | pairs, groups | Parley | sslscan | nmap | testssl.sh |\n| --- | --- | --- | --- | --- | --- |\n")
	totals := make([]int, len(tools)+2)
	for _, one := range r.rows {
		fmt.Fprintf(&b, "| %s | %d, %d |", one.endpoint.name, one.truth.pairs(), len(one.truth.groups13.items)+len(one.truth.groups12.items))
		totals[0] += one.truth.pairs()
		for i, c := range one.cells {
			fmt.Fprintf(&b, " %s |", c.text(one.truth))
			if c.seen != nil {
				for v, l := range c.seen.versions {
					totals[i+1] += len(common(l.items, one.truth.versions[v].items))
				}
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("| **all** |")
	for _, n := range totals {
		fmt.Fprintf(&b, " %d |", n)
	}
	b.WriteString("\n")
	for i, name := range []string{"Parley", "sslscan", "nmap", "testssl.sh"} {
		r.wrong(&b, i, name)
	}
	b.WriteString("\n## The endpoints\n\n")
	for _, one := range r.rows {
		fmt.Fprintf(&b, "- %s: %s.\n", one.endpoint.name, one.endpoint.what)
	}
	return b.String()
}

// wrong lists what one scanner got wrong.
func (r *report) wrong(b *strings.Builder, i int, name string) {
	fmt.Fprintf(b, "\n## What %s gets wrong\n\n", name)
	none := true
	for _, one := range r.rows {
		c := one.cells[i]
		if c.absent != "" || len(c.mistakes) == 0 && c.err == nil {
			continue
		}
		none = false
		fmt.Fprintf(b, "- %s", one.endpoint.name)
		if c.err != nil {
			fmt.Fprintf(b, ": it %v", c.err)
		}
		for _, m := range c.mistakes {
			fmt.Fprintf(b, "\n  - %s", shorten(string(m)))
		}
		b.WriteString("\n")
	}
	if none {
		b.WriteString("Nothing.\n")
	}
}

// shorten keeps the first few of a long list of names.
func shorten(s string) string {
	const most = 6
	parts := strings.Split(s, ", ")
	if len(parts) <= most+1 {
		return s
	}
	return fmt.Sprintf("%s and %d more", strings.Join(parts[:most], ", "), len(parts)-most)
}

var versionNumber = regexp.MustCompile(`\d+\.\d[\w.]*`)

// versions are the releases of the scanners.
func versions() []string {
	var l []string
	for _, command := range [][]string{{"sslscan", "--version"}, {"nmap", "--version"}, {"testssl", "--version"}} {
		out, _ := exec.Command(command[0], command[1:]...).CombinedOutput()
		if v := versionNumber.FindString(string(out)); v != "" {
			l = append(l, command[0]+" "+v)
		}
	}
	return l
}
