package metric

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var begin = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

// poisson draws from a Poisson distribution (Knuth's method; of a normal one above 30).
func poisson(r *rand.Rand, mean float64) float64 {
	if mean > 30 {
		return math.Max(0, math.Round(mean+math.Sqrt(mean)*r.NormFloat64()))
	}
	k, p := 0, 1.0
	for limit := math.Exp(-mean); ; k++ {
		if p *= r.Float64(); p < limit {
			return float64(k)
		}
	}
}

// draw draws points: rate says how many errors a period has on average, and how many connections (0: not known).
func draw(r *rand.Rand, n int, rate func(i int) (errors, connections float64)) []Point {
	l := make([]Point, n)
	for i := range l {
		e, c := rate(i)
		l[i] = Point{Time: begin.Add(time.Duration(i) * Step), Errors: poisson(r, e)}
		if c > 0 {
			l[i].Connections = poisson(r, c)
		}
	}
	return l
}

// day is the traffic at period i as share of its mean: a tenth at night, twice by day.
func day(i int) float64 { return 1.05 - .95*math.Cos(2*math.Pi*float64(i%288)/288) }

const threeDays = 3 * 288

// TestNoRise holds for series without a rise, of all kinds: at most 1 of 100 may be taken for one.
func TestNoRise(t *testing.T) {
	for name, rate := range map[string]func(r *rand.Rand, i int) (float64, float64){
		"none at all":         func(_ *rand.Rand, _ int) (float64, float64) { return 0, 1000 },
		"few":                 func(_ *rand.Rand, _ int) (float64, float64) { return .05, 1000 },
		"steady":              func(_ *rand.Rand, _ int) (float64, float64) { return 5, 1000 },
		"steady, no traffic":  func(_ *rand.Rand, _ int) (float64, float64) { return 5, 0 },
		"many":                func(_ *rand.Rand, _ int) (float64, float64) { return 500, 20_000 },
		"as the traffic goes": func(_ *rand.Rand, i int) (float64, float64) { return 10 * day(i), 1000 * day(i) },
		"overdispersed":       func(r *rand.Rand, _ int) (float64, float64) { return 20 * r.ExpFloat64(), 1000 },
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			false := 0
			for range 100 {
				if x := FindRise(draw(r, threeDays, func(i int) (float64, float64) { return rate(r, i) })); x.Outcome == Risen {
					false++
				}
			}
			if false > 1 {
				t.Errorf("%d of 100 are taken for a rise", false)
			}
		})
	}
}

// TestRise finds rises of all kinds, and when they began and ended.
func TestRise(t *testing.T) {
	for _, c := range []struct {
		name     string
		rate     func(i int) (float64, float64)
		from, to int // periods; to 0: it goes on
		slack    int
	}{
		{"from nothing", func(i int) (float64, float64) { return step(i, 600, threeDays, 0, 4), 1000 }, 600, 0, 1},
		{"five times", func(i int) (float64, float64) { return step(i, 600, threeDays, 4, 20), 1000 }, 600, 0, 1},
		{"without traffic", func(i int) (float64, float64) { return step(i, 600, threeDays, 4, 20), 0 }, 600, 0, 1},
		{"the last half hour", func(i int) (float64, float64) { return step(i, threeDays-6, threeDays, 1, 30), 1000 }, threeDays - 6, 0, 1},
		{"an hour, and over", func(i int) (float64, float64) { return step(i, 300, 312, 1, 40), 1000 }, 300, 312, 1},
		{"at night, when it is quiet", func(i int) (float64, float64) {
			return step(i, 580, threeDays, .002, .02) * 1000 * day(i), 1000 * day(i)
		}, 580, 0, 8},
		{"two and a half times", func(i int) (float64, float64) { return step(i, 400, threeDays, 20, 50), 5000 }, 400, 0, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			for range 30 {
				x := FindRise(draw(r, threeDays, c.rate))
				near := func(at time.Time, period int) bool {
					return at.Sub(begin.Add(time.Duration(period)*Step)).Abs() <= time.Duration(c.slack)*Step
				}
				switch {
				case x.Outcome != Risen:
					t.Fatalf("%+v", x)
				case !near(x.From, c.from):
					t.Fatalf("begins at %v, want period %d", x.From.Sub(begin)/Step, c.from)
				case c.to == 0 && !x.Until.IsZero() || c.to > 0 && !near(x.Until, c.to):
					t.Fatalf("ends at %v, want period %d", x.Until, c.to)
				}
			}
		})
	}
}

func step(i, from, to int, outside, inside float64) float64 {
	if i >= from && i < to {
		return inside
	}
	return outside
}

func TestShortSeries(t *testing.T) {
	if x := FindRise(nil); x.Outcome != NoTests {
		t.Errorf("%+v", x)
	}
	if x := FindRise(draw(rand.New(rand.NewPCG(1, 1)), 13, func(int) (float64, float64) { return 100, 0 })); x.Outcome != NoTests {
		t.Errorf("%+v", x)
	}
	r := FindRise(draw(rand.New(rand.NewPCG(1, 1)), 24, func(i int) (float64, float64) { return step(i, 20, 24, 2, 60), 0 }))
	if r.Outcome != Risen || !r.From.Equal(begin.Add(20*Step)) {
		t.Errorf("%+v", r)
	}
}

// FuzzFindRise holds for any numbers: no panic, and times within the series.
func FuzzFindRise(f *testing.F) {
	f.Add([]byte{1, 2, 3, 0, 0, 200, 255, 0, 0, 0, 9, 9, 9, 9, 9, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		l := make([]Point, len(data)/2)
		for i := range l {
			l[i] = Point{begin.Add(time.Duration(i) * Step), float64(data[2*i]), float64(data[2*i+1])}
		}
		x := FindRise(l)
		if x.Outcome == Risen && (x.From.Before(begin) || !x.Until.IsZero() && x.Until.Before(x.From) || x.Ratio < minRatio) {
			t.Fatalf("%+v", x)
		}
		if math.IsNaN(x.Score) || math.IsInf(x.Ratio, 0) || math.IsNaN(x.Ratio) {
			t.Fatalf("%+v", x)
		}
	})
}

func BenchmarkFindRise(b *testing.B) {
	points := draw(rand.New(rand.NewPCG(1, 2)), maxPoints, func(i int) (float64, float64) { return 10 * day(i), 1000 * day(i) })
	for b.Loop() {
		FindRise(points)
	}
}
