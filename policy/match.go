package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/parley-tls/parley/suite"
)

// View is what can be seen of a policy from outside: it depends on the certificates that the endpoint
// presents and on what was asked.
type View struct {
	Keys   []KeyType     // kinds of certificate that were presented; empty: not known, nothing is hidden
	Groups []suite.Group // groups that were asked for one by one; those outside are not compared
	// Suites reports whether a suite was asked for; nil means that all were.
	Suites func(suite.Code) bool
	Order  bool // the observed order of suites is known in full
	// FirstChoice is the suite that the server preferred of all it accepts before TLS 1.3; 0 if unknown. It
	// tells apart what the sets cannot.
	FirstChoice suite.Code
}

// Match is a predefined policy compared with an observed one.
type Match struct {
	Policy  *Policy
	Exact   bool     // nothing that was seen tells the two apart
	Missing []string // in the policy, not at the endpoint
	Extra   []string // at the endpoint, not in the policy
	cost    int
}

// MatchPolicies compares an observed policy with the predefined ones and returns all exact matches, or,
// where there is none, up to nearest of the least different.
func MatchPolicies(observed *Policy, v View, among []*Policy, nearest int) []Match {
	var l []Match
	for _, p := range among {
		l = append(l, compareSeen(observed, p, v))
	}
	slices.SortStableFunc(l, func(a, b Match) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(statusRank(a.Policy), statusRank(b.Policy)))
	})
	n := 0
	for n < len(l) && l[n].Exact {
		n++
	}
	if n > 0 {
		return l[:n]
	}
	return l[:min(nearest, len(l))]
}

// statusRank puts policies that can be chosen today before others.
func statusRank(p *Policy) int {
	if p.Status == "documented" || p.Status == "" {
		return 0
	}
	return 1
}

// compareSeen compares what can be seen of p with what was seen.
func compareSeen(observed, p *Policy, v View) Match {
	m := Match{Policy: p}
	miss := func(cost int, what string) { m.Missing, m.cost = append(m.Missing, what), m.cost+cost }
	extra := func(cost int, what string) { m.Extra, m.cost = append(m.Extra, what), m.cost+cost }

	for _, w := range suite.Versions {
		switch has, saw := p.Accepts(w), observed.Accepts(w); {
		case has && !saw && v.visibleVersion(p, w):
			miss(3, w.String())
		case saw && !has:
			extra(3, w.String())
		}
	}
	for _, c := range p.Suites {
		if v.visible(c) && v.asked(c) && usableInAny(c, observed.Versions) && !slices.Contains(observed.Suites, c) {
			miss(1, c.OpenSSL())
		}
	}
	for _, c := range observed.Suites {
		if !slices.Contains(p.Suites, c) {
			extra(1, c.OpenSSL())
		}
	}
	if len(p.Groups) > 0 {
		for _, g := range v.Groups {
			// What the vendor does not state says little: only post-quantum groups are published.
			cost := 1
			if p.GroupsConf != High && !isPostQuantum(g) {
				continue
			}
			switch has, saw := slices.Contains(p.Groups, g), slices.Contains(observed.Groups, g); {
			case has && !saw && (observed.Accepts(suite.TLS13) || !isPostQuantum(g)):
				miss(cost, g.String())
			case saw && !has:
				extra(cost, g.String())
			}
		}
	}
	if observed.Order != OrderUnknown && p.OrderConf != Low && len(observed.Suites) > 1 && p.Order != observed.Order {
		extra(1, string(observed.Order)+" order")
	}
	if f := p.firstVisible(v, observed); v.FirstChoice != 0 && p.Order == ServerOrder && p.OrderConf != Low && f != 0 && f != v.FirstChoice && m.cost == 0 {
		extra(1, "prefers "+v.FirstChoice.OpenSSL()+" to "+f.OpenSSL())
	}
	m.Exact = m.cost == 0
	return m
}

func isPostQuantum(g suite.Group) bool {
	i := suite.GroupByCode(g)
	return i != nil && (i.Kind == "hybrid" || i.Kind == "pq")
}

// firstVisible is the suite that the policy prefers of those that show, before TLS 1.3.
func (p *Policy) firstVisible(v View, observed *Policy) suite.Code {
	for _, c := range p.Suites {
		if s := suite.ByCode(c); s.MaxVersion < suite.TLS13 && v.visible(c) && slices.Contains(observed.Suites, c) {
			return c
		}
	}
	return 0
}

