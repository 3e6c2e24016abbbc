package elbapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/parley-tls/parley/elbapi/query"
)

// Fault makes calls fail, or wait. Fields that are empty match every call.
type Fault struct {
	Account, Region, Service, Action string

	Times int           // how many calls it hits; 0: all
	Skip  int           // how many matching calls it lets pass before
	Delay time.Duration // before anything else is done
	Error *query.Error  // nil: only the delay
	After bool          // the call takes effect, and fails none the less
	// Denied makes AccessDenied, with the caller and the action in its text.
	Denied bool
}

// Throttling is the error that AWS answers with where calls come too fast.
func Throttling() *query.Error { return query.Fail("Throttling", "Rate exceeded") }

// Inject sets a fault up; remove ends it. Of several that match a call the first that was set up counts.
func (s *Server) Inject(f Fault) (remove func()) {
	p := &f
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.set = append(s.faults.set, p)
	return func() {
		s.faults.mu.Lock()
		defer s.faults.mu.Unlock()
		s.faults.set = slices.DeleteFunc(s.faults.set, func(x *Fault) bool { return x == p })
	}
}

type faults struct {
	mu  sync.Mutex
	set []*Fault
}

// hit returns the fault that a call meets.
func (f *faults) hit(c *Call) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, p := range f.set {
		if !p.matches(c) {
			continue
		}
		if p.Skip > 0 {
			p.Skip--
			continue
		}
		if p.Times > 0 {
			if p.Times--; p.Times == 0 {
				f.set = slices.Delete(f.set, i, i+1)
			}
		}
		return *p, true
	}
	return Fault{}, false
}

func (f *Fault) matches(c *Call) bool {
	fits := func(want, have string) bool { return want == "" || want == have }
	return fits(f.Account, c.Account) && fits(f.Region, c.Region) && fits(f.Service, c.Service) && fits(f.Action, c.Action)
}

// admit lets a call pass the limits and the faults. after is the error to answer with once the call took effect.
func (s *Server) admit(ctx context.Context, c *Call) (after, now *query.Error) {
	f, hit := s.faults.hit(c)
	if hit && f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil, &query.Error{Code: "ServiceUnavailable", Message: "the client is gone", Status: http.StatusServiceUnavailable}
		}
	}
	if !s.limits.take(c) {
		return nil, Throttling()
	}
	e := f.Error
	if f.Denied {
		action := c.Service + ":" + c.Action
		e = &query.Error{Code: "AccessDenied", Status: http.StatusForbidden,
			Message: fmt.Sprintf("User: %s is not authorized to perform: %s because no identity-based policy allows the %s action", c.Key.Subject, action, action)}
	}
	switch {
	case !hit || e == nil:
		return nil, nil
	case f.After:
		return e, nil
	}
	return nil, e
}
