package negotiate

import (
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// rules are the points in which real servers differ. Each field is named for what the server does; the
// zero value is what the RFCs ask for or, where they leave it open, the plainest reading.
type rules struct {
	// takesSSLv2Hello: accepts a ClientHello for SSLv3 or TLS in the SSLv2 record format (RFC 5246
	// appendix E.2).
	takesSSLv2Hello bool
	// readsLegacyVersion: a server without TLS 1.3 ignores supported_versions, and so answers TLS 1.2 to a client
	// that offers TLS 1.3 alone.
	readsLegacyVersion bool
	// certificateCurve: what an ECDSA certificate demands of supported_groups before TLS 1.3 (RFC 8422
	// section 5.1 lets the extension speak for certificates too).
	certificateCurve curveRule
	// certificateFirst: with several certificates, one is chosen before the suite, and no other is tried.
	certificateFirst choiceRule
	// schemeFirst: with several certificates, the order of the signature schemes decides, not the order of
	// the certificates.
	schemeFirst bool
	// groupWithoutList is the ECDHE group for a client without supported_groups, which may be any (RFC 8422
	// section 4). 0: the server's first; noECDHE: such a client gets no ECDHE.
	groupWithoutList suite.Group
	// retriesUnlisted: a TLS 1.3 client without supported_groups is asked for a share of groupWithoutList, which
	// it must not send (RFC 8446 section 4.2.8).
	retriesUnlisted bool
	// strangersIgnored: a list of groups that this server has never heard of counts as no list before TLS 1.3.
	strangersIgnored bool
	// hybridFirst: a shared post-quantum group is taken in every version, and leaves a client of TLS 1.2, where
	// none works, without ECDHE.
	hybridFirst bool
	// groups12 and schemeOrder say whose order decides groups before TLS 1.3, and signature schemes.
	groups12, schemeOrder order
	// groups13: how group and key share go together in TLS 1.3.
	groups13 groupRule
	// ffdheByName: a client that names finite-field groups gets DHE with one of those alone (RFC 7919
	// section 4). Others send DH parameters of their own.
	ffdheByName bool
	// schemes is the server's order of signature schemes where the policy states none; nil: the client's
	// order, any scheme.
	schemes []suite.SignatureScheme
	// sha1 says when SHA-1 signatures are made in TLS 1.2 where the policy states no schemes.
	sha1 sha1Rule
	// refusesWithoutSchemes: a TLS 1.2 client without signature_algorithms gets no signature, instead of
	// the SHA-1 of RFC 5246 section 7.4.1.4.1 (RFC 9155 section 4 allows it).
	refusesWithoutSchemes bool
	// schemeFinal: where a suite is chosen without a look at the signature schemes; if none fits then, no
	// other suite is tried.
	schemeFinal finalRule
	// schemeBindsCurve: an ECDSA scheme goes with its one curve in TLS 1.2 too.
	schemeBindsCurve bool
	// schemeForRSAKeyExchange: a fitting scheme is asked for even where RSA key exchange signs nothing.
	schemeForRSAKeyExchange bool
	// signsUnoffered: signs by its own first scheme if the client offers none that fits, and leaves the
	// refusal to the client.
	signsUnoffered bool
	// missing: which extensions a TLS 1.3 hello needs, before anything else about groups and schemes is looked
	// at (RFC 8446 section 9.2).
	missing missingRule
	// needsSharedScheme: no shared signature scheme is a refusal before a suite is chosen.
	needsSharedScheme bool
	// chacha: when ChaCha20 goes first although the server's order says otherwise.
	chacha chachaRule
	// fallbackAfterSuite: TLS_FALLBACK_SCSV is looked at after a suite is found. fallbackByHello compares the
	// highest version of the hello with the server's, others the version that was agreed.
	fallbackAfterSuite bool
	// ignoresFallback: TLS_FALLBACK_SCSV means nothing to it.
	ignoresFallback bool
	// schemeBeforeGroup: in TLS 1.3 certificate and signature scheme are chosen before the group.
	schemeBeforeGroup bool
	// suites13: whose order decides the suite in TLS 1.3.
	suites13 order
	// alpnFirst: where application protocols are agreed before extensions, certificate and suite.
	alpnFirst alpnRule
	// alpnBefore: in TLS 1.3 application protocols are agreed before the server comes to this; notShared: last.
	alpnBefore obstacle
	// ed25519TooEarly: chooses a suite for an Ed25519 certificate before TLS 1.2 too, and fails at the signature.
	ed25519TooEarly bool
	// newerSuiteIfAllElseFails: chooses a suite of a newer version rather than none.
	newerSuiteIfAllElseFails bool
	// noDHE, noRSAPSSKeys, noEdDSA: what the implementation lacks.
	noDHE, noRSAPSSKeys, noEd25519 bool
}

// noECDHE is no group: the client gets no ECDHE.
const noECDHE suite.Group = 0xFFFF

// curveRule says what an ECDSA certificate demands of the client's supported_groups before TLS 1.3.
type curveRule uint8

const (
	curveIgnored curveRule = iota
	curveIfSent            // the curve must be listed, if there is a list
	curveAlways            // the curve must be listed: without a list the certificate serves nobody
)

// choiceRule says how a certificate is chosen before the suite.
type choiceRule uint8

const (
	bySuite      choiceRule = iota // it is not: the suite decides
	firstThatFit                   // the first that the client supports in full, else the first of all
	bySchemes                      // ECDSA if the client has an ECDSA scheme and suite, else RSA
)

// order says whose order decides.
type order uint8

const (
	asPolicy order = iota // as the policy says for suites
	byClient
	byServer
)

// groupRule says how a TLS 1.3 server picks group and key share (RFC 8446 section 4.1.1).
type groupRule uint8

const (
	sharedFirst  groupRule = iota // a group with a key share, in the order that the policy says
	clientShares                  // the first of the client's key shares that the server accepts
	clientFirst                   // as sharedFirst, always in the client's order
	topGroup                      // the first shared group, at the price of a HelloRetryRequest
	topOfServer                   // the same, always in the server's order
	postQuantum1                  // a post-quantum group at that price, then as sharedFirst by the server's order
)

// missingRule says without which extensions a TLS 1.3 hello is refused as malformed.
type missingRule uint8

const (
	needsNothing missingRule = iota
	needsSchemes             // signature_algorithms
	needsBoth                // and supported_groups
)

// alpnRule says in which versions application protocols are agreed first.
type alpnRule uint8

const (
	inNoVersion alpnRule = iota
	beforeTLS13
	inAllVersions
)

// finalRule says which suites are chosen without a look at the signature schemes.
type finalRule uint8

const (
	neverFinal  finalRule = iota
	finalForRSA           // those that an RSA certificate serves
	alwaysFinal
)

// sha1Rule says when a server makes SHA-1 signatures in TLS 1.2.
type sha1Rule uint8

const (
	sha1Made sha1Rule = iota
	sha1Refused
	sha1WithOldVersions // only where TLS 1.0 or 1.1 is on
)

// chachaRule says when ChaCha20 goes first.
type chachaRule uint8

const (
	chachaNever   chachaRule = iota
	chachaUnlessG            // unless the first suite of the client that the server knows is AES-GCM
	chachaFirst              // if it is the client's first suite
)

// Orders of signature schemes where the policy states none.
var (
	opensslSchemes = []suite.SignatureScheme{suite.ECDSASecp256r1SHA256, suite.ECDSASecp384r1SHA384, suite.ECDSASecp521r1SHA512,
		suite.Ed25519, suite.Ed448, suite.RSAPSSPSSSHA256, suite.RSAPSSPSSSHA384, suite.RSAPSSPSSSHA512,
		suite.RSAPSSRSAESHA256, suite.RSAPSSRSAESHA384, suite.RSAPSSRSAESHA512,
		suite.RSAPKCS1SHA256, suite.RSAPKCS1SHA384, suite.RSAPKCS1SHA512, suite.ECDSASHA224, suite.ECDSASHA1,
		suite.RSAPKCS1SHA224, suite.RSAPKCS1SHA1, 0x0302, suite.DSASHA1, suite.DSASHA256, 0x0502, 0x0602}
	gnutlsSchemes = []suite.SignatureScheme{suite.RSAPKCS1SHA256, suite.RSAPSSPSSSHA256, suite.RSAPSSRSAESHA256, suite.ECDSASecp256r1SHA256,
		suite.Ed25519, suite.RSAPKCS1SHA384, suite.RSAPSSPSSSHA384, suite.RSAPSSRSAESHA384, suite.ECDSASecp384r1SHA384, suite.Ed448,
		suite.RSAPKCS1SHA512, suite.RSAPSSPSSSHA512, suite.RSAPSSRSAESHA512, suite.ECDSASecp521r1SHA512, suite.RSAPKCS1SHA1, suite.ECDSASHA1}
	boringSchemes = []suite.SignatureScheme{suite.Ed25519, suite.ECDSASecp256r1SHA256, suite.RSAPSSRSAESHA256, suite.RSAPKCS1SHA256,
		suite.ECDSASecp384r1SHA384, suite.RSAPSSRSAESHA384, suite.RSAPKCS1SHA384, suite.ECDSASecp521r1SHA512, suite.RSAPSSRSAESHA512,
		suite.RSAPKCS1SHA512, suite.ECDSASHA1, suite.RSAPKCS1SHA1}
	goSchemes = []suite.SignatureScheme{suite.RSAPSSRSAESHA256, suite.ECDSASecp256r1SHA256, suite.Ed25519, suite.RSAPSSRSAESHA384,
		suite.RSAPSSRSAESHA512, suite.RSAPKCS1SHA256, suite.RSAPKCS1SHA384, suite.RSAPKCS1SHA512, suite.ECDSASecp384r1SHA384,
		suite.ECDSASecp521r1SHA512}
)

// The rules of each engine. The differential tests hold OpenSSL, Go, GnuTLS, JSSE and BoringSSL against these; what
// could not be run says so.
var (
	// generic stands for a server of which nothing is known.
	generic = rules{takesSSLv2Hello: true, certificateCurve: curveIfSent}

	// openssl: measured with OpenSSL 3.0.
	//   ssl/t1_lib.c: tls1_check_cert_param (curve of the certificate), tls_choose_sigalg (asked of RSA key
	//   exchange too, and final), tls1_set_server_sigalgs (no shared scheme is fatal), tls1_shared_group
	//   (without a list there is no ECDHE); ssl/statem/extensions_srvr.c: tls_parse_ctos_key_share (the first
	//   acceptable share in the client's order); ssl/statem/extensions.c: final_sig_algs, final_key_share.
	// SHA-1 signatures need security level 0 since 3.0, and so do TLS 1.0 and 1.1: a server that has these
	// makes those.
	openssl = rules{takesSSLv2Hello: true, certificateCurve: curveIfSent, schemeFirst: true, groupWithoutList: noECDHE,
		groups13: clientShares, schemes: opensslSchemes, sha1: sha1WithOldVersions, schemeFinal: finalForRSA,
		schemeForRSAKeyExchange: true, missing: needsBoth, needsSharedScheme: true, alpnBefore: noGroup}

	// gocrypto: measured with Go 1.26.
	//   crypto/tls: supportsECDHE (without a list there is no ECDHE), pickCipherSuite, isAESGCMPreferred,
	//   Config.getCertificate with SupportsCertificate, selectSignatureScheme (the client's order; no SHA-1
	//   since 1.25 unless GODEBUG=tlssha1=1), processClientHello of TLS 1.3 (post-quantum first, since 1.26).
	gocrypto = rules{certificateFirst: firstThatFit, groupWithoutList: noECDHE, groups12: byClient, schemeOrder: byClient,
		groups13: postQuantum1, schemes: goSchemes, sha1: sha1Refused, refusesWithoutSchemes: true, schemeFinal: alwaysFinal,
		chacha: chachaUnlessG, fallbackAfterSuite: true, alpnFirst: beforeTLS13, alpnBefore: noScheme,
		noDHE: true, noRSAPSSKeys: true, ed25519TooEarly: true}

	// s2n: measured with s2n-tls of August 2026 and read in its source.
	//   tls/s2n_client_hello.c: s2n_process_client_hello (secp256r1 for a client without a list);
	//   tls/extensions/s2n_server_key_share.c (post-quantum first); tls/s2n_signature_algorithms.c:
	//   s2n_signature_algorithm_select (signs by a scheme that was not offered rather than give up);
	//   tls/s2n_cipher_suites.c: s2n_set_cipher_as_server (higher_vers_match);
	//   tls/extensions/s2n_client_supported_groups.c: s2n_choose_supported_group (post-quantum in any version).
	s2n = rules{takesSSLv2Hello: true, readsLegacyVersion: true, schemeFirst: true, groupWithoutList: suite.Secp256r1, retriesUnlisted: true,
		hybridFirst: true, groups12: byServer, schemeOrder: byServer, groups13: postQuantum1, schemeFinal: alwaysFinal, signsUnoffered: true,
		newerSuiteIfAllElseFails: true, noEd25519: true}

	// gnutls: measured with GnuTLS 3.7.
	//   lib/algorithms/ciphersuites.c: _gnutls_figure_common_ciphersuite (secp256r1 without a list);
	//   lib/ext/supported_groups.c (the best group first, then its share; RFC 7919);
	//   lib/auth/cert.c: cert_select_sign_algorithm (no look at the curve); lib/ext/signature.c.
	gnutls = rules{takesSSLv2Hello: true, groupWithoutList: suite.Secp256r1, schemeOrder: byClient, groups13: topGroup, ffdheByName: true, schemes: gnutlsSchemes}

	// boringssl: measured with BoringSSL in Bun 1.4 and read in its source.
	//   ssl/handshake_server.cc: choose_params (curve of the certificate must be listed), choose_cipher;
	//   ssl/extensions.cc: tls1_get_shared_group (without a list there is no ECDHE; the server's best group, then
	//   its share), tls1_choose_signature_algorithm; ssl/tls13_server.cc: do_select_parameters (ALPN between
	//   certificate and group; the suite by the client's order where the machine has AES instructions).
	boringssl = rules{takesSSLv2Hello: true, certificateCurve: curveAlways, groupWithoutList: noECDHE, groups12: byServer, groups13: topOfServer,
		schemes: boringSchemes, schemeOrder: byServer, schemeBeforeGroup: true, suites13: byClient, alpnBefore: noGroup, noDHE: true}

	// jsse: measured with OpenJDK 17.
	//   SignatureScheme.java: getPreferableAlgorithm (the curve in TLS 1.2 too); KeyShareExtension.java
	//   (the client's order); AlpnExtension.java (with the other extensions, before a suite is chosen);
	//   SupportedGroupsExtension.java (groups that the enumeration lacks are dropped); nothing in
	//   sun.security.ssl reads TLS_FALLBACK_SCSV.
	jsse = rules{certificateCurve: curveIfSent, groups12: byClient, groups13: clientFirst, schemeOrder: byClient,
		schemeBindsCurve: true, schemeFinal: alwaysFinal, missing: needsSchemes, alpnFirst: inAllVersions, strangersIgnored: true,
		ignoresFallback: true}

	// haproxy is OpenSSL with a choice of its own among several certificates: ssl_sock_switchctx_cbk in
	// src/ssl_sock.c looks for ECDSA in signature_algorithms and in the suites.
	// It sets SSL_OP_PRIORITIZE_CHACHA besides.
	haproxy = with(openssl, func(r *rules) { r.certificateFirst, r.chacha = bySchemes, chachaFirst })

	// openssl10: measured with OpenSSL 1.0.1 and 1.0.2 in Node.js 0.12 to 8, which serve clients without
	// supported_groups by their one curve.
	openssl10 = with(openssl, func(r *rules) { r.groupWithoutList, r.sha1, r.missing = 0, sha1Made, needsNothing })

	// openssl35: measured with OpenSSL 3.5 in Node.js 24, where the policy's order decides between key shares.
	openssl35 = with(openssl, func(r *rules) { r.groups13 = sharedFirst })

	// schannel and classic cannot be run here: these rules are those of the RFCs.
	schannel = rules{readsLegacyVersion: true, certificateCurve: curveIfSent}
	classic  = rules{takesSSLv2Hello: true, readsLegacyVersion: true, certificateCurve: curveIfSent}
)

func with(r rules, change func(*rules)) rules { change(&r); return r }

func rulesOf(e policy.Engine) *rules {
	switch e {
	case policy.EngineOpenSSL:
		return &openssl
	case policy.EngineS2N:
		return &s2n
	case policy.EngineGo:
		return &gocrypto
	case policy.EngineBoringSSL:
		return &boringssl
	case policy.EngineSchannel:
		return &schannel
	case policy.EngineGnuTLS:
		return &gnutls
	case policy.EngineJSSE:
		return &jsse
	case policy.EngineClassic:
		return &classic
	case EngineHAProxy:
		return &haproxy
	case EngineOpenSSL10:
		return &openssl10
	case EngineOpenSSL35:
		return &openssl35
	}
	return &generic
}

// EngineHAProxy is OpenSSL as HAProxy drives it: with both an RSA and an ECDSA certificate it chooses the
// certificate before OpenSSL chooses the suite.
const EngineHAProxy policy.Engine = "haproxy"

// Releases of OpenSSL that choose otherwise than 1.1.1 and 3.0, for which policy.EngineOpenSSL stands.
const (
	EngineOpenSSL10 policy.Engine = "openssl-1.0" // 1.0.1 and 1.0.2
	EngineOpenSSL35 policy.Engine = "openssl-3.5"
)
