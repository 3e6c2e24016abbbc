package vuln

import (
	"context"
	"fmt"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// edited is a variant made from a plain hello.
func edited(name string, plain *hello.ClientHello, edit func(*hello.ClientHello)) variant {
	h := plain.Clone()
	edit(h)
	return variant{name: name, raw: marshal(h)}
}

// extended is edited, but the additions do not bring the hello to a size at which it would fail for that.
func extended(name string, plain *hello.ClientHello, edit func(*hello.ClientHello)) variant {
	return edited(name, plain, func(h *hello.ClientHello) {
		edit(h)
		if !hangs(plain) {
			clearOfHang(h)
		}
	})
}

// hangs reports whether a hello has a size on which some load balancers hang: of 256 to 511 bytes (RFC 7685 section 4).
func hangs(h *hello.ClientHello) bool {
	n := h.WireSize() - 5
	return n > 255 && n < 512
}

// clearOfHang pads a hello of such a size.
func clearOfHang(h *hello.ClientHello) {
	if hangs(h) {
		h.SetPadding(520)
	}
}

// versionIntolerance offers versions that do not exist yet, in both places where a hello has versions.
func versionIntolerance(ctx context.Context, s *subject) answer {
	var variants []variant
	if v, suites := s.newest(anySuite); v != 0 {
		old := s.offer(v, suites)
		for _, version := range []suite.Version{0x0304, 0x03FF} {
			variants = append(variants, edited(fmt.Sprintf("client_version 0x%04X", uint16(version)), old, func(h *hello.ClientHello) { h.Version = version }))
		}
	}
	plain := s.plainHello()
	if !s.withoutExtensions() {
		variants = append(variants, extended("0x0305 and 0x7FFF before the others in supported_versions", plain, func(h *hello.ClientHello) {
			list := []byte{3, 5, 0x7F, 0xFF}
			for _, v := range s.versions() {
				list = append(list, byte(v>>8), byte(v))
			}
			h.SetExtension(hello.ExtSupportedVersions, append([]byte{byte(len(list))}, list...))
		}))
	}
	return s.tolerates(ctx, plain, "hellos that offer versions it does not know", variants)
}

// greaseIntolerance puts reserved values into every list, as Chrome does.
func greaseIntolerance(ctx context.Context, s *subject) answer {
	if s.withoutExtensions() {
		return noExtensions
	}
	o := s.plainOffer()
	o.GREASE = true
	plain, greased := s.plainHello(), s.build(o)
	if !hangs(plain) {
		clearOfHang(greased)
	}
	return s.tolerates(ctx, plain, "values that are reserved to be ignored (GREASE)", []variant{
		{name: "GREASE in suites, groups, versions and extensions", raw: marshal(greased)},
	})
}

// privateExtension is the first of the extensions that are used here as unknown: of the range for private use (RFC 8447
// section 7), so that nobody will assign them.
const privateExtension = 0xFF40

func extensionIntolerance(ctx context.Context, s *subject) answer {
	if s.withoutExtensions() {
		return noExtensions
	}
	plain := s.plainHello()
	variants := []variant{
		extended("an unknown extension of 16 bytes", plain, func(h *hello.ClientHello) { h.SetExtension(privateExtension, make([]byte, 16)) }),
		extended("an unknown extension that is empty and the last", plain, func(h *hello.ClientHello) { h.SetExtension(privateExtension, nil) }),
		extended("24 unknown extensions", plain, func(h *hello.ClientHello) {
			for i := range uint16(24) {
				h.SetExtension(privateExtension+i, []byte{0, byte(i)})
			}
		}),
	}
	return s.tolerates(ctx, plain, "extensions that it does not know", variants)
}

// sizes are those of hellos in bytes, record header included: of the range on which some load balancers hang (RFC 7685
// section 4), above it, more than a TCP segment holds, as hellos with post-quantum key shares are, and well above that.
var sizes = []int{400, 600, postQuantumSize, 4000}

const postQuantumSize = 1800

func sizeIntolerance(ctx context.Context, s *subject) answer {
	if s.withoutExtensions() {
		return noExtensions
	}
	plain := s.plainHello()
	var variants []variant
	for _, n := range sizes {
		if plain.WireSize()+4 < n {
			variants = append(variants, edited(fmt.Sprintf("%d bytes", n), plain, func(h *hello.ClientHello) { h.SetPadding(n) }))
		}
	}
	if o := s.plainOffer(); o.Versions[0] == suite.TLS13 {
		o.Groups = append([]suite.Group{suite.X25519MLKEM768}, without(o.Groups, suite.X25519MLKEM768)...)
		o.KeyShares = append([]suite.Group{suite.X25519MLKEM768}, o.KeyShares...)
		variants = append(variants, variant{name: "a post-quantum key share", raw: marshal(s.build(o))})
	}
	return s.tolerates(ctx, plain, "hellos of all sizes", variants)
}

// without returns groups without g; none stand for the usual ones.
func without(groups []suite.Group, g suite.Group) []suite.Group {
	if len(groups) == 0 {
		groups = []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1}
	}
	var l []suite.Group
	for _, x := range groups {
		if x != g {
			l = append(l, x)
		}
	}
	return l
}

// tcpSegment is what a TCP segment usually carries of a large hello.
const tcpSegment = 1400

func splitIntolerance(ctx context.Context, s *subject) answer {
	plain := s.plainHello()
	whole := marshal(plain)
	variants := []variant{
		{name: "two TCP segments, cut after the record header", raw: whole, cuts: []int{5}},
		{name: "three TCP segments, cut in the header and in the middle", raw: whole, cuts: []int{2, len(whole) / 2}},
		{name: "two records", raw: twoRecords(plain)},
	}
	if !s.withoutExtensions() {
		large := edited(fmt.Sprintf("%d bytes in two TCP segments", postQuantumSize), plain, func(h *hello.ClientHello) { h.SetPadding(postQuantumSize) })
		large.cuts = []int{tcpSegment}
		variants = append(variants, large)
	}
	return s.tolerates(ctx, plain, "hellos that arrive in pieces", variants)
}

// twoRecords puts the two halves of a hello into records of their own.
func twoRecords(h *hello.ClientHello) []byte {
	msg, err := h.MarshalHandshake()
	if err != nil {
		panic("vuln: " + err.Error())
	}
	half := len(msg) / 2
	out := hello.AppendRecords(nil, hello.RecordHandshake, h.RecordVersion, msg[:half])
	return hello.AppendRecords(out, hello.RecordHandshake, h.RecordVersion, msg[half:])
}
