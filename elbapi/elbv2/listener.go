package elbv2

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// Listener is a listener as the API shows it.
type Listener struct {
	ListenerArn          string
	LoadBalancerArn      string
	Port                 int
	Protocol             string
	Certificates         []Certificate
	SslPolicy            string
	DefaultActions       []store.Action
	AlpnPolicy           []string
	MutualAuthentication *MutualAuthentication
}

// Certificate is a certificate of a listener.
type Certificate struct {
	CertificateArn string
	IsDefault      *bool
}

// MutualAuthentication is what a listener demands of clients' certificates.
type MutualAuthentication struct {
	Mode                          string
	TrustStoreArn                 string
	IgnoreClientCertificateExpiry *bool
	TrustStoreAssociationStatus   string `query:"enum=active|removed"`
	AdvertiseTrustStoreCaNames    string `query:"enum=on|off"`
}

type createListenerInput struct {
	LoadBalancerArn      string `query:"required"`
	Protocol             string `query:"enum=HTTP|HTTPS|TCP|TLS|UDP|TCP_UDP|GENEVE|QUIC|TCP_QUIC"`
	Port                 *int   `query:"min=1,max=65535"`
	SslPolicy            *string
	Certificates         []Certificate
	DefaultActions       []store.Action `query:"required"`
	AlpnPolicy           []string
	Tags                 []Tag `query:"min=1"`
	MutualAuthentication *MutualAuthentication
}

type listenersOutput struct{ Listeners []Listener }

