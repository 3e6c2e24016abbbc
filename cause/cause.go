// Package cause lists the reasons for which a client and a load balancer fail to agree on TLS. The
// ids are a public interface: they never change meaning.
package cause

// ID names a cause, as in "no-common-cipher".
type ID string

// Stage says how far the connection came before the cause struck.
type Stage string

// The stages in the order in which a connection passes them.
const (
	Local       Stage = "local"
	Network     Stage = "network"
	Hello       Stage = "hello"
	KeyExchange Stage = "key-exchange"
	Certificate Stage = "certificate"
	ClientAuth  Stage = "client-auth"
	Session     Stage = "session"
	Any         Stage = "any"
)

// The ids.
const (
	ClientLacksCipher            ID = "client-lacks-cipher"
	ClientLacksProtocol          ID = "client-lacks-protocol"
	ClientBadConfig              ID = "client-bad-config"
	DNSFailure                   ID = "dns-failure"
	ConnectionRefused            ID = "connection-refused"
	ConnectionTimeout            ID = "connection-timeout"
	ConnectionReset              ID = "connection-reset"
	PlainHTTPOnTLSPort           ID = "plain-http-on-tls-port"
	TLSOnSTARTTLSPort            ID = "tls-on-starttls-port"
	HTTPSentToTLS                ID = "http-sent-to-tls"
	NotTLS                       ID = "not-tls"
	MiddleboxInterference        ID = "middlebox-interference"
	LargeHelloDropped            ID = "large-hello-dropped"
	MTUBlackhole                 ID = "mtu-blackhole"
	NoCommonVersion              ID = "no-common-version"
	NoCommonCipher               ID = "no-common-cipher"
	CipherNeedsOtherCertificate  ID = "cipher-needs-other-certificate"
	NoCommonGroup                ID = "no-common-group"
	NoCommonSignatureAlgorithm   ID = "no-common-signature-algorithm"
	SNIRequired                  ID = "sni-required"
	SNIUnknown                   ID = "sni-unknown"
	NoCommonALPN                 ID = "no-common-alpn"
	InappropriateFallback        ID = "inappropriate-fallback"
	VersionIntolerance           ID = "version-intolerance"
	ExtensionIntolerance         ID = "extension-intolerance"
	HelloSizeIntolerance         ID = "hello-size-intolerance"
	SSLv2HelloRefused            ID = "sslv2-hello-refused"
	ExtendedMasterSecretRequired ID = "extended-master-secret-required"
	LegacyRenegotiationDisabled  ID = "legacy-renegotiation-disabled"
	WeakDHParameters             ID = "weak-dh-parameters"
	HandshakeSignatureRefused    ID = "handshake-signature-refused"
	WeakCertificateKey           ID = "weak-certificate-key"
	CertificateExpired           ID = "certificate-expired"
	CertificateNameMismatch      ID = "certificate-name-mismatch"
	CertificateUntrusted         ID = "certificate-untrusted"
	CertificateChainIncomplete   ID = "certificate-chain-incomplete"
	CertificateRevoked           ID = "certificate-revoked"
	ClientCertificateRequired    ID = "client-certificate-required"
	ClientCertificateRejected    ID = "client-certificate-rejected"
	ProtocolViolation            ID = "protocol-violation"
	SessionResumptionFailure     ID = "session-resumption-failure"
	ClosedAfterHandshake         ID = "closed-after-handshake"
	TargetTLSFailure             ID = "target-tls-failure"
	Unknown                      ID = "unknown"
)

// Cause is one row of the table.
type Cause struct {
	ID        ID
	Stage     Stage
	Condition string // what is true when the cause holds, in one sentence
}

