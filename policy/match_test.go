package policy

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-tls/parley/suite"
)

// seenAs is what a scan of an endpoint with policy p and these kinds of certificate would see. Groups in ask
// are asked for one by one; inOrder says whether the order of suites is found out.
func seenAs(p *Policy, ask []suite.Group, inOrder bool, keys ...KeyType) (*Policy, View) {
	v := View{Keys: keys, Groups: ask, Order: inOrder}
	return Visible(p, v), v
}

var pqGroups = []suite.Group{suite.X25519MLKEM768, suite.SecP256r1MLKEM768, suite.SecP384r1MLKEM1024}

// selectable is the 46 policies that the identification classes are about: those of AWS's pages and
// TLS-1-0-2015-04.
func selectable() []*Policy {
	var l []*Policy
	for _, p := range InFamily(AWS) {
		if p.Status == "documented" || p.Status == "legacy-undocumented" {
			l = append(l, p)
		}
	}
	return l
}

// classes puts policies that MatchPolicies cannot tell apart together; each class is the short names in the
// order of the data.
func classes(t *testing.T, ask []suite.Group, inOrder bool, keys ...KeyType) []string {
	var l []string
	for _, p := range selectable() {
		o, v := seenAs(p, ask, inOrder, keys...)
		var members []string
		matches := MatchPolicies(o, v, selectable(), 3)
		for _, m := range matches {
			if !m.Exact {
				t.Fatalf("%s with %v certificates is no exact match of itself: %+v", p.Name, keys, m)
			}
		}
		for _, q := range selectable() {
			if slices.ContainsFunc(matches, func(m Match) bool { return m.Policy == q }) {
				members = append(members, strings.TrimPrefix(q.Name, "ELBSecurityPolicy-"))
			}
		}
		class := strings.Join(members, " ")
		if !slices.Contains(members, strings.TrimPrefix(p.Name, "ELBSecurityPolicy-")) {
			t.Errorf("%s with %v certificates matches %s", p.Name, keys, class)
		}
		if !slices.Contains(l, class) {
			l = append(l, class)
		}
		if tell := TellApart(matches, v); (tell == "") != (len(matches) == 1) {
			t.Errorf("%s: %d matches, told apart by %q", p.Name, len(matches), tell)
		}
	}
	return l
}

// TestIdentificationClasses reproduces, class by class, which policies versions, suites and groups leave
// mixed; the file was worked out by another program from the same tables.
func TestIdentificationClasses(t *testing.T) {
	text, err := os.ReadFile("testdata/aws-elb-classes.txt")
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string][]KeyType{"both": {RSA, ECDSA}, "rsa": {RSA}, "ecdsa": {ECDSA}}
	var got []string
	mixed := func() {
		if len(got) > 0 {
			t.Errorf("classes that the file does not have: %q", got)
		}
	}
	views := 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line[0] == '#':
		case line[0] != ' ':
			mixed()
			views++
			view, count, _ := strings.Cut(line, " ")
			certs, _, _ := strings.Cut(view, "-cert")
			var ask []suite.Group
			if strings.HasSuffix(view, "+pq-groups") {
				ask = pqGroups
			}
			got = classes(t, ask, false, keys[certs]...)
			if strconv.Itoa(len(got)) != count {
				t.Errorf("%s: %d classes, want %s", view, len(got), count)
			}
			got = slices.DeleteFunc(got, func(c string) bool { return !strings.Contains(c, " ") })
		default:
			want := strings.TrimSpace(line)
			if i := slices.IndexFunc(got, func(c string) bool { return sameWords(c, want) }); i >= 0 {
				got = slices.Delete(got, i, i+1)
			} else {
				t.Errorf("no class %s in %q", want, got)
			}
		}
	}
	mixed()
	if views != 6 {
		t.Errorf("%d views, want 6", views)
	}
}

func sameWords(a, b string) bool { return sameSet(strings.Fields(a), strings.Fields(b)) }

// TestOrderTellsApart: with the order of suites known, RSA certificates or both kinds leave only 2016-08 and
// 2015-05 mixed; ECDSA alone leaves 32 classes.
func TestOrderTellsApart(t *testing.T) {
	for _, c := range []struct {
		keys  []KeyType
		want  int
		mixed []string
	}{
		{[]KeyType{RSA, ECDSA}, 45, []string{"2016-08 2015-05"}},
		{[]KeyType{RSA}, 45, []string{"2016-08 2015-05"}},
		{[]KeyType{ECDSA}, 32, nil},
	} {
		l := classes(t, pqGroups, true, c.keys...)
		if len(l) != c.want {
			t.Errorf("%v: %d classes, want %d", c.keys, len(l), c.want)
		}
		l = slices.DeleteFunc(l, func(s string) bool { return !strings.Contains(s, " ") })
		if c.mixed != nil && !slices.Equal(l, c.mixed) {
			t.Errorf("%v: mixed %q, want %q", c.keys, l, c.mixed)
		}
		for _, want := range []string{"FS-2018-06 2016-08 2015-05 TLS-1-0-2015-04", "TLS13-1-2-2021-06 TLS13-1-2-Ext1-2021-06"} {
			if c.mixed == nil && !slices.Contains(l, want) {
				t.Errorf("%v: no class %q in %q", c.keys, want, l)
			}
		}
	}
}

