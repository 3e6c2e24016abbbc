package elbv2

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// The protocols that listeners of a kind of load balancer can have, in the order of AWS's errors.
var protocols = map[string][]string{
	store.Application: {"HTTPS", "HTTP"},
	store.Network:     {"TLS", "TCP", "TCP_UDP", "UDP", "QUIC", "TCP_QUIC"},
	store.Gateway:     {"GENEVE"},
}

// The protocols of target groups that a listener's protocol goes with.
var targets = map[string][]string{
	"HTTP": {"HTTP", "HTTPS"}, "HTTPS": {"HTTP", "HTTPS"}, "TCP": {"TCP", "TCP_UDP"}, "TLS": {"TCP", "TLS"}, "UDP": {"UDP", "TCP_UDP"},
	"TCP_UDP": {"TCP_UDP"}, "QUIC": {"QUIC", "TCP_QUIC"}, "TCP_QUIC": {"TCP_QUIC"}, "GENEVE": {"GENEVE"},
}

var alpnPolicies = []string{"HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"}

// check applies the rules to a listener as it is to be. was is what it is now, or nil for a new one: what does not change is not
// looked at, as listeners can be older than a rule, and policies and certificates can go.
func check(r *store.Region, l *store.LoadBalancer, x, was *store.Listener) error {
	switch {
	case x.Protocol == "":
		return query.Invalid("A listener protocol must be specified")
	case x.Port == 0:
		return query.Invalid("A listener port must be specified")
	case !slices.Contains(protocols[l.Type], x.Protocol):
		return query.Invalid("Listener protocol '%s' must be one of '%s'", x.Protocol, strings.Join(protocols[l.Type], ", "))
	}
	if was == nil || was.Protocol != x.Protocol {
		was = &store.Listener{} // all rules depend on the protocol
	}
	if err := checkTLS(r, l, x, was); err != nil {
		return err
	}
	if !sameJSON(x.MutualTLS, was.MutualTLS) {
		if err := checkMutualTLS(r, x); err != nil {
			return err
		}
	}
	if sameJSON(x.Actions, was.Actions) && was.Protocol != "" {
		return nil
	}
	return checkActions(r, l, x)
}

func checkTLS(r *store.Region, l *store.LoadBalancer, x, was *store.Listener) error {
	secure := isSecure(x.Protocol)
	switch {
	case !secure && x.SSLPolicy != "":
		return query.Invalid("An SSL policy cannot be specifed for %s listeners", x.Protocol) // the spelling is AWS's
	case !secure && len(x.Certificates) > 0:
		return query.Invalid("A certificate cannot be specified for %s listeners", x.Protocol)
	case x.Protocol != "TLS" && len(x.ALPN) > 0:
		return query.Invalid("An ALPN policy cannot be specified for %s listeners", x.Protocol)
	case !secure:
		return nil
	case len(x.Certificates) == 0 && (was.Protocol == "" || len(was.Certificates) > 0):
		return query.Invalid("A certificate must be specified for %s listeners", x.Protocol)
	}
	if x.SSLPolicy != was.SSLPolicy {
		if _, err := selectable(x.SSLPolicy, l.Type); err != nil {
			return err
		}
		if err := checkFIPS(l, x); err != nil {
			return err
		}
	}
	if len(x.Certificates) > 0 && (len(was.Certificates) == 0 || was.Certificates[0] != x.Certificates[0]) {
		if err := checkCertificate(r, l, x.Certificates[0]); err != nil {
			return err
		}
	}
	if slices.Equal(x.ALPN, was.ALPN) {
		return nil
	}
	if len(x.ALPN) > 1 {
		return query.Invalid("Only one ALPN policy can be specified")
	}
	for _, name := range x.ALPN {
		if !slices.Contains(alpnPolicies, name) {
			return query.Fail("ALPNPolicyNotFound", "ALPN policy '%s' not found: it must be one of '%s'", name, strings.Join(alpnPolicies, ", "))
		}
	}
	return nil
}

// checkFIPS: the secure listeners of an Application Load Balancer have FIPS policies all or none.
func checkFIPS(l *store.LoadBalancer, x *store.Listener) error {
	if l.Type != store.Application {
		return nil
	}
	for _, other := range l.Listeners {
		if other.ARN != x.ARN && other.Port != x.Port && isSecure(other.Protocol) && isFIPS(other.SSLPolicy) != isFIPS(x.SSLPolicy) {
			return query.Fail("InvalidConfigurationRequest", "The secure listeners of a load balancer must all have FIPS policies or none: '%s' cannot be set while listener '%s' has '%s'",
				x.SSLPolicy, other.ARN, other.SSLPolicy)
		}
	}
	return nil
}

