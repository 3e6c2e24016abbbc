package audit

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/aws/declared"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

func require(t *testing.T, words ...string) *Requirement {
	t.Helper()
	r, err := Parse(words, policy.Find)
	if err != nil {
		t.Fatal(err)
	}
	return &r
}

// TestLevels says of every level which of AWS's policies meet it.
func TestLevels(t *testing.T) {
	meets := func(words ...string) []string {
		var l []string
		for _, p := range slices.Concat(policy.InFamily(policy.AWS), policy.InFamily(policy.Classic)) {
			r := require(t, words...)
			if policy.Selectable(p) && !strings.Contains(p.Name, "FIPS") && len(r.Misses(p)) == 0 {
				l = append(l, strings.TrimPrefix(string(p.Family), "aws-")+":"+strings.TrimPrefix(p.Name, "ELBSecurityPolicy-"))
			}
		}
		return l
	}
	res := []string{"elb:TLS13-1-3-2021-06", "elb:TLS13-1-3-PQ-2025-09", "elb:TLS13-1-2-Res-2021-06", "elb:TLS13-1-2-Res-PQ-2025-09", "elb:FS-1-2-Res-2020-10"}
	for _, c := range []struct {
		words []string
		want  []string
	}{
		{[]string{"tls1.3"}, []string{"elb:TLS13-1-3-2021-06", "elb:TLS13-1-3-PQ-2025-09"}},
		{[]string{"modern"}, []string{"elb:TLS13-1-3-2021-06", "elb:TLS13-1-3-PQ-2025-09"}},
		{[]string{"intermediate"}, res},
		{[]string{"no-weak"}, res},
		{[]string{"TLS13-1-2-Res-2021-06"}, res},
		{[]string{"pq", "intermediate"}, []string{"elb:TLS13-1-3-PQ-2025-09", "elb:TLS13-1-2-Res-PQ-2025-09"}},
		{[]string{"tls1.2", "forward-secrecy"}, []string{"elb:TLS13-1-3-2021-06", "elb:TLS13-1-3-PQ-2025-09", "elb:TLS13-1-2-Res-2021-06", "elb:TLS13-1-2-Res-PQ-2025-09",
			"elb:TLS13-1-2-2021-06", "elb:TLS13-1-2-PQ-2025-09", "elb:FS-1-2-Res-2020-10", "elb:FS-1-2-Res-2019-08", "elb:FS-1-2-2019-08"}},
		{[]string{"classic/TLS-1-2-2017-01", "offers-tls1.3"}, nil},
	} {
		got := meets(c.words...)
		slices.Sort(got)
		slices.Sort(c.want)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%v (-want +got):\n%s", c.words, d)
		}
	}
	if got := meets("tls1.2"); slices.ContainsFunc(got, func(n string) bool {
		return !policy.ByName(n).Accepts(suite.TLS12) && !policy.ByName(n).Accepts(suite.TLS13)
	}) || len(got) < 12 {
		t.Errorf("tls1.2 is met by %v", got)
	}
	fips := require(t, "fips")
	for _, p := range policy.InFamily(policy.AWS) {
		if got, want := len(fips.Misses(p)) == 0, strings.Contains(p.Name, "FIPS") || strings.Contains(p.Name, "CNSA2"); got != want {
			t.Errorf("fips and %s: %v", p.Name, got)
		}
	}
}

// TestItself holds for every policy: it meets the requirement that is itself, and what Compare finds added to it is what another misses.
func TestItself(t *testing.T) {
	for _, p := range policy.All() {
		r := Requirement{Terms: []Term{{Name: p.Name, Beyond: p}}}
		if l := r.Misses(p); len(l) > 0 {
			t.Errorf("%s falls short of itself: %+v", p.Name, l)
		}
		for _, q := range policy.All() {
			d := policy.Compare(p, q)
			if added := len(d.AddedVersions)+len(d.AddedSuites) > 0; !added && len(r.Misses(q)) > 0 {
				t.Errorf("%s adds nothing to %s, but: %+v", q.Name, p.Name, r.Misses(q))
			}
			if len(d.AddedVersions) > 0 && len(r.Misses(q)) == 0 {
				t.Errorf("%s adds %v to %s, and meets it", q.Name, d.AddedVersions, p.Name)
			}
		}
	}
}

func TestParse(t *testing.T) {
	for words, want := range map[string]string{"": "names nothing", "tls1.4": "neither a level (tls1.2, ", "TLS13-1-2-2021-6": "did you mean"} {
		_, err := Parse(strings.Fields(words), policy.Find)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", words, err, want)
		}
	}
}

