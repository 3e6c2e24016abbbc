package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/client"
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

// fixes finds the least change on each side, for a refusal that negotiate.Decide explains.
func fixes(c *ClientSide, s *server, id cause.ID) []Fix {
	l := clientFixes(c, s)
	if f, ok := certificateFix(c, s, id); ok {
		l = append(l, f)
	}
	if f, ok := policyFix(c, s); ok {
		l = append(l, f)
	}
	return l
}

// clientFixes: a setting that is known to help, an upgrade that is known to help, and in any case what the
// offer lacks.
func clientFixes(c *ClientSide, s *server) []Fix {
	var l []Fix
	_, steps, ok := repair(c.offerTo(s.name), s.policy, s.id)
	if ok {
		l = append(l, Fix{Side: SideClient, Summary: stepWords(steps), Commands: []string{}})
		if c.Profile != nil {
			for _, st := range steps {
				if r := c.Profile.Remedy(st.enables); r != nil {
					l[0].Commands = append(l[0].Commands, r.Commands...)
					l[0].Summary += ": " + r.Summary
					l[0].Source = r.Source
				}
			}
		}
	}
	if up := upgrade(c, s); up != nil {
		l = append(l, Fix{Side: SideClient, Commands: []string{},
			Summary: fmt.Sprintf("upgrade to %s or later: the first release of this client after %s that works here", up.Title+released(up), c.Name)})
	}
	return l
}

func stepWords(steps []step) string {
	words := make([]string, len(steps))
	for i, s := range steps {
		words[i] = s.words
	}
	text := strings.Join(words, ", ")
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
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
		o := p.OfferTo(s.name)
		if negotiate.Decide(&o, s.policy, s.id).OK {
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

// policyFix is the strictest predefined policy of the load balancer's family that lets the client in.
func policyFix(c *ClientSide, s *server) (Fix, bool) {
	if s.family == "" || s.family == policy.Observed || s.family == policy.Custom {
		return Fix{}, false
	}
	o := c.offerTo(s.name)
	for _, p := range policy.Alternatives(s.family, s.kind) {
		if s.now != nil && p.Name == s.now.Name || !negotiate.Decide(&o, p, s.id).OK {
			continue
		}
		return Fix{Side: SideLoadBalancer, Policy: p.Name, Price: price(s, p), Commands: commands(p),
			Summary: "Change the policy to " + p.Name + ", the strictest that lets this client in"}, true
	}
	return Fix{Side: SideLoadBalancer, Commands: []string{},
		Summary: fmt.Sprintf("No predefined policy of %s lets this client in", s.family)}, true
}

// price says what the change of policy would cost and whom it would let in or out.
func price(s *server, to *policy.Policy) *Price {
	from := s.policy
	if s.now != nil {
		from = s.now
	}
	d := policy.Compare(from, to)
	p := &Price{AddsVersions: d.AddedVersions, DropsVersions: d.DroppedVersions, AddsSuites: d.AddedSuites, DropsSuites: d.DroppedSuites,
		Weakest: policy.Weakest(to).String(), WeakestNow: policy.Weakest(from).String()}
	for _, c := range client.All() {
		o := c.OfferTo(s.name)
		switch before, after := negotiate.Decide(&o, from, s.id).OK, negotiate.Decide(&o, to, s.id).OK; {
		case after && !before:
			p.GainsClients = append(p.GainsClients, c.Name)
		case before && !after:
			p.LosesClients = append(p.LosesClients, c.Name)
		}
	}
	return p
}

// commands are what sets policy p on a load balancer of its family.
func commands(p *policy.Policy) []string {
	switch p.Family {
	case policy.AWS:
		return []string{"aws elbv2 modify-listener --listener-arn LISTENER_ARN --ssl-policy " + p.Name}
	case policy.Classic:
		return []string{
			"aws elb create-load-balancer-policy --load-balancer-name NAME --policy-name NEW_POLICY --policy-type-name SSLNegotiationPolicyType --policy-attributes AttributeName=Reference-Security-Policy,AttributeValue=" + p.Name,
			"aws elb set-load-balancer-policies-of-listener --load-balancer-name NAME --load-balancer-port 443 --policy-names NEW_POLICY",
		}
	case policy.Azure:
		return []string{"az network application-gateway ssl-policy set --resource-group GROUP --gateway-name GATEWAY --policy-type Predefined --policy-name " + p.Name}
	case policy.Google:
		return []string{"gcloud compute ssl-policies update SSL_POLICY --profile " + strings.TrimPrefix(p.Name, "GCP-")}
	}
	return []string{}
}
