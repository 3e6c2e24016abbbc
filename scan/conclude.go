package scan

import (
	"slices"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

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

// result puts the lines together.
func (f *full) result() *Result {
	r := &Result{Address: f.t.Address, Groups13: groupResult(f.groups13), Groups12: groupResult(f.groups12)}
	for _, v := range scanned {
		x := f.versions[v].result()
		if f.gaveUp != "" {
			x.Unsure, x.Sorted = f.versions[v].open(), false
		}
		r.Versions = append(r.Versions, x)
	}
	if f.gaveUp != "" {
		r.Groups13.Unsure, r.Groups12.Unsure = f.groups13.pref.open(), f.groups12.pref.open()
		r.Groups13.Sorted, r.Groups12.Sorted = false, false
	}
	if f.curveBound && r.Groups12.Order != policy.ClientOrder {
		r.Groups12.Hidden = slices.DeleteFunc(slices.Clone(f.groups12.pref.universe), func(g suite.Group) bool { return slices.Contains(r.Groups12.Groups, g) })
	}
	if f.finite != nil {
		r.Groups12 = r.Groups12.and(f.finite.result())
		f.forgetFinite()
	}
	r.Seen = f.endpoint(r)
	return r
}

// addBeside adds what was asked beside the lines.
func (f *full) addBeside(r *Result) {
	r.SSLv2 = f.ssl2
	r.Seen.addChain(f.chain13)
	if f.clientAuth13 {
		r.Seen.Policy.ClientAuth = policy.ClientAuthRequest
	}
	r.Connections = f.p.Connections() - f.before
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
		r.ChaChaFirst = r.ChaChaFirst || l.leads
	}
	if s.lines == nil && s.knock != nil { // as long as no more is known
		r.Suites = s.knock.pref.accepted()
	}
	if s.merged != nil {
		r.Suites, r.Order, r.Sorted = s.merged.result()
	}
	r.ChaChaFirst = r.ChaChaFirst && r.Order == policy.ServerOrder
	return r
}

func groupResult(l *line[suite.Group]) GroupResult {
	var r GroupResult
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
	if f.gaveUp != "" {
		e.NotTested = append(e.NotTested, "what the scan has no answer to: it was given up, since "+f.gaveUp)
	}
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
	if !slices.ContainsFunc(p.Groups, func(g suite.Group) bool { return !isFinite(g) }) && slices.ContainsFunc(p.Suites, func(c suite.Code) bool { return suite.ByCode(c).KeyExchange.UsesEC() }) {
		p.Groups = nil // the curves are not known
	}
	for i := range f.replies {
		e.addChain(f.replies[i].Chain)
		if f.replies[i].ClientAuth {
			p.ClientAuth = policy.ClientAuthRequest
		}
		if n := f.replies[i].DHBits; n > 0 {
			p.DHBits = n
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
