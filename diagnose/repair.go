package diagnose

import (
	"fmt"
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// step is one change to an offer.
type step struct {
	words   string // "offer TLS 1.2"
	enables string // what a client.Remedy would have to enable: "TLSv1.2", "secp256r1"
}

// repair changes an offer as little as needed until the policy accepts it, one obstacle after the other. It
// returns false where no change to the offer helps.
func repair(o hello.Offer, p *policy.Policy, id *policy.Identity) (hello.Offer, []step, bool) {
	var steps []step
	for range 8 { // each obstacle can come up once
		out := negotiate.Decide(&o, p, id)
		if out.OK {
			return o, steps, len(steps) > 0
		}
		s, ok := overcome(&o, p, id, &out)
		if !ok {
			return o, steps, false
		}
		steps = append(steps, s...)
	}
	return o, steps, false
}

// overcome removes the obstacle that out names.
func overcome(o *hello.Offer, p *policy.Policy, id *policy.Identity, out *negotiate.Outcome) ([]step, bool) {
	switch out.Reason.Cause {
	case cause.NoCommonVersion:
		v, ok := nearestVersion(o, p)
		if !ok {
			return nil, false
		}
		addVersion(o, v)
		o.Accepts.MinVersion = min(o.Accepts.MinVersion, v)
		return []step{{"offer " + spoken(v), v.String()}}, true
	case cause.NoCommonCipher, cause.CipherNeedsOtherCertificate:
		return addSuite(o, p, id, out.Version)
	case cause.NoCommonGroup:
		return addGroup(o, p, id, out.Version)
	case cause.NoCommonSignatureAlgorithm:
		return addScheme(o, p, id)
	case cause.InappropriateFallback:
		o.FallbackSCSV = false
		return []step{{"leave out TLS_FALLBACK_SCSV: connect with the highest version first", ""}}, true
	case cause.SNIRequired:
		if len(id.Certificates) > 0 && len(id.Certificates[0].Names) > 0 {
			o.ServerName = id.Certificates[0].Names[0]
		} else {
			o.ServerName = "name.of.the.server"
		}
		return []step{{"send server_name (SNI)", "server_name"}}, true
	case cause.NoCommonALPN:
		if len(p.ALPN.Protocols) == 0 {
			return nil, false
		}
		o.ALPN = append(slices.Clone(o.ALPN), p.ALPN.Protocols[0])
		return []step{{"offer the application protocol " + p.ALPN.Protocols[0], "alpn"}}, true
	case cause.ExtendedMasterSecretRequired:
		o.ExtendedMaster = true
		return []step{{"send extended_master_secret (RFC 7627)", "extended_master_secret"}}, out.Reason.By == "server"
	case cause.LegacyRenegotiationDisabled:
		o.SecureReneg = true
		return []step{{"send renegotiation_info (RFC 5746)", "renegotiation_info"}}, out.Reason.By == "server"
	case cause.SSLv2HelloRefused:
		o.SSLv2Format = false
		o.Suites = slices.DeleteFunc(slices.Clone(o.Suites), func(c suite.Code) bool { return c > 0xFFFF })
		return []step{{"send the hello in the TLS record format (switch off SSLv2Hello)", "tls-record-format"}}, true
	case cause.WeakDHParameters:
		return addSuite(o, &policy.Policy{Versions: p.Versions, Suites: withoutDHE(p.Suites), Order: p.Order, Groups: p.Groups, Engine: p.Engine}, id, out.Version)
	}
	return nil, false
}

func withoutDHE(l []suite.Code) []suite.Code {
	return slices.DeleteFunc(slices.Clone(l), func(c suite.Code) bool {
		s := suite.ByCode(c)
		return s != nil && s.KeyExchange == suite.KXDHE
	})
}

// nearestVersion is the version of the server that lies next to what the client offers: upwards if there is
// one, since a client learns newer versions by an update.
func nearestVersion(o *hello.Offer, p *policy.Policy) (suite.Version, bool) {
	top := suite.Version(0)
	for _, v := range o.Versions {
		if v.Known() {
			top = max(top, v)
		}
	}
	for _, v := range p.Versions { // oldest first
		if v > top {
			return v, true
		}
	}
	if len(p.Versions) == 0 {
		return 0, false
	}
	return p.Versions[len(p.Versions)-1], true
}

func addVersion(o *hello.Offer, v suite.Version) {
	o.Versions = slices.Clone(o.Versions)
	if !slices.Contains(o.Versions, v) {
		o.Versions = append(o.Versions, v)
	}
	slices.SortFunc(o.Versions, func(a, b suite.Version) int { return int(b) - int(a) })
	if v >= suite.TLS12 && !o.HasSchemes { // whoever speaks TLS 1.2 sends them
		o.HasSchemes, o.Schemes = true, slices.Clone(wideSchemes)
	}
	if v == suite.TLS13 && len(o.KeyShares) == 0 {
		if !o.HasGroups {
			o.HasGroups, o.Groups = true, []suite.Group{suite.X25519, suite.Secp256r1}
		}
		for _, g := range o.Groups {
			if i := suite.GroupByCode(g); i != nil && i.TLS13 && i.Kind == "ec" {
				o.KeyShares = []suite.Group{g}
				break
			}
		}
	}
}

// addSuite adds the strongest suite of the policy that makes this version work with the certificates there
// are.
func addSuite(o *hello.Offer, p *policy.Policy, id *policy.Identity, v suite.Version) ([]step, bool) {
	var best suite.Code
	found := false
	for _, c := range p.SuitesFor(v) {
		s := suite.ByCode(c)
		if s == nil || !s.UsableIn(v) || slices.Contains(o.Suites, c) || !certified(s, id, v) {
			continue
		}
		if !found || suite.StrengthOf(c) > suite.StrengthOf(best) {
			best, found = c, true
		}
	}
	if !found {
		return nil, false
	}
	o.Suites = append([]suite.Code{best}, o.Suites...)
	complete(o, suite.ByCode(best), v)
	return []step{{"offer the cipher suite " + best.OpenSSL(), best.Name()}}, true
}

// complete adds to an offer what clients send together with a suite, and without which some servers do not take it
// for offered.
func complete(o *hello.Offer, s *suite.Suite, v suite.Version) {
	if s.KeyExchange == suite.KXECDHE && !o.HasGroups {
		o.HasGroups, o.Groups = true, []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1}
		o.PointFormats = []byte{0}
	}
	if v >= suite.TLS12 && !o.HasSchemes {
		o.HasSchemes, o.Schemes = true, slices.Clone(wideSchemes)
	}
}

