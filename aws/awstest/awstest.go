// Package awstest serves simulated AWS accounts to tests, and holds what they were asked against the documents of permissions.
package awstest

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/simulate"
	"github.com/parley-tls/parley/testbed"
)

// Read reads the accounts that a simulation is to have.
func Read(t *testing.T, text string) simulate.State {
	t.Helper()
	s, err := simulate.ReadState([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Start simulates accounts, and points AWS's SDKs in this process at them.
func Start(t *testing.T, s simulate.State) *simulate.Cloud {
	t.Helper()
	c, err := simulate.New(s)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	testbed.OnlyAWS(t, server.URL)
	return c
}

// services are the names that IAM policies have for services.
var services = map[string]string{"Elastic Load Balancing v2": "elasticloadbalancing", "Elastic Load Balancing": "elasticloadbalancing", "ACM": "acm", "IAM": "iam",
	"EC2": "ec2", "STS": "sts", "CloudWatch": "cloudwatch", "CloudTrail": "cloudtrail"}

// Permits fails the test unless the IAM policy document of that name in docs/ allows what the sessions called, and nothing else.
// GetCallerIdentity takes no permission.
func Permits(t *testing.T, document string, sessions ...*account.Session) {
	t.Helper()
	var called []string
	for _, s := range sessions {
		for call := range s.Meter().Calls() {
			service, operation, _ := strings.Cut(call, ".")
			if action := services[service] + ":" + operation; action != "sts:GetCallerIdentity" && !slices.Contains(called, action) {
				called = append(called, action)
			}
		}
	}
	slices.Sort(called)
	if d := cmp.Diff(allowed(t, document), called); d != "" {
		t.Errorf("-allowed by docs/%s +called\n%s", document, d)
	}
}

// allowed reads what a policy document allows.
func allowed(t *testing.T, name string) (actions []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testbed.Root(t), "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Version   string
		Statement []struct {
			Sid, Effect string
			Action      []string
			Resource    any
		}
	}
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	for _, s := range document.Statement {
		if s.Effect != "Allow" || document.Version != "2012-10-17" || s.Resource == nil {
			t.Errorf("%+v", s)
		}
		for _, a := range s.Action {
			if change := !strings.Contains(a, ":Describe") && !strings.Contains(a, ":List") && !strings.Contains(a, ":Get") && !strings.Contains(a, ":Lookup"); change && s.Resource == "*" {
				t.Errorf("%s is allowed for everything that there is", a)
			}
		}
		actions = append(actions, s.Action...)
	}
	slices.Sort(actions)
	return actions
}
