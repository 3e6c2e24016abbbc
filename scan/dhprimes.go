package scan

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
)

//go:embed dhprimes.txt
var dhPrimesText string

// knownPrime is a Diffie-Hellman prime that many servers share.
type knownPrime struct {
	name, source string
	prime        []byte // big-endian, no leading zeros
}

// knownPrimes reads the list.
var knownPrimes = sync.OnceValue(func() []knownPrime {
	var l []knownPrime
	for block := range strings.SplitSeq(dhPrimesText, "\n\n") {
		var k knownPrime
		var digits strings.Builder
		for line := range strings.Lines(block) {
			line = strings.TrimSpace(line)
			name, isName := strings.CutPrefix(line, "name: ")
			source, isSource := strings.CutPrefix(line, "source: ")
			switch {
			case strings.HasPrefix(line, "#"):
			case isName:
				k.name = name
			case isSource:
				k.source = source
			default:
				digits.WriteString(line)
			}
		}
		if digits.Len() == 0 {
			continue // the remark at the beginning
		}
		var err error
		if k.prime, err = hex.DecodeString(digits.String()); err != nil {
			panic(fmt.Sprintf("scan: dhprimes.txt: %s: %v", k.name, err)) // the file is ours
		}
		l = append(l, k)
	}
	return l
})

// PrimeName says whose Diffie-Hellman prime (big-endian) it is, "" if it is not one of those that many servers are known
// to share.
func PrimeName(prime []byte) string {
	prime = bytes.TrimLeft(prime, "\x00")
	for _, k := range knownPrimes() {
		if bytes.Equal(k.prime, prime) {
			return k.name
		}
	}
	return ""
}
