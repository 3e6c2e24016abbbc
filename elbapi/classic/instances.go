package classic

import (
	"regexp"
	"slices"
	"strings"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// Instance is an instance behind a load balancer.
type Instance struct{ InstanceId string }

type instancesInput struct {
	LoadBalancerName string     `query:"required"`
	Instances        []Instance `query:"required"`
}

type instancesOutput struct{ Instances []Instance }

var instanceID = regexp.MustCompile(`^i-[0-9a-f]{8,17}$`)

// States of an instance.
const (
	inService    = "InService"
	outOfService = "OutOfService"
)

func showInstances(l *store.LoadBalancer) *instancesOutput {
	out := &instancesOutput{Instances: []Instance{}}
	for _, i := range l.Classic.Instances {
		out.Instances = append(out.Instances, Instance{i.ID})
	}
	return out
}

// registerInstances takes any well-formed id: EC2's instances are not kept here. They stay out of service until the store says
// otherwise, as nothing checks their health.
func registerInstances(c *elbapi.Call, in *instancesInput) (out *instancesOutput, err error) {
	err = update(c, in.LoadBalancerName, func(_ *store.Region, l *store.LoadBalancer) error {
		for _, i := range in.Instances {
			if !instanceID.MatchString(i.InstanceId) {
				return query.Fail("InvalidInstance", "Invalid EndPoint: %s", i.InstanceId)
			}
		}
		for _, i := range in.Instances {
			if !slices.ContainsFunc(l.Classic.Instances, func(t store.Target) bool { return t.ID == i.InstanceId }) {
				l.Classic.Instances = append(l.Classic.Instances, store.Target{ID: i.InstanceId, State: outOfService, Reason: "ELB", Description: "Instance registration is still in progress."})
			}
		}
		out = showInstances(l)
		return nil
	})
	return out, err
}

func deregisterInstances(c *elbapi.Call, in *instancesInput) (out *instancesOutput, err error) {
	err = update(c, in.LoadBalancerName, func(_ *store.Region, l *store.LoadBalancer) error {
		for _, i := range in.Instances {
			if !slices.ContainsFunc(l.Classic.Instances, func(t store.Target) bool { return t.ID == i.InstanceId }) {
				return query.Fail("InvalidInstance", "Could not find EC2 instance %s.", i.InstanceId)
			}
		}
		l.Classic.Instances = slices.DeleteFunc(l.Classic.Instances, func(t store.Target) bool { return slices.Contains(in.Instances, Instance{t.ID}) })
		out = showInstances(l)
		return nil
	})
	return out, err
}

type instanceHealthInput struct {
	LoadBalancerName string `query:"required"`
	Instances        []Instance
}

// InstanceState is how an instance is.
type InstanceState struct{ InstanceId, State, ReasonCode, Description string }

type instanceHealthOutput struct{ InstanceStates []InstanceState }

func describeInstanceHealth(c *elbapi.Call, in *instanceHealthInput) (*instanceHealthOutput, error) {
	out := &instanceHealthOutput{InstanceStates: []InstanceState{}}
	return out, c.View(func(r *store.Region) error {
		l, err := find(r, in.LoadBalancerName)
		if err != nil {
			return err
		}
		for _, i := range in.Instances {
			if !slices.ContainsFunc(l.Classic.Instances, func(t store.Target) bool { return t.ID == i.InstanceId }) {
				return query.Fail("InvalidInstance", "Could not find EC2 instance %s.", i.InstanceId)
			}
		}
		for _, t := range l.Classic.Instances {
			if len(in.Instances) > 0 && !slices.Contains(in.Instances, Instance{t.ID}) {
				continue
			}
			s := InstanceState{t.ID, t.State, t.Reason, t.Description}
			if s.State == inService {
				s.ReasonCode, s.Description = "N/A", "N/A"
			}
			out.InstanceStates = append(out.InstanceStates, s)
		}
		return nil
	})
}

// HealthCheck is how instances are checked.
type HealthCheck struct {
	Target             string `query:"required"` // TCP:80, HTTP:80/path
	Interval           int    `query:"required,min=5,max=300"`
	Timeout            int    `query:"required,min=2,max=60"`
	UnhealthyThreshold int    `query:"required,min=2,max=10"`
	HealthyThreshold   int    `query:"required,min=2,max=10"`
}

type healthCheckInput struct {
	LoadBalancerName string       `query:"required"`
	HealthCheck      *HealthCheck `query:"required"`
}

type healthCheckOutput struct{ HealthCheck HealthCheck }

var checkTarget = regexp.MustCompile(`^(TCP|SSL|HTTP|HTTPS):(\d{1,5})(/.*)?$`)

func configureHealthCheck(c *elbapi.Call, in *healthCheckInput) (*healthCheckOutput, error) {
	h := in.HealthCheck
	parts := checkTarget.FindStringSubmatch(h.Target)
	switch {
	case parts == nil || strings.HasPrefix(parts[1], "HTTP") != (parts[3] != ""):
		return nil, query.Invalid("HealthCheck Target must specify a port for TCP and SSL, and a path too that begins with / for HTTP and HTTPS: %s", h.Target)
	case h.Timeout >= h.Interval:
		return nil, query.Invalid("HealthCheck timeout must be less than interval")
	}
	return &healthCheckOutput{*h}, update(c, in.LoadBalancerName, func(_ *store.Region, l *store.LoadBalancer) error {
		l.Classic.HealthCheck = store.HealthCheck{Protocol: parts[1], Port: parts[2], Path: parts[3], Interval: h.Interval, Timeout: h.Timeout, Unhealthy: h.UnhealthyThreshold,
			Healthy: h.HealthyThreshold}
		return nil
	})
}

func showHealthCheck(h *store.HealthCheck) HealthCheck {
	return HealthCheck{h.Protocol + ":" + h.Port + h.Path, h.Interval, h.Timeout, h.Unhealthy, h.Healthy}
}

// Limit is a quota.
type Limit struct{ Name, Max string }

type accountLimitsInput struct {
	Marker   string
	PageSize *int `query:"min=1,max=400"`
}

type accountLimitsOutput struct {
	Limits     []Limit
	NextMarker string
}

// accountLimits are the quotas of Classic Load Balancers. Source: "Quotas for your Classic Load Balancer", Classic guide.
var accountLimits = []Limit{{"classic-listeners", "100"}, {"classic-load-balancers", "20"}, {"classic-registered-instances", "1000"}}

func describeAccountLimits(_ *elbapi.Call, in *accountLimitsInput) (*accountLimitsOutput, error) {
	l, next, err := query.Page(accountLimits, func(l Limit) string { return l.Name }, in.Marker, in.PageSize, 400)
	if err != nil {
		return nil, err
	}
	return &accountLimitsOutput{l, next}, nil
}
