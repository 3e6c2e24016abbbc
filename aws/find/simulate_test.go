package find_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/awstest"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/find"
	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/simulate"
)

// shop is an account with what moto has not: policies that it does not know, mutual TLS, references, a gateway, certificates
// that ACM lists only when it is asked for their kind of key.
const shop = `{"accounts": [{"id": "111122223333",
  "users": [{"name": "ada", "access_key_id": "testing", "secret_access_key": "testing"}],
  "regions": {
   "eu-west-1": {
    "certificates": [
     {"CertificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/1", "DomainName": "shop.example.com", "SubjectAlternativeNames": ["shop.example.com", "www.example.com"],
      "Status": "ISSUED", "Type": "AMAZON_ISSUED", "KeyAlgorithm": "RSA_2048", "NotBefore": "2026-01-01T00:00:00Z", "NotAfter": "2027-02-01T00:00:00Z"},
     {"CertificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/2", "DomainName": "api.example.com", "SubjectAlternativeNames": ["api.example.com"],
      "Status": "EXPIRED", "Type": "IMPORTED", "KeyAlgorithm": "EC_prime256v1", "NotBefore": "2025-01-01T00:00:00Z", "NotAfter": "2026-02-01T00:00:00Z"}],
    "trust_stores": [{"arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:truststore/staff/50dc6c495c0c9188", "name": "staff", "status": "ACTIVE"}],
    "load_balancers": [
     {"name": "shop", "type": "application", "listeners": [
      {"port": 443, "protocol": "HTTPS", "ssl_policy": "ELBSecurityPolicy-FS-1-2-Res-2020-10",
       "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/1", "arn:aws:acm:eu-west-1:111122223333:certificate/2"],
       "mutual_tls": {"mode": "verify", "trust_store": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:truststore/staff/50dc6c495c0c9188"}},
      {"port": 80, "protocol": "HTTP"}]},
     {"name": "edge", "type": "network", "scheme": "internal", "listeners": [
      {"port": 443, "protocol": "TLS", "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07", "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/2"], "alpn": ["HTTP2Only"]},
      {"port": 8443, "protocol": "TCP"}]},
     {"name": "inspect", "type": "gateway"},
     {"name": "legacy", "type": "classic", "zones": [{"name": "eu-west-1a"}], "listeners": [
      {"port": 443, "protocol": "HTTPS", "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/1"], "policies": ["sticky", "own"]},
      {"port": 8443, "protocol": "SSL", "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/1"], "policies": ["ELBSecurityPolicy-2015-05"]},
      {"port": 9443, "protocol": "SSL", "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/1"]}],
      "classic": {"policies": [{"name": "own", "type": "SSLNegotiationPolicyType", "attributes": [{"name": "Reference-Security-Policy", "value": "ELBSecurityPolicy-TLS-1-1-2017-01"}]},
                               {"name": "sticky", "type": "LBCookieStickinessPolicyType"}]}},
     {"name": "plain", "type": "classic", "zones": [{"name": "eu-west-1a"}], "listeners": [
      {"port": 443, "protocol": "SSL", "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/1"], "policies": ["ELBSecurityPolicy-2016-08"]}]}]},
   "us-east-1": {"load_balancers": [
     {"name": "shop", "type": "application", "listeners": [{"port": 443, "protocol": "HTTPS", "certificates": ["arn:aws:acm:us-east-1:111122223333:certificate/1"]}]}]}}}]}`

