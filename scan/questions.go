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
	}
	if v == suite.TLS13 {
		o.KeyShares = []suite.Group{suite.X25519, suite.Secp256r1}
	}
	return o
}

// firstRound asks for each version with everything, and for the two common kinds of certificate.
func firstRound(sni string) []Question {
	qs := []Question{{Name: suite.TLS13.String(), Offer: base(sni, suite.TLS13, tls13Suites)}}
	for _, v := range []suite.Version{suite.TLS12, suite.TLS11, suite.TLS10, suite.SSLv3} {
		qs = append(qs, Question{Name: v.String(), Offer: base(sni, v, usableIn(wideSuites, v))})
	}
	qs = append(qs,
		Question{askRSA, base(sni, suite.TLS12, withAuth(wideSuites, suite.AuthRSA))},
		Question{askECDSA, base(sni, suite.TLS12, withAuth(wideSuites, suite.AuthECDSA))},
		groupQuestion(sni, askPQ, pqGroups...),
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

func suiteQuestion(sni string, v suite.Version, name string, codes ...suite.Code) Question {
	return Question{name, base(sni, v, codes)}
}

func suiteName(c suite.Code) string  { return "suite " + c.String() }
func groupName(g suite.Group) string { return "group " + g.String() }
func kindName(k string) string       { return "suites with " + k }

// secondRound asks for what the first left open: each suite of the policies by itself, the others by
// kind, the groups.
func (s *state) secondRound(sni string) []Question {
	var qs []Question
	if v := s.highestClassic(); v != 0 {
		var singles []suite.Code
		if s.hasRSA() {
			singles = append(singles, ecdheRSA...)
			singles = append(singles, rsaSuites...)
		}
		if s.hasECDSA() {
			singles = append(singles, ecdsaSuites...)
		}
		for _, c := range usableIn(singles, v) {
			if !s.chosen(c) {
				qs = append(qs, suiteQuestion(sni, v, suiteName(c), c))
			}
		}
		for _, k := range kinds {
			if l := usableIn(k.suites, v); len(l) > 0 {
				qs = append(qs, suiteQuestion(sni, v, kindName(k.name), l...))
			}
		}
	}
	if s.accepts(suite.TLS13) {
		for _, c := range common13 {
			if !s.chosen(c) {
				qs = append(qs, suiteQuestion(sni, suite.TLS13, suiteName(c), c))
			}
		}
		for _, g := range classicGroups {
			if !s.choseGroup(g) {
				qs = append(qs, groupQuestion(sni, groupName(g), g))
			}
		}
		if s.accepted(askPQ) {
			for _, g := range pqGroups {
				if !s.choseGroup(g) {
					qs = append(qs, groupQuestion(sni, groupName(g), g))
				}
			}
		}
		if s.highestClassic() == 0 { // no certificate was in the clear
			rsa, ec := base(sni, suite.TLS13, tls13Suites), base(sni, suite.TLS13, tls13Suites)
			rsa.Schemes, ec.Schemes = rsaSchemes, ecdsaSchemes
			rsa.KeyShares = append(rsa.KeyShares, suite.Secp384r1)
			ec.KeyShares = rsa.KeyShares
			qs = append(qs, Question{askRSA, rsa}, Question{askECDSA, ec})
		}
	} else if v := s.highestClassic(); v != 0 {
		for _, g := range classicGroups {
			if q, ok := s.classicGroup(sni, v, g); ok && !s.choseGroup(g) {
				qs = append(qs, q)
			}
		}
	}
	return qs
}

// classicGroup asks for one group before TLS 1.3, by an ECDHE suite with an RSA certificate: with an
// ECDSA certificate the list also stands for the certificate's curve, so that a refusal proves nothing.
func (s *state) classicGroup(sni string, v suite.Version, g suite.Group) (Question, bool) {
	if !s.hasRSA() {
		return Question{}, false
	}
	o := base(sni, v, usableIn(ecdheRSA, v))
	o.Groups = []suite.Group{g}
	return Question{groupName(g), o}, true
}

// thirdRound asks for the members of the kinds that were accepted, those in first before the others, and
// whose order decides. It asks at most budget questions; what is left out is named in NotTested.
func (s *state) thirdRound(sni string, first []suite.Code, budget int) []Question {
	v := s.highestClassic()
	if v == 0 {
		return nil
	}
	var qs []Question
	if q, ok := s.orderQuestion(sni, v); ok {
		qs = append(qs, q)
	}
	var members []suite.Code
	for _, k := range kinds {
		if !s.accepted(kindName(k.name)) {
			continue
		}
		for _, c := range usableIn(k.suites, v) {
			if !s.chosen(c) && s.couldAuthenticate(c) {
				members = append(members, c)
			}
		}
	}
	slices.SortStableFunc(members, func(a, b suite.Code) int {
		return boolRank(slices.Contains(first, a)) - boolRank(slices.Contains(first, b))
	})
	for i, c := range members {
		if len(qs) >= budget {
			s.untested(members[i:])
			break
		}
		qs = append(qs, suiteQuestion(sni, v, suiteName(c), c))
	}
	return qs
}

func boolRank(first bool) int {
	if first {
		return 0
	}
	return 1
}

const askOrder = "order"

// orderQuestion offers the accepted suites with the server's first choice last: a server that takes it
// all the same decides the order itself.
func (s *state) orderQuestion(sni string, v suite.Version) (Question, bool) {
	r, ok := s.replies[suite.TLS12.String()]
	if !ok || !r.Answer.Accepted() || r.Version != v {
		if r, ok = s.replies[v.String()]; !ok {
			return Question{}, false
		}
	}
	var others []suite.Code
	for _, c := range s.suitesIn(v) {
		// Of two kinds of certificate some servers choose the certificate first: ask within one kind.
		if c != r.Suite && sameAuth(c, r.Suite) && suite.ByCode(c).Encryption != "CHACHA20" {
			others = append(others, c)
		}
	}
	if len(others) == 0 {
		return Question{}, false
	}
	slices.Reverse(others)
	return suiteQuestion(sni, v, askOrder, append(others, r.Suite)...), true
}

func sameAuth(a, b suite.Code) bool {
	x, y := suite.ByCode(a), suite.ByCode(b)
	return x != nil && y != nil && x.Authentication == y.Authentication
}
