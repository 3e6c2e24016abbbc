package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/simulate"
	"github.com/parley-tls/parley/testbed"
)

// changeable is an account with listeners to change: an ALB with two, an NLB, and a Classic Load Balancer with a policy of its own
// and stickiness, which another listener uses too.
const changeable = `{"accounts": [{"id": "111122223333", "users": [{"name": "ada", "access_key_id": "testing", "secret_access_key": "testing"},
    {"name": "reader", "access_key_id": "reading", "secret_access_key": "reading", "deny": ["elasticloadbalancing:Modify*", "elasticloadbalancing:Create*", "elasticloadbalancing:Set*", "elasticloadbalancing:Delete*"]}],
  "regions": {"eu-west-1": {"certificates": [
      {"CertificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/rsa", "DomainName": "shop.example.com", "Status": "ISSUED", "Type": "IMPORTED", "KeyAlgorithm": "RSA_2048"},
      {"CertificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/ec", "DomainName": "edge.example.com", "Status": "ISSUED", "Type": "IMPORTED", "KeyAlgorithm": "EC_prime256v1"}],
    "target_groups": [{"arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/tls/73e2d6bc24d8a067", "name": "tls", "protocol": "TCP", "port": 8080, "vpc": "vpc-0a000000000000001", "target_type": "ip"}],
    "load_balancers": [
      {"name": "shop", "type": "application", "listeners": [
        {"port": 443, "protocol": "HTTPS", "ssl_policy": "ELBSecurityPolicy-2016-08", "actions": [{"Type": "fixed-response", "Order": 1, "FixedResponseConfig": {"StatusCode": "200"}}],
          "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/rsa"]},
        {"port": 8443, "protocol": "HTTPS", "ssl_policy": "ELBSecurityPolicy-2016-08", "actions": [{"Type": "fixed-response", "Order": 1, "FixedResponseConfig": {"StatusCode": "200"}}],
          "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/rsa"]},
        {"port": 80, "protocol": "HTTP"}]},
      {"name": "edge", "type": "network", "listeners": [
        {"port": 443, "protocol": "TLS", "ssl_policy": "ELBSecurityPolicy-TLS-1-2-2017-01", "actions": [{"Type": "forward", "Order": 1, "TargetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/tls/73e2d6bc24d8a067"}],
          "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/ec"]}, {"port": 80, "protocol": "TCP"}]},
      {"name": "legacy", "type": "classic", "zones": [{"name": "eu-west-1a"}], "listeners": [
        {"port": 443, "protocol": "HTTPS", "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/rsa"], "policies": ["sticky", "ours"]},
        {"port": 8443, "protocol": "SSL", "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/rsa"], "policies": ["ELBSecurityPolicy-2016-08"]}],
        "classic": {"policies": [{"name": "ours", "type": "SSLNegotiationPolicyType", "attributes": [{"name": "Protocol-TLSv1", "value": "true"}, {"name": "Protocol-TLSv1.2", "value": "true"},
            {"name": "AES128-SHA", "value": "true"}, {"name": "ECDHE-RSA-AES128-GCM-SHA256", "value": "true"}, {"name": "Server-Defined-Cipher-Order", "value": "true"}]},
          {"name": "sticky", "type": "LBCookieStickinessPolicyType"}]}}]}}}]}`

// awsAccount is that account in a simulation, and Parley's own program set up for it.
type awsAccount struct {
	t       *testing.T
	cloud   *simulate.Cloud
	program string
	env     []string
	journal string
}

func newAWSAccount(t *testing.T, wrap func(http.Handler) http.Handler) *awsAccount {
	t.Helper()
	s, err := simulate.ReadState([]byte(changeable))
	if err != nil {
		t.Fatal(err)
	}
	cloud, err := simulate.New(s)
	if err != nil {
		t.Fatal(err)
	}
	var h http.Handler = cloud
	if wrap != nil {
		h = wrap(h)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.CloseClientConnections)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	a := &awsAccount{t: t, cloud: cloud, program: filepath.Join(dir, "parley"), journal: filepath.Join(dir, "state", "parley", "aws-journal.jsonl")}
	if err := os.Symlink(self, a.program); err != nil { // which testscript runs as parley where it is called so
		t.Fatal(err)
	}
	a.env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") }), "AWS_ENDPOINT_URL="+server.URL,
		"AWS_ACCESS_KEY_ID=testing", "AWS_SECRET_ACCESS_KEY=testing", "AWS_REGION=eu-west-1", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
		"AWS_EC2_METADATA_DISABLED=true", "XDG_STATE_HOME="+filepath.Join(dir, "state"), "HOME="+dir)
	return a
}

