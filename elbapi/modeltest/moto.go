package modeltest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Step is an answer to one call, without what is random.
type Step struct {
	Name   string
	Answer any
}

// SameAsMoto fails the test unless moto's answers are ours, but for the steps in which moto is wrong, each with what is wrong
// there: a step in which it no longer differs fails too.
func SameAsMoto(t *testing.T, moto, ours []Step, wrong map[string]string) {
	t.Helper()
	for i, step := range ours {
		diff := cmp.Diff(moto[i].Answer, step.Answer)
		switch reason := wrong[step.Name]; {
		case diff != "" && reason == "":
			t.Errorf("%s (- moto, + ours):\n%s", step.Name, diff)
		case diff == "" && reason != "":
			t.Errorf("%s: moto no longer differs: %s", step.Name, reason)
		}
	}
}
