package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/parley-tls/parley/elbapi/sigv4"
)

// Region is what an account has in one region. Its lists are sorted by ARN or id; use the methods to change them.
//
// Subnets, security groups and certificates that are left out (nil, not empty) are not known: any well-formed id or ARN is
// taken.
type Region struct {
	Account        string          `json:"-"`
	Name           string          `json:"-"`
	LoadBalancers  []*LoadBalancer `json:"load_balancers,omitempty"`
	TargetGroups   []*TargetGroup  `json:"target_groups,omitempty"`
	TrustStores    []*TrustStore   `json:"trust_stores,omitempty"`
	Certificates   []*Certificate  `json:"certificates,omitzero"`
	Subnets        []Subnet        `json:"subnets,omitzero"`
	SecurityGroups []string        `json:"security_groups,omitzero"`
	// Quotas are those that differ from AWS's, by the names of DescribeAccountLimits.
	Quotas map[string]int `json:"quotas,omitempty"`

	account *Account
}

// Account is an account with its access keys.
type Account struct {
	ID      string             `json:"id"`
	Alias   string             `json:"alias,omitempty"`
	Keys    []sigv4.Key        `json:"keys"`
	Regions map[string]*Region `json:"regions,omitempty"`
	// ServerCertificates are those of IAM, which has no regions; nil: not known.
	ServerCertificates []*Certificate `json:"server_certificates,omitzero"`
}

// Store keeps accounts. The zero value is empty and not kept in a file.
type Store struct {
	mu       sync.RWMutex
	accounts map[string]*Account
	changes  uint64        // how many there were
	changed  chan struct{} // closed by the next change; nil: nobody waits
	file     *file
}

// New makes an empty store.
func New() *Store { return &Store{} }

// AddAccount adds an account, or takes the place of one with the same id.
func (s *Store) AddAccount(a *Account) error {
	if !isAccountID(a.ID) {
		return fmt.Errorf("account %q: an account id has 12 digits", a.ID)
	}
	return s.change(func() error {
		if s.accounts == nil {
			s.accounts = make(map[string]*Account)
		}
		if err := a.complete(); err != nil {
			return err
		}
		s.accounts[a.ID] = a
		return nil
	})
}

// change calls f with the lock held, and saves what it did.
func (s *Store) change(f func() error) error {
	n, err := s.locked(f)
	if err != nil {
		return err
	}
	return s.save(n)
}

func (s *Store) locked(f func() error) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	if s.changed != nil {
		defer close(s.changed)
		s.changed = nil
	}
	return s.changes, f()
}

// Changed returns a channel that the next change closes. Who serves what the store says takes the channel, then looks at the
// store, then waits: no change is missed.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// complete fills in what follows from an account's place, and sorts.
func (a *Account) complete() error {
	if a.Regions == nil {
		a.Regions = make(map[string]*Region)
	}
	for i := range a.Keys {
		a.Keys[i].Account = a.ID
		if a.Keys[i].Subject == "" {
			a.Keys[i].Subject = "arn:" + Partition("") + ":iam::" + a.ID + ":root"
		}
	}
	for name, r := range a.Regions {
		if r == nil {
			return fmt.Errorf("account %s: region %s is empty", a.ID, name)
		}
		r.Account, r.Name, r.account = a.ID, name, a
		if err := r.check(); err != nil {
			return fmt.Errorf("account %s: %w", a.ID, err)
		}
		r.sort()
	}
	return nil
}

// check refuses what only a file that was written by hand can have: members of lists that are null.
func (r *Region) check() error {
	for i, l := range r.LoadBalancers {
		if l == nil {
			return fmt.Errorf("load balancer %d of region %s is empty", i+1, r.Name)
		}
		if slices.Contains(l.Listeners, nil) {
			return fmt.Errorf("load balancer %d of region %s has an empty listener", i+1, r.Name)
		}
	}
	if slices.Contains(r.TargetGroups, nil) || slices.Contains(r.TrustStores, nil) || slices.Contains(r.Certificates, nil) || slices.Contains(r.account.ServerCertificates, nil) {
		return fmt.Errorf("region %s has an empty target group, trust store or certificate", r.Name)
	}
	return nil
}

func (r *Region) sort() {
	slices.SortFunc(r.LoadBalancers, func(a, b *LoadBalancer) int { return cmp.Compare(a.ARN, b.ARN) })
	slices.SortFunc(r.TargetGroups, func(a, b *TargetGroup) int { return cmp.Compare(a.ARN, b.ARN) })
	slices.SortFunc(r.TrustStores, func(a, b *TrustStore) int { return cmp.Compare(a.ARN, b.ARN) })
	slices.SortFunc(r.Certificates, func(a, b *Certificate) int { return cmp.Compare(a.ARN, b.ARN) })
}

func isAccountID(id string) bool {
	return len(id) == 12 && strings.Trim(id, "0123456789") == ""
}

