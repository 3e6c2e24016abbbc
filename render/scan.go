package render

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
)

// ScanWriter writes the reports of a scan one after the other, each as soon as it is there.
type ScanWriter interface {
	Report(*inspect.Report) error
	// Close ends the document. It does not close what is written to.
	Close() error
}

// ScanNames is the naming of cipher suites.
type ScanNames string

// Namings.
const (
	OpenSSLNames ScanNames = "openssl"
	IANANames    ScanNames = "iana"
)

// of returns the name of a suite.
func (n ScanNames) of(c suite.Code) string {
	if n == IANANames {
		return c.Name()
	}
	return c.OpenSSL()
}

// width is how wide the column of names is, as in sslscan.
func (n ScanNames) width() int {
	if n == IANANames {
		return 45
	}
	return 29
}

type scanJSON struct {
	w    io.Writer
	many bool
}

// NewScanJSON writes one indented document, or where there are many targets one document a line.
func NewScanJSON(w io.Writer, many bool) ScanWriter { return &scanJSON{w, many} }

func (s *scanJSON) Report(r *inspect.Report) error {
	if !s.many {
		return JSON(s.w, r)
	}
	enc := json.NewEncoder(s.w)
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

func (s *scanJSON) Close() error { return nil }

type scanText struct {
	w     io.Writer
	st    Style
	names ScanNames
	begun bool
}

// NewScanText writes for people, in the shape of sslscan's output.
func NewScanText(w io.Writer, st Style, names ScanNames) ScanWriter {
	return &scanText{w: w, st: st, names: names}
}

func (s *scanText) Close() error { return nil }

func (s *scanText) Report(r *inspect.Report) error {
	var b strings.Builder
	if s.begun {
		b.WriteByte('\n')
	}
	s.begun = true
	t := scanSections{&b, s.st, s.names}
	t.headline(r)
	if r.Reached {
		t.protocols(r)
		t.features(r)
		t.heartbleed(r)
		t.ciphers(r)
		t.groups(r)
		t.certificates(r)
		t.findings(r)
		t.policies(r)
		t.grade(r)
	}
	t.changes(r)
	t.open(r)
	fmt.Fprintf(&b, "\n%s\n", s.st.Dim(fmt.Sprintf("%s, %d ms", plural(r.Connections, "connection"), r.DurationMS)))
	return writeLegible(s.w, b.String(), s.st)
}

// scanSections writes the parts of one report.
type scanSections struct {
	b     *strings.Builder
	st    Style
	names ScanNames
}

func (t *scanSections) line(format string, args ...any) { fmt.Fprintf(t.b, format+"\n", args...) }

func (t *scanSections) title(text string) { fmt.Fprintf(t.b, "\n  %s\n", t.st.Bold(text+":")) }

func (t *scanSections) headline(r *inspect.Report) {
	what := "Testing SSL server " + r.Target.Host + " on port " + r.Target.Port
	if r.Target.ServerName != "" {
		what += " using SNI name " + r.Target.ServerName
	}
	if r.Target.StartTLS != "" {
		what += " after STARTTLS " + r.Target.StartTLS
	}
	t.line("%s", t.st.Bold(what))
	if r.Reached {
		t.line("Connected to %s", r.Target.Address)
	}
	if c := r.Cause; c != nil {
		t.line("%s  %s (%s)", t.st.Bad("NOT SCANNED"), oneLine(c.Summary), c.ID)
	}
	if r.Interrupted && r.Reached {
		t.line("%s  what follows is what was found until then", t.st.Warn("INTERRUPTED"))
	}
}

func (t *scanSections) protocols(r *inspect.Report) {
	t.title("SSL/TLS Protocols")
	for _, p := range r.Protocols {
		t.line("%-9s %s", p.Version, t.state(p))
	}
}

func (t *scanSections) state(p inspect.Protocol) string {
	switch {
	case p.State == inspect.Yes && p.Version < suite.TLS10:
		return t.st.Bad("enabled")
	case p.State == inspect.Yes && p.Version < suite.TLS12:
		return t.st.Warn("enabled")
	case p.State == inspect.Yes:
		return t.st.Good("enabled")
	case p.State == inspect.No && p.Version == suite.TLS13:
		return t.st.Warn("disabled")
	case p.State == inspect.No:
		return "disabled"
	}
	return t.st.Warn(string(p.State))
}

func (t *scanSections) ciphers(r *inspect.Report) {
	t.title("Supported Server Cipher(s)")
	for i := range r.Ciphers {
		l := &r.Ciphers[i]
		for _, c := range l.Ciphers {
			status := "Accepted "
			if c.Cipher == l.Preferred() {
				status = t.st.Good("Preferred")
			}
			bits := fmt.Sprintf("%d bits", c.Bits)
			name := t.names.of(c.Cipher)
			text := strings.TrimRight(fmt.Sprintf("%s %s  %-8s  %s%s %s", status, l.Version, bits, t.paint(c.Strength, name), pad(name, t.names.width()), exchangeWords(c)), " ")
			t.line("%s", text)
		}
	}
	t.weaknesses(r)
	for _, l := range r.Ciphers {
		t.line("%s", t.st.Dim(l.Version.String()+": "+cipherOrderWords(&l)))
	}
}

// weaknesses names each weakness once, with the suites that have it in some version.
func (t *scanSections) weaknesses(r *inspect.Report) {
	found := weaknessesOf(r, t.names)
	for i, x := range found {
		if i == 0 {
			t.title("Weak ciphers")
		}
		t.line("%s", t.wrap(x.Strength.String(), func(word string) string { return t.paint(x.Strength, word) },
			fmt.Sprintf("%s (%s): %s", x.Text, x.Source, strings.Join(x.Suites, ", "))))
	}
	if len(found) > 0 {
		t.b.WriteByte('\n')
	}
}

// weakness is one reason against suites, with those that it speaks of.
type weakness struct {
	suite.Reason
	Suites []string
}

// weaknessesOf lists the reasons against the accepted suites, the worst first.
func weaknessesOf(r *inspect.Report, names ScanNames) []weakness {
	var found []weakness
	for _, l := range r.Ciphers {
		for _, c := range l.Ciphers {
			for _, x := range c.Reasons {
				if x.Strength >= suite.Secure {
					continue
				}
				i := slices.IndexFunc(found, func(w weakness) bool { return w.Text == x.Text })
				if i < 0 {
					i = len(found)
					found = append(found, weakness{Reason: x})
				}
				if name := names.of(c.Cipher); !slices.Contains(found[i].Suites, name) {
					found[i].Suites = append(found[i].Suites, name)
				}
			}
		}
	}
	slices.SortStableFunc(found, func(a, b weakness) int { return int(a.Strength) - int(b.Strength) })
	return found
}

func (t *scanSections) paint(s suite.Strength, text string) string {
	switch s {
	case suite.Insecure:
		return t.st.Bad(text)
	case suite.Weak:
		return t.st.Warn(text)
	case suite.Recommended:
		return t.st.Good(text)
	}
	return text
}

// pad is what fills a column up.
func pad(text string, width int) string { return strings.Repeat(" ", max(0, width-len(text))) }

// exchangeWords are sslscan's words for the key exchange.
func exchangeWords(c inspect.Cipher) string {
	switch {
	case c.Group != nil:
		g := curveOf(*c.Group)
		return g.words()
	case c.DHBits > 0:
		return fmt.Sprintf("DHE %d bits", c.DHBits)
	}
	return ""
}

// cipherOrderWords say whose preference counts.
func cipherOrderWords(l *inspect.CipherList) string {
	switch {
	case len(l.Ciphers) == 1:
		return "one suite, so that there is no order"
	case l.Order == policy.ServerOrder && l.Sorted && l.ChaChaFirst:
		return "the server's order counts, which is the order above, but for clients that put ChaCha20 first: those get it"
	case l.Order == policy.ServerOrder && l.Sorted:
		return "the server's order counts; it is the order above"
	case l.Order == policy.ServerOrder:
		return "the server's order counts; it is known in part"
	case l.Order == policy.ClientOrder:
		return "the client's order counts"
	}
	return "whose order counts was not found out"
}

func (t *scanSections) groups(r *inspect.Report) {
	if len(r.Groups) == 0 {
		return
	}
	t.title("Server Key Exchange Group(s)")
	for _, l := range r.Groups {
		for _, g := range l.Groups {
			t.line("%s  %d bits  %s", l.Version, securityBits(g), t.paint(g.Strength, scanGroupName(g.Group)))
		}
	}
}

func (t *scanSections) certificates(r *inspect.Report) {
	for i := range r.Certificates {
		c := &r.Certificates[i]
		t.title("SSL Certificate")
		t.line("Signature Algorithm: %s", t.digest(signatureWords(c.SignatureAlgorithm)))
		for _, row := range keyRows(c) {
			t.line("%-20s %s", row[0]+":", t.keyBits(c, row[1]))
		}
		t.line("\nSubject:  %s", oneLine(shortName(c.Subject)))
		if names := altNames(c); names != "" {
			t.line("Altnames: %s", oneLine(names))
		}
		t.line("Issuer:   %s", oneLine(shortName(c.Issuer)))
		t.line("\nNot valid before: %s", c.NotBefore.UTC().Format(opensslTime))
		after := c.NotAfter.UTC().Format(opensslTime)
		if invalidToday(c) {
			after = t.st.Bad(after + " (not valid today)")
		}
		t.line("Not valid after:  %s", after)
		for _, x := range c.Verdict.Reasons {
			t.line("%s", oneLineWrapped(t.severity(x.Severity)+"  ", x.Summary))
		}
	}
}

func (t *scanSections) digest(name string) string {
	if low := strings.ToLower(name); strings.Contains(low, "md5") || strings.Contains(low, "sha1") {
		return t.st.Bad(name)
	}
	return name
}

func (t *scanSections) keyBits(c *scan.CertificateReport, text string) string {
	if c.KeyType == policy.RSA && c.KeyBits < 2048 {
		return t.st.Bad(text)
	}
	return text
}
