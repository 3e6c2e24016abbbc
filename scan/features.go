package scan

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan/handshake"
	"github.com/parley-tls/parley/suite"
)

// Features learns what an endpoint does beside versions, suites and groups, which are in r as Full returned it. Much
// of it can be read from the answers that r holds; for the rest it makes some 40 connections, in two or three rounds.
// It always returns a report: what could not be learnt says so.
func Features(ctx context.Context, p *probe.Prober, t probe.Target, r *Result, opt Options) *FeatureReport {
	connections := p.Connections()
	f := &features{p: p, t: t, r: r, name: opt.ServerName, certificate: opt.ClientCertificate, report: &FeatureReport{}}
	f.survey()
	f.run(ctx, slices.Concat(f.askALPN(), f.askExtensions(), f.askSessions(), f.askRequired(), f.askSchemes(), f.askNames(), f.askDH(), f.askHybrid()))
	f.conclude()
	f.report.Connections = p.Connections() - connections
	return f.report
}

// features is the learning under way.
type features struct {
	p      *probe.Prober
	t      probe.Target
	r      *Result
	name   string // server_name to ask with
	report *FeatureReport
	// certificate of the client, nil without one
	certificate *tls.Certificate

	newest  suite.Version // accepted, and readable here; 0 if none is
	classic suite.Version // newest accepted before TLS 1.3; 0 if none is
	why13   string        // why TLS 1.3, though accepted, cannot be read

	alpn    *listing[string] // nil: not asked
	acme    bool             // acme-tls/1 was taken
	schemes []*schemeListing

	heard   []answered
	further []experiment // begun by answers
	pause   time.Duration
	mute    int // rounds in a row without an answer
}

// survey sees which versions there are to ask with.
func (f *features) survey() {
	for _, v := range slices.Backward(suite.Versions) {
		if !f.accepts(v) {
			continue
		}
		if v == suite.TLS13 && len(f.suites(v)) == 0 {
			f.why13 = "TLS 1.3 with suites that cannot be read here alone"
			continue
		}
		if v == suite.TLS13 && len(f.groups(v)) == 0 {
			f.why13 = "TLS 1.3 with groups whose key exchange cannot be completed here alone"
			continue
		}
		if v < suite.TLS13 && f.classic == 0 {
			f.classic = v
		}
		if f.newest == 0 {
			f.newest = v
		}
	}
}

func (f *features) accepts(v suite.Version) bool {
	return slices.ContainsFunc(f.r.Versions, func(x VersionResult) bool { return x.Version == v && x.Accepted })
}

// top is the newest version that is accepted, whether it can be read or not.
func (f *features) top() suite.Version {
	for _, v := range slices.Backward(suite.Versions) {
		if f.accepts(v) {
			return v
		}
	}
	return 0
}

// suites are the accepted suites of a version to ask with: those that bring a certificate where there are any, and in
// TLS 1.3 those whose records can be read.
func (f *features) suites(v suite.Version) []suite.Code {
	var all, certified []suite.Code
	for _, x := range f.r.Versions {
		if x.Version != v {
			continue
		}
		for _, c := range x.Suites {
			if v == suite.TLS13 && !handshake.CanFinish(c, v) {
				continue
			}
			all = append(all, c)
			switch suite.ByCode(c).Authentication {
			case suite.AuthAny, suite.AuthRSA, suite.AuthECDSA, suite.AuthDSS:
				certified = append(certified, c)
			}
		}
	}
	if len(certified) > 0 {
		all = certified
	}
	return all[:min(len(all), maxList)]
}

// suitesWith are those for which keep holds.
func (f *features) suitesWith(v suite.Version, keep func(*suite.Suite) bool) []suite.Code {
	return slices.DeleteFunc(f.suites(v), func(c suite.Code) bool { return !keep(suite.ByCode(c)) })
}

// groups are the accepted groups of a version whose key exchange can be completed here.
func (f *features) groups(v suite.Version) []suite.Group {
	known := slices.Concat(classicGroups, pqGroups)
	if v == suite.TLS13 {
		return shared(f.r.Groups13.Groups, known)
	}
	return slices.DeleteFunc(slices.Clone(f.r.Groups12.Groups), isFinite) // the endpoint's own prime is to show
}

