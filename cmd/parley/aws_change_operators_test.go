package main

import (
	"bytes"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/store"
)

// TestTwoOperators: another one changes the listener in the midst of it.
func TestTwoOperators(t *testing.T) {
	// meanwhile does something once, before or after the server does a call.
	meanwhile := func(t *testing.T, action string, after bool, f func(*store.LoadBalancer)) *awsAccount {
		var a *awsAccount
		var once sync.Once
		a = newAWSAccount(t, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				is := bytes.Contains(body, []byte("Action="+action+"&"))
				do := func() { once.Do(func() { a.balancer("legacy", f) }) }
				if is && !after {
					do()
				}
				next.ServeHTTP(w, r)
				if is && after {
					do()
				}
			})
		})
		return a
	}
	other := func(names ...string) func(*store.LoadBalancer) {
		return func(l *store.LoadBalancer) {
			l.Classic.Policies = append(l.Classic.Policies, store.ClassicPolicy{Name: "theirs", Type: "SSLNegotiationPolicyType",
				Attributes: []store.ClassicAttribute{{Name: "Protocol-TLSv1.2", Value: "true"}, {Name: "AES128-SHA", Value: "true"}}})
			l.Listeners[0].Policies = names
		}
	}
	t.Run("between plan and set", func(t *testing.T) {
		t.Parallel()
		a := meanwhile(t, "CreateLoadBalancerPolicy", true, other("sticky", "theirs"))
		a.expect(1, `legacy:443 changed since the plan was made: the security policy is theirs, not ours; nothing was changed, make a new plan; the policy `+parleys+`, which was made for it, is left`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		a.wantHas("legacy", 443, "sticky", "theirs")
	})
	t.Run("other policies between plan and set", func(t *testing.T) {
		t.Parallel()
		a := meanwhile(t, "CreateLoadBalancerPolicy", true, other("ours"))
		a.expect(1, `legacy:443 changed since the plan was made: the list of the listener's other policies is none, not sticky; nothing was changed`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		a.wantHas("legacy", 443, "ours")
	})
	t.Run("in the very moment", func(t *testing.T) {
		t.Parallel()
		a := meanwhile(t, "SetLoadBalancerPoliciesOfListener", false, other("sticky", "theirs"))
		a.expect(0, `warning: someone else made theirs on the load balancer meanwhile; if it was set on this listener too, that is overwritten`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		a.wantHas("legacy", 443, "sticky", parleys)
	})
	t.Run("right behind the set", func(t *testing.T) {
		t.Parallel()
		a := meanwhile(t, "SetLoadBalancerPoliciesOfListener", true, other("sticky", "theirs"))
		a.expect(1, `someone else changed legacy:443 at the same time: the security policy is theirs, not `+parleys+`; it was left so, and what was to be set is sticky, `+parleys, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		a.wantHas("legacy", 443, "sticky", "theirs")
	})
	t.Run("two of Parley, one journal", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: "SetLoadBalancerPoliciesOfListener", Times: 1, Delay: 3 * time.Second})
		first, out, errs := a.command("set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		if err := first.Start(); err != nil {
			t.Fatal(err)
		}
		a.waitFor("the first to be in the midst of it", func() bool { return a.calls("CreateLoadBalancerPolicy") > 0 })
		a.expect(1, "legacy:443 changed since the plan was made: the security policy is "+parleys+", not ours", "set-policy", "legacy:443", "TLS-1-1-2017-01", "--yes", noProof)
		if err := first.Wait(); err != nil {
			t.Errorf("the first: %v\n%s%s", err, out, errs)
		}
		a.wantHas("legacy", 443, "sticky", parleys)
	})
	t.Run("changed since, then undone by force", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		a.expect(0, "now", "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		a.balancer("legacy", other("theirs"))
		a.expect(1, `legacy:443 changed since [0-9a-f]{8}: the security policy is theirs, not `+parleys+`; the list of the listener's other policies is none, not sticky; nothing was changed, --force sets ours nevertheless`, "undo", "--yes")
		a.wantHas("legacy", 443, "theirs")
		a.expect(0, "legacy:443 has ours again", "undo", "--yes", "--force", noProof)
		a.wantHas("legacy", 443, "ours")
	})
}

