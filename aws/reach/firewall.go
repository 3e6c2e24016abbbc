package reach

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
)

// opening is what security groups let through to a port.
type opening struct {
	ranges []netip.Prefix
	groups []string // ids of security groups whose members may come in
	lists  []string // ids of prefix lists
}

// empty reports that nobody comes in.
func (o *opening) empty() bool { return len(o.ranges)+len(o.groups)+len(o.lists) == 0 }

func (o *opening) everywhere() bool {
	return slices.ContainsFunc(o.ranges, func(p netip.Prefix) bool { return p.Bits() == 0 })
}

func (o *opening) contains(a netip.Addr) bool {
	return slices.ContainsFunc(o.ranges, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

func (o *opening) String() string {
	var l []string
	for _, p := range o.ranges {
		l = append(l, p.String())
	}
	return strings.Join(append(append(l, o.groups...), o.lists...), ", ")
}

// openTo is what the inbound rules of groups let through to a TCP port.
func openTo(groups []types.SecurityGroup, port int) opening {
	var o opening
	for i := range groups {
		for j := range groups[i].IpPermissions {
			p := &groups[i].IpPermissions[j]
			if !covers(aws.ToString(p.IpProtocol), p.FromPort, p.ToPort, port) {
				continue
			}
			for _, r := range p.IpRanges {
				o.add(aws.ToString(r.CidrIp))
			}
			for _, r := range p.Ipv6Ranges {
				o.add(aws.ToString(r.CidrIpv6))
			}
			for _, g := range p.UserIdGroupPairs {
				o.groups = append(o.groups, aws.ToString(g.GroupId))
			}
			for _, l := range p.PrefixListIds {
				o.lists = append(o.lists, aws.ToString(l.PrefixListId))
			}
		}
	}
	return o
}

func (o *opening) add(cidr string) {
	if p, err := netip.ParsePrefix(cidr); err == nil {
		o.ranges = append(o.ranges, p.Masked())
	}
}

// covers reports whether a rule is about a TCP port. -1 is every protocol, 6 the number of TCP.
func covers(protocol string, from, to *int32, port int) bool {
	switch protocol {
	case "-1":
		return true
	case "tcp", "6":
		return from == nil || to == nil || int(*from) <= port && port <= int(*to)
	}
	return false
}

// securityGroups finds whom the load balancer's security groups let in.
func securityGroups(ctx context.Context, s *account.Session, l *elb.Listener, o Options) ([]diagnose.Obstacle, error) {
	if len(l.SecurityGroups) == 0 {
		return nil, nil // an NLB without: everybody comes in
	}
	client := s.EC2()
	out, err := client.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: l.SecurityGroups})
	if err != nil {
		return nil, err
	}
	open := openTo(out.SecurityGroups, l.Port)
	if o.Source.IsValid() && !open.contains(o.Source) {
		err = open.resolve(ctx, client, o.Source)
	}
	return judgeGroups(l, &open, o.Source), err
}

// resolve takes the prefix lists apart that could have the source; those that are not told stay.
func (o *opening) resolve(ctx context.Context, client *ec2.Client, source netip.Addr) error {
	var left []string
	var failed error
	for _, id := range o.lists {
		pages := ec2.NewGetManagedPrefixListEntriesPaginator(client, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: aws.String(id)},
			func(o *ec2.GetManagedPrefixListEntriesPaginatorOptions) { o.StopOnDuplicateToken = true })
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx)
			if err != nil {
				left, failed = append(left, id), err
				break
			}
			for _, e := range out.Entries {
				o.add(aws.ToString(e.Cidr))
			}
		}
	}
	o.lists = left
	return failed
}

func judgeGroups(l *elb.Listener, open *opening, source netip.Addr) []diagnose.Obstacle {
	names := strings.Join(l.SecurityGroups, ", ")
	x := diagnose.Obstacle{ID: "security-group", Cause: cause.ConnectionTimeout, Keeps: diagnose.KeepsAll,
		Evidence: evidence(fmt.Sprintf("inbound rules of %s for TCP port %d: %s", names, l.Port, cmp.Or(open.String(), "none")),
			command("ec2 describe-security-groups --group-ids "+strings.Join(l.SecurityGroups, " "), l))}
	authorize := func(cidr string) diagnose.Fix {
		return fix(diagnose.SideNetwork, "Let the clients in by the security group",
			command(fmt.Sprintf("ec2 authorize-security-group-ingress --group-id %s --protocol tcp --port %d --cidr %s", l.SecurityGroups[0], l.Port, cidr), l))
	}
	switch {
	case open.empty():
		x.Summary = fmt.Sprintf("no inbound rule of the security group %s lets anybody in on port %d", names, l.Port)
		x.Fixes = []diagnose.Fix{authorize("CLIENTS_CIDR")}
	case !source.IsValid() && open.everywhere(), source.IsValid() && open.contains(source):
		return nil
	case !source.IsValid():
		x.Keeps = diagnose.KeepsSome
		x.Summary = fmt.Sprintf("the security group %s lets in on port %d: %s", names, l.Port, open)
		x.Decide = "is the client's address among them? --source ADDRESS says"
	case len(open.groups)+len(open.lists) > 0:
		x.Keeps = diagnose.KeepsSome
		x.Summary = fmt.Sprintf("no address range of the security group %s has %s for port %d; it comes in only as a member of %s", names, source, l.Port, strings.Join(append(slices.Clone(open.groups), open.lists...), ", "))
		x.Decide = "is the client's interface in one of these groups or lists?"
	default:
		x.Keeps = diagnose.KeepsSource
		x.Summary = fmt.Sprintf("no inbound rule of the security group %s lets %s in on port %d; it is open to %s", names, source, l.Port, open)
		x.Fixes = []diagnose.Fix{authorize(host(source))}
	}
	return []diagnose.Obstacle{x}
}

