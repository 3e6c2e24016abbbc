package scan

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan/handshake"
	"github.com/parley-tls/parley/suite"
)

// Cases of server names.
const (
	nameNone    = "none"
	nameGiven   = "given"
	nameUnknown = "unknown"
	nameUpper   = "upper-case"
)

// unknownName is a name that no endpoint has a certificate for (RFC 6761 section 6.4).
const unknownName = "parley-unknown-name.invalid"

// askNames asks without a server name, with one that is unknown, with the given one and with that in capitals.
func (f *features) askNames() []experiment {
	if f.newest < suite.TLS10 {
		why := f.lacking("no version with extensions is accepted")
		f.report.ServerName = ServerNameReport{nil, []ServerNameAnswer{}, why, why, why, why}
		return nil
	}
	f.report.ServerName.Version = &f.newest
	cases := []ServerNameAnswer{{Case: nameNone}, {Case: nameUnknown, Name: unknownName}}
	if f.name != "" {
		cases = append(cases, ServerNameAnswer{Case: nameGiven, Name: f.name})
		if upper := strings.ToUpper(f.name); upper != f.name {
			cases = append(cases, ServerNameAnswer{Case: nameUpper, Name: upper})
		}
	}
	f.report.ServerName.Answers = cases
	var l []experiment
	for i := range cases {
		o := f.offer(f.newest)
		o.ServerName = cases[i].Name
		l = append(l, ask(func(a *handshake.Result) { cases[i].read(a) }, inquiry(o)))
	}
	return l
}

func (n *ServerNameAnswer) read(a *handshake.Result) {
	n.Accepted, n.Answer = taken(a), string(a.Answer)
	if !n.Accepted && a.Answer.Accepted() {
		n.Answer = string(a.End)
	}
	if !n.Accepted && n.Answer == string(probe.Alerted) {
		n.Alert = &a.Alert
	}
	if n.Accepted && len(a.Warnings) > 0 {
		n.Warning = &a.Warnings[0]
	}
	_, n.Acknowledged = a.Extension(hello.ExtServerName)
	if len(a.Chain) > 0 {
		n.Certificate = fingerprint(a.Chain[0])
	}
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// concludeNames compares the answers.
func (f *features) concludeNames() {
	r := &f.report.ServerName
	if r.Version == nil {
		return
	}
	answer := func(name string) *ServerNameAnswer {
		for i := range r.Answers {
			if r.Answers[i].Case == name {
				return &r.Answers[i]
			}
		}
		return nil
	}
	none, unknown, given, upper := answer(nameNone), answer(nameUnknown), answer(nameGiven), answer(nameUpper)
	if given == nil {
		why := Feature{NotTested, "no server name is given"}
		r.Required, r.RefusesUnknown, r.DefaultDiffers, r.CaseSensitive = why, why, why, why
		r.RefusesUnknown = compareNames(none, unknown, refusal) // the one without is as good to compare with
		return
	}
	r.Required, r.RefusesUnknown = compareNames(given, none, refusal), compareNames(given, unknown, refusal)
	r.DefaultDiffers = compareNames(given, none, otherCertificate)
	if r.CaseSensitive = notApplicable("the name has no letter to capitalise"); upper != nil {
		r.CaseSensitive = compareNames(given, upper, otherAnswer)
	}
}

// compareNames judges the answer to a changed name by that to the right one, which must have been accepted.
func compareNames(right, changed *ServerNameAnswer, differ func(right, changed *ServerNameAnswer) Feature) Feature {
	switch {
	case !right.Accepted:
		return Feature{NotTested, "the name to compare with is not accepted: " + right.Answer}
	case !changed.Accepted && !probe.Answer(changed.Answer).Refusal():
		return Feature{NotTested, "no answer: " + changed.Answer}
	}
	return differ(right, changed)
}

func refusal(_, changed *ServerNameAnswer) Feature { return yesNo(!changed.Accepted) }

func otherCertificate(right, changed *ServerNameAnswer) Feature {
	if !changed.Accepted {
		return notApplicable("it is refused")
	}
	return yesNo(right.Certificate != changed.Certificate)
}

func otherAnswer(right, changed *ServerNameAnswer) Feature {
	return yesNo(!changed.Accepted || right.Certificate != changed.Certificate)
}
