package change

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func classicTarget() Target {
	return Target{Place: elb.Place{Account: "111122223333", Region: "eu-west-1"}, Kind: elb.Classic, LoadBalancer: "legacy-clb", Port: 443}
}

func modernTarget(k elb.Kind) Target {
	arn := "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/50dc6c495c0c9188"
	return Target{Place: elb.Place{Account: "111122223333", Region: "eu-west-1"}, Kind: k, LoadBalancer: "shop", LoadBalancerARN: arn,
		ARN: strings.Replace(arn, "loadbalancer/", "listener/", 1) + "/f2f7dc8efc522ab2", Port: 443}
}

// classicReading is a Classic listener with stickiness, a policy of its own, and another that has a name of Parley's.
func classicReading() *Reading {
	return &Reading{State: State{Protocol: "HTTPS", Policy: "ours", Attributes: []string{"AES128-SHA", "Protocol-TLSv1"}, Policies: []string{"sticky", "ours", "cookie"}, Certificates: []string{"c"}},
		Own: []ClassicPolicy{{Name: "sticky", Type: "LBCookieStickinessPolicyType"}, {Name: "cookie", Type: "AppCookieStickinessPolicyType"},
			{Name: "ours", Type: negotiation, Attributes: []string{"AES128-SHA", "Protocol-TLSv1"}},
			{Name: "spare", Type: negotiation, Reference: "ELBSecurityPolicy-TLS-1-2-2017-01"}}}
}

