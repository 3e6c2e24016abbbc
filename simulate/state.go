package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/classic"
	"github.com/parley-tls/parley/elbapi/elbv2"
	"github.com/parley-tls/parley/elbapi/store"
)

// State is what the accounts have: what a simulation starts from, and what it can be saved to. docs/aws-simulate.md shows it.
type State struct {
	Accounts []Account `json:"accounts"`
}

// Account is one AWS account.
type Account struct {
	ID                 string             `json:"id"` // 12 digits
	Users              []User             `json:"users,omitempty"`
	Roles              []Role             `json:"roles,omitempty"`
	ServerCertificates []Object           `json:"server_certificates,omitempty"` // of IAM, each as GetServerCertificate answers
	Regions            map[string]*Region `json:"regions,omitempty"`             // beside those that every account has
}

// User has one access key.
type User struct {
	Name   string   `json:"name"`
	Key    string   `json:"access_key_id"`
	Secret string   `json:"secret_access_key"`
	Deny   []string `json:"deny,omitempty"` // actions, as IAM policies name them: "elasticloadbalancing:Modify*"
}

// Role can be assumed by the users of the accounts that it trusts.
type Role struct {
	Name   string   `json:"name"`
	Trusts []string `json:"trusts,omitempty"` // account ids; none: all that are here
	Deny   []string `json:"deny,omitempty"`
}

// Region is what an account has in a region. Objects are as AWS's own commands print them, so that an account can be copied.
type Region struct {
	SecurityGroups []Object `json:"security_groups,omitempty"` // aws ec2 describe-security-groups
	Subnets        []Object `json:"subnets,omitempty"`
	NetworkACLs    []Object `json:"network_acls,omitempty"`
	RouteTables    []Object `json:"route_tables,omitempty"`
	Certificates   []Object `json:"certificates,omitempty"` // aws acm describe-certificate
	Metrics        []Metric `json:"metrics,omitempty"`
	Events         []Object `json:"events,omitempty"` // aws cloudtrail lookup-events

	LoadBalancers []*store.LoadBalancer `json:"load_balancers,omitempty"` // ARNs, DNS names and defaults are filled in
	TargetGroups  []*store.TargetGroup  `json:"target_groups,omitempty"`
	TrustStores   []*store.TrustStore   `json:"trust_stores,omitempty"`
}

// WithLoadBalancers are the names of the account's regions that have any, sorted.
func (a *Account) WithLoadBalancers() []string {
	l := []string{}
	for _, name := range slices.Sorted(maps.Keys(a.Regions)) {
		if r := a.Regions[name]; r != nil && len(r.LoadBalancers) > 0 {
			l = append(l, name)
		}
	}
	return l
}

// Home is the account's region with the most load balancers.
func (a *Account) Home() string {
	home, most := "us-east-1", 0
	for _, name := range a.WithLoadBalancers() {
		if n := len(a.Regions[name].LoadBalancers); n > most {
			home, most = name, n
		}
	}
	return home
}

// Object is one object of AWS's JSON.
type Object = map[string]any

// Metric is a metric's data.
type Metric struct {
	Namespace  string            `json:"namespace"`
	Name       string            `json:"metric"`
	Dimensions map[string]string `json:"dimensions,omitempty"`
	Points     []Point           `json:"points,omitempty"`
	// Every repeats Values over Hours, one each so many seconds. The last is at the start of the simulation, or Ended hours before.
	Every  int       `json:"every,omitempty"`
	Hours  int       `json:"hours,omitempty"`
	Ended  int       `json:"ended,omitempty"`
	Values []float64 `json:"values,omitempty"`
}

// Point is the statistics of one time.
type Point struct {
	At      time.Time `json:"at"`
	Count   float64   `json:"count"`
	Sum     float64   `json:"sum"`
	Minimum float64   `json:"minimum"`
	Maximum float64   `json:"maximum"`
}

// New makes a simulation of the accounts of a state.
func New(s State) (*Cloud, error) {
	c := &Cloud{accounts: map[string]*account{}, keys: map[string]*identity{}, now: time.Now, services: newServices(), store: store.New()}
	c.balancing = elbapi.New(c.store, elbapi.Options{Now: func() time.Time { return c.now() }}, elbv2.API(), classic.API())
	return c, c.Add(s)
}