// host is the range of one address.
func host(a netip.Addr) string { return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()).String() }

// networkACLs finds whether the subnets' network ACLs let the client's packets in and the answers out.
func networkACLs(ctx context.Context, s *account.Session, l *elb.Listener, o Options) ([]diagnose.Obstacle, error) {
	if len(l.Subnets) == 0 {
		return nil, nil
	}
	pages := ec2.NewDescribeNetworkAclsPaginator(s.EC2(), &ec2.DescribeNetworkAclsInput{Filters: []types.Filter{{Name: aws.String("association.subnet-id"), Values: l.Subnets}}},
		func(o *ec2.DescribeNetworkAclsPaginatorOptions) { o.StopOnDuplicateToken = true })
	var acls []types.NetworkAcl
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		acls = append(acls, out.NetworkAcls...)
	}
	return judgeACLs(l, acls, o.Source), nil
}

// clientPorts stand for the ports that clients connect from: the ends of the ranges of IANA, Linux and old Windows.
var clientPorts = []int{1024, 5000, 32768, 49152, 60999, 65535}

func judgeACLs(l *elb.Listener, acls []types.NetworkAcl, source netip.Addr) []diagnose.Obstacle {
	var blocked, by []string
	what := ""
	for i := range acls {
		a := &acls[i]
		why := aclDenies(a.Entries, l.Port, source)
		if why == "" {
			continue
		}
		what = why
		by = append(by, aws.ToString(a.NetworkAclId))
		for _, x := range a.Associations {
			if id := aws.ToString(x.SubnetId); slices.Contains(l.Subnets, id) {
				blocked = append(blocked, id)
			}
		}
	}
	if len(blocked) == 0 {
		return nil
	}
	x := diagnose.Obstacle{ID: "network-acl", Cause: cause.ConnectionTimeout, Keeps: diagnose.KeepsAll,
		Evidence: evidence(fmt.Sprintf("subnets %s have the network ACL %s", strings.Join(blocked, ", "), strings.Join(by, ", ")),
			command("ec2 describe-network-acls --network-acl-ids "+strings.Join(by, " "), l)),
		Fixes: []diagnose.Fix{fix(diagnose.SideNetwork, fmt.Sprintf("Add a rule to the network ACL %s with a lower number than the one that denies", strings.Join(by, ", ")))}}
	from := "every client"
	if source.IsValid() {
		from, x.Keeps = source.String(), diagnose.KeepsSource
	}
	x.Summary = fmt.Sprintf("the network ACL %s %s of %s", strings.Join(by, ", "), what, from)
	if len(blocked) < len(l.Subnets) {
		x.Keeps = diagnose.KeepsSome
		x.Summary += fmt.Sprintf(", in %d of the load balancer's %d subnets: connections fail now and then, by the address that a client takes", len(blocked), len(l.Subnets))
	}
	return []diagnose.Obstacle{x}
}

// aclDenies says what the entries of a network ACL keep from passing, "" if they let a connection to the port through. Without
// a source it looks for one that nobody gets past.
func aclDenies(entries []types.NetworkAclEntry, port int, source netip.Addr) string {
	if !passes(entries, false, source, port) {
		return "denies TCP port " + strconv.Itoa(port) + " inbound"
	}
	denied := 0
	for _, p := range clientPorts {
		if !passes(entries, true, source, p) {
			denied++
		}
	}
	if denied == len(clientPorts) {
		return "denies the answers (TCP ports 1024 to 65535 outbound)"
	}
	return ""
}

// passes applies the entries in the order of their numbers, as AWS does: the first that fits decides. Without a source the
// first entry decides that fits everybody or lets somebody in.
func passes(entries []types.NetworkAclEntry, egress bool, source netip.Addr, port int) bool {
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b types.NetworkAclEntry) int {
		return cmp.Compare(aws.ToInt32(a.RuleNumber), aws.ToInt32(b.RuleNumber))
	})
	for i := range entries {
		e := &entries[i]
		var from, to *int32
		if e.PortRange != nil {
			from, to = e.PortRange.From, e.PortRange.To
		}
		if aws.ToBool(e.Egress) != egress || !covers(aws.ToString(e.Protocol), from, to, port) {
			continue
		}
		r, err := netip.ParsePrefix(cmp.Or(aws.ToString(e.CidrBlock), aws.ToString(e.Ipv6CidrBlock)))
		if err != nil {
			continue
		}
		allow := e.RuleAction == types.RuleActionAllow
		switch {
		case source.IsValid() && r.Masked().Contains(source.Unmap()):
			return allow
		case !source.IsValid() && allow:
			return true
		case !source.IsValid() && r.Bits() == 0 && r.Addr().Is4():
			return false
		}
	}
	return false
}
