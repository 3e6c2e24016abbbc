// Package connect makes one TLS connection as forced by the user, does what can be done with it, and says
// what came of it: what `openssl s_client` is used for.
//
// Two hands do the work. A hello of our own, which can offer anything that has a code, decides what the
// endpoint accepts; Go's crypto/tls, held to the same choice as far as it lets itself be held, completes the
// handshake. Where the second cannot follow the first the report says so.
package connect

import (
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Schema names the shape of a Report in JSON; docs/schema/connect.schema.json describes it.
const Schema = "parley/connect/1"

// Report is the answer of `parley connect`: text and JSON are both made from it.
type Report struct {
	Schema       string              `json:"schema"`
	Target       diagnose.Target     `json:"target"`
	Offered      Offered             `json:"offered"`
	Outcome      string              `json:"outcome"` // diagnose.Negotiated, Refused or Unreachable
	Negotiated   *Negotiated         `json:"negotiated,omitempty"`
	Handshake    *Handshake          `json:"handshake,omitempty"`
	Certificates []Certificate       `json:"certificates"` // as presented, the server's own first
	Verification *Verification       `json:"verification,omitempty"`
	Staple       *Staple             `json:"ocsp_staple,omitempty"` // nil where none was stapled or none could be seen
	ClientAuth   *ClientAuth         `json:"client_certificate,omitempty"`
	Session      *Session            `json:"session,omitempty"`
	Notes        []string            `json:"notes"`             // true and worth knowing
	Failure      *diagnose.Diagnosis `json:"failure,omitempty"` // why it failed, as `parley why` puts it
	Connections  int                 `json:"connections"`
	RoundTrips   int                 `json:"round_trips"`
}

// Offered is what the hello proposed.
type Offered struct {
	Versions   []suite.Version         `json:"versions"`
	Suites     []suite.Code            `json:"suites"`
	Groups     []suite.Group           `json:"groups,omitempty"`
	Schemes    []suite.SignatureScheme `json:"signature_schemes,omitempty"`
	ServerName string                  `json:"server_name,omitempty"`
	ALPN       []string                `json:"alpn,omitempty"`
}

// Negotiated is what the endpoint chose from the hello that was forced. Fields that the connection does not
// show are empty.
type Negotiated struct {
	diagnose.Agreement
	Strength   suite.Strength `json:"strength"` // of the suite
	Bits       int            `json:"bits"`     // of the suite's cipher
	DHBits     int            `json:"dh_bits,omitempty"`
	HelloRetry bool           `json:"hello_retry_request,omitempty"` // the endpoint asked for another key share first
	// SecureReneg (RFC 5746) and ExtendedMaster (RFC 7627) are nil in TLS 1.3, which has both built in.
	SecureReneg    *bool `json:"secure_renegotiation,omitempty"`
	ExtendedMaster *bool `json:"extended_master_secret,omitempty"`
}

// Handshake says how far the handshake came.
type Handshake struct {
	Completed bool   `json:"completed"`
	Stopped   string `json:"stopped,omitempty"` // where and why, if it was not completed
	// With is what the completed handshake agreed on where that is not what the forced hello was answered
	// with: crypto/tls cannot be held to everything.
	With  *diagnose.Agreement `json:"with,omitempty"`
	Alert *suite.Alert        `json:"alert,omitempty"` // that ended it
}

// Certificate is one of the chain.
type Certificate struct {
	Subject   string         `json:"subject"`
	Issuer    string         `json:"issuer"`
	Serial    string         `json:"serial"` // hexadecimal
	KeyType   policy.KeyType `json:"key_type"`
	Key       string         `json:"key"`       // RSA 2048, ECDSA secp256r1
	Signature string         `json:"signature"` // by the issuer: SHA256-RSA
	NotBefore time.Time      `json:"not_before"`
	NotAfter  time.Time      `json:"not_after"`
	Names     []string       `json:"names,omitempty"`
	SHA256    string         `json:"sha256"` // fingerprint, hexadecimal
	PEM       string         `json:"pem,omitempty"`
}

// Verification is what a client that trusts these roots makes of the chain.
type Verification struct {
	OK       bool      `json:"ok"`
	Roots    string    `json:"roots"`          // "system", or the file that was named
	Name     string    `json:"name,omitempty"` // that the certificate was checked for; empty: not checked
	Problems []Problem `json:"problems"`
}

// Problem is one reason to refuse the chain.
type Problem struct {
	Cause   cause.ID `json:"cause"`
	Summary string   `json:"summary"`
}

// Staple is an OCSP response that came with the certificate (RFC 6066 section 8).
type Staple struct {
	Status     string    `json:"status"` // good, revoked, unknown, unreadable
	ThisUpdate time.Time `json:"this_update,omitzero"`
	NextUpdate time.Time `json:"next_update,omitzero"`
	Problem    string    `json:"problem,omitempty"`
}

// What became of a client certificate.
const (
	AuthNotRequested = "not-requested"
	AuthNotNeeded    = "not-needed" // requested, none sent, the handshake went through
	AuthAccepted     = "accepted"
	AuthRequired     = "required" // none was sent, and the endpoint gave up
	AuthRejected     = "rejected"
	AuthUnknown      = "unknown" // the handshake did not come that far
)

// ClientAuth is the client's side of mutual TLS.
type ClientAuth struct {
	Requested   bool     `json:"requested"`
	Authorities []string `json:"authorities,omitempty"` // names of CAs that the endpoint says it accepts
	Sent        string   `json:"sent,omitempty"`        // subject of the certificate that was sent
	Outcome     string   `json:"outcome"`
}

// Session is what came of an attempt to resume.
type Session struct {
	By      string `json:"by,omitempty"`      // what the endpoint gave to resume by: "ticket", "session-id"; empty: nothing
	Tickets int    `json:"tickets,omitempty"` // that came in the first connection
	Tested  bool   `json:"tested"`
	Resumed bool   `json:"resumed"`
	// Partly: the resumption was seen in the ServerHello, but crypto/tls could not complete it.
	Partly  bool   `json:"partly,omitempty"`
	Problem string `json:"problem,omitempty"`
}
