package metric

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/parley-tls/parley/aws/change"
)

const (
	shop     = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop-alb/50dc6c495c0c9188"
	listener = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop-alb/50dc6c495c0c9188/f2f7dc8efc522ab2"
	modify   = `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:deploy","arn":"arn:aws:sts::111122223333:assumed-role/deploy/ci","accountId":"111122223333"},
"eventTime":"2026-11-20T12:03:10Z","eventSource":"elasticloadbalancing.amazonaws.com","eventName":"ModifyListener","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.10",
"requestParameters":{"listenerArn":"` + listener + `","sslPolicy":"ELBSecurityPolicy-TLS13-1-3-2021-06"},
"responseElements":{"listeners":[{"listenerArn":"` + listener + `","loadBalancerArn":"` + shop + `","port":443,"protocol":"HTTPS","sslPolicy":"ELBSecurityPolicy-TLS13-1-3-2021-06"}]},
"requestID":"b9960276-b9b2-11e3-8a13-f1ef1EXAMPLE","eventID":"6f4ab5bd-2daa-4d00-be14-d92efEXAMPLE","eventType":"AwsApiCall","apiVersion":"2015-12-01"}`
)

func TestParseEvent(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 3, 10, 0, time.UTC)
	want := &Change{Time: at, Source: CloudTrail, Call: "ModifyListener", Who: "arn:aws:sts::111122223333:assumed-role/deploy/ci", ID: "6f4ab5bd-2daa-4d00-be14-d92efEXAMPLE",
		Target: listener, Port: 443, To: "ELBSecurityPolicy-TLS13-1-3-2021-06"}
	got, err := ParseEvent(modify)
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Change{})); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if !got.Of(shop) || got.Of(strings.Replace(shop, "shop", "other", 1)) {
		t.Error("the change is of another load balancer")
	}
	// A failed call, a call that touches nothing of TLS, and another service's.
	for name, record := range map[string]string{
		"failed":  strings.Replace(modify, `"eventVersion"`, `"errorCode":"SSLPolicyNotFoundException","eventVersion"`, 1),
		"actions": strings.Replace(modify, `,"sslPolicy":"ELBSecurityPolicy-TLS13-1-3-2021-06"}`, `,"defaultActions":[]}`, 1),
		"other":   strings.Replace(modify, "elasticloadbalancing.amazonaws.com", "ec2.amazonaws.com", 1),
	} {
		if c, err := ParseEvent(record); c != nil || err != nil {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	c, err := ParseEvent(strings.Replace(modify, `"sslPolicy":"ELBSecurityPolicy-TLS13-1-3-2021-06"}`, `"certificates":[{"certificateArn":"a"}]}`, 1))
	if err != nil || c == nil || c.Other != "certificates" || c.To != "" {
		t.Errorf("%+v, %v", c, err)
	}
	c, err = ParseEvent(`{"eventSource":"elasticloadbalancing.amazonaws.com","eventName":"SetLoadBalancerPoliciesOfListener","eventTime":"2026-11-20T12:00:00Z",
		"requestParameters":{"loadBalancerName":"legacy-clb","loadBalancerPort":443,"policyNames":["sticky","our-tls"]}}`)
	if err != nil || c == nil || c.Target != "legacy-clb:443" || c.To != "sticky, our-tls" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := ParseEvent("no JSON"); err == nil {
		t.Error("no error")
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add(modify)
	f.Fuzz(func(t *testing.T, record string) {
		if c, err := ParseEvent(record); err == nil && c != nil {
			c.Of(shop)
			cause(&Rise{Outcome: Risen, From: c.Time}, order([]Change{*c, *c}))
		}
	})
}

// TestCause puts the journal and CloudTrail together, and finds the change at the beginning of a rise.
func TestCause(t *testing.T) {
	at := func(minutes int) time.Time { return begin.Add(time.Duration(minutes) * time.Minute) }
	target := change.Target{ARN: listener, LoadBalancerARN: shop, LoadBalancer: "shop-alb", Port: 443}
	journal := FromJournal([]change.Change{
		{ID: "aa", Begun: at(100), Status: change.Applied, Plan: &change.Plan{Listener: target, Had: change.State{Policy: "A"}, Set: change.Setting{Policy: "B"}}},
		{ID: "bb", Begun: at(200), Status: change.NotApplied, Plan: &change.Plan{Listener: target, Had: change.State{Policy: "B"}, Set: change.Setting{Policy: "C"}}},
	})
	trail := []Change{
		{Time: at(400), Source: CloudTrail, Call: "ModifyListener", Who: "ci", listenerARN: listener, To: "D"},
		{Time: at(101), Source: CloudTrail, Call: "ModifyListener", Who: "ops", listenerARN: listener, To: "B"}, // the journal's
		{Time: at(500), Source: CloudTrail, Call: "ModifyListener", Who: "ci", listenerARN: listener, To: "D"},  // as before
	}
	l := order(append(journal, trail...))
	var got []string
	for _, c := range l {
		got = append(got, strings.Join([]string{string(c.Source), c.Who, c.From, c.To}, " "))
	}
	if d := cmp.Diff([]string{"journal ops A B", "cloudtrail ci B D", "cloudtrail ci D D"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, c := range []struct {
		rise int
		want string
	}{{105, "B"}, {119, "B"}, {99, "B"}, {121, ""}, {94, ""}, {400, "D"}, {505, ""}} {
		to := ""
		if x := cause(&Rise{Outcome: Risen, From: at(c.rise)}, l); x != nil {
			to = x.To
		}
		if to != c.want {
			t.Errorf("a rise at minute %d begins with the change to %q, want %q", c.rise, to, c.want)
		}
	}
	if cause(&Rise{Outcome: Steady, From: at(100)}, l) != nil {
		t.Error("no rise has a cause")
	}
}

// TestFill puts the parts of a series together that come on several pages, and passes over what does not belong to it.
func TestFill(t *testing.T) {
	b := &LoadBalancer{Points: make([]Point, 4)}
	at := func(i int) time.Time { return begin.Add(time.Duration(i) * Step) }
	answer := func(id string, times []time.Time, values ...float64) *types.MetricDataResult {
		return &types.MetricDataResult{Id: &id, Timestamps: times, Values: values}
	}
	for _, r := range []*types.MetricDataResult{
		answer("e0", []time.Time{at(0), at(2)}, 5, 7), answer("e0", []time.Time{at(3)}, 9), answer("c0", []time.Time{at(2)}, 100),
		answer("e0", []time.Time{at(-1), at(4), at(1)}, 1, 1, math.NaN()), answer("e1", []time.Time{at(0)}, 1), answer("x", []time.Time{at(0)}, 1), answer("e0", []time.Time{at(1), at(1)}),
	} {
		fill([]*LoadBalancer{b}, r, begin)
	}
	want := []Point{{Errors: 5}, {}, {Errors: 7, Connections: 100}, {Errors: 9}}
	if d := cmp.Diff(want, b.Points); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
