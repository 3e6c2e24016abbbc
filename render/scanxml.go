package render

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
)

// The elements of sslscan's XML, by what version 2.0.7 writes. What Parley did not find out is left out.
type (
	xmlTest struct {
		XMLName   xml.Name      `xml:"ssltest"`
		Host      string        `xml:"host,attr"`
		SNIName   string        `xml:"sniname,attr"`
		Port      string        `xml:"port,attr"`
		Protocols []xmlProtocol `xml:"protocol"`
		xmlChecks
		Ciphers []xmlCipher `xml:"cipher"`
		Groups  []xmlGroup  `xml:"group"`
		Schemes []xmlScheme `xml:"connection-signature-algorithm"`
		// The certificates element is there even where it holds none.
		Certificates struct {
			List []xmlCertificate `xml:"certificate"`
		} `xml:"certificates"`
	}
	xmlProtocol struct {
		Type    string `xml:"type,attr"`
		Version string `xml:"version,attr"`
		Enabled int    `xml:"enabled,attr"`
	}
	xmlCipher struct {
		Status    string `xml:"status,attr"`
		Version   string `xml:"sslversion,attr"`
		Bits      int    `xml:"bits,attr"`
		Cipher    string `xml:"cipher,attr"`
		ID        string `xml:"id,attr"`
		Strength  string `xml:"strength,attr"`
		Curve     string `xml:"curve,attr,omitempty"`
		DHEBits   int    `xml:"dhebits,attr,omitempty"`
		ECDHEBits int    `xml:"ecdhebits,attr,omitempty"`
	}
	xmlGroup struct {
		Version string `xml:"sslversion,attr"`
		Bits    int    `xml:"bits,attr"`
		Name    string `xml:"name,attr"`
		ID      string `xml:"id,attr"`
	}
	xmlScheme struct {
		Version string `xml:"sslversion,attr"`
		Name    string `xml:"name,attr"`
		ID      string `xml:"id,attr"`
	}
	xmlCertificate struct {
		Type      string `xml:"type,attr"`
		Signature string `xml:"signature-algorithm"`
		Key       xmlKey `xml:"pk"`
		Subject   cdata  `xml:"subject"`
		AltNames  *cdata `xml:"altnames"`
		Issuer    cdata  `xml:"issuer"`
		Self      bool   `xml:"self-signed"`
		Before    string `xml:"not-valid-before"`
		After     string `xml:"not-valid-after"`
		Expired   bool   `xml:"expired"`
	}
	xmlKey struct {
		Error bool   `xml:"error,attr"`
		Type  string `xml:"type,attr"`
		Curve string `xml:"curve_name,attr,omitempty"`
		Bits  int    `xml:"bits,attr,omitempty"`
	}
	cdata struct {
		Text string `xml:",cdata"`
	}
	xmlError struct {
		XMLName xml.Name `xml:"error"`
		Text    string   `xml:",cdata"`
	}
)

type scanXML struct {
	w     io.Writer
	names ScanNames
	begun bool
}

// NewScanXML writes sslscan's XML.
func NewScanXML(w io.Writer, names ScanNames) ScanWriter { return &scanXML{w: w, names: names} }

// begin writes what comes before the first target. Parsers of sslscan look for title and version.
func (s *scanXML) begin() error {
	if s.begun {
		return nil
	}
	s.begun = true
	_, err := io.WriteString(s.w, xml.Header+`<document title="SSLScan Results" version="2.0.7" web="https://github.com/parley-tls/parley">`+"\n")
	return err
}

