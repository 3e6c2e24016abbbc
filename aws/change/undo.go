package change

import (
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/aws/elb"
)

// NewUndo plans to take a change back, with the listener as it is now and the journal's other changes. A listener that is no
// more as the change left it is refused unless by force: then it gets its former policy, and what else changed stays.
func NewUndo(c *Change, all []Change, now *Reading, force bool, made time.Time) (*Plan, error) {
	was := &c.Plan.Had
	p := &Plan{Schema: PlanSchema, Made: made.UTC().Truncate(time.Millisecond), Listener: c.Plan.Listener, Had: now.State, Undoes: c.ID}
	changed := c.Plan.expected().Differences(&now.State)
	back := now.Policy == was.Policy && slices.Equal(now.Policies, was.Policies)
	switch {
	case back: // it was never made, or is taken back already
		p.Set = Setting{Policy: now.Policy, Reference: now.Reference, Attributes: now.Attributes, Policies: now.Policies}
	case len(changed) > 0 && !force:
		return nil, notDone("%s changed since %s: %s; nothing was changed, --force sets %s nevertheless", &p.Listener, c.ID, strings.Join(changed, "; "), orNone(was.Policy))
	case p.Listener.Kind == elb.Classic:
		p.Set = classicBack(was, now, len(changed) == 0)
	default:
		p.Set = Setting{Policy: was.Policy}
	}
	p.Set.Remove = removable(c, all, now, p.Set.Policies)
	p.ID = p.digest()
	return p, nil
}

// classicBack is what gives a Classic listener its former policy. One that was deleted meanwhile is made again.
func classicBack(was *State, now *Reading, whole bool) Setting {
	s := Setting{Policy: was.Policy, Reference: was.Reference, Attributes: was.Attributes, Policies: was.Policies}
	switch {
	case was.Policy == "" || now.own(was.Policy) != nil:
	case strings.HasPrefix(was.Policy, predefinedPrefix): // such a name is AWS's own
		w := Wish{Reference: was.Policy}
		s.Reference, s.Attributes = was.Policy, nil
		s.Policy, s.Create = classicName(now, w)
	default:
		s.Create = true
	}
	if s.Policy != was.Policy {
		s.Policies = replaced(was.Policies, was.Policy, s.Policy)
	}
	if whole {
		return s
	}
	if s.Policies = replaced(now.Policies, now.Policy, s.Policy); s.Policy == "" {
		s.Policies = now.others()
	}
	return s
}

// removable lists the policies that Parley made for a change and that nothing needs when it is taken back and the listener
// has those of set.
func removable(c *Change, all []Change, now *Reading, set []string) []string {
	t := &c.Plan.Listener
	if t.Kind != elb.Classic {
		return nil
	}
	made := Made(all, t)
	others := slices.DeleteFunc(slices.Clone(all), func(o Change) bool { return o.ID == c.ID })
	needed := Needed(others, t)
	var l []string
	for _, n := range append(slices.Clone(c.created), c.Plan.Set.Policy) {
		if slices.Contains(made, n) && !slices.Contains(needed, n) && !slices.Contains(set, n) && !slices.Contains(l, n) && now.own(n) != nil {
			l = append(l, n)
		}
	}
	return l
}

// Superfluous lists the policies on a load balancer that Parley made and that no listener uses and no change can be taken back to.
func Superfluous(all []Change, t *Target, now *Reading) []string {
	needed := Needed(all, t)
	return slices.DeleteFunc(Made(all, t), func(n string) bool {
		return now.own(n) == nil || slices.Contains(now.InUse, n) || slices.Contains(needed, n)
	})
}