func createListener(c *elbapi.Call, in *createListenerInput) (*listenersOutput, error) {
	return elbapi.Update(c, func(r *store.Region) (*listenersOutput, error) {
		l, err := find(r, in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		x := &store.Listener{Protocol: in.Protocol, ALPN: in.AlpnPolicy, Actions: in.DefaultActions}
		if in.Port != nil {
			x.Port = *in.Port
		}
		if x.Tags, err = newTags(in.Tags); err != nil {
			return nil, err
		}
		if l.Type == store.Gateway {
			if in.Protocol != "" || in.Port != nil {
				return nil, query.Invalid("You cannot specify a protocol or a port for a listener of a Gateway Load Balancer")
			}
			x.Protocol, x.Port = "GENEVE", 6081
		}
		if err := setCertificates(x, in.Certificates); err != nil {
			return nil, err
		}
		if x.MutualTLS, err = mutualTLS(in.MutualAuthentication); err != nil {
			return nil, err
		}
		switch {
		case in.SslPolicy == nil && isSecure(x.Protocol):
			x.SSLPolicy = defaultPolicy
		case in.SslPolicy != nil && *in.SslPolicy == "":
			return nil, needsPolicy(x)
		case in.SslPolicy != nil:
			x.SSLPolicy = *in.SslPolicy
		}
		if err := check(r, l, x, nil); err != nil {
			return nil, err
		}
		if same := onPort(l, x); same != nil {
			if !equal(same, x) {
				return nil, query.Fail("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", l.ARN)
			}
			return &listenersOutput{[]Listener{showListener(l, same)}}, nil // the same call again
		}
		if most := limit(r, "listeners-per-"+l.Type+"-load-balancer", 1); len(l.Listeners) >= most {
			return nil, query.Fail("TooManyListeners", "The maximum number of listeners for load balancer '%s' has been reached: %d", l.ARN, most)
		}
		x.ARN, x.RuleID = store.NewListenerARN(l.ARN), store.NewID()
		l.Listeners = append(l.Listeners, x)
		return &listenersOutput{[]Listener{showListener(l, x)}}, nil
	})
}

type modifyListenerInput struct {
	ListenerArn          string `query:"required"`
	Port                 *int   `query:"min=1,max=65535"`
	Protocol             string `query:"enum=HTTP|HTTPS|TCP|TLS|UDP|TCP_UDP|GENEVE|QUIC|TCP_QUIC"`
	SslPolicy            *string
	Certificates         []Certificate
	DefaultActions       []store.Action
	AlpnPolicy           []string
	MutualAuthentication *MutualAuthentication
}

func modifyListener(c *elbapi.Call, in *modifyListenerInput) (*listenersOutput, error) {
	return elbapi.Update(c, func(r *store.Region) (*listenersOutput, error) {
		l, old, err := findListener(r, in.ListenerArn)
		if err != nil {
			return nil, err
		}
		x := *old // change replaces its lists and never writes into them
		if err := change(&x, in); err != nil {
			return nil, err
		}
		if err := check(r, l, &x, old); err != nil {
			return nil, err
		}
		if other := onPort(l, &x); other != nil {
			return nil, query.Invalid("Listener port '%d' is already in use", x.Port)
		}
		*old = x
		return &listenersOutput{[]Listener{showListener(l, old)}}, nil
	})
}

// change applies what a request names, and what follows from a new protocol: one that is not secure takes the policy and the
// certificates away, one that becomes secure must come with both.
func change(x *store.Listener, in *modifyListenerInput) error {
	if in.Port != nil {
		x.Port = *in.Port
	}
	was := isSecure(x.Protocol)
	if in.Protocol != "" {
		x.Protocol = in.Protocol
	}
	switch secure := isSecure(x.Protocol); {
	case was && !secure:
		x.SSLPolicy, x.Certificates, x.ALPN, x.MutualTLS = "", nil, nil, nil
	case secure && !was && len(in.Certificates) > 0 && in.SslPolicy == nil, in.SslPolicy != nil && *in.SslPolicy == "":
		return needsPolicy(x)
	}
	if in.SslPolicy != nil {
		x.SSLPolicy = *in.SslPolicy
	}
	if in.Certificates != nil {
		if err := setCertificates(x, in.Certificates); err != nil {
			return err
		}
	}
	if in.DefaultActions != nil {
		x.Actions = in.DefaultActions
	}
	if in.AlpnPolicy != nil {
		x.ALPN = in.AlpnPolicy
	}
	if in.MutualAuthentication != nil {
		m, err := mutualTLS(in.MutualAuthentication)
		if err != nil {
			return err
		}
		x.MutualTLS = m
	}
	return nil
}

func needsPolicy(x *store.Listener) error {
	return query.Invalid("An SSL policy must be specified for %s listeners", x.Protocol)
}

// setCertificates makes a certificate the default one; those for SNI stay.
func setCertificates(x *store.Listener, l []Certificate) error {
	if len(l) > 1 {
		return query.Fail("TooManyCertificates", "Up to '1' certificate ARNs can be specified, but '%d' were specified", len(l))
	}
	for _, c := range l {
		if c.IsDefault != nil {
			return query.Invalid("You cannot specify whether a certificate is the default one: the certificate of a listener always is")
		}
		var sni []string
		if len(x.Certificates) > 0 {
			sni = x.Certificates[1:]
		}
		x.Certificates = append([]string{c.CertificateArn}, sni...)
	}
	return nil
}

// onPort returns another listener of the load balancer on the same port.
func onPort(l *store.LoadBalancer, x *store.Listener) *store.Listener {
	for _, other := range l.Listeners {
		if other.Port == x.Port && other.ARN != x.ARN {
			return other
		}
	}
	return nil
}

// equal reports whether a listener is what a request to make one asks for.
func equal(have, want *store.Listener) bool {
	a, b := *have, *want
	a.ARN, a.RuleID, a.Attributes, a.Tags = "", "", nil, nil
	b.Tags = nil
	if len(a.Certificates) > 1 {
		a.Certificates = a.Certificates[:1]
	}
	a.Actions, b.Actions = spreadAll(a.Actions), spreadAll(b.Actions)
	return sameJSON(a, b)
}

func isSecure(protocol string) bool { return protocol == "HTTPS" || protocol == "TLS" }

func findListener(r *store.Region, arn string) (*store.LoadBalancer, *store.Listener, error) {
	if !strings.HasPrefix(arn, "arn:") || !strings.Contains(arn, ":listener/") {
		return nil, nil, query.Invalid("'%s' is not a valid listener ARN", arn)
	}
	l, x := r.Listener(arn)
	if x == nil {
		return nil, nil, query.Fail("ListenerNotFound", "One or more listeners not found")
	}
	return l, x, nil
}

func showListener(l *store.LoadBalancer, x *store.Listener) Listener {
	v := Listener{ListenerArn: x.ARN, LoadBalancerArn: l.ARN, Port: x.Port, Protocol: x.Protocol, SslPolicy: x.SSLPolicy,
		DefaultActions: spreadAll(x.Actions), AlpnPolicy: slices.Clone(x.ALPN)}
	if l.Type == store.Gateway {
		v.Port, v.Protocol = 0, ""
	}
	if len(x.Certificates) > 0 {
		v.Certificates = []Certificate{{CertificateArn: x.Certificates[0]}}
	}
	if x.Protocol == "HTTPS" {
		v.MutualAuthentication = showMutualTLS(x.MutualTLS)
	}
	return v
}

type describeListenersInput struct {
	LoadBalancerArn string
	ListenerArns    []string
	Marker          string
	PageSize        *int `query:"min=1,max=400"`
}

type describeListenersOutput struct {
	Listeners  []Listener
	NextMarker string
}

func describeListeners(c *elbapi.Call, in *describeListenersInput) (*describeListenersOutput, error) {
	return elbapi.View(c, func(r *store.Region) (*describeListenersOutput, error) {
		out := &describeListenersOutput{Listeners: []Listener{}}
		var all []Listener
		switch {
		case in.LoadBalancerArn != "" && len(in.ListenerArns) > 0:
			return nil, query.Invalid("Listener ARNs and load balancer ARN cannot be specified at the same time")
		case in.LoadBalancerArn != "":
			l, err := find(r, in.LoadBalancerArn)
			if err != nil {
				return nil, err
			}
			for _, x := range l.Listeners {
				all = append(all, showListener(l, x))
			}
		case len(in.ListenerArns) > 0:
			if n := len(in.ListenerArns); n > 50 {
				return nil, query.Invalid("Up to 50 listeners can be described at a time, but %d were specified", n)
			}
			for _, arn := range in.ListenerArns {
				l, x, err := findListener(r, arn)
				if err != nil {
					return nil, err
				}
				all = append(all, showListener(l, x))
			}
		default:
			return nil, query.Invalid("You must specify either listener ARNs or a load balancer ARN")
		}
		key := func(x Listener) string { return fmt.Sprintf("%05d %s", x.Port, x.ListenerArn) }
		slices.SortFunc(all, func(a, b Listener) int { return strings.Compare(key(a), key(b)) })
		all = slices.CompactFunc(all, func(a, b Listener) bool { return a.ListenerArn == b.ListenerArn })
		var err error
		all, out.NextMarker, err = query.Page(all, key, in.Marker, in.PageSize, 400)
		out.Listeners = append(out.Listeners, all...)
		return out, err
	})
}

func deleteListener(c *elbapi.Call, in *listenerArnInput) (*nothing, error) {
	return elbapi.Update(c, func(r *store.Region) (*nothing, error) {
		l, x, err := findListener(r, in.ListenerArn)
		if err != nil {
			return nil, err
		}
		l.Listeners = slices.DeleteFunc(l.Listeners, func(y *store.Listener) bool { return y == x })
		return &nothing{}, nil
	})
}
