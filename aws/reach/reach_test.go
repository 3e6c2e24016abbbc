package reach

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/diagnose"
)

// short is obstacles as "id keeps_out cause", for comparison.
func short(l []diagnose.Obstacle) string {
	var words []string
	for _, o := range l {
		words = append(words, strings.TrimSpace(fmt.Sprint(o.ID, " ", o.Keeps, " ", o.Cause)))
	}
	return strings.Join(words, "; ")
}

func TestFacts(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	outside, inside := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("10.1.2.3")
	https := elb.Listener{Kind: elb.ALB, LoadBalancer: "shop", State: "active", Scheme: "internet-facing", Port: 443, Protocol: "HTTPS",
		Certificates: []elb.Certificate{{ARN: "a", Default: true, Status: "ISSUED", Names: []string{"a.example"}, NotAfter: now.AddDate(0, 1, 0)}}}
	with := func(change func(*elb.Listener)) elb.Listener {
		l := https
		l.Certificates = []elb.Certificate{https.Certificates[0]}
		change(&l)
		return l
	}
	for _, c := range []struct {
		name string
		l    elb.Listener
		o    Options
		want string
	}{
		{"good", https, Options{Source: outside}, ""},
		{"provisioning", with(func(l *elb.Listener) { l.State = "provisioning" }), Options{}, "state all connection-timeout"},
		{"failed", with(func(l *elb.Listener) { l.State = "failed" }), Options{}, "state all connection-timeout"},
		{"impaired", with(func(l *elb.Listener) { l.State = "active_impaired" }), Options{}, "state some connection-timeout"},
		{"internal, unknown client", with(func(l *elb.Listener) { l.Scheme = "internal" }), Options{}, "scheme some connection-timeout"},
		{"internal, client inside", with(func(l *elb.Listener) { l.Scheme = "internal" }), Options{Source: inside}, "scheme some connection-timeout"},
		{"internal, client of a carrier", with(func(l *elb.Listener) { l.Scheme = "internal" }), Options{Source: netip.MustParseAddr("100.64.1.1")}, "scheme some connection-timeout"},
		{"internal, client outside", with(func(l *elb.Listener) { l.Scheme = "internal" }), Options{Source: outside}, "scheme source connection-timeout"},
		{"HTTP", with(func(l *elb.Listener) { l.Protocol = "HTTP" }), Options{}, "listener all plain-http-on-tls-port"},
		{"UDP", with(func(l *elb.Listener) { l.Protocol = "UDP" }), Options{}, "listener all not-tls"},
		{"TCP", with(func(l *elb.Listener) { l.Protocol = "TCP" }), Options{}, "listener none"},
		{"expired by date", with(func(l *elb.Listener) { l.Certificates[0].NotAfter = now.AddDate(0, 0, -1) }), Options{}, "certificate all certificate-expired"},
		{"expired by ACM", with(func(l *elb.Listener) { l.Certificates[0].Status = "EXPIRED" }), Options{}, "certificate all certificate-expired"},
		{"revoked", with(func(l *elb.Listener) { l.Certificates[0].Status = "REVOKED" }), Options{}, "certificate all certificate-revoked"},
		{"failed in ACM", with(func(l *elb.Listener) { l.Certificates[0].Status = "FAILED" }), Options{}, "certificate some"},
		{"another one revoked", with(func(l *elb.Listener) {
			l.Certificates = append(l.Certificates, elb.Certificate{ARN: "b", Status: "REVOKED"})
		}), Options{}, "certificate some certificate-revoked"},
		{"mutual TLS", with(func(l *elb.Listener) { l.MutualTLS = "verify" }), Options{}, "mutual-tls all client-certificate-required"},
		{"mutual TLS with a certificate", with(func(l *elb.Listener) { l.MutualTLS = "verify" }), Options{ClientCertificate: true}, ""},
		{"mutual TLS passed through", with(func(l *elb.Listener) { l.MutualTLS = "passthrough" }), Options{}, ""},
		{"nothing on the port", *Missing([]elb.Listener{https}, 8443), Options{Have: []elb.Listener{https}}, "listener all connection-refused"},
	} {
		c.o.Now = now
		got := Facts(&c.l, c.o)
		if short(got) != c.want {
			t.Errorf("%s: %q, want %q", c.name, short(got), c.want)
		}
		for _, o := range got {
			if o.Summary == "" || len(o.Evidence) == 0 || o.Evidence[0].Fact == "" || o.Keeps == diagnose.KeepsAll && o.ID != "state" && len(o.Fixes) == 0 && o.ID != "listener" {
				t.Errorf("%s says too little: %+v", c.name, o)
			}
		}
	}
	if o := Facts(Missing([]elb.Listener{https}, 8443), Options{Have: []elb.Listener{https}}); !strings.Contains(o[0].Summary, "shop has no listener on port 8443: it has listeners on 443 (HTTPS)") {
		t.Error(o[0].Summary)
	}
}

