package hello

import (
	"fmt"

	"github.com/parley-tls/parley/suite"
)

// Extension types that the code refers to by name (IANA, TLS ExtensionType Values).
const (
	ExtServerName           = 0
	ExtMaxFragmentLength    = 1
	ExtStatusRequest        = 5
	ExtSupportedGroups      = 10
	ExtPointFormats         = 11
	ExtSignatureAlgorithms  = 13
	ExtHeartbeat            = 15
	ExtALPN                 = 16
	ExtSCT                  = 18
	ExtPadding              = 21
	ExtEncryptThenMAC       = 22
	ExtExtendedMasterSecret = 23
	ExtCompressCertificate  = 27
	ExtRecordSizeLimit      = 28
	ExtDelegatedCredentials = 34
	ExtSessionTicket        = 35
	ExtPreSharedKey         = 41
	ExtEarlyData            = 42
	ExtSupportedVersions    = 43
	ExtCookie               = 44
	ExtPSKModes             = 45
	ExtCertAuthorities      = 47
	ExtPostHandshakeAuth    = 49
	ExtSignatureAlgsCert    = 50
	ExtKeyShare             = 51
	ExtNPN                  = 13172
	ExtApplicationSettings  = 17513
	ExtChannelID            = 30032
	ExtECH                  = 65037
	ExtRenegotiationInfo    = 65281

	extStatusRequestV2        = 17    // RFC 6961
	extNewApplicationSettings = 17613 // application_settings since Chrome 133
	extOldChannelID           = 30031
)

var extensionNames = map[uint16]string{
	0: "server_name", 1: "max_fragment_length", 2: "client_certificate_url", 3: "trusted_ca_keys", 4: "truncated_hmac",
	5: "status_request", 6: "user_mapping", 7: "client_authz", 8: "server_authz", 9: "cert_type", 10: "supported_groups",
	11: "ec_point_formats", 12: "srp", 13: "signature_algorithms", 14: "use_srtp", 15: "heartbeat",
	16: "application_layer_protocol_negotiation", 17: "status_request_v2", 18: "signed_certificate_timestamp",
	19: "client_certificate_type", 20: "server_certificate_type", 21: "padding", 22: "encrypt_then_mac",
	23: "extended_master_secret", 24: "token_binding", 25: "cached_info", 27: "compress_certificate",
	28: "record_size_limit", 34: "delegated_credential", 35: "session_ticket", 41: "pre_shared_key", 42: "early_data",
	43: "supported_versions", 44: "cookie", 45: "psk_key_exchange_modes", 47: "certificate_authorities",
	48: "oid_filters", 49: "post_handshake_auth", 50: "signature_algorithms_cert", 51: "key_share",
	52: "transparency_info", 57: "quic_transport_parameters", 58: "ticket_request", 13172: "next_protocol_negotiation",
	17513: "application_settings", 17613: "application_settings (new)", 30031: "channel_id (old)", 30032: "channel_id",
	65037: "encrypted_client_hello", 65281: "renegotiation_info",
}

// ExtensionName returns IANA's name of an extension, or its number where there is none.
func ExtensionName(t uint16) string {
	if n, ok := extensionNames[t]; ok {
		return n
	}
	if suite.IsGREASE(t) {
		return fmt.Sprintf("GREASE (0x%04X)", t)
	}
	return fmt.Sprintf("extension %d", t)
}
