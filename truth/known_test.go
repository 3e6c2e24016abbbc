package truth

import "strings"

// knownMistakes are what the scanner is known to get wrong, by endpoint: how the mistake's text begins. The test
// fails when one of them is made no more, so that the list stays true. It is to be emptied.
var knownMistakes = map[string][]string{
	// Groups before TLS 1.3 are asked for with an RSA certificate only.
	"openssl-3.0-all-ecdsa": {"before TLSv1.3 groups missing: secp384r1, secp256r1, x448"},
	"openssl-3.0-anonymous": {"before TLSv1.3 groups missing: x25519, secp256r1"},
	"gnutls-client-order":   {"before TLSv1.3 groups missing: x25519, secp256r1, x448"},
	"haproxy-client-order":  {"before TLSv1.3 groups missing: secp384r1, x25519, secp256r1"},
	"java-all-ecdsa-dsa": {
		"before TLSv1.3 groups missing: secp384r1, x25519, ffdhe2048, secp256r1, x448",
		// Suites with elliptic curves are not asked for in SSLv3.
		"SSLv3 suites missing: ",
		// The server chooses them and then sends an alert in place of its key exchange.
		"TLSv1.1 suites invented: DHE-DSS-", "TLSv1.0 suites invented: DHE-DSS-", "SSLv3 suites invented: DHE-DSS-",
	},
	// Finite fields are not asked for before TLS 1.3.
	"gnutls-all":   {"before TLSv1.3 groups missing: ffdhe3072, ffdhe2048"},
	"gnutls-ffdhe": {"before TLSv1.3 groups missing: ffdhe3072, ffdhe2048"},
	"java-all-rsa": {"before TLSv1.3 groups missing: ffdhe2048", "SSLv3 suites missing: "},
	// Suites that TLS 1.2 took out are not asked for in it.
	"node-0.10.1":         {"TLSv1.2 suites missing: DES-CBC-SHA, IDEA-CBC-SHA", "SSLv2 missing (it says so"},
	"node-0.12":           {"TLSv1.2 suites missing: IDEA-CBC-SHA", "SSLv3 suites missing: ECDHE-RSA-NULL-SHA"},
	"node-8-client-order": {"TLSv1.2 suites missing: IDEA-CBC-SHA"},
	// Go moves ChaCha20 up when the client's first suite is not with AES-GCM, which a reversed list is taken to prove the client's order by.
	"go-all": {`TLSv1.2 suites: order is "client", want "server"`},
	// A refusal of more than 16 suites is taken for a refusal of each.
	"front-16-suites-alert": {"TLSv1.3 missing", "TLSv1.2 missing", "TLSv1.3 groups missing", "before TLSv1.3 groups missing"},
	"front-16-suites-close": {"TLSv1.3 missing", "TLSv1.2 missing", "TLSv1.3 groups missing", "before TLSv1.3 groups missing"},
}

// known finds the entry that stands for a mistake, "" if there is none.
func known(endpoint string, m mistake) string {
	for _, k := range knownMistakes[endpoint] {
		if strings.HasPrefix(string(m), k) {
			return k
		}
	}
	return ""
}
