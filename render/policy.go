package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Policies is the answer of `parley policy show` (docs/schema/policy.schema.json).
type Policies struct {
	Schema   string         `json:"schema"`
	Policies []PolicyDetail `json:"policies"`
}

// PolicyDetail is all that is known of a policy.
type PolicyDetail struct {
	PolicySummary
	LoadBalancers    []string          `json:"load_balancers,omitempty"`
	Order            policy.Order      `json:"order"`
	Suites           []PolicySuite     `json:"suites"`
	Groups           []suite.Group     `json:"groups,omitempty"`
	SignatureSchemes []string          `json:"signature_schemes,omitempty"`
	Engine           policy.Engine     `json:"engine,omitempty"`
	SameAs           []string          `json:"same_as,omitempty"` // policies of the same family that differ in nothing but the name
	OrderConfidence  policy.Confidence `json:"order_confidence,omitempty"`
	GroupsConfidence policy.Confidence `json:"groups_confidence,omitempty"`
	OrderDisputed    [][2]suite.Code   `json:"order_disputed,omitempty"`
	Sources          []PolicySource    `json:"sources,omitempty"`
	Disagreements    []string          `json:"disagreements,omitempty"`
	Checks           []string          `json:"checks,omitempty"`
	Notes            []string          `json:"notes,omitempty"`
}

// PolicySummary is a line of `parley policy list`.
type PolicySummary struct {
	Name          string            `json:"name"`
	Family        policy.Family     `json:"family"`
	Variant       string            `json:"variant"` // general, pq, fips, fips-pq, rfc9151
	Status        string            `json:"status"`
	Versions      []suite.Version   `json:"versions"`
	SuiteCount    int               `json:"suite_count"`
	Weakest       suite.Strength    `json:"weakest"`
	ForwardSecret bool              `json:"forward_secrecy"` // every suite has it
	PostQuantum   bool              `json:"post_quantum"`
	DefaultFor    []string          `json:"default_for,omitempty"`
	Confidence    policy.Confidence `json:"confidence,omitempty"` // of the suites
}

// PolicySuite is a row of the table.
type PolicySuite struct {
	Cipher         suite.Code      `json:"cipher"`
	Versions       []suite.Version `json:"versions"` // of the policy's, those that can use it
	KeyExchange    string          `json:"key_exchange"`
	Authentication string          `json:"authentication"`
	Encryption     string          `json:"encryption"`
	Mode           string          `json:"mode"`
	Bits           int             `json:"bits"`
	MAC            string          `json:"mac"`
	Strength       suite.Strength  `json:"strength"`
	Reasons        []suite.Reason  `json:"reasons,omitempty"`
}

// PolicySource is where facts come from.
type PolicySource struct {
	Key  string `json:"key"`
	Text string `json:"text,omitempty"`
}

// Summarize returns what a list says of p.
func Summarize(p *policy.Policy) PolicySummary {
	status := p.Status
	if status == "" {
		status = "custom"
	}
	return PolicySummary{
		Name: p.Name, Family: p.Family, Variant: p.Variant(), Status: status, Versions: p.Versions, SuiteCount: len(p.Suites),
		Weakest: policy.Weakest(p), ForwardSecret: policy.ForwardSecret(p), PostQuantum: policy.PostQuantum(p),
		DefaultFor: p.DefaultFor, Confidence: p.Confidence,
	}
}

// Detail returns all that is known of p.
func Detail(p *policy.Policy) PolicyDetail {
	d := PolicyDetail{
		PolicySummary: Summarize(p), LoadBalancers: p.LoadBalancers, Order: p.Order, Groups: p.Groups, Engine: p.Engine,
		OrderConfidence: p.OrderConf, GroupsConfidence: p.GroupsConf, OrderDisputed: p.OrderOpen,
		Disagreements: p.Disagreements, Checks: p.Checks, Notes: p.Notes,
	}
	for _, c := range p.Suites {
		d.Suites = append(d.Suites, suiteRow(c, p.Versions))
	}
	for _, s := range p.Schemes {
		d.SignatureSchemes = append(d.SignatureSchemes, s.String())
	}
	for _, key := range p.Sources {
		d.Sources = append(d.Sources, PolicySource{key, policy.DescribeSource(p.Family, key)})
	}
	for _, q := range policy.InFamily(p.Family) {
		if diff := policy.Compare(p, q); q.Name != p.Name && diff.Empty() && policy.PostQuantum(p) == policy.PostQuantum(q) && p.Kind == q.Kind {
			d.SameAs = append(d.SameAs, q.Name)
		}
	}
	return d
}

func suiteRow(c suite.Code, versions []suite.Version) PolicySuite {
	s := suite.ByCode(c)
	a := suite.Assess(s)
	r := PolicySuite{Cipher: c, KeyExchange: s.KeyExchange.String(), Authentication: s.Authentication.String(), Encryption: s.Encryption,
		Mode: s.Mode, Bits: s.Bits, MAC: s.MAC, Strength: a.Strength}
	for _, v := range versions {
		if s.UsableIn(v) {
			r.Versions = append(r.Versions, v)
		}
	}
	if a.Strength < suite.Recommended {
		r.Reasons = a.Reasons
	}
	return r
}

// Text writes the policies as tables, one after the other.
func (l *Policies) Text(w io.Writer, st Style) error {
	for i := range l.Policies {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := l.Policies[i].text(w, st); err != nil {
			return err
		}
	}
	return nil
}

