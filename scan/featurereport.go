package scan

import (
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// State is what is known of a feature.
type State string

// States. NotApplicable: no accepted version or suite has the feature. NotTested: the answer is open, and Why says
// what stood in the way.
const (
	Yes           State = "yes"
	No            State = "no"
	NotApplicable State = "not-applicable"
	NotTested     State = "not-tested"
)

// Feature is the least that is told of a feature.
type Feature struct {
	State State  `json:"state"`
	Why   string `json:"why,omitempty"` // for a state that is neither yes nor no
}

// FeatureReport is what an endpoint does beside versions, suites and groups.
type FeatureReport struct {
	ALPN                    ALPNReport               `json:"alpn"`
	NPN                     NPNReport                `json:"npn"`
	Compression             CompressionReport        `json:"compression"`
	SessionIDs              SessionIDReport          `json:"session_ids"`
	SessionTickets          TicketReport             `json:"session_tickets"` // before TLS 1.3
	PSK                     PSKReport                `json:"psk"`             // tickets of TLS 1.3
	EarlyData               EarlyDataReport          `json:"early_data"`
	SecureRenegotiation     RenegotiationReport      `json:"secure_renegotiation"`
	FallbackSCSV            FallbackReport           `json:"fallback_scsv"`
	ExtendedMasterSecret    Feature                  `json:"extended_master_secret"`
	EncryptThenMAC          Feature                  `json:"encrypt_then_mac"`
	Heartbeat               Feature                  `json:"heartbeat"`
	MaxFragmentLength       Feature                  `json:"max_fragment_length"`
	RecordSizeLimit         RecordSizeReport         `json:"record_size_limit"`
	OCSPStapling            StaplingReport           `json:"ocsp_stapling"`
	CertificateTransparency TransparencyReport       `json:"certificate_transparency"`
	ClientCertificate       ClientCertificateReport  `json:"client_certificate"`
	DiffieHellman           []DHReport               `json:"diffie_hellman"` // one for each prime; empty without DHE
	KeyShareReuse           KeyShareReport           `json:"key_share_reuse"`
	HelloRetry              HelloRetryReport         `json:"hello_retry_request"`
	SignatureSchemes        []SignatureSchemesReport `json:"signature_schemes"`
	Clock                   ClockReport              `json:"clock"`
	ServerName              ServerNameReport         `json:"server_name"`
	Connections             int                      `json:"connections"`

	presented []presented // every chain that was seen, for Certificates
}

// all lists every feature of the report.
func (r *FeatureReport) all() []*Feature {
	return []*Feature{
		&r.ALPN.Feature, &r.NPN.Feature, &r.Compression.Feature,
		&r.SessionIDs.Feature, &r.SessionIDs.Resumes, &r.SessionTickets.Feature, &r.SessionTickets.Resumes,
		&r.PSK.Feature, &r.PSK.Resumes, &r.EarlyData.Feature, &r.EarlyData.Accepted,
		&r.SecureRenegotiation.Feature, &r.SecureRenegotiation.ByExtension, &r.SecureRenegotiation.BySCSV,
		&r.FallbackSCSV.Feature, &r.ExtendedMasterSecret, &r.EncryptThenMAC, &r.Heartbeat, &r.MaxFragmentLength, &r.RecordSizeLimit.Feature,
		&r.OCSPStapling.Feature, &r.CertificateTransparency.Feature, &r.ClientCertificate.Feature, &r.ClientCertificate.Required,
		&r.KeyShareReuse.ECDHE.Feature, &r.KeyShareReuse.DHE.Feature, &r.KeyShareReuse.Hybrid.Feature,
		&r.HelloRetry.Feature, &r.HelloRetry.Completes, &r.Clock.Feature,
		&r.ServerName.Required, &r.ServerName.RefusesUnknown, &r.ServerName.DefaultDiffers, &r.ServerName.CaseSensitive,
	}
}

// ALPNReport is the application protocols (RFC 7301). State is no where the extension is never answered.
type ALPNReport struct {
	Feature
	Version   *suite.Version `json:"version,omitempty"`   // in which it was asked
	Protocols []string       `json:"protocols,omitempty"` // by preference where Order is server
	Order     policy.Order   `json:"order,omitempty"`
	// NoOverlap is what an offer without a shared protocol meets: "alert", "close" or "ignored".
	NoOverlap string       `json:"no_overlap,omitempty"`
	Alert     *suite.Alert `json:"alert,omitempty"`
	Unsure    []string     `json:"unsure,omitempty"` // asked for, and each time the network failed
}

// What an offer without a shared application protocol meets.
const (
	NoOverlapAlert   = "alert"
	NoOverlapClose   = "close"
	NoOverlapIgnored = "ignored"
)

// NPNReport is ALPN's predecessor (draft-agl-tls-nextprotoneg-04).
type NPNReport struct {
	Feature
	Protocols []string `json:"protocols,omitempty"`
}

// CompressionReport is TLS compression before 1.3 (RFC 3749).
type CompressionReport struct {
	Feature
	Method string `json:"method,omitempty"` // that was chosen: deflate or lzs
}

// SessionIDReport is resumption by session id before TLS 1.3.
type SessionIDReport struct {
	Feature         // whether ids are issued
	Resumes Feature `json:"resumes"`
}

// TicketReport is resumption by ticket before TLS 1.3 (RFC 5077).
type TicketReport struct {
	Feature                 // whether tickets are issued
	LifetimeSeconds int     `json:"lifetime_seconds"` // 0: left open
	Bytes           int     `json:"bytes,omitempty"`
	Resumes         Feature `json:"resumes"`
}

// PSKReport is resumption in TLS 1.3 (RFC 8446 section 2.2).
type PSKReport struct {
	Feature                 // whether tickets are issued
	Tickets         int     `json:"tickets"`
	LifetimeSeconds int     `json:"lifetime_seconds"`
	Bytes           int     `json:"bytes,omitempty"`
	Resumes         Feature `json:"resumes"`
}

// EarlyDataReport is 0-RTT data in TLS 1.3. State says whether tickets allow it, Accepted whether a hello that
// announces it is told yes.
type EarlyDataReport struct {
	Feature
	MaxBytes uint32  `json:"max_bytes,omitempty"`
	Accepted Feature `json:"accepted"`
}

// RenegotiationReport is secure renegotiation (RFC 5746), by each way in which a client can say it.
type RenegotiationReport struct {
	Feature
	ByExtension Feature `json:"by_extension"`
	BySCSV      Feature `json:"by_scsv"`
}

// FallbackReport is whether a hello that pretends to be a fallback is refused (RFC 7507).
type FallbackReport struct {
	Feature
	Version *suite.Version `json:"version,omitempty"` // that the hello offered at most
	Alert   *suite.Alert   `json:"alert,omitempty"`
}

// RecordSizeReport is the record size limit (RFC 8449).
type RecordSizeReport struct {
	Feature
	Limit int `json:"limit,omitempty"` // bytes
}

// StaplingReport is the OCSP response that came with the certificate (RFC 6066 section 8).
type StaplingReport struct {
	Feature
	Bytes    int           `json:"bytes,omitempty"`
	Response *OCSPResponse `json:"response,omitempty"`
	Error    string        `json:"error,omitempty"` // why the response cannot be read, or is none for this certificate
}

// OCSPResponse is what an OCSP response says.
type OCSPResponse struct {
	Status           string    `json:"status"` // good, revoked, unknown
	SerialNumber     string    `json:"serial_number"`
	ProducedAt       time.Time `json:"produced_at"`
	ThisUpdate       time.Time `json:"this_update"`
	NextUpdate       time.Time `json:"next_update,omitzero"`
	RevokedAt        time.Time `json:"revoked_at,omitzero"`
	RevocationReason string    `json:"revocation_reason,omitempty"`
	Expired          bool      `json:"expired"`
	// Signature: "valid" by the issuer that was presented, "invalid", or "not-checked" where no issuer was.
	Signature string `json:"signature"`
}

// TransparencyReport is where signed certificate timestamps came from (RFC 6962 section 3.3).
type TransparencyReport struct {
	Feature
	Certificate []SCT `json:"certificate"`
	Extension   []SCT `json:"tls_extension"`
	OCSP        []SCT `json:"ocsp"`
}

// SCT is a signed certificate timestamp. Its signature is not checked.
type SCT struct {
	LogID     string    `json:"log_id"` // base64, as log lists have it
	Timestamp time.Time `json:"timestamp"`
}

// ClientCertificateReport is what the endpoint asks of clients.
type ClientCertificateReport struct {
	Feature
	Version *suite.Version `json:"version,omitempty"` // in which it was seen
	// Required is yes where a handshake without a certificate was refused.
	Required Feature `json:"required"`
	// Accepted is whether a handshake with the certificate of Options was completed; nil without one.
	Accepted    *Feature                `json:"accepted,omitempty"`
	Types       []string                `json:"types,omitempty"` // before TLS 1.3
	Schemes     []suite.SignatureScheme `json:"signature_schemes,omitempty"`
	Authorities []string                `json:"authorities,omitempty"`
}

// DHReport is one prime of the finite-field key exchange before TLS 1.3.
type DHReport struct {
	Bits      int    `json:"bits"`
	Prime     string `json:"prime"` // hexadecimal
	Generator string `json:"generator"`
	Known     string `json:"known,omitempty"`     // whose prime it is
	Safe      State  `json:"safe_prime"`          // yes: (p-1)/2 is prime too; not tested where it is very large
	Composite bool   `json:"composite,omitempty"` // it is no prime at all
	Seen      int    `json:"seen"`                // connections that showed it
}

// KeyShareReport says whether the server's half of the key exchange came twice.
type KeyShareReport struct {
	ECDHE  ReuseReport `json:"ecdhe"`
	DHE    ReuseReport `json:"dhe"`
	Hybrid ReuseReport `json:"hybrid"` // the classical half of a post-quantum hybrid
}

// ReuseReport is one kind of key exchange.
type ReuseReport struct {
	Feature
	Compared int `json:"compared"` // how many were compared
	Distinct int `json:"distinct"`
}

// HelloRetryReport is what a TLS 1.3 hello without a key share meets.
type HelloRetryReport struct {
	Feature
	Group           *suite.Group `json:"group,omitempty"`
	SessionIDEchoed bool         `json:"session_id_echoed,omitempty"`
	Cookie          bool         `json:"cookie,omitempty"`
	Completes       Feature      `json:"completes"` // whether the second hello is accepted
}

// SignatureSchemesReport is what an endpoint signs with in one version and with one kind of key.
type SignatureSchemesReport struct {
	Version suite.Version           `json:"version"`
	Key     string                  `json:"key"` // rsa, ecdsa, eddsa, dsa, other
	Schemes []suite.SignatureScheme `json:"schemes"`
	Order   policy.Order            `json:"order"`
	Unsure  []suite.SignatureScheme `json:"unsure,omitempty"`
}

// ClockReport is the server's clock, which old servers put into their random (RFC 5246 section 7.4.1.2).
type ClockReport struct {
	Feature
	SkewSeconds int `json:"skew_seconds"` // the server's clock less ours
	Samples     int `json:"samples"`
}

// ServerNameReport is what different server names meet.
type ServerNameReport struct {
	Version *suite.Version     `json:"version,omitempty"`
	Answers []ServerNameAnswer `json:"answers"`
	// Required is yes where a hello without a name is refused that is accepted with it; RefusesUnknown likewise.
	Required       Feature `json:"required"`
	RefusesUnknown Feature `json:"refuses_unknown"`
	// DefaultDiffers is yes where no name gets another certificate than the right one.
	DefaultDiffers Feature `json:"default_certificate_differs"`
	CaseSensitive  Feature `json:"case_sensitive"`
}

// ServerNameAnswer is what one server name met.
type ServerNameAnswer struct {
	Case         string       `json:"case"` // none, given, unknown, upper-case
	Name         string       `json:"name,omitempty"`
	Accepted     bool         `json:"accepted"`
	Answer       string       `json:"answer"`                // server-hello, alert, close, reset, timeout …
	Alert        *suite.Alert `json:"alert,omitempty"`       // of a refusal
	Warning      *suite.Alert `json:"warning,omitempty"`     // that came with an acceptance
	Acknowledged bool         `json:"acknowledged"`          // the extension came back, as RFC 6066 section 3 wants it of a server that used the name
	Certificate  string       `json:"certificate,omitempty"` // SHA-256 fingerprint
}