func TestParseWish(t *testing.T) {
	for _, c := range []struct {
		kind       elb.Kind
		name       string
		want       Wish
		err        string
		hasContent bool
	}{
		{elb.ALB, "tls13-1-2-2021-06", Wish{Policy: "ELBSecurityPolicy-TLS13-1-2-2021-06"}, "", true},
		{elb.NLB, "2016-08", Wish{Policy: "ELBSecurityPolicy-2016-08"}, "", true},
		{elb.ALB, "ELBSecurityPolicy-TLS14-2030-01", Wish{Policy: "ELBSecurityPolicy-TLS14-2030-01"}, "", false},
		{elb.ALB, "classic/2016-08", Wish{}, "is a policy of Classic Load Balancers: an ALB does not have it", false},
		{elb.NLB, "ELBSecurityPolicy-2014-10", Wish{}, "is a policy of Classic Load Balancers: an NLB does not have it", false},
		{elb.ALB, "a policy", Wish{}, `"a policy" is no name of a security policy`, false},
		{elb.Classic, "2016-08", Wish{Reference: "ELBSecurityPolicy-2016-08"}, "", true},
		{elb.Classic, "ours", Wish{Policy: "ours"}, "", true},
		{elb.Classic, "sticky", Wish{}, "sticky is a policy of the type LBCookieStickinessPolicyType", false},
		{elb.Classic, "TLS13-1-2-2021-06", Wish{}, "is a policy of ALB and NLB: a Classic Load Balancer has neither it nor any TLS 1.3, for which there are ALB and NLB; the strictest here is ELBSecurityPolicy-TLS-1-2-2017-01", false},
		{elb.Classic, "FS-1-2-2019-08", Wish{}, "is a policy of ALB and NLB: a Classic Load Balancer has it not; the strictest here is", false},
		{elb.Classic, "TLS-1-2-2017-02", Wish{}, "the load balancer has no policy TLS-1-2-2017-02 of its own, and unknown policy", false},
	} {
		got, content, err := ParseWish(c.kind, c.name, classicReading())
		var e *Error
		switch {
		case c.err == "" && (err != nil || !cmp.Equal(got, c.want) || (content != nil) != c.hasContent):
			t.Errorf("%s %s: %+v, %v, %v", c.kind, c.name, got, content, err)
		case c.err != "" && (!errors.As(err, &e) || e.Outcome != Unfit || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s %s: %v, want %q", c.kind, c.name, err, c.err)
		}
	}
}

func TestClassicSetting(t *testing.T) {
	now := classicReading()
	ref := func(name string) Wish { return Wish{Reference: "ELBSecurityPolicy-" + name} }
	set := func(w Wish) Setting { return NewPlan(classicTarget(), now, w, noon).Set }

	made := set(ref("2016-08"))
	if !made.Create || !strings.HasPrefix(made.Policy, "parley-2016-08-") || !slices.Equal(made.Policies, []string{"sticky", made.Policy, "cookie"}) || made.Reference != "ELBSecurityPolicy-2016-08" {
		t.Errorf("a new policy: %+v", made)
	}
	if again := set(ref("2016-08")); again.Policy != made.Policy {
		t.Errorf("the name is not the same twice: %s, %s", made.Policy, again.Policy)
	}
	if other := set(ref("TLS-1-1-2017-01")); other.Policy == made.Policy {
		t.Errorf("two policies, one name: %s", other.Policy)
	}
	if spare := set(ref("TLS-1-2-2017-01")); spare.Create || spare.Policy != "spare" {
		t.Errorf("an identical policy is there and is not used: %+v", spare)
	}
	if own := set(Wish{Policy: "spare"}); own.Create || own.Policy != "spare" || own.Reference != "ELBSecurityPolicy-TLS-1-2-2017-01" {
		t.Errorf("by its own name: %+v", own)
	}
	now.Own = append(now.Own, ClassicPolicy{Name: made.Policy, Type: negotiation, Reference: "ELBSecurityPolicy-2015-05"})
	if clash := set(ref("2016-08")); !clash.Create || clash.Policy != made.Policy+"-2" {
		t.Errorf("the name is taken by another policy: %+v", clash)
	}
	now.Own = append(now.Own, ClassicPolicy{Name: "ELBSecurityPolicy-2016-08", Type: negotiation, Attributes: []string{"AES128-SHA"}})
	if carried := set(ref("2016-08")); carried.Create || carried.Policy != "ELBSecurityPolicy-2016-08" {
		t.Errorf("the load balancer carries the predefined policy: %+v", carried)
	}
	custom := set(Wish{Attributes: []string{"AES128-SHA", "Protocol-TLSv1"}})
	if custom.Policy != "ours" || custom.Create {
		t.Errorf("the listener's own policy is the same: %+v", custom)
	}
	now.Policy, now.Policies = "", []string{"sticky"}
	if first := set(ref("2015-03")); !slices.Equal(first.Policies, []string{"sticky", first.Policy}) {
		t.Errorf("a listener without a policy: %+v", first)
	}
}

func TestCustom(t *testing.T) {
	w, content, err := Custom([]byte("Protocol-TLSv1.2\nECDHE-RSA-AES128-GCM-SHA256\nServer-Defined-Cipher-Order\nAES128-SHA=false\n"))
	if err != nil || !slices.Equal(w.Attributes, []string{"ECDHE-RSA-AES128-GCM-SHA256", "Protocol-TLSv1.2", "Server-Defined-Cipher-Order"}) || content.Order != policy.ServerOrder {
		t.Errorf("%+v, %v", w, err)
	}
	back := classicContent("x", "", w.Attributes)
	if d := policy.Compare(content, back); !d.Empty() {
		t.Errorf("the attributes make another policy: %+v", d)
	}
	for text, want := range map[string]string{"Protocol-TLSv1.3\n": "no attribute", "Protocol-TLSv1.2\n": "no cipher is enabled", "": "no protocol"} {
		if _, _, err := Custom([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestPlanFile: a plan is read back as it was written; one that was edited, or is none, is refused.
func TestPlanFile(t *testing.T) {
	p := NewPlan(classicTarget(), classicReading(), Wish{Reference: "ELBSecurityPolicy-2016-08"}, noon)
	p.Warn(classicReading(), classicReading().own("ours").Accepts(), policy.ByName("classic/2016-08"), nil)
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadPlan(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(p, got); d != "" {
		t.Errorf("(-written +read)\n%s", d)
	}
	for change, want := range map[[2]string]string{
		{`"legacy-clb"`, `"other-clb"`}:       "was edited",
		{`"sticky"`, `"stucky"`}:              "was edited",
		{`parley/aws-plan/1`, `parley/x/1`}:   `the schema is "parley/x/1"`,
		{`{"schema"`, `["schema"`}:            "not the JSON of a plan",
		{`"port":443`, `"port":"https"`}:      "not the JSON of a plan",
		{string(b[1:]), `"schema":"x","id":`}: "not the JSON of a plan",
	} {
		text := strings.ReplaceAll(string(b), change[0], change[1])
		if text == string(b) {
			t.Fatalf("%q is not in the plan", change[0])
		}
		if _, err := ReadPlan([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", change, err, want)
		}
	}
}

func TestWarnings(t *testing.T) {
	rsa := &policy.Identity{Certificates: []policy.Certificate{{KeyType: policy.RSA, Bits: 2048}}}
	ecdsa := &policy.Identity{Certificates: []policy.Certificate{{KeyType: policy.ECDSA, Bits: 256, Curve: suite.Secp256r1}}}
	custom := func(lines string) *policy.Policy {
		_, p, err := Custom([]byte(lines))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	fips := &Reading{State: State{Policy: "ELBSecurityPolicy-TLS13-1-2-2021-06"}, Siblings: []Sibling{{8443, "ELBSecurityPolicy-TLS13-1-2-2021-06"}, {9443, "ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04"}}}
	for _, c := range []struct {
		name     string
		kind     elb.Kind
		now      *Reading
		from, to *policy.Policy
		id       *policy.Identity
		want     []string // IDs, "!" before the severe
		text     string
	}{
		{"stricter", elb.ALB, &Reading{}, policy.ByName("2016-08"), policy.ByName("TLS13-1-2-2021-06"), rsa, nil, ""},
		{"weaker", elb.ALB, &Reading{}, policy.ByName("TLS13-1-2-PQ-2025-09"), policy.ByName("2016-08"), rsa, []string{"weaker"}, "TLSv1.0, TLSv1.1, no TLSv1.3, cipher suites without forward secrecy, no post-quantum groups"},
		{"FIPS beside others", elb.ALB, fips, policy.ByName("TLS13-1-2-2021-06"), policy.ByName("TLS13-1-2-Res-FIPS-2023-04"), rsa, []string{"fips-mix"}, "8443 (ELBSecurityPolicy-TLS13-1-2-2021-06); the secure"},
		{"others beside FIPS", elb.ALB, fips, policy.ByName("2016-08"), policy.ByName("TLS13-1-2-Res-2021-06"), rsa, []string{"fips-mix"}, "9443"},
		{"an NLB has no such rule", elb.NLB, fips, policy.ByName("2016-08"), policy.ByName("TLS13-1-2-Res-2021-06"), rsa, nil, ""},
		{"old policy unknown", elb.ALB, &Reading{}, nil, policy.ByName("TLS13-1-2-2021-06"), rsa, []string{"policy-unknown"}, "the policy of today"},
		{"new policy unknown", elb.ALB, &Reading{}, policy.ByName("2016-08"), nil, rsa, []string{"policy-unknown"}, "took effect"},
		{"undocumented", elb.ALB, &Reading{}, policy.ByName("2016-08"), policy.ByName("TLS-1-0-2015-04"), rsa, []string{"weaker", "not-documented"}, "AWS may refuse"},
		{"RSA suites, ECDSA certificate", elb.Classic, &Reading{}, policy.ByName("classic/2016-08"), custom("Protocol-TLSv1.2\nECDHE-RSA-AES128-GCM-SHA256"), ecdsa, []string{"!certificate"}, "ECDSA certificates"},
		{"ECDSA suites, RSA certificate", elb.Classic, &Reading{}, policy.ByName("classic/2016-08"), custom("Protocol-TLSv1.2\nECDHE-ECDSA-AES128-GCM-SHA256"), rsa, []string{"!certificate"}, "RSA certificates"},
		{"one version without a suite", elb.Classic, &Reading{}, policy.ByName("classic/2016-08"), custom("Protocol-TLSv1.2\nProtocol-TLSv1.1\nECDHE-RSA-AES128-GCM-SHA256\nECDHE-ECDSA-AES128-SHA"), rsa, []string{"certificate"}, "TLSv1.1 could not be negotiated"},
		{"keys unknown", elb.Classic, &Reading{}, policy.ByName("classic/2016-08"), custom("Protocol-TLSv1.2\nECDHE-RSA-AES128-GCM-SHA256"), nil, []string{"certificate-unknown"}, "ECDSA certificates"},
	} {
		target := modernTarget(c.kind)
		target.Kind = c.kind
		p := &Plan{Listener: target, Had: c.now.State, Set: Setting{Policy: "new"}}
		p.Warn(c.now, c.from, c.to, c.id)
		var got []string
		var texts strings.Builder
		for _, w := range p.Warnings {
			id := w.ID
			if w.Severe {
				id = "!" + id
			}
			got = append(got, id)
			texts.WriteString(w.Text + "\n")
		}
		if !slices.Equal(got, c.want) || !strings.Contains(texts.String(), c.text) {
			t.Errorf("%s: %q, want %q with %q\n%s", c.name, got, c.want, c.text, &texts)
		}
		if (p.Severe() != nil) != strings.HasPrefix(strings.Join(c.want, " "), "!") {
			t.Errorf("%s: severe is %v", c.name, p.Severe())
		}
	}
}

func TestDifferences(t *testing.T) {
	was := classicReading().State
	for _, c := range []struct {
		change func(*State)
		want   string
	}{
		{func(*State) {}, ""},
		{func(s *State) { s.Policy = "new"; s.Policies = []string{"sticky", "new", "cookie"} }, "the security policy is new, not ours"},
		{func(s *State) { s.Policies = []string{"ours"} }, "the list of the listener's other policies is none, not sticky, cookie"},
		{func(s *State) { s.Policies = []string{"cookie", "ours", "sticky"} }, ""},
		{func(s *State) { s.Attributes = []string{"AES128-SHA"} }, "the content of ours is AES128-SHA, not AES128-SHA, Protocol-TLSv1"},
		{func(s *State) { s.Certificates = []string{"d"} }, "the list of certificates is d, not c"},
		{func(s *State) { s.Protocol = "SSL" }, "the protocol is SSL, not HTTPS"},
	} {
		now := classicReading().State
		c.change(&now)
		if got := strings.Join(was.Differences(&now), "; "); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	a, b := State{Certificates: []string{"1", "2", "3"}}, State{Certificates: []string{"1", "3", "2"}}
	if l := a.Differences(&b); l != nil {
		t.Errorf("certificates beside the default one have no order: %q", l)
	}
	if b.Certificates = []string{"2", "1", "3"}; a.Differences(&b) == nil {
		t.Error("another default certificate is a difference")
	}
}

func FuzzReadPlan(f *testing.F) {
	for _, w := range []Wish{{Reference: "ELBSecurityPolicy-2016-08"}, {Attributes: []string{"AES128-SHA", "Protocol-TLSv1"}}} {
		b, err := json.Marshal(NewPlan(classicTarget(), classicReading(), w, noon))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	b, _ := json.Marshal(NewPlan(modernTarget(elb.ALB), &Reading{State: State{Protocol: "HTTPS", Policy: "ELBSecurityPolicy-2016-08"}}, Wish{Policy: "ELBSecurityPolicy-TLS13-1-2-2021-06"}, noon))
	f.Add(b)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ReadPlan(data)
		if err != nil {
			return
		}
		if p.ID != p.digest() || p.Listener.Region == "" || p.Set.Policy == "" {
			t.Errorf("taken: %+v", p)
		}
	})
}
