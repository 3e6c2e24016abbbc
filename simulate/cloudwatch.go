package simulate

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

var cloudwatchActions = map[string]func(*Cloud, *call) (tree, error){
	"GetMetricData": (*Cloud).getMetricData,
	"ListMetrics":   (*Cloud).listMetrics,
	"PutMetricData": (*Cloud).putMetricData,
}

// cloudwatchWire is whichever of CloudWatch's three protocols a request speaks: CBOR is what AWS's newer clients send, the
// query protocol what older ones do.
func cloudwatchWire(r *http.Request) wire {
	switch {
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		return cborWire{}
	case r.Header.Get("X-Amz-Target") != "":
		return jsonWire{"1.0"}
	}
	return queryWire{"http://monitoring.amazonaws.com/doc/2010-08-01/"}
}

// metrics are the data points of a region, by metric.
type metrics map[string]*metric

type metric struct {
	namespace, name string
	dimensions      []tree // Name and Value, by name
	points          []point
}

// point is what one PutMetricData said of a time.
type point struct {
	at                      time.Time
	count, sum, least, most float64
}

// maxPoints bounds what a metric holds: 15 days of minutes. The oldest go first.
const maxPoints = 15 * 24 * 60

// find returns a metric, and makes it if told so.
func (m *metrics) find(namespace, name string, dimensions []tree, create bool) *metric {
	dimensions = slices.SortedFunc(slices.Values(dimensions), func(a, b tree) int { return cmp.Compare(a.text("Name"), b.text("Name")) })
	key := namespace + "\x00" + name
	for _, d := range dimensions {
		key += "\x00" + d.text("Name") + "\x00" + d.text("Value")
	}
	found := (*m)[key]
	if found == nil && create {
		if *m == nil {
			*m = metrics{}
		}
		found = &metric{namespace: namespace, name: name, dimensions: dimensions}
		(*m)[key] = found
	}
	return found
}

// add keeps a point, in the order of time.
func (m *metric) add(p point) {
	i, _ := slices.BinarySearchFunc(m.points, p, func(a, b point) int { return a.at.Compare(b.at) })
	m.points = slices.Insert(m.points, i, p)
	if over := len(m.points) - maxPoints; over > 0 {
		m.points = slices.Delete(m.points, 0, over)
	}
}

// invalid is CloudWatch's error for a wrong parameter.
func invalid(format string, args ...any) *fault {
	f := refuse("InvalidParameterValue", format, args...)
	f.shape = "InvalidParameterValueException"
	return f
}

// putMetricData takes in metrics. Namespaces that begin with "AWS/" are AWS's own and refused there; here they are how the
// metrics of load balancers come in.
func (c *Cloud) putMetricData(k *call) (tree, error) {
	namespace := k.in.text("Namespace")
	if namespace == "" {
		f := refuse("MissingParameter", "The parameter Namespace is required.")
		f.shape = "MissingRequiredParameterException"
		return nil, f
	}
	for i, d := range k.in.trees("MetricData") {
		if d.text("MetricName") == "" {
			return nil, invalid("The parameter MetricData.member.%d.MetricName is required.", i+1)
		}
		at, ok := d.when("Timestamp")
		if !ok {
			at = c.now()
		}
		m := k.region.metrics.find(namespace, d.text("MetricName"), d.trees("Dimensions"), true)
		points, err := pointsOf(d, at)
		if err != nil {
			return nil, err
		}
		for _, p := range points {
			m.add(p)
		}
	}
	c.changes++
	return tree{}, nil
}

// maxValue bounds a metric's values. Source: MetricDatum, CloudWatch API reference.
const maxValue = 0x1p360

// finite is a number of a datum.
func (t tree) finite(name string) (float64, error) {
	n, ok := t.number(name)
	if !ok || math.Abs(n) > maxValue {
		return 0, invalid("The value %s for parameter %s is no number from -2^360 to 2^360.", t.text(name), name)
	}
	return n, nil
}

// pointsOf are the points of one datum, which has a value, values with counts, or their statistics.
func pointsOf(d tree, at time.Time) ([]point, error) {
	if s := d.branch("StatisticValues"); s != nil {
		p := point{at: at}
		for name, to := range map[string]*float64{"SampleCount": &p.count, "Sum": &p.sum, "Minimum": &p.least, "Maximum": &p.most} {
			var err error
			if *to, err = s.finite(name); err != nil {
				return nil, err
			}
		}
		return []point{p}, nil
	}
	values := d.list("Values")
	if v, ok := d["Value"]; ok {
		values = append(values[:len(values):len(values)], v)
	}
	counts := d.list("Counts")
	var l []point
	for i, v := range values {
		n, err := tree{"Value": v}.finite("Value")
		if err != nil {
			return nil, err
		}
		count := 1.0
		if i < len(counts) {
			if count, err = (tree{"Counts": counts[i]}).finite("Counts"); err != nil {
				return nil, err
			}
		}
		l = append(l, point{at, count, n * count, n, n})
	}
	if len(l) == 0 {
		return nil, invalid("A metric needs a Value, Values or StatisticValues.")
	}
	return l, nil
}

// sorted are the metrics in the order of their names.
func (m metrics) sorted() []*metric {
	var l []*metric
	for _, x := range m {
		l = append(l, x)
	}
	slices.SortFunc(l, func(a, b *metric) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name), cmp.Compare(fmt.Sprint(a.dimensions), fmt.Sprint(b.dimensions)))
	})
	return l
}

