// Package store keeps what an account has: load balancers, listeners, target groups, certificates, networks, by account
// and region. It is safe for concurrent use, and keeps everything in a file if it is given one.
package store

import "time"

// Kinds of load balancers, as the API names them.
const (
	Application = "application"
	Network     = "network"
	Gateway     = "gateway"
	Classic     = "classic"
)

// LoadBalancer is a load balancer of any kind. Its listeners are in the order of their creation.
type LoadBalancer struct {
	ARN            string            `json:"arn"`
	Name           string            `json:"name"`
	Type           string            `json:"type"`
	Scheme         string            `json:"scheme"` // internet-facing, internal
	DNSName        string            `json:"dns_name,omitempty"`
	HostedZone     string            `json:"hosted_zone,omitempty"`
	Created        time.Time         `json:"created,omitzero"`
	State          string            `json:"state,omitempty"` // provisioning, active, active_impaired, failed
	VPC            string            `json:"vpc,omitempty"`
	Zones          []Zone            `json:"zones,omitempty"`
	SecurityGroups []string          `json:"security_groups,omitempty"`
	IPAddressType  string            `json:"ip_address_type,omitempty"`
	EnforceInbound string            `json:"enforce_inbound_rules_on_private_link,omitempty"` // on, off; Network
	SourceNAT      string            `json:"source_nat_ipv6_prefix,omitempty"`                // on, off; Network
	Attributes     map[string]string `json:"attributes,omitempty"`                            // those that differ from the default; Classic: none
	Tags           map[string]string `json:"tags,omitempty"`
	Listeners      []*Listener       `json:"listeners,omitempty"`
	Classic        *ClassicParts     `json:"classic,omitempty"`
}

// Zone is a zone in which a load balancer has an address.
type Zone struct {
	Name      string    `json:"name"`
	Subnet    string    `json:"subnet,omitempty"`
	Addresses []Address `json:"addresses,omitempty"`
}

// Address is a fixed address of a load balancer in a zone.
type Address struct {
	IP         string `json:"ip,omitempty"`
	Allocation string `json:"allocation,omitempty"`
	PrivateIP  string `json:"private_ip,omitempty"`
	IPv6       string `json:"ipv6,omitempty"`
}

// Listener is a listener of any kind of load balancer. Those of a Classic Load Balancer have no ARN.
type Listener struct {
	ARN          string            `json:"arn,omitempty"`
	Port         int               `json:"port"`
	Protocol     string            `json:"protocol"` // HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP, GENEVE …; Classic: HTTP, HTTPS, TCP, SSL
	SSLPolicy    string            `json:"ssl_policy,omitempty"`
	Certificates []string          `json:"certificates,omitempty"` // ARNs; the first is the default one, the others are for SNI
	ALPN         []string          `json:"alpn,omitempty"`
	MutualTLS    *MutualTLS        `json:"mutual_tls,omitempty"`
	Actions      []Action          `json:"actions,omitempty"` // of the default rule
	RuleID       string            `json:"rule_id,omitempty"` // of the default rule
	Attributes   map[string]string `json:"attributes,omitempty"`
	Tags         map[string]string `json:"tags,omitempty"`

	InstancePort     int      `json:"instance_port,omitempty"`     // Classic
	InstanceProtocol string   `json:"instance_protocol,omitempty"` // Classic
	Policies         []string `json:"policies,omitempty"`          // Classic: names of policies set on this listener
}

// MutualTLS is what a listener demands of clients' certificates.
type MutualTLS struct {
	Mode             string `json:"mode"` // off, passthrough, verify
	TrustStore       string `json:"trust_store,omitempty"`
	IgnoreExpiry     bool   `json:"ignore_expiry,omitempty"`
	AdvertiseCANames string `json:"advertise_ca_names,omitempty"` // on, off
}

