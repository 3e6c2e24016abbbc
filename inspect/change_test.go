package inspect

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/vuln"
)

// former is a report as it is read back from its JSON.
func former(t *testing.T, r *Report) *Former {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var f Former
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	return &f
}

func TestCompare(t *testing.T) {
	strict := func() *Report {
		return graded(reportOf(t, "ELBSecurityPolicy-TLS13-1-2-Res-2021-06", policy.RSA, 2048))
	}
	lax := func() *Report { return graded(reportOf(t, "ELBSecurityPolicy-TLS13-1-2-2021-06", policy.RSA, 2048)) }
	if c := Compare(former(t, strict()), strict()); c.Worse || len(c.Changes) != 0 {
		t.Errorf("the same: %+v", c)
	}
	c := Compare(former(t, strict()), lax())
	if want := (Change{"cipher TLSv1.2 ECDHE-RSA-AES128-SHA256 is accepted now (weak)", true}); !c.Worse || !slices.Contains(c.Changes, want) {
		t.Errorf("more: %+v, want %+v", c, want)
	}
	if want := (Change{"level old, was intermediate", true}); !slices.Contains(c.Changes, want) {
		t.Errorf("more: %+v, want %+v", c, want)
	}
	if c := Compare(former(t, lax()), strict()); c.Worse || len(c.Changes) == 0 {
		t.Errorf("less: %+v", c)
	}
	unsure := strict()
	unsure.Unsure = []string{"TLSv1.2 ECDHE-RSA-AES128-SHA256: asked for"}
	gone := Change{"cipher TLSv1.2 ECDHE-RSA-AES128-SHA256 is not accepted any more (weak)", false}
	if c := Compare(former(t, lax()), unsure); slices.Contains(c.Changes, gone) {
		t.Errorf("unsure, and told as gone: %+v", c)
	}
	away := NewReport(Target{}, Full, lax().Started)
	if c := Compare(former(t, lax()), away); !c.Worse {
		t.Errorf("away: %+v", c)
	}
	expired := strict()
	expired.Certificates[0].DaysLeft = -1
	if c := Compare(former(t, strict()), expired); !c.Worse {
		t.Errorf("expired: %+v", c)
	}
}

// TestCompareFindings: what is proved now and was not is for the worse; what is open now is not gone.
func TestCompareFindings(t *testing.T) {
	with := func(v vuln.Verdict) *Report {
		r := NewReport(Target{}, Full, time.Now())
		r.Reached = true
		r.Vulnerabilities = []vuln.Finding{{ID: "robot", Name: "ROBOT", Verdict: v, Severity: vuln.High}}
		return r
	}
	for _, c := range []struct {
		before, now vuln.Verdict
		want        []Change
	}{
		{vuln.Vulnerable, vuln.Vulnerable, nil},
		{vuln.NotVulnerable, vuln.Vulnerable, []Change{{"ROBOT: vulnerable now (high), was not vulnerable", true}}},
		{vuln.NotTested, vuln.Vulnerable, []Change{{"ROBOT: vulnerable now (high), was not tested", true}}},
		{vuln.Vulnerable, vuln.NotVulnerable, []Change{{"ROBOT: not vulnerable any more", false}}},
		{vuln.Vulnerable, vuln.Unsure, nil},
		{vuln.Unsure, vuln.NotVulnerable, nil},
	} {
		if got := Compare(former(t, with(c.before)), with(c.now)); !slices.Equal(got.Changes, c.want) {
			t.Errorf("%s, then %s: %v", c.before, c.now, got.Changes)
		}
	}
	old := former(t, with(vuln.NotVulnerable))
	old.Vulnerabilities = nil // of a release without these checks
	if got := Compare(old, with(vuln.Vulnerable)); len(got.Changes) > 0 {
		t.Errorf("%v", got.Changes)
	}
}

func graded(r *Report) *Report {
	g := Judge(r)
	r.Grade = &g
	return r
}
