package elbv2_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/store"
	"github.com/parley-tls/parley/testbed"
)

// TestCommandLine drives the API with the AWS CLI: it makes, finds, changes and removes, page by page.
func TestCommandLine(t *testing.T) {
	program, err := exec.LookPath("aws")
	if err != nil {
		testbed.Missing(t, "the AWS CLI")
	}
	server, _, url := serve(t)
	testbed.OnlyAWS(t, url)
	t.Setenv("AWS_DEFAULT_REGION", region) // version 1 does not read AWS_REGION
	t.Setenv("AWS_PAGER", "")
	run := func(args ...string) (string, string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		c := exec.Command(program, append([]string{"elbv2", "--output", "json"}, args...)...)
		c.Stdout, c.Stderr = &stdout, &stderr
		c.Run() // the text on standard error says it all
		return stdout.String(), stderr.String()
	}
	query := func(expression string, args ...string) string {
		t.Helper()
		out, errors := run(append(args, "--query", expression)...)
		if errors != "" {
			t.Fatalf("aws elbv2 %s: %s", strings.Join(args, " "), errors)
		}
		var v any
		if err := json.Unmarshal([]byte(out), &v); err != nil {
			t.Fatalf("aws elbv2 %s: %v", strings.Join(args, " "), err)
		}
		if s, ok := v.(string); ok {
			return s
		}
		text, _ := json.Marshal(v) // it was JSON before
		return string(text)
	}
	lb := query("LoadBalancers[0].LoadBalancerArn", "create-load-balancer", "--name", "shop", "--subnets", "subnet-1", "subnet-2", "--tags", "Key=team,Value=web")
	group := query("TargetGroups[0].TargetGroupArn", "create-target-group", "--name", "web", "--protocol", "HTTP", "--port", "80", "--vpc-id", "vpc-1")
	listener := query("Listeners[0].ListenerArn", "create-listener", "--load-balancer-arn", lb, "--protocol", "HTTPS", "--port", "443", "--certificates", "CertificateArn="+issued,
		"--default-actions", "Type=forward,TargetGroupArn="+group)
	for _, c := range []struct {
		expression, want string
		args             []string
	}{
		{"LoadBalancers[].[LoadBalancerName,Type,State.Code]", `[["shop","application","active"]]`, []string{"describe-load-balancers", "--names", "shop"}},
		{"Listeners[].[Port,Protocol,SslPolicy,AlpnPolicy,MutualAuthentication.Mode]", `[[443,"HTTPS","ELBSecurityPolicy-2016-08",null,"off"]]`, []string{"describe-listeners", "--load-balancer-arn", lb}},
		{"Listeners[].SslPolicy", `["ELBSecurityPolicy-TLS13-1-2-2021-06"]`, []string{"modify-listener", "--listener-arn", listener, "--ssl-policy", "ELBSecurityPolicy-TLS13-1-2-2021-06"}},
		{"Certificates[].IsDefault", `[false]`, []string{"add-listener-certificates", "--listener-arn", listener, "--certificates", "CertificateArn=" + second}},
		{"Certificates[].IsDefault", `[true,false]`, []string{"describe-listener-certificates", "--listener-arn", listener}},
		{"length(SslPolicies[?contains(SslProtocols,'TLSv1.3')]) > `30`", `true`, []string{"describe-ssl-policies"}},
		{"SslPolicies[0].Ciphers[0].Name", `TLS_AES_128_GCM_SHA256`, []string{"describe-ssl-policies", "--names", "ELBSecurityPolicy-TLS13-1-2-2021-06", "--load-balancer-type", "network"}},
		{"Attributes[?Key=='connection_logs.s3.bucket'].Value", `["logs"]`, []string{"modify-load-balancer-attributes", "--load-balancer-arn", lb, "--attributes", "Key=connection_logs.s3.enabled,Value=true", "Key=connection_logs.s3.bucket,Value=logs"}},
	} {
		if got := query(c.expression, c.args...); got != c.want {
			t.Errorf("aws elbv2 %s: %s, want %s", strings.Join(c.args, " "), got, c.want)
		}
	}
	if _, errors := run("register-targets", "--target-group-arn", group, "--targets", "Id=i-0123456789abcdef0"); errors != "" {
		t.Error(errors)
	}
	if got := query("TargetHealthDescriptions[].[Target.Port,TargetHealth.State]", "describe-target-health", "--target-group-arn", group); got != `[[80,"initial"]]` {
		t.Errorf("health %s", got)
	}
	if err := server.Store().Update(owner, region, func(r *store.Region) error { // the CLI asks for page after page
		for i := range 850 {
			r.AddLoadBalancer(&store.LoadBalancer{ARN: r.NewLoadBalancerARN(store.Network, "many"), Name: fmt.Sprint("many-", i), Type: store.Network, State: "active"})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := query("length(LoadBalancers)", "describe-load-balancers"); got != "851" {
		t.Errorf("%s load balancers, want 851", got)
	}
	if n := server.Log().Calls(elbapi.Kind{Action: "DescribeLoadBalancers"}); n != 4 {
		t.Errorf("%d calls of DescribeLoadBalancers, want 4", n)
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"An error occurred (SSLPolicyNotFound) when calling the ModifyListener operation: ", []string{"modify-listener", "--listener-arn", listener, "--ssl-policy", "nope"}},
		{"An error occurred (InvalidAction) when calling the CreateRule operation: Could not find operation CreateRule for version 2015-12-01", []string{"create-rule", "--listener-arn", listener, "--priority", "1", "--conditions", "Field=path-pattern,Values=/x", "--actions", "Type=forward,TargetGroupArn=" + group}},
	} {
		if _, errors := run(c.args...); !strings.Contains(errors, c.want) {
			t.Errorf("aws elbv2 %s: %s, want %s", strings.Join(c.args, " "), errors, c.want)
		}
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	if _, errors := run("describe-load-balancers"); !strings.Contains(errors, "An error occurred (SignatureDoesNotMatch) when calling the DescribeLoadBalancers operation: The request signature we calculated does not match") {
		t.Errorf("with a wrong key: %s", errors)
	}
}
