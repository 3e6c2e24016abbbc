package negotiate

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

func modern() *hello.Offer {
	return &hello.Offer{
		Versions:  []suite.Version{suite.TLS13, suite.TLS12},
		Suites:    []suite.Code{0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8},
		HasGroups: true, Groups: []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1}, KeyShares: []suite.Group{suite.X25519},
		HasSchemes: true, Schemes: []suite.SignatureScheme{suite.ECDSASecp256r1SHA256, suite.RSAPSSRSAESHA256, suite.RSAPKCS1SHA256},
		SecureReneg: true, ExtendedMaster: true,
	}
}

// old offers TLS 1.0 at most, as Java 7 does.
func old() *hello.Offer {
	return &hello.Offer{
		Versions:  []suite.Version{suite.TLS10, suite.SSLv3},
		Suites:    []suite.Code{0xC013, 0x002F, 0x000A},
		HasGroups: true, Groups: []suite.Group{suite.Secp256r1}, SecureReneg: true,
	}
}

func rsa2048() *policy.Identity {
	return &policy.Identity{Certificates: []policy.Certificate{{KeyType: policy.RSA, Bits: 2048}}}
}

func p256() *policy.Identity {
	return &policy.Identity{Certificates: []policy.Certificate{{KeyType: policy.ECDSA, Bits: 256, Curve: suite.Secp256r1}}}
}

func edit(o *hello.Offer, change func(*hello.Offer)) *hello.Offer { change(o); return o }

func TestDecide(t *testing.T) {
	named := func(name string) *policy.Policy {
		p := policy.ByName(name)
		if p == nil {
			t.Fatalf("no policy %s", name)
		}
		return p
	}
	with := func(name string, change func(*policy.Policy)) *policy.Policy {
		p := *named(name)
		change(&p)
		return &p
	}
	for _, c := range []struct {
		name    string
		offer   *hello.Offer
		policy  *policy.Policy
		id      *policy.Identity
		version suite.Version
		suite   suite.Code
		cause   cause.ID
	}{
		{"modern meets TLS 1.3", modern(), named("TLS13-1-2-2021-06"), rsa2048(), suite.TLS13, 0x1301, ""},
		{"modern meets 2016-08", modern(), named("2016-08"), rsa2048(), suite.TLS12, 0xC02F, ""},
		{"server order with ECDSA", modern(), named("2016-08"), p256(), suite.TLS12, 0xC02B, ""},
		{"old meets 2016-08", old(), named("2016-08"), rsa2048(), suite.TLS10, 0xC013, ""},
		{"old meets TLS 1.2", old(), named("TLS-1-2-2017-01"), rsa2048(), 0, 0, cause.NoCommonVersion},
		{"floor of the client", edit(modern(), func(o *hello.Offer) { o.Accepts.MinVersion = suite.TLS13 }), named("2016-08"), rsa2048(), 0, 0, cause.NoCommonVersion},
		{"one old suite", edit(modern(), func(o *hello.Offer) { o.Versions = o.Versions[1:]; o.Suites = []suite.Code{0x002F} }), named("TLS13-1-2-2021-06"), rsa2048(), suite.TLS12, 0, cause.NoCommonCipher},
		{"ECDSA suites, RSA certificate", edit(modern(), func(o *hello.Offer) { o.Versions = o.Versions[1:]; o.Suites = []suite.Code{0xC02B} }), named("2016-08"), rsa2048(), suite.TLS12, 0, cause.CipherNeedsOtherCertificate},
		{"no shared group", edit(modern(), func(o *hello.Offer) {
			o.Groups = []suite.Group{suite.Secp521r1}
			o.KeyShares = o.Groups
		}), named("TLS13-1-3-2021-06"), rsa2048(), suite.TLS13, 0, cause.NoCommonGroup},
		{"certificate curve not listed", edit(modern(), func(o *hello.Offer) { o.Versions = o.Versions[1:]; o.Groups = o.Groups[:1] }),
			with("TLS13-1-2-2021-06", func(p *policy.Policy) { p.Engine = policy.EngineOpenSSL }), p256(), suite.TLS12, 0, cause.NoCommonGroup},
		{"certificate curve not listed, Go", edit(modern(), func(o *hello.Offer) { o.Versions = o.Versions[1:]; o.Groups = o.Groups[:1] }),
			with("TLS13-1-2-2021-06", func(p *policy.Policy) { p.Engine = policy.EngineGo }), p256(), suite.TLS12, 0xC02B, ""},
		{"no scheme for the key", edit(modern(), func(o *hello.Offer) { o.Schemes = o.Schemes[:1] }), named("TLS13-1-3-2021-06"), rsa2048(), suite.TLS13, 0, cause.NoCommonSignatureAlgorithm},
		{"fallback", edit(modern(), func(o *hello.Offer) { o.Versions = o.Versions[1:]; o.FallbackSCSV = true }), named("TLS13-1-2-2021-06"), rsa2048(), suite.TLS12, 0, cause.InappropriateFallback},
		{"fallback at the server's best", edit(modern(), func(o *hello.Offer) { o.Versions = o.Versions[1:]; o.FallbackSCSV = true }), named("2016-08"), rsa2048(), suite.TLS12, 0xC02F, ""},
		{"SNI required", modern(), with("2016-08", func(p *policy.Policy) { p.SNI.Required = true }), rsa2048(), suite.TLS12, 0, cause.SNIRequired},
		{"EMS required", edit(modern(), func(o *hello.Offer) { o.ExtendedMaster = false }), with("2016-08", func(p *policy.Policy) { p.RequiresEMS = true }), rsa2048(), suite.TLS12, 0, cause.ExtendedMasterSecretRequired},
		{"ALPN", edit(modern(), func(o *hello.Offer) { o.ALPN = []string{"h2"} }), with("2016-08", func(p *policy.Policy) { p.ALPN = policy.ALPNRule{Protocols: []string{"http/1.1"}, Strict: true} }), rsa2048(), suite.TLS12, 0, cause.NoCommonALPN},
		{"large DH refused by the client", edit(old(), func(o *hello.Offer) { o.Suites = []suite.Code{0x0033}; o.Accepts.MaxDHBits = 1024 }),
			with("2016-08", func(p *policy.Policy) { p.Suites = []suite.Code{0x0033}; p.DHBits = 2048 }), rsa2048(), suite.TLS10, 0x0033, cause.WeakDHParameters},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Decide(c.offer, c.policy, c.id)
			if got.OK != (c.cause == "") || got.Reason.Cause != c.cause || got.Version != c.version || got.Suite != c.suite {
				t.Errorf("got %+v", got)
			}
			if !got.OK && got.Reason.By == "" {
				t.Errorf("nobody gives up: %+v", got.Reason)
			}
		})
	}
}

