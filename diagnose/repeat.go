package diagnose

import (
	"context"
	"fmt"
	"math"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
)

// z95 is the two-sided 95 % quantile of the normal distribution.
const z95 = 1.959964

// wilson returns the 95 % confidence interval of a proportion of failures in tries (Wilson 1927). Unlike
// the textbook interval it is right for no failures and for few tries. With no tries it is 0 to 1.
func wilson(failures, tries int) (low, high float64) {
	if tries == 0 {
		return 0, 1
	}
	n, p := float64(tries), float64(failures)/float64(tries)
	z2 := z95 * z95
	centre := (p + z2/(2*n)) / (1 + z2/n)
	half := z95 / (1 + z2/n) * math.Sqrt(p*(1-p)/n+z2/(4*n*n))
	low, high = centre-half, centre+half
	if failures == 0 {
		low = 0
	}
	if failures == tries {
		high = 1
	}
	return low, high
}

// fisher returns the two-sided p-value of Fisher's exact test for failures a of n against b of m: the
// probability of a table at least as unlikely as this one if both arms failed equally often.
func fisher(a, n, b, m int) float64 {
	fails, total := a+b, n+m
	if n == 0 || m == 0 {
		return 1
	}
	logP := func(x int) float64 {
		return logChoose(n, x) + logChoose(m, fails-x) - logChoose(total, fails)
	}
	seen := logP(a)
	sum := 0.0
	for x := max(0, fails-m); x <= min(n, fails); x++ {
		if p := logP(x); p <= seen+1e-9 {
			sum += math.Exp(p)
		}
	}
	return min(sum, 1)
}

func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// finish fills in what follows from the counts.
func (s *Series) finish() {
	if s.Tries > 0 {
		s.Rate = float64(s.Failures) / float64(s.Tries)
	}
	s.Low, s.High = wilson(s.Failures, s.Tries)
}

// repeat sends the client's hello and its smallest working variant in turn, so that a failure that comes and
// goes is told from noise.
func (v *visit) repeat(ctx context.Context) {
	b, words := v.works, v.worksBy
	if b == nil {
		b, words = v.plainer()
	}
	r := &Repeat{A: Series{Variant: "the client's hello", How: map[string]int{}}, B: Series{Variant: "the same " + words, How: map[string]int{}}}
	for range v.opt.Repeat {
		v.once(ctx, &r.A, v.hello)
		v.once(ctx, &r.B, b)
	}
	r.A.finish()
	r.B.finish()
	r.PValue = fisher(r.A.Failures, r.A.Tries, r.B.Failures, r.B.Tries)
	r.Differs = r.PValue < 0.05
	r.Summary = r.words()
	v.d.Repeat = r
	if len(v.d.Causes) == 0 && (r.A.Failures > 0 || v.d.Outcome == Refused) {
		v.intermittent(r)
	}
}

// once makes one connection of a series.
func (v *visit) once(ctx context.Context, s *Series, h *hello.ClientHello) {
	if ctx.Err() != nil {
		return // interrupted: what was counted so far is reported
	}
	o, sent := v.try(ctx, h)
	if !sent {
		return
	}
	s.Tries++
	if !o.Accepted() {
		s.Failures++
		s.How[string(o.Answer)]++
	}
}

// words says what the two series show.
func (r *Repeat) words() string {
	switch {
	case r.A.Tries == 0:
		return "interrupted before the first try"
	case r.Differs:
		return fmt.Sprintf("%.0f %% of connections with %s %s, %.0f %% of %s: the difference is real (p = %.2g)",
			100*r.A.Rate, r.A.Variant, r.A.fate(), 100*r.B.Rate, r.B.Variant, r.PValue)
	case r.A.Failures+r.B.Failures > 0:
		return fmt.Sprintf("failures come and go, but %s of each do not tell the two apart (p = %.2g)", plural(r.A.Tries, "connection"), r.PValue)
	}
	return "no failure in " + plural(r.A.Tries, "connection") + " of each"
}

// fate is how the failures of a series ended, in a word if all ended alike.
func (s *Series) fate() string {
	for how, n := range s.How {
		if n != s.Failures {
			break
		}
		switch probe.Answer(how) {
		case probe.Reset:
			return "are reset"
		case probe.Silent:
			return "time out"
		case probe.Closed:
			return "are closed"
		case probe.Alerted:
			return "are refused with an alert"
		}
	}
	return "fail"
}

// plainer is the variant to compare a hello with that has none that is known to do better: without its
// post-quantum groups, or, where it has none, without what a server may ignore.
func (v *visit) plainer() (*hello.ClientHello, string) {
	h := v.hello.Clone()
	o := h.Offer()
	if len(largeGroups(&o)) > 0 {
		small(h, &o)
		return h, "without the post-quantum groups"
	}
	for _, t := range optional(h) {
		h.RemoveExtension(t)
	}
	dropGREASE(h)
	return h, "without optional extensions"
}

// intermittent turns a failure that comes and goes into a cause.
func (v *visit) intermittent(r *Repeat) {
	o := v.hello.Offer()
	k := Cause{ID: cause.ConnectionReset, Confidence: 0.6, Summary: r.Summary, Evidence: []Evidence{{Fact: r.A.interval()}, {Fact: r.B.interval()}},
		Decide: "more tries (--repeat), and one address of the name at a time"}
	switch {
	case r.A.Failures == 0:
		k.Summary = "the client's hello was refused once and then accepted: the failure comes and goes"
		k.Evidence = append([]Evidence{v.met()}, k.Evidence...)
	case r.Differs && len(largeGroups(&o)) > 0:
		k.ID, k.Confidence, k.Decide = cause.LargeHelloDropped, 0.9, ""
		v.smallHello(false)
		v.fix(SideNetwork, "Let the firewall or proxy on the way join a ClientHello that spans TCP segments")
	case r.Differs:
		k.ID, k.Confidence = cause.ExtensionIntolerance, 0.7
		v.fix(SideClient, "Send the hello without optional extensions")
	}
	v.d.Outcome = Refused
	v.add(k)
}

func (s *Series) interval() string {
	return fmt.Sprintf("%s: %d of %d failed, %.0f %% (95 %% confidence interval %.0f to %.0f %%)", s.Variant, s.Failures, s.Tries, 100*s.Rate, 100*s.Low, 100*s.High)
}
