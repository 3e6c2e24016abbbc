package diagnose

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// refused: the endpoint speaks TLS, but not with this hello. Where the tables explain it, the explanation is
// put to the proof; where they do not, the hello is changed piece by piece.
func (v *visit) refused(ctx context.Context) {
	v.d.Outcome = Refused
	if v.replay.Answer == probe.ServerHello && !v.replay.Complete && v.replay.End != probe.Alerted {
		v.stalled()
		return
	}
	o := v.offer()
	out := negotiate.Decide(&o, v.seen.Policy, &v.seen.Identity)
	if out.Reason.Cause == cause.NoCommonCipher {
		v.needsOtherCertificate(&o, &out)
	}
	if !out.OK && out.Reason.By == "server" && v.replay.Answer != probe.ServerHello {
		if v.predicted(ctx, &o, &out) {
			return
		}
	}
	v.experiment(ctx, &o)
}

// predicted reports the cause that negotiate.Decide gives, after a hello without that obstacle was sent. It
// returns false if that hello fails too: then the explanation is not the whole truth.
func (v *visit) predicted(ctx context.Context, o *hello.Offer, out *negotiate.Outcome) bool {
	k := causeOf(v.c, o, v.seen.Policy, out.Reason, "the listener")
	k.Evidence = append(k.Evidence, Evidence{Fact: "the endpoint answers the client's hello with: " + answerWords(&v.replay), Command: sClient(v.t, v.hello)})
	better, steps, ok := repair(*o, v.seen.Policy, &v.seen.Identity)
	fixes := fixes(v.c, v.server, out.Reason.Cause)
	if !ok {
		k.Confidence = 0.8
		v.add(k)
		v.d.Fixes = append(v.d.Fixes, fixes...)
		return true
	}
	h, err := hello.Build(&better, rand.Reader)
	if err != nil {
		return false
	}
	got, sent := v.try(ctx, h)
	if !sent || !got.Accepted() {
		return false
	}
	k.Confidence = 0.98
	k.Evidence = append(k.Evidence, Evidence{Fact: fmt.Sprintf("the same hello with one change (%s) is answered with: %s", lower(stepWords(steps)), answerWords(&got)), Command: sClient(v.t, h)})
	for i := range fixes {
		if fixes[i].Side == SideClient {
			fixes[i].Proved = true
			break
		}
	}
	v.works, v.worksBy = h, lower(stepWords(steps))
	if k.ID == cause.CipherNeedsOtherCertificate {
		k.Confidence, k.Decide = 0.85, "the listener's policy in the API: does it hold these suites? From outside they cannot be seen"
	}
	v.add(k)
	v.d.Fixes = append(v.d.Fixes, fixes...)
	return true
}

func lower(s string) string {
	if s == "" {
		return s
	}
	return string(s[0]|0x20) + s[1:]
}

// needsOtherCertificate refines "no common cipher": with one kind of certificate the suites of the other kind
// cannot be seen from outside. Where the endpoint accepts the very suite that the client offers, but for the
// kind of certificate, the certificate is at fault and not the list.
func (v *visit) needsOtherCertificate(o *hello.Offer, out *negotiate.Outcome) {
	if len(v.seen.Identity.Certificates) == 0 {
		return
	}
	var hidden []suite.Code
	for _, c := range o.Suites {
		s := suite.ByCode(c)
		if s == nil || !s.UsableIn(out.Version) || certified(s, &v.seen.Identity, out.Version) {
			continue
		}
		if slices.ContainsFunc(v.seen.Policy.Suites, func(x suite.Code) bool { return twins(s, suite.ByCode(x)) }) {
			hidden = append(hidden, c)
		}
	}
	if len(hidden) == 0 {
		return
	}
	out.Reason.Cause = cause.CipherNeedsOtherCertificate
	out.Reason.Client, out.Reason.Server = suiteNames(hidden), nil
	for i := range v.seen.Identity.Certificates {
		out.Reason.Server = append(out.Reason.Server, negotiate.KeyName(&v.seen.Identity.Certificates[i]))
	}
	p := *v.seen.Policy // what the listener's list most probably is
	p.Suites = append(slices.Clone(p.Suites), hidden...)
	v.server.policy = &p
}

