package simulate

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/testbed"
)

// shop is a state with something of everything.
const shop = `{"accounts": [
 {"id": "111122223333",
  "users": [{"name": "ada", "access_key_id": "testing", "secret_access_key": "testing"}],
  "server_certificates": [{"ServerCertificateMetadata": {"Path": "/", "ServerCertificateName": "old", "ServerCertificateId": "ASCASIMULATED0000001",
    "Arn": "arn:aws:iam::111122223333:server-certificate/old", "UploadDate": "2026-01-02T03:04:05Z", "Expiration": "2027-01-02T03:04:05Z"},
    "CertificateBody": "-----BEGIN CERTIFICATE-----\n…"}],
  "regions": {"eu-west-1": {
    "security_groups": [
      {"GroupId": "sg-1", "GroupName": "web", "Description": "web <servers>", "VpcId": "vpc-1", "OwnerId": "111122223333",
       "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}],
         "UserIdGroupPairs": [{"GroupId": "sg-2", "UserId": "111122223333"}]}],
       "IpPermissionsEgress": [], "Tags": [{"Key": "team", "Value": "shop"}]},
      {"GroupId": "sg-2", "GroupName": "db", "Description": "databases", "VpcId": "vpc-1"}],
    "subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "AvailabilityZone": "eu-west-1a", "CidrBlock": "10.0.1.0/24", "MapPublicIpOnLaunch": true}],
    "network_acls": [{"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": true,
       "Associations": [{"NetworkAclAssociationId": "aclassoc-1", "NetworkAclId": "acl-1", "SubnetId": "subnet-1"}],
       "Entries": [{"RuleNumber": 100, "Protocol": "6", "RuleAction": "allow", "Egress": false, "CidrBlock": "0.0.0.0/0", "PortRange": {"From": 443, "To": 443}}]}],
    "route_tables": [{"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": true, "RouteTableId": "rtb-1"}],
       "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}]}],
    "certificates": [
      {"CertificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/1", "DomainName": "shop.example.com", "SubjectAlternativeNames": ["shop.example.com", "www.example.com"],
       "Status": "ISSUED", "Type": "AMAZON_ISSUED", "KeyAlgorithm": "RSA_2048", "NotBefore": "2026-01-01T00:00:00Z", "NotAfter": "2027-02-01T00:00:00+00:00", "InUseBy": ["arn:x"]},
      {"CertificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/2", "DomainName": "api.example.com", "Status": "ISSUED", "Type": "IMPORTED", "KeyAlgorithm": "EC_prime256v1"}],
    "metrics": [{"namespace": "AWS/ApplicationELB", "metric": "ClientTLSNegotiationErrorCount", "dimensions": {"LoadBalancer": "app/shop/1"}, "every": 60, "hours": 2, "values": [3, 0, 1]}],
    "events": [{"EventId": "1", "EventName": "ModifyListener", "ReadOnly": "false", "EventTime": "LAST-WEEK", "EventSource": "elasticloadbalancing.amazonaws.com",
      "Username": "ada", "Resources": [{"ResourceType": "AWS::ElasticLoadBalancingV2::Listener", "ResourceName": "arn:l"}], "CloudTrailEvent": "{}"},
      {"EventId": "2", "EventName": "CreateListener", "ReadOnly": "false", "EventTime": "YESTERDAY", "Username": "bob"}]},
   "eu-south-1": {"load_balancers": [
     {"name": "edge", "type": "network", "listeners": [{"port": 443, "protocol": "TLS"}, {"port": 80, "protocol": "TCP"}]},
     {"name": "legacy", "type": "classic", "zones": [{"name": "eu-south-1a"}],
      "listeners": [{"port": 443, "protocol": "HTTPS", "certificates": ["arn:aws:acm:eu-south-1:111122223333:certificate/1"], "policies": ["own", "sticky"]},
                    {"port": 8443, "protocol": "SSL", "certificates": ["arn:aws:acm:eu-south-1:111122223333:certificate/1"], "policies": ["ELBSecurityPolicy-2015-05"]},
                    {"port": 9443, "protocol": "SSL", "certificates": ["arn:aws:acm:eu-south-1:111122223333:certificate/1"]}],
      "classic": {"policies": [{"name": "own", "type": "SSLNegotiationPolicyType", "attributes": [{"name": "Reference-Security-Policy", "value": "ELBSecurityPolicy-TLS-1-1-2017-01"}]},
                               {"name": "sticky", "type": "LBCookieStickinessPolicyType"}]}}]}}},
 {"id": "444455556666", "roles": [{"name": "parley-reader", "trusts": ["111122223333"], "deny": ["acm:*"]}, {"name": "closed", "trusts": ["999999999999"]}]}
]}`

