package render

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/parley-tls/parley/aws/change"
)

// AWSChange is what became of a change (docs/schema/aws-change.schema.json).
type AWSChange struct {
	Schema string   `json:"schema"`
	Change string   `json:"change,omitempty"` // its ID in the journal; none where nothing had to be changed
	Plan   *AWSPlan `json:"plan"`
	Status string   `json:"status"` // applied, already
	Made   string   `json:"created_policy,omitempty"`
	Gone   []string `json:"removed_policies,omitempty"`
	Kept   []string `json:"kept_policies,omitempty"` // that were to be removed, and why they are there
	Left   []string `json:"left_policies,omitempty"` // for undo
	// Appeared are policies that someone else made on the load balancer while the change was under way.
	Appeared []string      `json:"appeared_policies,omitempty"`
	Proof    *change.Proof `json:"proof"`
	Undo     string        `json:"undo,omitempty"` // the command that takes it back
}

// Text writes what was done, what was seen of it and how to take it back.
func (c *AWSChange) Text(w io.Writer, st Style) error {
	p := c.Plan
	switch {
	case c.Change == "":
		fmt.Fprintf(w, "%s has %s already\n", &p.Listener, p.Set.Policy)
	case p.Undoes != "":
		fmt.Fprintf(w, "%s has %s again (change %s takes %s back)\n", &p.Listener, dash(p.Set.Policy), c.Change, p.Undoes)
	default:
		fmt.Fprintf(w, "%s has %s now (change %s)\n", &p.Listener, p.Set.Policy, c.Change)
	}
	fmt.Fprintln(w, c.proofText(st))
	for _, s := range c.Proof.Addresses {
		if len(s.Differences) > 0 {
			fmt.Fprintf(w, "  %s: %s\n", s.Address, firstOf(s.Differences))
		}
	}
	for _, n := range c.Gone {
		fmt.Fprintf(w, "deleted the policy %s, which nothing used\n", n)
	}
	for _, n := range c.Kept {
		fmt.Fprintf(w, "%s the policy %s\n", st.Warn("kept"), n)
	}
	if len(c.Appeared) > 0 {
		fmt.Fprintf(w, "%s: someone else made %s on the load balancer meanwhile; if it was set on this listener too, that is overwritten\n", st.Warn("warning"), strings.Join(c.Appeared, ", "))
	}
	if len(c.Left) > 0 {
		fmt.Fprintf(w, "left for undo: %s\n", strings.Join(c.Left, ", "))
	}
	if c.Undo != "" {
		fmt.Fprintf(w, "to take it back: %s\n", c.Undo)
	}
	return nil
}

// shownDifferences of an address are listed for people.
const shownDifferences = 6

func firstOf(l []string) string {
	if len(l) > shownDifferences {
		return fmt.Sprintf("%s and %d more", strings.Join(l[:shownDifferences], ", "), len(l)-shownDifferences)
	}
	return strings.Join(l, ", ")
}

// proofText says what the endpoint behaves like.
func (c *AWSChange) proofText(st Style) string {
	p := c.Proof
	took := p.Took.Round(time.Second)
	where := p.Endpoint
	n := 0
	for _, a := range p.Addresses {
		if a.Verdict == change.Proven || a.Verdict == change.Alike {
			n++
		}
	}
	switch all := len(p.Addresses); {
	case n < all:
		where = fmt.Sprintf("%d of %d addresses of %s, to the others of which there is no route from here,", n, all, p.Endpoint)
	case all > 1:
		where = fmt.Sprintf("all %d addresses of %s", n, p.Endpoint)
	}
	to := c.Plan.Set.Policy
	if c.Plan.Change != nil {
		to = c.Plan.Change.To.Name
	}
	switch p.Verdict {
	case change.Proven:
		return st.Good("proven") + fmt.Sprintf(": %s behaves as %s, seen after %s", where, to, took)
	case change.Alike:
		return st.Good("consistent") + fmt.Sprintf(": %s behaves as %s, which from outside does not differ from what it had", where, to)
	case change.StillOld:
		return st.Bad("still the old one") + fmt.Sprintf(": %s does not behave as %s after %s, though the API shows it", p.Endpoint, to, took)
	case change.Neither:
		return st.Bad("neither") + fmt.Sprintf(": %s behaves neither as %s nor as what it had, after %s", p.Endpoint, to, took)
	case change.Unreachable:
		return st.Warn("not reachable from here") + fmt.Sprintf(": no connection to %s; the API shows the policy, and parley policy match from where it can be reached, or --connect HOST:PORT, would prove it", p.Endpoint)
	case change.Unprovable:
		return st.Warn("not proven") + ": what the policy accepts is not known"
	}
	return "not verified: only the API was asked"
}
