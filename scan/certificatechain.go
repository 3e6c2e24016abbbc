package scan

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parley-tls/parley/policy"
)

// followChain goes from the certificate to its issuer, and so on, among those that were sent. Certificates that
// cannot be read are nil and lead nowhere.
func followChain(chain []*x509.Certificate) ChainReport {
	r := ChainReport{Path: []int{0}, Superfluous: []int{}}
	for at := chain[0]; !selfSigned(at); {
		i := slices.IndexFunc(chain, func(c *x509.Certificate) bool { return c != nil && issued(c, at) })
		if i < 0 || slices.Contains(r.Path, i) {
			break
		}
		r.Path = append(r.Path, i)
		at = chain[i]
	}
	for i := range chain {
		if !slices.Contains(r.Path, i) {
			r.Superfluous = append(r.Superfluous, i)
		}
	}
	r.InOrder = slices.IsSorted(r.Path) && r.Path[len(r.Path)-1] == len(r.Path)-1
	last := chain[r.Path[len(r.Path)-1]]
	r.RootSent = len(r.Path) > 1 && selfSigned(last)
	return r
}

// issued reports whether one certificate was issued by the other, as far as names and key identifiers tell and the
// signature does not deny it. Go does not check signatures of MD5 and SHA-1.
func issued(by, c *x509.Certificate) bool {
	if !bytes.Equal(by.RawSubject, c.RawIssuer) || by == c {
		return false
	}
	if len(c.AuthorityKeyId) > 0 && len(by.SubjectKeyId) > 0 && !bytes.Equal(c.AuthorityKeyId, by.SubjectKeyId) {
		return false
	}
	err := by.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	var insecure x509.InsecureAlgorithmError
	return err == nil || errors.As(err, &insecure) || errors.Is(err, x509.ErrUnsupportedAlgorithm)
}

// judgeTrust asks each set of roots.
func judgeTrust(chain []*x509.Certificate, opt CertificateOptions) []TrustReport {
	l := []TrustReport{}
	if opt.Roots != nil {
		l = append(l, trust("given", chain, opt.Roots, opt.Now))
	}
	if opt.System != nil {
		l = append(l, trust("system", chain, opt.System, opt.Now))
	}
	return l
}

// trust looks for a path to a root. A certificate that has expired, or is not yet valid, is judged as of its days.
func trust(store string, chain []*x509.Certificate, roots *x509.CertPool, now time.Time) TrustReport {
	leaf := chain[0]
	switch {
	case now.After(leaf.NotAfter):
		now = leaf.NotAfter.Add(-time.Second)
	case now.Before(leaf.NotBefore):
		now = leaf.NotBefore.Add(time.Second)
	}
	others := x509.NewCertPool()
	for _, c := range withoutNil(chain[1:]) {
		others.AddCert(c)
	}
	paths, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: now, KeyUsages: usages(leaf)})
	if err != nil {
		return TrustReport{Store: store, Error: err.Error()}
	}
	r := TrustReport{Store: store, Trusted: true}
	shortest := slices.MinFunc(paths, func(a, b []*x509.Certificate) int { return len(a) - len(b) })
	for _, c := range shortest {
		r.Path = append(r.Path, c.Subject.String())
	}
	return r
}

// usages are what a certificate must be good for: the server's own for servers, a CA's for anything.
func usages(c *x509.Certificate) []x509.ExtKeyUsage {
	if c.IsCA {
		return []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	}
	return []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
}

// completeChain says whether an issuer is missing: none is where the last certificate of the path is self-signed or was
// issued by a root. What else is wrong with the chain does not count here.
func completeChain(c *CertificateReport, chain []*x509.Certificate, opt CertificateOptions) {
	s := &c.ChainState
	last := chain[s.Path[len(s.Path)-1]]
	if s.Complete = selfSigned(last); s.Complete {
		return
	}
	for _, t := range judgeTrust([]*x509.Certificate{last}, opt) {
		s.Complete = s.Complete || t.Trusted
	}
	if !s.Complete {
		s.MissingIssuer = last.Issuer.String()
		s.lookup = len(last.IssuingCertificateURL) > 0
	}
}

// soon is how many days before its end a certificate is worth a note.
const soon = 30