// twins reports whether two suites differ in the kind of certificate alone.
func twins(a, b *suite.Suite) bool {
	return b != nil && a.Authentication != b.Authentication && a.KeyExchange == b.KeyExchange && a.Encryption == b.Encryption &&
		a.Bits == b.Bits && a.Mode == b.Mode && a.MAC == b.MAC
}

// try sends one hello.
func (v *visit) try(ctx context.Context, h *hello.ClientHello) (probe.Observation, bool) {
	raw, err := h.Marshal()
	if err != nil {
		return probe.Observation{}, false
	}
	return v.p.Hello(ctx, v.t, raw), true
}

// variant is a change to the client's hello, and what it proves if the endpoint accepts it.
type variant struct {
	words string
	id    cause.ID
	h     *hello.ClientHello
	got   probe.Observation
}

// experiment sends variants of the hello side by side, each with one change, and blames what the smallest
// change that helps is about.
func (v *visit) experiment(ctx context.Context, o *hello.Offer) {
	variants := v.variants(o)
	v.sendAll(ctx, variants)
	for i := range variants {
		x := &variants[i]
		if !x.got.Accepted() {
			continue
		}
		v.works, v.worksBy = x.h, x.words
		v.blame(ctx, o, x)
		return
	}
	v.unexplained(o, variants)
}

func (v *visit) sendAll(ctx context.Context, l []variant) {
	var raw [][]byte
	for _, x := range l {
		b, err := x.h.Marshal()
		if err != nil {
			b = nil
		}
		raw = append(raw, b)
	}
	for i, o := range v.p.All(ctx, v.t, raw) {
		l[i].got = o
	}
}

// variants are the changes to try, the most telling first.
func (v *visit) variants(o *hello.Offer) []variant {
	var l []variant
	add := func(words string, id cause.ID, change func(*hello.ClientHello)) {
		h := v.hello.Clone()
		change(h)
		l = append(l, variant{words: words, id: id, h: h})
	}
	h := v.hello
	if h.SSLv2Format {
		add("in the TLS record format", cause.SSLv2HelloRefused, toRecords)
		// Some servers take ECDHE and signatures for offered only where extensions say so.
		add("in the TLS record format and with extensions", cause.SSLv2HelloRefused, func(h *hello.ClientHello) {
			toRecords(h)
			widenGroups(h, o)
			h.SetSchemes(wideSchemes...)
		})
		return l // the format has no room for anything else
	}
	if o.FallbackSCSV {
		add("without TLS_FALLBACK_SCSV", cause.InappropriateFallback, func(h *hello.ClientHello) { dropSuite(h, suite.FallbackSCSV) })
	}
	if o.ServerName == "" {
		if n := v.nameToTry(); n != "" {
			add("with server_name "+n, cause.SNIRequired, func(h *hello.ClientHello) { h.SetServerName(n) })
		}
	} else {
		add("without server_name", cause.SNIUnknown, func(h *hello.ClientHello) { h.SetServerName("") })
		if n := v.nameToTry(); n != "" && n != o.ServerName {
			add("with server_name "+n, cause.SNIUnknown, func(h *hello.ClientHello) { h.SetServerName(n) })
		}
	}
	if len(o.ALPN) > 0 {
		add("without ALPN", cause.NoCommonALPN, func(h *hello.ClientHello) { h.SetALPN() })
	}
	if !o.ExtendedMaster {
		add("with extended_master_secret", cause.ExtendedMasterSecretRequired, func(h *hello.ClientHello) { h.SetExtension(hello.ExtExtendedMasterSecret, []byte{}) })
	}
	if !o.SecureReneg {
		add("with renegotiation_info", cause.LegacyRenegotiationDisabled, func(h *hello.ClientHello) { h.Suites = append(h.Suites, suite.EmptyRenegotiationInfoSCSV) })
	}
	if large := largeGroups(o); len(large) > 0 {
		add("without the post-quantum groups", cause.LargeHelloDropped, func(h *hello.ClientHello) { small(h, o) })
	}
	add("with all signature schemes", cause.NoCommonSignatureAlgorithm, func(h *hello.ClientHello) { h.SetSchemes(wideSchemes...) })
	add("with more groups", cause.NoCommonGroup, func(h *hello.ClientHello) { widenGroups(h, o) })
	if len(o.Versions) > 0 && o.Versions[0] > suite.TLS12 && len(o.Versions) > 1 {
		add("with TLS 1.2 at most", cause.VersionIntolerance, func(h *hello.ClientHello) { h.SetVersions(suite.TLS12); small(h, o) })
	}
	if extra := optional(h); len(extra) > 0 {
		add("without optional extensions and GREASE", cause.ExtensionIntolerance, func(h *hello.ClientHello) {
			for _, t := range extra {
				h.RemoveExtension(t)
			}
			dropGREASE(h)
		})
	}
	if len(h.Suites) > 32 {
		add("with fewer cipher suites", cause.HelloSizeIntolerance, func(h *hello.ClientHello) { fewerSuites(h, v.seen.Policy.Suites) })
	}
	add("with the cipher suites that the endpoint was seen to accept", cause.NoCommonCipher, func(h *hello.ClientHello) {
		for _, c := range v.seen.Policy.Suites {
			h.Suites = append(h.Suites, c)
		}
	})
	return l
}

