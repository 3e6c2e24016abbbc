package inspect

import (
	"strings"

	"github.com/parley-tls/parley/vuln"
)

// Finding returns the outcome of the check with this id, nil where it was not made.
func (r *Report) Finding(id string) *vuln.Finding {
	for i := range r.Vulnerabilities {
		if r.Vulnerabilities[i].ID == id {
			return &r.Vulnerabilities[i]
		}
	}
	return nil
}

// Proven lists the vulnerabilities that were proved, of a severity that counts: medium or worse. Less is a condition
// beside others or no attack at all.
func (r *Report) Proven() []vuln.Finding {
	var l []vuln.Finding
	for _, f := range r.Vulnerabilities {
		if f.Verdict == vuln.Vulnerable && counts(f.Severity) {
			l = append(l, f)
		}
	}
	return l
}

func counts(s vuln.Severity) bool {
	return s == vuln.Critical || s == vuln.High || s == vuln.Medium
}

// flawChanges say what to do about the flaws that are found by how an endpoint behaves. The other checks follow from
// the protocols, suites and key exchanges that it accepts, which each level lists already.
var flawChanges = map[string]string{
	"heartbleed":             "update OpenSSL to 1.0.1g or later, then renew the keys and certificates that it held",
	"ccs-injection":          "update OpenSSL to 1.0.1h, 1.0.0m, 0.9.8za or later",
	"ticketbleed":            "update the load balancer (F5 K05121675), or switch session tickets off",
	"robot":                  "update the TLS library, or remove the suites with RSA key exchange",
	"poodle-tls":             "update the TLS library or the load balancer's firmware, or remove the CBC suites",
	"crime":                  "switch TLS compression off",
	"insecure-renegotiation": "update the TLS library to one that knows RFC 5746, or switch renegotiation off",
}

// flaws lists the deductions that no level is without.
func (r *Report) flaws() []Deduction {
	var d []Deduction
	for _, f := range r.Proven() {
		if change, ok := flawChanges[f.ID]; ok {
			d = append(d, Deduction{f.Name + ": " + f.Summary, change})
		}
	}
	return d
}

// flawNotes name the flaws that were proved and do not count.
func (r *Report) flawNotes() []string {
	var l []string
	for _, f := range r.Vulnerabilities {
		if f.Verdict == vuln.Vulnerable && !counts(f.Severity) {
			l = append(l, f.Name)
		}
	}
	if len(l) == 0 {
		return nil
	}
	return []string{"found, and too slight to count: " + strings.Join(l, ", ")}
}

// compareFindings compares what both reports have a verdict on. What was open before and is proved now counts as new,
// as it does with suites; what is open now is not gone.
func compareFindings(before *Former, now *Report, add adder) {
	for _, b := range before.Vulnerabilities {
		n := now.Finding(b.ID)
		switch {
		case n == nil || n.Verdict == b.Verdict:
		case n.Verdict == vuln.Vulnerable:
			add(true, "%s: vulnerable now (%s), was %s", n.Name, n.Severity, strings.ReplaceAll(string(b.Verdict), "-", " "))
		case n.Verdict == vuln.NotVulnerable && b.Verdict == vuln.Vulnerable:
			add(false, "%s: not vulnerable any more", n.Name)
		}
	}
}
