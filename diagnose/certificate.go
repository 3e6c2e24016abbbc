package diagnose

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
)

// certificate applies the client's rules to the certificate that the endpoint presented to it, and looks at
// whether the chain leads to a trusted root.
func (v *visit) certificate(o *hello.Offer) {
	chain, cert := v.presented()
	if cert == nil {
		v.d.Findings = append(v.d.Findings, Finding{ID: "certificate-not-seen", Summary: "the certificate was not seen, so what the client makes of it is open"})
		return
	}
	name := o.ServerName
	if name == "" {
		name = v.e.ServerName
	}
	before := len(v.d.Causes)
	v.d.checkCertificate(v.c, o, cert, name, v.opt.Now)
	for i := before; i < len(v.d.Causes); i++ {
		v.d.Causes[i].Evidence = append(v.d.Causes[i].Evidence, Evidence{
			Fact:    fmt.Sprintf("valid %s to %s, signed with %s", cert.NotBefore.Format("2006-01-02"), cert.NotAfter.Format("2006-01-02"), cert.SignatureDigest),
			Command: showChain(v)})
	}
	if name == "" && isAddress(v.e.Host) {
		v.d.Findings = append(v.d.Findings, Finding{ID: "name-not-checked",
			Summary: "no name was given for the address, so the certificate's names were not checked (--servername NAME)"})
	}
	if len(chain) > 0 && !o.Accepts.IgnoresTrust {
		v.trust(chain, name)
	}
}

func showChain(v *visit) string {
	c := sClient(v.t, v.hello)
	if c == "" {
		return ""
	}
	return c + " -showcerts"
}

// presented is the chain that went with the suite that was chosen.
func (v *visit) presented() ([]*x509.Certificate, *policy.Certificate) {
	if len(v.replay.Chain) > 0 {
		var chain []*x509.Certificate
		for _, der := range v.replay.Chain {
			if c, err := x509.ParseCertificate(der); err == nil {
				chain = append(chain, c)
			}
		}
		if len(chain) > 0 {
			c := scan.Describe(chain)
			return chain, &c
		}
	}
	for i := range v.seen.Identity.Certificates {
		c := &v.seen.Identity.Certificates[i]
		s := suite.ByCode(v.replay.Suite)
		if s == nil || v.replay.Version == suite.TLS13 && len(v.seen.Identity.Certificates) == 1 ||
			s.Authentication == suite.AuthRSA && c.KeyType == policy.RSA || s.Authentication == suite.AuthECDSA && c.KeyType == policy.ECDSA {
			return v.seen.Chains[i], c
		}
	}
	return nil, nil
}

// trust verifies the chain as the client would. Which roots the client has is not known: the system's stand
// for them unless the user named others.
func (v *visit) trust(chain []*x509.Certificate, name string) {
	leaf := chain[0]
	opts := x509.VerifyOptions{Roots: v.opt.Roots, Intermediates: x509.NewCertPool(), CurrentTime: leaf.NotBefore.Add(1)}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	if v.opt.Now.After(leaf.NotBefore) && v.opt.Now.Before(leaf.NotAfter) {
		opts.CurrentTime = v.opt.Now // validity is a cause of its own
	}
	_, err := leaf.Verify(opts)
	var unknown x509.UnknownAuthorityError
	if err == nil || !errors.As(err, &unknown) {
		return
	}
	top := chain[len(chain)-1]
	r := negotiate.Reason{By: "client", Server: []string{top.Issuer.String()}}
	confidence := 0.5
	decide := "the client's trust store: give its roots with --ca-file"
	switch selfIssued := bytes.Equal(top.RawSubject, top.RawIssuer); {
	case selfIssued && len(chain) == 1:
		r.Cause = cause.CertificateUntrusted
		r.Server = []string{top.Subject.String() + " (self-signed)"}
	case selfIssued:
		r.Cause = cause.CertificateUntrusted
	case v.opt.CAGiven || len(top.IssuingCertificateURL) > 0:
		// A root is rarely named by URL: what is missing is an intermediate.
		r.Cause = cause.CertificateChainIncomplete
		confidence = 0.75
	default:
		r.Cause = cause.CertificateUntrusted
	}
	if v.opt.CAGiven {
		confidence, decide = 0.95, ""
	}
	k := Cause{ID: r.Cause, Confidence: confidence, Decide: decide, Summary: sentence(v.c.Name, "the listener", &v.c.Offer, nil, r),
		Evidence: []Evidence{{Fact: fmt.Sprintf("%d certificate(s) presented; %v", len(chain), err), Command: showChain(v)}}}
	if confidence < 0.7 {
		// Private authorities are common: without the client's roots this is a remark, no verdict.
		v.d.Findings = append(v.d.Findings, Finding{ID: string(r.Cause), Summary: "perhaps " + k.Summary + "; " + decide, Evidence: k.Evidence})
		return
	}
	v.d.Outcome = Refused
	v.add(k)
	v.d.Fixes = append(v.d.Fixes, identityFix(r))
	v.inspected(chain)
}

// inspectors are the makers of inspecting proxies as their authorities name themselves.
var inspectors = []string{"Zscaler", "Fortinet", "FortiGate", "Palo Alto", "Blue Coat", "Netskope", "Sophos", "Cisco Umbrella", "Forcepoint", "WatchGuard",
	"SonicWall", "Barracuda", "Check Point", "McAfee Web Gateway", "Kaspersky", "Avast", "ESET SSL Filter", "mitmproxy", "Squid"}

// inspected notes an issuer that is a known inspecting proxy: it answers in place of the load balancer.
func (v *visit) inspected(chain []*x509.Certificate) {
	for _, c := range chain {
		issuer := c.Issuer.String()
		if i := slices.IndexFunc(inspectors, func(n string) bool { return bytes.Contains([]byte(issuer), []byte(n)) }); i >= 0 {
			k := Cause{ID: cause.MiddleboxInterference, Confidence: 0.9, Stage: cause.Network,
				Summary:  "an inspecting proxy (" + inspectors[i] + ") answers in place of the load balancer",
				Evidence: []Evidence{{Fact: "the certificate was issued by " + issuer, Command: showChain(v)}}}
			v.d.Causes = append([]Cause{k}, v.d.Causes...)
			v.fix(SideNetwork, "Except this destination from inspection, or add the proxy's authority to the client's trust store")
			return
		}
	}
}
