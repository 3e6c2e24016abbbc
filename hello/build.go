package hello

import (
	"fmt"
	"io"
	"slices"

	"github.com/parley-tls/parley/suite"
)

// Build makes the ClientHello of an offer. Randomness (the random, the session id, GREASE values and the
// key shares) is read from rand and from nowhere else, so that a test can repeat a hello.
//
// The extensions come in the order of o.Extensions where it names them, the others after it; extensions
// that an offer's fields do not describe are sent with the body that real clients commonly send, and left
// out where there is none (pre_shared_key needs a session).
func Build(o *Offer, rand io.Reader) (*ClientHello, error) {
	h, _, err := BuildWithKeys(o, rand)
	return h, err
}

// BuildWithKeys is Build for who wants to finish the handshake: it also returns the private halves of the
// key shares.
func BuildWithKeys(o *Offer, rand io.Reader) (*ClientHello, []PrivateKey, error) {
	if len(o.Versions) == 0 {
		return nil, nil, fmt.Errorf("the offer of %s has no protocol version", o.Source.Name)
	}
	top := slices.Max(o.Versions)
	h := &ClientHello{Version: min(top, suite.TLS12), RecordVersion: min(top, suite.TLS10), SSLv2Format: o.SSLv2Format}
	h.Random = make([]byte, 32)
	if _, err := io.ReadFull(rand, h.Random); err != nil {
		return nil, nil, fmt.Errorf("random: %w", err)
	}
	h.Suites = slices.Clone(o.Suites)
	// The SCSV says what the extension says, for clients that do not send the extension (RFC 5746 section 3.4).
	scsv := o.SecureReneg && (top < suite.TLS10 || o.SSLv2Format || o.Extensions != nil && !slices.Contains(o.Extensions, ExtRenegotiationInfo))
	if scsv {
		h.Suites = append(h.Suites, suite.EmptyRenegotiationInfoSCSV)
	}
	if o.FallbackSCSV {
		h.Suites = append(h.Suites, suite.FallbackSCSV)
	}
	if o.SSLv2Format {
		h.RecordVersion = suite.SSLv2
		return h, nil, nil
	}
	h.Compression = slices.Clone(o.Compression)
	if len(h.Compression) == 0 {
		h.Compression = []byte{0}
	}
	h.Suites = slices.DeleteFunc(h.Suites, func(c suite.Code) bool { return c > 0xFFFF })
	if top >= suite.TLS13 {
		h.SessionID = make([]byte, 32) // RFC 8446 appendix D.4: middleboxes expect one
		if _, err := io.ReadFull(rand, h.SessionID); err != nil {
			return nil, nil, fmt.Errorf("session id: %w", err)
		}
	}
	if top < suite.TLS10 && o.Extensions == nil {
		return h, nil, nil // SSLv3 knows no extensions; some clients send them all the same
	}
	b := builder{hello: h, offer: o, top: top, rand: rand, scsv: scsv}
	if err := b.extensions(); err != nil {
		return nil, nil, err
	}
	return h, b.keys, nil
}

// builder holds what Build needs while it writes the extensions.
type builder struct {
	hello  *ClientHello
	offer  *Offer
	top    suite.Version
	rand   io.Reader
	scsv   bool // secure renegotiation is signalled in the list of suites
	grease [5]uint16
	keys   []PrivateKey
}

// Places of GREASE values (RFC 8701 section 3.1), as browsers use them.
const (
	greaseSuite = iota
	greaseGroup
	greaseVersion
	greaseFirst // extension
	greaseLast  // extension
)

