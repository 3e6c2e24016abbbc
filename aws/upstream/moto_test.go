package upstream_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/upstream"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/testbed"
)

// TestAskMoto finds in moto's table what is known to be other than AWS's there, and nothing else.
func TestAskMoto(t *testing.T) {
	testbed.Moto(t)
	s, err := account.Open(t.Context(), account.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := upstream.Ask(t.Context(), s[0], []policy.Family{policy.AWS})
	for _, p := range c.Problems {
		t.Error(p)
	}
	got := map[upstream.Kind][]string{}
	for _, d := range c.Differences {
		got[d.Kind] = append(got[d.Kind], strings.TrimPrefix(d.Name, "ELBSecurityPolicy-"))
		if d.Kind == upstream.Order && !strings.HasPrefix(d.Text, "order: ECDHE-ECDSA-AES256-SHA, ECDHE-RSA-AES256-SHA; the table has ECDHE-RSA-AES256-SHA, ECDHE-ECDSA-AES256-SHA") {
			t.Errorf("%s: %s", d.Name, d.Text)
		}
	}
	if c.Policies != 17 || len(got[upstream.Order]) != 8 || !slices.Equal(got[upstream.Suites], []string{"TLS13-1-2-Ext1-PQ-2025-09"}) {
		t.Errorf("%d policies, in another order %v, other suites %v", c.Policies, got[upstream.Order], got[upstream.Suites])
	}
	// What moto lacks is every documented policy beyond its 17.
	documented := 0
	for _, p := range policy.InFamily(policy.AWS) {
		if p.Status == "documented" {
			documented++
		}
	}
	if want := documented - 17; len(got[upstream.Dropped]) != want {
		t.Errorf("%d dropped, want %d: %v", len(got[upstream.Dropped]), want, got[upstream.Dropped])
	}
	var others []string
	for kind, names := range got {
		switch kind {
		case upstream.Order, upstream.Suites, upstream.Dropped:
		default:
			others = append(others, string(kind)+": "+strings.Join(names, ", "))
		}
	}
	if d := cmp.Diff([]string(nil), others); d != "" {
		t.Errorf("other differences: %s", d)
	}
}
