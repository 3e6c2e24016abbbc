package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/metric"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// AWSList is the answer of `parley aws list` (docs/schema/aws-list.schema.json).
type AWSList struct {
	Schema    string        `json:"schema"`
	Listeners []AWSListener `json:"listeners"`
	Problems  []AWSProblem  `json:"problems"`
	// Errors are the failed handshakes of load balancers, where they were asked for.
	Errors        []metric.LoadBalancer `json:"errors,omitempty"`
	LoadBalancers int                   `json:"load_balancers"` // looked at
	Regions       int                   `json:"regions"`
	Requests      int                   `json:"requests"` // retries included
	Pages         int                   `json:"pages"`
	Calls         map[string]int        `json:"calls"` // requests by service and operation
	Time          time.Time             `json:"time"`
}

// AWSListener is a listener with what its policy means.
type AWSListener struct {
	elb.Listener
	Identifier string           `json:"identifier"`
	DefaultFor []string         `json:"default_for,omitempty"` // who gives this policy to a listener unasked: api, cli, console:application …
	Versions   []suite.Version  `json:"versions,omitempty"`
	Weakest    *AWSWeakest      `json:"weakest,omitempty"`
	Custom     *AWSCustomPolicy `json:"custom_policy,omitempty"` // of a Classic listener
	Expires    time.Time        `json:"expires,omitzero"`        // the first of its certificates
}

// AWSWeakest is the weakest suite that a listener accepts.
type AWSWeakest struct {
	Cipher   suite.Code     `json:"cipher"`
	Strength suite.Strength `json:"strength"`
	Reasons  []suite.Reason `json:"reasons,omitempty"`
}

// AWSCustomPolicy is the content of a Classic Load Balancer's own policy.
type AWSCustomPolicy struct {
	Versions []suite.Version `json:"versions"`
	Suites   []suite.Code    `json:"suites"` // in order
	Order    policy.Order    `json:"order"`
	Notes    []string        `json:"notes,omitempty"`
}

// AWSProblem is something that AWS did not tell.
type AWSProblem struct {
	elb.Place
	Missing string `json:"missing"`
	Error   string `json:"error"`
}

// NewAWSListener judges a listener.
func NewAWSListener(l elb.Listener) AWSListener {
	x := AWSListener{Listener: l, Identifier: l.Identifier()}
	for _, c := range l.Certificates {
		if !c.NotAfter.IsZero() && (x.Expires.IsZero() || c.NotAfter.Before(x.Expires)) {
			x.Expires = c.NotAfter
		}
	}
	p := l.Accepts
	if p == nil {
		return x
	}
	x.Versions = p.Versions
	if known := policy.ByName(string(l.Kind.Family()) + "/" + l.Policy); known != nil && known.Name == l.Policy {
		x.DefaultFor = known.DefaultFor
	} else if l.Kind == elb.Classic {
		x.Custom = &AWSCustomPolicy{p.Versions, p.Suites, p.Order, p.Notes}
	}
	if id := l.Certified(); id != nil { // what its certificates cannot serve is never negotiated
		var view policy.View
		for _, c := range id.Certificates {
			view.Keys = append(view.Keys, c.KeyType)
		}
		p = policy.Visible(p, view)
	}
	if c, ok := policy.WeakestSuite(p); ok {
		x.Weakest = &AWSWeakest{Cipher: c, Strength: suite.StrengthOf(c)}
		if s := suite.ByCode(c); s != nil && x.Weakest.Strength < suite.Recommended {
			x.Weakest.Reasons = suite.Assess(s).Reasons
		}
	}
	return x
}

// Text writes for each account and region the load balancers, and below each its listeners.
func (l *AWSList) Text(w io.Writer, st Style) error {
	var b strings.Builder
	custom := false
	for _, group := range chunk(l.Listeners, func(a, b *AWSListener) bool { return a.Account == b.Account && a.Region == b.Region }) {
		l.region(&b, group, st)
		custom = custom || slices.ContainsFunc(group, func(x AWSListener) bool { return x.Custom != nil })
	}
	if len(l.Listeners) == 0 {
		b.WriteString("No such listener was found.\n\n")
	}
	if custom {
		customPolicies(&b, l.Listeners, st)
	}
	awsProblems(&b, l.Problems, st)
	b.WriteString(st.Dim(l.Summary()) + "\n")
	return writeLegible(w, b.String(), st)
}

