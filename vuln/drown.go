package vuln

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
)

// drown asks whether SSLv2 is spoken, unless the scan has: what a server says in SSLv2 tells whether an encrypted secret
// of a TLS session is well formed, if both use the same RSA key.
func drown(ctx context.Context, s *subject) answer {
	r := s.result.SSLv2
	if r == nil {
		r = scan.AskSSLv2(ctx, s.prober, s.target)
	}
	var refusal hello.SSLv2Error
	switch {
	case r.Hello != nil:
		return s.decrypts(r.Hello)
	case errors.As(r.Err, &refusal):
		// An ERROR message is SSLv2 too, but without a certificate and a kind there is no handshake to attack.
		return unsure([]string{"an SSLv2 hello was answered with " + refusal.Error()}, "The endpoint speaks SSLv2 but shares none of its ciphers.")
	case errors.Is(r.Err, scan.ErrNoSSLv2):
		return sharedKey(s)
	}
	return unsure(nil, "The network failed when the endpoint was asked for SSLv2: %v.", r.Err)
}

// decrypts says what an SSLv2 SERVER-HELLO means for TLS sessions.
func (s *subject) decrypts(reply *hello.SSLv2ServerHello) answer {
	switch {
	case reply.CertificateType != 1 || len(reply.Certificate) == 0:
		return unsure(nil, "The endpoint speaks SSLv2 but presents no certificate.")
	case len(reply.Suites) == 0:
		return unsure([]string{"an SSLv2 SERVER-HELLO without ciphers"},
			"The endpoint speaks SSLv2 with all ciphers switched off, which OpenSSL before 1.0.1r and 1.0.2f takes all the same (CVE-2015-3197).")
	}
	evidence := []string{"SSLv2 is accepted with " + list(reply.Suites), fingerprint("the certificate in SSLv2", reply.Certificate)}
	summary := "The endpoint speaks SSLv2: TLS sessions with RSA key exchange and the same key, on any server that has it, can be decrypted."
	if len(s.versions()) == 0 {
		summary = "The endpoint speaks SSLv2: what is sent in it is not protected, and TLS sessions of other servers with the same key can be decrypted."
	}
	return yes(evidence, "%s", summary)
}

// sharedKey is the answer of an endpoint without SSLv2: its key may be another's too.
func sharedKey(s *subject) answer {
	v, _ := s.newest(func(i *suite.Suite, _ suite.Version) bool { return i.KeyExchange == suite.KXRSA })
	var keys []string
	for _, chain := range s.result.Seen.Chains {
		if _, ok := chain[0].PublicKey.(*rsa.PublicKey); ok {
			keys = append(keys, fmt.Sprintf("SHA-256 of the RSA key: %x", sha256.Sum256(chain[0].RawSubjectPublicKeyInfo)))
		}
	}
	if v == 0 || len(keys) == 0 {
		return no(nil, "The endpoint does not speak SSLv2, and no session of its own uses RSA key exchange.")
	}
	return no(keys, "The endpoint does not speak SSLv2; whether another server does with the same RSA key cannot be seen from here.")
}

func fingerprint(what string, der []byte) string {
	return fmt.Sprintf("SHA-256 of %s: %x", what, sha256.Sum256(der))
}