// TestPinnedBySchemes: HAProxy looks for RSA schemes of the PKCS #1 kind. A client with PSS alone gets the ECDSA
// certificate, and what would change that is its schemes.
func TestPinnedBySchemes(t *testing.T) {
	p := *policy.ByName("TLS13-1-2-Ext1-2021-06")
	p.Engine = EngineHAProxy
	both := &policy.Identity{Certificates: append(rsa2048().Certificates, p256().Certificates...)}
	pss := edit(modern(), func(o *hello.Offer) {
		o.Versions, o.Suites, o.Schemes = o.Versions[1:], []suite.Code{0xC02F}, []suite.SignatureScheme{suite.RSAPSSRSAESHA256}
	})
	if out := Decide(pss, &p, both); out.OK || out.Reason.Cause != cause.NoCommonSignatureAlgorithm || out.Reason.Signal.Alert != suite.AlertHandshakeFailure {
		t.Errorf("PSS alone: %+v", out)
	}
	pss.Schemes = append(pss.Schemes, suite.RSAPKCS1SHA384)
	if out := Decide(pss, &p, both); !out.OK || out.Certificate != 0 {
		t.Errorf("PSS and PKCS #1: %+v", out)
	}
	pss.Schemes = pss.Schemes[:1]
	if out := Decide(pss, &p, p256()); out.Reason.Cause != cause.CipherNeedsOtherCertificate {
		t.Errorf("without an RSA certificate: %+v", out)
	}
}

