package policy

import (
	"testing"

	"github.com/parley-tls/parley/suite"
)

// TestPredefinedPolicies validates every record: loading fails on names that package suite lacks.
func TestPredefinedPolicies(t *testing.T) {
	counts := map[Family]int{AWS: 50, Classic: 9, CloudFront: 9, Azure: 5, Google: 4, Mozilla: 8}
	for f, want := range counts {
		if got := len(InFamily(f)); got != want {
			t.Errorf("%s: %d policies, want %d", f, got, want)
		}
	}
	for _, p := range All() {
		if p.Confidence == "" || len(p.Sources) == 0 {
			t.Errorf("%s: no confidence or no source", p.Name)
		}
		seen := map[suite.Code]bool{}
		for _, c := range p.Suites {
			if seen[c] {
				t.Errorf("%s: %s twice", p.Name, c.OpenSSL())
			}
			seen[c] = true
			usable := false
			for _, v := range p.Versions {
				usable = usable || suite.ByCode(c).UsableIn(v)
			}
			if !usable {
				t.Errorf("%s: %s fits none of its versions", p.Name, c.OpenSSL())
			}
		}
	}
}

func TestNames(t *testing.T) {
	for name, family := range map[string]Family{
		"ELBSecurityPolicy-2016-08": AWS, "2016-08": AWS, "classic/2016-08": Classic, "aws-classic/elbsecuritypolicy-2016-08": Classic,
		"elbsecuritypolicy-tls13-1-2-2021-06": AWS, "CloudFront-TLSv1.2_2021": CloudFront, "mozilla-intermediate": Mozilla,
	} {
		if p := ByName(name); p == nil || p.Family != family {
			t.Errorf("ByName(%q) = %v, want one of %s", name, p, family)
		}
	}
	if _, err := Find("ELBSecurityPolicy-TLS13-1-2-2021-07"); err == nil || err.Error() != `unknown policy "ELBSecurityPolicy-TLS13-1-2-2021-07": did you mean ELBSecurityPolicy-TLS13-1-2-2021-06, ELBSecurityPolicy-TLS13-1-3-2021-06, ELBSecurityPolicy-TLS13-1-1-2021-06?` {
		t.Errorf("error for a near name: %v", err)
	}
}
