package scan

import (
	"context"
	"slices"
	"sync"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// Result is everything that a full scan has learnt of an endpoint at one address.
type Result struct {
	Address  string
	Versions []VersionResult // newest first, those that were refused included
	SSLv2    *SSLv2Result    // nil where it was not asked for
	// Groups13 and Groups12 are the groups of TLS 1.3 and of (EC)DHE before it, there the curves before the finite fields.
	Groups13, Groups12 GroupResult
	Seen               *Endpoint // certificates, and the policy as a whole
	Connections        int
}

// VersionResult is what one protocol version accepts.
type VersionResult struct {
	Version  suite.Version
	Accepted bool
	Suites   []suite.Code // in the endpoint's order where Sorted, else in the order in which they were offered
	Order    policy.Order // whose order counts
	Sorted   bool
	// ChaChaFirst is whether an endpoint that goes by its own order takes a ChaCha20 suite all the same where the
	// client has it first.
	ChaChaFirst bool
	Unsure      []suite.Code // asked for several times, and each time the network failed
}

// GroupResult is a list of groups.
type GroupResult struct {
	Groups []suite.Group
	Order  policy.Order
	Sorted bool
	Unsure []suite.Group
	// Hidden are those of which nothing can be known, since the endpoint prefers the curve of its certificate, which the
	// hello must have: no client can get them.
	Hidden []suite.Group
}

// Full learns everything that an endpoint accepts: all suites of all versions in its order, all groups. It always
// returns a Result: an endpoint that speaks no TLS has no accepted version.
func Full(ctx context.Context, p *probe.Prober, t probe.Target, opt Options) *Result {
	if p.Parallel <= 0 {
		p.Parallel = fullParallel
	}
	f := &full{ctx: ctx, p: p, t: t, sni: opt.ServerName, tellOthers: opt.Told, before: p.Connections()}
	f.start()
	f.beside.Go(func() { f.ssl2 = AskSSLv2(ctx, p, t) })
	f.run()
	f.beside.Wait()
	r := f.result()
	f.addBeside(r)
	return r
}

// fullParallel is how many connections a full scan keeps open at once, unless the prober says otherwise.
const fullParallel = 16

// full is a scan under way.
type full struct {
	ctx    context.Context
	p      *probe.Prober
	t      probe.Target
	sni    string
	before int // connections of the prober

	replies      []Reply
	beside       sync.WaitGroup // questions that are no line's: they fill in what follows
	ssl2         *SSLv2Result
	chain13      [][]byte
	clientAuth13 bool

	versions   map[suite.Version]*versionScan
	groups13   *line[suite.Group]
	groups12   *line[suite.Group]
	regrouped  bool               // groups12 asks without an RSA certificate
	free       *line[suite.Group] // whether an ECDSA certificate's curve need not be among the groups
	curveBound bool               // it must
	finite     *finiteLine        // finite fields before TLS 1.3, nil while no suite is known that has them

	marks      []*line[suite.Code] // what tells policies apart
	short      []*line[suite.Code] // whether a short list is taken where long ones are refused
	limit      int                 // of a list of suites, for an endpoint that refuses longer ones; 0: none
	told       bool                // the first answers are all there
	tellOthers func(*Result)
	foretold   *policy.Policy // the predefined policy that the first answers fit, nil if none

	schedule
}

// versionScan is what is asked of one version before its suites are put together.
type versionScan struct {
	version suite.Version
	knock   *line[suite.Code] // whether the version is accepted at all, for those that few endpoints accept
	lines   []*line[suite.Code]
	rests   []*rest
	pair    *line[suite.Code] // whether the kind of certificate counts before the order of the suites
	merged  *line[suite.Code] // the order over all classes, where there is more than one
}

// rest is what a newer version refuses: the suites of several classes in one question, which is asked class by class
// where any of it is accepted after all.
type rest struct {
	*line[suite.Code]
	classes []certificateClass
}

// scanned are the versions in the order in which they are reported.
var scanned = []suite.Version{suite.TLS13, suite.TLS12, suite.TLS11, suite.TLS10, suite.SSLv3}

// start begins the lines that need no answer: TLS 1.3 and 1.2, a knock at each older version, and the groups.
func (f *full) start() {
	f.versions = make(map[suite.Version]*versionScan)
	for _, v := range scanned {
		s := &versionScan{version: v}
		f.versions[v] = s
		switch v {
		case suite.TLS13:
			s.lines = []*line[suite.Code]{f.suiteLine(v, universe(v, classAny), nil)}
		case suite.TLS12:
			f.begin(s, classes, nil)
		default:
			s.knock = f.suiteLine(v, usableIn(wideSuites, v), nil)
			s.knock.once = true
		}
	}
	for _, m := range marks {
		l := f.suiteLine(suite.TLS12, m, nil)
		l.once = true
		f.marks = append(f.marks, l)
	}
	f.groups13 = f.groupLine13()
	f.groups13.guess = slices.Concat(pqGroups[:1], usualGroups)
	f.groups12 = f.groupLine12(classRSA, 0)
	f.groups12.guess, f.groups12.fits = usualGroups, f.groups13.fits
}

// marks are suites of TLS 1.2 of which predefined policies have some or none: key exchange without forward secrecy,
// and records with SHA-1.
var marks = [][]suite.Code{
	{0x009C, 0x009D, 0x003C, 0x003D, 0x002F, 0x0035},
	{0xC013, 0xC014, 0xC009, 0xC00A},
}

// usualGroups are what most endpoints accept, in OpenSSL's order.
var usualGroups = []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp521r1, suite.Secp384r1}