// TestCommands: what an API answers does not become a command of a shell.
func TestCommands(t *testing.T) {
	l := &elb.Listener{Place: elb.Place{Region: "eu-west-1"}, Kind: elb.Classic, LoadBalancer: "shop"}
	if c := describe(l); c != "aws elb describe-load-balancers --load-balancer-names shop --region eu-west-1" {
		t.Error(c)
	}
	for _, name := range []string{"$(id)", "a;b", "a`b`", "a\nb", "a'b"} {
		l.LoadBalancer = name
		if c := describe(l); c != "" {
			t.Errorf("%q becomes %q", name, c)
		}
	}
}

// group is a security group with inbound rules "protocol from to source", where the source is a range, a group or a prefix list.
func group(rules ...string) types.SecurityGroup {
	var g types.SecurityGroup
	for _, r := range rules {
		var protocol, source string
		var from, to int32
		fmt.Sscan(r, &protocol, &from, &to, &source)
		p := types.IpPermission{IpProtocol: &protocol, FromPort: &from, ToPort: &to}
		if protocol == "-1" {
			p.FromPort, p.ToPort = nil, nil
		}
		switch {
		case strings.HasPrefix(source, "sg-"):
			p.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: &source}}
		case strings.HasPrefix(source, "pl-"):
			p.PrefixListIds = []types.PrefixListId{{PrefixListId: &source}}
		case strings.Contains(source, ":"):
			p.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: &source}}
		default:
			p.IpRanges = []types.IpRange{{CidrIp: &source}}
		}
		g.IpPermissions = append(g.IpPermissions, p)
	}
	return g
}

func TestSecurityGroups(t *testing.T) {
	l := &elb.Listener{LoadBalancer: "shop", Port: 443, SecurityGroups: []string{"sg-1"}, Place: elb.Place{Region: "eu-west-1"}}
	for _, c := range []struct {
		rules  []string
		source string
		want   string
		text   string
	}{
		{nil, "", "security-group all connection-timeout", "no inbound rule of the security group sg-1 lets anybody in on port 443"},
		{[]string{"tcp 80 80 0.0.0.0/0"}, "", "security-group all connection-timeout", "port 443"},
		{[]string{"udp 443 443 0.0.0.0/0"}, "", "security-group all connection-timeout", ""},
		{[]string{"tcp 443 443 0.0.0.0/0"}, "", "", ""},
		{[]string{"tcp 443 443 0.0.0.0/0"}, "198.51.100.7", "", ""},
		{[]string{"6 400 500 198.51.100.0/24"}, "198.51.100.7", "", ""},
		{[]string{"-1 0 0 198.51.100.0/24"}, "198.51.100.7", "", ""},
		{[]string{"tcp 0 65535 ::/0"}, "2001:db8::1", "", ""},
		{[]string{"tcp 0 65535 ::/0"}, "198.51.100.7", "security-group source connection-timeout", "lets 198.51.100.7 in on port 443; it is open to ::/0"},
		{[]string{"tcp 443 443 10.0.0.0/8", "tcp 443 443 192.0.2.0/24"}, "198.51.100.7", "security-group source connection-timeout", "it is open to 10.0.0.0/8, 192.0.2.0/24"},
		{[]string{"tcp 443 443 10.0.0.0/8"}, "", "security-group some connection-timeout", "lets in on port 443: 10.0.0.0/8"},
		{[]string{"tcp 443 443 sg-9"}, "10.1.2.3", "security-group some connection-timeout", "it comes in only as a member of sg-9"},
		{[]string{"tcp 443 443 pl-1"}, "10.1.2.3", "security-group some connection-timeout", "only as a member of pl-1"},
		{[]string{"tcp 443 443 rubbish"}, "", "security-group all connection-timeout", ""},
	} {
		open := openTo([]types.SecurityGroup{group(c.rules...)}, l.Port)
		var source netip.Addr
		if c.source != "" {
			source = netip.MustParseAddr(c.source)
		}
		got := judgeGroups(l, &open, source)
		if short(got) != c.want || len(got) > 0 && !strings.Contains(got[0].Summary, c.text) {
			t.Errorf("%q from %s: %q %+v, want %q", c.rules, c.source, short(got), got, c.want)
		}
	}
}