// today is a time on which metrics are put.
var today = time.Date(2026, 11, 20, 9, 14, 3, 0, time.UTC)

func daysAgo(n int) time.Time { return time.Now().UTC().Truncate(time.Hour).AddDate(0, 0, -n) }

// start starts a simulation, and points the SDKs and the CLI at it.
func start(t *testing.T) (*Cloud, aws.Config) {
	t.Helper()
	s, err := ReadState([]byte(strings.NewReplacer("LAST-WEEK", daysAgo(7).Format(time.RFC3339), "YESTERDAY", daysAgo(1).Format(time.RFC3339)).Replace(shop)))
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, c)
	return c, configure(t)
}

// serve serves a simulation, and points the SDKs and the CLI at it.
func serve(t *testing.T, c *Cloud) {
	t.Helper()
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	testbed.OnlyAWS(t, server.URL)
}

// configure reads the configuration as tools do. Requests are tried again, since the SDK closes a connection now and then in the
// midst of a long answer that comes very fast: it closes the request's body while net/http still looks for more of it.
func configure(t *testing.T, with ...func(*config.LoadOptions) error) aws.Config {
	t.Helper()
	conf, err := config.LoadDefaultConfig(context.Background(), with...)
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

// wantCode fails the test unless an error is an API's with this code.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}

func TestIdentities(t *testing.T) {
	c, conf := start(t)
	ctx := context.Background()
	who, err := sts.NewFromConfig(conf).GetCallerIdentity(ctx, nil)
	if err != nil || aws.ToString(who.Account) != "111122223333" || aws.ToString(who.Arn) != "arn:aws:iam::111122223333:user/ada" {
		t.Fatalf("identity %+v, error %v", who, err)
	}

	other := conf.Copy()
	other.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(conf), "arn:aws:iam::444455556666:role/parley-reader",
		func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "parley" }))
	who, err = sts.NewFromConfig(other).GetCallerIdentity(ctx, nil)
	if err != nil || aws.ToString(who.Arn) != "arn:aws:sts::444455556666:assumed-role/parley-reader/parley" || !strings.HasSuffix(aws.ToString(who.UserId), ":parley") {
		t.Fatalf("identity %+v, error %v", who, err)
	}
	_, err = acm.NewFromConfig(other).ListCertificates(ctx, &acm.ListCertificatesInput{})
	wantCode(t, err, "AccessDeniedException")
	_, err = iam.NewFromConfig(other).ListServerCertificates(ctx, nil)
	if err != nil {
		t.Error(err)
	}

	if err := c.ExpireSessions(); err != nil {
		t.Fatal(err)
	}
	_, err = iam.NewFromConfig(other).ListServerCertificates(ctx, nil)
	wantCode(t, err, "ExpiredToken")
	_, err = acm.NewFromConfig(other).ListCertificates(ctx, &acm.ListCertificatesInput{})
	wantCode(t, err, "ExpiredTokenException")
	_, err = ec2.NewFromConfig(other).DescribeRegions(ctx, nil)
	wantCode(t, err, "RequestExpired")
}

