package negotiate

import (
	"testing"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// TestS2N keeps what was measured with s2n-tls of 2026-08-07, which the tests cannot run: who ends the handshake
// and by what.
func TestS2N(t *testing.T) {
	protocolVersion := Signal{Alert: suite.AlertProtocolVersion}
	closeNotify := Signal{CloseNotify: true}
	tls12 := func(change func(*hello.Offer)) *hello.Offer {
		o := modern()
		o.Versions, o.Suites, o.KeyShares = o.Versions[1:], []suite.Code{0xC02F}, nil
		return edit(o, change)
	}
	tls13 := func(change func(*hello.Offer)) *hello.Offer {
		o := modern()
		o.Versions, o.Suites = o.Versions[:1], o.Suites[:3]
		return edit(o, change)
	}
	for _, c := range []struct {
		name   string
		offer  *hello.Offer
		policy string
		cause  cause.ID
		by     string
		signal Signal
	}{
		{"low version", old(), "TLS13-1-2-2021-06", cause.NoCommonVersion, "server", protocolVersion},
		{"TLS 1.3 alone", tls13(func(*hello.Offer) {}), "2016-08", cause.NoCommonVersion, "server", closeNotify},
		{"TLS 1.3 alone, suites of 1.2 too", tls13(func(o *hello.Offer) { o.Suites = append(o.Suites, 0xC02F) }), "2016-08", cause.NoCommonVersion, "client", Signal{}},
		{"no suite", tls12(func(o *hello.Offer) { o.Suites = []suite.Code{0x002F} }), "TLS13-1-2-2021-06", cause.NoCommonCipher, "server", closeNotify},
		{"suites of ECDSA", tls12(func(o *hello.Offer) { o.Suites = []suite.Code{0xC02B} }), "2016-08", cause.CipherNeedsOtherCertificate, "server", closeNotify},
		{"fallback", tls12(func(o *hello.Offer) { o.FallbackSCSV = true }), "TLS13-1-2-2021-06", cause.InappropriateFallback, "server", closeNotify},
		{"no group, TLS 1.2", tls12(func(o *hello.Offer) { o.Groups = []suite.Group{suite.Secp521r1} }), "2016-08", cause.NoCommonGroup, "server", closeNotify},
		{"a post-quantum group in TLS 1.2", tls12(func(o *hello.Offer) { o.Groups = []suite.Group{suite.X25519, suite.X25519MLKEM768} }),
			"TLS13-1-2-PQ-2025-09", cause.NoCommonGroup, "server", closeNotify},
		{"no group, TLS 1.3", tls13(func(o *hello.Offer) { o.Groups = []suite.Group{suite.Secp521r1} }), "TLS13-1-3-2021-06", cause.NoCommonGroup, "server", closeNotify},
		{"no list of groups, TLS 1.3", tls13(func(o *hello.Offer) { o.HasGroups, o.Groups, o.KeyShares = false, nil, nil }),
			"TLS13-1-3-2021-06", cause.NoCommonGroup, "client", Signal{}},
		{"no scheme for the key", tls13(func(o *hello.Offer) { o.Schemes = o.Schemes[:1] }), "TLS13-1-3-2021-06", cause.NoCommonSignatureAlgorithm, "client", Signal{}},
		{"no list of schemes, TLS 1.3", tls13(func(o *hello.Offer) { o.HasSchemes, o.Schemes = false, nil }),
			"TLS13-1-3-2021-06", cause.NoCommonSignatureAlgorithm, "client", Signal{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Decide(c.offer, policy.ByName(c.policy), rsa2048()).Reason
			if r.Cause != c.cause || r.By != c.by {
				t.Errorf("%s by %q, want %s by %q", r.Cause, r.By, c.cause, c.by)
			}
			if r.Signal.Source = ""; r.Signal != c.signal {
				t.Errorf("signal %+v, want %+v", r.Signal, c.signal)
			}
		})
	}
}