// parley runs the program.
func (a *awsAccount) parley(args ...string) (stdout, stderr string, code int) {
	a.t.Helper()
	cmd, out, errs := a.command(args...)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		a.t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func (a *awsAccount) command(args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	cmd = exec.Command(a.program, append([]string{"aws"}, args...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = a.env, stdout, stderr
	return cmd, stdout, stderr
}

// expect runs the program and checks its exit code and what it printed on both ways.
func (a *awsAccount) expect(code int, pattern string, args ...string) string {
	a.t.Helper()
	out, errs, got := a.parley(args...)
	if got != code || !regexp.MustCompile(pattern).MatchString(out+errs) {
		a.t.Errorf("parley aws %s: exit code %d, want %d and %s\n%s%s", strings.Join(args, " "), got, code, pattern, out, errs)
	}
	if strings.Contains(errs, "goroutine ") || code != 0 && strings.Count(strings.TrimSpace(errs), "\n") > 0 {
		a.t.Errorf("parley aws %s: more than one line:\n%s", strings.Join(args, " "), errs)
	}
	return out
}

// balancer looks into a load balancer.
func (a *awsAccount) balancer(name string, f func(*store.LoadBalancer)) {
	a.t.Helper()
	found := false
	err := a.cloud.LoadBalancing().Store().Update("111122223333", "eu-west-1", func(r *store.Region) error {
		for _, l := range r.LoadBalancers {
			if l.Name == name {
				found = true
				f(l)
			}
		}
		return nil
	})
	if err != nil || !found {
		a.t.Fatalf("load balancer %s: %v", name, err)
	}
}

// has are the policies of a listener.
func (a *awsAccount) has(name string, port int) (policies []string) {
	a.t.Helper()
	a.balancer(name, func(l *store.LoadBalancer) {
		for _, x := range l.Listeners {
			if x.Port == port && l.Type == store.Classic {
				policies = slices.Clone(x.Policies)
			} else if x.Port == port {
				policies = []string{x.SSLPolicy}
			}
		}
	})
	return policies
}

func (a *awsAccount) wantHas(name string, port int, patterns ...string) {
	a.t.Helper()
	got := a.has(name, port)
	if !regexp.MustCompile("^" + strings.Join(patterns, " ") + "$").MatchString(strings.Join(got, " ")) {
		a.t.Errorf("%s:%d has %q, want %q", name, port, got, patterns)
	}
}

// carries are the policies that Parley made on the Classic Load Balancer.
func (a *awsAccount) carries() (made []string) {
	a.balancer("legacy", func(l *store.LoadBalancer) {
		for _, p := range l.Classic.Policies {
			if strings.HasPrefix(p.Name, "parley-") {
				made = append(made, p.Name)
			}
		}
	})
	return made
}

func (a *awsAccount) calls(action string) int {
	return a.cloud.LoadBalancing().Log().Calls(elbapi.Kind{Region: "eu-west-1", Action: action})
}

// waitFor waits until something is so.
func (a *awsAccount) waitFor(what string, so func() bool) {
	a.t.Helper()
	for range 600 {
		if so() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	a.t.Fatalf("not within 30 s: %s", what)
}

const noProof = "--no-verify"

// parleys is the form of the names that Parley gives policies.
const parleys = `parley-TLS-1-2-2017-01-[0-9a-f]{6}`

// TestChangeAndUndo: each kind of load balancer, there and back, by the program.
func TestChangeAndUndo(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t, nil)
	a.expect(0, `(?s)shop:443, ALB HTTPS in eu-west-1, account 111122223333.*ELBSecurityPolicy-2016-08 -> ELBSecurityPolicy-TLS13-1-2-2021-06.*loses \d+, no-common-version`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--dry-run")
	a.wantHas("shop", 443, "ELBSecurityPolicy-2016-08")
	a.expect(2, "there is no terminal to ask on", "set-policy", "shop:443", "TLS13-1-2-2021-06")
	if n := a.calls("ModifyListener"); n > 0 {
		t.Fatalf("%d changes before one was wanted", n)
	}
	a.expect(0, `shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now .change [0-9a-f]{8}.`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
	a.wantHas("shop", 443, "ELBSecurityPolicy-TLS13-1-2-2021-06")
	a.wantHas("shop", 8443, "ELBSecurityPolicy-2016-08")
	a.expect(0, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 already", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
	a.expect(0, "edge:443 has ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09 now", "set-policy", "edge:443", "TLS13-1-2-Res-PQ-2025-09", "--yes", noProof)

	out := a.expect(0, `legacy:443 has `+parleys+` now`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
	if !strings.Contains(out, "left for undo: ours\n") {
		t.Errorf("what is left for undo is not said:\n%s", out)
	}
	a.wantHas("legacy", 443, "sticky", parleys)
	a.wantHas("legacy", 8443, "ELBSecurityPolicy-2016-08")
	// A second change makes no second policy of the same kind.
	a.expect(0, `legacy:8443 has `+parleys+` now`, "set-policy", "legacy:8443", "TLS-1-2-2017-01", "--yes", noProof)
	if n := len(a.carries()); n != 1 {
		t.Errorf("%d policies were made, want 1", n)
	}
	a.expect(0, `(?s)applied.*applied.*applied.*applied`, "journal")

	// Back, in any order. The policy goes when no listener needs it.
	a.expect(0, `(?s)legacy:443 has ours again.*kept the policy `+parleys+`: a listener of the load balancer uses it`, "undo", "legacy:443", "--yes", noProof)
	a.wantHas("legacy", 443, "sticky", "ours")
	a.expect(0, `(?s)legacy:8443 has ELBSecurityPolicy-2016-08 again.*deleted the policy `+parleys, "undo", "legacy:8443", "--yes", noProof)
	if l := a.carries(); len(l) > 0 {
		t.Errorf("left on the load balancer: %q", l)
	}
	a.expect(0, "edge:443 has ELBSecurityPolicy-TLS-1-2-2017-01 again", "undo", "--yes", noProof)
	a.expect(0, "shop:443 has ELBSecurityPolicy-2016-08 again", "undo", "--yes", noProof)
	a.expect(1, "no such change that could be undone", "undo", "--yes")

	// What was taken back can be set again by taking that back, with the policy made anew.
	var last string
	for _, line := range strings.Split(a.expect(0, "takes back", "journal", "legacy:443"), "\n") {
		if strings.Contains(line, "takes back") {
			last, _, _ = strings.Cut(line, " ")
		}
	}
	a.expect(0, `legacy:443 has `+parleys+` again`, "undo", last, "--yes", noProof)
	a.wantHas("legacy", 443, "sticky", parleys)
	a.expect(0, "is kept for good", "undo", last, "--forget")
	a.secretless()
}

// secretless: no credential is in the journal.
func (a *awsAccount) secretless() {
	a.t.Helper()
	b, err := os.ReadFile(a.journal)
	if err != nil {
		a.t.Fatal(err)
	}
	for _, v := range []string{"testing", "reading", "ecret", "oken"} {
		if bytes.Contains(b, []byte(v)) {
			a.t.Errorf("%q is in the journal", v)
		}
	}
}

func TestCustomAndForget(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t, nil)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.txt", "Protocol-TLSv1.2\nECDHE-RSA-AES256-GCM-SHA384\nServer-Defined-Cipher-Order\n")
	a.expect(0, `legacy:443 has parley-custom-[0-9a-f]{6} now`, "set-policy", "legacy:443", "--custom", good, "--yes", noProof)
	a.wantHas("legacy", 443, "sticky", "parley-custom-[0-9a-f]{6}")
	// Over it a predefined one: both are Parley's, and the first is kept for undo until it is forgotten.
	a.expect(0, `left for undo: parley-custom-`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
	if n := len(a.carries()); n != 2 {
		t.Errorf("%d policies, want 2", n)
	}
	a.expect(0, `(?s)is kept for good.*deleted the policy parley-custom-`, "undo", "--forget")
	a.wantHas("legacy", 443, "sticky", parleys)

	a.expect(1, `every handshake would fail: custom has no cipher suite that the listener's RSA certificates can serve; nothing was changed, --force`, "set-policy", "legacy:443",
		"--custom", file("ecdsa.txt", "Protocol-TLSv1.2\nECDHE-ECDSA-AES256-GCM-SHA384\n"), "--yes")
	a.expect(2, `--custom .*bad.txt: line 1: a Classic Load Balancer has no attribute`, "set-policy", "legacy:443", "--custom", file("bad.txt", "Protocol-TLSv1.3\n"), "--yes")
	a.expect(2, `--custom: an ALB has predefined policies only`, "set-policy", "shop:443", "--custom", good, "--yes")
	a.wantHas("legacy", 443, "sticky", parleys)
}

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

// TestThrottledAndDenied: throttling is waited for; what is refused is left as it was, and the exit code says which.
func TestThrottledAndDenied(t *testing.T) {
	t.Run("throttled for a while", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		for _, action := range []string{"DescribeListeners", "ModifyListener", "DescribeSSLPolicies"} {
			a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: action, Times: 2, Error: elbapi.Throttling()})
		}
		a.expect(0, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
	})
	t.Run("throttled for good", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		stop := a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: "ModifyListener", Error: elbapi.Throttling()})
		a.expect(1, "shop:443 has still ELBSecurityPolicy-2016-08: ModifyListener: Throttling: Rate exceeded", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
		stop()
		a.expect(0, "not-applied.*Throttling", "journal")
		a.expect(1, "no such change that could be undone", "undo", "--yes")
		a.wantHas("shop", 443, "ELBSecurityPolicy-2016-08")
	})
	t.Run("no right to change", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		a.env = append(a.env, "AWS_ACCESS_KEY_ID=reading", "AWS_SECRET_ACCESS_KEY=reading")
		a.expect(1, `shop:443 has still ELBSecurityPolicy-2016-08: ModifyListener: AccessDenied: User: .*user/reader is not authorized to perform: elasticloadbalancing:ModifyListener`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
		a.expect(1, `nothing was changed: CreateLoadBalancerPolicy: AccessDenied`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		a.wantHas("legacy", 443, "sticky", "ours")
		a.expect(0, `(?s)not-applied.*not-applied`, "journal")
	})
	t.Run("a right to make and none to set", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		stop := a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: "SetLoadBalancerPoliciesOfListener", Denied: true})
		out, errs, code := a.parley("set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		want := regexp.MustCompile(`legacy:443 has still ours: .*AccessDenied.*; the policy ` + parleys + `, which was made for it, is left and used by no listener: parley aws undo ([0-9a-f]{8}) removes it`)
		m := want.FindStringSubmatch(errs)
		if code != 1 || m == nil {
			t.Fatalf("exit code %d\n%s%s", code, out, errs)
		}
		stop()
		a.expect(0, `(?s)legacy:443 has ours again.*deleted the policy `+parleys, "undo", m[1], "--yes", noProof)
		if l := a.carries(); len(l) > 0 {
			t.Errorf("left: %q", l)
		}
		a.wantHas("legacy", 443, "sticky", "ours")
	})
	t.Run("no right to read", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: "DescribeListeners", Denied: true})
		a.expect(3, "DescribeListeners: AccessDenied", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
	})
	t.Run("no right to ask for policies", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: "DescribeSSLPolicies", Denied: true})
		a.expect(0, `(?s)warning +whether eu-west-1 offers ELBSecurityPolicy-TLS13-1-2-2021-06 could not be found out`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--dry-run")
	})
	t.Run("the right to read is lost in the midst of it", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		// Resolving, planning and the look before the change each ask once.
		stop := a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: "DescribeListeners", Skip: 3, Denied: true})
		a.expect(3, "AWS took the change, and what shop:443 has now could not be found out: .*AccessDenied.*; parley aws undo [0-9a-f]{8} takes it back", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
		stop()
		a.expect(0, "interrupted", "journal")
		a.expect(0, "shop:443 has ELBSecurityPolicy-2016-08 again", "undo", "--yes", noProof)
		a.wantHas("shop", 443, "ELBSecurityPolicy-2016-08")
	})
}

