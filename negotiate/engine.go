package negotiate

import (
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// rules are the points in which real servers differ. Each is named for what the server does.
type rules struct {
	// takesSSLv2Hello: accepts a ClientHello for SSLv3 or TLS in the SSLv2 record format (RFC 5246
	// appendix E.2).
	takesSSLv2Hello bool
	// certificateCurveInGroups: before TLS 1.3 an ECDSA certificate serves only clients whose
	// supported_groups hold its curve (RFC 8422 section 5.1 asks for it).
	certificateCurveInGroups bool
	// chachaIfClientPrefers: takes ChaCha20 first if the client's first choice says that it has no AES
	// hardware.
	chachaIfClientPrefers bool
	// retryForPostQuantum: asks for a key share of a shared post-quantum group even if the client sent
	// one for a classical group.
	retryForPostQuantum bool
	// refusesSHA1: makes no SHA-1 signatures in TLS 1.2, whatever the client asks for.
	refusesSHA1 bool
}

// Measured here: OpenSSL 3.0 and 1.0.1 to 3.5 (Node.js), Go 1.26, GnuTLS 3.7, OpenJDK 17; from source: s2n.
var (
	generic    = rules{takesSSLv2Hello: true, certificateCurveInGroups: true}
	engineRule = map[policy.Engine]*rules{
		// tls1_check_cert_param refuses a curve that the client does not list.
		policy.EngineOpenSSL: {takesSSLv2Hello: true, certificateCurveInGroups: true},
		// s2n_kex.c and s2n_server_key_share.c: a post-quantum group wins at the price of a retry.
		policy.EngineS2N: {takesSSLv2Hello: true, certificateCurveInGroups: true, retryForPostQuantum: true},
		// crypto/tls: selectCipherSuite looks at the kind of the key alone; preference lists without AES
		// hardware put ChaCha20 first; ssl2 hellos are unsupported.
		policy.EngineGo:        {chachaIfClientPrefers: true},
		policy.EngineBoringSSL: {takesSSLv2Hello: true, certificateCurveInGroups: true, chachaIfClientPrefers: true},
		policy.EngineSchannel:  {takesSSLv2Hello: false, certificateCurveInGroups: true},
		policy.EngineGnuTLS:    {certificateCurveInGroups: true},
		policy.EngineJSSE:      {takesSSLv2Hello: false, certificateCurveInGroups: true},
		policy.EngineClassic:   {takesSSLv2Hello: true, certificateCurveInGroups: true},
	}
)

func rulesOf(e policy.Engine) *rules {
	if r, ok := engineRule[e]; ok {
		return r
	}
	return &generic
}

// prefersChaCha reports whether a client's first suite with authenticated encryption is ChaCha20.
func prefersChaCha(suites []suite.Code) bool {
	for _, c := range suites {
		if s := suite.ByCode(c); s != nil && s.AEAD() {
			return s.Encryption == "CHACHA20"
		}
	}
	return false
}

func isChaCha(c suite.Code) bool {
	s := suite.ByCode(c)
	return s != nil && s.Encryption == "CHACHA20"
}
