package elbapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/elbv2"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/sigv4"
	"github.com/parley-tls/parley/elbapi/store"
)

const (
	one = "111122223333"
	two = "444455556666"
)

func serve(t testing.TB, o elbapi.Options) (*elbapi.Server, string) {
	t.Helper()
	s := store.New()
	for id, key := range map[string]string{one: "first", two: "second"} {
		if err := s.AddAccount(&store.Account{ID: id, Keys: []sigv4.Key{{ID: key, Secret: key}}}); err != nil {
			t.Fatal(err)
		}
	}
	server := elbapi.New(s, o, elbv2.API())
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	return server, h.URL
}

func client(url, key, region string, attempts int) *elb.Client {
	return elb.New(elb.Options{Region: region, BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider(key, key, ""), RetryMaxAttempts: attempts,
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = attempts, 10*time.Millisecond
		})})
}

func codeOf(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

func create(c *elb.Client, name string) error {
	_, err := c.CreateLoadBalancer(context.Background(), &elb.CreateLoadBalancerInput{Name: &name, Subnets: []string{"subnet-1", "subnet-2"}})
	return err
}

func count(t testing.TB, c *elb.Client) int {
	t.Helper()
	out, err := c.DescribeLoadBalancers(context.Background(), &elb.DescribeLoadBalancersInput{})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.LoadBalancers)
}

// Accounts and regions have nothing to do with each other.
func TestAccountsAndRegions(t *testing.T) {
	_, url := serve(t, elbapi.Options{})
	if err := create(client(url, "first", "eu-west-1", 1), "shop"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key, region string
		want        int
	}{{"first", "eu-west-1", 1}, {"first", "us-east-1", 0}, {"second", "eu-west-1", 0}} {
		if n := count(t, client(url, c.key, c.region, 1)); n != c.want {
			t.Errorf("%s in %s has %d load balancers, want %d", c.key, c.region, n, c.want)
		}
	}
}

func TestFaults(t *testing.T) {
	server, url := serve(t, elbapi.Options{})
	c := client(url, "first", "eu-west-1", 1)
	describe := func() string {
		_, err := c.DescribeLoadBalancers(context.Background(), &elb.DescribeLoadBalancersInput{})
		return codeOf(err)
	}
	// Twice throttled, after one call that passes.
	server.Inject(elbapi.Fault{Action: "DescribeLoadBalancers", Skip: 1, Times: 2, Error: elbapi.Throttling()})
	for i, want := range []string{"<nil>", "Throttling", "Throttling", "<nil>"} {
		if got := describe(); got != want {
			t.Errorf("call %d: %s, want %s", i, got, want)
		}
	}
	// An SDK that tries again gets through.
	server.Inject(elbapi.Fault{Region: "eu-west-1", Times: 2, Error: elbapi.Throttling()})
	if _, err := client(url, "first", "eu-west-1", 3).DescribeLoadBalancers(context.Background(), &elb.DescribeLoadBalancersInput{}); err != nil {
		t.Error(err)
	}
	// Access denied in one region, for one action, until it is taken away.
	remove := server.Inject(elbapi.Fault{Region: "us-east-1", Action: "DescribeLoadBalancers", Denied: true})
	_, err := client(url, "first", "us-east-1", 1).DescribeLoadBalancers(context.Background(), &elb.DescribeLoadBalancersInput{})
	want := "api error AccessDenied: User: arn:aws:iam::111122223333:root is not authorized to perform: elasticloadbalancing:DescribeLoadBalancers because no identity-based policy allows the elasticloadbalancing:DescribeLoadBalancers action"
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v", err)
	}
	if got := describe(); got != "<nil>" {
		t.Errorf("in the other region: %s", got)
	}
	remove()
	if _, err := client(url, "first", "us-east-1", 1).DescribeLoadBalancers(context.Background(), &elb.DescribeLoadBalancersInput{}); err != nil {
		t.Error(err)
	}
	// The change was made, though the answer is an error.
	server.Inject(elbapi.Fault{Action: "CreateLoadBalancer", Times: 1, After: true, Error: &query.Error{Code: "ServiceUnavailable", Message: "down", Status: 503}})
	if got := codeOf(create(c, "shop")); got != "ServiceUnavailable" {
		t.Error(got)
	}
	if n := count(t, c); n != 1 {
		t.Errorf("%d load balancers", n)
	}
	if err := create(c, "shop"); err != nil { // the same again is no error
		t.Error(err)
	}
	// A delay, which a client that gives up does not wait for.
	server.Inject(elbapi.Fault{Delay: 10 * time.Second, Times: 1})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := c.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{}); err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

