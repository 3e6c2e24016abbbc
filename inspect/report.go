// Package inspect puts everything that a scan learns of one endpoint at one address into one value: a Report. The
// text, JSON, XML, CSV and HTML of `parley scan` are all made from it.
package inspect

import (
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/vuln"
)

// Schema names the shape of a Report in JSON; docs/schema/scan.schema.json describes it.
const Schema = "parley/scan/1"

// Report is everything that is known of one endpoint at one address.
type Report struct {
	Schema  string    `json:"schema"`
	Target  Target    `json:"target"`
	Started time.Time `json:"started"`
	Depth   Depth     `json:"depth"`
	// Reached is whether any ClientHello was accepted; Cause says why none was.
	Reached bool   `json:"reached"`
	Cause   *Cause `json:"cause,omitempty"`
	// Interrupted is true where the scan was broken off: what is in the report holds, what is missing is open.
	Interrupted  bool                     `json:"interrupted,omitempty"`
	Protocols    []Protocol               `json:"protocols"`    // oldest first
	Ciphers      []CipherList             `json:"ciphers"`      // one for each accepted version, newest first
	Groups       []GroupList              `json:"groups"`       // TLS 1.3, and what (EC)DHE before it uses
	Certificates []scan.CertificateReport `json:"certificates"` // that the given name gets first
	// Features are left out of a quick scan, and where it was interrupted before they were asked for. In a basic one most
	// were not asked for.
	Features *scan.FeatureReport `json:"features,omitempty"`
	// Vulnerabilities has a finding for each check that was made, in the order of docs/vulnerabilities.md.
	Vulnerabilities []vuln.Finding `json:"vulnerabilities"`
	PolicyMatch     []PolicyMatch  `json:"policy_match"` // exact ones, or the nearest
	Grade           *Grade         `json:"grade,omitempty"`
	Unsure          []string       `json:"unsure"`     // asked for, and not answered
	NotTested       []string       `json:"not_tested"` // not asked for
	Baseline        *Comparison    `json:"baseline,omitempty"`
	Connections     int            `json:"connections"`
	DurationMS      int64          `json:"duration_ms"`
}

// Depth is how much was asked.
type Depth string

// Depths. Quick asks what a diagnosis needs: suites that policies have, at the newest version, without their order.
// Basic asks all of protocols, suites, groups and certificates, and of the rest what sslscan reports.
const (
	Full  Depth = "full"
	Basic Depth = "basic"
	Quick Depth = "quick"
)

// Target is the endpoint as it was named, and where that led.
type Target struct {
	Name       string `json:"name"` // as the user typed it
	Host       string `json:"host"`
	Port       string `json:"port"`
	Address    string `json:"address"`               // that was connected to
	ServerName string `json:"server_name,omitempty"` // that was asked for; "" where none was
	StartTLS   string `json:"starttls,omitempty"`
}

// Cause is why nothing was learnt, with an id of package cause.
type Cause struct {
	ID      cause.ID `json:"id"`
	Summary string   `json:"summary"`
}

// State is what is known of a protocol version.
type State string

// States. Unsure: it was asked for, and the network failed each time. NotTested: it was not asked for.
const (
	Yes       State = "yes"
	No        State = "no"
	Unsure    State = "unsure"
	NotTested State = "not-tested"
)

// Protocol is one protocol version.
type Protocol struct {
	Version suite.Version `json:"version"`
	State   State         `json:"state"`
}

// CipherList is what one version accepts.
type CipherList struct {
	Version suite.Version `json:"version"`
	// Order says whose preference counts. Where it is the server's and Sorted is true, Ciphers are in its order.
	Order  policy.Order `json:"order"`
	Sorted bool         `json:"sorted"`
	// ChaChaFirst: where the client has a ChaCha20 suite first, the server takes it against its own order.
	ChaChaFirst bool     `json:"chacha20_first,omitempty"`
	Ciphers     []Cipher `json:"ciphers"`
}

// Preferred returns the suite that the endpoint takes of all, 0 where that is the client's choice or not known.
func (l *CipherList) Preferred() suite.Code {
	if len(l.Ciphers) == 1 || len(l.Ciphers) > 0 && l.Order == policy.ServerOrder && l.Sorted {
		return l.Ciphers[0].Cipher
	}
	return 0
}

// Cipher is one accepted suite, with the key exchange that came with it.
type Cipher struct {
	Cipher   suite.Code     `json:"cipher"`
	Bits     int            `json:"bits"` // of the key: 0 without encryption
	Strength suite.Strength `json:"strength"`
	Reasons  []suite.Reason `json:"reasons"`
	Group    *suite.Group   `json:"group,omitempty"`   // that the endpoint chose of all that Parley knows
	DHBits   int            `json:"dh_bits,omitempty"` // of the prime, before TLS 1.3
}

// GroupList is the key exchange groups of TLS 1.3, or those of the versions before it. There curves come first, and then
// the finite fields that DHE uses for a client that names them (RFC 7919); the suite decides between the two kinds.
type GroupList struct {
	Version suite.Version `json:"version"` // TLSv1.3, or the newest version before it
	Order   policy.Order  `json:"order"`
	Sorted  bool          `json:"sorted"`
	Groups  []Group       `json:"groups"`
}

// Group is one accepted group.
type Group struct {
	Group    suite.Group    `json:"group"`
	Bits     int            `json:"bits"` // of the field or the prime; of the security level for post-quantum groups
	Strength suite.Strength `json:"strength"`
}

// PolicyMatch is a predefined policy that the endpoint runs, or comes near.
type PolicyMatch struct {
	Name    string        `json:"name"`
	Family  policy.Family `json:"family"`
	Exact   bool          `json:"exact"`
	Missing []string      `json:"missing"`          // in the policy, not at the endpoint
	Extra   []string      `json:"extra"`            // at the endpoint, not in the policy
	Unsure  []string      `json:"unsure,omitempty"` // differences from what is only inferred of the policy
}

// Weakest returns the strength of the weakest accepted suite, and the suite; Recommended and 0 where none is.
func (r *Report) Weakest() (suite.Strength, suite.Code) {
	weakest, which := suite.Recommended, suite.Code(0)
	for _, l := range r.Ciphers {
		for _, c := range l.Ciphers {
			if which == 0 || c.Strength < weakest {
				weakest, which = c.Strength, c.Cipher
			}
		}
	}
	return weakest, which
}
