package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/aws/declared"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Status is what came out for a listener.
type Status string

// Statuses, the worst first.
const (
	Below     Status = "below"     // its policy falls short
	Plaintext Status = "plaintext" // HTTP, and that was asked about
	Unknown   Status = "unknown"   // its policy, or what that accepts, cannot be told
	Waived    Status = "waived"    // one of the above, and a waiver says that this is accepted for now
	Meets     Status = "meets"
)

// Subject is a listener that is judged.
type Subject struct {
	Name         string             `json:"name"` // ARN or LOADBALANCER:PORT of a live one, address or ID in a file
	*elb.Place                      // of a live one
	LoadBalancer string             `json:"load_balancer,omitempty"`
	Format       declared.Format    `json:"format,omitempty"` // of a file
	At           *declared.Position `json:"at,omitempty"`
	Kind         elb.Kind           `json:"type,omitempty"`
	Port         int                `json:"port,omitempty"`
	Protocol     string             `json:"protocol,omitempty"`
	Policy       string             `json:"policy,omitempty"`
	Default      bool               `json:"policy_is_default,omitempty"` // a file names none
	Reference    string             `json:"reference_policy,omitempty"`
	Notes        []string           `json:"notes,omitempty"`

	accepts   *policy.Policy
	unknown   string
	redirects bool
}

// Live makes a subject of a listener that an account has.
func Live(l *elb.Listener) Subject {
	place := l.Place
	s := Subject{Name: l.Identifier(), Place: &place, LoadBalancer: l.LoadBalancer, Kind: l.Kind, Port: l.Port, Protocol: l.Protocol, Policy: l.Policy,
		Reference: l.Reference, accepts: l.Accepts, redirects: l.Redirects}
	if l.Policy == "" {
		s.unknown = "AWS did not tell its policy"
	}
	return s
}

// Declared makes a subject of a listener that a file declares.
func Declared(l *declared.Listener) Subject {
	at := l.At
	return Subject{Name: l.Resource, Format: l.Format, At: &at, Kind: l.Kind, Port: l.Port, Protocol: l.Protocol, Policy: l.Policy, Default: l.Default,
		Reference: l.Reference, Notes: l.Notes, accepts: l.Accepts, unknown: l.Unknown, redirects: l.Redirects}
}

// tls reports whether the listener ends TLS or may do so.
func (s *Subject) tls() bool {
	switch s.Protocol {
	case "HTTPS", "TLS", "SSL":
		return true
	case "":
		return s.Policy != "" || s.unknown != ""
	}
	return false
}

// content is what the subject's policy accepts, or why that is not known.
func (s *Subject) content() (*policy.Policy, string) {
	if s.unknown != "" {
		return nil, s.unknown
	}
	if s.accepts != nil {
		return s.accepts, ""
	}
	families := []policy.Family{s.Kind.Family()}
	if s.Kind == "" {
		families = []policy.Family{policy.AWS, policy.Classic}
	}
	for _, f := range families {
		p := policy.ByName(string(f) + "/" + s.Policy)
		switch {
		case p != nil && p.Name == s.Policy:
			return p, ""
		case p != nil:
			return nil, fmt.Sprintf("no policy %q is known: is %s meant?", s.Policy, p.Name)
		}
	}
	other := policy.AWS
	if families[0] == policy.AWS {
		other = policy.Classic
	}
	if p := policy.ByName(string(other) + "/" + s.Policy); p != nil {
		return nil, fmt.Sprintf("%s is a policy of %s, and cannot be set here", s.Policy, other.Title())
	}
	return nil, fmt.Sprintf("no policy %q is known: misspelt, or newer than parley's table (parley policy check-upstream tells)", s.Policy)
}

// Options direct Judge.
type Options struct {
	Plaintext bool // HTTP listeners that do not send their clients to HTTPS are findings
	Waivers   []Waiver
	Now       time.Time // by which waivers end
}

// Judgement is what came out for one listener.
type Judgement struct {
	Status Status `json:"status"`
	Subject
	Shortfalls []Shortfall `json:"shortfalls,omitempty"`
	Reason     string      `json:"reason,omitempty"`           // of unknown and plaintext; of below, where no policy can be suggested
	Suggested  string      `json:"suggested_policy,omitempty"` // that meets the requirement; see suggest
	Waiver     *Waiver     `json:"waiver,omitempty"`           // that applies, or that would if it had not ended
	Waives     Status      `json:"waived_status,omitempty"`
}

