package simulate

import (
	_ "embed"
	"maps"
	"path"
	"slices"
	"strings"
)

var ec2Actions = map[string]func(*Cloud, *call) (tree, error){
	"DescribeRegions":        (*Cloud).describeRegions,
	"DescribeSecurityGroups": describe(securityGroups),
	"DescribeSubnets":        describe(subnets),
	"DescribeNetworkAcls":    describe(networkACLs),
	"DescribeRouteTables":    describe(routeTables),
}

// ec2Names are what answers call otherwise than the model with a small first letter. Source: the locationName of each in EC2's
// public service model, 2016-11-15.
var ec2Names = map[string]string{
	"Associations": "associationSet", "Endpoint": "regionEndpoint", "Entries": "entrySet", "IsDefault": "default", "NetworkAcls": "networkAclSet",
	"PropagatingVgws": "propagatingVgwSet", "Regions": "regionInfo", "RouteTables": "routeTableSet", "Routes": "routeSet",
	"SecurityGroups": "securityGroupInfo", "Subnets": "subnetSet", "Tags": "tagSet", "UserIdGroupPairs": "groups",
}

func ec2Name(name string) string {
	if n, ok := ec2Names[name]; ok {
		return n
	}
	return smallFirst(name)
}

// kind is a kind of EC2's resources, all of which are described alike.
type kind struct {
	answer   string // name of the list
	ids      string // parameter with ids
	id       string // name of the id in a resource
	names    string // parameter with names; empty: it has none
	notFound *fault // with %s for the id
	of       func(*region) []tree
	filters  map[string]string // where a filter looks, from the resource on
}

var securityGroups = kind{
	answer: "SecurityGroups", ids: "GroupId", id: "GroupId", names: "GroupName",
	notFound: refuse("InvalidGroup.NotFound", "The security group '%%s' does not exist"),
	of:       func(r *region) []tree { return r.groups },
	filters:  map[string]string{"group-id": "GroupId", "group-name": "GroupName", "vpc-id": "VpcId", "owner-id": "OwnerId", "description": "Description"},
}

var subnets = kind{
	answer: "Subnets", ids: "SubnetId", id: "SubnetId",
	notFound: refuse("InvalidSubnetID.NotFound", "The subnet ID '%%s' does not exist"),
	of:       func(r *region) []tree { return r.subnets },
	filters:  map[string]string{"subnet-id": "SubnetId", "vpc-id": "VpcId", "availability-zone": "AvailabilityZone", "cidr-block": "CidrBlock", "state": "State"},
}

var networkACLs = kind{
	answer: "NetworkAcls", ids: "NetworkAclId", id: "NetworkAclId",
	notFound: refuse("InvalidNetworkAclID.NotFound", "The network ACL '%%s' does not exist"),
	of:       func(r *region) []tree { return r.acls },
	filters: map[string]string{"network-acl-id": "NetworkAclId", "vpc-id": "VpcId", "default": "IsDefault",
		"association.subnet-id": "Associations.SubnetId", "association.association-id": "Associations.NetworkAclAssociationId"},
}

var routeTables = kind{
	answer: "RouteTables", ids: "RouteTableId", id: "RouteTableId",
	notFound: refuse("InvalidRouteTableID.NotFound", "The routeTable ID '%%s' does not exist"),
	of:       func(r *region) []tree { return r.routes },
	filters: map[string]string{"route-table-id": "RouteTableId", "vpc-id": "VpcId",
		"association.subnet-id": "Associations.SubnetId", "association.main": "Associations.Main", "association.route-table-id": "Associations.RouteTableId"},
}

