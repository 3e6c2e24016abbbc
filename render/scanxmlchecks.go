package render

import (
	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/vuln"
)

// The elements for what sslscan checks beside ciphers. One that was not found out is left out. Version 2.0.7 prints
// fallback as text alone; later ones write the element that is here.
type (
	xmlChecks struct {
		Fallback      *xmlSupported     `xml:"fallback"`
		Renegotiation *xmlRenegotiation `xml:"renegotiation"`
		Compression   *xmlSupported     `xml:"compression"`
		Heartbleed    []xmlHeartbleed   `xml:"heartbleed"`
	}
	xmlSupported struct {
		Supported int `xml:"supported,attr"`
	}
	xmlRenegotiation struct {
		Supported int `xml:"supported,attr"`
		Secure    int `xml:"secure,attr"`
	}
	xmlHeartbleed struct {
		Version    string `xml:"sslversion,attr"`
		Vulnerable int    `xml:"vulnerable,attr"`
	}
)

func checkElements(r *inspect.Report) xmlChecks {
	var x xmlChecks
	if f := r.Features; f != nil {
		x.Renegotiation = renegotiationElement(r)
		if s := f.FallbackSCSV.State; s == scan.Yes || s == scan.No {
			x.Fallback = &xmlSupported{number(s == scan.Yes)}
		}
		if s := f.Compression.State; s != scan.NotTested {
			x.Compression = &xmlSupported{number(s == scan.Yes)}
		}
	}
	if f := r.Finding("heartbleed"); f != nil && (f.Verdict == vuln.Vulnerable || f.Verdict == vuln.NotVulnerable) {
		for _, v := range heartbleedVersions(r) {
			x.Heartbleed = append(x.Heartbleed, xmlHeartbleed{v.String(), number(heartbleeds(f, v))})
		}
	}
	return x
}

// renegotiationElement: secure renegotiation implies that it is supported, as sslscan has it; without it, whether any
// was completed counts.
func renegotiationElement(r *inspect.Report) *xmlRenegotiation {
	switch r.Features.SecureRenegotiation.State {
	case scan.Yes:
		return &xmlRenegotiation{1, 1}
	case scan.NotTested:
		return nil
	}
	return &xmlRenegotiation{Supported: number(renegotiates(r))}
}

// renegotiates reports whether the endpoint was seen to renegotiate when the client asked for it.
func renegotiates(r *inspect.Report) bool {
	for _, id := range []string{"insecure-renegotiation", "client-renegotiation"} {
		if f := r.Finding(id); f != nil && f.Verdict == vuln.Vulnerable {
			return true
		}
	}
	return false
}

func number(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
