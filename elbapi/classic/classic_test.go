package classic_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/classic"
	"github.com/parley-tls/parley/elbapi/sigv4"
	"github.com/parley-tls/parley/elbapi/store"
)

var (
	ctx  = context.Background()
	cert = "arn:aws:acm:eu-west-1:111122223333:certificate/12345678-1234-1234-1234-123456789012"
	shop = aws.String("shop")
)

// account is a server with one account, and AWS's client for it.
func account(t *testing.T) *elb.Client {
	t.Helper()
	s := store.New()
	if err := s.AddAccount(&store.Account{ID: "111122223333", Keys: []sigv4.Key{{ID: "testing", Secret: "testing"}}, Regions: map[string]*store.Region{
		"eu-west-1": {Certificates: []*store.Certificate{{ARN: cert}}}}}); err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(elbapi.New(s, elbapi.Options{}, classic.API()))
	t.Cleanup(h.Close)
	return elb.New(elb.Options{Region: "eu-west-1", BaseEndpoint: &h.URL, Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", "")})
}

// https and http are listeners of the shop.
var (
	https = types.Listener{Protocol: aws.String("HTTPS"), LoadBalancerPort: 443, InstancePort: aws.Int32(8080), SSLCertificateId: &cert}
	http  = types.Listener{Protocol: aws.String("http"), LoadBalancerPort: 80, InstancePort: aws.Int32(8080)}
	tcp   = types.Listener{Protocol: aws.String("TCP"), LoadBalancerPort: 25, InstancePort: aws.Int32(25)}
)

// open makes the shop with three listeners.
func open(t *testing.T) *elb.Client {
	t.Helper()
	client := account(t)
	if _, err := client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{LoadBalancerName: shop, AvailabilityZones: []string{"eu-west-1a"}, Listeners: []types.Listener{https, http, tcp}}); err != nil {
		t.Fatal(err)
	}
	return client
}

// wantError fails the test unless an error is an API's with this code and text.
func wantError(t *testing.T, err error, code, text string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), text) {
		t.Errorf("error %v, want %s: …%s…", err, code, text)
	}
}

// seen is what the API shows of the shop.
func seen(t *testing.T, client *elb.Client) types.LoadBalancerDescription {
	t.Helper()
	out, err := client.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerNames: []string{"shop"}})
	if err != nil {
		t.Fatal(err)
	}
	return out.LoadBalancerDescriptions[0]
}

// create makes a policy for TLS out of NAME=VALUE.
func create(client *elb.Client, name string, attributes ...string) error {
	in := &elb.CreateLoadBalancerPolicyInput{LoadBalancerName: shop, PolicyName: &name, PolicyTypeName: aws.String("SSLNegotiationPolicyType")}
	for _, a := range attributes {
		name, value, _ := strings.Cut(a, "=")
		in.PolicyAttributes = append(in.PolicyAttributes, types.PolicyAttribute{AttributeName: &name, AttributeValue: &value})
	}
	_, err := client.CreateLoadBalancerPolicy(ctx, in)
	return err
}

func set(client *elb.Client, port int32, names ...string) error {
	_, err := client.SetLoadBalancerPoliciesOfListener(ctx, &elb.SetLoadBalancerPoliciesOfListenerInput{LoadBalancerName: shop, LoadBalancerPort: port, PolicyNames: append([]string{}, names...)})
	return err
}

