package elbv2

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

//go:embed data/attributes.tsv
var attributeData string

// setting is an attribute that a resource of some kinds can have.
type setting struct {
	resource string
	kinds    []string
	key      string
	normal   string
	values   string
}

var settings = sync.OnceValue(func() []setting {
	var l []setting
	for line := range strings.Lines(attributeData) {
		if line[0] == '#' {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		s := setting{resource: f[0], kinds: strings.Split(f[1], ","), key: f[2], normal: f[3], values: f[4]}
		if s.normal == "-" {
			s.normal = ""
		}
		l = append(l, s)
	}
	return l
})

// allows says whether a value can be set, and if not what could.
func (s *setting) allows(value string) (bool, string) {
	switch {
	case s.values == "text":
		return true, ""
	case s.values == "bool":
		return value == "true" || value == "false", "true or false"
	case strings.Contains(s.values, "|") || s.values == s.normal:
		l := strings.Split(s.values, "|")
		return slices.Contains(l, value), "one of " + strings.Join(l, ", ")
	}
	low, high, _ := strings.Cut(s.values, "-")
	from, _ := strconv.Atoi(low) // a test reads them all
	to, _ := strconv.Atoi(high)
	n, err := strconv.Atoi(value)
	return err == nil && n >= from && n <= to, fmt.Sprintf("between '%d-%d' inclusive", from, to)
}

// Attribute is a setting by its key.
type Attribute struct {
	Key   string `query:"max=256" pattern:"[a-zA-Z0-9._]+"`
	Value string `answer:"always"`
}

type attributesOutput struct{ Attributes []Attribute }

// describeAttributes lists all attributes that a resource of a kind has.
func describeAttributes(resource, kind string, set map[string]string) *attributesOutput {
	out := &attributesOutput{Attributes: []Attribute{}}
	for _, s := range settings() {
		if s.resource != resource || !slices.Contains(s.kinds, kind) {
			continue
		}
		value, ok := set[s.key]
		if !ok {
			value = s.normal
		}
		out.Attributes = append(out.Attributes, Attribute{s.key, value})
	}
	return out
}

// changeAttributes checks the attributes and returns the new set.
func changeAttributes(resource, kind string, set map[string]string, change []Attribute) (map[string]string, error) {
	merged := make(map[string]string, len(set)+len(change))
	for k, v := range set {
		merged[k] = v
	}
	seen := make(map[string]bool)
	for _, a := range change {
		if a.Key == "" {
			return nil, query.Invalid("An attribute key must be specified")
		}
		if seen[a.Key] {
			return nil, query.Invalid("Attribute key '%s' was specified more than once", a.Key)
		}
		seen[a.Key] = true
		i := slices.IndexFunc(settings(), func(s setting) bool {
			return s.resource == resource && s.key == a.Key && slices.Contains(s.kinds, kind)
		})
		if i < 0 {
			return nil, unknownAttribute(resource, kind, a.Key)
		}
		s := &settings()[i]
		if ok, want := s.allows(a.Value); !ok {
			return nil, query.Invalid("'%s' value '%s' must be %s", a.Key, a.Value, want)
		}
		if merged[a.Key] = a.Value; a.Value == s.normal && a.Key != ipv6Gateway {
			delete(merged, a.Key)
		}
	}
	return merged, nil
}

func unknownAttribute(resource, kind, key string) error {
	for _, s := range settings() {
		if s.resource == resource && s.key == key {
			return query.Fail("InvalidConfigurationRequest", "%s attribute key '%s' is not supported for '%s'", title[resource], key, kind)
		}
	}
	return query.Invalid("%s attribute key '%s' is not recognized", title[resource], key)
}

var title = map[string]string{"network": "Network", "gateway": "Gateway", "loadbalancer": "Load balancer", "listener": "Listener", "targetgroup": "Target group"}

// ipv6Gateway is the attribute that only load balancers with IPv6 addresses show; its default depends on the scheme.
const ipv6Gateway = "ipv6.deny_all_igw_traffic"

func attributesOf(l *store.LoadBalancer) *attributesOutput {
	out := describeAttributes("loadbalancer", l.Type, l.Attributes)
	i := slices.IndexFunc(out.Attributes, func(a Attribute) bool { return a.Key == ipv6Gateway })
	switch {
	case i < 0:
	case !strings.HasPrefix(l.IPAddressType, "dualstack"):
		out.Attributes = slices.Delete(out.Attributes, i, i+1)
	case l.Scheme == "internal" && l.Attributes[ipv6Gateway] == "":
		out.Attributes[i].Value = "true"
	}
	return out
}

func describeLoadBalancerAttributes(c *elbapi.Call, in *loadBalancerArnInput) (*attributesOutput, error) {
	return elbapi.View(c, func(r *store.Region) (*attributesOutput, error) {
		l, err := find(r, in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		return attributesOf(l), nil
	})
}

// LoadBalancerAttribute is an Attribute whose value is bounded.
type LoadBalancerAttribute struct {
	Key   string `query:"max=256" pattern:"[a-zA-Z0-9._]+"`
	Value string `answer:"always" query:"max=1024"`
}

type modifyLoadBalancerAttributesInput struct {
	LoadBalancerArn string                  `query:"required"`
	Attributes      []LoadBalancerAttribute `query:"required,max=20"`
}

func modifyLoadBalancerAttributes(c *elbapi.Call, in *modifyLoadBalancerAttributesInput) (*attributesOutput, error) {
	return elbapi.Update(c, func(r *store.Region) (*attributesOutput, error) {
		l, err := find(r, in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		var change []Attribute
		for _, a := range in.Attributes {
			change = append(change, Attribute(a))
		}
		set, err := changeAttributes("loadbalancer", l.Type, l.Attributes, change)
		if err != nil {
			return nil, err
		}
		for _, log := range []string{"access_logs", "connection_logs", "health_check_logs"} {
			if set[log+".s3.enabled"] == "true" && set[log+".s3.bucket"] == "" {
				return nil, query.Fail("InvalidConfigurationRequest", "The value of '%s.s3.bucket' cannot be empty", log)
			}
		}
		l.Attributes = set
		return attributesOf(l), nil
	})
}

type listenerArnInput struct {
	ListenerArn string `query:"required"`
}

func describeListenerAttributes(c *elbapi.Call, in *listenerArnInput) (*attributesOutput, error) {
	return elbapi.View(c, func(r *store.Region) (*attributesOutput, error) {
		_, x, err := findListener(r, in.ListenerArn)
		if err != nil {
			return nil, err
		}
		return describeAttributes("listener", x.Protocol, x.Attributes), nil
	})
}

type modifyListenerAttributesInput struct {
	ListenerArn string      `query:"required"`
	Attributes  []Attribute `query:"required"`
}

func modifyListenerAttributes(c *elbapi.Call, in *modifyListenerAttributesInput) (*attributesOutput, error) {
	return elbapi.Update(c, func(r *store.Region) (*attributesOutput, error) {
		_, x, err := findListener(r, in.ListenerArn)
		if err != nil {
			return nil, err
		}
		set, err := changeAttributes("listener", x.Protocol, x.Attributes, in.Attributes)
		if err != nil {
			return nil, err
		}
		x.Attributes = set
		return describeAttributes("listener", x.Protocol, set), nil
	})
}

func describeTargetGroupAttributes(c *elbapi.Call, in *targetGroupArnInput) (*attributesOutput, error) {
	return elbapi.View(c, func(r *store.Region) (*attributesOutput, error) {
		g, err := findGroup(r, in.TargetGroupArn)
		if err != nil {
			return nil, err
		}
		return describeAttributes("targetgroup", family(g), g.Attributes), nil
	})
}

type modifyTargetGroupAttributesInput struct {
	TargetGroupArn string      `query:"required"`
	Attributes     []Attribute `query:"required"`
}

func modifyTargetGroupAttributes(c *elbapi.Call, in *modifyTargetGroupAttributesInput) (*attributesOutput, error) {
	return elbapi.Update(c, func(r *store.Region) (*attributesOutput, error) {
		g, err := findGroup(r, in.TargetGroupArn)
		if err != nil {
			return nil, err
		}
		set, err := changeAttributes("targetgroup", family(g), g.Attributes, in.Attributes)
		if err != nil {
			return nil, err
		}
		g.Attributes = set
		return describeAttributes("targetgroup", family(g), set), nil
	})
}
