package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// server is what is known of the server side when fixes are looked for.
type server struct {
	policy *policy.Policy
	id     *policy.Identity
	name   string         // server_name
	family policy.Family  // of its load balancer; "" if not known
	kind   policy.Kind    // of the policy it runs now
	now    *policy.Policy // the predefined policy it runs, nil if none is known
	keys   []policy.KeyType
}

func (s *server) accepts(o *hello.Offer) bool { return negotiate.Decide(o, s.policy, s.id).OK }

// proposal is a fix with the offer that the client would make then, where it is one on the client's side: sent
// to a live endpoint, it proves the fix.
type proposal struct {
	Fix
	offer *hello.Offer
}

func plain(l []proposal) []Fix {
	out := make([]Fix, len(l))
	for i, p := range l {
		out[i] = p.Fix
	}
	return out
}

// fixes finds the least change on each side, for a refusal that negotiate.Decide explains.
func fixes(c *ClientSide, s *server, id cause.ID) []proposal {
	l := clientFixes(c, s)
	if f, ok := certificateFix(c, s, id); ok {
		l = append(l, proposal{Fix: f})
	}
	for _, f := range policyFixes(c, s) {
		l = append(l, proposal{Fix: f})
	}
	return l
}

// clientFixes: a setting that is known to help; an upgrade that is known to help; and where no setting does,
// what the offer lacks.
func clientFixes(c *ClientSide, s *server) []proposal {
	var l []proposal
	if set, ok := setting(c.offerTo(s.name), c.remedies(), s); ok {
		l = append(l, set)
	} else if better, steps, ok := repair(c.offerTo(s.name), s.policy, s.id); ok {
		f := proposal{Fix{Side: SideClient, Summary: capital(stepWords(steps)), Commands: []string{}}, &better}
		if c.Profile != nil {
			f.Summary += "; no setting of " + c.Name + " is known that is enough"
		}
		l = append(l, f)
	}
	if up := upgrade(c, s); up != nil {
		o := up.OfferTo(s.name)
		f := Fix{Side: SideClient, Commands: []string{},
			Summary: fmt.Sprintf("Upgrade to %s or later: the first release after %s that gets in as it comes", up.Title+released(up), c.Name)}
		l = append(l, proposal{f, &o})
	}
	return l
}

// setting is the change of a client's configuration that gets it in: one of its remedies, or if none is enough by
// itself all of them together.
func setting(o hello.Offer, remedies []client.Remedy, s *server) (proposal, bool) {
	var tries [][]client.Remedy
	for i := range remedies {
		tries = append(tries, remedies[i:i+1])
	}
	if len(remedies) > 1 {
		tries = append(tries, remedies)
	}
	for _, chosen := range tries {
		better := o
		for _, r := range chosen {
			enable(&better, r.Enables, s.name)
		}
		if s.accepts(&better) {
			return proposal{settingFix(chosen), &better}, true
		}
	}
	return proposal{}, false
}

func settingFix(remedies []client.Remedy) Fix {
	f := Fix{Side: SideClient, Commands: []string{}}
	var summaries, sources []string
	for _, r := range remedies {
		summaries, sources = append(summaries, r.Summary), append(sources, r.Source)
		f.Commands = append(f.Commands, r.Commands...)
	}
	f.Summary, f.Source = capital(strings.Join(summaries, "; ")), strings.Join(sources, "; ")
	return f
}

// enable adds to an offer what a setting enables: versions, suites, groups and signature schemes by name, and what
// client.Enabling has words for. Words for what the client accepts change nothing about the offer.
func enable(o *hello.Offer, what []string, serverName string) {
	for _, w := range what {
		if v, err := suite.ParseVersion(w); err == nil {
			addVersion(o, v)
			o.Accepts.MinVersion = min(o.Accepts.MinVersion, v)
		} else if x := suite.ByName(w); x != nil {
			o.Suites = with(o.Suites, x.Code)
		} else if g := suite.GroupByName(w); g != nil {
			o.HasGroups, o.Groups = true, with(o.Groups, g.Code)
		} else if x := suite.SchemeByName(w); x != nil {
			o.HasSchemes, o.Schemes = true, with(o.Schemes, x.Code)
		}
		switch w {
		case "server_name":
			o.ServerName = serverName
		case "extended_master_secret":
			o.ExtendedMaster = true
		case "renegotiation_info":
			o.SecureReneg = true
		case "tls-record-format":
			o.SSLv2Format = false
		}
	}
}

// with returns a copy of l that ends with x, unless x is in it already.
func with[T comparable](l []T, x T) []T {
	if slices.Contains(l, x) {
		return l
	}
	return append(slices.Clone(l), x)
}

func stepWords(steps []step) string {
	words := make([]string, len(steps))
	for i, s := range steps {
		words[i] = s.words
	}
	return strings.Join(words, ", ")
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func released(p *client.Profile) string {
	if p.Released == "" {
		return ""
	}
	return " (" + p.Released + ")"
}

// upgrade is the oldest later release of the same client that the server accepts.
func upgrade(c *ClientSide, s *server) *client.Profile {
	if c.Profile == nil {
		return nil
	}
	var best *client.Profile
	for _, p := range client.All() {
		if p.Family != c.Profile.Family || p.Released <= c.Profile.Released || best != nil && p.Released >= best.Released {
			continue
		}
		if o := p.OfferTo(s.name); s.accepts(&o) {
			best = p
		}
	}
	return best
}

// certificateFix: where the shared suites need a key of another kind, a second certificate lets the client in
// and changes nothing for others.
func certificateFix(c *ClientSide, s *server, id cause.ID) (Fix, bool) {
	if id != cause.CipherNeedsOtherCertificate && id != cause.NoCommonSignatureAlgorithm && id != cause.NoCommonGroup || s.id == nil {
		return Fix{}, false
	}
	o := c.offerTo(s.name)
	for _, add := range []policy.Certificate{{KeyType: policy.ECDSA, Bits: 256, Curve: suite.Secp256r1}, {KeyType: policy.RSA, Bits: 2048}} {
		wider := policy.Identity{Certificates: append(slices.Clone(s.id.Certificates), add)}
		if slices.Contains(s.keys, add.KeyType) || !negotiate.Decide(&o, s.policy, &wider).OK {
			continue
		}
		f := Fix{Side: SideCertificate, Commands: []string{},
			Summary: "Add a certificate with an " + negotiate.KeyName(&add) + " key beside the one that is there"}
		switch s.family {
		case policy.AWS:
			f.Commands = []string{"aws elbv2 add-listener-certificates --listener-arn LISTENER_ARN --certificates CertificateArn=CERTIFICATE_ARN"}
		case policy.Classic:
			f.Summary = "Replace the certificate by one with an " + negotiate.KeyName(&add) + " key (a Classic Load Balancer has one)"
			f.Commands = []string{"aws elb set-load-balancer-listener-ssl-certificate --load-balancer-name NAME --load-balancer-port 443 --ssl-certificate-id CERTIFICATE_ARN"}
		}
		return f, true
	}
	return Fix{}, false
}
