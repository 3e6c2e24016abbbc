package hello

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/parley-tls/parley/suite"
	"golang.org/x/crypto/cryptobyte"
)

// Extension returns the body of the first extension of type t.
func (h *ClientHello) Extension(t uint16) ([]byte, bool) { return findExtension(h.Extensions, t) }

func findExtension(list []Extension, t uint16) ([]byte, bool) {
	for _, e := range list {
		if e.Type == t {
			return e.Data, true
		}
	}
	return nil, false
}

// HasExtension reports whether an extension of type t is present.
func (h *ClientHello) HasExtension(t uint16) bool { _, ok := h.Extension(t); return ok }

// RemoveExtension removes every extension of type t.
func (h *ClientHello) RemoveExtension(t uint16) {
	h.Extensions = slices.DeleteFunc(h.Extensions, func(e Extension) bool { return e.Type == t })
}

// SetExtension replaces the body of the extension of type t in its place, or appends it; pre_shared_key
// stays last (RFC 8446 section 4.2.11).
func (h *ClientHello) SetExtension(t uint16, data []byte) {
	h.HasExtensions = true
	for i := range h.Extensions {
		if h.Extensions[i].Type == t {
			h.Extensions[i].Data = data
			return
		}
	}
	at := len(h.Extensions)
	if at > 0 && h.Extensions[at-1].Type == ExtPreSharedKey {
		at--
	}
	h.Extensions = slices.Insert(h.Extensions, at, Extension{t, data})
}

// SetServerName sets server_name (RFC 6066 section 3), or removes it where name is empty.
func (h *ClientHello) SetServerName(name string) {
	if name == "" {
		h.RemoveExtension(ExtServerName)
		return
	}
	h.SetExtension(ExtServerName, serverNameBody(name))
}

func serverNameBody(name string) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint8(0)
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(name)) })
		})
	})
}

// SetVersions sets supported_versions, and legacy_version to the highest of them up to TLS 1.2 (RFC 8446
// section 4.2.1). Without TLS 1.3 in the list the extension is removed, and so are those that only TLS 1.3
// has. A hello without any version cannot be written: an empty list changes nothing.
func (h *ClientHello) SetVersions(versions ...suite.Version) {
	if len(versions) == 0 {
		return
	}
	top := slices.Max(versions)
	h.Version = min(top, suite.TLS12)
	if !h.SSLv2Format {
		h.RecordVersion = min(h.RecordVersion, max(h.Version, suite.SSLv3)) // servers of SSLv3 alone know no other
	}
	if top < suite.TLS13 {
		for _, t := range []uint16{ExtSupportedVersions, ExtKeyShare, ExtPSKModes, ExtPreSharedKey, ExtEarlyData} {
			h.RemoveExtension(t)
		}
		return
	}
	h.SetExtension(ExtSupportedVersions, versionsBody(versions))
}

// SetSuites replaces the cipher suites. What the list signals stays: the SCSVs at its end (RFC 5746, RFC
// 7507) and a GREASE value at its front.
func (h *ClientHello) SetSuites(suites ...suite.Code) {
	var front, end []suite.Code
	for _, c := range h.Suites {
		switch {
		case c == suite.EmptyRenegotiationInfoSCSV || c == suite.FallbackSCSV:
			end = append(end, c)
		case c <= 0xFFFF && suite.IsGREASE(uint16(c)):
			front = append(front, c)
		}
	}
	h.Suites = slices.Concat(front, suites, end)
}

func versionsBody(versions []suite.Version) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, v := range versions {
				b.AddUint16(uint16(v))
			}
		})
	})
}

// SetGroups sets supported_groups and drops the key shares of groups that are not in the list.
func (h *ClientHello) SetGroups(groups ...suite.Group) {
	h.SetExtension(ExtSupportedGroups, list16(groups))
	shares, err := h.KeyShares()
	if err != nil || !h.HasExtension(ExtKeyShare) {
		return
	}
	h.SetKeyShares(slices.DeleteFunc(shares, func(s KeyShare) bool { return !slices.Contains(groups, s.Group) }))
}

