package diagnose

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/policy"
)

// toldOf is what an API tells of a Classic listener, with obstacles.
func toldOf(o ...Obstacle) *Told {
	p := policy.ByName("classic/2015-05")
	l := &elb.Listener{Place: elb.Place{Account: "111122223333", Region: "eu-west-1"}, Kind: elb.Classic, LoadBalancer: "legacy", DNSName: "legacy-1.eu-west-1.elb.amazonaws.com", Port: 8443, Protocol: "SSL",
		Policy: p.Name, Accepts: p, OtherPolicies: []string{"sticky", "o'clock"}, Certificates: []elb.Certificate{{ARN: "a", Default: true, Key: "RSA_2048", Names: []string{"lb.example.com"}}}}
	return &Told{Listener: l, Identifier: l.Identifier(), Obstacles: o}
}

func ids(l []Cause) (s []string) {
	for _, c := range l {
		s = append(s, string(c.ID))
	}
	return s
}

// TestWeigh: what is certain leads, what may be is a finding, and a live answer that contradicts the API goes before it.
func TestWeigh(t *testing.T) {
	shut := Obstacle{ID: "security-group", Keeps: KeepsAll, Cause: cause.ConnectionTimeout, Summary: "shut", Evidence: []Evidence{{Fact: "no rule"}}}
	away := shut
	away.Keeps = KeepsSource
	perhaps := shut
	perhaps.Keeps = KeepsSome
	ended := Obstacle{ID: "certificate", Keeps: KeepsAll, Cause: cause.CertificateExpired, Summary: "expired", Evidence: []Evidence{{Fact: "ACM says so"}}}
	reached := func() *Diagnosis {
		return &Diagnosis{Outcome: Negotiated, Negotiated: &Agreement{}, Causes: []Cause{}, Findings: []Finding{}, Fixes: []Fix{}}
	}
	silent := func() *Diagnosis {
		return &Diagnosis{Outcome: Unreachable, Causes: []Cause{{ID: cause.ConnectionTimeout, Summary: "no answer"}}, Findings: []Finding{}, Fixes: []Fix{}}
	}
	refused := func() *Diagnosis {
		return &Diagnosis{Outcome: Refused, Causes: []Cause{{ID: cause.CertificateExpired, Summary: "it expired"}}, Findings: []Finding{}, Fixes: []Fix{}}
	}
	for _, c := range []struct {
		name      string
		obstacles []Obstacle
		live      *Diagnosis
		outcome   string
		causes    []string
		finding   string
		explained bool
	}{
		{"nothing in the way", nil, nil, Negotiated, nil, "not-probed", false},
		{"shut, not probed", []Obstacle{shut}, nil, Unreachable, []string{"connection-timeout"}, "negotiation-would-succeed", true},
		{"shut, and silence", []Obstacle{shut}, silent(), Unreachable, []string{"connection-timeout"}, "negotiation-would-succeed", true},
		{"shut, and yet reached", []Obstacle{shut}, reached(), Negotiated, nil, "security-group", false},
		{"shut for another address", []Obstacle{away}, reached(), Unreachable, []string{"connection-timeout"}, "negotiation-would-succeed", true},
		{"perhaps shut, and silence", []Obstacle{perhaps}, silent(), Negotiated, nil, "security-group", false},
		{"expired, not probed", []Obstacle{ended}, nil, Refused, []string{"certificate-expired"}, "negotiation-would-succeed", true},
		{"expired, another one seen", []Obstacle{ended}, reached(), Negotiated, nil, "certificate", false},
		{"expired, and seen", []Obstacle{ended}, refused(), Refused, []string{"certificate-expired"}, "", true},
	} {
		d := Weigh(FromProfile(client.ByName("java-8")), toldOf(c.obstacles...), c.live, "lb.example.com", time.Now())
		if d.Outcome != c.outcome || !slices.Equal(ids(d.Causes), c.causes) || d.Explained() != c.explained || d.Target.Kind != "listener" || d.AWS == nil {
			t.Errorf("%s: %s for %q, explained %v", c.name, d.Outcome, ids(d.Causes), d.Explained())
		}
		if c.finding != "" && !slices.ContainsFunc(d.Findings, func(f Finding) bool { return f.ID == c.finding }) {
			t.Errorf("%s: no finding %s in %+v", c.name, c.finding, d.Findings)
		}
		if len(d.Causes) > 0 && len(d.Causes[0].Evidence) == 0 {
			t.Errorf("%s: no evidence for %+v", c.name, d.Causes[0])
		}
	}
}

// TestFixCommands: commands name the listener, keep its other policies, and take no name for a shell's word.
func TestFixCommands(t *testing.T) {
	got := toldOf().fill([]Fix{{Side: SideLoadBalancer, Policy: "ELBSecurityPolicy-2016-08", Commands: commands(policy.ByName("classic/2016-08"))}})[0].Commands
	for i, want := range []string{"parley aws set-policy arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/legacy:8443 ELBSecurityPolicy-2016-08",
		"aws elb create-load-balancer-policy --load-balancer-name legacy --policy-name NEW_POLICY ",
		`aws elb set-load-balancer-policies-of-listener --load-balancer-name legacy --load-balancer-port 8443 --policy-names NEW_POLICY sticky 'o'\''clock' --region eu-west-1`} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestByAPI: without TLS, or with a policy that is not known, the API does not decide.
func TestByAPI(t *testing.T) {
	c := FromProfile(client.ByName("java-8"))
	for _, change := range []func(*elb.Listener){func(l *elb.Listener) { l.Protocol = "TCP" }, func(l *elb.Listener) { l.Accepts = nil }} {
		told := toldOf()
		change(told.Listener)
		if d := ByAPI(c, told, "lb.example.com", time.Now()); d.Outcome != Unreachable || d.Predicted || len(d.Causes) > 0 {
			t.Errorf("%+v", d)
		}
		if x := WeighTable(told, nil, "lb.example.com", time.Now()); x.Reached || len(x.Clients) > 0 {
			t.Errorf("%+v", x)
		}
	}
	x := WeighTable(toldOf(), nil, "lb.example.com", time.Now())
	if !x.Reached || x.Works < 100 || len(x.Clients) != len(client.All()) {
		t.Errorf("%d of %d", x.Works, len(x.Clients))
	}
}
