package metric_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/find"
	"github.com/parley-tls/parley/aws/metric"
	"github.com/parley-tls/parley/testbed"
)

func open(t *testing.T) []*account.Session {
	t.Helper()
	s, err := account.Open(t.Context(), account.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAskMoto reads metrics of load balancers: one whose errors rise, and one that has none.
func TestAskMoto(t *testing.T) {
	testbed.Moto(t)
	testbed.LoadBalancers(t)
	sessions := open(t)
	inv, err := find.List(t.Context(), sessions, find.Options{NoCertificates: true})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	from := now.Add(-12 * time.Hour).Truncate(metric.Step)
	m := testbed.Metrics{From: from, Series: map[string][]float64{}}
	m.Serve(t)
	sessions = open(t)
	for i := range inv.Listeners {
		l := &inv.Listeners[i]
		if l.Kind != elb.ALB {
			continue
		}
		_, dimension, _ := strings.Cut(l.LoadBalancerARN, ":loadbalancer/")
		errors, connections := make([]float64, 144), make([]float64, 144)
		for i := range errors {
			connections[i], errors[i] = 500, float64(i%3)
			if i >= 100 {
				errors[i] = 40 + float64(i%5)
			}
		}
		m.Series["AWS/ApplicationELB ClientTLSNegotiationErrorCount "+dimension] = errors
		m.Series["AWS/ApplicationELB NewConnectionCount "+dimension] = connections
	}
	all, problems := metric.Ask(t.Context(), sessions, inv.Listeners, metric.Options{Since: 12 * time.Hour, Now: now})
	for _, p := range problems {
		t.Error(p)
	}
	var got []string
	for _, b := range all {
		got = append(got, fmt.Sprint(b.Kind, " ", b.Name, " ", b.Ports, " ", b.Rise.Outcome))
		if b.Kind == elb.ALB {
			if at := from.Add(100 * metric.Step); !b.Rise.From.Equal(at) || !b.Rise.Until.IsZero() || !b.Rise.Related || b.Errors < 1800 || b.Conns < 70_000 {
				t.Errorf("%+v, %v errors, %v connections; want a rise at %v that goes on", b.Rise, b.Errors, b.Conns, at)
			}
		}
		if (b.Kind == elb.Classic) != (b.Note == metric.ClassicNote) {
			t.Errorf("%s: %s", b.Name, b.Note)
		}
	}
	want := "network edge-nlb [443 8443] too-few, classic legacy-clb [443] no-series, application shop-alb [443] rise"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

// TestTrail follows the pages of CloudTrail.
func TestTrail(t *testing.T) {
	testbed.OnlyAWS(t, "http://127.0.0.1:1")
	now := time.Now().UTC().Truncate(time.Second)
	const arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop-alb/50dc6c495c0c9188"
	record := func(at time.Time, policy string) string {
		return fmt.Sprintf(`{"eventSource":"elasticloadbalancing.amazonaws.com","eventName":"ModifyListener","eventTime":%q,"userIdentity":{"arn":"arn:aws:iam::111122223333:user/ops"},
			"requestParameters":{"listenerArn":"%s/f2f7dc8efc522ab2","sslPolicy":%q}}`, at.Format(time.RFC3339), strings.Replace(arn, "loadbalancer", "listener", 1), policy)
	}
	m := testbed.Metrics{PerPage: 1, Events: []string{record(now.Add(-time.Hour), "B"), record(now.Add(-2*time.Hour), "A"), record(now.Add(-48*time.Hour), "0")}}
	m.Serve(t)
	l, err := metric.Trail(t.Context(), open(t)[0], now.Add(-24*time.Hour), now)
	if err != nil || len(l) != 2 || l[0].To != "B" || l[1].To != "A" || l[0].Who != "arn:aws:iam::111122223333:user/ops" || !l[0].Of(arn) {
		t.Errorf("%+v, %v", l, err)
	}
	if m.Requests["LookupEvents"] != 4 {
		t.Errorf("%d requests, want two pages of one call and one of the two others", m.Requests["LookupEvents"])
	}
}

// TestAskRefused says what could not be found out, and finds nothing steady that it could not look at.
func TestAskRefused(t *testing.T) {
	testbed.OnlyAWS(t, "http://127.0.0.1:1")
	m := testbed.Metrics{Refusals: map[string]int{"GetMetricData": -1}}
	m.Serve(t)
	s := open(t)
	l := []elb.Listener{{Place: s[0].Place, Kind: elb.NLB, LoadBalancer: "edge", LoadBalancerARN: "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/edge/50dc6c495c0c9188", Port: 443, Protocol: "TLS"}}
	all, problems := metric.Ask(t.Context(), s, l, metric.Options{Since: time.Hour, Now: time.Now(), Trail: true})
	if len(problems) != 1 || !strings.Contains(problems[0].Error(), "AccessDenied") || all[0].Rise.Outcome != metric.NoTests {
		t.Errorf("%+v, %v", all, problems)
	}
	m.Refusals = map[string]int{"LookupEvents": -1}
	all, problems = metric.Ask(t.Context(), s, l, metric.Options{Since: 6 * time.Hour, Now: time.Now(), Trail: true})
	if len(problems) != 1 || !strings.Contains(problems[0].Error(), "changes in CloudTrail") || all[0].Rise.Outcome != metric.TooFew {
		t.Errorf("%+v, %v", all, problems)
	}
}

// TestAskMany asks for the metrics of 600 load balancers in three calls, as GetMetricData takes 500 queries, and follows pages.
func TestAskMany(t *testing.T) {
	testbed.OnlyAWS(t, "http://127.0.0.1:1")
	now := time.Now().UTC()
	m := testbed.Metrics{From: now.Add(-6 * time.Hour).Truncate(metric.Step), Series: map[string][]float64{}, PerPage: 50}
	m.Serve(t)
	s := open(t)
	var l []elb.Listener
	for i := range 600 {
		dimension := fmt.Sprintf("net/nlb-%d/50dc6c495c0c9188", i)
		values := make([]float64, 72)
		for j := range values {
			values[j] = float64(i)
		}
		m.Series["AWS/NetworkELB ClientTLSNegotiationErrorCount "+dimension] = values
		l = append(l, elb.Listener{Place: s[0].Place, Kind: elb.NLB, LoadBalancer: fmt.Sprint("nlb-", i), LoadBalancerARN: "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/" + dimension, Port: 443, Protocol: "TLS"})
	}
	all, problems := metric.Ask(t.Context(), s, l, metric.Options{Since: 6 * time.Hour, Now: now})
	for _, p := range problems {
		t.Error(p)
	}
	for i, b := range all {
		if b.Errors != float64(72*i) || b.Rise.Outcome == metric.Risen {
			t.Fatalf("%s: %v errors, want %d; %+v", b.Name, b.Errors, 72*i, b.Rise)
		}
	}
	if m.Requests["GetMetricData"] != 6 {
		t.Errorf("%d requests, want 3 calls of 2 pages", m.Requests["GetMetricData"])
	}
}
