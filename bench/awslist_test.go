package bench

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/store"
	"github.com/parley-tls/parley/simulate"
)

const (
	awsListeners   = 2000
	maxAWSListTime = 10 * time.Second
	// What AWS answers: a bucket of so many Describe calls for each account, region and version of the API, and so many a second.
	awsBurst, awsRefill = 40, 10
)

var awsListTable = Table{
	Title: "`parley aws list`",
	Intro: fmt.Sprintf("The whole program over %d ALBs with a TLS listener each, spread over the 17 regions that every account has, with a certificate in each\n"+
		"region, against `simulate`, which enforces AWS's published rates: %d Describe calls of load balancing at once for each account and region, and %d a second.\n"+
		"The listeners of each load balancer take a call of their own, so that no program can list 118 load balancers of a region in less than\n"+
		"8 seconds. Bounds: %s, and no call refused for its rate.", awsListeners, awsBurst, awsRefill, maxAWSListTime),
	Head: []string{"time that an answer takes", "listeners", "calls", "pages", "wall time", "calls refused for their rate", "within the bounds"},
}

// awsState is an account with so many load balancers.
func awsState(b *testing.B, n int) simulate.State {
	b.Helper()
	data, err := os.ReadFile("../simulate/regions.txt")
	if err != nil {
		b.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			names = append(names, line)
		}
	}
	a := simulate.Account{ID: "111122223333", Users: []simulate.User{{Name: "reader", Key: "testing", Secret: "testing"}}, Regions: map[string]*simulate.Region{}}
	for i := range n {
		name := names[i%len(names)]
		arn := "arn:aws:acm:" + name + ":111122223333:certificate/11111111-2222-3333-4444-555555555555"
		r := a.Regions[name]
		if r == nil {
			r = &simulate.Region{Certificates: []simulate.Object{{"CertificateArn": arn, "DomainName": "shop.example.com", "Status": "ISSUED", "Type": "AMAZON_ISSUED",
				"KeyAlgorithm": "EC_prime256v1", "NotBefore": "2026-01-01T00:00:00Z", "NotAfter": "2027-02-01T00:00:00Z"}}}
			a.Regions[name] = r
		}
		r.LoadBalancers = append(r.LoadBalancers, &store.LoadBalancer{Name: fmt.Sprintf("shop-%d", i), Type: store.Application,
			Listeners: []*store.Listener{{Port: 443, Protocol: "HTTPS", SSLPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06", Certificates: []string{arn}}}})
	}
	return simulate.State{Accounts: []simulate.Account{a}}
}

// BenchmarkAWSList lists the account once for each time that an answer takes.
func BenchmarkAWSList(b *testing.B) {
	program := parley(b)
	for _, delay := range []time.Duration{0, 100 * time.Millisecond} {
		b.Run(delay.String(), func(b *testing.B) {
			cloud, err := simulate.New(awsState(b, awsListeners))
			if err != nil {
				b.Fatal(err)
			}
			server := httptest.NewServer(cloud)
			defer server.Close()
			balancing := cloud.LoadBalancing()
			if delay > 0 {
				balancing.Inject(elbapi.Fault{Delay: delay})
			}
			for b.Loop() {
				balancing.SetRates([]elbapi.Rate{{Name: "describe", Service: "elasticloadbalancing", Actions: []string{"Describe*"}, Burst: awsBurst, Refill: awsRefill}})
				before := throttled(balancing)
				cmd := exec.Command(program, "aws", "list", "--all-regions", "--json")
				cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+server.URL, "AWS_ACCESS_KEY_ID=testing", "AWS_SECRET_ACCESS_KEY=testing", "AWS_REGION=eu-west-1",
					"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true")
				cmd.Stderr = os.Stderr
				start := time.Now()
				out, err := cmd.Output()
				took := time.Since(start)
				if err != nil {
					b.Fatal(err)
				}
				var doc struct {
					Listeners       []struct{ Weakest any }
					Requests, Pages int
				}
				if err := json.Unmarshal(out, &doc); err != nil {
					b.Fatal(err)
				}
				refused := throttled(balancing) - before
				if len(doc.Listeners) != awsListeners {
					b.Fatalf("%d listeners", len(doc.Listeners))
				}
				good := took < maxAWSListTime && refused == 0
				awsListTable.Add(delay, len(doc.Listeners), doc.Requests, doc.Pages, fmt.Sprintf("%.1f s", took.Seconds()), refused, yes(good))
				b.ReportMetric(float64(doc.Requests), "calls")
				b.ReportMetric(float64(refused), "refused")
				if !good {
					b.Errorf("%v, %d calls refused for their rate", took, refused)
				}
			}
		})
	}
}

// throttled counts the calls that were refused for their rate.
func throttled(s *elbapi.Server) int {
	n := 0
	for _, e := range s.Log().Entries() {
		if e.Code == "Throttling" {
			n++
		}
	}
	return n
}
