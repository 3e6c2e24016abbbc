package truth

import "strings"

// knownMistakes are what the scanner is known to get wrong, by endpoint: how the mistake's text begins. The test
// fails when one of them is made no more, so that the list stays true. It is to be emptied.
var knownMistakes = map[string][]string{
	// Finite fields are not asked for before TLS 1.3.
	"java-all-ecdsa-dsa": {"before TLSv1.3 groups missing: ffdhe2048"},
	"java-all-rsa":       {"before TLSv1.3 groups missing: ffdhe2048"},
	"gnutls-all":         {"before TLSv1.3 groups missing: ffdhe3072, ffdhe2048"},
	"gnutls-ffdhe":       {"before TLSv1.3 groups missing: ffdhe3072, ffdhe2048"},
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
