package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/parley-tls/parley/policy"
)

// PolicyList is the answer of `parley policy list` (docs/schema/policy-list.schema.json).
type PolicyList struct {
	Schema   string          `json:"schema"`
	Policies []PolicySummary `json:"policies"`
}

// Text writes a table for each family.
func (l *PolicyList) Text(w io.Writer, st Style) error {
	var family policy.Family
	var rows [][]string
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		fmt.Fprintln(w, st.Bold(family.Title()))
		err := Table(w, []string{"policy", "protocols", "suites", "weakest", "kind", "FS", "sure", "default for"}, trimRows(rows))
		rows = nil
		return err
	}
	for _, p := range l.Policies {
		if p.Family != family && len(rows) > 0 {
			if err := flush(); err != nil {
				return err
			}
			fmt.Fprintln(w)
		}
		family = p.Family
		name, secrecy := p.Name, "some"
		if p.ForwardSecret {
			secrecy = "all"
		}
		if p.Status != "documented" {
			name += st.Dim(" (" + p.Status + ")")
		}
		rows = append(rows, []string{name, versionRange(p.Versions), fmt.Sprint(p.SuiteCount), mark(st, p.Weakest), p.Variant, secrecy,
			string(p.Confidence), strings.Join(p.DefaultFor, ", ")})
	}
	return flush()
}
