package elbv2

import (
	"cmp"
	_ "embed"
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

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
	SubnetId           string
	AllocationId       string
	PrivateIPv4Address string
	IPv6Address        string
}

var (
	subnetID        = regexp.MustCompile(`\Asubnet-[0-9a-z]{1,32}\z`)
	securityGroupID = regexp.MustCompile(`\Asg-[0-9a-z]{1,32}\z`)
)

// place puts a load balancer into subnets.
func place(r *store.Region, l *store.LoadBalancer, ids []string, mappings []SubnetMapping) error {
	if len(ids) > 0 && len(mappings) > 0 {
		return query.Invalid("Subnets and subnet mappings cannot be specified at the same time")
	}
	for _, id := range ids {
		mappings = append(mappings, SubnetMapping{SubnetId: id})
	}
	var zones []store.Zone
	for i, m := range mappings {
		s, err := subnet(r, m.SubnetId, i)
		if err != nil {
			return err
		}
		z := store.Zone{Name: s.Zone, Subnet: s.ID}
		if fixed := (store.Address{Allocation: m.AllocationId, PrivateIP: m.PrivateIPv4Address, IPv6: m.IPv6Address}); fixed != (store.Address{}) {
			if l.Type != store.Network {
				return query.Fail("InvalidConfigurationRequest", "Fixed addresses are supported for Network Load Balancers only")
			}
			z.Addresses = []store.Address{fixed}
		}
		if slices.ContainsFunc(zones, func(o store.Zone) bool { return o.Name == z.Name }) {
			return query.Fail("InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone")
		}
		if zones = append(zones, z); i > 0 && l.VPC != s.VPC {
			return query.Fail("InvalidConfigurationRequest", "Subnets '%s' are not in the same VPC", m.SubnetId)
		}
		l.VPC = s.VPC
	}
	switch {
	case l.Type == store.Application && len(zones) < 2:
		return query.Invalid("At least two subnets in two different Availability Zones must be specified")
	case len(zones) == 0:
		return query.Invalid("At least one subnet must be specified")
	}
	slices.SortFunc(zones, func(a, b store.Zone) int { return cmp.Compare(a.Name, b.Name) })
	l.Zones = zones
	return nil
}

// subnet looks a subnet up. Where the region does not say which ones it has, any is taken: the first of a request to be in zone
// a, the second in zone b and so on.
func subnet(r *store.Region, id string, place int) (store.Subnet, error) {
	if !subnetID.MatchString(id) {
		return store.Subnet{}, query.Invalid("The subnet ID '%s' is not valid", id)
	}
	if r.Subnets == nil {
		return store.Subnet{ID: id, Zone: r.Name + string(rune('a'+place%26)), VPC: "vpc-" + hash(r.Account, r.Name)}, nil
	}
	i := slices.IndexFunc(r.Subnets, func(s store.Subnet) bool { return s.ID == id })
	if i < 0 {
		return store.Subnet{}, query.Fail("SubnetNotFound", "The subnet ID '%s' does not exist", id)
	}
	return r.Subnets[i], nil
}

// hash makes an id that is always the same for a region.
func hash(parts ...string) string {
	h := fnv.New64a()
	h.Write([]byte(strings.Join(parts, "/")))
	return fmt.Sprintf("0%016x", h.Sum64())
}

// checkSecurityGroups: they are there. An Application Load Balancer without any has the default one of its VPC.
func checkSecurityGroups(r *store.Region, l *store.LoadBalancer) error {
	if l.Type == store.Gateway && len(l.SecurityGroups) > 0 {
		return query.Invalid("Security groups are not supported for load balancers with type 'gateway'")
	}
	for _, id := range l.SecurityGroups {
		if !securityGroupID.MatchString(id) || r.SecurityGroups != nil && !slices.Contains(r.SecurityGroups, id) {
			return query.Fail("InvalidSecurityGroup", "Security group '%s' is not valid", id)
		}
	}
	if l.Type == store.Application && len(l.SecurityGroups) == 0 {
		l.SecurityGroups = []string{"sg-" + hash(l.VPC, "default")}
	}
	if l.Type == store.Network && len(l.SecurityGroups) > 0 && l.EnforceInbound == "" {
		l.EnforceInbound = "on"
	}
	return nil
}

//go:embed data/zones.tsv
var zoneData string

// name gives a load balancer its DNS name and the hosted zone that aliases of it name, where that is known.
func name(r *store.Region, l *store.LoadBalancer) {
	if l.Type == store.Gateway {
		return
	}
	id := l.ARN[strings.LastIndexByte(l.ARN, '/')+1:]
	domain := "amazonaws.com"
	if store.Partition(r.Name) == "aws-cn" {
		domain += ".cn"
	}
	if l.Type == store.Network {
		l.DNSName = l.Name + "-" + id + ".elb." + r.Name + "." + domain
	} else {
		var n uint32
		fmt.Sscanf(id[:8], "%x", &n) // an id is hexadecimal
		l.DNSName = fmt.Sprintf("%s-%d.%s.elb.%s", l.Name, n, r.Name, domain)
	}
	if l.Scheme == "internal" && l.Type == store.Application {
		l.DNSName = "internal-" + l.DNSName
	}
	for line := range strings.Lines(zoneData) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); f[0] == r.Name && f[1] == l.Type {
			l.HostedZone = f[2]
		}
	}
}

