package vuln

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// sslv2Kinds are all cipher kinds of SSLv2 (The SSL Protocol, Netscape 1995, section 5.1.1).
var sslv2Kinds = []suite.Code{0x010080, 0x020080, 0x030080, 0x040080, 0x050080, 0x060040, 0x0700C0}

// drown asks whether SSLv2 is spoken: what a server says in SSLv2 tells whether an encrypted secret of a TLS session
// is well formed, if both use the same RSA key.
func drown(ctx context.Context, s *subject) answer {
	var reply *hello.SSLv2ServerHello
	var err error
	s.persist(ctx, func() outcome {
		reply, err = s.sslv2(ctx)
		return outcomeOf(err)
	})
	var refusal hello.SSLv2Error
	switch {
	case errors.As(err, &refusal):
		// An ERROR message is SSLv2 too, but without a certificate and a kind there is no handshake to attack.
		return unsure([]string{"an SSLv2 hello was answered with " + refusal.Error()}, "The endpoint speaks SSLv2 but shares none of its ciphers.")
	case errors.As(err, new(errNetwork)):
		return unsure(nil, "The network failed when the endpoint was asked for SSLv2: %v.", err)
	case err != nil:
		return sharedKey(s)
	}
	a := s.decrypts(reply)
	a.sslv2 = true
	return a
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

// sslv2 sends an SSLv2 hello and reads the answer.
func (s *subject) sslv2(ctx context.Context) (*hello.SSLv2ServerHello, error) {
	challenge := make([]byte, 16)
	rand.Read(challenge) // it never fails
	h := &hello.ClientHello{SSLv2Format: true, Version: suite.SSLv2, RecordVersion: suite.SSLv2, Suites: sslv2Kinds, Random: challenge}
	conn, until, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(until)
	conn.Write(marshal(h)) // a server that hangs up at once may still have said why
	return readSSLv2(conn)
}

// readSSLv2 reads a SERVER-HELLO. A record of SSLv2 holds 32 KiB at most.
func readSSLv2(conn net.Conn) (*hello.SSLv2ServerHello, error) {
	var raw []byte
	buf := make([]byte, 4096)
	for len(raw) < 1<<15+2 {
		n, err := conn.Read(buf)
		raw = append(raw, buf[:n]...)
		if len(raw) > 0 && hello.Sniff(raw) == hello.KindTLS {
			return nil, errNoSSLv2 // an alert, or a server that takes the bytes for something else
		}
		reply, parseErr := hello.ParseSSLv2ServerHello(raw)
		if !errors.Is(parseErr, hello.ErrIncomplete) {
			return reply, parseErr
		}
		if err == nil {
			continue
		}
		if how := probe.Ending(err); len(raw) == 0 && how == probe.Silent {
			return nil, errNetwork{how}
		}
		return nil, errNoSSLv2 // a close or a reset is how a server refuses what it takes for garbage
	}
	return nil, errNoSSLv2
}

var errNoSSLv2 = errors.New("no SSLv2")

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
