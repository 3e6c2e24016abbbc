package interop

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// compareReport demands that the endpoint was seen as it is configured, and within the bounds of a diagnosis.
func (c *cell) compareReport(name string, d *diagnose.Diagnosis) {
	if d.Connections > 40 || d.RoundTrips > 10 && c.pair.Queue == 0 {
		c.disagree("%s: %d connections, %d round trips", name, d.Connections, d.RoundTrips)
	}
	if p := c.pair.Policy; p.Family == policy.AWS && !slices.ContainsFunc(d.PolicyMatch, func(m diagnose.PolicyMatch) bool { return m.Exact && m.Name == p.Name }) {
		c.disagree("%s: no match with %s but %+v", name, p.Name, d.PolicyMatch)
	}
	if d.Observed != nil {
		for _, m := range misseen(&policy.Policy{Versions: d.Observed.Versions, Suites: d.Observed.Suites, Groups: d.Observed.Groups, Order: d.Observed.Order}, nil, d.Observed.NotTested == nil, c.pair.Policy, c.pair.Identity) {
			c.disagree("%s: %s", name, m)
		}
	}
}

// compare demands agreement: in outcome, in version and suite, in the cause that the configuration
// implies, and in the alert where one is predicted.
func (c *cell) compare(name string, p Prediction) {
	switch {
	case p.OK != c.result.OK:
		c.disagree("%s said %s; really %s", name, p.text(), c.reality())
	case p.OK && (p.Version != c.seen.Version() || p.Suite != c.seen.Suite()):
		c.disagree("%s said %s; really %s", name, p.text(), c.reality())
	case p.OK && p.Details != nil:
		c.compareDetails(name, p.Details)
	case p.OK:
	default:
		want, err := expectedCause(&c.offer, c.pair.HostName, c.pair.Policy, c.pair.Identity)
		switch {
		case err != nil:
			c.disagree("%s said %s; %v; really %s", name, p.text(), err, c.reality())
		case p.Report != nil && c.open(want, p.Report):
			c.undecided = true
		case want != p.Cause:
			c.disagree("%s said %s, the configuration implies %s; really %s", name, p.text(), want, c.reality())
		}
		a := c.seen.ServerAlert
		if c.server.noAlerts && a == nil {
			return
		}
		if p.By == "server" && p.Signal.Alert != 0 && (a == nil || a.Description != p.Signal.Alert) {
			c.disagree("%s said %s with alert %v; really %s", name, p.Cause, p.Signal.Alert, c.reality())
		} else if p.By == "client" && a != nil && a.Fatal {
			c.disagree("%s said that the client gives up (%s); really %s", name, p.Cause, c.reality())
		}
	}
}

// open reports whether nobody could tell from outside if the server's list lacks the client's suites or only a
// certificate for them, and the report says so: it names both causes and what decides. Policies that match exactly
// do tell, if they agree.
func (c *cell) open(want cause.ID, d *diagnose.Diagnosis) bool {
	both := []cause.ID{cause.NoCommonCipher, cause.CipherNeedsOtherCertificate}
	if !slices.Contains(both, want) || len(d.Causes) < 2 || d.Causes[0].ID == want {
		return false
	}
	var says []bool // of each policy that matches: does it hold one of the client's suites?
	for _, m := range d.PolicyMatch {
		if p := policy.ByName(string(m.Family) + "/" + m.Name); m.Exact && p != nil {
			says = append(says, slices.ContainsFunc(c.offer.Suites, func(s suite.Code) bool { return slices.Contains(p.Suites, s) }))
		}
	}
	told := len(says) > 0 && len(slices.Compact(says)) == 1
	return !told && slices.Contains(both, d.Causes[0].ID) && d.Causes[1].ID == want && d.Causes[0].Decide != ""
}

func (c *cell) compareDetails(name string, d *Details) {
	if d.Group != 0 && d.Group != c.seen.Group {
		c.disagree("%s: predicted group %v, the wire shows %v", name, d.Group, c.seen.Group)
	}
	if d.Retry != nil && *d.Retry != c.seen.Retry {
		c.disagree("%s: HelloRetryRequest predicted: %t, seen: %t", name, *d.Retry, c.seen.Retry)
	}
	if c.seen.Scheme != 0 && d.Scheme != 0 && d.Scheme != c.seen.Scheme {
		c.disagree("%s: predicted signature %v, the wire shows %v", name, d.Scheme, c.seen.Scheme)
	}
}

func (p Prediction) text() string {
	if p.OK {
		return fmt.Sprintf("%v %s", p.Version, p.Suite.OpenSSL())
	}
	if p.By == "" {
		return fmt.Sprintf("refusal (%s)", p.Cause)
	}
	return fmt.Sprintf("refusal by the %s (%s)", p.By, p.Cause)
}

func (c *cell) reality() string {
	var l []string
	if c.seen.Choice != nil {
		l = append(l, fmt.Sprintf("the server chose %v %s", c.seen.Version(), c.seen.Suite().OpenSSL()))
	}
	if a := c.seen.ServerAlert; a != nil {
		l = append(l, fmt.Sprintf("the server sent alert %v", a.Description))
	}
	if a := c.seen.ClientAlert; a != nil {
		l = append(l, fmt.Sprintf("the client sent alert %v", a.Description))
	}
	if c.result.OK {
		return strings.Join(append(l, "the client succeeded"), ", ")
	}
	return strings.Join(append(l, "the client failed"), ", ")
}