func (v *View) asked(c suite.Code) bool { return v.Suites == nil || v.Suites(c) }

// visible reports whether a suite can be negotiated with the certificates that the endpoint has.
func (v *View) visible(c suite.Code) bool {
	s := suite.ByCode(c)
	if s == nil || len(v.Keys) == 0 {
		return s != nil
	}
	switch s.Authentication {
	case suite.AuthRSA:
		return slices.Contains(v.Keys, RSA)
	case suite.AuthECDSA:
		return slices.Contains(v.Keys, ECDSA) || slices.Contains(v.Keys, Ed25519)
	case suite.AuthDSS:
		return slices.Contains(v.Keys, DSA)
	case suite.AuthPSK, suite.AuthKRB5, suite.AuthSRP, suite.AuthDH, suite.AuthECDH:
		return false
	}
	return true
}

// visibleVersion reports whether p has a visible suite for version w, without which the version cannot be
// negotiated though the policy lists it.
func (v *View) visibleVersion(p *Policy, w suite.Version) bool {
	for _, c := range p.SuitesFor(w) {
		if v.visible(c) && suite.ByCode(c).UsableIn(w) {
			return true
		}
	}
	return false
}

func usableInAny(c suite.Code, versions []suite.Version) bool {
	return slices.ContainsFunc(versions, suite.ByCode(c).UsableIn)
}

// TellApart says what would tell the policies of several exact matches apart, "" where there is but one.
func TellApart(l []Match, v View) string {
	if len(l) < 2 || !l[0].Exact {
		return ""
	}
	var ways []string
	add := func(w string) {
		if !slices.Contains(ways, w) {
			ways = append(ways, w)
		}
	}
	for _, m := range l[1:] {
		a, b := l[0].Policy, m.Policy
		switch {
		case !sameSet(a.Versions, b.Versions):
			add("a certificate of another kind, with which more versions show")
		case !sameSet(a.Suites, b.Suites):
			add("a certificate of another kind, with which more suites show")
		case !sameSet(a.Groups, b.Groups):
			add("asking for the groups " + difference(a.Groups, b.Groups))
		case !slices.Equal(a.Suites, b.Suites):
			add("the order of the suites in full")
		default:
			add("nothing from outside (the API of the load balancer names it)")
		}
	}
	return strings.Join(ways, "; ")
}

func sameSet[T cmp.Ordered](a, b []T) bool {
	x, y := slices.Clone(a), slices.Clone(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func difference(a, b []suite.Group) string {
	var l []string
	for _, g := range append(slices.Clone(a), b...) {
		if slices.Contains(a, g) != slices.Contains(b, g) && !slices.Contains(l, g.String()) {
			l = append(l, g.String())
		}
	}
	return strings.Join(l, ", ")
}

// Differences lists what changes from policy a to policy b.
type Differences struct {
	AddedVersions, DroppedVersions []suite.Version
	AddedSuites, DroppedSuites     []suite.Code
	AddedGroups, DroppedGroups     []suite.Group
	// Reordered is true where the suites that both have come in another order.
	Reordered bool
	// OrderFrom and OrderTo differ where another side decides the order.
	OrderFrom, OrderTo Order
}

// Empty reports whether nothing changes.
func (d *Differences) Empty() bool {
	return len(d.AddedVersions)+len(d.DroppedVersions)+len(d.AddedSuites)+len(d.DroppedSuites)+
		len(d.AddedGroups)+len(d.DroppedGroups) == 0 && !d.Reordered && d.OrderFrom == d.OrderTo
}

// Compare lists what a change from a to b adds, drops and reorders.
func Compare(a, b *Policy) Differences {
	d := Differences{
		AddedVersions: without(b.Versions, a.Versions), DroppedVersions: without(a.Versions, b.Versions),
		AddedSuites: without(b.Suites, a.Suites), DroppedSuites: without(a.Suites, b.Suites),
		OrderFrom: a.Order, OrderTo: b.Order,
	}
	if len(a.Groups) > 0 && len(b.Groups) > 0 {
		d.AddedGroups, d.DroppedGroups = without(b.Groups, a.Groups), without(a.Groups, b.Groups)
	}
	d.Reordered = !slices.Equal(without(a.Suites, d.DroppedSuites), without(b.Suites, d.AddedSuites))
	return d
}

// without returns the elements of a that are not in b, in a's order.
func without[T comparable](a, b []T) []T {
	return slices.DeleteFunc(slices.Clone(a), func(x T) bool { return slices.Contains(b, x) })
}
