package elbv2_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/parley-tls/parley/elbapi/store"
)

// TestCreateListener makes listeners that break one rule each, and the nearest that break none.
func TestCreateListener(t *testing.T) {
	_, client, _ := serve(t)
	ctx := context.Background()
	alb, nlb, gwlb := balancer(t, client, "shop", "application"), balancer(t, client, "edge", "network"), balancer(t, client, "wall", "gateway")
	web, tcp, other := group(t, client, "web", "HTTP"), group(t, client, "tcp", "TCP"), group(t, client, "other", "HTTP")
	second2 := balancer(t, client, "second", "application")
	must[elb.CreateListenerOutput](t)(client.CreateListener(ctx, &elb.CreateListenerInput{LoadBalancerArn: &second2, Protocol: "HTTP", Port: aws.Int32(80), DefaultActions: forward(other)}))
	port := int32(1000)
	for _, c := range []struct {
		name string
		in   elb.CreateListenerInput
		want string // the beginning of the error; empty: none
	}{
		{"https", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(issued), DefaultActions: fixed()}, ""},
		{"https with a policy", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(issued), SslPolicy: aws.String("ELBSecurityPolicy-FS-1-2-Res-2020-10"), DefaultActions: forward(web)}, ""},
		{"an IAM certificate", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(iam), DefaultActions: fixed()}, ""},
		{"no certificate", elb.CreateListenerInput{Protocol: "HTTPS", DefaultActions: fixed()}, "ValidationError: A certificate must be specified for HTTPS listeners"},
		{"two certificates", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(issued, second), DefaultActions: fixed()}, "TooManyCertificates: "},
		{"no such certificate", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(issued + "0"), DefaultActions: fixed()}, "CertificateNotFound: "},
		{"certificate of another region", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(strings.Replace(issued, "eu-west-1", "us-east-1", 1)), DefaultActions: fixed()}, "ValidationError: Certificate ARN 'arn:aws:acm:us-east-1:"},
		{"certificate that is not issued", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(asked), DefaultActions: fixed()}, "UnsupportedCertificate: The certificate '" + asked + "' must have a fully-qualified domain name, a supported signature, and a supported key size."},
		{"no such policy", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(issued), SslPolicy: aws.String("ELBSecurityPolicy-2099-01"), DefaultActions: fixed()}, "SSLPolicyNotFound: "},
		{"empty policy", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(issued), SslPolicy: aws.String(""), DefaultActions: fixed()}, "ValidationError: An SSL policy must be specified for HTTPS listeners"},
		{"policy on http", elb.CreateListenerInput{Protocol: "HTTP", SslPolicy: aws.String("ELBSecurityPolicy-2016-08"), DefaultActions: fixed()}, "ValidationError: An SSL policy cannot be specifed for HTTP listeners"},
		{"certificate on http", elb.CreateListenerInput{Protocol: "HTTP", Certificates: certs(issued), DefaultActions: fixed()}, "ValidationError: "},
		{"tls on an application load balancer", elb.CreateListenerInput{Protocol: "TLS", Certificates: certs(issued), DefaultActions: fixed()}, "ValidationError: Listener protocol 'TLS' must be one of 'HTTPS, HTTP'"},
		{"alpn on https", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(issued), AlpnPolicy: []string{"HTTP2Only"}, DefaultActions: fixed()}, "ValidationError: "},
		{"no protocol", elb.CreateListenerInput{DefaultActions: fixed()}, "ValidationError: A listener protocol must be specified"},
		{"a protocol that is none", elb.CreateListenerInput{Protocol: "SPDY", DefaultActions: fixed()}, "ValidationError: 1 validation error detected: Value 'SPDY' at 'protocol' failed to satisfy constraint: Member must satisfy enum value set: [HTTP, HTTPS, "},
		{"wrong mode", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(issued), DefaultActions: fixed(), MutualAuthentication: &types.MutualAuthenticationAttributes{Mode: aws.String("on")}}, "ValidationError: "},
		{"passthrough", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(issued), DefaultActions: fixed(), MutualAuthentication: &types.MutualAuthenticationAttributes{Mode: aws.String("passthrough")}}, ""},
		{"verify", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(issued), DefaultActions: fixed(), MutualAuthentication: &types.MutualAuthenticationAttributes{Mode: aws.String("verify"), TrustStoreArn: aws.String(trust)}}, ""},
		{"verify against nothing", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(issued), DefaultActions: fixed(), MutualAuthentication: &types.MutualAuthenticationAttributes{Mode: aws.String("verify")}}, "ValidationError: "},
		{"verify against no such store", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(issued), DefaultActions: fixed(), MutualAuthentication: &types.MutualAuthenticationAttributes{Mode: aws.String("verify"), TrustStoreArn: aws.String(trust + "0")}}, "TrustStoreNotFound: "},
		{"verify against a store in the making", elb.CreateListenerInput{Protocol: "HTTPS", Certificates: certs(issued), DefaultActions: fixed(), MutualAuthentication: &types.MutualAuthenticationAttributes{Mode: aws.String("verify"), TrustStoreArn: aws.String(making)}}, "TrustStoreNotReady: "},
		{"mutual tls on http", elb.CreateListenerInput{Protocol: "HTTP", DefaultActions: fixed(), MutualAuthentication: &types.MutualAuthenticationAttributes{Mode: aws.String("passthrough")}}, "InvalidConfigurationRequest: "},
		{"tcp target group", elb.CreateListenerInput{Protocol: "HTTP", DefaultActions: forward(tcp)}, "IncompatibleProtocols: The listener and its associated target group '" + tcp + "' have incompatible protocols: 'HTTP' and 'TCP'"},
		{"no such target group", elb.CreateListenerInput{Protocol: "HTTP", DefaultActions: forward(web + "0")}, "TargetGroupNotFound: "},
		{"target group of another load balancer", elb.CreateListenerInput{Protocol: "HTTP", DefaultActions: forward(other)}, "TargetGroupAssociationLimit: The following target groups cannot be associated with more than one load balancer: " + other},
		{"forward to nowhere", elb.CreateListenerInput{Protocol: "HTTP", DefaultActions: []types.Action{{Type: "forward"}}}, "InvalidLoadBalancerAction: "},
		{"two ends", elb.CreateListenerInput{Protocol: "HTTP", DefaultActions: append(fixed(), fixed()...)}, "InvalidLoadBalancerAction: "},
		{"no such load balancer", elb.CreateListenerInput{LoadBalancerArn: aws.String(alb + "0"), Protocol: "HTTP", DefaultActions: fixed()}, "LoadBalancerNotFound: "},
		{"no ARN", elb.CreateListenerInput{LoadBalancerArn: aws.String("shop"), Protocol: "HTTP", DefaultActions: fixed()}, "ValidationError: 'shop' is not a valid load balancer ARN"},

		{"tls", elb.CreateListenerInput{LoadBalancerArn: &nlb, Protocol: "TLS", Certificates: certs(issued), DefaultActions: forward(tcp)}, ""},
		{"alpn", elb.CreateListenerInput{LoadBalancerArn: &nlb, Protocol: "TLS", Certificates: certs(issued), AlpnPolicy: []string{"HTTP2Preferred"}, DefaultActions: forward(tcp)}, ""},
		{"no such alpn policy", elb.CreateListenerInput{LoadBalancerArn: &nlb, Protocol: "TLS", Certificates: certs(issued), AlpnPolicy: []string{"h2"}, DefaultActions: forward(tcp)}, "ALPNPolicyNotFound: "},
		{"alpn on tcp", elb.CreateListenerInput{LoadBalancerArn: &nlb, Protocol: "TCP", AlpnPolicy: []string{"HTTP2Only"}, DefaultActions: forward(tcp)}, "ValidationError: "},
		{"rsa 4096 from ACM", elb.CreateListenerInput{LoadBalancerArn: &nlb, Protocol: "TLS", Certificates: certs(big), DefaultActions: forward(tcp)}, "UnsupportedCertificate: "},
		{"rsa 4096 from IAM", elb.CreateListenerInput{LoadBalancerArn: &nlb, Protocol: "TLS", Certificates: certs(iam), DefaultActions: forward(tcp)}, ""},
		{"https on a network load balancer", elb.CreateListenerInput{LoadBalancerArn: &nlb, Protocol: "HTTPS", Certificates: certs(issued), DefaultActions: forward(tcp)}, "ValidationError: Listener protocol 'HTTPS' must be one of 'TLS, TCP, "},
		{"policy on tcp", elb.CreateListenerInput{LoadBalancerArn: &nlb, Protocol: "TCP", SslPolicy: aws.String("ELBSecurityPolicy-2016-08"), DefaultActions: forward(tcp)}, "ValidationError: An SSL policy cannot be specifed for TCP listeners"},
		{"fixed response on a network load balancer", elb.CreateListenerInput{LoadBalancerArn: &nlb, Protocol: "TCP", DefaultActions: fixed()}, "InvalidLoadBalancerAction: "},
		{"http target group on a network load balancer", elb.CreateListenerInput{LoadBalancerArn: &nlb, Protocol: "TCP", DefaultActions: forward(web)}, "IncompatibleProtocols: "},
		{"port of a gateway", elb.CreateListenerInput{LoadBalancerArn: &gwlb, DefaultActions: forward(tcp)}, "ValidationError: You cannot specify a protocol or a port"},
	} {
		port++
		if c.in.Port = &port; c.in.LoadBalancerArn == nil {
			c.in.LoadBalancerArn = &alb
		}
		out, err := client.CreateListener(ctx, &c.in)
		if c.want != "" {
			if !strings.HasPrefix(code(err), c.want) {
				t.Errorf("%s: %s, want %s", c.name, code(err), c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		l := out.Listeners[0]
		if want := strings.Replace(*c.in.LoadBalancerArn, ":loadbalancer/", ":listener/", 1) + "/"; !strings.HasPrefix(*l.ListenerArn, want) {
			t.Errorf("%s: ARN %s", c.name, *l.ListenerArn)
		}
		if want := "ELBSecurityPolicy-2016-08"; c.in.SslPolicy == nil && *l.SslPolicy != want {
			t.Errorf("%s: policy %s, want %s", c.name, *l.SslPolicy, want)
		}
		seen := must[elb.DescribeListenersOutput](t)(client.DescribeListeners(ctx, &elb.DescribeListenersInput{ListenerArns: []string{*l.ListenerArn}}))
		if fmt.Sprintf("%+v", deref(seen.Listeners[0])) != fmt.Sprintf("%+v", deref(l)) {
			t.Errorf("%s: described %+v, made %+v", c.name, deref(seen.Listeners[0]), deref(l))
		}
		if c.in.MutualAuthentication != nil && *l.MutualAuthentication.Mode != *c.in.MutualAuthentication.Mode {
			t.Errorf("%s: mode %s", c.name, *l.MutualAuthentication.Mode)
		}
		// The same call again answers with the same listener; another on the port is refused.
		again := must[elb.CreateListenerOutput](t)(client.CreateListener(ctx, &c.in))
		if *again.Listeners[0].ListenerArn != *l.ListenerArn {
			t.Errorf("%s: the same request again made another listener", c.name)
		}
		c.in.SslPolicy = aws.String("ELBSecurityPolicy-TLS13-1-2-2021-06")
		if _, err := client.CreateListener(ctx, &c.in); code(err) != "DuplicateListener: A listener already exists on this port for this load balancer '"+*c.in.LoadBalancerArn+"'" {
			t.Errorf("%s: a second on the port: %s", c.name, code(err))
		}
	}
}

// deref is a listener without pointers, as text of them would be addresses.
func deref(l types.Listener) []any {
	v := []any{*l.ListenerArn, *l.LoadBalancerArn, *l.Port, l.Protocol, aws.ToString(l.SslPolicy), l.AlpnPolicy}
	for _, c := range l.Certificates {
		v = append(v, *c.CertificateArn, c.IsDefault)
	}
	for _, a := range l.DefaultActions {
		v = append(v, a.Type, aws.ToString(a.TargetGroupArn))
	}
	if m := l.MutualAuthentication; m != nil {
		v = append(v, *m.Mode, aws.ToString(m.TrustStoreArn), m.TrustStoreAssociationStatus)
	}
	return v
}

func TestModifyListener(t *testing.T) {
	_, client, _ := serve(t)
	ctx := context.Background()
	alb := balancer(t, client, "shop", "application")
	make := func(in elb.CreateListenerInput) string {
		t.Helper()
		in.LoadBalancerArn, in.DefaultActions = &alb, fixed()
		return *must[elb.CreateListenerOutput](t)(client.CreateListener(ctx, &in)).Listeners[0].ListenerArn
	}
	https := make(elb.CreateListenerInput{Protocol: "HTTPS", Port: aws.Int32(443), Certificates: certs(issued), MutualAuthentication: &types.MutualAuthenticationAttributes{Mode: aws.String("passthrough")}})
	http := make(elb.CreateListenerInput{Protocol: "HTTP", Port: aws.Int32(80)})
	must[elb.AddListenerCertificatesOutput](t)(client.AddListenerCertificates(ctx, &elb.AddListenerCertificatesInput{ListenerArn: &https, Certificates: certs(second)}))
	modify := func(in elb.ModifyListenerInput) (types.Listener, string) {
		t.Helper()
		out, err := client.ModifyListener(ctx, &in)
		if err != nil {
			return types.Listener{}, code(err)
		}
		return out.Listeners[0], ""
	}
	for _, c := range []struct {
		name string
		in   elb.ModifyListenerInput
		want string
	}{
		{"no such policy", elb.ModifyListenerInput{SslPolicy: aws.String("nope")}, "SSLPolicyNotFound: "},
		{"no such listener", elb.ModifyListenerInput{ListenerArn: aws.String(https + "0")}, "ListenerNotFound: One or more listeners not found"},
		{"no listener ARN", elb.ModifyListenerInput{ListenerArn: &alb}, "ValidationError: '" + alb + "' is not a valid listener ARN"},
		{"policy on http", elb.ModifyListenerInput{ListenerArn: &http, SslPolicy: aws.String("ELBSecurityPolicy-2016-08")}, "ValidationError: An SSL policy cannot be specifed for HTTP listeners"},
		{"port in use", elb.ModifyListenerInput{Port: aws.Int32(80)}, "ValidationError: Listener port '80' is already in use"},
		{"https without a certificate", elb.ModifyListenerInput{ListenerArn: &http, Protocol: "HTTPS"}, "ValidationError: A certificate must be specified for HTTPS listeners"},
		{"https without a policy", elb.ModifyListenerInput{ListenerArn: &http, Protocol: "HTTPS", Certificates: certs(issued)}, "ValidationError: An SSL policy must be specified for HTTPS listeners"},
		{"tls", elb.ModifyListenerInput{Protocol: "TLS"}, "ValidationError: Listener protocol 'TLS' must be one of"},
		{"two certificates", elb.ModifyListenerInput{Certificates: certs(issued, second)}, "TooManyCertificates: "},
		{"no such certificate", elb.ModifyListenerInput{Certificates: certs(issued + "0")}, "CertificateNotFound: "},
	} {
		if c.in.ListenerArn == nil {
			c.in.ListenerArn = &https
		}
		if _, got := modify(c.in); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	// A change of the policy alone leaves everything else as it is.
	l, e := modify(elb.ModifyListenerInput{ListenerArn: &https, SslPolicy: aws.String("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09")})
	if e != "" || *l.SslPolicy != "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09" || *l.Port != 443 || *l.Certificates[0].CertificateArn != issued || *l.MutualAuthentication.Mode != "passthrough" || len(l.DefaultActions) != 1 {
		t.Errorf("%s %+v", e, deref(l))
	}
	listed := must[elb.DescribeListenerCertificatesOutput](t)(client.DescribeListenerCertificates(ctx, &elb.DescribeListenerCertificatesInput{ListenerArn: &https}))
	if len(listed.Certificates) != 2 || !*listed.Certificates[0].IsDefault || *listed.Certificates[1].IsDefault || *listed.Certificates[1].CertificateArn != second {
		t.Errorf("certificates %+v", listed.Certificates)
	}
	// A FIPS policy needs all of the load balancer's secure listeners.
	if _, e := modify(elb.ModifyListenerInput{ListenerArn: &https, SslPolicy: aws.String("ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04")}); e != "" {
		t.Errorf("FIPS on the only secure listener: %s", e)
	}
	_, err := client.CreateListener(ctx, &elb.CreateListenerInput{LoadBalancerArn: &alb, Protocol: "HTTPS", Port: aws.Int32(8443), Certificates: certs(issued), DefaultActions: fixed()})
	if !strings.HasPrefix(code(err), "InvalidConfigurationRequest: ") {
		t.Errorf("2016-08 beside FIPS: %s", code(err))
	}
	// Off HTTPS, what belongs to it goes.
	l, e = modify(elb.ModifyListenerInput{ListenerArn: &https, Protocol: "HTTP"})
	if e != "" || l.SslPolicy != nil || len(l.Certificates) != 0 || l.MutualAuthentication != nil {
		t.Errorf("%s %+v", e, deref(l))
	}
	must[elb.DeleteListenerOutput](t)(client.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: &https}))
	if _, err := client.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: &https}); !strings.HasPrefix(code(err), "ListenerNotFound: ") {
		t.Errorf("deleted twice: %s", code(err))
	}
}

