package ec2_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/aws/ec2"
	"github.com/parley-tls/parley/simulate"
	"github.com/parley-tls/parley/testbed"
)

const network = `{"accounts": [{"id": "111122223333", "users": [{"name": "ada", "access_key_id": "testing", "secret_access_key": "testing"}],
 "regions": {"eu-west-1": {
  "security_groups": [
   {"GroupId": "sg-1", "GroupName": "web", "Description": "web <servers>", "IpPermissions": [
     {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 444, "IpRanges": [{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "10.0.0.0/8"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
      "UserIdGroupPairs": [{"GroupId": "sg-2", "UserId": "111122223333"}], "PrefixListIds": [{"PrefixListId": "pl-1"}]}, {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "192.0.2.1/32"}]}]},
   {"GroupId": "sg-2", "GroupName": "db", "Description": "databases"}],
  "network_acls": [{"NetworkAclId": "acl-1", "Associations": [{"NetworkAclAssociationId": "aclassoc-1", "NetworkAclId": "acl-1", "SubnetId": "subnet-1"}],
   "Entries": [{"RuleNumber": 100, "Protocol": "6", "RuleAction": "allow", "Egress": false, "CidrBlock": "0.0.0.0/0", "PortRange": {"From": 443, "To": 443}},
               {"RuleNumber": 32767, "Protocol": "-1", "RuleAction": "deny", "Egress": true, "CidrBlock": "0.0.0.0/0"}]}]}}}]}`

func client(t *testing.T) *ec2.Client {
	t.Helper()
	c, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return ec2.New(c)
}

func start(t *testing.T) *simulate.Cloud {
	t.Helper()
	s, err := simulate.ReadState([]byte(network))
	if err != nil {
		t.Fatal(err)
	}
	cloud, err := simulate.New(s)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	testbed.OnlyAWS(t, server.URL)
	return cloud
}

func TestDescribe(t *testing.T) {
	cloud := start(t)
	c, ctx := client(t), t.Context()
	regions, err := c.Regions(ctx)
	if err != nil || len(regions) != 17 || !slices.Contains(regions, "eu-west-1") {
		t.Errorf("%q, %v", regions, err)
	}
	groups, err := c.SecurityGroups(ctx, []string{"sg-1"})
	want := []ec2.SecurityGroup{{ID: "sg-1", Inbound: []ec2.Rule{
		{Protocol: "tcp", From: aws.Int(443), To: aws.Int(444), Ranges: []string{"0.0.0.0/0", "10.0.0.0/8"}, Ranges6: []string{"::/0"}, Groups: []string{"sg-2"}, PrefixLists: []string{"pl-1"}},
		{Protocol: "-1", Ranges: []string{"192.0.2.1/32"}}}}}
	if d := cmp.Diff(want, groups); d != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
	acls, err := c.NetworkACLs(ctx, []string{"subnet-1", "subnet-9"})
	wantACLs := []ec2.NetworkACL{{ID: "acl-1", Subnets: []string{"subnet-1"}, Entries: []ec2.Entry{
		{Number: 100, Protocol: "6", Action: "allow", Range: "0.0.0.0/0", From: aws.Int(443), To: aws.Int(443)}, {Number: 32767, Protocol: "-1", Action: "deny", Egress: true, Range: "0.0.0.0/0"}}}}
	if d := cmp.Diff(wantACLs, acls); d != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
	for want, ask := range map[string]func() error{
		"InvalidGroup.NotFound": func() error { _, err := c.SecurityGroups(ctx, []string{"sg-9"}); return err },
		"UnauthorizedOperation": func() error {
			cloud.SetFaults(simulate.Faults{Deny: []string{"ec2:DescribeRegions"}})
			_, err := c.Regions(ctx)
			return err
		},
	} {
		err := ask()
		var api smithy.APIError
		var op *smithy.OperationError
		if !errors.As(err, &api) || api.ErrorCode() != want || !errors.As(err, &op) || op.Service() != "EC2" {
			t.Errorf("%v, want %s", err, want)
		}
	}
	// What is throttled is asked again.
	cloud.SetFaults(simulate.Faults{Throttle: 1, Throttled: []string{"ec2:*"}})
	if regions, err := c.Regions(ctx); err != nil || len(regions) != 17 {
		t.Errorf("%q, %v", regions, err)
	}
}

