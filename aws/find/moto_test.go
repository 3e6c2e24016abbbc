package find_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/find"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

func sessions(t *testing.T, o account.Options) []*account.Session {
	t.Helper()
	s, err := account.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestListMoto(t *testing.T) {
	testbed.Moto(t)
	testbed.LoadBalancers(t)
	inv, err := find.List(t.Context(), sessions(t, account.Options{Regions: []string{"eu-west-1", "us-east-1"}}), find.Options{SNICertificates: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range inv.Problems {
		t.Error(p)
	}
	var got []string
	for i := range inv.Listeners {
		l := &inv.Listeners[i]
		var keys []string
		for _, c := range l.Certificates {
			keys = append(keys, fmt.Sprint(c.Key, " ", c.Default, " ", strings.Join(c.Names, ","), " ", int(time.Until(c.NotAfter).Hours()/24+.5)))
		}
		suites := 0
		if l.Accepts != nil {
			suites = len(l.Accepts.Suites)
		}
		got = append(got, fmt.Sprintf("%s %s %s %s:%d %s %s %d [%s] %s %v", l.Account, l.Region, l.Kind, l.LoadBalancer, l.Port, l.Protocol, l.Policy, suites, strings.Join(keys, "; "), l.ALPN, l.OtherPolicies))
	}
	want := []string{
		"123456789012 eu-west-1 network edge-nlb:443 TLS ELBSecurityPolicy-2016-08 18 [EC_secp384r1 true edge.example.com 90] HTTP2Preferred []",
		"123456789012 eu-west-1 network edge-nlb:8443 TLS ELBSecurityPolicy-TLS-1-2-2017-01 12 [EC_secp384r1 true edge.example.com 90]  []",
		"123456789012 eu-west-1 classic legacy-clb:443 HTTPS our-tls 2 [RSA_2048 true other.example.net 90]  [sticky]",
		"123456789012 eu-west-1 application shop-alb:443 HTTPS ELBSecurityPolicy-TLS13-1-2-2021-06 11 [RSA_2048 true lb.example.com 90; EC_secp384r1 false edge.example.com 90]  []",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	custom := inv.Listeners[2].Accepts
	if custom == nil || custom.Order != "server" || !slices.Equal(custom.Versions, []suite.Version{suite.TLS12}) {
		t.Errorf("the custom policy is %+v", custom)
	}
	// 2 regions: load balancers of both APIs; listeners of two; the policies of one; certificates; account.
	wantCalls := map[string]int{"Elastic Load Balancing v2.DescribeLoadBalancers": 2, "Elastic Load Balancing.DescribeLoadBalancers": 2, "Elastic Load Balancing v2.DescribeListeners": 2,
		"Elastic Load Balancing.DescribeLoadBalancerPolicies": 1, "Elastic Load Balancing v2.DescribeListenerCertificates": 3, "ACM.ListCertificates": 1, "IAM.GetServerCertificate": 1, "STS.GetCallerIdentity": 1}
	if d := cmp.Diff(wantCalls, inv.Calls); d != "" {
		t.Errorf("calls (-want +got)\n%s", d)
	}
	if inv.Total() != 13 || inv.LoadBalancers != 3 || inv.Regions != 2 {
		t.Errorf("%d calls, %d load balancers, %d regions", inv.Total(), inv.LoadBalancers, inv.Regions)
	}
	crossCheck(t, inv)
}

// crossCheck asks the AWS CLI for the same and compares what both tell.
func crossCheck(t *testing.T, inv *find.Inventory) {
	t.Helper()
	cli, err := exec.LookPath("aws")
	if err != nil {
		t.Log("the AWS CLI is missing: not compared")
		return
	}
	ask := func(v any, args ...string) {
		t.Helper()
		cmd := exec.Command(cli, append(args, "--region", "eu-west-1", "--output", "json")...)
		cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return v == "AWS_PROFILE=" }) // which the CLI takes for a profile
		out, err := cmd.Output()
		if err != nil {
			var exit *exec.ExitError
			errors.As(err, &exit)
			t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, exit.Stderr)
		}
		if err := json.Unmarshal(out, v); err != nil {
			t.Fatal(err)
		}
	}
	var balancers struct {
		LoadBalancers []struct{ LoadBalancerArn, LoadBalancerName, DNSName, Scheme, VpcId string }
	}
	ask(&balancers, "elbv2", "describe-load-balancers")
	compared := 0
	for _, lb := range balancers.LoadBalancers {
		var answer struct {
			Listeners []struct {
				ListenerArn, Protocol, SslPolicy string
				Port                             int
				Certificates                     []struct{ CertificateArn string }
			}
		}
		ask(&answer, "elbv2", "describe-listeners", "--load-balancer-arn", lb.LoadBalancerArn)
		for _, want := range answer.Listeners {
			if want.Protocol == "HTTP" {
				continue
			}
			at := slices.IndexFunc(inv.Listeners, func(l elb.Listener) bool { return l.ARN == want.ListenerArn })
			if at < 0 {
				t.Errorf("the CLI shows %s, List does not", want.ListenerArn)
				continue
			}
			got := inv.Listeners[at]
			if got.Policy != want.SslPolicy || got.Port != want.Port || got.Protocol != want.Protocol || got.Certificates[0].ARN != want.Certificates[0].CertificateArn ||
				got.DNSName != lb.DNSName || got.Scheme != lb.Scheme || got.VPC != lb.VpcId || got.LoadBalancer != lb.LoadBalancerName {
				t.Errorf("the CLI shows %+v of %+v, List %+v", want, lb, got)
			}
			compared++
		}
	}
	var old struct {
		LoadBalancerDescriptions []struct {
			DNSName              string
			ListenerDescriptions []struct {
				Listener    struct{ LoadBalancerPort int }
				PolicyNames []string
			}
		}
	}
	ask(&old, "elb", "describe-load-balancers", "--load-balancer-names", "legacy-clb")
	for _, d := range old.LoadBalancerDescriptions[0].ListenerDescriptions {
		if d.Listener.LoadBalancerPort == 443 {
			if l := inv.Listeners[2]; !slices.Equal(append(slices.Clone(l.OtherPolicies), l.Policy), d.PolicyNames) || l.DNSName != old.LoadBalancerDescriptions[0].DNSName {
				t.Errorf("the CLI shows %+v, List %+v", d, l)
			}
			compared++
		}
	}
	if compared != len(inv.Listeners) {
		t.Errorf("%d of %d listeners compared", compared, len(inv.Listeners))
	}
}

func TestResolveMoto(t *testing.T) {
	testbed.Moto(t)
	testbed.LoadBalancers(t)
	all := sessions(t, account.Options{Regions: []string{"eu-west-1", "us-east-1"}})
	inv, err := find.List(t.Context(), all, find.Options{NoCertificates: true})
	if err != nil || len(inv.Listeners) != 4 {
		t.Fatal(inv, err)
	}
	resolve := func(text string) (*elb.Listener, error) {
		return find.Resolve(context.Background(), all, parse(t, text))
	}
	for i := range inv.Listeners {
		l := &inv.Listeners[i]
		port := fmt.Sprint(":", l.Port)
		names := []string{l.Identifier(), l.LoadBalancer + port}
		if l.Kind != elb.Classic { // whose DNS name moto puts into us-east-1
			names = append(names, l.DNSName+port)
		}
		if l.LoadBalancerARN != "" {
			names = append(names, l.LoadBalancerARN+port)
		}
		if l.LoadBalancer != "edge-nlb" {
			names = append(names, l.LoadBalancer)
		}
		for _, name := range names {
			got, err := resolve(name)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if got.LoadBalancer != l.LoadBalancer || got.Port != l.Port || got.ARN != l.ARN || got.Policy != l.Policy || got.Accepts == nil || got.Certificates[0].Key == "" {
				t.Errorf("%s gives %+v", name, got)
			}
		}
		if find.SessionOf(all, l) != all[0] {
			t.Errorf("%s is of another session", l.LoadBalancer)
		}
	}
	for name, want := range map[string]string{
		"edge-nlb":      "edge-nlb means 2 listeners: name one of arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/edge-nlb/",
		"shop-alb:80":   "shop-alb has no TLS listener on port 80: it has listeners on 80 (HTTP), 443 (HTTPS)",
		"shop-alb:8443": "shop-alb has no TLS listener on port 8443: it has listeners on 80 (HTTP), 443 (HTTPS)",
		"nothing":       "no load balancer nothing in eu-west-1, us-east-1: name another region with --region, or take --all-regions",
		"arn:aws:elasticloadbalancing:eu-west-1:999999999999:loadbalancer/legacy-clb:443":                         "no load balancer legacy-clb in eu-west-1",
		"arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/gone/50dc6c495c0c9188":              "it was deleted, or is another account's",
		"arn:aws:elasticloadbalancing:eu-north-1:123456789012:loadbalancer/app/gone/50dc6c495c0c9188":             "is in eu-north-1, which is not among the regions to ask",
		"arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/gone/50dc6c495c0c9188/50dc6c495c0c91ff": "no listener arn:aws:elasticloadbalancing:eu-west-1",
	} {
		if l, err := resolve(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want an error with %q", name, l, err, want)
		}
	}
}
