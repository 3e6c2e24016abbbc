// Package elbv2 is the API of Application, Network and Gateway Load Balancers, version 2015-12-01. Listeners have their default
// rule only, and trust stores come from the store alone; what else is missing is refused with InvalidAction.
//
// Sources: the service model in botocore (names, limits, error codes), AWS's API reference and guides (rules), and the errors
// that users of AWS reported (texts). Where AWS's text of an error is not known, it has the code of the service model and a
// text of its own.
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
		elbapi.Do("DescribeLoadBalancerAttributes", describeLoadBalancerAttributes),
		elbapi.Do("ModifyLoadBalancerAttributes", modifyLoadBalancerAttributes),
		elbapi.Do("SetSecurityGroups", setSecurityGroups),
		elbapi.Do("SetSubnets", setSubnets),
		elbapi.Do("SetIpAddressType", setIpAddressType),

		elbapi.Do("CreateListener", createListener),
		elbapi.Do("DescribeListeners", describeListeners),
		elbapi.Do("ModifyListener", modifyListener),
		elbapi.Do("DeleteListener", deleteListener),
		elbapi.Do("DescribeListenerAttributes", describeListenerAttributes),
		elbapi.Do("ModifyListenerAttributes", modifyListenerAttributes),
		elbapi.Do("DescribeListenerCertificates", describeListenerCertificates),
		elbapi.Do("AddListenerCertificates", addListenerCertificates),
		elbapi.Do("RemoveListenerCertificates", removeListenerCertificates),
		elbapi.Do("DescribeRules", describeRules),
		elbapi.Do("DescribeSSLPolicies", describeSSLPolicies),
		elbapi.Do("DescribeTrustStores", describeTrustStores),

		elbapi.Do("CreateTargetGroup", createTargetGroup),
		elbapi.Do("DescribeTargetGroups", describeTargetGroups),
		elbapi.Do("ModifyTargetGroup", modifyTargetGroup),
		elbapi.Do("DeleteTargetGroup", deleteTargetGroup),
		elbapi.Do("DescribeTargetGroupAttributes", describeTargetGroupAttributes),
		elbapi.Do("ModifyTargetGroupAttributes", modifyTargetGroupAttributes),
		elbapi.Do("RegisterTargets", registerTargets),
		elbapi.Do("DeregisterTargets", deregisterTargets),
		elbapi.Do("DescribeTargetHealth", describeTargetHealth),

		elbapi.Do("DescribeTags", describeTags),
		elbapi.Do("AddTags", addTagsTo),
		elbapi.Do("RemoveTags", removeTags),
		elbapi.Do("DescribeAccountLimits", describeAccountLimits),
	}}
}
