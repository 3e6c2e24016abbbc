package scan

import (
	"context"
	"slices"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// Result is everything that a full scan has learnt of an endpoint at one address.
type Result struct {
	Address  string
	Versions []VersionResult // newest first, those that were refused included
	// Groups13 and Groups12 are the groups of TLS 1.3 and of (EC)DHE before it.
	Groups13, Groups12 GroupResult
	Seen               *Endpoint // certificates, and the policy as a whole
	Connections        int
	RoundTrips         int
}

// VersionResult is what one protocol version accepts.
type VersionResult struct {
	Version  suite.Version
	Accepted bool
	Suites   []suite.Code // in the endpoint's order where Sorted, else in the order in which they were offered
	Order    policy.Order // whose order counts
	Sorted   bool
	Unsure   []suite.Code // asked for several times, and each time the network failed
}

// GroupResult is a list of groups.
type GroupResult struct {
	Groups []suite.Group
	Order  policy.Order
	Sorted bool
	Unsure []suite.Group
}

// Full learns everything that an endpoint accepts: all suites of all versions in its order, all groups. It always
// returns a Result: an endpoint that speaks no TLS has no accepted version.
func Full(ctx context.Context, p *probe.Prober, t probe.Target, opt Options) *Result {
	if p.Parallel <= 0 {
		p.Parallel = fullParallel
	}
	f := &full{ctx: ctx, p: p, t: t, sni: opt.ServerName}
	f.start()
	for f.ask() || f.follow() {
	}
	return f.result()
}

// fullParallel is how many connections a full scan keeps open at once, unless the prober says otherwise.
const fullParallel = 16

// full is a scan under way.
type full struct {
	ctx     context.Context
	p       *probe.Prober
	t       probe.Target
	sni     string
	replies []Reply

	versions map[suite.Version]*versionScan
	groups13 *line[suite.Group]
	groups12 *line[suite.Group]
	foretold *policy.Policy // the predefined policy that the first answers fit, nil if none
	rounds   int
	pause    time.Duration // before the next round, after one with failures
}

// versionScan is what is asked of one version before its suites are put together.
type versionScan struct {
	version suite.Version
	knock   *line[suite.Code] // whether the version is accepted at all, for those that few endpoints accept
	lines   []*line[suite.Code]
	merged  *line[suite.Code] // the order over all classes, where there is more than one
}

// asker is a line of any kind.
type asker interface {
	next() []hello.Offer
	take([]probe.Observation)
	finished() bool
}

// askers lists all lines that were begun.
func (f *full) askers() []asker {
	var l []asker
	for _, v := range scanned {
		s := f.versions[v]
		if s.knock != nil {
			l = append(l, s.knock)
		}
		for _, x := range s.lines {
			l = append(l, x)
		}
		if s.merged != nil {
			l = append(l, s.merged)
		}
	}
	for _, x := range []*line[suite.Group]{f.groups13, f.groups12} {
		if x != nil {
			l = append(l, x)
		}
	}
	return l
}

// ask puts one round of questions and reports whether there were any.
func (f *full) ask() bool {
	lines := f.askers()
	var all []Question
	counts := make([]int, len(lines))
	for i, l := range lines {
		offers := l.next()
		counts[i] = len(offers)
		for _, o := range offers {
			all = append(all, Question{Offer: o})
		}
	}
	if len(all) == 0 || f.ctx.Err() != nil {
		return false
	}
	f.rounds++
	replies := askAll(f.ctx, f.p, f.t, all, nil)
	f.replies = append(f.replies, replies...)
	f.pace(replies)
	for i, l := range lines {
		answers := make([]probe.Observation, counts[i])
		for j := range answers {
			answers[j] = replies[j].Observation
		}
		replies = replies[counts[i]:]
		l.take(answers)
	}
	if f.rounds == 1 {
		f.foretell()
	} else {
		f.reconsider()
	}
	f.follow()
	return true
}

// pace slows the scan down when connections fail: the endpoint may limit their rate or number. Each round with
// failures halves how many are open at once and doubles the pause before the next.
func (f *full) pace(replies []Reply) {
	failed := 0
	for i := range replies {
		if a := replies[i].Answer; !a.Accepted() && !a.Refusal() {
			failed++
		}
	}
	if failed == 0 || failed == len(replies) && f.rounds == 1 { // nothing at all was answered: it speaks no TLS
		return
	}
	f.p.Parallel = max(1, f.p.Parallel/2)
	f.pause = min(max(2*f.pause, 100*time.Millisecond), 2*time.Second)
	select {
	case <-f.ctx.Done():
	case <-time.After(f.pause):
	}
}

// scanned are the versions in the order in which they are reported.
var scanned = []suite.Version{suite.TLS13, suite.TLS12, suite.TLS11, suite.TLS10, suite.SSLv3}

// start begins the lines of the first round: TLS 1.3 and 1.2 in full, a knock at each older version, and the
// groups of TLS 1.3.
func (f *full) start() {
	f.versions = make(map[suite.Version]*versionScan)
	for _, v := range scanned {
		s := &versionScan{version: v}
		f.versions[v] = s
		switch v {
		case suite.TLS13:
			s.lines = []*line[suite.Code]{f.suiteLine(v, universe(v, classAny), nil)}
		case suite.TLS12:
			f.begin(s, nil, nil)
		default:
			s.knock = f.suiteLine(v, usableIn(wideSuites, v), nil)
			s.knock.once = true
		}
	}
	f.groups13 = f.groupLine13()
	f.groups13.guess = slices.Concat(pqGroups[:1], usualGroups)
	f.groups12 = f.groupLine12()
	f.groups12.guess, f.groups12.eager = usualGroups, true
}

// usualGroups are what most endpoints accept, in OpenSSL's order.
var usualGroups = []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp521r1, suite.Secp384r1}

