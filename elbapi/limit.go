package elbapi

import (
	"path"
	"sync"
	"time"
)

// Rate is a token bucket for a kind of action, one for each account and region.
type Rate struct {
	Name    string   `json:"name"`
	Service string   `json:"service"`
	Actions []string `json:"actions"` // patterns, as Describe*
	Burst   float64  `json:"burst"`   // calls that can be made at once
	Refill  float64  `json:"refill"`  // calls a second
}

type limits struct {
	mu      sync.Mutex
	rates   []Rate
	buckets map[bucketKey]*bucket
}

type bucketKey struct {
	rate            int
	account, region string
}

type bucket struct {
	tokens float64
	at     time.Time
}

// take takes a token for a call, if there is one.
func (l *limits) take(c *Call) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.find(c)
	if i < 0 {
		return true
	}
	r, key := &l.rates[i], bucketKey{i, c.Account, c.Region}
	b := l.buckets[key]
	if b == nil {
		if l.buckets == nil {
			l.buckets = make(map[bucketKey]*bucket)
		}
		b = &bucket{tokens: r.Burst, at: c.Now}
		l.buckets[key] = b
	}
	if past := c.Now.Sub(b.at).Seconds(); past > 0 {
		b.tokens, b.at = min(r.Burst, b.tokens+past*r.Refill), c.Now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

func (l *limits) find(c *Call) int {
	for i, r := range l.rates {
		if r.Service != c.Service {
			continue
		}
		for _, pattern := range r.Actions {
			if ok, _ := path.Match(pattern, c.Action); ok {
				return i
			}
		}
	}
	return -1
}

// SetRates takes the place of the limits that were set before, with full buckets.
func (s *Server) SetRates(rates []Rate) {
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	s.limits.rates, s.limits.buckets = rates, nil
}
