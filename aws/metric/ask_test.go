package metric_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/find"
	"github.com/parley-tls/parley/aws/metric"
	"github.com/parley-tls/parley/simulate"
	"github.com/parley-tls/parley/testbed"
)

const id = "111122223333"

// start serves a simulated account that may not do what deny says, with these things in one region, and opens it. The counter is of
// requests.
func start(t *testing.T, r *simulate.Region, deny ...string) ([]*account.Session, *atomic.Int32) {
	t.Helper()
	cloud, err := simulate.New(simulate.State{Accounts: []simulate.Account{{ID: id, Users: []simulate.User{{Name: "ada", Key: "testing", Secret: "testing", Deny: deny}},
		Regions: map[string]*simulate.Region{"eu-west-1": r}}}})
	if err != nil {
		t.Fatal(err)
	}
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		cloud.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	testbed.OnlyAWS(t, server.URL)
	s, err := account.Open(t.Context(), account.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s, &requests
}

// region has an ALB, an NLB and a Classic Load Balancer.
const region = `{"accounts":[{"id":"111122223333","regions":{"eu-west-1":{"load_balancers":[
 {"name":"shop","type":"application","arn":"arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/50dc6c495c0c9188","zones":[{"name":"eu-west-1a"},{"name":"eu-west-1b"}],
  "listeners":[{"port":443,"protocol":"HTTPS","ssl_policy":"ELBSecurityPolicy-2016-08","certificates":["arn:aws:acm:eu-west-1:111122223333:certificate/1"],
   "actions":[{"Type":"redirect","Order":1,"RedirectConfig":{"Protocol":"HTTPS","Port":"443","StatusCode":"HTTP_301"}}]}]},
 {"name":"edge","type":"network","arn":"arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/edge/c6e77e28c25b2234","zones":[{"name":"eu-west-1a"}],
  "listeners":[{"port":443,"protocol":"TLS","certificates":["arn:aws:acm:eu-west-1:111122223333:certificate/1"]}]},
 {"name":"legacy","type":"classic","zones":[{"name":"eu-west-1a"}],"listeners":[{"port":443,"protocol":"HTTPS","certificates":["arn:aws:acm:eu-west-1:111122223333:certificate/1"]}]}]}}}]}`

func balancers(t *testing.T) *simulate.Region {
	t.Helper()
	s, err := simulate.ReadState([]byte(region))
	if err != nil {
		t.Fatal(err)
	}
	return s.Accounts[0].Regions["eu-west-1"]
}

// series is a metric with a value for each period from a time.
func series(namespace, name, dimension string, from time.Time, n int, value func(i int) float64) simulate.Metric {
	m := simulate.Metric{Namespace: namespace, Name: name, Dimensions: map[string]string{"LoadBalancer": dimension}}
	for i := range n {
		if v := value(i); v != 0 {
			m.Points = append(m.Points, simulate.Point{At: from.Add(time.Duration(i) * metric.Step), Count: 1, Sum: v, Minimum: v, Maximum: v})
		}
	}
	return m
}

// TestAsk reads the metrics of three load balancers, one of which fails more often from a change of its policy on.
func TestAsk(t *testing.T) {
	now := time.Now().UTC().Add(time.Hour) // the hour after the change
	from := now.Add(-12 * time.Hour).Truncate(metric.Step)
	rise := int(time.Since(from)/metric.Step) + 1
	r := balancers(t)
	r.Metrics = []simulate.Metric{
		series("AWS/ApplicationELB", "NewConnectionCount", "app/shop/50dc6c495c0c9188", from, 144, func(int) float64 { return 800 }),
		series("AWS/ApplicationELB", "ClientTLSNegotiationErrorCount", "app/shop/50dc6c495c0c9188", from, 144, func(i int) float64 {
			if i >= rise {
				return 40
			}
			return float64(i % 3)
		}),
		series("AWS/NetworkELB", "ClientTLSNegotiationErrorCount", "net/edge/c6e77e28c25b2234", from, 144, func(i int) float64 { return float64(i % 5) }),
	}
	sessions, _ := start(t, r)
	inv, err := find.List(t.Context(), sessions, find.Options{NoCertificates: true})
	if err != nil || len(inv.Listeners) != 3 {
		t.Fatalf("%+v, %v", inv, err)
	}
	for i := range inv.Listeners {
		if l := &inv.Listeners[i]; l.Kind == elb.ALB {
			if _, err := sessions[0].ELBv2().ModifyListener(t.Context(), &elasticloadbalancingv2.ModifyListenerInput{ListenerArn: &l.ARN, SslPolicy: aws.String("ELBSecurityPolicy-TLS13-1-3-2021-06")}); err != nil {
				t.Fatal(err)
			}
			// One that fails changes nothing.
			_, _ = sessions[0].ELBv2().ModifyListener(t.Context(), &elasticloadbalancingv2.ModifyListenerInput{ListenerArn: &l.ARN, SslPolicy: aws.String("none")})
		}
	}
	all, problems := metric.Ask(t.Context(), sessions, inv.Listeners, metric.Options{Since: 12 * time.Hour, Now: now, Trail: metric.Always})
	for _, p := range problems {
		t.Error(p)
	}
	got := map[elb.Kind]*metric.LoadBalancer{}
	for i := range all {
		got[all[i].Kind] = &all[i]
	}
	shop := got[elb.ALB]
	if at := from.Add(time.Duration(rise) * metric.Step); shop.Rise.Outcome != metric.Risen || !shop.Rise.From.Equal(at) || !shop.Rise.Until.IsZero() || !shop.Rise.Related || shop.Conns != 144*800 {
		t.Errorf("%+v, %v connections; want a rise at %v that goes on", shop.Rise, shop.Conns, at)
	}
	if len(shop.Changes) != 1 || shop.Cause == nil || shop.Cause.To != "ELBSecurityPolicy-TLS13-1-3-2021-06" || !strings.HasSuffix(shop.Cause.Who, ":user/ada") || shop.Cause.Port != 443 {
		t.Errorf("changes %+v, cause %+v", shop.Changes, shop.Cause)
	}
	for i := range inv.Listeners { // where nothing rose, nobody has to be found who began it
		l := inv.Listeners[i : i+1]
		trails := func() int { return sessions[0].Meter().Calls()["CloudTrail.LookupEvents"] }
		before := trails()
		one, _ := metric.Ask(t.Context(), sessions, l, metric.Options{Since: 12 * time.Hour, Now: now, Trail: metric.OnRise})
		if asked := trails() > before; asked != (l[0].Kind == elb.ALB) || asked != (one[0].Cause != nil) {
			t.Errorf("%s: CloudTrail was asked: %v; cause %+v", l[0].Kind, asked, one[0].Cause)
		}
	}
	if edge := got[elb.NLB]; edge.Rise.Outcome != metric.Steady || edge.Errors != 286 || edge.Conns != 0 || edge.Rise.Related || len(edge.Changes) != 0 {
		t.Errorf("%+v, %v errors", edge.Rise, edge.Errors)
	}
	if legacy := got[elb.Classic]; legacy.Rise.Outcome != metric.NoTests || legacy.Note != metric.ClassicNote {
		t.Errorf("%+v", legacy)
	}
}

// TestTrail follows the pages of CloudTrail, and leaves out what is older.
func TestTrail(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	const arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/50dc6c495c0c9188"
	r := &simulate.Region{}
	for i := range 60 {
		at := now.Add(time.Duration(i-60) * time.Hour).Format(time.RFC3339)
		record := fmt.Sprintf(`{"eventSource":"elasticloadbalancing.amazonaws.com","eventName":"ModifyListener","eventTime":%q,"userIdentity":{"arn":"arn:aws:iam::111122223333:user/ops"},
			"requestParameters":{"listenerArn":"%s/f2f7dc8efc522ab2","sslPolicy":"P-%d"}}`, at, strings.Replace(arn, "loadbalancer", "listener", 1), i)
		r.Events = append(r.Events, simulate.Object{"EventId": fmt.Sprint(i), "EventName": "ModifyListener", "EventTime": at, "CloudTrailEvent": record})
	}
	sessions, requests := start(t, r)
	l, err := metric.Trail(t.Context(), sessions[0], now.Add(-58*time.Hour-time.Minute), now)
	if err != nil || len(l) != 58 || l[0].To != "P-59" || l[57].To != "P-2" || l[0].Who != "arn:aws:iam::111122223333:user/ops" || !l[0].Of(arn) {
		t.Errorf("%d changes, %v", len(l), err)
	}
	if n := requests.Load(); n < 4 { // the SDK may send one again
		t.Errorf("%d requests, want two pages of one call and one of the two others", n)
	}
}

// TestAskRefused says what could not be found out, and calls nothing steady that it could not look at.
func TestAskRefused(t *testing.T) {
	for deny, want := range map[string]struct {
		problem string
		outcome metric.Outcome
	}{"cloudwatch:GetMetricData": {"metrics: GetMetricData: AccessDenied", metric.NoTests}, "cloudtrail:LookupEvents": {"changes in CloudTrail: LookupEvents: AccessDenied", metric.TooFew}} {
		s, _ := start(t, balancers(t), deny)
		inv, err := find.List(t.Context(), s, find.Options{NoCertificates: true, Kinds: []elb.Kind{elb.NLB}})
		if err != nil || len(inv.Listeners) != 1 {
			t.Fatalf("%+v, %v", inv, err)
		}
		all, problems := metric.Ask(t.Context(), s, inv.Listeners, metric.Options{Since: 6 * time.Hour, Now: time.Now(), Trail: metric.Always})
		if len(problems) != 1 || !strings.Contains(problems[0].Error(), want.problem) || all[0].Rise.Outcome != want.outcome {
			t.Errorf("%s: %+v, %v", deny, all, problems)
		}
	}
}

// TestAskMany asks for the metrics of 600 load balancers in three calls, as GetMetricData takes 500 queries.
func TestAskMany(t *testing.T) {
	now := time.Now().UTC()
	from := now.Add(-6 * time.Hour).Truncate(metric.Step)
	r := &simulate.Region{}
	var l []elb.Listener
	for i := range 600 {
		dimension := fmt.Sprintf("net/nlb-%d/50dc6c495c0c9188", i)
		r.Metrics = append(r.Metrics, series("AWS/NetworkELB", "ClientTLSNegotiationErrorCount", dimension, from, 72, func(int) float64 { return float64(i) }))
		l = append(l, elb.Listener{Place: elb.Place{Region: "eu-west-1"}, Kind: elb.NLB, LoadBalancer: fmt.Sprint("nlb-", i), LoadBalancerARN: "arn:aws:elasticloadbalancing:eu-west-1:" + id + ":loadbalancer/" + dimension, Port: 443, Protocol: "TLS"})
	}
	s, requests := start(t, r)
	all, problems := metric.Ask(t.Context(), s, l, metric.Options{Since: 6 * time.Hour, Now: now})
	for _, p := range problems {
		t.Error(p)
	}
	for i, b := range all {
		if b.Errors != float64(72*i) || b.Rise.Outcome == metric.Risen {
			t.Fatalf("%s: %v errors, want %d; %+v", b.Name, b.Errors, 72*i, b.Rise)
		}
	}
	if n := requests.Load(); n < 3 || n > 4 { // the SDK may send one again
		t.Errorf("%d requests, want 3", n)
	}
}
