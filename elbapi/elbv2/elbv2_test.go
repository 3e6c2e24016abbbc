package elbv2_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/elbv2"
	"github.com/parley-tls/parley/elbapi/sigv4"
	"github.com/parley-tls/parley/elbapi/store"
)

const (
	region = "eu-west-1"
	owner  = "111122223333"
	issued = "arn:aws:acm:eu-west-1:111122223333:certificate/aaaaaaaa-1111-2222-3333-444444444444"
	second = "arn:aws:acm:eu-west-1:111122223333:certificate/bbbbbbbb-1111-2222-3333-444444444444"
	big    = "arn:aws:acm:eu-west-1:111122223333:certificate/cccccccc-1111-2222-3333-444444444444"
	asked  = "arn:aws:acm:eu-west-1:111122223333:certificate/dddddddd-1111-2222-3333-444444444444"
	iam    = "arn:aws:iam::111122223333:server-certificate/old"
	trust  = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:truststore/partners/0123456789abcdef"
	making = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:truststore/soon/0123456789abcdef"
)

// serve is a server with one account, and AWS's client for it.
func serve(t testing.TB) (*elbapi.Server, *elb.Client, string) {
	t.Helper()
	s := store.New()
	if err := s.AddAccount(&store.Account{
		ID: owner, Keys: []sigv4.Key{{ID: "testing", Secret: "testing"}}, ServerCertificates: []*store.Certificate{{ARN: iam, Key: "RSA_4096"}},
		Regions: map[string]*store.Region{region: {
			Certificates: []*store.Certificate{{ARN: issued, Key: "RSA_2048", Status: "ISSUED"}, {ARN: second, Key: "EC_prime256v1", Status: "ISSUED"},
				{ARN: big, Key: "RSA_4096", Status: "ISSUED"}, {ARN: asked, Key: "RSA_2048", Status: "PENDING_VALIDATION"}},
			TrustStores: []*store.TrustStore{{ARN: trust, Name: "partners", Status: "ACTIVE", CAs: 3}, {ARN: making, Name: "soon", Status: "CREATING"}},
		}},
	}); err != nil {
		t.Fatal(err)
	}
	server := elbapi.New(s, elbapi.Options{}, elbv2.API())
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	return server, elb.New(elb.Options{Region: region, BaseEndpoint: &h.URL, Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", ""),
		RetryMaxAttempts: 3}), h.URL // on a busy machine the SDK sometimes closes a connection while it reads a long answer
}

// code is the code and text of an error.
func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode() + ": " + e.ErrorMessage()
	}
	if err != nil {
		return err.Error()
	}
	return "no error"
}

func must[T any](t testing.TB) func(*T, error) *T {
	return func(v *T, err error) *T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func fixed() []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: aws.String("404")}}}
}

func balancer(t testing.TB, c *elb.Client, name string, kind types.LoadBalancerTypeEnum) string {
	t.Helper()
	out := must[elb.CreateLoadBalancerOutput](t)(c.CreateLoadBalancer(context.Background(), &elb.CreateLoadBalancerInput{Name: &name, Type: kind, Subnets: []string{"subnet-1", "subnet-2"}}))
	return *out.LoadBalancers[0].LoadBalancerArn
}

func group(t testing.TB, c *elb.Client, name string, protocol types.ProtocolEnum) string {
	t.Helper()
	out := must[elb.CreateTargetGroupOutput](t)(c.CreateTargetGroup(context.Background(), &elb.CreateTargetGroupInput{Name: &name, Protocol: protocol, Port: aws.Int32(80), VpcId: aws.String("vpc-1"), TargetType: types.TargetTypeEnumIp}))
	return *out.TargetGroups[0].TargetGroupArn
}

func forward(arn string) []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &arn}}
}

func certs(arn ...string) (l []types.Certificate) {
	for _, a := range arn {
		l = append(l, types.Certificate{CertificateArn: aws.String(a)})
	}
	return l
}