func TestListenerCertificates(t *testing.T) {
	_, client, _ := serve(t)
	ctx := context.Background()
	alb := balancer(t, client, "shop", "application")
	arn := must[elb.CreateListenerOutput](t)(client.CreateListener(ctx, &elb.CreateListenerInput{LoadBalancerArn: &alb, Protocol: "HTTPS", Port: aws.Int32(443), Certificates: certs(issued), DefaultActions: fixed()})).Listeners[0].ListenerArn
	add := func(arns ...string) string {
		_, err := client.AddListenerCertificates(ctx, &elb.AddListenerCertificatesInput{ListenerArn: arn, Certificates: certs(arns...)})
		return code(err)
	}
	if got := add(second); got != "no error" {
		t.Error(got)
	}
	if got := add(second, issued); got != "no error" { // again, and the default one: AWS lists that twice
		t.Error(got)
	}
	if got := add(second, asked); !strings.HasPrefix(got, "UnsupportedCertificate: ") {
		t.Error(got)
	}
	if got := add(strings.Replace(issued, "aaaa", "ffff", 1)); !strings.HasPrefix(got, "CertificateNotFound: ") {
		t.Error(got)
	}
	list := func() (s string) {
		for _, c := range must[elb.DescribeListenerCertificatesOutput](t)(client.DescribeListenerCertificates(ctx, &elb.DescribeListenerCertificatesInput{ListenerArn: arn})).Certificates {
			s += fmt.Sprint((*c.CertificateArn)[len("arn:aws:acm:eu-west-1:111122223333:certificate/"):][:4], *c.IsDefault, " ")
		}
		return s
	}
	if got := list(); got != "aaaatrue aaaafalse bbbbfalse " {
		t.Error(got)
	}
	remove := func(arns ...string) string {
		_, err := client.RemoveListenerCertificates(ctx, &elb.RemoveListenerCertificatesInput{ListenerArn: arn, Certificates: certs(arns...)})
		return code(err)
	}
	if got := remove(issued); got != "no error" {
		t.Error(got)
	}
	if got := remove(issued); !strings.HasPrefix(got, "OperationNotPermitted: ") {
		t.Error(got)
	}
	if got := remove(second); got != "no error" || list() != "aaaatrue " {
		t.Error(got, list())
	}
}

