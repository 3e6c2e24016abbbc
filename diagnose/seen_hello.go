package diagnose

import (
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// signalSeen is a signal of negotiate as far as an onlooker can tell.
type signalSeen struct {
	alert        suite.Alert
	alerted      bool // alert is set; close_notify is 0
	close, reset bool // without an alert
}

// engines are the kinds of server whose signals are read backwards.
var engines = []policy.Engine{policy.EngineOpenSSL, policy.EngineS2N, policy.EngineGo, policy.EngineBoringSSL, policy.EngineSchannel,
	policy.EngineGnuTLS, policy.EngineJSSE, policy.EngineClassic}

// prior is how often each situation is met, by the experience of those who debug load balancers: suites and versions
// lead.
var prior = map[negotiate.Situation]float64{
	negotiate.SSLv2Hello: 1, negotiate.Version: 1, negotiate.VersionTLS13Only: 1, negotiate.Fallback: 1, negotiate.SNIMissing: 0.4,
	negotiate.SNIUnknownName: 0.4, negotiate.EMSMissing: 0.1, negotiate.RenegotiationMissing: 0.1, negotiate.ALPN: 0.5, negotiate.Cipher: 1,
	negotiate.CipherCertificate: 0.5, negotiate.CertificateCurve: 0.1, negotiate.Group12: 0.3, negotiate.Group13: 0.3, negotiate.GroupsMissing13: 1,
	negotiate.Scheme12: 0.2, negotiate.Scheme13: 0.2, negotiate.SchemesMissing12: 0.1, negotiate.SchemesMissing13: 1,
}

// refusedHello reads the signals of all kinds of server backwards: which situations that this hello can be in are
// answered so? How many of the predefined policies refuse the hello for a cause says how probable it is. rest is the
// weight of what none of them is.
func (s *Sighting) refusedHello(rest float64, shown func(signalSeen) bool) []likely {
	o := s.Negotiation.Hello.Offer()
	weight := make(map[cause.ID]float64)
	refusals := refusalsOf(&o)
	for _, x := range negotiate.Situations {
		w := s.chance(x, &o)
		if w == 0 {
			continue
		}
		best := 0.0
		for _, e := range engines {
			g := negotiate.SignalIn(e, x)
			if g == (negotiate.Signal{}) {
				continue
			}
			// A server that sends close_notify may be told to send nothing (docs/signals.md).
			if shown(signalSeen{g.Alert, g.Alert != 0 || g.CloseNotify, g.Close || g.CloseNotify, g.Reset}) {
				best = w
			}
		}
		if id := x.Cause(); best > 0 {
			weight[id] = max(weight[id], best*(0.1+refusals[id]))
		}
	}
	a := s.Negotiation.Fatal()
	if a != nil {
		byName(weight, a.Description, &o)
	}
	total := 0.0
	for _, w := range weight {
		total += w
	}
	if total < 0.02 {
		return s.violation(a != nil)
	}
	var l []likely
	for id, w := range weight {
		if w > 0 {
			x := likely{id: id, p: 0.97 * w / (total + rest)}
			if id == cause.Unknown {
				x.p = min(x.p, 0.6)
			}
			x.summary, x.client, x.server = s.words(id, &o)
			l = append(l, x)
		}
	}
	slices.SortFunc(l, func(a, b likely) int { // a map has no order
		if a.id < b.id {
			return -1
		}
		return 1
	})
	return l
}

// refusalsOf is the share of the predefined policies that refuse a hello, by cause.
func refusalsOf(o *hello.Offer) map[cause.ID]float64 {
	m := make(map[cause.ID]float64)
	all := policy.All()
	for _, p := range all {
		if out := negotiate.Decide(o, p, nil); !out.OK {
			m[out.Reason.Cause] += 1 / float64(len(all))
		}
	}
	return m
}

// byName adds what the name of an alert says by itself (RFC 8446 section 6.2), whatever kind of server sent it.
func byName(weight map[cause.ID]float64, a suite.Alert, o *hello.Offer) {
	id := map[suite.Alert]cause.ID{suite.AlertProtocolVersion: cause.NoCommonVersion, suite.AlertUnrecognizedName: cause.SNIUnknown,
		suite.AlertNoApplicationProtocol: cause.NoCommonALPN, suite.AlertInappropriateFallback: cause.InappropriateFallback,
		suite.AlertInsufficientSecurity: cause.NoCommonCipher}[a]
	if id == cause.SNIUnknown && o.ServerName == "" {
		id = cause.SNIRequired
	}
	if id != "" {
		weight[id] = max(weight[id], 5)
	}
	if a == suite.AlertInternalError {
		weight[cause.Unknown] = max(weight[cause.Unknown], 1)
		if len(o.Versions) > 0 && o.Versions[0] < suite.TLS12 { // OpenSSL 3 at security level 1, which has no signature left for them
			weight[cause.NoCommonVersion] = max(weight[cause.NoCommonVersion], 1.5)
		}
	}
}

// chance weighs a situation for this hello, 0 where it cannot be. What the server accepted from others counts.
func (s *Sighting) chance(x negotiate.Situation, o *hello.Offer) float64 {
	if len(o.Versions) == 0 {
		return 0
	}
	top, low := o.Versions[0], o.Versions[len(o.Versions)-1]
	tls13, older := top == suite.TLS13, low < suite.TLS13
	can := true
	w := prior[x]
	known := s.Accepted
	if known == nil {
		known = &Accepted{}
	}
	shares := func(l []suite.Version) bool {
		return slices.ContainsFunc(l, func(v suite.Version) bool { return slices.Contains(o.Versions, v) })
	}
	switch x {
	case negotiate.SSLv2Hello:
		can = o.SSLv2Format
	case negotiate.Version:
		switch {
		case tls13 && older, top == suite.TLS12 && shares(known.Versions):
			w *= 0.05 // nearly every server takes one of the two
		case top == suite.TLS12:
			w *= 0.3
		case len(known.Versions) > 0 && top < slices.Min(known.Versions):
			w *= 3
		case shares(known.Versions):
			w *= 0.1
		}
		can = older
	case negotiate.VersionTLS13Only:
		can = !older
		if shares(known.Versions) {
			w *= 0.05
		}
	case negotiate.Fallback:
		can = o.FallbackSCSV
	case negotiate.SNIMissing:
		can = o.ServerName == ""
	case negotiate.SNIUnknownName:
		can = o.ServerName != ""
	case negotiate.EMSMissing:
		can = older && !o.ExtendedMaster
	case negotiate.RenegotiationMissing:
		can = older && !o.SecureReneg
	case negotiate.ALPN:
		can = len(o.ALPN) > 0
	case negotiate.Cipher:
		if slices.ContainsFunc(known.Suites, func(c suite.Code) bool { return slices.Contains(o.Suites, c) }) {
			w *= 0.1
		}
	case negotiate.CipherCertificate:
		rsa, ecdsa, any := authentication(o.Suites)
		can = older && !any && rsa != ecdsa
	case negotiate.CertificateCurve, negotiate.Group12:
		can = older && o.HasGroups && !sharesGroup(known.Groups, o.Groups)
	case negotiate.Group13:
		can = tls13 && o.HasGroups && !sharesGroup(known.Groups, o.Groups)
	case negotiate.GroupsMissing13:
		can = tls13 && !o.HasGroups
	case negotiate.Scheme12:
		can = older && top >= suite.TLS12 && o.HasSchemes
	case negotiate.Scheme13:
		can = tls13 && o.HasSchemes
	case negotiate.SchemesMissing12:
		can = top == suite.TLS12 && !o.HasSchemes
	case negotiate.SchemesMissing13:
		can = tls13 && !o.HasSchemes
	}
	if !can {
		return 0
	}
	return w
}

func sharesGroup(known, offered []suite.Group) bool {
	return slices.ContainsFunc(known, func(g suite.Group) bool { return slices.Contains(offered, g) })
}

// authentication says which kinds of certificates the suites of a hello can use; any is for those of TLS 1.3.
func authentication(l []suite.Code) (rsa, ecdsa, any bool) {
	for _, c := range l {
		if i := suite.ByCode(c); i != nil {
			rsa = rsa || i.Authentication == suite.AuthRSA
			ecdsa = ecdsa || i.Authentication == suite.AuthECDSA
			any = any || i.MinVersion == suite.TLS13
		}
	}
	return rsa, ecdsa, any
}

// words says what a cause means for this hello.
func (s *Sighting) words(id cause.ID, o *hello.Offer) (summary string, client, server []string) {
	r := negotiate.Reason{Cause: id, By: "server"}
	var accepted []suite.Version
	if s.Accepted != nil {
		accepted = s.Accepted.Versions
	}
	switch id {
	case cause.NoCommonVersion:
		r.Client, r.Server = names(o.Versions), names(accepted)
		if len(accepted) == 0 {
			return "the server accepts no version that the client offers (" + versionWords(o.Versions) + ")", r.Client, nil
		}
	case cause.NoCommonCipher:
		r.Client = suiteNames(o.Suites)
	case cause.CipherNeedsOtherCertificate:
		return "the client's cipher suites are for another kind of certificate than the server has", suiteNames(o.Suites), nil
	case cause.NoCommonGroup:
		return "the server accepts none of the client's groups (" + some(names(o.Groups), 4) + ")", names(o.Groups), nil
	case cause.NoCommonSignatureAlgorithm:
		return "the server can sign with none of the client's signature schemes (" + some(names(o.Schemes), 4) + ")", names(o.Schemes), nil
	case cause.NoCommonALPN:
		return "the server knows none of the client's application protocols (" + enumerate(o.ALPN) + ")", o.ALPN, nil
	case cause.SNIUnknown:
		r.Client = []string{o.ServerName}
	case cause.Unknown:
		return "the server failed by itself (internal_error); its log says why", nil, nil
	case cause.ExtendedMasterSecretRequired, cause.LegacyRenegotiationDisabled:
		r.By = "server"
	}
	return sentence("the client", "the server", o, accepted, r), r.Client, r.Server
}

// violation: an alert that no situation of the tables explains.
func (s *Sighting) violation(alerted bool) []likely {
	if !alerted {
		return nil
	}
	a := s.Negotiation.Fatal().Description
	if !slices.Contains(violations, a) {
		return []likely{{id: cause.Unknown, p: 0.6, summary: "the server refuses the hello (" + a.String() + "); its log says why"}}
	}
	l := []likely{{id: cause.ProtocolViolation, p: 0.4, summary: "the server finds the hello in breach of the protocol (" + a.String() + ")"},
		{id: cause.ExtensionIntolerance, p: 0.3}, {id: cause.VersionIntolerance, p: 0.1}}
	if s.Negotiation.Hello.SSLv2Format {
		l = append(l, likely{id: cause.SSLv2HelloRefused, p: 0.6, summary: "the client opens with an SSLv2-format hello; the server refuses it"})
	}
	return l
}