func TestRefusedIdentities(t *testing.T) {
	_, conf := start(t)
	ctx := context.Background()
	for _, role := range []string{"arn:aws:iam::444455556666:role/closed", "arn:aws:iam::444455556666:role/none", "arn:aws:iam::777788889999:role/parley-reader"} {
		_, err := sts.NewFromConfig(conf).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("parley")})
		wantCode(t, err, "AccessDenied")
	}
	_, err := sts.NewFromConfig(conf).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::444455556666:user/closed"), RoleSessionName: aws.String("parley")})
	wantCode(t, err, "ValidationError")
	_, err = sts.NewFromConfig(conf).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::444455556666:role/closed"), RoleSessionName: aws.String("parley"), DurationSeconds: aws.Int32(60)})
	wantCode(t, err, "ValidationError")

	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	mistaken := configure(t)
	_, err = sts.NewFromConfig(mistaken).GetCallerIdentity(ctx, nil)
	wantCode(t, err, "SignatureDoesNotMatch")
	_, err = ec2.NewFromConfig(mistaken).DescribeRegions(ctx, nil)
	wantCode(t, err, "AuthFailure")
	_, err = acm.NewFromConfig(mistaken).ListCertificates(ctx, &acm.ListCertificatesInput{})
	wantCode(t, err, "InvalidSignatureException")

	t.Setenv("AWS_ACCESS_KEY_ID", "unknown")
	stranger := configure(t)
	_, err = sts.NewFromConfig(stranger).GetCallerIdentity(ctx, nil)
	wantCode(t, err, "InvalidClientTokenId")
	_, err = ec2.NewFromConfig(stranger).DescribeRegions(ctx, nil)
	wantCode(t, err, "AuthFailure")
	_, err = acm.NewFromConfig(stranger).ListCertificates(ctx, &acm.ListCertificatesInput{})
	wantCode(t, err, "UnrecognizedClientException")
	conf.Region = "xx-nowhere-1"
	_, err = ec2.NewFromConfig(conf).DescribeRegions(ctx, nil)
	wantCode(t, err, "AuthFailure")
}

func TestFaults(t *testing.T) {
	c, _ := start(t)
	conf := configure(t, config.WithRetryMaxAttempts(1))
	ctx := context.Background()
	c.SetFaults(Faults{Deny: []string{"EC2:Describe*", "cloudwatch:GetMetricData"}})
	_, err := ec2.NewFromConfig(conf).DescribeRegions(ctx, nil)
	wantCode(t, err, "UnauthorizedOperation")
	_, err = cloudwatch.NewFromConfig(conf).GetMetricData(ctx, ask(today, "Sum", "x"))
	wantCode(t, err, "AccessDenied")
	if _, err = sts.NewFromConfig(conf).GetCallerIdentity(ctx, nil); err != nil {
		t.Error(err)
	}

	c.SetFaults(Faults{Throttle: 2})
	_, err = sts.NewFromConfig(conf).GetCallerIdentity(ctx, nil)
	wantCode(t, err, "Throttling")
	_, err = ec2.NewFromConfig(conf).DescribeRegions(ctx, nil)
	wantCode(t, err, "RequestLimitExceeded")
	if _, err = sts.NewFromConfig(conf).GetCallerIdentity(ctx, nil); err != nil {
		t.Error(err)
	}
	_, err = acm.NewFromConfig(conf).ListCertificates(ctx, &acm.ListCertificatesInput{})
	wantCode(t, err, "ThrottlingException")

	c.SetFaults(Faults{Throttle: 1, Throttled: []string{"acm:*"}})
	if _, err = sts.NewFromConfig(conf).GetCallerIdentity(ctx, nil); err != nil {
		t.Error(err)
	}
	_, err = acm.NewFromConfig(conf).ListCertificates(ctx, &acm.ListCertificatesInput{})
	wantCode(t, err, "ThrottlingException")
}

