package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
)

// confirm compares the policy and certificates that the API tells of with those that were seen. Where the policy is the one,
// nothing is left to guess: it takes the place of those that look the same.
func (v *visit) confirm(view policy.View) {
	t := v.opt.Told
	if t == nil || !t.TLS() {
		return
	}
	v.confirmCertificates()
	p := t.Server()
	if p == nil {
		return
	}
	m := policy.MatchPolicies(v.seen.Policy, view, []*policy.Policy{p}, 1)
	if len(m) == 1 && m[0].Exact {
		v.matches = m
		v.note("policy-confirmed", "the endpoint does what the policy "+p.Name+" says, which the API names")
		return
	}
	looks := ""
	if len(v.matches) > 0 && v.matches[0].Exact {
		looks = " but " + v.matches[0].Policy.Name
	}
	f := Finding{ID: "policy-differs", Summary: fmt.Sprintf("the API names the policy %s, and the endpoint at %s does not run it%s: something else ends TLS in front of the load balancer, or a change has not reached it yet",
		p.Name, v.t.Address, looks)}
	if t.Scheme == "internal" {
		f.Summary += ", or its private address is another machine's where this runs"
	}
	if len(m) == 1 {
		for _, d := range []struct {
			what string
			l    []string
		}{{"in the policy and not accepted: ", m[0].Missing}, {"accepted and not in the policy: ", m[0].Extra}} {
			if len(d.l) > 0 {
				f.Evidence = append(f.Evidence, Evidence{Fact: d.what + strings.Join(d.l, ", ")})
			}
		}
	}
	v.d.Findings = append(v.d.Findings, f)
}

func (v *visit) note(id, summary string) {
	v.d.Findings = append(v.d.Findings, Finding{ID: id, Summary: summary})
}

// confirmCertificates looks for each certificate that was presented among those of the listener, by its end and names: the
// lists of the API have no fingerprint.
func (v *visit) confirmCertificates() {
	t := v.opt.Told
	if len(t.Certificates) == 0 || slices.ContainsFunc(t.Certificates, func(c elb.Certificate) bool { return c.NotAfter.IsZero() }) {
		return
	}
	for _, seen := range v.seen.Identity.Certificates {
		if seen.NotAfter.IsZero() || slices.ContainsFunc(t.Certificates, func(c elb.Certificate) bool {
			return c.NotAfter.Truncate(time.Second).Equal(seen.NotAfter.Truncate(time.Second)) && shareName(c.Names, seen.Names)
		}) {
			continue
		}
		v.note("certificate-differs", fmt.Sprintf("the certificate that was presented (%s, until %s) is none of the listener's %d", seen.Subject,
			seen.NotAfter.UTC().Format(time.DateOnly), len(t.Certificates)))
	}
}

// shareName reports whether two certificates have a name in common, as far as they tell any.
func shareName(a, b []string) bool {
	return len(a) == 0 || len(b) == 0 || slices.ContainsFunc(a, func(n string) bool {
		return slices.ContainsFunc(b, func(m string) bool { return strings.EqualFold(n, m) })
	})
}