// ReadState reads a state out of JSON.
func ReadState(b []byte) (s State, err error) {
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch err = d.Decode(&s); {
	case errors.As(err, &syntax):
		return s, fmt.Errorf("byte %d: not JSON: %v", syntax.Offset, syntax)
	case errors.As(err, &kind):
		return s, fmt.Errorf("byte %d: %s is a %s, want %s", kind.Offset, kind.Field, kind.Value, kind.Type)
	case err != nil:
		return s, fmt.Errorf("no state of a simulation: %w", err)
	}
	return s, nil
}

var accountID = regexp.MustCompile(`^\d{12}$`)

// Add puts in what a state has beside what is there already.
func (c *Cloud) Add(s State) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, a := range s.Accounts {
		if !accountID.MatchString(a.ID) {
			return fmt.Errorf("account %d: the id %q: want 12 digits", i+1, a.ID)
		}
		to, err := c.account(a.ID)
		if err == nil {
			err = to.add(c, a)
		}
		if err != nil {
			return fmt.Errorf("account %s: %w", a.ID, err)
		}
	}
	return nil
}

// account returns the account, new with the regions that every account has.
func (c *Cloud) account(id string) (*account, error) {
	a := c.accounts[id]
	if a == nil {
		if err := c.store.AddAccount(&store.Account{ID: id}); err != nil {
			return nil, err
		}
		a = &account{id: id, roles: map[string]*role{}, regions: map[string]*region{}}
		for _, name := range regionsByDefault() {
			a.regions[name] = &region{name: name}
		}
		c.accounts[id] = a
	}
	return a, nil
}

func (a *account) add(c *Cloud, s Account) error {
	for i, u := range s.Users {
		if u.Name == "" || u.Key == "" || u.Secret == "" {
			return fmt.Errorf("user %d: want name, access_key_id and secret_access_key", i+1)
		}
		c.keys[u.Key] = &identity{account: a, name: u.Name, arn: "arn:aws:iam::" + a.id + ":user/" + u.Name, id: newName("AIDASIMULATED", 8),
			key: u.Key, secret: u.Secret, deny: u.Deny}
		if err := c.addKey(c.keys[u.Key]); err != nil {
			return err
		}
	}
	for i, r := range s.Roles {
		if r.Name == "" {
			return fmt.Errorf("role %d: want a name", i+1)
		}
		a.roles[r.Name] = &role{r.Name, newName("AROASIMULATED", 8), r.Trusts, r.Deny}
	}
	for i, o := range s.ServerCertificates {
		t := graft(copyOf(o)).(tree)
		if t.branch("ServerCertificateMetadata").text("ServerCertificateName") == "" {
			return fmt.Errorf("server certificate %d has no ServerCertificateMetadata.ServerCertificateName", i+1)
		}
		a.certificates = append(a.certificates, t)
	}
	if err := c.addServerCertificates(a); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(s.Regions)) {
		if a.regions[name] == nil {
			a.regions[name] = &region{name: name}
		}
		if s.Regions[name] == nil {
			continue
		}
		err := a.regions[name].add(c, s.Regions[name])
		if err == nil {
			err = c.addBalancing(a, a.regions[name], s.Regions[name])
		}
		if err != nil {
			return fmt.Errorf("region %s: %w", name, err)
		}
	}
	return nil
}

// times are the fields that AWS's JSON protocols send as numbers and its commands print as text.
var times = []string{"NotBefore", "NotAfter", "CreatedAt", "IssuedAt", "ImportedAt", "RevokedAt", "EventTime"}

func (r *region) add(c *Cloud, s *Region) error {
	for _, l := range []struct {
		name, id string
		from     []Object
		to       *[]tree
	}{
		{"security group", "GroupId", s.SecurityGroups, &r.groups}, {"subnet", "SubnetId", s.Subnets, &r.subnets},
		{"network ACL", "NetworkAclId", s.NetworkACLs, &r.acls}, {"route table", "RouteTableId", s.RouteTables, &r.routes},
		{"certificate", "CertificateArn", s.Certificates, &r.certificates}, {"event", "EventId", s.Events, &r.events},
	} {
		for i, o := range l.from {
			t := graft(copyOf(o)).(tree)
			if t.text(l.id) == "" {
				return fmt.Errorf("%s %d has no %s", l.name, i+1, l.id)
			}
			for _, name := range times {
				if t[name] == nil {
					continue
				}
				at, ok := t.when(name)
				if !ok {
					return fmt.Errorf("%s %s: %s is %q: want a time such as 2026-11-20T09:14:03Z", l.name, t.text(l.id), name, t.text(name))
				}
				t[name] = at
			}
			*l.to = append(*l.to, t)
		}
	}
	for i, m := range s.Metrics {
		if m.Namespace == "" || m.Name == "" {
			return fmt.Errorf("metric %d: want a namespace and a metric", i+1)
		}
		if len(m.Values) > 0 && (m.Every < 1 || m.Every > maxEvery || m.Hours < 1 || m.Hours > maxHours || m.Ended < 0 || m.Ended > maxHours || m.Hours*3600/m.Every > maxPoints) {
			return fmt.Errorf("metric %d (%s): values want every, of 1 to %d seconds, and hours, to %d, and there can be %d of them", i+1, m.Name, maxEvery, maxHours, maxPoints)
		}
		r.metrics.load(m, c.now())
	}
	return nil
}

