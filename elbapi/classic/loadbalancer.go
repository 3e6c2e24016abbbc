package classic

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

type createLoadBalancerInput struct {
	LoadBalancerName  string     `query:"required"`
	Listeners         []Listener `query:"required"`
	AvailabilityZones []string
	Subnets           []string
	SecurityGroups    []string
	Scheme            string
	Tags              []Tag `query:"min=1"`
}

type createLoadBalancerOutput struct{ DNSName string }

// maxLoadBalancers is how many a region can have. Source: quotas of Classic Load Balancers.
const maxLoadBalancers = 20

func createLoadBalancer(c *elbapi.Call, in *createLoadBalancerInput) (*createLoadBalancerOutput, error) {
	if err := checkName(in.LoadBalancerName); err != nil {
		return nil, err
	}
	switch {
	case len(in.Listeners) == 0:
		return nil, query.Invalid("Listeners must be specified")
	case len(in.AvailabilityZones) == 0 && len(in.Subnets) == 0:
		return nil, query.Invalid("Either AvailabilityZones or SubnetIds must be specified")
	case len(in.AvailabilityZones) > 0 && len(in.Subnets) > 0:
		return nil, query.Invalid("Only one of SubnetIds or AvailabilityZones may be specified")
	case in.Scheme != "" && in.Scheme != "internal" && in.Scheme != "internet-facing":
		return nil, query.Fail("InvalidScheme", "Invalid scheme %s: internal and internet-facing are there", in.Scheme)
	}
	certificates, err := ofIAM(c)
	if err != nil {
		return nil, err
	}
	out := &createLoadBalancerOutput{}
	return out, c.Update(func(r *store.Region) error {
		l := &store.LoadBalancer{Name: in.LoadBalancerName, Type: store.Classic, Scheme: in.Scheme, Created: c.Now.UTC(), State: "active", SecurityGroups: in.SecurityGroups,
			Classic: &store.ClassicParts{}}
		if l.Scheme == "" {
			l.Scheme = "internet-facing"
		}
		made, err := checkAll(r, certificates, in.Listeners)
		if err == nil {
			err = place(r, l, in)
		}
		if err == nil {
			err = tag(l, in.Tags)
		}
		if err == nil {
			err = add(l, made)
		}
		if err != nil {
			return err
		}
		l.Classic.HealthCheck = newHealthCheck(made[0].InstancePort)
		if old := r.LoadBalancerNamed(l.Name, true); old != nil {
			if !alike(old, l) {
				return query.Fail("DuplicateLoadBalancerName", "Load Balancer named %s already exists and it is configured with different parameters.", l.Name)
			}
			out.DNSName = old.DNSName
			return nil
		}
		if n := countClassic(r); n >= maxLoadBalancers {
			return query.Fail("TooManyLoadBalancers", "The quota of %d load balancers has been reached", maxLoadBalancers)
		}
		l.ARN = r.NewLoadBalancerARN(store.Classic, l.Name)
		l.DNSName = dnsName(l, r.Name)
		r.AddLoadBalancer(l)
		out.DNSName = l.DNSName
		return nil
	})
}

func countClassic(r *store.Region) int {
	n := 0
	for _, l := range r.LoadBalancers {
		if l.Type == store.Classic {
			n++
		}
	}
	return n
}

// place puts a new load balancer into its zones.
func place(r *store.Region, l *store.LoadBalancer, in *createLoadBalancerInput) error {
	for _, name := range in.AvailabilityZones {
		z, err := inZone(r, name)
		if err != nil {
			return err
		}
		l.Zones = append(l.Zones, z)
	}
	for _, id := range in.Subnets {
		z, err := inSubnet(r, l, id)
		if err != nil {
			return err
		}
		l.Zones = append(l.Zones, z)
	}
	return checkGroups(r, in.SecurityGroups)
}

// alike reports whether a load balancer is what a request would make: creating it again is then no error.
func alike(a, b *store.LoadBalancer) bool {
	return a.Scheme == b.Scheme && slices.Equal(a.SecurityGroups, b.SecurityGroups) && slices.EqualFunc(a.Zones, b.Zones, func(x, y store.Zone) bool {
		return x.Name == y.Name && x.Subnet == y.Subnet
	}) && slices.EqualFunc(a.Listeners, b.Listeners, func(x, y *store.Listener) bool { return show(x) == show(y) })
}

