package diagnose

import "math"

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
