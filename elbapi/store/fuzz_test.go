package store

import (
	"path/filepath"
	"testing"
)

// FuzzLoad reads files of all kinds; one that is taken is written and read the same.
func FuzzLoad(f *testing.F) {
	s := New()
	if err := s.AddAccount(full()); err != nil {
		f.Fatal(err)
	}
	data, err := s.Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schema":"parley/aws-accounts/1","accounts":[{"id":"111122223333","keys":[{"id":"k"}],"regions":{"eu-west-1":{"load_balancers":[{"arn":"a"}]}}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Load(data)
		if err != nil {
			return
		}
		written, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Load(written)
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if twice, _ := again.Snapshot(); string(twice) != string(written) {
			t.Fatalf("%s\nand then\n%s", written, twice)
		}
	})
}

func BenchmarkSave5000(b *testing.B) {
	s, err := Open(filepath.Join(b.TempDir(), "account.json"))
	if err != nil {
		b.Fatal(err)
	}
	a := full()
	r := a.Regions["eu-west-1"]
	for len(r.LoadBalancers) < 5000 {
		l := *r.LoadBalancers[0]
		l.ARN = (&Region{Account: owner, Name: "eu-west-1"}).NewLoadBalancerARN(Application, "x")
		r.LoadBalancers = append(r.LoadBalancers, &l)
	}
	if err := s.AddAccount(a); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		if err := s.Update(owner, "eu-west-1", func(r *Region) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
