package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/store"
	"github.com/parley-tls/parley/simulate"
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
