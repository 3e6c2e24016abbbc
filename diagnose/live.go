package diagnose

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
)

// Endpoint is a live target.
type Endpoint struct {
	Name       string // as the user named it
	Host, Port string
	Addresses  []string // IP addresses, resolved; empty: the name did not resolve
	LookupErr  error    // why not
	ServerName string   // what a client asks for; "" where the host is an address and no name was given
	StartTLS   probe.StartTLS
}

// Options direct a live diagnosis.
type Options struct {
	Prober *probe.Prober
	Roots  *x509.CertPool // nil: the system's
	Family policy.Family  // of the load balancer; "": that of the policy that matches
	Now    time.Time
	Repeat int // how often to send the client's hello and its smallest working variant; 0: not at all
	// CAGiven says that Roots is what the user named, so that a chain that does not end there is at fault.
	CAGiven bool
	// Told is what the load balancer's API says of the listener; nil: nobody was asked.
	Told *Told
}

// maxAddresses is how many addresses of a name are probed.
const maxAddresses = 8

// Live finds out why a client gets in or not, by probing every address of the endpoint.
func Live(ctx context.Context, c *ClientSide, e *Endpoint, opt Options) *Diagnosis {
	if len(e.Addresses) == 0 {
		return unresolved(c, e)
	}
	addresses := e.Addresses[:min(len(e.Addresses), maxAddresses)]
	results := make([]*Diagnosis, len(addresses))
	var wg sync.WaitGroup
	for i, a := range addresses {
		wg.Go(func() { results[i] = newVisit(c, e, opt, a).run(ctx) })
	}
	wg.Wait()
	return merge(results, addresses)
}

func unresolved(c *ClientSide, e *Endpoint) *Diagnosis {
	d := newDiagnosis(c)
	d.Target = Target{Name: e.Name, Kind: "endpoint", ServerName: e.ServerName}
	d.Outcome = Unreachable
	fact := "the name has no address"
	if e.LookupErr != nil {
		fact = e.LookupErr.Error()
	}
	d.Causes = append(d.Causes, Cause{ID: cause.DNSFailure, Confidence: 1, Stage: cause.Network,
		Summary: fmt.Sprintf("the name %s does not resolve", e.Host), Evidence: []Evidence{{Fact: fact, Command: "dig " + quote(e.Host)}}})
	d.Fixes = append(d.Fixes, Fix{Side: SideNetwork, Summary: "Check the name, and the resolver that the client uses", Commands: []string{}})
	return d
}

// visit is the diagnosis of one address.
type visit struct {
	c       *ClientSide
	e       *Endpoint
	opt     Options
	p       *probe.Prober
	t       probe.Target
	d       *Diagnosis
	hello   *hello.ClientHello // the client's
	seen    *scan.Endpoint
	replay  probe.Observation
	matches []policy.Match
	server  *server
	instead *Cause             // what may be the cause instead of the one that is predicted, if that is not sure
	works   *hello.ClientHello // the smallest variant that is known to work, if the hello itself does not
	worksBy string
}

// newVisit prepares the diagnosis of one address, with a prober of its own: connections are counted apart.
func newVisit(c *ClientSide, e *Endpoint, opt Options, address string) *visit {
	v := &visit{c: c, e: e, opt: opt, d: newDiagnosis(c),
		p: &probe.Prober{Timeout: opt.Prober.Timeout, Parallel: opt.Prober.Parallel, DialContext: opt.Prober.DialContext},
		t: probe.Target{Address: net.JoinHostPort(address, e.Port), ServerName: cmp.Or(e.ServerName, e.Host), StartTLS: e.StartTLS}}
	v.d.Target = Target{Name: e.Name, Kind: "endpoint", Address: v.t.Address, ServerName: e.ServerName, StartTLS: string(e.StartTLS)}
	return v
}

const replayName = "the client's hello"

func (v *visit) run(ctx context.Context) *Diagnosis {
	defer func() { v.d.Connections, v.d.RoundTrips = v.p.Connections(), v.p.RoundTrips() }()
	if v.c.Plain != nil {
		v.plain(ctx)
		return v.d
	}
	h, err := v.c.to(v.e.ServerName)
	if err == nil {
		v.hello = h
		var raw []byte
		if raw, err = h.Marshal(); err == nil {
			v.seen = scan.Quick(ctx, v.p, v.t, scan.Options{ServerName: v.scanName(), First: v.c.Offer.Suites,
				Extra: []scan.Raw{{Name: replayName, Bytes: raw}}})
		}
	}
	if err != nil {
		v.d.Outcome = Refused
		v.add(Cause{ID: cause.ClientBadConfig, Confidence: 1, Summary: err.Error(), Evidence: []Evidence{}})
		return v.d
	}
	r, _ := v.seen.Reply(replayName)
	v.replay = r.Observation
	v.match()
	switch {
	case v.replay.Accepted():
		v.accepted()
	case !v.seen.Speaks() && !v.replay.Answer.Accepted():
		v.silent(ctx)
	default:
		v.refused(ctx)
	}
	if v.opt.Repeat > 0 && v.seen.Speaks() && v.d.Repeat == nil {
		v.repeat(ctx)
	}
	return v.d
}

