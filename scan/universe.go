package scan

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/parley-tls/parley/suite"
)

// maxList is how many suites a hello offers at most: some servers refuse 128 or more.
const maxList = 120

// certificateClass is a set of suites that are asked for together because one kind of certificate, or none, serves
// them all: some servers choose the certificate before the suite and then see no suite of another kind.
type certificateClass string

// The classes. Mixed holds what hardly any server has: PSK, SRP, Kerberos, GOST, static (EC)DH and DSA suites.
const (
	classAny   certificateClass = "any" // TLS 1.3
	classRSA   certificateClass = "RSA"
	classECDSA certificateClass = "ECDSA"
	classAnon  certificateClass = "no certificate"
	classPSK   certificateClass = "PSK"
	classMixed certificateClass = "others"
)

var classes = []certificateClass{classRSA, classECDSA, classAnon, classPSK, classMixed}

func classOf(s *suite.Suite) certificateClass {
	switch s.Authentication {
	case suite.AuthAny:
		return classAny
	case suite.AuthRSA:
		if s.KeyExchange == suite.KXRSAPSK || s.KeyExchange == suite.KXSRP {
			return classPSK
		}
		return classRSA
	case suite.AuthECDSA:
		return classECDSA
	case suite.AuthAnon, suite.AuthNull:
		return classAnon
	case suite.AuthPSK, suite.AuthSRP, suite.AuthECCPWD:
		return classPSK
	}
	return classMixed
}

// universe lists every suite that version v can carry in a class: those that servers have before those they hardly
// do, and ChaCha20 last, since some servers move it up when a client puts it first.
func universe(v suite.Version, class certificateClass) []suite.Code {
	return universes()[universeKey{v, class}]
}

type universeKey struct {
	version suite.Version
	class   certificateClass
}

var universes = sync.OnceValue(func() map[universeKey][]suite.Code {
	m := make(map[universeKey][]suite.Code)
	all := suite.All()
	for _, v := range suite.Versions {
		for _, s := range all {
			if s.Code <= 0xFFFF && carries(v, &s) {
				k := universeKey{v, classOf(&s)}
				m[k] = append(m[k], s.Code)
			}
		}
	}
	for k, l := range m {
		slices.SortStableFunc(l, func(a, b suite.Code) int { return cmp.Compare(rank(a), rank(b)) })
		m[k] = slices.Compact(l)
	}
	return m
})

// carries reports whether a server may accept a suite in version v: where the standards allow it, and where old servers
// do all the same. OpenSSL before 1.1.0 has the suites that RFC 5246 and RFC 5469 took out of TLS 1.2 there too, and it
// and JSSE have those with elliptic curves in SSLv3.
func carries(v suite.Version, s *suite.Suite) bool {
	switch v {
	case suite.SSLv3:
		return s.UsableIn(v) || s.UsableIn(suite.TLS10) && s.KeyExchange.UsesEC()
	case suite.TLS12:
		return s.UsableIn(v) || s.UsableIn(suite.TLS11) && classOf(s) != classMixed // those no server has
	}
	return s.UsableIn(v)
}

// rank orders the suites of a list: those that servers have before those they hardly do, ChaCha20 last.
func rank(c suite.Code) int {
	common := len(common13) + len(wideSuites)
	if suite.ByCode(c).Encryption == "CHACHA20" {
		return common + 1
	}
	if i := slices.Index(common13, c); i >= 0 {
		return i
	}
	if i := slices.Index(wideSuites, c); i >= 0 {
		return len(common13) + i
	}
	return common
}

// kindOfSuite puts suites together that servers tend to have, or lack, together.
func kindOfSuite(c suite.Code) string {
	s := suite.ByCode(c)
	switch {
	case s.Export || s.Bits < 112:
		return "broken"
	case s.Encryption == "AES" && strings.HasPrefix(s.Mode, "CCM"):
		return "AES-CCM"
	case s.Encryption == "AES":
		return s.KeyExchange.String() + " AES"
	case s.Encryption == "IDEA" || s.Encryption == "SEED":
		return "IDEA and SEED"
	}
	return s.Encryption
}

// isRare is true for a suite that servers have only where somebody asked for its kind, or for everything.
func isRare(c suite.Code) bool {
	s := suite.ByCode(c)
	return s.Export || s.Encryption != "CHACHA20" && (s.Encryption != "AES" || strings.HasPrefix(s.Mode, "CCM"))
}

// groupUniverse lists every group that versions from TLS 1.3 on can carry, or those before, the common ones first.
func groupUniverse(tls13 bool) []suite.Group {
	common := slices.Concat(classicGroups, pqGroups)
	var l []suite.Group
	for _, g := range common {
		if i := suite.GroupByCode(g); tls13 && i.TLS13 || !tls13 && i.TLS12 {
			l = append(l, g)
		}
	}
	for _, g := range suite.AllGroups() {
		carried := tls13 && g.TLS13 || !tls13 && g.TLS12
		if carried && g.Bits > 0 && (tls13 || g.Kind == "ec") && !slices.Contains(l, g.Code) {
			l = append(l, g.Code)
		}
	}
	return l
}

// kindOfGroup puts groups together that servers tend to have, or lack, together.
func kindOfGroup(g suite.Group) string {
	i := suite.GroupByCode(g)
	switch {
	case i.Kind != "ec":
		return i.Kind
	case slices.Contains(classicGroups, g) || g == suite.X448:
		return "common"
	case strings.HasPrefix(i.Name, "sect"):
		return "binary"
	case strings.HasPrefix(i.Name, "brainpool"):
		return "brainpool"
	case strings.HasPrefix(i.Name, "secp"):
		return "prime"
	}
	return "national"
}
