package hello

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"fmt"
	"io"
	"slices"

	"github.com/parley-tls/parley/suite"
)

// Build makes the ClientHello of an offer. Randomness (the random, the session id and the key shares)
// is read from rand. The extensions come in the order of o.Extensions where it names them, the others
// after it; extensions that an offer's fields do not describe are sent empty if an empty body is valid
// for them and left out otherwise.
//
// Build finishes no handshake, so the private keys of the key shares are thrown away.
func Build(o *Offer, rand io.Reader) (*ClientHello, error) {
	if len(o.Versions) == 0 {
		return nil, fmt.Errorf("the offer of %s has no protocol version", o.Source.Name)
	}
	top := slices.Max(o.Versions)
	h := &ClientHello{Version: min(top, suite.TLS12), RecordVersion: min(top, suite.TLS10), SSLv2Format: o.SSLv2Format}
	h.Compression = slices.Clone(o.Compression)
	if len(h.Compression) == 0 {
		h.Compression = []byte{0}
	}
	h.Random = make([]byte, 32)
	if _, err := io.ReadFull(rand, h.Random); err != nil {
		return nil, fmt.Errorf("random: %w", err)
	}
	h.Suites = slices.Clone(o.Suites)
	if o.SecureReneg && (top < suite.TLS10 || o.SSLv2Format) {
		h.Suites = append(h.Suites, suite.EmptyRenegotiationInfoSCSV)
	}
	if o.FallbackSCSV {
		h.Suites = append(h.Suites, suite.FallbackSCSV)
	}
	if o.SSLv2Format {
		h.Compression = nil
		return h, nil
	}
	h.Suites = slices.DeleteFunc(h.Suites, func(c suite.Code) bool { return c > 0xFFFF })
	if top >= suite.TLS13 {
		h.SessionID = make([]byte, 32) // RFC 8446 appendix D.4: middleboxes expect one
		if _, err := io.ReadFull(rand, h.SessionID); err != nil {
			return nil, fmt.Errorf("session id: %w", err)
		}
	}
	if top < suite.TLS10 {
		return h, nil
	}
	if err := h.addExtensions(o, top, rand); err != nil {
		return nil, err
	}
	return h, nil
}

