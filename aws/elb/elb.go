// Package elb holds what Parley knows of AWS's load balancers: their TLS listeners as values, and the names by which people
// mean them. It does no I/O.
package elb

import (
	"fmt"
	"strings"
	"time"

	"github.com/parley-tls/parley/policy"
)

// Kind is the kind of a load balancer. Values are those of the ELBv2 API's Type; Classic ones, which have an API of their
// own, are "classic".
type Kind string

// Kinds.
const (
	ALB     Kind = "application"
	NLB     Kind = "network"
	Gateway Kind = "gateway"
	Classic Kind = "classic"
)

// Title is the kind as people say it: ALB, NLB, GWLB, Classic.
func (k Kind) Title() string {
	switch k {
	case ALB:
		return "ALB"
	case NLB:
		return "NLB"
	case Gateway:
		return "GWLB"
	case Classic:
		return "Classic"
	}
	return string(k)
}

// Family is the family of predefined policies that listeners of this kind can be set to.
func (k Kind) Family() policy.Family {
	if k == Classic {
		return policy.Classic
	}
	return policy.AWS
}

// Place is where a load balancer lives, and how Parley got there.
type Place struct {
	Partition string `json:"partition,omitempty"` // aws, aws-cn, aws-us-gov
	Account   string `json:"account,omitempty"`   // 12 digits; empty where it was not asked for
	Region    string `json:"region"`
	Profile   string `json:"profile,omitempty"` // of the shared configuration; empty: the default chain
	Role      string `json:"role,omitempty"`    // ARN of the role that was assumed
}

// Listener is a listener of an Application, Network or Classic Load Balancer, as the API describes it.
type Listener struct {
	Place
	Kind             Kind     `json:"type"`
	LoadBalancer     string   `json:"load_balancer"`
	LoadBalancerARN  string   `json:"load_balancer_arn,omitempty"` // none for Classic: its API has none
	ARN              string   `json:"listener_arn,omitempty"`      // none for Classic
	DNSName          string   `json:"dns_name"`
	Scheme           string   `json:"scheme,omitempty"` // internet-facing, internal
	VPC              string   `json:"vpc,omitempty"`
	SecurityGroups   []string `json:"security_groups,omitempty"`
	Subnets          []string `json:"subnets,omitempty"`
	State            string   `json:"state,omitempty"` // active, provisioning …; empty for Classic
	Port             int      `json:"port"`
	Protocol         string   `json:"protocol"`                    // HTTPS, TLS, SSL; HTTP, TCP, UDP … where there is no TLS
	InstanceProtocol string   `json:"instance_protocol,omitempty"` // of a Classic listener towards its instances

	// Policy is the name of the security policy: a predefined one, or on a Classic Load Balancer one of its own.
	Policy string `json:"policy,omitempty"`
	// Reference is the predefined policy that a Classic policy was made from, if any.
	Reference string `json:"reference_policy,omitempty"`
	// OtherPolicies are those that a Classic listener has beside its security policy: stickiness and the like, in the API's order.
	OtherPolicies []string `json:"other_policies,omitempty"`
	// Accepts is the policy's content; nil where the name is in no table and the API did not tell.
	Accepts *policy.Policy `json:"-"`

	Certificates []Certificate `json:"certificates,omitempty"` // the default one first
	ALPN         string        `json:"alpn_policy,omitempty"`  // NLB: HTTP2Preferred …, None
	MutualTLS    string        `json:"mutual_tls,omitempty"`   // off, passthrough, verify; empty where the API has none
	TrustStore   string        `json:"trust_store_arn,omitempty"`
	TargetGroups []string      `json:"target_groups,omitempty"` // ARNs of the default action
	// Redirects is that the default action sends clients to HTTPS, as listeners for HTTP mostly do.
	Redirects bool `json:"redirects_to_https,omitempty"`
}

// TLS reports whether the listener ends TLS itself.
func (l *Listener) TLS() bool {
	switch l.Protocol {
	case "HTTPS", "TLS", "SSL":
		return true
	}
	return false
}

// Identifier is how a user can name the listener and no other: its ARN, or for a Classic one, which has none, the ARN of its load
// balancer and the port, or NAME:PORT where the account is not known. ParseName reads all three.
func (l *Listener) Identifier() string {
	switch {
	case l.ARN != "":
		return l.ARN
	case l.Account != "":
		return fmt.Sprintf("arn:%s:elasticloadbalancing:%s:%s:loadbalancer/%s:%d", l.partition(), l.Region, l.Account, l.LoadBalancer, l.Port)
	}
	return fmt.Sprintf("%s:%d", l.LoadBalancer, l.Port)
}

// partition is the partition of a place, by its region where it was not told.
func (p *Place) partition() string {
	switch {
	case p.Partition != "":
		return p.Partition
	case strings.HasPrefix(p.Region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(p.Region, "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(p.Region, "eusc-"):
		return "aws-eusc"
	}
	return "aws"
}

// Certificate is a certificate of a listener, as far as AWS tells.
type Certificate struct {
	ARN      string    `json:"arn"`
	Default  bool      `json:"default"`
	Key      string    `json:"key_algorithm,omitempty"` // as ACM says it: RSA_2048, EC_prime256v1 …; empty where it was not told
	Names    []string  `json:"names,omitempty"`
	NotAfter time.Time `json:"not_after,omitzero"`
	Status   string    `json:"status,omitempty"` // of ACM: ISSUED, EXPIRED, REVOKED …
}

// DefaultPolicy is the security policy that a listener gets whom the API, the CLI, CloudFormation or Terraform makes without
// naming one. The console takes a newer one for ALB and NLB.
// Source: "Create an HTTPS listener" of the Application Load Balancer guide; "Predefined SSL security policies for Classic".
const DefaultPolicy = "ELBSecurityPolicy-2016-08"
