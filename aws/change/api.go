package change

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
)

// API is what a change asks of AWS.
type API interface {
	// Read tells what the listener has now. An Error that is NotDone says that there is no such listener any more.
	Read(ctx context.Context) (*Reading, error)
	// Create makes a Classic policy.
	Create(ctx context.Context, s *Setting) error
	// Set gives the listener its policy, and a Classic one its whole list.
	Set(ctx context.Context, s *Setting) error
	// Delete removes a Classic policy.
	Delete(ctx context.Context, name string) error
}

// NewAPI returns the API of the target in a session.
func NewAPI(s *account.Session, t Target) API {
	if t.Kind == elb.Classic {
		return &classicAPI{s.Classic(), t}
	}
	return &modernAPI{s.ELBv2(), t}
}

// CheckAccount reports an error if the session is one of another account than the target's. A Classic Load Balancer has no
// ARN, so that one of the same name in another account would answer.
func CheckAccount(ctx context.Context, s *account.Session, t *Target) error {
	if t.Account == "" {
		return nil
	}
	out, err := s.STS().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return open(err, "whose account this is could not be found out: %v", account.Explain(err))
	}
	if id := aws.ToString(out.Account); id != t.Account {
		return unfit("%s is of account %s, and the credentials are of account %s: choose others by --profile or --role", t, t.Account, id)
	}
	return nil
}

type modernAPI struct {
	c *elasticloadbalancingv2.Client
	t Target
}

func (m *modernAPI) Read(ctx context.Context) (*Reading, error) {
	r := &Reading{}
	found := false
	pages := elasticloadbalancingv2.NewDescribeListenersPaginator(m.c, &elasticloadbalancingv2.DescribeListenersInput{LoadBalancerArn: &m.t.LoadBalancerARN},
		func(o *elasticloadbalancingv2.DescribeListenersPaginatorOptions) { o.StopOnDuplicateToken = true })
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, m.t.gone(err)
		}
		for i := range out.Listeners {
			switch l := &out.Listeners[i]; {
			case aws.ToString(l.ListenerArn) == m.t.ARN:
				found = true
				r.State = modernState(l)
			case l.Protocol == types.ProtocolEnumHttps || l.Protocol == types.ProtocolEnumTls:
				r.Siblings = append(r.Siblings, Sibling{int(aws.ToInt32(l.Port)), aws.ToString(l.SslPolicy)})
			}
		}
	}
	if !found {
		return nil, m.t.noListener()
	}
	return r, m.certificates(ctx, r)
}

// certificates adds those beside the default one.
func (m *modernAPI) certificates(ctx context.Context, r *Reading) error {
	pages := elasticloadbalancingv2.NewDescribeListenerCertificatesPaginator(m.c, &elasticloadbalancingv2.DescribeListenerCertificatesInput{ListenerArn: &m.t.ARN},
		func(o *elasticloadbalancingv2.DescribeListenerCertificatesPaginatorOptions) {
			o.StopOnDuplicateToken = true
		})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return m.t.gone(err)
		}
		for _, c := range out.Certificates {
			if arn := aws.ToString(c.CertificateArn); !slices.Contains(r.Certificates, arn) {
				r.Certificates = append(r.Certificates, arn)
			}
		}
	}
	return nil
}

func modernState(l *types.Listener) State {
	s := State{Protocol: string(l.Protocol), Policy: aws.ToString(l.SslPolicy)}
	for _, c := range l.Certificates {
		s.Certificates = append(s.Certificates, aws.ToString(c.CertificateArn))
	}
	return s
}

// Set changes the policy alone: certificates and actions stay what they are.
func (m *modernAPI) Set(ctx context.Context, s *Setting) error {
	_, err := m.c.ModifyListener(ctx, &elasticloadbalancingv2.ModifyListenerInput{ListenerArn: &m.t.ARN, SslPolicy: &s.Policy})
	return err
}

func (m *modernAPI) Create(context.Context, *Setting) error {
	return unfit("an %s has no policies of its own", m.t.Kind.Title())
}

func (m *modernAPI) Delete(context.Context, string) error {
	return unfit("an %s has no policies of its own", m.t.Kind.Title())
}

// Describe asks the API for the content of a predefined policy of ALB and NLB. The table's is taken where the API may not be
// asked; then warning says so.
func Describe(ctx context.Context, s *account.Session, kind elb.Kind, name string, table *policy.Policy) (p *policy.Policy, warning *Warning, err error) {
	out, err := s.ELBv2().DescribeSSLPolicies(ctx, &elasticloadbalancingv2.DescribeSSLPoliciesInput{Names: []string{name}})
	switch {
	case code(err) == "SSLPolicyNotFound", err == nil && len(out.SslPolicies) == 0:
		_, hint := policy.Find(string(policy.AWS) + "/" + name)
		if table != nil || hint == nil {
			return nil, nil, unfit("%s is not offered in %s", name, s.Region)
		}
		return nil, nil, unfit("%v, and neither does %s offer it", hint, s.Region)
	case err != nil:
		text := account.Explain(err).Error()
		if table == nil {
			return nil, nil, open(err, "what %s accepts could not be found out: %s", name, text)
		}
		return table, &Warning{ID: "policy-not-asked", Text: "whether " + s.Region + " offers " + name + " could not be found out: " + text}, nil
	}
	d := policy.Description{Name: aws.ToString(out.SslPolicies[0].Name), SslProtocols: out.SslPolicies[0].SslProtocols, SupportedLoadBalancerTypes: out.SslPolicies[0].SupportedLoadBalancerTypes}
	for _, c := range out.SslPolicies[0].Ciphers {
		d.Ciphers = append(d.Ciphers, policy.DescribedCipher{Name: aws.ToString(c.Name), Priority: int(aws.ToInt32(c.Priority))})
	}
	if len(d.SupportedLoadBalancerTypes) > 0 && !slices.Contains(d.SupportedLoadBalancerTypes, string(kind)) {
		return nil, nil, unfit("%s is not for an %s: %v have it", name, kind.Title(), d.SupportedLoadBalancerTypes)
	}
	p, err = policy.Described(d)
	if err != nil {
		return table, &Warning{ID: "policy-not-read", Text: "the API's description of " + name + " cannot be read: " + err.Error()}, nil
	}
	return p, nil, nil
}
