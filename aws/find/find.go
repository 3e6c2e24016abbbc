// Package find lists the listeners of AWS load balancers, with the content of their security policies and what is known of
// their certificates, and finds the listener that a name means. It only reads.
//
// It asks as little as the APIs allow, since AWS answers 10 requests a second for each account, region and version of the API:
// one call for 400 load balancers and one for the listeners of each ALB and NLB; Classic listeners come with their load
// balancers, and their policies are asked for where the name does not tell. Certificates come from ACM in pages of 1,000.
package find

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
)

// Options direct List and Resolve. The zero value asks for the TLS listeners of every kind of load balancer.
type Options struct {
	Kinds           []elb.Kind // none: ALB, NLB and Classic
	All             bool       // listeners without TLS too
	SNICertificates bool       // the certificates beside the default one: one call more for each listener
	NoCertificates  bool       // leave ACM and IAM alone: of a certificate its ARN is told
	// Slow is told, where it is set, of a region whose listeners take long at AWS's rates; from several at once.
	Slow func(region string, loadBalancers int, atLeast time.Duration)
}

// wants reports whether load balancers of kind k are asked for.
func (o *Options) wants(k elb.Kind) bool { return len(o.Kinds) == 0 || slices.Contains(o.Kinds, k) }

// slow is what the user is told of beforehand.
const slow = 10 * time.Second

// Inventory is what was found.
type Inventory struct {
	Listeners     []elb.Listener // by account, region, load balancer and port
	LoadBalancers int            // looked at, of those kinds that were asked for
	Problems      []Problem      // what could not be found out; the listeners are all others
	Regions       int            // in which something was asked
	Calls         map[string]int // requests sent, retries included, by "Service.Operation"
	Pages         int            // answers with a part of a list of load balancers, listeners or certificates
}

// Problem is something that one account and region did not tell.
type Problem struct {
	elb.Place
	Missing string // what: "load balancers", "listeners of NAME", "certificates" …
	Err     error  // one line: what AWS said and what to do
}

func (p Problem) Error() string { return p.Region + ": " + p.Missing + ": " + p.Err.Error() }

func (p Problem) Unwrap() error { return p.Err }

// Total is the number of requests sent.
func (i *Inventory) Total() int {
	n := 0
	for _, c := range i.Calls {
		n += c
	}
	return n
}

// List finds every listener that the sessions can see, in all of them side by side. What one session does not tell is a
// Problem and no error; the error is that ctx ended, and then the inventory is what was found until then.
func List(ctx context.Context, sessions []*account.Session, o Options) (*Inventory, error) {
	askers := make([]*asker, len(sessions))
	var wg sync.WaitGroup
	for i, s := range sessions {
		askers[i] = newAsker(s, o)
		wg.Go(func() { askers[i].all(ctx) })
	}
	ids := identify(ctx, sessions)
	wg.Wait()
	if !o.NoCertificates {
		iamCertificates(ctx, askers)
	}
	return gather(askers, ids), ctx.Err()
}

// gather puts together what the sessions told. A listener that two sessions of one account saw counts once.
func gather(askers []*asker, ids map[identity]elb.Place) *Inventory {
	inv := &Inventory{Calls: map[string]int{}}
	if ids = maps.Clone(ids); ids == nil {
		ids = map[identity]elb.Place{}
	}
	type key struct {
		account, region, name string
		kind                  elb.Kind
		port                  int
		arn                   string
	}
	seen := map[key]bool{}
	regions := map[string]bool{}
	for _, a := range askers {
		if id := identityOf(a.s); ids[id].Account == "" {
			// Who may not ask who one is learns it from an ARN.
			for i := range a.listeners {
				if p := a.listeners[i].Place; p.Account != "" {
					ids[id] = elb.Place{Account: p.Account, Partition: p.Partition}
				}
			}
		}
	}
	for _, a := range askers {
		regions[a.s.Region] = true
		for operation, n := range a.s.Meter().Calls() {
			inv.Calls[operation] += n
		}
		inv.Pages += a.pages
		inv.LoadBalancers += a.balancers
		inv.Problems = append(inv.Problems, a.problems...)
		for _, l := range a.listeners {
			if l.Account == "" {
				id := ids[identityOf(a.s)]
				l.Account, l.Partition = id.Account, id.Partition
			}
			k := key{l.Account, l.Region, l.LoadBalancer, l.Kind, l.Port, l.ARN}
			if !seen[k] {
				seen[k] = true
				inv.Listeners = append(inv.Listeners, l)
			}
		}
	}
	inv.Regions = len(regions)
	slices.SortStableFunc(inv.Listeners, func(a, b elb.Listener) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.LoadBalancer, b.LoadBalancer),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Port, b.Port))
	})
	slices.SortStableFunc(inv.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Profile, b.Profile), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Missing, b.Missing))
	})
	return inv
}

// parallel is how many questions of one session are under way at once: at a round trip of 0.2 s the 40 requests that AWS
// takes at once are out in half a second, and 10 a second keep two busy.
const parallel = 16

// asker asks one session, and holds what it told.
type asker struct {
	s    *account.Session
	o    Options
	free chan struct{} // holds a token for each question under way

	mu        sync.Mutex
	listeners []elb.Listener
	problems  []Problem
	balancers int
	pages     int
	described map[string]*policy.Policy // security policies that the API told of
}

func newAsker(s *account.Session, o Options) *asker {
	return &asker{s: s, o: o, free: make(chan struct{}, parallel), described: map[string]*policy.Policy{}}
}

// all lists what the session can see.
func (a *asker) all(ctx context.Context) {
	var wg sync.WaitGroup
	if a.o.wants(elb.ALB) || a.o.wants(elb.NLB) {
		wg.Go(func() { a.modern(ctx) })
	}
	if a.o.wants(elb.Classic) {
		wg.Go(func() { a.classic(ctx) })
	}
	wg.Wait()
	a.fill(ctx)
}

// fill adds to the listeners what takes calls of its own: policies that no table has, and certificates.
func (a *asker) fill(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { a.policies(ctx) })
	if a.o.SNICertificates {
		a.sniCertificates(ctx)
	}
	if !a.o.NoCertificates {
		a.acmCertificates(ctx)
	}
	wg.Wait()
}

// enter waits until a question may go out; the caller calls the function that it returns at the end.
func (a *asker) enter() func() {
	a.free <- struct{}{}
	return func() { <-a.free }
}

// problem notes what the session did not tell.
func (a *asker) problem(missing string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.problems = append(a.problems, Problem{a.s.Place, missing, account.Explain(err)})
}

// page counts an answer with a part of a list.
func (a *asker) page() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pages++
}

// looked counts a load balancer.
func (a *asker) looked() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.balancers++
}

// add keeps listeners that were asked for.
func (a *asker) add(l ...elb.Listener) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, x := range l {
		if a.o.All || x.TLS() {
			a.listeners = append(a.listeners, x)
		}
	}
}
