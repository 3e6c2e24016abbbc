package diagnose

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// wideSchemes is what a variant with all signature schemes offers.
var wideSchemes = []suite.SignatureScheme{
	suite.ECDSASecp256r1SHA256, suite.ECDSASecp384r1SHA384, suite.ECDSASecp521r1SHA512, suite.Ed25519, suite.Ed448,
	suite.RSAPSSRSAESHA256, suite.RSAPSSRSAESHA384, suite.RSAPSSRSAESHA512, suite.RSAPSSPSSSHA256,
	suite.RSAPKCS1SHA256, suite.RSAPKCS1SHA384, suite.RSAPKCS1SHA512, suite.ECDSASHA1, suite.RSAPKCS1SHA1,
}

// needed are the extensions whose absence changes what can be negotiated; all others are optional.
var needed = []uint16{hello.ExtServerName, hello.ExtSupportedGroups, hello.ExtPointFormats, hello.ExtSignatureAlgorithms, hello.ExtSupportedVersions,
	hello.ExtKeyShare, hello.ExtPSKModes, hello.ExtExtendedMasterSecret, hello.ExtRenegotiationInfo, hello.ExtALPN, hello.ExtPreSharedKey}

// optional lists the extensions of a hello that can be left out without changing what can be negotiated.
func optional(h *hello.ClientHello) []uint16 {
	var l []uint16
	for _, e := range h.Extensions {
		if !slices.Contains(needed, e.Type) && !suite.IsGREASE(e.Type) {
			l = append(l, e.Type)
		}
	}
	return l
}

// greaseOnly stands for all GREASE values of a hello; it is itself one, so no extension has this type.
const greaseOnly = 0x0A0A

func dropGREASE(h *hello.ClientHello) {
	h.Suites = slices.DeleteFunc(h.Suites, func(c suite.Code) bool { return c <= 0xFFFF && suite.IsGREASE(uint16(c)) })
	h.Extensions = slices.DeleteFunc(h.Extensions, func(e hello.Extension) bool { return suite.IsGREASE(e.Type) })
	o := h.Offer() // without GREASE
	if h.HasExtension(hello.ExtSupportedVersions) {
		h.SetVersions(o.Versions...)
	}
	if o.HasGroups {
		h.SetGroups(o.Groups...)
	}
}

func dropSuite(h *hello.ClientHello, c suite.Code) {
	h.Suites = slices.DeleteFunc(h.Suites, func(x suite.Code) bool { return x == c })
}

// toRecords completes what an SSLv2-format hello lacks to be sent in TLS records.
func toRecords(h *hello.ClientHello) {
	h.SSLv2Format = false
	h.RecordVersion, h.Compression, h.SessionID = suite.TLS10, []byte{0}, nil
	h.Suites = slices.DeleteFunc(h.Suites, func(c suite.Code) bool { return c > 0xFFFF })
	random := make([]byte, 32)
	copy(random[32-min(32, len(h.Random)):], h.Random) // RFC 5246 appendix E.2: the challenge, padded on the left
	h.Random = random
}

// largeGroups lists the groups whose key shares make a hello large.
func largeGroups(o *hello.Offer) []suite.Group {
	var l []suite.Group
	for _, g := range o.Groups {
		if i := suite.GroupByCode(g); i != nil && (i.Kind == "hybrid" || i.Kind == "pq") {
			l = append(l, g)
		}
	}
	return l
}

// small takes the post-quantum groups, their shares and the padding out of a hello.
func small(h *hello.ClientHello, o *hello.Offer) {
	h.RemoveExtension(hello.ExtPadding)
	large := largeGroups(o)
	if len(large) == 0 || !o.HasGroups {
		return
	}
	groups := slices.DeleteFunc(slices.Clone(o.Groups), func(g suite.Group) bool { return slices.Contains(large, g) })
	h.SetGroups(groups...)
	if shares, err := h.KeyShares(); err == nil && len(shares) == 0 && h.HasExtension(hello.ExtKeyShare) {
		addShares(h, groups)
	}
}

// addShares gives a TLS 1.3 hello a share for the first group that one can be made for.
func addShares(h *hello.ClientHello, groups []suite.Group) {
	for _, g := range groups {
		o := hello.Offer{Versions: []suite.Version{suite.TLS13}, Suites: []suite.Code{0x1301}, HasGroups: true, Groups: groups, KeyShares: []suite.Group{g}}
		if made, err := hello.Build(&o, rand.Reader); err == nil {
			if shares, err := made.KeyShares(); err == nil {
				h.SetKeyShares(shares)
				return
			}
		}
	}
}

func widenGroups(h *hello.ClientHello, o *hello.Offer) {
	groups := slices.Clone(o.Groups)
	for _, g := range []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1} {
		if !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	h.SetGroups(groups...)
	if !h.HasExtension(hello.ExtPointFormats) {
		h.SetExtension(hello.ExtPointFormats, []byte{1, 0})
	}
}

