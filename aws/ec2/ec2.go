// Package ec2 asks EC2 for what Parley needs of it: regions, security groups, network ACLs and prefix lists.
//
// AWS's own package for EC2 has some 700 operations. As long as a program uses html/template, Go's linker keeps all of them, and the
// program would have twice its size. Credentials, retries and bounds are those of the configuration, as with AWS's packages.
package ec2

import (
	"context"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Client asks EC2 in the region of a configuration.
type Client struct{ config aws.Config }

// New makes a client.
func New(c aws.Config) *Client { return &Client{c} }

// SecurityGroup is a security group with what it lets in.
type SecurityGroup struct {
	ID      string `xml:"groupId"`
	Inbound []Rule `xml:"ipPermissions>item"`
}

// Rule lets in what comes from its sources.
type Rule struct {
	Protocol    string   `xml:"ipProtocol"` // tcp, udp, a number; -1 for all
	From        *int     `xml:"fromPort"`
	To          *int     `xml:"toPort"`
	Ranges      []string `xml:"ipRanges>item>cidrIp"`
	Ranges6     []string `xml:"ipv6Ranges>item>cidrIpv6"`
	Groups      []string `xml:"groups>item>groupId"`
	PrefixLists []string `xml:"prefixListIds>item>prefixListId"`
}

// NetworkACL is a network ACL with the subnets that it holds for.
type NetworkACL struct {
	ID      string   `xml:"networkAclId"`
	Subnets []string `xml:"associationSet>item>subnetId"`
	Entries []Entry  `xml:"entrySet>item"`
}

// Entry is a rule of a network ACL. That with the lowest number that fits decides.
type Entry struct {
	Number   int    `xml:"ruleNumber"`
	Protocol string `xml:"protocol"` // a number; -1 for all
	Action   string `xml:"ruleAction"`
	Egress   bool   `xml:"egress"`
	Range    string `xml:"cidrBlock"`
	Range6   string `xml:"ipv6CidrBlock"`
	From     *int   `xml:"portRange>from"`
	To       *int   `xml:"portRange>to"`
}

// Regions lists the regions that the account has.
func (c *Client) Regions(ctx context.Context) ([]string, error) {
	var out struct {
		Names []string `xml:"regionInfo>item>regionName"`
	}
	err := c.call(ctx, "DescribeRegions", url.Values{}, &out)
	return out.Names, err
}

// maxPages bounds how often a list goes on.
const maxPages = 1000

// SecurityGroups describes security groups by their ids.
func (c *Client) SecurityGroups(ctx context.Context, ids []string) ([]SecurityGroup, error) {
	return pages[SecurityGroup](ctx, c, "DescribeSecurityGroups", numbered("GroupId", ids))
}

// NetworkACLs describes the network ACLs of subnets.
func (c *Client) NetworkACLs(ctx context.Context, subnets []string) ([]NetworkACL, error) {
	v := numbered("Filter.1.Value", subnets)
	v.Set("Filter.1.Name", "association.subnet-id")
	return pages[NetworkACL](ctx, c, "DescribeNetworkAcls", v)
}

// PrefixListEntries lists the address ranges of a prefix list.
func (c *Client) PrefixListEntries(ctx context.Context, id string) ([]string, error) {
	l, err := pages[struct {
		CIDR string `xml:"cidr"`
	}](ctx, c, "GetManagedPrefixListEntries", url.Values{"PrefixListId": {id}})
	var ranges []string
	for _, e := range l {
		ranges = append(ranges, e.CIDR)
	}
	return ranges, err
}

// pages reads a list to its end.
func pages[T any](ctx context.Context, c *Client, action string, v url.Values) ([]T, error) {
	var all []T
	for range maxPages {
		var out struct {
			Groups  []T    `xml:"securityGroupInfo>item"`
			ACLs    []T    `xml:"networkAclSet>item"`
			Entries []T    `xml:"entrySet>item"`
			Next    string `xml:"nextToken"`
		}
		if err := c.call(ctx, action, v, &out); err != nil {
			return all, err
		}
		all = append(append(append(all, out.Groups...), out.ACLs...), out.Entries...)
		if out.Next == "" || out.Next == v.Get("NextToken") {
			return all, nil
		}
		v.Set("NextToken", out.Next)
	}
	return all, fmt.Errorf("%s: more than %d pages", action, maxPages)
}

// numbered are the parameters of a list: NAME.1, NAME.2 …
func numbered(name string, l []string) url.Values {
	v := url.Values{}
	for i, x := range l {
		v.Set(fmt.Sprint(name, ".", i+1), x)
	}
	return v
}
