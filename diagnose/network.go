package diagnose

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// silent: the endpoint took no hello of any kind. What it did instead says why.
func (v *visit) silent(ctx context.Context) {
	n := v.seen.Answers()
	r := v.replay
	v.d.Outcome = Refused
	fact := Evidence{Fact: fmt.Sprintf("%d hellos of different kinds; the endpoint's answer: %s", len(v.seen.Replies), answerWords(&r)), Command: sClient(v.t, v.hello)}
	note := func(id cause.ID, confidence float64, summary string) {
		v.add(Cause{ID: id, Confidence: confidence, Summary: summary, Evidence: []Evidence{fact}})
	}
	address := v.t.Address
	switch {
	case n[probe.Refused] == len(v.seen.Replies):
		v.d.Outcome = Unreachable
		note(cause.ConnectionRefused, 0.99, "nothing listens on "+address+": the connection is refused")
		v.fix(SideLoadBalancer, "Check that a listener exists on this port, and that the target behind it is up")
	case n[probe.ConnectTimeout] == len(v.seen.Replies), n[probe.Unreachable] == len(v.seen.Replies):
		v.d.Outcome = Unreachable
		note(cause.ConnectionTimeout, 0.95, "no answer from "+address+": a security group, network ACL, route or firewall drops the connection, or the host is down")
		v.fix(SideNetwork, "Open the way from this client to the port: security group, network ACL, route table, firewall")
	case r.Answer == probe.PreambleFailed:
		note(cause.NotTLS, 0.8, fmt.Sprintf("%s does not grant the upgrade to TLS (STARTTLS, %s): %v", address, v.t.StartTLS, r.Err))
		v.last().Decide = "is it the right protocol, port and name (--starttls, --servername), and is TLS switched on in the service?"
	case r.Answer == probe.NotTLS:
		v.notTLS(ctx, r, note)
	case n[probe.Malformed] > 0:
		note(cause.ProtocolViolation, 0.8, "the endpoint answers with TLS records that break the protocol")
	case v.sizeIntolerant(ctx):
	case v.trickles():
		v.d.Outcome = Unreachable
		v.tooSlow()
	case v.stalls(n):
		note(cause.MTUBlackhole, 0.7, "small answers get through, large ones do not: packets of full size are lost on the way")
		v.last().Decide = "a capture on both ends: are packets of full size lost?"
		v.fix(SideNetwork, "Let ICMP \"fragmentation needed\" through, or lower the MTU or MSS on the path (tunnels, VPNs)")
	case v.startTLS(ctx):
	case v.withoutName(ctx):
	case n[probe.Reset] > 0 && n[probe.Reset]+n[probe.Closed] == len(v.seen.Replies), n[probe.Closed] == len(v.seen.Replies):
		note(cause.ConnectionReset, 0.7, "the connection is ended after every ClientHello, without an alert")
		v.last().Decide = "the load balancer's own log: has the listener a certificate and a healthy target? Is the port meant for TLS?"
		if v.scanName() == "" {
			v.add(Cause{ID: cause.SNIRequired, Confidence: 0.3, Summary: "the hellos carried no server_name, which the endpoint may demand", Decide: "--servername NAME", Evidence: []Evidence{fact}})
		}
	case n[probe.Silent] == len(v.seen.Replies):
		v.d.Outcome = Unreachable
		note(cause.NotTLS, 0.4, address+" accepts connections but answers no ClientHello: it waits for another protocol, or something on the way drops what is sent")
		v.last().Decide = "a capture on the load balancer's side: does the ClientHello arrive?"
	case n[probe.Alerted] > 0:
		v.alerts(note)
	default:
		note(cause.Unknown, 0.3, "the answers to different hellos do not add up to one cause")
		v.last().Decide = "trying again; a capture on both ends"
	}
}

func (v *visit) last() *Cause { return &v.d.Causes[len(v.d.Causes)-1] }

// sizeIntolerant asks with the client's hello padded beyond 511 bytes, where it is in the range that some servers
// never answer: the hellos of a scan are too.
func (v *visit) sizeIntolerant(ctx context.Context) bool {
	if v.replay.Answer == probe.Alerted || !inF5Range(v.hello) {
		return false
	}
	x := v.with([]change{padded})[0]
	var sent bool
	if x.got, sent = v.try(ctx, x.h); !sent || !x.got.Accepted() {
		return false
	}
	o := v.offer()
	v.works, v.worksBy = x.h, x.words
	v.blame(ctx, &o, &x)
	return true
}

// trickles reports whether the answers that did not come to their end were still coming, most of them.
func (v *visit) trickles() bool {
	slow, others := 0, 0
	for i := range v.seen.Replies {
		switch o := &v.seen.Replies[i].Observation; {
		case o.Trickled():
			slow++
		case o.Answer.Reached() && !o.Complete && (o.Answer == probe.Silent || o.End == probe.Silent):
			others++
		}
	}
	return slow > others
}

// tooSlow notes an endpoint whose answer was still on its way when the time was over.
func (v *visit) tooSlow() {
	r := &v.replay
	v.add(Cause{ID: cause.Unknown, Confidence: 0.6, Summary: v.t.Address + " answers so slowly that nothing comes to its end in the time that a connection is given; bytes keep coming, so none are lost on the way",
		Decide:   "a larger --timeout; a capture on the load balancer's side: who sends so slowly?",
		Evidence: []Evidence{{Fact: fmt.Sprintf("%d bytes came in %s, in %d pieces", r.Received, r.LastByte.Round(time.Millisecond), r.Reads), Command: sClient(v.t, v.hello)}}})
}