// Key returns the access key with an id.
func (s *Store) Key(id string) (sigv4.Key, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, a := range s.accounts {
		for _, k := range a.Keys {
			if k.ID == id {
				return k, true
			}
		}
	}
	return sigv4.Key{}, false
}

// View calls f with what an account has in a region. f must neither change it nor keep it.
func (s *Store) View(account, region string, f func(*Region) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.accounts[account]
	if a == nil {
		return fmt.Errorf("no account %s", account)
	}
	r := a.Regions[region]
	if r == nil {
		r = &Region{Account: account, Name: region, account: a}
	}
	return f(r)
}

// Update calls f to change what an account has in a region, and saves it. f must check before it changes anything: what it
// did before it returned an error stays. Where the file cannot be written, Update returns an error and the change stays in
// memory: the next write that succeeds has it.
func (s *Store) Update(account, region string, f func(*Region) error) error {
	return s.change(func() error {
		a := s.accounts[account]
		if a == nil {
			return fmt.Errorf("no account %s", account)
		}
		r := a.Regions[region]
		if r != nil {
			return f(r)
		}
		r = &Region{Account: account, Name: region, account: a}
		if err := f(r); err != nil {
			return err
		}
		a.Regions[region] = r
		return nil
	})
}

// Account calls f with an account, to read or change it.
func (s *Store) Account(id string, f func(*Account) error) error {
	return s.change(func() error {
		a := s.accounts[id]
		if a == nil {
			return fmt.Errorf("no account %s", id)
		}
		return f(a)
	})
}

// LoadBalancer returns the load balancer with an ARN, or nil.
func (r *Region) LoadBalancer(arn string) *LoadBalancer {
	i, ok := slices.BinarySearchFunc(r.LoadBalancers, arn, func(l *LoadBalancer, arn string) int { return cmp.Compare(l.ARN, arn) })
	if !ok {
		return nil
	}
	return r.LoadBalancers[i]
}

// LoadBalancerNamed returns the load balancer with a name: among the Classic ones or among all others.
func (r *Region) LoadBalancerNamed(name string, classic bool) *LoadBalancer {
	for _, l := range r.LoadBalancers {
		if l.Name == name && (l.Type == Classic) == classic {
			return l
		}
	}
	return nil
}

// AddLoadBalancer adds a load balancer.
func (r *Region) AddLoadBalancer(l *LoadBalancer) {
	i, _ := slices.BinarySearchFunc(r.LoadBalancers, l.ARN, func(l *LoadBalancer, arn string) int { return cmp.Compare(l.ARN, arn) })
	r.LoadBalancers = slices.Insert(r.LoadBalancers, i, l)
}

// RemoveLoadBalancer removes the load balancer with an ARN, with its listeners.
func (r *Region) RemoveLoadBalancer(arn string) {
	r.LoadBalancers = slices.DeleteFunc(r.LoadBalancers, func(l *LoadBalancer) bool { return l.ARN == arn })
}

// Listener returns the listener with an ARN and its load balancer, or nil.
func (r *Region) Listener(arn string) (*LoadBalancer, *Listener) {
	l := r.LoadBalancer(loadBalancerOf(arn))
	if l == nil {
		return nil, nil
	}
	for _, x := range l.Listeners {
		if x.ARN == arn {
			return l, x
		}
	}
	return nil, nil
}

// TargetGroup returns the target group with an ARN, or nil.
func (r *Region) TargetGroup(arn string) *TargetGroup {
	i, ok := slices.BinarySearchFunc(r.TargetGroups, arn, func(g *TargetGroup, arn string) int { return cmp.Compare(g.ARN, arn) })
	if !ok {
		return nil
	}
	return r.TargetGroups[i]
}

// AddTargetGroup adds a target group.
func (r *Region) AddTargetGroup(g *TargetGroup) {
	i, _ := slices.BinarySearchFunc(r.TargetGroups, g.ARN, func(g *TargetGroup, arn string) int { return cmp.Compare(g.ARN, arn) })
	r.TargetGroups = slices.Insert(r.TargetGroups, i, g)
}

// RemoveTargetGroup removes the target group with an ARN.
func (r *Region) RemoveTargetGroup(arn string) {
	r.TargetGroups = slices.DeleteFunc(r.TargetGroups, func(g *TargetGroup) bool { return g.ARN == arn })
}

// TrustStore returns the trust store with an ARN, or nil.
func (r *Region) TrustStore(arn string) *TrustStore {
	i, ok := slices.BinarySearchFunc(r.TrustStores, arn, func(t *TrustStore, arn string) int { return cmp.Compare(t.ARN, arn) })
	if !ok {
		return nil
	}
	return r.TrustStores[i]
}

// Certificate looks a certificate of ACM or IAM up. Where the account does not say which ones it has, known is false and
// nothing can be said of any.
func (r *Region) Certificate(arn string) (c *Certificate, known bool) {
	all := r.Certificates
	if strings.Contains(arn, ":iam:") {
		all = r.account.ServerCertificates
	}
	for _, c := range all {
		if c.ARN == arn {
			return c, true
		}
	}
	return nil, all != nil
}
