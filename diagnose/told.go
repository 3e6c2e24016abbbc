package diagnose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/policy"
)

// Told is what the API of a load balancer says of the listener that is diagnosed. It is not guessed, and it is not seen either:
// where a live endpoint behaves otherwise, that is a finding.
type Told struct {
	*elb.Listener
	Identifier string     `json:"identifier"`
	Obstacles  []Obstacle `json:"obstacles"`
	// Unknown is what the API would not tell, each with the reason.
	Unknown []string `json:"unknown,omitempty"`
}

// Whom an obstacle keeps out.
const (
	KeepsAll    = "all"    // every client
	KeepsSource = "source" // the client at the address that was named
	KeepsSome   = "some"   // some connections or some clients: it may be the cause
	KeepsNone   = "none"   // none: it bears upon what comes after the handshake
)

// Obstacle is something beside the negotiation, as an API shows it, that keeps clients out or bears upon them.
type Obstacle struct {
	ID       string     `json:"id"` // listener, state, scheme, security-group, network-acl, certificate, mutual-tls, targets, failed-handshakes
	Keeps    string     `json:"keeps_out"`
	Cause    cause.ID   `json:"cause,omitempty"`
	Summary  string     `json:"summary"`
	Evidence []Evidence `json:"evidence"`
	Decide   string     `json:"decide,omitempty"` // what would settle it, where the API alone does not
	Fixes    []Fix      `json:"fixes,omitempty"`
}

// certain reports whether a client cannot get in for it.
func (o *Obstacle) certain() bool { return o.Keeps == KeepsAll || o.Keeps == KeepsSource }

// keepsAway reports whether no connection comes about.
func (o *Obstacle) keepsAway() bool {
	return o.Cause == cause.ConnectionRefused || o.Cause == cause.ConnectionTimeout
}

// seenHere reports whether a connection from this machine would have met it: not what is about another address, and not what a
// handshake does not show, as revocation.
func (o *Obstacle) seenHere() bool {
	return o.Keeps != KeepsSource && (o.keepsAway() || o.Cause == cause.CertificateExpired)
}

// Explained reports whether an API shows for certain why the client does not get in, though no connection was made.
func (d *Diagnosis) Explained() bool {
	return d.AWS != nil && len(d.Causes) > 0 && slices.ContainsFunc(d.AWS.Obstacles, func(o Obstacle) bool { return o.certain() && o.Cause == d.Causes[0].ID })
}

// ByAPI decides from what the API says alone whether a client gets in. The outcome is Unreachable where that does not decide:
// the listener ends no TLS, or the content of its policy is not known.
func ByAPI(c *ClientSide, t *Told, serverName string, now time.Time) *Diagnosis {
	d := newDiagnosis(c)
	p := t.Server()
	if !t.TLS() || p == nil {
		d.Outcome = Unreachable
		if t.TLS() {
			d.Findings = append(d.Findings, Finding{ID: "policy-unknown", Summary: "the content of the policy " + t.Policy + " is in no table and was not told"})
		}
	} else {
		d.Predicted = true
		id := t.Identity(serverName)
		s := &server{policy: p, id: id, name: serverName, family: t.Kind.Family(), kind: p.Kind, now: p, keys: keyTypes(id)}
		d.decide(c, s, "the listener", now)
		d.PolicyMatch = []PolicyMatch{{Name: p.Name, Family: p.Family, Exact: true, Missing: []string{}, Extra: []string{}}}
		d.Findings = append(d.Findings, doubt(p)...)
	}
	d.Target = t.target(serverName)
	return d
}

// ClientsByAPI judges every known client from what the API says alone. The table is one that was not reached where that does not decide.
func ClientsByAPI(t *Told, serverName string, now time.Time) *Table {
	p := t.Server()
	if !t.TLS() || p == nil {
		d := ByAPI(anyClient(), t, serverName, now)
		return tableOf(d)
	}
	id := t.Identity(serverName)
	if id == nil {
		id = &policy.Identity{}
	}
	x := &Table{Schema: TableSchema, Target: t.target(serverName), Reached: true, Causes: []Cause{}, Findings: []Finding{},
		PolicyMatch: []PolicyMatch{{Name: p.Name, Family: p.Family, Exact: true, Missing: []string{}, Extra: []string{}}}}
	x.judge(p, id, serverName, now)
	return x
}

// target is the listener as the target of a diagnosis.
func (t *Told) target(serverName string) Target {
	return Target{Name: t.Identifier, Kind: "listener", Address: t.DNSName + ":" + strconv.Itoa(t.Port), ServerName: serverName}
}

