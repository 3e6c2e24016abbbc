package elbv2

import (
	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// healthCheckInput is what CreateTargetGroup and ModifyTargetGroup have in common.
type healthCheckInput struct {
	HealthCheckProtocol        string
	HealthCheckPort            string
	HealthCheckEnabled         *bool
	HealthCheckPath            string
	HealthCheckIntervalSeconds *int
	HealthCheckTimeoutSeconds  *int
	HealthyThresholdCount      *int
	UnhealthyThresholdCount    *int
	Matcher                    *Matcher
}

// normalCheck is the health check of a target group whose maker says nothing of it.
func normalCheck(g *store.TargetGroup) store.HealthCheck {
	h := store.HealthCheck{Protocol: "TCP", Port: "traffic-port", Interval: 30, Timeout: 10, Healthy: 5, Unhealthy: 2}
	switch {
	case g.TargetType == "lambda":
		return store.HealthCheck{Off: true, Path: "/", Interval: 35, Timeout: 30, Healthy: 5, Unhealthy: 5, HTTPCode: "200"}
	case family(g) == store.Gateway:
		h.Port, h.Interval, h.Timeout = "80", 10, 5
	case family(g) == store.Application:
		h.Protocol, h.Timeout, h.Path, h.HTTPCode = "HTTP", 5, "/", "200"
		if g.ProtocolVersion == "GRPC" {
			h.Path, h.HTTPCode, h.GRPCCode = "/AWS.ALB/healthcheck", "", "12"
		}
		if g.Protocol == "HTTPS" {
			h.Protocol = "HTTPS"
		}
	}
	return h
}

func setHealthCheck(g *store.TargetGroup, in *healthCheckInput) error {
	h := g.HealthCheck
	if in.HealthCheckEnabled != nil {
		if !*in.HealthCheckEnabled && g.TargetType != "lambda" {
			return query.Fail("InvalidConfigurationRequest", "Health check enabled must be true for target groups with target type '%s'", g.TargetType)
		}
		h.Off = !*in.HealthCheckEnabled
	}
	if p := in.HealthCheckProtocol; p != "" && p != h.Protocol {
		if p != "HTTP" && p != "HTTPS" && (p != "TCP" || family(g) == store.Application) {
			return query.Invalid("Health check protocol '%s' is not supported for target groups with protocol '%s'", p, g.Protocol)
		}
		if h.Protocol = p; p == "TCP" {
			h.Path, h.HTTPCode, h.GRPCCode = "", "", ""
		} else if h.Path == "" {
			h.Path, h.HTTPCode = "/", "200-399"
		}
	}
	if h.Protocol == "TCP" && (in.HealthCheckPath != "" || in.Matcher != nil) {
		return query.Fail("InvalidConfigurationRequest", "You cannot specify a health check path or matcher for a TCP health check")
	}
	h.Port, h.Path = orElse(in.HealthCheckPort, h.Port), orElse(in.HealthCheckPath, h.Path)
	for _, n := range []struct {
		to *int
		in *int
	}{{&h.Interval, in.HealthCheckIntervalSeconds}, {&h.Timeout, in.HealthCheckTimeoutSeconds}, {&h.Healthy, in.HealthyThresholdCount}, {&h.Unhealthy, in.UnhealthyThresholdCount}} {
		if n.in != nil {
			*n.to = *n.in
		}
	}
	if h.Timeout > h.Interval {
		return query.Invalid("Health check timeout '%d' must be smaller than or equal to the interval '%d'", h.Timeout, h.Interval)
	}
	if m := in.Matcher; m != nil {
		if (m.HttpCode == "") == (m.GrpcCode == "") || (m.GrpcCode != "") != (g.ProtocolVersion == "GRPC") {
			return query.Invalid("The matcher must have an HTTP code, or a GRPC code for target groups with protocol version 'GRPC'")
		}
		h.HTTPCode, h.GRPCCode = m.HttpCode, m.GrpcCode
	}
	g.HealthCheck = h
	return nil
}

type modifyTargetGroupInput struct {
	TargetGroupArn             string `query:"required"`
	HealthCheckProtocol        string `query:"enum=HTTP|HTTPS|TCP|TLS|UDP|TCP_UDP|GENEVE|QUIC|TCP_QUIC"`
	HealthCheckPort            string
	HealthCheckPath            string `query:"min=1,max=1024"`
	HealthCheckEnabled         *bool
	HealthCheckIntervalSeconds *int `query:"min=5,max=300"`
	HealthCheckTimeoutSeconds  *int `query:"min=2,max=120"`
	HealthyThresholdCount      *int `query:"min=2,max=10"`
	UnhealthyThresholdCount    *int `query:"min=2,max=10"`
	Matcher                    *Matcher
}

func modifyTargetGroup(c *elbapi.Call, in *modifyTargetGroupInput) (*targetGroupsOutput, error) {
	return elbapi.Update(c, func(r *store.Region) (*targetGroupsOutput, error) {
		g, err := findGroup(r, in.TargetGroupArn)
		if err != nil {
			return nil, err
		}
		if err := setHealthCheck(g, &healthCheckInput{in.HealthCheckProtocol, in.HealthCheckPort, in.HealthCheckEnabled, in.HealthCheckPath, in.HealthCheckIntervalSeconds,
			in.HealthCheckTimeoutSeconds, in.HealthyThresholdCount, in.UnhealthyThresholdCount, in.Matcher}); err != nil {
			return nil, err
		}
		return &targetGroupsOutput{[]TargetGroup{showGroup(g, users(r, g.ARN))}}, nil
	})
}
