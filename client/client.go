// Package client knows real clients: what each of them offers in its ClientHello, and what it demands of
// the answer.
package client

import (
	"slices"

	"github.com/parley-tls/parley/hello"
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

// Profile is one release of one client, as it comes: no setting changed.
type Profile struct {
	Name       string     `json:"name"`   // java-7u25
	Title      string     `json:"title"`  // Java 7u25
	Family     string     `json:"family"` // java, openssl, chrome …: a later profile of the family is an upgrade
	Vendor     string     `json:"vendor,omitempty"`
	Platform   string     `json:"platform,omitempty"` // where it matters: Windows XP, Debian 12
	Library    string     `json:"library,omitempty"`  // the TLS library inside
	Released   string     `json:"released,omitempty"` // YYYY-MM
	Ended      string     `json:"ended,omitempty"`    // YYYY-MM in which the vendor's free support ended or ends; empty: unknown or rolling
	Confidence Confidence `json:"confidence"`
	Sources    []string   `json:"sources"`
	Captured   bool       `json:"captured"` // the bytes of a real hello are there: Hello
	Notes      []string   `json:"notes,omitempty"`
	Remedies   []Remedy   `json:"remedies,omitempty"`

	offer hello.Offer
}

// Offer returns what the client proposes and accepts. The result is shared and must not be changed.
// ServerName is empty even for a client that sends one, since a profile stands for no connection:
// see SendsServerName and OfferTo.
func (p *Profile) Offer() *hello.Offer { return &p.offer }

// SendsServerName reports whether the client names the server in its hello (RFC 6066 section 3).
func (p *Profile) SendsServerName() bool {
	return slices.Contains(p.offer.Extensions, hello.ExtServerName)
}

// OfferTo returns the offer of a connection to the server of that name. The lists are shared with Offer.
func (p *Profile) OfferTo(serverName string) hello.Offer {
	o := p.offer
	if p.SendsServerName() {
		o.ServerName = serverName
	}
	return o
}

// Remedy is a change on the client's side that makes it offer or accept more than it does as it comes.
type Remedy struct {
	Enables  []string `json:"enables"` // what is gained: versions (TLSv1.2), suites by IANA name, groups, signature schemes, or words of Enabling
	Summary  string   `json:"summary"`
	Commands []string `json:"commands,omitempty"` // in order
	Source   string   `json:"source"`
}

// Enabling says what the words mean that a remedy can enable besides versions, suites, groups and signature
// schemes. The first are what a hello can lack, the others what a client refuses in the answer or in the hello
// that it sends.
var Enabling = map[string]string{
	"server_name":            "send the name of the server",
	"alpn":                   "offer application protocols",
	"extended_master_secret": "send extended_master_secret (RFC 7627)",
	"renegotiation_info":     "send renegotiation_info (RFC 5746)",
	"tls-record-format":      "send the hello in a TLS record, not in SSLv2 format",
	"legacy-renegotiation":   "accept servers without secure renegotiation",
	"small-dh":               "accept smaller DH groups",
	"small-rsa":              "accept smaller RSA keys in certificates",
	"sha1-certificate":       "accept SHA-1 in the chain",
	"sha1-signature":         "accept SHA-1 in the signature of the handshake",
	"small-hello":            "send a hello without a post-quantum key share, which fits one packet",
	"trust":                  "trust a further root",
}

// Remedy returns the first change that enables what, or nil.
func (p *Profile) Remedy(what string) *Remedy {
	for i := range p.Remedies {
		if slices.Contains(p.Remedies[i].Enables, what) {
			return &p.Remedies[i]
		}
	}
	return nil
}
