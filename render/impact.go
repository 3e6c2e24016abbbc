package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/impact"
	"github.com/parley-tls/parley/policy"
)

// Impact is the answer of `parley impact` (docs/schema/impact.schema.json).
type Impact struct {
	Schema       string           `json:"schema"`
	From         string           `json:"from,omitempty"` // "" where it is not known
	To           string           `json:"to"`
	Certificates []policy.KeyType `json:"certificates"` // of the load balancer, as far as known
	Inferred     bool             `json:"certificates_inferred,omitempty"`
	Totals       []ImpactTotal    `json:"totals"`  // all verdicts, those that matter most first
	AtRisk       float64          `json:"at_risk"` // share that connects today and of which it is unknown whether it will
	All          impact.Weight    `json:"all"`
	Clients      []ImpactClient   `json:"clients"` // in the order of the verdicts, most seen first
	Warnings     []string         `json:"warnings,omitempty"`
}

// ImpactTotal is how much has one verdict.
type ImpactTotal struct {
	Verdict impact.Verdict `json:"verdict"`
	impact.Weight
	Share float64 `json:"share"` // of all that was seen, 0 to 1
}

// ImpactClient is what becomes of one client.
type ImpactClient struct {
	SeenClient
	impact.Effect
	place int // in the evidence
}

// SeenClient names a client of the evidence and says how often it was seen.
type SeenClient struct {
	Name        string    `json:"name"`
	Like        string    `json:"nearest_client,omitempty"` // a known client, where the hello is near to one
	JA4         string    `json:"ja4,omitempty"`
	UserAgent   string    `json:"user_agent,omitempty"`
	Servers     []string  `json:"servers,omitempty"`
	Connections int       `json:"connections"`
	Requests    int       `json:"requests,omitempty"`
	Sources     int       `json:"sources"`
	AtLeast     bool      `json:"at_least,omitempty"`
	Addresses   []string  `json:"addresses,omitempty"` // a few of the sources
	Last        time.Time `json:"last_seen,omitzero"`
}

// NewImpact puts a report into the form in which it is printed.
func NewImpact(r *impact.Report, certificates []policy.KeyType) *Impact {
	return newImpact(r, nameClients(r), certificates)
}

// nameClients names the clients of a report, in its order. To find the known client that a hello is nearest to takes a while.
func nameClients(r *impact.Report) []SeenClient {
	names := make([]SeenClient, len(r.Effects))
	for i := range r.Effects {
		names[i] = nameClient(r.Effects[i].Client)
	}
	return names
}

func newImpact(r *impact.Report, names []SeenClient, certificates []policy.KeyType) *Impact {
	m := &Impact{Schema: "parley/impact/1", To: r.To.Name, Certificates: certificates, All: r.All, AtRisk: r.Loss(true) - r.Loss(false), Clients: []ImpactClient{}}
	if m.Certificates == nil {
		m.Certificates = []policy.KeyType{}
	}
	if r.From != nil {
		m.From = r.From.Name
	}
	for _, v := range impact.Verdicts {
		m.Totals = append(m.Totals, ImpactTotal{v, r.Totals[v], r.Share(v)})
	}
	if r.Foreign > 0 {
		m.Warnings = append(m.Warnings, fmt.Sprintf("%d of %d negotiated what %s does not accept: they were seen under another policy, so that --from is wrong or was not always so", r.Foreign, r.All.Seen, m.From))
	}
	for i := range r.Effects {
		m.Clients = append(m.Clients, ImpactClient{names[i], r.Effects[i], i})
	}
	slices.SortStableFunc(m.Clients, func(a, b ImpactClient) int {
		return cmp.Or(cmp.Compare(slices.Index(impact.Verdicts, a.Verdict), slices.Index(impact.Verdicts, b.Verdict)), cmp.Compare(b.seen(), a.seen()))
	})
	return m
}

func (c *SeenClient) seen() int { return c.Connections + c.Requests }

// nameClient finds a name for a client: the known one whose hello it has, its user agent, or its fingerprint.
func nameClient(c *evidence.Client) SeenClient {
	s := SeenClient{JA4: c.JA4, UserAgent: c.UserAgent, Servers: c.Servers, Connections: c.Connections, Requests: c.Requests, Sources: c.Sources,
		AtLeast: c.AtLeast, Last: c.Last}
	for _, b := range c.Busiest {
		s.Addresses = append(s.Addresses, b.Address.String())
	}
	if h, err := c.ClientHello(); err == nil && h != nil {
		if l, ok := client.Nearest(h); ok {
			if s.Like = l.Profile.Name; l.Exact {
				s.Name = l.Profile.Name
			} else {
				s.Name = "like " + l.Profile.Name
			}
		}
	}
	s.Name = cmp.Or(c.UserAgent, s.Name, c.JA4, unnamed(c))
	return s
}

// unnamed stands for the name of clients in a log that has no user agents: what they came to.
func unnamed(c *evidence.Client) string {
	for _, o := range c.Outcomes { // most frequent first
		switch {
		case o.Result == evidence.Established && o.Version != 0:
			x := impact.Choice{Version: o.Version, Suite: o.Suite, Group: o.Group}
			return "clients with " + x.String()
		case o.Failure != "":
			return "clients that fail: " + o.Failure
		}
	}
	return "clients that fail"
}

// Breaking reports whether a client breaks, and Open whether it is not known of one.
func (m *Impact) Breaking() bool { return m.total(impact.Breaks).Clients > 0 }

