package classic_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"

	"github.com/parley-tls/parley/policy"
)

// TestDescribePolicies reads what the API says of its policies by what Parley reads them with: they are what the data says.
func TestDescribePolicies(t *testing.T) {
	client := open(t)
	out, err := client.DescribeLoadBalancerPolicies(ctx, &elb.DescribeLoadBalancerPoliciesInput{})
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]types.PolicyDescription{}
	for _, d := range out.PolicyDescriptions {
		byName[*d.PolicyName] = d
	}
	for _, p := range policy.InFamily(policy.Classic) {
		if got := read(t, byName[p.Name]); !slices.Equal(got.Versions, p.Versions) || got.Order != p.Order || !sameSuites(got, p) {
			t.Errorf("%s: %v %v %v, want %v %v %v", p.Name, got.Versions, got.Order, got.Suites, p.Versions, p.Order, p.Suites)
		}
	}
	if got := read(t, byName["ELBSample-OpenSSLDefaultCipherPolicy"]); len(got.Suites) != 5 || len(got.Versions) != 2 {
		t.Errorf("%+v", got)
	}
	if len(byName["ELBSample-ELBDefaultCipherPolicy"].PolicyAttributeDescriptions) == 0 {
		t.Error("the sample of ELB's default is missing")
	}
	_, err = client.DescribeLoadBalancerPolicies(ctx, &elb.DescribeLoadBalancerPoliciesInput{PolicyNames: []string{"none"}})
	wantError(t, err, "PolicyNotFound", "none")

	if err := create(client, "tls12", "Reference-Security-Policy=ELBSecurityPolicy-TLS-1-2-2017-01"); err != nil {
		t.Fatal(err)
	}
	out, err = client.DescribeLoadBalancerPolicies(ctx, &elb.DescribeLoadBalancerPoliciesInput{LoadBalancerName: shop, PolicyNames: []string{"tls12"}})
	if err != nil || len(out.PolicyDescriptions) != 1 {
		t.Fatalf("%+v, error %v", out, err)
	}
	first := out.PolicyDescriptions[0].PolicyAttributeDescriptions[0]
	if *first.AttributeName != "Reference-Security-Policy" || *first.AttributeValue != "ELBSecurityPolicy-TLS-1-2-2017-01" {
		t.Errorf("first attribute %s=%s", *first.AttributeName, *first.AttributeValue)
	}
	if want := policy.ByName("classic/ELBSecurityPolicy-TLS-1-2-2017-01"); !sameSuites(read(t, out.PolicyDescriptions[0]), want) {
		t.Error("the reference is not spelt out")
	}
	_, err = client.DescribeLoadBalancerPolicies(ctx, &elb.DescribeLoadBalancerPoliciesInput{LoadBalancerName: shop, PolicyNames: []string{"none"}})
	wantError(t, err, "PolicyNotFound", "There is no policy with name none for load balancer shop")
}

// read reads a description as Parley does.
func read(t *testing.T, d types.PolicyDescription) *policy.Policy {
	t.Helper()
	var text strings.Builder
	for _, a := range d.PolicyAttributeDescriptions {
		if *a.AttributeName != "Reference-Security-Policy" {
			fmt.Fprintf(&text, "%s=%s\n", *a.AttributeName, *a.AttributeValue)
		}
	}
	l, err := policy.ParseClassicCustom([]byte(text.String()))
	if err != nil {
		t.Fatalf("%s: %v", aws.ToString(d.PolicyName), err)
	}
	return l[0]
}

func sameSuites(a, b *policy.Policy) bool {
	x, y := slices.Clone(a.Suites), slices.Clone(b.Suites)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func TestPolicyTypes(t *testing.T) {
	client := account(t)
	out, err := client.DescribeLoadBalancerPolicyTypes(ctx, &elb.DescribeLoadBalancerPolicyTypesInput{})
	if err != nil || len(out.PolicyTypeDescriptions) != 6 {
		t.Fatalf("%+v, error %v", out, err)
	}
	out, err = client.DescribeLoadBalancerPolicyTypes(ctx, &elb.DescribeLoadBalancerPolicyTypesInput{PolicyTypeNames: []string{"SSLNegotiationPolicyType"}})
	if err != nil {
		t.Fatal(err)
	}
	attributes := out.PolicyTypeDescriptions[0].PolicyAttributeTypeDescriptions
	if len(attributes) != len(policy.Attributes()) {
		t.Errorf("%d attributes, want %d", len(attributes), len(policy.Attributes()))
	}
	for i, a := range policy.Attributes() {
		got := attributes[i]
		if *got.AttributeName != a.Name || (a.Kind == "reference") != (*got.AttributeType == "String") || (a.Kind != "reference") != (aws.ToString(got.DefaultValue) == "false") {
			t.Errorf("attribute %d: %+v, want %+v", i, got, a)
		}
	}
	_, err = client.DescribeLoadBalancerPolicyTypes(ctx, &elb.DescribeLoadBalancerPolicyTypesInput{PolicyTypeNames: []string{"NoSuchType"}})
	wantError(t, err, "PolicyTypeNotFound", "NoSuchType")
}
