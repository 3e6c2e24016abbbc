package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
)

// WhyTable writes the table of all clients for people.
func WhyTable(w io.Writer, t *diagnose.Table, st Style) error {
	var b strings.Builder
	if !t.Reached {
		fmt.Fprintf(&b, "%s  %s: no TLS endpoint was reached\n", st.Bad("FAILS"), t.Target.Name)
		for i, c := range t.Causes {
			causeText(&b, c, causeTitle(i, false), st)
		}
		listenerText(&b, t.AWS, st)
		for _, f := range t.Findings {
			b.WriteString(wrapped("  ", f.Summary) + "\n")
		}
		return writeLegible(w, b.String(), st)
	}
	fmt.Fprintf(&b, "%d of %d known clients get in at %s\n", t.Works, len(t.Clients), t.Target.Name)
	for _, f := range t.Findings {
		b.WriteString(wrapped("  ", f.Summary) + "\n")
	}
	listenerText(&b, t.AWS, st)
	matchText(&b, &diagnose.Diagnosis{PolicyMatch: t.PolicyMatch, Target: t.Target}, st)
	b.WriteByte('\n')
	var rows [][]string
	for _, c := range t.Clients {
		if c.Works {
			rows = append(rows, []string{c.Name, c.Released, st.Good("works"), c.Negotiated.Version.String() + " " + c.Negotiated.Cipher.OpenSSL()})
		} else {
			why := string(c.Cause)
			if len(c.FailsAt) > 0 {
				why += ", only at " + strings.Join(c.FailsAt, ", ")
			}
			rows = append(rows, []string{c.Name, c.Released, st.Bad("fails"), why})
		}
	}
	Table(&b, []string{"client", "released", "", "negotiated, or cause"}, rows)
	causeCounts(&b, t)
	if t.Connections > 0 && t.Observed != nil {
		fmt.Fprintf(&b, "%s\n", st.Dim(fmt.Sprintf("predicted from what the endpoint accepts: %d connections, %d round trips", t.Connections, t.RoundTrips)))
	}
	return writeLegible(w, b.String(), st)
}

// causeCounts says how many clients fail for which cause, the most frequent first.
func causeCounts(b *strings.Builder, t *diagnose.Table) {
	count := make(map[cause.ID]int)
	var ids []cause.ID
	for _, c := range t.Clients {
		if c.Cause == "" {
			continue
		}
		if count[c.Cause]++; count[c.Cause] == 1 {
			ids = append(ids, c.Cause)
		}
	}
	slices.SortStableFunc(ids, func(a, b cause.ID) int { return count[b] - count[a] })
	for _, id := range ids {
		fmt.Fprintf(b, "%s: %d; for one of them: parley why %s --client NAME\n", id, count[id], t.Target.Name)
	}
}
