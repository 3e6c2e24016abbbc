package scan

import (
	"slices"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// Question is one hello and the reason for sending it.
type Question struct {
	Name  string // unique in a scan: "TLSv1.2", "suite 0xC02F", "group x25519"
	Offer hello.Offer
}

// Names of the questions of the first round; those of the others carry what they ask for.
const (
	askRSA   = "RSA certificate"
	askECDSA = "ECDSA certificate"
	askPQ    = "post-quantum groups"
	askRare  = "suites of all kinds that policies lack"
)

// base is what every question offers beside its subject: enough for a server that demands secure
// renegotiation or the extended master secret, and nothing that any server is known to choke on.
func base(sni string, v suite.Version, suites []suite.Code) hello.Offer {
	o := hello.Offer{
		Versions:    []suite.Version{v},
		Suites:      suites,
		SecureReneg: true,
		Compression: []byte{0},
	}
	if v < suite.TLS10 {
		return o // SSLv3 knows no extensions
	}
	o.ServerName = sni
	o.HasGroups, o.Groups = true, classicGroups
	o.PointFormats = []byte{0}
	o.ExtendedMaster = true
	if v >= suite.TLS12 {
		o.HasSchemes, o.Schemes = true, wideSchemes
		if len(withAuth(suites, suite.AuthDSS)) > 0 { // JSSE signs with SHA-1 no more
			o.Schemes = slices.Concat(wideSchemes, []suite.SignatureScheme{suite.DSASHA256})
		}
	}
	if v == suite.TLS13 {
		o.KeyShares = []suite.Group{suite.X25519, suite.Secp256r1}
	}
	return o
}

// firstRound asks for each version with everything, for the two common kinds of certificate, and for all suites
// and groups at once that few endpoints have.
func firstRound(sni string) []Question {
	qs := []Question{{Name: suite.TLS13.String(), Offer: base(sni, suite.TLS13, tls13Suites)}}
	for _, v := range []suite.Version{suite.TLS12, suite.TLS11, suite.TLS10, suite.SSLv3} {
		qs = append(qs, Question{Name: v.String(), Offer: base(sni, v, usableIn(wideSuites, v))})
	}
	qs = append(qs,
		Question{askRSA, base(sni, suite.TLS12, withAuth(wideSuites, suite.AuthRSA))},
		Question{askECDSA, base(sni, suite.TLS12, withAuth(wideSuites, suite.AuthECDSA))},
		pqQuestion(sni),
		suiteQuestion(sni, suite.TLS12, askRare, usableIn(rareSuites, suite.TLS12)...),
	)
	return qs
}

// groupQuestion asks for groups in TLS 1.3. It sends no key share (RFC 8446 section 4.2.8 allows that), so
// the answer is a HelloRetryRequest that names the group, and the hello stays small.
func groupQuestion(sni, name string, groups ...suite.Group) Question {
	o := base(sni, suite.TLS13, tls13Suites)
	o.Groups, o.KeyShares = groups, nil
	return Question{name, o}
}

// pqSuites are offered with the post-quantum groups: all but the one that most servers choose, so that the answer
// tells of another suite as well.
var pqSuites = tls13Suites[1:]

func pqQuestion(sni string) Question {
	q := groupQuestion(sni, askPQ, pqGroups...)
	q.Offer.Suites = pqSuites
	return q
}

func suiteQuestion(sni string, v suite.Version, name string, codes ...suite.Code) Question {
	return Question{name, base(sni, v, codes)}
}

func suiteName(c suite.Code) string  { return "suite " + c.String() }
func groupName(g suite.Group) string { return "group " + g.String() }
func kindName(k string) string       { return "suites with " + k }

// secondRound asks for what the first left open: each suite of the policies by itself, the others by
// kind, the groups.
func (s *state) secondRound(sni string) []Question {
	v := s.highestClassic()
	qs := slices.Concat(s.commonSuites(sni, v), s.kindQuestions(sni), s.groupQuestions(sni, v), s.orderQuestion(sni, v))
	if v == 0 { // no certificate was in the clear
		rsa, ec := base(sni, suite.TLS13, tls13Suites), base(sni, suite.TLS13, tls13Suites)
		rsa.Schemes, ec.Schemes = rsaSchemes, ecdsaSchemes
		rsa.KeyShares = append(rsa.KeyShares, suite.Secp384r1)
		ec.KeyShares = rsa.KeyShares
		qs = append(qs, Question{askRSA, rsa}, Question{askECDSA, ec})
	}
	return qs
}

// commonSuites asks for the suites that policies are made of, one by one. v is the highest version before TLS 1.3.
func (s *state) commonSuites(sni string, v suite.Version) []Question {
	var qs []Question
	ask := func(v suite.Version, l []suite.Code) {
		for _, c := range usableIn(l, v) {
			if !s.chosen(c) {
				qs = append(qs, suiteQuestion(sni, v, suiteName(c), c))
			}
		}
	}
	if s.hasRSA() {
		ask(v, ecdheRSA)
		ask(v, rsaSuites)
	}
	if s.hasECDSA() {
		ask(v, ecdsaSuites)
	}
	if s.accepts(suite.TLS13) {
		ask(suite.TLS13, common13)
	}
	return qs
}

// groupQuestions asks for groups, one by one.
func (s *state) groupQuestions(sni string, v suite.Version) []Question {
	l := classicGroups
	if s.accepted(askPQ) {
		l = slices.Concat(pqGroups, classicGroups)
	}
	var qs []Question
	for _, g := range l {
		switch {
		case s.choseGroup(g):
		case s.accepts(suite.TLS13):
			qs = append(qs, groupQuestion(sni, groupName(g), g))
		case s.hasRSA():
			// Before TLS 1.3 only by a suite with an RSA certificate: with an ECDSA certificate the list also
			// stands for the certificate's curve, so that a refusal proves nothing.
			o := base(sni, v, usableIn(ecdheRSA, v))
			o.Groups = []suite.Group{g}
			qs = append(qs, Question{groupName(g), o})
		}
	}
	return qs
}

// thirdRound asks for the members of the kinds that were accepted. It asks at most budget questions.
func (s *state) thirdRound(sni string, first []suite.Code, budget int) []Question {
	var qs []Question
	s.lots = divide(s.openLots(first), budget)
	for _, l := range s.lots {
		if l.asked {
			qs = append(qs, suiteQuestion(sni, l.version, l.name(), l.suites...))
		}
	}
	return qs
}

const askOrder = "order"

// orderQuestion offers everything that the same kind of certificate serves, with the server's first choice last: a
// server that takes it all the same decides the order itself. Of two kinds of certificate some servers choose the
// certificate first, so the question keeps to one; and some move ChaCha20 up when the client puts it first.
func (s *state) orderQuestion(sni string, v suite.Version) []Question {
	choice := s.firstChoice(v)
	if choice == 0 {
		return nil
	}
	var others []suite.Code
	for _, c := range slices.Backward(usableIn(wideSuites, v)) {
		if c != choice && sameAuth(c, choice) && suite.ByCode(c).Encryption != "CHACHA20" {
			others = append(others, c)
		}
	}
	return []Question{suiteQuestion(sni, v, askOrder, append(others, choice)...)}
}

// firstChoice is what the server took of everything in version v, 0 if it took nothing.
func (s *state) firstChoice(v suite.Version) suite.Code {
	for _, name := range []string{suite.TLS12.String(), v.String()} {
		if r, ok := s.replies[name]; ok && r.Answer.Accepted() && r.Version == v {
			return r.Suite
		}
	}
	return 0
}

func sameAuth(a, b suite.Code) bool {
	x, y := suite.ByCode(a), suite.ByCode(b)
	return x != nil && y != nil && x.Authentication == y.Authentication
}
