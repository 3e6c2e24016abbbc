// Package metric reads how many TLS handshakes with a load balancer failed, from CloudWatch, finds out whether and when that
// began to rise, and whether a change of security policy stands at the beginning.
package metric

import (
	"math"
	"slices"
	"time"
)

// Step is the time between the points of a series. CloudWatch keeps points of that period for 63 days.
const Step = 5 * time.Minute

// Point is a period of a series.
type Point struct {
	Time        time.Time `json:"time"` // its beginning
	Errors      float64   `json:"errors"`
	Connections float64   `json:"connections"` // new ones; 0 where that is not known
}

// Outcome is what the search for a rise came to.
type Outcome string

// Outcomes.
const (
	Risen   Outcome = "rise"
	Steady  Outcome = "no-rise"   // as often as chance and traffic explain, all along
	TooFew  Outcome = "too-few"   // not enough errors to tell anything
	NoTests Outcome = "no-series" // there is nothing to look at
)

// Rise is a time in which handshakes failed more often than in the rest of the series.
type Rise struct {
	Outcome Outcome   `json:"outcome"`
	From    time.Time `json:"from,omitzero"`  // beginning of the first period of it
	Until   time.Time `json:"until,omitzero"` // end of the last; zero where it goes on at the end of the series
	Before  float64   `json:"before"`         // errors a period, outside of it
	Within  float64   `json:"within"`         // errors a period, in it
	Ratio   float64   `json:"ratio"`          // how many times as often, as share of the connections where they are known
	Score   float64   `json:"score"`          // log-likelihood ratio, divided by the dispersion
	Limit   float64   `json:"limit"`          // above which it counts
	Related bool      `json:"related_to_connections"`
}

// The test. All of this must hold for a rise; docs/aws-errors.md describes it.
const (
	minErrors  = 10 // in all, and more than expected in the rise
	minPeriods = 2  // of a rise, and 12 outside of it to compare with
	minOutside = 12 //
	minRatio   = 2  // times as often
	// lastPeriods at the end of a series are too few to say that a rise is over: the last are not yet counted in full.
	lastPeriods = 6
	falseAlarm  = .001 // the chance that a steady series has one, at most
	maxPoints   = 14 * 24 * 12
)

// FindRise looks for the time in which errors were the most in excess of what their share of the connections elsewhere in the series
// makes expected: Kulldorff's scan statistic for a Poisson variable over all intervals, one-sided. Counts that vary more
// than Poisson's are allowed for by dividing by their dispersion, and that so many intervals are tried by a union bound. Where
// connections are not known all periods count alike. Only the last maxPoints (14 days) are looked at.
// Source: Kulldorff, "A spatial scan statistic", Communications in Statistics 26 (1997); McCullagh and Nelder, "Generalized Linear
// Models" (1989), section 6.2.
func FindRise(points []Point) Rise {
	points = points[max(0, len(points)-maxPoints):]
	n := len(points)
	if n < minPeriods+minOutside {
		return Rise{Outcome: NoTests}
	}
	count, weight, related := sums(points)
	r := Rise{Outcome: Steady, Related: related, Before: count[n] / float64(n), Within: count[n] / float64(n), Ratio: 1,
		Limit: math.Log(float64(n) * float64(n) / 2 / falseAlarm)}
	if count[n] < minErrors {
		r.Outcome = TooFew
		return r
	}
	from, to, best := 0, 0, 0.0
	for i := range n {
		for j := i + minPeriods; j <= n && (j-i) <= n-minOutside; j++ {
			if s := likelihood(count[j]-count[i], weight[j]-weight[i], count[n], weight[n]); s > best {
				from, to, best = i, j, s
			}
		}
	}
	if best == 0 {
		return r
	}
	inside, outside := count[to]-count[from], count[n]-count[to]+count[from]
	wi, wo := weight[to]-weight[from], weight[n]-weight[to]+weight[from]
	r.Score = best / dispersion(points, count, weight, from, to)
	expected := outside / wo * wi
	r.Ratio = (inside / wi) / math.Max(outside/wo, .5/wo) // half an error stands for none
	if r.Score < r.Limit || r.Ratio < minRatio || inside-expected < minErrors {
		r.Ratio = 1
		return r
	}
	r.Outcome = Risen
	r.From, r.Until = points[from].Time, points[to-1].Time.Add(Step)
	if n-to <= lastPeriods {
		r.Until = time.Time{}
	}
	r.Within, r.Before = inside/float64(to-from), outside/float64(n-to+from)
	return r
}

// sums adds up errors and what they are set against from the beginning: the new connections, with 1 for each period, or only that.
func sums(points []Point) (count, weight []float64, related bool) {
	related = slices.ContainsFunc(points, func(p Point) bool { return p.Connections > 0 })
	count, weight = make([]float64, len(points)+1), make([]float64, len(points)+1)
	for i, p := range points {
		w := 1.0
		if related {
			w += math.Max(p.Connections, p.Errors)
		}
		count[i+1], weight[i+1] = count[i]+p.Errors, weight[i]+w
	}
	return count, weight, related
}

// likelihood is the log of how much likelier c of all errors in an interval of weight w are if the rate is another one there;
// 0 where it is not a higher one.
func likelihood(c, w, all, whole float64) float64 {
	e := all * w / whole
	if c <= e || w >= whole {
		return 0
	}
	l := c * math.Log(c/e)
	if rest := all - c; rest > 0 {
		l += rest * math.Log(rest/(all-e))
	}
	return l
}

// dispersion is how much more the counts vary, within the interval and outside of it, than those of a Poisson variable: 1 or more.
func dispersion(points []Point, count, weight []float64, from, to int) float64 {
	n := len(points)
	inside := (count[to] - count[from]) / (weight[to] - weight[from])
	outside := (count[n] - count[to] + count[from]) / (weight[n] - weight[to] + weight[from])
	sum := 0.0
	for i, p := range points {
		rate := outside
		if i >= from && i < to {
			rate = inside
		}
		if e := rate * (weight[i+1] - weight[i]); e > 0 {
			sum += (p.Errors - e) * (p.Errors - e) / math.Max(e, .1) // a count where hardly one is expected is no measure
		}
	}
	return math.Max(1, sum/float64(n-2))
}
