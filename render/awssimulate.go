package render

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// AWSSimulation is what `parley aws simulate` says once it serves (docs/schema/aws-simulate.schema.json).
type AWSSimulation struct {
	Schema      string                 `json:"schema"`
	EndpointURL string                 `json:"endpoint_url"`
	Environment map[string]string      `json:"environment"` // for programs that are to use it
	Accounts    []AWSSimulationAccount `json:"accounts"`
}

// AWSSimulationAccount is an account of a simulation.
type AWSSimulationAccount struct {
	ID      string   `json:"id"`
	Roles   []string `json:"roles"`   // ARNs
	Regions []string `json:"regions"` // with load balancers
}

// AWSSimulationText says how to use a simulation, as commands to copy.
func AWSSimulationText(w io.Writer, s *AWSSimulation, st Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "AWS is simulated at %s until this is interrupted. In another terminal:\n\n", st.Bold(s.EndpointURL))
	b.WriteString("  unset AWS_PROFILE AWS_SESSION_TOKEN\n  export")
	var names []string
	for name := range s.Environment {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, " %s=%s", name, s.Environment[name])
	}
	b.WriteString("\n  parley aws list --all-regions\n")
	for _, a := range s.Accounts {
		fmt.Fprintf(&b, "\nAccount %s", a.ID)
		if len(a.Regions) > 0 {
			fmt.Fprintf(&b, ": load balancers in %s", strings.Join(a.Regions, ", "))
		}
		for _, role := range a.Roles {
			fmt.Fprintf(&b, "\n  role %s", role)
		}
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}