func (h *ClientHello) addExtensions(o *Offer, top suite.Version, rand io.Reader) error {
	bodies := make(map[uint16][]byte)
	if o.ServerName != "" {
		bodies[ExtServerName] = serverNameBody(o.ServerName)
	}
	if o.SecureReneg {
		bodies[ExtRenegotiationInfo] = []byte{0}
	}
	if o.HasGroups {
		bodies[ExtSupportedGroups] = list16(o.Groups)
	}
	if len(o.PointFormats) > 0 {
		bodies[ExtPointFormats] = append([]byte{byte(len(o.PointFormats))}, o.PointFormats...)
	}
	if o.HasSchemes {
		bodies[ExtSignatureAlgorithms] = list16(o.Schemes)
	}
	if len(o.CertSchemes) > 0 {
		bodies[ExtSignatureAlgsCert] = list16(o.CertSchemes)
	}
	if len(o.ALPN) > 0 {
		bodies[ExtALPN] = alpnBody(o.ALPN)
	}
	if o.ExtendedMaster {
		bodies[ExtExtendedMasterSecret] = []byte{}
	}
	if o.EncryptThenMAC {
		bodies[ExtEncryptThenMAC] = []byte{}
	}
	if o.SessionTicket {
		bodies[ExtSessionTicket] = []byte{}
	}
	if top >= suite.TLS13 {
		bodies[ExtSupportedVersions] = versionsBody(o.Versions)
		modes := o.PSKModes
		if len(modes) == 0 {
			modes = []byte{1} // psk_dhe_ke
		}
		bodies[ExtPSKModes] = append([]byte{byte(len(modes))}, modes...)
		shares, err := makeShares(o.KeyShares, rand)
		if err != nil {
			return err
		}
		bodies[ExtKeyShare] = sharesBody(shares)
	}
	for _, t := range o.Extensions {
		body, ok := bodies[t]
		if !ok {
			body, ok = emptyBody(t)
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
	return nil
}

// buildOrder is the order of extensions where the offer does not say: that of OpenSSL 3.
var buildOrder = []uint16{ExtRenegotiationInfo, ExtServerName, ExtPointFormats, ExtSupportedGroups, ExtSessionTicket, ExtALPN,
	ExtEncryptThenMAC, ExtExtendedMasterSecret, ExtSignatureAlgorithms, ExtSignatureAlgsCert, ExtSupportedVersions, ExtPSKModes, ExtKeyShare}

// emptyBody is what an extension carries when a client only says that it knows it.
func emptyBody(t uint16) ([]byte, bool) {
	switch t {
	case ExtSCT, ExtNPN, ExtExtendedMasterSecret, ExtEncryptThenMAC, ExtSessionTicket, ExtPostHandshakeAuth, ExtChannelID:
		return []byte{}, true
	case ExtStatusRequest:
		return []byte{1, 0, 0, 0, 0}, true // OCSP, no responders, no extensions (RFC 6066 section 8)
	case ExtHeartbeat:
		return []byte{1}, true // peer_allowed_to_send (RFC 6520)
	case ExtCompressCertificate:
		return []byte{2, 0, 2}, true // brotli (RFC 8879)
	case ExtRecordSizeLimit:
		return []byte{0x40, 0x01}, true // RFC 8449
	case ExtApplicationSettings:
		return []byte{0, 3, 2, 'h', '2'}, true
	}
	return nil, false
}

// makeShares generates the public half of a key exchange for each group.
func makeShares(groups []suite.Group, rand io.Reader) ([]KeyShare, error) {
	shares := make([]KeyShare, 0, len(groups))
	for _, g := range groups {
		data, err := makeShare(g, rand)
		if err != nil {
			return nil, fmt.Errorf("key share for %s: %w", g, err)
		}
		shares = append(shares, KeyShare{g, data})
	}
	return shares, nil
}

func makeShare(g suite.Group, rand io.Reader) ([]byte, error) {
	ec := func(c ecdh.Curve) ([]byte, error) {
		k, err := c.GenerateKey(rand)
		if err != nil {
			return nil, err
		}
		return k.PublicKey().Bytes(), nil
	}
	switch g {
	case suite.X25519:
		return ec(ecdh.X25519())
	case suite.Secp256r1:
		return ec(ecdh.P256())
	case suite.Secp384r1:
		return ec(ecdh.P384())
	case suite.Secp521r1:
		return ec(ecdh.P521())
	case suite.X25519MLKEM768: // the lattice half first (draft-ietf-tls-ecdhe-mlkem section 4.1)
		return joined(kem768, func() ([]byte, error) { return ec(ecdh.X25519()) })
	case suite.SecP256r1MLKEM768:
		return joined(func() ([]byte, error) { return ec(ecdh.P256()) }, kem768)
	case suite.SecP384r1MLKEM1024:
		return joined(func() ([]byte, error) { return ec(ecdh.P384()) }, kem1024)
	case suite.MLKEM1024:
		return kem1024()
	case suite.X448:
		// A server checks little of an X448 share: any 56 bytes are a valid point (RFC 7748 section 5).
		b := make([]byte, 56)
		_, err := io.ReadFull(rand, b)
		return b, err
	case suite.FFDHE2048, suite.FFDHE3072, suite.FFDHE4096, suite.FFDHE6144, suite.FFDHE8192:
		// Any value below the prime is a valid share; the primes begin with 64 one bits (RFC 7919
		// appendix A), so a value that begins with a zero byte is below all of them.
		b := make([]byte, suite.GroupByCode(g).Bits/8)
		_, err := io.ReadFull(rand, b[1:])
		return b, err
	case 0x6399: // X25519Kyber768Draft00: the classical half first; Kyber's keys have ML-KEM's form
		return joined(func() ([]byte, error) { return ec(ecdh.X25519()) }, kem768)
	}
	return nil, fmt.Errorf("not a group that key shares are made for here")
}

func joined(parts ...func() ([]byte, error)) ([]byte, error) {
	var out []byte
	for _, p := range parts {
		b, err := p()
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out, nil
}

func kem768() ([]byte, error) {
	k, err := mlkem.GenerateKey768()
	if err != nil {
		return nil, err
	}
	return k.EncapsulationKey().Bytes(), nil
}

func kem1024() ([]byte, error) {
	k, err := mlkem.GenerateKey1024()
	if err != nil {
		return nil, err
	}
	return k.EncapsulationKey().Bytes(), nil
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
