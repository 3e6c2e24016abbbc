package inspect

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/vuln"
)

// reportOf is the report of an endpoint that runs a policy to the letter.
func reportOf(t *testing.T, name string, key policy.KeyType, bits int) *Report {
	t.Helper()
	p, err := policy.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	r := NewReport(Target{Name: name}, Full, time.Now())
	r.Reached = true
	for _, v := range suite.Versions {
		if !p.Accepts(v) {
			r.Protocols = append(r.Protocols, Protocol{v, No})
			continue
		}
		r.Protocols = append(r.Protocols, Protocol{v, Yes})
		l := CipherList{Version: v, Order: p.Order, Sorted: p.Order == policy.ServerOrder}
		for _, c := range p.SuitesFor(v) {
			if suite.ByCode(c).UsableIn(v) {
				l.Ciphers = append(l.Ciphers, describeCipher(c, exchange{}))
			}
		}
		r.Ciphers = slices.Insert(r.Ciphers, 0, l)
	}
	c := scan.CertificateReport{}
	c.Subject, c.KeyType, c.KeyBits, c.SHA256, c.DaysLeft = "CN=lb.example.com", key, bits, "00", 30
	r.Certificates = []scan.CertificateReport{c}
	return r
}

func TestJudgePolicies(t *testing.T) {
	for _, c := range []struct {
		policy string
		key    policy.KeyType
		want   Level
		found  string // in a deduction of the nearest level that is missed
	}{
		{"Mozilla-modern-6.0", policy.ECDSA, Modern, ""},
		{"Mozilla-modern-6.0", policy.RSA, Intermediate, "no ECDSA certificate"},
		{"Mozilla-intermediate-6.0", policy.ECDSA, Intermediate, "TLSv1.2 is accepted"},
		{"Mozilla-old-5.8", policy.RSA, Old, "TLSv1.0 is accepted"},
		{"Mozilla-intermediate-5.7", policy.RSA, NoLevel, "DHE-RSA-AES128-GCM-SHA256"},
		{"ELBSecurityPolicy-TLS13-1-2-Res-2021-06", policy.RSA, Intermediate, "TLSv1.2 is accepted"},
		{"ELBSecurityPolicy-TLS13-1-2-2021-06", policy.RSA, Old, "ECDHE-RSA-AES128-SHA256"},
		{"ELBSecurityPolicy-TLS13-1-3-2021-06", policy.ECDSA, Modern, ""},
	} {
		g := Judge(reportOf(t, c.policy, c.key, 2048))
		var found string
		if len(g.Missed) > 0 {
			for _, d := range g.Missed[0].Deductions {
				found += d.Found + "\n"
			}
		}
		if g.Level != c.want || !strings.Contains(found, c.found) || (len(g.Missed) == 0) != (c.want == Modern) {
			t.Errorf("%s with %s: %s, want %s; deductions %q, want %q", c.policy, c.key, g.Level, c.want, found, c.found)
		}
	}
}

func TestJudgeCertificatesAndGroups(t *testing.T) {
	for id, want := range map[string]Level{"weak-certificate-key": NoLevel, "certificate-expired": NoLevel, "certificate-untrusted": Modern, "certificate-name-mismatch": Modern} {
		r := reportOf(t, "Mozilla-modern-6.0", policy.ECDSA, 256)
		r.Certificates[0].Verdict.Reasons = []scan.CertificateReason{{ID: id, Severity: scan.Bad, Summary: "x"}}
		if g := Judge(r); g.Level != want {
			t.Errorf("%s: %s, want %s", id, g.Level, want)
		}
	}
	r := reportOf(t, "Mozilla-modern-6.0", policy.ECDSA, 256)
	r.Groups = []GroupList{{Version: suite.TLS13, Groups: []Group{{suite.Secp521r1, 521, suite.Secure}}}}
	if g := Judge(r); g.Level != Modern || len(g.Notes) != 1 {
		t.Errorf("a strong group that is not listed: %+v", g)
	}
	r.Groups[0].Groups[0].Strength = suite.Weak
	if g := Judge(r); g.Level != NoLevel {
		t.Errorf("a weak group: %s", g.Level)
	}
}

// TestJudgeFlaws: what was proved by how an endpoint behaves stands in the way of every level, and slight flaws are noted.
func TestJudgeFlaws(t *testing.T) {
	for _, c := range []struct {
		finding vuln.Finding
		want    Level
		note    bool
	}{
		{vuln.Finding{ID: "heartbleed", Verdict: vuln.Vulnerable, Severity: vuln.Critical}, NoLevel, false},
		{vuln.Finding{ID: "robot", Verdict: vuln.Vulnerable, Severity: vuln.High}, NoLevel, false},
		{vuln.Finding{ID: "robot", Verdict: vuln.Unsure, Severity: vuln.High}, Modern, false},
		{vuln.Finding{ID: "sweet32", Verdict: vuln.Vulnerable, Severity: vuln.Medium}, Modern, false}, // by the suites
		{vuln.Finding{ID: "raccoon", Verdict: vuln.Vulnerable, Severity: vuln.Low}, Modern, true},
	} {
		r := reportOf(t, "Mozilla-modern-6.0", policy.ECDSA, 256)
		r.Vulnerabilities = []vuln.Finding{c.finding}
		if g := Judge(r); g.Level != c.want || len(g.Notes) > 0 != c.note {
			t.Errorf("%+v: %s, notes %q", c.finding, g.Level, g.Notes)
		}
	}
}

// TestFlawChanges: each is for a check that there is.
func TestFlawChanges(t *testing.T) {
	ids := make(map[string]bool)
	for _, f := range vuln.Check(t.Context(), &probe.Prober{}, probe.Target{Address: "127.0.0.1:1"}, &scan.Result{Seen: &scan.Endpoint{}}, vuln.Options{}) {
		ids[f.ID] = true
	}
	for id := range flawChanges {
		if !ids[id] {
			t.Errorf("no check has the id %s", id)
		}
	}
}

func TestEveryLevelHasAGuideline(t *testing.T) {
	for l, want := range map[Level]string{Modern: "Mozilla-modern-6.0", Intermediate: "Mozilla-intermediate-6.0", Old: "Mozilla-old-5.8"} {
		if p := guideline(l); p == nil || p.Name != want {
			t.Errorf("%s: %v, want %s", l, p, want)
		}
	}
}
