package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/aws/awstest"
	"github.com/parley-tls/parley/aws/metric"
	"github.com/parley-tls/parley/simulate"
)

// simulated serves an account of one region with what its JSON says, whose user may not do what deny says.
func simulated(t *testing.T, region string, deny ...string) {
	t.Helper()
	r := &simulate.Region{}
	if err := json.Unmarshal([]byte(region), r); err != nil {
		t.Fatal(err)
	}
	awstest.Start(t, simulate.State{Accounts: []simulate.Account{{ID: "111122223333", Users: []simulate.User{{Name: "ada", Key: "testing", Secret: "testing", Deny: deny}},
		Regions: map[string]*simulate.Region{"eu-west-1": r}}}})
}

// runParley runs a command and returns what it prints and its exit code.
func runParley(t *testing.T, args ...string) (*bytes.Buffer, int) {
	t.Helper()
	cmd := newRoot()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs(args)
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

// threeBalancers are an ALB, which redirects HTTP, an NLB and a Classic Load Balancer; what stands for %s comes beside them.
const threeBalancers = `{"load_balancers":[
 {"name":"shop","type":"application","arn":"arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/50dc6c495c0c9188","zones":[{"name":"eu-west-1a"},{"name":"eu-west-1b"}],
  "listeners":[{"port":443,"protocol":"HTTPS","arn":"arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2",
   "ssl_policy":"ELBSecurityPolicy-2016-08","certificates":["arn:aws:acm:eu-west-1:111122223333:certificate/1"],
   "actions":[{"Type":"redirect","Order":1,"RedirectConfig":{"Protocol":"HTTPS","Port":"443","StatusCode":"HTTP_301"}}]}]},
 {"name":"edge","type":"network","arn":"arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/edge/c6e77e28c25b2234","zones":[{"name":"eu-west-1a"}],
  "listeners":[{"port":443,"protocol":"TLS","ssl_policy":"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09","certificates":["arn:aws:acm:eu-west-1:111122223333:certificate/1"]}]},
 {"name":"legacy","type":"classic","zones":[{"name":"eu-west-1a"}],
  "listeners":[{"port":443,"protocol":"HTTPS","certificates":["arn:aws:acm:eu-west-1:111122223333:certificate/1"],"policies":["own"]},{"port":80,"protocol":"HTTP"}],
  "classic":{"policies":[{"name":"own","type":"SSLNegotiationPolicyType","attributes":[{"name":"Reference-Security-Policy","value":"ELBSecurityPolicy-TLS-1-2-2017-01"}]}]}}]%s}`

const errorsSchema = "../../docs/schema/aws-errors.schema.json"

// TestErrors reads a rise that begins with a change, and says so.
func TestErrors(t *testing.T) {
	from := time.Now().UTC().Add(-12 * time.Hour).Truncate(metric.Step)
	rise := from.Add(100 * metric.Step)
	changed := rise.Add(-3 * time.Minute)
	var failed, conns []simulate.Point
	for i := range 144 {
		at, n := from.Add(time.Duration(i)*metric.Step), float64(i%3)
		if i >= 100 {
			n = 40
		}
		failed, conns = append(failed, simulate.Point{At: at, Count: 1, Sum: n}), append(conns, simulate.Point{At: at, Count: 1, Sum: 800})
	}
	dimension := map[string]string{"LoadBalancer": "app/shop/50dc6c495c0c9188"}
	metrics, _ := json.Marshal([]simulate.Metric{{Namespace: "AWS/ApplicationELB", Name: "ClientTLSNegotiationErrorCount", Dimensions: dimension, Points: failed},
		{Namespace: "AWS/ApplicationELB", Name: "NewConnectionCount", Dimensions: dimension, Points: conns}})
	record := fmt.Sprintf(`{"eventSource":"elasticloadbalancing.amazonaws.com","eventName":"ModifyListener","eventTime":%q,"eventID":"6f4ab5bd","userIdentity":{"arn":"arn:aws:iam::111122223333:user/ops"},
		"requestParameters":{"listenerArn":"arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2","sslPolicy":"ELBSecurityPolicy-TLS13-1-3-2021-06"}}`, changed.Format(time.RFC3339))
	events, _ := json.Marshal([]simulate.Object{{"EventId": "6f4ab5bd", "EventName": "ModifyListener", "EventTime": changed.Format(time.RFC3339), "CloudTrailEvent": record}})
	state := fmt.Sprintf(threeBalancers, fmt.Sprintf(`,"metrics":%s,"events":%s`, metrics, events))
	none := filepath.Join(t.TempDir(), "none")

	simulated(t, state)
	out, code := runParley(t, "aws", "errors", "--journal", none)
	text := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"shop (ALB) 443 1859 1.61% rises " + rise.Format("2006-01-02 15:04Z"), "edge (NLB) 443 0 - too few to tell a rise", "CloudWatch has no metric of failed handshakes for Classic",
		"The listener was changed 3m before that", changed.Format("2006-01-02 15:04Z") + " unknown -> TLS13-1-3-2021-06 arn:aws:iam::111122223333:user/ops by ModifyListener",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	if code != exitBad {
		t.Errorf("exit %d", code)
	}
	out, _ = runParley(t, "aws", "errors", "--journal", none, "--json", "shop")
	doc := validateWith(t, errorsSchema, out.Bytes()).(map[string]any)
	if l := doc["load_balancers"].([]any); len(l) != 1 || l[0].(map[string]any)["cause"] == nil {
		t.Errorf("%s", out)
	}
	if out, code = runParley(t, "aws", "errors", "--journal", none, "edge", "--since", "90m"); code != exitGood || !strings.Contains(out.String(), "too few to tell a rise") {
		t.Errorf("exit %d:\n%s", code, out)
	}

	// Beside the listing.
	out, code = runParley(t, "aws", "list", "--errors", "--all")
	for _, want := range []string{"Failed handshakes rose at " + rise.Format("2006-01-02 15:04Z"), "0 handshakes failed, too few to tell a rise", "CloudWatch has no metric"} {
		if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), want) || code != exitGood {
			t.Errorf("exit %d, no %q in:\n%s", code, want, out)
		}
	}
	out, _ = runParley(t, "aws", "list", "--errors", "--all", "--json")
	validateWith(t, "../../docs/schema/aws-list.schema.json", out.Bytes())

	// What cannot be found out is said, and is exit code 3 where nothing is known to rise.
	simulated(t, state, "cloudwatch:GetMetricData")
	out, code = runParley(t, "aws", "errors", "--journal", none, "--json", "--no-cloudtrail")
	validateWith(t, errorsSchema, out.Bytes())
	if code != exitUndecided || !strings.Contains(out.String(), "AccessDenied") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}
