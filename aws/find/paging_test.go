package find_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/awstest"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/find"
	"github.com/parley-tls/parley/elbapi/store"
	"github.com/parley-tls/parley/simulate"
)

// TestPaging: lists that do not fit a page are read to their end, and no further than there is something to look for.
func TestPaging(t *testing.T) {
	arn := func(i int) string { return fmt.Sprintf("arn:aws:acm:eu-west-1:111122223333:certificate/%d", i) }
	r := &simulate.Region{}
	for i := range 2500 {
		r.Certificates = append(r.Certificates, simulate.Object{"CertificateArn": arn(i), "DomainName": fmt.Sprintf("host-%d.example.com", i), "Status": "ISSUED", "Type": "AMAZON_ISSUED", "KeyAlgorithm": "EC_secp384r1",
			"NotBefore": "2026-01-01T00:00:00Z", "NotAfter": "2027-02-01T00:00:00Z"})
	}
	for i := range 850 {
		r.LoadBalancers = append(r.LoadBalancers, &store.LoadBalancer{Name: fmt.Sprintf("old-%d", i), Type: store.Classic, Zones: []store.Zone{{Name: "eu-west-1a"}},
			Listeners: []*store.Listener{{Port: 443, Protocol: "SSL", Certificates: []string{arn(i)}, Policies: []string{"ELBSecurityPolicy-2016-08"}}}})
		r.LoadBalancers = append(r.LoadBalancers, &store.LoadBalancer{Name: fmt.Sprintf("inspect-%d", i), Type: store.Gateway})
	}
	var sni []string
	for i := range 20 {
		sni = append(sni, arn(2499-i))
	}
	r.LoadBalancers = append(r.LoadBalancers, &store.LoadBalancer{Name: "shop", Type: store.Application, Listeners: []*store.Listener{{Port: 443, Protocol: "HTTPS", Certificates: sni}}})
	state, err := json.Marshal(simulate.State{Accounts: []simulate.Account{{ID: "111122223333", Users: []simulate.User{{Name: "ada", Key: "testing", Secret: "testing"}}, Regions: map[string]*simulate.Region{"eu-west-1": r}}}})
	if err != nil {
		t.Fatal(err)
	}
	awstest.Start(t, awstest.Read(t, string(state)))
	for _, c := range []struct {
		o     find.Options
		calls map[string]int
	}{
		{find.Options{Kinds: []elb.Kind{elb.Classic}}, map[string]int{"Elastic Load Balancing.DescribeLoadBalancers": 3, "ACM.ListCertificates": 1, "Elastic Load Balancing v2.DescribeLoadBalancers": 0}},
		{find.Options{SNICertificates: true}, map[string]int{"Elastic Load Balancing.DescribeLoadBalancers": 3, "Elastic Load Balancing v2.DescribeLoadBalancers": 3, "ACM.ListCertificates": 3,
			"Elastic Load Balancing v2.DescribeListeners": 1, "Elastic Load Balancing.DescribeLoadBalancerPolicies": 0}},
	} {
		inv, err := find.List(t.Context(), sessions(t, account.Options{}), c.o)
		if err != nil || len(inv.Problems) > 0 {
			t.Fatal(err, inv.Problems)
		}
		for call, want := range c.calls {
			if inv.Calls[call] != want {
				t.Errorf("%+v: %s %d times, want %d", c.o, call, inv.Calls[call], want)
			}
		}
		n := map[elb.Kind]int{}
		for _, l := range inv.Listeners {
			n[l.Kind]++
			for _, x := range l.Certificates {
				if x.Key != "EC_secp384r1" || len(x.Names) != 1 {
					t.Fatalf("%s:%d has the certificate %+v", l.LoadBalancer, l.Port, x)
				}
			}
			if l.Kind == elb.ALB && len(l.Certificates) != len(sni) {
				t.Errorf("%d certificates", len(l.Certificates))
			}
		}
		if n[elb.Classic] != 850 || n[elb.ALB] != map[bool]int{true: 1}[len(c.o.Kinds) == 0] {
			t.Errorf("%+v: %v", c.o, n)
		}
	}
}