func TestLoadBalancers(t *testing.T) {
	server, client, _ := serve(t)
	ctx := context.Background()
	made := must[elb.CreateLoadBalancerOutput](t)(client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("shop"), Subnets: []string{"subnet-1", "subnet-2"},
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("")}}})).LoadBalancers[0]
	if made.State.Code != types.LoadBalancerStateEnumProvisioning {
		t.Errorf("made in state %s", made.State.Code)
	}
	if err := elb.NewLoadBalancerAvailableWaiter(client).Wait(ctx, &elb.DescribeLoadBalancersInput{Names: []string{"shop"}}, 5e9); err != nil {
		t.Errorf("waiter: %v", err)
	}
	seen := must[elb.DescribeLoadBalancersOutput](t)(client.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{"shop"}}))
	if len(seen.LoadBalancers) != 1 || *seen.LoadBalancers[0].LoadBalancerArn != *made.LoadBalancerArn {
		t.Fatalf("described %+v, made %+v", seen.LoadBalancers, made)
	}
	l := seen.LoadBalancers[0]
	if l.Type != "application" || l.Scheme != "internet-facing" || *l.VpcId == "" || len(l.AvailabilityZones) != 2 || len(l.SecurityGroups) != 1 || l.CreatedTime.IsZero() ||
		!strings.HasPrefix(*l.LoadBalancerArn, "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/") || !strings.HasSuffix(*l.DNSName, ".eu-west-1.elb.amazonaws.com") {
		t.Errorf("described %+v", l)
	}
	if n := server.Log().Calls(elbapi.Kind{Region: region, Action: "CreateLoadBalancer"}); n != 1 {
		t.Errorf("the log has %d calls", n)
	}
	again := must[elb.CreateLoadBalancerOutput](t)(client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("shop"), Subnets: []string{"subnet-1", "subnet-2"},
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("")}}}))
	if *again.LoadBalancers[0].LoadBalancerArn != *made.LoadBalancerArn {
		t.Error("the same request again made another load balancer")
	}
	tags := must[elb.DescribeTagsOutput](t)(client.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{*made.LoadBalancerArn}}))
	if tag := tags.TagDescriptions[0].Tags[0]; *tag.Key != "team" || tag.Value == nil || *tag.Value != "" {
		t.Errorf("tags %+v", tags.TagDescriptions)
	}
	must[elb.ModifyLoadBalancerAttributesOutput](t)(client.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{LoadBalancerArn: made.LoadBalancerArn,
		Attributes: []types.LoadBalancerAttribute{{Key: aws.String("deletion_protection.enabled"), Value: aws.String("true")}}}))
	_, err := client.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: made.LoadBalancerArn})
	if !strings.HasPrefix(code(err), "OperationNotPermitted: ") {
		t.Errorf("deleted a protected load balancer: %s", code(err))
	}
	must[elb.ModifyLoadBalancerAttributesOutput](t)(client.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{LoadBalancerArn: made.LoadBalancerArn,
		Attributes: []types.LoadBalancerAttribute{{Key: aws.String("deletion_protection.enabled"), Value: aws.String("false")}}}))
	must[elb.DeleteLoadBalancerOutput](t)(client.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: made.LoadBalancerArn}))
	_, err = client.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{"shop"}})
	var gone *types.LoadBalancerNotFoundException
	if !errors.As(err, &gone) {
		t.Errorf("described after it was deleted: %s", code(err))
	}
}

