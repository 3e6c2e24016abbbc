package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parley-tls/parley/aws/change"
)

// AWSPlan is a planned change of a listener's security policy (docs/schema/aws-plan.schema.json).
type AWSPlan struct {
	*change.Plan
	// Change is what the new policy adds and drops; nil where what one of them accepts is not known. Without evidence it has the
	// known clients that are gained and lost.
	Change *PolicyChange `json:"change,omitempty"`
	Impact *Impact       `json:"impact,omitempty"` // on the clients that were seen
}

// Text writes the plan for whom has to agree to it.
func (p *AWSPlan) Text(w io.Writer, st Style) error {
	t := &p.Listener
	head := fmt.Sprintf("%s, %s %s in %s", t, t.Kind.Title(), p.Had.Protocol, t.Region)
	if t.Account != "" {
		head += ", account " + t.Account
	}
	fmt.Fprintln(w, st.Bold(head))
	rows := [][]string{{"Policy", dash(p.Had.Policy) + " -> " + dash(p.Set.Policy) + p.making()}}
	if !slices.Equal(p.Had.Policies, p.Set.Policies) && len(p.Set.Policies) > 1 {
		rows = append(rows, []string{"All policies", strings.Join(p.Had.Policies, ", ") + " -> " + strings.Join(p.Set.Policies, ", ")})
	}
	if len(p.Set.Remove) > 0 {
		rows = append(rows, []string{"Deletes", strings.Join(p.Set.Remove, ", ") + ", if nothing uses it then"})
	}
	rows = append(rows, []string{"Plan", p.ID})
	if p.Undoes != "" {
		rows = append(rows, []string{"Takes back", p.Undoes})
	}
	if err := Table(w, nil, rows); err != nil {
		return err
	}
	if p.Change != nil && !p.Nothing() {
		fmt.Fprintln(w)
		if err := p.Change.Text(w, st); err != nil {
			return err
		}
	}
	if p.Impact != nil {
		fmt.Fprintln(w)
		if err := p.Impact.Text(w, st); err != nil {
			return err
		}
	}
	if len(p.Warnings) > 0 {
		fmt.Fprintln(w)
	}
	for _, x := range p.Warnings {
		mark := st.Warn("warning")
		if x.Severe {
			mark = st.Bad("SEVERE")
		}
		for i, line := range wrap(x.Text, 100) {
			if i > 0 {
				mark = strings.Repeat(" ", displayWidth(mark))
			}
			fmt.Fprintf(w, "%s  %s\n", mark, line)
		}
	}
	return nil
}

// making says how a Classic policy comes to be.
func (p *AWSPlan) making() string {
	of := "from " + p.Set.Reference
	if p.Set.Reference == "" {
		of = fmt.Sprintf("of %d attributes", len(p.Set.Attributes))
	}
	switch {
	case p.Set.Create:
		return ", which is made " + of
	case p.Set.Reference != "" && p.Set.Reference != p.Set.Policy:
		return ", which was made " + of
	}
	return ""
}
