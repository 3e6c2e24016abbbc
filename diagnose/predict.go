package diagnose

import (
	"fmt"
	"strings"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// AgainstPolicy decides from tables alone whether a client gets in under a policy. id may be nil.
func AgainstPolicy(c *ClientSide, p *policy.Policy, id *policy.Identity, serverName string, now time.Time) *Diagnosis {
	d := newDiagnosis(c)
	d.Target = Target{Name: "policy:" + p.Name, Kind: "policy", ServerName: serverName}
	d.Predicted = true
	s := &server{policy: p, id: id, name: serverName, family: p.Family, kind: p.Kind, now: p, keys: keyTypes(id)}
	d.decide(c, s, "the policy", now)
	d.PolicyMatch = []PolicyMatch{{Name: p.Name, Family: p.Family, Exact: true, Missing: []string{}, Extra: []string{}}}
	d.Findings = append(d.Findings, doubt(p)...)
	return d
}

// doubt says where the tables are not sure what a policy accepts.
func doubt(p *policy.Policy) []Finding {
	if p.Confidence == policy.High || p.Confidence == "" {
		return nil
	}
	return []Finding{{ID: "policy-confidence", Summary: fmt.Sprintf("how sure the suites of %s are: %s (parley policy show %s says why)", p.Name, p.Confidence, p.Name)}}
}

func newDiagnosis(c *ClientSide) *Diagnosis {
	return &Diagnosis{Schema: Schema, Client: c.describe(), Causes: []Cause{}, Findings: []Finding{}, Fixes: []Fix{}, PolicyMatch: []PolicyMatch{}}
}

// decide fills in the outcome that negotiate.Decide and the client's own rules come to.
func (d *Diagnosis) decide(c *ClientSide, s *server, what string, now time.Time) negotiate.Outcome {
	o := c.offerTo(s.name)
	out := negotiate.Decide(&o, s.policy, s.id)
	if !out.OK {
		d.Outcome = Refused
		d.Causes = append(d.Causes, causeOf(c, &o, s.policy, out.Reason, what))
		d.Fixes = append(d.Fixes, plain(fixes(c, s, out.Reason.Cause))...)
		return out
	}
	d.Outcome = Negotiated
	d.Negotiated = &Agreement{Version: out.Version, Cipher: out.Suite, Group: out.Group, Scheme: out.Scheme, ALPN: out.ALPN}
	for _, a := range out.Assumed {
		d.Findings = append(d.Findings, Finding{ID: "assumed", Summary: "taken for granted: " + a})
	}
	if out.Certificate >= 0 {
		d.checkCertificate(c, &o, &s.id.Certificates[out.Certificate], s.name, now)
	}
	return out
}

// checkCertificate applies the client's rules to the certificate that it would get.
func (d *Diagnosis) checkCertificate(c *ClientSide, o *hello.Offer, cert *policy.Certificate, name string, now time.Time) {
	for _, r := range negotiate.CheckIdentity(o, cert, name, now) {
		d.Outcome = Refused
		d.Causes = append(d.Causes, Cause{ID: r.Cause, Confidence: 0.95, Stage: r.Cause.Stage(), ClientSet: r.Client, ServerSet: r.Server,
			Summary:  sentence(c.Name, "the listener", o, nil, r),
			Evidence: []Evidence{{Fact: fmt.Sprintf("certificate of %s, key %s", cert.Subject, negotiate.KeyName(cert))}}})
		if f, ok := tolerance(c, r); ok {
			d.Fixes = append(d.Fixes, f)
		}
		d.Fixes = append(d.Fixes, identityFix(r))
	}
}

// identityFix says what to do about a certificate that the client refuses.
func identityFix(r negotiate.Reason) Fix {
	f := Fix{Side: SideCertificate, Commands: []string{}}
	switch r.Cause {
	case cause.WeakCertificateKey:
		f.Summary = "Use a certificate that meets the client's demand: " + enumerate(r.Client)
	case cause.CertificateExpired:
		f.Summary = "Renew the certificate (and check the client's clock)"
	case cause.CertificateNameMismatch:
		f.Summary = "Use a certificate that names " + enumerate(r.Client) + ", or connect by a name that is in it"
	case cause.CertificateChainIncomplete:
		f.Summary = "Install the intermediate certificate with the server's own"
	case cause.CertificateUntrusted:
		f.Summary = "Add the issuer to the client's trust store, or use a certificate of an issuer that it trusts"
	default:
		f.Summary = "Use another certificate"
	}
	return f
}

// causeOf words a reason.
func causeOf(c *ClientSide, o *hello.Offer, p *policy.Policy, r negotiate.Reason, what string) Cause {
	k := Cause{ID: r.Cause, Confidence: 0.95, Stage: r.Cause.Stage(), ClientSet: r.Client, ServerSet: r.Server, Evidence: []Evidence{},
		Summary: sentence(c.Name, what, o, p.Versions, r)}
	if s := r.Signal; s != (negotiate.Signal{}) && p.Engine != policy.EngineGeneric {
		k.Evidence = append(k.Evidence, Evidence{Fact: "what the client sees: " + signalWords(s) + " (" + s.Source + ")"})
	}
	return k
}

func signalWords(s negotiate.Signal) string {
	switch {
	case s.Reset:
		return "a reset without an alert"
	case s.CloseNotify:
		return "a close without an error alert, close_notify (0) alone"
	case s.Close:
		return "a close without an alert"
	}
	return fmt.Sprintf("alert %s (%d)", s.Alert, uint8(s.Alert))
}

func keyTypes(id *policy.Identity) []policy.KeyType {
	var l []policy.KeyType
	if id == nil {
		return nil
	}
	for _, c := range id.Certificates {
		l = append(l, c.KeyType)
	}
	return l
}

// NothingToOffer is the diagnosis of a client whose own library has none of the suites it was told to use:
// it fails before it sends a byte.
func NothingToOffer(name, target string, err error) *Diagnosis {
	d := newDiagnosis(FromOffer(name, "ciphers", hello.Offer{Versions: []suite.Version{}}))
	d.Target = Target{Name: target, Kind: "endpoint"}
	if strings.HasPrefix(target, "policy:") {
		d.Target.Kind = "policy"
	}
	d.Outcome = Refused
	d.Causes = append(d.Causes, Cause{ID: cause.ClientLacksCipher, Confidence: 1, Stage: cause.ClientLacksCipher.Stage(),
		Summary:  "the client's own library has none of the ciphers it was told to use; the load balancer was never contacted",
		Evidence: []Evidence{{Fact: err.Error(), Command: "parley ciphers -s -v '" + strings.TrimPrefix(name, "ciphers:") + "'"}}})
	d.Fixes = append(d.Fixes, Fix{Side: SideClient, Summary: "Name cipher suites that the client's library has", Commands: []string{"parley ciphers -s -v"}})
	return d
}
