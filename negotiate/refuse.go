package negotiate

import (
	"fmt"
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// refuse makes the outcome of a server's refusal.
func (d *decision) refuse(s Situation, client, server []string) Outcome {
	return Outcome{Version: d.v, Certificate: -1, Reason: Reason{Cause: s.Cause(), By: "server", Version: d.v,
		Client: slices.Clone(client), Server: slices.Clone(server), Signal: SignalIn(d.p.Engine, s)}}
}

// giveUp makes the outcome of a client's refusal of what the server chose.
func (d *decision) giveUp(id cause.ID, client, server []string) Outcome {
	return Outcome{Version: d.v, Certificate: -1, Reason: Reason{Cause: id, By: "client", Version: d.v,
		Client: slices.Clone(client), Server: slices.Clone(server)}}
}

// refuseVersion is the refusal where no version is shared, or the shared one is below the client's floor.
func (d *decision) refuseVersion() Outcome {
	agreed := d.v
	misread := agreed != 0 && !slices.Contains(d.o.Versions, agreed)
	answers := agreed != 0 && (!misread || d.answers())
	d.v = 0
	client, server := versionNames(floored(d.o)), versionNames(d.p.Versions)
	switch {
	case answers: // the server takes the old version, the client does not
		return d.giveUp(cause.NoCommonVersion, client, server)
	case misread || d.o.Versions[len(d.o.Versions)-1] == suite.TLS13:
		return d.refuse(VersionTLS13Only, client, server)
	}
	return d.refuse(Version, client, server)
}

// answers reports whether the server comes as far as a ServerHello in version d.v. Where it took that from the
// legacy_version of a TLS 1.3 hello, it mostly finds no suite for it.
func (d *decision) answers() bool {
	if d.checkHello() != fine {
		return false
	}
	_, ok := d.chooseSuite()
	return ok || d.unoffered
}

// floored is the client's versions down to its floor.
func floored(o *hello.Offer) []suite.Version {
	return slices.DeleteFunc(slices.Clone(o.Versions), func(v suite.Version) bool { return v < o.Accepts.MinVersion })
}

// refuseHello is the refusal for something other than suites, groups and schemes.
func (d *decision) refuseHello(s Situation) Outcome {
	o, p := d.o, d.p
	switch s {
	case Fallback:
		return d.refuse(s, versionNames(o.Versions), versionNames(p.Versions))
	case SNIMissing:
		return d.refuse(s, nil, []string{"server_name"})
	case SNIUnknownName:
		return d.refuse(s, []string{o.ServerName}, d.names())
	case EMSMissing:
		return d.refuse(s, nil, []string{"extended_master_secret"})
	case RenegotiationMissing:
		return d.refuse(s, nil, []string{"renegotiation_info"})
	}
	return d.refuse(s, o.ALPN, p.ALPN.Protocols)
}

// refuseSuite names what stopped the suite that came furthest.
func (d *decision) refuseSuite() Outcome {
	switch s := d.lacksExtension(); s {
	case SchemesMissing13:
		return d.refuse(s, nil, d.keySchemes())
	case GroupsMissing13:
		return d.refuse(s, nil, groupNames(d.serverGroups()))
	}
	shared := d.shared()
	switch d.furthest {
	case noScheme:
		return d.refuseScheme()
	case noGroup:
		s := Group12
		if d.v == suite.TLS13 {
			if s = Group13; !d.o.HasGroups {
				s = GroupsMissing13
			}
		}
		if s == GroupsMissing13 && d.rules.retriesUnlisted {
			return d.giveUp(s.Cause(), nil, groupNames(d.serverGroups()))
		}
		return d.refuse(s, groupNames(d.clientGroups()), groupNames(d.serverGroups()))
	case noCertificateCurve:
		return d.refuse(CertificateCurve, groupNames(d.o.Groups), d.certificateCurves())
	case noCertificate:
		switch {
		case len(shared) == 0:
		case d.pinnedBySchemes && d.anotherServes(shared): // with other schemes it would have been that one
			return d.refuse(Scheme12, schemeNames(d.clientSchemes()), schemeNames(pkcs1Schemes))
		default:
			return d.refuse(CipherCertificate, suiteNames(shared), d.keyNames())
		}
	}
	return d.refuse(Cipher, suiteNames(d.inVersion(d.o.Suites)), suiteNames(d.inVersion(d.p.SuitesFor(d.v))))
}

// pkcs1Schemes are the schemes by which HAProxy tells that a client takes an RSA certificate.
var pkcs1Schemes = []suite.SignatureScheme{suite.RSAPKCS1SHA256, suite.RSAPKCS1SHA384, suite.RSAPKCS1SHA512, suite.RSAPKCS1SHA1}

// anotherServes reports whether a certificate beside the pinned one serves one of the suites.
func (d *decision) anotherServes(suites []suite.Code) bool {
	for i, c := range d.id.Certificates {
		if i != d.pinned && slices.ContainsFunc(suites, func(s suite.Code) bool { return fitsSuite(c.KeyType, suite.ByCode(s), d.v) }) {
			return true
		}
	}
	return false
}

// giveUpSuite is the client's refusal of a suite that the version cannot carry.
func (d *decision) giveUpSuite() Outcome {
	return d.giveUp(cause.NoCommonCipher, suiteNames(d.inVersion(d.o.Suites)), suiteNames(d.inVersion(d.p.SuitesFor(d.v))))
}

func (d *decision) refuseScheme() Outcome {
	client, server := schemeNames(d.clientSchemes()), d.keySchemes()
	s := Scheme12
	switch {
	case d.v == suite.TLS13 && !d.o.HasSchemes:
		s = SchemesMissing13
	case d.v == suite.TLS13:
		s = Scheme13
	case !d.o.HasSchemes:
		s = SchemesMissing12
	}
	if d.unoffered {
		return d.giveUp(cause.NoCommonSignatureAlgorithm, client, server)
	}
	return d.refuse(s, client, server)
}

func (d *decision) inVersion(l []suite.Code) []suite.Code { return inVersion(l, d.v) }

// inVersion keeps the suites that a version can carry; all of them where it can carry none, so that the report is
// not empty.
func inVersion(l []suite.Code, v suite.Version) []suite.Code {
	fit := slices.DeleteFunc(slices.Clone(l), func(c suite.Code) bool {
		s := suite.ByCode(c)
		return s != nil && !s.UsableIn(v)
	})
	if len(fit) == 0 {
		return l
	}
	return fit
}

func (d *decision) shared() []suite.Code {
	var l []suite.Code
	for _, c := range d.o.Suites {
		if s := suite.ByCode(c); s != nil && s.UsableIn(d.v) && negotiable(s) && slices.Contains(d.p.SuitesFor(d.v), c) {
			l = append(l, c)
		}
	}
	return l
}

// clientGroups is the client's groups or, where the server takes one that the version cannot carry, that.
func (d *decision) clientGroups() []suite.Group {
	if d.v < suite.TLS13 && d.rules.hybridFirst {
		if g := d.postQuantumGroup(d.p.GroupsFor(d.v)); g != 0 {
			return []suite.Group{g}
		}
	}
	return d.o.Groups
}

// serverGroups is the server's groups that the chosen version can carry.
func (d *decision) serverGroups() []suite.Group {
	return slices.DeleteFunc(slices.Clone(d.p.GroupsFor(d.v)), func(g suite.Group) bool {
		return d.v == suite.TLS13 && !usable13(g) || d.v != suite.TLS13 && !usable12(g)
	})
}

func (d *decision) certificateCurves() []string {
	var l []string
	for _, c := range d.id.Certificates {
		if c.KeyType == policy.ECDSA {
			l = append(l, ofCertificate(c.Curve))
		}
	}
	return l
}

// keySchemes names the schemes by which the server's keys can sign in the chosen version, in its order.
func (d *decision) keySchemes() []string {
	var l []string
	order := d.serverSchemes()
	if order == nil {
		for _, s := range suite.AllSchemes() {
			order = append(order, s.Code)
		}
	}
	anyCert := *d
	anyOffer := *d.o
	anyOffer.CertSchemes = nil
	anyCert.o = &anyOffer
	for _, s := range order {
		if slices.ContainsFunc(d.id.Certificates, func(c policy.Certificate) bool { return anyCert.schemeFits(s, &c) }) {
			l = append(l, s.String())
		}
	}
	if len(l) == 0 {
		return schemeNames(d.p.Schemes)
	}
	return l
}

func ofCertificate(curve suite.Group) string { return curve.String() + " (of the certificate)" }

func (d *decision) keyNames() []string {
	var l []string
	for _, c := range d.id.Certificates {
		l = append(l, KeyName(&c))
	}
	return l
}

// KeyName describes the key of a certificate: "RSA 2048", "ECDSA secp256r1", "Ed25519".
func KeyName(c *policy.Certificate) string {
	switch c.KeyType {
	case policy.RSA, policy.RSAPSS, policy.DSA:
		name := map[policy.KeyType]string{policy.RSA: "RSA", policy.RSAPSS: "RSA-PSS", policy.DSA: "DSA"}[c.KeyType]
		if c.Bits == 0 {
			return name
		}
		return fmt.Sprintf("%s %d", name, c.Bits)
	case policy.ECDSA:
		if c.Curve == 0 {
			return "ECDSA"
		}
		return "ECDSA " + c.Curve.String()
	case policy.Ed25519:
		return "Ed25519"
	case policy.Ed448:
		return "Ed448"
	}
	return string(c.KeyType)
}

func (d *decision) nameKnown() bool {
	return slices.ContainsFunc(d.id.Certificates, func(c policy.Certificate) bool { return MatchesName(&c, d.o.ServerName) })
}

func (d *decision) names() []string {
	var l []string
	for _, c := range d.id.Certificates {
		l = append(l, c.Names...)
	}
	return l
}

func versionNames(vs []suite.Version) []string { return names(vs, suite.Version.String) }
func groupNames(gs []suite.Group) []string     { return names(gs, suite.Group.String) }
func suiteNames(cs []suite.Code) []string      { return names(cs, suite.Code.OpenSSL) }
func schemeNames(ss []suite.SignatureScheme) []string {
	return names(ss, suite.SignatureScheme.String)
}

func names[T any](l []T, name func(T) string) []string {
	out := make([]string, len(l))
	for i, v := range l {
		out[i] = name(v)
	}
	return out
}
