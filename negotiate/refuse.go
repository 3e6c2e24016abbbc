package negotiate

import (
	"fmt"
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// refuse makes the outcome of a failure.
func (d *decision) refuse(id cause.ID, by string, client, server []string) Outcome {
	out := Outcome{Version: d.v, Certificate: -1, Reason: Reason{Cause: id, By: by, Version: d.v,
		Client: slices.Clone(client), Server: slices.Clone(server)}}
	if by == "server" {
		out.Reason.Signal = SignalOf(d.p.Engine, id)
	}
	return out
}

// refuseVersion is the refusal where no version is shared, or the shared one is below the client's floor.
func (d *decision) refuseVersion() Outcome {
	by := "server"
	if d.v != 0 {
		by = "client" // the server would take the old version, the client would not
	}
	d.v = 0
	return d.refuse(cause.NoCommonVersion, by, versionNames(d.offered()), versionNames(d.p.Versions))
}

// offered is the client's versions down to its floor.
func (d *decision) offered() []suite.Version {
	return slices.DeleteFunc(slices.Clone(d.o.Versions), func(v suite.Version) bool { return v < d.o.Accepts.MinVersion })
}

// refuseSuite names what stopped the suite that came furthest.
func (d *decision) refuseSuite() Outcome {
	shared := d.shared()
	switch d.furthest {
	case noScheme:
		return d.refuse(cause.NoCommonSignatureAlgorithm, "server", schemeNames(d.clientSchemes()), d.keySchemes())
	case noGroup:
		return d.refuse(cause.NoCommonGroup, "server", groupNames(d.o.Groups), groupNames(d.serverGroups()))
	case noCertificateCurve:
		return d.refuse(cause.NoCommonGroup, "server", groupNames(d.o.Groups), d.certificateCurves())
	case noCertificate:
		if len(shared) > 0 {
			return d.refuse(cause.CipherNeedsOtherCertificate, "server", suiteNames(shared), d.keyNames())
		}
	}
	return d.refuse(cause.NoCommonCipher, "server", suiteNames(d.inVersion(d.o.Suites)), suiteNames(d.inVersion(d.p.SuitesFor(d.v))))
}

// inVersion keeps the suites that the chosen version can carry; all of them where it can carry none, so
// that the report is not empty.
func (d *decision) inVersion(l []suite.Code) []suite.Code {
	fit := slices.DeleteFunc(slices.Clone(l), func(c suite.Code) bool {
		s := suite.ByCode(c)
		return s != nil && !s.UsableIn(d.v)
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
			l = append(l, c.Curve.String()+" (of the certificate)")
		}
	}
	return l
}

// keySchemes names the schemes by which the server's keys can sign in the chosen version.
func (d *decision) keySchemes() []string {
	var l []string
	for i := range d.id.Certificates {
		c := &d.id.Certificates[i]
		for _, s := range suite.AllSchemes() {
			if d.schemeFits(s.Code, c) && (d.p.Schemes == nil || slices.Contains(d.p.Schemes, s.Code)) {
				l = append(l, s.Name)
			}
		}
	}
	if len(l) == 0 {
		return schemeNames(d.p.Schemes)
	}
	return l
}

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
	if len(d.id.Certificates) == 0 {
		return true
	}
	for i := range d.id.Certificates {
		if MatchesName(&d.id.Certificates[i], d.o.ServerName) {
			return true
		}
	}
	return false
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