// TestAnswerLost: AWS does what it was asked for and the answer gets lost, once or for good, or is an error nevertheless.
func TestAnswerLost(t *testing.T) {
	lose := func(action string, times int32) func(http.Handler) http.Handler {
		var lost atomic.Int32
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				if !bytes.Contains(body, []byte("Action="+action)) || lost.Add(1) > times {
					next.ServeHTTP(w, r)
					return
				}
				next.ServeHTTP(httptest.NewRecorder(), r)
				panic(http.ErrAbortHandler) // closes the connection
			})
		}
	}
	for _, c := range []struct {
		action string
		times  int32
		args   []string
		want   string
	}{
		{"ModifyListener", 1, []string{"shop:443", "TLS13-1-2-2021-06"}, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now"},
		{"ModifyListener", 100, []string{"shop:443", "TLS13-1-2-2021-06"}, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now"},
		{"CreateLoadBalancerPolicy", 1, []string{"legacy:443", "TLS-1-2-2017-01"}, "legacy:443 has " + parleys + " now"},
		{"SetLoadBalancerPoliciesOfListener", 1, []string{"legacy:443", "TLS-1-2-2017-01"}, "legacy:443 has " + parleys + " now"},
	} {
		t.Run(c.action, func(t *testing.T) {
			t.Parallel()
			a := newAWSAccount(t, lose(c.action, c.times))
			a.expect(0, c.want, append(append([]string{"set-policy"}, c.args...), "--yes", noProof)...)
			a.expect(0, "applied", "journal")
			a.expect(0, "again", "undo", "--yes", noProof)
			a.wantHas("shop", 443, "ELBSecurityPolicy-2016-08")
			a.wantHas("legacy", 443, "sticky", "ours")
			if l := a.carries(); len(l) > 0 {
				t.Errorf("left: %q", l)
			}
		})
	}
	t.Run("an error though it was done", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: "ModifyListener", After: true, Error: &query.Error{Code: "InternalFailure", Message: "sorry", Status: 500}})
		a.expect(0, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
	})
}

