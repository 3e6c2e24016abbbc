package metric

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/aws/change"
	"github.com/parley-tls/parley/aws/elb"
)

// Source says where a change is known from.
type Source string

// Sources.
const (
	Journal    Source = "journal"    // Parley's own
	CloudTrail Source = "cloudtrail" // AWS's
)

// Change is a change of a listener, by whomever.
type Change struct {
	Time   time.Time `json:"time"`
	Source Source    `json:"source"`
	Call   string    `json:"call"`               // ModifyListener …; "parley aws set-policy" and the like for the journal
	Who    string    `json:"who,omitempty"`      // ARN of the identity; of the journal not known
	ID     string    `json:"id,omitempty"`       // of the change in the journal, or of the event
	Target string    `json:"listener,omitempty"` // ARN, or NAME:PORT
	Port   int       `json:"port,omitempty"`     // 0 where the source tells only an ARN
	From   string    `json:"from,omitempty"`     // policy before; "" where it is not known
	To     string    `json:"to,omitempty"`       // policy after; "" where it was not touched
	Other  string    `json:"other,omitempty"`    // what else it changed that handshakes depend on: "certificates"

	listenerARN, loadBalancerARN string
}

// Before and after which a change is taken for the beginning of a rise: clients need some time to meet it, and the first errors
// fall into a period that has begun already.
const (
	changeBefore = 20 * time.Minute
	changeAfter  = Step
)

// FromJournal are the changes of policies that Parley made, out of its journal.
func FromJournal(history []change.Change) []Change {
	var l []Change
	for i := range history {
		h := &history[i]
		if h.Plan == nil || h.Status == change.NotApplied {
			continue
		}
		l = append(l, Change{Time: h.Begun, Source: Journal, Call: "parley", ID: h.ID, Target: h.Plan.Listener.String(), Port: h.Plan.Listener.Port, From: h.Plan.Had.Policy,
			To: h.Plan.Set.Policy, listenerARN: h.Plan.Listener.ARN, loadBalancerARN: h.Plan.Listener.LoadBalancerARN})
	}
	return l
}

// event is what matters of a CloudTrail record.
// Source: "CloudTrail record contents"; "Log API calls for Elastic Load Balancing using AWS CloudTrail".
type event struct {
	EventID      string `json:"eventID"`
	EventName    string `json:"eventName"`
	EventSource  string `json:"eventSource"`
	EventTime    time.Time
	ErrorCode    string `json:"errorCode"`
	UserIdentity struct {
		ARN         string `json:"arn"`
		UserName    string `json:"userName"`
		InvokedBy   string `json:"invokedBy"`
		PrincipalID string `json:"principalId"`
	} `json:"userIdentity"`
	RequestParameters struct {
		ListenerARN     string            `json:"listenerArn"`
		LoadBalancerARN string            `json:"loadBalancerArn"`
		SSLPolicy       string            `json:"sslPolicy"`
		Certificates    []json.RawMessage `json:"certificates"`
		Mutual          json.RawMessage   `json:"mutualAuthentication"`
		LoadBalancer    string            `json:"loadBalancerName"`
		Port            json.Number       `json:"loadBalancerPort"`
		PolicyNames     []string          `json:"policyNames"`
	} `json:"requestParameters"`
	ResponseElements struct {
		Listeners []struct {
			ListenerARN     string `json:"listenerArn"`
			LoadBalancerARN string `json:"loadBalancerArn"`
			Port            int    `json:"port"`
			SSLPolicy       string `json:"sslPolicy"`
		} `json:"listeners"`
	} `json:"responseElements"`
}

// maxEvent bounds a record; CloudTrail's own bound is 256 KB.
const maxEvent = 1 << 20

