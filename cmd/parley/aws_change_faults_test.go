package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// TestThrottledAndDenied: throttling is waited for; what is refused is left as it was, and the exit code says which.
func TestThrottledAndDenied(t *testing.T) {
	t.Run("throttled for a while", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		for _, action := range []string{"DescribeListeners", "ModifyListener", "DescribeSSLPolicies"} {
			a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: action, Times: 2, Error: elbapi.Throttling()})
		}
		a.expect(0, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
	})
	t.Run("throttled for good", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		stop := a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: "ModifyListener", Error: elbapi.Throttling()})
		a.expect(1, "shop:443 has still ELBSecurityPolicy-2016-08: ModifyListener: Throttling: Rate exceeded", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
		stop()
		a.expect(0, "not-applied.*Throttling", "journal")
		a.expect(1, "no such change that could be undone", "undo", "--yes")
		a.wantHas("shop", 443, "ELBSecurityPolicy-2016-08")
	})
	t.Run("no right to change", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		a.env = append(a.env, "AWS_ACCESS_KEY_ID=reading", "AWS_SECRET_ACCESS_KEY=reading")
		a.expect(1, `shop:443 has still ELBSecurityPolicy-2016-08: ModifyListener: AccessDenied: User: .*user/reader is not authorized to perform: elasticloadbalancing:ModifyListener`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
		a.expect(1, `nothing was changed: CreateLoadBalancerPolicy: AccessDenied`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		a.wantHas("legacy", 443, "sticky", "ours")
		a.expect(0, `(?s)not-applied.*not-applied`, "journal")
	})
	t.Run("a right to make and none to set", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		stop := a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: "SetLoadBalancerPoliciesOfListener", Denied: true})
		out, errs, code := a.parley("set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		want := regexp.MustCompile(`legacy:443 has still ours: .*AccessDenied.*; the policy ` + parleys + `, which was made for it, is left and used by no listener: parley aws undo ([0-9a-f]{8}) removes it`)
		m := want.FindStringSubmatch(errs)
		if code != 1 || m == nil {
			t.Fatalf("exit code %d\n%s%s", code, out, errs)
		}
		stop()
		a.expect(0, `(?s)legacy:443 has ours again.*deleted the policy `+parleys, "undo", m[1], "--yes", noProof)
		if l := a.carries(); len(l) > 0 {
			t.Errorf("left: %q", l)
		}
		a.wantHas("legacy", 443, "sticky", "ours")
	})
	t.Run("no right to read", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: "DescribeListeners", Denied: true})
		a.expect(3, "DescribeListeners: AccessDenied", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
	})
	t.Run("no right to ask for policies", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: "DescribeSSLPolicies", Denied: true})
		a.expect(0, `(?s)warning +whether eu-west-1 offers ELBSecurityPolicy-TLS13-1-2-2021-06 could not be found out`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--dry-run")
	})
	t.Run("the right to read is lost in the midst of it", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		// Resolving, planning and the look before the change each ask once.
		stop := a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: "DescribeListeners", Skip: 3, Denied: true})
		a.expect(3, "AWS took the change, and what shop:443 has now could not be found out: .*AccessDenied.*; parley aws undo [0-9a-f]{8} takes it back", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
		stop()
		a.expect(0, "interrupted", "journal")
		a.expect(0, "shop:443 has ELBSecurityPolicy-2016-08 again", "undo", "--yes", noProof)
		a.wantHas("shop", 443, "ELBSecurityPolicy-2016-08")
	})
}

// TestAnswerLost: AWS does what it was asked for and the answer gets lost, once or for good, or is an error nevertheless.
func TestAnswerLost(t *testing.T) {
	lose := func(action string, times int32) func(http.Handler) http.Handler {
		var lost atomic.Int32
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				if !bytes.Contains(body, []byte("Action="+action)) || lost.Add(1) > times {
					next.ServeHTTP(w, r)
					return
				}
				next.ServeHTTP(httptest.NewRecorder(), r)
				panic(http.ErrAbortHandler) // closes the connection
			})
		}
	}
	for _, c := range []struct {
		action string
		times  int32
		args   []string
		want   string
	}{
		{"ModifyListener", 1, []string{"shop:443", "TLS13-1-2-2021-06"}, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now"},
		{"ModifyListener", 100, []string{"shop:443", "TLS13-1-2-2021-06"}, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now"},
		{"CreateLoadBalancerPolicy", 1, []string{"legacy:443", "TLS-1-2-2017-01"}, "legacy:443 has " + parleys + " now"},
		{"SetLoadBalancerPoliciesOfListener", 1, []string{"legacy:443", "TLS-1-2-2017-01"}, "legacy:443 has " + parleys + " now"},
	} {
		t.Run(c.action, func(t *testing.T) {
			t.Parallel()
			a := newAWSAccount(t, lose(c.action, c.times))
			a.expect(0, c.want, append(append([]string{"set-policy"}, c.args...), "--yes", noProof)...)
			a.expect(0, "applied", "journal")
			a.expect(0, "again", "undo", "--yes", noProof)
			a.wantHas("shop", 443, "ELBSecurityPolicy-2016-08")
			a.wantHas("legacy", 443, "sticky", "ours")
			if l := a.carries(); len(l) > 0 {
				t.Errorf("left: %q", l)
			}
		})
	}
	t.Run("an error though it was done", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: "ModifyListener", After: true, Error: &query.Error{Code: "InternalFailure", Message: "sorry", Status: 500}})
		a.expect(0, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
	})
}

// TestDeletedMeanwhile: the listener goes away between the plan and the change.
func TestDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	var a *awsAccount
	var once sync.Once
	a = newAWSAccount(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if bytes.Contains(body, []byte("Action=ModifyListener")) {
				once.Do(func() { a.balancer("shop", func(l *store.LoadBalancer) { l.Listeners = l.Listeners[1:] }) })
			}
			next.ServeHTTP(w, r)
		})
	})
	a.expect(1, `shop has no listener on port 443 any more: it was deleted`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
	a.expect(0, "not-applied", "journal")
}

// TestJournalLost: a journal that cannot be written stops a change before it is made; one that gets lost in the midst of it is said,
// with what the listener has.
func TestJournalLost(t *testing.T) {
	t.Parallel()
	var a *awsAccount
	lost := false
	a = newAWSAccount(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if bytes.Contains(body, []byte("Action=ModifyListener")) && lost {
				os.Remove(a.journal)
				os.Mkdir(a.journal, 0o700)
			}
			next.ServeHTTP(w, r)
		})
	})
	a.expect(2, "journal: ", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof, "--journal", t.TempDir())
	a.expect(2, "journal: ", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof, "--journal", filepath.Join(a.program, "journal"))
	if n := a.calls("ModifyListener"); n > 0 {
		t.Errorf("%d changes without a journal", n)
	}
	lost = true
	a.expect(3, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now, but the journal cannot be written", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
}
