package truth

import "strings"

// knownMistakes are what the scanner is known to get wrong, by endpoint: how the mistake's text begins. The test
// fails when one of them is made no more, so that the list stays true. It is to be emptied.
var knownMistakes = map[string][]string{
	// Groups before TLS 1.3 are asked for with an RSA certificate only.
	"openssl-3.0-all-ecdsa": {"before TLSv1.3 groups missing: secp384r1, secp256r1, x448"},
	"openssl-3.0-anonymous": {"before TLSv1.3 groups missing: x25519, secp256r1"},
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
