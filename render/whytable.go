package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/parley-tls/parley/diagnose"
)

// WhyTable writes the table of all clients for people.
func WhyTable(w io.Writer, t *diagnose.Table, st Style) error {
	var b strings.Builder
	if !t.Reached {
		fmt.Fprintf(&b, "%s  %s: no TLS endpoint was reached\n", st.Bad("FAILS"), t.Target.Name)
		for i, c := range t.Causes {
			causeText(&b, c, i, st)
		}
		_, err := io.WriteString(w, b.String())
		return err
	}
	fmt.Fprintf(&b, "%d of %d known clients get in at %s\n", t.Works, len(t.Clients), t.Target.Name)
	matchText(&b, &diagnose.Diagnosis{PolicyMatch: t.PolicyMatch, Target: t.Target}, st)
	b.WriteByte('\n')
	var rows [][]string
	for _, c := range t.Clients {
		if c.Works {
			rows = append(rows, []string{c.Name, c.Released, st.Good("works"), c.Negotiated.Version.String() + " " + c.Negotiated.Cipher.OpenSSL()})
		} else {
			rows = append(rows, []string{c.Name, c.Released, st.Bad("fails"), string(c.Cause)})
		}
	}
	Table(&b, []string{"client", "released", "", "negotiated, or cause"}, rows)
	if t.Connections > 0 {
		fmt.Fprintf(&b, "%s\n", st.Dim(fmt.Sprintf("predicted from what the endpoint accepts: %d connections, %d round trips", t.Connections, t.RoundTrips)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