// TestPrefixList reads pages of a prefix list, which moto has, and compares with the AWS CLI.
func TestPrefixList(t *testing.T) {
	testbed.Moto(t)
	cli, err := exec.LookPath("aws")
	if err != nil {
		testbed.Missing(t, "aws")
	}
	out, err := exec.Command(cli, "ec2", "create-managed-prefix-list", "--prefix-list-name", "office", "--max-entries", "5", "--address-family", "IPv4", "--output", "json", "--region", "eu-west-1",
		"--entries", "Cidr=192.0.2.0/24,Description=a", "Cidr=198.51.100.0/24,Description=b").Output()
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ PrefixList struct{ PrefixListId string } }
	if err := json.Unmarshal(out, &made); err != nil {
		t.Fatal(err)
	}
	ranges, err := client(t).PrefixListEntries(t.Context(), made.PrefixList.PrefixListId)
	if err != nil || !slices.Equal(ranges, []string{"192.0.2.0/24", "198.51.100.0/24"}) {
		t.Errorf("%q, %v", ranges, err)
	}
	// The default security group and network ACL of moto, as the CLI shows them.
	out, err = exec.Command(cli, "ec2", "describe-network-acls", "--output", "json", "--region", "eu-west-1").Output()
	if err != nil {
		t.Fatal(err)
	}
	var shown struct {
		NetworkAcls []struct {
			NetworkAclId string
			Associations []struct{ SubnetId string }
			Entries      []struct {
				RuleNumber           int
				Protocol, RuleAction string
				Egress               bool
				CidrBlock            string
			}
		}
	}
	if err := json.Unmarshal(out, &shown); err != nil {
		t.Fatal(err)
	}
	a := shown.NetworkAcls[0]
	acls, err := client(t).NetworkACLs(t.Context(), []string{a.Associations[0].SubnetId})
	if err != nil || len(acls) != 1 || acls[0].ID != a.NetworkAclId || len(acls[0].Entries) != len(a.Entries) || len(acls[0].Subnets) != len(a.Associations) {
		t.Fatalf("%+v, %v; the CLI shows %+v", acls, err, a)
	}
	for i, e := range a.Entries {
		if got := acls[0].Entries[i]; got.Number != e.RuleNumber || got.Action != e.RuleAction || got.Egress != e.Egress || got.Range != e.CidrBlock || got.Protocol != e.Protocol {
			t.Errorf("%+v, the CLI shows %+v", got, e)
		}
	}
}

// TestBadAnswers: what is none of EC2's answers is an error, and lists that never end are left.
func TestBadAnswers(t *testing.T) {
	answer := ""
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		w.Write([]byte(answer))
	}))
	defer server.Close()
	testbed.OnlyAWS(t, server.URL)
	for _, answer = range []string{"", "<html>", strings.Repeat("<a>", 10_000), "<r><regionInfo><item>"} {
		if regions, err := client(t).Regions(t.Context()); err == nil {
			t.Errorf("%.20q: %q", answer, regions)
		}
	}
	n, answer = 0, "<r><networkAclSet/><nextToken>again</nextToken></r>"
	if _, err := client(t).NetworkACLs(t.Context(), []string{"subnet-1"}); err != nil || n != 2 {
		t.Errorf("%d requests, %v", n, err)
	}
}

func TestEndpoints(t *testing.T) {
	for region, want := range map[string]string{"eu-west-1": "https://ec2.eu-west-1.amazonaws.com", "cn-north-1": "https://ec2.cn-north-1.amazonaws.com.cn", "us-gov-west-1": "https://ec2.us-gov-west-1.amazonaws.com",
		"eusc-de-east-1": "https://ec2.eusc-de-east-1.amazonaws.eu", "us-isob-east-1": "https://ec2.us-isob-east-1.sc2s.sgov.gov"} {
		if got := ec2.New(aws.Config{Region: region}).Endpoint(); got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
	}
	t.Setenv("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:1")
	if got := ec2.New(aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String("http://127.0.0.1:2")}).Endpoint(); got != "http://127.0.0.1:1" {
		t.Error(got)
	}
}