// ParseEvent reads a record of CloudTrail. It is nil where the call failed, or changed nothing that handshakes depend on.
func ParseEvent(record string) (*Change, error) {
	if len(record) > maxEvent {
		return nil, fmt.Errorf("a record of more than %d MB", maxEvent>>20)
	}
	var e event
	if err := json.Unmarshal([]byte(record), &e); err != nil {
		return nil, fmt.Errorf("a record that is not CloudTrail's JSON: %w", err)
	}
	if e.ErrorCode != "" || e.EventSource != "elasticloadbalancing.amazonaws.com" {
		return nil, nil
	}
	c := &Change{Time: e.EventTime, Source: CloudTrail, Call: e.EventName, ID: e.EventID, Who: cmp.Or(e.UserIdentity.ARN, e.UserIdentity.UserName, e.UserIdentity.InvokedBy, e.UserIdentity.PrincipalID)}
	r := &e.RequestParameters
	c.listenerARN, c.loadBalancerARN, c.Target, c.To = r.ListenerARN, r.LoadBalancerARN, r.ListenerARN, r.SSLPolicy
	for _, l := range e.ResponseElements.Listeners {
		c.listenerARN, c.loadBalancerARN = cmp.Or(c.listenerARN, l.ListenerARN), cmp.Or(c.loadBalancerARN, l.LoadBalancerARN)
		c.Port, c.Target = l.Port, cmp.Or(c.Target, l.ListenerARN)
		if e.EventName == "CreateListener" {
			c.To = cmp.Or(c.To, l.SSLPolicy)
		}
	}
	if r.LoadBalancer != "" { // Classic
		c.Target = r.LoadBalancer + ":" + r.Port.String()
		c.To = strings.Join(r.PolicyNames, ", ")
	}
	if len(r.Certificates) > 0 {
		c.Other = "certificates"
	}
	if len(r.Mutual) > 0 && string(r.Mutual) != "null" {
		c.Other = strings.TrimPrefix(c.Other+", mutual TLS", ", ")
	}
	if c.To == "" && c.Other == "" || c.Time.IsZero() {
		return nil, nil
	}
	return c, nil
}

// Of reports whether the change is of a listener of that load balancer.
func (c *Change) Of(loadBalancerARN string) bool {
	if c.loadBalancerARN != "" {
		return c.loadBalancerARN == loadBalancerARN
	}
	n, err := elb.ParseName(c.listenerARN)
	return err == nil && n.LoadBalancerARN == loadBalancerARN
}

// order puts the changes of a load balancer by time, fills in what each changed from, and drops what the journal and CloudTrail both have: the
// journal's is the intent, CloudTrail's the call.
func order(all []Change) []Change {
	l := slices.Clone(all)
	slices.SortStableFunc(l, func(a, b Change) int { return a.Time.Compare(b.Time) })
	var out []Change
	last := map[string]string{}
	for _, c := range l {
		key := cmp.Or(c.listenerARN, c.Target)
		i := slices.IndexFunc(out, func(o Change) bool {
			return o.Source != c.Source && cmp.Or(o.listenerARN, o.Target) == key && o.To == c.To && c.Time.Sub(o.Time) < 5*time.Minute
		})
		if i >= 0 {
			o := &out[i]
			o.Who, o.From = cmp.Or(o.Who, c.Who), cmp.Or(o.From, c.From)
			continue
		}
		if c.To != "" {
			c.From = cmp.Or(c.From, last[key])
			last[key] = c.To
		}
		out = append(out, c)
	}
	return out
}

// cause is the change that stands at the beginning of a rise: the last one from a little before it to the end of its first
// period; nil where there is none. One that sets what was set before is none.
func cause(r *Rise, changes []Change) *Change {
	if r.Outcome != Risen {
		return nil
	}
	for i := len(changes) - 1; i >= 0; i-- {
		c := &changes[i]
		if c.Time.Before(r.From.Add(-changeBefore)) || c.Time.After(r.From.Add(changeAfter)) {
			continue
		}
		if c.Other == "" && c.From == c.To {
			continue
		}
		return c
	}
	return nil
}
