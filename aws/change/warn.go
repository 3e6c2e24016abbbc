package change

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Warning is something about a plan that its reviewer should know.
type Warning struct {
	ID   string `json:"id"` // stable, for programs
	Text string `json:"text"`
	// Severe is that no handshake at all would succeed: such a plan is carried out only by force.
	Severe bool `json:"severe,omitempty"`
}

// Warn adds what is to be said of the plan. from and to are what both policies accept, nil where that is not known; id are
// the certificates, nil where their keys are not known.
func (p *Plan) Warn(now *Reading, from, to *policy.Policy, id *policy.Identity) {
	defer p.seal()
	add := func(id string, severe bool, format string, a ...any) {
		p.Warnings = append(p.Warnings, Warning{id, fmt.Sprintf(format, a...), severe})
	}
	if to == nil {
		add("policy-unknown", false, "what %s accepts is not known: neither who would break nor whether it took effect can be told", p.Set.Policy)
		return
	}
	if from == nil {
		add("policy-unknown", false, "what %s, the policy of today, accepts is not known", orNone(p.Had.Policy))
	} else if policy.Stricter(from, to) < 0 {
		add("weaker", false, "%s is weaker than %s: %s", to.Name, from.Name, weaker(from, to))
	}
	if p.Listener.Kind != elb.Classic && to.Status != "documented" && to.Status != "described" && to.Status != "" {
		add("not-documented", false, "%s is not on AWS's pages of today (%s): AWS may refuse it", to.Name, to.Status)
	}
	if p.Listener.Kind == elb.ALB {
		p.warnFIPS(now, to, add)
	}
	warnCertificates(to, id, add)
}

// Add adds warnings that others have.
func (p *Plan) Add(l ...Warning) {
	p.Warnings = append(p.Warnings, l...)
	p.seal()
}

// weaker says in what a policy is weaker, by the points of policy.Stricter.
func weaker(from, to *policy.Policy) string {
	d := policy.Compare(from, to)
	var l []string
	for _, v := range d.AddedVersions {
		if v < suite.TLS12 {
			l = append(l, v.String())
		}
	}
	for _, v := range d.DroppedVersions {
		if v == suite.TLS13 {
			l = append(l, "no "+v.String())
		}
	}
	if policy.ForwardSecret(from) && !policy.ForwardSecret(to) {
		l = append(l, "cipher suites without forward secrecy")
	}
	if policy.PostQuantum(from) && !policy.PostQuantum(to) {
		l = append(l, "no post-quantum groups")
	}
	if n := len(d.AddedSuites); n > 0 {
		l = append(l, fmt.Sprintf("%d more cipher suites", n))
	}
	if len(l) == 0 {
		return "by parley policy compare"
	}
	return strings.Join(l, ", ")
}

type adder func(id string, severe bool, format string, a ...any)

// warnFIPS speaks of the rule that the secure listeners of one ALB all have FIPS policies or none has.
// Source: "Security policies for your Application Load Balancer", FIPS security policies.
func (p *Plan) warnFIPS(now *Reading, to *policy.Policy, add adder) {
	var ports []string
	for _, s := range now.Siblings {
		if q := policy.ByName(string(policy.AWS) + "/" + s.Policy); q != nil && q.FIPS != to.FIPS {
			ports = append(ports, fmt.Sprintf("%d (%s)", s.Port, s.Policy))
		}
	}
	if len(ports) > 0 {
		what := map[bool]string{true: "a FIPS policy", false: "no FIPS policy"}
		add("fips-mix", false, "%s is %s, and this ALB's other listeners are otherwise: %s; the secure listeners of one ALB must be all FIPS or all not, so that AWS is likely to refuse this",
			to.Name, what[to.FIPS], strings.Join(ports, ", "))
	}
}

// warnCertificates speaks of certificates that the policy's cipher suites do not serve.
func warnCertificates(to *policy.Policy, id *policy.Identity, add adder) {
	if id == nil {
		for _, k := range []policy.KeyType{policy.RSA, policy.ECDSA} {
			if len(policy.Visible(to, policy.View{Keys: []policy.KeyType{k}}).Versions) == 0 {
				add("certificate-unknown", false, "%s has no cipher suite for %s certificates, and the keys of this listener's are not known", to.Name, strings.ToUpper(string(k)))
			}
		}
		return
	}
	var keys []policy.KeyType
	var names []string
	for _, c := range id.Certificates {
		if !slices.Contains(keys, c.KeyType) {
			keys, names = append(keys, c.KeyType), append(names, strings.ToUpper(string(c.KeyType)))
		}
	}
	seen := policy.Visible(to, policy.View{Keys: keys}).Versions
	if len(seen) == 0 {
		add("certificate", true, "every handshake would fail: %s has no cipher suite that the listener's %s certificates can serve", to.Name, strings.Join(names, " and "))
		return
	}
	for _, v := range to.Versions {
		if !slices.Contains(seen, v) {
			add("certificate", false, "%s could not be negotiated: %s has no cipher suite of it that the listener's %s certificates can serve", v, to.Name, strings.Join(names, " and "))
		}
	}
}

// Severe returns the first warning for which the plan is carried out only by force, nil if there is none.
func (p *Plan) Severe() *Warning {
	for i := range p.Warnings {
		if p.Warnings[i].Severe {
			return &p.Warnings[i]
		}
	}
	return nil
}
