package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/upstream"
	"github.com/parley-tls/parley/policy"
)

// Upstream is the answer of `parley policy check-upstream` (docs/schema/policy-check-upstream.schema.json).
type Upstream struct {
	Schema string          `json:"schema"`
	Same   bool            `json:"same"` // nothing differs, and all was told
	Checks []UpstreamCheck `json:"checks"`
}

// UpstreamCheck is what came out for one account and region.
type UpstreamCheck struct {
	elb.Place
	Policies    int                   `json:"policies"`   // that AWS told of
	Attributes  int                   `json:"attributes"` // of Classic's policy type
	Samples     []string              `json:"samples"`    // of Classic, which are not compared
	Differences []upstream.Difference `json:"differences"`
	Problems    []string              `json:"problems"`
}

// NewUpstream makes the document of checks.
func NewUpstream(checks []*upstream.Check) *Upstream {
	d := &Upstream{Schema: "parley/policy-check-upstream/1", Same: true, Checks: []UpstreamCheck{}}
	for _, c := range checks {
		d.Same = d.Same && len(c.Differences)+len(c.Problems) == 0
		d.Checks = append(d.Checks, UpstreamCheck{c.Place, c.Policies, c.Attributes, orEmpty(c.Samples), orEmpty(c.Differences), orEmpty(c.Problems)})
	}
	return d
}

// Text writes the differences by policy.
func (d *Upstream) Text(w io.Writer, st Style) error {
	var b strings.Builder
	for i := range d.Checks {
		c := &d.Checks[i]
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s  %d policies and %d Classic attributes told\n", st.Bold(strings.TrimSpace(oneLine(c.Account+" "+c.Region))), c.Policies, c.Attributes)
		for _, g := range alike(c.Differences) {
			for _, l := range wrap(strings.Join(g.names, ", "), 98) {
				fmt.Fprintf(&b, "  %s\n", st.Warn(oneLine(l)))
			}
			for _, l := range wrap(g.text, 94) {
				fmt.Fprintf(&b, "      %s\n", oneLine(l))
			}
		}
		if len(c.Differences) == 0 && c.Policies+c.Attributes > 0 {
			fmt.Fprintf(&b, "  %s\n", st.Good("the same as Parley's tables"))
		}
		if len(c.Samples) > 0 {
			fmt.Fprintf(&b, "  %s\n", st.Dim("not compared, as no table has them: "+oneLine(strings.Join(c.Samples, ", "))))
		}
		for _, p := range c.Problems {
			fmt.Fprintf(&b, "  %s %s\n", st.Warn("Not found out:"), oneLine(p))
		}
	}
	return writeLegible(w, b.String(), st)
}

// alikeDifferences are the policies or attributes of which AWS tells the same.
type alikeDifferences struct {
	names []string
	text  string
}

// alike puts differences of one text together, in the order of the first of each. Names of Classic have their family before them.
func alike(l []upstream.Difference) []alikeDifferences {
	var all []alikeDifferences
	for _, d := range l {
		name := shortPolicy(d.Name)
		if d.Family == policy.Classic {
			name = "classic/" + name
		}
		i := slices.IndexFunc(all, func(a alikeDifferences) bool { return a.text == d.Text })
		if i < 0 {
			i = len(all)
			all = append(all, alikeDifferences{text: d.Text})
		}
		all[i].names = append(all[i].names, name)
	}
	return all
}