// TestCheckAnswer: what a client gives up on, by its own rules, of what a server answers.
func TestCheckAnswer(t *testing.T) {
	p := policy.ByName("2016-08")
	offer := func(rules hello.Rules, change func(*hello.Offer)) *hello.Offer {
		o := edit(modern(), change)
		o.Accepts = rules
		return o
	}
	plain := func(*hello.Offer) {}
	for _, c := range []struct {
		want  cause.ID // "": content
		offer *hello.Offer
		with  Answer
	}{
		{"", offer(hello.Rules{}, plain), Answer{Version: suite.TLS10, Suite: 0xC013, DHBits: 512, LacksEMS: true, LacksRI: true, Curve: suite.Secp521r1}},
		{cause.NoCommonVersion, offer(hello.Rules{MinVersion: suite.TLS12}, plain), Answer{Version: suite.TLS11, Suite: 0xC013}},
		{cause.ExtendedMasterSecretRequired, offer(hello.Rules{RequiresExtendedMS: true}, plain), Answer{Version: suite.TLS12, Suite: 0xC02F, LacksEMS: true}},
		{"", offer(hello.Rules{RequiresExtendedMS: true, RequiresSecureReneg: true}, plain), Answer{Version: suite.TLS13, Suite: 0x1301, LacksEMS: true, LacksRI: true}},
		{cause.LegacyRenegotiationDisabled, offer(hello.Rules{RequiresSecureReneg: true}, plain), Answer{Version: suite.TLS12, Suite: 0xC02F, LacksRI: true}},
		{cause.NoCommonALPN, offer(hello.Rules{RequiresALPN: true}, func(o *hello.Offer) { o.ALPN = []string{"h2"} }), Answer{Version: suite.TLS12, Suite: 0xC02F}},
		{"", offer(hello.Rules{RequiresALPN: true}, func(o *hello.Offer) { o.ALPN = []string{"h2"} }), Answer{Version: suite.TLS13, Suite: 0x1301, ALPNHidden: true}},
		{cause.NoCommonGroup, offer(hello.Rules{CurveInGroups: true}, plain), Answer{Version: suite.TLS12, Suite: 0xC02B, Curve: suite.Secp521r1}},
		{"", offer(hello.Rules{CurveInGroups: true}, plain), Answer{Version: suite.TLS12, Suite: 0xC02B, Curve: suite.Secp256r1}},
		{cause.InappropriateFallback, offer(hello.Rules{ChecksDowngrade: true}, func(o *hello.Offer) { o.FallbackSCSV = true }), Answer{Version: suite.TLS11, Suite: 0xC013, Downgraded: true}},
		{"", offer(hello.Rules{ChecksDowngrade: true}, plain), Answer{Version: suite.TLS11, Suite: 0xC013, Downgraded: true}},
		{cause.NoCommonCipher, offer(hello.Rules{RefusedSuites: []suite.Code{0xC013}}, plain), Answer{Version: suite.TLS12, Suite: 0xC013}},
		{cause.HandshakeSignatureRefused, offer(hello.Rules{RefusedSigDigests: []string{"SHA1"}}, plain), Answer{Version: suite.TLS11, Suite: 0xC013}},
		{cause.HandshakeSignatureRefused, offer(hello.Rules{RefusedSigDigests: []string{"SHA1"}}, plain), Answer{Version: suite.TLS12, Suite: 0xC02F, Scheme: suite.RSAPKCS1SHA1}},
		{"", offer(hello.Rules{RefusedSigDigests: []string{"SHA1"}}, plain), Answer{Version: suite.TLS11, Suite: 0x002F}},
		{cause.WeakDHParameters, offer(hello.Rules{MinDHBits: 1024}, plain), Answer{Version: suite.TLS12, Suite: 0x0033, DHBits: 768}},
		{cause.WeakDHParameters, offer(hello.Rules{MaxDHBits: 1024}, plain), Answer{Version: suite.TLS12, Suite: 0x0033, DHBits: 2048}},
	} {
		r, refused := CheckAnswer(c.offer, &c.with, p)
		if refused != (c.want != "") || refused && (r.Cause != c.want || r.By != "client" || r.Version != c.with.Version) {
			t.Errorf("%+v to a client with %+v: %+v, want %q", c.with, c.offer.Accepts, r, c.want)
		}
	}
}

func TestHelloRetry(t *testing.T) {
	p := *policy.ByName("TLS13-1-3-PQ-2025-09")
	o := modern()
	o.Groups = []suite.Group{suite.X25519MLKEM768, suite.X25519}
	o.KeyShares = []suite.Group{suite.X25519}
	if out := Decide(o, &p, rsa2048()); out.Group != suite.X25519MLKEM768 || !out.HelloRetry {
		t.Errorf("s2n asks for the post-quantum share: %+v", out)
	}
	p.Engine = policy.EngineOpenSSL
	if out := Decide(o, &p, rsa2048()); out.Group != suite.X25519 || out.HelloRetry {
		t.Errorf("OpenSSL takes the share it has: %+v", out)
	}
}

