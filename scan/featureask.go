package scan

import (
	"context"
	"sync"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan/handshake"
)

// experiment learns something by one or more connections, round by round: next returns the questions of a round,
// none when it has come to its end, and take their answers.
type experiment interface {
	next() []*handshake.Question
	take([]*handshake.Result)
}

// settled reports whether an answer is the endpoint's: acceptance or refusal. Everything else may be the network's.
func settled(r *handshake.Result) bool {
	return taken(r) || refused(r)
}

// taken reports whether the endpoint accepted the hello and its flight came through.
func taken(r *handshake.Result) bool {
	return r.Answer.Accepted() && (r.Complete || r.Lacks != "")
}

// refused reports whether the endpoint said no, before its ServerHello or, as some do in TLS 1.3, after it.
func refused(r *handshake.Result) bool {
	return r.Answer.Refusal() || r.Answer.Accepted() && !r.Complete && r.End.Refusal()
}

// tries is how often a question is asked that meets what does not settle it. One that breaks off after the ServerHello
// is hardly the network's fault: what is lost there TCP sends again.
func tries(r *handshake.Result) int { return triesFor(r.Answer) }

// single asks one question; where it is refused, the next of its alternatives.
type single struct {
	choices []*handshake.Question
	then    func(*handshake.Result) // gets the first that is taken, or else the last answer
	tries   int
	ended   bool
}

func (s *single) next() []*handshake.Question {
	if s.ended {
		return nil
	}
	return s.choices[:1]
}

func (s *single) take(l []*handshake.Result) {
	r := l[0]
	if s.tries++; !settled(r) && s.tries < tries(r) {
		return
	}
	if refused(r) && len(s.choices) > 1 {
		s.choices, s.tries = s.choices[1:], 0
		return
	}
	s.ended = true
	s.then(r)
}

// listing learns a list, as a line does, from connections that read what TLS 1.3 encrypts.
type listing[T comparable] struct {
	*line[T]
	extra func(hello.Offer) []hello.Extension
	last  *probe.Observation // of the last question that had nothing the endpoint accepts
}

func (l *listing[T]) next() []*handshake.Question {
	var qs []*handshake.Question
	for _, o := range l.line.next() {
		qs = append(qs, &handshake.Question{Offer: o, Extra: l.extra(o)})
	}
	return qs
}

func (l *listing[T]) take(rs []*handshake.Result) {
	answers := make([]*probe.Observation, len(rs))
	for i, r := range rs {
		o := r.Observation
		answers[i] = &o
		if refused(r) {
			o.Answer = probe.Alerted
			if r.Answer == probe.Closed {
				o.Answer = probe.Closed
			}
		} else if !settled(r) {
			o.Answer = probe.Reset
		}
		if _, ok := l.read(&o); !ok && settled(r) {
			l.last = &o
		}
	}
	l.line.take(answers)
}

// maxMute is how many rounds in a row without any answer show that the endpoint answers no more.
const maxMute = 3

// run conducts experiments until none has a question left. Each round's questions go out side by side. Answers may
// begin further experiments.
func (f *features) run(ctx context.Context, todo []experiment) {
	begun := time.Now()
	for ctx.Err() == nil && f.mute < maxMute && (f.p.Pace != nil || time.Since(begun) < patience*f.p.TimeLimit()) {
		var qs []*handshake.Question
		counts := make([]int, len(todo))
		for i, e := range todo {
			l := e.next()
			counts[i] = len(l)
			qs = append(qs, l...)
		}
		if len(qs) == 0 {
			return
		}
		rs := f.askAll(ctx, qs)
		for i, e := range todo {
			part := rs[:counts[i]]
			rs = rs[counts[i]:]
			if len(part) > 0 {
				e.take(part)
			}
		}
		todo = append(todo, f.further...)
		f.further = nil
	}
}

// askAll makes the connections of one round, and slows down when some fail.
func (f *features) askAll(ctx context.Context, qs []*handshake.Question) []*handshake.Result {
	out := make([]*handshake.Result, len(qs))
	var wg sync.WaitGroup
	for i := range qs {
		wg.Go(func() { out[i] = handshake.Do(ctx, f.p, f.t, qs[i]) })
	}
	wg.Wait()
	failed, lost := 0, 0
	for i, r := range out {
		if !settled(r) {
			failed++
			if ofNetwork(r.Answer) || r.End == probe.Silent || r.End == probe.Reset {
				lost++
			}
		}
		f.heard = append(f.heard, answered{qs[i], r})
	}
	if f.mute++; failed < len(qs) {
		f.mute = 0
	}
	if lost > 0 {
		f.p.Narrow()
		f.pause = min(max(2*f.pause, 100*time.Millisecond), 2*time.Second)
		select {
		case <-ctx.Done():
		case <-time.After(f.pause):
		}
	}
	return out
}

// answered is a question with its answer.
type answered struct {
	*handshake.Question
	*handshake.Result
}
