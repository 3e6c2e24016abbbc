package suite

import "strings"

// parseName fills in the parts of a suite, which its IANA name spells out: TLS_<key exchange and
// authentication>_WITH_<cipher>_<hash>, without the first half in TLS 1.3 (RFC 8446 appendix B.4).
func (s *Suite) parseName() {
	name := strings.TrimPrefix(s.IANA, "OLD_")
	s.MinVersion, s.MaxVersion = SSLv3, TLS12
	if strings.HasSuffix(name, "_SCSV") {
		s.Signalling = true
		s.MaxVersion = TLS13
		return
	}
	if kind, ok := strings.CutPrefix(name, "SSL_CK_"); ok {
		s.KeyExchange, s.Authentication = KXRSA, AuthRSA
		s.MinVersion, s.MaxVersion = SSLv2, SSLv2
		s.MAC, s.PRF = "MD5", "MD5" // whatever the MAC, the keys come from MD5
		s.Export = strings.Contains(kind, "EXPORT40")
		cipher, mac, _ := strings.Cut(kind, "_WITH_")
		switch mac {
		case "SHA":
			s.MAC = "SHA1"
		case "":
			s.MAC = "NULL"
		}
		s.parseCipher(cipher)
		return
	}
	name = strings.TrimPrefix(strings.TrimPrefix(name, "TLS_"), "SSL_")
	if name == "SHA256_SHA256" || name == "SHA384_SHA384" { // RFC 9150: integrity only
		s.KeyExchange, s.Authentication = KXAny, AuthAny
		s.Encryption, s.Mode, s.MAC, s.PRF = "NULL", "none", name[:6], name[:6]
		s.MinVersion, s.MaxVersion = TLS13, TLS13
		return
	}
	exchange, cipher, old := strings.Cut(name, "_WITH_")
	if !old {
		if before, after, ok := strings.Cut(name, "_SM"); ok && s.Code>>8 == 0xE0 { // GM/T 0024, never at IANA
			exchange, cipher = before, "SM"+after
		} else {
			s.KeyExchange, s.Authentication = KXAny, AuthAny
			s.MinVersion, s.MaxVersion = TLS13, TLS13
			s.parseCipher(s.parseHash(name))
			return
		}
	}
	s.parseExchange(exchange)
	s.parseCipher(s.parseHash(cipher))
	switch {
	case s.KeyExchange == KXAny: // RFC 9367: the MGM suites of GOST are of TLS 1.3, though they are named like older ones
	case s.AEAD() || s.MAC == "SHA256" || s.MAC == "SHA384":
		s.MinVersion = TLS12 // RFC 5246 section 1.2, RFC 5288 section 4, RFC 5289 section 4
	case s.KeyExchange.UsesEC() || s.KeyExchange == KXSRP:
		s.MinVersion = TLS10 // they need extensions
	case s.Code>>8 == 0xC1:
		s.MinVersion = TLS12 // RFC 9189
	case s.KeyExchange == KXGOST || s.KeyExchange == KXIBC || s.KeyExchange == KXSM2 || s.Encryption == "SALSA20":
		s.MinVersion = TLS10 // specified for TLS alone
	}
	if s.usesPSK() && !s.AEAD() && s.Encryption != "ARIA" && s.MinVersion == TLS12 {
		s.MinVersion = TLS10 // RFC 5487, RFC 5489, RFC 6367: any version, with the PRF of that version
	}
	switch {
	case s.KeyExchange == KXFortezza:
		s.MaxVersion = SSLv3 // gone from TLS
	case s.Export:
		s.MaxVersion = TLS10 // RFC 4346 section A.5
	case s.Encryption == "DES" || s.Encryption == "IDEA":
		s.MaxVersion = TLS11 // RFC 5469
	}
	switch {
	case s.MaxVersion < TLS12:
		s.PRF = "MD5-SHA1"
	case strings.HasPrefix(name, "GOSTR341112") && s.MAC == "GOSTR3411":
		s.MAC, s.PRF = "STREEBOG256", "STREEBOG256"
	case strings.HasPrefix(name, "GOSTR341112"):
		s.PRF = "STREEBOG256"
	}
}

