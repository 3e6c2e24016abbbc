package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/find"
	"github.com/parley-tls/parley/aws/metric"
	"github.com/parley-tls/parley/testbed"
)

// runErrors runs parley aws errors and returns what it prints and its exit code.
func runErrors(t *testing.T, args ...string) (*bytes.Buffer, int) {
	t.Helper()
	cmd := newRoot()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs(append([]string{"aws", "errors", "--journal", filepath.Join(t.TempDir(), "none")}, args...))
	err := cmd.ExecuteContext(t.Context())
	var exit *exitError
	switch {
	case err == nil:
		return &out, exitGood
	case errors.As(err, &exit):
		return &out, exit.code
	}
	t.Fatal(err)
	return nil, 0
}

// TestErrors reads a rise that begins with a change, and says so.
func TestErrors(t *testing.T) {
	testbed.Moto(t)
	testbed.LoadBalancers(t)
	now := time.Now().UTC()
	m := testbed.Metrics{From: now.Add(-12 * time.Hour).Truncate(metric.Step), Series: map[string][]float64{}}
	m.Serve(t)
	sessions, err := account.Open(t.Context(), account.Options{})
	if err != nil {
		t.Fatal(err)
	}
	inv, err := find.List(t.Context(), sessions, find.Options{NoCertificates: true, Kinds: []elb.Kind{elb.ALB}})
	if err != nil || len(inv.Listeners) != 1 {
		t.Fatalf("%+v, %v", inv, err)
	}
	l := &inv.Listeners[0]
	failed, conns := make([]float64, 144), make([]float64, 144)
	for i := range failed {
		failed[i], conns[i] = float64(i%3), 800
		if i >= 100 {
			failed[i] = 40
		}
	}
	_, dimension, _ := strings.Cut(l.LoadBalancerARN, ":loadbalancer/")
	m.Series["AWS/ApplicationELB ClientTLSNegotiationErrorCount "+dimension] = failed
	m.Series["AWS/ApplicationELB NewConnectionCount "+dimension] = conns
	rise := m.From.Add(100 * metric.Step)
	changed := rise.Add(-3 * time.Minute)
	m.Events = []string{fmt.Sprintf(`{"eventSource":"elasticloadbalancing.amazonaws.com","eventName":"ModifyListener","eventTime":%q,"eventID":"6f4ab5bd","userIdentity":{"arn":"arn:aws:iam::111122223333:user/ops"},
		"requestParameters":{"listenerArn":%q,"sslPolicy":"ELBSecurityPolicy-TLS13-1-3-2021-06"}}`, changed.Format(time.RFC3339), l.ARN)}
	out, code := runErrors(t)
	for _, want := range []string{
		"shop-alb (ALB)", "rises " + rise.Format("2006-01-02 15:04Z"), "too few to tell a rise", "CloudWatch has no metric of failed handshakes for Classic",
		"The listener was changed 3m before that", changed.Format("2006-01-02 15:04Z") + "  unknown -> TLS13-1-3-2021-06  arn:aws:iam::111122223333:user/ops by ModifyListener",
	} {
		if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	if code != exitBad {
		t.Errorf("exit %d", code)
	}
	out, _ = runErrors(t, "--json", "shop-alb")
	doc := validateWith(t, "../../docs/schema/aws-errors.schema.json", out.Bytes()).(map[string]any)
	if l := doc["load_balancers"].([]any); len(l) != 1 || l[0].(map[string]any)["cause"] == nil {
		t.Errorf("%s", out)
	}
	// What cannot be found out is said, and is exit code 3 where nothing is known to rise.
	m.Refusals = map[string]int{"GetMetricData": -1}
	out, code = runErrors(t, "--json", "--no-cloudtrail")
	validateWith(t, "../../docs/schema/aws-errors.schema.json", out.Bytes())
	if code != exitUndecided || !strings.Contains(out.String(), "AccessDenied") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	m.Refusals = nil
	if out, code = runErrors(t, "edge-nlb", "--since", "90m"); code != exitGood || !strings.Contains(out.String(), "too few to tell a rise") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}
