package testbed

import (
	"encoding/pem"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	classic "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	classictypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/parley-tls/parley/policy"
)

// Edge is the identity of the NLB that LoadBalancers makes.
var Edge = Spec{Name: "edge", Key: policy.ECDSA, Curve: "P-384", HostNames: []string{"edge.example.com"}}

// pair is the leaf and the key of an identity, in PEM.
func pair(t testing.TB, s Spec) (leaf, key []byte) {
	t.Helper()
	id := Make(t, s)
	key, err := os.ReadFile(id.Key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.TLS.Certificate[0]}), key
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// LoadBalancers makes in the account at the endpoint of the environment, in eu-west-1: the ALB shop-alb with an HTTPS listener (RSA2048, and
// Edge by SNI) and an HTTP one, the NLB edge-nlb with two TLS listeners (Edge), and the Classic Load Balancer legacy-clb with
// a policy of its own, stickiness and a certificate in IAM (RSAOtherName).
func LoadBalancers(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	c := must[aws.Config](t)(config.LoadDefaultConfig(ctx))
	net := ec2.NewFromConfig(c)
	subnets := must[*ec2.DescribeSubnetsOutput](t)(net.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})).Subnets
	ids := []string{*subnets[0].SubnetId, *subnets[1].SubnetId}
	store := acm.NewFromConfig(c)
	keep := func(s Spec) *string {
		leaf, key := pair(t, s)
		return must[*acm.ImportCertificateOutput](t)(store.ImportCertificate(ctx, &acm.ImportCertificateInput{Certificate: leaf, PrivateKey: key})).CertificateArn
	}
	rsaARN, ecARN := keep(RSA2048), keep(Edge)
	leaf, key := pair(t, RSAOtherName)
	uploaded := must[*iam.UploadServerCertificateOutput](t)(iam.NewFromConfig(c).UploadServerCertificate(ctx, &iam.UploadServerCertificateInput{
		ServerCertificateName: aws.String("old"), CertificateBody: aws.String(string(leaf)), PrivateKey: aws.String(string(key))})).ServerCertificateMetadata.Arn

	v2 := elbv2.NewFromConfig(c)
	balancer := func(name string, kind types.LoadBalancerTypeEnum) *string {
		return must[*elbv2.CreateLoadBalancerOutput](t)(v2.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{Name: &name, Type: kind, Subnets: ids})).LoadBalancers[0].LoadBalancerArn
	}
	group := must[*elbv2.CreateTargetGroupOutput](t)(v2.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{Name: aws.String("shop"), Protocol: types.ProtocolEnumHttp,
		Port: aws.Int32(80), VpcId: subnets[0].VpcId})).TargetGroups[0].TargetGroupArn
	listener := func(lb *string, port int32, protocol types.ProtocolEnum, policy string, certificate *string, alpn ...string) *string {
		in := &elbv2.CreateListenerInput{LoadBalancerArn: lb, Port: &port, Protocol: protocol, AlpnPolicy: alpn,
			DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: group}}}
		if certificate != nil {
			in.SslPolicy, in.Certificates = &policy, []types.Certificate{{CertificateArn: certificate}}
		}
		return must[*elbv2.CreateListenerOutput](t)(v2.CreateListener(ctx, in)).Listeners[0].ListenerArn
	}
	alb := balancer("shop-alb", types.LoadBalancerTypeEnumApplication)
	https := listener(alb, 443, types.ProtocolEnumHttps, "ELBSecurityPolicy-TLS13-1-2-2021-06", rsaARN)
	listener(alb, 80, types.ProtocolEnumHttp, "", nil)
	must[*elbv2.AddListenerCertificatesOutput](t)(v2.AddListenerCertificates(ctx, &elbv2.AddListenerCertificatesInput{ListenerArn: https, Certificates: []types.Certificate{{CertificateArn: ecARN}}}))
	nlb := balancer("edge-nlb", types.LoadBalancerTypeEnumNetwork)
	listener(nlb, 443, types.ProtocolEnumTls, "ELBSecurityPolicy-2016-08", ecARN, "HTTP2Preferred")
	listener(nlb, 8443, types.ProtocolEnumTls, "ELBSecurityPolicy-TLS-1-2-2017-01", ecARN)

	old := classic.NewFromConfig(c)
	must[*classic.CreateLoadBalancerOutput](t)(old.CreateLoadBalancer(ctx, &classic.CreateLoadBalancerInput{LoadBalancerName: aws.String("legacy-clb"), AvailabilityZones: []string{"eu-west-1a"},
		Listeners: []classictypes.Listener{{Protocol: aws.String("https"), LoadBalancerPort: 443, InstancePort: aws.Int32(80), InstanceProtocol: aws.String("http"), SSLCertificateId: uploaded},
			{Protocol: aws.String("http"), LoadBalancerPort: 80, InstancePort: aws.Int32(80), InstanceProtocol: aws.String("http")}}}))
	must[*classic.CreateLBCookieStickinessPolicyOutput](t)(old.CreateLBCookieStickinessPolicy(ctx, &classic.CreateLBCookieStickinessPolicyInput{LoadBalancerName: aws.String("legacy-clb"), PolicyName: aws.String("sticky")}))
	must[*classic.CreateLoadBalancerPolicyOutput](t)(old.CreateLoadBalancerPolicy(ctx, &classic.CreateLoadBalancerPolicyInput{LoadBalancerName: aws.String("legacy-clb"), PolicyName: aws.String("our-tls"),
		PolicyTypeName: aws.String("SSLNegotiationPolicyType"), PolicyAttributes: []classictypes.PolicyAttribute{
			{AttributeName: aws.String("Protocol-TLSv1.2"), AttributeValue: aws.String("true")},
			{AttributeName: aws.String("ECDHE-RSA-AES128-GCM-SHA256"), AttributeValue: aws.String("true")},
			{AttributeName: aws.String("AES128-SHA"), AttributeValue: aws.String("true")},
			{AttributeName: aws.String("Server-Defined-Cipher-Order"), AttributeValue: aws.String("true")}}}))
	must[*classic.SetLoadBalancerPoliciesOfListenerOutput](t)(old.SetLoadBalancerPoliciesOfListener(ctx, &classic.SetLoadBalancerPoliciesOfListenerInput{LoadBalancerName: aws.String("legacy-clb"),
		LoadBalancerPort: 443, PolicyNames: []string{"sticky", "our-tls"}}))
}
