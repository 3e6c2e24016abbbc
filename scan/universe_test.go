package scan

import (
	"slices"
	"testing"

	"github.com/parley-tls/parley/suite"
)

// TestUniverse: every suite that a version can carry is in one class, and no list is too long for one hello.
func TestUniverse(t *testing.T) {
	for _, v := range []suite.Version{suite.SSLv3, suite.TLS10, suite.TLS11, suite.TLS12, suite.TLS13} {
		var all []suite.Code
		for _, class := range append(slices.Clone(classes), classAny) {
			l := universe(v, class)
			if len(l) > maxList {
				t.Errorf("%s, %s: %d suites", v, class, len(l))
			}
			if len(l) > 1 && suite.ByCode(l[0]).Encryption == "CHACHA20" {
				t.Errorf("%s, %s: the list leads with ChaCha20", v, class)
			}
			all = append(all, l...)
			t.Logf("%s %s %d", v, class, len(l))
		}
		for _, s := range suite.All() {
			if n := count(all, s.Code); s.Code <= 0xFFFF && carries(v, &s) && n != 1 {
				t.Errorf("%s: %s is in %d lists", v, s.IANA, n)
			}
		}
	}
	for _, g := range groupUniverse(true) {
		if !suite.GroupByCode(g).TLS13 {
			t.Errorf("%s is no group of TLS 1.3", g)
		}
	}
}

func count(l []suite.Code, c suite.Code) int {
	n := 0
	for _, x := range l {
		if x == c {
			n++
		}
	}
	return n
}