func TestLog(t *testing.T) {
	server, url := serve(t, elbapi.Options{})
	first, second := client(url, "first", "eu-west-1", 1), client(url, "second", "us-east-1", 1)
	for range 3 {
		count(t, first)
	}
	count(t, second)
	first.DescribeLoadBalancers(context.Background(), &elb.DescribeLoadBalancersInput{Names: []string{"nobody"}})
	client(url, "third", "eu-west-1", 1).DescribeLoadBalancers(context.Background(), &elb.DescribeLoadBalancersInput{})
	log := server.Log()
	for kind, want := range map[elbapi.Kind][2]int{
		{}: {6, 2}, {Action: "DescribeLoadBalancers"}: {5, 1}, {Region: "eu-west-1"}: {4, 1}, {Region: "us-east-1", Action: "DescribeLoadBalancers"}: {1, 0}, {Action: "CreateLoadBalancer"}: {0, 0},
	} {
		if got := [2]int{log.Calls(kind), log.Refused(kind)}; got != want {
			t.Errorf("%+v: %v calls and refusals, want %v", kind, got, want)
		}
	}
	entries := log.Entries()
	if e := entries[4]; len(entries) != 6 || e.Account != one || e.Region != "eu-west-1" || e.Action != "DescribeLoadBalancers" || e.Status != 400 || e.Code != "LoadBalancerNotFound" || e.ID == "" {
		t.Errorf("%d entries, %+v", len(entries), e)
	}
	if e := entries[5]; e.Account != "" || e.Code != "InvalidClientTokenId" || e.Status != 403 {
		t.Errorf("%+v", e)
	}
	if peak := log.Peak(elbapi.Kind{}); peak < 1 || peak > 6 {
		t.Errorf("peak %d", peak)
	}
	log.Reset()
	if log.Calls(elbapi.Kind{}) != 0 || len(log.Entries()) != 0 {
		t.Error("not forgotten")
	}
}

// TestRates takes the clock in hand: a full bucket, an empty one, and what comes back in a second.
func TestRates(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	server, _ := serve(t, elbapi.Options{Now: clock, Rates: elbapi.AWSRates()})
	call := func(key, region, action string) string {
		r := httptest.NewRequest("GET", "http://example.com/?Action="+action+"&Version=2015-12-01", nil)
		sign(t, r, key, region, clock())
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		_, after, _ := strings.Cut(w.Body.String(), "<Code>")
		c, _, _ := strings.Cut(after, "</Code>")
		return c
	}
	passed := func(key, region, action string) (n int) {
		for range 100 {
			if call(key, region, action) != "Throttling" {
				n++
			}
		}
		return n
	}
	if n := passed("first", "eu-west-1", "DescribeLoadBalancers"); n != 40 {
		t.Errorf("%d calls passed at once, want 40", n)
	}
	if n := passed("first", "eu-west-1", "DescribeListeners"); n != 0 {
		t.Errorf("%d calls of the same kind passed, want 0", n)
	}
	for _, c := range []struct {
		key, region, action string
		want                int
	}{{"first", "us-east-1", "DescribeTags", 40}, {"second", "eu-west-1", "DescribeTags", 40}, {"first", "eu-west-1", "RegisterTargets", 20}, {"first", "eu-west-1", "ModifyListener", 20}} {
		if n := passed(c.key, c.region, c.action); n != c.want {
			t.Errorf("%+v: %d calls passed", c, n)
		}
	}
	mu.Lock()
	now = now.Add(time.Second)
	mu.Unlock()
	if n := passed("first", "eu-west-1", "DescribeTargetGroups"); n != 10 {
		t.Errorf("%d calls passed a second later, want 10", n)
	}
	if peak := server.Log().Peak(elbapi.Kind{Region: "us-east-1"}); peak != 100 {
		t.Errorf("peak %d", peak)
	}
	server.SetRates(nil)
	if n := passed("first", "eu-west-1", "DescribeLoadBalancers"); n != 100 {
		t.Errorf("%d calls passed without limits", n)
	}
	for _, r := range elbapi.AWSRates() {
		if r.Burst < 1 || r.Refill <= 0 || len(r.Actions) == 0 || r.Version == "" || r.Confidence != "high" && r.Confidence != "medium" && r.Confidence != "low" {
			t.Errorf("rate %+v", r)
		}
	}
}

func sign(t testing.TB, r *http.Request, key, region string, at time.Time) {
	t.Helper()
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: key, SecretAccessKey: key}, r, empty, "elasticloadbalancing", region, at); err != nil {
		t.Fatal(err)
	}
}

