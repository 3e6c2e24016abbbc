package vuln

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"strings"
	"sync"
)

//go:embed primes.tsv
var primesTSV string

// prime is a Diffie-Hellman prime that many servers share.
type prime struct {
	name, source string
	value        []byte // big-endian, without leading zeros
}

// primes reads primes.tsv: name, source, value in hexadecimal.
var primes = sync.OnceValue(func() []prime {
	var l []prime
	for line := range strings.Lines(primesTSV) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || len(f) != 3 {
			continue
		}
		value, err := hex.DecodeString(f[2])
		if err != nil {
			panic("vuln: primes.tsv: " + err.Error())
		}
		l = append(l, prime{f[0], f[1], value})
	}
	return l
})

// knownPrime names the prime, "" if it is none that is known to be shared.
func knownPrime(p []byte) string {
	p = bytes.TrimLeft(p, "\x00")
	for _, k := range primes() {
		if bytes.Equal(k.value, p) {
			return k.name
		}
	}
	return ""
}