func mutualTLS(in *MutualAuthentication) (*store.MutualTLS, error) {
	if in == nil {
		return nil, nil
	}
	m := &store.MutualTLS{Mode: in.Mode, TrustStore: in.TrustStoreArn, AdvertiseCANames: in.AdvertiseTrustStoreCaNames}
	if in.IgnoreClientCertificateExpiry != nil {
		m.IgnoreExpiry = *in.IgnoreClientCertificateExpiry
	}
	switch {
	case in.TrustStoreAssociationStatus != "":
		return nil, query.Invalid("The trust store association status cannot be set")
	case m.Mode != "off" && m.Mode != "passthrough" && m.Mode != "verify":
		return nil, query.Invalid("Mutual authentication mode '%s' must be one of 'off, passthrough, verify'", m.Mode)
	case m.Mode == "verify" && m.TrustStore == "":
		return nil, query.Invalid("A trust store ARN must be specified with mutual authentication mode 'verify'")
	case m.Mode != "verify" && (m.TrustStore != "" || in.IgnoreClientCertificateExpiry != nil || m.AdvertiseCANames != ""):
		return nil, query.Invalid("A trust store, expiry and CA names can be specified only with mutual authentication mode 'verify'")
	case m.Mode == "off":
		return nil, nil
	case m.Mode == "verify" && m.AdvertiseCANames == "":
		m.AdvertiseCANames = "off"
	}
	return m, nil
}

func checkMutualTLS(r *store.Region, x *store.Listener) error {
	if x.MutualTLS == nil {
		return nil
	}
	if x.Protocol != "HTTPS" {
		return query.Fail("InvalidConfigurationRequest", "Mutual authentication is not supported for %s listeners", x.Protocol)
	}
	if x.MutualTLS.Mode != "verify" {
		return nil
	}
	t := r.TrustStore(x.MutualTLS.TrustStore)
	switch {
	case t == nil:
		return query.Fail("TrustStoreNotFound", "Trust store '%s' not found", x.MutualTLS.TrustStore)
	case t.Status != "ACTIVE":
		return query.Fail("TrustStoreNotReady", "Trust store '%s' is not active", t.ARN)
	}
	return nil
}

func showMutualTLS(m *store.MutualTLS) *MutualAuthentication {
	if m == nil {
		return &MutualAuthentication{Mode: "off"}
	}
	v := &MutualAuthentication{Mode: m.Mode}
	if m.Mode == "verify" {
		v.TrustStoreArn, v.IgnoreClientCertificateExpiry = m.TrustStore, new(bool)
		*v.IgnoreClientCertificateExpiry = m.IgnoreExpiry
		v.TrustStoreAssociationStatus, v.AdvertiseTrustStoreCaNames = "active", m.AdvertiseCANames
	}
	return v
}

// checkActions applies the rules to the actions of the default rule.
func checkActions(r *store.Region, l *store.LoadBalancer, x *store.Listener) error {
	if len(x.Actions) == 0 {
		return query.Invalid("A listener must have a default action")
	}
	if len(x.Actions) > 1 && l.Type != store.Application {
		return query.Fail("TooManyActions", "Only one action can be specified for %s listeners", x.Protocol)
	}
	final := 0
	for i := range x.Actions {
		a := &x.Actions[i]
		if n := configs(a); n > 1 {
			return query.Fail("InvalidLoadBalancerAction", "An action of type '%s' can only have one configuration, not %d", a.Type, n)
		}
		switch a.Type {
		case "forward", "redirect", "fixed-response":
			final++
		default:
			if x.Protocol != "HTTPS" {
				return query.Fail("InvalidLoadBalancerAction", "Actions of type '%s' are supported for HTTPS listeners only", a.Type)
			}
		}
		if a.Type != "forward" && l.Type != store.Application {
			return query.Fail("InvalidLoadBalancerAction", "Actions of type '%s' are supported for Application Load Balancers only", a.Type)
		}
		if missing(a) {
			return query.Fail("InvalidLoadBalancerAction", "The configuration of an action of type '%s' must be specified", a.Type)
		}
		if err := checkTargets(r, l, x, a); err != nil {
			return err
		}
	}
	if final != 1 {
		return query.Fail("InvalidLoadBalancerAction", "The actions must contain exactly one of 'forward', 'redirect' or 'fixed-response'")
	}
	return nil
}