// Report is the answer of an audit.
type Report struct {
	Judgements []Judgement // the worst first, within a status in the order of the subjects
	Counts     map[Status]int
	Plain      int      // listeners without TLS, that were not asked about
	Unused     []Waiver // waivers that no listener needs
}

// Judge judges subjects by a requirement.
func Judge(subjects []Subject, r *Requirement, o Options) *Report {
	out := &Report{Counts: map[Status]int{Below: 0, Plaintext: 0, Unknown: 0, Waived: 0, Meets: 0}}
	used := make([]bool, len(o.Waivers))
	for i := range subjects {
		j := Judgement{Status: Meets, Subject: subjects[i]}
		if !j.tls() {
			if !o.Plaintext || j.Protocol != "HTTP" || j.redirects {
				out.Plain++
				continue
			}
			j.Status, j.Reason = Plaintext, "takes HTTP without TLS"
		} else if p, why := j.content(); p == nil {
			j.Status, j.Reason = Unknown, why
		} else if j.Shortfalls = r.Misses(p); len(j.Shortfalls) > 0 {
			j.Status, j.Suggested = Below, suggest(p, j.Kind, r)
			switch {
			case j.Suggested == "" && j.Kind == elb.Classic:
				j.Reason = "no predefined policy for Classic Load Balancers meets it: make a custom one, or move to an ALB or NLB"
			case j.Suggested == "":
				j.Reason = "no predefined policy meets it"
			}
		}
		j.waive(o, used)
		out.Counts[j.Status]++
		out.Judgements = append(out.Judgements, j)
	}
	for i, w := range o.Waivers {
		if !used[i] {
			out.Unused = append(out.Unused, w)
		}
	}
	order := []Status{Below, Plaintext, Unknown, Waived, Meets}
	slices.SortStableFunc(out.Judgements, func(a, b Judgement) int { return slices.Index(order, a.Status) - slices.Index(order, b.Status) })
	return out
}

// waive applies the first waiver that names the listener and has not ended.
func (j *Judgement) waive(o Options, used []bool) {
	if j.Status == Meets {
		return
	}
	for i, w := range o.Waivers {
		if !w.names(&j.Subject) {
			continue
		}
		used[i] = true
		j.Waiver = &o.Waivers[i]
		if !w.ended(o.Now) {
			j.Status, j.Waives = Waived, j.Status
			return
		}
	}
}

// suggest is the policy for a listener of that kind that meets the requirement: of those with TLS 1.3, where there is one, that which
// keeps the most of what p accepts now, and the strictest of equals. "" where none can.
func suggest(p *policy.Policy, kind elb.Kind, r *Requirement) string {
	family := kind.Family()
	for _, t := range r.Terms { // what was asked for by name is what is wanted
		if t.Beyond != nil && len(r.Terms) == 1 && t.Beyond.Family == family && policy.Selectable(t.Beyond) {
			return t.Beyond.Name
		}
	}
	wanted := p.Kind
	if slices.ContainsFunc(r.Terms, func(t Term) bool { return t.Name == "fips" }) {
		wanted = policy.FIPS
	}
	best, kept, modern := "", -1, false
	for _, q := range policy.Alternatives(family, wanted) { // the strictest first
		if q.Kind != wanted || len(r.Misses(q)) > 0 {
			continue
		}
		d := policy.Compare(p, q)
		n, new := len(p.Suites)-len(d.DroppedSuites)+len(p.Versions)-len(d.DroppedVersions), q.Accepts(suite.TLS13)
		if new && !modern || new == modern && n > kept {
			best, kept, modern = q.Name, n, new
		}
	}
	return best
}

// Exit is the exit code of the report: 1 where something is below or plaintext, 3 where that much is not known, else 0. incomplete
// says that not all could be asked.
func (r *Report) Exit(incomplete bool) int {
	switch {
	case r.Counts[Below]+r.Counts[Plaintext] > 0:
		return 1
	case r.Counts[Unknown] > 0 || incomplete:
		return 3
	}
	return 0
}

// Short names the listener as people see it: its resource, or its load balancer.
func (s *Subject) Short() string {
	if s.LoadBalancer != "" {
		return s.LoadBalancer
	}
	return s.Name
}

// Title is the kind, protocol and port in short: "ALB HTTPS:443".
func (s *Subject) Title() string {
	var l []string
	if s.Kind != "" {
		l = append(l, s.Kind.Title())
	}
	protocol := s.Protocol
	if s.Port != 0 {
		protocol += fmt.Sprintf(":%d", s.Port)
	}
	if protocol != "" {
		l = append(l, protocol)
	}
	return strings.Join(l, " ")
}
