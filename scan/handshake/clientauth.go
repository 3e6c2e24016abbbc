package handshake

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"slices"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// signing is how a scheme signs.
type signing struct {
	scheme suite.SignatureScheme
	hash   crypto.Hash // 0: the message itself is signed
	pss    bool
}

// signings are the schemes that client certificates sign with here.
var signings = []signing{
	{suite.ECDSASecp256r1SHA256, crypto.SHA256, false}, {suite.ECDSASecp384r1SHA384, crypto.SHA384, false}, {suite.ECDSASecp521r1SHA512, crypto.SHA512, false},
	{suite.Ed25519, 0, false},
	{suite.RSAPSSRSAESHA256, crypto.SHA256, true}, {suite.RSAPSSRSAESHA384, crypto.SHA384, true}, {suite.RSAPSSRSAESHA512, crypto.SHA512, true},
	{suite.RSAPKCS1SHA256, crypto.SHA256, false}, {suite.RSAPKCS1SHA384, crypto.SHA384, false}, {suite.RSAPKCS1SHA512, crypto.SHA512, false},
	{suite.ECDSASHA1, crypto.SHA1, false}, {suite.RSAPKCS1SHA1, crypto.SHA1, false},
}

// beforeSchemes is how versions before TLS 1.2 sign: RSA over MD5 and SHA-1 side by side, ECDSA over SHA-1 (RFC 4346
// section 7.4.8, RFC 4492 section 5.8).
func beforeSchemes(key crypto.PublicKey) *signing {
	switch key.(type) {
	case *rsa.PublicKey:
		return &signing{hash: crypto.MD5SHA1}
	case *ecdsa.PublicKey:
		return &signing{hash: crypto.SHA1}
	}
	return nil
}

// choose finds the first scheme of the server's that the key signs with, nil if there is none.
func choose(key crypto.PublicKey, v suite.Version, wanted []suite.SignatureScheme) *signing {
	for _, c := range wanted {
		i := slices.IndexFunc(signings, func(s signing) bool { return s.scheme == c })
		if i >= 0 && signings[i].fits(key, v) {
			return &signings[i]
		}
	}
	return nil
}

// fits reports whether a key signs with a scheme in version v: TLS 1.3 ties ECDSA to a curve and has no PKCS #1 (RFC 8446
// section 4.2.3).
func (g *signing) fits(key crypto.PublicKey, v suite.Version) bool {
	i := suite.SchemeByCode(g.scheme)
	if i == nil || v == suite.TLS13 && !i.TLS13 {
		return false
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		return i.Key == "rsa" && (!g.pss || k.Size() >= 2*g.hash.Size()+2) // room for hash and salt (RFC 8017 section 9.1.1)
	case *ecdsa.PublicKey:
		curve := suite.GroupByName(k.Params().Name)
		return i.Key == "ecdsa" && (v < suite.TLS13 || curve != nil && curve.Code == i.Curve)
	case ed25519.PublicKey:
		return i.Key == "ed25519"
	}
	return false
}

// sign signs a message and returns the body of a CertificateVerify.
func (g *signing) sign(key crypto.Signer, message []byte) ([]byte, error) {
	var options crypto.SignerOpts = g.hash
	if g.pss {
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: g.hash}
	}
	switch {
	case g.hash == crypto.MD5SHA1:
		message = append(digest(crypto.MD5, message), digest(crypto.SHA1, message)...)
	case g.hash != 0:
		message = digest(g.hash, message)
	}
	signature, err := key.Sign(rand.Reader, message, options)
	if err != nil {
		return nil, err
	}
	var body []byte
	if g.scheme != 0 {
		body = append(body, byte(g.scheme>>8), byte(g.scheme))
	}
	return append(append(body, byte(len(signature)>>8), byte(len(signature))), signature...), nil
}

// Proof makes the CertificateVerify that shows possession of a client certificate's key, of the message that it signs.
type Proof func(message []byte) ([]byte, error)

// ProofOf says how a client proves possession of a certificate's key in version v to a server that takes these schemes
// (none are named before TLS 1.2). It is nil where the key signs with none of them. The key must be a crypto.Signer.
func ProofOf(c *tls.Certificate, v suite.Version, wanted []suite.SignatureScheme) (Proof, error) {
	key, ok := c.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, errors.New("the key of the client certificate cannot sign")
	}
	g := beforeSchemes(key.Public())
	if v >= suite.TLS12 {
		g = choose(key.Public(), v, wanted)
	}
	if g == nil {
		return nil, nil
	}
	return func(message []byte) ([]byte, error) {
		body, err := g.sign(key, message)
		if err != nil {
			return nil, err
		}
		return hello.Message{Type: hello.TypeCertificateVerify, Body: body}.Marshal(), nil
	}, nil
}

// credential is what a request for a client certificate is answered with: the question's certificate, where there is one
// that can sign as the server wants it.
func (s *session) credential() (*tls.Certificate, Proof, error) {
	c := s.q.Certificate
	if c == nil {
		return nil, nil, nil
	}
	var wanted []suite.SignatureScheme
	if s.r.Request != nil {
		wanted = s.r.Request.Schemes
	}
	proof, err := ProofOf(c, s.r.Version, wanted)
	if proof == nil {
		return nil, nil, err
	}
	s.r.Presented = true
	return c, proof, nil
}

// signed13 is what a CertificateVerify signs of a transcript of TLS 1.3 (RFC 8446 section 4.4.3).
func (s *session) signed13() []byte {
	message := bytes.Repeat([]byte{' '}, 64)
	message = append(message, "TLS 1.3, client CertificateVerify\x00"...)
	return append(message, digest(s.tls13.hash, s.transcript)...)
}