// Summary says in one line how much was found, and with how many requests.
func (l *AWSList) Summary() string {
	return fmt.Sprintf("%s, %s, %s; %s, %s", plural(len(l.Listeners), "listener"), plural(l.LoadBalancers, "load balancer"), plural(l.Regions, "region"),
		plural(l.Requests, "call"), plural(l.Pages, "page"))
}

// chunk cuts a list into runs of neighbours that belong together.
func chunk[T any](l []T, same func(a, b *T) bool) [][]T {
	var all [][]T
	for start := 0; start < len(l); {
		end := start + 1
		for end < len(l) && same(&l[start], &l[end]) {
			end++
		}
		all = append(all, l[start:end])
		start = end
	}
	return all
}

// region writes the listeners of one account and region.
func (l *AWSList) region(b *strings.Builder, group []AWSListener, st Style) {
	fmt.Fprintln(b, st.Bold(strings.TrimSpace(oneLine(group[0].Account)+" "+oneLine(group[0].Region))))
	header := []string{"  port", "protocol", "policy", "accepts", "weakest suite", "certificates", "also"}
	var rows [][]string
	for i := range group {
		rows = append(rows, l.row(&group[i], st))
	}
	var table strings.Builder
	Table(&table, header, rows)
	lines := strings.SplitAfter(table.String(), "\n")
	for _, of := range chunk(group, func(a, b *AWSListener) bool {
		return a.LoadBalancer == b.LoadBalancer && a.Kind == b.Kind && a.LoadBalancerARN == b.LoadBalancerARN
	}) {
		x := &of[0]
		about := []string{st.Bold(oneLine(x.LoadBalancer)), x.Kind.Title()}
		if x.Scheme != "" {
			about = append(about, x.Scheme)
		}
		if x.State != "" && x.State != "active" {
			about = append(about, st.Warn(x.State))
		}
		fmt.Fprintln(b, oneLine(strings.Join(append(about, x.DNSName), "  ")))
		for range of {
			b.WriteString(lines[1])
			lines = slices.Delete(lines, 1, 2)
		}
		l.errors(b, x, st)
	}
	b.WriteByte('\n')
}

// errors writes what is known of failed handshakes with a listener's load balancer.
func (l *AWSList) errors(b *strings.Builder, x *AWSListener, st Style) {
	for i := range l.Errors {
		e := &l.Errors[i]
		if e.Place != x.Place || e.Kind != x.Kind || e.Name != x.LoadBalancer || e.ARN != x.LoadBalancerARN {
			continue
		}
		for _, line := range wrap(ErrorsLine(e), 94) {
			if e.Rise.Outcome == metric.Risen {
				line = st.Bad(line)
			}
			fmt.Fprintln(b, "       "+oneLine(line))
		}
	}
}

// row is the line of one listener.
func (l *AWSList) row(x *AWSListener, st Style) []string {
	r := []string{fmt.Sprintf("  %4d", x.Port), oneLine(x.Protocol), "", "", "", "", ""}
	if !x.TLS() {
		return r
	}
	r[2] = shortPolicy(x.Policy)
	switch {
	case x.Policy == "":
		r[2] = "(not told)"
	case x.Custom != nil && x.Reference != "":
		r[2] += " (refers to " + shortPolicy(x.Reference) + ")"
	case x.Custom != nil:
		r[2] += " (custom)"
	case x.Policy == elb.DefaultPolicy:
		r[2] += " (default of API)"
	case slices.ContainsFunc(x.DefaultFor, func(s string) bool { return strings.HasPrefix(s, "console") }):
		r[2] += " (default of console)"
	}
	r[3] = "unknown"
	if len(x.Versions) > 0 {
		r[3] = versionRange(x.Versions)
	}
	if k := x.Weakest; k != nil {
		r[4] = k.Cipher.OpenSSL() + " " + mark(st, k.Strength)
	}
	r[5] = l.certificates(x, st)
	var also []string
	for _, a := range []struct{ name, value string }{{"mutual TLS ", x.MutualTLS}, {"ALPN ", x.ALPN}} {
		if a.value != "" && a.value != "off" && a.value != "None" {
			also = append(also, a.name+oneLine(a.value))
		}
	}
	if len(x.OtherPolicies) > 0 {
		also = append(also, "policies "+oneLine(strings.Join(x.OtherPolicies, ", ")))
	}
	r[6] = strings.Join(also, ", ")
	return r
}

