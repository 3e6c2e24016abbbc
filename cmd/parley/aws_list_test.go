package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-tls/parley/testbed"
)

// command runs parley and returns what it printed and its exit code.
func command(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	root := newRoot()
	var out, errs bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetIn(strings.NewReader(""))
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	var exit *exitError
	switch {
	case err == nil:
	case errors.As(err, &exit):
		code = exit.code
	default:
		code = exitUsage
	}
	if err != nil && err.Error() != "" {
		errs.WriteString("parley: " + err.Error() + "\n")
	}
	return out.String(), errs.String(), code
}

// validateAs holds a document to a published schema.
func validateAs(t *testing.T, schema, document string) map[string]any {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err != nil {
		t.Fatalf("%v: %.300s", err, document)
	}
	if err := jsonschema.NewCompiler().MustCompile("../../docs/schema/" + schema + ".schema.json").Validate(doc); err != nil {
		t.Error(err)
	}
	return doc.(map[string]any)
}

func TestAWSList(t *testing.T) {
	testbed.Moto(t)
	testbed.LoadBalancers(t)
	out, _, code := command(t, "aws", "list", "--region", "eu-west-1,us-east-1")
	if code != exitGood {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{
		`(?m)^123456789012 eu-west-1$`,
		`(?m)^shop-alb  ALB  shop-alb-1.eu-west-1.elb.amazonaws.com$`,
		`(?m)^   443  HTTPS     TLS13-1-2-2021-06         TLSv1.2-1.3  ECDHE-ECDSA-AES128-SHA256 weak  2: RSA_2048\+EC_secp384r1 until 20\d\d-\d\d-\d\d$`,
		`(?m)^   443  TLS       2016-08 \(default of API\)  TLSv1.0-1.2  ECDHE-ECDSA-AES128-SHA weak +EC_secp384r1 until .*ALPN HTTP2Preferred$`,
		`(?m)^Policy our-tls of legacy-clb:443\n  TLSv1.2; the order of suites is the server's\n  ECDHE-RSA-AES128-GCM-SHA256  recommended\n  AES128-SHA                   weak$`,
		`(?m)^4 listeners, 3 load balancers, 2 regions; 10 calls, 7 pages$`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	for _, c := range []struct {
		args []string
		n    int
	}{{nil, 4}, {[]string{"--all", "--sni-certificates"}, 6}, {[]string{"--type", "nlb"}, 2}, {[]string{"--type", "classic,alb"}, 2}, {[]string{"--policy", "2016-08"}, 1}, {[]string{"--no-certificates"}, 4}} {
		out, _, code := command(t, append([]string{"aws", "list", "--json"}, c.args...)...)
		doc := validateAs(t, "aws-list", out)
		if l := doc["listeners"].([]any); len(l) != c.n || code != exitGood {
			t.Errorf("%s: %d listeners, exit code %d; want %d", c.args, len(l), code, c.n)
		}
	}
	out, errs, _ := command(t, "aws", "list", "--csv")
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 5 || rows[3][12] != "our-tls" || rows[3][24] != "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA" {
		t.Errorf("%v\n%s", err, out)
	}
	if !strings.Contains(errs, "8 calls") {
		t.Errorf("no count of calls in %s", errs)
	}
}

// TestAWSListErrors expects one clear line, and an exit code that says whose fault it is.
func TestAWSListErrors(t *testing.T) {
	testbed.OnlyAWS(t, "http://127.0.0.1:1")
	for _, c := range []struct {
		args []string
		code int
		text string
	}{
		{[]string{"--type", "gwlb"}, exitUsage, `--type "gwlb": use alb, nlb or classic`},
		{[]string{"--json", "--csv"}, exitUsage, "json csv"},
		{[]string{"--profile", "none-such"}, exitUndecided, "profile none-such: configuration of AWS"},
		{[]string{"--all-regions"}, exitUndecided, "listing the account's regions: DescribeRegions:"},
	} {
		_, errs, code := command(t, append([]string{"aws", "list"}, c.args...)...)
		if code != c.code || !strings.Contains(errs, c.text) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit code %d, %s", c.args, code, errs)
		}
	}
	// A region that does not answer is a problem of the list, not the end of it.
	out, _, code := command(t, "aws", "list", "--json")
	doc := validateAs(t, "aws-list", out)
	if code != exitUndecided || len(doc["problems"].([]any)) != 2 {
		t.Errorf("exit code %d: %s", code, out)
	}
	out, _, _ = command(t, "aws", "list")
	if !strings.Contains(strings.Join(strings.Fields(out), " "), "Not found out eu-west-1: Application and Network Load Balancers: DescribeLoadBalancers: dial tcp 127.0.0.1:1: connect: connection refused ") {
		t.Error(out)
	}
}