func parse(t *testing.T, name string) elb.Name {
	t.Helper()
	n, err := elb.ParseName(name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// both are the regions of the account.
var both = account.Options{Regions: []string{"eu-west-1", "us-east-1"}}

// list lists what is in the account, and fails the test unless the problems are those that are wanted.
func list(t *testing.T, o find.Options, problems ...string) *find.Inventory {
	t.Helper()
	inv, err := find.List(t.Context(), sessions(t, both), o)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range inv.Problems {
		got = append(got, p.Error())
	}
	fit := len(got) == len(problems)
	for i := range min(len(got), len(problems)) {
		fit = fit && strings.Contains(got[i], problems[i])
	}
	if !fit {
		t.Errorf("problems %q, want %q", got, problems)
	}
	return inv
}

// lines are the listeners in short.
func lines(l []elb.Listener) []string {
	var all []string
	for i := range l {
		x := &l[i]
		accepts := "unknown"
		if x.Accepts != nil {
			accepts = fmt.Sprint(len(x.Accepts.Suites))
		}
		var keys []string
		for _, c := range x.Certificates {
			keys = append(keys, strings.TrimSpace(c.Key+" "+c.Status))
		}
		all = append(all, fmt.Sprintf("%s %s %s:%d %s %s/%s %s [%s] %s %s %v", x.Region, x.Kind, x.LoadBalancer, x.Port, x.Protocol, strings.TrimPrefix(x.Policy, "ELBSecurityPolicy-"),
			strings.TrimPrefix(x.Reference, "ELBSecurityPolicy-"), accepts, strings.Join(keys, ", "), x.MutualTLS, x.ALPN, x.OtherPolicies))
	}
	return all
}

func TestList(t *testing.T) {
	awstest.Start(t, awstest.Read(t, shop))
	inv := list(t, find.Options{SNICertificates: true, All: true})
	want := []string{
		"eu-west-1 network edge:443 TLS TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07/ SUITES [EC_prime256v1 EXPIRED]  HTTP2Only []",
		"eu-west-1 network edge:8443 TCP / unknown []   []",
		"eu-west-1 classic legacy:443 HTTPS own/TLS-1-1-2017-01 18 [RSA_2048 ISSUED]   [sticky]",
		"eu-west-1 classic legacy:8443 SSL 2015-05/ 19 [RSA_2048 ISSUED]   []",
		"eu-west-1 classic legacy:9443 SSL 2016-08/ 18 [RSA_2048 ISSUED]   []",
		"eu-west-1 classic plain:443 SSL 2016-08/ 18 [RSA_2048 ISSUED]   []",
		"eu-west-1 application shop:80 HTTP / unknown []   []",
		"eu-west-1 application shop:443 HTTPS FS-1-2-Res-2020-10/ 4 [RSA_2048 ISSUED, EC_prime256v1 EXPIRED] verify  []",
		"us-east-1 application shop:443 HTTPS 2016-08/ 18 [] off  []",
	}
	want[0] = strings.Replace(want[0], "SUITES", fmt.Sprint(len(policy.ByName("TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07").Suites)), 1)
	if d := cmp.Diff(want, lines(inv.Listeners)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	for _, l := range inv.Listeners {
		if l.Account != "111122223333" || l.Partition != "aws" {
			t.Errorf("%s is of account %q, partition %q", l.LoadBalancer, l.Account, l.Partition)
		}
	}
	// One call of the list tells of all kinds, gateways too; of Classic policies only those of a load balancer with one of its own are
	// asked for, and of the others the one that the table is not sure of.
	wantCalls := map[string]int{"Elastic Load Balancing v2.DescribeLoadBalancers": 2, "Elastic Load Balancing.DescribeLoadBalancers": 2, "Elastic Load Balancing v2.DescribeListeners": 3,
		"Elastic Load Balancing.DescribeLoadBalancerPolicies": 1, "Elastic Load Balancing v2.DescribeListenerCertificates": 3, "Elastic Load Balancing v2.DescribeSSLPolicies": 1,
		"ACM.ListCertificates": 2, "STS.GetCallerIdentity": 1}
	if d := cmp.Diff(wantCalls, inv.Calls); d != "" {
		t.Errorf("calls (-want +got)\n%s", d)
	}
}

// TestDenied: what one region or one service does not tell is named, and all else is listed.
func TestDenied(t *testing.T) {
	c := awstest.Start(t, awstest.Read(t, shop))
	denied := func(f elbapi.Fault) func() { f.Denied = true; return c.LoadBalancing().Inject(f) }
	remove := denied(elbapi.Fault{Region: "us-east-1", Action: "DescribeLoadBalancers"})
	inv := list(t, find.Options{}, "us-east-1: Application and Network Load Balancers: DescribeLoadBalancers: AccessDenied: User: arn:aws:iam::111122223333:user/ada is not authorized",
		"us-east-1: Classic Load Balancers: DescribeLoadBalancers: AccessDenied")
	if len(inv.Listeners) != 6 || !strings.Contains(inv.Problems[0].Error(), "docs/aws.md has the IAM policies") {
		t.Errorf("%d listeners, %v", len(inv.Listeners), inv.Problems)
	}
	remove()
	for _, x := range []struct {
		action, problem string
		listeners       int
		gone            string // what stays unknown
	}{
		{"DescribeListeners", "eu-west-1: listeners of edge: DescribeListeners: AccessDenied", 4, ""},
		{"DescribeLoadBalancerPolicies", "eu-west-1: policies of legacy: DescribeLoadBalancerPolicies: AccessDenied", 6, "legacy:443"},
		{"DescribeSSLPolicies", "eu-west-1: content of ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07: DescribeSSLPolicies: AccessDenied", 6, ""},
	} {
		remove := denied(elbapi.Fault{Region: "eu-west-1", Action: x.action})
		all, err := find.List(t.Context(), sessions(t, account.Options{Regions: []string{"eu-west-1"}}), find.Options{})
		remove()
		if err != nil || len(all.Problems) == 0 || !strings.Contains(all.Problems[0].Error(), x.problem) {
			t.Errorf("%s: %v, %v", x.action, err, all.Problems)
			continue
		}
		if len(all.Listeners) != x.listeners {
			t.Errorf("%s: %d listeners", x.action, len(all.Listeners))
		}
		for _, l := range all.Listeners {
			if l.Accepts == nil != (x.gone == fmt.Sprintf("%s:%d", l.LoadBalancer, l.Port)) {
				t.Errorf("%s: %s:%d accepts %v", x.action, l.LoadBalancer, l.Port, l.Accepts)
			}
		}
	}
	c.SetFaults(simulate.Faults{Deny: []string{"acm:*", "sts:*"}})
	inv = list(t, find.Options{}, "eu-west-1: certificates in ACM: ListCertificates: AccessDenied", "us-east-1: certificates in ACM")
	if len(inv.Listeners) != 7 || inv.Listeners[0].Certificates[0].Key != "" || inv.Listeners[0].Account != "111122223333" {
		t.Errorf("%+v", inv.Listeners[0])
	}
	inv = list(t, find.Options{NoCertificates: true})
	if len(inv.Listeners) != 7 {
		t.Errorf("%d listeners", len(inv.Listeners))
	}
}

// TestThrottled: answers that come too fast are asked for again.
func TestThrottled(t *testing.T) {
	c := awstest.Start(t, awstest.Read(t, shop))
	c.LoadBalancing().Inject(elbapi.Fault{Region: "eu-west-1", Action: "DescribeListeners", Times: 2, Error: elbapi.Throttling()})
	inv := list(t, find.Options{NoCertificates: true})
	if len(inv.Listeners) != 7 || inv.Calls["Elastic Load Balancing v2.DescribeListeners"] != 5 {
		t.Errorf("%d listeners, %v", len(inv.Listeners), inv.Calls)
	}
}

// TestDeletedMeanwhile: a load balancer or listener that is gone between two questions is no problem.
func TestDeletedMeanwhile(t *testing.T) {
	c := awstest.Start(t, awstest.Read(t, shop))
	gone := query.Fail("LoadBalancerNotFound", "One or more load balancers not found")
	for _, f := range []elbapi.Fault{{Region: "us-east-1", Action: "DescribeListeners", Error: gone}, {Action: "DescribeLoadBalancerPolicies", Error: gone},
		{Action: "DescribeListenerCertificates", Times: 1, Error: query.Fail("ListenerNotFound", "One or more listeners not found")}} {
		c.LoadBalancing().Inject(f)
	}
	inv := list(t, find.Options{SNICertificates: true})
	if got := lines(inv.Listeners); len(got) != 3 || slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "legacy") || strings.Contains(s, "us-east-1") }) {
		t.Errorf("%q", got)
	}
}