// begin starts a line for each of these classes.
func (f *full) begin(s *versionScan, classes []certificateClass, guess []suite.Code) {
	for _, c := range classes {
		if list := universe(s.version, c); len(list) > 0 {
			s.add(f.suiteLine(s.version, list, shared(guess, list)))
		}
	}
}

// add takes in a line. What the knock has shown need not be asked again.
func (s *versionScan) add(l *line[suite.Code]) {
	s.lines = append(s.lines, l)
	if len(l.guess) == 0 {
		return
	}
	l.eager = true
	if s.knock == nil {
		return
	}
	for _, c := range s.knock.pref.choices {
		if offered := shared(c.offered, l.pref.universe); slices.Contains(offered, c.taken) {
			l.pref.took(offered, c.taken)
			l.stage = foresee
		}
	}
}

// beginOlder starts the lines of a version that was knocked at: of each class that a newer version accepts by itself,
// and of the others together, since they are hardly there. Guess is what is expected of the version.
func (f *full) beginOlder(s, newest *versionScan, guess []suite.Code) {
	var seen, unseen []certificateClass
	accepted := newest.accepted()
	for _, c := range classes {
		if newest == s || len(shared(universe(newest.version, c), accepted)) > 0 {
			seen = append(seen, c)
		} else {
			unseen = append(unseen, c)
		}
	}
	if newest != s && newest.joint() {
		seen = slices.DeleteFunc(seen, func(c certificateClass) bool { return c == classRSA || c == classECDSA })
		s.add(f.jointLine(s.version, guess))
	}
	f.begin(s, seen, guess)
	var r *rest
	for _, c := range unseen {
		list := universe(s.version, c)
		if r == nil || len(r.pref.universe)+len(list) > maxList {
			r = &rest{line: f.suiteLine(s.version, nil, nil)}
			r.once = true
			s.rests = append(s.rests, r)
		}
		r.pref.universe, r.classes = append(r.pref.universe, list...), append(r.classes, c)
	}
}

// follow begins the lines that the answers so far allow to ask, and reports whether there are any.
func (f *full) follow() (began bool) {
	if !f.told {
		return false
	}
	newest := f.newestClassic()
	for _, v := range scanned[1:] {
		s := f.versions[v]
		before := len(s.lines)
		s.openRests(f)
		if s.knock != nil && s.lines == nil && len(s.knock.pref.accepted()) > 0 {
			switch {
			case newest != s && newest.undecided():
			case f.foretold != nil:
				f.beginOlder(s, newest, f.foretold.SuitesFor(v))
			case newest == s || newest.finished():
				f.beginOlder(s, newest, newest.accepted())
			}
		}
		began = s.settlePair(f) || len(s.lines) != before || began
		if s.merged == nil && s.finished() {
			s.merged = f.mergeLine(s)
			began = began || s.merged != nil
		}
	}
	began = f.beginFinite() || began
	return f.otherGroups() || began
}

// openRests begins the classes of which a rest was accepted.
func (s *versionScan) openRests(f *full) {
	for _, r := range s.rests {
		if r.finished() && len(r.pref.accepted()) > 0 {
			f.begin(s, r.classes, nil)
			r.pref = newPreference[suite.Code](nil) // its classes ask for all of it again
		}
	}
}

// suiteLine asks for the suites of one version and class.
func (f *full) suiteLine(v suite.Version, list, guess []suite.Code) *line[suite.Code] {
	return &line[suite.Code]{
		limit: f.limit,
		pref:  newPreference(list), guess: guess, kind: kindOfSuite, rare: isRare,
		build: func(l []suite.Code) hello.Offer { return base(f.sni, v, l) },
		read:  func(o *probe.Observation) (suite.Code, bool) { return o.Suite, o.Answer.Accepted() && o.Version == v },
		last:  isChaCha,
		ahead: isFastGCM,
		fits:  func(c suite.Code) bool { return v == suite.TLS13 || suite.ByCode(c).KeyExchange == suite.KXECDHE },
	}
}

// isChaCha and isFastGCM are what servers go by that guess from the client's first suite whether it has instructions
// for AES: OpenSSL's PrioritizeChaCha, and Go's crypto/tls. Lists begin with AES, as those of most clients do.
func isChaCha(c suite.Code) bool { return suite.ByCode(c).Encryption == "CHACHA20" }

func isFastGCM(c suite.Code) bool {
	s := suite.ByCode(c)
	return s.Encryption == "AES" && s.Mode == "GCM" && (s.KeyExchange == suite.KXECDHE || s.KeyExchange == suite.KXAny)
}