// certified reports whether some certificate of the identity serves suite s; an unknown identity serves all.
func certified(s *suite.Suite, id *policy.Identity, v suite.Version) bool {
	if id == nil || len(id.Certificates) == 0 || v == suite.TLS13 {
		return true
	}
	return slices.ContainsFunc(id.Certificates, func(c policy.Certificate) bool {
		switch c.KeyType {
		case policy.RSA, policy.RSAPSS:
			return s.Authentication == suite.AuthRSA
		case policy.ECDSA, policy.Ed25519, policy.Ed448:
			return s.Authentication == suite.AuthECDSA
		case policy.DSA:
			return s.Authentication == suite.AuthDSS
		}
		return false
	})
}

func addGroup(o *hello.Offer, p *policy.Policy, id *policy.Identity, v suite.Version) ([]step, bool) {
	var steps []step
	add := func(g suite.Group) {
		if slices.Contains(o.Groups, g) {
			return
		}
		o.HasGroups = true
		o.Groups = append(slices.Clone(o.Groups), g)
		if v == suite.TLS13 {
			o.KeyShares = append(slices.Clone(o.KeyShares), g)
		}
		steps = append(steps, step{"offer the group " + g.String(), g.String()})
	}
	for _, g := range p.GroupsFor(v) {
		if i := suite.GroupByCode(g); i != nil && (v == suite.TLS13 && i.TLS13 || v < suite.TLS13 && i.TLS12) && i.Kind == "ec" {
			shared := slices.ContainsFunc(p.GroupsFor(v), func(g suite.Group) bool { return slices.Contains(o.Groups, g) })
			if !shared {
				add(g)
			}
			break
		}
	}
	if id != nil && v < suite.TLS13 {
		for _, c := range id.Certificates {
			if c.KeyType == policy.ECDSA && c.Curve != 0 {
				add(c.Curve)
			}
		}
	}
	if len(steps) == 0 && len(p.GroupsFor(v)) == 0 {
		add(suite.Secp256r1)
	}
	return steps, len(steps) > 0
}

func addScheme(o *hello.Offer, p *policy.Policy, id *policy.Identity) ([]step, bool) {
	if id == nil || len(id.Certificates) == 0 {
		return nil, false
	}
	for _, c := range id.Certificates {
		for _, s := range schemesOf(&c) {
			if slices.Contains(o.Schemes, s) || p.Schemes != nil && !slices.Contains(p.Schemes, s) {
				continue
			}
			o.HasSchemes = true
			o.Schemes = append(slices.Clone(o.Schemes), s)
			return []step{{fmt.Sprintf("offer the signature scheme %s", s), s.String()}}, true
		}
	}
	return nil, false
}

// schemesOf lists the schemes by which a key signs, the most common first.
func schemesOf(c *policy.Certificate) []suite.SignatureScheme {
	switch c.KeyType {
	case policy.RSA:
		return []suite.SignatureScheme{suite.RSAPSSRSAESHA256, suite.RSAPKCS1SHA256, suite.RSAPKCS1SHA384}
	case policy.RSAPSS:
		return []suite.SignatureScheme{suite.RSAPSSPSSSHA256, suite.RSAPSSPSSSHA384}
	case policy.Ed25519:
		return []suite.SignatureScheme{suite.Ed25519}
	case policy.Ed448:
		return []suite.SignatureScheme{suite.Ed448}
	case policy.ECDSA:
		switch c.Curve {
		case suite.Secp384r1:
			return []suite.SignatureScheme{suite.ECDSASecp384r1SHA384}
		case suite.Secp521r1:
			return []suite.SignatureScheme{suite.ECDSASecp521r1SHA512}
		}
		return []suite.SignatureScheme{suite.ECDSASecp256r1SHA256}
	}
	return nil
}