func TestNewListeners(t *testing.T) {
	client := open(t)
	l := seen(t, client)
	var got []string
	for _, d := range l.ListenerDescriptions {
		got = append(got, fmt.Sprintf("%s %d to %s %d %v", *d.Listener.Protocol, d.Listener.LoadBalancerPort, *d.Listener.InstanceProtocol, *d.Listener.InstancePort, d.PolicyNames))
	}
	want := []string{"HTTPS 443 to HTTP 8080 [ELBSecurityPolicy-2016-08]", "HTTP 80 to HTTP 8080 []", "TCP 25 to TCP 25 []"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a new HTTPS listener has the default policy, the instance's side is plain:\n%s", diff)
	}
	if !slices.Equal(l.Policies.OtherPolicies, []string{"ELBSecurityPolicy-2016-08"}) || !strings.HasPrefix(*l.DNSName, "shop-") {
		t.Errorf("%+v", l)
	}

	for _, c := range []struct {
		listener   types.Listener
		code, text string
	}{
		{types.Listener{Protocol: aws.String("HTTPS"), LoadBalancerPort: 8443, InstancePort: aws.Int32(80)}, "ValidationError", "Secure Listeners need to specify a SSLCertificateId"},
		{types.Listener{Protocol: aws.String("HTTPS"), LoadBalancerPort: 8443, InstancePort: aws.Int32(80), SSLCertificateId: aws.String(cert + "9")}, "CertificateNotFound", "Server Certificate not found for the key: " + cert + "9"},
		{types.Listener{Protocol: aws.String("HTTP"), LoadBalancerPort: 8443, InstancePort: aws.Int32(80), SSLCertificateId: &cert}, "ValidationError", "SSLCertificateId"},
		{types.Listener{Protocol: aws.String("TLS"), LoadBalancerPort: 8443, InstancePort: aws.Int32(80)}, "UnsupportedProtocol", "TLS"},
		{types.Listener{Protocol: aws.String("TCP"), InstanceProtocol: aws.String("HTTP"), LoadBalancerPort: 8443, InstancePort: aws.Int32(80)}, "ValidationError", "layer"},
		{types.Listener{Protocol: aws.String("HTTP"), LoadBalancerPort: 443, InstancePort: aws.Int32(80)}, "DuplicateListener", "A Listener already exists for shop with LoadBalancerPort 443"},
		{types.Listener{Protocol: aws.String("HTTP"), LoadBalancerPort: 70000, InstancePort: aws.Int32(80)}, "ValidationError", "70000"},
		{types.Listener{Protocol: aws.String("HTTP"), LoadBalancerPort: 8080, InstancePort: aws.Int32(0)}, "ValidationError", "instancePort"},
	} {
		_, err := client.CreateLoadBalancerListeners(ctx, &elb.CreateLoadBalancerListenersInput{LoadBalancerName: shop, Listeners: []types.Listener{c.listener}})
		wantError(t, err, c.code, c.text)
	}
	if _, err := client.CreateLoadBalancerListeners(ctx, &elb.CreateLoadBalancerListenersInput{LoadBalancerName: shop, Listeners: []types.Listener{https}}); err != nil {
		t.Errorf("the same listener again: %v", err)
	}
	if n := len(seen(t, client).ListenerDescriptions); n != 3 {
		t.Errorf("%d listeners, want 3: nothing that was refused came in", n)
	}
	if _, err := client.DeleteLoadBalancerListeners(ctx, &elb.DeleteLoadBalancerListenersInput{LoadBalancerName: shop, LoadBalancerPorts: []int32{80, 9999}}); err != nil {
		t.Error(err)
	}
	_, err := client.SetLoadBalancerListenerSSLCertificate(ctx, &elb.SetLoadBalancerListenerSSLCertificateInput{LoadBalancerName: shop, LoadBalancerPort: 80, SSLCertificateId: &cert})
	wantError(t, err, "ListenerNotFound", "80")
	_, err = client.SetLoadBalancerListenerSSLCertificate(ctx, &elb.SetLoadBalancerListenerSSLCertificateInput{LoadBalancerName: shop, LoadBalancerPort: 25, SSLCertificateId: &cert})
	wantError(t, err, "InvalidConfigurationRequest", "TCP")
}

func TestLoadBalancers(t *testing.T) {
	client := open(t)
	again, err := client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{LoadBalancerName: shop, AvailabilityZones: []string{"eu-west-1a"}, Listeners: []types.Listener{https, http, tcp}})
	if err != nil || *again.DNSName != *seen(t, client).DNSName {
		t.Errorf("the same again: %v, error %v", again, err)
	}
	for _, c := range []struct {
		in         elb.CreateLoadBalancerInput
		code, text string
	}{
		{elb.CreateLoadBalancerInput{LoadBalancerName: shop, AvailabilityZones: []string{"eu-west-1b"}, Listeners: []types.Listener{http}}, "DuplicateLoadBalancerName", "shop"},
		{elb.CreateLoadBalancerInput{LoadBalancerName: aws.String(strings.Repeat("x", 33)), AvailabilityZones: []string{"eu-west-1b"}, Listeners: []types.Listener{http}}, "ValidationError", "LoadBalancer name cannot be longer than 32 characters"},
		{elb.CreateLoadBalancerInput{LoadBalancerName: aws.String("a_b"), AvailabilityZones: []string{"eu-west-1b"}, Listeners: []types.Listener{http}}, "ValidationError", "hyphen"},
		{elb.CreateLoadBalancerInput{LoadBalancerName: aws.String("x"), Listeners: []types.Listener{http}}, "ValidationError", "Either AvailabilityZones or SubnetIds must be specified"},
		{elb.CreateLoadBalancerInput{LoadBalancerName: aws.String("x"), AvailabilityZones: []string{"us-east-1a"}, Listeners: []types.Listener{http}}, "ValidationError", "us-east-1a"},
		{elb.CreateLoadBalancerInput{LoadBalancerName: aws.String("x"), AvailabilityZones: []string{"eu-west-1b"}, Scheme: aws.String("secret"), Listeners: []types.Listener{http}}, "InvalidScheme", "secret"},
	} {
		_, err := client.CreateLoadBalancer(ctx, &c.in)
		wantError(t, err, c.code, c.text)
	}
	for i := range 19 {
		if _, err := client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{LoadBalancerName: aws.String(fmt.Sprintf("lb-%02d", i)), Scheme: aws.String("internal"), Subnets: []string{"subnet-1"},
			Listeners: []types.Listener{http}}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{LoadBalancerName: aws.String("one-too-many"), Subnets: []string{"subnet-1"}, Listeners: []types.Listener{http}})
	wantError(t, err, "TooManyLoadBalancers", "20")

	names := map[string]bool{}
	pages := 0
	for p := elb.NewDescribeLoadBalancersPaginator(client, &elb.DescribeLoadBalancersInput{PageSize: aws.Int32(7)}); p.HasMorePages(); pages++ {
		out, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range out.LoadBalancerDescriptions {
			names[*l.LoadBalancerName] = true
		}
	}
	if len(names) != 20 || pages != 3 {
		t.Errorf("%d load balancers on %d pages, want 20 on 3", len(names), pages)
	}
	_, err = client.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerNames: []string{"shop", "none"}})
	wantError(t, err, "LoadBalancerNotFound", "There is no ACTIVE Load Balancer named 'none'")
	for range 2 {
		if _, err := client.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerName: shop}); err != nil {
			t.Errorf("deleting succeeds where there is none, too: %v", err)
		}
	}
	wantError(t, set(client, 443), "LoadBalancerNotFound", "shop")
}

