package classic

import (
	"slices"
	"strings"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

type securityGroupsInput struct {
	LoadBalancerName string   `query:"required"`
	SecurityGroups   []string `query:"required"`
}

type securityGroupsOutput struct{ SecurityGroups []string }

// applySecurityGroups replaces all security groups of a load balancer.
func applySecurityGroups(c *elbapi.Call, in *securityGroupsInput) (*securityGroupsOutput, error) {
	return &securityGroupsOutput{in.SecurityGroups}, update(c, in.LoadBalancerName, func(r *store.Region, l *store.LoadBalancer) error {
		if err := checkGroups(r, in.SecurityGroups); err != nil {
			return err
		}
		l.SecurityGroups = slices.Clone(in.SecurityGroups)
		return nil
	})
}

// checkGroups checks that security groups are there, as far as it is known which are.
func checkGroups(r *store.Region, ids []string) error {
	for _, id := range ids {
		if r.SecurityGroups != nil && !slices.Contains(r.SecurityGroups, id) {
			return query.Fail("InvalidSecurityGroup", "One or more of the specified security groups do not exist: %s", id)
		}
	}
	return nil
}

// inZone makes the place of a load balancer in a zone.
func inZone(r *store.Region, name string) (store.Zone, error) {
	if !strings.HasPrefix(name, r.Name) {
		return store.Zone{}, query.Invalid("Invalid Availability Zone: %s", name)
	}
	return store.Zone{Name: name}, nil
}

// inSubnet makes the place of a load balancer in a subnet.
func inSubnet(r *store.Region, l *store.LoadBalancer, id string) (store.Zone, error) {
	z := store.Zone{Subnet: id}
	i := slices.IndexFunc(r.Subnets, func(s store.Subnet) bool { return s.ID == id })
	switch {
	case i >= 0:
		z.Name, l.VPC = r.Subnets[i].Zone, r.Subnets[i].VPC
	case r.Subnets != nil:
		return z, query.Fail("SubnetNotFound", "The subnet ID '%s' does not exist", id)
	}
	return z, nil
}

type subnetsInput struct {
	LoadBalancerName string   `query:"required"`
	Subnets          []string `query:"required"`
}

type subnetsOutput struct{ Subnets []string }

func attachSubnets(c *elbapi.Call, in *subnetsInput) (*subnetsOutput, error) {
	out := &subnetsOutput{}
	return out, update(c, in.LoadBalancerName, func(r *store.Region, l *store.LoadBalancer) error {
		zones := slices.Clone(l.Zones)
		for _, id := range in.Subnets {
			if slices.ContainsFunc(zones, func(z store.Zone) bool { return z.Subnet == id }) {
				continue
			}
			z, err := inSubnet(r, l, id)
			if err != nil {
				return err
			}
			if z.Name != "" && slices.ContainsFunc(zones, func(other store.Zone) bool { return other.Name == z.Name }) {
				return conflict("The load balancer has a subnet in zone %s already", z.Name)
			}
			zones = append(zones, z)
		}
		l.Zones, out.Subnets = zones, describe(&store.LoadBalancer{Zones: zones, Classic: l.Classic}).Subnets
		return nil
	})
}

func detachSubnets(c *elbapi.Call, in *subnetsInput) (*subnetsOutput, error) {
	out := &subnetsOutput{}
	return out, update(c, in.LoadBalancerName, func(_ *store.Region, l *store.LoadBalancer) error {
		zones := slices.DeleteFunc(slices.Clone(l.Zones), func(z store.Zone) bool { return slices.Contains(in.Subnets, z.Subnet) })
		if len(zones) == 0 {
			return conflict("A load balancer must keep at least one subnet")
		}
		l.Zones, out.Subnets = zones, describe(&store.LoadBalancer{Zones: zones, Classic: l.Classic}).Subnets
		return nil
	})
}

type zonesInput struct {
	LoadBalancerName  string   `query:"required"`
	AvailabilityZones []string `query:"required"`
}

type zonesOutput struct{ AvailabilityZones []string }

func enableZones(c *elbapi.Call, in *zonesInput) (*zonesOutput, error) {
	out := &zonesOutput{}
	return out, update(c, in.LoadBalancerName, func(r *store.Region, l *store.LoadBalancer) error {
		if slices.ContainsFunc(l.Zones, func(z store.Zone) bool { return z.Subnet != "" }) {
			return query.Invalid("A load balancer in a VPC has subnets: attach one instead of enabling a zone")
		}
		zones := slices.Clone(l.Zones)
		for _, name := range in.AvailabilityZones {
			z, err := inZone(r, name)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(zones, func(z store.Zone) bool { return z.Name == name }) {
				zones = append(zones, z)
			}
		}
		l.Zones, out.AvailabilityZones = zones, describe(&store.LoadBalancer{Zones: zones, Classic: l.Classic}).AvailabilityZones
		return nil
	})
}

func disableZones(c *elbapi.Call, in *zonesInput) (*zonesOutput, error) {
	out := &zonesOutput{}
	return out, update(c, in.LoadBalancerName, func(_ *store.Region, l *store.LoadBalancer) error {
		zones := slices.DeleteFunc(slices.Clone(l.Zones), func(z store.Zone) bool { return slices.Contains(in.AvailabilityZones, z.Name) })
		if len(zones) == 0 {
			return conflict("A load balancer must keep at least one zone")
		}
		l.Zones, out.AvailabilityZones = zones, describe(&store.LoadBalancer{Zones: zones, Classic: l.Classic}).AvailabilityZones
		return nil
	})
}
