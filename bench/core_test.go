package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

const (
	maxDecide = 2 * time.Microsecond
	maxTable  = 20 * time.Millisecond
)

var coreTable = Table{
	Title: "negotiate.Decide",
	Intro: "In one process, on one processor, with the data loaded. A pair is a known client and a predefined policy.",
	Head:  []string{"what", "best", "median", "allocations", "bound", "within it (median)"},
}

// pair is a client and a policy that agree.
type pair struct {
	offer  hello.Offer
	policy *policy.Policy
}

// certificates are those that a load balancer has most often.
var certificates = policy.Identity{Certificates: []policy.Certificate{
	{KeyType: policy.RSA, Bits: 2048},
	{KeyType: policy.ECDSA, Bits: 256, Curve: suite.Secp256r1},
}}

// pairs lists every known client with every predefined policy that it agrees with.
func pairs(b *testing.B) (agreed []pair, all int) {
	for _, c := range client.All() {
		o := c.OfferTo(testbed.HostName)
		for _, p := range policy.All() {
			if all++; negotiate.Decide(&o, p, &certificates).OK {
				agreed = append(agreed, pair{o, p})
			}
		}
	}
	if len(agreed) == 0 {
		b.Fatal("no client agrees with any policy")
	}
	return agreed, all
}

// BenchmarkDecide decides every pair that succeeds, again and again; an operation is one decision.
func BenchmarkDecide(b *testing.B) {
	l, _ := pairs(b)
	next := 0
	decide := func() {
		p := &l[next%len(l)]
		negotiate.Decide(&p.offer, p.policy, &certificates)
		next++
	}
	b.ReportAllocs()
	for b.Loop() {
		decide()
	}
	allocations := testing.AllocsPerRun(len(l), decide)
	add(fmt.Sprintf("a pair that succeeds (%d of them in turn)", len(l)), batches(500, 1000, decide), fmt.Sprint(allocations), maxDecide, allocations == 0)
}

// BenchmarkSlowestPair finds the pair that succeeds and takes longest, and times it.
func BenchmarkSlowestPair(b *testing.B) {
	l, _ := pairs(b)
	slowest, longest := &l[0], time.Duration(0)
	for i := range l {
		p := &l[i]
		if d := batches(10, 10, func() { negotiate.Decide(&p.offer, p.policy, &certificates) }).best(); d > longest {
			slowest, longest = p, d
		}
	}
	decide := func() { negotiate.Decide(&slowest.offer, slowest.policy, &certificates) }
	for b.Loop() {
		decide()
	}
	add(fmt.Sprintf("the slowest of them (%s, %s)", slowest.offer.Source.Name, slowest.policy.Name), batches(500, 1000, decide), "-", maxDecide, true)
}

// BenchmarkTable decides all clients against all policies; an operation is the whole table.
func BenchmarkTable(b *testing.B) {
	_, all := pairs(b)
	b.ReportAllocs()
	table := func() {
		for _, c := range client.All() {
			o := c.OfferTo(testbed.HostName)
			for _, p := range policy.All() {
				negotiate.Decide(&o, p, &certificates)
			}
		}
	}
	for b.Loop() {
		table()
	}
	add(fmt.Sprintf("the full table: %d clients, %d policies, %d pairs", len(client.All()), len(policy.All()), all), batches(50, 1, table), "-", maxTable, true)
}

// batches times n runs of f together, count times over, so that what else the machine does shows in few of them.
func batches(count, n int, f func()) times {
	var l times
	for range count {
		start := time.Now()
		for range n {
			f()
		}
		l = append(l, time.Since(start)/time.Duration(n))
	}
	return l
}

// add puts a row into the table: the time of one run, and whether it and everything else keeps within bounds.
func add(what string, l times, allocations string, bound time.Duration, others bool) {
	coreTable.Add(what, precise(l.best()), precise(l.median()), allocations, precise(bound), yes(l.median() <= bound && others))
}

// precise is a time with three figures.
func precise(d time.Duration) string {
	if d >= time.Millisecond {
		return millis(d)
	}
	return fmt.Sprintf("%.2f µs", float64(d.Nanoseconds())/1000)
}