// stalls reports whether only small answers come through: alerts and retries do, certificates do not.
func (v *visit) stalls(n map[probe.Answer]int) bool {
	partial := 0
	for _, r := range v.seen.Replies {
		if r.Answer == probe.ServerHello && !r.Complete || r.Answer == probe.Silent && r.Received > 0 {
			partial++
		}
	}
	small := n[probe.HelloRetry] + n[probe.Alerted] // these answers fit any packet
	return partial > 0 || small > 0 && n[probe.Silent] > 0 && !v.replay.Answer.Refusal()
}

// notTLS words an endpoint that speaks another protocol.
func (v *visit) notTLS(ctx context.Context, r probe.Observation, note func(cause.ID, float64, string)) {
	switch r.Kind {
	case hello.KindHTTP, hello.KindHTTP2:
		note(cause.PlainHTTPOnTLSPort, 0.98, v.t.Address+" answers a ClientHello with plaintext HTTP: the listener is HTTP, or the port is wrong")
		v.fix(SideLoadBalancer, "Make it an HTTPS listener with a certificate")
		v.fix(SideClient, "Use the port of the HTTPS listener (often 443), or http://")
	case hello.KindSMTP, hello.KindFTP, hello.KindIMAP, hello.KindPOP3, hello.KindMySQL, hello.KindPostgres, hello.KindLDAP, hello.KindXMPP, hello.KindNNTP:
		if v.startTLS(ctx) {
			return
		}
		kind := r.Kind
		if port, _ := strconv.Atoi(v.e.Port); probe.StartTLSForGreeting(r.Raw, port) == probe.FTP {
			kind = hello.KindFTP
		}
		note(cause.TLSOnSTARTTLSPort, 0.9, fmt.Sprintf("%s speaks plaintext %s first; TLS begins after an upgrade (STARTTLS)", v.t.Address, kind))
		v.fix(SideClient, "Set the client to STARTTLS, or use the port on which TLS begins at once")
	case hello.KindUnknown:
		note(cause.NotTLS, 0.8, v.t.Address+" answers with bytes that are no TLS")
	default:
		note(cause.NotTLS, 0.97, fmt.Sprintf("%s speaks %s, not TLS", v.t.Address, r.Kind))
		v.fix(SideClient, "Check the port")
	}
}

// startTLS asks by the service's plaintext upgrade, if the banner or the port names one, and reports whether
// TLS comes about then.
func (v *visit) startTLS(ctx context.Context) bool {
	if v.t.StartTLS != "" || v.seen.Answers()[probe.Refused] > 0 {
		return false
	}
	port, _ := strconv.Atoi(v.e.Port)
	p := probe.StartTLSForGreeting(v.replay.Raw, port)
	if p == "" {
		p = probe.StartTLSForPort(port)
	}
	raw, err := v.hello.Marshal()
	if p == "" || err != nil {
		return false
	}
	t := v.t
	t.StartTLS = p
	o := v.p.Hello(ctx, t, raw)
	if p == probe.SMTP && o.Answer == probe.PreambleFailed && strings.HasPrefix(string(v.replay.Raw), "220") { // which is FTP's greeting too
		t.StartTLS = probe.FTP
		o = v.p.Hello(ctx, t, raw)
	}
	if !o.Answer.Accepted() && o.Answer != probe.Alerted {
		return false
	}
	p = t.StartTLS
	v.add(Cause{ID: cause.TLSOnSTARTTLSPort, Confidence: 0.99, Summary: fmt.Sprintf("%s speaks plaintext %s first; TLS begins after an upgrade (STARTTLS)", v.t.Address, p),
		Evidence: []Evidence{{Fact: "after the upgrade the client's hello is answered with: " + answerWords(&o), Command: sClient(t, v.hello)}}})
	v.fix(SideClient, "Set the client to STARTTLS ("+string(p)+"), or use the port on which TLS begins at once")
	v.d.Fixes[len(v.d.Fixes)-1].Proved = true
	return true
}

// withoutName asks without server_name: an endpoint that refuses every hello may refuse the name.
func (v *visit) withoutName(ctx context.Context) bool {
	if v.scanName() == "" {
		return false
	}
	h := v.hello.Clone()
	h.SetServerName("")
	o, sent := v.try(ctx, h)
	if !sent || !o.Answer.Accepted() {
		return false
	}
	v.add(Cause{ID: cause.SNIUnknown, Confidence: 0.95, Summary: fmt.Sprintf("the listener refuses the name %s; without a name it answers", v.scanName()), ClientSet: []string{v.scanName()},
		Evidence: []Evidence{{Fact: "with the name: " + answerWords(&v.replay), Command: sClient(v.t, v.hello)}, {Fact: "without it: " + answerWords(&o), Command: sClient(v.t, h)}}})
	v.fix(SideLoadBalancer, "Add a certificate for "+v.scanName())
	v.fix(SideClient, "Ask for a name that the load balancer serves")
	return true
}

// alerts: a TLS server that refuses every hello.
func (v *visit) alerts(note func(cause.ID, float64, string)) {
	r := v.replay
	switch {
	case r.Alert == suite.AlertUnrecognizedName && v.scanName() != "":
		note(cause.SNIUnknown, 0.9, "the listener does not know the name "+v.scanName())
		v.fix(SideLoadBalancer, "Add a certificate for "+v.scanName())
	case r.Alert == suite.AlertUnrecognizedName || v.scanName() == "":
		note(cause.SNIRequired, 0.5, "the listener refuses every hello; none carried a server_name (SNI), which it may demand")
		v.last().Decide = "--servername NAME"
		v.fix(SideClient, "Send server_name (SNI)")
	default:
		note(cause.Unknown, 0.4, "the listener refuses every hello with "+answerWords(&r))
		v.last().Decide = "the server's own log: has it a certificate that it can use?"
	}
}
