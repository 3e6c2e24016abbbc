package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-tls/parley/elbapi/store"
	"github.com/parley-tls/parley/simulate"
	"github.com/parley-tls/parley/testbed"
)

// TestRefused: what makes no sense is refused before anything is changed.
func TestRefused(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t, nil)
	for _, c := range []struct {
		code    int
		pattern string
		args    []string
	}{
		{2, "shop has no TLS listener on port 80: it has listeners on", []string{"shop:80", "2016-08"}},
		{2, "edge has no TLS listener on port 80", []string{"edge:80", "2016-08"}},
		{2, "shop means 2 listeners: name one of", []string{"shop", "2016-08"}},
		{2, "no load balancer nowhere in eu-west-1", []string{"nowhere:443", "2016-08"}},
		{2, "ELBSecurityPolicy-TLS13-1-2-2021-06 is a policy of ALB and NLB: a Classic Load Balancer has neither it nor any TLS 1.3", []string{"legacy:443", "TLS13-1-2-2021-06"}},
		{2, "is a policy of Classic Load Balancers: an ALB does not have it", []string{"shop:443", "ELBSecurityPolicy-2014-01"}},
		{2, `unknown policy "aws-elb/TLS13-1-2-2021-07": did you mean .*, and neither does eu-west-1 offer it`, []string{"shop:443", "TLS13-1-2-2021-07"}},
		{2, "sticky is a policy of the type LBCookieStickinessPolicyType", []string{"legacy:443", "sticky"}},
		{2, "name the policy to set", []string{"shop:443"}},
		{2, "no-such-file", []string{"shop:443", "2016-08", "no-such-file"}},
		{1, "FIPS policies or none.*|fips", []string{"shop:443", "TLS13-1-2-Res-FIPS-2023-04"}},
	} {
		a.expect(c.code, c.pattern, append(append([]string{"set-policy"}, c.args...), "--yes", noProof)...)
	}
	a.expect(0, `(?s)warning +ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04 is a FIPS policy, and this ALB's\s+other\s+listeners`, "set-policy", "shop:443", "TLS13-1-2-Res-FIPS-2023-04", "--dry-run")
	a.wantHas("shop", 443, "ELBSecurityPolicy-2016-08")
	a.wantHas("legacy", 443, "sticky", "ours")
	out := a.expect(0, "not-applied.*FIPS", "journal")
	if n := strings.Count(out, "\n"); n != 2 {
		t.Errorf("%d lines, want one change:\n%s", n, out)
	}
}

