package suite

import (
	"fmt"
	"strconv"
)

// Group is a named group of the supported_groups extension (RFC 8446 section 4.2.7, RFC 8422, RFC 7919).
type Group uint16

// Groups that the code refers to by name; the registry in full is in groups.tsv.
const (
	Secp256r1          Group = 0x0017
	Secp384r1          Group = 0x0018
	Secp521r1          Group = 0x0019
	X25519             Group = 0x001D
	X448               Group = 0x001E
	FFDHE2048          Group = 0x0100
	FFDHE3072          Group = 0x0101
	FFDHE4096          Group = 0x0102
	FFDHE6144          Group = 0x0103
	FFDHE8192          Group = 0x0104
	MLKEM1024          Group = 0x0202
	SecP256r1MLKEM768  Group = 0x11EB
	X25519MLKEM768     Group = 0x11EC
	SecP384r1MLKEM1024 Group = 0x11ED
)

// String returns the IANA name, or the code as 0x11EC where there is none.
func (g Group) String() string {
	if i := GroupByCode(g); i != nil {
		return i.Name
	}
	return fmt.Sprintf("0x%04X", uint16(g))
}

// MarshalText gives the IANA name.
func (g Group) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads an IANA name, or a code as String writes it.
func (g *Group) UnmarshalText(b []byte) error {
	if i := GroupByName(string(b)); i != nil {
		*g = i.Code
		return nil
	}
	n, err := strconv.ParseUint(string(b), 0, 16)
	if err != nil {
		return fmt.Errorf("%q is no group: expected an IANA name or a code", b)
	}
	*g = Group(n)
	return nil
}

// SignatureScheme is a code of signature_algorithms: in TLS 1.3 one name (RFC 8446 section 4.2.3), in
// TLS 1.2 a hash byte and a signature byte (RFC 5246 section 7.4.1.4.1), in one number space.
type SignatureScheme uint16

// Signature schemes that the code refers to by name; the registry in full is in schemes.tsv.
const (
	RSAPKCS1MD5          SignatureScheme = 0x0101
	RSAPKCS1SHA1         SignatureScheme = 0x0201
	DSASHA1              SignatureScheme = 0x0202
	ECDSASHA1            SignatureScheme = 0x0203
	RSAPKCS1SHA224       SignatureScheme = 0x0301
	ECDSASHA224          SignatureScheme = 0x0303
	RSAPKCS1SHA256       SignatureScheme = 0x0401
	DSASHA256            SignatureScheme = 0x0402
	ECDSASecp256r1SHA256 SignatureScheme = 0x0403
	RSAPKCS1SHA384       SignatureScheme = 0x0501
	ECDSASecp384r1SHA384 SignatureScheme = 0x0503
	RSAPKCS1SHA512       SignatureScheme = 0x0601
	ECDSASecp521r1SHA512 SignatureScheme = 0x0603
	RSAPSSRSAESHA256     SignatureScheme = 0x0804
	RSAPSSRSAESHA384     SignatureScheme = 0x0805
	RSAPSSRSAESHA512     SignatureScheme = 0x0806
	Ed25519              SignatureScheme = 0x0807
	Ed448                SignatureScheme = 0x0808
	RSAPSSPSSSHA256      SignatureScheme = 0x0809
	RSAPSSPSSSHA384      SignatureScheme = 0x080A
	RSAPSSPSSSHA512      SignatureScheme = 0x080B
)

// String returns the IANA name; for a TLS 1.2 pair without one its two names (sha224+rsa); else the code.
func (s SignatureScheme) String() string {
	if i := SchemeByCode(s); i != nil {
		return i.Name
	}
	return fmt.Sprintf("0x%04X", uint16(s))
}

// MarshalText gives the name.
func (s SignatureScheme) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
