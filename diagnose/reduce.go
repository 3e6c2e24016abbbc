package diagnose

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// reduceBudget is how many hellos a search for the smallest combination of changes may send.
const reduceBudget = 150

// reduce is for a hello that no single change saves. It takes all differences between it and a hello that the
// endpoint was seen to accept, and searches for the smallest set of them that turns refusal into success. It
// returns false if even all of them together do not.
func (v *visit) reduce(ctx context.Context) bool {
	accepted := v.acceptedHello()
	if accepted == nil || v.hello.SSLv2Format {
		return false
	}
	all := differences(v.hello, accepted)
	combine := func(subset []int) variant {
		slices.Sort(subset)
		x := variant{h: v.hello.Clone()}
		var words []string
		for _, i := range subset {
			all[i].apply(x.h)
			words = append(words, all[i].words)
		}
		x.words = enumerate(words)
		return x
	}
	everything := make([]int, len(all))
	for i := range everything {
		everything[i] = i
	}
	if !v.accept(ctx, [][]int{everything}, combine)[0] {
		return false
	}
	subset, minimal := minimize(len(all), reduceBudget, func(subsets [][]int) []bool { return v.accept(ctx, subsets, combine) })
	x := combine(subset)
	v.works, v.worksBy = x.h, x.words
	v.blameTogether(&x, all, subset, minimal)
	return true
}

// blameTogether names a cause for each kind of change that is needed.
func (v *visit) blameTogether(x *variant, all []change, subset []int, minimal bool) {
	summary := "the listener refuses the hello as it is; sent " + x.words + " it is answered"
	evidence := []Evidence{v.met(), {Fact: "the same hello " + x.words + " is accepted", Command: sClient(v.t, x.h)}}
	confidence := 0.9
	if len(subset) > 1 {
		summary = fmt.Sprintf("%s things stand in the way at once: the listener answers the hello only if it is sent %s", number(len(subset)), x.words)
	}
	switch {
	case !minimal:
		confidence = 0.7
		evidence = append(evidence, Evidence{Fact: fmt.Sprintf("the search for fewer changes was cut short after %d hellos", reduceBudget)})
	case len(subset) > 1:
		evidence = append(evidence, Evidence{Fact: "with any one of these changes left out it is refused"})
	}
	for i, k := range byCause(all, subset) {
		if i > 0 {
			summary, evidence = "needed as well: the hello "+k.words, nil
		}
		v.add(Cause{ID: k.id, Confidence: confidence, Summary: summary, Evidence: evidence})
	}
	v.proved("Send the hello " + x.words)
	v.d.Fixes = append(v.d.Fixes, onLoadBalancer("Update the server: it refuses what TLS obliges it to accept or to ignore"))
}

// byCause joins the chosen changes that prove the same cause.
func byCause(all []change, subset []int) []change {
	var l []change
	for _, i := range subset {
		at := slices.IndexFunc(l, func(c change) bool { return c.id == all[i].id })
		if at < 0 {
			l = append(l, change{words: all[i].words, id: all[i].id})
			continue
		}
		l[at].words += " and " + all[i].words
	}
	return l
}

func number(n int) string {
	if n < len(numbers) {
		return numbers[n]
	}
	return fmt.Sprint(n)
}

var numbers = []string{"No", "One", "Two", "Three", "Four", "Five", "Six"}

// acceptedHello is a hello of the scan that the endpoint accepted, the one nearest to the client's: of its
// highest version if there is one. It is nil where the endpoint accepted none.
func (v *visit) acceptedHello() *hello.ClientHello {
	top := suite.Version(0)
	if o := v.hello.Offer(); len(o.Versions) > 0 {
		top = o.Versions[0]
	}
	var best *hello.Offer
	for i := range v.seen.Replies {
		r := &v.seen.Replies[i]
		if r.Name == replayName || !r.Accepted() || len(r.Offer.Versions) == 0 {
			continue
		}
		if best == nil || r.Offer.Versions[0] == top && best.Versions[0] != top {
			best = &r.Offer
		}
	}
	if best == nil {
		return nil
	}
	h, err := hello.Build(best, rand.Reader)
	if err != nil {
		return nil
	}
	return h
}

// differences lists the changes that turn one hello into another, each the smallest that makes sense by itself.
// The order of suites and of extensions stays.
func differences(from, to *hello.ClientHello) []change {
	l := fieldDifferences(from, to)
	l = append(l, suiteDifferences(from, to)...)
	return append(l, extensionDifferences(from, to)...)
}

