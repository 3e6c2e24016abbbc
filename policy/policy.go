// Package policy knows the security policies of load balancers: which protocols, cipher suites and
// groups each accepts, in which order, and how sure that is.
package policy

import (
	"time"

	"github.com/parley-tls/parley/suite"
)

// Family groups the policies that one kind of load balancer can be set to.
type Family string

// The families. An observed policy has FamilyObserved.
const (
	AWS        Family = "aws-elb"     // Application and Network Load Balancer
	Classic    Family = "aws-classic" // Classic Load Balancer
	CloudFront Family = "cloudfront"
	Azure      Family = "azure-appgw"
	Google     Family = "gcp"
	Mozilla    Family = "mozilla"
	Observed   Family = "observed"
	Custom     Family = "custom"
)

// Confidence says how sure a fact is.
type Confidence string

// High: two or more independent sources agree. Medium: one good source. Low: recalled or inferred.
const (
	High   Confidence = "high"
	Medium Confidence = "medium"
	Low    Confidence = "low"
)

// Order says who decides which of the shared suites is taken.
type Order string

// Orders.
const (
	ServerOrder  Order = "server"
	ClientOrder  Order = "client"
	OrderUnknown Order = "unknown"
)

// Engine names the TLS implementation of a server where real ones differ in how they choose and refuse.
type Engine string

// Engines.
const (
	EngineGeneric   Engine = ""
	EngineOpenSSL   Engine = "openssl" // also nginx, HAProxy, Apache, Node.js
	EngineS2N       Engine = "s2n"     // ALB, NLB, CloudFront
	EngineGo        Engine = "go"
	EngineBoringSSL Engine = "boringssl" // Envoy, Google Cloud
	EngineSchannel  Engine = "schannel"  // IIS, Azure Application Gateway
	EngineGnuTLS    Engine = "gnutls"
	EngineJSSE      Engine = "jsse"
	EngineClassic   Engine = "aws-classic"
)

// Kind sets policies apart that serve a special demand, so that none is suggested to whom has no such
// demand. The zero value is a general policy.
type Kind string

// Kinds.
const (
	General Kind = ""
	FIPS    Kind = "fips"
	RFC9151 Kind = "rfc9151" // Commercial National Security Algorithm suite, CNSA 2.0 included
)

// Policy is what a server accepts. Lists are in the server's order of preference.
type Policy struct {
	Name     string          `json:"name"`
	Family   Family          `json:"family"`
	Versions []suite.Version `json:"versions"` // oldest first
	Suites   []suite.Code    `json:"suites"`   // TLS 1.3 suites first
	// SuitesIn overrides Suites for a version whose list differs; nil in every predefined policy.
	SuitesIn map[suite.Version][]suite.Code `json:"suites_in,omitempty"`
	Order    Order                          `json:"order"`
	// Groups the server accepts, by preference; nil where the vendor does not say and nothing was observed.
	Groups []suite.Group `json:"groups,omitempty"`
	// Groups13 overrides Groups for TLS 1.3 where they differ.
	Groups13    []suite.Group           `json:"groups_tls13,omitempty"`
	Schemes     []suite.SignatureScheme `json:"signature_schemes,omitempty"` // nil: not stated
	DHBits      int                     `json:"dh_bits,omitempty"`           // size of the DHE group; 0: not stated
	ALPN        ALPNRule                `json:"alpn"`
	SNI         SNIRule                 `json:"sni"`
	ClientAuth  ClientAuth              `json:"client_auth,omitempty"`
	RequiresEMS bool                    `json:"requires_extended_master_secret,omitempty"`
	RequiresRI  bool                    `json:"requires_secure_renegotiation,omitempty"`
	LacksEMS    bool                    `json:"lacks_extended_master_secret,omitempty"`
	LacksRI     bool                    `json:"lacks_secure_renegotiation,omitempty"`
	FIPS        bool                    `json:"fips,omitempty"`
	Kind        Kind                    `json:"kind,omitempty"`
	Engine      Engine                  `json:"engine,omitempty"`

	Status        string     `json:"status,omitempty"`      // documented, legacy-undocumented, source-only, unconfirmed, retired
	DefaultFor    []string   `json:"default_for,omitempty"` // console, api, cli, cloudformation, terraform …
	LoadBalancers []string   `json:"load_balancers,omitempty"`
	Confidence    Confidence `json:"confidence,omitempty"`       // of the suite set
	OrderConf     Confidence `json:"order_confidence,omitempty"` // of the order
	GroupsConf    Confidence `json:"groups_confidence,omitempty"`
	Sources       []string   `json:"sources,omitempty"`
	Disagreements []string   `json:"disagreements,omitempty"`
	Checks        []string   `json:"checks,omitempty"` // what the facts were compared with, and what came out
	// OrderOpen are pairs of suites whose order the sources dispute; Match takes either.
	OrderOpen [][2]suite.Code `json:"order_open,omitempty"`
	Notes     []string        `json:"notes,omitempty"`
}

