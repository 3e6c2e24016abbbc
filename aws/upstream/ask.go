package upstream

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	classic "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	v2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
)

// Check is what came out for one account and region.
type Check struct {
	elb.Place
	Policies    int          // that AWS told of, Classic ones included
	Attributes  int          // of Classic's policy type
	Samples     []string     // of Classic, which are not compared
	Differences []Difference // in the order of AWS's answers
	Problems    []string     // what AWS did not tell, one line each
}

// Bounds of answers: AWS tells of about fifty policies.
const (
	pageSize = 400
	maxPages = 100
)

// Ask asks AWS for its policies of the families, and compares. What is not told is a Problem and no error.
func Ask(ctx context.Context, s *account.Session, families []policy.Family) *Check {
	c := &Check{Place: s.Place}
	if slices.Contains(families, policy.AWS) {
		c.elb(ctx, s.ELBv2())
	}
	if slices.Contains(families, policy.Classic) {
		c.classic(ctx, s.Classic())
	}
	return c
}

func (c *Check) problem(what string, err error) {
	c.Problems = append(c.Problems, fmt.Sprintf("%s: %v", what, account.Explain(err)))
}

// elb asks for the policies of ALB and NLB, for each type by itself, as the API does not tell all without.
func (c *Check) elb(ctx context.Context, client *elbv2.Client) {
	var asked []string
	var told []Described
	for _, kind := range []v2types.LoadBalancerTypeEnum{v2types.LoadBalancerTypeEnumApplication, v2types.LoadBalancerTypeEnumNetwork} {
		all, err := describe(ctx, client, kind)
		if err != nil {
			c.problem("policies of type "+string(kind), err)
			continue
		}
		asked = append(asked, string(kind))
		for _, d := range all {
			i := slices.IndexFunc(told, func(x Described) bool { return x.Name == d.Name })
			if i < 0 {
				i = len(told)
				told = append(told, d)
			}
			if !slices.Contains(told[i].Balancers, string(kind)) {
				told[i].Balancers = append(told[i].Balancers, string(kind))
			}
		}
	}
	if len(asked) == 0 {
		return
	}
	c.Policies += len(told)
	table := policy.InFamily(policy.AWS)
	if len(asked) < 2 { // policies of the other type alone were not asked about
		table = slices.DeleteFunc(table, func(p *policy.Policy) bool { return !slices.Contains(p.LoadBalancers, asked[0]) })
	}
	c.Differences = append(c.Differences, CompareELB(table, told, asked)...)
}

// describe asks for all pages of the policies for one type of load balancer.
func describe(ctx context.Context, client *elbv2.Client, kind v2types.LoadBalancerTypeEnum) ([]Described, error) {
	var l []Described
	var marker *string
	for range maxPages {
		out, err := client.DescribeSSLPolicies(ctx, &elbv2.DescribeSSLPoliciesInput{LoadBalancerType: kind, PageSize: aws.Int32(pageSize), Marker: marker})
		if err != nil {
			return nil, err
		}
		for _, p := range out.SslPolicies {
			d := Described{Name: aws.ToString(p.Name), Versions: p.SslProtocols}
			ciphers := slices.Clone(p.Ciphers)
			slices.SortStableFunc(ciphers, func(a, b v2types.Cipher) int { return int(aws.ToInt32(a.Priority)) - int(aws.ToInt32(b.Priority)) })
			for _, x := range ciphers {
				d.Suites = append(d.Suites, aws.ToString(x.Name))
			}
			for _, t := range p.SupportedLoadBalancerTypes {
				if b := string(t); b == string(v2types.LoadBalancerTypeEnumApplication) || b == string(v2types.LoadBalancerTypeEnumNetwork) {
					d.Balancers = append(d.Balancers, b)
				}
			}
			l = append(l, d)
		}
		if marker = out.NextMarker; aws.ToString(marker) == "" {
			return l, nil
		}
	}
	return nil, fmt.Errorf("more than %d pages", maxPages)
}

// classic asks for the predefined policies of Classic Load Balancers, and for the attributes that custom ones can have.
func (c *Check) classic(ctx context.Context, client *classic.Client) {
	types, err := client.DescribeLoadBalancerPolicyTypes(ctx, &classic.DescribeLoadBalancerPolicyTypesInput{PolicyTypeNames: []string{sslType}})
	if err != nil {
		c.problem("attributes of Classic policies", err)
	} else {
		var told []DescribedAttribute
		for _, t := range types.PolicyTypeDescriptions {
			for _, a := range t.PolicyAttributeTypeDescriptions {
				if aws.ToString(t.PolicyTypeName) == sslType {
					told = append(told, DescribedAttribute{aws.ToString(a.AttributeName), aws.ToString(a.DefaultValue)})
				}
			}
		}
		c.Attributes = len(told)
		c.Differences = append(c.Differences, CompareAttributes(policy.Attributes(), told)...)
	}
	out, err := client.DescribeLoadBalancerPolicies(ctx, &classic.DescribeLoadBalancerPoliciesInput{})
	if err != nil {
		c.problem("policies of Classic Load Balancers", err)
		return
	}
	var told []DescribedClassic
	for _, p := range out.PolicyDescriptions {
		if aws.ToString(p.PolicyTypeName) != sslType {
			continue
		}
		d := DescribedClassic{Name: aws.ToString(p.PolicyName)}
		if strings.HasPrefix(d.Name, SamplePrefix) {
			c.Samples = append(c.Samples, d.Name)
		}
		for _, a := range p.PolicyAttributeDescriptions {
			d.Attributes = append(d.Attributes, policy.AttributeValue{AttributeName: aws.ToString(a.AttributeName), AttributeValue: aws.ToString(a.AttributeValue)})
		}
		told = append(told, d)
	}
	c.Policies += len(told)
	c.Differences = append(c.Differences, CompareClassic(policy.InFamily(policy.Classic), told)...)
}

// sslType is the type of Classic's security policies.
const sslType = "SSLNegotiationPolicyType"
