package vuln

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/vuln/internal/classic"
)

// fault is one way to spoil the padding of a CBC record (RFC 5246 section 6.2.3.2).
type fault struct {
	name  string
	spoil func(padding []byte)
}

// faults: the first is what the attack makes of a padding, the second what servers let through that look at a part
// of it.
var faults = []fault{
	{"all bytes of the padding wrong", func(p []byte) {
		for i := range p {
			p[i] ^= 0x55
		}
	}},
	{"the first byte of the padding wrong", func(p []byte) { p[0] ^= 0x55 }},
}

// poodleTLS completes handshakes in which the padding of a record is wrong, and everything else right. A server that
// goes on does not check it, which makes TLS as weak as SSLv3.
func poodleTLS(ctx context.Context, s *subject) answer {
	v, suites := s.newest(func(i *suite.Suite, v suite.Version) bool { return speaks(i, v) && classic.CBC(i.Code) })
	if v == 0 {
		if _, l := s.newest(func(i *suite.Suite, v suite.Version) bool { return v >= suite.TLS10 && cbc(i) }); len(l) > 0 {
			return notTested("The endpoint accepts no CBC suite that this test can complete a handshake with.")
		}
		return no(nil, "No CBC suite is accepted from TLS 1.0 on.")
	}
	tests := []func(context.Context, suite.Version, []suite.Code, *fault) answer{s.paddedFinished, s.paddedData}
	answers := make([]answer, len(faults)*len(tests))
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() { answers[i] = tests[i%len(tests)](ctx, v, suites, &faults[i/len(tests)]) })
	}
	group.Wait()
	return worst(answers, "The server refuses records with a wrong padding.")
}

// worst puts several tests of one flaw together: one that finds it decides, and it is excluded only if all exclude it.
func worst(answers []answer, fine string) answer {
	all := no(nil, "%s", fine)
	for _, a := range answers {
		all.evidence = append(all.evidence, a.evidence...)
		if a.verdict == Vulnerable || a.verdict != NotVulnerable && all.verdict == NotVulnerable {
			all.verdict, all.summary = a.verdict, a.summary
		}
	}
	return all
}

const unchecked = "The server does not check the padding of CBC records in TLS: an attacker on the path can read cookies byte by byte, as in SSLv3."

// paddedFinished spoils the Finished message: who does not check its padding completes the handshake.
func (s *subject) paddedFinished(ctx context.Context, v suite.Version, suites []suite.Code, f *fault) answer {
	var end error
	err := s.open(ctx, s.offer(v, suites), func(x *classic.Session) { end = x.CompleteSpoilt(f.spoil) })
	if err != nil {
		return failed(err)
	}
	what := fmt.Sprintf("%s, Finished with %s: ", v, f.name)
	var unfinished classic.Unfinished
	switch {
	case end == nil:
		return yes([]string{what + "the handshake completed"}, unchecked)
	case !errors.As(end, &unfinished):
		return failed(end)
	case unfinished.Event.Kind == classic.Silence:
		return unsure([]string{what + "silence"}, "The server answered neither yes nor no to a record with a wrong padding.")
	}
	return no([]string{what + unfinished.Event.String()}, "")
}

// paddedData spoils a record of application data without content after the handshake, and lets a message out of order
// follow, which every server refuses: what it says first tells which of the two it refused. The same with a wrong MAC is
// what a refusal of a record looks like.
func (s *subject) paddedData(ctx context.Context, v suite.Version, suites []suite.Code, f *fault) answer {
	spoilt := func(x *classic.Session) { x.SendSpoilt(hello.RecordApplicationData, nil, f.spoil) }
	forged := func(x *classic.Session) { x.SendForged(hello.RecordApplicationData, nil) }
	got, err := s.afterHandshake(ctx, v, suites, spoilt, outOfOrder)
	if err != nil {
		return failed(err)
	}
	want, err := s.afterHandshake(ctx, v, suites, forged, outOfOrder)
	if err != nil {
		return failed(err)
	}
	evidence := []string{
		fmt.Sprintf("%s, data with %s and a message out of order: %s", v, f.name, got),
		fmt.Sprintf("%s, data with a wrong MAC and a message out of order: %s", v, want),
	}
	switch {
	case got.Kind == classic.Silence || want.Kind == classic.Silence || want.Alert == suite.AlertUnexpectedMessage:
		return unsure(evidence, "The server answers neither a wrong padding nor a wrong MAC.")
	case got.Kind == classic.Alert && want.Kind == classic.Alert && got.Alert != want.Alert:
		return yes(evidence, unchecked)
	case got.Kind == classic.Alert && want.Kind == classic.Alert:
		return no(evidence, "")
	}
	return s.hangsUp(ctx, v, suites, spoilt, forged, evidence)
}

// hangsUp tells of a server that hangs up without an alert, or whose alert got lost as it hung up, what it hung up on: it
// gets the record alone. If it hangs up on a wrong MAC, and on the padding does not in much longer, it takes that.
func (s *subject) hangsUp(ctx context.Context, v suite.Version, suites []suite.Code, spoilt, forged func(*classic.Session), evidence []string) answer {
	for _, c := range []struct {
		what  string
		send  func(*classic.Session)
		holds bool // what a server with the flaw does
	}{{"the padding alone", spoilt, true}, {"the MAC alone", forged, false}, {"the padding alone, again", spoilt, true}} {
		e, err := s.afterHandshake(ctx, v, suites, c.send)
		if err != nil {
			return failed(err)
		}
		evidence = append(evidence, fmt.Sprintf("%s: %s", c.what, e))
		switch {
		case c.holds && e.Kind != classic.Silence:
			return no(evidence, "")
		case !c.holds && e.Kind == classic.Silence:
			return unsure(evidence, "The server answers neither a wrong padding nor a wrong MAC.")
		}
	}
	return yes(evidence, unchecked)
}

// afterHandshake completes a handshake, sends something and returns how the connection ends.
func (s *subject) afterHandshake(ctx context.Context, v suite.Version, suites []suite.Code, send ...func(*classic.Session)) (e classic.Event, err error) {
	var unfinished error
	err = s.open(ctx, s.offer(v, suites), func(x *classic.Session) {
		if unfinished = x.Complete(); unfinished != nil {
			return
		}
		for _, f := range send {
			f(x)
		}
		e = untilEnd(x)
	})
	return e, firstError(err, unfinished)
}
