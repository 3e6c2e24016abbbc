package symptom_test

import (
	"os"
	"slices"
	"testing"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/symptom"
)

// score counts how Explain does on a split.
type score struct{ all, first, three, confidentlyWrong, class int }

// judge explains the cases of a split.
func judge(t *testing.T, split string, each func(c *testCase, e *symptom.Explanation, first, three bool)) score {
	t.Helper()
	var s score
	for _, c := range readCases(t) {
		if c.Split != split {
			continue
		}
		e := symptom.Explain(c.Text)
		right := append([]cause.ID{c.Cause}, c.Also...)
		first := slices.Contains(right, e.Causes[0].ID)
		three := slices.ContainsFunc(e.Causes[:min(3, len(e.Causes))], func(r symptom.Ranked) bool { return slices.Contains(right, r.ID) })
		s.all++
		if first {
			s.first++
		} else if e.Causes[0].Confidence > 0.8 {
			s.confidentlyWrong++
		}
		if three {
			s.three++
		}
		if string(e.Class) == c.Class || c.Class == "network" && e.Class == symptom.NotNegotiation {
			s.class++
		}
		if each != nil {
			each(&c, e, first, three)
		}
	}
	return s
}

func percent(n, of int) float64 { return 100 * float64(n) / float64(of) }

// bounds are what a split must reach, in percent: the cause first, among the first three, and wrong with a confidence over 0.8.
// The aim is 85, 97 and less than 2 for both. The test split, which nobody reads, is not there yet: its bounds are what was
// reached, so that a change for the worse is seen.
var bounds = map[string]struct{ first, three, wrong float64 }{
	"dev":  {85, 97, 2},
	"test": {85, 93, 2},
}

// TestCases holds Explain to reported failures. Only cases of the dev split are named, with PARLEY_CASES=1; of the others only
// counts are told, so that nobody fits patterns to them.
func TestCases(t *testing.T) {
	for _, split := range []string{"dev", "test"} {
		var each func(c *testCase, e *symptom.Explanation, first, three bool)
		if split == "dev" && os.Getenv("PARLEY_CASES") != "" {
			each = func(c *testCase, e *symptom.Explanation, first, three bool) {
				if !first || string(e.Class) != c.Class && c.Class != "network" {
					t.Logf("%s: want %s %v (%s); three %v", c.ID, c.Cause, c.Also, c.Class, three)
					for _, r := range e.Causes[:min(4, len(e.Causes))] {
						t.Logf("      %.2f %s (%s)", r.Confidence, r.ID, r.Class)
					}
					for _, v := range e.Evidence {
						t.Logf("        %s %s %q", v.Signal, v.Side, v.Text)
					}
				}
			}
		}
		s := judge(t, split, each)
		t.Logf("%s: %d cases, first %.1f %%, first three %.1f %%, wrong and confident %d (%.1f %%), class %.1f %%", split, s.all,
			percent(s.first, s.all), percent(s.three, s.all), s.confidentlyWrong, percent(s.confidentlyWrong, s.all), percent(s.class, s.all))
		b := bounds[split]
		if percent(s.first, s.all) < b.first || percent(s.three, s.all) < b.three || percent(s.confidentlyWrong, s.all) >= b.wrong {
			t.Errorf("%s: want %v %% first, %v %% among the first three, less than %v %% wrong with a confidence over 0.8", split, b.first, b.three, b.wrong)
		}
	}
}
