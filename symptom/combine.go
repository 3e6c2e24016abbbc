package symptom

import (
	"math"
	"slices"
)

// How much signals count beside the most telling one. A text says one failure in several ways – a code, its words, what the
// program makes of it –, so signals are no independent witnesses: each further one counts less.
var errorWeights = []float64{1, 0.5, 0.3, 0.2, 0.15}

const (
	asideBesideError = 0.12
	tellingGain      = 0.61 // more than "handshake failed" has
	maxSubject       = 0.7
	subjectPower     = 1.5
	faintWeight      = 0.6
	// maxFactor bounds what contexts together can do for one cause.
	maxFactor = 30.0
)

// gain is the Kullback-Leibler divergence of shares from the priors.
func gain(priors []prior, shares []float64) float64 {
	sum := 0.0
	for i, p := range priors {
		sum += shares[i] * math.Log(shares[i]/p.share)
	}
	return sum
}

// combine ranks the causes. The signals' shares are pooled in logarithms with weights, relative to the priors; contexts then
// multiply and move.
func (t *tables) combine(seen []*sighting, short bool) []Ranked {
	logs := make([]float64, len(t.priors))
	for i, p := range t.priors {
		logs[i] = math.Log(p.share)
	}
	for _, s := range weighted(seen) {
		for i, p := range t.priors {
			logs[i] += s.weight * math.Log(s.signal.shares[i]/p.share)
		}
	}
	parts := normalised(logs)
	// Where no words of a short text tell much of the failure, what it speaks of is what it is about.
	subject := short && !slices.ContainsFunc(seen, func(s *sighting) bool {
		return (s.signal.kind == kindError || s.signal.kind == kindAside) && s.signal.gain > tellingGain
	})
	for i, p := range t.priors {
		factor := 1.0
		for _, s := range seen {
			if f, ok := s.signal.factor[p.id]; ok {
				factor *= f
			}
		}
		if subject {
			factor = math.Pow(factor, subjectPower)
		}
		parts[i] *= min(max(factor, 1/maxFactor), maxFactor)
	}
	scale(parts)
	for _, s := range seen {
		for id, share := range s.signal.adds {
			if subject {
				share = min(3*share, maxSubject)
			}
			for i := range parts {
				parts[i] *= 1 - share
			}
			parts[t.place[id]] += share
		}
	}
	if subject {
		atMost(parts, maxSubject)
	}
	ranking := make([]Ranked, len(t.priors))
	for i, p := range t.priors {
		ranking[i] = t.ranked(p, parts[i])
	}
	slices.SortStableFunc(ranking, func(a, b Ranked) int {
		switch {
		case a.Confidence > b.Confidence:
			return -1
		case a.Confidence < b.Confidence:
			return 1
		}
		return 0
	})
	return ranking
}

// atMost bounds the greatest part; the others share what it loses.
func atMost(parts []float64, bound float64) {
	top := slices.Max(parts)
	if top <= bound || top >= 1 {
		return
	}
	for i, p := range parts {
		if p == top {
			parts[i] = bound
		} else {
			parts[i] *= (1 - bound) / (1 - top)
		}
	}
}

// weighted gives errors and asides their weights, the most telling first.
func weighted(seen []*sighting) []*sighting {
	var errs, asides, faint []*sighting
	for _, s := range seen {
		switch s.signal.kind {
		case kindError:
			errs = append(errs, s)
		case kindAside:
			asides = append(asides, s)
		case kindFaint:
			faint = append(faint, s)
		}
	}
	if len(errs) == 0 && len(asides) == 0 {
		asides = faint
	}
	byGain := func(a, b *sighting) int {
		switch {
		case a.signal.gain > b.signal.gain:
			return -1
		case a.signal.gain < b.signal.gain:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(errs, byGain)
	slices.SortStableFunc(asides, byGain)
	for i, s := range errs {
		s.weight = errorWeights[min(i, len(errorWeights)-1)]
	}
	for i, s := range asides {
		if len(errs) > 0 {
			s.weight = asideBesideError / float64(i+1)
		} else {
			s.weight = errorWeights[min(i, len(errorWeights)-1)]
			if s.signal.kind == kindFaint {
				s.weight *= faintWeight
			}
		}
	}
	return append(errs, asides...)
}

// normalised turns logarithms into parts of 1.
func normalised(logs []float64) []float64 {
	top := slices.Max(logs)
	parts := make([]float64, len(logs))
	for i, l := range logs {
		parts[i] = math.Exp(l - top)
	}
	scale(parts)
	return parts
}

func scale(parts []float64) {
	sum := 0.0
	for _, p := range parts {
		sum += p
	}
	for i := range parts {
		parts[i] /= sum
	}
}
