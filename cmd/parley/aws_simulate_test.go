package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/simulate"
	"github.com/parley-tls/parley/testbed"
)

// simulation runs `parley aws simulate` on a free port until stop is called, and points the AWS CLI at it.
func simulation(t *testing.T, args ...string) (doc render.AWSSimulation, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	read, write := io.Pipe()
	root := newRoot()
	root.SetArgs(append([]string{"aws", "simulate", "--listen", "127.0.0.1:0", "--json"}, args...))
	root.SetOut(write)
	ended := make(chan error, 1)
	go func() {
		err := root.ExecuteContext(ctx)
		write.CloseWithError(io.EOF)
		ended <- err
	}()
	var text strings.Builder
	for lines := bufio.NewScanner(read); lines.Scan(); {
		text.WriteString(lines.Text() + "\n")
		if lines.Text() == "}" {
			break
		}
	}
	if err := json.Unmarshal([]byte(text.String()), &doc); err != nil {
		t.Fatalf("%v: %s; the command ended with %v", err, text.String(), <-ended)
	}
	valid(t, "aws-simulate", text.String(), false)
	testbed.OnlyAWS(t, doc.EndpointURL)
	for name, value := range doc.Environment {
		t.Setenv(name, value)
	}
	t.Setenv("AWS_DEFAULT_REGION", doc.Environment["AWS_REGION"]) // the CLI's first release knows no other name
	t.Setenv("AWS_PAGER", "")
	done := false
	stop = func() {
		if done {
			return
		}
		done = true
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return doc, stop
}

// cli runs the AWS CLI and returns what it prints, errors with it.
func cli(t *testing.T, program, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, program, append(strings.Fields(command), "--endpoint-url", os.Getenv("AWS_ENDPOINT_URL"))...) // before 2.13 the CLI does not read it
	for _, v := range os.Environ() {
		if name, value, _ := strings.Cut(v, "="); value != "" || !strings.HasPrefix(name, "AWS_") { // an empty AWS_PROFILE is a profile to the CLI
			c.Env = append(c.Env, v)
		}
	}
	out, _ := c.CombinedOutput()
	return string(bytes.TrimSpace(out))
}

// TestAWSSimulateByCLI: the AWS CLI works with every service of a simulation, and is refused in AWS's words.
func TestAWSSimulateByCLI(t *testing.T) {
	aws := testbed.Need(t, "aws")
	doc, _ := simulation(t, "--demo")
	if len(doc.Accounts) != 2 || len(doc.Accounts[0].Regions) != 3 {
		t.Errorf("%+v", doc)
	}
	const listener = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"
	ago := func(d time.Duration) string { return time.Now().Add(-d).UTC().Format("2006-01-02T15:04:05Z") }
	for _, c := range []struct{ command, want string }{
		{"sts get-caller-identity --output text", `^111122223333\s+arn:aws:iam::111122223333:user/demo\s+AIDA`},
		{"sts assume-role --role-arn arn:aws:iam::444455556666:role/parley-reader --role-session-name me --query AssumedRoleUser.Arn", `assumed-role/parley-reader/me"$`},
		{"sts assume-role --role-arn arn:aws:iam::444455556666:role/none --role-session-name me", `\(AccessDenied\).*is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/none`},
		{"ec2 describe-regions --query length(Regions)", `^17$`},
		{"ec2 describe-security-groups --group-ids sg-0a000000000000002 --query SecurityGroups[].[Description,IpPermissions[0].IpRanges[0].CidrIp] --output text", `^HTTPS from one partner\s+203\.0\.113\.0/24$`},
		{"acm list-certificates --query CertificateSummaryList[].DomainName --output text", `^shop\.example\.com$`},
		{"acm list-certificates --includes keyTypes=EC_prime256v1 --query CertificateSummaryList[].DomainName --output text", `^api\.example\.com$`},
		{"iam get-server-certificate --server-certificate-name legacy-2019 --query ServerCertificate.CertificateBody", `BEGIN CERTIFICATE`},
		{"elbv2 describe-listeners --listener-arns " + listener + " --query Listeners[].SslPolicy --output text", `^ELBSecurityPolicy-2016-08$`},
		{"elbv2 modify-listener --listener-arn " + listener + " --ssl-policy ELBSecurityPolicy-TLS13-1-2-2021-06 --query Listeners[].SslPolicy --output text", `^ELBSecurityPolicy-TLS13-1-2-2021-06$`},
		{"elbv2 modify-listener --listener-arn " + listener + " --ssl-policy ELBSecurityPolicy-None", `\(SSLPolicyNotFound\)`},
		{"elb describe-load-balancers --query LoadBalancerDescriptions[].ListenerDescriptions[0].PolicyNames --output text", `^tls-2015\s+sticky$`},
		{"elb create-load-balancer-policy --load-balancer-name legacy --policy-name tls12 --policy-type-name SSLNegotiationPolicyType --policy-attributes AttributeName=Reference-Security-Policy,AttributeValue=ELBSecurityPolicy-TLS-1-2-2017-01", `^$`},
		{"elb set-load-balancer-policies-of-listener --load-balancer-name legacy --load-balancer-port 443 --policy-names tls12 sticky", `^$`},
		{"elb set-load-balancer-policies-of-listener --load-balancer-name legacy --load-balancer-port 443 --policy-names ELBSecurityPolicy-TLS-1-2-2017-01", `\(PolicyNotFound\).*There is no policy with name ELBSecurityPolicy-TLS-1-2-2017-01 for load balancer legacy`},
		{"elb delete-load-balancer-policy --load-balancer-name legacy --policy-name tls12", `\(InvalidConfigurationRequest\)`},
		{"elb delete-load-balancer-policy --load-balancer-name legacy --policy-name tls-2015", `^$`},
		{"cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=ModifyListener --query Events[].[Username,Resources[0].ResourceName] --output text", `(?s)^demo\s+\S*` + listener + `\s+demo\s+` + listener + `\s+pipeline\s+\S+/a1b2c3d4e5f60718$`},
		{"cloudwatch get-metric-data --start-time " + ago(time.Hour) + " --end-time " + ago(0) + ` --metric-data-queries [{"Id":"m","MetricStat":{"Metric":{"Namespace":"AWS/ApplicationELB","MetricName":"ClientTLSNegotiationErrorCount","Dimensions":[{"Name":"LoadBalancer","Value":"app/api/6d0ecf831eec9f09"}]},"Period":3600,"Stat":"Sum"}}] --query sum(MetricDataResults[].Values[])`, `^[1-9][0-9][0-9](\.0)?$`},
	} {
		if got := cli(t, aws, c.command); !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("aws %s: %s\nwant %s", c.command, got, c.want)
		}
	}
}

