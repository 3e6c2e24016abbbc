package policy

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/parley-tls/parley/suite"
)

// TestPredefinedPolicies validates every record against package suite (loading fails on names that it lacks)
// and against the rest of the data.
func TestPredefinedPolicies(t *testing.T) {
	counts := map[Family]int{AWS: 50, Classic: 9, CloudFront: 9, Azure: 5, Google: 4, Mozilla: 8}
	total := 0
	for f, want := range counts {
		total += want
		if got := len(InFamily(f)); got != want {
			t.Errorf("%s: %d policies, want %d", f, got, want)
		}
	}
	if len(All()) != total {
		t.Errorf("%d policies, want %d", len(All()), total)
	}
	names := map[string]bool{}
	for _, p := range All() {
		if p.Confidence == "" || len(p.Sources) == 0 || p.Status == "" {
			t.Errorf("%s: confidence, source or status is missing", p.Name)
		}
		for _, s := range p.Sources {
			if DescribeSource(p.Family, s) == "" {
				t.Errorf("%s: source %q is not explained", p.Name, s)
			}
		}
		key := string(p.Family) + "/" + p.Name
		if names[key] {
			t.Errorf("%s twice", key)
		}
		names[key] = true
		if ByName(key) != p {
			t.Errorf("ByName(%q) is another policy", key)
		}
		if len(p.Groups) > 0 && p.Family == AWS && p.GroupsConf == "" {
			t.Errorf("%s: groups without confidence", p.Name)
		}
		for _, g := range p.Groups {
			if suite.GroupByCode(g) == nil {
				t.Errorf("%s: unknown group %s", p.Name, g)
			}
		}
		if err := p.check(); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		// TLS 1.3 suites come first, and every version has a suite of its own.
		old := false
		for _, c := range p.Suites {
			is13 := suite.ByCode(c).MaxVersion == suite.TLS13
			if is13 && old {
				t.Errorf("%s: %s stands behind older suites", p.Name, c.OpenSSL())
			}
			old = old || !is13
		}
		for _, v := range p.Versions {
			if !usableInOne(p.Suites, v) {
				t.Errorf("%s: no suite for %s", p.Name, v)
			}
		}
		if got := strings.Contains(p.Name, "PQ"); p.Family == AWS && got != PostQuantum(p) {
			t.Errorf("%s: post-quantum groups %v, name says %v", p.Name, PostQuantum(p), got)
		}
		if got := strings.Contains(p.Name, "FIPS"); p.Family == AWS && got != p.FIPS {
			t.Errorf("%s: FIPS %v, name says %v", p.Name, p.FIPS, got)
		}
	}
}

func usableInOne(l []suite.Code, v suite.Version) bool {
	for _, c := range l {
		if suite.ByCode(c).UsableIn(v) {
			return true
		}
	}
	return false
}

// TestShape compares the AWS policies with numbers that were taken from AWS's tables by another path.
func TestShape(t *testing.T) {
	text, err := os.ReadFile("testdata/aws-elb-shape.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if line[0] == '#' {
			continue
		}
		n++
		name := strings.Fields(line)[0]
		p := ByName(name)
		if p == nil {
			t.Errorf("no policy %s", name)
			continue
		}
		pq := 0
		for _, g := range p.Groups {
			if isPostQuantum(g) {
				pq++
			}
		}
		version := func(v suite.Version) string { return strings.TrimPrefix(v.String(), "TLSv") }
		got := fmt.Sprintf("%s %s %s %d %d %d %s\n", name, version(lowest(p)), version(highest(p)), len(p.Suites), pq, len(p.Groups)-pq, p.Status)
		if got != line {
			t.Errorf("got  %swant %s", got, line)
		}
	}
	if n != 50 {
		t.Errorf("%d names, want 50", n)
	}
}

// TestDefaults holds the defaults that AWS documents: another one for the console than for code.
func TestDefaults(t *testing.T) {
	for key, want := range map[string]string{
		"aws-elb console:application": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
		"aws-elb console:network":     "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
		"aws-elb api":                 "ELBSecurityPolicy-2016-08",
		"aws-elb cloudformation":      "ELBSecurityPolicy-2016-08",
		"aws-classic console":         "ELBSecurityPolicy-2016-08",
		"aws-classic api":             "ELBSecurityPolicy-2016-08",
		"gcp api":                     "GCP-COMPATIBLE",
	} {
		var got []string
		for _, p := range All() {
			for _, d := range p.DefaultFor {
				if string(p.Family)+" "+d == key {
					got = append(got, p.Name)
				}
			}
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("default %s: %v, want %s", key, got, want)
		}
	}
}

// TestClassicCounts holds the sizes of Classic's tables.
func TestClassicCounts(t *testing.T) {
	for name, want := range map[string]int{"2016-08": 18, "TLS-1-2-2017-01": 12, "TLS-1-1-2017-01": 18, "2015-05": 19, "2015-03": 21, "2015-02": 20, "2014-10": 22, "2014-01": 22, "2011-08": 8} {
		if p := ByName("classic/" + name); p == nil || len(p.Suites) != want {
			t.Errorf("%s: want %d suites: %+v", name, want, p)
		}
	}
}

func TestNames(t *testing.T) {
	for name, family := range map[string]Family{
		"ELBSecurityPolicy-2016-08": AWS, "2016-08": AWS, "classic/2016-08": Classic, "classic/ELBSecurityPolicy-2016-08": Classic,
		"aws-classic/elbsecuritypolicy-2016-08": Classic, "classic:2016-08": Classic, "aws-elb/2016-08": AWS, "2015-03": Classic,
		"elbsecuritypolicy-tls13-1-2-2021-06": AWS, "CloudFront-TLSv1.2_2021": CloudFront, "mozilla-intermediate": Mozilla,
	} {
		if p := ByName(name); p == nil || p.Family != family {
			t.Errorf("ByName(%q) = %v, want one of %s", name, p, family)
		}
	}
	if p := ByName("mozilla-intermediate"); p != ByName("Mozilla-intermediate-6.0") {
		t.Errorf("mozilla-intermediate is %s", p.Name)
	}
	for name, want := range map[string]string{
		"ELBSecurityPolicy-TLS13-1-2-2021-07": `unknown policy "ELBSecurityPolicy-TLS13-1-2-2021-07": did you mean ELBSecurityPolicy-TLS13-1-2-2021-06, `,
		"2016-09":                             `unknown policy "2016-09": did you mean ELBSecurityPolicy-2016-08, `,
		"classic/2016-09":                     `unknown policy "classic/2016-09": did you mean classic/ELBSecurityPolicy-2016-08, `,
		"zzz":                                 `unknown policy "zzz": see parley policy list`,
	} {
		if _, err := Find(name); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Find(%q): %v\nwant %s", name, err, want)
		}
	}
}