func checkName(name string) error {
	switch {
	case len(name) > 32:
		return query.Invalid("LoadBalancer name cannot be longer than 32 characters")
	case name == "" || strings.Trim(name, letters+"-") != "" || strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-"):
		return query.Invalid("LoadBalancer name must contain only alphanumeric characters or hyphens, and must not start or end with a hyphen")
	}
	return nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// dnsName makes the DNS name of a new load balancer.
func dnsName(l *store.LoadBalancer, region string) string {
	var b [4]byte
	rand.Read(b[:]) // never fails
	name := fmt.Sprintf("%s-%d.%s.elb.amazonaws.com", l.Name, binary.BigEndian.Uint32(b[:]), region)
	if l.Scheme == "internal" {
		return "internal-" + name
	}
	return name
}

type loadBalancerNameInput struct {
	LoadBalancerName string `query:"required"`
}

// deleteLoadBalancer succeeds where there is none, too.
func deleteLoadBalancer(c *elbapi.Call, in *loadBalancerNameInput) (*nothing, error) {
	return &nothing{}, c.Update(func(r *store.Region) error {
		if l := r.LoadBalancerNamed(in.LoadBalancerName, true); l != nil {
			r.RemoveLoadBalancer(l.ARN)
		}
		return nil
	})
}

type describeLoadBalancersInput struct {
	LoadBalancerNames []string
	Marker            string
	PageSize          *int `query:"min=1,max=400"`
}

type describeLoadBalancersOutput struct {
	LoadBalancerDescriptions []LoadBalancer
	NextMarker               string
}

// LoadBalancer is a load balancer as the API shows it.
type LoadBalancer struct {
	LoadBalancerName          string
	DNSName                   string
	CanonicalHostedZoneName   string
	CanonicalHostedZoneNameID string
	ListenerDescriptions      []ListenerDescription
	Policies                  Policies
	BackendServerDescriptions []BackendServer
	AvailabilityZones         []string
	Subnets                   []string
	VPCId                     string
	Instances                 []Instance
	HealthCheck               HealthCheck
	SecurityGroups            []string
	CreatedTime               time.Time
	Scheme                    string
}

// ListenerDescription is a listener with the policies that are set on it.
type ListenerDescription struct {
	Listener    Listener
	PolicyNames []string
}

// Policies are the policies of a load balancer by kind.
type Policies struct {
	AppCookieStickinessPolicies []AppCookiePolicy
	LBCookieStickinessPolicies  []LBCookiePolicy
	OtherPolicies               []string
}

// AppCookiePolicy is a stickiness policy that follows a cookie of the application.
type AppCookiePolicy struct{ PolicyName, CookieName string }

// LBCookiePolicy is a stickiness policy with a cookie of the load balancer.
type LBCookiePolicy struct {
	PolicyName             string
	CookieExpirationPeriod *int64
}

// BackendServer is what is set on an instance port.
type BackendServer struct {
	InstancePort int
	PolicyNames  []string
}

func describeLoadBalancers(c *elbapi.Call, in *describeLoadBalancersInput) (*describeLoadBalancersOutput, error) {
	out := &describeLoadBalancersOutput{LoadBalancerDescriptions: []LoadBalancer{}}
	return out, c.View(func(r *store.Region) error {
		var all []*store.LoadBalancer
		for _, l := range r.LoadBalancers {
			if l.Type == store.Classic && (len(in.LoadBalancerNames) == 0 || slices.Contains(in.LoadBalancerNames, l.Name)) {
				all = append(all, l)
			}
		}
		for _, name := range in.LoadBalancerNames {
			if _, err := find(r, name); err != nil {
				return err
			}
		}
		part, next, err := query.Page(all, func(l *store.LoadBalancer) string { return l.ARN }, in.Marker, in.PageSize, 400)
		out.NextMarker = next
		for _, l := range part {
			out.LoadBalancerDescriptions = append(out.LoadBalancerDescriptions, describe(l))
		}
		return err
	})
}

// describe is a load balancer as the API shows it.
func describe(l *store.LoadBalancer) LoadBalancer {
	d := LoadBalancer{LoadBalancerName: l.Name, DNSName: l.DNSName, CanonicalHostedZoneName: l.DNSName, CanonicalHostedZoneNameID: l.HostedZone, VPCId: l.VPC,
		SecurityGroups: slices.Clone(l.SecurityGroups), CreatedTime: l.Created, Scheme: l.Scheme, HealthCheck: showHealthCheck(&l.Classic.HealthCheck), ListenerDescriptions: []ListenerDescription{},
		BackendServerDescriptions: []BackendServer{}, AvailabilityZones: []string{}, Subnets: []string{}, Instances: []Instance{},
		Policies: Policies{[]AppCookiePolicy{}, []LBCookiePolicy{}, []string{}}}
	for _, x := range l.Listeners {
		d.ListenerDescriptions = append(d.ListenerDescriptions, ListenerDescription{show(x), append([]string{}, x.Policies...)})
	}
	for i := range l.Classic.Policies {
		p := &l.Classic.Policies[i]
		switch p.Type {
		case typeAppCookie:
			d.Policies.AppCookieStickinessPolicies = append(d.Policies.AppCookieStickinessPolicies, AppCookiePolicy{p.Name, valueOf(p, "CookieName")})
		case typeLBCookie:
			k := LBCookiePolicy{PolicyName: p.Name}
			if n, err := strconv.ParseInt(valueOf(p, "CookieExpirationPeriod"), 10, 64); err == nil {
				k.CookieExpirationPeriod = &n
			}
			d.Policies.LBCookieStickinessPolicies = append(d.Policies.LBCookieStickinessPolicies, k)
		default:
			d.Policies.OtherPolicies = append(d.Policies.OtherPolicies, p.Name)
		}
	}
	for port, names := range l.Classic.BackendPolicies {
		d.BackendServerDescriptions = append(d.BackendServerDescriptions, BackendServer{port, slices.Clone(names)})
	}
	slices.SortFunc(d.BackendServerDescriptions, func(a, b BackendServer) int { return a.InstancePort - b.InstancePort })
	for _, z := range l.Zones {
		if z.Name != "" && !slices.Contains(d.AvailabilityZones, z.Name) {
			d.AvailabilityZones = append(d.AvailabilityZones, z.Name)
		}
		if z.Subnet != "" {
			d.Subnets = append(d.Subnets, z.Subnet)
		}
	}
	for _, i := range l.Classic.Instances {
		d.Instances = append(d.Instances, Instance{i.ID})
	}
	return d
}