func TestResolve(t *testing.T) {
	c := awstest.Start(t, awstest.Read(t, shop))
	all := sessions(t, both)
	resolve := func(text string) (*elb.Listener, error) {
		return find.Resolve(context.Background(), all, parse(t, text))
	}
	l, err := resolve("edge")
	if err != nil || l.Port != 443 || l.Kind != elb.NLB || l.ALPN != "HTTP2Only" || l.Certificates[0].Key != "EC_prime256v1" {
		t.Fatalf("%+v, %v", l, err)
	}
	if n, err := elb.ParseName(l.DNSName); err != nil || n.Region != "eu-west-1" || n.LoadBalancer != "edge" {
		t.Errorf("%s is read as %+v, %v", l.DNSName, n, err)
	}
	for _, name := range []string{l.ARN, l.LoadBalancerARN, l.DNSName, "edge:443", "legacy:9443", "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/legacy:443"} {
		if l, err := resolve(name); err != nil || l.Accepts == nil {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
	for name, want := range map[string]string{
		"shop":      "shop means 2 listeners: name one of arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/",
		"legacy":    "legacy means 3 listeners: name one of arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/legacy:443 (Classic HTTPS, eu-west-1)",
		"edge:8443": "edge has no TLS listener on port 8443: it has listeners on 443 (TLS), 8443 (TCP)",
		"inspect":   "inspect has no TLS listener: it has no listeners at all",
		"arn:aws:elasticloadbalancing:eu-west-1:999999999999:loadbalancer/legacy:443": "it was deleted, or is another account's",
	} {
		if l, err := resolve(name); err == nil || !strings.Contains(err.Error(), want) || !find.AboutName(err) {
			t.Errorf("%s: %+v, %v; want an error with %q", name, l, err, want)
		}
	}
	// A region that may not be asked: where the name is found elsewhere it does no harm, else it decides.
	c.LoadBalancing().Inject(elbapi.Fault{Region: "us-east-1", Denied: true})
	if l, err := resolve("edge"); err != nil || l.Port != 443 {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := resolve("nothing"); err == nil || find.AboutName(err) || !strings.Contains(err.Error(), "us-east-1: load balancer nothing: DescribeLoadBalancers: AccessDenied") &&
		!strings.Contains(err.Error(), "us-east-1: Classic Load Balancer nothing: DescribeLoadBalancers: AccessDenied") {
		t.Errorf("%v", err)
	}
}

// TestSlow: a region with more load balancers than AWS answers for in ten seconds is announced.
func TestSlow(t *testing.T) {
	var lbs []string
	for i := range 150 {
		lbs = append(lbs, fmt.Sprintf(`{"name": "lb-%d", "type": "application"}`, i))
	}
	awstest.Start(t, awstest.Read(t, `{"accounts": [{"id": "111122223333", "users": [{"name": "ada", "access_key_id": "testing", "secret_access_key": "testing"}],
		"regions": {"eu-west-1": {"load_balancers": [`+strings.Join(lbs, ",")+`]}}}]}`))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var told string
	inv, err := find.List(ctx, sessions(t, both), find.Options{Slow: func(region string, n int, d time.Duration) {
		told = fmt.Sprint(region, " ", n, " ", d)
		cancel()
	}})
	if told != "eu-west-1 150 11.5s" || !errors.Is(err, context.Canceled) || inv.LoadBalancers != 150 || len(inv.Problems) > 0 {
		t.Errorf("told %q, %v, %+v", told, err, inv)
	}
}
