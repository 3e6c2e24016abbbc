package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/suite"
)

// spoken is a version as people say it: TLS 1.2, not TLSv1.2.
func spoken(v suite.Version) string {
	return strings.Replace(strings.Replace(v.String(), "TLSv", "TLS ", 1), "SSLv", "SSL ", 1)
}

// enumerate joins words as in a sentence: a, b and c.
func enumerate(words []string) string {
	switch n := len(words); n {
	case 0:
		return "none"
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
}

// some joins at most n words and counts the rest.
func some(words []string, n int) string {
	if len(words) <= n {
		return enumerate(words)
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:n], ", "), len(words)-n)
}

func versionWords(vs []suite.Version) string {
	vs = slices.Clone(vs)
	slices.Sort(vs)
	words := make([]string, len(vs))
	for i, v := range vs {
		words[i] = spoken(v)
	}
	return enumerate(words)
}

// plural returns "1 suite" or "3 suites".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// sentence says why the handshake fails, in words a person understands. who is the client's name, what
// the server's: "the listener", "the policy".
func sentence(who, what string, o *hello.Offer, accepted []suite.Version, r negotiate.Reason) string {
	switch r.Cause {
	case cause.NoCommonVersion:
		return versionSentence(who, what, o, accepted)
	case cause.NoCommonCipher:
		in := ""
		if r.Version != 0 {
			in = " in " + spoken(r.Version)
		}
		return fmt.Sprintf("%s offers %s%s (%s); %s accepts none of them", who,
			plural(len(r.Client), "cipher suite"), in, some(r.Client, 3), what)
	case cause.CipherNeedsOtherCertificate:
		return fmt.Sprintf("%s and %s share cipher suites (%s), but none that %s certificate can serve", who, what,
			some(r.Client, 3), possessive(what))
	case cause.NoCommonGroup:
		return fmt.Sprintf("%s offers the groups %s; %s accepts %s", who, some(r.Client, 4), what, some(r.Server, 4))
	case cause.NoCommonSignatureAlgorithm:
		return fmt.Sprintf("%s accepts the signature schemes %s; the certificate can sign with %s only", who,
			some(r.Client, 4), some(r.Server, 4))
	case cause.SNIRequired:
		return fmt.Sprintf("%s sends no server_name (SNI); %s refuses a hello without it", who, what)
	case cause.SNIUnknown:
		return fmt.Sprintf("%s asks for the name %s; %s has no certificate for it and refuses", who, some(r.Client, 1), what)
	case cause.NoCommonALPN:
		return fmt.Sprintf("%s offers the application protocols %s; %s knows %s and refuses the rest", who,
			enumerate(r.Client), what, enumerate(r.Server))
	case cause.InappropriateFallback:
		return fmt.Sprintf("%s retries with a lowered version and says so (TLS_FALLBACK_SCSV); %s supports a higher one and refuses", who, what)
	case cause.ExtendedMasterSecretRequired:
		return fmt.Sprintf("%s demands extended_master_secret (RFC 7627); the other side lacks it", demander(r, who, what))
	case cause.LegacyRenegotiationDisabled:
		return fmt.Sprintf("%s demands secure renegotiation (RFC 5746); the other side lacks it", demander(r, who, what))
	case cause.SSLv2HelloRefused:
		return fmt.Sprintf("%s opens with an SSLv2-format hello; %s refuses it", who, what)
	case cause.WeakDHParameters:
		return fmt.Sprintf("%s refuses the server's DH group: %s", who, enumerate(r.Server))
	case cause.HandshakeSignatureRefused:
		return fmt.Sprintf("%s refuses the signature of the handshake: %s", who, enumerate(r.Server))
	case cause.WeakCertificateKey:
		return fmt.Sprintf("%s refuses the certificate: %s, and it demands %s", who, enumerate(r.Server), enumerate(r.Client))
	case cause.CertificateExpired:
		return fmt.Sprintf("the certificate is outside its validity: %s", enumerate(r.Server))
	case cause.CertificateNameMismatch:
		return fmt.Sprintf("%s asks for %s; the certificate is for %s", who, enumerate(r.Client), some(r.Server, 3))
	case cause.CertificateUntrusted:
		return fmt.Sprintf("%s does not trust the issuer: %s", who, enumerate(r.Server))
	case cause.CertificateChainIncomplete:
		return fmt.Sprintf("the server leaves out an intermediate certificate: %s", enumerate(r.Server))
	case cause.ProtocolViolation:
		return fmt.Sprintf("one side breaks the protocol: %s", enumerate(r.Server))
	}
	if c, ok := cause.Lookup(r.Cause); ok {
		return c.Condition
	}
	return "the evidence does not decide"
}

func demander(r negotiate.Reason, who, what string) string {
	if r.By == "client" {
		return who
	}
	return what
}

func possessive(what string) string {
	if strings.HasPrefix(what, "the ") {
		return what + "'s"
	}
	return "its"
}

// versionSentence says which of the two ends of the ranges fail to meet.
func versionSentence(who, what string, o *hello.Offer, accepted []suite.Version) string {
	if len(o.Versions) == 0 || len(accepted) == 0 {
		return fmt.Sprintf("%s and %s share no protocol version", who, what)
	}
	top, low := slices.Max(o.Versions), slices.Min(o.Versions)
	if o.Accepts.MinVersion > low {
		low = o.Accepts.MinVersion
	}
	switch {
	case top < slices.Min(accepted):
		return fmt.Sprintf("%s offers %s at most; %s accepts %s", who, spoken(top), what, versionWords(accepted))
	case low > slices.Max(accepted):
		return fmt.Sprintf("%s demands at least %s; %s accepts %s", who, spoken(low), what, versionWords(accepted))
	}
	return fmt.Sprintf("%s offers %s; %s accepts %s", who, versionWords(o.Versions), what, versionWords(accepted))
}