func TestTellApart(t *testing.T) {
	for _, c := range []struct {
		policy string
		ask    []suite.Group
		order  bool
		keys   []KeyType
		want   string
	}{
		{"2016-08", pqGroups, true, []KeyType{RSA}, "nothing from outside: only the API of the load balancer tells"},
		{"TLS13-1-2-2021-06", nil, true, []KeyType{RSA}, "offering only the groups X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024 in TLS 1.3"},
		{"TLS13-1-2-Res-FIPS-2023-04", pqGroups, false, []KeyType{RSA}, "the order of the suites"},
		{"TLS13-1-2-2021-06", pqGroups, true, []KeyType{ECDSA},
			"a certificate of another kind than ECDSA, which hides AES128-GCM-SHA256, AES128-SHA256, AES256-GCM-SHA384, 1 more; until then only the API of the load balancer tells"},
	} {
		o, v := seenAs(ByName(c.policy), c.ask, c.order, c.keys...)
		if got := TellApart(MatchPolicies(o, v, selectable(), 3), v); got != c.want {
			t.Errorf("%s %v: %q\nwant %q", c.policy, c.keys, got, c.want)
		}
	}
}

// TestDisputedOrder: where the sources dispute the order of two suites, both orders are the policy.
func TestDisputedOrder(t *testing.T) {
	o, v := seenAs(ByName("TLS13-1-0-2021-06"), pqGroups, true, RSA, ECDSA)
	i, j := slices.Index(o.Suites, 0xC014), slices.Index(o.Suites, 0xC00A)
	o.Suites[i], o.Suites[j] = o.Suites[j], o.Suites[i]
	if m := MatchPolicies(o, v, selectable(), 3); len(m) != 1 || !m[0].Exact {
		t.Errorf("the other order of the disputed pair: %+v", m)
	}
	o.Suites[i], o.Suites[0] = o.Suites[0], o.Suites[i]
	if m := MatchPolicies(o, v, selectable(), 1); m[0].Exact {
		t.Errorf("an order that no source has: %+v", m[0])
	}
}

// TestWhatWasNotAsked: a version, suite or group that was not asked for is no difference.
func TestWhatWasNotAsked(t *testing.T) {
	o, v := seenAs(ByName("2016-08"), nil, false, RSA)
	o.Versions = []suite.Version{suite.TLS12}
	if m := MatchPolicies(o, v, selectable(), 1); m[0].Policy.Name == "ELBSecurityPolicy-2016-08" {
		t.Errorf("without TLS 1.0 it is not 2016-08: %+v", m[0])
	}
	v.Versions = []suite.Version{suite.TLS12}
	got := MatchPolicies(o, v, selectable(), 1)
	if !slices.ContainsFunc(got, func(m Match) bool { return m.Policy == ByName("2016-08") && m.Exact }) {
		t.Errorf("TLS 1.2 alone was asked for: %+v", got)
	}
	o.Suites = []suite.Code{0xC02F}
	v.Suites = func(c suite.Code) bool { return c == 0xC02F }
	if got := MatchPolicies(o, v, selectable(), 1); len(got) < 10 {
		t.Errorf("one suite was asked for, but only %d policies match", len(got))
	}
}

// TestUnsureGroups: a group that is only inferred does not make a match inexact, but is named.
func TestUnsureGroups(t *testing.T) {
	o, v := seenAs(ByName("TLS13-1-2-2021-06"), append(pqGroups, suite.X25519, suite.Secp256r1, suite.Secp384r1), true, RSA)
	o.Groups = []suite.Group{suite.Secp256r1, suite.Secp384r1}
	if m := MatchPolicies(o, v, selectable(), 1); !m[0].Exact || !slices.Equal(m[0].Unsure, []string{"x25519 refused"}) {
		t.Errorf("%+v", m[0])
	}
}

// TestCustomClassicPolicy names the nearest predefined policy of a custom one, Classic's own first.
func TestCustomClassicPolicy(t *testing.T) {
	l, err := ParseClassicCustom([]byte("Protocol-TLSv1.2\nServer-Defined-Cipher-Order\nECDHE-RSA-AES128-GCM-SHA256\nAES128-SHA\n"))
	if err != nil {
		t.Fatal(err)
	}
	m := MatchPolicies(l[0], View{Family: Classic, Order: true}, All(), 3)
	if len(m) != 3 || m[0].Exact || m[0].Policy.Family != Classic || m[0].cost > m[1].cost {
		t.Errorf("%+v", m)
	}
}

