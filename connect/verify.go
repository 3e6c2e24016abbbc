package connect

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ocsp"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/scan"
)

// certificates describes the chain and what a client would make of it. Where the user demands verification, a
// problem is a failure.
func (a *attempt) certificates(chain []*x509.Certificate, staple []byte) {
	if len(chain) == 0 {
		return
	}
	for i, c := range chain {
		d := a.describe(c)
		if i > 0 {
			d.Names = nil // nobody connects to an authority
		}
		a.r.Certificates = append(a.r.Certificates, d)
	}
	v := a.verify(chain)
	a.r.Verification = v
	if len(staple) > 0 {
		a.r.Staple = a.staple(staple, chain)
		if a.r.Staple.Status == "revoked" {
			v.add(cause.CertificateRevoked, "the stapled OCSP response says that the certificate is revoked")
		}
	}
	if v.OK || !a.q.Verify || a.r.Failure != nil {
		return
	}
	d := a.fail(diagnose.Refused, v.Problems[0].Cause, 0.97, v.Problems[0].Summary, diagnose.Evidence{Fact: fmt.Sprintf("%d certificates presented, verified against the roots of %s", len(chain), v.Roots)})
	for _, p := range v.Problems[1:] {
		d.Causes = append(d.Causes, diagnose.Cause{ID: p.Cause, Confidence: 0.97, Stage: p.Cause.Stage(), Summary: p.Summary, Evidence: []diagnose.Evidence{}})
	}
}

func (v *Verification) add(id cause.ID, summary string) {
	v.OK = false
	v.Problems = append(v.Problems, Problem{id, summary})
}

// oidRSAPSS is id-RSASSA-PSS in DER (RFC 4055 section 3.1).
var oidRSAPSS = []byte{0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A}

func keyName(c *x509.Certificate) string {
	d := scan.Describe([]*x509.Certificate{c})
	switch {
	case d.KeyType != "":
		return negotiate.KeyName(&d)
	case bytes.Contains(c.RawSubjectPublicKeyInfo[:min(len(c.RawSubjectPublicKeyInfo), 32)], oidRSAPSS):
		return "RSA-PSS" // crypto/x509 does not parse such keys
	}
	return "unknown"
}

func (a *attempt) describe(c *x509.Certificate) Certificate {
	known := scan.Describe([]*x509.Certificate{c})
	sum := sha256.Sum256(c.Raw)
	d := Certificate{Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: c.SerialNumber.Text(16), KeyType: known.KeyType, Key: keyName(c), Names: known.Names,
		Signature: c.SignatureAlgorithm.String(), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), SHA256: hex.EncodeToString(sum[:])}
	if a.q.PEM {
		d.PEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return d
}

// What a client of today demands of a certificate beside trust (CA/Browser Forum Baseline Requirements
// section 6.1.5; SHA-1 ended in 2017).
var demands = hello.Rules{Known: true, ChecksName: true, MinRSABits: 2048, MinECBits: 256, RefusedDigests: []string{"MD5", "SHA1"}}

// verify names each problem that a client of today has with the chain.
func (a *attempt) verify(chain []*x509.Certificate) *Verification {
	v := &Verification{OK: true, Roots: "the system", Name: a.q.Name, Problems: []Problem{}}
	if a.q.RootsFile != "" {
		v.Roots = a.q.RootsFile
	}
	a.trust(v, chain)
	leaf := scan.Describe(chain)
	for _, r := range negotiate.CheckIdentity(&hello.Offer{Accepts: demands}, &leaf, a.q.Name, a.q.Now) {
		switch r.Cause {
		case cause.CertificateNameMismatch:
			v.add(r.Cause, fmt.Sprintf("the certificate is for %s, not for %s", enumerate(r.Server), a.q.Name))
		case cause.CertificateExpired:
			v.add(r.Cause, fmt.Sprintf("the certificate is outside its validity: %s", enumerate(r.Server)))
		default:
			v.add(r.Cause, fmt.Sprintf("clients of today refuse the certificate: %s; they demand %s", enumerate(r.Server), enumerate(r.Client)))
		}
	}
	for _, c := range chain[1:] {
		if a.q.Now.After(c.NotAfter) {
			v.add(cause.CertificateExpired, fmt.Sprintf("the intermediate %s expired on %s", c.Subject, c.NotAfter.Format("2006-01-02")))
		}
	}
	return v
}

// trust looks whether the chain leads to a root. Validity is a problem of its own, so the chain is looked at
// as on a day on which its leaf is valid.
func (a *attempt) trust(v *Verification, chain []*x509.Certificate) {
	leaf, top := chain[0], chain[len(chain)-1]
	opts := x509.VerifyOptions{Roots: a.q.Roots, Intermediates: x509.NewCertPool(), CurrentTime: a.q.Now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if a.q.Now.After(leaf.NotAfter) || a.q.Now.Before(leaf.NotBefore) {
		opts.CurrentTime = leaf.NotAfter.Add(-1)
	}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	_, err := leaf.Verify(opts)
	var unknown x509.UnknownAuthorityError
	selfIssued := bytes.Equal(top.RawSubject, top.RawIssuer)
	switch {
	case err == nil:
	case strings.Contains(err.Error(), "insecure algorithm"):
		// An old digest in the chain is a problem of its own: past it nothing can be verified.
	case !errors.As(err, &unknown):
		v.add(cause.CertificateUntrusted, fmt.Sprintf("the chain does not verify: %v", err))
	case selfIssued && len(chain) == 1:
		v.add(cause.CertificateUntrusted, fmt.Sprintf("the certificate is self-signed (%s) and not among the roots of %s", top.Subject, v.Roots))
	case selfIssued:
		v.add(cause.CertificateUntrusted, fmt.Sprintf("the chain ends at %s, which is not among the roots of %s", top.Subject, v.Roots))
	case a.q.RootsFile != "" || len(top.IssuingCertificateURL) > 0:
		// A root is rarely named by URL: what is missing is an intermediate.
		v.add(cause.CertificateChainIncomplete, fmt.Sprintf("the issuer %s is neither sent nor among the roots of %s", top.Issuer, v.Roots))
	default:
		v.add(cause.CertificateUntrusted, fmt.Sprintf("the issuer %s is not among the roots of %s", top.Issuer, v.Roots))
	}
}

// staple reads an OCSP response. Its signature is checked where the issuer is in the chain.
func (a *attempt) staple(raw []byte, chain []*x509.Certificate) *Staple {
	var issuer *x509.Certificate
	if len(chain) > 1 {
		issuer = chain[1]
	}
	resp, err := ocsp.ParseResponseForCert(raw, chain[0], issuer)
	if err != nil {
		return &Staple{Status: "unreadable", Problem: err.Error()}
	}
	s := &Staple{Status: map[int]string{ocsp.Good: "good", ocsp.Revoked: "revoked", ocsp.Unknown: "unknown"}[resp.Status],
		ThisUpdate: resp.ThisUpdate.UTC(), NextUpdate: resp.NextUpdate.UTC()}
	if !resp.NextUpdate.IsZero() && a.q.Now.After(resp.NextUpdate) {
		s.Problem = "out of date"
	}
	return s
}
