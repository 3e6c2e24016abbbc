package diagnose

import (
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

// stalled: the server's flight begins and never ends.
func (v *visit) stalled() {
	if v.replay.Trickled() {
		v.tooSlow()
		return
	}
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
