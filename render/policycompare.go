package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// PolicyChange is the answer of `parley policy compare` (docs/schema/policy-compare.schema.json).
type PolicyChange struct {
	Schema          string          `json:"schema"`
	From            PolicySummary   `json:"from"`
	To              PolicySummary   `json:"to"`
	Stricter        string          `json:"stricter"` // "from", "to" or "neither"
	Same            bool            `json:"same"`
	AddedVersions   []suite.Version `json:"added_versions"`
	DroppedVersions []suite.Version `json:"dropped_versions"`
	AddedSuites     []PolicySuite   `json:"added_suites"`
	DroppedSuites   []PolicySuite   `json:"dropped_suites"`
	AddedGroups     []suite.Group   `json:"added_groups"`
	DroppedGroups   []suite.Group   `json:"dropped_groups"`
	GroupsKnown     bool            `json:"groups_known"` // of both sides
	Reordered       bool            `json:"reordered"`
	OrderFrom       policy.Order    `json:"order_from"`
	OrderTo         policy.Order    `json:"order_to"`
	Clients         ClientChange    `json:"clients"`
}

// ClientChange is what a change of policy means for the known clients.
type ClientChange struct {
	Known  int          `json:"known"`
	Before int          `json:"before"` // how many connect
	After  int          `json:"after"`
	Gains  []ClientGain `json:"gains"`
	Loses  []ClientLoss `json:"loses"`
}

// ClientGain is a client that can connect only after the change.
type ClientGain struct {
	Client  string        `json:"client"`
	Version suite.Version `json:"version"`
	Cipher  suite.Code    `json:"cipher"`
}

// ClientLoss is a client that can no longer connect.
type ClientLoss struct {
	Client string   `json:"client"`
	Cause  cause.ID `json:"cause"`
}

// NewPolicyChange says what changes from one policy to the other, clients left out.
func NewPolicyChange(from, to *policy.Policy) *PolicyChange {
	d := policy.Compare(from, to)
	c := &PolicyChange{
		From: Summarize(from), To: Summarize(to), Same: d.Empty(), Stricter: "neither",
		AddedVersions: orEmpty(d.AddedVersions), DroppedVersions: orEmpty(d.DroppedVersions),
		AddedSuites: []PolicySuite{}, DroppedSuites: []PolicySuite{},
		AddedGroups: orEmpty(d.AddedGroups), DroppedGroups: orEmpty(d.DroppedGroups),
		GroupsKnown: len(from.Groups) > 0 && len(to.Groups) > 0,
		Reordered:   d.Reordered, OrderFrom: d.OrderFrom, OrderTo: d.OrderTo,
	}
	switch s := policy.Stricter(from, to); {
	case s < 0:
		c.Stricter = "from"
	case s > 0:
		c.Stricter = "to"
	}
	for _, s := range d.AddedSuites {
		c.AddedSuites = append(c.AddedSuites, suiteRow(s, to.Versions))
	}
	for _, s := range d.DroppedSuites {
		c.DroppedSuites = append(c.DroppedSuites, suiteRow(s, from.Versions))
	}
	return c
}

// orEmpty makes JSON's [] of nil.
func orEmpty[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// Text writes what is added, dropped and reordered, and whom it concerns.
func (c *PolicyChange) Text(w io.Writer, st Style) error {
	verdict := "neither is stricter"
	switch {
	case c.Same:
		verdict = "they accept the same"
	case c.Stricter == "to":
		verdict = "stricter"
	case c.Stricter == "from":
		verdict = "more lenient"
	}
	fmt.Fprintf(w, "%s -> %s: %s\n\n", st.Bold(c.From.qualified(c.To)), st.Bold(c.To.qualified(c.From)), verdict)
	var rows [][]string
	row := func(sign, what, rest string) {
		if sign == "+" {
			sign = st.Good(sign)
		} else {
			sign = st.Bad(sign)
		}
		rows = append(rows, []string{sign, what, rest})
	}
	for _, v := range c.DroppedVersions {
		row("-", v.String(), "")
	}
	for _, v := range c.AddedVersions {
		row("+", v.String(), "")
	}
	for _, s := range c.DroppedSuites {
		row("-", s.Cipher.OpenSSL(), strings.TrimSuffix(mark(st, s.Strength)+": "+why(s.Reasons), ": "))
	}
	for _, s := range c.AddedSuites {
		row("+", s.Cipher.OpenSSL(), strings.TrimSuffix(mark(st, s.Strength)+": "+why(s.Reasons), ": "))
	}
	for _, g := range c.DroppedGroups {
		row("-", g.String(), "group")
	}
	for _, g := range c.AddedGroups {
		row("+", g.String(), "group")
	}
	if err := Table(w, nil, trimRows(rows)); err != nil {
		return err
	}
	if len(rows) > 0 {
		fmt.Fprintln(w)
	}
	facts := [][]string{{"Order", c.orderWords()}, {"Weakest", mark(st, c.From.Weakest) + " -> " + mark(st, c.To.Weakest)}}
	if !c.GroupsKnown {
		facts = append(facts, []string{"Groups", "not compared: not known of both"})
	}
	if c.Clients.Known > 0 {
		facts = append(facts, []string{"Clients", fmt.Sprintf("of %d known, %d connect before and %d after", c.Clients.Known, c.Clients.Before, c.Clients.After)})
	}
	if err := Table(w, nil, facts); err != nil {
		return err
	}
	c.Clients.text(w, st)
	return nil
}

// qualified puts the family before a name that both sides have.
func (p *PolicySummary) qualified(other PolicySummary) string {
	if p.Name == other.Name && p.Family != other.Family {
		return string(p.Family) + "/" + p.Name
	}
	return p.Name
}

func (c *PolicyChange) orderWords() string {
	switch {
	case c.OrderFrom != c.OrderTo:
		return fmt.Sprintf("decided by the %s before, by the %s after", c.OrderFrom, c.OrderTo)
	case c.Reordered:
		return "the suites that both have come in another order"
	}
	return "unchanged for the suites that both have"
}

// text names the clients; those that are lost stand together by cause.
func (c *ClientChange) text(w io.Writer, st Style) {
	list := func(head string, names []string) {
		fmt.Fprintf(w, "  %s\n", head)
		for _, l := range wrap(strings.Join(names, ", "), 94) {
			fmt.Fprintf(w, "      %s\n", l)
		}
	}
	if len(c.Gains) > 0 {
		var names []string
		for _, g := range c.Gains {
			names = append(names, g.Client)
		}
		list(st.Good(fmt.Sprintf("gains %d", len(names))), names)
	}
	var causes []cause.ID
	lost := map[cause.ID][]string{}
	for _, l := range c.Loses {
		if lost[l.Cause] == nil {
			causes = append(causes, l.Cause)
		}
		lost[l.Cause] = append(lost[l.Cause], l.Client)
	}
	for _, id := range causes {
		list(st.Bad(fmt.Sprintf("loses %d, %s", len(lost[id]), id)), lost[id])
	}
}