// TestPlanFile: a plan is made, reviewed as a file and carried out; not if it is stale, edited or another account's.
func TestPlanFile(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t, nil)
	dir := t.TempDir()
	plans := map[string]string{}
	for _, lb := range []string{"shop", "edge", "legacy"} {
		plans[lb] = filepath.Join(dir, lb+".json")
		p := "TLS13-1-2-2021-06"
		if lb == "legacy" {
			p = "TLS-1-2-2017-01"
		}
		a.expect(0, "nothing was changed; to make the change: parley aws apply", "set-policy", lb+":443", p, "--plan", plans[lb])
	}
	a.wantHas("shop", 443, "ELBSecurityPolicy-2016-08")
	b, err := os.ReadFile(plans["shop"])
	if err != nil {
		t.Fatal(err)
	}
	edited := filepath.Join(dir, "edited.json")
	if err := os.WriteFile(edited, bytes.Replace(b, []byte("TLS13-1-2-2021-06"), []byte("TLS13-1-0-2021-06"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	a.expect(2, "edited.json: it was edited after it was made", "apply", edited, "--yes")
	a.expect(2, "not the JSON of a plan", "apply", "testdata/hello-go.bin", "--yes")
	a.expect(0, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now", "apply", plans["shop"], "--yes", noProof)
	a.expect(0, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 already", "apply", plans["shop"], "--yes", noProof)

	a.balancer("edge", func(l *store.LoadBalancer) { l.Listeners[0].SSLPolicy = "ELBSecurityPolicy-2016-08" })
	a.expect(1, "edge:443 changed since the plan was made: the security policy is ELBSecurityPolicy-2016-08, not ELBSecurityPolicy-TLS-1-2-2017-01; nothing was changed, make a new plan", "apply", plans["edge"], "--yes")
	a.balancer("legacy", func(l *store.LoadBalancer) { l.Listeners[0].Policies = []string{"ours"} })
	a.expect(1, "legacy:443 changed since the plan was made: the list of the listener's other policies is none, not sticky; nothing was changed", "apply", plans["legacy"], "--yes")
	a.balancer("legacy", func(l *store.LoadBalancer) { l.Listeners[0].Policies = []string{"sticky", "ours"} })
	a.balancer("legacy", func(l *store.LoadBalancer) { l.Listeners = l.Listeners[1:] })
	a.expect(1, "legacy has no listener on port 443 any more: it was deleted; nothing was changed", "apply", plans["legacy"], "--yes")
	if n := a.calls("CreateLoadBalancerPolicy") + a.calls("SetLoadBalancerPoliciesOfListener"); n > 0 {
		t.Errorf("%d calls that change the Classic Load Balancer", n)
	}
	other, err := simulate.ReadState([]byte(`{"accounts": [{"id": "444455556666", "users": [{"name": "eve", "access_key_id": "other", "secret_access_key": "other"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.cloud.Add(other); err != nil {
		t.Fatal(err)
	}
	a.env = append(a.env, "AWS_ACCESS_KEY_ID=other", "AWS_SECRET_ACCESS_KEY=other")
	a.expect(2, "legacy:443 is of account 111122223333, and the credentials are of account 444455556666", "apply", plans["legacy"], "--yes")
}

// TestChangeDocuments validates real documents against the published schemas.
func TestChangeDocuments(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t, nil)
	for _, args := range [][]string{
		{"set-policy", "shop:443", "TLS13-1-2-2021-06", "testdata/logs", "testdata/hello-two.pcapng", "--dry-run", "--json"},
		{"set-policy", "shop:443", "TLS13-1-2-Res-FIPS-2023-04", "--dry-run", "--json"},
		{"set-policy", "edge:443", "ELBSecurityPolicy-2016-08", "--dry-run", "--json"},
		{"set-policy", "legacy:443", "TLS-1-2-2017-01", "--dry-run", "--json"},
	} {
		doc := validateAs(t, "aws-plan", a.expect(0, "parley/aws-plan/1", args...))
		if len(args) > 5 && doc["impact"] == nil || doc["change"] == nil {
			t.Errorf("%q: no consequences", args)
		}
	}
	plan := filepath.Join(t.TempDir(), "plan.json")
	a.expect(0, "breaks +[1-9]", "set-policy", "legacy:443", "TLS-1-2-2017-01", "testdata/logs/classic.log", "--plan", plan)
	b, err := os.ReadFile(plan)
	if err != nil {
		t.Fatal(err)
	}
	validateAs(t, "aws-plan", string(b))
	validateAs(t, "aws-change", a.expect(0, "applied", "apply", plan, "--yes", noProof, "--json"))
	validateAs(t, "aws-change", a.expect(0, "already", "apply", plan, "--yes", noProof, "--json"))
	validateAs(t, "aws-change", a.expect(3, "not-reachable", "undo", "--yes", "--connect", "127.0.0.1:1", "--json"))
	a.expect(0, "now", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
	validateAs(t, "aws-forgotten", a.expect(0, "parley/aws-forgotten/1", "undo", "--forget", "--json"))
	validateAs(t, "aws-journal", a.expect(0, "undone", "journal", "--json"))
	lines, err := os.ReadFile(a.journal)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(lines)) {
		validateAs(t, "aws-journal-entry", line)
		n++
	}
	if n < 15 {
		t.Errorf("%d lines", n)
	}
}

// TestChangeAsked: at a terminal the plan is shown and asked for.
func TestChangeAsked(t *testing.T) {
	t.Parallel()
	script := testbed.Need(t, "script") // of util-linux: runs a command at a terminal
	a := newAWSAccount(t, nil)
	ask := func(answer string) (string, int) {
		cmd := exec.Command(script, "-qec", a.program+" aws set-policy shop:443 TLS13-1-2-2021-06 --no-verify", os.DevNull)
		cmd.Env, cmd.Stdin = append(a.env, "TERM=dumb"), strings.NewReader(answer)
		out, err := cmd.Output()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	for answer, want := range map[string]string{"n\n": "nothing was changed", "\n": "nothing was changed", "what?\n": "nothing was changed"} {
		out, code := ask(answer)
		if code != 1 || !strings.Contains(out, want) || !strings.Contains(out, "Make this change? [y/N]") || !strings.Contains(out, "loses") {
			t.Errorf("%q: exit code %d\n%s", answer, code, out)
		}
	}
	a.wantHas("shop", 443, "ELBSecurityPolicy-2016-08")
	out, code := ask("y\n")
	if code != 0 || !strings.Contains(out, "setting ELBSecurityPolicy-TLS13-1-2-2021-06 on shop:443") || !strings.Contains(out, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	a.wantHas("shop", 443, "ELBSecurityPolicy-TLS13-1-2-2021-06")
}
