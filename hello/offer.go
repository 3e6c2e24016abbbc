package hello

import "github.com/parley-tls/parley/suite"

// Offer is what a client proposes, and what it will accept in return. It comes from the bytes of a
// ClientHello, from a client profile or from a cipher string; Source says which.
//
// GREASE values (RFC 8701) and signalling suites are not in the lists: the flags hold what they say.
// A nil list with its Has flag false means that the extension was not sent.
type Offer struct {
	Versions       []suite.Version         `json:"versions"` // highest first
	Suites         []suite.Code            `json:"suites"`   // in the client's order
	HasGroups      bool                    `json:"-"`
	Groups         []suite.Group           `json:"groups,omitempty"`     // in the client's order
	KeyShares      []suite.Group           `json:"key_shares,omitempty"` // groups with a key share in the first ClientHello
	HasSchemes     bool                    `json:"-"`
	Schemes        []suite.SignatureScheme `json:"signature_schemes,omitempty"`
	CertSchemes    []suite.SignatureScheme `json:"signature_schemes_cert,omitempty"` // nil: Schemes holds for certificates too
	ALPN           []string                `json:"alpn,omitempty"`
	ServerName     string                  `json:"server_name,omitempty"` // empty: no server_name extension
	Extensions     []uint16                `json:"extensions,omitempty"`  // present, in wire order, GREASE left out
	PointFormats   []byte                  `json:"-"`
	Compression    []byte                  `json:"-"`
	FallbackSCSV   bool                    `json:"fallback_scsv,omitempty"`
	SecureReneg    bool                    `json:"secure_renegotiation"` // RFC 5746, by extension or SCSV
	ExtendedMaster bool                    `json:"extended_master_secret"`
	EncryptThenMAC bool                    `json:"encrypt_then_mac"`
	SessionTicket  bool                    `json:"session_ticket"`
	PSKModes       []byte                  `json:"-"` // psk_key_exchange_modes, nil if absent
	PreSharedKey   bool                    `json:"-"`
	GREASE         bool                    `json:"grease,omitempty"`
	SSLv2Format    bool                    `json:"sslv2_format,omitempty"` // the hello is in the SSLv2 record format
	WireSize       int                     `json:"wire_size,omitempty"`    // bytes of the ClientHello with record headers; 0 if unknown
	Accepts        Rules                   `json:"accepts"`
	Source         Source                  `json:"source"`
}

// Source says where an offer came from.
type Source struct {
	Kind string `json:"kind"` // "hello", "profile", "ciphers"
	Name string `json:"name"` // profile name, cipher string, file name
}

// Rules are what a client demands of the answer and that no ClientHello shows. The zero value demands
// nothing and knows nothing: Known is false when only the bytes of a hello are at hand.
type Rules struct {
	Known               bool          `json:"known"`
	MinVersion          suite.Version `json:"min_version,omitempty"` // refuses a ServerHello below it
	MinRSABits          int           `json:"min_rsa_bits,omitempty"`
	MinECBits           int           `json:"min_ec_bits,omitempty"`
	MinDHBits           int           `json:"min_dh_bits,omitempty"`        // refuses smaller DHE groups
	MaxDHBits           int           `json:"max_dh_bits,omitempty"`        // cannot use larger DHE groups (Java 6 and 7: 1024)
	RefusedDigests      []string      `json:"refused_digests,omitempty"`    // in certificate signatures: MD5, SHA1
	RefusedSigDigests   []string      `json:"refused_signatures,omitempty"` // in handshake signatures: MD5, SHA1
	RequiresSecureReneg bool          `json:"requires_secure_renegotiation,omitempty"`
	RequiresExtendedMS  bool          `json:"requires_extended_master_secret,omitempty"`
	RequiresALPN        bool          `json:"requires_alpn,omitempty"` // gives up when the server answers without ALPN (gRPC)
	ChecksName          bool          `json:"checks_name,omitempty"`
	IgnoresTrust        bool          `json:"ignores_trust,omitempty"`
	CertificateCurves   []suite.Group `json:"certificate_curves,omitempty"` // curves of certificate keys it can verify; nil: as Groups
	// CurveInGroups: before TLS 1.3 refuses an ECDSA certificate on a curve that its own supported_groups
	// lack (OpenSSL does; servers that ignore the extension send such certificates).
	CurveInGroups bool `json:"certificate_curve_in_groups,omitempty"`
	// ChecksDowngrade: as a client that retries with TLS_FALLBACK_SCSV, gives up when the server marks its
	// random as a downgrade (RFC 8446 section 4.1.3). It matters with servers that ignore the SCSV.
	ChecksDowngrade bool         `json:"checks_downgrade,omitempty"`
	RefusedSuites   []suite.Code `json:"-"`
}
