package change

import (
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/aws/elb"
)

// Status is how far a change came, by the journal alone.
type Status string

// Statuses.
const (
	Applied     Status = "applied"
	Interrupted Status = "interrupted" // the run was cut off: the API tells how far it came
	NotApplied  Status = "not-applied" // the listener was left as it was
	Undone      Status = "undone"
	Forgotten   Status = "forgotten" // it stays: undo is given up
)

// Change is what the journal has of one change.
type Change struct {
	ID      string
	Begun   time.Time
	Plan    *Plan
	By      elb.Place
	Status  Status
	Verdict Verdict // of the last proof; "" where there was none
	Note    string  // the last line's
	Undoes  string
	// UndoneBy is the change that took this one back.
	UndoneBy string
	created  []string // policies whose creation was begun
	deleted  []string
}

// History puts the lines of a journal together, oldest change first. Lines of a change whose first line is missing are left out.
func History(entries []Entry) []Change {
	var l []Change
	at := map[string]int{}
	for i := range entries {
		e := &entries[i]
		if e.Step == Begin && e.Plan != nil {
			if _, twice := at[e.Change]; twice {
				continue
			}
			at[e.Change] = len(l)
			c := Change{ID: e.Change, Begun: e.Time, Plan: e.Plan, Status: Interrupted, Undoes: e.Plan.Undoes}
			if e.By != nil {
				c.By = *e.By
			}
			l = append(l, c)
		}
		if i, ok := at[e.Change]; ok {
			l[i].add(e)
		}
	}
	for i := range l {
		c := &l[i]
		if j, ok := at[c.Undoes]; ok && c.Status == Applied {
			l[j].Status, l[j].UndoneBy = Undone, c.ID
		}
	}
	return l
}

func (c *Change) add(e *Entry) {
	if e.Note != "" {
		c.Note = e.Note
	}
	switch {
	case e.Step == CreatePolicy && e.Phase == Intent:
		c.created = append(c.created, e.Policy)
	case e.Step == CreatePolicy && e.Phase == Failed:
		c.created = slices.DeleteFunc(c.created, func(n string) bool { return n == e.Policy })
	case e.Step == DeletePolicy && e.Phase == Result:
		c.deleted = append(c.deleted, e.Policy)
	case e.Step == SetPolicy && e.Phase == Result && c.Undoes == "", e.Step == End && e.Phase == Result:
		c.Status = Applied // taking a change back includes what comes behind the call that sets
	case e.Step == End && e.Phase == Failed:
		c.Status = NotApplied
	case e.Step == Forget:
		c.Status = Forgotten
	case e.Step == Prove && e.Phase == Result:
		c.Verdict = e.Verdict
	}
}

// Made lists the policies that Parley made for a Classic Load Balancer by this journal and has not deleted since.
func Made(l []Change, t *Target) []string {
	var names []string
	for i := range l {
		if !l[i].Plan.Listener.SameLoadBalancer(t) {
			continue
		}
		for _, n := range l[i].created {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		names = slices.DeleteFunc(names, func(n string) bool { return slices.Contains(l[i].deleted, n) })
	}
	return names
}

// Needed lists the policies of a load balancer that changes may be taken back to.
func Needed(l []Change, t *Target) []string {
	var names []string
	for i := range l {
		c := &l[i]
		if c.Plan.Listener.SameLoadBalancer(t) && (c.Status == Applied || c.Status == Interrupted) && c.Undoes == "" && !slices.Contains(names, c.Plan.Had.Policy) {
			names = append(names, c.Plan.Had.Policy)
		}
	}
	return names
}

// Last finds the change that undo means: the one with the ID, or the last of the listener that can be taken back, or where nothing
// is named the last of all. which may be the beginning of an ID. For a listener ref says whether a target is meant.
func Last(l []Change, id string, ref func(*Target) bool) (*Change, error) {
	if id != "" {
		var found *Change
		for i := range l {
			if strings.HasPrefix(l[i].ID, id) {
				if found != nil {
					return nil, unfit("%s begins the IDs of several changes: parley aws journal lists them", id)
				}
				found = &l[i]
			}
		}
		if found == nil {
			return nil, unfit("the journal has no change %s: parley aws journal lists them", id)
		}
		return found, nil
	}
	for i := len(l) - 1; i >= 0; i-- {
		c := &l[i]
		if (c.Status == Applied || c.Status == Interrupted) && c.Undoes == "" && ref(&c.Plan.Listener) {
			return c, nil
		}
	}
	return nil, notDone("the journal has no such change that could be undone: parley aws journal lists those that it has")
}
