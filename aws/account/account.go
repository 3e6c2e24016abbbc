// Package account opens AWS accounts: for each profile, role and region a session with the clients of the services that Parley
// asks, which together keep within AWS's published rates.
//
// Credentials, regions and endpoints are found by the AWS SDK as by every tool of AWS: environment, shared configuration,
// single sign-on, instance role; AWS_ENDPOINT_URL names another endpoint. Credentials are never printed or stored.
package account

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	elbvalues "github.com/parley-tls/parley/aws/elb"
)

// Options name what to open. The zero value is the default chain's account in its region.
type Options struct {
	Profiles    []string // of the shared configuration; none: the default chain
	Regions     []string // none: the profile's own, or every one that the account has with AllRegions
	AllRegions  bool
	Roles       []string // ARNs of roles to assume, each by every profile; none: the profile's own identity
	EndpointURL string   // instead of AWS's; also taken from AWS_ENDPOINT_URL
}

// Session is one account in one region.
type Session struct {
	elbvalues.Place
	config aws.Config
	meter  *Meter
}

// maxAttempts bounds how often a request is sent: at AWS's refill rates five tries with the SDK's backoff outlast a throttle.
const maxAttempts = 6

// answerTime bounds each request, the way there and the answer included.
const answerTime = 30 * time.Second

// idleConnections are kept for what is asked side by side of one host.
const idleConnections = 32

// Open prepares a session for every profile, role and region. Errors are about this machine's configuration, or about
// asking for an account's regions; whether the credentials are good shows with the first request.
func Open(ctx context.Context, o Options) ([]*Session, error) {
	profiles, roles := o.Profiles, o.Roles
	if len(profiles) == 0 {
		profiles = []string{""}
	}
	if len(roles) == 0 {
		roles = []string{""}
	}
	var all []*Session
	for _, profile := range profiles {
		base, err := load(ctx, profile, o.EndpointURL)
		if err != nil {
			return nil, err
		}
		for _, role := range roles {
			c := base.Copy()
			if role != "" {
				c.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(home(base)), role))
			}
			meter := newMeter() // of the question for regions, and then of the first of them
			regions, err := regionsOf(ctx, metered(c, meter), o)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", who(profile, role), err)
			}
			for _, region := range regions {
				s := &Session{elbvalues.Place{Region: region, Profile: profile, Role: role}, metered(c, meter), meter}
				s.config.Region = region
				all = append(all, s)
				meter = newMeter()
			}
		}
	}
	return all, nil
}

// metered is a configuration whose requests pass a meter.
func metered(c aws.Config, m *Meter) aws.Config {
	c = c.Copy()
	c.APIOptions = append(slices.Clone(c.APIOptions), m.add)
	return c
}

// load reads the configuration of a profile.
func load(ctx context.Context, profile, endpoint string) (aws.Config, error) {
	opts := []func(*config.LoadOptions) error{
		config.WithRetryer(func() aws.Retryer {
			return retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
				o.StandardOptions = append(o.StandardOptions, func(o *retry.StandardOptions) { o.MaxAttempts = maxAttempts })
			})
		}),
	}
	// The SDK waits for an answer without end. AWS's own are there within a second or two.
	opts = append(opts, config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(answerTime).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = idleConnections
	})))
	// What the SDK warns of (a connection that cannot be used again) is nothing to the user; errors come as values.
	opts = append(opts, config.WithLogger(logging.Nop{}))
	if profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(profile))
	}
	if endpoint != "" {
		opts = append(opts, config.WithBaseEndpoint(endpoint))
	}
	c, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return c, fmt.Errorf("%s: configuration of AWS: %w", who(profile, ""), err)
	}
	return c, nil
}

// fallbackRegion is asked for what is not of a region (the list of regions, roles) where none is configured.
const fallbackRegion = "us-east-1"

// home is the configuration with a region to ask for what is not of a region.
func home(c aws.Config) aws.Config {
	if c.Region == "" {
		c.Region = fallbackRegion
	}
	return c
}

// regionsOf lists the regions to open for a configuration.
func regionsOf(ctx context.Context, c aws.Config, o Options) ([]string, error) {
	switch {
	case len(o.Regions) > 0:
		return o.Regions, nil
	case !o.AllRegions && c.Region == "":
		return nil, fmt.Errorf("no region is configured: name one with --region, or take --all-regions")
	case !o.AllRegions:
		return []string{c.Region}, nil
	}
	out, err := ec2.NewFromConfig(home(c)).DescribeRegions(ctx, &ec2.DescribeRegionsInput{})
	if err != nil {
		return nil, fmt.Errorf("listing the account's regions: %w", Explain(err))
	}
	var names []string
	for _, r := range out.Regions {
		names = append(names, aws.ToString(r.RegionName))
	}
	return names, nil
}

// who names a profile and role for an error.
func who(profile, role string) string {
	switch {
	case role != "":
		return role
	case profile != "":
		return "profile " + profile
	}
	return "AWS"
}

// ELBv2 asks for Application and Network Load Balancers.
func (s *Session) ELBv2() *elbv2.Client { return elbv2.NewFromConfig(s.config) }

// Classic asks for Classic Load Balancers.
func (s *Session) Classic() *elb.Client { return elb.NewFromConfig(s.config) }

// ACM asks for certificates.
func (s *Session) ACM() *acm.Client { return acm.NewFromConfig(s.config) }

// IAM asks for server certificates that were uploaded to IAM.
func (s *Session) IAM() *iam.Client { return iam.NewFromConfig(s.config) }

// CloudWatch asks for metrics.
func (s *Session) CloudWatch() *cloudwatch.Client { return cloudwatch.NewFromConfig(s.config) }

// CloudTrail asks who changed what.
func (s *Session) CloudTrail() *cloudtrail.Client { return cloudtrail.NewFromConfig(s.config) }

// EC2 asks for security groups, subnets and network ACLs.
func (s *Session) EC2() *ec2.Client { return ec2.NewFromConfig(s.config) }

// STS asks who one is.
func (s *Session) STS() *sts.Client { return sts.NewFromConfig(s.config) }

// Meter counts the session's requests.
func (s *Session) Meter() *Meter { return s.meter }
