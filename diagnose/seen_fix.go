package diagnose

import (
	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/negotiate"
)

// Fixes say what to do about the likeliest cause, where that does not hang on what else the server accepts: what to change
// in a hello or a policy is for a live diagnosis to find.
func Fixes(causes []Cause) []Fix {
	if len(causes) == 0 {
		return nil
	}
	k := causes[0]
	on := func(side, summary string) []Fix { return []Fix{{Side: side, Summary: summary, Commands: []string{}}} }
	switch k.ID {
	case cause.CertificateExpired, cause.CertificateNameMismatch, cause.CertificateUntrusted, cause.CertificateChainIncomplete, cause.WeakCertificateKey:
		if k.ID == cause.CertificateNameMismatch && len(k.ClientSet) == 0 {
			return on(SideCertificate, "Use a certificate that names what the client asks for, or connect by a name that is in it")
		}
		return []Fix{identityFix(negotiate.Reason{Cause: k.ID, Client: k.ClientSet, Server: k.ServerSet})}
	case cause.ClientCertificateRequired:
		return append(on(SideClient, "Give the client a certificate that the server trusts (mutual TLS)"), on(SideLoadBalancer, "Do not demand a client certificate")...)
	case cause.ClientCertificateRejected:
		return append(on(SideClient, "Use a client certificate of an issuer that the server trusts, valid and meant for client authentication"),
			on(SideLoadBalancer, "Add the issuer of the client's certificate to the trust store")...)
	case cause.PlainHTTPOnTLSPort:
		return append(on(SideClient, "Use the port of the TLS listener, or http://"), on(SideLoadBalancer, "Make the listener one of HTTPS or TLS")...)
	case cause.HTTPSentToTLS:
		return on(SideClient, "Use https:// in the client's URL")
	case cause.TLSOnSTARTTLSPort:
		return on(SideClient, "Begin in plaintext and upgrade by STARTTLS, or use the port where TLS comes first")
	case cause.LegacyRenegotiationDisabled:
		return append(on(SideClient, "Allow legacy servers (OpenSSL: the option UnsafeLegacyServerConnect), which gives up the protection of RFC 5746"),
			on(SideLoadBalancer, "Update the server to one with secure renegotiation (RFC 5746)")...)
	case cause.WeakDHParameters:
		return on(SideLoadBalancer, "Use a DH group of 2048 bits, or prefer ECDHE suites")
	case cause.DNSFailure:
		return on(SideNetwork, "Check the name, and the resolver that the client uses")
	case cause.ConnectionRefused:
		return on(SideNetwork, "Check the port, and that something listens there")
	case cause.ConnectionTimeout:
		return on(SideNetwork, "Check security groups, network ACLs and routes between the two")
	}
	return nil
}
