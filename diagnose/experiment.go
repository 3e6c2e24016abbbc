package diagnose

import (
	"context"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// change is one change to the client's hello, and what it proves if the endpoint then accepts it.
type change struct {
	words string // "without ALPN"
	id    cause.ID
	apply func(*hello.ClientHello)
}

// variant is the client's hello with changes, and how the endpoint answered it.
type variant struct {
	change
	h   *hello.ClientHello
	got probe.Observation
}

// experiment is for a refusal that no table explains. It sends the hello again with one change each, and
// where none of them helps searches for the smallest combination that does.
func (v *visit) experiment(ctx context.Context, o *hello.Offer) {
	deliberate := v.replay.Answer.Refusal() // a reset or silence may be the network's doing: ask again first
	if !deliberate && v.comesAndGoes(ctx) {
		return
	}
	tried := v.with(v.changes(o))
	v.sendAll(ctx, tried)
	for i := range tried {
		if x := &tried[i]; x.got.Accepted() {
			if v.formatRefused(tried) {
				x.id = cause.SSLv2HelloRefused
			}
			v.works, v.worksBy = x.h, x.words
			v.blame(ctx, o, x)
			return
		}
	}
	if deliberate && v.comesAndGoes(ctx) || v.reduce(ctx) {
		return
	}
	v.unexplained(o, tried)
}

// comesAndGoes sends the client's hello again, unchanged. If it is accepted now, the failure has nothing to do
// with what the hello says, or not always: only many tries can tell.
func (v *visit) comesAndGoes(ctx context.Context) bool {
	o, sent := v.try(ctx, v.hello)
	if !sent || !o.Accepted() {
		return false
	}
	v.d.Negotiated = agreement(&o)
	if v.opt.Repeat == 0 {
		v.opt.Repeat = fewTries
	}
	v.repeat(ctx)
	return true
}

// fewTries is how often a hello is repeated that was refused once and accepted once, if the user named no number.
const fewTries = 10

// with applies each change to a hello of its own.
func (v *visit) with(l []change) []variant {
	out := make([]variant, len(l))
	for i, c := range l {
		out[i] = variant{change: c, h: v.hello.Clone()}
		c.apply(out[i].h)
	}
	return out
}

// sendAll sends all variants side by side. One that cannot be written is not sent and counts as refused.
func (v *visit) sendAll(ctx context.Context, l []variant) {
	var raw [][]byte
	var at []int
	for i, x := range l {
		if b, err := x.h.Marshal(); err == nil {
			raw, at = append(raw, b), append(at, i)
		}
	}
	for i, o := range v.p.All(ctx, v.t, raw) {
		l[at[i]].got = o
	}
}

// changes are the single changes to try, the most telling first.
func (v *visit) changes(o *hello.Offer) []change {
	if v.hello.SSLv2Format {
		return inRecords(o) // the format has no room for anything else
	}
	var l []change
	add := func(words string, id cause.ID, apply func(*hello.ClientHello)) {
		l = append(l, change{words, id, apply})
	}
	if o.FallbackSCSV {
		add("without TLS_FALLBACK_SCSV", cause.InappropriateFallback, func(h *hello.ClientHello) { dropSuite(h, suite.FallbackSCSV) })
	}
	name := v.nameToTry()
	if o.ServerName == "" && name != "" {
		add("with server_name "+name, cause.SNIRequired, func(h *hello.ClientHello) { h.SetServerName(name) })
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
	if len(largeGroups(o)) > 0 {
		add("without the post-quantum groups", cause.LargeHelloDropped, func(h *hello.ClientHello) { small(h, o) })
	}
	add("with all signature schemes", cause.NoCommonSignatureAlgorithm, func(h *hello.ClientHello) { h.SetSchemes(wideSchemes...) })
	add("with more groups", cause.NoCommonGroup, func(h *hello.ClientHello) { widenGroups(h, o) })
	l = append(l, v.intolerances(o)...)
	if o.ServerName == "" {
		return l
	}
	// The scan asked for this name too and was answered, so that only the name together with something else can be
	// at fault: these come last.
	add("without server_name", cause.SNIUnknown, func(h *hello.ClientHello) { h.SetServerName("") })
	if name != "" && name != o.ServerName {
		add("with server_name "+name, cause.SNIUnknown, func(h *hello.ClientHello) { h.SetServerName(name) })
	}
	return l
}

// formatRefused reports whether the endpoint refuses the SSLv2 format as such: it answers the same hello in TLS
// records otherwise.
func (v *visit) formatRefused(tried []variant) bool {
	got := &tried[0].got
	return v.hello.SSLv2Format && (got.Answer != v.replay.Answer || got.Alert != v.replay.Alert)
}

// inRecords is what there is to change about a hello in the SSLv2 format.
func inRecords(o *hello.Offer) []change {
	return []change{
		{"in the TLS record format", cause.SSLv2HelloRefused, toRecords},
		// Where that does not help it is not the format but what it has no room for: some servers take ECDHE and
		// signatures for offered only where extensions say so.
		{"in the TLS record format and with all signature schemes", cause.NoCommonSignatureAlgorithm, func(h *hello.ClientHello) {
			toRecords(h)
			h.SetSchemes(wideSchemes...)
		}},
		{"in the TLS record format, with groups and all signature schemes", cause.NoCommonGroup, func(h *hello.ClientHello) {
			toRecords(h)
			widenGroups(h, o)
			h.SetSchemes(wideSchemes...)
		}},
	}
}

// intolerances are changes that must make no difference to a server that keeps to the protocol.
func (v *visit) intolerances(o *hello.Offer) []change {
	var l []change
	if len(o.Versions) > 1 && o.Versions[0] > suite.TLS12 {
		l = append(l, change{"with TLS 1.2 at most", cause.VersionIntolerance, func(h *hello.ClientHello) { h.SetVersions(suite.TLS12); small(h, o) }})
	}
	if inF5Range(v.hello) {
		l = append(l, padded)
	}
	if extra := optional(v.hello); len(extra) > 0 {
		l = append(l, change{"without optional extensions and GREASE", cause.ExtensionIntolerance, func(h *hello.ClientHello) {
			for _, t := range extra {
				h.RemoveExtension(t)
			}
			dropGREASE(h)
		}})
	}
	if len(v.hello.Suites) > 32 {
		l = append(l, change{"with fewer cipher suites", cause.HelloSizeIntolerance, func(h *hello.ClientHello) { fewerSuites(h, v.seen.Policy.Suites) }})
	}
	return append(l, change{"with the cipher suites that the endpoint was seen to accept", cause.NoCommonCipher, func(h *hello.ClientHello) {
		h.Suites = append(h.Suites, v.seen.Policy.Suites...)
	}})
}

var padded = change{"padded to 600 bytes", cause.HelloSizeIntolerance, func(h *hello.ClientHello) { h.SetPadding(600) }}

// inF5Range reports whether a hello's handshake message has 256 to 511 bytes, which some F5 load balancers took
// for an SSLv2 hello and never answered (RFC 7685 section 4).
func inF5Range(h *hello.ClientHello) bool {
	b, err := h.MarshalHandshake()
	return err == nil && len(b) >= 256 && len(b) < 512
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
