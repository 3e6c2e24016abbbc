package diagnose

import (
	"context"
	"fmt"
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// blame words the cause that variant x proves.
func (v *visit) blame(ctx context.Context, o *hello.Offer, x *variant) {
	k := Cause{ID: x.id, Confidence: 0.95, Evidence: v.contrast(x)}
	r := negotiate.Reason{Cause: x.id, By: "server"}
	fix := "Send the hello " + x.words
	var elsewhere Fix // what the other side can do
	switch x.id {
	case cause.LargeHelloDropped:
		v.blameSize(ctx, o, x)
		return
	case cause.ExtensionIntolerance:
		v.blameExtension(ctx, x)
		return
	case cause.HelloSizeIntolerance:
		k.Summary, elsewhere = sizeWords(v.hello, x.h)
	case cause.VersionIntolerance:
		k.Summary = fmt.Sprintf("the listener breaks on a hello that offers %s, instead of negotiating down", spoken(o.Versions[0]))
		fix = "Offer TLS 1.2 at most to this endpoint"
		elsewhere = onLoadBalancer("Update the server: it must answer a newer hello with the highest version it knows (RFC 8446 section 4.1.3)")
	case cause.SNIRequired:
		elsewhere = onLoadBalancer("Give the listener a default certificate for clients that send no server_name")
	case cause.SNIUnknown:
		r.Client = []string{o.ServerName}
		for _, c := range v.seen.Identity.Certificates {
			r.Server = append(r.Server, c.Names...)
		}
		fix = "Ask for a name that the load balancer serves"
		elsewhere = onLoadBalancer("Add a certificate for " + o.ServerName)
	case cause.NoCommonALPN:
		r.Client, r.Server = o.ALPN, []string{"others"}
		fix = "Offer an application protocol that the listener knows, or none"
		elsewhere = onLoadBalancer("Enable one of " + enumerate(o.ALPN) + " on the listener (NLB: the ALPN policy)")
	case cause.NoCommonSignatureAlgorithm:
		r.Client, r.Server = names(o.Schemes), names(wideSchemes)
		k.Summary = fmt.Sprintf("none of the signature schemes that %s offers (%s) will do for the listener and its certificate", v.c.Name, some(names(o.Schemes), 4))
	case cause.NoCommonGroup:
		r.Client, r.Server = names(o.Groups), names(v.seen.Policy.Groups)
	case cause.NoCommonCipher:
		r.Client, r.Server = suiteNames(o.Suites), suiteNames(v.seen.Policy.Suites)
	}
	if k.Summary == "" {
		k.Summary = sentence(v.c.Name, "the listener", o, v.seen.Policy.Versions, r)
	}
	k.ClientSet, k.ServerSet = r.Client, r.Server
	v.add(k)
	v.proved(fix)
	if elsewhere.Side != "" {
		v.d.Fixes = append(v.d.Fixes, elsewhere)
	}
}

// contrast is the evidence of an experiment: the client's hello fails, the changed one does not.
func (v *visit) contrast(x *variant) []Evidence {
	return []Evidence{v.met(), {Fact: "the same hello " + x.words + " is answered with: " + answerWords(&x.got), Command: sClient(v.t, x.h)}}
}

// met is how the endpoint met the client's hello.
func (v *visit) met() Evidence {
	return Evidence{Fact: "the endpoint answers the client's hello with: " + answerWords(&v.replay), Command: sClient(v.t, v.hello)}
}

// proved adds a fix on the client's side: a hello with this change was accepted.
func (v *visit) proved(summary string) {
	v.d.Fixes = append(v.d.Fixes, Fix{Side: SideClient, Summary: summary, Commands: []string{}, Proved: true})
}

func onLoadBalancer(summary string) Fix {
	return Fix{Side: SideLoadBalancer, Summary: summary, Commands: []string{}}
}

// sizeWords says what about the size of a hello the server cannot take, judged by a hello that it took.
func sizeWords(from, to *hello.ClientHello) (string, Fix) {
	if len(to.Suites) < len(from.Suites) {
		return fmt.Sprintf("the listener breaks on a hello with %d cipher suites; with %d it answers", len(from.Suites), len(to.Suites)),
			onLoadBalancer("Update the server: a hello may carry up to 32767 cipher suites (RFC 8446 section 4.1.2)")
	}
	return fmt.Sprintf("the listener breaks on a hello of %d bytes; padded to %d bytes it is answered", from.WireSize(), to.WireSize()),
		onLoadBalancer("Update the server: some take a ClientHello of 256 to 511 bytes for one in the SSLv2 format (RFC 7685 section 4)")
}

// blameExtension finds the fewest extensions whose removal helps. x is the hello without all of them.
func (v *visit) blameExtension(ctx context.Context, x *variant) {
	removable := append(optional(v.hello), greaseOnly)
	without := func(subset []int) variant {
		y := variant{h: v.hello.Clone()}
		var names []string
		for _, i := range subset {
			if removable[i] == greaseOnly {
				dropGREASE(y.h)
				names = append(names, "GREASE")
				continue
			}
			y.h.RemoveExtension(removable[i])
			names = append(names, hello.ExtensionName(removable[i]))
		}
		y.words = enumerate(names)
		return y
	}
	subset, minimal := minimize(len(removable), reduceBudget, func(subsets [][]int) []bool { return v.accept(ctx, subsets, without) })
	guilty := without(subset)
	v.works, v.worksBy = guilty.h, "without "+guilty.words
	k := Cause{ID: cause.ExtensionIntolerance, Confidence: 0.95, Evidence: v.contrast(x), ClientSet: []string{guilty.words},
		Summary: fmt.Sprintf("the listener breaks on %s, which a server must ignore if it does not know it", guilty.words)}
	if len(subset) > 1 {
		k.Summary = fmt.Sprintf("the listener breaks on %s, which a server must ignore if it does not know them; leaving out one alone does not help", guilty.words)
	}
	if !minimal {
		k.Confidence = 0.8
	}
	v.add(k)
	v.proved("Leave out " + guilty.words)
	v.d.Fixes = append(v.d.Fixes, onLoadBalancer("Update the server: unknown extensions must be ignored (RFC 8446 section 4.1.2)"))
}

// accept sends the hellos that are made of subsets of changes, side by side, and says which were accepted.
func (v *visit) accept(ctx context.Context, subsets [][]int, build func([]int) variant) []bool {
	l := make([]variant, len(subsets))
	for i, s := range subsets {
		l[i] = build(s)
	}
	v.sendAll(ctx, l)
	out := make([]bool, len(l))
	for i := range l {
		out[i] = l[i].got.Accepted()
	}
	return out
}

// sizes are the lengths of hellos to try, in bytes on the wire: around the limits that are known, 256 to 511
// (F5, RFC 7685), one TCP segment, and one record of old implementations.
var sizes = []int{300, 512, 700, 1000, 1200, 1350, 1460, 1600, 2000}

// blameSize tells whether the size of a hello with post-quantum key shares is at fault, or the groups: it pads
// the hello without them, which is accepted, to several sizes up to the client's own.
func (v *visit) blameSize(ctx context.Context, o *hello.Offer, x *variant) {
	tries := append(slices.DeleteFunc(slices.Clone(sizes), func(n int) bool { return n >= o.WireSize }), o.WireSize)
	l := make([]variant, len(tries))
	for i, n := range tries {
		l[i].h = x.h.Clone()
		l[i].h.SetPadding(n)
	}
	v.sendAll(ctx, l)
	passes, fails := 0, 0 // the largest that was accepted, the smallest that was not
	for i, n := range tries {
		switch ok := l[i].got.Accepted(); {
		case ok:
			passes = max(passes, n)
		case fails == 0:
			fails = n
		}
	}
	k := Cause{Confidence: 0.97, Evidence: v.contrast(x)}
	k.Evidence[0].Fact = fmt.Sprintf("the endpoint answers the client's hello of %d bytes with: %s", o.WireSize, answerWords(&v.replay))
	if full := &l[len(l)-1]; !full.got.Accepted() {
		k.ID = cause.LargeHelloDropped
		if fails <= 1200 { // smaller than any segment: it is the server that cannot take it
			k.ID = cause.HelloSizeIntolerance
		}
		k.Summary = fmt.Sprintf("a ClientHello of %d bytes is met with %s, one of %d bytes is answered: something on the way cannot take a hello that large", fails, answerWords(&v.replay), min(passes, fails))
		k.Evidence = append(k.Evidence, Evidence{Fact: fmt.Sprintf("the small hello padded to %d bytes fails as well, so the size is at fault and not the groups", fails)})
		k.ClientSet, k.ServerSet = []string{fmt.Sprintf("hello of %d bytes", o.WireSize)}, []string{fmt.Sprintf("hellos below %d bytes", fails)}
		v.add(k)
		v.smallHello(true)
		v.fix(SideNetwork, "Let the firewall or proxy on the way join a ClientHello that spans TCP segments")
		return
	}
	k.ID = cause.ExtensionIntolerance
	k.Summary = "the listener breaks on the post-quantum groups " + enumerate(names(largeGroups(o))) + ", which a server must ignore if it does not know them"
	k.ClientSet = names(largeGroups(o))
	v.add(k)
	v.proved("Leave out the post-quantum groups")
	v.d.Fixes = append(v.d.Fixes, onLoadBalancer("Update the server: unknown groups must be ignored (RFC 8446 section 4.2.7)"))
}

// smallHello proposes to leave the post-quantum key share out: by the client's setting where it is known.
func (v *visit) smallHello(proved bool) {
	f, ok := tolerance(v.c, negotiate.Reason{Cause: cause.LargeHelloDropped})
	if !ok {
		f = Fix{Side: SideClient, Summary: noLargeShare, Commands: []string{}}
	}
	f.Proved = proved
	v.d.Fixes = append(v.d.Fixes, f)
}

const noLargeShare = "Switch off the post-quantum key share (Go: GODEBUG=tlsmlkem=0; OpenSSL: -groups X25519:P-256; Chrome: the policy PostQuantumKeyAgreementEnabled)"

// unexplained: no change helps. What Decide says is still the best guess.
func (v *visit) unexplained(o *hello.Offer, tried []variant) {
	out := negotiate.Decide(o, v.seen.Policy, &v.seen.Identity)
	if !out.OK {
		k := causeOf(v.c, o, v.seen.Policy, out.Reason, "the listener")
		k.Confidence = 0.6
		k.Evidence = append(k.Evidence, v.met())
		k.Decide = "a capture of the real client's connection, or the load balancer's own log"
		v.add(k)
		v.d.Fixes = append(v.d.Fixes, plain(fixes(v.c, v.server, out.Reason.Cause))...)
		return
	}
	id, summary := cause.Unknown, "the listener refuses this hello, and no change to it that was tried helps"
	switch {
	case v.replay.Answer == probe.Alerted && slices.Contains(violations, v.replay.Alert), v.replay.Answer == probe.Malformed:
		id, summary = cause.ProtocolViolation, "one side breaks the protocol: "+answerWords(&v.replay)
	case v.replay.Answer == probe.Reset || v.replay.Answer == probe.Closed:
		id, summary = cause.ConnectionReset, "the connection is ended after the client's hello without an alert; hellos of other kinds are answered"
	}
	k := Cause{ID: id, Confidence: 0.5, Summary: summary, Decide: "a capture on the load balancer's side, and the load balancer's own log",
		Evidence: []Evidence{v.met()}}
	for _, x := range tried {
		k.Evidence = append(k.Evidence, Evidence{Fact: x.words + ": " + answerWords(&x.got)})
	}
	v.add(k)
}

// violations are the alerts by which a side says that the other broke the protocol (RFC 8446 section 6.2).
var violations = []suite.Alert{suite.AlertDecodeError, suite.AlertIllegalParameter, suite.AlertUnexpectedMessage, suite.AlertBadRecordMAC}
