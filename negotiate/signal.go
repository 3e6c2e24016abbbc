package negotiate

import (
	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// signals is what each kind of server sends when it refuses. A test measures OpenSSL, Go and GnuTLS again.
var signals = map[policy.Engine]map[cause.ID]Signal{
	policy.EngineOpenSSL: {
		cause.NoCommonVersion:              {Alert: suite.AlertProtocolVersion, Source: "measured: OpenSSL 3.0"},
		cause.NoCommonCipher:               {Alert: suite.AlertHandshakeFailure, Source: "measured: OpenSSL 3.0"},
		cause.CipherNeedsOtherCertificate:  {Alert: suite.AlertHandshakeFailure, Source: "measured: OpenSSL 3.0"},
		cause.NoCommonGroup:                {Alert: suite.AlertHandshakeFailure, Source: "measured: OpenSSL 3.0"},
		cause.NoCommonSignatureAlgorithm:   {Alert: suite.AlertHandshakeFailure, Source: "measured: OpenSSL 3.0"},
		cause.NoCommonALPN:                 {Alert: suite.AlertNoApplicationProtocol, Source: "RFC 7301 section 3.2"},
		cause.InappropriateFallback:        {Alert: suite.AlertInappropriateFallback, Source: "measured: OpenSSL 3.0"},
		cause.LegacyRenegotiationDisabled:  {Alert: suite.AlertHandshakeFailure, Source: "RFC 5746 section 3.6"},
		cause.ExtendedMasterSecretRequired: {Alert: suite.AlertHandshakeFailure, Source: "RFC 7627 section 5.2"},
	},
	policy.EngineS2N: {
		cause.NoCommonVersion:             {Alert: suite.AlertProtocolVersion, Source: "s2n-tls source: s2n_client_hello.c"},
		cause.NoCommonCipher:              {Close: true, Source: "s2n-tls source: no alert for a failed cipher choice"},
		cause.CipherNeedsOtherCertificate: {Close: true, Source: "s2n-tls source: no alert for a failed cipher choice"},
		cause.NoCommonGroup:               {Close: true, Source: "s2n-tls source"},
		cause.NoCommonSignatureAlgorithm:  {Close: true, Source: "s2n-tls source"},
		cause.InappropriateFallback:       {Close: true, Source: "s2n-tls source; a public scan of 2017 saw inappropriate_fallback"},
	},
	policy.EngineGo: {
		cause.NoCommonVersion:             {Alert: suite.AlertProtocolVersion, Source: "measured: Go 1.26"},
		cause.NoCommonCipher:              {Alert: suite.AlertHandshakeFailure, Source: "measured: Go 1.26"},
		cause.CipherNeedsOtherCertificate: {Alert: suite.AlertHandshakeFailure, Source: "measured: Go 1.26"},
		cause.NoCommonGroup:               {Alert: suite.AlertHandshakeFailure, Source: "measured: Go 1.26"},
		cause.NoCommonSignatureAlgorithm:  {Alert: suite.AlertHandshakeFailure, Source: "measured: Go 1.26"},
		cause.NoCommonALPN:                {Alert: suite.AlertNoApplicationProtocol, Source: "crypto/tls: negotiateALPN"},
		cause.InappropriateFallback:       {Alert: suite.AlertInappropriateFallback, Source: "crypto/tls: handshake_server.go"},
		cause.SSLv2HelloRefused:           {Alert: suite.AlertProtocolVersion, Source: "crypto/tls: readRecord sends protocol_version to an unsupported SSLv2 hello"},
	},
	policy.EngineGnuTLS: {
		cause.NoCommonVersion:             {Alert: suite.AlertProtocolVersion, Source: "measured: GnuTLS 3.7"},
		cause.NoCommonCipher:              {Alert: suite.AlertHandshakeFailure, Source: "measured: GnuTLS 3.7"},
		cause.CipherNeedsOtherCertificate: {Alert: suite.AlertHandshakeFailure, Source: "measured: GnuTLS 3.7"},
		cause.NoCommonGroup:               {Alert: suite.AlertHandshakeFailure, Source: "measured: GnuTLS 3.7"},
		cause.InappropriateFallback:       {Alert: suite.AlertInappropriateFallback, Source: "RFC 7507"},
	},
	policy.EngineBoringSSL: {
		cause.NoCommonVersion:            {Alert: suite.AlertProtocolVersion, Source: "BoringSSL source: ssl_negotiate_version"},
		cause.NoCommonCipher:             {Alert: suite.AlertHandshakeFailure, Source: "BoringSSL source: handshake_server.cc"},
		cause.NoCommonGroup:              {Alert: suite.AlertHandshakeFailure, Source: "BoringSSL source"},
		cause.NoCommonSignatureAlgorithm: {Alert: suite.AlertHandshakeFailure, Source: "BoringSSL source: tls1_choose_signature_algorithm"},
		cause.InappropriateFallback:      {Alert: suite.AlertInappropriateFallback, Source: "RFC 7507"},
	},
	policy.EngineJSSE: {
		cause.NoCommonVersion:             {Alert: suite.AlertProtocolVersion, Source: "OpenJDK source: ClientHello.java"},
		cause.NoCommonCipher:              {Alert: suite.AlertHandshakeFailure, Source: "OpenJDK source: ServerHello.java"},
		cause.CipherNeedsOtherCertificate: {Alert: suite.AlertHandshakeFailure, Source: "OpenJDK source: ServerHello.java"},
		cause.NoCommonGroup:               {Alert: suite.AlertHandshakeFailure, Source: "OpenJDK source: ServerHello.java"},
		cause.NoCommonSignatureAlgorithm:  {Alert: suite.AlertHandshakeFailure, Source: "OpenJDK source"},
		cause.NoCommonALPN:                {Alert: suite.AlertNoApplicationProtocol, Source: "OpenJDK source: AlpnExtension.java"},
	},
	policy.EngineSchannel: {
		cause.NoCommonVersion: {Reset: true, Source: "public reports: Schannel closes with a reset (event 36874)"},
		cause.NoCommonCipher:  {Reset: true, Source: "public reports: Schannel closes with a reset (event 36874)"},
	},
	policy.EngineClassic: {
		cause.NoCommonVersion: {Reset: true, Source: "a public report: reset without an alert for a version that the policy lacks"},
		cause.NoCommonCipher:  {Alert: suite.AlertHandshakeFailure, Source: "public scans"},
	},
}

// SignalOf returns what a server of kind e sends when it refuses for cause id; the zero Signal means that
// it is not known.
func SignalOf(e policy.Engine, id cause.ID) Signal { return signals[e][id] }
