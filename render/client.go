package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// ClientList is the answer of `parley client list` (docs/schema/client-list.schema.json).
type ClientList struct {
	Schema  string          `json:"schema"`
	Clients []ClientSummary `json:"clients"`
}

// ClientSummary is a line of the list.
type ClientSummary struct {
	Name        string            `json:"name"`
	Title       string            `json:"title"`
	Family      string            `json:"family"`
	Platform    string            `json:"platform,omitempty"`
	Library     string            `json:"library,omitempty"`
	Released    string            `json:"released"`        // YYYY-MM
	Ended       string            `json:"ended,omitempty"` // YYYY-MM
	Versions    []suite.Version   `json:"versions"`        // that it would accept, highest first
	SuiteCount  int               `json:"suite_count"`
	Weakest     suite.Strength    `json:"weakest"` // of the suites it offers
	PostQuantum bool              `json:"post_quantum"`
	Confidence  client.Confidence `json:"confidence"`
	Captured    bool              `json:"captured"` // from the bytes of a real hello that parley keeps
}

// SummarizeClient returns what a list says of p.
func SummarizeClient(p *client.Profile) ClientSummary {
	o := p.Offer()
	s := ClientSummary{Name: p.Name, Title: p.Title, Family: p.Family, Platform: p.Platform, Library: p.Library, Released: p.Released,
		Ended: p.Ended, Versions: acceptedVersions(o), SuiteCount: len(o.Suites), Weakest: suite.Recommended, Confidence: p.Confidence, Captured: p.Captured}
	for _, c := range o.Suites {
		s.Weakest = min(s.Weakest, suite.StrengthOf(c))
	}
	s.PostQuantum = slices.ContainsFunc(o.Groups, postQuantum)
	return s
}

func postQuantum(g suite.Group) bool {
	return strings.Contains(strings.ToUpper(g.String()), "MLKEM")
}

// acceptedVersions are those offered, less those that the client would refuse in the answer.
func acceptedVersions(o *hello.Offer) []suite.Version {
	return slices.DeleteFunc(slices.Clone(o.Versions), func(v suite.Version) bool { return v < o.Accepts.MinVersion })
}

// Text writes one table.
func (l *ClientList) Text(w io.Writer, st Style) error {
	var rows [][]string
	for _, c := range l.Clients {
		sure := string(c.Confidence)
		if c.Captured {
			sure = "captured"
		}
		rows = append(rows, []string{c.Name, c.Released, clientVersions(c.Versions), fmt.Sprint(c.SuiteCount), mark(st, c.Weakest), sure, c.Library, c.Platform})
	}
	return Table(w, []string{"client", "released", "protocols", "suites", "weakest", "sure", "library", "platform"}, trimRows(rows))
}

// clientVersions writes a range, and drafts of TLS 1.3 by number.
func clientVersions(l []suite.Version) string {
	known := slices.DeleteFunc(slices.Clone(l), func(v suite.Version) bool { return !v.Known() })
	if len(known) == 0 {
		return join(l, " ")
	}
	slices.Sort(known)
	return versionRange(known)
}

// Clients is the answer of `parley client show` (docs/schema/client.schema.json).
type Clients struct {
	Schema  string         `json:"schema"`
	Clients []ClientDetail `json:"clients"`
}

// ClientDetail is all that is known of a client.
type ClientDetail struct {
	ClientSummary
	Asked              string          `json:"asked,omitempty"`     // the name that was asked for, where it is not this one
	AskedWhy           string          `json:"asked_why,omitempty"` // why it stands for this client
	Vendor             string          `json:"vendor,omitempty"`
	Suites             []ClientSuite   `json:"suites"` // in the client's order
	Groups             []suite.Group   `json:"groups,omitempty"`
	KeyShares          []suite.Group   `json:"key_shares,omitempty"`
	SignatureSchemes   []string        `json:"signature_schemes,omitempty"`
	CertificateSchemes []string        `json:"signature_schemes_cert,omitempty"`
	ALPN               []string        `json:"alpn,omitempty"`
	Extensions         []string        `json:"extensions,omitempty"` // in the order of the hello
	ServerName         bool            `json:"sends_server_name"`
	SecureReneg        bool            `json:"secure_renegotiation"`
	ExtendedMaster     bool            `json:"extended_master_secret"`
	GREASE             bool            `json:"grease,omitempty"`
	SSLv2Format        bool            `json:"sslv2_format,omitempty"`
	WireSize           int             `json:"wire_size,omitempty"` // bytes
	JA3                string          `json:"ja3,omitempty"`
	JA4                string          `json:"ja4,omitempty"`
	Accepts            hello.Rules     `json:"accepts"`
	Remedies           []client.Remedy `json:"remedies,omitempty"`
	Notes              []string        `json:"notes,omitempty"`
	Sources            []string        `json:"sources"`
}