// Bounds of repeated values: a day between two, and the 15 months that CloudWatch keeps.
const (
	maxEvery = 24 * 3600
	maxHours = 455 * 24
)

// copyOf copies an object's lists, which graft works on.
func copyOf(o any) any {
	switch o := o.(type) {
	case map[string]any:
		m := make(map[string]any, len(o))
		for k, v := range o {
			m[k] = copyOf(v)
		}
		return m
	case []any:
		l := make([]any, len(o))
		for i := range o {
			l[i] = copyOf(o[i])
		}
		return l
	}
	return o
}

// load takes a metric of a state in; now is when its repeated values end.
func (m *metrics) load(s Metric, now time.Time) {
	var dimensions []tree
	for name, value := range s.Dimensions {
		dimensions = append(dimensions, tree{"Name": name, "Value": value})
	}
	found := m.find(s.Namespace, s.Name, dimensions, true)
	for _, p := range s.Points {
		found.add(point{p.At, p.Count, p.Sum, p.Minimum, p.Maximum})
	}
	if len(s.Values) == 0 {
		return
	}
	step := time.Duration(s.Every) * time.Second
	n := s.Hours * 3600 / s.Every
	now = now.Add(-time.Duration(s.Ended) * time.Hour)
	for i := range n {
		v := s.Values[i%len(s.Values)]
		found.add(point{now.Add(-time.Duration(n-i) * step).Truncate(step), 1, v, v, v})
	}
}

// State is what there is now. Temporary credentials are left out.
func (c *Cloud) State() (State, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var s State
	for _, id := range slices.Sorted(maps.Keys(c.accounts)) {
		a := c.accounts[id]
		out := Account{ID: id, ServerCertificates: objects(a.certificates), Regions: map[string]*Region{}}
		for _, key := range slices.Sorted(maps.Keys(c.keys)) {
			if u := c.keys[key]; u.account == a && u.role == nil {
				out.Users = append(out.Users, User{u.name, u.key, u.secret, u.deny})
			}
		}
		for _, name := range slices.Sorted(maps.Keys(a.roles)) {
			out.Roles = append(out.Roles, Role{name, a.roles[name].trusts, a.roles[name].deny})
		}
		for name, r := range a.regions {
			out.Regions[name] = r.state()
			if err := c.balancingState(id, name, out.Regions[name]); err != nil {
				return s, err
			}
		}
		s.Accounts = append(s.Accounts, out)
	}
	return s, nil
}

func (r *region) state() *Region {
	s := &Region{SecurityGroups: objects(r.groups), Subnets: objects(r.subnets), NetworkACLs: objects(r.acls), RouteTables: objects(r.routes),
		Certificates: objects(r.certificates), Events: objects(slices.DeleteFunc(slices.Clone(r.events), readOnly))}
	for _, m := range r.metrics.sorted() {
		out := Metric{Namespace: m.namespace, Name: m.name, Dimensions: map[string]string{}}
		for _, d := range m.dimensions {
			out.Dimensions[d.text("Name")] = d.text("Value")
		}
		for _, p := range m.points {
			out.Points = append(out.Points, Point{p.at, p.count, p.sum, p.least, p.most})
		}
		s.Metrics = append(s.Metrics, out)
	}
	return s
}

// objects are trees as AWS's commands print them, times as text.
func objects(l []tree) []Object {
	var out []Object
	for _, t := range l {
		out = append(out, object(t).(Object))
	}
	return out
}

func object(v any) any {
	switch v := v.(type) {
	case tree:
		m := make(Object, len(v))
		for name, below := range v {
			m[name] = object(below)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i := range v {
			l[i] = object(v[i])
		}
		return l
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return v
}
