package elb

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseName(t *testing.T) {
	const (
		lb       = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop-alb/50dc6c495c0c9188"
		listener = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop-alb/50dc6c495c0c9188/f2f7dc8efc522ab2"
		gov      = "arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:111122223333:loadbalancer/net/edge/50dc6c495c0c9188"
		classic  = "arn:aws-cn:elasticloadbalancing:cn-north-1:111122223333:loadbalancer/legacy-clb"
	)
	for text, want := range map[string]Name{
		"shop-alb":         {LoadBalancer: "shop-alb"},
		"aws:shop-alb":     {LoadBalancer: "shop-alb"},
		"shop-alb:8443":    {LoadBalancer: "shop-alb", Port: 8443},
		"aws:shop-alb:443": {LoadBalancer: "shop-alb", Port: 443},
		lb:                 {Partition: "aws", Region: "eu-west-1", Account: "111122223333", Kind: ALB, LoadBalancer: "shop-alb", LoadBalancerARN: lb},
		lb + ":443":        {Partition: "aws", Region: "eu-west-1", Account: "111122223333", Kind: ALB, LoadBalancer: "shop-alb", LoadBalancerARN: lb, Port: 443},
		listener:           {Partition: "aws", Region: "eu-west-1", Account: "111122223333", Kind: ALB, LoadBalancer: "shop-alb", LoadBalancerARN: lb, ListenerARN: listener},
		gov:                {Partition: "aws-us-gov", Region: "us-gov-west-1", Account: "111122223333", Kind: NLB, LoadBalancer: "edge", LoadBalancerARN: gov},
		classic + ":443":   {Partition: "aws-cn", Region: "cn-north-1", Account: "111122223333", Kind: Classic, LoadBalancer: "legacy-clb", Port: 443},
		"shop-alb-1234567890.eu-west-1.elb.amazonaws.com": {Partition: "aws", Region: "eu-west-1", LoadBalancer: "shop-alb",
			DNSName: "shop-alb-1234567890.eu-west-1.elb.amazonaws.com"},
		"internal-Shop-alb-1234567890.eu-west-1.elb.amazonaws.com:8443": {Partition: "aws", Region: "eu-west-1", LoadBalancer: "shop-alb", Port: 8443,
			DNSName: "internal-shop-alb-1234567890.eu-west-1.elb.amazonaws.com"},
		"dualstack.shop-1234567890.us-gov-east-1.elb.amazonaws.com.": {Partition: "aws-us-gov", Region: "us-gov-east-1", LoadBalancer: "shop",
			DNSName: "shop-1234567890.us-gov-east-1.elb.amazonaws.com"},
		"shop-1234567890.eusc-de-east-1.elb.amazonaws.eu": {Partition: "aws-eusc", Region: "eusc-de-east-1", LoadBalancer: "shop",
			DNSName: "shop-1234567890.eusc-de-east-1.elb.amazonaws.eu"},
		"edge-nlb-c6e77e28c25b2234.elb.cn-north-1.amazonaws.com.cn": {Partition: "aws-cn", Region: "cn-north-1", LoadBalancer: "edge-nlb",
			DNSName: "edge-nlb-c6e77e28c25b2234.elb.cn-north-1.amazonaws.com.cn"},
	} {
		want.Text = text
		got, err := ParseName(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", text, d)
		}
	}
}

func TestParseNameErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "names no load balancer",
		"aws:":                  "names no load balancer",
		"-alb":                  "is no name of a load balancer",
		"a b":                   "is no name of a load balancer",
		strings.Repeat("a", 33): "1 to 32 letters",
		"alb:https":             "the port must be a number",
		"alb:0":                 "the port must be a number",
		"alb:65536":             "the port must be a number",
		"www.example.com":       "name the load balancer, or its ARN",
		"x.elb.amazonaws.com":   "name the load balancer, or its ARN",
		"arn:aws:s3:::bucket":   `an ARN of the service "s3"`,
		"arn:aws":               "no whole ARN",
		"arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/x":                                                  "12 digits",
		"arn:aws:elasticloadbalancing:europe:111122223333:loadbalancer/x":                                          "no region",
		"arn:gcp:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/x":                                       "no partition",
		"arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/x/50dc6c495c0c9188":                       "ARN of a targetgroup",
		"arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/new/x/50dc6c495c0c9188":                  "unknown kind",
		"arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/x":                                   "no ARN of a load balancer or listener",
		"arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/x/50dc6c495c0c9188/f2f7dc8efc522ab2:443": "a listener has one port",
		"arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop-alb/50dc6c495c0c9188:443:443":   "the port must be a number",
	} {
		if n, err := ParseName(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v; want an error with %q", text, n, err, want)
		}
	}
}

// FuzzParseName holds what every name that is taken must be: sound enough to go into a request.
func FuzzParseName(f *testing.F) {
	for _, s := range []string{"shop-alb:443", "aws:x", "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop-alb/50dc6c495c0c9188:443",
		"arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop-alb/50dc6c495c0c9188/f2f7dc8efc522ab2",
		"dualstack.internal-shop-1234567890.us-gov-east-1.elb.amazonaws.com.", "edge-c6e77e28c25b2234.elb.cn-north-1.amazonaws.com.cn:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseName(s)
		if err != nil {
			if !strings.Contains(err.Error(), ":") && !strings.Contains(err.Error(), " ") {
				t.Errorf("%q: the error says too little: %v", s, err)
			}
			return
		}
		if !nameForm.MatchString(n.LoadBalancer) || n.Port < 0 || n.Port > 65535 {
			t.Errorf("%q gives %+v", s, n)
		}
		if n.ListenerARN != "" && n.LoadBalancerARN == "" || n.DNSName != "" && n.Region == "" {
			t.Errorf("%q gives half a name: %+v", s, n)
		}
	})
}