func (s *scanXML) Report(r *inspect.Report) error {
	if err := s.begin(); err != nil {
		return err
	}
	var v any = s.test(r)
	if !r.Reached {
		v = xmlError{Text: printable(fmt.Sprintf("Could not open a connection to host %s (%s) on port %s. %s", r.Target.Host, r.Target.Address, r.Target.Port, r.Cause.Summary))}
	}
	var b bytes.Buffer
	enc := xml.NewEncoder(&b)
	enc.Indent(" ", " ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := s.w.Write(b.Bytes())
	return err
}

func (s *scanXML) Close() error {
	if err := s.begin(); err != nil {
		return err
	}
	_, err := io.WriteString(s.w, "</document>\n")
	return err
}

func (s *scanXML) test(r *inspect.Report) *xmlTest {
	t := &xmlTest{Host: r.Target.Host, SNIName: r.Target.ServerName, Port: r.Target.Port}
	if t.SNIName == "" { // sslscan sends the address as a name
		t.SNIName = r.Target.Host
	}
	for _, p := range r.Protocols {
		if p.State == inspect.Yes || p.State == inspect.No {
			t.Protocols = append(t.Protocols, protocolElement(p))
		}
	}
	for i := range r.Ciphers {
		if r.Ciphers[i].Version == suite.SSLv2 { // sslscan lists none of those
			continue
		}
		for j, c := range r.Ciphers[i].Ciphers {
			t.Ciphers = append(t.Ciphers, s.cipher(r.Ciphers[i].Version, c, j == 0))
		}
	}
	for _, l := range r.Groups {
		for _, g := range l.Groups {
			t.Groups = append(t.Groups, xmlGroup{l.Version.String(), securityBits(g), scanGroupName(g.Group), fmt.Sprintf("0x%04x", uint16(g.Group))})
		}
	}
	t.xmlChecks = checkElements(r)
	t.Schemes = schemeElements(r.Features)
	for i := range r.Certificates {
		t.Certificates.List = append(t.Certificates.List, certificateElement(&r.Certificates[i]))
	}
	return t
}

func schemeElements(f *scan.FeatureReport) []xmlScheme {
	var l []xmlScheme
	if f == nil {
		return nil
	}
	for _, v := range f.SignatureSchemes {
		for _, s := range v.Schemes {
			if e := (xmlScheme{v.Version.String(), s.String(), fmt.Sprintf("0x%04x", uint16(s))}); !slices.Contains(l, e) {
				l = append(l, e)
			}
		}
	}
	return l
}

func protocolElement(p inspect.Protocol) xmlProtocol {
	e := xmlProtocol{Type: "tls", Version: strings.TrimPrefix(p.Version.String(), "TLSv")}
	if p.Version < suite.TLS10 {
		e = xmlProtocol{Type: "ssl", Version: strings.TrimPrefix(p.Version.String(), "SSLv")}
	}
	if p.State == inspect.Yes {
		e.Enabled = 1
	}
	return e
}

func (s *scanXML) cipher(v suite.Version, c inspect.Cipher, first bool) xmlCipher {
	e := xmlCipher{Status: "accepted", Version: v.String(), Bits: c.Bits, Cipher: s.names.of(c.Cipher), ID: c.Cipher.String(), DHEBits: c.DHBits}
	if first { // sslscan calls the suite so that was chosen from all, whosever order counted
		e.Status = "preferred"
	}
	e.Strength = sslscanStrength(e.Cipher)
	if c.Group != nil {
		switch g := curveOf(*c.Group); {
		case g.finite:
			e.DHEBits = g.bits
		default:
			e.Curve, e.ECDHEBits = g.name, g.bits
		}
	}
	return e
}

// sslscanStrength is sslscan's word for a suite, which it takes from the name.
func sslscanStrength(name string) string {
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(name, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("NULL"):
		return "null"
	case has("ADH", "AECDH", "_anon_"):
		return "anonymous"
	case has("EXP"):
		return "weak"
	case has("RC4", "DES", "_SM4_", "_GOSTR341112_"):
		return "medium"
	case has("CHACHA20", "GCM") && has("DHE"):
		return "strong"
	}
	return "acceptable"
}

func certificateElement(c *scan.CertificateReport) xmlCertificate {
	e := xmlCertificate{
		Type: "short", Signature: signatureWords(c.SignatureAlgorithm), Key: keyElement(c),
		Subject: cdata{printable(shortName(c.Subject))}, Issuer: cdata{printable(shortName(c.Issuer))},
		Self: c.SelfSigned, Before: c.NotBefore.UTC().Format(opensslTime), After: c.NotAfter.UTC().Format(opensslTime), Expired: invalidToday(c),
	}
	if names := altNames(c); names != "" {
		e.AltNames = &cdata{printable(names)}
	}
	return e
}

func keyElement(c *scan.CertificateReport) xmlKey {
	rows := keyRows(c)
	last := rows[len(rows)-1]
	switch last[0] {
	case "RSA Key Strength":
		return xmlKey{Type: "RSA", Bits: c.KeyBits}
	case "ECC Key Strength":
		return xmlKey{Type: "EC", Curve: opensslCurve(c), Bits: c.KeyBits / 2}
	case "DSA Key Strength":
		return xmlKey{Type: "DSA", Bits: c.KeyBits}
	}
	return xmlKey{Type: strings.ToUpper(string(c.KeyType)), Bits: c.KeyBits}
}

// printable replaces what XML cannot hold, or what would do things to a terminal.
func printable(text string) string {
	var b strings.Builder
	writeLegible(&b, oneLine(text), Style{})
	return b.String()
}