func TestRouting(t *testing.T) {
	server, url := serve(t, elbapi.Options{})
	for _, c := range []struct {
		name, method, query, kind, service string
		status                             int
		want                               string
	}{
		{"good", "GET", "Action=DescribeLoadBalancers&Version=2015-12-01", "", "elasticloadbalancing", 200, "<DescribeLoadBalancersResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><DescribeLoadBalancersResult><LoadBalancers></LoadBalancers></DescribeLoadBalancersResult><ResponseMetadata><RequestId>"},
		{"by POST without a body", "POST", "Action=DescribeLoadBalancers&Version=2015-12-01", "application/x-www-form-urlencoded; charset=utf-8", "elasticloadbalancing", 200, "<LoadBalancers>"},
		{"JSON", "POST", "Action=DescribeLoadBalancers&Version=2015-12-01", "application/json", "elasticloadbalancing", 400, "<Code>MalformedInput</Code>"},
		{"PUT", "PUT", "Action=DescribeLoadBalancers&Version=2015-12-01", "", "elasticloadbalancing", 405, "<Code>InvalidAction</Code>"},
		{"no action", "GET", "Version=2015-12-01", "", "elasticloadbalancing", 400, "<Code>MissingAction</Code>"},
		{"no such action", "GET", "Action=Dance&Version=2015-12-01", "", "elasticloadbalancing", 400, "<Code>InvalidAction</Code><Message>Could not find operation Dance for version 2015-12-01</Message>"},
		{"no such version", "GET", "Action=DescribeLoadBalancers&Version=2012-06-01", "", "elasticloadbalancing", 400, "<Code>InvalidAction</Code>"},
		{"no version", "GET", "Action=DescribeLoadBalancers", "", "elasticloadbalancing", 400, "Could not find operation DescribeLoadBalancers for version NO_VERSION_SPECIFIED"},
		{"unknown parameter", "GET", "Action=DescribeLoadBalancers&Version=2015-12-01&Colour=red", "", "elasticloadbalancing", 400, "<Type>Sender</Type><Code>ValidationError</Code><Message>the parameter Colour is not known to this service</Message>"},
		{"another service", "GET", "Action=DescribeLoadBalancers&Version=2015-12-01", "", "ec2", 403, "<Code>SignatureDoesNotMatch</Code>"},
	} {
		r, err := http.NewRequest(c.method, url+"/?"+c.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: "first", SecretAccessKey: "first"}, r, empty, c.service, "eu-west-1", time.Now()); err != nil {
			t.Fatal(err)
		}
		status, body, header := send(t, r)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s, want %d with %s", c.name, status, body, c.status, c.want)
		}
		if id := header.Get("x-amzn-RequestId"); len(id) != 36 || !strings.Contains(body, "<RequestId>"+id+"</RequestId>") || header.Get("Content-Type") != "text/xml" {
			t.Errorf("%s: %v", c.name, header)
		}
	}
	// A body beyond the limit is not read.
	r, err := http.NewRequest("POST", url, io.LimitReader(zeros{}, 3<<20))
	if err != nil {
		t.Fatal(err)
	}
	if status, body, _ := send(t, r); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %d %s", status, body)
	}
	// Names that nobody knows are counted together.
	if n := server.Log().Calls(elbapi.Kind{Action: "Dance"}); n != 0 {
		t.Errorf("%d calls of an unknown action", n)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func send(t *testing.T, r *http.Request) (int, string, http.Header) {
	t.Helper()
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.StatusCode, string(body), w.Header
}

// Another service, with a protocol of its own, comes after the same checks.
func TestOthers(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := elbapi.CallOf(r)
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %q", c.Account, c.Region, c.Action, body)
	})
	server, url := serve(t, elbapi.Options{Others: map[string]http.Handler{"acm": handler}})
	call := func(key string) (int, string) {
		r, err := http.NewRequest("POST", url, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "CertificateManager.ListCertificates")
		const hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" // of {}
		if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: key, SecretAccessKey: key}, r, hash, "acm", "eu-west-1", time.Now()); err != nil {
			t.Fatal(err)
		}
		status, body, _ := send(t, r)
		return status, body
	}
	if status, body := call("first"); status != 200 || body != one+` eu-west-1 ListCertificates "{}"` {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := call("third"); status != 403 {
		t.Errorf("unknown key: %d", status)
	}
	server.Inject(elbapi.Fault{Service: "acm", Action: "ListCertificates", Denied: true})
	if status, body := call("first"); status != 403 || !strings.Contains(body, "is not authorized to perform: acm:ListCertificates") {
		t.Errorf("denied: %d %s", status, body)
	}
}

// TestAtOnce has many clients make, change and describe at once.
func TestAtOnce(t *testing.T) {
	server, url := serve(t, elbapi.Options{})
	if err := server.Store().Update(one, "eu-west-1", func(r *store.Region) error {
		r.Quotas = map[string]int{"application-load-balancers": 1000}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := client(url, "first", "eu-west-1", 3) // on a busy machine the SDK sometimes closes a connection while it reads a long answer
			for j := range 10 {
				name := fmt.Sprintf("lb-%d-%d", i, j)
				if err := create(c, name); err != nil {
					t.Error(err)
				}
				count(t, c)
			}
		}()
	}
	wg.Wait()
	if n := count(t, client(url, "first", "eu-west-1", 3)); n != 80 {
		t.Errorf("%d load balancers", n)
	}
}
