package render

import (
	"fmt"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
)

// cipherSection is the suites of one version.
func cipherSection(l *inspect.CipherList, names ScanNames) g.Node {
	return g.Group{
		h.H2(g.Text(l.Version.String()+" "), dim(cipherOrderWords(l))), lineEnd,
		scrolled(h.Table(h.Class("suites"),
			headRow("cipher suite", "bits", "key exchange", "strength", "why"), lineEnd,
			g.Map(l.Ciphers, func(c inspect.Cipher) g.Node { return g.Group{cipherRow(c, names), lineEnd} }),
		)), lineEnd,
	}
}

func cipherRow(c inspect.Cipher, names ScanNames) g.Node {
	strength := fmt.Sprint(c.Strength)
	return h.Tr(
		h.Td(h.Code(g.Text(names.of(c.Cipher)))),
		h.Td(g.Textf("%d", c.Bits)),
		h.Td(h.Class("keep"), g.Text(exchangeWords(c))),
		h.Td(h.Class(strength), g.Text(strength)),
		h.Td(g.Text(briefly(c.Reasons))),
	)
}

// briefly names the reasons for a suite's strength. What follows a colon explains them, once for all suites.
func briefly(reasons []suite.Reason) string {
	var l []string
	for _, x := range reasons {
		name, _, _ := strings.Cut(x.Text, ":")
		l = append(l, name)
	}
	return strings.Join(l, ", ")
}

func certificateSections(l []scan.CertificateReport) g.Node {
	var sections g.Group
	for i := range l {
		sections = append(sections, certificateSection(&l[i]))
	}
	return sections
}

// certificateSection is a certificate, and what speaks against it.
func certificateSection(c *scan.CertificateReport) g.Node {
	return g.Group{
		h.H2(g.Text("Certificate")), lineEnd,
		h.Dl(
			described("subject", c.Subject),
			g.If(altNames(c) != "", described("names", altNames(c))),
			described("issuer", c.Issuer), lineEnd,
			described("key", certificateKeyWords(c)),
			described("signature", c.SignatureAlgorithm),
			h.Dt(g.Text("valid until")), h.Dd(classIf(invalidToday(c), "bad"), g.Text(c.NotAfter.UTC().Format("2 January 2006"))),
			h.Dt(g.Text("SHA-256")), h.Dd(h.Code(h.Style("white-space: normal"), g.Text(c.SHA256))),
		), lineEnd,
		g.If(len(c.Verdict.Reasons) > 0, h.Ul(g.Map(c.Verdict.Reasons, func(x scan.CertificateReason) g.Node {
			return h.Li(h.Class(string(x.Severity)), g.Text(x.Summary))
		}))), lineEnd,
	}
}

func described(term, text string) g.Node { return g.Group{h.Dt(g.Text(term)), h.Dd(g.Text(text))} }

// certificateKeyWords are the kind of key, its size, and its curve if it has one.
func certificateKeyWords(c *scan.CertificateReport) string {
	text := fmt.Sprintf("%s %d", c.KeyType, c.KeyBits)
	if c.Curve != nil {
		text += " " + c.Curve.String()
	}
	return text
}
