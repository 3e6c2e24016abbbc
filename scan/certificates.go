package scan

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// CertificateOptions say what certificates are judged by.
type CertificateOptions struct {
	Name   string         // host name or IP address that the endpoint is scanned as; "" leaves the name open
	Roots  *x509.CertPool // given roots, nil for none
	System *x509.CertPool // the system's roots, nil to leave them out
	Now    time.Time      // the zero value stands for the present
}

// presented is a chain with the hello that it was presented to.
type presented struct {
	Presentation
	chain  [][]byte
	status []byte // stapled OCSP response
	asked  bool   // for the status
}

// collectChains keeps every chain that was seen while the features were learnt.
func (f *features) collectChains() {
	for _, a := range f.heard {
		if len(a.Chain) == 0 {
			continue
		}
		p := presented{Presentation{Version: a.Version, ServerName: nameCase(f.name, a.Offer.ServerName)}, a.Chain, a.Status, a.Asked.HasExtension(hello.ExtStatusRequest)}
		p.Key = authentication(a.Suite, a.Version)
		f.report.presented = append(f.report.presented, p)
	}
}

func nameCase(given, asked string) string {
	switch asked {
	case "":
		return nameNone
	case given:
		return nameGiven
	case unknownName:
		return nameUnknown
	}
	return nameUpper
}

// authentication is the kind of key that a suite before TLS 1.3 needs.
func authentication(c suite.Code, v suite.Version) string {
	if s := suite.ByCode(c); s != nil && v < suite.TLS13 {
		return s.Authentication.String()
	}
	return ""
}

// Certificates reports every certificate that the endpoint presented, to the scan of r and to the learning of f,
// which may be nil. It makes no connection. Those that the given name gets come first.
func Certificates(r *Result, f *FeatureReport, opt CertificateOptions) []CertificateReport {
	if opt.Now.IsZero() {
		opt.Now = time.Now()
	}
	var all []presented
	for i := range r.Seen.Replies {
		q := &r.Seen.Replies[i]
		if q.Answer != probe.ServerHello || len(q.Chain) == 0 {
			continue
		}
		name := nameGiven
		if q.Offer.ServerName == "" {
			name = nameNone
		}
		all = append(all, presented{Presentation{q.Version, name, authentication(q.Suite, q.Version)}, q.Chain, nil, false})
	}
	if f != nil {
		all = append(all, f.presented...)
	}
	for _, c := range r.Seen.Chains { // of TLS 1.3 alone, where nobody learnt more
		if !slices.ContainsFunc(all, func(p presented) bool { return bytes.Equal(p.chain[0], c[0].Raw) }) {
			all = append(all, presented{Presentation{suite.TLS13, nameGiven, ""}, rawChain(c), nil, false})
		}
	}
	own := nameNone // what clients say who are given the same name as the scan
	if slices.ContainsFunc(all, func(p presented) bool { return p.ServerName == nameGiven }) {
		own = nameGiven
	}
	var reports []CertificateReport
	for _, group := range groupChains(all) {
		reports = append(reports, reportCertificate(group, own, opt))
	}
	slices.SortStableFunc(reports, func(a, b CertificateReport) int { return boolRank(a.own) - boolRank(b.own) })
	return reports
}

func rawChain(chain []*x509.Certificate) [][]byte {
	var der [][]byte
	for _, c := range chain {
		der = append(der, c.Raw)
	}
	return der
}

// groupChains puts equal chains together, in the order in which they were first seen.
func groupChains(all []presented) [][]presented {
	var groups [][]presented
	for _, p := range all {
		i := slices.IndexFunc(groups, func(g []presented) bool { return slices.EqualFunc(g[0].chain, p.chain, bytes.Equal) })
		if i < 0 {
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], p)
	}
	return groups
}

