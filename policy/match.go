package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/suite"
)

// View is what can be seen of a policy from outside: it depends on the certificates that the endpoint
// presents and on what was asked.
type View struct {
	Keys   []KeyType     // kinds of certificate that were presented; empty: not known, nothing is hidden
	Groups []suite.Group // groups that were asked for one by one; those outside are not compared
	// Versions that were asked for; nil means that all were.
	Versions []suite.Version
	// Family of the load balancer, if known: its policies come before those of others.
	Family Family
	// Suites reports whether a suite was asked for; nil means that all were.
	Suites func(suite.Code) bool
	Order  bool // the observed order of suites is known in full, for all versions
	// FirstChoice is the suite that the server preferred of all it accepts before TLS 1.3; 0 if unknown. It
	// tells apart what the sets cannot.
	FirstChoice suite.Code
}

// Visible returns what v would show of p: the versions and suites that the endpoint's certificates can serve,
// and the groups that were asked for.
func Visible(p *Policy, v View) *Policy {
	o := &Policy{Name: p.Name, Family: Observed, Order: p.Order}
	if !v.Order {
		o.Order = OrderUnknown
	}
	for _, w := range p.Versions {
		if v.visibleVersion(p, w) {
			o.Versions = append(o.Versions, w)
		}
	}
	for _, c := range p.Suites {
		if v.visible(c) {
			o.Suites = append(o.Suites, c)
		}
	}
	for _, g := range p.Groups {
		if slices.Contains(v.Groups, g) {
			o.Groups = append(o.Groups, g)
		}
	}
	return o
}

// Match is a predefined policy compared with an observed one.
type Match struct {
	Policy  *Policy
	Exact   bool     // nothing that was seen tells the two apart
	Missing []string // in the policy, not at the endpoint
	Extra   []string // at the endpoint, not in the policy
	// Unsure are differences from what is only inferred of the policy (most groups: vendors seldom state
	// them). They do not make a match inexact, but put it after others.
	Unsure []string
	cost   int
}

