// Package scan decides which hellos to send to learn what an endpoint accepts, and reads the answers:
// the policy it runs as seen from outside, and the certificates it presents. It asks as much as a
// diagnosis needs, in as few rounds of parallel connections as it can.
package scan

import (
	"slices"

	"github.com/parley-tls/parley/suite"
)

// The suites before TLS 1.3 that current load balancer policies are made of. Each is asked for by
// itself. They are in the order of AWS's tables: no list leads with ChaCha20, which some servers
// (OpenSSL's PrioritizeChaCha) move up when the client puts it first.
var (
	ecdsaSuites = []suite.Code{0xC02B, 0xC02C, 0xC023, 0xC024, 0xC009, 0xC00A, 0xCCA9}
	ecdheRSA    = []suite.Code{0xC02F, 0xC030, 0xC027, 0xC028, 0xC013, 0xC014, 0xCCA8}
	rsaSuites   = []suite.Code{0x009C, 0x009D, 0x003C, 0x003D, 0x002F, 0x0035}
)

// kind is a set of suites that no current load balancer policy has, or hardly any. They are asked for one by one
// only where the kind as a whole is accepted.
type kind struct {
	name   string
	suites []suite.Code
}

var kinds = []kind{
	{"3DES", []suite.Code{0xC012, 0xC008, 0x0016, 0x0013, 0x000A}},
	{"DHE", []suite.Code{0x009E, 0x009F, 0x0067, 0x006B, 0x0033, 0x0039, 0xCCAA, 0x00A2, 0x00A3, 0x0040, 0x006A, 0x0032, 0x0038, 0xC09E, 0xC09F, 0xC0A2, 0xC0A3, 0x0045, 0x0088, 0x00BE, 0x00C4}},
	{"RC4", []suite.Code{0xC011, 0xC007, 0x0005, 0x0004}},
	{"CCM, CAMELLIA, ARIA and SEED", []suite.Code{
		0xC0AC, 0xC0AD, 0xC0AE, 0xC0AF, 0xC09C, 0xC09D, 0xC0A0, 0xC0A1,
		0xC072, 0xC073, 0xC076, 0xC077, 0xC086, 0xC087, 0xC08A, 0xC08B, 0x00BA, 0x00C0, 0x0041, 0x0084,
		0xC05C, 0xC05D, 0xC060, 0xC061, 0xC050, 0xC051, 0x0096,
	}},
	{"anonymous and NULL", []suite.Code{
		0x0034, 0x003A, 0x0018, 0x001B, 0x006C, 0x006D, 0x00A6, 0x00A7, 0xC018, 0xC019, 0xC016, 0xC017,
		0x003B, 0x0001, 0x0002, 0xC010, 0xC006,
	}},
	{"IDEA, single DES and export", []suite.Code{
		0x0007, 0x0009, 0x0015, 0x0012, 0x001A, 0x0003, 0x0006, 0x0008, 0x0014, 0x0011, 0x0062, 0x0064,
	}},
	{"CCM in TLS 1.3", ccm13},
}

var (
	tls13Suites = slices.Concat(common13, ccm13)
	// common13 are the three that policies are made of.
	common13 = []suite.Code{0x1301, 0x1302, 0x1303}
	ccm13    = []suite.Code{0x1304, 0x1305}

	classicGroups = []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1}
	pqGroups      = []suite.Group{suite.X25519MLKEM768, suite.SecP256r1MLKEM768, suite.SecP384r1MLKEM1024, suite.MLKEM1024}

	wideSchemes = []suite.SignatureScheme{
		suite.ECDSASecp256r1SHA256, suite.ECDSASecp384r1SHA384, suite.ECDSASecp521r1SHA512, suite.Ed25519, suite.Ed448,
		suite.RSAPSSRSAESHA256, suite.RSAPSSRSAESHA384, suite.RSAPSSRSAESHA512,
		suite.RSAPSSPSSSHA256, suite.RSAPSSPSSSHA384, suite.RSAPSSPSSSHA512,
		suite.RSAPKCS1SHA256, suite.RSAPKCS1SHA384, suite.RSAPKCS1SHA512,
		suite.ECDSASHA1, suite.RSAPKCS1SHA1, suite.DSASHA1,
	}
	ecdsaSchemes = []suite.SignatureScheme{suite.ECDSASecp256r1SHA256, suite.ECDSASecp384r1SHA384, suite.ECDSASecp521r1SHA512, suite.Ed25519, suite.Ed448}
	rsaSchemes   = []suite.SignatureScheme{suite.RSAPSSRSAESHA256, suite.RSAPSSRSAESHA384, suite.RSAPSSRSAESHA512,
		suite.RSAPKCS1SHA256, suite.RSAPKCS1SHA384, suite.RSAPKCS1SHA512, suite.RSAPKCS1SHA1}
)

// wideSuites is every suite before TLS 1.3 that this package knows to ask for: under 128, which some
// servers take as a limit.
var wideSuites = func() []suite.Code {
	var l []suite.Code
	for i := range ecdheRSA {
		l = append(l, ecdsaSuites[i], ecdheRSA[i])
	}
	return slices.Concat(l, rsaSuites, rareSuites)
}()

// rareSuites are the suites of all kinds.
var rareSuites = func() []suite.Code {
	var l []suite.Code
	for _, k := range kinds {
		l = append(l, k.suites...)
	}
	return l
}()

// withAuth returns the suites of list that a certificate of this kind serves.
func withAuth(list []suite.Code, auth suite.Authentication) []suite.Code {
	return slices.DeleteFunc(slices.Clone(list), func(c suite.Code) bool {
		s := suite.ByCode(c)
		return s == nil || s.Authentication != auth
	})
}

// usableIn returns the suites of list that version v can carry.
func usableIn(list []suite.Code, v suite.Version) []suite.Code {
	return slices.DeleteFunc(slices.Clone(list), func(c suite.Code) bool {
		s := suite.ByCode(c)
		return s == nil || !s.UsableIn(v)
	})
}
