// Package diagnose finds out why a client and a load balancer do not agree on TLS: it replays the
// client's hello, compares the answer with what negotiate.Decide says of the policy that the endpoint
// was seen to run, and where the two differ changes the hello piece by piece until the smallest change
// that turns failure into success is known.
package diagnose

import (
	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Schema names the shape of a Diagnosis in JSON; docs/schema/why.schema.json describes it.
const Schema = "parley/why/1"

// The outcomes.
const (
	Negotiated  = "negotiated"
	Refused     = "refused"
	Unreachable = "unreachable"
)

// The sides that a fix can be made on.
const (
	SideClient       = "client"
	SideLoadBalancer = "load-balancer"
	SideCertificate  = "certificate"
	SideNetwork      = "network"
)

// Diagnosis is the answer of `parley why`: text and JSON are both made from it.
type Diagnosis struct {
	Schema      string        `json:"schema"`
	Target      Target        `json:"target"`
	Client      Client        `json:"client"`
	Outcome     string        `json:"outcome"`
	Predicted   bool          `json:"predicted,omitempty"` // decided from tables, no connection was made with this hello
	Negotiated  *Agreement    `json:"negotiated,omitempty"`
	Causes      []Cause       `json:"causes"`   // most probable first
	Findings    []Finding     `json:"findings"` // true and worth knowing, but not why it fails
	Fixes       []Fix         `json:"fixes"`    // least change first, for each side
	PolicyMatch []PolicyMatch `json:"policy_match"`
	Observed    *Observed     `json:"observed,omitempty"`
	AWS         *Told         `json:"aws,omitempty"` // the listener, as AWS's API tells it
	Addresses   []Address     `json:"addresses,omitempty"`
	Repeat      *Repeat       `json:"repeat,omitempty"`
	Connections int           `json:"connections"`
	RoundTrips  int           `json:"round_trips"` // on the critical path: parallel connections count once
}

// Target is the server side as the user named it.
type Target struct {
	Name       string `json:"name"`
	Kind       string `json:"kind"` // "endpoint", "policy", or "listener" of a load balancer that its API tells of
	Address    string `json:"address,omitempty"`
	ServerName string `json:"server_name,omitempty"`
	StartTLS   string `json:"starttls,omitempty"`
}

// Client is the client side as the user named it.
type Client struct {
	Name       string          `json:"name"`
	Kind       string          `json:"kind"` // "profile", "ciphers", "hello"
	Versions   []suite.Version `json:"versions"`
	Confidence string          `json:"confidence,omitempty"` // of a profile
	Replayed   bool            `json:"replayed,omitempty"`   // the client's own bytes were sent
	JA3        string          `json:"ja3,omitempty"`
	JA4        string          `json:"ja4,omitempty"`
}

// Agreement is what was negotiated. Fields that the connection does not show are empty.
type Agreement struct {
	Version suite.Version         `json:"version"`
	Cipher  suite.Code            `json:"cipher"`
	Group   suite.Group           `json:"group,omitempty"`
	Scheme  suite.SignatureScheme `json:"signature_scheme,omitempty"`
	ALPN    string                `json:"alpn,omitempty"`
}

// Cause is one reason for the failure, with its proof.
type Cause struct {
	ID         cause.ID    `json:"id"`
	Confidence float64     `json:"confidence"` // 0 to 1
	Summary    string      `json:"summary"`    // one sentence
	Stage      cause.Stage `json:"stage"`
	ClientSet  []string    `json:"client_set,omitempty"` // the two sets that failed to meet
	ServerSet  []string    `json:"server_set,omitempty"`
	Evidence   []Evidence  `json:"evidence"`
	Decide     string      `json:"decide,omitempty"` // what would settle it, where the confidence is low
}

// Evidence is one fact and the command that repeats it.
type Evidence struct {
	Fact    string `json:"fact"`
	Command string `json:"command,omitempty"`
}

// Finding is something the probes showed that does not decide the outcome.
type Finding struct {
	ID       string     `json:"id"`
	Summary  string     `json:"summary"`
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Fix is a change that lets this client in.
type Fix struct {
	Side     string   `json:"side"`
	Summary  string   `json:"summary"`
	Policy   string   `json:"policy,omitempty"` // a predefined policy to change to
	Commands []string `json:"commands"`
	Price    *Price   `json:"price,omitempty"`
	Proved   bool     `json:"proved,omitempty"` // a hello with this change was accepted by the endpoint
	Source   string   `json:"source,omitempty"`
}

// Price is what a change of policy costs.
type Price struct {
	AddsVersions  []suite.Version `json:"adds_versions,omitempty"`
	DropsVersions []suite.Version `json:"drops_versions,omitempty"`
	AddsSuites    []suite.Code    `json:"adds_suites,omitempty"`
	DropsSuites   []suite.Code    `json:"drops_suites,omitempty"`
	Weakest       string          `json:"weakest"` // strength of the weakest suite after the change
	WeakestNow    string          `json:"weakest_now,omitempty"`
	GainsClients  []string        `json:"gains_clients,omitempty"`
	LosesClients  []string        `json:"loses_clients,omitempty"`
}

// PolicyMatch is a predefined policy that the endpoint runs, or comes near.
type PolicyMatch struct {
	Name      string        `json:"name"`
	Family    policy.Family `json:"family"`
	Exact     bool          `json:"exact"`
	Missing   []string      `json:"missing"` // in the policy, not at the endpoint
	Extra     []string      `json:"extra"`   // at the endpoint, not in the policy
	TellApart string        `json:"tell_apart,omitempty"`
}

// Observed is what the endpoint was seen to accept.
type Observed struct {
	Versions     []suite.Version      `json:"versions"`
	Suites       []suite.Code         `json:"suites"`
	Groups       []suite.Group        `json:"groups,omitempty"`
	Order        policy.Order         `json:"order"`
	Certificates []policy.Certificate `json:"certificates"`
	// NotTested names what the diagnosis had no need to ask.
	NotTested []string `json:"not_tested,omitempty"`
}

// Address is the result for one of the addresses behind the name.
type Address struct {
	Address string     `json:"address"`
	Outcome string     `json:"outcome"`
	Agreed  *Agreement `json:"negotiated,omitempty"`
	Cause   cause.ID   `json:"cause,omitempty"`
	Policy  string     `json:"policy,omitempty"` // the first match
}

// Repeat is what `--repeat` measured.
type Repeat struct {
	A       Series  `json:"a"` // the client's hello
	B       Series  `json:"b"` // its smallest working variant
	PValue  float64 `json:"p_value"`
	Differs bool    `json:"differs"` // at the 95 % level
	Summary string  `json:"summary"`
}

// Series is one arm of the comparison.
type Series struct {
	Variant  string         `json:"variant"`
	Tries    int            `json:"tries"`
	Failures int            `json:"failures"`
	Rate     float64        `json:"rate"` // of failures, 0 to 1
	Low      float64        `json:"low"`  // 95 % confidence interval
	High     float64        `json:"high"`
	How      map[string]int `json:"how,omitempty"` // failures by kind: reset, timeout, alert …
}
