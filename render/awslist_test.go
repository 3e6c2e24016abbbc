package render

import (
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
)

// TestAWSListText holds the whole text: groups, ends of certificates, policies of one's own once for all who have them, and what was not told,
// once for the regions where it reads the same.
func TestAWSListText(t *testing.T) {
	now := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	own, err := policy.ClassicCustom("own", []policy.AttributeValue{{AttributeName: "Protocol-TLSv1.2", AttributeValue: "true"}, {AttributeName: "AES128-SHA", AttributeValue: "true"}})
	if err != nil {
		t.Fatal(err)
	}
	in := func(account, region string) elb.Place { return elb.Place{Account: account, Region: region} }
	certificate := func(key string, end time.Time, status string) elb.Certificate {
		return elb.Certificate{ARN: "a", Default: true, Key: key, NotAfter: end, Status: status}
	}
	l := &AWSList{Time: now, LoadBalancers: 5, Regions: 4, Requests: 12, Pages: 9, Problems: []AWSProblem{
		{in("", "eu-north-1"), "Classic Load Balancers", "DescribeLoadBalancers: AccessDenied: not on arn:aws:elasticloadbalancing:eu-north-1:*"},
		{in("", "eu-west-1"), "certificates in ACM", "ListCertificates: no answer in time"},
		{in("", "eu-south-1"), "Classic Load Balancers", "DescribeLoadBalancers: AccessDenied: not on arn:aws:elasticloadbalancing:eu-south-1:*"},
	}}
	for _, x := range []elb.Listener{
		{Place: in("111122223333", "eu-west-1"), Kind: elb.NLB, LoadBalancer: "edge", DNSName: "edge-1.elb.eu-west-1.amazonaws.com", Scheme: "internal", State: "provisioning", Port: 443, Protocol: "TLS",
			Policy: "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", Accepts: policy.ByName("TLS13-1-2-Res-PQ-2025-09"), ALPN: "HTTP2Only", Certificates: []elb.Certificate{certificate("EC_prime256v1", now.AddDate(0, 0, 9), "ISSUED")}},
		{Place: in("111122223333", "eu-west-1"), Kind: elb.NLB, LoadBalancer: "edge", DNSName: "edge-1.elb.eu-west-1.amazonaws.com", Scheme: "internal", State: "provisioning", Port: 5432, Protocol: "TCP"},
		{Place: in("111122223333", "us-east-1"), Kind: elb.ALB, LoadBalancer: "shop", DNSName: "shop-1.us-east-1.elb.amazonaws.com", State: "active", Port: 443, Protocol: "HTTPS", MutualTLS: "verify",
			Policy: "ELBSecurityPolicy-2030-01", Certificates: []elb.Certificate{certificate("RSA_2048", now.AddDate(0, 0, -1), "EXPIRED"), certificate("EC_prime256v1", now.AddDate(1, 0, 0), "ISSUED")}},
		{Place: in("111122223333", "us-east-1"), Kind: elb.Classic, LoadBalancer: "old", DNSName: "old-1.us-east-1.elb.amazonaws.com", Port: 443, Protocol: "SSL", Policy: "own", Accepts: own, OtherPolicies: []string{"sticky"}},
		{Place: in("444455556666", "us-east-1"), Kind: elb.Classic, LoadBalancer: "=evil\x1b[31m", DNSName: "old-2.us-east-1.elb.amazonaws.com", Port: 443, Protocol: "SSL", Policy: "own", Accepts: own, Reference: "ELBSecurityPolicy-2015-05"},
	} {
		l.Listeners = append(l.Listeners, NewAWSListener(x))
	}
	var b strings.Builder
	if err := l.Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	want := `111122223333 eu-west-1
edge  NLB  internal  provisioning  edge-1.elb.eu-west-1.amazonaws.com
   443  TLS       TLS13-1-2-Res-PQ-2025-09 (default of console)  TLSv1.2-1.3  TLS_AES_128_GCM_SHA256 recommended  EC_prime256v1 until 2026-11-29  ALPN HTTP2Only
  5432  TCP

111122223333 us-east-1
shop  ALB  shop-1.us-east-1.elb.amazonaws.com
   443  HTTPS     2030-01       unknown                   2: RSA_2048 EXPIRED+EC_prime256v1 expired 2026-11-19  mutual TLS verify
old  Classic  old-1.us-east-1.elb.amazonaws.com
   443  SSL       own (custom)  TLSv1.2  AES128-SHA weak                                                        policies sticky

444455556666 us-east-1
=evil\x1b[31m  Classic  old-2.us-east-1.elb.amazonaws.com
   443  SSL       own (refers to 2015-05)  TLSv1.2  AES128-SHA weak

Policy own of old:443, =evil\x1b[31m:443
  TLSv1.2; the order of suites is the client's
  AES128-SHA  weak

Not found out
  eu-north-1, eu-south-1: Classic Load Balancers: DescribeLoadBalancers: AccessDenied: not on
  arn:aws:elasticloadbalancing:REGION:*
  eu-west-1: certificates in ACM: ListCertificates: no answer in time

5 listeners, 5 load balancers, 4 regions; 12 calls, 9 pages
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	b.Reset()
	if err := l.CSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(rows) != 6 || rows[5][5] != `'=evil\x1b[31m` || rows[3][20] != "2026-11-19T00:00:00Z" {
		t.Errorf("%v\n%s", err, b.String())
	}
	b.Reset()
	if err := (&AWSList{Regions: 1, Requests: 2}).Text(&b, Style{}); err != nil || b.String() != "No such listener was found.\n\n0 listeners, 0 load balancers, 1 region; 2 calls, 0 pages\n" {
		t.Errorf("%v %q", err, b.String())
	}
}