// acl is the network ACL of subnets with entries "number in|out allow|deny protocol from to range".
func acl(id string, subnets []string, entries ...string) types.NetworkAcl {
	a := types.NetworkAcl{NetworkAclId: &id}
	for _, s := range subnets {
		a.Associations = append(a.Associations, types.NetworkAclAssociation{SubnetId: aws.String(s)})
	}
	for _, e := range entries {
		var way, action, protocol, cidr string
		var number, from, to int32
		fmt.Sscan(e, &number, &way, &action, &protocol, &from, &to, &cidr)
		x := types.NetworkAclEntry{RuleNumber: &number, Egress: aws.Bool(way == "out"), RuleAction: types.RuleAction(action), Protocol: &protocol, PortRange: &types.PortRange{From: &from, To: &to}}
		if strings.Contains(cidr, ":") {
			x.Ipv6CidrBlock = &cidr
		} else {
			x.CidrBlock = &cidr
		}
		a.Entries = append(a.Entries, x)
	}
	// What every network ACL ends with.
	for _, way := range []bool{true, false} {
		a.Entries = append(a.Entries, types.NetworkAclEntry{RuleNumber: aws.Int32(32767), Egress: aws.Bool(way), RuleAction: types.RuleActionDeny, Protocol: aws.String("-1"), CidrBlock: aws.String("0.0.0.0/0")})
	}
	return a
}

func TestNetworkACLs(t *testing.T) {
	l := &elb.Listener{LoadBalancer: "shop", Port: 443, Subnets: []string{"subnet-1", "subnet-2"}, Place: elb.Place{Region: "eu-west-1"}}
	both := []string{"subnet-1", "subnet-2"}
	answers := "100 out allow 6 1024 65535 0.0.0.0/0"
	for _, c := range []struct {
		name   string
		acls   []types.NetworkAcl
		source string
		want   string
		text   string
	}{
		{"all open", []types.NetworkAcl{acl("acl-1", both, "100 in allow -1 0 0 0.0.0.0/0", "100 out allow -1 0 0 0.0.0.0/0")}, "198.51.100.7", "", ""},
		{"the port open", []types.NetworkAcl{acl("acl-1", both, "100 in allow 6 443 443 0.0.0.0/0", answers)}, "198.51.100.7", "", ""},
		{"closed", []types.NetworkAcl{acl("acl-1", both, answers)}, "", "network-acl all connection-timeout", "denies TCP port 443 inbound of every client"},
		{"another port open", []types.NetworkAcl{acl("acl-1", both, "100 in allow 6 80 80 0.0.0.0/0", answers)}, "", "network-acl all connection-timeout", ""},
		{"denied first", []types.NetworkAcl{acl("acl-1", both, "200 in allow -1 0 0 0.0.0.0/0", "100 in deny 6 443 443 198.51.100.0/24", answers)}, "198.51.100.7", "network-acl source connection-timeout", "of 198.51.100.7"},
		{"denied first, another client", []types.NetworkAcl{acl("acl-1", both, "200 in allow -1 0 0 0.0.0.0/0", "100 in deny 6 443 443 198.51.100.0/24", answers)}, "192.0.2.1", "", ""},
		{"denied first, client unknown", []types.NetworkAcl{acl("acl-1", both, "200 in allow -1 0 0 0.0.0.0/0", "100 in deny 6 443 443 198.51.100.0/24", answers)}, "", "", ""},
		{"denied after", []types.NetworkAcl{acl("acl-1", both, "100 in allow -1 0 0 0.0.0.0/0", "200 in deny 6 443 443 198.51.100.0/24", answers)}, "198.51.100.7", "", ""},
		{"answers kept in", []types.NetworkAcl{acl("acl-1", both, "100 in allow 6 443 443 0.0.0.0/0", "100 out allow 6 443 443 0.0.0.0/0")}, "", "network-acl all connection-timeout", "denies the answers"},
		{"one subnet of two", []types.NetworkAcl{acl("acl-1", both[:1], "100 in allow -1 0 0 0.0.0.0/0", answers), acl("acl-2", both[1:], answers)}, "198.51.100.7", "network-acl some connection-timeout", "in 1 of the load balancer's 2 subnets"},
		{"IPv6", []types.NetworkAcl{acl("acl-1", both, "100 in allow 6 443 443 ::/0", "100 out allow -1 0 0 ::/0")}, "2001:db8::1", "", ""},
		{"IPv6 closed", []types.NetworkAcl{acl("acl-1", both, "100 in allow 6 443 443 0.0.0.0/0", answers)}, "2001:db8::1", "network-acl source connection-timeout", ""},
	} {
		var source netip.Addr
		if c.source != "" {
			source = netip.MustParseAddr(c.source)
		}
		got := judgeACLs(l, c.acls, source)
		if short(got) != c.want || len(got) > 0 && !strings.Contains(got[0].Summary, c.text) {
			t.Errorf("%s: %q %+v, want %q", c.name, short(got), got, c.want)
		}
	}
}
