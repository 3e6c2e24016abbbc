package inspect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
)

// Level is one of the levels of Mozilla's Server Side TLS, or none.
type Level string

// Levels, the strictest first.
const (
	Modern       Level = "modern"
	Intermediate Level = "intermediate"
	Old          Level = "old"
	NoLevel      Level = "none"
)

// Levels lists them, the strictest first.
var Levels = []Level{Modern, Intermediate, Old, NoLevel}

// Grade is the strictest level that an endpoint keeps to, and what stands in the way of the stricter ones.
type Grade struct {
	Level Level `json:"level"`
	// Missed are the stricter levels, the nearest first, with what to change for each.
	Missed []Missed `json:"missed"`
	// Notes do not count: what the level recommends without security depending on it.
	Notes []string `json:"notes"`
}

// Missed is a level that an endpoint does not keep to.
type Missed struct {
	Level      Level       `json:"level"`
	Guideline  string      `json:"guideline"` // the policy that states the level
	Deductions []Deduction `json:"deductions"`
}

// Deduction is one thing that a level does not allow.
type Deduction struct {
	Found  string `json:"found"`
	Change string `json:"change"`
}

// guideline finds the newest of Mozilla's guidelines that states a level. Version 6.0 has no old level any more.
func guideline(l Level) *policy.Policy {
	var newest *policy.Policy
	for _, p := range policy.InFamily(policy.Mozilla) { // in the order of their publication
		if strings.HasPrefix(p.Name, "Mozilla-"+string(l)+"-") {
			newest = p
		}
	}
	return newest
}

// Judge grades what is in a report. An endpoint keeps to a level if it accepts nothing that the level leaves out: no
// other version, no other suite, no weaker key, and has no flaw that was proved. What it could accept besides does not
// count.
func Judge(r *Report) Grade {
	g := Grade{Level: NoLevel, Missed: []Missed{}, Notes: []string{}}
	for _, l := range Levels[:len(Levels)-1] {
		p := guideline(l)
		d := deductions(r, l, p)
		if len(d) == 0 {
			g.Level = l
			g.Notes = append(append(g.Notes, notes(r, p)...), r.flawNotes()...)
			break
		}
		g.Missed = slices.Insert(g.Missed, 0, Missed{l, p.Name, d})
	}
	return g
}

// deductions lists everything that keeps an endpoint from a level.
func deductions(r *Report, l Level, p *policy.Policy) []Deduction {
	var d []Deduction
	add := func(found, change string) { d = append(d, Deduction{found, change}) }
	for _, x := range r.Protocols {
		if x.State == Yes && !p.Accepts(x.Version) {
			add(x.Version.String()+" is accepted", "switch off "+x.Version.String())
		}
	}
	if l == Modern && !r.accepts(suite.TLS13) {
		add("TLSv1.3 is not accepted", "switch on TLSv1.3")
	}
	if others := r.suitesOutside(p); len(others) > 0 {
		add(fmt.Sprintf("%s that %s does not have: %s", count(len(others), "cipher suite"), p.Name, firstNames(others)), "remove "+names(others))
	}
	if weak := r.weakGroups(); len(weak) > 0 {
		add("weak groups: "+strings.Join(weak, ", "), "remove "+strings.Join(weak, ", "))
	}
	if l == Old && p.Order == policy.ServerOrder && r.clientDecides() {
		add("the client decides which suite is taken, of which some are weak", "let the server's order count")
	}
	d = append(d, r.flaws()...)
	for i := range r.Certificates {
		d = append(d, certificateDeductions(&r.Certificates[i])...)
	}
	if l == Modern && len(r.Certificates) > 0 && !r.hasKey(policy.ECDSA) {
		add("no ECDSA certificate", "use a certificate with an ECDSA key on P-256 or P-384")
	}
	return d
}

// certificateChanges are the reasons against a certificate that keep an endpoint from every level, with what to do.
// Trust and names are no matter of the configuration, and are reported apart.
var certificateChanges = map[string]string{
	"certificate-expired":        "renew it",
	"certificate-not-yet-valid":  "use one that is valid today",
	"certificate-chain-expired":  "send the chain that is valid today",
	"weak-certificate-key":       "use an ECDSA key, or RSA with 2048 bits",
	"weak-certificate-signature": "have it issued again, signed with SHA-256",
	"certificate-revoked":        "replace it",
}

func certificateDeductions(c *scan.CertificateReport) []Deduction {
	var d []Deduction
	for _, x := range c.Verdict.Reasons {
		if change, counts := certificateChanges[x.ID]; counts && x.Severity == scan.Bad {
			d = append(d, Deduction{fmt.Sprintf("the certificate %s: %s", c.Subject, x.Summary), change})
		}
	}
	return d
}

// notes says in what an endpoint that keeps to a level still differs from it.
func notes(r *Report, p *policy.Policy) []string {
	var l []string
	if !r.accepts(suite.TLS13) {
		l = append(l, "TLSv1.3 is not accepted, which "+p.Name+" has")
	}
	var groups []string
	for _, x := range r.Groups {
		for _, g := range x.Groups {
			if !slices.Contains(p.Groups, g.Group) && !slices.Contains(groups, g.Group.String()) {
				groups = append(groups, g.Group.String())
			}
		}
	}
	if len(groups) > 0 {
		l = append(l, fmt.Sprintf("groups that %s does not list, none of them weak: %s", p.Name, strings.Join(groups, ", ")))
	}
	return l
}

func (r *Report) accepts(v suite.Version) bool {
	return slices.ContainsFunc(r.Protocols, func(p Protocol) bool { return p.Version == v && p.State == Yes })
}

func (r *Report) hasKey(k policy.KeyType) bool {
	return slices.ContainsFunc(r.Certificates, func(c scan.CertificateReport) bool { return c.KeyType == k })
}

// suitesOutside lists the accepted suites that the policy lacks, those of the newest version first.
func (r *Report) suitesOutside(p *policy.Policy) []suite.Code {
	var out []suite.Code
	for _, l := range r.Ciphers {
		for _, c := range l.Ciphers {
			if !slices.Contains(p.SuitesFor(l.Version), c.Cipher) && !slices.Contains(out, c.Cipher) {
				out = append(out, c.Cipher)
			}
		}
	}
	return out
}

func (r *Report) weakGroups() []string {
	var out []string
	for _, l := range r.Groups {
		for _, g := range l.Groups {
			if g.Strength < suite.Secure && !slices.Contains(out, g.Group.String()) {
				out = append(out, g.Group.String())
			}
		}
	}
	return out
}

func (r *Report) clientDecides() bool {
	return slices.ContainsFunc(r.Ciphers, func(l CipherList) bool { return l.Version < suite.TLS13 && l.Order == policy.ClientOrder })
}

func names(l []suite.Code) string {
	var s []string
	for _, c := range l {
		s = append(s, c.OpenSSL())
	}
	return strings.Join(s, ", ")
}

// firstNames names the first few and counts the others.
func firstNames(l []suite.Code) string {
	const most = 5
	if len(l) <= most+1 {
		return names(l)
	}
	return fmt.Sprintf("%s and %d more", names(l[:most]), len(l)-most)
}

func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