func TestNearestMatchNamesTheDifferences(t *testing.T) {
	p := *ByName("TLS-1-2-2017-01")
	p.Suites = slices.DeleteFunc(slices.Clone(p.Suites), func(c suite.Code) bool { return c == 0x009C })
	p.Suites = append(p.Suites, 0x0035)
	o, v := seenAs(&p, pqGroups, true, RSA)
	m := MatchPolicies(o, v, InFamily(AWS), 1)
	if len(m) != 1 || m[0].Exact || m[0].Policy.Name != "ELBSecurityPolicy-TLS-1-2-2017-01" ||
		!slices.Equal(m[0].Missing, []string{"AES128-GCM-SHA256"}) || !slices.Equal(m[0].Extra, []string{"AES256-SHA"}) {
		t.Errorf("%+v", m)
	}
}

func TestStricter(t *testing.T) {
	order := []string{"TLS13-1-3-PQ-2025-09", "TLS13-1-2-Res-PQ-2025-09", "TLS13-1-2-Res-2021-06", "TLS13-1-2-2021-06", "TLS13-1-2-Ext2-2021-06", "TLS13-1-1-2021-06", "TLS13-1-0-2021-06"}
	for i := range order[1:] {
		if Stricter(ByName(order[i]), ByName(order[i+1])) >= 0 {
			t.Errorf("%s is not stricter than %s", order[i], order[i+1])
		}
	}
}

func TestWeakestSuite(t *testing.T) {
	for name, want := range map[string]string{"2016-08": "AES128-SHA", "TLS13-1-2-2021-06": "ECDHE-ECDSA-AES128-SHA256", "TLS13-1-3-2021-06": "TLS_AES_128_GCM_SHA256",
		"TLS-1-0-2015-04": "DES-CBC3-SHA", "classic/2015-05": "DES-CBC3-SHA"} {
		p := ByName(name)
		c, ok := WeakestSuite(p)
		if !ok || c.OpenSSL() != want || suite.StrengthOf(c) != Weakest(p) {
			t.Errorf("%s: %s, want %s", name, c.OpenSSL(), want)
		}
	}
	if c, ok := WeakestSuite(&Policy{}); ok {
		t.Errorf("a policy without suites has %s", c)
	}
}

// TestAlternatives: who has no need of FIPS is shown general policies first.
func TestAlternatives(t *testing.T) {
	for _, kind := range []Kind{General, FIPS, RFC9151} {
		l := Alternatives(AWS, kind)
		if len(l) != 45 {
			t.Errorf("%q: %d policies, want the 45 that AWS documents", kind, len(l))
		}
		if l[0].Kind != kind {
			t.Errorf("%q: %s comes first", kind, l[0].Name)
		}
		for i := range l[1:] {
			if l[i].Kind == l[i+1].Kind && Stricter(l[i], l[i+1]) > 0 {
				t.Errorf("%q: %s stands before %s", kind, l[i].Name, l[i+1].Name)
			}
		}
	}
	if got := Alternatives(AWS, General)[0].Name; got != "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09" {
		t.Errorf("strictest: %s", got)
	}
	for name, want := range map[string]string{"2016-08": "general", "TLS13-1-2-PQ-2025-09": "pq", "TLS13-1-2-FIPS-2023-04": "fips",
		"TLS13-1-2-FIPS-PQ-2025-09": "fips-pq", "TLS13-1-2-RFC9151-FIPS-2023-07": "rfc9151"} {
		if got := ByName(name).Variant(); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestStricterIsAnOrder: Stricter is antisymmetric and transitive, which sorting relies on.
func TestStricterIsAnOrder(t *testing.T) {
	all := append(slices.Clone(All()), &Policy{Name: "speaks no TLS"})
	order := make([][]int, len(all))
	for i, a := range all {
		for _, b := range all {
			order[i] = append(order[i], Stricter(a, b))
		}
	}
	for i, a := range all {
		for j, b := range all {
			if order[i][j] != -order[j][i] {
				t.Fatalf("%s and %s", a.Name, b.Name)
			}
			for k, c := range all {
				if order[i][j] <= 0 && order[j][k] <= 0 && order[i][k] > 0 {
					t.Fatalf("%s, %s, %s", a.Name, b.Name, c.Name)
				}
			}
		}
	}
}

func TestCompare(t *testing.T) {
	d := Compare(ByName("2016-08"), ByName("TLS13-1-2-2021-06"))
	if !slices.Equal(d.AddedVersions, []suite.Version{suite.TLS13}) || !slices.Equal(d.DroppedVersions, []suite.Version{suite.TLS10, suite.TLS11}) ||
		len(d.AddedSuites) != 3 || len(d.DroppedSuites) != 10 {
		t.Errorf("%+v", d)
	}
	if d := Compare(ByName("2016-08"), ByName("2015-05")); !d.Empty() {
		t.Errorf("equal policies differ: %+v", d)
	}
}
