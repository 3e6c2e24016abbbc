package elbv2

import (
	"slices"
	"strings"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// TargetGroup is a target group as the API shows it.
type TargetGroup struct {
	TargetGroupArn             string
	TargetGroupName            string
	Protocol                   string
	Port                       int
	VpcId                      string
	HealthCheckProtocol        string
	HealthCheckPort            string
	HealthCheckEnabled         *bool
	HealthCheckIntervalSeconds int
	HealthCheckTimeoutSeconds  int
	HealthyThresholdCount      int
	UnhealthyThresholdCount    int
	HealthCheckPath            string
	Matcher                    *Matcher
	LoadBalancerArns           []string
	TargetType                 string
	ProtocolVersion            string
	IpAddressType              string
}

// Matcher is the answers that count as healthy.
type Matcher struct {
	HttpCode string
	GrpcCode string
}

type createTargetGroupInput struct {
	Name                       string `query:"required"`
	Protocol                   string `query:"enum=HTTP|HTTPS|TCP|TLS|UDP|TCP_UDP|GENEVE|QUIC|TCP_QUIC"`
	ProtocolVersion            string `query:"enum=GRPC|HTTP1|HTTP2"`
	Port                       *int   `query:"min=1,max=65535"`
	VpcId                      string
	HealthCheckProtocol        string `query:"enum=HTTP|HTTPS|TCP|TLS|UDP|TCP_UDP|GENEVE|QUIC|TCP_QUIC"`
	HealthCheckPort            string
	HealthCheckEnabled         *bool
	HealthCheckPath            string `query:"min=1,max=1024"`
	HealthCheckIntervalSeconds *int   `query:"min=5,max=300"`
	HealthCheckTimeoutSeconds  *int   `query:"min=2,max=120"`
	HealthyThresholdCount      *int   `query:"min=2,max=10"`
	UnhealthyThresholdCount    *int   `query:"min=2,max=10"`
	Matcher                    *Matcher
	TargetType                 string `query:"enum=instance|ip|lambda|alb"`
	Tags                       []Tag  `query:"min=1"`
	IpAddressType              string `query:"enum=ipv4|ipv6"`
}

type targetGroupsOutput struct{ TargetGroups []TargetGroup }

func createTargetGroup(c *elbapi.Call, in *createTargetGroupInput) (*targetGroupsOutput, error) {
	if err := checkName("target group", in.Name); err != nil {
		return nil, err
	}
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	g := &store.TargetGroup{Name: in.Name, Protocol: in.Protocol, VPC: in.VpcId, TargetType: orElse(in.TargetType, "instance"), ProtocolVersion: in.ProtocolVersion,
		IPAddressType: orElse(in.IpAddressType, "ipv4"), Tags: tags}
	if in.Port != nil {
		g.Port = *in.Port
	}
	if err := checkGroup(g); err != nil {
		return nil, err
	}
	g.HealthCheck, g.Attributes = normalCheck(g), firstAttributes(g)
	if err := setHealthCheck(g, &healthCheckInput{in.HealthCheckProtocol, in.HealthCheckPort, in.HealthCheckEnabled, in.HealthCheckPath, in.HealthCheckIntervalSeconds,
		in.HealthCheckTimeoutSeconds, in.HealthyThresholdCount, in.UnhealthyThresholdCount, in.Matcher}); err != nil {
		return nil, err
	}
	return elbapi.Update(c, func(r *store.Region) (*targetGroupsOutput, error) {
		for _, same := range r.TargetGroups {
			if same.Name != g.Name {
				continue
			}
			want := *g
			want.ARN, want.Targets, want.Attributes = same.ARN, same.Targets, same.Attributes
			if !sameJSON(same, &want) {
				return nil, query.Fail("DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", g.Name)
			}
			return &targetGroupsOutput{[]TargetGroup{showGroup(same, users(r, same.ARN))}}, nil
		}
		if most := limit(r, "target-groups", 3000); len(r.TargetGroups) >= most {
			return nil, query.Fail("TooManyTargetGroups", "The maximum number of target groups has been reached: %d", most)
		}
		g.ARN = r.ARN("targetgroup/" + g.Name + "/" + store.NewID())
		r.AddTargetGroup(g)
		return &targetGroupsOutput{[]TargetGroup{showGroup(g, nil)}}, nil
	})
}

func checkGroup(g *store.TargetGroup) error {
	if g.TargetType == "lambda" {
		if g.Protocol != "" || g.Port != 0 || g.VPC != "" {
			return query.Invalid("Protocol, port and VPC cannot be specified for target groups with target type 'lambda'")
		}
		return nil
	}
	switch {
	case g.Protocol == "":
		return query.Invalid("A protocol must be specified")
	case g.Port == 0:
		return query.Invalid("A port must be specified")
	case g.VPC == "":
		return query.Invalid("A VPC ID must be specified")
	case !strings.HasPrefix(g.VPC, "vpc-"):
		return query.Invalid("The VPC ID '%s' is not valid", g.VPC)
	case g.TargetType == "alb" && g.Protocol != "TCP":
		return query.Invalid("Protocol '%s' is not supported for target groups with target type 'alb'", g.Protocol)
	case g.ProtocolVersion != "" && family(g) != store.Application:
		return query.Invalid("A protocol version cannot be specified for target groups with protocol '%s'", g.Protocol)
	}
	if family(g) == store.Application && g.ProtocolVersion == "" {
		g.ProtocolVersion = "HTTP1"
	}
	return nil
}

// firstAttributes are those whose default is another for some target groups.
func firstAttributes(g *store.TargetGroup) map[string]string {
	switch {
	case g.Protocol == "UDP" || g.Protocol == "TCP_UDP":
		return map[string]string{"deregistration_delay.connection_termination.enabled": "true", "target_health_state.unhealthy.connection_termination.enabled": "false"}
	case g.TargetType == "ip" && (g.Protocol == "TCP" || g.Protocol == "TLS"):
		return map[string]string{"preserve_client_ip.enabled": "false"}
	}
	return nil
}

// family is the kind of load balancer that takes a target group.
func family(g *store.TargetGroup) string {
	switch g.Protocol {
	case "HTTP", "HTTPS", "":
		return store.Application
	case "GENEVE":
		return store.Gateway
	}
	return store.Network
}

func showGroup(g *store.TargetGroup, users []string) TargetGroup {
	h, on := &g.HealthCheck, !g.HealthCheck.Off
	v := TargetGroup{TargetGroupArn: g.ARN, TargetGroupName: g.Name, Protocol: g.Protocol, Port: g.Port, VpcId: g.VPC, HealthCheckProtocol: h.Protocol,
		HealthCheckPort: h.Port, HealthCheckEnabled: &on, HealthCheckIntervalSeconds: h.Interval, HealthCheckTimeoutSeconds: h.Timeout,
		HealthyThresholdCount: h.Healthy, UnhealthyThresholdCount: h.Unhealthy, HealthCheckPath: h.Path, LoadBalancerArns: users, TargetType: g.TargetType,
		ProtocolVersion: g.ProtocolVersion, IpAddressType: g.IPAddressType}
	if h.HTTPCode != "" || h.GRPCCode != "" {
		v.Matcher = &Matcher{h.HTTPCode, h.GRPCCode}
	}
	if users == nil {
		v.LoadBalancerArns = []string{}
	}
	return v
}

func findGroup(r *store.Region, arn string) (*store.TargetGroup, error) {
	if !strings.HasPrefix(arn, "arn:") || !strings.Contains(arn, ":targetgroup/") {
		return nil, query.Invalid("'%s' is not a valid target group ARN", arn)
	}
	g := r.TargetGroup(arn)
	if g == nil {
		return nil, query.Fail("TargetGroupNotFound", "One or more target groups not found")
	}
	return g, nil
}

type describeTargetGroupsInput struct {
	LoadBalancerArn string
	TargetGroupArns []string
	Names           []string
	Marker          string
	PageSize        *int `query:"min=1,max=400"`
}

type describeTargetGroupsOutput struct {
	TargetGroups []TargetGroup
	NextMarker   string
}

func describeTargetGroups(c *elbapi.Call, in *describeTargetGroupsInput) (*describeTargetGroupsOutput, error) {
	return elbapi.View(c, func(r *store.Region) (*describeTargetGroupsOutput, error) {
		l, err := pickGroups(r, in)
		if err != nil {
			return nil, err
		}
		l, next, err := query.Page(l, func(g *store.TargetGroup) string { return g.ARN }, in.Marker, in.PageSize, 400)
		if err != nil {
			return nil, err
		}
		out := &describeTargetGroupsOutput{TargetGroups: []TargetGroup{}, NextMarker: next}
		all := allUsers(r)
		for _, g := range l {
			out.TargetGroups = append(out.TargetGroups, showGroup(g, all[g.ARN]))
		}
		return out, nil
	})
}

func pickGroups(r *store.Region, in *describeTargetGroupsInput) ([]*store.TargetGroup, error) {
	given := 0
	for _, yes := range []bool{in.LoadBalancerArn != "", len(in.TargetGroupArns) > 0, len(in.Names) > 0} {
		if yes {
			given++
		}
	}
	switch {
	case given > 1:
		return nil, query.Invalid("Target group names, target group ARNs and a load balancer ARN cannot be specified at the same time")
	case given == 0:
		return r.TargetGroups, nil
	}
	if in.LoadBalancerArn != "" {
		if _, err := find(r, in.LoadBalancerArn); err != nil {
			return nil, err
		}
	}
	for _, arn := range in.TargetGroupArns {
		if _, err := findGroup(r, arn); err != nil {
			return nil, err
		}
	}
	var l []*store.TargetGroup
	all := allUsers(r)
	for _, g := range r.TargetGroups {
		if slices.Contains(in.TargetGroupArns, g.ARN) || slices.Contains(in.Names, g.Name) || slices.Contains(all[g.ARN], in.LoadBalancerArn) {
			l = append(l, g)
		}
	}
	for _, name := range in.Names {
		if !slices.ContainsFunc(l, func(g *store.TargetGroup) bool { return g.Name == name }) {
			return nil, query.Fail("TargetGroupNotFound", "One or more target groups not found")
		}
	}
	return l, nil
}

type targetGroupArnInput struct {
	TargetGroupArn string `query:"required"`
}

func deleteTargetGroup(c *elbapi.Call, in *targetGroupArnInput) (*nothing, error) {
	return elbapi.Update(c, func(r *store.Region) (*nothing, error) {
		g, err := findGroup(r, in.TargetGroupArn)
		if err != nil {
			return nil, err
		}
		if len(users(r, g.ARN)) > 0 {
			return nil, query.Fail("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", g.ARN)
		}
		r.RemoveTargetGroup(g.ARN)
		return &nothing{}, nil
	})
}
