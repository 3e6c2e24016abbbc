package elbv2

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// TargetDescription is a target.
type TargetDescription struct {
	Id               string `query:"required"`
	Port             *int   `query:"min=1,max=65535"`
	AvailabilityZone string
}

type targetsInput struct {
	TargetGroupArn string              `query:"required"`
	Targets        []TargetDescription `query:"required"`
}

func registerTargets(c *elbapi.Call, in *targetsInput) (*nothing, error) {
	return elbapi.Update(c, func(r *store.Region) (*nothing, error) {
		g, err := findGroup(r, in.TargetGroupArn)
		if err != nil {
			return nil, err
		}
		l := slices.Clone(g.Targets)
		for _, t := range in.Targets {
			if err := checkTarget(r, g, t); err != nil {
				return nil, err
			}
			if n := (store.Target{ID: t.Id, Port: targetPort(g, t), Zone: t.AvailabilityZone}); indexTarget(l, n) < 0 {
				l = append(l, n)
			}
		}
		if g.TargetType == "lambda" && len(l) > 1 || g.TargetType == "alb" && len(l) > 1 {
			return nil, query.Fail("TooManyTargets", "Target groups with target type '%s' can have one target", g.TargetType)
		}
		if most := limit(r, "targets-per-"+family(g)+"-load-balancer", 1000); len(l) > most {
			return nil, query.Fail("TooManyTargets", "The maximum number of targets has been reached: %d", most)
		}
		g.Targets = l
		return &nothing{}, nil
	})
}

func checkTarget(r *store.Region, g *store.TargetGroup, t TargetDescription) error {
	ok := false
	switch g.TargetType {
	case "instance":
		ok = strings.HasPrefix(t.Id, "i-")
	case "ip":
		a, err := netip.ParseAddr(t.Id)
		if ok = err == nil && a.Is4() == (g.IPAddressType != "ipv6"); ok && a.Is4() && !a.IsPrivate() && !netip.MustParsePrefix("100.64.0.0/10").Contains(a) {
			return query.Fail("InvalidTarget", "The IP address '%s' is not within a VPC or in the ranges that can be registered: 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16", t.Id)
		}
	case "lambda":
		ok = strings.HasPrefix(t.Id, "arn:") && strings.Contains(t.Id, ":lambda:")
	case "alb":
		l := r.LoadBalancer(t.Id)
		ok = l != nil && l.Type == store.Application
	}
	if !ok {
		return query.Fail("InvalidTarget", "The target '%s' is not valid for a target group with target type '%s'", t.Id, g.TargetType)
	}
	return nil
}

func targetPort(g *store.TargetGroup, t TargetDescription) int {
	if t.Port != nil {
		return *t.Port
	}
	return g.Port
}

func indexTarget(l []store.Target, t store.Target) int {
	return slices.IndexFunc(l, func(x store.Target) bool { return x.ID == t.ID && x.Port == t.Port })
}

// deregisterTargets takes targets out; those without a port with all their ports.
func deregisterTargets(c *elbapi.Call, in *targetsInput) (*nothing, error) {
	return elbapi.Update(c, func(r *store.Region) (*nothing, error) {
		g, err := findGroup(r, in.TargetGroupArn)
		if err != nil {
			return nil, err
		}
		l := slices.Clone(g.Targets)
		for _, t := range in.Targets {
			n := len(l)
			l = slices.DeleteFunc(l, func(x store.Target) bool { return x.ID == t.Id && (t.Port == nil || *t.Port == x.Port) })
			if len(l) == n {
				return nil, query.Fail("InvalidTarget", "The following targets are not registered with the target group: '%s'", t.Id)
			}
		}
		g.Targets = l
		return &nothing{}, nil
	})
}

type describeTargetHealthInput struct {
	TargetGroupArn string `query:"required"`
	Targets        []TargetDescription
	Include        []string `query:"enum=AnomalyDetection|All"`
}

type describeTargetHealthOutput struct {
	TargetHealthDescriptions []TargetHealthDescription
}

// TargetHealthDescription is a target with its health.
type TargetHealthDescription struct {
	Target          TargetDescription
	HealthCheckPort string
	TargetHealth    TargetHealth
}

// TargetHealth is the health of a target.
type TargetHealth struct {
	State       string
	Reason      string
	Description string
}

func describeTargetHealth(c *elbapi.Call, in *describeTargetHealthInput) (*describeTargetHealthOutput, error) {
	return elbapi.View(c, func(r *store.Region) (*describeTargetHealthOutput, error) {
		g, err := findGroup(r, in.TargetGroupArn)
		if err != nil {
			return nil, err
		}
		l := g.Targets
		if in.Targets != nil {
			l = nil
			for _, t := range in.Targets {
				n := store.Target{ID: t.Id, Port: targetPort(g, t), State: "unused", Reason: "Target.NotRegistered", Description: "Target is not registered to the target group"}
				if i := indexTarget(g.Targets, n); i >= 0 {
					n = g.Targets[i]
				}
				l = append(l, n)
			}
		}
		out := &describeTargetHealthOutput{TargetHealthDescriptions: []TargetHealthDescription{}}
		used := len(users(r, g.ARN)) > 0
		for _, t := range l {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, health(g, t, used))
		}
		return out, nil
	})
}

// health is what is known of a target. Nobody checks it here: until its state is set in the store, it stands at the beginning.
func health(g *store.TargetGroup, t store.Target, used bool) TargetHealthDescription {
	d := TargetHealthDescription{Target: TargetDescription{Id: t.ID, AvailabilityZone: t.Zone}, HealthCheckPort: g.HealthCheck.Port,
		TargetHealth: TargetHealth{t.State, t.Reason, t.Description}}
	if t.Port != 0 {
		d.Target.Port = &t.Port
		if d.HealthCheckPort == "traffic-port" {
			d.HealthCheckPort = strconv.Itoa(t.Port)
		}
	}
	if t.State == "" {
		d.TargetHealth = TargetHealth{"initial", "Elb.RegistrationInProgress", "Target registration is in progress"}
		if !used {
			d.TargetHealth = TargetHealth{"unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"}
		}
	}
	return d
}
