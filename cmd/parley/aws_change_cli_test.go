package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/elbapi/store"
	"github.com/parley-tls/parley/testbed"
)

// awsCLI is the real AWS CLI, with this process' environment.
type awsCLI struct {
	t    *testing.T
	path string
	env  []string
}

func newAWSCLI(t *testing.T, env []string) *awsCLI {
	t.Helper()
	// The CLI takes an empty AWS_PROFILE for a profile's name.
	env = slices.DeleteFunc(slices.Clone(env), func(v string) bool { return strings.HasSuffix(v, "=") && strings.HasPrefix(v, "AWS_") })
	return &awsCLI{t, testbed.Need(t, "aws"), append(env, "AWS_PAGER=")}
}

// do runs a command and reads what it prints as JSON.
func (c *awsCLI) do(into any, args ...string) {
	c.t.Helper()
	cmd := exec.Command(c.path, append(args, "--region", "eu-west-1", "--output", "json")...)
	var errs bytes.Buffer
	cmd.Env, cmd.Stderr = c.env, &errs
	out, err := cmd.Output()
	if err != nil {
		c.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, &errs)
	}
	if into != nil {
		if err := json.Unmarshal(out, into); err != nil {
			c.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// listener is a listener of an ALB or NLB as the CLI shows it, without its policy: what a change must not touch.
type listener map[string]any

// policy takes the name of the security policy out.
func (l listener) policy() string {
	name, _ := l["SslPolicy"].(string)
	delete(l, "SslPolicy")
	return name
}

// modern asks for a listener of an ALB or NLB.
func (c *awsCLI) modern(arn string) listener {
	c.t.Helper()
	var l struct{ Listeners []listener }
	c.do(&l, "elbv2", "describe-listeners", "--listener-arns", arn)
	return l.Listeners[0]
}

// classic asks for the policies of a Classic listener, and for all that its load balancer has.
func (c *awsCLI) classic(name string) (of []string, all map[string]string) {
	c.t.Helper()
	var lb struct {
		LoadBalancerDescriptions []struct {
			ListenerDescriptions []struct{ PolicyNames []string }
		}
	}
	c.do(&lb, "elb", "describe-load-balancers", "--load-balancer-names", name)
	var p struct {
		PolicyDescriptions []struct {
			PolicyName                  string
			PolicyAttributeDescriptions []struct{ AttributeName, AttributeValue string }
		}
	}
	c.do(&p, "elb", "describe-load-balancer-policies", "--load-balancer-name", name)
	all = map[string]string{}
	for _, d := range p.PolicyDescriptions {
		for _, v := range d.PolicyAttributeDescriptions {
			if v.AttributeName == "Reference-Security-Policy" {
				all[d.PolicyName] = v.AttributeValue
			}
		}
		all[d.PolicyName] += ""
	}
	return lb.LoadBalancerDescriptions[0].ListenerDescriptions[0].PolicyNames, all
}

// TestChangeMoto: load balancers that the AWS CLI makes in moto are changed and changed back by Parley, and the CLI sees it.
func TestChangeMoto(t *testing.T) {
	testbed.Moto(t)
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	cli := newAWSCLI(t, os.Environ())
	id := testbed.Make(t, testbed.RSA2048)
	var certificate struct{ CertificateArn string }
	cli.do(&certificate, "acm", "import-certificate", "--certificate", "fileb://"+id.Cert, "--private-key", "fileb://"+id.Key)
	var net struct {
		Subnets []struct{ SubnetId, VpcId string }
	}
	cli.do(&net, "ec2", "describe-subnets")
	var group struct {
		TargetGroups []struct{ TargetGroupArn string }
	}
	cli.do(&group, "elbv2", "create-target-group", "--name", "tcp", "--protocol", "TCP", "--port", "8080", "--vpc-id", net.Subnets[0].VpcId)
	made := map[string]listener{}
	for name, c := range map[string][]string{"shop": {"application", "HTTPS", "Type=fixed-response,FixedResponseConfig={StatusCode=200}"},
		"edge": {"network", "TLS", "Type=forward,TargetGroupArn=" + group.TargetGroups[0].TargetGroupArn}} {
		var lb struct {
			LoadBalancers []struct{ LoadBalancerArn string }
		}
		cli.do(&lb, "elbv2", "create-load-balancer", "--name", name, "--type", c[0], "--subnets", net.Subnets[0].SubnetId, net.Subnets[1].SubnetId)
		var l struct{ Listeners []listener }
		cli.do(&l, "elbv2", "create-listener", "--load-balancer-arn", lb.LoadBalancers[0].LoadBalancerArn, "--protocol", c[1], "--port", "443",
			"--ssl-policy", "ELBSecurityPolicy-2016-08", "--certificates", "CertificateArn="+certificate.CertificateArn, "--default-actions", c[2])
		made[name] = l.Listeners[0]
	}
	cli.do(nil, "elb", "create-load-balancer", "--load-balancer-name", "legacy", "--availability-zones", "eu-west-1a", "--listeners",
		"Protocol=HTTPS,LoadBalancerPort=443,InstanceProtocol=HTTP,InstancePort=80,SSLCertificateId="+certificate.CertificateArn)
	for _, create := range [][]string{
		{"create-lb-cookie-stickiness-policy", "--policy-name", "sticky"},
		{"create-load-balancer-policy", "--policy-name", "ours", "--policy-type-name", "SSLNegotiationPolicyType", "--policy-attributes", "AttributeName=Protocol-TLSv1.2,AttributeValue=true",
			"AttributeName=Protocol-TLSv1,AttributeValue=true", "AttributeName=AES128-SHA,AttributeValue=true"}} {
		cmd := exec.Command(cli.path, append([]string{"elb", create[0], "--load-balancer-name", "legacy", "--region", "eu-west-1"}, create[1:]...)...)
		cmd.Env = cli.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", create, err, out)
		}
	}
	set := exec.Command(cli.path, "elb", "set-load-balancer-policies-of-listener", "--load-balancer-name", "legacy", "--load-balancer-port", "443", "--policy-names", "sticky", "ours", "--region", "eu-west-1")
	set.Env = cli.env
	if out, err := set.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	run := func(args ...string) {
		t.Helper()
		if out, errs, code := command(t, append([]string{"aws"}, args...)...); code != exitGood {
			t.Fatalf("parley aws %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, errs)
		}
	}
	for name, before := range made {
		arn := before["ListenerArn"].(string)
		before.policy()
		run("set-policy", name+":443", "TLS13-1-2-2021-06", "--yes", noProof)
		after := cli.modern(arn)
		if policy := after.policy(); policy != "ELBSecurityPolicy-TLS13-1-2-2021-06" {
			t.Errorf("the CLI shows %s with %s", name, policy)
		}
		if d := cmp.Diff(before, after); d != "" {
			t.Errorf("%s: more than the policy changed (-before +after)\n%s", name, d)
		}
		run("undo", name+":443", "--yes", noProof)
		after = cli.modern(arn)
		if policy := after.policy(); policy != "ELBSecurityPolicy-2016-08" || cmp.Diff(before, after) != "" {
			t.Errorf("%s was not taken back: %s, %v", name, policy, after)
		}
	}
	before, policiesBefore := cli.classic("legacy")
	run("set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
	of, all := cli.classic("legacy")
	if len(of) != 2 || of[0] != "sticky" || !regexp.MustCompile("^"+parleys+"$").MatchString(of[1]) || all[of[1]] != "ELBSecurityPolicy-TLS-1-2-2017-01" {
		t.Errorf("the CLI shows %q, made from %q", of, all)
	}
	run("undo", "--yes", noProof)
	of, all = cli.classic("legacy")
	if !slices.Equal(of, before) || cmp.Diff(policiesBefore, all) != "" {
		t.Errorf("it was not taken back: %q, %v; before %q, %v", of, all, before, policiesBefore)
	}
	if _, err := os.Stat(filepath.Join(os.Getenv("XDG_STATE_HOME"), "parley", "aws-journal.jsonl")); err != nil {
		t.Error(err)
	}
}

// TestChangeSeenByCLI: what Parley did in the simulation is what the AWS CLI sees of it.
func TestChangeSeenByCLI(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t, nil)
	cli := newAWSCLI(t, a.env)
	arn := ""
	a.balancer("edge", func(l *store.LoadBalancer) { arn = l.Listeners[0].ARN })
	before := cli.modern(arn)
	before.policy()
	a.expect(0, "now", "set-policy", "edge:443", "TLS13-1-2-Res-PQ-2025-09", "--yes", noProof)
	after := cli.modern(arn)
	if policy := after.policy(); policy != "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09" || cmp.Diff(before, after) != "" {
		t.Errorf("the CLI shows %s, %s", policy, cmp.Diff(before, after))
	}
	a.expect(0, "now", "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
	of, all := cli.classic("legacy")
	if len(of) != 2 || of[0] != "sticky" || all[of[1]] != "ELBSecurityPolicy-TLS-1-2-2017-01" {
		t.Errorf("the CLI shows %q, made from %q", of, all)
	}
	// What the CLI changes since is not overwritten.
	set := exec.Command(cli.path, "elb", "set-load-balancer-policies-of-listener", "--load-balancer-name", "legacy", "--load-balancer-port", "443", "--policy-names", of[1], "--region", "eu-west-1")
	set.Env = cli.env
	if out, err := set.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	a.expect(1, "the list of the listener's other policies is none, not sticky; nothing was changed", "undo", "legacy:443", "--yes")
}