// judge collects what speaks against a certificate.
func judge(c *CertificateReport, opt CertificateOptions) {
	v := &c.Verdict
	v.Reasons = []CertificateReason{}
	add := func(yes bool, s Severity, id, format string, args ...any) {
		if yes {
			v.Reasons = append(v.Reasons, CertificateReason{id, s, fmt.Sprintf(format, args...)})
		}
	}
	const day = "2 January 2006"
	expired, early := opt.Now.After(c.NotAfter), opt.Now.Before(c.NotBefore)
	add(expired, Bad, "certificate-expired", "it expired on %s", c.NotAfter.Format(day))
	add(early, Bad, "certificate-not-yet-valid", "it is not valid before %s", c.NotBefore.Format(day))
	add(!expired && c.DaysLeft < soon, Note, "certificate-expires-soon", "it expires in %d days", c.DaysLeft)
	add(c.own && c.Names.Matches.State == No, Bad, "certificate-name-mismatch", "it is not for %s", opt.Name)
	add(c.Names.CommonNameOnly, Bad, "certificate-without-alternative-names", "it has a common name alone, which current clients do not read")
	judgeStrength(c, add)
	judgeChain(c, opt, add)
	r := &c.Revocation
	add(r.Status == "revoked", Bad, "certificate-revoked", "the stapled OCSP response says that it is revoked")
	add(r.MustStaple && r.Stapled != nil && !*r.Stapled, Bad, "certificate-must-staple", "it demands a stapled OCSP response and came without")
	v.Good = !slices.ContainsFunc(v.Reasons, func(r CertificateReason) bool { return r.Severity == Bad })
}

// judgeStrength looks at the keys and signatures of the whole path. The signature of a root is checked by nobody.
func judgeStrength(c *CertificateReport, add func(bool, Severity, string, string, ...any)) {
	for _, i := range c.ChainState.Path {
		l := &c.Chain[i]
		weakKey := (l.KeyType == policy.RSA || l.KeyType == policy.RSAPSS) && l.KeyBits < 2048 || l.KeyType == policy.DSA || l.KeyType == policy.ECDSA && l.KeyBits < 224
		add(weakKey, Bad, "weak-certificate-key", "%s has a key of %s with %d bits", place(i), l.KeyType, l.KeyBits)
		weakDigest := l.SignatureDigest == "MD5" || l.SignatureDigest == "SHA1" || l.SignatureDigest == "MD2"
		add(weakDigest && !l.SelfSigned, Bad, "weak-certificate-signature", "%s is signed with %s", place(i), l.SignatureAlgorithm)
	}
}

// place names a certificate of a chain.
func place(i int) string {
	if i == 0 {
		return "it"
	}
	return fmt.Sprintf("certificate %d of the chain", i+1)
}

func judgeChain(c *CertificateReport, opt CertificateOptions, add func(bool, Severity, string, string, ...any)) {
	s := &c.ChainState
	explained := slices.ContainsFunc(c.Verdict.Reasons, func(r CertificateReason) bool { return r.ID == "weak-certificate-signature" })
	for _, i := range s.Path[1:] {
		expired := opt.Now.After(c.Chain[i].NotAfter)
		explained = explained || expired
		add(expired, Bad, "certificate-chain-expired", "%s (%s) has expired", place(i), c.Chain[i].Subject)
	}
	trusted := slices.ContainsFunc(c.Trust, func(t TrustReport) bool { return t.Trusted })
	// Certificates that say where their issuer's can be had are those of CAs with intermediates.
	missing := !s.Complete && len(c.Trust) > 0
	add(missing && s.lookup, Bad, "certificate-chain-incomplete", "its issuer %s was not sent and is no trusted root", s.MissingIssuer)
	add(missing && !s.lookup, Bad, "certificate-untrusted", "its issuer %s was not sent and is no trusted root: an intermediate is missing, or the root is private", s.MissingIssuer)
	add(!s.InOrder, Weak, "certificate-chain-order", "the chain is out of order, which some clients do not accept")
	add(len(s.Superfluous) > 0 && s.InOrder, Note, "certificate-chain-superfluous", "%d certificates of the chain are not needed", len(s.Superfluous))
	add(s.RootSent, Note, "certificate-root-sent", "the root is sent too, which no client needs")
	add(c.SelfSigned && !trusted, Bad, "certificate-self-signed", "it is self-signed")
	add(len(c.Trust) > 0 && !trusted && s.Complete && !c.SelfSigned && !explained, Bad, "certificate-untrusted", "no root that it leads to is trusted: %s", untrusted(c.Trust))
}

func untrusted(l []TrustReport) string {
	if len(l) == 0 {
		return "none is given"
	}
	return l[0].Error
}

// distinguishedName reads a name; what is no name is shown as bytes.
func distinguishedName(der []byte) string {
	var seq pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &seq); err != nil || len(rest) > 0 {
		return fmt.Sprintf("%x", der[:min(len(der), 64)])
	}
	var n pkix.Name
	n.FillFromRDNSequence(&seq)
	return n.String()
}