func (d *PolicyDetail) text(w io.Writer, st Style) error {
	fmt.Fprintln(w, st.Bold(d.Name))
	about := []string{d.Family.Title()}
	if len(d.LoadBalancers) > 0 && d.Family == policy.AWS {
		about = append(about, strings.Join(d.LoadBalancers, " and "))
	}
	fmt.Fprintln(w, st.Dim(strings.Join(append(about, d.Variant, d.Status), "; ")))
	fmt.Fprintln(w)
	facts := [][]string{
		{"Protocols", join(d.Versions, " ")},
		{"Suite order", orderWords(d.Order)},
		{"Strength", "weakest suite " + mark(st, d.Weakest) + "; " + secrecyWords(d.ForwardSecret)},
	}
	groups := "not stated by the vendor"
	if len(d.Groups) > 0 {
		groups = join(d.Groups, " ")
	}
	facts = append(facts, []string{"Groups", groups})
	if len(d.SignatureSchemes) > 0 {
		facts = append(facts, []string{"Signatures", strings.Join(d.SignatureSchemes, " ")})
	}
	if len(d.DefaultFor) > 0 {
		facts = append(facts, []string{"Default for", strings.Join(d.DefaultFor, ", ")})
	}
	if len(d.SameAs) > 0 {
		facts = append(facts, []string{"Same as", strings.Join(d.SameAs, ", ") + " (all but the name)"})
	}
	if sure := d.sure(); sure != "" {
		facts = append(facts, []string{"Confidence", sure})
	}
	wrapFacts(facts)
	if err := Table(w, nil, facts); err != nil {
		return err
	}
	fmt.Fprintln(w)
	var rows [][]string
	for i := range d.Suites {
		s := &d.Suites[i]
		rows = append(rows, []string{fmt.Sprintf("%2d", i+1), s.Cipher.String(), s.Cipher.OpenSSL(), versionRange(s.Versions), mark(st, s.Strength), why(s.Reasons)})
	}
	if err := Table(w, []string{" #", "code", "suite", "protocols", "strength", "why"}, trimRows(rows)); err != nil {
		return err
	}
	section(w, st, "Sources disagree", d.Disagreements)
	section(w, st, "Notes", d.Notes)
	section(w, st, "Checked against", d.Checks)
	var sources []string
	for _, s := range d.Sources {
		if s.Text == "" {
			sources = append(sources, s.Key)
		} else {
			sources = append(sources, s.Key+": "+s.Text)
		}
	}
	section(w, st, "Sources", sources)
	return nil
}

// sure says how sure the facts are.
func (d *PolicyDetail) sure() string {
	var l []string
	for _, c := range []struct {
		what string
		c    policy.Confidence
	}{{"suites", d.Confidence}, {"order", d.OrderConfidence}, {"groups", d.GroupsConfidence}} {
		if c.c != "" {
			l = append(l, c.what+" "+string(c.c))
		}
	}
	if len(d.OrderDisputed) > 0 {
		l = append(l, "the order of one pair of suites is disputed")
	}
	return strings.Join(l, ", ")
}

func orderWords(o policy.Order) string {
	switch o {
	case policy.ServerOrder:
		return "the server's, as below"
	case policy.ClientOrder:
		return "the client's"
	}
	return "not known"
}

func secrecyWords(all bool) string {
	if all {
		return "forward secrecy with every suite"
	}
	return "some suites lack forward secrecy"
}

// mark colours a strength by its meaning.
func mark(st Style, s suite.Strength) string {
	switch s {
	case suite.Insecure:
		return st.Bad(s.String())
	case suite.Weak:
		return st.Warn(s.String())
	}
	return st.Good(s.String())
}

// why gives the reasons in short: what stands before the colon.
func why(reasons []suite.Reason) string {
	var l []string
	for _, r := range reasons {
		short, _, _ := strings.Cut(r.Text, ":")
		l = append(l, short)
	}
	return strings.Join(l, "; ")
}

// versionRange writes versions that follow each other as a range: TLSv1.0-1.2.
func versionRange(l []suite.Version) string {
	if len(l) == 0 {
		return "none"
	}
	if len(l) == 1 {
		return l[0].String()
	}
	first, last := l[0].String(), l[len(l)-1].String()
	if l[0] >= suite.TLS10 {
		last = strings.TrimPrefix(last, "TLSv")
	}
	return first + "-" + last
}

func join[T fmt.Stringer](l []T, sep string) string {
	s := make([]string, len(l))
	for i, x := range l {
		s[i] = x.String()
	}
	return strings.Join(s, sep)
}

// section writes a heading and its lines, or nothing.
func section(w io.Writer, st Style, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, st.Bold(title))
	for _, l := range lines {
		for i, part := range wrap(l, 100) {
			fmt.Fprintln(w, [2]string{"- ", "  "}[min(i, 1)]+part)
		}
	}
}

// wrap breaks text at spaces into lines of at most width characters.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && displayWidth(line)+1+displayWidth(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// wrapFacts breaks long values of a table of two columns.
func wrapFacts(facts [][]string) {
	indent := 0
	for _, f := range facts {
		indent = max(indent, displayWidth(f[0]))
	}
	for _, f := range facts {
		f[1] = strings.Join(wrap(f[1], 100-indent), "\n"+strings.Repeat(" ", indent+2))
	}
}

// trimRows leaves out a last cell that is empty, so that lines do not end in spaces.
func trimRows(rows [][]string) [][]string {
	for i, r := range rows {
		if r[len(r)-1] == "" {
			rows[i] = r[:len(r)-1]
		}
	}
	return rows
}
