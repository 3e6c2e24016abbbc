package hello

import (
	"slices"

	"github.com/parley-tls/parley/suite"
	"golang.org/x/crypto/cryptobyte"
)

// Offer reads from the bytes what the client proposes. Extensions that are malformed count as present
// but empty. The caller sets Source; Accepts stays unknown, since no hello shows it.
//
// Before TLS 1.3 a hello names only the highest version. All versions from there down to SSLv3 are taken
// as offered (RFC 5246 appendix E.1): whether the client would really accept them is a rule of its own.
func (h *ClientHello) Offer() Offer {
	o := Offer{SSLv2Format: h.SSLv2Format, Compression: slices.Clone(h.Compression), Suites: make([]suite.Code, 0, len(h.Suites))}
	for _, c := range h.Suites {
		switch {
		case c == suite.EmptyRenegotiationInfoSCSV:
			o.SecureReneg = true
		case c == suite.FallbackSCSV:
			o.FallbackSCSV = true
		case c <= 0xFFFF && suite.IsGREASE(uint16(c)):
			o.GREASE = true
		default:
			o.Suites = append(o.Suites, c)
		}
	}
	for _, e := range h.Extensions {
		if suite.IsGREASE(e.Type) {
			o.GREASE = true
			continue
		}
		o.Extensions = append(o.Extensions, e.Type)
		o.readExtension(e)
	}
	if o.Versions == nil {
		o.Versions = versionsUpTo(h.Version, slices.ContainsFunc(h.Suites, func(c suite.Code) bool { return c > 0xFFFF }))
	}
	slices.SortFunc(o.Versions, func(a, b suite.Version) int { return int(b) - int(a) })
	o.WireSize = h.WireSize()
	return o
}

func (o *Offer) readExtension(e Extension) {
	s := cryptobyte.String(e.Data)
	switch e.Type {
	case ExtServerName:
		o.ServerName = readServerName(s)
	case ExtSupportedGroups:
		o.HasGroups = true
		l, _ := read16[suite.Group](e.Data, false)
		o.Groups = dropGREASE(o, l)
	case ExtPointFormats:
		var l cryptobyte.String
		if s.ReadUint8LengthPrefixed(&l) {
			o.PointFormats = slices.Clone(l)
		}
	case ExtSignatureAlgorithms:
		o.HasSchemes = true
		l, _ := read16[suite.SignatureScheme](e.Data, false)
		o.Schemes = dropGREASE(o, l)
	case ExtSignatureAlgsCert:
		l, _ := read16[suite.SignatureScheme](e.Data, false)
		o.CertSchemes = dropGREASE(o, l)
	case ExtALPN:
		o.ALPN = readALPN(s)
	case ExtSupportedVersions:
		l, _ := read16[suite.Version](e.Data, true)
		o.Versions = dropGREASE(o, l)
	case ExtKeyShare:
		var l cryptobyte.String
		if !s.ReadUint16LengthPrefixed(&l) {
			return
		}
		for !l.Empty() {
			var g uint16
			var key cryptobyte.String
			if !l.ReadUint16(&g) || !l.ReadUint16LengthPrefixed(&key) {
				return
			}
			if suite.IsGREASE(g) {
				o.GREASE = true
				continue
			}
			o.KeyShares = append(o.KeyShares, suite.Group(g))
		}
	case ExtPSKModes:
		var l cryptobyte.String
		if s.ReadUint8LengthPrefixed(&l) {
			o.PSKModes = slices.Clone(l)
		}
	case ExtRenegotiationInfo:
		o.SecureReneg = true
	case ExtExtendedMasterSecret:
		o.ExtendedMaster = true
	case ExtEncryptThenMAC:
		o.EncryptThenMAC = true
	case ExtSessionTicket:
		o.SessionTicket = true
	case ExtPreSharedKey:
		o.PreSharedKey = true
	}
}

func dropGREASE[T ~uint16](o *Offer, l []T) []T {
	return slices.DeleteFunc(l, func(v T) bool {
		grease := suite.IsGREASE(uint16(v))
		o.GREASE = o.GREASE || grease
		return grease
	})
}

func readServerName(s cryptobyte.String) string {
	var list, name cryptobyte.String
	var kind uint8
	if !s.ReadUint16LengthPrefixed(&list) || !list.ReadUint8(&kind) || kind != 0 || !list.ReadUint16LengthPrefixed(&name) {
		return ""
	}
	return string(name)
}

func readALPN(s cryptobyte.String) []string {
	var list cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&list) {
		return nil
	}
	var out []string
	for !list.Empty() {
		var p cryptobyte.String
		if !list.ReadUint8LengthPrefixed(&p) {
			return out
		}
		out = append(out, string(p))
	}
	return out
}

// versionsUpTo lists the versions that a hello without supported_versions offers. A version above TLS 1.2
// in legacy_version means TLS 1.2 to every server that follows RFC 8446 section 4.1.2.
func versionsUpTo(top suite.Version, sslv2 bool) []suite.Version {
	var l []suite.Version
	for _, v := range []suite.Version{suite.TLS12, suite.TLS11, suite.TLS10, suite.SSLv3} {
		if v <= top {
			l = append(l, v)
		}
	}
	if sslv2 {
		l = append(l, suite.SSLv2)
	}
	return l
}
