package metric

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
)

// LoadBalancer is what CloudWatch tells of the handshakes with one load balancer. The metric does not tell its listeners apart.
type LoadBalancer struct {
	elb.Place
	Kind      elb.Kind `json:"type"`
	Name      string   `json:"load_balancer"`
	ARN       string   `json:"load_balancer_arn,omitempty"`
	Ports     []int    `json:"ports"`       // of its TLS listeners
	Errors    float64  `json:"errors"`      // failed handshakes, in all
	Conns     float64  `json:"connections"` // new connections, in all; 0 where that is not known
	Rise      Rise     `json:"rise"`
	Changes   []Change `json:"changes"`         // of its listeners, in the same time, oldest first
	Cause     *Change  `json:"cause,omitempty"` // the change at the beginning of the rise
	Note      string   `json:"note,omitempty"`  // why there is no metric
	Points    []Point  `json:"-"`
	dimension string
}

// Options direct Ask.
type Options struct {
	Since   time.Duration // how far to look back, at most MaxSince
	Now     time.Time
	Journal []Change // that Parley made, of FromJournal
	Trail   When     // whether CloudTrail is asked too
}

// When says when CloudTrail is asked, which takes two questions a second with 50 events each.
// Source: LookupEvents, AWS CloudTrail API reference.
type When int

// The zero value leaves CloudTrail alone.
const (
	Never  When = iota
	OnRise      // where errors rose, to know what began it
	Always
)

// MaxSince is how far Ask looks back.
const MaxSince = maxPoints * Step

// Problem is something that AWS did not tell.
type Problem struct {
	elb.Place
	Missing string
	Err     error // one line
}

func (p Problem) Error() string { return p.Region + ": " + p.Missing + ": " + p.Err.Error() }

// metrics are the names of the metric of failed handshakes, and of that of new connections, by kind.
// Source: "CloudWatch metrics for your Application Load Balancer" and "… Network Load Balancer".
var metrics = map[elb.Kind]struct{ namespace, errors, connections string }{
	elb.ALB: {"AWS/ApplicationELB", "ClientTLSNegotiationErrorCount", "NewConnectionCount"},
	elb.NLB: {"AWS/NetworkELB", "ClientTLSNegotiationErrorCount", "NewFlowCount_TLS"},
}

// ClassicNote says why Classic Load Balancers have no figures.
const ClassicNote = "CloudWatch has no metric of failed handshakes for Classic Load Balancers: the access log shows them, with - for cipher and protocol (parley logs reads it)"

// Ask asks CloudWatch for the load balancers of the listeners, and says of each whether and when errors began to rise, and which change
// stands at the beginning. What AWS does not tell is a Problem and no error.
func Ask(ctx context.Context, sessions []*account.Session, listeners []elb.Listener, o Options) ([]LoadBalancer, []Problem) {
	all := balancers(listeners)
	problems := make([][]Problem, len(sessions))
	var wg sync.WaitGroup
	taken := map[*LoadBalancer]bool{} // by a session that gets there the same way as a former one
	for i, s := range sessions {
		var own []*LoadBalancer
		for j := range all {
			if b := &all[j]; b.Profile == s.Profile && b.Role == s.Role && b.Region == s.Region && b.Note == "" && !taken[b] {
				own, taken[b] = append(own, b), true
			}
		}
		if len(own) > 0 {
			wg.Go(func() { problems[i] = ask(ctx, s, own, o) })
		}
	}
	wg.Wait()
	return all, slices.Concat(problems...)
}

// ask fills in the load balancers of one account and region.
func ask(ctx context.Context, s *account.Session, own []*LoadBalancer, o Options) (problems []Problem) {
	if err := series(ctx, s, own, o); err != nil {
		for _, b := range own {
			b.Rise.Outcome = NoTests
		}
		return []Problem{{s.Place, "metrics", account.Explain(err)}}
	}
	risen := false
	for _, b := range own {
		b.judge()
		risen = risen || b.Rise.Outcome == Risen
	}
	var trail []Change
	if o.Trail == Always || o.Trail == OnRise && risen {
		var err error
		if trail, err = Trail(ctx, s, o.Now.Add(-o.Since), o.Now); err != nil {
			problems = append(problems, Problem{s.Place, "changes in CloudTrail", account.Explain(err)})
		}
	}
	for _, b := range own {
		b.attribute(slices.Concat(o.Journal, trail), o)
	}
	return problems
}

// judge sums up the points and looks for a rise.
func (b *LoadBalancer) judge() {
	for _, p := range b.Points {
		b.Errors += p.Errors
		b.Conns += p.Connections
	}
	b.Rise = FindRise(b.Points)
}