func configs(a *store.Action) int {
	n := 0
	for _, given := range []bool{a.AuthenticateOidcConfig != nil, a.AuthenticateCognitoConfig != nil, a.RedirectConfig != nil, a.FixedResponseConfig != nil,
		a.ForwardConfig != nil, a.JwtValidationConfig != nil} {
		if given {
			n++
		}
	}
	return n
}

func missing(a *store.Action) bool {
	switch a.Type {
	case "forward":
		return len(a.Targets()) == 0
	case "redirect":
		return a.RedirectConfig == nil
	case "fixed-response":
		return a.FixedResponseConfig == nil
	case "authenticate-oidc":
		return a.AuthenticateOidcConfig == nil
	case "authenticate-cognito":
		return a.AuthenticateCognitoConfig == nil
	}
	return a.JwtValidationConfig == nil
}

func checkTargets(r *store.Region, l *store.LoadBalancer, x *store.Listener, a *store.Action) error {
	groups := a.Targets()
	if most := limit(r, "target-groups-per-action-on-"+l.Type+"-load-balancer", 1); len(groups) > most {
		return query.Fail("TooManyTargetGroups", "An action can have %d target groups at most", most)
	}
	for _, arn := range groups {
		g := r.TargetGroup(arn)
		if g == nil {
			return query.Fail("TargetGroupNotFound", "Target group '%s' not found", arn)
		}
		if g.TargetType != "lambda" && !slices.Contains(targets[x.Protocol], g.Protocol) || g.TargetType == "lambda" && l.Type != store.Application {
			return query.Fail("IncompatibleProtocols", "The listener and its associated target group '%s' have incompatible protocols: '%s' and '%s'", arn, x.Protocol, g.Protocol)
		}
		for _, user := range users(r, arn) {
			if user != l.ARN {
				return query.Fail("TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one load balancer: %s", arn)
			}
		}
	}
	return nil
}

// users are the load balancers that send traffic to a target group.
func users(r *store.Region, group string) []string {
	var l []string
	for _, b := range r.LoadBalancers {
		if slices.Contains(groupsOf(b), group) {
			l = append(l, b.ARN)
		}
	}
	return l
}

// allUsers are the users of every target group.
func allUsers(r *store.Region) map[string][]string {
	m := make(map[string][]string)
	for _, b := range r.LoadBalancers {
		for _, group := range groupsOf(b) {
			m[group] = append(m[group], b.ARN)
		}
	}
	return m
}

// groupsOf are the target groups that a load balancer sends traffic to, each once.
func groupsOf(b *store.LoadBalancer) []string {
	var l []string
	for _, x := range b.Listeners {
		for i := range x.Actions {
			for _, group := range x.Actions[i].Targets() {
				if !slices.Contains(l, group) {
					l = append(l, group)
				}
			}
		}
	}
	return l
}

// spread shows an action as AWS does: a forward to one group names it twice, in short and in full.
func spread(a store.Action) store.Action {
	if a.Type != "forward" {
		return a
	}
	f := store.Forward{}
	if a.ForwardConfig != nil {
		f = *a.ForwardConfig
	} else {
		f.TargetGroups = []store.WeightedGroup{{TargetGroupArn: a.TargetGroupArn}}
	}
	f.TargetGroups = slices.Clone(f.TargetGroups)
	one := 1
	for i := range f.TargetGroups {
		if f.TargetGroups[i].Weight == nil {
			f.TargetGroups[i].Weight = &one
		}
	}
	if f.TargetGroupStickinessConfig == nil {
		f.TargetGroupStickinessConfig = &store.Stickiness{Enabled: new(bool)}
	}
	a.ForwardConfig = &f
	if len(f.TargetGroups) == 1 {
		a.TargetGroupArn = f.TargetGroups[0].TargetGroupArn
	}
	return a
}

func spreadAll(l []store.Action) []store.Action {
	out := []store.Action{}
	for _, a := range l {
		out = append(out, spread(a))
	}
	return out
}

// sameJSON compares two values by what a file would have of them.
func sameJSON(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	if err1 != nil || err2 != nil {
		panic(fmt.Sprint(err1, err2)) // the values have no type that JSON lacks
	}
	return string(x) == string(y)
}