func (s *Suite) usesPSK() bool {
	switch s.KeyExchange {
	case KXPSK, KXDHEPSK, KXECDHEPSK, KXRSAPSK:
		return true
	}
	return false
}

// exchangeNames are the first halves of names; longer ones come before their prefixes.
var exchangeNames = []struct {
	name string
	kx   KeyExchange
	auth Authentication
}{
	{"ECDHE_ECDSA", KXECDHE, AuthECDSA}, {"ECDHE_RSA", KXECDHE, AuthRSA}, {"ECDHE_PSK", KXECDHEPSK, AuthPSK},
	{"ECDH_ECDSA", KXECDH, AuthECDH}, {"ECDH_RSA", KXECDH, AuthECDH}, {"ECDH_anon", KXECDHE, AuthAnon},
	{"DHE_DSS", KXDHE, AuthDSS}, {"DHE_RSA", KXDHE, AuthRSA}, {"DHE_PSK", KXDHEPSK, AuthPSK}, {"PSK_DHE", KXDHEPSK, AuthPSK},
	{"DH_DSS", KXDH, AuthDH}, {"DH_RSA", KXDH, AuthDH}, {"DH_anon", KXDHE, AuthAnon},
	{"RSA_PSK", KXRSAPSK, AuthRSA}, {"PSK", KXPSK, AuthPSK},
	{"SRP_SHA_RSA", KXSRP, AuthRSA}, {"SRP_SHA_DSS", KXSRP, AuthDSS}, {"SRP_SHA", KXSRP, AuthSRP},
	{"KRB5", KXKRB5, AuthKRB5}, {"ECCPWD", KXECCPWD, AuthECCPWD}, {"ECJPAKE", KXECCPWD, AuthPSK},
	{"GOSTR341094", KXGOST, AuthGOST}, {"GOSTR341001", KXGOST, AuthGOST}, {"GOSTR341112_256", KXGOST, AuthGOST},
	{"FORTEZZA_KEA", KXFortezza, AuthFortezza}, {"RSA_FIPS", KXRSA, AuthRSA}, {"RSA", KXRSA, AuthRSA},
	{"ECDHE", KXECDHE, AuthSM2}, {"ECC", KXSM2, AuthSM2}, {"IBSDH", KXECDHE, AuthIBC}, {"IBC", KXIBC, AuthIBC}, // GM/T 0024
	{"CECPQ1_RSA", KXCECPQ1, AuthRSA}, {"CECPQ1_ECDSA", KXCECPQ1, AuthECDSA},
	{"NULL", KXNull, AuthNull},
}

func (s *Suite) parseExchange(name string) {
	if i := strings.Index(name, "_EXPORT"); i >= 0 { // _EXPORT or _EXPORT1024
		s.Export = true
		name = name[:i]
	}
	for _, e := range exchangeNames {
		if e.name == name {
			s.KeyExchange, s.Authentication = e.kx, e.auth
			return
		}
	}
	panic("suite data: unknown key exchange in " + s.IANA)
}

// parseHash cuts the hash off the second half of a name and sets MAC and PRF; it returns the cipher.
func (s *Suite) parseHash(name string) string {
	cut := func(suffix, mac, prf string) bool {
		rest, ok := strings.CutSuffix(name, suffix)
		if ok {
			name, s.MAC, s.PRF = rest, mac, prf
		}
		return ok
	}
	switch {
	case strings.HasSuffix(name, "_MGM_L"), strings.HasSuffix(name, "_MGM_S"):
		s.MAC, s.PRF = "AEAD", "STREEBOG256"
		s.KeyExchange, s.Authentication = KXAny, AuthAny
		s.MinVersion, s.MaxVersion = TLS13, TLS13
		return name
	case strings.HasSuffix(name, "_OMAC"):
		s.MAC, s.PRF = "OMAC", "STREEBOG256"
		return name
	case strings.HasSuffix(name, "_IMIT"):
		s.MAC, s.PRF = "GOST28147-IMIT", "GOSTR3411"
		return name
	case cut("_GOSTR3411", "GOSTR3411", "GOSTR3411"):
	case cut("_ASCONHASH256", "ASCON-HASH256", "ASCON-HASH256"): // NIST SP 800-232
	case cut("_SHA512", "SHA512", "SHA512"):
	case cut("_SHA384", "SHA384", "SHA384"):
	case cut("_SHA256", "SHA256", "SHA256"):
	case cut("_SHA1", "SHA1", "SHA256"), cut("_SHA", "SHA1", "SHA256"):
	case cut("_MD5", "MD5", "SHA256"):
	case cut("_SM3", "SM3", "SM3"):
	default:
		s.MAC, s.PRF = "NULL", "SHA256"
	}
	return name
}

