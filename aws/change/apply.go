package change

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
)

// Runner carries plans out.
type Runner struct {
	API     API
	Journal *Journal
	By      elb.Place         // how Parley gets to the account, for the journal
	Tell    func(text string) // told of each step; nil: nobody
	// Settle is how long the API may take to show what was set; 0 means DefaultSettle.
	Settle time.Duration
}

// DefaultSettle bounds how long the API goes on showing what was before a call that it took: it is eventually consistent.
const DefaultSettle = 30 * time.Second

// stepLimit bounds one step. A step that has begun is brought to its end even where the user interrupts the run.
const stepLimit = 2 * time.Minute

// Report is what became of a plan.
type Report struct {
	Change  string   // in the journal; "" where nothing had to be changed
	Created string   // a policy that was made for it
	Removed []string // policies that it deleted
	Kept    []string // policies that it should have deleted, with the reason why they are there
	Already bool     // the listener had what the plan sets
	// Appeared are policies that someone else made on the Classic Load Balancer while the change was under way. If they were set on
	// the same listener just before it was, that is overwritten: AWS has no call that would notice.
	Appeared []string
}

func (r *Runner) tell(format string, a ...any) {
	if r.Tell != nil {
		r.Tell(fmt.Sprintf(format, a...))
	}
}

// Apply carries a plan out. The listener must still be what the plan has it to be; what is there already is not made again, so
// that a run that was cut off is finished by another. Errors are of type Error where they are about the listener or AWS.
func (r *Runner) Apply(ctx context.Context, p *Plan) (*Report, error) {
	unlock, err := r.Journal.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	now, err := r.API.Read(ctx)
	if err != nil {
		return nil, unchanged(err)
	}
	if p.Done(&now.State) && p.Undoes == "" {
		return &Report{Already: true}, r.finish(p, "")
	}
	if err := stale(p, now); err != nil {
		return nil, err
	}
	a := &Report{Change: NewID()}
	if err := r.Journal.Append(Entry{Change: a.Change, Step: Begin, Plan: p, By: &r.By}); err != nil {
		return nil, err
	}
	// From here on what was begun is ended, whatever the user does.
	ctx = context.WithoutCancel(ctx)
	err = r.run(ctx, p, now, a)
	end := Entry{Change: a.Change, Step: End, Phase: Result}
	if err == nil {
		if err = r.finish(p, a.Change); err != nil {
			return a, unwritten(p, err)
		}
	}
	if err != nil {
		end.Note = err.Error()
		var e *Error
		if !errors.As(err, &e) || e.Outcome == Open {
			return a, err // left open in the journal as well
		}
		end.Phase = Failed
	}
	if jerr := r.Journal.Append(end); jerr != nil && err == nil {
		return a, unwritten(p, jerr)
	}
	return a, err
}

// run makes the calls.
func (r *Runner) run(ctx context.Context, p *Plan, now *Reading, a *Report) error {
	before := now
	if p.Set.Create {
		made, err := r.create(ctx, p, now, a)
		if err != nil {
			return err
		}
		if made {
			a.Created = p.Set.Policy
		}
		// Another operator may have come between: the list that is set below must be the list of now.
		if now, err = r.API.Read(ctx); err != nil {
			return r.aside(a, unchanged(err))
		}
		if err := stale(p, now); err != nil {
			return r.aside(a, err)
		}
	}
	if !p.Done(&now.State) {
		after, err := r.set(ctx, p, a.Change)
		if err != nil {
			return r.aside(a, err)
		}
		for i := range after.Own {
			if n := after.Own[i].Name; before.own(n) == nil && n != p.Set.Policy {
				a.Appeared = append(a.Appeared, n)
			}
		}
	}
	return r.remove(ctx, p.Set.Remove, a)
}

