package diagnose

import (
	"math"
	"testing"
)

// The expected values were computed with exact integers from the definitions.
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		failures, tries int
		low, high       float64
	}{
		{0, 0, 0, 1},
		{0, 100, 0, 0.03699},
		{17, 100, 0.10893, 0.25547},
		{10, 10, 0.72247, 1},
	} {
		low, high := wilson(c.failures, c.tries)
		if math.Abs(low-c.low) > 1e-4 || math.Abs(high-c.high) > 1e-4 {
			t.Errorf("wilson(%d, %d) = %.5f, %.5f; want %.5f, %.5f", c.failures, c.tries, low, high, c.low, c.high)
		}
	}
}

func TestFisher(t *testing.T) {
	for _, c := range []struct {
		a, n, b, m int
		want       float64
	}{
		{3, 4, 1, 4, 0.485714}, // Fisher's tea tasting, two-sided
		{17, 100, 0, 100, 7.264618e-06},
		{0, 20, 0, 20, 1},
		{5, 10, 5, 10, 1},
	} {
		if got := fisher(c.a, c.n, c.b, c.m); math.Abs(got-c.want) > 1e-5*c.want {
			t.Errorf("fisher(%d/%d, %d/%d) = %g; want %g", c.a, c.n, c.b, c.m, got, c.want)
		}
	}
}
