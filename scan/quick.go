package scan

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// Options direct a scan.
type Options struct {
	ServerName string // sent as server_name; "" sends none
	// ClientCertificate is presented in handshakes that are completed, where it is asked for; nil for none. Its key must
	// be a crypto.Signer.
	ClientCertificate *tls.Certificate
	// Told is called by Full, once, when the first answers are there: each accepted version and a suite of each. The scan
	// goes on when it returns.
	Told func(*Result)
	// Extra hellos go out with the first round; their replies are in the result under their names.
	Extra []Raw
	// First are suites to ask about before others that no policy has, where the budget is short.
	First []suite.Code
	// Budget is how many connections may be made; 0 means DefaultBudget.
	Budget int
}

// Raw is a hello as bytes.
type Raw struct {
	Name  string
	Bytes []byte
}

// DefaultBudget keeps a diagnosis within 40 connections, with some left for its own experiments. The first two
// rounds need no more than that of an endpoint whose policy is a load balancer's.
const DefaultBudget = 34

// Quick learns what the endpoint accepts, as far as a diagnosis needs it, in three rounds of parallel
// connections. It always returns an Endpoint: one that speaks no TLS has no versions, and its replies say
// what happened instead.
func Quick(ctx context.Context, p *probe.Prober, t probe.Target, opt Options) *Endpoint {
	budget := opt.Budget
	if budget <= 0 {
		budget = DefaultBudget
	}
	before := p.Connections()
	s := &state{replies: make(map[string]Reply)}
	var all []Reply
	ask := func(qs []Question, extra []Raw) {
		rs := askAll(ctx, p, t, qs, extra)
		s.add(rs)
		all = append(all, rs...)
	}
	ask(firstRound(opt.ServerName), opt.Extra)
	var chain [][]byte
	clientAuth := false
	if len(s.versions()) > 0 {
		done := make(chan struct{})
		if s.highestClassic() == 0 { // TLS 1.3 alone: no certificate was in the clear
			go func() {
				chain, clientAuth = certificate13(ctx, p, t, opt.ServerName)
				close(done)
			}()
		} else {
			close(done)
		}
		ask(s.secondRound(opt.ServerName), nil)
		<-done
		ask(s.thirdRound(opt.ServerName, opt.First, budget-(p.Connections()-before)), nil)
	}
	e := s.endpoint(t.Address, all)
	e.addChain(chain)
	if clientAuth && e.Policy.ClientAuth == policy.ClientAuthNone {
		e.Policy.ClientAuth = policy.ClientAuthRequest
	}
	return e
}

// askAll sends the questions and the extra hellos side by side.
func askAll(ctx context.Context, p *probe.Prober, t probe.Target, qs []Question, extra []Raw) []Reply {
	var rs []Reply
	var hellos [][]byte
	for _, r := range extra {
		rs, hellos = append(rs, Reply{Question: Question{Name: r.Name}}), append(hellos, r.Bytes)
	}
	for _, q := range qs {
		b, err := Bytes(&q.Offer)
		if err != nil {
			panic(fmt.Sprintf("scan: question %s: %v", q.Name, err)) // the questions are ours
		}
		rs, hellos = append(rs, Reply{Question: q}), append(hellos, b)
	}
	if len(hellos) == 0 {
		return nil
	}
	for i, o := range p.All(ctx, t, hellos) {
		rs[i].Observation = o
	}
	askAgain(ctx, p, t, rs, hellos, len(extra))
	return rs
}

// maxAgain is how many questions of a round are asked again at most. Where more fail, it is the endpoint's way.
const maxAgain = 8

// askAgain repeats the questions that met a reset or a refused connection while others were answered: a network or
// an endpoint that limits connections loses some, and a lost answer is no refusal. One by one, since it may have been
// too many at once. The first skip hellos are not questions and stay as they were met.
func askAgain(ctx context.Context, p *probe.Prober, t probe.Target, rs []Reply, hellos [][]byte, skip int) {
	var failed []int
	for i := skip; i < len(rs); i++ {
		if a := rs[i].Answer; a == probe.Reset || a == probe.Refused {
			failed = append(failed, i)
		}
	}
	if len(failed) > maxAgain || len(failed) == len(rs)-skip {
		return
	}
	for _, i := range failed {
		for range 2 {
			if o := p.Hello(ctx, t, hellos[i]); o.Answer.Accepted() || o.Answer.Refusal() {
				rs[i].Observation = o
				break
			}
		}
	}
}

// Bytes builds the hello of an offer, ready to send.
func Bytes(o *hello.Offer) ([]byte, error) {
	h, err := hello.Build(o, rand.Reader)
	if err != nil {
		return nil, err
	}
	return h.Marshal()
}
