package render

import (
	"fmt"
	"strings"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
)

// features writes what sslscan has sections for in its words, and the rest as a table.
func (t *scanSections) features(r *inspect.Report) {
	f := r.Features
	if f == nil {
		return
	}
	section := func(title string, s scan.Feature, yes, no string) {
		t.title(title)
		switch s.State {
		case scan.Yes:
			t.line("%s", yes)
		case scan.No:
			t.line("%s", no)
		default:
			t.line("%s", oneLine(stateWords(s)))
		}
	}
	section("TLS Fallback SCSV", f.FallbackSCSV.Feature, "Server supports TLS Fallback SCSV", t.st.Warn("Server does not support TLS Fallback SCSV"))
	insecure := "Session renegotiation not supported"
	if renegotiates(r) {
		insecure = t.st.Bad("Insecure session renegotiation supported")
	}
	section("TLS renegotiation", f.SecureRenegotiation.Feature, "Secure session renegotiation supported", insecure)
	section("TLS Compression", f.Compression.Feature, t.st.Bad("Compression enabled (CRIME)"), "Compression disabled")
	for i, row := range featureRows(r) {
		if i == 0 {
			t.title("Features")
		}
		t.line("%s", oneLineWrapped(fmt.Sprintf("%-26s", row[0]), row[1]))
	}
}

// stateWords are a feature's state, and why it is neither yes nor no.
func stateWords(f scan.Feature) string {
	text := strings.ReplaceAll(string(f.State), "-", " ")
	if f.Why != "" {
		text += ": " + f.Why
	}
	return text
}

// featureRows are the features in a word or two each: none where they were not all asked for.
func featureRows(r *inspect.Report) [][2]string {
	f := r.Features
	if f == nil || r.Depth == inspect.Basic {
		return nil
	}
	rows := [][2]string{
		{"ALPN", listWords(f.ALPN.Feature, f.ALPN.Protocols)},
		{"session ids", stateWords(f.SessionIDs.Feature) + resumes(f.SessionIDs.Feature, f.SessionIDs.Resumes)},
		{"session tickets", stateWords(f.SessionTickets.Feature) + resumes(f.SessionTickets.Feature, f.SessionTickets.Resumes)},
		{"TLSv1.3 tickets", stateWords(f.PSK.Feature) + resumes(f.PSK.Feature, f.PSK.Resumes)},
		{"early data", stateWords(f.EarlyData.Feature)},
		{"secure renegotiation", stateWords(f.SecureRenegotiation.Feature)},
		{"fallback SCSV", stateWords(f.FallbackSCSV.Feature)},
		{"extended master secret", stateWords(f.ExtendedMasterSecret)},
		{"encrypt-then-MAC", stateWords(f.EncryptThenMAC)},
		{"compression", stateWords(f.Compression.Feature)},
		{"heartbeat", stateWords(f.Heartbeat)},
		{"OCSP stapling", stateWords(f.OCSPStapling.Feature)},
		{"certificate timestamps", stateWords(f.CertificateTransparency.Feature)},
		{"client certificate", clientCertificateWords(&f.ClientCertificate)},
		{"server name required", stateWords(f.ServerName.Required)},
	}
	for _, d := range f.DiffieHellman {
		text := fmt.Sprintf("%d bits", d.Bits)
		if d.Known != "" {
			text += ", " + d.Known
		}
		rows = append(rows, [2]string{"DH prime", text})
	}
	for _, s := range f.SignatureSchemes {
		name := "signatures " + s.Version.String()
		if s.Key != "" {
			name += " " + s.Key
		}
		rows = append(rows, [2]string{name, schemeNames(s.Schemes)})
	}
	return rows
}

func listWords(f scan.Feature, l []string) string {
	if f.State == scan.Yes && len(l) > 0 {
		return strings.Join(l, ", ")
	}
	return stateWords(f)
}

// clientCertificateWords say what is asked for, and what became of the one that was given.
func clientCertificateWords(c *scan.ClientCertificateReport) string {
	text := stateWords(c.Feature)
	if c.State == scan.Yes {
		text += ", required: " + stateWords(c.Required)
	}
	if c.Accepted != nil {
		text += ", the given one accepted: " + stateWords(*c.Accepted)
	}
	return text
}

// resumes says whether a session can be resumed by what was issued.
func resumes(issued, by scan.Feature) string {
	if issued.State != scan.Yes {
		return ""
	}
	return ", resumed: " + stateWords(by)
}

func schemeNames(l []suite.SignatureScheme) string {
	var names []string
	for _, s := range l {
		names = append(names, s.String())
	}
	return strings.Join(names, ", ")
}
