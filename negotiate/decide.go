package negotiate

import (
	"slices"

	"github.com/parley-tls/parley/cause"
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
// The rules are those of RFC 8446, RFC 5246, RFC 8422, RFC 7301, RFC 7507, RFC 5746 and RFC 7627; where
// real servers differ, p.Engine decides (see engine.go).
func Decide(o *hello.Offer, p *policy.Policy, id *policy.Identity) Outcome {
	if id == nil {
		id = &noIdentity
	}
	d := decision{o: o, p: p, id: id, rules: rulesOf(p.Engine)}
	return d.run()
}

var noIdentity policy.Identity

// decision is the state of one call; it stays on the stack.
type decision struct {
	o           *hello.Offer
	p           *policy.Policy
	id          *policy.Identity
	rules       *rules
	v           suite.Version
	noGroups    bool // some choice rests on groups that the server does not state
	chachaFirst bool
	certificate int
	group       suite.Group
	scheme      suite.SignatureScheme
	retry       bool
	alpn        string
	furthest    obstacle // what stopped the shared suite that came furthest
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
		return d.refuse(cause.SSLv2HelloRefused, "server", []string{"SSLv2-format ClientHello"}, []string{"TLS record format"})
	}
	if !d.chooseVersion() {
		return d.refuseVersion()
	}
	if out, refused := d.checkHello(); refused {
		return out
	}
	code, ok := d.chooseSuite()
	if !ok {
		return d.refuseSuite()
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
	for _, v := range d.o.Versions { // highest first
		if d.p.Accepts(v) && (v != suite.SSLv2 || d.o.SSLv2Format) {
			d.v = v
			return v >= d.o.Accepts.MinVersion
		}
	}
	return false
}

// checkHello looks at what a server refuses before it chooses a suite.
func (d *decision) checkHello() (Outcome, bool) {
	o, p := d.o, d.p
	top := p.Versions[len(p.Versions)-1]
	switch {
	case o.FallbackSCSV && o.Versions[0] < top:
		return d.refuse(cause.InappropriateFallback, "server", versionNames(o.Versions), versionNames(p.Versions)), true
	case p.SNI.Required && o.ServerName == "":
		return d.refuse(cause.SNIRequired, "server", nil, []string{"server_name"}), true
	case p.SNI.RefuseUnknown && o.ServerName != "" && !d.nameKnown():
		return d.refuse(cause.SNIUnknown, "server", []string{o.ServerName}, d.names()), true
	case d.v < suite.TLS13 && p.RequiresEMS && !o.ExtendedMaster:
		return d.refuse(cause.ExtendedMasterSecretRequired, "server", nil, []string{"extended_master_secret"}), true
	case d.v < suite.TLS13 && p.RequiresRI && !o.SecureReneg:
		return d.refuse(cause.LegacyRenegotiationDisabled, "server", nil, []string{"renegotiation_info"}), true
	}
	for _, a := range p.ALPN.Protocols {
		if slices.Contains(o.ALPN, a) {
			d.alpn = a
			break
		}
	}
	if p.ALPN.Strict && d.alpn == "" && len(o.ALPN) > 0 && len(p.ALPN.Protocols) > 0 {
		return d.refuse(cause.NoCommonALPN, "server", o.ALPN, p.ALPN.Protocols), true
	}
	return Outcome{}, false
}

// chooseSuite goes through the shared suites in the order of the side that decides it.
func (d *decision) chooseSuite() (suite.Code, bool) {
	list := d.p.SuitesFor(d.v)
	if d.p.Order == policy.ClientOrder {
		for _, c := range d.o.Suites {
			if slices.Contains(list, c) && d.fits(c) {
				return c, true
			}
		}
		return 0, false
	}
	if d.rules.chachaIfClientPrefers && prefersChaCha(d.o.Suites) {
		for _, c := range list {
			if isChaCha(c) && slices.Contains(d.o.Suites, c) && d.fits(c) {
				return c, true
			}
		}
	}
	for _, c := range list {
		if slices.Contains(d.o.Suites, c) && d.fits(c) {
			return c, true
		}
	}
	return 0, false
}

// fits reports whether the handshake can be done with suite c, and notes how far it came otherwise.
func (d *decision) fits(c suite.Code) bool {
	s := suite.ByCode(c)
	if s == nil || !s.UsableIn(d.v) || !negotiable(s) {
		return false
	}
	stopped := d.try(s)
	if stopped == none {
		return true
	}
	if stopped > d.furthest {
		d.furthest = stopped
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

func (d *decision) try(s *suite.Suite) obstacle {
	d.group, d.scheme, d.retry, d.certificate = 0, 0, false, -1
	if d.v == suite.TLS13 {
		if !d.chooseGroup13() {
			return noGroup
		}
		return d.chooseCertificate(s)
	}
	if s.KeyExchange.UsesEC() && s.KeyExchange != suite.KXECDH && !d.chooseGroup12() {
		// Without a fitting certificate the groups would not help.
		if stopped := d.chooseCertificate(s); stopped == noCertificate {
			return stopped
		}
		return noGroup
	}
	return d.chooseCertificate(s)
}

// clientAccepts applies the client's own demands to what the server chose.
func (d *decision) clientAccepts(out Outcome) Outcome {
	a := &d.o.Accepts
	switch {
	case d.v < suite.TLS13 && a.RequiresExtendedMS && d.p.LacksEMS:
		return d.refuse(cause.ExtendedMasterSecretRequired, "client", []string{"extended_master_secret"}, nil)
	case d.v < suite.TLS13 && a.RequiresSecureReneg && d.p.LacksRI:
		return d.refuse(cause.LegacyRenegotiationDisabled, "client", []string{"renegotiation_info"}, nil)
	case a.RequiresALPN && len(d.o.ALPN) > 0 && d.alpn == "":
		return d.refuse(cause.NoCommonALPN, "client", d.o.ALPN, d.p.ALPN.Protocols)
	}
	if s := suite.ByCode(out.Suite); s.KeyExchange == suite.KXDHE && d.p.DHBits > 0 {
		if r, weak := checkDH(a, d.p.DHBits); weak {
			r.Version = d.v
			return Outcome{Certificate: -1, Version: d.v, Suite: out.Suite, Reason: r}
		}
	}
	return out
}
