package find_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/awstest"
	"github.com/parley-tls/parley/aws/find"
	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/testbed"
)

// two are accounts of which the second is reached by a role alone.
const two = `{"accounts": [
 {"id": "111122223333", "users": [{"name": "ada", "access_key_id": "testing", "secret_access_key": "testing"}, {"name": "bob", "access_key_id": "other", "secret_access_key": "other"}],
  "regions": {"eu-west-1": {"load_balancers": [
   {"name": "shop", "type": "application", "listeners": [{"port": 443, "protocol": "HTTPS", "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/1"]}]},
   {"name": "legacy", "type": "classic", "zones": [{"name": "eu-west-1a"}], "listeners": [{"port": 443, "protocol": "SSL", "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/1"]}]}]}}},
 {"id": "444455556666", "roles": [{"name": "reader", "trusts": ["111122223333"]}, {"name": "closed", "trusts": ["999999999999"]}],
  "regions": {"eu-west-1": {"load_balancers": [
   {"name": "legacy", "type": "classic", "zones": [{"name": "eu-west-1a"}], "listeners": [{"port": 443, "protocol": "SSL", "certificates": ["arn:aws:acm:eu-west-1:444455556666:certificate/1"]}]}]}}}]}`

// TestAccounts: profiles of one account count its listeners once, roles open others, and a role that does not is a problem.
func TestAccounts(t *testing.T) {
	awstest.Start(t, awstest.Read(t, two))
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte("[profile a]\nregion = eu-west-1\naws_access_key_id = testing\naws_secret_access_key = testing\n[profile b]\nregion = eu-west-1\naws_access_key_id = other\naws_secret_access_key = other\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", config)
	const role = "arn:aws:iam::444455556666:role/"
	for _, c := range []struct {
		o       account.Options
		want    string
		problem string
	}{
		{account.Options{}, "111122223333/legacy 111122223333/shop", ""},
		{account.Options{Profiles: []string{"a", "b"}}, "111122223333/legacy 111122223333/shop", ""},
		{account.Options{Roles: []string{role + "reader"}}, "444455556666/legacy", ""},
		{account.Options{Profiles: []string{"b"}, Roles: []string{role + "reader", role + "closed"}}, "444455556666/legacy", "not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/closed"},
	} {
		inv, err := find.List(t.Context(), sessions(t, c.o), find.Options{NoCertificates: true})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range inv.Listeners {
			got = append(got, l.Account+"/"+l.LoadBalancer)
		}
		if d := cmp.Diff(c.want, strings.Join(got, " ")); d != "" {
			t.Errorf("%+v (-want +got)\n%s", c.o, d)
		}
		if (len(inv.Problems) > 0) != (c.problem != "") || len(inv.Problems) > 0 && !strings.Contains(inv.Problems[0].Error(), c.problem) {
			t.Errorf("%+v: %v", c.o, inv.Problems)
		}
	}
	// The same name in two accounts means two, and an ARN one of them.
	both := sessions(t, account.Options{Profiles: []string{"a"}})
	both = append(both, sessions(t, account.Options{Profiles: []string{"a"}, Roles: []string{role + "reader"}})...)
	for name, want := range map[string]string{
		"legacy": "legacy means 2 listeners: name one of arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/legacy:443 (Classic SSL, eu-west-1), arn:aws:elasticloadbalancing:eu-west-1:444455556666:loadbalancer/legacy:443 (Classic SSL, eu-west-1)",
		"arn:aws:elasticloadbalancing:eu-west-1:444455556666:loadbalancer/legacy:443": "444455556666",
	} {
		l, err := find.Resolve(t.Context(), both, parse(t, name))
		got := fmt.Sprint(err)
		if err == nil {
			got = l.Account
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestInterrupted: what was found until then is there, with the error.
func TestInterrupted(t *testing.T) {
	c := awstest.Start(t, awstest.Read(t, shop))
	c.LoadBalancing().Inject(elbapi.Fault{Region: "us-east-1", Action: "DescribeListeners", Delay: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	begun := time.Now()
	inv, err := find.List(ctx, sessions(t, both), find.Options{NoCertificates: true})
	if !errors.Is(err, context.DeadlineExceeded) || len(inv.Listeners) != 6 || time.Since(begun) > 10*time.Second {
		t.Errorf("%v after %v, %+v", err, time.Since(begun), inv)
	}
}

// TestRubbish: answers that are none of AWS's are a problem in one line each, and nothing more.
func TestRubbish(t *testing.T) {
	for _, answer := range []string{"", "<html>", `{"message": "\u0000"}`, "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancers><member><LoadBalancerName>\x1b[31m</member>",
		strings.Repeat("<a>", 100_000)} {
		for _, status := range []int{http.StatusOK, http.StatusBadRequest} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/xml")
				w.WriteHeader(status)
				fmt.Fprint(w, answer)
			}))
			testbed.OnlyAWS(t, server.URL)
			inv, err := find.List(t.Context(), sessions(t, account.Options{}), find.Options{})
			server.Close()
			if err != nil || len(inv.Listeners) > 0 {
				t.Errorf("%.20q: %v, %+v", answer, err, inv)
				continue
			}
			for _, p := range inv.Problems {
				if text := p.Error(); strings.ContainsAny(text, "\n\x1b") || len(text) > 1000 {
					t.Errorf("%.20q: %.300q", answer, text)
				}
			}
		}
	}
}