// ClassicParts is what only a Classic Load Balancer has.
type ClassicParts struct {
	Policies    []ClassicPolicy   `json:"policies,omitempty"`
	Instances   []Target          `json:"instances,omitempty"`
	HealthCheck HealthCheck       `json:"health_check"`
	Attributes  map[string]string `json:"attributes,omitempty"` // by path, as ConnectionDraining.Timeout
	// BackendPolicies are the names of policies by instance port.
	BackendPolicies map[int][]string `json:"backend_policies,omitempty"`
}

// ClassicPolicy is a policy of a Classic Load Balancer.
type ClassicPolicy struct {
	Name       string             `json:"name"`
	Type       string             `json:"type"` // SSLNegotiationPolicyType, AppCookieStickinessPolicyType …
	Attributes []ClassicAttribute `json:"attributes,omitempty"`
}

// ClassicAttribute is a setting of a policy; order counts, and names can repeat.
type ClassicAttribute struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// TargetGroup is a target group.
type TargetGroup struct {
	ARN             string            `json:"arn"`
	Name            string            `json:"name"`
	Protocol        string            `json:"protocol,omitempty"`
	Port            int               `json:"port,omitempty"`
	VPC             string            `json:"vpc,omitempty"`
	TargetType      string            `json:"target_type"` // instance, ip, lambda, alb
	ProtocolVersion string            `json:"protocol_version,omitempty"`
	IPAddressType   string            `json:"ip_address_type,omitempty"`
	HealthCheck     HealthCheck       `json:"health_check"`
	Attributes      map[string]string `json:"attributes,omitempty"`
	Tags            map[string]string `json:"tags,omitempty"`
	Targets         []Target          `json:"targets,omitempty"`
}

// HealthCheck is how targets are checked.
type HealthCheck struct {
	Protocol  string `json:"protocol,omitempty"`
	Port      string `json:"port,omitempty"` // traffic-port or a number
	Path      string `json:"path,omitempty"`
	Off       bool   `json:"off,omitempty"`
	Interval  int    `json:"interval_seconds,omitempty"`
	Timeout   int    `json:"timeout_seconds,omitempty"`
	Healthy   int    `json:"healthy_threshold,omitempty"`
	Unhealthy int    `json:"unhealthy_threshold,omitempty"`
	HTTPCode  string `json:"http_code,omitempty"`
	GRPCCode  string `json:"grpc_code,omitempty"`
}

// Target is where a target group or a Classic Load Balancer sends traffic.
type Target struct {
	ID          string `json:"id"`
	Port        int    `json:"port,omitempty"`
	Zone        string `json:"zone,omitempty"`
	State       string `json:"state,omitempty"` // initial, healthy, unhealthy, unused, draining, unavailable; Classic: InService, OutOfService
	Reason      string `json:"reason,omitempty"`
	Description string `json:"description,omitempty"`
}

// Certificate is a certificate in ACM or IAM. A private key is never kept here.
type Certificate struct {
	ARN       string    `json:"arn"`
	Domain    string    `json:"domain,omitempty"`
	Names     []string  `json:"names,omitempty"`
	Key       string    `json:"key,omitempty"`       // as ACM has it: RSA_2048, EC_prime256v1 …
	Signature string    `json:"signature,omitempty"` // as ACM has it: SHA256WITHRSA
	Status    string    `json:"status,omitempty"`
	Type      string    `json:"type,omitempty"` // AMAZON_ISSUED, IMPORTED, PRIVATE; IAM: ""
	Issuer    string    `json:"issuer,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
	Body      string    `json:"body,omitempty"`  // PEM
	Chain     string    `json:"chain,omitempty"` // PEM
}

// Subnet is a subnet that load balancers can be put in.
type Subnet struct {
	ID   string `json:"id"`
	Zone string `json:"zone"`
	VPC  string `json:"vpc"`
}

// TrustStore is a set of certificate authorities for mutual TLS.
type TrustStore struct {
	ARN     string            `json:"arn"`
	Name    string            `json:"name"`
	Status  string            `json:"status"` // ACTIVE, CREATING
	CAs     int               `json:"certificates"`
	Revoked int64             `json:"revoked,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
}
