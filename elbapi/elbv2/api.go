// Package elbv2 is the API of Application, Network and Gateway Load Balancers, version 2015-12-01.
//
// Sources: the service model in botocore (names, limits, error codes) and AWS's API reference (rules).
package elbv2

import "github.com/parley-tls/parley/elbapi"

// Names of the API.
const (
	Service   = "elasticloadbalancing"
	Version   = "2015-12-01"
	Namespace = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
)

// API returns the API, to be served by elbapi.New.
func API() elbapi.API {
	return elbapi.API{Service: Service, Version: Version, Namespace: Namespace, Actions: []elbapi.Action{
		elbapi.Do("CreateLoadBalancer", createLoadBalancer),
		elbapi.Do("DescribeLoadBalancers", describeLoadBalancers),
		elbapi.Do("DeleteLoadBalancer", deleteLoadBalancer),
	}}
}
