package scan

import (
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// CertificateReport is one certificate that an endpoint presents, with its chain as it was sent.
type CertificateReport struct {
	Link
	Seen         []Presentation     `json:"seen"` // when it was presented
	Names        NamesReport        `json:"names"`
	DaysLeft     int                `json:"days_left"` // until it expires; negative after
	Fingerprints Fingerprints       `json:"fingerprints"`
	Revocation   RevocationReport   `json:"revocation"`
	Timestamps   []SCT              `json:"signed_certificate_timestamps"` // in the certificate
	Chain        []Link             `json:"chain"`                         // as sent, the certificate itself first
	ChainState   ChainReport        `json:"chain_state"`
	Trust        []TrustReport      `json:"trust"`
	Verdict      CertificateVerdict `json:"verdict"`

	own bool // it was presented to the name that was scanned
}

// Presentation is a kind of hello that a certificate was presented to.
type Presentation struct {
	Version    suite.Version `json:"version"`
	ServerName string        `json:"server_name"`   // none, given, unknown, upper-case
	Key        string        `json:"key,omitempty"` // authentication of the suite before TLS 1.3
}

// Link is one certificate of a chain.
type Link struct {
	Subject            string         `json:"subject"`
	Issuer             string         `json:"issuer"`
	SerialNumber       string         `json:"serial_number"` // hexadecimal
	NotBefore          time.Time      `json:"not_before"`
	NotAfter           time.Time      `json:"not_after"`
	KeyType            policy.KeyType `json:"key_type"` // "" for a kind that is not known here
	KeyBits            int            `json:"key_bits,omitempty"`
	Curve              *suite.Group   `json:"curve,omitempty"`
	SignatureAlgorithm string         `json:"signature_algorithm"`
	SignatureDigest    string         `json:"signature_digest,omitempty"`
	CA                 bool           `json:"ca"`
	SelfSigned         bool           `json:"self_signed"`
	SHA256             string         `json:"sha256"`
	// Error says why the certificate cannot be read; then all else but the fingerprint is empty.
	Error string `json:"error,omitempty"`
}

// NamesReport is what a certificate is for.
type NamesReport struct {
	CommonName string   `json:"common_name,omitempty"`
	DNS        []string `json:"dns"`
	IP         []string `json:"ip,omitempty"`
	Wildcard   bool     `json:"wildcard"`
	// CommonNameOnly: there are no alternative names, so that current clients accept it for no host.
	CommonNameOnly bool `json:"common_name_only"`
	// Matches says whether it is for the name that was scanned.
	Matches Feature `json:"matches"`
}

// Fingerprints are hexadecimal; the pin is base64 as in RFC 7469.
type Fingerprints struct {
	SHA1   string `json:"sha1"`
	SHA256 string `json:"sha256"`
	Pin    string `json:"spki_sha256"`
}

// RevocationReport is where a certificate says that its revocation can be looked up. It is not looked up here.
type RevocationReport struct {
	OCSP       []string `json:"ocsp"`
	CRL        []string `json:"crl"`
	CAIssuers  []string `json:"ca_issuers"`
	MustStaple bool     `json:"must_staple"` // RFC 7633
	Stapled    *bool    `json:"stapled,omitempty"`
	// Status is what the stapled response says: good, revoked, unknown; "" without one that can be read.
	Status string `json:"status,omitempty"`
}

// ChainReport judges a chain as it was sent.
type ChainReport struct {
	// Path are the places in the chain that lead from the certificate to the last issuer that was sent.
	Path        []int `json:"path"`
	InOrder     bool  `json:"in_order"`    // each certificate is followed by its issuer, up to the end of the path
	Superfluous []int `json:"superfluous"` // places that the path does not need
	RootSent    bool  `json:"root_sent"`   // the path ends with a self-signed certificate after the first
	// Complete: the path ends at a self-signed certificate, or at one that a root of the given or the system store
	// has issued. Otherwise an issuer is missing, named in MissingIssuer: an intermediate, or the root of a private CA.
	Complete      bool   `json:"complete"`
	MissingIssuer string `json:"missing_issuer,omitempty"`
	lookup        bool   // the last certificate says where its issuer's can be had
}

// TrustReport is what a set of roots makes of a chain. Name and expiry do not count: they are judged apart.
type TrustReport struct {
	Store   string   `json:"store"` // system, given
	Trusted bool     `json:"trusted"`
	Path    []string `json:"path,omitempty"` // subjects, from the certificate to the root
	Error   string   `json:"error,omitempty"`
}

// CertificateVerdict is what speaks against a certificate.
type CertificateVerdict struct {
	Good    bool                `json:"good"` // no reason is bad
	Reasons []CertificateReason `json:"reasons"`
}

// Severity is how much a reason weighs.
type Severity string

// Severities: Bad keeps clients out, Weak is worth a change, Note is worth knowing.
const (
	Bad  Severity = "bad"
	Weak Severity = "weak"
	Note Severity = "note"
)

// CertificateReason is one reason. Ids that package cause has too mean the same.
type CertificateReason struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	Summary  string   `json:"summary"`
}
