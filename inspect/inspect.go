package inspect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/vuln"
)

// Options direct an inspection.
type Options struct {
	Depth Depth // "": Full
	Now   time.Time
	// Roots are what certificates are judged by beside the system's; System returns those, which take some time to
	// read. Nil leaves either out.
	Roots  *x509.CertPool
	System func() *x509.CertPool
	// ClientCertificate is presented where one is asked for, nil for none; its key must be a crypto.Signer.
	ClientCertificate *tls.Certificate
	// Stage is called when another part of the work begins, with its name; nil for nobody to tell.
	Stage func(name string)
}

// nearestPolicies is how many policies to name where none matches.
const nearestPolicies = 3

// Run learns everything of one endpoint. It always returns a Report: one that could not be reached says why, and one
// that was interrupted through ctx holds what was learnt until then. The prober must not be used by others, since
// its connections are counted.
func Run(ctx context.Context, p *probe.Prober, t Target, opt Options) *Report {
	start := time.Now()
	if opt.Depth == "" {
		opt.Depth = Full
	}
	if opt.Now.IsZero() {
		opt.Now = start
	}
	r := NewReport(t, opt.Depth, opt.Now)
	guarded, dials := guard(ctx, p, &t)
	beside := basics{certificate: opt.ClientCertificate}
	result := learn(guarded, p, r, opt, func(first *scan.Result) { beside.begin(ctx, p, r, first) })
	r.Interrupted = ctx.Err() != nil
	if r.Reached = len(result.Seen.Policy.Versions) > 0 || sslv2(result) == Yes; r.Reached {
		switch opt.Depth {
		case Full:
			r.examine(ctx, p, result, opt)
		case Basic:
			beside.add(ctx, p, r, result)
		}
		r.Interrupted = ctx.Err() != nil
		r.describe(result, opt)
	} else {
		r.Cause = causeOf(result.Seen, dials, r)
	}
	r.Connections = p.Connections()
	r.DurationMS = time.Since(start).Milliseconds()
	return r
}

// NewReport is a report of an endpoint of which nothing is known yet.
func NewReport(t Target, depth Depth, now time.Time) *Report {
	return &Report{Schema: Schema, Target: t, Started: now.UTC().Truncate(time.Second), Depth: depth, Protocols: []Protocol{}, Ciphers: []CipherList{}, Groups: []GroupList{},
		Certificates: []scan.CertificateReport{}, Vulnerabilities: []vuln.Finding{}, PolicyMatch: []PolicyMatch{}, Unsure: []string{}, NotTested: []string{}}
}

// examine asks for all that there is beside versions, suites and groups.
func (r *Report) examine(ctx context.Context, p *probe.Prober, result *scan.Result, opt Options) {
	if ctx.Err() != nil {
		return
	}
	opt.stage("features and vulnerabilities")
	var both sync.WaitGroup
	both.Go(func() {
		r.Features = scan.Features(ctx, p, target(r), result, scan.Options{ServerName: r.Target.ServerName, ClientCertificate: opt.ClientCertificate})
	})
	r.Vulnerabilities = r.check(ctx, p, result, nil, opt.ClientCertificate)
	both.Wait()
}

func (r *Report) check(ctx context.Context, p *probe.Prober, result *scan.Result, ids []string, certificate *tls.Certificate) []vuln.Finding {
	return vuln.Check(ctx, p, target(r), result, vuln.Options{ServerName: r.Target.ServerName, Only: ids, ClientCertificate: certificate})
}

// leftOut says what a scan of this depth does not ask for.
func (r *Report) leftOut() []string {
	switch r.Depth {
	case Quick:
		return []string{"features and vulnerabilities: a quick scan leaves them out"}
	case Basic:
		return []string{
			"features other than fallback SCSV, secure renegotiation and compression: a basic scan leaves them out",
			"vulnerabilities other than Heartbleed and those by SSLv2 and insecure renegotiation: a basic scan leaves them out",
		}
	}
	return nil
}

// learn asks the endpoint. In a basic scan told is called when the first answers are there.
func learn(ctx context.Context, p *probe.Prober, r *Report, opt Options, told func(*scan.Result)) *scan.Result {
	t := target(r)
	how := scan.Options{ServerName: r.Target.ServerName}
	opt.stage("protocols, ciphers and groups")
	if opt.Depth == Quick {
		return quickResult(scan.Quick(ctx, p, t, how))
	}
	if opt.Depth == Basic {
		how.Told = told
	}
	return scan.Full(ctx, p, t, how)
}

// target is where a report's connections go.
func target(r *Report) probe.Target {
	return probe.Target{Address: r.Target.Address, ServerName: r.Target.Host, StartTLS: probe.StartTLS(r.Target.StartTLS)}
}

// certificateName is the name that certificates have to be for.
func (t *Target) certificateName() string {
	if t.ServerName != "" {
		return t.ServerName
	}
	return t.Host
}

