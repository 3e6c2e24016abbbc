package scan

import (
	"slices"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// keyClass is a kind of certificate that schemes are asked for together. Some servers choose the certificate before
// they look at the schemes one by one: asked for all kinds at once, they show that of one.
type keyClass struct {
	name string
	keys []string               // suite.SchemeInfo.Key
	auth []suite.Authentication // of the suites in TLS 1.2 that it serves
}

var keyClasses = []keyClass{
	{"rsa", []string{"rsa", "rsa-pss"}, []suite.Authentication{suite.AuthRSA}},
	{"ecdsa", []string{"ecdsa"}, []suite.Authentication{suite.AuthECDSA}},
	{"eddsa", []string{"ed25519", "ed448"}, []suite.Authentication{suite.AuthECDSA}}, // RFC 8422 section 5.10
	{"dsa", []string{"dsa"}, []suite.Authentication{suite.AuthDSS}},
	{"other", nil, nil},
}

// askSchemes learns by exclusion what the endpoint signs with in TLS 1.2 and 1.3. Every kind of certificate that there
// is shows on the way.
func (f *features) askSchemes() []experiment {
	for _, k := range keyClasses {
		if suites := f.signed(k); len(suites) > 0 {
			f.schemes = append(f.schemes, f.schemeListing(suite.TLS12, k, suites))
		}
	}
	for _, k := range keyClasses {
		if f.newest == suite.TLS13 && len(schemesOf(suite.TLS13, k)) > 0 {
			f.schemes = append(f.schemes, f.schemeListing(suite.TLS13, k, f.suites(suite.TLS13)))
		}
	}
	var l []experiment
	for _, s := range f.schemes {
		l = append(l, s)
	}
	return l
}

// signed are the suites of TLS 1.2 whose key exchange a key of this class signs.
func (f *features) signed(k keyClass) []suite.Code {
	if !f.accepts(suite.TLS12) {
		return nil
	}
	return f.suitesWith(suite.TLS12, func(s *suite.Suite) bool {
		return slices.Contains(k.auth, s.Authentication) && (s.KeyExchange == suite.KXECDHE || s.KeyExchange == suite.KXDHE)
	})
}

// schemesOf are the schemes of a class in one version, those that servers have first.
func schemesOf(v suite.Version, k keyClass) []suite.SignatureScheme {
	var known []string
	for _, other := range keyClasses {
		known = append(known, other.keys...)
	}
	l := slices.Clone(wideSchemes)
	for _, s := range suite.AllSchemes() {
		l = with(l, s.Code)
	}
	return slices.DeleteFunc(l, func(c suite.SignatureScheme) bool {
		s := suite.SchemeByCode(c)
		inClass := slices.Contains(k.keys, s.Key) || k.keys == nil && !slices.Contains(known, s.Key)
		return !inClass || v == suite.TLS13 && !s.TLS13 || v == suite.TLS12 && !s.TLS12
	})
}

// schemeListing is a listing of signature schemes.
type schemeListing struct {
	listing[suite.SignatureScheme]
	version suite.Version
	class   string
}

// schemeListing asks in one version. What certificates may be signed with is said apart, so that the certificate stays
// the same.
func (f *features) schemeListing(v suite.Version, k keyClass, suites []suite.Code) *schemeListing {
	list := schemesOf(v, k)
	return &schemeListing{version: v, class: k.name, listing: listing[suite.SignatureScheme]{extra: stapled, line: &line[suite.SignatureScheme]{
		pref: newPreference(list), guess: f.guessSchemes(v, list), eager: true,
		kind: func(c suite.SignatureScheme) string { return suite.SchemeByCode(c).Key },
		build: func(l []suite.SignatureScheme) hello.Offer {
			o := f.offer(v)
			o.Suites, o.Schemes, o.CertSchemes = suites, l, allSchemes()
			if v == suite.TLS13 && k.name == "rsa" {
				// It signs no handshake there, but HAProxy until 2.6 at least finds its RSA certificate by it.
				o.Schemes = append(slices.Clone(l), suite.RSAPKCS1SHA256)
			}
			return o
		},
		read: func(o *probe.Observation) (suite.SignatureScheme, bool) {
			return o.Scheme, o.Answer.Accepted() && o.Version == v && o.Scheme != 0
		},
	}}}
}

// allSchemes is what certificates may be signed with.
func allSchemes() []suite.SignatureScheme {
	l := slices.Clone(wideSchemes)
	for _, s := range suite.AllSchemes() {
		if s.TLS12 && s.Key != "gost" {
			l = with(l, s.Code)
		}
	}
	return l
}

// guessSchemes is what the kinds of certificate that were seen are likely to sign with.
func (f *features) guessSchemes(v suite.Version, list []suite.SignatureScheme) []suite.SignatureScheme {
	var guess []suite.SignatureScheme
	for _, c := range f.r.Seen.Identity.Certificates {
		switch {
		case c.KeyType == policy.RSA:
			guess = append(guess, rsaSchemes[:6]...)
		case c.KeyType == policy.ECDSA && v == suite.TLS13:
			guess = append(guess, curveScheme(c.Curve))
		case c.KeyType == policy.ECDSA:
			guess = append(guess, ecdsaSchemes[:3]...)
		case c.KeyType == policy.Ed25519:
			guess = append(guess, suite.Ed25519)
		}
	}
	var once []suite.SignatureScheme
	for _, c := range guess {
		once = with(once, c)
	}
	return shared(once, list)
}

// curveScheme is the one scheme of TLS 1.3 that a key on this curve signs with; 0 if there is none.
func curveScheme(g suite.Group) suite.SignatureScheme {
	for _, s := range suite.AllSchemes() {
		if s.TLS13 && s.Curve == g && s.Key == "ecdsa" {
			return s.Code
		}
	}
	return 0
}

// concludeSchemes reads the lists.
func (f *features) concludeSchemes() {
	f.report.SignatureSchemes = []SignatureSchemesReport{}
	for _, s := range f.schemes {
		r := SignatureSchemesReport{Version: s.version, Key: s.class, Schemes: []suite.SignatureScheme{}}
		accepted, order, _ := s.result()
		r.Schemes, r.Order = append(r.Schemes, accepted...), order
		for _, q := range s.unsure {
			for _, c := range shared(s.pref.open(), q.list) {
				r.Unsure = with(r.Unsure, c)
			}
		}
		if len(r.Schemes)+len(r.Unsure) > 0 {
			f.report.SignatureSchemes = append(f.report.SignatureSchemes, r)
		}
	}
}
