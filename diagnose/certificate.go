package diagnose

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

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
		v.trust(chain)
	}
}

func showChain(v *visit) string {
	return strings.Replace(sClient(v.t, v.hello), " </dev/null", " -showcerts </dev/null", 1)
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
func (v *visit) trust(chain []*x509.Certificate) {
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
	if err == nil || !errors.As(err, &unknown) || oldDigest(chain) && v.rootNamed(chain[len(chain)-1].RawIssuer) {
		return
	}
	v.untrusted(chain, err)
}

// oldDigest reports whether a certificate of the chain is signed with a digest that crypto/x509 refuses to verify:
// whether the client does is for its own rules.
func oldDigest(chain []*x509.Certificate) bool {
	return slices.Contains([]string{"MD5", "SHA1"}, scan.Describe(chain).SignatureDigest)
}

// rootNamed reports whether a trusted root has this name.
func (v *visit) rootNamed(subject []byte) bool {
	roots := v.opt.Roots
	if roots == nil {
		var err error
		if roots, err = x509.SystemCertPool(); err != nil {
			return false
		}
	}
	//lint:ignore SA1019 on Linux the system's roots are in it, elsewhere those that the user named
	return slices.ContainsFunc(roots.Subjects(), func(s []byte) bool { return bytes.Equal(s, subject) })
}

// untrusted ranks the two reasons for which a chain ends at no trusted root: the root is unknown to the client, or
// an intermediate below it is missing. Both look the same where the last certificate's issuer is not at hand.
func (v *visit) untrusted(chain []*x509.Certificate, err error) {
	top := chain[len(chain)-1]
	issuer := top.Issuer.String()
	missing := 0.2 // the probability that an intermediate is missing
	switch {
	case bytes.Equal(top.RawSubject, top.RawIssuer):
		missing = 0
		issuer += " (self-signed)"
	case len(top.IssuingCertificateURL) > 0:
		missing = 0.85 // a certificate says where its issuer's is found if that is an intermediate; roots rarely are
	case len(chain) == 1:
		missing = 0.7 // hardly any root signs servers' certificates itself
	}
	evidence := []Evidence{{Fact: fmt.Sprintf("%s presented; %v", plural(len(chain), "certificate"), err), Command: showChain(v)}}
	reasons := []Cause{
		v.trustCause(cause.CertificateChainIncomplete, missing, issuer, evidence),
		v.trustCause(cause.CertificateUntrusted, 0.95*(1-missing), issuer, evidence),
	}
	slices.SortFunc(reasons, func(a, b Cause) int { return cmp.Compare(b.Confidence, a.Confidence) })
	if !v.opt.CAGiven && missing < 0.8 {
		// Private authorities are common: without the client's roots this is a remark, no verdict.
		k := reasons[0]
		v.d.Findings = append(v.d.Findings, Finding{ID: string(k.ID), Summary: "perhaps " + k.Summary + ": give the client's roots with --ca-file", Evidence: evidence})
		return
	}
	v.d.Outcome = Refused
	for _, k := range reasons {
		if k.Confidence > 0 {
			v.add(k)
			r := negotiate.Reason{Cause: k.ID, Server: []string{issuer}}
			if f, ok := tolerance(v.c, r); ok {
				v.d.Fixes = append(v.d.Fixes, f)
			}
			v.d.Fixes = append(v.d.Fixes, identityFix(r))
		}
	}
	v.inspected(chain)
}

func (v *visit) trustCause(id cause.ID, confidence float64, issuer string, evidence []Evidence) Cause {
	k := Cause{ID: id, Confidence: confidence, Evidence: evidence, ServerSet: []string{issuer},
		Summary: sentence(v.c.Name, "the listener", &v.c.Offer, nil, negotiate.Reason{Cause: id, By: "client", Server: []string{issuer}})}
	if confidence < 0.9 {
		k.Decide = "is " + issuer + " a root that the client should have, or an intermediate that the server should send?"
	}
	return k
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