func (o *Options) system() *x509.CertPool {
	if o.System == nil {
		return nil
	}
	return o.System()
}

func (o *Options) stage(name string) {
	if o.Stage != nil {
		o.Stage(name)
	}
}

// quickResult puts what a quick scan learnt into the shape of a full one: the order within a version is open.
func quickResult(e *scan.Endpoint) *scan.Result {
	r := &scan.Result{Address: e.Address, Seen: e}
	for _, v := range slices.Backward(suite.Versions) {
		if v < suite.SSLv3 {
			continue
		}
		x := scan.VersionResult{Version: v, Accepted: e.Policy.Accepts(v), Order: e.Policy.Order}
		if x.Accepted {
			x.Suites = slices.DeleteFunc(slices.Clone(e.Policy.Suites), func(c suite.Code) bool { return !suite.ByCode(c).UsableIn(v) })
		}
		r.Versions = append(r.Versions, x)
	}
	groups := scan.GroupResult{Groups: e.Policy.Groups, Order: policy.OrderUnknown}
	if e.Policy.Accepts(suite.TLS13) {
		r.Groups13 = groups
	} else {
		r.Groups12 = groups
	}
	return r
}

// describe fills in what was learnt of an endpoint that speaks TLS.
func (r *Report) describe(result *scan.Result, opt Options) {
	seen := result.Seen
	r.protocols(result)
	r.ciphers(result)
	r.groups(result)
	r.Certificates = noNil(scan.Certificates(result, r.Features, scan.CertificateOptions{Name: r.Target.certificateName(), Roots: opt.Roots, System: opt.system(), Now: opt.Now}))
	r.NotTested = append(r.NotTested, seen.NotTested...)
	r.NotTested = append(r.NotTested, r.leftOut()...)
	switch {
	case opt.Depth == Quick:
	case len(result.Groups12.Hidden) > 0:
		r.NotTested = append(r.NotTested, "groups before TLS 1.3 that the endpoint would take after the curve of its certificate: a hello must have that too")
	case r.untestedGroups():
		r.NotTested = append(r.NotTested, "groups before TLS 1.3: no answer shows any")
	}
	if len(seen.Policy.Versions) > 0 { // no policy is about SSLv2 alone
		r.matches(result, opt)
	}
	if !r.Interrupted {
		g := Judge(r)
		r.Grade = &g
	}
}

// matches compares with all predefined policies.
func (r *Report) matches(result *scan.Result, opt Options) {
	for _, m := range policy.MatchPolicies(result.Seen.Policy, view(result, opt.Depth), policy.All(), nearestPolicies) {
		r.PolicyMatch = append(r.PolicyMatch, PolicyMatch{m.Policy.Name, m.Policy.Family, m.Exact, noNil(m.Missing), noNil(m.Extra), m.Unsure})
	}
}

// view is what policies are compared by. A scan that is not quick asks for every suite and group that there is, and knows the
// order where it sorted all versions.
func view(result *scan.Result, depth Depth) policy.View {
	v := result.Seen.View()
	if depth == Quick {
		return v
	}
	v.Suites, v.Order = nil, result.Seen.OrderKnown
	for _, g := range suite.AllGroups() {
		if !slices.Contains(result.Groups12.Hidden, g.Code) {
			v.Groups = append(v.Groups, g.Code)
		}
	}
	return v
}

// protocols says of every version whether it is accepted. A version that no answer has settled is open.
func (r *Report) protocols(result *scan.Result) {
	for _, v := range suite.Versions {
		state := NotTested
		for _, x := range result.Versions {
			if x.Version == v {
				state = stateOf(x, result.Seen.Replies)
			}
		}
		if v == suite.SSLv2 {
			state = sslv2(result)
		}
		r.Protocols = append(r.Protocols, Protocol{v, state})
		if state == Unsure {
			r.Unsure = append(r.Unsure, fmt.Sprintf("%s: no answer settles whether it is accepted", v))
		}
	}
}

// sslv2 is whether SSLv2 is spoken: a SERVER-HELLO came, with ciphers or, as old servers send it, without.
func sslv2(result *scan.Result) State {
	switch r := result.SSLv2; {
	case r == nil:
		return NotTested
	case r.Hello != nil:
		return Yes
	case errors.Is(r.Err, scan.ErrNoSSLv2) || errors.As(r.Err, new(hello.SSLv2Error)):
		return No
	}
	return Unsure
}

// stateOf: a refusal, and an answer in another version, are a no; a reset or silence is not.
func stateOf(x scan.VersionResult, replies []scan.Reply) State {
	if x.Accepted {
		return Yes
	}
	for i := range replies {
		q := &replies[i]
		if len(q.Offer.Versions) > 0 && q.Offer.Versions[0] == x.Version && (q.Answer.Refusal() || q.Answer.Accepted()) {
			return No
		}
	}
	return Unsure
}

