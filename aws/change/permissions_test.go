package change_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/awstest"
	"github.com/parley-tls/parley/aws/change"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/find"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/simulate"
)

// TestPermissions: docs/iam-change.json allows what finding, changing and undoing call, and nothing else. GetCallerIdentity takes no
// permission.
func TestPermissions(t *testing.T) {
	awstest.Start(t, simulate.Demo(time.Now()))
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
	awstest.Permits(t, "iam-change.json", s)
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