// offer is a hello that the endpoint accepts in version v, going by what is known of it.
func (f *features) offer(v suite.Version) hello.Offer {
	o := base(f.name, v, f.suites(v))
	if l := f.groups(v); len(l) > 0 && v >= suite.TLS10 {
		o.Groups = l
	}
	if v == suite.TLS13 {
		o.KeyShares = o.Groups[:1]
		for _, g := range o.Groups { // the smallest shares
			if slices.Contains(classicGroups, g) {
				o.KeyShares = []suite.Group{g}
				break
			}
		}
	}
	return o
}

// stapled are the extensions by which a certificate comes with its status.
func stapled(o hello.Offer) []hello.Extension {
	if o.Versions[0] < suite.TLS10 {
		return nil
	}
	return []hello.Extension{{Type: hello.ExtStatusRequest, Data: []byte{1, 0, 0, 0, 0}}, {Type: hello.ExtSCT, Data: []byte{}}}
}

// inquiry asks with an offer, and for the status of the certificate.
func inquiry(o hello.Offer, extra ...hello.Extension) *handshake.Question {
	return &handshake.Question{Offer: o, Extra: append(stapled(o), extra...)}
}

// ask begins a single question.
func ask(then func(*handshake.Result), choices ...*handshake.Question) experiment {
	return &single{choices: choices, then: then}
}

// failure says of an answer that settles nothing, or of a handshake that was not completed, what became of it.
func failure(r *handshake.Result) Feature {
	ended := refused(r) || r.Answer.Accepted() && r.End.Refusal()
	switch {
	case r.Lacks != "":
		return Feature{NotTested, "it cannot be completed here: " + r.Lacks}
	case ended && r.Presented:
		return Feature{NotTested, "the endpoint refuses the client certificate"}
	case ended && r.ClientAuth:
		return Feature{NotTested, "the endpoint wants a client certificate"}
	case refused(r) && (r.Answer == probe.Alerted || r.End == probe.Alerted):
		return Feature{NotTested, fmt.Sprintf("the endpoint refuses the question: alert %s", r.Alert)}
	case refused(r):
		return Feature{NotTested, "the endpoint refuses the question: it closes the connection"}
	case r.Answer.Accepted():
		return Feature{NotTested, fmt.Sprintf("the handshake breaks off: %s", r.End)}
	}
	return Feature{NotTested, fmt.Sprintf("no answer: %s", r.Answer)}
}

// yesNo is a feature that was seen or not.
func yesNo(yes bool) Feature {
	if yes {
		return Feature{State: Yes}
	}
	return Feature{State: No}
}

// notApplicable is a feature that no accepted version has.
func notApplicable(why string) Feature { return Feature{NotApplicable, why} }

// lacking is notApplicable for want of a version that has the feature. Of an endpoint that accepts none nothing is known.
func (f *features) lacking(what string) Feature {
	if f.top() == 0 {
		return Feature{NotTested, "no version is accepted"}
	}
	return notApplicable(what)
}

// without13 says why a feature of TLS 1.3 has no answer.
func (f *features) without13() Feature {
	if f.why13 != "" {
		return Feature{NotTested, f.why13}
	}
	return f.lacking("TLS 1.3 is not accepted")
}

// replies calls see for every accepted answer that is known, of the scan before and of the learning: the version,
// the ServerHello and the key exchange, which is nil in TLS 1.3.
func (f *features) replies(see func(*probe.Observation)) {
	for i := range f.r.Seen.Replies {
		if o := &f.r.Seen.Replies[i].Observation; o.Answer == probe.ServerHello && o.Hello != nil {
			see(o)
		}
	}
	for _, a := range f.heard {
		if o := &a.Observation; o.Answer == probe.ServerHello && o.Hello != nil {
			see(o)
		}
	}
}

// conclude fills in what is read from all answers together.
func (f *features) conclude() {
	f.concludeHellos()
	f.concludeALPN()
	f.concludeSchemes()
	f.concludeNames()
	f.concludeStatus()
	f.concludeClientCertificate()
	f.concludeDH()
	f.concludeKeyShares()
	f.concludeClock()
	f.collectChains()
	for _, x := range f.report.all() {
		if x.State == "" {
			*x = Feature{NotTested, "the endpoint stopped answering, or the scan was ended"}
		}
	}
}
