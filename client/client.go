// Package client knows real clients: what each of them offers in its ClientHello, and what it demands of
// the answer.
package client

import (
	"fmt"
	"strings"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// Confidence says how sure a profile is.
type Confidence string

// High: the bytes of a real hello were seen. Medium: one published description. Low: inferred from a
// neighbour.
const (
	High   Confidence = "high"
	Medium Confidence = "medium"
	Low    Confidence = "low"
)

// Profile is one release of one client.
type Profile struct {
	Name       string     `json:"name"`   // java-7u25
	Title      string     `json:"title"`  // Java 7u25
	Family     string     `json:"family"` // java, openssl, chrome …: a later profile of the family is an upgrade
	Platform   string     `json:"platform,omitempty"`
	Library    string     `json:"library,omitempty"`  // the TLS library inside
	Released   string     `json:"released,omitempty"` // YYYY-MM
	Confidence Confidence `json:"confidence"`
	Sources    []string   `json:"sources"`
	Captured   bool       `json:"captured"` // the profile holds the bytes of a real hello
	Remedies   []Remedy   `json:"remedies,omitempty"`

	offer hello.Offer
	raw   []byte
}

// Offer returns what the client proposes. The result is shared and must not be changed.
func (p *Profile) Offer() *hello.Offer { return &p.offer }

// Hello returns the bytes of a real hello of this client, or nil.
func (p *Profile) Hello() []byte { return p.raw }

// Remedy is a setting that makes a client offer more than its default.
type Remedy struct {
	Enables string `json:"enables"` // TLSv1.2, a suite, a group …
	Summary string `json:"summary"`
	Command string `json:"command,omitempty"`
	Source  string `json:"source"`
}

// Find returns the profile of that name. The error names the nearest ones.
func Find(name string) (*Profile, error) {
	if p := ByName(name); p != nil {
		return p, nil
	}
	near := suite.Nearest(strings.ToLower(name), Names(), 3)
	if len(near) > 0 {
		return nil, fmt.Errorf("unknown client %q: did you mean %s?", name, strings.Join(near, ", "))
	}
	return nil, fmt.Errorf("unknown client %q: see parley client list, or use ciphers:STRING or a file with a ClientHello", name)
}
