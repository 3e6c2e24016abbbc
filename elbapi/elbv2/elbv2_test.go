package elbv2_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/elbv2"
	"github.com/parley-tls/parley/elbapi/sigv4"
	"github.com/parley-tls/parley/elbapi/store"
)

// account is a server with one empty account, and AWS's client for it.
func account(t *testing.T) (*elbapi.Server, *elb.Client) {
	t.Helper()
	s := store.New()
	if err := s.AddAccount(&store.Account{ID: "111122223333", Keys: []sigv4.Key{{ID: "testing", Secret: "testing"}}}); err != nil {
		t.Fatal(err)
	}
	server := elbapi.New(s, elbapi.Options{}, elbv2.API())
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	return server, elb.New(elb.Options{Region: "eu-west-1", BaseEndpoint: &h.URL, Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", "")})
}

func TestLoadBalancers(t *testing.T) {
	server, client := account(t)
	ctx := context.Background()
	made, err := client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("shop"), Subnets: []string{"subnet-1", "subnet-2"}})
	if err != nil {
		t.Fatal(err)
	}
	seen, err := client.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{"shop"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen.LoadBalancers) != 1 || *seen.LoadBalancers[0].LoadBalancerArn != *made.LoadBalancers[0].LoadBalancerArn {
		t.Errorf("described %+v, made %+v", seen.LoadBalancers, made.LoadBalancers)
	}
	if n := server.Log().Calls(elbapi.Kind{Region: "eu-west-1", Action: "DescribeLoadBalancers"}); n != 1 {
		t.Errorf("the log has %d calls", n)
	}
}