func (b *builder) extensions() error {
	h, o := b.hello, b.offer
	if o.GREASE {
		if err := b.pickGREASE(); err != nil {
			return err
		}
		h.Suites = slices.Insert(h.Suites, 0, suite.Code(b.grease[greaseSuite]))
		h.SetExtension(b.grease[greaseFirst], nil)
	}
	bodies, err := b.bodies()
	if err != nil {
		return err
	}
	padded := false
	for _, t := range o.Extensions {
		body, ok := bodies[t]
		switch {
		case ok:
		case t == ExtPadding:
			padded, ok = true, true
		case t == ExtECH:
			if body, err = greaseECH(b.rand); err != nil {
				return err
			}
			ok = true
		default:
			body, ok = usualBody(t)
		}
		if ok && !h.HasExtension(t) {
			h.SetExtension(t, body)
			delete(bodies, t)
		}
	}
	for _, t := range buildOrder {
		if body, ok := bodies[t]; ok {
			h.SetExtension(t, body)
		}
	}
	if o.GREASE {
		at := len(h.Extensions)
		if at > 0 && h.Extensions[at-1].Type == ExtPadding {
			at--
		}
		h.Extensions = slices.Insert(h.Extensions, at, Extension{b.grease[greaseLast], []byte{0}})
	}
	if padded {
		b.pad()
	}
	return nil
}

// bodies makes the extensions that the offer's fields describe.
func (b *builder) bodies() (map[uint16][]byte, error) {
	o := b.offer
	m := make(map[uint16][]byte)
	if o.ServerName != "" {
		m[ExtServerName] = serverNameBody(o.ServerName)
	}
	if o.SecureReneg && !b.scsv {
		m[ExtRenegotiationInfo] = []byte{0}
	}
	if o.HasGroups {
		m[ExtSupportedGroups] = list16(greased(b, greaseGroup, o.Groups))
	}
	if len(o.PointFormats) > 0 {
		m[ExtPointFormats] = append([]byte{byte(len(o.PointFormats))}, o.PointFormats...)
	}
	if o.HasSchemes {
		m[ExtSignatureAlgorithms] = list16(o.Schemes)
	}
	if len(o.CertSchemes) > 0 {
		m[ExtSignatureAlgsCert] = list16(o.CertSchemes)
	}
	if len(o.ALPN) > 0 {
		m[ExtALPN] = alpnBody(o.ALPN)
	}
	if o.ExtendedMaster {
		m[ExtExtendedMasterSecret] = []byte{}
	}
	if o.EncryptThenMAC {
		m[ExtEncryptThenMAC] = []byte{}
	}
	if o.SessionTicket {
		m[ExtSessionTicket] = []byte{}
	}
	if b.top >= suite.TLS13 || slices.Contains(o.Extensions, ExtSupportedVersions) {
		m[ExtSupportedVersions] = versionsBody(greased(b, greaseVersion, o.Versions))
	}
	if b.top < suite.TLS13 {
		return m, nil
	}
	modes := o.PSKModes
	if len(modes) == 0 && o.Extensions == nil {
		modes = []byte{1} // psk_dhe_ke: without it a server sends no tickets
	}
	if len(modes) > 0 {
		m[ExtPSKModes] = append([]byte{byte(len(modes))}, modes...)
	}
	shares, keys, err := makeShares(o.KeyShares, b.rand)
	if err != nil {
		return nil, err
	}
	b.keys = keys
	if o.GREASE {
		shares = slices.Insert(shares, 0, KeyShare{suite.Group(b.grease[greaseGroup]), []byte{0}})
	}
	m[ExtKeyShare] = sharesBody(shares)
	return m, nil
}

// greased puts a GREASE value before a list, if the client does so.
func greased[T ~uint16](b *builder, place int, l []T) []T {
	if !b.offer.GREASE {
		return l
	}
	return append([]T{T(b.grease[place])}, l...)
}

// pickGREASE draws the values. Those of the two extensions differ: no type may come twice.
func (b *builder) pickGREASE() error {
	var seed [len(b.grease)]byte
	if _, err := io.ReadFull(b.rand, seed[:]); err != nil {
		return fmt.Errorf("GREASE: %w", err)
	}
	if seed[greaseFirst]>>4 == seed[greaseLast]>>4 {
		seed[greaseLast] ^= 0x10
	}
	for i, s := range seed {
		b.grease[i] = uint16(s&0xF0|0x0A) * 0x0101
	}
	return nil
}

