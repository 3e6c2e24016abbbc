package elbv2

import (
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// LoadBalancer is a load balancer as the API shows it.
type LoadBalancer struct {
	LoadBalancerArn                                      string
	DNSName                                              string
	CanonicalHostedZoneId                                string
	CreatedTime                                          time.Time
	LoadBalancerName                                     string
	Scheme                                               string
	VpcId                                                string
	State                                                State
	Type                                                 string
	AvailabilityZones                                    []AvailabilityZone
	SecurityGroups                                       []string
	IpAddressType                                        string
	EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic string
}

// State is the state of a load balancer.
type State struct{ Code string }

// AvailabilityZone is a zone of a load balancer.
type AvailabilityZone struct {
	ZoneName              string
	SubnetId              string
	LoadBalancerAddresses []LoadBalancerAddress
}

// LoadBalancerAddress is a fixed address.
type LoadBalancerAddress struct {
	IpAddress          string
	AllocationId       string
	PrivateIPv4Address string
	IPv6Address        string
}

// SubnetMapping is a subnet with a fixed address.
type SubnetMapping struct {
	SubnetId            string
	AllocationId        string
	PrivateIPv4Address  string
	IPv6Address         string
	SourceNatIpv6Prefix string
}

// Tag is a tag.
type Tag struct {
	Key   string `query:"required,min=1,max=128" pattern:"([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)"`
	Value string `query:"max=256" pattern:"([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)"`
}

type createLoadBalancerInput struct {
	Name                         string `query:"required"`
	Subnets                      []string
	SubnetMappings               []SubnetMapping
	SecurityGroups               []string
	Scheme                       string `query:"enum=internet-facing|internal"`
	Tags                         []Tag  `query:"min=1"`
	Type                         string `query:"enum=application|network|gateway"`
	IpAddressType                string `query:"enum=ipv4|dualstack|dualstack-without-public-ipv4"`
	CustomerOwnedIpv4Pool        string `query:"max=256" pattern:"(ipv4pool-coip-)[a-zA-Z0-9]+"`
	EnablePrefixForIpv6SourceNat string `query:"enum=on|off"`
}

type loadBalancersOutput struct{ LoadBalancers []LoadBalancer }

func createLoadBalancer(c *elbapi.Call, in *createLoadBalancerInput) (*loadBalancersOutput, error) {
	if err := checkName("load balancer", in.Name); err != nil {
		return nil, err
	}
	l := &store.LoadBalancer{Name: in.Name, Type: orElse(in.Type, store.Application), Scheme: orElse(in.Scheme, "internet-facing"), Created: c.Now.UTC(),
		State: "active", IPAddressType: orElse(in.IpAddressType, "ipv4"), SecurityGroups: in.SecurityGroups}
	var out *loadBalancersOutput
	err := c.Update(func(r *store.Region) error {
		if r.LoadBalancerNamed(in.Name, false) != nil {
			return query.Fail("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", in.Name)
		}
		l.ARN = r.NewLoadBalancerARN(l.Type, l.Name)
		r.AddLoadBalancer(l)
		out = &loadBalancersOutput{[]LoadBalancer{show(l)}}
		return nil
	})
	return out, err
}

func checkName(what, name string) error {
	switch {
	case len(name) > 32:
		return query.Invalid("The %s name '%s' cannot be longer than '32' characters", what, name)
	case strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "":
		return query.Invalid("The %s name '%s' can only contain characters that are alphanumeric characters and hyphens(-)", what, name)
	case strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-") || name == "":
		return query.Invalid("The %s name '%s' cannot begin or end with a hyphen(-)", what, name)
	case what == "load balancer" && strings.HasPrefix(name, "internal-"):
		return query.Invalid("The load balancer name '%s' cannot begin with 'internal-'", name)
	}
	return nil
}

func show(l *store.LoadBalancer) LoadBalancer {
	v := LoadBalancer{LoadBalancerArn: l.ARN, DNSName: l.DNSName, CanonicalHostedZoneId: l.HostedZone, CreatedTime: l.Created, LoadBalancerName: l.Name,
		Scheme: l.Scheme, VpcId: l.VPC, State: State{l.State}, Type: l.Type, AvailabilityZones: []AvailabilityZone{}, SecurityGroups: slices.Clone(l.SecurityGroups),
		IpAddressType: l.IPAddressType, EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: l.EnforceInbound}
	for _, z := range l.Zones {
		a := AvailabilityZone{ZoneName: z.Name, SubnetId: z.Subnet, LoadBalancerAddresses: []LoadBalancerAddress{}}
		for _, x := range z.Addresses {
			a.LoadBalancerAddresses = append(a.LoadBalancerAddresses, LoadBalancerAddress{x.IP, x.Allocation, x.PrivateIP, x.IPv6})
		}
		v.AvailabilityZones = append(v.AvailabilityZones, a)
	}
	return v
}

type describeLoadBalancersInput struct {
	LoadBalancerArns []string `query:"max=20"`
	Names            []string `query:"max=20"`
	Marker           string
	PageSize         *int `query:"min=1,max=400"`
}

type describeLoadBalancersOutput struct {
	LoadBalancers []LoadBalancer
	NextMarker    string
}

func describeLoadBalancers(c *elbapi.Call, in *describeLoadBalancersInput) (*describeLoadBalancersOutput, error) {
	out := &describeLoadBalancersOutput{LoadBalancers: []LoadBalancer{}}
	return out, c.View(func(r *store.Region) error {
		all, err := pick(r, in)
		if err != nil {
			return err
		}
		all, out.NextMarker, err = page(all, func(l *store.LoadBalancer) string { return l.ARN }, in.Marker, in.PageSize, 400)
		for _, l := range all {
			out.LoadBalancers = append(out.LoadBalancers, show(l))
		}
		return err
	})
}

// pick returns the load balancers that a request names; each must be there.
func pick(r *store.Region, in *describeLoadBalancersInput) ([]*store.LoadBalancer, error) {
	var l []*store.LoadBalancer
	switch {
	case len(in.LoadBalancerArns) > 0 && len(in.Names) > 0:
		return nil, query.Invalid("Load balancer names and load balancer ARNs cannot be specified at the same time")
	case len(in.LoadBalancerArns) > 0:
		for _, arn := range in.LoadBalancerArns {
			b, err := find(r, arn)
			if err != nil {
				return nil, err
			}
			l = append(l, b)
		}
	case len(in.Names) > 0:
		for _, name := range in.Names {
			b := r.LoadBalancerNamed(name, false)
			if b == nil {
				return nil, query.Fail("LoadBalancerNotFound", "Load balancers '[%s]' not found", name)
			}
			l = append(l, b)
		}
	default:
		for _, b := range r.LoadBalancers {
			if b.Type != store.Classic {
				l = append(l, b)
			}
		}
		return l, nil
	}
	slices.SortFunc(l, func(a, b *store.LoadBalancer) int { return strings.Compare(a.ARN, b.ARN) })
	return slices.Compact(l), nil
}

// find returns a load balancer by its ARN; Classic ones are not known to this API.
func find(r *store.Region, arn string) (*store.LoadBalancer, error) {
	if !strings.HasPrefix(arn, "arn:") || !strings.Contains(arn, ":loadbalancer/") {
		return nil, query.Invalid("'%s' is not a valid load balancer ARN", arn)
	}
	l := r.LoadBalancer(arn)
	if l == nil || l.Type == store.Classic {
		return nil, query.Fail("LoadBalancerNotFound", "Load balancer '%s' not found", arn)
	}
	return l, nil
}

type loadBalancerArnInput struct {
	LoadBalancerArn string `query:"required"`
}

type nothing struct{}

func deleteLoadBalancer(c *elbapi.Call, in *loadBalancerArnInput) (*nothing, error) {
	return &nothing{}, c.Update(func(r *store.Region) error {
		r.RemoveLoadBalancer(in.LoadBalancerArn)
		return nil
	})
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
