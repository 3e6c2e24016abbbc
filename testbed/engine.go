package testbed

import (
	"crypto/tls"
	"slices"

	"github.com/parley-tls/parley/cipherlist"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// engine is what a server program can be configured to do.
type engine struct {
	engine      policy.Engine
	version     func(suite.Version) bool
	suite       func(suite.Code) bool
	group       func(suite.Group) bool
	arrange     func(*policy.Policy) // puts suites in the order that the program insists on
	oneCurve    bool                 // ECDHE on one curve only
	serverOrder bool                 // cannot follow the client's order
	schemes     bool                 // signature schemes can be set
	alpn, sni   bool
	clientAuth  bool
}

func engineOf(k Kind, node string) *engine {
	switch k {
	case OpenSSL, OpenSSL35, Nginx, HAProxy:
		e := openSSLEngine(cipherlist.OpenSSL30)
		switch k {
		case OpenSSL35:
			e = openSSLEngine(cipherlist.OpenSSL35)
			e.engine = negotiate.EngineOpenSSL35
		case HAProxy:
			e.engine = negotiate.EngineHAProxy
		}
		e.schemes = k != HAProxy // its sigalgs keyword came with 2.8
		e.sni = k == Nginx || k == HAProxy
		e.clientAuth = true
		e.alpn = k != Nginx // nginx offers what its modules speak
		return e
	case GnuTLS:
		return &engine{engine: policy.EngineGnuTLS, version: between(suite.TLS10, suite.TLS13), suite: gnutlsSuite, group: gnutlsGroup,
			arrange: gnutlsOrder, alpn: true, clientAuth: true}
	case Go:
		return &engine{engine: policy.EngineGo, version: between(suite.TLS10, suite.TLS13), suite: goSuite, group: goGroup,
			arrange: goOrder, serverOrder: true, alpn: true, sni: true, clientAuth: true}
	case Java:
		return &engine{engine: policy.EngineJSSE, version: between(suite.SSLv3, suite.TLS13), suite: javaSuite, group: javaGroup,
			alpn: true, clientAuth: true}
	case Node:
		return nodeEngine(node)
	case Bun:
		return &engine{engine: policy.EngineBoringSSL, version: between(suite.TLS10, suite.TLS13), suite: boringSuite, group: boringGroup,
			schemes: true, alpn: true}
	}
	panic("testbed: unknown kind of server " + string(k))
}

func between(low, high suite.Version) func(suite.Version) bool {
	return func(v suite.Version) bool { return v >= low && v <= high }
}

// openSSLEngine is a program on OpenSSL of this release, built as Debian does.
func openSSLEngine(r cipherlist.Release) *engine {
	all := "ALL:COMPLEMENTOFALL"
	if r != cipherlist.OpenSSL102 { // which knows no levels
		all += ":@SECLEVEL=0"
	}
	known, err := cipherlist.Expand(r, all, cipherlist.Options{})
	if err != nil {
		panic(err)
	}
	codes := known.Codes()
	top := suite.TLS13
	if r == cipherlist.OpenSSL102 {
		top = suite.TLS12
	}
	return &engine{engine: policy.EngineOpenSSL, version: between(suite.TLS10, top),
		suite: func(c suite.Code) bool { return slices.Contains(codes, c) && !dhe(c) },
		group: func(g suite.Group) bool {
			return ecGroup(g) || g == suite.X448 || r == cipherlist.OpenSSL35 && (hybrid(g) || g == suite.MLKEM1024)
		}}
}

// dhe: the servers here are given no DH parameters, except where a test sets them up by hand.
func dhe(c suite.Code) bool { return suite.ByCode(c).KeyExchange == suite.KXDHE }

func ecGroup(g suite.Group) bool {
	return g == suite.Secp256r1 || g == suite.Secp384r1 || g == suite.Secp521r1 || g == suite.X25519
}

func hybrid(g suite.Group) bool {
	return g == suite.X25519MLKEM768 || g == suite.SecP256r1MLKEM768 || g == suite.SecP384r1MLKEM1024
}

// nodeReleases are the OpenSSL releases in Node.js, by release line. 0.10 and 0.12 have 1.0.1, whose suites
// are those of 1.0.2.
var nodeReleases = map[string]cipherlist.Release{
	"0.10": cipherlist.OpenSSL102, "0.12": cipherlist.OpenSSL102, "4": cipherlist.OpenSSL102, "6": cipherlist.OpenSSL102, "8": cipherlist.OpenSSL102,
	"10": cipherlist.OpenSSL111, "12": cipherlist.OpenSSL111, "14": cipherlist.OpenSSL111, "16": cipherlist.OpenSSL111,
	"18": cipherlist.OpenSSL30, "20": cipherlist.OpenSSL30, "22": cipherlist.OpenSSL35, "24": cipherlist.OpenSSL35, "26": cipherlist.OpenSSL35,
}

func nodeEngine(line string) *engine {
	r, ok := nodeReleases[line]
	if !ok {
		panic("testbed: unknown release line of Node.js " + line)
	}
	e := openSSLEngine(r)
	e.alpn = line != "0.10" && line != "0.12" && line != "4"
	e.clientAuth = true
	switch r {
	case cipherlist.OpenSSL102:
		e.engine = negotiate.EngineOpenSSL10
	case cipherlist.OpenSSL35:
		e.engine = negotiate.EngineOpenSSL35
	}
	if r == cipherlist.OpenSSL102 {
		e.oneCurve = true
		e.group = func(g suite.Group) bool { return ecGroup(g) && g != suite.X25519 }
		if line == "0.10" { // its tls module sets no curve up
			known := e.suite
			e.suite = func(c suite.Code) bool { return known(c) && suite.ByCode(c).KeyExchange != suite.KXECDHE }
		}
		if line == "0.10" || line == "0.12" { // SSLv3 behind --enable-ssl3
			e.version = between(suite.SSLv3, suite.TLS12)
		}
	}
	return e
}

// goSuites is the order of crypto/tls (cipherSuitesPreferenceOrder), which CipherSuites does not change.
var goSuites = []suite.Code{
	0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC009, 0xC013, 0xC00A, 0xC014, 0x009C, 0x009D, 0x002F, 0x0035,
	0xC012, 0x000A, 0xC023, 0xC027, 0x003C, 0xC007, 0xC011, 0x0005,
}

// goSuites13 cannot be configured.
var goSuites13 = []suite.Code{suite.Code(tls.TLS_AES_128_GCM_SHA256), suite.Code(tls.TLS_AES_256_GCM_SHA384), suite.Code(tls.TLS_CHACHA20_POLY1305_SHA256)}

func goSuite(c suite.Code) bool {
	return slices.Contains(goSuites, c) || slices.Contains(goSuites13, c)
}

func goGroup(g suite.Group) bool { return ecGroup(g) || hybrid(g) }

func goOrder(p *policy.Policy) {
	all := slices.Concat(goSuites13, goSuites)
	given := p.Suites
	p.Suites = nil
	for _, c := range all {
		if slices.Contains(given, c) || p.Accepts(suite.TLS13) && slices.Contains(goSuites13, c) {
			p.Suites = append(p.Suites, c)
		}
	}
}

func javaSuite(c suite.Code) bool {
	s := suite.ByCode(c)
	if s.KeyExchange == suite.KXAny {
		return s.Mode == "GCM" || s.Encryption == "CHACHA20"
	}
	switch s.KeyExchange {
	case suite.KXRSA, suite.KXDHE, suite.KXECDHE:
	default:
		return false
	}
	switch s.Authentication {
	case suite.AuthRSA, suite.AuthECDSA, suite.AuthAnon, suite.AuthDSS:
	default:
		return false
	}
	switch s.Encryption {
	case "AES":
		return s.Mode == "CBC" || s.Mode == "GCM"
	case "CHACHA20":
		return s.KeyExchange != suite.KXRSA
	case "3DES", "RC4", "DES":
		return !s.Export || s.MAC == "MD5" || s.Encryption == "DES"
	}
	return false
}

func javaGroup(g suite.Group) bool { return ecGroup(g) || g == suite.X448 }

// boringSuite: what BoringSSL is left with. Those of TLS 1.3 cannot be configured.
func boringSuite(c suite.Code) bool {
	s := suite.ByCode(c)
	switch s.KeyExchange {
	case suite.KXAny:
		return s.Mode == "GCM" || s.Encryption == "CHACHA20"
	case suite.KXRSA, suite.KXECDHE:
	default:
		return false
	}
	switch {
	case s.Export, s.Authentication != suite.AuthRSA && s.Authentication != suite.AuthECDSA:
		return false
	case s.Encryption == "CHACHA20", s.Encryption == "AES" && s.Mode == "GCM":
		return true
	}
	return s.Encryption == "AES" && s.Mode == "CBC" && s.MAC == "SHA1"
}

func boringGroup(g suite.Group) bool { return ecGroup(g) || g == suite.X25519MLKEM768 }