// ciphers lists what each version accepts.
func (r *Report) ciphers(result *scan.Result) {
	for _, v := range result.Versions {
		for _, c := range v.Unsure {
			r.Unsure = append(r.Unsure, fmt.Sprintf("%s %s: asked for several times, and each time the network failed", v.Version, c.OpenSSL()))
		}
		if !v.Accepted {
			continue
		}
		l := CipherList{Version: v.Version, Order: v.Order, Sorted: v.Sorted, ChaChaFirst: v.ChaChaFirst, Ciphers: []Cipher{}}
		for _, c := range v.Suites {
			l.Ciphers = append(l.Ciphers, describeCipher(c, keyExchange(result.Seen.Replies, v.Version, c)))
		}
		r.Ciphers = append(r.Ciphers, l)
	}
	if r2 := result.SSLv2; r2 != nil && r2.Hello != nil && len(r2.Hello.Suites) > 0 { // the client chooses among what the server lists
		l := CipherList{Version: suite.SSLv2, Order: policy.ClientOrder, Ciphers: []Cipher{}}
		for _, c := range r2.Hello.Suites {
			if suite.ByCode(c) != nil {
				l.Ciphers = append(l.Ciphers, describeCipher(c, exchange{}))
			}
		}
		r.Ciphers = append(r.Ciphers, l)
	}
}

func describeCipher(c suite.Code, o exchange) Cipher {
	s := suite.ByCode(c)
	a := suite.Assess(s)
	x := Cipher{Cipher: c, Bits: s.Bits, Strength: a.Strength, Reasons: a.Reasons, DHBits: o.DHBits}
	if o.Group != 0 {
		g := o.Group
		x.Group = &g
	}
	return x
}

// keyExchange is what a suite came with: the size of the prime, or the group. Of several answers that to the hello with
// most groups shows what the endpoint prefers, be it for this suite or, where this one was asked for with fewer, for
// another of the same version: the group does not depend on the suite.
func keyExchange(replies []scan.Reply, v suite.Version, c suite.Code) exchange {
	var own, widest *scan.Reply
	wider := func(q, than *scan.Reply) bool {
		return than == nil || len(q.Offer.Groups) > len(than.Offer.Groups)
	}
	for i := range replies {
		q := &replies[i]
		if !q.Answer.Accepted() || q.Version != v {
			continue
		}
		if q.Suite == c && wider(q, own) {
			own = q
		}
		if q.Group != 0 && wider(q, widest) {
			widest = q
		}
	}
	if own == nil {
		return exchange{}
	}
	x := exchange{own.Group, own.DHBits}
	if own.Group != 0 && wider(widest, own) {
		x.Group = widest.Group
	}
	return x
}

// exchange is how keys are exchanged with a suite.
type exchange struct {
	Group  suite.Group // 0 without one
	DHBits int         // of the prime before TLS 1.3, 0 without one
}

// groups lists the groups of TLS 1.3 and of the newest version before it.
func (r *Report) groups(result *scan.Result) {
	classic := suite.Version(0)
	for _, l := range r.Ciphers {
		if l.Version < suite.TLS13 && l.Version > suite.SSLv3 { // SSLv3 has no groups to choose
			classic = max(classic, l.Version)
		}
	}
	for _, x := range []struct {
		version suite.Version
		scan.GroupResult
	}{{suite.TLS13, result.Groups13}, {classic, result.Groups12}} {
		for _, g := range x.Unsure {
			r.Unsure = append(r.Unsure, fmt.Sprintf("%s%s: asked for several times, and each time the network failed", groupPlace(x.version), g))
		}
		if len(x.Groups) == 0 || x.version == 0 {
			continue
		}
		l := GroupList{Version: x.version, Order: x.Order, Sorted: x.Sorted}
		for _, g := range x.Groups {
			described := Group{Group: g, Strength: suite.Weak}
			if i := suite.GroupByCode(g); i != nil {
				described.Bits, described.Strength = i.Bits, suite.AssessGroup(i).Strength
			}
			l.Groups = append(l.Groups, described)
		}
		r.Groups = append(r.Groups, l)
	}
}

// untestedGroups reports whether older versions use groups of which none was found.
func (r *Report) untestedGroups() bool {
	curve := func(g Group) bool { i := suite.GroupByCode(g.Group); return i != nil && i.Kind == "ec" }
	if slices.ContainsFunc(r.Groups, func(l GroupList) bool { return l.Version < suite.TLS13 && slices.ContainsFunc(l.Groups, curve) }) {
		return false
	}
	return slices.ContainsFunc(r.Ciphers, func(l CipherList) bool {
		return l.Version < suite.TLS13 && slices.ContainsFunc(l.Ciphers, func(c Cipher) bool { return suite.ByCode(c.Cipher).KeyExchange.UsesEC() })
	})
}

// noNil makes a missing list an empty one, so that JSON has [] for it.
func noNil[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
