package impact

import (
	"net/netip"
	"testing"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

var rsa = &policy.Identity{Certificates: []policy.Certificate{{KeyType: policy.RSA, Bits: 2048}}}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// withHello is what a capture shows of a known client, n connections that came to an outcome.
func withHello(t *testing.T, profile string, n int, o evidence.Outcome) evidence.Client {
	t.Helper()
	p := client.ByName(profile)
	if p == nil {
		t.Fatalf("no profile %s", profile)
	}
	h, err := hello.Build(p.Offer(), zeros{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := h.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return evidence.Client{Hello: raw, Connections: n, Sources: 1, Outcomes: []evidence.Count{{Outcome: o, Connections: n}}}
}

func inLog(v suite.Version, name string, n int) evidence.Client {
	o := evidence.Outcome{Result: evidence.Established, Version: v, Suite: suite.ByName(name).Code}
	return evidence.Client{UserAgent: "agent", Requests: n, Sources: 1, Outcomes: []evidence.Count{{Outcome: o, Requests: n}}}
}

var failed = evidence.Outcome{Result: evidence.Failed, Failure: "alert"}

func TestEffects(t *testing.T) {
	tls12 := evidence.Outcome{Result: evidence.Established, Version: suite.TLS12, Suite: 0xC02F, Group: suite.Secp256r1}
	tls10 := evidence.Outcome{Result: evidence.Established, Version: suite.TLS10, Suite: 0x002F}
	untrusted := evidence.Outcome{Result: evidence.Failed, Failure: "unknown_ca", Cause: cause.CertificateUntrusted}
	for _, c := range []struct {
		name     string
		seen     evidence.Client
		from, to string
		want     Verdict
		cause    cause.ID
	}{
		{"a modern client", withHello(t, "openssl-3.0", 1, tls12), "2016-08", "TLS-1-2-2017-01", Keeps, ""},
		{"it moves to TLS 1.3", withHello(t, "openssl-3.0", 1, tls12), "2016-08", "TLS13-1-2-2021-06", Changes, ""},
		{"TLS 1.0 only", withHello(t, "java-7u25", 1, tls10), "2016-08", "TLS13-1-2-2021-06", Breaks, cause.NoCommonVersion},
		{"fails already", withHello(t, "java-7u25", 1, failed), "TLS-1-2-2017-01", "TLS13-1-3-2021-06", Fails, cause.NoCommonVersion},
		{"comes back", withHello(t, "java-7u25", 1, failed), "TLS-1-2-2017-01", "2016-08", Gains, cause.NoCommonVersion},
		{"fails for another reason", withHello(t, "openssl-3.0", 1, untrusted), "2016-08", "TLS-1-2-2017-01", Fails, cause.CertificateUntrusted},
		{"fails for an unknown reason", withHello(t, "openssl-3.0", 1, failed), "2016-08", "TLS-1-2-2017-01", Unknown, ""},
		{"fails, policy unknown", withHello(t, "openssl-3.0", 1, failed), "", "TLS-1-2-2017-01", Unknown, ""},

		{"a log: stays", inLog(suite.TLS12, "ECDHE-RSA-AES128-GCM-SHA256", 1), "2016-08", "TLS-1-2-2017-01", Keeps, ""},
		{"a log: old version, policy known", inLog(suite.TLS10, "ECDHE-RSA-AES128-SHA", 1), "2016-08", "TLS-1-2-2017-01", Breaks, cause.NoCommonVersion},
		{"a log: old version, policy unknown", inLog(suite.TLS10, "ECDHE-RSA-AES128-SHA", 1), "", "TLS-1-2-2017-01", Unknown, ""},
		{"a log: old version, and 1.3 is new", inLog(suite.TLS10, "ECDHE-RSA-AES128-SHA", 1), "2016-08", "TLS13-1-3-2021-06", Breaks, cause.NoCommonVersion},
		{"a log: the newest version of today, and 1.3 is new", inLog(suite.TLS12, "ECDHE-RSA-AES128-SHA", 1), "2016-08", "TLS13-1-3-2021-06", Unknown, ""},
		{"a log: the last suite goes", inLog(suite.TLS12, "AES256-SHA", 1), "2016-08", "FS-1-2-2019-08", Breaks, cause.NoCommonCipher},
		{"a log: a suite goes, others may be there", inLog(suite.TLS12, "ECDHE-RSA-AES128-SHA256", 1), "2016-08", "FS-1-2-Res-2020-10", Unknown, ""},
		{"a log: a suite goes, policy unknown", inLog(suite.TLS12, "AES256-SHA", 1), "", "FS-1-2-2019-08", Unknown, ""},
		{"a log of failures", evidence.Client{Connections: 3, Outcomes: []evidence.Count{{Outcome: failed, Connections: 3}}}, "2016-08", "TLS-1-2-2017-01", Unknown, ""},
		{"nginx logs the list", evidence.Client{Requests: 1, Offered: &evidence.Offered{Version: suite.TLS12, Suites: []suite.Code{0x002F, 0x0035}},
			Outcomes: []evidence.Count{{Outcome: tls10, Requests: 1}}}, "2016-08", "FS-1-2-Res-2020-10", Breaks, cause.NoCommonCipher},
	} {
		t.Run(c.name, func(t *testing.T) {
			var from *policy.Policy
			if c.from != "" {
				from = policy.ByName(c.from)
			}
			r := Assess([]evidence.Client{c.seen}, from, policy.ByName(c.to), rsa)
			e := r.Effects[0]
			if e.Verdict != c.want || e.Cause != c.cause {
				t.Errorf("got %+v, want %s %s", e, c.want, c.cause)
			}
			if (e.Verdict == Unknown) != (e.Decide != "") || e.Verdict == Unknown && e.Reason == "" {
				t.Errorf("an unknown verdict says what would decide, no other does: %+v", e)
			}
			if got := r.Share(c.want); got != 1 {
				t.Errorf("share %v", got)
			}
		})
	}
}

// TestUnknownOrderTellsNothing: where the policy of today leaves the order to the client, or ChaCha20 was chosen, nothing
// follows for what the client lacks.
func TestUnknownOrderTellsNothing(t *testing.T) {
	from := *policy.ByName("2016-08")
	from.Order = policy.ClientOrder
	both := policy.Policy{Name: "both", Versions: []suite.Version{suite.TLS12}, Suites: []suite.Code{0xC02F, 0xCCA8}, Order: policy.ServerOrder}
	for name, c := range map[string]struct {
		seen evidence.Client
		from *policy.Policy
		to   string
	}{
		"client's order": {inLog(suite.TLS12, "AES256-SHA", 1), &from, "FS-1-2-2019-08"},
		"ChaCha20":       {inLog(suite.TLS12, "ECDHE-RSA-CHACHA20-POLY1305", 1), &both, "FS-1-2-Res-2020-10"},
	} {
		if e := Assess([]evidence.Client{c.seen}, c.from, policy.ByName(c.to), rsa).Effects[0]; e.Verdict != Unknown {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestEvidenceOfAnotherPolicy(t *testing.T) {
	seen := []evidence.Client{inLog(suite.TLS13, "TLS_AES_128_GCM_SHA256", 5), inLog(suite.TLS12, "ECDHE-RSA-AES128-GCM-SHA256", 3)}
	if r := Assess(seen, policy.ByName("2016-08"), policy.ByName("FS-1-2-2019-08"), rsa); r.Foreign != 5 {
		t.Errorf("%d were negotiated otherwise than the policy allows, want 5", r.Foreign)
	}
}

func TestRecommend(t *testing.T) {
	tls12 := evidence.Outcome{Result: evidence.Established, Version: suite.TLS12, Suite: 0xC02F, Group: suite.Secp256r1}
	tls10 := evidence.Outcome{Result: evidence.Established, Version: suite.TLS10, Suite: 0x002F}
	clients := []evidence.Client{withHello(t, "openssl-3.0", 9990, tls12), withHello(t, "java-7u25", 10, tls10)}
	from := policy.ByName("2016-08")
	all := Candidates(policy.AWS, policy.General)
	name := func(r *Recommendation, i int) string {
		if i < 0 {
			return ""
		}
		return r.Steps[i].To.Name
	}
	strict := Recommend(clients, from, all, rsa, 0)
	if got := strict.Steps[strict.Best]; got.Totals[Breaks].Seen+got.Totals[Unknown].Seen > 0 || !got.To.Accepts(suite.TLS10) {
		t.Errorf("nobody may be lost: %s, %+v", got.To.Name, got.Totals)
	}
	for _, s := range strict.Steps[:strict.Best] {
		if s.Share(Breaks, Unknown) == 0 {
			t.Errorf("%s is stricter than %s and loses nobody", s.To.Name, name(strict, strict.Best))
		}
	}
	failing := evidence.Client{Connections: 500, Outcomes: []evidence.Count{{Outcome: failed, Connections: 500}}}
	if again := Recommend(append(clients, failing), from, all, rsa, 0); again.Best != strict.Best {
		t.Errorf("who fails today can't be lost: %s instead of %s", name(again, again.Best), name(strict, strict.Best))
	}
	loose := Recommend(clients, from, all, rsa, 0.001)
	if got := loose.Steps[loose.Best]; got.To.Accepts(suite.TLS10) || loose.Best >= strict.Best || loose.RunnerUp <= loose.Best {
		t.Errorf("a thousandth may be lost: %s, then %s", got.To.Name, name(loose, loose.RunnerUp))
	}
	if none := Recommend(clients, from, []*policy.Policy{policy.ByName("TLS13-1-3-2021-06")}, rsa, 0); none.Best != -1 || none.RunnerUp != -1 {
		t.Errorf("no candidate keeps TLS 1.0: %+v", none)
	}
}

// TestSources counts an address of two kinds of client once where the evidence names it, and says where it may not have.
func TestSources(t *testing.T) {
	source := func(s string) evidence.Source { return evidence.Source{Address: netip.MustParseAddr(s), Seen: 1} }
	one, two := inLog(suite.TLS12, "AES128-SHA", 2), inLog(suite.TLS12, "AES256-SHA", 2)
	one.Sources, one.Busiest = 2, []evidence.Source{source("192.0.2.1"), source("192.0.2.2")}
	two.Sources, two.Busiest = 1, []evidence.Source{source("192.0.2.1")}
	to := policy.ByName("2016-08")
	if w := Assess([]evidence.Client{one, two}, nil, to, rsa).All; w.Sources != 2 || w.AtMost {
		t.Errorf("all are named: %+v", w)
	}
	two.Sources = 7
	if w := Assess([]evidence.Client{one, two}, nil, to, rsa).All; w.Sources != 8 || !w.AtMost {
		t.Errorf("six are not named: %+v", w)
	}
	if w := Assess([]evidence.Client{two}, nil, to, rsa).All; w.Sources != 7 || w.AtMost {
		t.Errorf("one kind of client: %+v", w)
	}
}
