package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/parley-tls/parley/aws/awstest"
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
			`"parley aws set-policy arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop-alb/`,
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

// secured is an account with a listener that verifies client certificates, one whose certificate expired, one behind a security group, and a
// Classic Load Balancer with a policy of its own.
const secured = `{"accounts": [{"id": "111122223333", "users": [{"name": "ada", "access_key_id": "testing", "secret_access_key": "testing"}],
 "regions": {"eu-west-1": {
  "certificates": [
   {"CertificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/1", "DomainName": "lb.example.com", "Status": "ISSUED", "Type": "AMAZON_ISSUED", "KeyAlgorithm": "RSA_2048", "NotAfter": "2030-02-01T00:00:00Z"},
   {"CertificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/2", "DomainName": "lb.example.com", "Status": "EXPIRED", "Type": "IMPORTED", "KeyAlgorithm": "EC_prime256v1", "NotAfter": "2026-02-01T00:00:00Z"}],
  "security_groups": [{"GroupId": "sg-1", "GroupName": "office", "Description": "office", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}]}],
  "load_balancers": [
   {"name": "staff", "type": "application", "scheme": "internal", "listeners": [{"port": 443, "protocol": "HTTPS", "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06", "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/1"],
     "mutual_tls": {"mode": "verify", "trust_store": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:truststore/staff/50dc6c495c0c9188"}}]},
   {"name": "stale", "type": "network", "listeners": [{"port": 443, "protocol": "TLS", "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06", "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/2"]}, {"port": 5432, "protocol": "TCP"}]},
   {"name": "office", "type": "application", "security_groups": ["sg-1"], "listeners": [{"port": 443, "protocol": "HTTPS", "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06", "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/1"]}]},
   {"name": "legacy", "type": "classic", "zones": [{"name": "eu-west-1a"}], "listeners": [{"port": 8443, "protocol": "SSL", "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/1"], "policies": ["sticky", "own"]}],
    "classic": {"policies": [{"name": "own", "type": "SSLNegotiationPolicyType", "attributes": [{"name": "Protocol-TLSv1.2", "value": "true"}, {"name": "ECDHE-RSA-AES128-GCM-SHA256", "value": "true"},
       {"name": "AES256-SHA256", "value": "true"}, {"name": "Server-Defined-Cipher-Order", "value": "true"}]}, {"name": "sticky", "type": "LBCookieStickinessPolicyType"}]}}]}}}]}`