// attribute keeps the changes of the load balancer, and looks for the one at the beginning of the rise.
func (b *LoadBalancer) attribute(changes []Change, o Options) {
	b.Changes = []Change{}
	for _, c := range order(slices.DeleteFunc(slices.Clone(changes), func(c Change) bool { return !c.Of(b.ARN) })) {
		if !c.Time.Before(o.Now.Add(-o.Since)) {
			b.Changes = append(b.Changes, c)
		}
	}
	b.Cause = cause(&b.Rise, b.Changes)
}

// balancers are the load balancers of listeners with TLS, in their order.
func balancers(listeners []elb.Listener) []LoadBalancer {
	var l []LoadBalancer
	for i := range listeners {
		x := &listeners[i]
		if !x.TLS() {
			continue
		}
		at := slices.IndexFunc(l, func(b LoadBalancer) bool {
			return b.Kind == x.Kind && b.Place == x.Place && b.Name == x.LoadBalancer && b.ARN == x.LoadBalancerARN
		})
		if at < 0 {
			at = len(l)
			b := LoadBalancer{Place: x.Place, Kind: x.Kind, Name: x.LoadBalancer, ARN: x.LoadBalancerARN, Changes: []Change{}}
			_, b.dimension, _ = strings.Cut(x.LoadBalancerARN, ":loadbalancer/")
			if _, has := metrics[x.Kind]; !has || b.dimension == "" {
				b.Note, b.Rise.Outcome = ClassicNote, NoTests
			}
			l = append(l, b)
		}
		l[at].Ports = append(l[at].Ports, x.Port)
	}
	return l
}

// queriesAtOnce is how many queries a call of GetMetricData may have.
// Source: GetMetricData, Amazon CloudWatch API reference.
const queriesAtOnce = 500

// maxAnswers bounds the pages of one call.
const maxAnswers = 1000

// series fetches the points of load balancers: two metrics each, as many in one call as the API takes.
func series(ctx context.Context, s *account.Session, all []*LoadBalancer, o Options) error {
	end := o.Now.Truncate(Step).Add(Step)
	start := o.Now.Add(-o.Since).Truncate(Step)
	n := int(end.Sub(start) / Step)
	client := s.CloudWatch()
	for batch := range slices.Chunk(all, queriesAtOnce/2) {
		var queries []types.MetricDataQuery
		for i, b := range batch {
			b.Points = make([]Point, n)
			for j := range b.Points {
				b.Points[j].Time = start.Add(time.Duration(j) * Step)
			}
			m := metrics[b.Kind]
			queries = append(queries, query(fmt.Sprintf("e%d", i), m.namespace, m.errors, b.dimension), query(fmt.Sprintf("c%d", i), m.namespace, m.connections, b.dimension))
		}
		in := &cloudwatch.GetMetricDataInput{StartTime: &start, EndTime: &end, MetricDataQueries: queries, ScanBy: types.ScanByTimestampAscending}
		for page := 0; ; page++ {
			out, err := client.GetMetricData(ctx, in)
			if err != nil {
				return err
			}
			for _, r := range out.MetricDataResults {
				fill(batch, &r, start)
			}
			if aws.ToString(out.NextToken) == "" {
				break
			}
			if page == maxAnswers {
				return fmt.Errorf("more than %d pages of metrics", maxAnswers)
			}
			in.NextToken = out.NextToken
		}
	}
	// What falls into the future is not yet counted.
	for _, b := range all {
		b.Points = slices.DeleteFunc(b.Points, func(p Point) bool { return !p.Time.Before(o.Now) })
	}
	return nil
}

func query(id, namespace, name, dimension string) types.MetricDataQuery {
	return types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{Period: aws.Int32(int32(Step / time.Second)), Stat: aws.String("Sum"),
		Metric: &types.Metric{Namespace: &namespace, MetricName: &name, Dimensions: []types.Dimension{{Name: aws.String("LoadBalancer"), Value: &dimension}}}}}
}

// fill puts the values of an answer into the points that they belong to.
func fill(batch []*LoadBalancer, r *types.MetricDataResult, start time.Time) {
	var kind rune
	var i int
	if _, err := fmt.Sscanf(aws.ToString(r.Id), "%c%d", &kind, &i); err != nil || i < 0 || i >= len(batch) {
		return
	}
	for j, at := range r.Timestamps {
		k := int(at.Sub(start) / Step)
		if j >= len(r.Values) || at.Before(start) || k >= len(batch[i].Points) || !(r.Values[j] >= 0) {
			continue
		}
		if p := &batch[i].Points[k]; kind == 'e' {
			p.Errors += r.Values[j]
		} else {
			p.Connections += r.Values[j]
		}
	}
}