// pad sizes the padding extension (RFC 7685): to the size of the offer on the wire where it is known, and
// else as the clients do that invented it, whose messages of 256 to 511 bytes grow to 512 because some
// servers hang on that range (RFC 7685 section 4).
func (b *builder) pad() {
	h := b.hello
	bare := h.WireSize() // with the header of the extension, without a body
	target := b.offer.WireSize
	if target < bare {
		if target = 512 + 5; bare-4 < 256+5 || bare-4 > 511+5 {
			h.RemoveExtension(ExtPadding)
			return
		}
		target = max(target, bare+1)
	}
	h.SetExtension(ExtPadding, make([]byte, target-bare))
}

// buildOrder is the order of extensions where the offer does not say: that of OpenSSL 3.
var buildOrder = []uint16{ExtRenegotiationInfo, ExtServerName, ExtPointFormats, ExtSupportedGroups, ExtSessionTicket, ExtALPN,
	ExtEncryptThenMAC, ExtExtendedMasterSecret, ExtSignatureAlgorithms, ExtSignatureAlgsCert, ExtSupportedVersions, ExtPSKModes, ExtKeyShare}

// usualBody is what real clients send in an extension that an offer does not describe.
func usualBody(t uint16) ([]byte, bool) {
	switch t {
	case ExtSCT, ExtNPN, ExtExtendedMasterSecret, ExtEncryptThenMAC, ExtSessionTicket, ExtPostHandshakeAuth, ExtChannelID, extOldChannelID:
		return []byte{}, true
	case ExtRenegotiationInfo:
		return []byte{0}, true
	case ExtMaxFragmentLength:
		return []byte{4}, true // 4096 bytes (RFC 6066 section 4)
	case ExtStatusRequest:
		return []byte{1, 0, 0, 0, 0}, true // OCSP, no responders, no extensions (RFC 6066 section 8)
	case extStatusRequestV2:
		return []byte{0, 7, 2, 0, 4, 0, 0, 0, 0}, true // ocsp_multi (RFC 6961), as Java sends it
	case ExtPointFormats:
		return []byte{1, 0}, true // uncompressed (RFC 8422 section 5.1.2)
	case ExtHeartbeat:
		return []byte{1}, true // peer_allowed_to_send (RFC 6520)
	case ExtCompressCertificate:
		return []byte{2, 0, 2}, true // brotli (RFC 8879)
	case ExtRecordSizeLimit:
		return []byte{0x40, 0x01}, true // RFC 8449
	case ExtDelegatedCredentials:
		return []byte{0, 8, 4, 3, 5, 3, 6, 3, 2, 3}, true // ECDSA with SHA-2, then SHA-1 (RFC 9345), as Firefox sends it
	case ExtApplicationSettings, extNewApplicationSettings:
		return []byte{0, 3, 2, 'h', '2'}, true
	}
	return nil, false
}

// greaseECH is the body of an encrypted_client_hello that hides nothing: what clients send that hold no key
// of the server (RFC 9849 section 6.2).
func greaseECH(rand io.Reader) ([]byte, error) {
	const enc, payload = 32, 144
	body := make([]byte, 0, 10+enc+payload)
	body = append(body, 0, 0, 1, 0, 1) // outer; HKDF-SHA256, AES-128-GCM
	random := make([]byte, 1+enc+payload)
	if _, err := io.ReadFull(rand, random); err != nil {
		return nil, fmt.Errorf("encrypted_client_hello: %w", err)
	}
	body = append(body, random[0], 0, enc)
	body = append(body, random[1:1+enc]...)
	body = append(body, 0, payload)
	return append(body, random[1+enc:]...), nil
}

// Refresh replaces the random and the session id, so that a recorded hello can be sent again as a new
// connection. The key shares stay as they are: nobody finishes the handshake.
func (h *ClientHello) Refresh(rand io.Reader) error {
	for _, b := range [][]byte{h.Random, h.SessionID} {
		if _, err := io.ReadFull(rand, b); err != nil {
			return fmt.Errorf("random: %w", err)
		}
	}
	return nil
}
