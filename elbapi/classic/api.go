// Package classic is the API of Classic Load Balancers, version 2012-06-01.
//
// Sources: the service model in botocore (names, limits, error codes), AWS's API reference and the Classic guide (rules), and
// what users reported of its answers (texts of errors). Texts that nobody reported are in this package's own words.
package classic

import (
	"net/http"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// Names of the API.
const (
	Service   = "elasticloadbalancing"
	Version   = "2012-06-01"
	Namespace = "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/"
)

// API returns the API, to be served by elbapi.New.
func API() elbapi.API {
	return elbapi.API{Service: Service, Version: Version, Namespace: Namespace, Actions: []elbapi.Action{
		elbapi.Do("CreateLoadBalancer", createLoadBalancer),
		elbapi.Do("DescribeLoadBalancers", describeLoadBalancers),
		elbapi.Do("DeleteLoadBalancer", deleteLoadBalancer),
		elbapi.Do("CreateLoadBalancerListeners", createListeners),
		elbapi.Do("DeleteLoadBalancerListeners", deleteListeners),
		elbapi.Do("SetLoadBalancerListenerSSLCertificate", setCertificate),
		elbapi.Do("CreateLoadBalancerPolicy", createPolicy),
		elbapi.Do("CreateAppCookieStickinessPolicy", createAppCookiePolicy),
		elbapi.Do("CreateLBCookieStickinessPolicy", createLBCookiePolicy),
		elbapi.Do("DescribeLoadBalancerPolicies", describePolicies),
		elbapi.Do("DescribeLoadBalancerPolicyTypes", describePolicyTypes),
		elbapi.Do("DeleteLoadBalancerPolicy", deletePolicy),
		elbapi.Do("SetLoadBalancerPoliciesOfListener", setPoliciesOfListener),
		elbapi.Do("SetLoadBalancerPoliciesForBackendServer", setPoliciesForBackend),
		elbapi.Do("DescribeLoadBalancerAttributes", describeAttributes),
		elbapi.Do("ModifyLoadBalancerAttributes", modifyAttributes),
		elbapi.Do("ApplySecurityGroupsToLoadBalancer", applySecurityGroups),
		elbapi.Do("AttachLoadBalancerToSubnets", attachSubnets),
		elbapi.Do("DetachLoadBalancerFromSubnets", detachSubnets),
		elbapi.Do("EnableAvailabilityZonesForLoadBalancer", enableZones),
		elbapi.Do("DisableAvailabilityZonesForLoadBalancer", disableZones),
		elbapi.Do("DescribeTags", describeTags),
		elbapi.Do("AddTags", addTags),
		elbapi.Do("RemoveTags", removeTags),
		elbapi.Do("RegisterInstancesWithLoadBalancer", registerInstances),
		elbapi.Do("DeregisterInstancesFromLoadBalancer", deregisterInstances),
		elbapi.Do("DescribeInstanceHealth", describeInstanceHealth),
		elbapi.Do("ConfigureHealthCheck", configureHealthCheck),
		elbapi.Do("DescribeAccountLimits", describeAccountLimits),
	}}
}

// nothing is the answer of an action that says nothing.
type nothing struct{}

// conflict is the error for a configuration that cannot be, which has a status of its own.
func conflict(format string, args ...any) *query.Error {
	e := query.Fail("InvalidConfigurationRequest", format, args...)
	e.Status = http.StatusConflict
	return e
}

// find returns a Classic Load Balancer by its name.
func find(r *store.Region, name string) (*store.LoadBalancer, error) {
	l := r.LoadBalancerNamed(name, true)
	if l == nil {
		return nil, query.Fail("LoadBalancerNotFound", "There is no ACTIVE Load Balancer named '%s'", name)
	}
	return l, nil
}

// update changes a load balancer.
func update(c *elbapi.Call, name string, f func(*store.Region, *store.LoadBalancer) error) error {
	return c.Update(func(r *store.Region) error {
		l, err := find(r, name)
		if err != nil {
			return err
		}
		return f(r, l)
	})
}
