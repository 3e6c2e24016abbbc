package render

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parley-tls/parley/impact"
)

//go:embed impact.css
var impactStyle string

// matrix is a page of clients and policies.
type matrix struct {
	Title    string
	Lead     []string
	Key      []matrixCell
	Columns  []matrixColumn
	Rows     []matrixRow
	Left     int // clients that there was no room for
	Details  []matrixDetails
	Warnings []string
	One      bool // policy
}

type matrixColumn struct {
	Name, Full     string // Name is as AWS's tables shorten it
	Best           bool
	Breaks, AtRisk string // shares
}

type matrixRow struct {
	Name, Note, Share string
	Seen, Sources     int
	Cells             []matrixCell
	Lines             []string // what becomes of the client, where the page is about one policy
}

type matrixCell struct {
	Verdict          impact.Verdict
	Sign, Words, Why string
}

type matrixDetails struct {
	Policy  string
	Clients []matrixClient
}

type matrixClient struct {
	Verdict             impact.Verdict
	Words, Name, Weight string
	Lines               []string
}

// effectSigns stand in the cells, so that colour is not all that tells verdicts apart.
var effectSigns = map[impact.Verdict]string{
	impact.Breaks: "✗", impact.Unknown: "?", impact.Likely: "(✓)", impact.Gains: "+", impact.Changes: "≈", impact.Keeps: "✓", impact.Fails: "–",
}

// maxRows of clients stand in the page: those that were seen most.
const maxRows = 500

// HTML writes one page that needs nothing else: the clients, those that matter most first, and what becomes of each.
func (m *Impact) HTML(w io.Writer) error {
	page := newMatrix([]*Impact{m}, "")
	page.One, page.Details, page.Rows = true, nil, nil
	for i := range m.Clients[:min(len(m.Clients), maxRows)] {
		c := &m.Clients[i]
		row := c.row(m.All.Seen)
		row.Cells, row.Lines = []matrixCell{c.cell()}, c.lines()
		page.Rows = append(page.Rows, row)
	}
	page.Title = "Change of policy to " + m.To
	if m.From != "" {
		page.Title = "Change of policy from " + m.From + " to " + m.To
	}
	page.Lead = []string{m.totalWords(), m.certificateWords()}
	page.Warnings = m.Warnings
	return writeHTML(w, page.document())
}

// totalWords say how much has each verdict.
func (m *Impact) totalWords() string {
	var l []string
	for _, x := range m.Totals {
		if x.Clients > 0 || x.Verdict == impact.Breaks {
			l = append(l, fmt.Sprintf("%s: %s (%s)", effectWords[x.Verdict], percent(x.Share), plural(x.Clients, "client")))
		}
	}
	return "Of what was seen: " + strings.Join(l, "; ") + "."
}

// row is a client's, without its cells.
func (c *SeenClient) row(all int) matrixRow {
	return matrixRow{Name: c.Name, Note: c.note(), Share: percent(float64(c.seen()) / float64(max(all, 1))), Seen: c.seen(), Sources: c.Sources}
}

func (c *ImpactClient) cell() matrixCell {
	why := strings.Join(append([]string{effectWords[c.Verdict]}, c.lines()...), "\n")
	return matrixCell{Verdict: c.Verdict, Sign: effectSigns[c.Verdict], Why: why}
}

// HTML writes one page that needs nothing else: the clients and all policies.
func (m *Recommendation) HTML(w io.Writer) error {
	page := newMatrix(m.Steps, m.Best)
	page.Title = "Policies that the clients allow: " + m.Family.Title()
	page.Lead = []string{fmt.Sprintf("No policy is known to keep %s.", m.kept())}
	if m.Best != "" {
		page.Lead = []string{fmt.Sprintf("Strictest policy that keeps %s: %s", m.kept(), m.Best)}
	}
	if m.Possible != "" {
		page.Lead = append(page.Lead, "If all that is unknown turns out well: "+m.Possible)
	}
	page.Lead = append(page.Lead, (&Impact{Certificates: m.Certificates, Inferred: m.Inferred}).certificateWords())
	page.Warnings = m.Warnings
	return writeHTML(w, page.document())
}

// newMatrix has a row for each client, most seen first, and a column for each policy.
func newMatrix(steps []*Impact, best string) *matrix {
	page := &matrix{}
	for _, v := range impact.Verdicts {
		page.Key = append(page.Key, matrixCell{Verdict: v, Sign: effectSigns[v], Words: effectWords[v]})
	}
	for n, s := range steps {
		page.Columns = append(page.Columns, matrixColumn{strings.TrimPrefix(s.To, "ELBSecurityPolicy-"), s.To, s.To == best, percent(s.total(impact.Breaks).Share), percent(s.AtRisk)})
		byClient := slices.Clone(s.Clients)
		slices.SortFunc(byClient, func(a, b ImpactClient) int { return a.place - b.place })
		page.Left = max(0, len(byClient)-maxRows)
		for i, c := range byClient[:min(len(byClient), maxRows)] {
			if n == 0 {
				page.Rows = append(page.Rows, c.row(s.All.Seen))
			}
			page.Rows[i].Cells = append(page.Rows[i].Cells, c.cell())
		}
		if d := s.details(); len(d.Clients) > 0 {
			page.Details = append(page.Details, d)
		}
	}
	slices.SortStableFunc(page.Rows, func(a, b matrixRow) int { return b.Seen - a.Seen })
	return page
}

// note tells more of a client than its name.
func (c *SeenClient) note() string {
	switch {
	case c.Like != "" && c.Name != c.Like && c.UserAgent != "":
		return "hello like " + c.Like
	case c.JA4 != "" && c.Name != c.JA4:
		return c.JA4
	}
	return ""
}

// details are those of whom a policy costs something, or may.
func (m *Impact) details() matrixDetails {
	d := matrixDetails{Policy: m.To}
	for i := range m.Clients {
		c := &m.Clients[i]
		if (c.Verdict == impact.Breaks || c.Verdict == impact.Unknown && c.Connects()) && len(d.Clients) < maxImpactShown {
			d.Clients = append(d.Clients, matrixClient{c.Verdict, effectWords[c.Verdict], c.Name, c.weightWords(m.All.Seen), c.lines()})
		}
	}
	return d
}
