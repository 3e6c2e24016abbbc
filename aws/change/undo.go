package change

import (
	"context"
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
	back := now.Policy == was.Policy && sameNames(now.Policies, was.Policies)
	switch {
	case back: // it was never made, or is taken back already
		p.Set = Setting{Policy: now.Policy, Reference: now.Reference, Attributes: now.Attributes, Policies: now.Policies}
	case len(changed) > 0 && !force:
		return nil, notDone("%s changed since %s: %s; nothing was changed, --force sets %s nevertheless", &p.Listener, c.ID, strings.Join(changed, "; "), orNone(was.Policy))
	case p.Listener.Kind == elb.Classic && !force && otherContent(was, now):
		return nil, notDone("the policy %s of %s has another content than before %s: nothing was changed, --force sets it nevertheless", was.Policy, p.Listener.LoadBalancer, c.ID)
	case p.Listener.Kind == elb.Classic:
		p.Set = classicBack(was, now, len(changed) == 0)
	default:
		p.Set = Setting{Policy: was.Policy}
	}
	p.Set.Remove = removable(c, all, now, p.Set.Policies)
	p.seal()
	return p, nil
}

// otherContent reports whether the policy that a Classic listener had was deleted meanwhile and another one made by its name.
func otherContent(was *State, now *Reading) bool {
	own := now.own(was.Policy)
	return own != nil && !own.made(was.Reference, was.Attributes)
}

// classicBack is what gives a Classic listener its former policy. One that was deleted meanwhile is made again.
func classicBack(was *State, now *Reading, whole bool) Setting {
	s := Setting{Policy: was.Policy, Reference: was.Reference, Attributes: was.Attributes, Policies: was.Policies}
	own := now.own(was.Policy)
	switch {
	case was.Policy == "":
	case own != nil:
		s.Reference, s.Attributes = own.Reference, own.Attributes
		if s.Reference != "" {
			s.Attributes = nil
		}
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

// Named reports whether a name that the user wrote means the target.
func (t *Target) Named(n elb.Name) bool {
	fits := func(want, have string) bool { return want == "" || have == "" || want == have }
	switch {
	case n.ListenerARN != "":
		return n.ListenerARN == t.ARN
	case n.Port != 0 && n.Port != t.Port, n.LoadBalancerARN != "" && n.LoadBalancerARN != t.LoadBalancerARN:
		return false
	}
	return fits(n.LoadBalancer, t.LoadBalancer) && fits(n.Region, t.Region) && fits(n.Account, t.Account) && fits(string(n.Kind), string(t.Kind)) &&
		fits(n.DNSName, strings.ToLower(t.DNSName))
}

// Forget gives the way back of a change up, and deletes the policies of the load balancer that Parley made and that nothing needs now.
func (r *Runner) Forget(ctx context.Context, c *Change) (*Report, error) {
	unlock, err := r.Journal.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	t := &c.Plan.Listener
	now, err := r.API.Read(ctx)
	if err != nil {
		return nil, unchanged(err)
	}
	if c.Status == Interrupted && !c.Plan.Done(&now.State) {
		return nil, notDone("%s was cut off, and %s does not have what it was to set: finish it by the same parley aws set-policy, or take it back", c.ID, t)
	}
	ctx = context.WithoutCancel(ctx)
	if err := r.Journal.Append(Entry{Change: c.ID, Step: Forget}); err != nil {
		return nil, err
	}
	entries, _, err := r.Journal.Read()
	if err != nil {
		return nil, err
	}
	a := &Report{Change: c.ID}
	return a, r.remove(ctx, Superfluous(History(entries), t, now), a)
}