func TestSetPolicies(t *testing.T) {
	client := open(t)
	if err := create(client, "tls12", "Reference-Security-Policy=ELBSecurityPolicy-TLS-1-2-2017-01"); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateLBCookieStickinessPolicy(ctx, &elb.CreateLBCookieStickinessPolicyInput{LoadBalancerName: shop, PolicyName: aws.String("sticky"), CookieExpirationPeriod: aws.Int64(60)}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateAppCookieStickinessPolicy(ctx, &elb.CreateAppCookieStickinessPolicyInput{LoadBalancerName: shop, PolicyName: aws.String("app"), CookieName: aws.String("SID")}); err != nil {
		t.Fatal(err)
	}
	of := func() []string { return seen(t, client).ListenerDescriptions[0].PolicyNames }
	if err := set(client, 443, "tls12", "sticky"); err != nil || !slices.Equal(of(), []string{"tls12", "sticky"}) {
		t.Errorf("%v, error %v", of(), err)
	}
	if err := set(client, 443, "tls12"); err != nil || !slices.Equal(of(), []string{"tls12"}) {
		t.Errorf("%v, error %v: setting replaces the whole list", of(), err)
	}
	wantError(t, set(client, 443, "ELBSecurityPolicy-TLS-1-2-2017-01"), "PolicyNotFound", "There is no policy with name ELBSecurityPolicy-TLS-1-2-2017-01 for load balancer shop")
	if err := set(client, 443, "ELBSecurityPolicy-2016-08"); err != nil {
		t.Errorf("the load balancer carries the default policy: %v", err)
	}
	if err := set(client, 443); err != nil || !slices.Equal(of(), []string{"ELBSecurityPolicy-2016-08"}) {
		t.Errorf("%v, error %v: without a policy for TLS the default one counts", of(), err)
	}
	wantError(t, set(client, 8443, "tls12"), "ListenerNotFound", "8443")
	wantError(t, set(client, 80, "tls12"), "InvalidConfigurationRequest", "tls12 cannot be enabled")
	wantError(t, set(client, 25, "sticky"), "InvalidConfigurationRequest", "sticky cannot be enabled")
	wantError(t, set(client, 443, "tls12", "ELBSecurityPolicy-2016-08"), "InvalidConfigurationRequest", "at once")
	wantError(t, set(client, 443, "app", "sticky"), "InvalidConfigurationRequest", "at once")
	var answer *smithyhttp.ResponseError
	if err := set(client, 80, "tls12"); !errors.As(err, &answer) || answer.HTTPStatusCode() != 409 {
		t.Errorf("%v: want status 409", err)
	}
	if err := set(client, 80, "app"); err != nil {
		t.Error(err)
	}
	p := seen(t, client).Policies
	if len(p.AppCookieStickinessPolicies) != 1 || *p.AppCookieStickinessPolicies[0].CookieName != "SID" || len(p.LBCookieStickinessPolicies) != 1 || *p.LBCookieStickinessPolicies[0].CookieExpirationPeriod != 60 ||
		!slices.Equal(p.OtherPolicies, []string{"ELBSecurityPolicy-2016-08", "tls12"}) {
		t.Errorf("%+v", p)
	}

	drop := func(name string) error {
		_, err := client.DeleteLoadBalancerPolicy(ctx, &elb.DeleteLoadBalancerPolicyInput{LoadBalancerName: shop, PolicyName: &name})
		return err
	}
	wantError(t, drop("app"), "InvalidConfigurationRequest", "port 80")
	if err := errors.Join(drop("tls12"), drop("sticky"), drop("never-there")); err != nil {
		t.Error(err)
	}
}

func TestBackendPolicies(t *testing.T) {
	client := open(t)
	in := &elb.CreateLoadBalancerPolicyInput{LoadBalancerName: shop, PolicyName: aws.String("proxy"), PolicyTypeName: aws.String("ProxyProtocolPolicyType"),
		PolicyAttributes: []types.PolicyAttribute{{AttributeName: aws.String("ProxyProtocol"), AttributeValue: aws.String("true")}}}
	if _, err := client.CreateLoadBalancerPolicy(ctx, in); err != nil {
		t.Fatal(err)
	}
	wantError(t, set(client, 80, "proxy"), "InvalidConfigurationRequest", "proxy cannot be enabled")
	to := func(port int32) error {
		_, err := client.SetLoadBalancerPoliciesForBackendServer(ctx, &elb.SetLoadBalancerPoliciesForBackendServerInput{LoadBalancerName: shop, InstancePort: &port, PolicyNames: []string{"proxy"}})
		return err
	}
	wantError(t, to(9), "InvalidConfigurationRequest", "No listener configured on this port")
	if err := to(8080); err != nil {
		t.Error(err)
	}
	if b := seen(t, client).BackendServerDescriptions; len(b) != 1 || *b[0].InstancePort != 8080 || !slices.Equal(b[0].PolicyNames, []string{"proxy"}) {
		t.Errorf("%+v", b)
	}
	_, err := client.DeleteLoadBalancerPolicy(ctx, &elb.DeleteLoadBalancerPolicyInput{LoadBalancerName: shop, PolicyName: aws.String("proxy")})
	wantError(t, err, "InvalidConfigurationRequest", "8080")
}

func TestNewPolicies(t *testing.T) {
	client := open(t)
	good := []string{"Protocol-TLSv1.2=true", "AES128-SHA=true"}
	if err := create(client, "own", good...); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		attributes []string
		code, text string
	}{
		{"own", good, "DuplicatePolicyName", "Policy Name own already exists"},
		{"ELBSecurityPolicy-own", good, "ValidationError", "ELBSecurityPolicy-"},
		{"ELBSample-own", good, "ValidationError", "ELBSample-"},
		{"two words", good, "ValidationError", "PolicyName"},
		{"a", []string{"Reference-Security-Policy=own"}, "ValidationError", "Invalid Reference Security Policy: own. Use DescribeLoadBalancerPolicies"},
		{"a", []string{"Reference-Security-Policy=ELBSecurityPolicy-TLS13-1-2-2021-06"}, "ValidationError", "Invalid Reference Security Policy"},
		{"a", []string{"Server-Order-Preference=true"}, "ValidationError", "PolicyAttribute 'Server-Order-Preference' is not defined in the policy type"},
		{"a", []string{"Server Order Preference=true"}, "ValidationError", "PolicyAttributeName may only contain non-whitespace printable ASCII characters"},
		{"a", []string{"Protocol-TLSv1.3=true", "AES128-SHA=true"}, "ValidationError", "Protocol-TLSv1.3"},
		{"a", []string{"Protocol-TLSv1.2=yes", "AES128-SHA=true"}, "ValidationError", "yes"},
		{"a", []string{"Protocol-TLSv1.2=true"}, "InvalidConfigurationRequest", "at least one"},
		{"a", []string{"AES128-SHA=true"}, "InvalidConfigurationRequest", "at least one"},
		{"a", []string{"Protocol-SSLv2=true", "AES128-SHA=true"}, "InvalidConfigurationRequest", "2.0"},
	} {
		wantError(t, create(client, c.name, c.attributes...), c.code, c.text)
	}
	_, err := client.CreateLoadBalancerPolicy(ctx, &elb.CreateLoadBalancerPolicyInput{LoadBalancerName: shop, PolicyName: aws.String("a"), PolicyTypeName: aws.String("NoSuchType")})
	wantError(t, err, "PolicyTypeNotFound", "NoSuchType")
	for i := 0; ; i++ {
		err := create(client, fmt.Sprintf("more-%d", i), good...)
		if err == nil && i < 200 {
			continue
		}
		wantError(t, err, "TooManyPolicies", "shop")
		break
	}
}