// TestDeletedMeanwhile: the listener goes away between the plan and the change.
func TestDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	var a *awsAccount
	var once sync.Once
	a = newAWSAccount(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if bytes.Contains(body, []byte("Action=ModifyListener")) {
				once.Do(func() { a.balancer("shop", func(l *store.LoadBalancer) { l.Listeners = l.Listeners[1:] }) })
			}
			next.ServeHTTP(w, r)
		})
	})
	a.expect(1, `shop has no listener on port 443 any more: it was deleted`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
	a.expect(0, "not-applied", "journal")
}

// TestKilled: the program is killed between the two calls that a Classic Load Balancer needs. Both ways out lead out: to finish,
// and to undo.
func TestKilled(t *testing.T) {
	kill := func(t *testing.T, action string) *awsAccount {
		a := newAWSAccount(t, nil)
		stop := a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: action, Delay: time.Minute})
		cmd, _, _ := a.command("set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		a.waitFor("the intent to call "+action, func() bool {
			b, _ := os.ReadFile(a.journal)
			step := map[string]string{"CreateLoadBalancerPolicy": "create-policy", "SetLoadBalancerPoliciesOfListener": "set-policy"}[action]
			return bytes.Contains(b, []byte(`"step":"`+step+`","phase":"intent"`))
		})
		time.Sleep(200 * time.Millisecond) // the call is on its way
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		stop()
		a.wantHas("legacy", 443, "sticky", "ours")
		a.expect(0, "interrupted", "journal")
		return a
	}
	t.Run("between create and set, then finished", func(t *testing.T) {
		t.Parallel()
		a := kill(t, "SetLoadBalancerPoliciesOfListener")
		if n := len(a.carries()); n != 1 {
			t.Fatalf("%d policies, want 1", n)
		}
		a.expect(0, `legacy:443 has `+parleys+` now`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		a.wantHas("legacy", 443, "sticky", parleys)
		if n := len(a.carries()); n != 1 {
			t.Errorf("%d policies, want 1", n)
		}
		a.expect(0, `(?s)not-applied.*applied`, "journal")
		a.expect(0, `(?s)legacy:443 has ours again.*deleted the policy `+parleys, "undo", "--yes", noProof)
		if l := a.carries(); len(l) > 0 {
			t.Errorf("left: %q", l)
		}
	})
	t.Run("between create and set, then undone", func(t *testing.T) {
		t.Parallel()
		a := kill(t, "SetLoadBalancerPoliciesOfListener")
		a.expect(0, `(?s)deleted the policy `+parleys, "undo", "--yes", noProof)
		if l := a.carries(); len(l) > 0 {
			t.Errorf("left: %q", l)
		}
		a.wantHas("legacy", 443, "sticky", "ours")
		a.expect(0, `undone`, "journal")
		if n := a.calls("SetLoadBalancerPoliciesOfListener"); n > 1 {
			t.Errorf("%d calls that set policies, though nothing was to be set", n)
		}
	})
	t.Run("before create", func(t *testing.T) {
		t.Parallel()
		a := kill(t, "CreateLoadBalancerPolicy")
		a.expect(0, `legacy:443 has ours again`, "undo", "--yes", noProof)
		a.expect(0, `legacy:443 has `+parleys+` now`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
	})
	t.Run("with a torn line", func(t *testing.T) {
		t.Parallel()
		a := kill(t, "SetLoadBalancerPoliciesOfListener")
		b, err := os.ReadFile(a.journal)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(a.journal, b[:len(b)-30], 0o600); err != nil {
			t.Fatal(err)
		}
		a.expect(0, `(?s)warning: journal .*line 4 is not whole.*deleted the policy|deleted the policy.*(?s)warning: journal .*line 4 is not whole`, "undo", "--yes", noProof)
		a.wantHas("legacy", 443, "sticky", "ours")
		a.expect(0, "undone", "journal")
	})
}

// TestTwoOperators: another one changes the listener in the midst of it.
func TestTwoOperators(t *testing.T) {
	// meanwhile does something once, before or after the server does a call.
	meanwhile := func(t *testing.T, action string, after bool, f func(*store.LoadBalancer)) *awsAccount {
		var a *awsAccount
		var once sync.Once
		a = newAWSAccount(t, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				is := bytes.Contains(body, []byte("Action="+action+"&"))
				do := func() { once.Do(func() { a.balancer("legacy", f) }) }
				if is && !after {
					do()
				}
				next.ServeHTTP(w, r)
				if is && after {
					do()
				}
			})
		})
		return a
	}
	other := func(names ...string) func(*store.LoadBalancer) {
		return func(l *store.LoadBalancer) {
			l.Classic.Policies = append(l.Classic.Policies, store.ClassicPolicy{Name: "theirs", Type: "SSLNegotiationPolicyType",
				Attributes: []store.ClassicAttribute{{Name: "Protocol-TLSv1.2", Value: "true"}, {Name: "AES128-SHA", Value: "true"}}})
			l.Listeners[0].Policies = names
		}
	}
	t.Run("between plan and set", func(t *testing.T) {
		t.Parallel()
		a := meanwhile(t, "CreateLoadBalancerPolicy", true, other("sticky", "theirs"))
		a.expect(1, `legacy:443 changed since the plan was made: the security policy is theirs, not ours; nothing was changed, make a new plan; the policy `+parleys+`, which was made for it, is left`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		a.wantHas("legacy", 443, "sticky", "theirs")
	})
	t.Run("other policies between plan and set", func(t *testing.T) {
		t.Parallel()
		a := meanwhile(t, "CreateLoadBalancerPolicy", true, other("ours"))
		a.expect(1, `legacy:443 changed since the plan was made: the list of the listener's other policies is none, not sticky; nothing was changed`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		a.wantHas("legacy", 443, "ours")
	})
	t.Run("in the very moment", func(t *testing.T) {
		t.Parallel()
		a := meanwhile(t, "SetLoadBalancerPoliciesOfListener", false, other("sticky", "theirs"))
		a.expect(0, `warning: someone else made theirs on the load balancer meanwhile; if it was set on this listener too, that is overwritten`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		a.wantHas("legacy", 443, "sticky", parleys)
	})
	t.Run("right behind the set", func(t *testing.T) {
		t.Parallel()
		a := meanwhile(t, "SetLoadBalancerPoliciesOfListener", true, other("sticky", "theirs"))
		a.expect(1, `someone else changed legacy:443 at the same time: the security policy is theirs, not `+parleys+`; it was left so, and what was to be set is sticky, `+parleys, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		a.wantHas("legacy", 443, "sticky", "theirs")
	})
	t.Run("two of Parley, one journal", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		a.cloud.LoadBalancing().Inject(elbapi.Fault{Action: "SetLoadBalancerPoliciesOfListener", Times: 1, Delay: 3 * time.Second})
		first, out, errs := a.command("set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		if err := first.Start(); err != nil {
			t.Fatal(err)
		}
		a.waitFor("the first to be in the midst of it", func() bool { return a.calls("CreateLoadBalancerPolicy") > 0 })
		a.expect(1, "legacy:443 changed since the plan was made: the security policy is "+parleys+", not ours", "set-policy", "legacy:443", "TLS-1-1-2017-01", "--yes", noProof)
		if err := first.Wait(); err != nil {
			t.Errorf("the first: %v\n%s%s", err, out, errs)
		}
		a.wantHas("legacy", 443, "sticky", parleys)
	})
	t.Run("changed since, then undone by force", func(t *testing.T) {
		t.Parallel()
		a := newAWSAccount(t, nil)
		a.expect(0, "now", "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
		a.balancer("legacy", other("theirs"))
		a.expect(1, `legacy:443 changed since [0-9a-f]{8}: the security policy is theirs, not `+parleys+`; the list of the listener's other policies is none, not sticky; nothing was changed, --force sets ours nevertheless`, "undo", "--yes")
		a.wantHas("legacy", 443, "theirs")
		a.expect(0, "legacy:443 has ours again", "undo", "--yes", "--force", noProof)
		a.wantHas("legacy", 443, "ours")
	})
}

// following is the address of an endpoint that behaves as the policy that a listener has had for so long: two real servers behind
// one port.
func (a *awsAccount) following(name string, lag time.Duration, servers map[string]string) string {
	var mu sync.Mutex
	last, since := a.has(name, 443), time.Now().Add(-lag)
	serves := last
	return testbed.Listen(a.t, 0, func(c net.Conn) {
		mu.Lock()
		now := a.has(name, 443)
		if !slices.Equal(now, last) {
			last, since = now, time.Now()
		}
		if time.Since(since) >= lag {
			serves = last
		}
		upstream := ""
		for pattern, addr := range servers {
			if slices.ContainsFunc(serves, func(n string) bool { return strings.HasPrefix(n, pattern) }) {
				upstream = addr
			}
		}
		mu.Unlock()
		to, err := net.Dial("tcp", upstream)
		if err != nil {
			return
		}
		defer to.Close()
		go func() { io.Copy(to, c); to.(*net.TCPConn).CloseWrite() }()
		io.Copy(c, to)
	})
}

// TestProve: the change is proven at real servers that follow the API, slowly, or never, or cannot be reached.
func TestProve(t *testing.T) {
	server := func(p *policy.Policy) string {
		return testbed.Start(t, testbed.ForPolicy(p, testbed.Nginx).With(testbed.Make(t, testbed.RSA2048))).Addr
	}
	modern := map[string]string{"ELBSecurityPolicy-2016-08": server(policy.ByName("2016-08")), "ELBSecurityPolicy-TLS13-1-2-2021-06": server(policy.ByName("TLS13-1-2-2021-06"))}
	_, ours, _ := simulatedPolicy()
	classic := map[string]string{"ours": server(ours), "parley-TLS-1-2-2017-01": server(policy.ByName("classic/TLS-1-2-2017-01"))}
	t.Run("ALB", func(t *testing.T) {
		a := newAWSAccount(t, nil)
		at := a.following("shop", 3*time.Second, modern)
		out := a.expect(0, `"verdict": "proven"`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", "--connect", at, "--json")
		validateAs(t, "aws-change", out)
		a.expect(0, `proven: `+regexp.QuoteMeta(at)+` behaves as ELBSecurityPolicy-2016-08, seen after \d+s`, "undo", "--yes", "--connect", at)
		a.expect(0, "undone +proven +by [0-9a-f]{8}\n.* applied +proven +takes back", "journal")
		a.expect(0, "consistent: .* behaves as ELBSecurityPolicy-2015-05, which from outside does not differ", "set-policy", "shop:443", "2015-05", "--yes", "--connect", modern["ELBSecurityPolicy-2016-08"])
	})
	t.Run("Classic", func(t *testing.T) {
		a := newAWSAccount(t, nil)
		at := a.following("legacy", 3*time.Second, classic)
		a.expect(0, `proven: .* behaves as ELBSecurityPolicy-TLS-1-2-2017-01`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", "--connect", at)
		a.expect(0, `proven: .* behaves as ours`, "undo", "--yes", "--connect", at)
	})
	t.Run("still the old one", func(t *testing.T) {
		a := newAWSAccount(t, nil)
		a.expect(1, `(?s)still the old one: .* does not behave as ELBSecurityPolicy-TLS13-1-2-2021-06 after [34]s, though the API shows it.*lacks TLSv1.3.*to take it back: parley aws undo [0-9a-f]{8}`,
			"set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", "--wait", "3s", "--connect", modern["ELBSecurityPolicy-2016-08"])
	})
	t.Run("neither", func(t *testing.T) {
		a := newAWSAccount(t, nil)
		a.expect(1, `neither: .* behaves neither as`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", "--wait", "1s", "--connect", classic["ours"])
	})
	t.Run("not reachable", func(t *testing.T) {
		a := newAWSAccount(t, nil)
		out := a.expect(3, `not reachable from here: no connection to`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", "--connect", "127.0.0.1:1")
		if !strings.Contains(out, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now") {
			t.Errorf("that it was made is not said:\n%s", out)
		}
		a.expect(0, "applied +not-reachable", "journal")
	})
}

// simulatedPolicy is the Classic policy "ours" of the account.
func simulatedPolicy() (name string, p *policy.Policy, err error) {
	l, err := policy.ParseClassicCustom([]byte("Protocol-TLSv1\nProtocol-TLSv1.2\nAES128-SHA\nECDHE-RSA-AES128-GCM-SHA256\nServer-Defined-Cipher-Order\n"))
	if err != nil {
		return "", nil, err
	}
	return "ours", l[0], nil
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

// TestJournalLost: a journal that cannot be written stops a change before it is made; one that gets lost in the midst of it is said,
// with what the listener has.
func TestJournalLost(t *testing.T) {
	t.Parallel()
	var a *awsAccount
	lost := false
	a = newAWSAccount(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if bytes.Contains(body, []byte("Action=ModifyListener")) && lost {
				os.Remove(a.journal)
				os.Mkdir(a.journal, 0o700)
			}
			next.ServeHTTP(w, r)
		})
	})
	a.expect(2, "journal: ", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof, "--journal", t.TempDir())
	a.expect(2, "journal: ", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof, "--journal", filepath.Join(a.program, "journal"))
	if n := a.calls("ModifyListener"); n > 0 {
		t.Errorf("%d changes without a journal", n)
	}
	lost = true
	a.expect(3, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now, but the journal cannot be written", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
}

// TestKilledAnywhere kills the program at each of its calls to AWS, before the call takes effect or behind it, and then takes the
// change back, or makes it again and then takes it back. Whatever the place, the listener never loses another policy, and ends with
// what it had; nothing is left on the load balancer.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"undo", "again", "undo cut off"} {
		for _, behind := range []bool{false, true} {
			t.Run(way+map[bool]string{false: " before", true: " behind"}[behind], func(t *testing.T) {
				t.Parallel()
				n := 0
				for place := int32(1); killAt(t, way, behind, place); place++ {
					n++
				}
				if n < 8 {
					t.Errorf("%d places: too few calls to be true", n)
				}
			})
		}
	}
}

// killAt kills the program at its nth call of Elastic Load Balancing; false if it makes fewer.
func killAt(t *testing.T, way string, behind bool, nth int32) bool {
	var calls, at atomic.Int32
	var kill atomic.Pointer[os.Process]
	a := newAWSAccount(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			p := kill.Load()
			if p == nil || !bytes.Contains(body, []byte("LoadBalancer")) || calls.Add(1) != at.Load() {
				next.ServeHTTP(w, r)
				return
			}
			if behind {
				next.ServeHTTP(httptest.NewRecorder(), r)
			}
			p.Kill()
			<-r.Context().Done()
		})
	})
	cutOff := func(args ...string) bool {
		calls.Store(0)
		at.Store(nth)
		cmd, out, errs := a.command(args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill.Store(cmd.Process)
		err := cmd.Wait()
		kill.Store(nil)
		if err == nil {
			return false
		}
		if !strings.Contains(err.Error(), "killed") {
			t.Fatalf("call %d: %v\n%s%s", nth, err, out, errs)
		}
		return true
	}
	change := []string{"set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof}
	killed := false
	switch way {
	case "undo cut off":
		a.expect(0, "now", change...)
		killed = cutOff("undo", "--yes", noProof)
	default:
		killed = cutOff(change...)
	}
	if got := a.has("legacy", 443); len(got) != 2 || got[0] != "sticky" || got[1] != "ours" && !regexp.MustCompile(parleys).MatchString(got[1]) {
		t.Errorf("killed at call %d: the listener has %q", nth, got)
	}
	if !killed {
		return false
	}
	if way == "again" {
		a.expect(0, "has "+parleys+" (now|already)", change...)
		a.wantHas("legacy", 443, "sticky", parleys)
	}
	out, errs, code := a.parley("undo", "--yes", noProof)
	if code != 0 && !(code == 1 && strings.Contains(errs, "no such change that could be undone")) { // it had not begun, or was done
		t.Errorf("killed at call %d: exit code %d\n%s%s", nth, code, out, errs)
	}
	a.wantHas("legacy", 443, "sticky", "ours")
	if l := a.carries(); len(l) > 0 && !leftByJournal(a) {
		t.Errorf("killed at call %d: left on the load balancer: %q\n%s%s", nth, l, out, errs)
	}
	return true
}

// leftByJournal takes what a cut-off undo left on the load balancer away as a user would, by the ID.
func leftByJournal(a *awsAccount) bool {
	out, _, _ := a.parley("journal")
	for _, line := range strings.Split(out, "\n") {
		if strings.Contains(line, "undone") {
			id, _, _ := strings.Cut(line, " ")
			a.parley("undo", id, "--yes", noProof)
		}
	}
	return len(a.carries()) == 0
}

// TestRace: two operators with journals of their own change one listener at the same time, again and again. The other policies of
// the listener stay, and what an operator is told to have been done was done.
func TestRace(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t, nil)
	for round := range 8 {
		type result struct {
			code      int
			out, errs string
		}
		results := make([]result, 2)
		var wg sync.WaitGroup
		for i, p := range []string{"TLS-1-2-2017-01", "TLS-1-1-2017-01"} {
			wg.Go(func() {
				time.Sleep(time.Duration(i*round) * 10 * time.Millisecond)
				out, errs, code := a.parley("set-policy", "legacy:443", p, "--yes", noProof, "--journal", filepath.Join(filepath.Dir(a.program), p+".jsonl"))
				results[i] = result{code, out, errs}
			})
		}
		wg.Wait()
		got := a.has("legacy", 443)
		if len(got) != 2 || got[0] != "sticky" || !regexp.MustCompile(`parley-TLS-1-[12]-2017-01-[0-9a-f]{6}`).MatchString(got[1]) {
			t.Fatalf("round %d: the listener has %q; %+v", round, got, results)
		}
		for _, r := range results {
			if r.code > 1 || r.code == 1 && !strings.Contains(r.errs, "changed") {
				t.Errorf("round %d: %+v", round, r)
			}
		}
		if results[0].code != 0 && results[1].code != 0 {
			t.Errorf("round %d: neither was done, and the listener has %q: %+v", round, got, results)
		}
	}
}

// TestChangeByRole: a change that was made by a role in another account is taken back by that role, and its name is all that the journal
// has of it.
func TestChangeByRole(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t, nil)
	other, err := simulate.ReadState([]byte(`{"accounts": [{"id": "444455556666", "roles": [{"name": "deployer", "trusts": ["111122223333"]}], "regions": {"eu-north-1": {"load_balancers": [
		{"name": "legacy", "type": "classic", "zones": [{"name": "eu-north-1a"}], "listeners": [{"port": 443, "protocol": "SSL", "certificates": ["arn:aws:acm:eu-north-1:444455556666:certificate/1"], "policies": ["ELBSecurityPolicy-2016-08"]}],
		 "classic": {"policies": []}}]}}}]}`))
	if err == nil {
		err = a.cloud.Add(other)
	}
	if err != nil {
		t.Fatal(err)
	}
	const role = "arn:aws:iam::444455556666:role/deployer"
	a.expect(0, "legacy:443 has "+parleys+" now", "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof, "--role", role, "--region", "eu-north-1")
	a.wantHas("legacy", 443, "sticky", "ours") // of the own account
	out := a.expect(0, role, "journal", "--json")
	validateAs(t, "aws-journal", out)
	a.expect(2, "legacy:443 is in eu-north-1: leave --region and --all-regions out", "undo", "--yes", "--region", "eu-west-1")
	a.expect(0, `(?s)legacy:443 has ELBSecurityPolicy-2016-08 again.*deleted the policy`, "undo", "--yes", noProof)
	a.secretless()
}

// TestRemadePolicies: policies of a Classic Load Balancer cannot be changed, but deleted and made again by the same name. What a plan or
// the way back rests on is looked at, and not the name alone.
func TestRemadePolicies(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t, nil)
	remake := func(name string, attributes ...string) {
		a.balancer("legacy", func(l *store.LoadBalancer) {
			l.Classic.Policies = slices.DeleteFunc(l.Classic.Policies, func(p store.ClassicPolicy) bool { return p.Name == name })
			p := store.ClassicPolicy{Name: name, Type: "SSLNegotiationPolicyType"}
			for _, v := range attributes {
				p.Attributes = append(p.Attributes, store.ClassicAttribute{Name: v, Value: "true"})
			}
			if len(attributes) > 0 {
				l.Classic.Policies = append(l.Classic.Policies, p)
			}
		})
	}
	remake("spare", "Protocol-TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256")
	plan := filepath.Join(t.TempDir(), "plan.json")
	a.expect(0, "ours -> spare", "set-policy", "legacy:443", "spare", "--plan", plan)
	remake("spare", "Protocol-TLSv1.2", "AES128-SHA")
	a.expect(1, "changed since the plan was made: the load balancer's policy spare has another content; nothing was changed", "apply", plan, "--yes", noProof)
	remake("spare")
	a.expect(1, "changed since the plan was made: the load balancer has no policy spare any more; nothing was changed", "apply", plan, "--yes", noProof)
	remake("spare", "Protocol-TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256")
	a.expect(0, "legacy:443 has spare now", "apply", plan, "--yes", noProof)

	remake("ours", "Protocol-TLSv1.2", "AES128-SHA")
	a.expect(1, "the policy ours of legacy has another content than before [0-9a-f]{8}: nothing was changed, --force sets it nevertheless", "undo", "--yes", noProof)
	remake("ours")
	a.expect(0, "legacy:443 has ours again", "undo", "--yes", noProof)
	a.wantHas("legacy", 443, "sticky", "ours")
	a.balancer("legacy", func(l *store.LoadBalancer) {
		for _, p := range l.Classic.Policies {
			if p.Name == "ours" && !slices.Contains(p.Attributes, store.ClassicAttribute{Name: "Protocol-TLSv1", Value: "true"}) {
				t.Errorf("it was made again otherwise: %+v", p)
			}
		}
	})
	// Spare is not Parley's: it stays whatever becomes of the changes.
	a.expect(1, "no such change", "undo", "--yes")
	a.balancer("legacy", func(l *store.LoadBalancer) {
		if !slices.ContainsFunc(l.Classic.Policies, func(p store.ClassicPolicy) bool { return p.Name == "spare" }) {
			t.Error("a policy that Parley did not make is gone")
		}
	})
}