// reportCertificate describes and judges one chain. own is the case of server name that the scan asked with.
func reportCertificate(group []presented, own string, opt CertificateOptions) CertificateReport {
	der := group[0].chain
	chain := make([]*x509.Certificate, len(der)) // nil where one cannot be parsed
	c := CertificateReport{Timestamps: []SCT{}, Trust: []TrustReport{}}
	for i, d := range der {
		var err error
		if chain[i], err = x509.ParseCertificate(d); err != nil {
			c.Chain = append(c.Chain, Link{SHA256: fingerprint(d), Error: err.Error()})
			chain[i] = nil
			continue
		}
		c.Chain = append(c.Chain, describeLink(chain[i]))
	}
	c.Link = c.Chain[0]
	for _, p := range group {
		c.Seen = with(c.Seen, p.Presentation)
		c.own = c.own || p.ServerName == own
	}
	digest := sha1.Sum(der[0])
	c.Fingerprints = Fingerprints{SHA1: hex.EncodeToString(digest[:]), SHA256: fingerprint(der[0])}
	c.Names = NamesReport{DNS: []string{}, Matches: Feature{NotTested, "the certificate cannot be read"}}
	c.Revocation = RevocationReport{OCSP: []string{}, CRL: []string{}, CAIssuers: []string{}}
	c.ChainState = ChainReport{Path: []int{0}, Superfluous: []int{}}
	leaf := chain[0]
	if leaf == nil {
		c.Verdict = CertificateVerdict{Reasons: []CertificateReason{{"certificate-unreadable", Bad, "the certificate cannot be read: " + c.Error}}}
		return c
	}
	pin := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	c.Fingerprints.Pin = base64.StdEncoding.EncodeToString(pin[:])
	c.DaysLeft = int(leaf.NotAfter.Sub(opt.Now) / (24 * time.Hour))
	if opt.Now.After(leaf.NotAfter) {
		c.DaysLeft--
	}
	c.Names = readNames(leaf, opt.Name)
	if l := certificateTimestamps(der[0]); l != nil {
		c.Timestamps = l
	}
	c.Revocation = readRevocation(leaf, group, chain, opt.Now)
	c.ChainState = followChain(chain)
	c.Trust = judgeTrust(chain, opt)
	completeChain(&c, chain, opt)
	judge(&c, opt)
	return c
}

// describeLink describes one certificate.
func describeLink(x *x509.Certificate) Link {
	d := Describe([]*x509.Certificate{x})
	l := Link{Subject: x.Subject.String(), Issuer: x.Issuer.String(), SerialNumber: serial(x.SerialNumber), NotBefore: x.NotBefore, NotAfter: x.NotAfter,
		KeyType: d.KeyType, KeyBits: d.Bits, SignatureAlgorithm: x.SignatureAlgorithm.String(), SignatureDigest: digestOf(x.SignatureAlgorithm),
		CA: x.BasicConstraintsValid && x.IsCA, SelfSigned: selfSigned(x), SHA256: fingerprint(x.Raw)}
	if d.Curve != 0 {
		l.Curve = &d.Curve
	}
	return l
}

func selfSigned(x *x509.Certificate) bool { return bytes.Equal(x.RawSubject, x.RawIssuer) }

// serial writes a serial number as openssl x509 does.
func serial(n *big.Int) string {
	s := strings.ToUpper(n.Text(16))
	if len(strings.TrimPrefix(s, "-"))%2 == 1 {
		s = strings.Replace("0"+s, "0-", "-0", 1)
	}
	return s
}

func readNames(leaf *x509.Certificate, name string) NamesReport {
	n := NamesReport{CommonName: leaf.Subject.CommonName, DNS: append([]string{}, leaf.DNSNames...)}
	for _, ip := range leaf.IPAddresses {
		n.IP = append(n.IP, ip.String())
	}
	n.Wildcard = slices.ContainsFunc(n.DNS, func(s string) bool { return strings.HasPrefix(s, "*.") })
	n.CommonNameOnly = len(n.DNS)+len(n.IP)+len(leaf.URIs)+len(leaf.EmailAddresses) == 0 && n.CommonName != ""
	switch {
	case name == "":
		n.Matches = Feature{NotTested, "no name is given"}
	default:
		n.Matches = yesNo(leaf.VerifyHostname(name) == nil)
	}
	return n
}

// oidTLSFeature is the extension that demands status_request (RFC 7633).
const oidTLSFeature = "1.3.6.1.5.5.7.1.24"

func readRevocation(leaf *x509.Certificate, group []presented, chain []*x509.Certificate, now time.Time) RevocationReport {
	r := RevocationReport{OCSP: append([]string{}, leaf.OCSPServer...), CRL: append([]string{}, leaf.CRLDistributionPoints...), CAIssuers: append([]string{}, leaf.IssuingCertificateURL...)}
	for _, e := range leaf.Extensions {
		// SEQUENCE OF INTEGER, 5 being status_request and 17 status_request_v2
		if e.Id.String() == oidTLSFeature && (bytes.Contains(e.Value, []byte{2, 1, 5}) || bytes.Contains(e.Value, []byte{2, 1, 17})) {
			r.MustStaple = true
		}
	}
	for _, p := range group {
		if !p.asked {
			continue
		}
		stapled := p.status != nil || r.Stapled != nil && *r.Stapled
		r.Stapled = &stapled
		if p.status != nil && r.Status == "" {
			if o, wrong := readOCSP(p.status, withoutNil(chain), now); o != nil && wrong == "" {
				r.Status = o.Status
			}
		}
	}
	return r
}

func withoutNil(chain []*x509.Certificate) []*x509.Certificate {
	return slices.DeleteFunc(slices.Clone(chain), func(c *x509.Certificate) bool { return c == nil })
}

// boolRank puts what is true first.
func boolRank(b bool) int {
	if b {
		return 0
	}
	return 1
}
