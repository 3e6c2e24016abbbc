package reach_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/awstest"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/find"
	"github.com/parley-tls/parley/aws/metric"
	"github.com/parley-tls/parley/aws/reach"
	"github.com/parley-tls/parley/aws/upstream"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/simulate"
)

// network is an account whose load balancers are kept from clients in every way: security groups, network ACLs, targets.
const network = `{"accounts": [{"id": "111122223333",
  "users": [{"name": "ada", "access_key_id": "testing", "secret_access_key": "testing"}],
  "server_certificates": [{"ServerCertificateMetadata": {"Path": "/", "ServerCertificateName": "old", "ServerCertificateId": "ASCASIMULATED0000001",
    "Arn": "arn:aws:iam::111122223333:server-certificate/old", "UploadDate": "2026-01-02T03:04:05Z", "Expiration": "2027-01-02T03:04:05Z"}, "CertificateBody": "PEM"}],
  "regions": {"eu-west-1": {
    "certificates": [{"CertificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/1", "DomainName": "shop.example.com", "Status": "ISSUED", "Type": "AMAZON_ISSUED",
      "KeyAlgorithm": "RSA_2048", "NotBefore": "2026-01-01T00:00:00Z", "NotAfter": "2027-02-01T00:00:00Z"}],
    "subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "AvailabilityZone": "eu-west-1a", "CidrBlock": "10.0.1.0/24"},
                {"SubnetId": "subnet-2", "VpcId": "vpc-1", "AvailabilityZone": "eu-west-1b", "CidrBlock": "10.0.2.0/24"}],
    "network_acls": [{"NetworkAclId": "acl-open", "VpcId": "vpc-1", "Associations": [{"NetworkAclAssociationId": "aclassoc-1", "NetworkAclId": "acl-open", "SubnetId": "subnet-1"}],
       "Entries": [{"RuleNumber": 100, "Protocol": "-1", "RuleAction": "allow", "Egress": false, "CidrBlock": "0.0.0.0/0"},
                   {"RuleNumber": 100, "Protocol": "-1", "RuleAction": "allow", "Egress": true, "CidrBlock": "0.0.0.0/0"}]},
      {"NetworkAclId": "acl-shut", "VpcId": "vpc-1", "Associations": [{"NetworkAclAssociationId": "aclassoc-2", "NetworkAclId": "acl-shut", "SubnetId": "subnet-2"}],
       "Entries": [{"RuleNumber": 32767, "Protocol": "-1", "RuleAction": "deny", "Egress": false, "CidrBlock": "0.0.0.0/0"},
                   {"RuleNumber": 32767, "Protocol": "-1", "RuleAction": "deny", "Egress": true, "CidrBlock": "0.0.0.0/0"}]}],
    "security_groups": [
      {"GroupId": "sg-office", "GroupName": "office", "Description": "office", "VpcId": "vpc-1",
       "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}]},
      {"GroupId": "sg-cdn", "GroupName": "cdn", "Description": "content delivery", "VpcId": "vpc-1",
       "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": "pl-1"}]}]}],
    "target_groups": [{"arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/73e2d6bc24d8a067", "name": "web", "protocol": "HTTP", "port": 80, "vpc": "vpc-1"}],
    "load_balancers": [
     {"name": "shop", "type": "application", "security_groups": ["sg-office"], "zones": [{"name": "eu-west-1a", "subnet": "subnet-1"}, {"name": "eu-west-1b", "subnet": "subnet-2"}],
      "listeners": [{"port": 443, "protocol": "HTTPS", "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06", "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/1"],
        "actions": [{"Type": "forward", "TargetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/73e2d6bc24d8a067"}]}]},
     {"name": "cdn", "type": "application", "security_groups": ["sg-cdn"], "zones": [{"name": "eu-west-1a", "subnet": "subnet-1"}],
      "listeners": [{"port": 443, "protocol": "HTTPS", "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07", "certificates": ["arn:aws:acm:eu-west-1:111122223333:certificate/1"]}]},
     {"name": "legacy", "type": "classic", "zones": [{"name": "eu-west-1a", "subnet": "subnet-1"}], "security_groups": ["sg-office"],
      "listeners": [{"port": 443, "protocol": "HTTPS", "certificates": ["arn:aws:iam::111122223333:server-certificate/old"], "policies": ["own"]}],
      "classic": {"policies": [{"name": "own", "type": "SSLNegotiationPolicyType", "attributes": [{"name": "Reference-Security-Policy", "value": "ELBSecurityPolicy-TLS-1-2-2017-01"}]}]}}]}}}]}`