func shortPolicy(name string) string { return oneLine(strings.TrimPrefix(name, "ELBSecurityPolicy-")) }

// soon is the time before a certificate's end in which ACM has renewed those that it can renew.
// Source: "Renewal for domains validated by DNS", AWS Certificate Manager user guide (renewal begins 60 days ahead).
const soon = 30 * 24 * time.Hour

// certificates gives kinds of keys and the first end.
func (l *AWSList) certificates(x *AWSListener, st Style) string {
	var keys []string
	for _, c := range x.Certificates {
		k := cmp.Or(c.Key, "?")
		if c.Status != "" && c.Status != "ISSUED" {
			k += " " + st.Bad(c.Status)
		}
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	text := oneLine(strings.Join(keys, "+"))
	if n := len(x.Certificates); n > 1 {
		text = fmt.Sprintf("%d: %s", n, text)
	}
	if x.Expires.IsZero() {
		return text
	}
	end := x.Expires.UTC().Format(time.DateOnly)
	switch left := x.Expires.Sub(l.Time); {
	case left <= 0:
		return text + " " + st.Bad("expired "+end)
	case left < soon:
		return text + " until " + st.Warn(end)
	}
	return text + " until " + end
}

// customPolicies writes each policy of Classic Load Balancers in full, once for all listeners that have the same.
func customPolicies(b *strings.Builder, l []AWSListener, st Style) {
	type custom struct {
		p          *AWSCustomPolicy
		name, text string
		of         []string
	}
	var all []*custom
	for i := range l {
		x := &l[i]
		if x.Custom == nil {
			continue
		}
		p := x.Custom
		text := fmt.Sprint(x.Policy, p.Versions, p.Suites, p.Order)
		at := slices.IndexFunc(all, func(c *custom) bool { return c.text == text })
		if at < 0 {
			all, at = append(all, &custom{p: p, name: x.Policy, text: text}), len(all)
		}
		all[at].of = append(all[at].of, fmt.Sprintf("%s:%d", x.LoadBalancer, x.Port))
	}
	for _, c := range all {
		fmt.Fprintln(b, st.Bold("Policy "+oneLine(c.name)), "of", oneLine(strings.Join(c.of, ", ")))
		fmt.Fprintf(b, "  %s; the order of suites is %s\n", join(c.p.Versions, ", "), map[policy.Order]string{policy.ServerOrder: "the server's", policy.ClientOrder: "the client's"}[c.p.Order])
		var rows [][]string
		for _, s := range c.p.Suites {
			rows = append(rows, []string{"  " + s.OpenSSL(), mark(st, suite.StrengthOf(s))})
		}
		Table(b, nil, rows)
		for _, n := range c.p.Notes {
			b.WriteString(wrapped("  ", n) + "\n")
		}
		b.WriteByte('\n')
	}
}

// awsProblems writes what was not told, once for all regions where it reads the same.
func awsProblems(b *strings.Builder, l []AWSProblem, st Style) {
	if len(l) == 0 {
		return
	}
	fmt.Fprintln(b, st.Bold("Not found out"))
	type told struct {
		text, region string
		places       []string
	}
	var all []*told
	for _, p := range l {
		// AWS names the region in the middle of some texts.
		text := strings.ReplaceAll(p.Missing+": "+p.Error, p.Region, "REGION")
		place := p.Region
		if who := cmp.Or(p.Role, p.Profile); who != "" {
			place += " (" + who + ")"
		}
		at := slices.IndexFunc(all, func(t *told) bool { return t.text == text })
		if at < 0 {
			all, at = append(all, &told{text: text, region: p.Region}), len(all)
		}
		all[at].places = append(all[at].places, place)
	}
	for _, t := range all {
		if len(t.places) == 1 {
			t.text = strings.ReplaceAll(t.text, "REGION", t.region)
		}
		b.WriteString(oneLineWrapped("  ", strings.Join(t.places, ", ")+": "+t.text) + "\n")
	}
	b.WriteByte('\n')
}
