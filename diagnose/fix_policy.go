package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// policyFixes are the changes on the load balancer that let the client in: the strictest predefined policy of
// its family, the strictest that besides turns nobody away who gets in today, if that is another one, and for a
// listener whose policy is its own the least to enable.
func policyFixes(c *ClientSide, s *server) []Fix {
	var l []Fix
	o := c.offerTo(s.name)
	if s.now == nil || s.now.Status == "custom" {
		if f, ok := listenerFix(&o, s); ok {
			l = append(l, f)
		}
	}
	if !predefined(s.family) {
		return l
	}
	first := true
	for _, p := range policy.Alternatives(s.family, s.kind) {
		if s.now != nil && p.Name == s.now.Name || !negotiate.Decide(&o, p, s.id).OK {
			continue
		}
		pr := price(s, p)
		harmless := len(pr.DropsVersions) == 0 && len(pr.LosesClients) == 0
		if !first && !harmless {
			continue
		}
		what := "the strictest that lets this client in"
		if !first {
			what = "the strictest that also keeps every protocol and known client of today"
		}
		f := Fix{Side: SideLoadBalancer, Policy: p.Name, Price: pr, Commands: commands(p), Summary: "Change the policy to " + p.Name + ", " + what}
		if s.now == nil {
			f.Summary = fmt.Sprintf("%s: change the policy to %s, %s", s.family.Title(), p.Name, what)
		}
		l = append(l, f)
		if first = false; harmless {
			return l
		}
	}
	if first {
		l = append(l, onLoadBalancer(fmt.Sprintf("No predefined policy of %s lets this client in", s.family.Title())))
	}
	return l
}

// predefined reports whether a family has policies that one can change to.
func predefined(f policy.Family) bool { return f != "" && f != policy.Observed && f != policy.Custom }

// listenerFix is the least to enable on a listener whose policy is its own: a version, or a suite, or both, the
// newest and strongest that the client has.
func listenerFix(o *hello.Offer, s *server) (Fix, bool) {
	versions := slices.Clone(o.Versions)
	slices.SortFunc(versions, func(a, b suite.Version) int { return int(b) - int(a) })
	suites := append([]suite.Code{0}, strongestFirst(o.Suites)...) // 0: the suites of today will do
	for _, v := range versions {
		for _, c := range suites {
			p := *s.policy
			var enabled []string
			if !v.Known() || c != 0 && (suite.ByCode(c) == nil || !suite.ByCode(c).UsableIn(v)) {
				continue
			}
			if !slices.Contains(p.Versions, v) {
				p.Versions = append(slices.Clone(p.Versions), v)
				slices.Sort(p.Versions)
				enabled = append(enabled, spoken(v))
			}
			if c != 0 {
				p.Suites = append(slices.Clone(p.Suites), c)
				enabled = append(enabled, fmt.Sprintf("the cipher suite %s (%s)", c.OpenSSL(), suite.StrengthOf(c)))
			}
			if len(enabled) > 0 && negotiate.Decide(o, &p, s.id).OK {
				f := onLoadBalancer("Enable " + enumerate(enabled) + " on the listener")
				f.Price = price(s, &p)
				return f, true
			}
		}
	}
	return Fix{}, false
}

func strongestFirst(l []suite.Code) []suite.Code {
	l = slices.Clone(l)
	slices.SortStableFunc(l, func(a, b suite.Code) int { return int(suite.StrengthOf(b)) - int(suite.StrengthOf(a)) })
	return l
}

// price says what a change of policy would cost and whom it would let in or out.
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