// Weigh puts what the API says to a diagnosis of the live endpoint. Where that was not reached, or live is nil, the API's policy
// decides. What keeps the client out for certain comes before any cause in the negotiation.
func Weigh(c *ClientSide, t *Told, live *Diagnosis, serverName string, now time.Time) *Diagnosis {
	d := live
	reached := live != nil && live.Outcome != Unreachable
	if !reached {
		d = ByAPI(c, t, serverName, now)
		d.Findings = append(d.Findings, notProbed(live, d.Predicted))
		if live != nil {
			d.Connections, d.RoundTrips = live.Connections, live.RoundTrips
			if d.Outcome == Unreachable {
				d.Causes, d.Fixes = live.Causes, live.Fixes
			}
		}
	}
	d.AWS, d.Target.Name, d.Target.Kind = t, t.Identifier, "listener"
	var first []Cause
	var fixes []Fix
	for i := range t.Obstacles {
		o := &t.Obstacles[i]
		at := slices.IndexFunc(d.Causes, func(c Cause) bool { return c.ID == o.Cause })
		switch {
		case at >= 0 && o.certain() && o.keepsAway(): // the API knows what the silence alone does not tell
			d.Causes = slices.Delete(slices.Clone(d.Causes), at, at+1)
		case at >= 0:
			d.Causes[at].Evidence = append(d.Causes[at].Evidence, o.Evidence...)
			continue
		case !o.certain() || reached && o.seenHere():
			d.Findings = append(d.Findings, o.finding(reached))
			continue
		}
		first = append(first, Cause{ID: o.Cause, Confidence: 0.95, Summary: o.Summary, Stage: o.Cause.Stage(), Evidence: noNil(o.Evidence), Decide: o.Decide})
		fixes = append(fixes, o.Fixes...)
		switch {
		case o.keepsAway():
			d.Outcome = Unreachable
		case !reached || d.Outcome == Negotiated:
			d.Outcome = Refused
		}
	}
	if len(first) > 0 && d.Negotiated != nil {
		d.Findings = append(d.Findings, Finding{ID: "negotiation-would-succeed",
			Summary: fmt.Sprintf("client and policy agree: %s %s; it is not the negotiation that fails", d.Negotiated.Version, d.Negotiated.Cipher.OpenSSL())})
	}
	d.Causes = noNil(append(first, d.Causes...))
	d.Fixes = noNil(t.fill(append(fixes, d.Fixes...)))
	for _, u := range t.Unknown {
		d.Findings = append(d.Findings, Finding{ID: "not-told", Summary: u})
	}
	return d
}

// WeighTable is Weigh for all known clients.
func WeighTable(t *Told, live *Table, serverName string, now time.Time) *Table {
	x := live
	reached := live != nil && live.Reached
	if !reached {
		x = ClientsByAPI(t, serverName, now)
		x.Findings = append(x.Findings, notProbedTable(live, x.Reached))
		if live != nil {
			x.Connections, x.RoundTrips = live.Connections, live.RoundTrips
			if !x.Reached {
				x.Causes = live.Causes
			}
		}
	}
	x.AWS, x.Target.Name, x.Target.Kind = t, t.Identifier, "listener"
	for i := range t.Obstacles {
		o := &t.Obstacles[i]
		if !x.Reached && o.certain() && !has(x.Causes, o.Cause) {
			x.Causes = append([]Cause{{ID: o.Cause, Confidence: 0.95, Summary: o.Summary, Stage: o.Cause.Stage(), Evidence: noNil(o.Evidence), Decide: o.Decide}}, x.Causes...)
			continue
		}
		x.Findings = append(x.Findings, o.finding(reached))
	}
	for _, u := range t.Unknown {
		x.Findings = append(x.Findings, Finding{ID: "not-told", Summary: u})
	}
	return x
}

func has(l []Cause, id cause.ID) bool {
	return slices.ContainsFunc(l, func(c Cause) bool { return c.ID == id })
}

// finding is an obstacle that is not why this client fails.
func (o *Obstacle) finding(reached bool) Finding {
	f := Finding{ID: o.ID, Summary: o.Summary, Evidence: o.Evidence}
	if reached && o.certain() && o.seenHere() {
		f.Summary += "; from here the endpoint was reached nevertheless: what the API says may be older or newer than what the load balancer does"
	}
	if o.Decide != "" {
		f.Summary += " (" + o.Decide + ")"
	}
	return f
}

// notProbed says what the judgement stands on where the endpoint was not reached.
func notProbed(live *Diagnosis, judged bool) Finding {
	if live == nil {
		return notReached("not asked for", judged)
	}
	if len(live.Causes) > 0 {
		return notReached(live.Causes[0].Summary, judged)
	}
	return notReached("", judged)
}

func notProbedTable(live *Table, judged bool) Finding {
	if live != nil && len(live.Causes) > 0 {
		return notReached(live.Causes[0].Summary, judged)
	}
	return notReached("not asked for", judged)
}

func notReached(why string, judged bool) Finding {
	text := "the listener was not probed from here (" + why + ")"
	if judged {
		text += ": this is what its policy and certificates come to, as the API tells them"
	}
	return Finding{ID: "not-probed", Summary: text}
}

// fill puts the listener's names into commands that change its policy, and puts before them the one of Parley's own, which shows
// what the change does to whom, proves it and can take it back.
func (t *Told) fill(l []Fix) []Fix {
	l = slices.Clone(l)
	for i := range l {
		l[i].Commands = slices.Clone(l[i].Commands)
		for j, c := range l[i].Commands {
			if strings.HasPrefix(c, "aws elbv2 modify-listener ") {
				c = strings.Replace(c, "LISTENER_ARN", quote(t.ARN), 1) + " --region " + quote(t.Region)
			}
			if strings.HasPrefix(c, "aws elb ") {
				c = strings.Replace(c, "--load-balancer-name NAME", "--load-balancer-name "+quote(t.LoadBalancer), 1)
				c = strings.Replace(c, "--load-balancer-port 443", "--load-balancer-port "+strconv.Itoa(t.Port), 1)
				if strings.Contains(c, "set-load-balancer-policies-of-listener") && len(t.OtherPolicies) > 0 {
					for _, p := range t.OtherPolicies {
						c += " " + quote(p) // the call replaces the whole list
					}
				}
				c += " --region " + quote(t.Region)
			}
			l[i].Commands[j] = c
		}
		if l[i].Side == SideLoadBalancer && l[i].Policy != "" {
			safe := "parley aws set-policy " + quote(t.Identifier) + " " + l[i].Policy
			if !strings.HasPrefix(t.Identifier, "arn:") {
				safe += " --region " + quote(t.Region)
			}
			l[i].Commands = append([]string{safe}, l[i].Commands...)
		}
	}
	return l
}