// fewerSuites keeps the suites that the endpoint accepts, and at most 16 others.
func fewerSuites(h *hello.ClientHello, accepted []suite.Code) {
	others := 0
	h.Suites = slices.DeleteFunc(h.Suites, func(c suite.Code) bool {
		if slices.Contains(accepted, c) || c == suite.EmptyRenegotiationInfoSCSV {
			return false
		}
		others++
		return others > 16
	})
}

// sizes are the lengths of hellos to try, in bytes on the wire: around the limits that are known, 256 to 511
// (F5, RFC 7685), one TCP segment, and one record of old implementations.
var sizes = []int{300, 512, 700, 1000, 1200, 1350, 1460, 1600, 2000}

// blameSize tells whether the size of a hello with post-quantum key shares is at fault, or the groups.
func (v *visit) blameSize(ctx context.Context, o *hello.Offer, x *variant) {
	var l []variant
	for _, n := range append(sizes, o.WireSize) {
		h := x.h.Clone()
		h.SetPadding(n)
		l = append(l, variant{words: fmt.Sprintf("%d bytes", n), h: h})
	}
	v.sendAll(ctx, l)
	passes, fails := 0, 0
	for i, n := range append(slices.Clone(sizes), o.WireSize) {
		switch ok := l[i].got.Accepted(); {
		case ok:
			passes = max(passes, n)
		case fails == 0 || n < fails:
			fails = n
		}
	}
	how := answerWords(&v.replay)
	k := Cause{Confidence: 0.97, Evidence: []Evidence{
		{Fact: fmt.Sprintf("the endpoint answers the client's hello of %d bytes with: %s", o.WireSize, how), Command: sClient(v.t, v.hello)},
		{Fact: "the same hello " + x.words + " is answered with: " + answerWords(&x.got), Command: sClient(v.t, x.h)},
	}}
	if !l[len(l)-1].got.Accepted() && fails > 0 {
		k.ID = cause.LargeHelloDropped
		if fails <= 1200 {
			k.ID = cause.HelloSizeIntolerance
		}
		k.Summary = fmt.Sprintf("a ClientHello of %d bytes is met with %s, one of %d bytes is answered: something on the way cannot take a hello that large", fails, how, min(passes, fails))
		k.Evidence = append(k.Evidence, Evidence{Fact: fmt.Sprintf("the small hello padded to %d bytes fails as well, so the size is at fault and not the groups", fails)})
		k.ClientSet, k.ServerSet = []string{fmt.Sprintf("hello of %d bytes", o.WireSize)}, []string{fmt.Sprintf("hellos below %d bytes", fails)}
		v.fix(SideClient, "Switch off the post-quantum key share (Go: GODEBUG=tlsmlkem=0; OpenSSL: -groups X25519:P-256; Chrome: the policy PostQuantumKeyAgreementEnabled)")
		v.d.Fixes[len(v.d.Fixes)-1].Proved = true
		v.fix(SideNetwork, "Let the firewall or proxy on the way join a ClientHello that spans TCP segments")
	} else {
		k.ID = cause.ExtensionIntolerance
		k.Summary = "the listener breaks on the post-quantum groups " + enumerate(names(largeGroups(o))) + ", which a server must ignore if it does not know them"
		k.ClientSet = names(largeGroups(o))
		v.fix(SideClient, "Leave out the post-quantum groups")
		v.d.Fixes[len(v.d.Fixes)-1].Proved = true
		v.fix(SideLoadBalancer, "Update the server: unknown groups must be ignored (RFC 8446 section 4.2.7)")
	}
	v.add(k)
}

// stalled: the server's flight begins and never ends.
func (v *visit) stalled() {
	id, summary := cause.MTUBlackhole, "the handshake stalls after the ServerHello begins: large packets are lost on the way"
	if v.replay.End == probe.Reset || v.replay.End == probe.Closed {
		id, summary = cause.ConnectionReset, "the connection is ended in the middle of the server's first flight"
	}
	v.add(Cause{ID: id, Confidence: 0.8, Summary: summary, Decide: "a capture on both ends: are packets of full size lost?",
		Evidence: []Evidence{{Fact: fmt.Sprintf("%d bytes came, then %s", v.replay.Received, v.replay.End), Command: sClient(v.t, v.hello)}}})
	if id == cause.MTUBlackhole {
		v.fix(SideNetwork, "Let ICMP \"fragmentation needed\" through, or lower the MTU or MSS on the path (tunnels, VPNs)")
	}
}

func isAddress(n string) bool { _, err := netip.ParseAddr(n); return err == nil }

func names[T fmt.Stringer](l []T) []string {
	out := make([]string, len(l))
	for i, x := range l {
		out[i] = x.String()
	}
	return out
}

func suiteNames(l []suite.Code) []string {
	out := make([]string, len(l))
	for i, c := range l {
		out[i] = c.OpenSSL()
	}
	return out
}
