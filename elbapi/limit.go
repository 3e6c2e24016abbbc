package elbapi

import (
	_ "embed"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Rate is a token bucket for a kind of action, one for each account and region.
type Rate struct {
	Name    string
	Service string
	Version string   // of the API; empty: all
	Actions []string // patterns, as Describe*
	Burst   float64  // calls that can be made at once
	Refill  float64  // calls a second
	// Confidence says how sure the figures are: high, medium, low.
	Confidence string
}

//go:embed data/rates.tsv
var rateData string

// AWSRates are the limits that AWS has for Elastic Load Balancing, as far as they are known.
func AWSRates() []Rate {
	var l []Rate
	for line := range strings.Lines(rateData) {
		if line[0] == '#' {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		r := Rate{Service: "elasticloadbalancing", Version: f[0], Name: f[1], Confidence: f[4], Actions: strings.Split(f[5], ",")}
		r.Burst, _ = strconv.ParseFloat(f[2], 64) // a test reads them all
		r.Refill, _ = strconv.ParseFloat(f[3], 64)
		l = append(l, r)
	}
	return l
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
	for i := range l.rates {
		r := &l.rates[i]
		if r.Service != c.Service || r.Version != "" && r.Version != c.Version {
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
