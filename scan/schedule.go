package scan

import (
	"fmt"
	"slices"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// schedule sends the questions of many lines, as many at once as may be, and hands each line its answers when all of
// its round are there. Lines do not wait for each other.
type schedule struct {
	queue   []*asking // to be sent, in this order
	answers chan answer
	open    int // sent and not answered
	rounds  map[asker]*round
	pacing
}

// asker is a line of any kind.
type asker interface {
	next() []hello.Offer
	shares(i int) bool
	understands(i int, o *probe.Observation) bool
	take([]*probe.Observation)
	finished() bool
	opened() bool
}

// round is what one line asks at a time.
type round struct {
	answers []*probe.Observation
	missing int
}

// asking is one hello and the questions that it asks: one, or one for suites and one for groups.
type asking struct {
	offer hello.Offer
	parts []part
	ssl2  bool // not of a line: an SSLv2 hello
}

// part is a line's question, by its place in the line's round.
type part struct {
	line  asker
	index int
}

// answer is what an asking came to.
type answer struct {
	*asking
	sent time.Time
	got  probe.Observation
	ssl2 *SSLv2Result
}

// run asks until no line has a question left or the scan is ended.
func (f *full) run() {
	f.rounds = make(map[asker]*round)
	f.answers = make(chan answer, f.p.Limit())
	f.queue = append(f.queue, &asking{ssl2: true})
	for {
		f.advance()
		wait := f.dispatch()
		if f.open == 0 && wait == 0 {
			return
		}
		var timer <-chan time.Time
		if wait > 0 {
			timer = time.After(wait)
		}
		select {
		case a := <-f.answers:
			f.hear(a)
		case <-timer:
		}
	}
}

// advance collects the questions of all lines that have no answer outstanding.
func (f *full) advance() {
	f.tell()
	f.reconsider()
	f.follow()
	f.collect()
	for f.follow() {
		f.collect()
	}
	f.share(f.versions[suite.TLS13], f.groups13)
	f.share(f.versions[suite.TLS12], f.groups12)
}

func (f *full) collect() {
	for _, l := range f.lines() {
		if f.rounds[l] != nil || f.held(l) {
			continue
		}
		offers := l.next()
		if len(offers) == 0 {
			continue
		}
		f.rounds[l] = &round{answers: make([]*probe.Observation, len(offers)), missing: len(offers)}
		for i, o := range offers {
			f.queue = append(f.queue, &asking{offer: o, parts: []part{{l, i}}})
		}
	}
}

// dispatch sends what may be sent now, and returns how long to wait before more may be: 0 where nothing waits for
// time to pass.
func (f *full) dispatch() time.Duration {
	for len(f.queue) > 0 && f.open < f.p.Limit() {
		if f.ctx.Err() != nil {
			f.queue = nil
			return 0
		}
		if wait := f.wait(time.Now()); wait > 0 {
			return wait
		}
		q := f.queue[0]
		f.queue = f.queue[1:]
		f.open++
		go func() { f.answers <- f.send(q) }()
	}
	return 0
}

func (f *full) send(q *asking) answer {
	a := answer{asking: q, sent: time.Now()}
	if q.ssl2 {
		a.ssl2 = AskSSLv2(f.ctx, f.p, f.t)
		return a
	}
	raw, err := Bytes(&q.offer)
	if err != nil {
		panic(fmt.Sprintf("scan: %v", err)) // the questions are ours
	}
	a.got = f.p.Hello(f.ctx, f.t, raw)
	return a
}

// hear takes an answer in.
func (f *full) hear(a answer) {
	f.open--
	if a.asking.ssl2 {
		f.ssl2 = a.ssl2
		return
	}
	f.replies = append(f.replies, Reply{Question: Question{Offer: a.offer}, Observation: a.got})
	if f.note(a.sent, a.got.Answer.Accepted() || a.got.Answer.Refusal()) {
		f.p.Narrow()
	}
	alone := len(a.parts) == 1
	together := !slices.ContainsFunc(a.parts, func(p part) bool { return !p.line.understands(p.index, &a.got) })
	for _, p := range a.parts {
		r := f.rounds[p.line]
		if alone || together {
			r.answers[p.index] = &a.got
		}
		if r.missing--; r.missing == 0 {
			delete(f.rounds, p.line)
			p.line.take(r.answers)
		}
	}
}

// share lets questions for groups ride on the hellos that ask for suites: an answer tells of both. Where it takes
// nothing, or not what both ask for, it is not clear which of the two it refuses, and both are asked by themselves.
func (f *full) share(s *versionScan, groups asker) {
	var riders []*asking
	for _, q := range f.queue {
		if len(q.parts) == 1 && q.parts[0].line == groups && groups.shares(q.parts[0].index) {
			riders = append(riders, q)
		}
	}
	for _, q := range f.queue {
		if len(riders) == 0 {
			break
		}
		if !s.carries(q) {
			continue
		}
		rider := riders[0]
		riders = riders[1:]
		q.offer.Groups, q.offer.KeyShares = rider.offer.Groups, nil
		q.parts = append(q.parts, rider.parts...)
		rider.parts = nil
	}
	f.queue = slices.DeleteFunc(f.queue, func(q *asking) bool { return !q.ssl2 && len(q.parts) == 0 })
}

// carries reports whether a hello for this version's suites may ask for groups too.
func (s *versionScan) carries(q *asking) bool {
	if len(q.parts) != 1 {
		return false
	}
	p := q.parts[0]
	return p.line.shares(p.index) && slices.ContainsFunc(s.lines, func(l *line[suite.Code]) bool { return p.line == asker(l) })
}

// lines lists all lines that were begun.
func (f *full) lines() []asker {
	var l []asker
	for _, v := range scanned {
		s := f.versions[v]
		for _, x := range slices.Concat([]*line[suite.Code]{s.knock, s.pair}, s.lines, []*line[suite.Code]{s.merged}) {
			if x != nil {
				l = append(l, x)
			}
		}
		for _, r := range s.rests {
			l = append(l, r.line)
		}
	}
	return append(l, f.groups13, f.groups12)
}

// held reports whether a line has to wait for what the first answers foretell, or for the answer of a pair.
func (f *full) held(l asker) bool {
	if !f.told {
		return l.opened()
	}
	for _, s := range f.versions {
		if s.undecided() && slices.ContainsFunc(s.lines, func(x *line[suite.Code]) bool { return l == asker(x) }) {
			return true
		}
	}
	return false
}