// begin starts a line for each class of suites. Where nothing of the guess is among those that a newer version
// accepts, the line asks for all at once first.
func (f *full) begin(s *versionScan, guess, seen []suite.Code) {
	for _, c := range classes {
		if list := universe(s.version, c); len(list) > 0 {
			l := f.suiteLine(s.version, list, shared(guess, list))
			l.eager = len(shared(guess, seen)) > 0 && len(shared(list, seen)) > 0
			s.lines = append(s.lines, l)
		}
	}
}

// follow begins the lines that the answers so far allow to ask, and reports whether there are any.
func (f *full) follow() (began bool) {
	newest := f.newestClassic()
	for _, v := range scanned[1:] {
		s := f.versions[v]
		knocked := s.knock != nil && len(s.knock.pref.accepted()) > 0
		switch {
		case knocked && s.lines == nil && f.foretold != nil:
			f.begin(s, f.foretold.SuitesFor(v), newest.accepted())
			began = true
		case knocked && s.lines == nil && (newest == s || newest.finished()):
			f.begin(s, newest.accepted(), newest.accepted())
			began = true
		}
		if s.merged == nil && s.finished() {
			s.merged = f.mergeLine(s)
			began = began || s.merged != nil
		}
	}
	return began
}

// suiteLine asks for the suites of one version and class.
func (f *full) suiteLine(v suite.Version, list, guess []suite.Code) *line[suite.Code] {
	return &line[suite.Code]{
		pref: newPreference(list), guess: guess, kind: kindOfSuite,
		build: func(l []suite.Code) hello.Offer { return base(f.sni, v, l) },
		read:  func(o *probe.Observation) (suite.Code, bool) { return o.Suite, o.Answer.Accepted() && o.Version == v },
		last:  func(c suite.Code) bool { return suite.ByCode(c).Encryption == "CHACHA20" },
	}
}

// groupLine13 asks for groups by hellos without a key share, which a HelloRetryRequest answers (RFC 8446 section
// 4.1.4): the hello stays small however large the group's share is.
func (f *full) groupLine13() *line[suite.Group] {
	return &line[suite.Group]{
		pref: newPreference(groupUniverse(true)), kind: kindOfGroup,
		build: func(l []suite.Group) hello.Offer { return groupQuestion(f.sni, "", l...).Offer },
		read:  func(o *probe.Observation) (suite.Group, bool) { return o.Group, o.Answer == probe.HelloRetry },
	}
}

// groupLine12 asks for groups before TLS 1.3 by ECDHE with an RSA certificate: of an ECDSA certificate the list of
// groups must hold the curve too, so that a refusal would prove nothing.
func (f *full) groupLine12() *line[suite.Group] {
	ephemeral := slices.DeleteFunc(slices.Clone(universe(suite.TLS12, classRSA)), func(c suite.Code) bool { return suite.ByCode(c).KeyExchange != suite.KXECDHE })
	return &line[suite.Group]{
		pref: newPreference(groupUniverse(false)), kind: kindOfGroup,
		build: func(l []suite.Group) hello.Offer {
			o := base(f.sni, suite.TLS12, ephemeral)
			o.Groups = l
			return o
		},
		read: func(o *probe.Observation) (suite.Group, bool) { return o.Group, o.Answer.Accepted() && o.Group != 0 },
	}
}