// scanName is the name that the scan asks for: the client's own where it sends one.
func (v *visit) scanName() string {
	if n := v.c.Offer.ServerName; n != "" {
		return n
	}
	return v.e.ServerName
}

// match names the policy that the endpoint runs and sets up the server side.
func (v *visit) match() {
	p := v.seen.Policy
	view := v.seen.View()
	v.server = &server{policy: p, id: &v.seen.Identity, name: v.scanName(), keys: view.Keys, family: v.opt.Family}
	if !v.seen.Speaks() {
		return
	}
	among := policy.All()
	if v.opt.Family != "" {
		among = policy.InFamily(v.opt.Family)
	}
	v.matches = policy.MatchPolicies(p, view, among, 3)
	v.confirm(view)
	apart := policy.TellApart(v.matches, view)
	for _, m := range v.matches {
		v.d.PolicyMatch = append(v.d.PolicyMatch, PolicyMatch{Name: m.Policy.Name, Family: m.Policy.Family, Exact: m.Exact,
			Missing: noNil(m.Missing), Extra: noNil(m.Extra), TellApart: apart})
	}
	if len(v.matches) > 0 {
		m := v.matches[0]
		if v.server.family == "" {
			v.server.family = m.Policy.Family
		}
		v.server.kind = m.Policy.Kind
		if m.Exact {
			v.server.now = m.Policy
		}
	}
	v.d.Observed = &Observed{Versions: p.Versions, Suites: noNil(p.Suites), Groups: p.Groups, Order: p.Order,
		Certificates: noNil(v.seen.Identity.Certificates), NotTested: v.seen.NotTested}
	if p.ClientAuth != policy.ClientAuthNone {
		v.d.Findings = append(v.d.Findings, Finding{ID: "client-certificate-requested", Summary: "the endpoint asks for a client certificate (mutual TLS)"})
	}
}