// ClientSuite is a row of the table.
type ClientSuite struct {
	Cipher   suite.Code     `json:"cipher"`
	Strength suite.Strength `json:"strength"`
	Reasons  []suite.Reason `json:"reasons,omitempty"`
}

// DetailClient returns all that is known of p.
func DetailClient(p *client.Profile) ClientDetail {
	o := p.Offer()
	d := ClientDetail{ClientSummary: SummarizeClient(p), Vendor: p.Vendor, Groups: o.Groups, KeyShares: o.KeyShares, ALPN: o.ALPN,
		SignatureSchemes: names(o.Schemes), CertificateSchemes: names(o.CertSchemes), ServerName: p.SendsServerName(),
		SecureReneg: o.SecureReneg, ExtendedMaster: o.ExtendedMaster, GREASE: o.GREASE, SSLv2Format: o.SSLv2Format, WireSize: o.WireSize,
		Accepts: o.Accepts, Remedies: p.Remedies, Notes: p.Notes, Sources: p.Sources}
	for _, c := range o.Suites {
		row := ClientSuite{Cipher: c}
		if s := suite.ByCode(c); s != nil {
			a := suite.Assess(s)
			row.Strength, row.Reasons = a.Strength, a.Reasons
		}
		d.Suites = append(d.Suites, row)
	}
	for _, e := range o.Extensions {
		d.Extensions = append(d.Extensions, hello.ExtensionName(e))
	}
	if h, err := hello.ParseClientHello(p.Hello()); err == nil {
		_, d.JA3 = h.JA3()
		d.JA4 = h.JA4()
	}
	return d
}

func names[T fmt.Stringer](l []T) []string {
	var s []string
	for _, v := range l {
		s = append(s, v.String())
	}
	return s
}

// Text writes the clients one below the other.
func (l *Clients) Text(w io.Writer, st Style) error {
	for i := range l.Clients {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := l.Clients[i].text(w, st); err != nil {
			return err
		}
	}
	return nil
}

func (d *ClientDetail) text(w io.Writer, st Style) error {
	fmt.Fprint(w, st.Bold(d.Name))
	if d.Asked != "" {
		fmt.Fprintf(w, "  (for %s: %s)", d.Asked, d.AskedWhy)
	}
	fmt.Fprintln(w)
	about := []string{d.Title}
	for _, s := range []string{d.Platform, d.Library} {
		if s != "" && !strings.Contains(d.Title, s) {
			about = append(about, s)
		}
	}
	about = append(about, "released "+d.Released)
	if d.Ended != "" {
		about = append(about, "supported until "+d.Ended)
	}
	fmt.Fprintln(w, strings.Join(about, "; "))
	versions := slices.Clone(d.Versions)
	slices.Reverse(versions)
	facts := [][]string{{"Protocols", join(versions, " ")}}
	add := func(key, value string) {
		if value != "" {
			facts = append(facts, []string{key, value})
		}
	}
	add("Groups", d.groups())
	add("Signatures", strings.Join(d.SignatureSchemes, " "))
	add("ALPN", strings.Join(d.ALPN, " "))
	add("Extensions", strings.Join(d.Extensions, " "))
	add("Lacks", strings.Join(d.lacks(), ", "))
	add("Refuses", strings.Join(refusals(&d.Accepts), "; "))
	if d.WireSize > 0 {
		add("Hello", fmt.Sprintf("%d bytes", d.WireSize))
	}
	add("JA3", d.JA3)
	add("JA4", d.JA4)
	add("Confidence", string(d.Confidence))
	wrapFacts(facts)
	if err := Table(w, nil, facts); err != nil {
		return err
	}
	var rows [][]string
	for i, s := range d.Suites {
		rows = append(rows, suiteLine(st, i, s))
	}
	fmt.Fprintln(w)
	if err := Table(w, nil, trimRows(rows)); err != nil {
		return err
	}
	list(w, st, "Changes that make it offer or accept more", remedyLines(d.Remedies))
	list(w, st, "Notes", d.Notes)
	list(w, st, "Sources", d.Sources)
	return nil
}

