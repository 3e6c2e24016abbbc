package main

import (
	"strings"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/testbed"
)

// TestWhyAWS diagnoses listeners in moto's account: with a real server in the place of the load balancer, and from the API alone.
func TestWhyAWS(t *testing.T) {
	testbed.Moto(t)
	testbed.LoadBalancers(t)
	id := testbed.Make(t, testbed.RSA2048)
	right := testbed.Start(t, testbed.ForPolicy(policy.ByName("TLS13-1-2-2021-06"), testbed.OpenSSL).With(id))
	other := testbed.Start(t, testbed.ForPolicy(policy.ByName("TLS13-1-2-Res-2021-06"), testbed.OpenSSL).With(testbed.Make(t, testbed.RSAOtherName)))
	for _, c := range []struct {
		args  string
		code  int
		want  []string // in the JSON
		never string
	}{
		{"aws:shop-alb --client java-7u25 --connect " + right.Addr, exitBad, []string{`"id": "no-common-version"`, `"id": "policy-confirmed"`, `"id": "targets"`, `"proved": true`,
			`--listener-arn arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop-alb/`, `"key_algorithm": "RSA_2048"`}, "certificate-differs"},
		{"aws:shop-alb --client go-1.26 --ca-file " + id.CA + " --connect " + right.Addr, exitGood, []string{`"outcome": "negotiated"`, `"exact": true`, `"id": "policy-confirmed"`}, `"predicted"`},
		{"shop-alb --aws --client go-1.26 --connect " + other.Addr, exitBad, []string{`"id": "policy-differs"`, "does not run it but ELBSecurityPolicy-TLS13-1-2-Res-2021-06", `"id": "certificate-differs"`,
			`"id": "certificate-name-mismatch"`}, "policy-confirmed"},
		{"shop-alb --client java-7u25 --timeout 1s", exitBad, []string{`"predicted": true`, `"id": "no-common-version"`, "does not resolve): this is what its policy and certificates come to"}, "dns-failure"},
		{"shop-alb --aws --client go-1.26 --no-probe", exitGood, []string{`"predicted": true`, `"outcome": "negotiated"`, `"connections": 0`}, ""},
		{"shop-alb:80 --aws --client go-1.26 --no-probe", exitBad, []string{`"id": "plain-http-on-tls-port"`, `"outcome": "refused"`}, "predicted"},
		{"shop-alb:8443 --aws --client go-1.26 --no-probe", exitBad, []string{`"id": "connection-refused"`, "shop-alb has no listener on port 8443: it has listeners on 80 (HTTP), 443 (HTTPS)"}, ""},
		{"legacy-clb --aws --client java-7u25 --no-probe --source 198.51.100.7", exitBad, []string{`"keeps_out": "all"`, `"id": "security-group"`, `"id": "connection-timeout"`, `"id": "no-common-version"`,
			"--policy-names NEW_POLICY sticky", `"Enable TLS 1.0 on the listener"`}, ""},
	} {
		out, errs, code := command(t, append(append([]string{"why"}, strings.Fields(c.args)...), "--json")...)
		if code != c.code {
			t.Errorf("%s: exit code %d, want %d; %s", c.args, code, c.code, errs)
		}
		validateAs(t, "why", out)
		for _, w := range append(c.want, `"kind": "listener"`) {
			if !strings.Contains(out, w) {
				t.Errorf("%s: no %s in\n%s", c.args, w, out)
			}
		}
		if c.never != "" && strings.Contains(out, c.never) {
			t.Errorf("%s: %s in\n%s", c.args, c.never, out)
		}
	}
	for _, args := range []string{"aws:shop-alb --connect " + right.Addr, "aws:shop-alb --no-probe", "aws:shop-alb:80 --no-probe"} {
		out, _, code := command(t, append(append([]string{"why"}, strings.Fields(args)...), "--json")...)
		doc := validateAs(t, "why-clients", out)
		if reached := doc["reached"].(bool); reached == strings.Contains(args, ":80") || code != map[bool]int{true: exitGood, false: exitUndecided}[reached] {
			t.Errorf("%s: exit code %d\n%.600s", args, code, out)
		}
	}
	out, _, _ := command(t, "why", "aws:shop-alb", "--no-probe", "--client", "java-7u25")
	if want := "Listener, as the API tells it ALB shop-alb in eu-west-1, port 443: HTTPS, policy ELBSecurityPolicy-TLS13-1-2-2021-06, RSA_2048 for lb.example.com until"; !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
		t.Errorf("no %q in\n%s", want, out)
	}
}

// TestWhyName holds what a bare name means: a host that DNS knows, else a load balancer, else a host that DNS does not know.
func TestWhyName(t *testing.T) {
	testbed.Moto(t)
	testbed.LoadBalancers(t)
	for _, c := range []struct {
		args string
		code int
		text string
	}{
		{"nothing-there --client go-1.26", exitUndecided, "DNS knows no host nothing-there; as a load balancer of AWS: no load balancer nothing-there in eu-west-1"},
		{"aws:nothing-there --client go-1.26", exitUsage, "no load balancer nothing-there in eu-west-1: name another region with --region"},
		{"edge-nlb --client go-1.26", exitUsage, "edge-nlb means 2 listeners: name one of arn:aws:"},
		{"aws:shop_alb", exitUsage, "is no name of a load balancer"},
		{"arn:aws:s3:::bucket", exitUsage, "an ARN of the service"},
		{"arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/gone:443", exitUsage, "it was deleted, or is another account's"},
		{"shop-alb --aws --source nowhere --no-probe", exitUsage, `--source "nowhere": use an IP address`},
		{"shop-alb --aws --client no-such-client --no-probe", exitUsage, "no-such-client"},
	} {
		_, errs, code := command(t, append([]string{"why"}, strings.Fields(c.args)...)...)
		if code != c.code || !strings.Contains(errs, c.text) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit code %d, want %d; %s", c.args, code, c.code, errs)
		}
	}
}
