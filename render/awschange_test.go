package render

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/aws/change"
	"github.com/parley-tls/parley/aws/elb"
)

// TestAWSChangeText: each verdict has its own words, and none claims more than was seen.
func TestAWSChangeText(t *testing.T) {
	plan := &AWSPlan{Plan: &change.Plan{Listener: change.Target{Kind: elb.ALB, LoadBalancer: "shop", Port: 443}, Set: change.Setting{Policy: "NEW"}}}
	for _, c := range []struct {
		proof change.Proof
		want  string
	}{
		{change.Proof{Verdict: change.Proven, Addresses: []change.Sight{{Verdict: change.Proven}}}, "proven: lb:443 behaves as NEW, seen after 12s"},
		{change.Proof{Verdict: change.Proven, Addresses: []change.Sight{{Verdict: change.Proven}, {Verdict: change.Alike}}}, "proven: all 2 addresses of lb:443"},
		{change.Proof{Verdict: change.Proven, Addresses: []change.Sight{{Verdict: change.Proven}, {Verdict: change.Unreachable}}}, "proven: 1 of 2 addresses of lb:443, to the others of which there is no route from here, behaves as NEW"},
		{change.Proof{Verdict: change.Alike, Addresses: []change.Sight{{Verdict: change.Alike}}}, "consistent: lb:443 behaves as NEW, which from outside does not differ from what it had"},
		{change.Proof{Verdict: change.StillOld, Addresses: []change.Sight{{Address: "192.0.2.1", Verdict: change.StillOld, Differences: []string{"lacks TLSv1.3"}}}}, "still the old one: lb:443 does not behave as NEW after 12s, though the API shows it\n  192.0.2.1: lacks TLSv1.3"},
		{change.Proof{Verdict: change.Neither}, "neither: lb:443 behaves neither as NEW nor as what it had"},
		{change.Proof{Verdict: change.Unreachable}, "not reachable from here: no connection to lb:443; the API shows the policy"},
		{change.Proof{Verdict: change.Unprovable}, "not proven: what the policy accepts is not known"},
		{change.Proof{Verdict: change.NotLooked}, "not verified: only the API was asked"},
	} {
		c.proof.Endpoint, c.proof.Took = "lb:443", 12*time.Second
		var b strings.Builder
		d := AWSChange{Change: "3f9a2c01", Plan: plan, Status: "applied", Proof: &c.proof, Undo: "parley aws undo 3f9a2c01"}
		if err := d.Text(&b, Style{}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"shop:443 has NEW now (change 3f9a2c01)\n", c.want, "to take it back: parley aws undo 3f9a2c01\n"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %q in\n%s", c.proof.Verdict, want, &b)
			}
		}
	}
}