// TestRace: two operators with journals of their own change one listener at the same time, again and again. The other policies of
// the listener stay, and what an operator is told to have been done was done.
func TestRace(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t, nil)
	for round := range 8 {
		type result struct {
			code      int
			out, errs string
		}
		results := make([]result, 2)
		var wg sync.WaitGroup
		for i, p := range []string{"TLS-1-2-2017-01", "TLS-1-1-2017-01"} {
			wg.Go(func() {
				time.Sleep(time.Duration(i*round) * 10 * time.Millisecond)
				out, errs, code := a.parley("set-policy", "legacy:443", p, "--yes", noProof, "--journal", filepath.Join(filepath.Dir(a.program), p+".jsonl"))
				results[i] = result{code, out, errs}
			})
		}
		wg.Wait()
		got := a.has("legacy", 443)
		if len(got) != 2 || got[0] != "sticky" || !regexp.MustCompile(`parley-TLS-1-[12]-2017-01-[0-9a-f]{6}`).MatchString(got[1]) {
			t.Fatalf("round %d: the listener has %q; %+v", round, got, results)
		}
		for _, r := range results {
			if r.code > 1 || r.code == 1 && !strings.Contains(r.errs, "changed") {
				t.Errorf("round %d: %+v", round, r)
			}
		}
		if results[0].code != 0 && results[1].code != 0 {
			t.Errorf("round %d: neither was done, and the listener has %q: %+v", round, got, results)
		}
	}
}

// TestRemadePolicies: policies of a Classic Load Balancer cannot be changed, but deleted and made again by the same name. What a plan or
// the way back rests on is looked at, and not the name alone.
func TestRemadePolicies(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t, nil)
	remake := func(name string, attributes ...string) {
		a.balancer("legacy", func(l *store.LoadBalancer) {
			l.Classic.Policies = slices.DeleteFunc(l.Classic.Policies, func(p store.ClassicPolicy) bool { return p.Name == name })
			p := store.ClassicPolicy{Name: name, Type: "SSLNegotiationPolicyType"}
			for _, v := range attributes {
				p.Attributes = append(p.Attributes, store.ClassicAttribute{Name: v, Value: "true"})
			}
			if len(attributes) > 0 {
				l.Classic.Policies = append(l.Classic.Policies, p)
			}
		})
	}
	remake("spare", "Protocol-TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256")
	plan := filepath.Join(t.TempDir(), "plan.json")
	a.expect(0, "ours -> spare", "set-policy", "legacy:443", "spare", "--plan", plan)
	remake("spare", "Protocol-TLSv1.2", "AES128-SHA")
	a.expect(1, "changed since the plan was made: the load balancer's policy spare has another content; nothing was changed", "apply", plan, "--yes", noProof)
	remake("spare")
	a.expect(1, "changed since the plan was made: the load balancer has no policy spare any more; nothing was changed", "apply", plan, "--yes", noProof)
	remake("spare", "Protocol-TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256")
	a.expect(0, "legacy:443 has spare now", "apply", plan, "--yes", noProof)

	remake("ours", "Protocol-TLSv1.2", "AES128-SHA")
	a.expect(1, "the policy ours of legacy has another content than before [0-9a-f]{8}: nothing was changed, --force sets it nevertheless", "undo", "--yes", noProof)
	remake("ours")
	a.expect(0, "legacy:443 has ours again", "undo", "--yes", noProof)
	a.wantHas("legacy", 443, "sticky", "ours")
	a.balancer("legacy", func(l *store.LoadBalancer) {
		for _, p := range l.Classic.Policies {
			if p.Name == "ours" && !slices.Contains(p.Attributes, store.ClassicAttribute{Name: "Protocol-TLSv1", Value: "true"}) {
				t.Errorf("it was made again otherwise: %+v", p)
			}
		}
	})
	// Spare is not Parley's: it stays whatever becomes of the changes.
	a.expect(1, "no such change", "undo", "--yes")
	a.balancer("legacy", func(l *store.LoadBalancer) {
		if !slices.ContainsFunc(l.Classic.Policies, func(p store.ClassicPolicy) bool { return p.Name == "spare" }) {
			t.Error("a policy that Parley did not make is gone")
		}
	})
}