// TestOldListeners: a listener that the API would not make today can still have its policy changed, and back.
func TestOldListeners(t *testing.T) {
	server, client, _ := serve(t)
	alb := balancer(t, client, "shop", "application")
	var arn, bare string
	if err := server.Store().Update(owner, region, func(r *store.Region) error {
		l := r.LoadBalancer(alb)
		arn = store.NewListenerARN(alb)
		bare = store.NewListenerARN(alb)
		l.Listeners = append(l.Listeners, &store.Listener{ARN: arn, Port: 443, Protocol: "HTTPS", SSLPolicy: "ELBSecurityPolicy-2031-01", Certificates: []string{issued + "gone"}},
			&store.Listener{ARN: bare, Port: 444, Protocol: "HTTPS", SSLPolicy: "ELBSecurityPolicy-2016-08"})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.AddListenerCertificates(context.Background(), &elb.AddListenerCertificatesInput{ListenerArn: &bare, Certificates: certs(second)}); !strings.HasPrefix(code(err), "InvalidConfigurationRequest: ") {
		t.Errorf("added beside no certificate: %v", err)
	}
	if _, err := client.RemoveListenerCertificates(context.Background(), &elb.RemoveListenerCertificatesInput{ListenerArn: &bare, Certificates: certs(second)}); !strings.HasPrefix(code(err), "InvalidConfigurationRequest: ") {
		t.Errorf("removed from no certificate: %v", err)
	}
	for _, in := range []elb.ModifyListenerInput{{Port: aws.Int32(8443)}, {SslPolicy: aws.String("ELBSecurityPolicy-2016-08")}, {Certificates: certs(second)}} {
		in.ListenerArn = &arn
		if _, err := client.ModifyListener(context.Background(), &in); err != nil {
			t.Errorf("%+v: %v", in, err)
		}
	}
	if _, err := client.ModifyListener(context.Background(), &elb.ModifyListenerInput{ListenerArn: &arn, SslPolicy: aws.String("ELBSecurityPolicy-2031-01")}); !strings.HasPrefix(code(err), "SSLPolicyNotFound: ") {
		t.Errorf("%v", err)
	}
}