// nameToTry is a name that the endpoint is likely to know.
func (v *visit) nameToTry() string {
	if v.e.ServerName != "" {
		return v.e.ServerName
	}
	for _, c := range v.seen.Identity.Certificates {
		for _, n := range c.Names {
			if n != "" && n[0] != '*' && !isAddress(n) {
				return n
			}
		}
	}
	return ""
}

// blame words the cause that variant x proves.
func (v *visit) blame(ctx context.Context, o *hello.Offer, x *variant) {
	k := Cause{ID: x.id, Confidence: 0.95, Evidence: []Evidence{
		{Fact: "the endpoint answers the client's hello with: " + answerWords(&v.replay), Command: sClient(v.t, v.hello)},
		{Fact: "the same hello " + x.words + " is answered with: " + answerWords(&x.got), Command: sClient(v.t, x.h)},
	}}
	r := negotiate.Reason{Cause: x.id, By: "server"}
	fix := "Send the hello " + x.words
	switch x.id {
	case cause.LargeHelloDropped:
		v.blameSize(ctx, o, x)
		return
	case cause.ExtensionIntolerance:
		v.blameExtension(ctx, o, x)
		return
	case cause.HelloSizeIntolerance:
		k.Summary = fmt.Sprintf("the listener breaks on a hello with %d cipher suites; with %d it answers", len(v.hello.Suites), len(x.h.Suites))
	case cause.VersionIntolerance:
		k.Summary = fmt.Sprintf("the listener breaks on a hello that offers %s, instead of negotiating down", spoken(o.Versions[0]))
		fix = "Offer TLS 1.2 at most to this endpoint"
		v.fix(SideLoadBalancer, "Update the server: it must answer a newer hello with the highest version it knows (RFC 8446 section 4.1.3)")
	case cause.SNIUnknown:
		r.Client = []string{o.ServerName}
		for _, c := range v.seen.Identity.Certificates {
			r.Server = append(r.Server, c.Names...)
		}
		fix = "Ask for a name that the load balancer serves"
		v.fix(SideLoadBalancer, "Add a certificate for "+o.ServerName)
	case cause.NoCommonALPN:
		r.Client, r.Server = o.ALPN, []string{"others"}
		fix = "Offer an application protocol that the listener knows, or none"
		v.fix(SideLoadBalancer, "Enable one of "+enumerate(o.ALPN)+" on the listener (NLB: the ALPN policy)")
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
	v.d.Fixes = append([]Fix{{Side: SideClient, Summary: fix, Commands: []string{}, Proved: true}}, v.d.Fixes...)
}

// blameExtension finds the extensions that the endpoint breaks on: those whose removal alone helps.
func (v *visit) blameExtension(ctx context.Context, o *hello.Offer, x *variant) {
	var single []variant
	for _, t := range append(optional(v.hello), greaseOnly) {
		h := v.hello.Clone()
		if t == greaseOnly {
			dropGREASE(h)
		} else {
			h.RemoveExtension(t)
		}
		name := hello.ExtensionName(t)
		if t == greaseOnly {
			name = "GREASE"
		}
		single = append(single, variant{words: name, h: h})
	}
	v.sendAll(ctx, single)
	var guilty []string
	for _, s := range single {
		if s.got.Accepted() {
			guilty = append(guilty, s.words)
			v.works, v.worksBy = s.h, "without "+s.words
		}
	}
	k := Cause{ID: cause.ExtensionIntolerance, Confidence: 0.95, Evidence: []Evidence{
		{Fact: "the endpoint answers the client's hello with: " + answerWords(&v.replay)},
		{Fact: "the same hello " + x.words + " is answered with: " + answerWords(&x.got)},
	}}
	if len(guilty) > 0 {
		k.Summary = fmt.Sprintf("the listener breaks on the extension %s, which a server must ignore if it does not know it", enumerate(guilty))
		k.ClientSet = guilty
	} else {
		k.Confidence = 0.8
		k.Summary = "the listener breaks on several of the hello's optional extensions together"
		for _, t := range optional(v.hello) {
			k.ClientSet = append(k.ClientSet, hello.ExtensionName(t))
		}
	}
	v.add(k)
	v.d.Fixes = append(v.d.Fixes, Fix{Side: SideClient, Summary: "Leave out " + enumerate(k.ClientSet), Commands: []string{}, Proved: true},
		Fix{Side: SideLoadBalancer, Summary: "Update the server: unknown extensions must be ignored (RFC 8446 section 4.1.2)", Commands: []string{}})
}

// unexplained: no single change helps. What Decide says is still the best guess.
func (v *visit) unexplained(o *hello.Offer, tried []variant) {
	out := negotiate.Decide(o, v.seen.Policy, &v.seen.Identity)
	if !out.OK {
		k := causeOf(v.c, o, v.seen.Policy, out.Reason, "the listener")
		k.Confidence = 0.6
		k.Evidence = append(k.Evidence, Evidence{Fact: "the endpoint answers the client's hello with: " + answerWords(&v.replay), Command: sClient(v.t, v.hello)})
		k.Decide = "a capture of the real client's connection, or the load balancer's own log"
		v.add(k)
		v.d.Fixes = append(v.d.Fixes, fixes(v.c, v.server, out.Reason.Cause)...)
		return
	}
	id, summary := cause.Unknown, "the listener refuses this hello, and no single change to it helps"
	switch {
	case v.replay.Answer == probe.Alerted && (v.replay.Alert == suite.AlertDecodeError || v.replay.Alert == suite.AlertIllegalParameter || v.replay.Alert == suite.AlertUnexpectedMessage),
		v.replay.Answer == probe.Malformed:
		id, summary = cause.ProtocolViolation, "one side breaks the protocol: "+answerWords(&v.replay)
	case v.replay.Answer == probe.Reset || v.replay.Answer == probe.Closed:
		id, summary = cause.ConnectionReset, "the connection is ended after the client's hello without an alert; hellos of other kinds are answered"
	}
	k := Cause{ID: id, Confidence: 0.5, Summary: summary, Decide: "a capture on the load balancer's side, and the load balancer's own log",
		Evidence: []Evidence{{Fact: "the endpoint answers the client's hello with: " + answerWords(&v.replay), Command: sClient(v.t, v.hello)}}}
	for _, x := range tried {
		k.Evidence = append(k.Evidence, Evidence{Fact: x.words + ": " + answerWords(&x.got)})
	}
	v.add(k)
}