func TestEC2(t *testing.T) {
	_, conf := start(t)
	ctx := context.Background()
	client := ec2.NewFromConfig(conf)
	regions, err := client.DescribeRegions(ctx, nil)
	if err != nil || len(regions.Regions) != 18 || aws.ToString(regions.Regions[9].RegionName) != "eu-south-1" || aws.ToString(regions.Regions[9].OptInStatus) != "opted-in" {
		t.Fatalf("%d regions, error %v", len(regions.Regions), err)
	}
	groups, err := client.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{{Name: aws.String("group-name"), Values: []string{"w*", "none"}}}})
	if err != nil || len(groups.SecurityGroups) != 1 {
		t.Fatalf("groups %+v, error %v", groups, err)
	}
	g := groups.SecurityGroups[0]
	p := g.IpPermissions[0]
	if aws.ToString(g.Description) != "web <servers>" || aws.ToInt32(p.FromPort) != 443 || aws.ToString(p.IpRanges[0].CidrIp) != "0.0.0.0/0" ||
		aws.ToString(p.IpRanges[0].Description) != "all" || aws.ToString(p.UserIdGroupPairs[0].GroupId) != "sg-2" || aws.ToString(g.Tags[0].Key) != "team" {
		t.Errorf("group %+v", g)
	}
	_, err = client.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{"sg-2", "sg-9"}})
	wantCode(t, err, "InvalidGroup.NotFound")
	_, err = client.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{{Name: aws.String("colour"), Values: []string{"x"}}}})
	wantCode(t, err, "InvalidParameterValue")
	subnets, err := client.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{"subnet-1"}})
	if err != nil || !aws.ToBool(subnets.Subnets[0].MapPublicIpOnLaunch) {
		t.Errorf("subnets %+v, error %v", subnets, err)
	}
	acls, err := client.DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{Filters: []ec2types.Filter{{Name: aws.String("association.subnet-id"), Values: []string{"subnet-1"}}}})
	if err != nil || len(acls.NetworkAcls) != 1 || !aws.ToBool(acls.NetworkAcls[0].IsDefault) || aws.ToInt32(acls.NetworkAcls[0].Entries[0].PortRange.To) != 443 ||
		acls.NetworkAcls[0].Entries[0].RuleAction != "allow" {
		t.Errorf("network ACLs %+v, error %v", acls, err)
	}
	routes, err := client.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []ec2types.Filter{{Name: aws.String("association.main"), Values: []string{"true"}}}})
	if err != nil || len(routes.RouteTables) != 1 || aws.ToString(routes.RouteTables[0].Routes[0].GatewayId) != "igw-1" {
		t.Errorf("route tables %+v, error %v", routes, err)
	}
	_, err = client.DescribeInstances(ctx, nil)
	wantCode(t, err, "InvalidAction")
}

