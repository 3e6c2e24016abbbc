package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestAtOnce has many change and read at once; nothing is lost, in memory or on disk.
func TestAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "account.json")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AddAccount(&Account{ID: owner}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range 10 {
				name := fmt.Sprintf("lb-%d-%d", i, j)
				if err := s.Update(owner, "eu-west-1", func(r *Region) error {
					r.AddLoadBalancer(&LoadBalancer{ARN: r.NewLoadBalancerARN(Application, name), Name: name, Type: Application})
					return nil
				}); err != nil {
					t.Error(err)
				}
				// What Update returned from is in the file.
				data, err := os.ReadFile(path)
				if err != nil || !strings.Contains(string(data), `"name": "`+name+`"`) {
					t.Errorf("%s is not on disk: %v", name, err)
				}
				s.View(owner, "eu-west-1", func(r *Region) error {
					if r.LoadBalancerNamed(name, false) == nil {
						t.Errorf("%s is not there", name)
					}
					return nil
				})
			}
		}()
	}
	wg.Wait()
	again, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	again.View(owner, "eu-west-1", func(r *Region) error {
		if n := len(r.LoadBalancers); n != 80 {
			t.Errorf("%d load balancers on disk", n)
		}
		return nil
	})
}

// TestChanged has one follow the store while others change it: it ends with what they made.
func TestChanged(t *testing.T) {
	s := New()
	if err := s.AddAccount(&Account{ID: owner}); err != nil {
		t.Fatal(err)
	}
	const want = 200
	seen := make(chan int, 1)
	go func() {
		for n := 0; ; {
			next := s.Changed()
			s.View(owner, "eu-west-1", func(r *Region) error {
				n = len(r.TargetGroups)
				return nil
			})
			if n == want {
				seen <- n
				return
			}
			<-next
		}
	}()
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range want / 4 {
				if err := s.Update(owner, "eu-west-1", func(r *Region) error {
					r.AddTargetGroup(&TargetGroup{ARN: r.ARN("targetgroup/g/" + NewID())})
					return nil
				}); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
	select {
	case <-seen:
	case <-time.After(10 * time.Second):
		t.Error("a change was missed")
	}
}