// SetSchemes sets signature_algorithms.
func (h *ClientHello) SetSchemes(schemes ...suite.SignatureScheme) {
	h.SetExtension(ExtSignatureAlgorithms, list16(schemes))
}

// SetALPN sets the list of application protocols (RFC 7301), or removes the extension where it is empty.
func (h *ClientHello) SetALPN(protocols ...string) {
	if len(protocols) == 0 {
		h.RemoveExtension(ExtALPN)
		return
	}
	h.SetExtension(ExtALPN, alpnBody(protocols))
}

func alpnBody(protocols []string) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, p := range protocols {
				b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(p)) })
			}
		})
	})
}

// SetPadding makes the hello exactly size bytes long on the wire, record header included, by the padding
// extension (RFC 7685), where that is possible; a hello that is longer already only loses its padding.
func (h *ClientHello) SetPadding(size int) {
	h.RemoveExtension(ExtPadding)
	b, err := h.Marshal()
	if err != nil || len(b)+4 > size {
		return
	}
	h.SetExtension(ExtPadding, make([]byte, size-len(b)-4))
}

// KeyShare is one entry of key_share (RFC 8446 section 4.2.8).
type KeyShare struct {
	Group suite.Group
	Data  []byte
}

// KeyShares returns the entries of key_share, GREASE included; none if the extension is absent.
func (h *ClientHello) KeyShares() ([]KeyShare, error) {
	data, ok := h.Extension(ExtKeyShare)
	if !ok {
		return nil, nil
	}
	s := cryptobyte.String(data)
	var list cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&list) || !s.Empty() {
		return nil, malformed(ExtKeyShare)
	}
	var shares []KeyShare
	for !list.Empty() {
		var group uint16
		var key cryptobyte.String
		if !list.ReadUint16(&group) || !list.ReadUint16LengthPrefixed(&key) {
			return nil, malformed(ExtKeyShare)
		}
		shares = append(shares, KeyShare{suite.Group(group), bytes.Clone(key)})
	}
	return shares, nil
}

// SetKeyShares sets key_share; an empty list asks for a HelloRetryRequest.
func (h *ClientHello) SetKeyShares(shares []KeyShare) {
	h.SetExtension(ExtKeyShare, sharesBody(shares))
}

func sharesBody(shares []KeyShare) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, s := range shares {
				b.AddUint16(uint16(s.Group))
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(s.Data) })
			}
		})
	})
}

// build collects what fill writes. Bodies that outgrow their length fields cannot be sent: they come out
// empty, and the server's answer says so.
func build(fill func(*cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	fill(&b)
	out, err := b.Bytes()
	if err != nil {
		return nil
	}
	return out
}

// list16 is a vector of 16-bit values with a 16-bit length.
func list16[T ~uint16](values []T) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, v := range values {
				b.AddUint16(uint16(v))
			}
		})
	})
}

// read16 reads a vector of 16-bit values with a length of 16 bits, or of 8 bits where short is set.
func read16[T ~uint16](data []byte, short bool) ([]T, bool) {
	s := cryptobyte.String(data)
	var list cryptobyte.String
	ok := false
	if short {
		ok = s.ReadUint8LengthPrefixed(&list)
	} else {
		ok = s.ReadUint16LengthPrefixed(&list)
	}
	if !ok || !s.Empty() || len(list)%2 != 0 {
		return nil, false
	}
	out := make([]T, 0, len(list)/2)
	for i := 0; i < len(list); i += 2 {
		out = append(out, T(list[i])<<8|T(list[i+1]))
	}
	return out, true
}

func malformed(t uint16) error { return fmt.Errorf("ClientHello: malformed %s", ExtensionName(t)) }
