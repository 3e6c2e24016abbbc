package scan

import (
	"slices"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// foretell looks for the predefined policy that the answers of the first round fit, of several that of the family
// that comes first and there the longest, and tells the lines to expect its suites: if the endpoint runs it, or one
// with less of the same, one more round proves that.
func (f *full) foretell() {
	for _, p := range policy.All() {
		if g := f.foretold; (g == nil || p.Family == g.Family && len(p.Suites) > len(g.Suites)) && f.fits(p) {
			f.foretold = p
		}
	}
	if f.foretold == nil {
		return
	}
	for _, s := range f.versions {
		for _, l := range s.lines {
			l.guess = shared(f.foretold.SuitesFor(s.version), l.pref.universe)
		}
	}
	if l := shared(f.foretold.GroupsFor(suite.TLS13), f.groups13.pref.universe); len(l) > 0 {
		f.groups13.guess = l
	}
}

// reconsider gives lines another policy to expect where the answers contradict the first: one that fits all of
// them. Where the set is known already, it is the order that is expected of it.
func (f *full) reconsider() {
	for v, s := range f.versions {
		for _, l := range s.lines {
			accepted := l.pref.accepted()
			closed := len(l.pref.open()) == 0
			if len(accepted) < 2 || l.stage < byKind || closed && sameSet(accepted, l.guess) || !closed && l.pref.agrees(l.guess) {
				continue
			}
			for _, p := range policy.All() {
				expected := shared(p.SuitesFor(v), l.pref.universe)
				switch {
				case closed && sameSet(expected, accepted) && l.pref.agrees(expected):
					l.guess = expected
				case !closed && l.stage == byKind && l.pref.agrees(expected):
					l.guess, l.stage = expected, foresee
				default:
					continue
				}
				break
			}
		}
	}
}

func sameSet[T comparable](a, b []T) bool { return len(a) == len(b) && len(shared(a, b)) == len(a) }

// fits reports whether an endpoint with policy p would have answered the first round as this one did: the same
// versions, and of each class the suite that p has first.
func (f *full) fits(p *policy.Policy) bool {
	for _, v := range scanned {
		s := f.versions[v]
		if p.Accepts(v) != s.accepts() {
			return false
		}
		for _, l := range s.lines {
			expected := shared(p.SuitesFor(v), l.pref.universe)
			taken := l.pref.accepted()
			if len(taken) == 0 {
				continue // the endpoint may lack the kind of certificate
			}
			if len(expected) == 0 || taken[0] != expected[0] && taken[0] != firstOffered(l.pref.universe, expected) {
				return false
			}
		}
	}
	return true
}

// firstOffered is what an endpoint takes that accepts these and leaves the order to the client.
func firstOffered(offered, accepted []suite.Code) suite.Code {
	for _, c := range offered {
		if slices.Contains(accepted, c) {
			return c
		}
	}
	return 0
}

// accepts reports whether the version was negotiated at least once.
func (s *versionScan) accepts() bool {
	all := s.lines
	if s.knock != nil {
		all = append(slices.Clone(all), s.knock)
	}
	return slices.ContainsFunc(all, func(l *line[suite.Code]) bool { return len(l.pref.accepted()) > 0 })
}

func (s *versionScan) finished() bool {
	return len(s.lines) > 0 && !slices.ContainsFunc(s.lines, func(l *line[suite.Code]) bool { return !l.finished() })
}

// accepted lists the accepted suites of all classes, each class in the endpoint's order.
func (s *versionScan) accepted() []suite.Code {
	var all []suite.Code
	for _, l := range s.lines {
		accepted, _, _ := l.result()
		all = append(all, accepted...)
	}
	return all
}

// newestClassic is the newest accepted version before TLS 1.3, nil if there is none.
func (f *full) newestClassic() *versionScan {
	for _, v := range scanned[1:] {
		if s := f.versions[v]; s.accepts() {
			return s
		}
	}
	return nil
}

// mergeLine asks for the order over several classes, nil where there is one class at most. Some servers choose the
// certificate first: then that shows as the order.
func (f *full) mergeLine(s *versionScan) *line[suite.Code] {
	m := f.suiteLine(s.version, nil, nil)
	used := 0
	for _, l := range s.lines {
		accepted := l.pref.accepted()
		used += min(len(accepted), 1)
		m.pref.universe = append(m.pref.universe, accepted...)
		m.pref.choices = append(m.pref.choices, l.pref.choices...)
	}
	if used < 2 {
		return nil
	}
	slices.SortStableFunc(m.pref.universe, func(a, b suite.Code) int { return rank(a) - rank(b) })
	m.stage, m.ends = sorting, s.ends()
	if f.foretold != nil {
		m.guess = f.foretold.SuitesFor(s.version)
	}
	return m
}

// ends are pairs of the last suite of one class and the first of another: an endpoint that takes the one has all of
// its class before the other's.
func (s *versionScan) ends() [][]suite.Code {
	var pairs [][]suite.Code
	for _, a := range s.lines {
		for _, b := range s.lines {
			before, _, _ := a.result()
			after, _, _ := b.result()
			if a != b && len(before) > 0 && len(after) > 0 {
				pairs = append(pairs, []suite.Code{after[0], before[len(before)-1]})
			}
		}
	}
	return pairs
}

// result puts the lines together.
func (f *full) result() *Result {
	r := &Result{Address: f.t.Address, Groups13: groupResult(f.groups13), Groups12: groupResult(f.groups12)}
	for _, v := range scanned {
		r.Versions = append(r.Versions, f.versions[v].result())
	}
	r.Seen = f.endpoint(r)
	r.Connections, r.RoundTrips = f.p.Connections(), f.p.RoundTrips()
	return r
}

func (s *versionScan) result() VersionResult {
	r := VersionResult{Version: s.version, Accepted: s.accepts(), Suites: s.accepted(), Order: policy.OrderUnknown, Sorted: true}
	for _, l := range s.lines {
		if len(l.pref.accepted()) > 1 {
			_, r.Order, r.Sorted = l.result()
		}
		for _, q := range l.unsure {
			r.Unsure = append(r.Unsure, shared(l.pref.open(), q.list)...)
		}
	}
	if s.merged != nil {
		r.Suites, r.Order, r.Sorted = s.merged.result()
	}
	return r
}

func groupResult(l *line[suite.Group]) GroupResult {
	r := GroupResult{Order: policy.OrderUnknown}
	if l == nil {
		return r
	}
	r.Groups, r.Order, r.Sorted = l.result()
	for _, q := range l.unsure {
		r.Unsure = append(r.Unsure, shared(l.pref.open(), q.list)...)
	}
	return r
}

// endpoint is the result as the rest of Parley sees endpoints: a policy and certificates.
func (f *full) endpoint(r *Result) *Endpoint {
	p := &policy.Policy{Name: "observed", Family: policy.Observed, Order: policy.OrderUnknown, Groups: r.Groups12.Groups, Groups13: r.Groups13.Groups}
	e := &Endpoint{Address: f.t.Address, Policy: p, Replies: f.replies, OrderKnown: true}
	for _, v := range r.Versions {
		if !v.Accepted {
			continue
		}
		p.Versions = append(p.Versions, v.Version)
		e.OrderKnown = e.OrderKnown && v.Sorted
		if v.Order != policy.OrderUnknown {
			p.Order = v.Order
		}
		for _, c := range v.Suites {
			p.Suites = with(p.Suites, c)
		}
	}
	slices.Sort(p.Versions)
	for i := range f.replies {
		e.addChain(parseChain(f.replies[i].Chain))
		if f.replies[i].ClientAuth {
			p.ClientAuth = policy.ClientAuthRequest
		}
		if n := f.replies[i].DHBits; n > 0 {
			p.DHBits = n
		}
	}
	if len(e.Chains) == 0 && len(p.Versions) > 0 { // TLS 1.3 alone: the certificate is encrypted
		chain, clientAuth := handshake13(f.ctx, f.p, f.t, f.sni)
		e.addChain(chain)
		if clientAuth {
			p.ClientAuth = policy.ClientAuthRequest
		}
	}
	return e
}

// shared keeps the elements of a that are in b, in a's order.
func shared[T comparable](a, b []T) []T {
	var l []T
	for _, x := range a {
		if slices.Contains(b, x) {
			l = append(l, x)
		}
	}
	return l
}

func with[T comparable](l []T, x T) []T {
	if slices.Contains(l, x) {
		return l
	}
	return append(l, x)
}
