package change_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/change"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/find"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/simulate"
	"github.com/parley-tls/parley/testbed"
)

// services are the names that IAM policies have for services.
var services = map[string]string{"Elastic Load Balancing v2": "elasticloadbalancing", "Elastic Load Balancing": "elasticloadbalancing", "ACM": "acm", "IAM": "iam", "STS": "sts"}

// TestPermissions: docs/iam-change.json allows what finding, changing and undoing call, and nothing else. GetCallerIdentity takes no
// permission.
func TestPermissions(t *testing.T) {
	allowed := actions(t, "iam-change.json")
	cloud, err := simulate.New(simulate.Demo(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud)
	defer server.Close()
	testbed.OnlyAWS(t, server.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", simulate.DemoKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", simulate.DemoKey)
	sessions, err := account.Open(t.Context(), account.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := sessions[0]
	for name, to := range map[string]string{"shop": "TLS13-1-2-2021-06", "legacy": "TLS-1-2-2017-01"} {
		thereAndBack(t, s, name, to)
	}
	var called []string
	for call := range s.Meter().Calls() {
		service, operation, _ := strings.Cut(call, ".")
		if action := services[service] + ":" + operation; action != "sts:GetCallerIdentity" && !slices.Contains(called, action) {
			called = append(called, action)
		}
	}
	slices.Sort(called)
	if d := cmp.Diff(allowed, called); d != "" {
		t.Errorf("-allowed by docs/iam-change.json +called\n%s", d)
	}
}

// actions reads what a policy document allows.
func actions(t *testing.T, name string) (allowed []string) {
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
			if change := !strings.Contains(a, ":Describe") && !strings.Contains(a, ":List") && !strings.Contains(a, ":Get"); change && s.Resource == "*" {
				t.Errorf("%s is allowed for everything that there is", a)
			}
		}
		allowed = append(allowed, s.Action...)
	}
	slices.Sort(allowed)
	return allowed
}

// thereAndBack changes the policy of a listener and takes the change back.
func thereAndBack(t *testing.T, s *account.Session, name, to string) {
	t.Helper()
	ctx := t.Context()
	n, err := elb.ParseName(name)
	if err != nil {
		t.Fatal(err)
	}
	l, err := find.Resolve(ctx, []*account.Session{s}, n)
	if err != nil {
		t.Fatal(err)
	}
	target := change.TargetOf(l)
	if err := change.CheckAccount(ctx, s, &target); err != nil {
		t.Fatal(err)
	}
	api := change.NewAPI(s, target)
	now, err := api.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	w, content, err := change.ParseWish(l.Kind, to, now)
	if err != nil {
		t.Fatal(err)
	}
	if l.Kind != elb.Classic {
		var warning *change.Warning
		if content, warning, err = change.Describe(ctx, s, l.Kind, w.Policy, content); err != nil || warning != nil {
			t.Fatal(warning, err)
		}
		if d := policy.Compare(content, policy.ByName(to)); !d.Empty() {
			t.Errorf("the API describes %s otherwise than the tables: %+v", to, d)
		}
	}
	journal, err := change.OpenJournal(filepath.Join(t.TempDir(), "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	r := &change.Runner{API: api, Journal: journal, By: s.Place}
	if _, err := r.Apply(ctx, change.NewPlan(target, now, w, time.Now())); err != nil {
		t.Fatal(err)
	}
	entries, _, err := journal.Read()
	if err != nil {
		t.Fatal(err)
	}
	all := change.History(entries)
	if now, err = api.Read(ctx); err != nil {
		t.Fatal(err)
	}
	back, err := change.NewUndo(&all[0], all, now, false, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	done, err := r.Apply(ctx, back)
	if err != nil || l.Kind == elb.Classic && len(done.Removed) != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if now, err = api.Read(ctx); err != nil || now.Policy != l.Policy {
		t.Errorf("%s has %s, %v, and had %s", name, now.Policy, err, l.Policy)
	}
}