// remove deletes policies that nothing uses. One that AWS keeps is no failure: the listener has what it should have.
func (r *Runner) remove(ctx context.Context, names []string, a *Report) error {
	if len(names) == 0 {
		return nil
	}
	keep := func(name, why string) { a.Kept = append(a.Kept, name+": "+why) }
	now, err := r.API.Read(ctx)
	if err != nil {
		for _, n := range names {
			keep(n, "whether something uses it could not be found out: "+err.Error())
		}
		return nil
	}
	for _, n := range names {
		switch {
		case now.own(n) == nil:
			continue
		case slices.Contains(now.InUse, n):
			keep(n, "a listener of the load balancer uses it")
			continue
		}
		r.tell("deleting the policy %s, which nothing uses", n)
		if err := r.Journal.Append(Entry{Change: a.Change, Step: DeletePolicy, Phase: Intent, Policy: n}); err != nil {
			return err
		}
		done := Entry{Change: a.Change, Step: DeletePolicy, Phase: Result, Policy: n}
		step, cancel := context.WithTimeout(ctx, stepLimit)
		err := r.API.Delete(step, n)
		cancel()
		if err != nil {
			done.Phase, done.Note = Failed, account.Explain(err).Error()
			keep(n, done.Note)
		} else {
			a.Removed = append(a.Removed, n)
		}
		if err := r.Journal.Append(done); err != nil {
			return err
		}
	}
	return nil
}

// aside adds to an error that a policy was made which nothing uses.
func (r *Runner) aside(a *Report, err error) error {
	var e *Error
	if a.Created == "" || !errors.As(err, &e) || e.Outcome != NotDone {
		return err
	}
	return &Error{NotDone, fmt.Sprintf("%s; the policy %s, which was made for it, is left and used by no listener: parley aws undo %s removes it", e.Text, a.Created, a.Change), err}
}

// create makes the Classic policy unless it is there. An answer that got lost is looked up.
func (r *Runner) create(ctx context.Context, p *Plan, now *Reading, a *Report) (made bool, err error) {
	name := p.Set.Policy
	if own := now.own(name); own != nil {
		if own.made(p.Set.Reference, p.Set.Attributes) {
			r.tell("%s has the policy %s already", p.Listener.LoadBalancer, name)
			return false, nil
		}
		return false, notDone("%s has now another policy with the name %s: nothing was changed; make a new plan", p.Listener.LoadBalancer, name)
	}
	r.tell("making the policy %s", name)
	if err := r.Journal.Append(Entry{Change: a.Change, Step: CreatePolicy, Phase: Intent, Policy: name}); err != nil {
		return false, err
	}
	step, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	call := r.API.Create(step, &p.Set)
	if call != nil {
		// Whether it is there counts, not whether the answer came: retries of a call whose answer got lost meet their own policy.
		again, err := r.API.Read(step)
		if err != nil {
			return false, open(err, "whether the policy %s was made could not be found out: %v; parley aws undo %s looks again", name, account.Explain(call), a.Change)
		}
		if own := again.own(name); own == nil || !own.made(p.Set.Reference, p.Set.Attributes) {
			text := account.Explain(call).Error()
			if err := r.Journal.Append(Entry{Change: a.Change, Step: CreatePolicy, Phase: Failed, Policy: name, Note: text}); err != nil {
				return false, err
			}
			return false, notDone("nothing was changed: %s", text)
		}
	}
	if err := r.Journal.Append(Entry{Change: a.Change, Step: CreatePolicy, Phase: Result, Policy: name}); err != nil {
		return true, open(err, "the policy %s was made on %s and not set, since the journal cannot be written: %v", name, p.Listener.LoadBalancer, err)
	}
	return true, nil
}

// unwritten is that a plan was carried out and the journal does not say so.
func unwritten(p *Plan, err error) error {
	return open(err, "%s has %s now, but the journal cannot be written: %v", &p.Listener, orNone(p.Set.Policy), err)
}