// noNil makes a list one that JSON writes as [] and not as null.
func noNil[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

func (v *visit) add(c Cause) {
	if c.Stage == "" {
		c.Stage = c.ID.Stage()
	}
	if c.Evidence == nil {
		c.Evidence = []Evidence{}
	}
	v.d.Causes = append(v.d.Causes, c)
}

func (v *visit) fix(side, summary string, commands ...string) {
	v.d.Fixes = append(v.d.Fixes, Fix{Side: side, Summary: summary, Commands: append([]string{}, commands...)})
}

// accepted: the endpoint took the hello. What the client makes of the answer is still open.
func (v *visit) accepted() {
	o := v.offer()
	r := v.replay
	v.d.Outcome = Negotiated
	v.d.Negotiated = agreement(&r)
	if r.Hello.Downgraded() && len(o.Versions) > 0 && o.Versions[0] == suite.TLS13 {
		v.d.Outcome = Refused
		v.add(Cause{ID: cause.MiddleboxInterference, Confidence: 0.95, Summary: "the server says that it was asked for less than TLS 1.3, though the hello offers it: something on the way altered the hello",
			Evidence: []Evidence{{Fact: "the ServerHello for " + spoken(r.Version) + " carries the downgrade mark of RFC 8446 section 4.1.3"}}})
		v.fix(SideNetwork, "Find the inspecting proxy or firewall between the two, and let this traffic pass unaltered")
		return
	}
	if reason, refused := negotiate.CheckAnswer(&o, v.answer(), v.seen.Policy); refused {
		v.d.Outcome = Refused
		v.clientRefuses(reason, &o)
	}
	v.certificate(&o)
}

func agreement(o *probe.Observation) *Agreement {
	return &Agreement{Version: o.Version, Cipher: o.Suite, Group: o.Group, Scheme: o.Scheme, ALPN: o.ALPN}
}

// answer is what the endpoint answered to the client's hello.
func (v *visit) answer() *negotiate.Answer {
	r := &v.replay
	shown := r.Answer == probe.ServerHello && r.Version < suite.TLS13
	a := &negotiate.Answer{Version: r.Version, Suite: r.Suite, Scheme: r.Scheme, DHBits: r.DHBits, ALPN: r.ALPN, ALPNHidden: !shown,
		LacksEMS: shown && !r.Hello.ExtendedMaster, LacksRI: shown && !r.Hello.SecureReneg, Downgraded: r.Hello.Downgraded()}
	if _, c := v.presented(); c != nil && c.KeyType == policy.ECDSA {
		a.Curve = c.Curve
	}
	return a
}

// clientRefuses notes that the client gives up although the endpoint agreed, and what helps.
func (v *visit) clientRefuses(r negotiate.Reason, o *hello.Offer) {
	k := causeOf(v.c, o, v.seen.Policy, r, "the listener")
	k.Evidence = append(k.Evidence, Evidence{Fact: fmt.Sprintf("the endpoint answers the client's hello with %s %s", v.replay.Version, v.replay.Suite.OpenSSL()),
		Command: sClient(v.t, v.hello)})
	v.add(k)
	f, known := tolerance(v.c, r)
	if known {
		v.d.Fixes = append(v.d.Fixes, f)
	}
	switch r.Cause {
	case cause.LegacyRenegotiationDisabled:
		if !known {
			v.fix(SideClient, "Allow legacy servers (OpenSSL: the option UnsafeLegacyServerConnect), which gives up the protection of RFC 5746")
		}
		v.fix(SideLoadBalancer, "Update the server to one with secure renegotiation (RFC 5746)")
	case cause.WeakDHParameters:
		v.fix(SideLoadBalancer, "Use a DH group of 2048 bits, or prefer ECDHE suites")
	default:
		v.d.Fixes = append(v.d.Fixes, plain(fixes(v.c, v.server, r.Cause))...)
	}
}

// offer is what the client proposes on this connection, with the rules it is known for.
func (v *visit) offer() hello.Offer {
	o := v.hello.Offer()
	o.Accepts, o.Source = v.c.Offer.Accepts, v.c.Offer.Source
	if v.c.Hello == nil {
		o.Versions = v.c.Offer.Versions // a profile knows its floor, bytes do not show it
	}
	return o
}

// plain: the client sends HTTP in plaintext to a TLS port.
func (v *visit) plain(ctx context.Context) {
	o := v.p.Hello(ctx, v.t, append(v.c.Plain, "\r\n\r\n"...))
	v.d.Outcome = Refused
	v.add(Cause{ID: cause.HTTPSentToTLS, Confidence: 0.95, Summary: v.c.Name + " speaks plaintext HTTP; the listener expects TLS",
		Evidence: []Evidence{{Fact: fmt.Sprintf("its first bytes are %q; the endpoint answers with: %s", v.c.Plain[:min(len(v.c.Plain), 16)], answerWords(&o))}}})
	v.fix(SideClient, "Use https:// in the client's URL")
}

// merge makes one report of the addresses: the first that fails leads, and a difference is a finding.
func merge(l []*Diagnosis, addresses []string) *Diagnosis {
	lead := l[0]
	for _, d := range l {
		if d.Outcome != Negotiated && lead.Outcome == Negotiated {
			lead = d
		}
	}
	if len(l) == 1 {
		return lead
	}
	differ := false
	connections, rounds := 0, 0
	for i, d := range l {
		a := Address{Address: addresses[i], Outcome: d.Outcome, Agreed: d.Negotiated}
		if len(d.Causes) > 0 {
			a.Cause = d.Causes[0].ID
		}
		if len(d.PolicyMatch) > 0 {
			a.Policy = d.PolicyMatch[0].Name
		}
		lead.Addresses = append(lead.Addresses, a)
		first := lead.Addresses[0]
		differ = differ || a.Outcome != first.Outcome || a.Cause != first.Cause || a.Policy != first.Policy
		connections, rounds = connections+d.Connections, max(rounds, d.RoundTrips)
	}
	lead.Connections, lead.RoundTrips = connections, rounds
	summary := strconv.Itoa(len(l)) + " addresses behind the name, all alike"
	if differ {
		summary = "the addresses behind the name differ: "
		for i, a := range lead.Addresses {
			if i > 0 {
				summary += "; "
			}
			what := a.Outcome
			if a.Cause != "" {
				what += " (" + string(a.Cause) + ")"
			}
			summary += a.Address + " " + what
			if a.Policy != "" {
				summary += ", " + a.Policy
			}
		}
	}
	id := "addresses-alike"
	if differ {
		id = "addresses-differ"
	}
	lead.Findings = append([]Finding{{ID: id, Summary: summary}}, lead.Findings...)
	return lead
}