// TestAWSSimulateByOlderCLI: releases of the CLI that ask CloudWatch by the query protocol work too.
func TestAWSSimulateByOlderCLI(t *testing.T) {
	var older string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		program := filepath.Join(dir, "aws")
		if out, err := exec.Command(program, "--version").CombinedOutput(); err == nil && strings.HasPrefix(string(out), "aws-cli/2.") {
			older = program
		}
	}
	if older == "" {
		t.Skip("no second release of the AWS CLI, which Debian has as awscli")
	}
	simulation(t, "--demo")
	if got := cli(t, older, "cloudwatch put-metric-data --namespace Test --metric-name Tries --value 3 --dimensions LoadBalancer=app/x/1"); got != "" {
		t.Error(got)
	}
	now := time.Now().UTC()
	got := cli(t, older, "cloudwatch get-metric-data --start-time "+now.Add(-time.Hour).Format(time.RFC3339)+" --end-time "+now.Add(time.Hour).Format(time.RFC3339)+
		` --metric-data-queries [{"Id":"m","MetricStat":{"Metric":{"Namespace":"Test","MetricName":"Tries","Dimensions":[{"Name":"LoadBalancer","Value":"app/x/1"}]},"Period":60,"Stat":"Sum"}}] --query MetricDataResults[].Values[] --output text`)
	if got != "3.0" {
		t.Errorf("%s, want 3.0", got)
	}
	if got := cli(t, older, "cloudwatch describe-alarms"); !strings.Contains(got, "(InvalidAction)") {
		t.Error(got)
	}
}

// TestAWSSimulateState: what changed is in the file of the state, and there again the next time.
func TestAWSSimulateState(t *testing.T) {
	aws := testbed.Need(t, "aws")
	file := filepath.Join(t.TempDir(), "state.json")
	_, stop := simulation(t, "--demo", "--state", file)
	if got := cli(t, aws, "elb add-tags --load-balancer-names legacy --tags Key=seen,Value=yes"); got != "" {
		t.Fatal(got)
	}
	stop()
	simulation(t, "--state", file)
	if got := cli(t, aws, "elb describe-tags --load-balancer-names legacy --query TagDescriptions[].Tags[].Key --output text"); got != "seen\tteam" {
		t.Errorf("tags %q", got)
	}
}

func TestAWSSimulateFaults(t *testing.T) {
	aws := testbed.Need(t, "aws")
	simulation(t, "--demo", "--deny", "elasticloadbalancing:Modify*", "--throttle", "1", "--throttle-action", "elb:none", "--throttle-action", "elasticloadbalancing:DescribeLoadBalancers")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	for _, want := range []string{"(Throttling)", "shop"} {
		if got := cli(t, aws, "elbv2 describe-load-balancers --query LoadBalancers[].LoadBalancerName"); !strings.Contains(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
	got := cli(t, aws, "elbv2 modify-listener --listener-arn arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2 --ssl-policy ELBSecurityPolicy-2016-08")
	if !strings.Contains(got, "(AccessDenied)") || !strings.Contains(got, "User: arn:aws:iam::111122223333:user/demo is not authorized to perform: elasticloadbalancing:ModifyListener") {
		t.Error(got)
	}
}

// TestAWSSimulateDocument: the file that docs/aws-simulate.md shows is one.
func TestAWSSimulateDocument(t *testing.T) {
	page, err := os.ReadFile("../../docs/aws-simulate.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```json\n")
	text, _, ends := strings.Cut(rest, "```")
	if !found || !ends {
		t.Fatal("no JSON in the page")
	}
	s, err := simulate.ReadState([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := simulate.New(s); err != nil {
		t.Error(err)
	}
}

// TestAWSSimulateDemo: what the demo is for comes out of Parley's own commands.
func TestAWSSimulateDemo(t *testing.T) {
	simulation(t, "--demo")
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	for _, c := range []struct{ args, want string }{
		{"aws list --all-regions", `(?s)intranet.*api.*edge.*legacy.*shop.*checkout.*mail.*telemetry`},
		{"aws list --role arn:aws:iam::444455556666:role/parley-reader", `444455556666 eu-west-1\s+partner`},
		{"aws errors", `api \(ALB\) +443 .*rises (?s:.*)by ModifyListener`},
	} {
		out, errs, _ := ran(t, strings.Fields(c.args)...)
		if !regexp.MustCompile(c.want).MatchString(out) {
			t.Errorf("parley %s: %s%s\nwant %s", c.args, out, errs, c.want)
		}
	}
}