// SuitesFor returns the suites the policy accepts in version v, in its order. The result must not be
// changed. It can hold suites that are not usable in v: ask suite.Suite.UsableIn.
func (p *Policy) SuitesFor(v suite.Version) []suite.Code {
	if l, ok := p.SuitesIn[v]; ok {
		return l
	}
	return p.Suites
}

// GroupsFor returns the groups the policy accepts in version v, or nil if that is not known.
func (p *Policy) GroupsFor(v suite.Version) []suite.Group {
	if v == suite.TLS13 && p.Groups13 != nil {
		return p.Groups13
	}
	return p.Groups
}

// Accepts reports whether the policy has version v switched on.
func (p *Policy) Accepts(v suite.Version) bool {
	for _, w := range p.Versions {
		if w == v {
			return true
		}
	}
	return false
}

// ALPNRule is what the server does with the client's protocol list (RFC 7301).
type ALPNRule struct {
	Protocols []string `json:"protocols,omitempty"` // by the server's preference; empty: the extension is ignored
	// Strict servers answer no overlap with the alert no_application_protocol; others go on without ALPN.
	Strict bool `json:"strict,omitempty"`
}

// SNIRule is what the server does with server_name.
type SNIRule struct {
	Required      bool `json:"required,omitempty"`       // refuses a hello without it
	RefuseUnknown bool `json:"refuse_unknown,omitempty"` // refuses names that no certificate has
}

// ClientAuth is the server's demand for a client certificate.
type ClientAuth string

// Demands. The zero value is none.
const (
	ClientAuthNone     ClientAuth = ""
	ClientAuthRequest  ClientAuth = "request"
	ClientAuthRequired ClientAuth = "required"
)

// KeyType is the kind of public key in a certificate.
type KeyType string

// Key types.
const (
	RSA     KeyType = "rsa"
	RSAPSS  KeyType = "rsa-pss"
	ECDSA   KeyType = "ecdsa"
	Ed25519 KeyType = "ed25519"
	Ed448   KeyType = "ed448"
	DSA     KeyType = "dsa"
)

// Identity is the certificates that a server can present, best first. An empty identity means that
// nothing is known: Decide then takes a fitting certificate for granted.
type Identity struct {
	Certificates []Certificate `json:"certificates"`
}

// Certificate is the part of a certificate chain that decides whether a handshake succeeds.
type Certificate struct {
	KeyType         KeyType     `json:"key_type"`
	Bits            int         `json:"bits"`                       // RSA and DSA modulus, or curve size
	Curve           suite.Group `json:"curve,omitempty"`            // of an ECDSA key
	SignatureDigest string      `json:"signature_digest,omitempty"` // SHA1, SHA256 …: weakest in the chain below the root
	// SignatureScheme is how the leaf was signed by its issuer; 0 if unknown.
	SignatureScheme suite.SignatureScheme `json:"signature_scheme,omitempty"`
	Subject         string                `json:"subject,omitempty"`
	Issuer          string                `json:"issuer,omitempty"`
	Names           []string              `json:"names,omitempty"`
	NotBefore       time.Time             `json:"not_before,omitzero"`
	NotAfter        time.Time             `json:"not_after,omitzero"`
	SelfSigned      bool                  `json:"self_signed,omitempty"`
	MinChainBits    int                   `json:"min_chain_bits,omitempty"` // smallest RSA key in the chain
	Chain           int                   `json:"chain,omitempty"`          // certificates presented
}
