package negotiate

import (
	"slices"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// What Decide takes for granted where a side does not say.
var (
	assumeCertificate = []string{"the server has a certificate that fits the suite"}
	assumeGroups      = []string{"the server accepts one of the client's groups"}
	assumeBoth        = []string{assumeCertificate[0], assumeGroups[0]}
)

// Decide says what the handshake between a client's offer and a server's policy comes to. id may be nil
// or empty: then the certificates are unknown and a fitting one is taken for granted, which Assumed says.
// A success costs no allocation.
//
// The rules are those of RFC 8446, RFC 5246, RFC 8422, RFC 7301, RFC 7507, RFC 7919, RFC 5746 and
// RFC 7627; where real servers differ, p.Engine decides (see engine.go).
func Decide(o *hello.Offer, p *policy.Policy, id *policy.Identity) Outcome {
	if id == nil {
		id = &noIdentity
	}
	d := decision{o: o, p: p, id: id, rules: rulesOf(p.Engine), pinned: -1, certificate: -1}
	return d.run()
}

var noIdentity policy.Identity

// decision is the state of one call; it stays on the stack.
type decision struct {
	o     *hello.Offer
	p     *policy.Policy
	id    *policy.Identity
	rules *rules
	v     suite.Version

	pinned          int  // the certificate that was chosen before the suite; -1 if none was
	pinnedBySchemes bool // it was chosen because the client's schemes are of no kind that the server looks for
	noGroups        bool // some choice rests on groups that the server does not state
	certificate     int
	group           suite.Group
	scheme          suite.SignatureScheme
	retry           bool
	alpn            string
	furthest        obstacle // what stopped the shared suite that came furthest
	stop            bool     // the server looks at no further suite
	unoffered       bool     // the server signs by a scheme that the client does not offer
}

// obstacle says how far a suite came before something was missing, in the order in which servers check.
type obstacle int

const (
	notShared obstacle = iota
	noCertificate
	noCertificateCurve
	noGroup
	noScheme
	none
)

func (d *decision) run() Outcome {
	if d.o.SSLv2Format && !d.rules.takesSSLv2Hello && !d.p.Accepts(suite.SSLv2) {
		return d.refuse(SSLv2Hello, []string{"SSLv2-format ClientHello"}, []string{"TLS record format"})
	}
	if !d.chooseVersion() {
		return d.refuseVersion()
	}
	if s := d.checkHello(); s != fine {
		return d.refuseHello(s)
	}
	code, ok := d.chooseSuite()
	if !ok {
		if s := d.foundBefore(); s != fine {
			return d.refuseHello(s)
		}
		if d.rules.newerSuiteIfAllElseFails && d.v < suite.TLS12 && d.newerSuiteFits() {
			return d.giveUpSuite()
		}
		return d.refuseSuite()
	}
	if s := d.checkAfterSuite(); s != fine {
		return d.refuseHello(s)
	}
	out := Outcome{OK: true, Version: d.v, Suite: code, Group: d.group, Scheme: d.scheme, ALPN: d.alpn,
		HelloRetry: d.retry, Certificate: d.certificate}
	switch unknown := len(d.id.Certificates) == 0 && needsCertificate(suite.ByCode(code)); {
	case unknown && d.noGroups:
		out.Assumed = assumeBoth
	case unknown:
		out.Assumed = assumeCertificate
	case d.noGroups:
		out.Assumed = assumeGroups
	}
	return d.clientAccepts(out)
}

// chooseVersion takes the highest version of both sides.
func (d *decision) chooseVersion() bool {
	if len(d.o.Versions) == 0 {
		return false
	}
	if d.rules.readsLegacyVersion && d.o.Versions[0] >= suite.TLS13 && !d.p.Accepts(suite.TLS13) {
		// legacy_version of such a hello says TLS 1.2 (RFC 8446 section 4.1.2).
		for i := len(d.p.Versions) - 1; i >= 0; i-- {
			if v := d.p.Versions[i]; v <= suite.TLS12 {
				d.v = v
				return v >= d.o.Accepts.MinVersion && slices.Contains(d.o.Versions, v)
			}
		}
		return false
	}
	for _, v := range d.o.Versions { // highest first
		if d.p.Accepts(v) && (v != suite.SSLv2 || d.o.SSLv2Format) {
			d.v = v
			return v >= d.o.Accepts.MinVersion
		}
	}
	return false
}

// checkHello looks at what a server refuses before it chooses a suite.
func (d *decision) checkHello() Situation {
	o, p := d.o, d.p
	if !d.rules.fallbackAfterSuite && !d.rules.ignoresFallback && d.fallsBack() {
		return Fallback
	}
	switch {
	case p.SNI.Required && o.ServerName == "":
		return SNIMissing
	case p.SNI.RefuseUnknown && o.ServerName != "" && !d.nameKnown():
		return SNIUnknownName
	case d.v < suite.TLS13 && p.RequiresEMS && !o.ExtendedMaster:
		return EMSMissing
	case d.v < suite.TLS13 && p.RequiresRI && !o.SecureReneg:
		return RenegotiationMissing
	}
	if d.alpnGoesFirst() && !d.chooseALPN() {
		return ALPN
	}
	return fine
}

// checkAfterSuite looks at what a server refuses once it has chosen a suite.
func (d *decision) checkAfterSuite() Situation {
	if d.rules.fallbackAfterSuite && d.fallsBack() {
		return Fallback
	}
	if !d.alpnGoesFirst() && !d.chooseALPN() {
		return ALPN
	}
	return fine
}

func (d *decision) alpnGoesFirst() bool {
	return d.rules.alpnFirst == inAllVersions || d.rules.alpnFirst == beforeTLS13 && d.v < suite.TLS13
}

// foundBefore looks at what a server refuses before it comes to what stopped the suite. Where a hello has
// several faults, that decides which of them shows.
func (d *decision) foundBefore() Situation {
	if d.stop && d.rules.fallbackAfterSuite && d.fallsBack() {
		return Fallback
	}
	before := d.furthest >= d.rules.alpnBefore && !(d.rules.schemeBeforeGroup && d.furthest == noScheme)
	if d.v == suite.TLS13 && before && d.rules.alpnBefore != notShared && !d.chooseALPN() {
		return ALPN
	}
	return fine
}

// fallsBack reports whether the client retries below what the server could do (RFC 7507 section 3).
func (d *decision) fallsBack() bool {
	return d.o.FallbackSCSV && d.v < d.p.Versions[len(d.p.Versions)-1]
}

// chooseALPN agrees on an application protocol (RFC 7301 section 3.2).
func (d *decision) chooseALPN() bool {
	for _, a := range d.p.ALPN.Protocols {
		if slices.Contains(d.o.ALPN, a) {
			d.alpn = a
			return true
		}
	}
	return !d.p.ALPN.Strict || len(d.o.ALPN) == 0 || len(d.p.ALPN.Protocols) == 0
}

// chooseSuite goes through the shared suites in the order of the side that decides it.
func (d *decision) chooseSuite() (suite.Code, bool) {
	if d.lacksExtension() != fine {
		return 0, false
	}
	if d.rules.needsSharedScheme && d.v >= suite.TLS12 && d.o.HasSchemes && !d.sharesScheme() {
		d.furthest = noScheme
		return 0, false
	}
	d.pinCertificate()
	list := d.p.SuitesFor(d.v)
	if d.p.Order == policy.ClientOrder || d.v == suite.TLS13 && d.rules.suites13 == byClient {
		return d.firstThatFits(d.o.Suites, list, anySuite)
	}
	if d.chachaGoesFirst() {
		if c, ok := d.firstThatFits(list, d.o.Suites, chachaOnly); ok || d.stop {
			return c, ok
		}
	}
	return d.firstThatFits(list, d.o.Suites, anySuite)
}

// lacksExtension says which extension a TLS 1.3 hello lacks that this server wants above all.
func (d *decision) lacksExtension() Situation {
	s := fine
	switch {
	case d.v != suite.TLS13 || d.rules.missing == needsNothing:
	case !d.o.HasSchemes:
		s = SchemesMissing13
	case !d.o.HasGroups && d.rules.missing == needsBoth:
		s = GroupsMissing13
	}
	if s != fine && !d.sharesSuite() {
		return fine
	}
	return s
}

type suiteFilter uint8

const (
	anySuite suiteFilter = iota
	chachaOnly
)

// firstThatFits returns the first suite of list that is also in other and that the handshake can be done with.
func (d *decision) firstThatFits(list, other []suite.Code, only suiteFilter) (suite.Code, bool) {
	for _, c := range list {
		if !slices.Contains(other, c) {
			continue
		}
		s := suite.ByCode(c)
		if s == nil || !s.UsableIn(d.v) || !negotiable(s) || only == chachaOnly && s.Encryption != "CHACHA20" {
			continue
		}
		stopped := d.try(s)
		if stopped == none {
			return c, true
		}
		d.furthest = max(d.furthest, stopped)
		if d.stop {
			return 0, false
		}
	}
	return 0, false
}

// newerSuiteFits reports whether a shared suite of a newer version, still before TLS 1.3, would do.
func (d *decision) newerSuiteFits() bool {
	before := *d
	defer func() { *d = before }()
	for _, c := range d.p.SuitesFor(d.v) {
		s := suite.ByCode(c)
		if s != nil && s.MinVersion > d.v && s.MinVersion <= suite.TLS12 && slices.Contains(d.o.Suites, c) && d.try(s) == none {
			return true
		}
	}
	return false
}

// sharesSuite reports whether any suite of the version is in both lists.
func (d *decision) sharesSuite() bool {
	for _, c := range d.p.SuitesFor(d.v) {
		if s := suite.ByCode(c); s != nil && s.UsableIn(d.v) && slices.Contains(d.o.Suites, c) {
			return true
		}
	}
	return false
}

// negotiable leaves out suites that need a secret which no hello shows (PSK, SRP, Kerberos).
func negotiable(s *suite.Suite) bool {
	switch s.Authentication {
	case suite.AuthPSK, suite.AuthSRP, suite.AuthKRB5, suite.AuthECCPWD, suite.AuthFortezza, suite.AuthNull:
		return false
	}
	return s.KeyExchange != suite.KXSRP && s.KeyExchange != suite.KXRSAPSK
}

func needsCertificate(s *suite.Suite) bool { return s != nil && s.Authentication != suite.AuthAnon }

// try does the handshake with suite s as far as it goes.
func (d *decision) try(s *suite.Suite) obstacle {
	d.group, d.scheme, d.retry, d.certificate = 0, 0, false, -1
	if d.v == suite.TLS13 {
		if d.rules.schemeBeforeGroup {
			if stopped := d.chooseCertificate(s); stopped != none {
				return stopped
			}
		}
		if !d.chooseGroup13() {
			return noGroup
		}
		return d.chooseCertificate(s)
	}
	shared := true
	switch s.KeyExchange {
	case suite.KXECDHE, suite.KXECDHEPSK:
		shared = d.chooseGroup12()
	case suite.KXDHE:
		if d.rules.noDHE {
			return notShared
		}
		shared = d.chooseFFDHE()
	}
	if !shared {
		// Without a fitting certificate the groups would not help.
		if stopped := d.chooseCertificate(s); stopped == noCertificate {
			return stopped
		}
		d.stop = false
		return noGroup
	}
	return d.chooseCertificate(s)
}

// chachaGoesFirst reports whether the server puts ChaCha20 first for this client.
func (d *decision) chachaGoesFirst() bool {
	if d.rules.chacha == chachaNever {
		return false
	}
	for _, c := range d.o.Suites {
		s := suite.ByCode(c)
		switch {
		case s == nil:
		case d.rules.chacha == chachaUnlessG && goKnows(s):
			return s.Mode != "GCM" || s.KeyExchange == suite.KXRSA // the latter are not on Go's list of such suites
		case d.rules.chacha == chachaFirst:
			return s.Encryption == "CHACHA20"
		}
	}
	return d.rules.chacha == chachaUnlessG
}

// goKnows reports whether Go's crypto/tls implements a suite: ECDHE and RSA key exchange with AES, 3DES,
// RC4 and ChaCha20, without CCM and without AES-256 with HMAC-SHA2 (crypto/tls/cipher_suites.go).
func goKnows(s *suite.Suite) bool {
	switch s.KeyExchange {
	case suite.KXECDHE, suite.KXRSA, suite.KXAny:
	default:
		return false
	}
	switch {
	case s.Export, s.Mode == "CCM", s.Mode == "CCM8":
		return false
	case s.Encryption == "CHACHA20":
		return true
	case s.Encryption == "AES":
		return s.AEAD() || s.MAC == "SHA1" || s.MAC == "SHA256" && s.Bits == 128
	case s.Encryption == "3DES":
		return s.Authentication == suite.AuthRSA && s.MAC == "SHA1"
	}
	return s.Encryption == "RC4" && s.MAC == "SHA1"
}
