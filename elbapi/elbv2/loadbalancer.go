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
	EnablePrefixForIpv6SourceNat                         string
}

// State is the state of a load balancer.
type State struct{ Code string }

type createLoadBalancerInput struct {
	Name                         string `query:"required"`
	Subnets                      []string
	SubnetMappings               []SubnetMapping
	SecurityGroups               []string
	Scheme                       string `query:"enum=internet-facing|internal"`
	Tags                         []Tag  `query:"min=1"`
	Type                         string `query:"enum=application|network|gateway"`
	IpAddressType                string `query:"enum=ipv4|dualstack|dualstack-without-public-ipv4"`
	EnablePrefixForIpv6SourceNat string `query:"enum=on|off"`
}

type loadBalancersOutput struct{ LoadBalancers []LoadBalancer }

// createLoadBalancer answers with the state provisioning, as AWS does; the load balancer is active at once.
func createLoadBalancer(c *elbapi.Call, in *createLoadBalancerInput) (*loadBalancersOutput, error) {
	if err := checkName("load balancer", in.Name); err != nil {
		return nil, err
	}
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	l := &store.LoadBalancer{Name: in.Name, Type: orElse(in.Type, store.Application), Scheme: orElse(in.Scheme, "internet-facing"), Created: c.Now.UTC(),
		State: "active", IPAddressType: orElse(in.IpAddressType, "ipv4"), SecurityGroups: in.SecurityGroups, Tags: tags, SourceNAT: in.EnablePrefixForIpv6SourceNat}
	return elbapi.Update(c, func(r *store.Region) (*loadBalancersOutput, error) {
		if err := place(r, l, in.Subnets, in.SubnetMappings); err != nil {
			return nil, err
		}
		if err := checkSecurityGroups(r, l); err != nil {
			return nil, err
		}
		if same := r.LoadBalancerNamed(in.Name, false); same != nil {
			if !sameLoadBalancer(same, l) {
				return nil, query.Fail("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", in.Name)
			}
			return &loadBalancersOutput{[]LoadBalancer{show(same)}}, nil // the same call again
		}
		if most := limit(r, l.Type+"-load-balancers", 50); count(r, l.Type) >= most {
			return nil, query.Fail("TooManyLoadBalancers", "The maximum number of load balancers of type '%s' has been reached: %d", l.Type, most)
		}
		l.ARN = r.NewLoadBalancerARN(l.Type, l.Name)
		name(r, l)
		r.AddLoadBalancer(l)
		v := show(l)
		v.State.Code = "provisioning"
		return &loadBalancersOutput{[]LoadBalancer{v}}, nil
	})
}

func count(r *store.Region, kind string) int {
	n := 0
	for _, l := range r.LoadBalancers {
		if l.Type == kind {
			n++
		}
	}
	return n
}

// sameLoadBalancer reports whether a load balancer is what a request to make one asks for.
func sameLoadBalancer(have, want *store.LoadBalancer) bool {
	return have.Type == want.Type && have.Scheme == want.Scheme && have.IPAddressType == want.IPAddressType && sameJSON(have.Zones, want.Zones) &&
		slices.Equal(have.SecurityGroups, want.SecurityGroups) && sameJSON(have.Tags, want.Tags)
}

func checkName(what, name string) error {
	capital := strings.ToUpper(what[:1]) + what[1:]
	switch {
	case len(name) > 32:
		return query.Invalid("%s name '%s' cannot be longer than '32' characters", capital, name)
	case strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "":
		return query.Invalid("%s name '%s' can only contain characters that are alphanumeric characters or hyphens(-)", capital, name)
	case name == "" || strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-"):
		return query.Invalid("%s name '%s' cannot begin or end with '-'", capital, name)
	case what == "load balancer" && strings.HasPrefix(name, "internal-"):
		return query.Invalid("Load balancer name '%s' cannot begin with 'internal-'", name)
	}
	return nil
}

func show(l *store.LoadBalancer) LoadBalancer {
	v := LoadBalancer{LoadBalancerArn: l.ARN, DNSName: l.DNSName, CanonicalHostedZoneId: l.HostedZone, CreatedTime: l.Created, LoadBalancerName: l.Name,
		Scheme: l.Scheme, VpcId: l.VPC, State: State{l.State}, Type: l.Type, AvailabilityZones: showZones(l), SecurityGroups: slices.Clone(l.SecurityGroups),
		IpAddressType: l.IPAddressType, EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: l.EnforceInbound, EnablePrefixForIpv6SourceNat: l.SourceNAT}
	if l.Type == store.Gateway {
		v.Scheme, v.DNSName = "", ""
	}
	return v
}

