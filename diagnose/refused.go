package diagnose

import (
	"context"
	"crypto/rand"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/probe"
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
		v.lookBehindCertificates(&o, &out)
	}
	if !out.OK && out.Reason.By == "server" && v.replay.Answer != probe.ServerHello {
		if v.predicted(ctx, &o, &out) {
			return
		}
	}
	v.experiment(ctx, &o)
}

// predicted reports the cause that negotiate.Decide gives, after hellos without that obstacle were sent: one with
// the least change, and one for each fix on the client's side. It returns false if the first fails too: then the
// explanation is not the whole truth.
func (v *visit) predicted(ctx context.Context, o *hello.Offer, out *negotiate.Outcome) bool {
	k := causeOf(v.c, o, v.seen.Policy, out.Reason, "the listener")
	k.Evidence = append(k.Evidence, v.met())
	proposals := fixes(v.c, v.server, out.Reason.Cause)
	better, steps, ok := repair(*o, v.seen.Policy, &v.seen.Identity)
	if !ok {
		k.Confidence = 0.8
		v.add(k)
		v.d.Fixes = append(v.d.Fixes, plain(proposals)...)
		return true
	}
	least := variant{change: change{words: "with one change (" + stepWords(steps) + ")"}}
	var err error
	if least.h, err = hello.Build(&better, rand.Reader); err != nil {
		return false
	}
	tries := append([]variant{least}, rebuilt(proposals)...)
	v.sendAll(ctx, tries)
	if least = tries[0]; !least.got.Accepted() {
		return false
	}
	for i, x := range tries[1:] {
		proposals[i].Proved = x.got.Accepted()
	}
	k.Confidence = 0.98
	k.Evidence = append(k.Evidence, v.contrast(&least)[1])
	v.works, v.worksBy = least.h, least.words
	if v.instead != nil {
		k.Confidence, k.Decide = likelier, v.instead.Decide
	}
	v.add(k)
	if v.instead != nil {
		v.add(*v.instead)
	}
	v.d.Fixes = append(v.d.Fixes, plain(proposals)...)
	return true
}

// rebuilt makes the hellos of the proposals on the client's side, which come first.
func rebuilt(l []proposal) []variant {
	var out []variant
	for _, p := range l {
		if p.offer == nil {
			break
		}
		h, err := hello.Build(p.offer, rand.Reader)
		if err != nil {
			break
		}
		out = append(out, variant{h: h})
	}
	return out
}

// try sends one hello.
func (v *visit) try(ctx context.Context, h *hello.ClientHello) (probe.Observation, bool) {
	raw, err := h.Marshal()
	if err != nil {
		return probe.Observation{}, false
	}
	return v.p.Hello(ctx, v.t, raw), true
}
