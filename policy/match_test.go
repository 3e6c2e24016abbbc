package policy

import (
	"slices"
	"testing"

	"github.com/parley-tls/parley/suite"
)

// seenAs is what a scan of an endpoint with policy p and these kinds of certificate would see, groups of
// all kinds asked for.
func seenAs(p *Policy, keys ...KeyType) (*Policy, View) {
	v := View{Keys: keys, Groups: []suite.Group{suite.X25519MLKEM768, suite.SecP256r1MLKEM768, suite.SecP384r1MLKEM1024}}
	o := &Policy{Family: Observed, Order: p.Order, Groups: p.Groups}
	for _, w := range p.Versions {
		if v.visibleVersion(p, w) {
			o.Versions = append(o.Versions, w)
		}
	}
	for _, c := range p.Suites {
		if v.visible(c) {
			o.Suites = append(o.Suites, c)
		}
	}
	return o, v
}

// selectable is the 46 policies that the identification classes in the facts are about: those of AWS's
// pages and TLS-1-0-2015-04.
func selectable() []*Policy {
	var l []*Policy
	for _, p := range InFamily(AWS) {
		if p.Status == "documented" || p.Status == "legacy-undocumented" {
			l = append(l, p)
		}
	}
	return l
}

// TestIdentificationClasses counts the classes of policies that the sets of versions, suites and
// post-quantum groups cannot tell apart.
func TestIdentificationClasses(t *testing.T) {
	for _, c := range []struct {
		name string
		keys []KeyType
		want int
	}{{"both", []KeyType{RSA, ECDSA}, 41}, {"RSA", []KeyType{RSA}, 41}, {"ECDSA", []KeyType{ECDSA}, 29}} {
		classes := map[string]bool{}
		for _, p := range selectable() {
			o, v := seenAs(p, c.keys...)
			names := ""
			found := false
			for _, m := range MatchPolicies(o, v, selectable(), 3) {
				if !m.Exact {
					t.Fatalf("%s with %s certificates is no exact match of itself: %+v", p.Name, c.name, m)
				}
				names += m.Policy.Name + " "
				found = found || m.Policy == p
			}
			if !found {
				t.Errorf("%s with %s certificates: matches %s", p.Name, c.name, names)
			}
			classes[names] = true
		}
		if len(classes) != c.want {
			t.Errorf("%s: %d classes, want %d", c.name, len(classes), c.want)
		}
	}
}

func TestNearestMatchNamesTheDifferences(t *testing.T) {
	p := *ByName("TLS-1-2-2017-01")
	p.Suites = slices.DeleteFunc(slices.Clone(p.Suites), func(c suite.Code) bool { return c == 0x009C })
	p.Suites = append(p.Suites, 0x0035)
	o, v := seenAs(&p, RSA)
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