// TestPages walks through all pages of all that has pages, while load balancers come and go.
func TestPages(t *testing.T) {
	server, client, _ := serve(t)
	ctx := context.Background()
	err := server.Store().Update(owner, region, func(r *store.Region) error {
		for i := range 1003 {
			l := &store.LoadBalancer{Name: fmt.Sprint("lb-", i), Type: store.Network, State: "active"}
			l.ARN = r.NewLoadBalancerARN(l.Type, l.Name)
			r.AddLoadBalancer(l)
		}
		l := r.LoadBalancers[0]
		for i := range 45 {
			l.Listeners = append(l.Listeners, &store.Listener{ARN: store.NewListenerARN(l.ARN), Port: 45 - i, Protocol: "TCP"})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	seen, pages, first := make(map[string]bool), 0, ""
	p := elb.NewDescribeLoadBalancersPaginator(client, &elb.DescribeLoadBalancersInput{})
	for p.HasMorePages() {
		page := must[elb.DescribeLoadBalancersOutput](t)(p.NextPage(ctx))
		pages++
		for _, l := range page.LoadBalancers {
			if seen[*l.LoadBalancerArn] {
				t.Errorf("%s is on two pages", *l.LoadBalancerArn)
			}
			seen[*l.LoadBalancerArn] = true
		}
		if first == "" {
			first = *page.LoadBalancers[0].LoadBalancerArn
		} else if pages == 2 { // what is deleted behind the marker hides nothing
			must[elb.DeleteLoadBalancerOutput](t)(client.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: page.LoadBalancers[0].LoadBalancerArn}))
		}
	}
	if len(seen) != 1003 || pages != 3 {
		t.Errorf("%d load balancers on %d pages", len(seen), pages)
	}
	ports := []int32{}
	q := elb.NewDescribeListenersPaginator(client, &elb.DescribeListenersInput{LoadBalancerArn: &first, PageSize: aws.Int32(7)})
	for q.HasMorePages() {
		page := must[elb.DescribeListenersOutput](t)(q.NextPage(ctx))
		for _, l := range page.Listeners {
			ports = append(ports, *l.Port)
		}
	}
	if len(ports) != 45 || ports[0] != 1 || ports[44] != 45 {
		t.Errorf("ports %v", ports)
	}
	names := 0
	in := &elb.DescribeSSLPoliciesInput{PageSize: aws.Int32(10)}
	for {
		out := must[elb.DescribeSSLPoliciesOutput](t)(client.DescribeSSLPolicies(ctx, in))
		if names += len(out.SslPolicies); out.NextMarker == nil {
			break
		}
		in.Marker = out.NextMarker
	}
	if names < 45 {
		t.Errorf("%d policies", names)
	}
	for _, bad := range []string{"!", "", "%%%"} {
		_, err := client.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Marker: &bad})
		if want := bad != ""; strings.HasPrefix(code(err), "ValidationError") != want {
			t.Errorf("marker %q: %s", bad, code(err))
		}
	}
	for _, size := range []int32{0, 401} {
		_, err := client.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{PageSize: &size})
		if !strings.HasPrefix(code(err), "ValidationError: 1 validation error detected: Value '"+fmt.Sprint(size)+"' at 'pageSize' failed to satisfy constraint: Member must have value ") {
			t.Errorf("page size %d: %s", size, code(err))
		}
	}
}

func TestSSLPolicies(t *testing.T) {
	_, client, _ := serve(t)
	out := must[elb.DescribeSSLPoliciesOutput](t)(client.DescribeSSLPolicies(context.Background(), &elb.DescribeSSLPoliciesInput{Names: []string{"ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS13-1-3-2021-06"}}))
	p := out.SslPolicies[0]
	if *p.Name != "ELBSecurityPolicy-2016-08" || fmt.Sprint(p.SslProtocols) != "[TLSv1.2 TLSv1.1 TLSv1]" || len(p.Ciphers) != 18 || *p.Ciphers[0].Name != "ECDHE-ECDSA-AES128-GCM-SHA256" ||
		*p.Ciphers[0].Priority != 1 || *p.Ciphers[17].Priority != 18 || fmt.Sprint(p.SupportedLoadBalancerTypes) != "[application network]" {
		t.Errorf("2016-08 is %+v", p)
	}
	if p := out.SslPolicies[1]; fmt.Sprint(p.SslProtocols) != "[TLSv1.3]" || len(p.Ciphers) != 3 || *p.Ciphers[0].Name != "TLS_AES_128_GCM_SHA256" {
		t.Errorf("TLS13-1-3 is %+v", p)
	}
	_, err := client.DescribeSSLPolicies(context.Background(), &elb.DescribeSSLPoliciesInput{Names: []string{"ELBSecurityPolicy-2016-08", "elbsecuritypolicy-2015-05"}})
	var unknown *types.SSLPolicyNotFoundException
	if !errors.As(err, &unknown) {
		t.Errorf("an unknown policy: %s", code(err))
	}
}

func TestUnsignedRequest(t *testing.T) {
	_, _, url := serve(t)
	r, err := http.PostForm(url, map[string][]string{"Action": {"DescribeLoadBalancers"}, "Version": {"2015-12-01"}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", r.StatusCode)
	}
}
