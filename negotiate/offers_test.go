package negotiate_test

import (
	"crypto/rand"
	mathrand "math/rand/v2"
	"slices"
	"testing"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// palette is what generated offers are drawn from.
var palette = struct {
	old, modern, tls13 []suite.Code
	groups             []suite.Group
	schemes            []suite.SignatureScheme
}{
	tls13: []suite.Code{0x1301, 0x1302, 0x1303},
	modern: []suite.Code{0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0x009C, 0x009D, 0x009E, 0x009F, 0xCCAA,
		0xC023, 0xC027, 0xC024, 0xC028, 0x003C, 0x003D, 0x0067, 0x006B, 0x00A2, 0xC0AC},
	old: []suite.Code{0xC009, 0xC013, 0xC00A, 0xC014, 0x002F, 0x0035, 0x0033, 0x0039, 0x000A, 0x0016, 0xC012, 0x0005},
	groups: []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1, suite.X25519MLKEM768,
		suite.FFDHE2048, suite.FFDHE3072, 0x16, suite.X448, suite.SecP256r1MLKEM768},
	schemes: []suite.SignatureScheme{suite.ECDSASecp256r1SHA256, suite.ECDSASecp384r1SHA384, suite.ECDSASecp521r1SHA512,
		suite.RSAPSSRSAESHA256, suite.RSAPSSRSAESHA384, suite.RSAPSSRSAESHA512, suite.RSAPKCS1SHA256, suite.RSAPKCS1SHA384,
		suite.RSAPKCS1SHA512, suite.Ed25519, suite.Ed448, suite.RSAPKCS1SHA1, suite.ECDSASHA1, suite.RSAPKCS1SHA224,
		suite.ECDSASHA224, suite.RSAPSSPSSSHA256, suite.DSASHA256},
}

// some draws between low and high members of l, in any order.
func some[T any](r *mathrand.Rand, l []T, low, high int) []T {
	l = slices.Clone(l)
	r.Shuffle(len(l), func(i, j int) { l[i], l[j] = l[j], l[i] })
	return l[:min(len(l), low+r.IntN(high-low+1))]
}

// generated is one hello with the private halves of its key shares.
type generated struct {
	hello  *hello.ClientHello
	offer  hello.Offer
	shares []*keyShare
}

// generate makes the nth hello of a seed. Only what bears on negotiation is drawn from the seed; randoms
// and keys differ from run to run.
func generate(t testing.TB, seed, n uint64) generated {
	t.Helper()
	r := mathrand.New(mathrand.NewPCG(seed, n))
	all := []suite.Version{suite.TLS13, suite.TLS12, suite.TLS11, suite.TLS10}
	first := []int{0, 0, 0, 0, 1, 1, 1, 1, 2, 3}[r.IntN(10)]
	last := first + r.IntN(len(all)-first)
	if r.IntN(3) > 0 {
		last = max(last, min(1, len(all)-1))
	}
	o := hello.Offer{Versions: all[first : last+1], SecureReneg: r.IntN(20) > 0, ExtendedMaster: r.IntN(5) > 0, EncryptThenMAC: r.IntN(2) == 0}
	if o.Versions[0] >= suite.TLS13 {
		o.Suites = some(r, palette.tls13, 1, 3)
	}
	if o.Versions[len(o.Versions)-1] <= suite.TLS12 || r.IntN(2) == 0 {
		legacy := append(some(r, palette.modern, 0, 12), some(r, palette.old, 0, 6)...)
		if r.IntN(2) == 0 {
			legacy = some(r, legacy, len(legacy), len(legacy))
		}
		o.Suites = append(o.Suites, legacy...)
	}
	if len(o.Suites) == 0 {
		o.Suites = []suite.Code{0xC02F, 0xC02B}
	}
	if o.HasGroups = r.IntN(8) > 0; o.HasGroups {
		switch r.IntN(3) {
		case 0:
			o.Groups = some(r, palette.groups[:4], 1, 4)
		default:
			o.Groups = some(r, palette.groups, 1, 6)
		}
		if r.IntN(2) == 0 {
			o.PointFormats = []byte{0}
		}
	}
	if o.HasSchemes = o.Versions[0] >= suite.TLS12 && r.IntN(10) > 0; o.HasSchemes {
		o.Schemes = some(r, palette.schemes, 1, 14)
	}
	if r.IntN(12) == 0 {
		o.FallbackSCSV = true
	}
	if r.IntN(4) == 0 {
		o.ALPN = some(r, []string{"h2", "http/1.1", "acme-tls/1"}, 1, 2)
	}
	g := generated{}
	if o.Versions[0] >= suite.TLS13 {
		for _, group := range o.Groups {
			if len(o.Groups) > 0 && r.IntN(2) == 0 {
				if k, ok := newShare(group); ok {
					g.shares = append(g.shares, k)
				}
			}
		}
	}
	h, err := hello.Build(&o, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if o.Versions[0] >= suite.TLS13 {
		h.SetExtension(hello.ExtKeyShare, shareBody(g.shares))
	}
	g.hello = h
	g.offer = h.Offer()
	return g
}
