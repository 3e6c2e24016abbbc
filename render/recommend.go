package render

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/parley-tls/parley/impact"
	"github.com/parley-tls/parley/policy"
)

// Recommendation is the answer of `parley policy recommend` (docs/schema/policy-recommend.schema.json).
type Recommendation struct {
	Schema       string           `json:"schema"`
	Family       policy.Family    `json:"family"`
	From         string           `json:"from,omitempty"`
	Allow        float64          `json:"allow_loss"` // share of what was seen
	Certificates []policy.KeyType `json:"certificates"`
	Inferred     bool             `json:"certificates_inferred,omitempty"`
	Best         string           `json:"best,omitempty"`      // "" where no policy keeps enough
	RunnerUp     string           `json:"runner_up,omitempty"` // the next strictest
	Possible     string           `json:"possible,omitempty"`  // stricter than Best, if all that is unknown turns out well
	Steps        []*Impact        `json:"steps"`               // strictest first
	Warnings     []string         `json:"warnings,omitempty"`
}

// NewRecommendation puts a recommendation into the form in which it is printed.
func NewRecommendation(r *impact.Recommendation, f policy.Family, certificates []policy.KeyType) *Recommendation {
	m := &Recommendation{Schema: "parley/policy-recommend/1", Family: f, Allow: r.Allow, Certificates: certificates, Steps: []*Impact{}}
	if m.Certificates == nil {
		m.Certificates = []policy.KeyType{}
	}
	var names []SeenClient // all steps are about the same clients
	for i, s := range r.Steps {
		if i == 0 {
			names = nameClients(s)
		}
		m.Steps = append(m.Steps, newImpact(s, names, certificates))
	}
	name := func(i int) string {
		if i < 0 {
			return ""
		}
		return r.Steps[i].To.Name
	}
	if len(m.Steps) > 0 {
		m.From, m.Warnings = m.Steps[0].From, m.Steps[0].Warnings
	}
	if r.Best >= 0 {
		if likely := r.Steps[r.Best].Share(impact.Likely); likely > 0 {
			m.Warnings = append(m.Warnings, fmt.Sprintf("logs alone speak for %s of what was seen: it very likely connects (parley impact --to %s says as long as what)", percent(likely), name(r.Best)))
		}
	}
	m.Best, m.RunnerUp = name(r.Best), name(r.RunnerUp)
	if r.Possible >= 0 && r.Possible != r.Best {
		m.Possible = name(r.Possible)
	}
	return m
}

// Text writes the answer for people.
func (m *Recommendation) Text(w io.Writer, st Style) error {
	var b strings.Builder
	if m.Best == "" {
		fmt.Fprintf(&b, "%s\n", st.Bad(fmt.Sprintf("No policy of %s is known to keep %s", m.Family.Title(), m.kept())))
	} else {
		fmt.Fprintf(&b, "%s\n", st.Bold("Strictest policy that keeps the clients: "+m.Best))
	}
	if m.RunnerUp != "" {
		fmt.Fprintf(&b, "Runner-up:                               %s\n", m.RunnerUp)
	}
	if m.Possible != "" {
		fmt.Fprintf(&b, "If all that is unknown turns out well:   %s\n", m.Possible)
	}
	fmt.Fprintf(&b, "%s\n\n", st.Dim(fmt.Sprintf("Allowed loss: %s. %s", percent(m.Allow), (&Impact{Certificates: m.Certificates, Inferred: m.Inferred}).certificateWords())))
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "policy, strictest first\tbreaks\tmay break\twhom it costs")
	for _, s := range m.Steps {
		name := s.To
		if name == m.Best {
			name += "  ← strictest that keeps them"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", name, percent(s.total(impact.Breaks).Share), percent(s.AtRisk), oneLine(s.costs()))
	}
	t.Flush()
	warningText(&b, m.Warnings, st)
	return writeLegible(w, b.String(), st)
}

const maxCosts = 3 // clients that a row names

// costs names whom a policy would cost, those that break first.
func (m *Impact) costs() string {
	var names []string
	more := 0
	for i := range m.Clients {
		c := &m.Clients[i]
		if c.Verdict != impact.Breaks && (c.Verdict != impact.Unknown || !c.Connects()) {
			continue
		}
		if len(names) == maxCosts {
			more++
			continue
		}
		name := shortened(c.Name, 32)
		if c.Verdict == impact.Unknown {
			name += " (perhaps)"
		}
		names = append(names, name)
	}
	text := strings.Join(names, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// kept is what a policy has to keep.
func (m *Recommendation) kept() string {
	if m.Allow == 0 {
		return "all that was seen"
	}
	return fmt.Sprintf("all but %s of what was seen", percent(m.Allow))
}
