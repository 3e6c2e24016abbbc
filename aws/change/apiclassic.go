package change

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	"github.com/aws/smithy-go"

	"github.com/parley-tls/parley/aws/account"
)

type classicAPI struct {
	c *elasticloadbalancing.Client
	t Target
}

func (a *classicAPI) Read(ctx context.Context) (*Reading, error) {
	out, err := a.c.DescribeLoadBalancers(ctx, &elasticloadbalancing.DescribeLoadBalancersInput{LoadBalancerNames: []string{a.t.LoadBalancer}})
	if err != nil {
		return nil, a.t.gone(err)
	}
	var listener *types.ListenerDescription
	r := &Reading{}
	for i := range out.LoadBalancerDescriptions {
		lb := &out.LoadBalancerDescriptions[i]
		for j := range lb.ListenerDescriptions {
			d := &lb.ListenerDescriptions[j]
			r.InUse = append(r.InUse, d.PolicyNames...)
			if d.Listener != nil && int(d.Listener.LoadBalancerPort) == a.t.Port {
				listener = d
			}
		}
		for _, b := range lb.BackendServerDescriptions {
			r.InUse = append(r.InUse, b.PolicyNames...)
		}
	}
	if listener == nil {
		return nil, a.t.noListener()
	}
	policies, err := a.c.DescribeLoadBalancerPolicies(ctx, &elasticloadbalancing.DescribeLoadBalancerPoliciesInput{LoadBalancerName: &a.t.LoadBalancer})
	if err != nil {
		return nil, a.t.gone(err)
	}
	for _, p := range policies.PolicyDescriptions {
		r.Own = append(r.Own, classicPolicy(&p))
	}
	r.Protocol, r.Policies = strings.ToUpper(aws.ToString(listener.Listener.Protocol)), listener.PolicyNames
	if id := aws.ToString(listener.Listener.SSLCertificateId); id != "" {
		r.Certificates = []string{id}
	}
	for _, n := range r.Policies {
		if p := r.own(n); p != nil && p.Type == negotiation || p == nil && strings.HasPrefix(n, predefinedPrefix) {
			r.Policy = n
			if p != nil {
				r.Reference, r.Attributes = p.Reference, p.Attributes
			}
			if r.Reference != "" {
				r.Attributes = nil // the reference stands for them
			}
			break
		}
	}
	return r, nil
}

func classicPolicy(d *types.PolicyDescription) ClassicPolicy {
	p := ClassicPolicy{Name: aws.ToString(d.PolicyName), Type: aws.ToString(d.PolicyTypeName)}
	for _, v := range d.PolicyAttributeDescriptions {
		switch name, value := aws.ToString(v.AttributeName), aws.ToString(v.AttributeValue); {
		case name == referenceAttribute:
			p.Reference = value
		case strings.EqualFold(value, "true"):
			p.Attributes = append(p.Attributes, name)
		}
	}
	slices.Sort(p.Attributes)
	return p
}

func (a *classicAPI) Create(ctx context.Context, s *Setting) error {
	var l []types.PolicyAttribute
	if s.Reference != "" {
		l = append(l, types.PolicyAttribute{AttributeName: aws.String(referenceAttribute), AttributeValue: &s.Reference})
	}
	for i := range s.Attributes {
		l = append(l, types.PolicyAttribute{AttributeName: &s.Attributes[i], AttributeValue: aws.String("true")})
	}
	_, err := a.c.CreateLoadBalancerPolicy(ctx, &elasticloadbalancing.CreateLoadBalancerPolicyInput{LoadBalancerName: &a.t.LoadBalancer, PolicyName: &s.Policy,
		PolicyTypeName: aws.String(negotiation), PolicyAttributes: l})
	return err
}

func (a *classicAPI) Set(ctx context.Context, s *Setting) error {
	l := s.Policies
	if l == nil {
		l = []string{} // none at all
	}
	_, err := a.c.SetLoadBalancerPoliciesOfListener(ctx, &elasticloadbalancing.SetLoadBalancerPoliciesOfListenerInput{LoadBalancerName: &a.t.LoadBalancer,
		LoadBalancerPort: int32(a.t.Port), PolicyNames: l})
	return err
}

func (a *classicAPI) Delete(ctx context.Context, name string) error {
	_, err := a.c.DeleteLoadBalancerPolicy(ctx, &elasticloadbalancing.DeleteLoadBalancerPolicyInput{LoadBalancerName: &a.t.LoadBalancer, PolicyName: &name})
	return err
}

// noListener is the error where the API does not show the listener.
func (t *Target) noListener() *Error {
	return notDone("%s has no listener on port %d any more: it was deleted", t.LoadBalancer, t.Port)
}

// gone turns an error of a call that reads into one line.
func (t *Target) gone(err error) error {
	switch code(err) {
	case "ListenerNotFound":
		return t.noListener()
	case "LoadBalancerNotFound":
		return notDone("there is no load balancer %s any more: it was deleted", t.LoadBalancer)
	}
	return open(err, "%s: %v", t, account.Explain(err))
}

// code is the API's name of an error, "" where no answer came.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// serverFault reports whether AWS says that it failed itself: then it may have done what was asked nevertheless.
func serverFault(err error) bool {
	var answer *awshttp.ResponseError
	return errors.As(err, &answer) && answer.HTTPStatusCode() >= 500
}