func TestJudge(t *testing.T) {
	custom, err := policy.ClassicCustom("ours", []policy.AttributeValue{{AttributeName: "Protocol-TLSv1.2", AttributeValue: "true"}, {AttributeName: "Protocol-TLSv1", AttributeValue: "true"},
		{AttributeName: "ECDHE-RSA-AES128-GCM-SHA256", AttributeValue: "true"}, {AttributeName: "AES128-SHA", AttributeValue: "true"}})
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string, l declared.Listener) Subject {
		l.Resource, l.At = name, declared.Position{File: "main.tf", Line: 1, Column: 1}
		return Declared(&l)
	}
	live := elb.Listener{Kind: elb.ALB, LoadBalancer: "shop", ARN: "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/1/2", Port: 443, Protocol: "HTTPS",
		Policy: "ELBSecurityPolicy-2016-08", Accepts: policy.ByName("2016-08")}
	subjects := []Subject{
		at("good", declared.Listener{Kind: elb.NLB, Protocol: "TLS", Policy: "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"}),
		Live(&live),
		at("fips", declared.Listener{Kind: elb.ALB, Protocol: "HTTPS", Policy: "ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04"}),
		at("classic", declared.Listener{Kind: elb.Classic, Protocol: "SSL", Policy: "ours", Accepts: custom}),
		at("variable", declared.Listener{Kind: elb.ALB, Protocol: "HTTPS", Unknown: "set by var.policy"}),
		at("misspelt", declared.Listener{Kind: elb.ALB, Protocol: "HTTPS", Policy: "ELBSecurityPolicy-TLS13-1-2-2021-60"}),
		at("case", declared.Listener{Kind: elb.ALB, Protocol: "HTTPS", Policy: "ELBSecurityPolicy-tls13-1-2-2021-06"}),
		at("wrong kind", declared.Listener{Kind: elb.Classic, Protocol: "HTTPS", Policy: "ELBSecurityPolicy-TLS13-1-2-2021-06"}),
		at("http", declared.Listener{Kind: elb.ALB, Protocol: "HTTP"}),
		at("redirect", declared.Listener{Kind: elb.ALB, Protocol: "HTTP", Redirects: true}),
		at("tcp", declared.Listener{Kind: elb.NLB, Protocol: "TCP"}),
	}
	now := time.Date(2026, 11, 20, 23, 0, 0, 0, time.UTC)
	waivers, err := ParseWaivers("# for the old tills\nclassic 2026-11-20 tills until they are replaced\nmain.tf:misspelt 2026-11-19\narn:*:listener/app/shop/* 2026-01-31 ended\nnobody 2027-01-01\n")
	if err != nil {
		t.Fatal(err)
	}
	r := require(t, "tls1.2", "forward-secrecy")
	report := Judge(subjects, r, Options{Plaintext: true, Waivers: waivers, Now: now})
	type line struct {
		Name      string
		Status    Status
		Suggested string
		Missing   int
		Reason    string
	}
	var got []line
	for _, j := range report.Judgements {
		got = append(got, line{j.Short(), j.Status, j.Suggested, len(j.Shortfalls), j.Reason})
	}
	want := []line{
		{"shop", Below, "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09", 8, ""},
		{"fips", Below, "ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-PQ-2025-09", 8, ""},
		{"http", Plaintext, "", 0, "takes HTTP without TLS"},
		{"variable", Unknown, "", 0, "set by var.policy"},
		{"misspelt", Unknown, "", 0, `no policy "ELBSecurityPolicy-TLS13-1-2-2021-60" is known: misspelt, or newer than parley's table (parley policy check-upstream tells)`},
		{"case", Unknown, "", 0, `no policy "ELBSecurityPolicy-tls13-1-2-2021-06" is known: is ELBSecurityPolicy-TLS13-1-2-2021-06 meant?`},
		{"wrong kind", Unknown, "", 0, "ELBSecurityPolicy-TLS13-1-2-2021-06 is a policy of AWS Application and Network Load Balancer, and cannot be set here"},
		{"classic", Waived, "", 2, "no predefined policy for Classic Load Balancers meets it: make a custom one, or move to an ALB or NLB"},
		{"good", Meets, "", 0, ""},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if report.Plain != 2 || len(report.Unused) != 1 || report.Exit(false) != 1 {
		t.Errorf("%d without TLS, %d unused waivers, exit %d", report.Plain, len(report.Unused), report.Exit(false))
	}
	if w := report.Judgements[0].Waiver; w == nil || w.Reason != "ended" {
		t.Errorf("the waiver that ended is %+v", w)
	}
	for _, c := range []struct {
		subjects   []Subject
		incomplete bool
		want       int
	}{{subjects[:1], false, 0}, {subjects[:1], true, 3}, {subjects[4:5], false, 3}, {subjects[1:2], true, 1}, {nil, false, 0}} {
		if got := Judge(c.subjects, r, Options{Now: now}).Exit(c.incomplete); got != c.want {
			t.Errorf("exit %d, want %d", got, c.want)
		}
	}
}

func TestWaiverErrors(t *testing.T) {
	for text, want := range map[string]string{"x": "line 1: want a pattern", "\nx 31.1.2027 why": `line 2: "31.1.2027" is no day`} {
		if _, err := ParseWaivers(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzWaivers(f *testing.F) {
	f.Add("a*b 2027-01-01 reason # comment\n", "axxb")
	f.Fuzz(func(t *testing.T, text, name string) {
		l, err := ParseWaivers(text)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("no line: %q", err)
		}
		for _, w := range l {
			w.names(&Subject{Name: name})
			if s := (Subject{Name: strings.ReplaceAll(w.Listener, "*", "")}); !w.names(&s) {
				t.Fatalf("%q does not match itself", w.Listener)
			}
		}
	})
}
