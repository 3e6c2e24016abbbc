package change

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
)

// Verdict is what a look at the endpoint says of a change.
type Verdict string

// Verdicts.
const (
	Proven      Verdict = "proven"          // every address behaves as the new policy
	Alike       Verdict = "indistinct"      // so it does, but so it did before: from outside the two do not differ
	StillOld    Verdict = "still-old"       // some address behaves as the former policy after all the time
	Neither     Verdict = "neither"         // some address behaves as neither
	Unreachable Verdict = "not-reachable"   // no connection from here
	Unprovable  Verdict = "content-unknown" // what the new policy accepts is not known
	NotLooked   Verdict = "not-verified"    // it was not wanted
)

// Proof is what was seen of an endpoint after a change.
type Proof struct {
	Verdict     Verdict       `json:"verdict"`
	Endpoint    string        `json:"endpoint,omitempty"` // HOST:PORT
	Addresses   []Sight       `json:"addresses,omitempty"`
	Looks       int           `json:"looks,omitempty"` // how often it was asked
	Connections int           `json:"connections,omitempty"`
	Took        time.Duration `json:"-"` // until the verdict
	Seconds     float64       `json:"seconds"`
}

// Sight is what one address behaved like when it was last asked.
type Sight struct {
	Address string  `json:"address"`
	Verdict Verdict `json:"verdict"`
	// Differences from the new policy, where it is not that.
	Differences []string `json:"differences,omitempty"`
	noRoute     bool
}

// Endpoint is where a change shows.
type Endpoint struct {
	Host, Port string
	ServerName string // "" sends none
	// LookUp finds the addresses of Host.
	LookUp func(ctx context.Context, host string) ([]string, error)
}

// Pauses between two looks: the first is short, since most changes are there in seconds; they grow, since every hello that is
// refused counts among the load balancer's TLS errors.
const (
	firstPause = 2 * time.Second
	lastPause  = 15 * time.Second
)

// maxAddresses of an endpoint are asked. A load balancer has at most one or two for each zone.
const maxAddresses = 8

// Watch looks at the endpoint until all its addresses behave as policy to, no longer than wait. from is the former policy, nil if
// that is not known. tell is told of each look; nil tells nobody.
func (e *Endpoint) Watch(ctx context.Context, from, to *policy.Policy, wait time.Duration, tell func(string)) *Proof {
	p := &Proof{Endpoint: net.JoinHostPort(e.Host, e.Port)}
	begun := time.Now()
	defer func() { p.Took = time.Since(begun); p.Seconds = float64(p.Took.Milliseconds()) / 1000 }()
	if to == nil {
		p.Verdict = Unprovable
		return p
	}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		e.look(ctx, p, from, to)
		p.Looks++
		p.Verdict = sum(p.Addresses)
		left := wait - time.Since(begun)
		over := left <= 0 || ctx.Err() != nil
		switch {
		case p.Verdict == Proven || p.Verdict == Alike || over:
			return p
		case p.Verdict == Unreachable && p.Looks > 1: // that has nothing to do with the change
			return p
		}
		if tell != nil {
			tell(fmt.Sprintf("%s after %s: %s", p.Endpoint, time.Since(begun).Round(time.Second), p.words()))
		}
		select {
		case <-time.After(min(pause, left)):
		case <-ctx.Done():
			return p
		}
	}
}

// words counts the addresses by verdict.
func (p *Proof) words() string {
	var l []string
	for _, v := range []Verdict{Proven, Alike, StillOld, Neither, Unreachable} {
		n := 0
		for _, s := range p.Addresses {
			if s.Verdict == v {
				n++
			}
		}
		if n > 0 {
			l = append(l, fmt.Sprintf("%d of %d addresses %s", n, len(p.Addresses), v))
		}
	}
	if len(l) == 0 {
		return "no address"
	}
	return strings.Join(l, ", ")
}

// sum puts what all addresses say into one verdict: the one that is worst. IPv6 addresses that this machine has no route to do
// not count where there are others, since they are other addresses of the same nodes.
func sum(all []Sight) Verdict {
	l := slices.DeleteFunc(slices.Clone(all), func(s Sight) bool { return s.noRoute && strings.Contains(s.Address, ":") })
	if len(l) == 0 {
		l = all
	}
	for _, v := range []Verdict{StillOld, Neither, Unreachable, Proven} {
		if slices.ContainsFunc(l, func(s Sight) bool { return s.Verdict == v }) {
			return v
		}
	}
	if len(l) == 0 {
		return Unreachable
	}
	return Alike
}

// look asks every address of the endpoint, side by side.
func (e *Endpoint) look(ctx context.Context, p *Proof, from, to *policy.Policy) {
	addresses, err := e.LookUp(ctx, e.Host)
	if err != nil || len(addresses) == 0 {
		p.Addresses = nil
		return
	}
	slices.Sort(addresses)
	addresses = addresses[:min(len(addresses), maxAddresses)]
	sights := make([]Sight, len(addresses))
	probers := make([]probe.Prober, len(addresses))
	var wg sync.WaitGroup
	for i, a := range addresses {
		wg.Go(func() {
			t := probe.Target{Address: net.JoinHostPort(a, e.Port), ServerName: e.Host}
			seen := scan.Quick(ctx, &probers[i], t, scan.Options{ServerName: e.ServerName})
			sights[i] = judge(seen, from, to)
			sights[i].Address = a
		})
	}
	wg.Wait()
	p.Addresses = sights
	for i := range probers {
		p.Connections += probers[i].Connections()
	}
}

// judge compares what was seen of an address with both policies.
func judge(seen *scan.Endpoint, from, to *policy.Policy) Sight {
	if !seen.Speaks() {
		if !connected(seen) {
			answer := seen.Replies[0].Answer
			return Sight{Verdict: Unreachable, Differences: []string{"no connection: " + string(answer)}, noRoute: answer == probe.Unreachable}
		}
		return Sight{Verdict: Neither, Differences: []string{"it takes no ClientHello: " + string(seen.Replies[0].Answer)}}
	}
	v := seen.View()
	now := policy.MatchPolicies(seen.Policy, v, []*policy.Policy{to}, 1)[0]
	old := from != nil && policy.MatchPolicies(seen.Policy, v, []*policy.Policy{from}, 1)[0].Exact
	switch {
	case now.Exact && old:
		return Sight{Verdict: Alike}
	case now.Exact:
		return Sight{Verdict: Proven}
	}
	s := Sight{Verdict: Neither}
	if old {
		s.Verdict = StillOld
	}
	for _, m := range now.Missing {
		s.Differences = append(s.Differences, "lacks "+m)
	}
	for _, x := range now.Extra {
		s.Differences = append(s.Differences, "has "+x)
	}
	return s
}

// connected reports whether any hello found an open port.
func connected(seen *scan.Endpoint) bool {
	return slices.ContainsFunc(seen.Replies, func(r scan.Reply) bool {
		switch r.Answer {
		case probe.NoAddress, probe.Refused, probe.ConnectTimeout, probe.Unreachable:
			return false
		}
		return true
	})
}