// set sets the policy and looks whether it is set.
func (r *Runner) set(ctx context.Context, p *Plan, change string) (*Reading, error) {
	r.tell("setting %s on %s", p.Set.Policy, &p.Listener)
	if err := r.Journal.Append(Entry{Change: change, Step: SetPolicy, Phase: Intent, Policy: p.Set.Policy}); err != nil {
		return nil, err
	}
	step, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	call := r.API.Set(step, &p.Set)
	seen, err := r.settled(step, p, call)
	var gone *Error
	switch {
	case errors.As(err, &gone) && gone.Outcome == NotDone:
		return nil, err // the listener was deleted, which is more than either wanted
	case err != nil && call != nil:
		return nil, open(err, "whether %s has %s now could not be found out: %v, and then %v; parley aws undo %s takes it back if it has", &p.Listener, p.Set.Policy, account.Explain(call), err, change)
	case err != nil:
		return nil, open(err, "AWS took the change, and what %s has now could not be found out: %v; parley aws undo %s takes it back", &p.Listener, err, change)
	case p.Done(&seen.State):
		if err := r.Journal.Append(Entry{Change: change, Step: SetPolicy, Phase: Result, Policy: p.Set.Policy}); err != nil {
			return nil, unwritten(p, err)
		}
		return seen, nil
	case call != nil && len(p.Had.Differences(&seen.State)) == 0:
		text := account.Explain(call).Error()
		if err := r.Journal.Append(Entry{Change: change, Step: SetPolicy, Phase: Failed, Policy: p.Set.Policy, Note: text}); err != nil {
			return nil, err
		}
		return nil, notDone("%s has still %s: %s", &p.Listener, orNone(p.Had.Policy), text)
	case len(p.Had.Differences(&seen.State)) == 0:
		return nil, open(nil, "AWS took the change, but shows %s with %s still: parley aws undo %s looks again", &p.Listener, orNone(p.Had.Policy), change)
	}
	return nil, notDone("someone else changed %s at the same time: %s; it was left so, and what was to be set is %s", &p.Listener,
		strings.Join(p.expected().Differences(&seen.State), "; "), p.wanted())
}

// expected is the state that the plan leads to.
func (p *Plan) expected() *State {
	s := p.Had
	s.Policy, s.Reference, s.Attributes, s.Policies = p.Set.Policy, p.Set.Reference, p.Set.Attributes, p.Set.Policies
	return &s
}

func (p *Plan) wanted() string {
	if p.Set.Policies != nil {
		return strings.Join(p.Set.Policies, ", ")
	}
	return p.Set.Policy
}

// settled reads the listener until it is what the plan makes of it, or something that neither was nor is to be, or, where the
// call failed for a reason that AWS gave, once.
func (r *Runner) settled(ctx context.Context, p *Plan, call error) (*Reading, error) {
	limit := r.Settle
	if limit == 0 {
		limit = DefaultSettle
	}
	if call != nil {
		limit = limit / 6 // what got lost may still arrive
		if code(call) != "" && !serverFault(call) {
			limit = 0
		}
	}
	for deadline, pause := time.Now().Add(limit), 200*time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		now, err := r.API.Read(ctx)
		switch {
		case err != nil:
			return nil, err
		case p.Done(&now.State), len(p.Had.Differences(&now.State)) > 0, time.Now().After(deadline):
			return now, nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// finish closes former changes of the listener in the journal that were cut off, now that it is known how far they came. change is
// that of this run, "" where it had nothing to do.
func (r *Runner) finish(p *Plan, change string) error {
	entries, _, err := r.Journal.Read()
	if err != nil {
		return err
	}
	for _, c := range History(entries) {
		if c.Status != Interrupted || c.ID == change || !c.Plan.Listener.Same(&p.Listener) {
			continue
		}
		// It had been made if the listener was found as it would leave it.
		end := Entry{Change: c.ID, Step: End, Phase: Failed, Note: "cut off before it was made; " + change + " came after it"}
		if made := c.Plan.Set.Policy; made == p.Had.Policy || change == "" && made == p.Set.Policy {
			end.Phase, end.Note = Result, "cut off when it had been made"
			r.tell("the change %s, which was cut off, had been made", c.ID)
		}
		if err := r.Journal.Append(end); err != nil {
			return err
		}
	}
	return nil
}

// stale says what changed since the plan was made; nil where nothing did.
func stale(p *Plan, now *Reading) error {
	l := p.Had.Differences(&now.State)
	if p.Set.Policies != nil && !p.Set.Create && p.Set.Policy != "" {
		switch own := now.own(p.Set.Policy); {
		case own == nil:
			l = append(l, "the load balancer has no policy "+p.Set.Policy+" any more")
		case !own.made(p.Set.Reference, p.Set.Attributes):
			l = append(l, "the load balancer's policy "+p.Set.Policy+" has another content")
		}
	}
	if len(l) > 0 {
		return notDone("%s changed since the plan was made: %s; nothing was changed, make a new plan", &p.Listener, strings.Join(l, "; "))
	}
	return nil
}

// unchanged adds to an error met before any call that changes something that nothing was changed.
func unchanged(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	return &Error{e.Outcome, e.Text + "; nothing was changed", err}
}