// ciphers are the names of ciphers with their parts.
var ciphers = []struct {
	prefix, encryption string
	bits               int
}{
	{"AES_128", "AES", 128}, {"AES_256", "AES", 256}, {"CAMELLIA_128", "CAMELLIA", 128}, {"CAMELLIA_256", "CAMELLIA", 256},
	{"ARIA_128", "ARIA", 128}, {"ARIA_256", "ARIA", 256}, {"CHACHA20", "CHACHA20", 256}, {"SM4", "SM4", 128}, {"SM1", "SM1", 128},
	{"ASCONAEAD128", "ASCON", 128}, {"AEGIS_128L", "AEGIS", 128}, {"AEGIS_256", "AEGIS", 256},
	{"3DES", "3DES", 112}, {"DES_192_EDE3", "3DES", 112}, {"DES40", "DES", 40}, {"DES_CBC_40", "DES", 40}, {"DES_64", "DES", 56}, {"DES", "DES", 56},
	{"RC4_128_EXPORT40", "RC4", 40}, {"RC4_128", "RC4", 128}, {"RC4_40", "RC4", 40}, {"RC4_56", "RC4", 56}, {"RC4_64", "RC4", 64},
	{"RC2_128_CBC_EXPORT40", "RC2", 40}, {"RC2_128", "RC2", 128}, {"RC2_CBC_40", "RC2", 40}, {"RC2_CBC_56", "RC2", 56},
	{"IDEA", "IDEA", 128}, {"SEED", "SEED", 128}, {"NULL", "NULL", 0}, {"FORTEZZA", "Fortezza", 80},
	{"28147", "GOST28147", 256}, {"KUZNYECHIK", "KUZNYECHIK", 256}, {"MAGMA", "MAGMA", 256},
	{"ESTREAM_SALSA20", "SALSA20", 256}, {"SALSA20", "SALSA20", 256},
}

func (s *Suite) parseCipher(name string) {
	for _, c := range ciphers {
		if strings.HasPrefix(name, c.prefix) {
			s.Encryption, s.Bits = c.encryption, c.bits
			break
		}
	}
	if s.Encryption == "" {
		panic("suite data: unknown cipher in " + s.IANA)
	}
	if s.Export && s.Encryption == "DES" && !strings.Contains(s.IANA, "1024") {
		s.Bits = 40
	}
	if s.Export && s.Encryption == "RC2" && s.Bits == 128 {
		s.Bits = 40
	}
	aead := func(mode string) { s.Mode, s.MAC = mode, "AEAD" }
	switch {
	case strings.HasSuffix(name, "_CCM_8"):
		aead("CCM8")
	case strings.HasSuffix(name, "_CCM"):
		aead("CCM")
	case strings.HasSuffix(name, "_GCM"):
		aead("GCM")
	case strings.HasSuffix(name, "POLY1305"):
		aead("POLY1305")
	case strings.Contains(name, "_MGM"):
		aead("MGM")
	case s.Encryption == "AEGIS", s.Encryption == "ASCON":
		aead(s.Encryption)
	case strings.Contains(name, "CFB64"):
		s.Mode = "CFB"
	case strings.Contains(name, "CBC"):
		s.Mode = "CBC"
	case strings.Contains(name, "_CTR"):
		s.Mode = "CTR"
	case strings.Contains(name, "_CNT"):
		s.Mode = "CNT"
	case s.Encryption == "RC4", s.Encryption == "SALSA20":
		s.Mode = "stream"
	case s.Encryption == "NULL":
		s.Mode = "none"
	default:
		s.Mode = "CBC"
	}
}