func showZones(l *store.LoadBalancer) []AvailabilityZone {
	out := []AvailabilityZone{}
	for _, z := range l.Zones {
		a := AvailabilityZone{ZoneName: z.Name, SubnetId: z.Subnet, LoadBalancerAddresses: []LoadBalancerAddress{}}
		for _, x := range z.Addresses {
			a.LoadBalancerAddresses = append(a.LoadBalancerAddresses, LoadBalancerAddress{x.IP, x.Allocation, x.PrivateIP, x.IPv6})
		}
		out = append(out, a)
	}
	return out
}

type setSubnetsInput struct {
	LoadBalancerArn string `query:"required"`
	Subnets         []string
	SubnetMappings  []SubnetMapping
	IpAddressType   string `query:"enum=ipv4|dualstack|dualstack-without-public-ipv4"`
}

type setSubnetsOutput struct {
	AvailabilityZones []AvailabilityZone
	IpAddressType     string
}

func setSubnets(c *elbapi.Call, in *setSubnetsInput) (*setSubnetsOutput, error) {
	return elbapi.Update(c, func(r *store.Region) (*setSubnetsOutput, error) {
		l, err := find(r, in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		moved := *l
		if err := place(r, &moved, in.Subnets, in.SubnetMappings); err != nil {
			return nil, err
		}
		if moved.VPC != l.VPC && l.VPC != "" {
			return nil, query.Fail("InvalidConfigurationRequest", "The subnets must be in the VPC of the load balancer, '%s'", l.VPC)
		}
		for _, z := range l.Zones {
			if l.Type != store.Application && !slices.ContainsFunc(moved.Zones, func(n store.Zone) bool { return n.Subnet == z.Subnet }) {
				return nil, query.Fail("InvalidConfigurationRequest", "Subnet removal is not supported for %s Load Balancers. You must specify all existing subnets along with any new ones", title[l.Type])
			}
		}
		l.Zones, l.VPC, l.IPAddressType = moved.Zones, moved.VPC, orElse(in.IpAddressType, l.IPAddressType)
		return &setSubnetsOutput{showZones(l), l.IPAddressType}, nil
	})
}

type setSecurityGroupsInput struct {
	LoadBalancerArn                                      string   `query:"required"`
	SecurityGroups                                       []string `query:"required"`
	EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic string   `query:"enum=on|off"`
}

type setSecurityGroupsOutput struct {
	SecurityGroupIds                                     []string
	EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic string
}

func setSecurityGroups(c *elbapi.Call, in *setSecurityGroupsInput) (*setSecurityGroupsOutput, error) {
	return elbapi.Update(c, func(r *store.Region) (*setSecurityGroupsOutput, error) {
		l, err := find(r, in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		if len(in.SecurityGroups) == 0 && l.Type == store.Application {
			return nil, query.Invalid("A security group must be specified")
		}
		if l.Type == store.Network && len(l.SecurityGroups) == 0 {
			return nil, query.Fail("InvalidConfigurationRequest", "You cannot set security groups on a Network Load Balancer that was created without one")
		}
		changed := *l
		changed.SecurityGroups = in.SecurityGroups
		if in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != "" {
			if l.Type != store.Network {
				return nil, query.Invalid("Inbound rules on PrivateLink traffic are a setting of Network Load Balancers")
			}
			changed.EnforceInbound = in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic
		}
		if err := checkSecurityGroups(r, &changed); err != nil {
			return nil, err
		}
		*l = changed
		return &setSecurityGroupsOutput{slices.Clone(l.SecurityGroups), l.EnforceInbound}, nil
	})
}

type setIpAddressTypeInput struct {
	LoadBalancerArn string `query:"required"`
	IpAddressType   string `query:"required,enum=ipv4|dualstack|dualstack-without-public-ipv4"`
}

type setIpAddressTypeOutput struct{ IpAddressType string }

func setIpAddressType(c *elbapi.Call, in *setIpAddressTypeInput) (*setIpAddressTypeOutput, error) {
	return elbapi.Update(c, func(r *store.Region) (*setIpAddressTypeOutput, error) {
		l, err := find(r, in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		if in.IpAddressType == "dualstack-without-public-ipv4" && l.Type != store.Application {
			return nil, query.Fail("InvalidConfigurationRequest", "IP address type '%s' is not supported for load balancers of type '%s'", in.IpAddressType, l.Type)
		}
		l.IPAddressType = in.IpAddressType
		return &setIpAddressTypeOutput{l.IPAddressType}, nil
	})
}