// TestResultIsInBothLists and that refusals name a cause and two sides, over random offers and policies.
func TestResultIsInBothLists(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	policies := policy.All()
	for range 20000 {
		o, p := randomOffer(rng), policies[rng.IntN(len(policies))]
		id := []*policy.Identity{nil, rsa2048(), p256()}[rng.IntN(3)]
		out := Decide(o, p, id)
		if !out.OK {
			if out.Reason.Cause == "" || out.Reason.By == "" {
				t.Fatalf("refusal without a reason: %+v\n%+v\n%s", out, o, p.Name)
			}
			continue
		}
		if !slices.Contains(o.Versions, out.Version) || !p.Accepts(out.Version) || !slices.Contains(o.Suites, out.Suite) || !slices.Contains(p.Suites, out.Suite) {
			t.Fatalf("%+v is not in both lists", out)
		}
		if !suite.ByCode(out.Suite).UsableIn(out.Version) {
			t.Fatalf("%s in %s", out.Suite.OpenSSL(), out.Version)
		}
		if out.Group != 0 && (!slices.Contains(o.Groups, out.Group) && o.HasGroups || !slices.Contains(p.GroupsFor(out.Version), out.Group)) {
			t.Fatalf("group %s is not in both lists", out.Group)
		}
	}
}

// TestMoreIsNeverLess: adding suites, groups or schemes to either side never turns success into failure. For
// versions that does not hold: a higher shared version can have no shared suite, and that is the protocol's.
func TestMoreIsNeverLess(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	policies := policy.All()
	more := randomOffer(rng)
	for range 20000 {
		o, p := randomOffer(rng), *policies[rng.IntN(len(policies))]
		if !Decide(o, &p, rsa2048()).OK {
			continue
		}
		wider := *o
		wider.Suites = append(slices.Clone(o.Suites), more.Suites...)
		wider.Groups = append(slices.Clone(o.Groups), suite.Secp521r1, suite.X25519MLKEM768)
		wider.Schemes = append(slices.Clone(o.Schemes), suite.Ed25519, suite.RSAPKCS1SHA512)
		if out := Decide(&wider, &p, rsa2048()); !out.OK && !costsMore(&p, out) {
			t.Fatalf("a wider offer fails: %+v", out.Reason)
		}
		p.Suites = append(slices.Clone(p.Suites), 0xC02F, 0x002F, 0x1303)
		if p.Groups != nil {
			p.Groups = append(slices.Clone(p.Groups), suite.Secp521r1)
		}
		if out := Decide(o, &p, rsa2048()); !out.OK && !costsMore(&p, out) {
			t.Fatalf("a wider policy fails: %+v", out.Reason)
		}
	}
}

// costsMore is the exceptions that a kind of server makes. s2n takes a suite without a look at the schemes and
// signs by one that the client did not offer, so a suite more can cost the handshake; and so can a post-quantum
// group, which it takes in TLS 1.2 too.
func costsMore(p *policy.Policy, out Outcome) bool {
	if p.Engine != policy.EngineS2N {
		return false
	}
	r := out.Reason
	return r.By == "client" && r.Cause == cause.NoCommonSignatureAlgorithm ||
		r.Cause == cause.NoCommonGroup && slices.Equal(r.Client, []string{"X25519MLKEM768"}) && r.Version == suite.TLS12
}

func randomOffer(rng *rand.Rand) *hello.Offer {
	o := modern()
	all := []suite.Code{0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC030, 0xC013, 0xC009, 0x002F, 0x0035, 0x009C, 0x000A, 0x0033, 0xCCA8}
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	o.Suites = all[:1+rng.IntN(len(all)-1)]
	versions := []suite.Version{suite.TLS13, suite.TLS12, suite.TLS11, suite.TLS10}
	a := rng.IntN(len(versions))
	o.Versions = versions[a : a+1+rng.IntN(len(versions)-a)]
	groups := []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.X25519MLKEM768}
	rng.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	o.Groups = groups[:1+rng.IntN(3)]
	o.KeyShares = o.Groups[:1]
	o.HasSchemes = rng.IntN(4) > 0
	return o
}

func TestSuccessAllocatesNothing(t *testing.T) {
	o, p, id := modern(), policy.ByName("2016-08"), rsa2048()
	if n := testing.AllocsPerRun(100, func() { Decide(o, p, id) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecide(b *testing.B) {
	o, p, id := modern(), policy.ByName("2016-08"), rsa2048()
	b.ReportAllocs()
	for b.Loop() {
		Decide(o, p, id)
	}
}
