package scan

import (
	"fmt"
	"net"
	"slices"
	"sync"
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
	spares  []spare
	dialled *sync.WaitGroup // the connections before the spares, nil after them
	// starving comes when the first answer, or some time after it the others, should have been there: the endpoint may
	// serve one connection after the other, and wait for a spare.
	starving <-chan time.Time
	rounds   map[asker]*round
	pacing
	effort
}

// spare is a connection that waits for its question, so that this takes one round trip less. It takes one asking, or is
// closed.
type spare chan *asking

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
}

// run asks until no line has a question left or the scan is ended.
func (f *full) run() {
	f.rounds = make(map[asker]*round)
	f.answers = make(chan answer, f.p.Limit())
	f.dialled = &sync.WaitGroup{}
	f.begun = time.Now()
	f.advance()
	f.dispatch()
	f.spare()
	defer f.discard()
	for begun := time.Now(); ; {
		wait := f.dispatch()
		if f.told {
			f.discard()
		}
		if f.open == 0 && wait == 0 {
			return
		}
		select {
		case a := <-f.answers:
			news := f.hear(a)
			if len(f.replies) == 1 {
				f.starving = time.After(max(time.Since(begun)/3, 20*time.Millisecond))
			}
			if news {
				f.advance()
			}
		case <-f.starving:
			f.discard()
		case <-after(wait):
		}
	}
}

// after is time.After, but never for 0.
func after(d time.Duration) <-chan time.Time {
	if d == 0 {
		return nil
	}
	return time.After(d)
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
// time to pass. What waits for a question goes first: a server that serves one connection after the other would not
// come to a later one.
func (f *full) dispatch() time.Duration {
	for len(f.queue) > 0 && (len(f.spares) > 0 || f.open < f.p.Limit()) {
		if f.ctx.Err() != nil || f.over(f.p.TimeLimit(), f.p.Pace != nil) {
			f.queue = nil
			return 0
		}
		if wait := f.wait(time.Now()); wait > 0 {
			return wait
		}
		q := f.queue[0]
		f.queue = f.queue[1:]
		f.open++
		if len(f.spares) > 0 {
			f.spares[0] <- q
			f.spares = f.spares[1:]
			continue
		}
		first := f.dialled
		if first != nil {
			first.Add(1)
		}
		go func() {
			conn, o := f.p.Connect(f.ctx, f.t)
			if first != nil {
				first.Done()
			}
			f.answers <- put(conn, o, q)
		}()
	}
	return 0
}

// spare opens connections for the questions that follow the first ones, as far as those leave room. It waits until the
// others stand, lest a server that serves one connection after the other comes to a spare before them. It may all the
// same, where something on the way does not keep the order.
func (f *full) spare() {
	first := f.dialled
	f.dialled = nil
	begun, starving := time.Now(), make(chan time.Time, 1)
	f.starving = starving
	go func() {
		first.Wait()
		time.AfterFunc(max(3*time.Since(begun), 200*time.Millisecond), func() { starving <- time.Now() })
	}()
	for range f.p.Limit() - f.open {
		s := make(spare, 1)
		f.spares = append(f.spares, s)
		go func() {
			first.Wait()
			conn, o := f.p.Connect(f.ctx, f.t)
			if q, ok := <-s; ok {
				f.answers <- put(conn, o, q)
			} else if conn != nil {
				conn.Close()
			}
		}()
	}
}

// discard closes the connections that got no question.
func (f *full) discard() {
	for _, s := range f.spares {
		close(s)
	}
	f.spares = nil
}

// put puts a question on a connection of its own, nil where none came about, and closes it.
func put(conn net.Conn, o probe.Observation, q *asking) answer {
	a := answer{asking: q, sent: time.Now().Add(-o.ConnectTime), got: o}
	if conn == nil {
		return a
	}
	defer conn.Close()
	raw, err := Bytes(&q.offer)
	if err != nil {
		panic(fmt.Sprintf("scan: %v", err)) // the questions are ours
	}
	probe.Ask(conn, raw, &a.got)
	return a
}

// hear takes an answer in, and reports whether a line has the answers of its round.
func (f *full) hear(a answer) (news bool) {
	f.open--
	f.replies = append(f.replies, Reply{Question: Question{Offer: a.offer}, Observation: a.got})
	f.spend(&a.got, f.ever && !a.sent.Before(f.slowed))
	if f.note(a.sent, time.Now(), !ofNetwork(a.got.Answer)) || f.late(a.got.ConnectTime) {
		f.p.Narrow()
	}
	// Of two that share a hello, a refusal of the version is the answer to both.
	alone := len(a.parts) == 1 || a.got.Answer == probe.Alerted && a.got.Alert == suite.AlertProtocolVersion
	together := !slices.ContainsFunc(a.parts, func(p part) bool { return !p.line.understands(p.index, &a.got) })
	for _, p := range a.parts {
		r := f.rounds[p.line]
		if alone || together {
			r.answers[p.index] = &a.got
		}
		if r.missing--; r.missing == 0 {
			delete(f.rounds, p.line)
			p.line.take(r.answers)
			news = true
		}
	}
	return news
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
	f.queue = slices.DeleteFunc(f.queue, func(q *asking) bool { return len(q.parts) == 0 })
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
	for _, m := range slices.Concat(f.marks, f.short) {
		l = append(l, m)
	}
	if f.free != nil {
		l = append(l, f.free)
	}
	if f.finite != nil {
		l = append(l, f.finite)
	}
	return append(l, f.groups13, f.groups12)
}

// held reports whether a line has to wait: for what the first answers foretell, for the answer of a pair, or for
// TLS 1.3 to be accepted at all.
func (f *full) held(l asker) bool {
	switch {
	case !f.told:
		return l.opened()
	case l == asker(f.groups13):
		return !f.versions[suite.TLS13].accepts()
	}
	for _, s := range f.versions {
		if s.undecided() && slices.ContainsFunc(s.lines, func(x *line[suite.Code]) bool { return l == asker(x) }) {
			return true
		}
	}
	return false
}