func fieldDifferences(from, to *hello.ClientHello) []change {
	var l []change
	add := func(differ bool, words string, id cause.ID, apply func(*hello.ClientHello)) {
		if differ {
			l = append(l, change{words, id, apply})
		}
	}
	versions := to.Offer().Versions
	add(!slices.Equal(from.Offer().Versions, versions), "with "+versionsOf(to), cause.VersionIntolerance, func(h *hello.ClientHello) {
		h.SetVersions(versions...)
		h.Version = to.Version
	})
	add(from.RecordVersion != to.RecordVersion, "in records marked "+spoken(to.RecordVersion), cause.VersionIntolerance, func(h *hello.ClientHello) { h.RecordVersion = to.RecordVersion })
	add(len(from.SessionID) != len(to.SessionID), fmt.Sprintf("with a session id of %d bytes", len(to.SessionID)), cause.ProtocolViolation, func(h *hello.ClientHello) { h.SessionID = bytes.Clone(to.SessionID) })
	add(!bytes.Equal(from.Compression, to.Compression), "without compression methods", cause.ProtocolViolation, func(h *hello.ClientHello) { h.Compression = bytes.Clone(to.Compression) })
	add(from.Offer().GREASE && !to.Offer().GREASE, "without GREASE", cause.ExtensionIntolerance, dropGREASE)
	return l
}

// versionsOf says which versions a hello offers: before TLS 1.3 all up to its own.
func versionsOf(h *hello.ClientHello) string {
	if !h.HasExtension(hello.ExtSupportedVersions) {
		return spoken(h.Version) + " at most"
	}
	return versionWords(h.Offer().Versions) + " alone"
}

// suiteDifferences: each suite to leave out by itself, those to add together.
func suiteDifferences(from, to *hello.ClientHello) []change {
	var l []change
	for _, c := range from.Suites {
		if slices.Contains(to.Suites, c) || c <= 0xFFFF && suite.IsGREASE(uint16(c)) {
			continue
		}
		id := cause.ProtocolViolation // a server must pass over a suite that it does not know
		if c == suite.FallbackSCSV {
			id = cause.InappropriateFallback
		}
		l = append(l, change{"without the cipher suite " + c.OpenSSL(), id, func(h *hello.ClientHello) { dropSuite(h, c) }})
	}
	var lacking []suite.Code
	for _, c := range to.Suites {
		if !slices.Contains(from.Suites, c) {
			lacking = append(lacking, c)
		}
	}
	if len(lacking) > 0 {
		l = append(l, change{"with more cipher suites", cause.NoCommonCipher, func(h *hello.ClientHello) { h.Suites = append(h.Suites, lacking...) }})
	}
	return l
}

// extensionDifferences: those that only TLS 1.3 has go with the version, GREASE with all GREASE.
func extensionDifferences(from, to *hello.ClientHello) []change {
	var l []change
	classic := !to.HasExtension(hello.ExtSupportedVersions)
	for _, e := range from.Extensions {
		data, both := to.Extension(e.Type)
		switch {
		case e.Type == hello.ExtSupportedVersions, suite.IsGREASE(e.Type), classic && slices.Contains(only13, e.Type):
		case !both:
			l = append(l, change{"without " + hello.ExtensionName(e.Type), extensionCause(e.Type, false), func(h *hello.ClientHello) { h.RemoveExtension(e.Type) }})
		case !bytes.Equal(e.Data, data):
			l = append(l, change{"with another " + hello.ExtensionName(e.Type), extensionCause(e.Type, true), func(h *hello.ClientHello) { h.SetExtension(e.Type, bytes.Clone(data)) }})
		}
	}
	for _, e := range to.Extensions {
		if e.Type != hello.ExtSupportedVersions && !from.HasExtension(e.Type) {
			l = append(l, change{"with " + hello.ExtensionName(e.Type), extensionCause(e.Type, true), func(h *hello.ClientHello) { h.SetExtension(e.Type, bytes.Clone(e.Data)) }})
		}
	}
	return l
}

// only13 are the extensions that SetVersions takes out of a hello without TLS 1.3.
var only13 = []uint16{hello.ExtKeyShare, hello.ExtPSKModes, hello.ExtPreSharedKey, hello.ExtEarlyData}

// extensionCause is what a change to an extension proves where it helps. wanted tells that the extension must be
// there, with what the accepted hello has in it; else it must not.
func extensionCause(t uint16, wanted bool) cause.ID {
	switch t {
	case hello.ExtServerName:
		if wanted {
			return cause.SNIRequired
		}
		return cause.SNIUnknown
	case hello.ExtALPN:
		return cause.NoCommonALPN
	case hello.ExtSupportedGroups, hello.ExtKeyShare, hello.ExtPointFormats:
		return cause.NoCommonGroup
	case hello.ExtSignatureAlgorithms, hello.ExtSignatureAlgsCert:
		return cause.NoCommonSignatureAlgorithm
	case hello.ExtExtendedMasterSecret:
		if wanted {
			return cause.ExtendedMasterSecretRequired
		}
	case hello.ExtRenegotiationInfo:
		if wanted {
			return cause.LegacyRenegotiationDisabled
		}
	case hello.ExtPadding:
		return cause.HelloSizeIntolerance
	}
	return cause.ExtensionIntolerance
}
