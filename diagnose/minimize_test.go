package diagnose

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestMinimize hides a set of needed changes among others and demands exactly that set back.
func TestMinimize(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		n := 1 + r.IntN(40)
		need := r.Perm(n)[:1+r.IntN(min(n, 4))]
		slices.Sort(need)
		asked := 0
		got, minimal := minimize(n, 10000, func(subsets [][]int) []bool {
			asked += len(subsets)
			out := make([]bool, len(subsets))
			for i, s := range subsets {
				if len(s) == 0 {
					t.Fatal("asked for no change at all, which is known to fail")
				}
				out[i] = !slices.ContainsFunc(need, func(x int) bool { return !slices.Contains(s, x) })
			}
			return out
		})
		slices.Sort(got)
		if !minimal || !slices.Equal(got, need) {
			t.Fatalf("of %d changes %v are needed; got %v, minimal %v", n, need, got, minimal)
		}
		if len(need) == 1 && asked > 2*(n+2) {
			t.Errorf("%d questions for one change of %d", asked, n)
		}
	}
}

// TestMinimizeEither: where each of two changes helps alone, one of them is the answer, not both.
func TestMinimizeEither(t *testing.T) {
	got, minimal := minimize(10, 100, func(subsets [][]int) []bool {
		out := make([]bool, len(subsets))
		for i, s := range subsets {
			out[i] = slices.Contains(s, 2) || slices.Contains(s, 7)
		}
		return out
	})
	if !minimal || len(got) != 1 || got[0] != 2 && got[0] != 7 {
		t.Errorf("got %v, minimal %v", got, minimal)
	}
}

// TestMinimizeKeepsToItsBudget: an answer that is cut short still works.
func TestMinimizeKeepsToItsBudget(t *testing.T) {
	need := []int{3, 17}
	asked := 0
	got, minimal := minimize(32, 6, func(subsets [][]int) []bool {
		asked += len(subsets)
		out := make([]bool, len(subsets))
		for i, s := range subsets {
			out[i] = slices.Contains(s, need[0]) && slices.Contains(s, need[1])
		}
		return out
	})
	if minimal || asked > 6 || !slices.Contains(got, 3) || !slices.Contains(got, 17) {
		t.Errorf("got %v, minimal %v after %d questions", got, minimal, asked)
	}
}