// remedyLines writes what each change enables, how, its commands and where that is known from.
func remedyLines(remedies []client.Remedy) []string {
	var l []string
	for _, r := range remedies {
		about := wrap(enabled(r.Enables)+": "+r.Summary, 96)
		for i, line := range append(about, wrap("source: "+r.Source, 96)...) {
			if i > 0 {
				line = "  " + line
			}
			l = append(l, line)
			if i == len(about)-1 {
				for _, c := range r.Commands {
					l = append(l, "  $ "+c)
				}
			}
		}
	}
	return l
}

// enabled names the first things that a change enables, suites by their short names.
func enabled(what []string) string {
	const most = 4
	var l []string
	for _, w := range what {
		if s := suite.ByName(w); s != nil && s.OpenSSL != "" {
			w = s.OpenSSL
		}
		l = append(l, w)
	}
	if len(l) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(l[:most], ", "), len(l)-most)
	}
	return strings.Join(l, ", ")
}

// list writes lines under a title; an indented line belongs to the one above it.
func list(w io.Writer, st Style, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", st.Bold(title))
	for _, l := range lines {
		if !strings.HasPrefix(l, " ") {
			l = "- " + l
		}
		fmt.Fprintln(w, l)
	}
}

func suiteLine(st Style, i int, s ClientSuite) []string {
	name, about := s.Cipher.String(), suite.ByCode(s.Cipher)
	if about != nil {
		name = about.OpenSSL
		if name == "" {
			name = about.IANA
		}
	}
	var reasons string
	if s.Strength < suite.Secure {
		reasons = why(s.Reasons)
	}
	return []string{fmt.Sprintf("%2d", i+1), fmt.Sprintf("0x%04X", uint32(s.Cipher)), name, mark(st, s.Strength), reasons}
}

// groups marks those with a key share in the first hello.
func (d *ClientDetail) groups() string {
	var l []string
	for _, g := range d.Groups {
		s := g.String()
		if slices.Contains(d.KeyShares, g) {
			s += "*"
		}
		l = append(l, s)
	}
	out := strings.Join(l, " ")
	if len(d.KeyShares) > 0 {
		out += "  (* with a key share)"
	}
	return out
}

// lacks names what a server may ask for and this client does not have.
func (d *ClientDetail) lacks() []string {
	var l []string
	for _, f := range []struct {
		has  bool
		what string
	}{{d.ServerName, "server_name"}, {d.SecureReneg, "secure renegotiation"}, {d.ExtendedMaster, "extended_master_secret"}} {
		if !f.has {
			l = append(l, f.what)
		}
	}
	if d.SSLv2Format {
		l = append(l, "a TLS record: its hello is in SSLv2 format")
	}
	return l
}

// refusals says what a client demands of the answer.
func refusals(a *hello.Rules) []string {
	var l []string
	add := func(set bool, format string, v ...any) {
		if set {
			l = append(l, fmt.Sprintf(format, v...))
		}
	}
	add(a.MinRSABits > 0, "RSA keys below %d bits", a.MinRSABits)
	add(a.MinECBits > 0, "EC keys below %d bits", a.MinECBits)
	add(a.MinDHBits > 0, "DH groups below %d bits", a.MinDHBits)
	add(a.MaxDHBits > 0, "DH groups above %d bits", a.MaxDHBits)
	add(len(a.CertificateCurves) > 0, "certificates on other curves than %s", join(a.CertificateCurves, ", "))
	add(len(a.RefusedDigests) > 0, "%s in certificates", strings.Join(a.RefusedDigests, ", "))
	add(len(a.RefusedSigDigests) > 0, "%s in handshake signatures", strings.Join(a.RefusedSigDigests, ", "))
	add(a.RequiresSecureReneg, "servers without secure renegotiation")
	add(a.RequiresExtendedMS, "servers without extended_master_secret")
	add(a.RequiresALPN, "answers without ALPN")
	return l
}
