package suite

// property is one rule: suites for which it holds are at most as strong as its reason says.
type property struct {
	holds  func(*Suite) bool
	reason Reason
}

// unremarkable counts the rules at the end of properties that say no more than that IANA doesn't recommend a
// suite: not worth a line where there is a real reason.
const unremarkable = 2

func encrypts(with ...string) func(*Suite) bool {
	return func(s *Suite) bool {
		for _, e := range with {
			if s.Encryption == e {
				return true
			}
		}
		return false
	}
}

func exchanges(by ...KeyExchange) func(*Suite) bool {
	return func(s *Suite) bool {
		for _, k := range by {
			if s.KeyExchange == k {
				return true
			}
		}
		return false
	}
}

// properties are the rules by which suites are judged, worst first. They are in substance those of
// ciphersuites.info, but where that site is behind or stricter than its reasons they follow RFC 7465, 8996,
// 9155, 9325, 9847, 10015 and IANA's Recommended column; testdata/ciphersuites-info.tsv and its test
// (site_test.go) list where the two differ, and why.
var properties = []property{
	// Nothing is protected, or an attack is practical.
	{func(s *Suite) bool { return s.MaxVersion == SSLv2 },
		Reason{Insecure, "SSLv2: the handshake can be forged, and a server that speaks it helps to decrypt TLS", "RFC 6176, DROWN (CVE-2016-0800)"}},
	{func(s *Suite) bool { return s.MaxVersion == SSLv3 },
		Reason{Insecure, "SSLv3: padding is not authenticated", "RFC 7568, POODLE (CVE-2014-3566)"}},
	{func(s *Suite) bool { return s.Encryption == "NULL" && s.KeyExchange != KXAny },
		Reason{Insecure, "NULL encryption: data goes in plaintext", "RFC 9325 section 4.1, RFC 9847 section 5"}},
	{func(s *Suite) bool { return s.Encryption == "NULL" && s.KeyExchange == KXAny },
		Reason{Insecure, "integrity only: data goes in plaintext", "RFC 9150, RFC 9847 section 5"}},
	{func(s *Suite) bool { return s.Authentication == AuthAnon || s.Authentication == AuthNull },
		Reason{Insecure, "no authentication: anybody on the path can take the server's place", "RFC 5246 appendix A.5, RFC 10015 section 5"}},
	{func(s *Suite) bool { return s.Export },
		Reason{Insecure, "export grade: the key can be found by search", "RFC 4346 appendix A.5, FREAK (CVE-2015-0204), Logjam (CVE-2015-4000)"}},
	{encrypts("RC4"), Reason{Insecure, "RC4: its biases give away the plaintext", "RFC 7465"}},
	{encrypts("RC2"), Reason{Insecure, "RC2: a cipher of 1987 that falls to related keys", "RFC 9325 section 4.1"}},
	{encrypts("DES"), Reason{Insecure, "DES: 56-bit keys can be found by search", "RFC 9325 section 4.1, RFC 8996"}},
	{func(s *Suite) bool { return s.MAC == "MD5" }, Reason{Insecure, "MD5 as MAC: the hash is broken", "RFC 6151, RFC 9155"}},

	// Old.
	{encrypts("3DES"), Reason{Weak, "3DES: 64-bit blocks repeat on long connections, and then leak", "Sweet32 (CVE-2016-2183)"}},
	{encrypts("IDEA"), Reason{Weak, "IDEA: 64-bit blocks repeat on long connections, and then leak", "RFC 5469, Sweet32 (CVE-2016-2183)"}},
	{encrypts("GOST28147", "MAGMA"), Reason{Weak, "GOST 28147: 64-bit blocks repeat on long connections, and then leak", "Sweet32 (CVE-2016-2183), RFC 8645"}},
	{encrypts("KUZNYECHIK"), Reason{Weak, "Kuznyechik: its S-box has a structure that its designers did not disclose", "Perrin: Partitions in the S-Box of Streebog and Kuznyechik (2019)"}},
	{encrypts("Fortezza"), Reason{Weak, "Skipjack: 80-bit keys", "RFC 9325 section 4.1"}},
	{encrypts("SM1"), Reason{Weak, "SM1: a cipher that was never published", "GM/T 0024-2014"}},
	{exchanges(KXRSA), Reason{Weak, "RSA key exchange: no forward secrecy, and the target of Bleichenbacher's attack", "RFC 10015, RFC 9325 section 4.1, ROBOT"}},
	{exchanges(KXDH), Reason{Weak, "static DH: no forward secrecy", "RFC 10015, Raccoon (CVE-2020-1968)"}},
	{exchanges(KXECDH), Reason{Weak, "static ECDH: no forward secrecy", "RFC 10015, RFC 9325 section 4.1"}},
	{exchanges(KXRSAPSK), Reason{Weak, "RSA key exchange with a pre-shared key: no forward secrecy", "RFC 10015"}},
	{exchanges(KXPSK), Reason{Weak, "pre-shared key alone: no forward secrecy, and a guessable key can be found offline", "RFC 4279 section 7, RFC 9257"}},
	{exchanges(KXKRB5, KXGOST, KXFortezza, KXSM2, KXIBC), Reason{Weak, "no forward secrecy", "RFC 9325 section 7.3"}},
	{exchanges(KXDHE, KXDHEPSK), Reason{Weak, "finite-field DHE: the server picks the group, and a client cannot refuse a bad one by name", "RFC 10015, Logjam (CVE-2015-4000), Raccoon (CVE-2020-1968), D(HE)at (CVE-2002-20001)"}},
	{exchanges(KXCECPQ1), Reason{Weak, "an experiment of 2016 whose post-quantum half was replaced", "BoringSSL, FIPS 203"}},
	{func(s *Suite) bool { return s.Authentication == AuthDSS }, Reason{Weak, "DSA certificates: 1024-bit keys in practice, and retired", "FIPS 186-5"}},
	{func(s *Suite) bool { return s.Mode == "CBC" }, Reason{Weak, "CBC: MAC-then-encrypt, and a history of padding oracles", "Lucky Thirteen (CVE-2013-0169), BEAST (CVE-2011-3389), RFC 9325 section 4.2"}},
	{func(s *Suite) bool { return s.MAC == "SHA1" }, Reason{Weak, "SHA-1: no attack on HMAC, but the hash is broken and being retired", "RFC 9155, SHAttered (2017), NIST SP 800-131A"}},
	{func(s *Suite) bool { return s.Recommended == "-" && s.Code&0xFF00 == 0xCC00 }, Reason{Weak, "a draft's code point: only old Chrome, Android and LibreSSL know it", "RFC 7905 took another"}},
	{func(s *Suite) bool { return s.Recommended == "D" && s.cites("RFC 10015") }, Reason{Weak, "IANA discourages it", "IANA: Recommended D, RFC 10015"}},
	{func(s *Suite) bool { return s.Recommended == "D" && !s.cites("RFC 10015") }, Reason{Weak, "IANA discourages it", "IANA: Recommended D, RFC 9847"}},

	// Not preferred.
	{func(s *Suite) bool { return s.Mode == "CCM8" }, Reason{Secure, "8-byte authentication tag: a forgery passes once in 2^64 trials", "RFC 6655, IANA: Recommended N"}},
	{encrypts("SM4"), Reason{Secure, "SM4: a Chinese national standard without the IETF's endorsement", "RFC 8998 section 5"}},
	{func(s *Suite) bool { return s.Recommended == "N" }, Reason{Secure, "no known weakness, but no recommendation of the IETF", "IANA: Recommended N"}},
	{func(s *Suite) bool { return s.Recommended == "-" }, Reason{Secure, "no known weakness, but never registered", "IANA"}},
}