// TestWhyObstacles weighs what keeps clients out beside the negotiation, against a simulated account.
func TestWhyObstacles(t *testing.T) {
	awstest.Start(t, awstest.Read(t, secured))
	id := testbed.Make(t, testbed.RSA2048)
	modern := testbed.Start(t, testbed.ForPolicy(policy.ByName("TLS13-1-2-2021-06"), testbed.OpenSSL).With(id)).Addr
	old := testbed.Make(t, testbed.RSAExpired)
	expired := testbed.Start(t, testbed.ForPolicy(policy.ByName("TLS13-1-2-2021-06"), testbed.OpenSSL).With(old)).Addr
	own, err := policy.ClassicCustom("own", []policy.AttributeValue{{AttributeName: "Protocol-TLSv1.2", AttributeValue: "true"}, {AttributeName: "ECDHE-RSA-AES128-GCM-SHA256", AttributeValue: "true"},
		{AttributeName: "AES256-SHA256", AttributeValue: "true"}, {AttributeName: "Server-Defined-Cipher-Order", AttributeValue: "true"}})
	if err != nil {
		t.Fatal(err)
	}
	custom := testbed.Start(t, testbed.ForPolicy(own, testbed.OpenSSL).With(id)).Addr
	ca := " --ca-file " + id.CA
	for _, c := range []struct {
		args    string
		code    int
		outcome string
		causes  string // in order
		finding string // ids that must be there
	}{
		{"aws:staff --client go-1.26 --no-probe", exitBad, "refused", "client-certificate-required", "negotiation-would-succeed scheme not-probed"},
		{"aws:staff --client go-1.26 --no-probe --client-certificate", exitGood, "negotiated", "", "scheme"},
		{"aws:staff --client java-7u25 --no-probe", exitBad, "refused", "client-certificate-required no-common-version", ""},
		{"aws:staff --client go-1.26 --source 198.51.100.7 --client-certificate --no-probe", exitBad, "unreachable", "connection-timeout", "negotiation-would-succeed"},
		{"aws:staff --client go-1.26 --client-certificate --connect " + modern + ca, exitGood, "negotiated", "", "policy-confirmed certificate-differs"},
		{"aws:stale --client go-1.26 --no-probe", exitBad, "refused", "certificate-expired", ""},
		{"aws:stale --client go-1.26 --connect " + modern + ca, exitGood, "negotiated", "", "certificate certificate-differs"},
		{"aws:stale --client go-1.26 --connect " + expired + " --ca-file " + old.CA, exitBad, "refused", "certificate-expired", "policy-confirmed certificate-differs"},
		{"aws:office:444 --client go-1.26 --connect 127.0.0.1:1", exitBad, "unreachable", "connection-refused connection-timeout", "not-probed"},
		{"aws:stale:5432 --client go-1.26 --no-probe", exitUndecided, "unreachable", "", "listener"},
		{"aws:stale:5432 --client go-1.26 --servername lb.example.com --connect " + modern + ca, exitGood, "negotiated", "", "listener"},
		{"aws:office --client go-1.26 --no-probe", exitGood, "negotiated", "", "security-group"},
		{"aws:office --client go-1.26 --no-probe --source 192.0.2.9", exitGood, "negotiated", "", ""},
		{"aws:office --client go-1.26 --source 198.51.100.7 --connect " + modern + ca, exitBad, "unreachable", "connection-timeout", "negotiation-would-succeed policy-confirmed"},
		{"aws:legacy --client go-1.26 --connect " + custom + ca, exitGood, "negotiated", "", "policy-confirmed"},
		{"aws:legacy --client ciphers:AES128-SHA --connect " + custom + ca, exitBad, "refused", "no-common-cipher", "policy-confirmed"},
		{"aws:legacy --client go-1.26 --connect " + modern + ca, exitGood, "negotiated", "", "policy-differs"},
		{"aws:legacy --client ciphers:NO-SUCH-KEYWORD --no-probe", exitUsage, "", "", ""},
	} {
		out, errs, code := command(t, append(append([]string{"why", "--json"}, strings.Fields(c.args)...), "--timeout", "2s")...)
		if code != c.code {
			t.Errorf("%s: exit code %d, want %d; %s", c.args, code, c.code, errs)
		}
		if c.outcome == "" {
			continue
		}
		doc := validateAs(t, "why", out)
		ids := func(key string) string {
			var l []string
			for _, x := range doc[key].([]any) {
				l = append(l, x.(map[string]any)["id"].(string))
			}
			return strings.Join(l, " ")
		}
		if doc["outcome"] != c.outcome || ids("causes") != c.causes {
			t.Errorf("%s: %s for %s, want %s for %s", c.args, doc["outcome"], ids("causes"), c.outcome, c.causes)
		}
		for _, want := range strings.Fields(c.finding) {
			if !slices.Contains(strings.Fields(ids("findings")), want) {
				t.Errorf("%s: no finding %s among %s", c.args, want, ids("findings"))
			}
		}
	}
	for _, args := range []string{"lb.example.com --source 192.0.2.1", "policy:2016-08 --no-probe", "127.0.0.1:1 --client-certificate", "lb.example.com --connect x"} {
		if _, errs, code := command(t, append([]string{"why"}, strings.Fields(args)...)...); code != exitUsage || !strings.Contains(errs, "goes with a load balancer of AWS") {
			t.Errorf("%s: exit code %d, %s", args, code, errs)
		}
	}
}