// MatchPolicies compares an observed policy with the predefined ones and returns all exact matches, or,
// where there is none, up to nearest of the least different.
func MatchPolicies(observed *Policy, v View, among []*Policy, nearest int) []Match {
	var l []Match
	for _, p := range among {
		l = append(l, compareSeen(observed, p, v))
	}
	slices.SortStableFunc(l, func(a, b Match) int {
		return cmp.Or(boolFirst(a.Exact, b.Exact), boolFirst(a.Policy.Family == v.Family, b.Policy.Family == v.Family), cmp.Compare(a.cost, b.cost),
			cmp.Compare(len(a.Unsure), len(b.Unsure)), cmp.Compare(statusRank(a.Policy), statusRank(b.Policy)),
			boolFirst(len(a.Policy.DefaultFor) > 0, len(b.Policy.DefaultFor) > 0)) // a default is the likelier one
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
		if v.Versions != nil && !slices.Contains(v.Versions, w) {
			continue
		}
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
	m.compareGroups(observed, v)
	if observed.Order != OrderUnknown && p.OrderConf != Low && len(observed.Suites) > 1 && p.Order != observed.Order {
		extra(1, string(observed.Order)+" order")
	} else if m.cost == 0 {
		if a, b, differ := p.orderDiffers(observed, v); differ {
			extra(1, "prefers "+a.OpenSSL()+" to "+b.OpenSSL())
		}
	}
	m.Exact = m.cost == 0
	return m
}

func isPostQuantum(g suite.Group) bool {
	i := suite.GroupByCode(g)
	return i != nil && (i.Kind == "hybrid" || i.Kind == "pq")
}

// compareGroups compares the groups that were asked for. What is only inferred of the policy's groups goes
// to Unsure; that a group is post-quantum is always published.
func (m *Match) compareGroups(observed *Policy, v View) {
	p := m.Policy
	if len(p.Groups) == 0 {
		return
	}
	for _, g := range v.Groups {
		has, saw := slices.Contains(p.Groups, g), slices.Contains(observed.Groups, g)
		sure := p.GroupsConf == High || isPostQuantum(g)
		switch {
		case has == saw, has && isPostQuantum(g) && !observed.Accepts(suite.TLS13):
		case !sure && has:
			m.Unsure = append(m.Unsure, g.String()+" refused")
		case !sure:
			m.Unsure = append(m.Unsure, g.String()+" accepted")
		case has:
			m.Missing, m.cost = append(m.Missing, g.String()), m.cost+1
		default:
			m.Extra, m.cost = append(m.Extra, g.String()), m.cost+1
		}
	}
}

// orderDiffers reports whether the endpoint prefers suite a to b where the policy prefers b. TLS 1.3 suites
// and older ones never compete with each other.
func (p *Policy) orderDiffers(observed *Policy, v View) (a, b suite.Code, differ bool) {
	if p.Order != ServerOrder || p.OrderConf == Low {
		return 0, 0, false
	}
	for _, is13 := range []bool{false, true} {
		theirs := slices.DeleteFunc(slices.Clone(observed.Suites), func(c suite.Code) bool {
			return (suite.ByCode(c).MaxVersion == suite.TLS13) != is13 || !slices.Contains(p.Suites, c)
		})
		ours := slices.DeleteFunc(slices.Clone(p.Suites), func(c suite.Code) bool { return !slices.Contains(theirs, c) })
		switch {
		case v.Order && observed.Order == ServerOrder:
			for i, c := range ours {
				if c != theirs[i] && !p.disputed(c, theirs[i]) {
					return theirs[i], c, true
				}
			}
		case !is13 && v.FirstChoice != 0 && len(ours) > 0 && ours[0] != v.FirstChoice && !p.disputed(ours[0], v.FirstChoice):
			return v.FirstChoice, ours[0], true
		}
	}
	return 0, 0, false
}

// disputed reports whether the sources disagree on the order of a and b.
func (p *Policy) disputed(a, b suite.Code) bool {
	return slices.Contains(p.OrderOpen, [2]suite.Code{a, b}) || slices.Contains(p.OrderOpen, [2]suite.Code{b, a})
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
	var d doubts
	for i := range l {
		for j := range i {
			d.compare(l[j].Policy, l[i].Policy, v)
		}
	}
	return d.text(v)
}

// doubts are the points in which policies differ that match an endpoint equally.
type doubts struct {
	family, keys, order bool
	versions            []suite.Version
	askable, hidden     []suite.Code
	groups, groups13    []suite.Group
	twins               []string // pairs that differ in nothing
}

// compare notes the first point in which a and b differ.
func (d *doubts) compare(a, b *Policy, v View) {
	open := slices.DeleteFunc(difference(a.Groups, b.Groups), func(g suite.Group) bool { return slices.Contains(v.Groups, g) })
	suites := difference(a.Suites, b.Suites)
	differ := len(suites) > 0
	switch {
	case a.Family != b.Family:
		d.family = true
	case !differ && !sameSet(a.Versions, b.Versions):
		d.versions = union(d.versions, difference(a.Versions, b.Versions))
	case slices.ContainsFunc(open, isPostQuantum):
		d.groups13 = union(d.groups13, open)
	case differ && !slices.ContainsFunc(suites, func(c suite.Code) bool { return !v.visible(c) }):
		d.askable = union(d.askable, suites)
	case differ && len(v.Keys) == 0:
		d.keys = true
	case differ:
		d.hidden = union(d.hidden, suites)
	case !v.Order && !slices.Equal(a.Suites, b.Suites):
		d.order = true
	case len(open) > 0:
		d.groups = union(d.groups, open)
	default:
		d.twins = append(d.twins, a.Name+" from "+b.Name)
	}
}

func (d *doubts) text(v View) string {
	var ways []string
	add := func(doubt bool, way string) {
		if doubt {
			ways = append(ways, way)
		}
	}
	add(d.family, "knowing which load balancer it is")
	add(len(d.groups13) > 0, "offering only the groups "+joined(d.groups13)+" in TLS 1.3")
	add(len(d.versions) > 0, "asking for "+joined(d.versions))
	add(len(d.askable) > 0, "asking for "+firstNames(d.askable))
	add(d.keys, "knowing the kinds of certificate")
	add(len(d.hidden) > 0, "a certificate of another kind than "+keyNames(v.Keys)+", which hides "+firstNames(d.hidden)+"; until then only the API of the load balancer tells")
	add(d.order, "the order of the suites")
	add(len(d.groups) > 0, "offering only the groups "+joined(d.groups))
	switch {
	case len(d.twins) > 0 && len(ways) == 0:
		ways = []string{"nothing from outside: only the API of the load balancer tells"}
	case len(d.twins) > 0:
		ways = append(ways, "nothing tells "+strings.Join(d.twins, ", ")+" but the API")
	}
	return strings.Join(ways, "; ")
}

// union appends to a what b has besides.
func union[T comparable](a, b []T) []T { return append(a, without(b, a)...) }

func keyNames(l []KeyType) string {
	var s []string
	for _, k := range l {
		s = append(s, strings.ToUpper(string(k)))
	}
	return strings.Join(s, " and ")
}

func joined[T fmt.Stringer](l []T) string {
	var s []string
	for _, x := range l {
		s = append(s, x.String())
	}
	return strings.Join(s, ", ")
}

// firstNames lists the first suites by name and counts the rest.
func firstNames(l []suite.Code) string {
	var s []string
	for _, c := range l {
		if len(s) == 3 {
			s = append(s, fmt.Sprintf("%d more", len(l)-3))
			break
		}
		s = append(s, c.OpenSSL())
	}
	return strings.Join(s, ", ")
}

func sameSet[T cmp.Ordered](a, b []T) bool {
	x, y := slices.Clone(a), slices.Clone(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// difference lists what only one of a and b holds.
func difference[T comparable](a, b []T) []T { return append(without(a, b), without(b, a)...) }
