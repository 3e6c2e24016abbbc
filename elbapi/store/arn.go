package store

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

const serviceName = "elasticloadbalancing"

// Partition is the partition of AWS that a region belongs to.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// ARN returns the name of a resource of load balancing in the region.
func (r *Region) ARN(resource string) string {
	return "arn:" + Partition(r.Name) + ":" + serviceName + ":" + r.Name + ":" + r.Account + ":" + resource
}

// NewID returns the random part of a resource's name, 16 hexadecimal digits.
func NewID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

var short = map[string]string{Application: "app", Network: "net", Gateway: "gwy"}

// NewLoadBalancerARN makes the ARN of a new load balancer.
func (r *Region) NewLoadBalancerARN(kind, name string) string {
	if kind == Classic {
		return r.ARN("loadbalancer/" + name)
	}
	return r.ARN("loadbalancer/" + short[kind] + "/" + name + "/" + NewID())
}

// NewListenerARN makes the ARN of a new listener of a load balancer.
func NewListenerARN(loadBalancer string) string {
	return strings.Replace(loadBalancer, ":loadbalancer/", ":listener/", 1) + "/" + NewID()
}

// RuleARN is the ARN of a listener's default rule.
func RuleARN(l *Listener) string {
	return strings.Replace(l.ARN, ":listener/", ":listener-rule/", 1) + "/" + l.RuleID
}

// loadBalancerOf is the ARN of the load balancer that a listener belongs to.
func loadBalancerOf(listener string) string {
	i := strings.LastIndexByte(listener, '/')
	if i < 0 {
		return ""
	}
	return strings.Replace(listener[:i], ":listener/", ":loadbalancer/", 1)
}
