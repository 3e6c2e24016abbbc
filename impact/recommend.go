package impact

import (
	"slices"

	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/policy"
)

// Recommendation is which policies the clients that were seen allow.
type Recommendation struct {
	Allow float64 // share of what was seen that may be lost
	// Steps are the candidates, strictest first. Best and RunnerUp are places among them, -1 where there is none: the
	// strictest two under which no more is lost than is allowed, where every client that connects today and of which it is not known whether it will counts as lost.
	Steps          []*Report
	Best, RunnerUp int
	// Possible is the strictest that loses no more than is allowed if all that is not known turns out well; Best or
	// before it.
	Possible int
}

// Recommend assesses each of the candidates, which come strictest first.
func Recommend(clients []evidence.Client, from *policy.Policy, candidates []*policy.Policy, id *policy.Identity, allow float64) *Recommendation {
	r := &Recommendation{Allow: allow, Best: -1, RunnerUp: -1, Possible: -1}
	for i, p := range candidates {
		s := Assess(clients, from, p, id)
		r.Steps = append(r.Steps, s)
		if r.Possible < 0 && s.Loss(false) <= allow {
			r.Possible = i
		}
		if s.Loss(true) > allow {
			continue
		}
		switch {
		case r.Best < 0:
			r.Best = i
		case r.RunnerUp < 0:
			r.RunnerUp = i
		}
	}
	return r
}

// Candidates are the policies of a family that can be set today and serve the same demand (FIPS, RFC 9151, or neither),
// strictest first.
func Candidates(f policy.Family, kind policy.Kind) []*policy.Policy {
	return slices.DeleteFunc(policy.Alternatives(f, kind), func(p *policy.Policy) bool { return p.Kind != kind })
}