// describe answers for a kind of resources.
func describe(of kind) func(*Cloud, *call) (tree, error) {
	return func(_ *Cloud, k *call) (tree, error) {
		var found []tree
		for _, r := range of.of(k.region) {
			ok, err := of.passes(r, k.in.trees("Filter"))
			if err != nil {
				return nil, err
			}
			if ok {
				found = append(found, r)
			}
		}
		var err error
		if found, err = of.named(found, k.in.texts(of.ids), of.id); err == nil && of.names != "" {
			found, err = of.named(found, k.in.texts(of.names), of.names)
		}
		if err != nil {
			return nil, err
		}
		size, bad := k.in.sizeOf("MaxResults", 5, 1000, 0)
		part, next, ok := page(found, k.in.text("NextToken"), size)
		switch {
		case bad:
			return nil, refuse("InvalidParameterValue", "Value ( %s ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.", k.in.text("MaxResults"))
		case !ok:
			return nil, refuse("InvalidNextToken", "The token '%s' is invalid", k.in.text("NextToken"))
		}
		out := tree{of.answer: list(part)}
		if of.answer == securityGroups.answer {
			out[of.answer] = list(described(part))
		}
		if next != "" {
			out["NextToken"] = next
		}
		return out, nil
	}
}

// described renames a security group's description, which the answer calls otherwise than that of its rules.
func described(groups []tree) []tree {
	l := make([]tree, len(groups))
	for i, g := range groups {
		g = maps.Clone(g)
		g["GroupDescription"] = g["Description"]
		delete(g, "Description")
		l[i] = g
	}
	return l
}

// named keeps the resources with these ids, or names; every one must be there.
func (of kind) named(all []tree, names []string, where string) ([]tree, error) {
	if len(names) == 0 {
		return all, nil
	}
	var l []tree
	for _, name := range names {
		i := slices.IndexFunc(all, func(r tree) bool { return r.text(where) == name })
		if i < 0 {
			return nil, refuse(of.notFound.code, "%s", strings.Replace(of.notFound.message, "%s", name, 1))
		}
		l = append(l, all[i])
	}
	return l, nil
}

// passes reports whether a resource passes all filters, each with any of its values, in which * and ? stand for anything.
func (of kind) passes(r tree, filters []tree) (bool, error) {
	for _, f := range filters {
		where, ok := of.filters[f.text("Name")]
		if !ok {
			return false, refuse("InvalidParameterValue", "The filter '%s' is invalid", f.text("Name"))
		}
		is := reach(r, strings.Split(where, "."))
		if !slices.ContainsFunc(f.texts("Value"), func(pattern string) bool {
			return slices.ContainsFunc(is, func(v string) bool {
				ok, err := path.Match(pattern, v)
				return ok && err == nil || v == pattern
			})
		}) {
			return false, nil
		}
	}
	return true, nil
}

// reach returns the texts at a place below a tree, over all members of the lists on the way.
func reach(v any, names []string) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var l []string
		for _, m := range v {
			l = append(l, reach(m, names)...)
		}
		return l
	case tree:
		if len(names) == 0 {
			return nil
		}
		return reach(v[names[0]], names[1:])
	}
	return []string{plain(v)}
}

//go:embed regions.txt
var regionData string

// regionsByDefault are the regions that every account has without opting in.
func regionsByDefault() []string {
	var l []string
	for line := range strings.Lines(regionData) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			l = append(l, line)
		}
	}
	return l
}

func (c *Cloud) describeRegions(k *call) (tree, error) {
	wanted := k.in.texts("RegionName")
	for _, name := range wanted {
		if k.who.account.regions[name] == nil {
			return nil, refuse("InvalidParameterValue", "Invalid region provided: %s", name)
		}
	}
	byDefault := regionsByDefault()
	var l []any
	for _, name := range slices.Sorted(maps.Keys(k.who.account.regions)) {
		if len(wanted) > 0 && !slices.Contains(wanted, name) {
			continue
		}
		status := "opted-in"
		if slices.Contains(byDefault, name) {
			status = "opt-in-not-required"
		}
		l = append(l, tree{"RegionName": name, "Endpoint": "ec2." + name + ".amazonaws.com", "OptInStatus": status})
	}
	return tree{"Regions": l}, nil
}