// open simulates the account and opens it.
func open(t *testing.T, o account.Options) (*simulate.Cloud, []*account.Session) {
	t.Helper()
	c := awstest.Start(t, awstest.Read(t, network))
	sessions, err := account.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c, sessions
}

func resolve(t *testing.T, sessions []*account.Session, name string) (*account.Session, *elb.Listener) {
	t.Helper()
	n, err := elb.ParseName(name)
	if err != nil {
		t.Fatal(err)
	}
	l, err := find.Resolve(t.Context(), sessions, n)
	if err != nil {
		t.Fatal(err)
	}
	return find.SessionOf(sessions, l), l
}

func TestCheck(t *testing.T) {
	c, sessions := open(t, account.Options{})
	for _, x := range []struct {
		name, source string
		want         string
		unknown      int
	}{
		{"shop", "", "network-acl some connection-timeout; security-group some connection-timeout; targets none", 0},
		{"shop", "192.0.2.7", "network-acl some connection-timeout; targets none", 0},
		{"shop", "198.51.100.7", "security-group source connection-timeout; network-acl some connection-timeout; targets none", 0},
		{"cdn", "198.51.100.7", "security-group some connection-timeout", 1}, // the simulation knows no prefix lists
		{"legacy", "192.0.2.7", "targets none", 0},
	} {
		s, l := resolve(t, sessions, x.name)
		o := reach.Options{Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
		if x.source != "" {
			o.Source = netip.MustParseAddr(x.source)
		}
		told := reach.Check(context.Background(), s, l, o)
		var got []string
		for _, b := range told.Obstacles {
			got = append(got, strings.TrimSpace(fmt.Sprint(b.ID, " ", b.Keeps, " ", b.Cause)))
		}
		want := strings.Split(x.want, "; ")
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" || len(told.Unknown) != x.unknown {
			t.Errorf("%s from %s (-want +got)\n%s%q", x.name, x.source, d, told.Unknown)
		}
	}
	c.SetFaults(simulate.Faults{Deny: []string{"ec2:*", "elasticloadbalancing:DescribeTargetHealth"}})
	s, l := resolve(t, sessions, "shop")
	told := reach.Check(context.Background(), s, l, reach.Options{})
	if len(told.Obstacles) != 0 || len(told.Unknown) != 3 || !strings.Contains(told.Unknown[0], "security groups: DescribeSecurityGroups: UnauthorizedOperation") {
		t.Errorf("%+v\n%q", told.Obstacles, told.Unknown)
	}
	d := diagnose.Weigh(diagnose.FromOffer("client", "ciphers", *client.ByName("go-1.26").Offer()), told, nil, "shop.example.com", time.Now())
	if n := slices.IndexFunc(d.Findings, func(f diagnose.Finding) bool { return f.ID == "not-told" }); n < 0 {
		t.Errorf("%+v", d.Findings)
	}
}

// TestPermissions: docs/iam-read.json allows what reading calls, and nothing else. GetCallerIdentity takes no permission.
func TestPermissions(t *testing.T) {
	_, sessions := open(t, account.Options{AllRegions: true})
	if _, err := find.List(t.Context(), sessions, find.Options{SNICertificates: true}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"shop", "cdn", "legacy"} {
		s, l := resolve(t, sessions, name)
		reach.Check(t.Context(), s, l, reach.Options{Source: netip.MustParseAddr("198.51.100.7")})
		metric.Ask(t.Context(), []*account.Session{s}, []elb.Listener{*l}, metric.Options{Since: 24 * time.Hour, Now: time.Now(), Trail: metric.Always})
	}
	upstream.Ask(t.Context(), sessions[0], []policy.Family{policy.AWS, policy.Classic})
	awstest.Permits(t, "iam-read.json", sessions...)
}
