package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// PolicyMatches is the answer of `parley policy match` (docs/schema/policy-match.schema.json).
type PolicyMatches struct {
	Schema       string           `json:"schema"`
	Target       string           `json:"target"`
	Exact        bool             `json:"exact"`
	Matches      []PolicyMatch    `json:"matches"`
	TellApart    string           `json:"tell_apart,omitempty"` // what would tell several exact matches apart
	Certificates []policy.KeyType `json:"certificates"`
	Observed     ObservedPolicy   `json:"observed"`
	NotTested    []string         `json:"not_tested,omitempty"`
	Addresses    []AddressMatch   `json:"addresses,omitempty"` // of a name with several
	Connections  int              `json:"connections,omitempty"`
	RoundTrips   int              `json:"round_trips,omitempty"`
}

// AddressMatch is what one address of several runs.
type AddressMatch struct {
	Address  string   `json:"address"`
	Exact    bool     `json:"exact"`
	Policies []string `json:"policies"`          // all exact matches
	Problem  string   `json:"problem,omitempty"` // why it could not be asked
}

// AddressesDiffer reports whether the addresses do not all run the same policy.
func (m *PolicyMatches) AddressesDiffer() bool {
	return slices.ContainsFunc(m.Addresses, func(a AddressMatch) bool {
		return a.Problem != "" || a.Exact != m.Addresses[0].Exact || !slices.Equal(a.Policies, m.Addresses[0].Policies)
	})
}

// ObservedPolicy is what was seen.
type ObservedPolicy struct {
	Versions []suite.Version `json:"versions"`
	Suites   []suite.Code    `json:"suites"`
	Groups   []suite.Group   `json:"groups,omitempty"`
	Order    policy.Order    `json:"order"`
}

// PolicyMatch is one predefined policy against what was seen.
type PolicyMatch struct {
	Name    string        `json:"name"`
	Family  policy.Family `json:"family"`
	Status  string        `json:"status"`
	Exact   bool          `json:"exact"`
	Missing []string      `json:"missing"`          // in the policy, not at the endpoint
	Extra   []string      `json:"extra"`            // at the endpoint, not in the policy
	Unsure  []string      `json:"unsure,omitempty"` // differences from what is only inferred of the policy
}

// NewPolicyMatches puts the result of policy.MatchPolicies into the answer.
func NewPolicyMatches(target string, observed *policy.Policy, v policy.View, l []policy.Match) *PolicyMatches {
	m := &PolicyMatches{Target: target, Exact: len(l) > 0 && l[0].Exact, Matches: []PolicyMatch{}, TellApart: policy.TellApart(l, v),
		Certificates: orEmpty(v.Keys),
		Observed:     ObservedPolicy{orEmpty(observed.Versions), orEmpty(observed.Suites), observed.Groups, observed.Order}}
	for _, x := range l {
		m.Matches = append(m.Matches, PolicyMatch{Name: x.Policy.Name, Family: x.Policy.Family, Status: x.Policy.Status, Exact: x.Exact,
			Missing: orEmpty(x.Missing), Extra: orEmpty(x.Extra), Unsure: x.Unsure})
	}
	return m
}

// Text says which policy it is, or which is nearest and how it differs.
func (m *PolicyMatches) Text(w io.Writer, st Style) error {
	seen := fmt.Sprintf("%s, %d suites", versionRange(m.Observed.Versions), len(m.Observed.Suites))
	if len(m.Certificates) > 0 {
		seen += fmt.Sprintf(", %s certificate", strings.ToUpper(join(stringers(m.Certificates), " and ")))
	}
	fmt.Fprintf(w, "%s accepts %s\n\n", st.Bold(m.Target), seen)
	switch {
	case len(m.Matches) == 0:
		fmt.Fprintln(w, "No policy to compare with.")
	case m.Exact && len(m.Matches) == 1:
		fmt.Fprintln(w, st.Good("It is this predefined policy:"))
	case m.Exact:
		fmt.Fprintln(w, st.Good("It is one of these predefined policies:"))
	default:
		fmt.Fprintln(w, st.Warn("It is no predefined policy. The nearest:"))
	}
	var rows [][]string
	for _, x := range m.Matches {
		status := ""
		if x.Status != "documented" {
			status = " (" + x.Status + ")"
		}
		rows = append(rows, []string{"  " + st.Bold(x.Name), x.Family.Title() + st.Dim(status)})
	}
	if m.Exact {
		if err := Table(w, nil, rows); err != nil {
			return err
		}
	}
	for i, x := range m.Matches {
		if !m.Exact {
			if err := Table(w, nil, rows[i:i+1]); err != nil {
				return err
			}
		}
		details(w, "lacks", x.Missing)
		details(w, "also has", x.Extra)
		details(w, "unlike what is inferred of "+x.Name+":", x.Unsure)
	}
	if m.TellApart != "" {
		fmt.Fprintln(w)
		for _, l := range wrap("To tell them apart: "+m.TellApart+".", 100) {
			fmt.Fprintln(w, l)
		}
	}
	section(w, st, "Not tested", m.NotTested)
	return m.addresses(w, st)
}

// addresses says what each address runs, where there are several.
func (m *PolicyMatches) addresses(w io.Writer, st Style) error {
	if len(m.Addresses) == 0 {
		return nil
	}
	if !m.AddressesDiffer() {
		fmt.Fprintf(w, "\nAll %d addresses run the same policy.\n", len(m.Addresses))
		return nil
	}
	fmt.Fprintf(w, "\n%s\n", st.Warn("The addresses differ:"))
	var rows [][]string
	for _, a := range m.Addresses {
		what := "no predefined policy"
		switch {
		case a.Problem != "":
			what = a.Problem
		case a.Exact:
			what = strings.Join(a.Policies, " or ")
		}
		rows = append(rows, []string{"  " + a.Address, what})
	}
	return Table(w, nil, rows)
}

func details(w io.Writer, head string, l []string) {
	if len(l) == 0 {
		return
	}
	for i, line := range wrap(head+" "+strings.Join(l, ", "), 92) {
		fmt.Fprintln(w, strings.Repeat(" ", 4+2*min(i, 1))+line)
	}
}

type stringer string

func (s stringer) String() string { return string(s) }

func stringers[T ~string](l []T) []stringer {
	var out []stringer
	for _, x := range l {
		out = append(out, stringer(x))
	}
	return out
}