func TestCertificates(t *testing.T) {
	_, conf := start(t)
	ctx := context.Background()
	client := acm.NewFromConfig(conf)
	all, err := client.ListCertificates(ctx, &acm.ListCertificatesInput{})
	if err != nil || len(all.CertificateSummaryList) != 1 || aws.ToString(all.CertificateSummaryList[0].DomainName) != "shop.example.com" || !aws.ToBool(all.CertificateSummaryList[0].InUse) {
		t.Fatalf("certificates %+v, error %v: without key types only RSA to 2048 bits is listed", all, err)
	}
	one, err := client.ListCertificates(ctx, &acm.ListCertificatesInput{MaxItems: aws.Int32(1), Includes: &acmtypes.Filters{KeyTypes: acmtypes.KeyAlgorithm("").Values()}})
	if err != nil || len(one.CertificateSummaryList) != 1 || one.NextToken == nil {
		t.Fatalf("first page %+v, error %v", one, err)
	}
	one, err = client.ListCertificates(ctx, &acm.ListCertificatesInput{NextToken: one.NextToken, Includes: &acmtypes.Filters{KeyTypes: acmtypes.KeyAlgorithm("").Values()}})
	if err != nil || len(one.CertificateSummaryList) != 1 || one.CertificateSummaryList[0].KeyAlgorithm != acmtypes.KeyAlgorithmEcPrime256v1 || one.NextToken != nil {
		t.Fatalf("second page %+v, error %v", one, err)
	}
	cert, err := client.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: all.CertificateSummaryList[0].CertificateArn})
	if err != nil || !cert.Certificate.NotAfter.Equal(time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)) || cert.Certificate.Status != "ISSUED" {
		t.Errorf("certificate %+v, error %v", cert, err)
	}
	_, err = client.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: aws.String("arn:aws:acm:eu-west-1:111122223333:certificate/9")})
	wantCode(t, err, "ResourceNotFoundException")
	_, err = client.GetAccountConfiguration(ctx, nil)
	wantCode(t, err, "UnknownOperationException")

	named, err := iam.NewFromConfig(conf).GetServerCertificate(ctx, &iam.GetServerCertificateInput{ServerCertificateName: aws.String("old")})
	if err != nil || aws.ToString(named.ServerCertificate.ServerCertificateMetadata.ServerCertificateId) != "ASCASIMULATED0000001" || !strings.Contains(aws.ToString(named.ServerCertificate.CertificateBody), "…") {
		t.Errorf("server certificate %+v, error %v", named, err)
	}
	_, err = iam.NewFromConfig(conf).GetServerCertificate(ctx, &iam.GetServerCertificateInput{ServerCertificateName: aws.String("none")})
	wantCode(t, err, "NoSuchEntity")
}

// ask asks for a statistic of a metric of load balancer app/shop/1 over the hour before.
func ask(until time.Time, stat, metric string) *cloudwatch.GetMetricDataInput {
	return &cloudwatch.GetMetricDataInput{StartTime: aws.Time(until.Add(-time.Hour)), EndTime: aws.Time(until), MetricDataQueries: []cwtypes.MetricDataQuery{{Id: aws.String("m1"),
		MetricStat: &cwtypes.MetricStat{Period: aws.Int32(300), Stat: &stat, Metric: &cwtypes.Metric{Namespace: aws.String("AWS/ApplicationELB"), MetricName: &metric,
			Dimensions: []cwtypes.Dimension{{Name: aws.String("LoadBalancer"), Value: aws.String("app/shop/1")}}}}}}}
}

