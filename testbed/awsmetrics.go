package testbed

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// Metrics stands in for CloudWatch and CloudTrail, of which moto has neither what the SDK speaks (Smithy RPC v2 CBOR) nor
// LookupEvents. Fill it before what asks.
type Metrics struct {
	From   time.Time            // of the first value of every series
	Series map[string][]float64 // 5-minute sums by "NAMESPACE NAME DIMENSION"
	Events []string             // records of CloudTrail, newest first, of the name that stands in them
	// PerPage is how many values, and events, an answer has at most.
	PerPage int

	mu       sync.Mutex
	Requests map[string]int // by operation
	Refusals map[string]int // how many requests of an operation are still refused with AccessDenied; -1 all
}

// Serve starts the server and points AWS's SDKs in this process at it for these two services. Call it after Moto or OnlyAWS.
func (m *Metrics) Serve(t *testing.T) {
	t.Helper()
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	t.Setenv("AWS_ENDPOINT_URL_CLOUDWATCH", s.URL)
	t.Setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", s.URL)
	m.Requests = map[string]int{}
	if m.PerPage == 0 {
		m.PerPage = 1000
	}
}

func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	operation := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		operation = target[strings.LastIndexByte(target, '.')+1:]
	}
	m.Requests[operation]++
	refused := m.Refusals[operation] != 0
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case operation == "LookupEvents":
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if refused {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"__type":"AccessDeniedException","Message":"not authorized to perform: cloudtrail:LookupEvents"}`)
			return
		}
		m.lookup(w, body)
	case operation == "GetMetricData":
		w.Header().Set("Content-Type", "application/cbor")
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		if refused {
			w.WriteHeader(http.StatusForbidden)
			w.Write(cbor.Encode(cbor.Map{"__type": cbor.String("com.amazonaws.cloudwatch#AccessDenied"), "message": cbor.String("not authorized to perform: cloudwatch:GetMetricData")}))
			return
		}
		m.metricData(w, body)
	default:
		http.Error(w, "no such operation here: "+operation, http.StatusNotFound)
	}
}

// lookup answers LookupEvents (AWS JSON 1.1).
func (m *Metrics) lookup(w http.ResponseWriter, body []byte) {
	var in struct {
		NextToken          string
		StartTime, EndTime float64
		LookupAttributes   []struct{ AttributeKey, AttributeValue string }
	}
	if err := json.Unmarshal(body, &in); err != nil || len(in.LookupAttributes) != 1 || in.LookupAttributes[0].AttributeKey != "EventName" {
		http.Error(w, `{"__type":"InvalidLookupAttributesException"}`, http.StatusBadRequest)
		return
	}
	var all []map[string]any
	for _, record := range m.Events {
		var e struct {
			EventName, EventID string
			EventTime          time.Time
		}
		if err := json.Unmarshal([]byte(record), &e); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if at := float64(e.EventTime.Unix()); e.EventName == in.LookupAttributes[0].AttributeValue && at >= in.StartTime && at <= in.EndTime {
			all = append(all, map[string]any{"EventId": e.EventID, "EventName": e.EventName, "EventTime": at, "CloudTrailEvent": record})
		}
	}
	from := 0
	fmt.Sscan(in.NextToken, &from)
	answer := map[string]any{"Events": all[min(from, len(all)):min(from+m.PerPage, len(all))]}
	if from+m.PerPage < len(all) {
		answer["NextToken"] = fmt.Sprint(from + m.PerPage)
	}
	json.NewEncoder(w).Encode(answer)
}

// metricData answers GetMetricData, in pages of PerPage values of each series.
func (m *Metrics) metricData(w http.ResponseWriter, body []byte) {
	fail := func(text string) {
		w.WriteHeader(http.StatusBadRequest)
		w.Write(cbor.Encode(cbor.Map{"__type": cbor.String("com.amazonaws.cloudwatch#InvalidParameterValueException"), "message": cbor.String(text)}))
	}
	v, err := cbor.Decode(body)
	in, ok := v.(cbor.Map)
	if err != nil || !ok {
		fail("no CBOR")
		return
	}
	start, err1 := cbor.AsTime(in["StartTime"])
	end, err2 := cbor.AsTime(in["EndTime"])
	queries, _ := in["MetricDataQueries"].(cbor.List)
	if err1 != nil || err2 != nil || len(queries) == 0 || len(queries) > 500 {
		fail(fmt.Sprintf("%d queries: the most is 500", len(queries)))
		return
	}
	from := 0
	if s, ok := in["NextToken"].(cbor.String); ok {
		fmt.Sscan(string(s), &from)
	}
	more := false
	var results cbor.List
	for _, q := range queries {
		query := q.(cbor.Map)
		stat, _ := query["MetricStat"].(cbor.Map)
		metric, _ := stat["Metric"].(cbor.Map)
		dimensions, _ := metric["Dimensions"].(cbor.List)
		if period, err := cbor.AsInt32(stat["Period"]); err != nil || period != 300 || stat["Stat"] != cbor.String("Sum") || len(dimensions) != 1 {
			fail("want the sum of 300 seconds by one dimension")
			return
		}
		d := dimensions[0].(cbor.Map)
		values := m.Series[fmt.Sprintf("%s %s %s", metric["Namespace"], metric["MetricName"], d["Value"])]
		times, sums := cbor.List{}, cbor.List{}
		for i := from; i < len(values); i++ {
			at := m.From.Add(time.Duration(i) * 5 * time.Minute)
			if i == from+m.PerPage {
				more = true
				break
			}
			if values[i] != 0 && !at.Before(start) && at.Before(end) { // a period without a value has no point
				times = append(times, &cbor.Tag{ID: 1, Value: cbor.Float64(at.Unix())})
				sums = append(sums, cbor.Float64(values[i]))
			}
		}
		results = append(results, cbor.Map{"Id": query["Id"], "Label": metric["MetricName"], "Timestamps": times, "Values": sums, "StatusCode": cbor.String("Complete")})
	}
	answer := cbor.Map{"MetricDataResults": results, "Messages": cbor.List{}}
	if more {
		answer["NextToken"] = cbor.String(fmt.Sprint(from + m.PerPage))
	}
	w.Write(cbor.Encode(answer))
}
