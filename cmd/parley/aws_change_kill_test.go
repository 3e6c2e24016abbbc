package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-tls/parley/elbapi"
)

// TestKilled: the program is killed between the two calls that a Classic Load Balancer needs. Both ways out lead out: to finish,
// and to undo.
func TestKilled(t *testing.T) {
	kill := func(t *testing.T, action string) *awsAccount {
		a := newAWSAccount(t, nil)
		stop := a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: action, Delay: time.Minute})
		cmd, _, _ := a.command("set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		a.waitFor("the intent to call "+action, func() bool {
			b, _ := os.ReadFile(a.journal)
			step := map[string]string{"CreateLoadBalancerPolicy": "create-policy", "SetLoadBalancerPoliciesOfListener": "set-policy"}[action]
			return bytes.Contains(b, []byte(`"step":"`+step+`","phase":"intent"`))
		})
		time.Sleep(200 * time.Millisecond) // the call is on its way
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		stop()
		a.wantHas("legacy", 443, "sticky", "ours")
		a.expect(0, "interrupted", "journal")
		return a
	}
	t.Run("between create and set, then finished", func(t *testing.T) {
		t.Parallel()
		a := kill(t, "SetLoadBalancerPoliciesOfListener")
		if n := len(a.carries()); n != 1 {
			t.Fatalf("%d policies, want 1", n)
		}
		a.expect(0, `legacy:443 has `+parleys+` now`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		a.wantHas("legacy", 443, "sticky", parleys)
		if n := len(a.carries()); n != 1 {
			t.Errorf("%d policies, want 1", n)
		}
		a.expect(0, `(?s)not-applied.*applied`, "journal")
		a.expect(0, `(?s)legacy:443 has ours again.*deleted the policy `+parleys, "undo", "--yes", noProof)
		if l := a.carries(); len(l) > 0 {
			t.Errorf("left: %q", l)
		}
	})
	t.Run("between create and set, then undone", func(t *testing.T) {
		t.Parallel()
		a := kill(t, "SetLoadBalancerPoliciesOfListener")
		a.expect(0, `(?s)deleted the policy `+parleys, "undo", "--yes", noProof)
		if l := a.carries(); len(l) > 0 {
			t.Errorf("left: %q", l)
		}
		a.wantHas("legacy", 443, "sticky", "ours")
		a.expect(0, `undone`, "journal")
		if n := a.calls("SetLoadBalancerPoliciesOfListener"); n > 1 {
			t.Errorf("%d calls that set policies, though nothing was to be set", n)
		}
	})
	t.Run("before create", func(t *testing.T) {
		t.Parallel()
		a := kill(t, "CreateLoadBalancerPolicy")
		a.expect(0, `legacy:443 has ours again`, "undo", "--yes", noProof)
		a.expect(0, `legacy:443 has `+parleys+` now`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
	})
	t.Run("with a torn line", func(t *testing.T) {
		t.Parallel()
		a := kill(t, "SetLoadBalancerPoliciesOfListener")
		b, err := os.ReadFile(a.journal)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(a.journal, b[:len(b)-30], 0o600); err != nil {
			t.Fatal(err)
		}
		a.expect(0, `(?s)warning: journal .*line 4 is not whole.*deleted the policy|deleted the policy.*(?s)warning: journal .*line 4 is not whole`, "undo", "--yes", noProof)
		a.wantHas("legacy", 443, "sticky", "ours")
		a.expect(0, "undone", "journal")
	})
}

// TestKilledAnywhere kills the program at each of its calls to AWS, before the call takes effect or behind it, and then takes the
// change back, or makes it again and then takes it back. Whatever the place, the listener never loses another policy, and ends with
// what it had; nothing is left on the load balancer.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"undo", "again", "undo cut off"} {
		for _, behind := range []bool{false, true} {
			t.Run(way+map[bool]string{false: " before", true: " behind"}[behind], func(t *testing.T) {
				t.Parallel()
				n := 0
				for place := int32(1); killAt(t, way, behind, place); place++ {
					n++
				}
				if n < 8 {
					t.Errorf("%d places: too few calls to be true", n)
				}
			})
		}
	}
}

// killAt kills the program at its nth call of Elastic Load Balancing; false if it makes fewer.
func killAt(t *testing.T, way string, behind bool, nth int32) bool {
	var calls, at atomic.Int32
	var kill atomic.Pointer[os.Process]
	a := newAWSAccount(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			p := kill.Load()
			if p == nil || !bytes.Contains(body, []byte("LoadBalancer")) || calls.Add(1) != at.Load() {
				next.ServeHTTP(w, r)
				return
			}
			if behind {
				next.ServeHTTP(httptest.NewRecorder(), r)
			}
			p.Kill()
			<-r.Context().Done()
		})
	})
	cutOff := func(args ...string) bool {
		calls.Store(0)
		at.Store(nth)
		cmd, out, errs := a.command(args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill.Store(cmd.Process)
		err := cmd.Wait()
		kill.Store(nil)
		if err == nil {
			return false
		}
		if !strings.Contains(err.Error(), "killed") {
			t.Fatalf("call %d: %v\n%s%s", nth, err, out, errs)
		}
		return true
	}
	change := []string{"set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof}
	killed := false
	switch way {
	case "undo cut off":
		a.expect(0, "now", change...)
		killed = cutOff("undo", "--yes", noProof)
	default:
		killed = cutOff(change...)
	}
	if got := a.has("legacy", 443); len(got) != 2 || got[0] != "sticky" || got[1] != "ours" && !regexp.MustCompile(parleys).MatchString(got[1]) {
		t.Errorf("killed at call %d: the listener has %q", nth, got)
	}
	if !killed {
		return false
	}
	if way == "again" {
		a.expect(0, "has "+parleys+" (now|already)", change...)
		a.wantHas("legacy", 443, "sticky", parleys)
	}
	out, errs, code := a.parley("undo", "--yes", noProof)
	if code != 0 && !(code == 1 && strings.Contains(errs, "no such change that could be undone")) { // it had not begun, or was done
		t.Errorf("killed at call %d: exit code %d\n%s%s", nth, code, out, errs)
	}
	a.wantHas("legacy", 443, "sticky", "ours")
	if l := a.carries(); len(l) > 0 {
		t.Errorf("killed at call %d: left on the load balancer: %q\n%s%s", nth, l, out, errs)
	}
	return true
}