func TestMetrics(t *testing.T) {
	_, conf := start(t)
	ctx := context.Background()
	client := cloudwatch.NewFromConfig(conf)
	for i, n := range []float64{2, 4, 6} {
		_, err := client.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/ApplicationELB"), MetricData: []cwtypes.MetricDatum{{MetricName: aws.String("Tries"),
			Dimensions: []cwtypes.Dimension{{Name: aws.String("LoadBalancer"), Value: aws.String("app/shop/1")}}, Value: &n, Timestamp: aws.Time(today.Add(time.Duration(-10*i) * time.Minute))}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	out, err := client.GetMetricData(ctx, ask(today.Add(time.Second), "Sum", "Tries"))
	if err != nil {
		t.Fatal(err)
	}
	r := out.MetricDataResults[0]
	if diff := cmp.Diff([]float64{2, 4, 6}, r.Values); diff != "" || !r.Timestamps[0].Equal(time.Date(2026, 11, 20, 9, 10, 0, 0, time.UTC)) || r.StatusCode != "Complete" {
		t.Errorf("%+v: the newest first, in periods of 5 minutes\n%s", r, diff)
	}
	out, err = client.GetMetricData(ctx, ask(time.Now(), "Sum", "ClientTLSNegotiationErrorCount"))
	if err != nil || len(out.MetricDataResults[0].Values) < 11 {
		t.Errorf("the metrics of the state: %+v, error %v", out, err)
	}
	for _, stat := range []string{"Average", "Maximum", "Minimum", "SampleCount"} {
		if _, err = client.GetMetricData(ctx, ask(time.Now(), stat, "ClientTLSNegotiationErrorCount")); err != nil {
			t.Error(stat, err)
		}
	}
	out, err = client.GetMetricData(ctx, ask(time.Now(), "Sum", "NeverSent"))
	if err != nil || len(out.MetricDataResults) != 1 || len(out.MetricDataResults[0].Values) != 0 {
		t.Errorf("a metric that nothing sent: %+v, error %v", out, err)
	}
	_, err = client.GetMetricData(ctx, ask(time.Now(), "p99", "ClientTLSNegotiationErrorCount"))
	wantCode(t, err, "ValidationError")
	in := ask(today, "Sum", "Tries")
	in.MetricDataQueries[0].MetricStat, in.MetricDataQueries[0].Expression = nil, aws.String("SUM(METRICS())")
	_, err = client.GetMetricData(ctx, in)
	wantCode(t, err, "ValidationError")
	list, err := client.ListMetrics(ctx, &cloudwatch.ListMetricsInput{Namespace: aws.String("AWS/ApplicationELB")})
	if err != nil || len(list.Metrics) != 2 || aws.ToString(list.Metrics[1].MetricName) != "Tries" {
		t.Errorf("metrics %+v, error %v", list, err)
	}
	_, err = client.DescribeAlarms(ctx, nil)
	wantCode(t, err, "InvalidAction")

	_, err = client.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("own"), MetricData: []cwtypes.MetricDatum{{MetricName: aws.String("x"), Value: aws.Float64(1e200)}}})
	wantCode(t, err, "InvalidParameterValue")

	many := make([]cwtypes.MetricDatum, 200) // beyond 10 KB the SDK packs the body
	for i := range many {
		many[i] = cwtypes.MetricDatum{MetricName: aws.String(strings.Repeat("x", 100)), Value: aws.Float64(float64(i))}
	}
	if _, err = client.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("own"), MetricData: many}); err != nil {
		t.Error(err)
	}
}

func TestEvents(t *testing.T) {
	_, conf := start(t)
	ctx := context.Background()
	client := cloudtrail.NewFromConfig(conf)
	out, err := client.LookupEvents(ctx, &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(1)})
	if err != nil || len(out.Events) != 1 || aws.ToString(out.Events[0].EventName) != "CreateListener" || out.NextToken == nil {
		t.Fatalf("events %+v, error %v: the newest first", out, err)
	}
	by := func(key trailtypes.LookupAttributeKey, value string) []trailtypes.LookupAttribute {
		return []trailtypes.LookupAttribute{{AttributeKey: key, AttributeValue: &value}}
	}
	out, err = client.LookupEvents(ctx, &cloudtrail.LookupEventsInput{LookupAttributes: by("ResourceName", "arn:l")})
	if err != nil || len(out.Events) != 1 || aws.ToString(out.Events[0].Username) != "ada" || !out.Events[0].EventTime.Equal(daysAgo(7)) {
		t.Errorf("events %+v, error %v", out, err)
	}
	out, err = client.LookupEvents(ctx, &cloudtrail.LookupEventsInput{StartTime: aws.Time(daysAgo(0))})
	if err != nil || len(out.Events) != 0 {
		t.Errorf("events %+v, error %v", out, err)
	}
	_, err = client.LookupEvents(ctx, &cloudtrail.LookupEventsInput{LookupAttributes: append(by("EventId", "1"), by("EventId", "2")...)})
	wantCode(t, err, "InvalidLookupAttributesException")
	_, err = client.LookupEvents(ctx, &cloudtrail.LookupEventsInput{StartTime: aws.Time(today), EndTime: aws.Time(today.Add(-time.Hour))})
	wantCode(t, err, "InvalidTimeRangeException")
	_, err = client.LookupEvents(ctx, &cloudtrail.LookupEventsInput{NextToken: aws.String("x")})
	wantCode(t, err, "InvalidNextTokenException")
}