// Open reports whether of some client it is not known what becomes of it.
func (m *Impact) Open() bool { return m.total(impact.Unknown).Clients > 0 }

func (m *Impact) total(v impact.Verdict) ImpactTotal {
	return m.Totals[slices.IndexFunc(m.Totals, func(t ImpactTotal) bool { return t.Verdict == v })]
}

var effectWords = map[impact.Verdict]string{
	impact.Breaks: "breaks", impact.Unknown: "unknown", impact.Likely: "very likely connects as today", impact.Gains: "gains access", impact.Changes: "connects, with other parameters",
	impact.Keeps: "connects as today", impact.Fails: "fails today and after it",
}

// maxImpactShown clients of one verdict are listed for people; --json has all.
const maxImpactShown = 25

// Text writes the answer for people.
func (m *Impact) Text(w io.Writer, st Style) error {
	var b strings.Builder
	from := cmp.Or(m.From, "an unknown policy")
	fmt.Fprintf(&b, "%s\n%s\n\n", st.Bold(fmt.Sprintf("From %s to %s", from, m.To)), st.Dim(m.certificateWords()))
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\tclients\tseen\tshare\tsources\n")
	for _, x := range m.Totals {
		if x.Clients > 0 || x.Verdict == impact.Breaks {
			atMost := map[bool]string{true: "≤"}[x.AtMost]
			fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s%d\n", effectWords[x.Verdict], x.Clients, x.Seen, percent(x.Share), atMost, x.Sources)
		}
	}
	t.Flush()
	for _, x := range m.Totals {
		if x.Clients > 0 && x.Verdict != impact.Keeps {
			m.listText(&b, x.Verdict, st)
		}
	}
	warningText(&b, m.Warnings, st)
	return writeLegible(w, b.String(), st)
}

func (m *Impact) certificateWords() string {
	switch {
	case len(m.Certificates) == 0:
		return "Certificates of the load balancer: not known; one that fits each client is taken for granted (--cert says)"
	case m.Inferred:
		return fmt.Sprintf("Certificates of the load balancer: %s, going by the cipher suites that were chosen (--cert says otherwise)", keyNames(m.Certificates))
	}
	return "Certificates of the load balancer: " + keyNames(m.Certificates)
}

func keyNames(l []policy.KeyType) string {
	names := make([]string, len(l))
	for i, k := range l {
		names[i] = strings.ToUpper(string(k))
	}
	return strings.Join(names, " and ")
}

func (m *Impact) listText(b *strings.Builder, v impact.Verdict, st Style) {
	title := strings.ToUpper(effectWords[v][:1]) + effectWords[v][1:]
	switch v {
	case impact.Breaks:
		title = st.Bad(title)
	case impact.Unknown:
		title = st.Warn(title)
	}
	fmt.Fprintf(b, "\n%s\n", title)
	n := 0
	for i := range m.Clients {
		c := &m.Clients[i]
		if c.Verdict != v {
			continue
		}
		if n++; n > maxImpactShown {
			fmt.Fprintf(b, "  … and %d more (--json has them)\n", m.total(v).Clients-maxImpactShown)
			return
		}
		fmt.Fprintf(b, "  %s  %s\n", oneLine(c.Name), st.Dim(c.weightWords(m.All.Seen)))
		for _, line := range c.lines() {
			fmt.Fprintf(b, "%s\n", wrapped("      ", oneLine(line)))
		}
	}
}

// lines say what becomes of a client, and why.
func (c *ImpactClient) lines() []string {
	var l []string
	if c.Verdict == impact.Changes && c.Today != nil && c.After != nil {
		l = append(l, c.Today.String()+" → "+c.After.String())
	}
	if c.Reason != "" {
		text := c.Reason
		if c.Cause != "" && c.Verdict == impact.Breaks {
			text += " (" + string(c.Cause) + ")"
		}
		l = append(l, text)
	}
	if c.Assumes != "" {
		l = append(l, "as long as "+c.Assumes)
	}
	if c.Decide != "" {
		l = append(l, "would decide: "+c.Decide)
	}
	return l
}

func (c *SeenClient) weightWords(all int) string {
	l := []string{fmt.Sprintf("%d (%s)", c.seen(), percent(float64(c.seen())/float64(max(all, 1))))}
	if c.Sources > 0 {
		atLeast := map[bool]string{true: "at least "}[c.AtLeast]
		l = append(l, "from "+atLeast+plural(c.Sources, "source"))
	}
	if len(c.Addresses) > 0 {
		l[len(l)-1] += " (" + strings.Join(c.Addresses[:min(3, len(c.Addresses))], ", ") + ")"
	}
	if !c.Last.IsZero() {
		l = append(l, "last seen "+c.Last.UTC().Format("2006-01-02 15:04"))
	}
	return strings.Join(l, ", ")
}

// percent writes a share so that little is not nothing.
func percent(share float64) string {
	switch p := 100 * share; {
	case p > 0 && p < 0.01:
		return "< 0.01 %"
	case p > 0 && p < 1:
		return fmt.Sprintf("%.2f %%", p)
	default:
		return fmt.Sprintf("%.1f %%", p)
	}
}

func warningText(b *strings.Builder, l []string, st Style) {
	for i, x := range l {
		if i == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(b, "%s\n", wrapped(st.Warn("!")+" ", oneLine(x)))
	}
}