func (c *Cloud) listMetrics(k *call) (tree, error) {
	var found []tree
	for _, m := range k.region.metrics.sorted() {
		if (k.in["Namespace"] == nil || k.in.text("Namespace") == m.namespace) && (k.in["MetricName"] == nil || k.in.text("MetricName") == m.name) &&
			m.has(k.in.trees("Dimensions")) {
			found = append(found, m.describe())
		}
	}
	part, next, ok := page(found, k.in.text("NextToken"), 500)
	if !ok {
		return nil, invalid("The NextToken is invalid.")
	}
	out := tree{"Metrics": list(part)}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}

func (m *metric) describe() tree {
	return tree{"Namespace": m.namespace, "MetricName": m.name, "Dimensions": list(m.dimensions)}
}

// has reports whether a metric has all these dimensions; one without a value takes any.
func (m *metric) has(wanted []tree) bool {
	for _, w := range wanted {
		if !slices.ContainsFunc(m.dimensions, func(d tree) bool {
			return d.text("Name") == w.text("Name") && (w["Value"] == nil || d.text("Value") == w.text("Value"))
		}) {
			return false
		}
	}
	return true
}

var queryID = regexp.MustCompile(`^[a-z][A-Za-z0-9_]*$`)

const maxQueryID = 255 // bytes

// maxQueries is the most that one GetMetricData may ask. Source: CloudWatch service quotas.
const maxQueries = 500

func (c *Cloud) getMetricData(k *call) (tree, error) {
	from, ok1 := k.in.when("StartTime")
	to, ok2 := k.in.when("EndTime")
	queries := k.in.trees("MetricDataQueries")
	problem := func(format string, args ...any) (tree, error) {
		return nil, refuse("ValidationError", format, args...)
	}
	switch {
	case !ok1 || !ok2:
		return problem("The parameters StartTime and EndTime are required.")
	case !from.Before(to):
		return problem("The parameter StartTime must be less than the parameter EndTime.")
	case len(queries) == 0:
		return problem("The parameter MetricDataQueries is required.")
	case len(queries) > maxQueries:
		return problem("The collection MetricDataQueries must not have a size greater than %d.", maxQueries)
	case k.in.text("NextToken") != "":
		return nil, refuse("InvalidNextToken", "The token is invalid: every answer here is whole.")
	}
	var results []any
	seen := map[string]bool{}
	for _, q := range queries {
		id, stat := q.text("Id"), q.branch("MetricStat")
		period, _ := stat.number("Period")
		switch {
		case len(id) > maxQueryID || !queryID.MatchString(id):
			return problem("The value %s for parameter MetricDataQueries.member.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.", id)
		case seen[id]:
			return problem("The values for parameter id in MetricDataQueries must be unique. Duplicate: %s", id)
		case stat == nil:
			return problem("The simulation computes no expression (%s): ask for a MetricStat.", q.text("Expression"))
		case period < 60 || int(period)%60 != 0:
			return problem("The parameter MetricDataQueries.member.MetricStat.Period must be a multiple of 60.")
		}
		seen[id] = true
		if q["ReturnData"] != nil && !q.truth("ReturnData") {
			continue
		}
		r, err := k.region.metrics.answer(q, stat, from, to, time.Duration(period)*time.Second, k.in.text("ScanBy") == "TimestampAscending")
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return tree{"MetricDataResults": results, "Messages": []any{}}, nil
}

// answer puts the points of one query together by period.
func (m metrics) answer(q, stat tree, from, to time.Time, period time.Duration, ascending bool) (tree, error) {
	wanted := stat.branch("Metric")
	label := q.text("Label")
	if label == "" {
		label = wanted.text("MetricName")
	}
	var sums []point
	if found := m.find(wanted.text("Namespace"), wanted.text("MetricName"), wanted.trees("Dimensions"), false); found != nil {
		start := from.Truncate(period)
		for _, p := range found.points {
			if p.at.Before(start) || !p.at.Before(to) {
				continue
			}
			p.at = p.at.Truncate(period)
			if n := len(sums); n > 0 && sums[n-1].at.Equal(p.at) {
				sums[n-1] = point{p.at, sums[n-1].count + p.count, sums[n-1].sum + p.sum, min(sums[n-1].least, p.least), max(sums[n-1].most, p.most)}
			} else {
				sums = append(sums, p)
			}
		}
	}
	if !ascending {
		slices.Reverse(sums)
	}
	times, values := []any{}, []any{}
	for _, p := range sums {
		v, err := p.statistic(stat.text("Stat"))
		if err != nil {
			return nil, err
		}
		times, values = append(times, p.at), append(values, v)
	}
	return tree{"Id": q.text("Id"), "Label": label, "Timestamps": times, "Values": values, "StatusCode": "Complete"}, nil
}

func (p point) statistic(name string) (float64, error) {
	switch name {
	case "Sum":
		return p.sum, nil
	case "SampleCount":
		return p.count, nil
	case "Minimum":
		return p.least, nil
	case "Maximum":
		return p.most, nil
	case "Average":
		return p.sum / max(p.count, 1), nil
	}
	return 0, refuse("ValidationError", "The simulation has the statistics %s, not %q.", strings.Join([]string{"Sum", "SampleCount", "Minimum", "Maximum", "Average"}, ", "), name)
}