type describeLoadBalancersInput struct {
	LoadBalancerArns []string
	Names            []string
	Marker           string
	PageSize         *int `query:"min=1,max=400"`
}

type describeLoadBalancersOutput struct {
	LoadBalancers []LoadBalancer
	NextMarker    string
}

func describeLoadBalancers(c *elbapi.Call, in *describeLoadBalancersInput) (*describeLoadBalancersOutput, error) {
	return elbapi.View(c, func(r *store.Region) (*describeLoadBalancersOutput, error) {
		all, err := pick(r, in)
		if err != nil {
			return nil, err
		}
		all, next, err := query.Page(all, func(l *store.LoadBalancer) string { return l.ARN }, in.Marker, in.PageSize, 400)
		if err != nil {
			return nil, err
		}
		out := &describeLoadBalancersOutput{LoadBalancers: []LoadBalancer{}, NextMarker: next}
		for _, l := range all {
			out.LoadBalancers = append(out.LoadBalancers, show(l))
		}
		return out, nil
	})
}

// pick returns the load balancers that a request names; each must be there.
func pick(r *store.Region, in *describeLoadBalancersInput) ([]*store.LoadBalancer, error) {
	var l []*store.LoadBalancer
	switch n := len(in.LoadBalancerArns) + len(in.Names); {
	case len(in.LoadBalancerArns) > 0 && len(in.Names) > 0:
		return nil, query.Invalid("Load balancer names and load balancer ARNs cannot be specified at the same time")
	case n > 20:
		return nil, query.Invalid("Up to 20 load balancers can be described at a time, but %d were specified", n)
	case n == 0:
		for _, b := range r.LoadBalancers {
			if b.Type != store.Classic {
				l = append(l, b)
			}
		}
		return l, nil
	}
	for _, arn := range in.LoadBalancerArns {
		b, err := find(r, arn)
		if err != nil {
			return nil, err
		}
		l = append(l, b)
	}
	for _, name := range in.Names {
		b := r.LoadBalancerNamed(name, false)
		if b == nil {
			return nil, query.Fail("LoadBalancerNotFound", "Load balancers '[%s]' not found", name)
		}
		l = append(l, b)
	}
	slices.SortFunc(l, func(a, b *store.LoadBalancer) int { return strings.Compare(a.ARN, b.ARN) })
	return slices.Compact(l), nil
}

// find returns a load balancer by its ARN; Classic ones are not known to this API.
func find(r *store.Region, arn string) (*store.LoadBalancer, error) {
	if !isLoadBalancerARN(arn) {
		return nil, query.Invalid("'%s' is not a valid load balancer ARN", arn)
	}
	l := r.LoadBalancer(arn)
	if l == nil || l.Type == store.Classic {
		return nil, query.Fail("LoadBalancerNotFound", "Load balancer '%s' not found", arn)
	}
	return l, nil
}

func isLoadBalancerARN(arn string) bool {
	return strings.HasPrefix(arn, "arn:") && strings.Contains(arn, ":loadbalancer/")
}

type loadBalancerArnInput struct {
	LoadBalancerArn string `query:"required"`
}

type nothing struct{}

// deleteLoadBalancer succeeds where there is none, as with AWS.
func deleteLoadBalancer(c *elbapi.Call, in *loadBalancerArnInput) (*nothing, error) {
	return elbapi.Update(c, func(r *store.Region) (*nothing, error) {
		if !isLoadBalancerARN(in.LoadBalancerArn) {
			return nil, query.Invalid("'%s' is not a valid load balancer ARN", in.LoadBalancerArn)
		}
		l := r.LoadBalancer(in.LoadBalancerArn)
		if l == nil || l.Type == store.Classic {
			return &nothing{}, nil
		}
		if l.Attributes["deletion_protection.enabled"] == "true" {
			return nil, query.Fail("OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled", l.ARN)
		}
		r.RemoveLoadBalancer(l.ARN)
		return &nothing{}, nil
	})
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
