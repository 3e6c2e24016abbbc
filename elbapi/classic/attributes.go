package classic

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// Attributes are the settings of a load balancer that are not policies.
type Attributes struct {
	CrossZoneLoadBalancing *CrossZone
	AccessLog              *AccessLog
	ConnectionDraining     *ConnectionDraining
	ConnectionSettings     *ConnectionSettings
	AdditionalAttributes   []AdditionalAttribute `query:"max=10"`
}

// CrossZone is whether traffic is spread over all zones.
type CrossZone struct {
	Enabled *bool `query:"required"`
}

// AccessLog is where the access log goes.
type AccessLog struct {
	Enabled        *bool `query:"required"`
	S3BucketName   string
	EmitInterval   *int
	S3BucketPrefix string
}

// ConnectionDraining is how long connections to an instance that goes are left.
type ConnectionDraining struct {
	Enabled *bool `query:"required"`
	Timeout *int
}

// ConnectionSettings is how long a connection can be idle, in seconds.
type ConnectionSettings struct {
	IdleTimeout *int `query:"required,min=1,max=3600"`
}

// AdditionalAttribute is any other setting.
type AdditionalAttribute struct {
	Key   string `query:"max=256" pattern:"[a-zA-Z0-9.]+"`
	Value string `query:"max=256" pattern:"[a-zA-Z0-9.]+"`
}

// Settings in the store, and what they are where nobody set them. Source: ModifyLoadBalancerAttributes, Classic guide.
var attributeDefaults = map[string]string{
	"CrossZoneLoadBalancing.Enabled": "false", "AccessLog.Enabled": "false", "ConnectionDraining.Enabled": "false", "ConnectionDraining.Timeout": "300",
	"ConnectionSettings.IdleTimeout": "60", desyncMode: "defensive",
}

// desyncMode is the only additional attribute. Source: AdditionalAttribute, API reference.
const desyncMode = "elb.http.desyncmitigationmode"

var desyncModes = []string{"monitor", "defensive", "strictest"}

func setting(l *store.LoadBalancer, name string) string {
	if v, ok := l.Classic.Attributes[name]; ok {
		return v
	}
	return attributeDefaults[name]
}

func boolean(l *store.LoadBalancer, name string) *bool {
	b := setting(l, name) == "true"
	return &b
}

func number(l *store.LoadBalancer, name string) *int {
	n, err := strconv.Atoi(setting(l, name))
	if err != nil {
		return nil
	}
	return &n
}

// showAttributes are a load balancer's settings as the API shows them.
func showAttributes(l *store.LoadBalancer) Attributes {
	a := Attributes{CrossZoneLoadBalancing: &CrossZone{boolean(l, "CrossZoneLoadBalancing.Enabled")}, AccessLog: &AccessLog{Enabled: boolean(l, "AccessLog.Enabled")},
		ConnectionDraining:   &ConnectionDraining{boolean(l, "ConnectionDraining.Enabled"), number(l, "ConnectionDraining.Timeout")},
		ConnectionSettings:   &ConnectionSettings{number(l, "ConnectionSettings.IdleTimeout")},
		AdditionalAttributes: []AdditionalAttribute{{desyncMode, setting(l, desyncMode)}}}
	if *a.AccessLog.Enabled {
		a.AccessLog.S3BucketName, a.AccessLog.S3BucketPrefix = setting(l, "AccessLog.S3BucketName"), setting(l, "AccessLog.S3BucketPrefix")
		a.AccessLog.EmitInterval = number(l, "AccessLog.EmitInterval")
	}
	return a
}

type describeAttributesOutput struct{ LoadBalancerAttributes Attributes }

func describeAttributes(c *elbapi.Call, in *loadBalancerNameInput) (*describeAttributesOutput, error) {
	out := &describeAttributesOutput{}
	return out, c.View(func(r *store.Region) error {
		l, err := find(r, in.LoadBalancerName)
		if err == nil {
			out.LoadBalancerAttributes = showAttributes(l)
		}
		return err
	})
}

type modifyAttributesInput struct {
	LoadBalancerName       string      `query:"required"`
	LoadBalancerAttributes *Attributes `query:"required"`
}

type modifyAttributesOutput struct {
	LoadBalancerName       string
	LoadBalancerAttributes Attributes
}

func modifyAttributes(c *elbapi.Call, in *modifyAttributesInput) (*modifyAttributesOutput, error) {
	set, err := in.LoadBalancerAttributes.settings()
	if err != nil {
		return nil, err
	}
	out := &modifyAttributesOutput{LoadBalancerName: in.LoadBalancerName}
	return out, update(c, in.LoadBalancerName, func(_ *store.Region, l *store.LoadBalancer) error {
		if l.Classic.Attributes == nil {
			l.Classic.Attributes = map[string]string{}
		}
		for name, value := range set {
			l.Classic.Attributes[name] = value
		}
		out.LoadBalancerAttributes = showAttributes(l)
		return nil
	})
}

// settings are what a request sets, as the store has it.
func (a *Attributes) settings() (map[string]string, error) {
	set := map[string]string{}
	if a.CrossZoneLoadBalancing != nil {
		set["CrossZoneLoadBalancing.Enabled"] = fmt.Sprint(*a.CrossZoneLoadBalancing.Enabled)
	}
	if g := a.AccessLog; g != nil {
		set["AccessLog.Enabled"] = fmt.Sprint(*g.Enabled)
		interval := 60
		if g.EmitInterval != nil {
			interval = *g.EmitInterval
		}
		switch {
		case *g.Enabled && g.S3BucketName == "":
			return nil, conflict("An access log needs an S3BucketName")
		case interval != 5 && interval != 60:
			return nil, conflict("EmitInterval must be 5 or 60 minutes, not %d", interval)
		}
		set["AccessLog.S3BucketName"], set["AccessLog.S3BucketPrefix"], set["AccessLog.EmitInterval"] = g.S3BucketName, g.S3BucketPrefix, strconv.Itoa(interval)
	}
	if d := a.ConnectionDraining; d != nil {
		set["ConnectionDraining.Enabled"] = fmt.Sprint(*d.Enabled)
		if d.Timeout != nil {
			if *d.Timeout < 1 || *d.Timeout > 3600 {
				return nil, query.Invalid("ConnectionDraining timeout must be between 1 and 3600 seconds, not %d", *d.Timeout)
			}
			set["ConnectionDraining.Timeout"] = strconv.Itoa(*d.Timeout)
		}
	}
	if s := a.ConnectionSettings; s != nil {
		set["ConnectionSettings.IdleTimeout"] = strconv.Itoa(*s.IdleTimeout)
	}
	for _, x := range a.AdditionalAttributes {
		if x.Key != desyncMode {
			return nil, query.Fail("LoadBalancerAttributeNotFound", "There is no load balancer attribute %s", x.Key)
		}
		if !strings.Contains(" "+strings.Join(desyncModes, " ")+" ", " "+x.Value+" ") {
			return nil, conflict("%s must be one of %s, not %s", desyncMode, strings.Join(desyncModes, ", "), x.Value)
		}
		set[x.Key] = x.Value
	}
	return set, nil
}