// All lists the causes by stage.
var All = []Cause{
	{ClientLacksCipher, Local, "The client's own library has none of the ciphers it was told to use (`no ciphers available`); the load balancer was never contacted"},
	{ClientLacksProtocol, Local, "The client's own library or its configuration (crypto policy, SECLEVEL, FIPS, disabledAlgorithms) has no enabled protocol in the range it was told to use"},
	{ClientBadConfig, Local, "Malformed cipher string, unreadable key or trust store, bad option"},
	{DNSFailure, Network, "The name does not resolve"},
	{ConnectionRefused, Network, "RST on connect: no listener on that port"},
	{ConnectionTimeout, Network, "No answer to SYN: security group, network ACL, route, target down"},
	{ConnectionReset, Network, "Reset or close after ClientHello with no alert, and no better cause proved"},
	{PlainHTTPOnTLSPort, Network, "The server answers TLS with plaintext HTTP: the listener is HTTP, or the port is wrong"},
	{TLSOnSTARTTLSPort, Network, "The service speaks plaintext first (SMTP, IMAP, PostgreSQL, MySQL, LDAP, FTP, …) and upgrades"},
	{HTTPSentToTLS, Network, "The client sent plaintext HTTP to a TLS listener"},
	{NotTLS, Network, "The peer speaks some other protocol (SSH, …)"},
	{MiddleboxInterference, Network, "An inspecting proxy or firewall answers in place of, or alters, the handshake"},
	{LargeHelloDropped, Network, "A ClientHello over one TCP segment or record (post-quantum key share) is dropped or refused, a small one passes"},
	{MTUBlackhole, Network, "The handshake stalls after ServerHello starts: large packets are lost"},
	{NoCommonVersion, Hello, "Highest client version is below the policy's lowest, or the other way round"},
	{NoCommonCipher, Hello, "Versions overlap, no suite is in both lists for that version"},
	{CipherNeedsOtherCertificate, Hello, "Suites overlap, but none that the certificate's key type can authenticate (RSA against ECDSA)"},
	{NoCommonGroup, Hello, "Suites overlap, but only with (EC)DHE and no common group or key share"},
	{NoCommonSignatureAlgorithm, Hello, "No signature scheme that both allow for this certificate and version"},
	{SNIRequired, Hello, "Fails without server_name, works with it"},
	{SNIUnknown, Hello, "Fails (unrecognized_name or reset) or gets another certificate because of the name sent"},
	{NoCommonALPN, Hello, "no_application_protocol"},
	{InappropriateFallback, Hello, "TLS_FALLBACK_SCSV with a version below the server's best"},
	{VersionIntolerance, Hello, "The server breaks on a version number or on supported_versions, instead of negotiating down"},
	{ExtensionIntolerance, Hello, "The server breaks on an extension or a GREASE value"},
	{HelloSizeIntolerance, Hello, "The server breaks on a hello in a size range or with too many suites"},
	{SSLv2HelloRefused, Hello, "The client opens with an SSLv2-format hello"},
	{ExtendedMasterSecretRequired, Hello, "One side demands extended_master_secret, the other lacks it"},
	{LegacyRenegotiationDisabled, Hello, "Secure renegotiation (RFC 5746) missing on one side and demanded by the other, or renegotiation refused"},
	{WeakDHParameters, KeyExchange, "The client refuses a small DH group"},
	{HandshakeSignatureRefused, KeyExchange, "The client refuses the signature or its digest (SECLEVEL, SHA-1)"},
	{WeakCertificateKey, Certificate, "The client refuses a small key or an old digest in the chain"},
	{CertificateExpired, Certificate, "Outside its validity (or the client's clock is wrong)"},
	{CertificateNameMismatch, Certificate, "The name is not in the certificate"},
	{CertificateUntrusted, Certificate, "Root unknown to the client, or self-signed"},
	{CertificateChainIncomplete, Certificate, "An intermediate is missing"},
	{CertificateRevoked, Certificate, "Revoked"},
	{ClientCertificateRequired, ClientAuth, "Mutual TLS: none was sent"},
	{ClientCertificateRejected, ClientAuth, "Mutual TLS: sent and refused (untrusted, expired, wrong usage)"},
	{ProtocolViolation, Hello, "One side broke the protocol (decode_error, illegal_parameter, unexpected_message, bad_record_mac), and no better cause is proved"},
	{SessionResumptionFailure, Session, "Fails with a ticket or session id, works without"},
	{ClosedAfterHandshake, Session, "The handshake ended well; the connection was closed later (idle timeout, target side, HTTP error): not a negotiation error"},
	{TargetTLSFailure, Session, "The load balancer's own TLS to its target fails (502): not the client's negotiation"},
	{Unknown, Any, "The evidence does not decide; the report says what would"},
}

// Lookup returns the row of id, or false if there is no such cause.
func Lookup(id ID) (Cause, bool) {
	for _, c := range All {
		if c.ID == id {
			return c, true
		}
	}
	return Cause{}, false
}

// Stage returns the stage of id, or Any for an id that is not in the table.
func (id ID) Stage() Stage {
	if c, ok := Lookup(id); ok {
		return c.Stage
	}
	return Any
}
