package vuln

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/vuln/internal/classic"
)

// subject is an endpoint under test: what a scan has learnt of it, and the means to learn more.
type subject struct {
	prober *probe.Prober
	target probe.Target
	result *scan.Result
	sni    string
	limit  time.Duration // of one connection
	// certificate is the client's, nil without one. mutual is whether the endpoint asked for it on any connection.
	certificate *tls.Certificate
	mutual      atomic.Bool

	ephemeral shared[[]*hello.ServerKeyExchange] // see dhe
	plain     shared[*hello.ServerHello]         // see survey
}

// shared is what several checks need of one test.
type shared[T any] struct {
	once  sync.Once
	value T
	err   error
}

// get makes the test the first time that it is asked for.
func (v *shared[T]) get(test func() (T, error)) (T, error) {
	v.once.Do(func() { v.value, v.err = test() })
	return v.value, v.err
}

func newSubject(p *probe.Prober, t probe.Target, r *scan.Result, opt Options) *subject {
	s := &subject{prober: p, target: t, result: r, sni: opt.ServerName, limit: p.Timeout, certificate: opt.ClientCertificate}
	if s.limit <= 0 {
		s.limit = probe.DefaultTimeout
	}
	return s
}

// versions lists what the endpoint accepts, newest first.
func (s *subject) versions() []suite.Version {
	var l []suite.Version
	for _, v := range s.result.Versions {
		if v.Accepted {
			l = append(l, v.Version)
		}
	}
	return l
}

// suites lists what the endpoint accepts in version v.
func (s *subject) suites(v suite.Version) []suite.Code {
	for _, r := range s.result.Versions {
		if r.Version == v && r.Accepted {
			return r.Suites
		}
	}
	return nil
}

// newest is the newest accepted version up to TLS 1.2 with a suite for which ok holds, and those suites; 0 if there
// is none.
func (s *subject) newest(ok func(*suite.Suite, suite.Version) bool) (suite.Version, []suite.Code) {
	for _, v := range s.versions() {
		if l := where(s.suites(v), func(i *suite.Suite) bool { return ok(i, v) }); v <= suite.TLS12 && len(l) > 0 {
			return v, l
		}
	}
	return 0, nil
}

// where keeps the suites for which ok holds.
func where(l []suite.Code, ok func(*suite.Suite) bool) []suite.Code {
	var out []suite.Code
	for _, c := range l {
		if i := suite.ByCode(c); i != nil && ok(i) {
			out = append(out, c)
		}
	}
	return out
}

func anySuite(*suite.Suite, suite.Version) bool { return true }

// offer is a hello of one version up to TLS 1.2 that an endpoint takes which accepts one of these suites.
func (s *subject) offer(v suite.Version, suites []suite.Code) *hello.ClientHello {
	return s.build(&hello.Offer{Versions: []suite.Version{v}, Suites: suites, SecureReneg: true})
}

// build makes a hello of an offer, with what every hello of ours has.
func (s *subject) build(o *hello.Offer) *hello.ClientHello {
	top := slices.Max(o.Versions)
	if top >= suite.TLS10 {
		o.ServerName, o.ExtendedMaster = s.sni, true
		o.HasGroups, o.PointFormats = true, []byte{0}
		if o.Groups == nil {
			o.Groups = []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1}
		}
	}
	if top >= suite.TLS12 {
		o.HasSchemes, o.Schemes = true, schemes
	}
	h, err := hello.Build(o, rand.Reader)
	if err != nil {
		panic("vuln: " + err.Error()) // the offers are ours
	}
	return h
}

var schemes = []suite.SignatureScheme{
	suite.ECDSASecp256r1SHA256, suite.ECDSASecp384r1SHA384, suite.ECDSASecp521r1SHA512, suite.Ed25519, suite.Ed448,
	suite.RSAPSSRSAESHA256, suite.RSAPSSRSAESHA384, suite.RSAPSSRSAESHA512, suite.RSAPSSPSSSHA256,
	suite.RSAPKCS1SHA256, suite.RSAPKCS1SHA384, suite.RSAPKCS1SHA512, suite.ECDSASHA1, suite.RSAPKCS1SHA1, suite.DSASHA1,
}

// maxTries is how often a connection is tried that meets a network failure: a reset or a refused connection. Silence,
// which takes longer to notice, counts for two.
const maxTries = 5

// errNetwork is returned where no connection came about, or none that was answered.
type errNetwork struct{ answer probe.Answer }

func (e errNetwork) Error() string { return "the last of several tries ended with " + string(e.answer) }

// connect opens a connection that the caller closes.
func (s *subject) connect(ctx context.Context) (net.Conn, time.Time, error) {
	conn, o := s.prober.Connect(ctx, s.target)
	until := time.Now().Add(s.limit)
	if conn == nil {
		return nil, until, errNetwork{o.Answer}
	}
	if d, ok := ctx.Deadline(); ok && d.Before(until) {
		until = d
	}
	return conn, until, nil
}

// open has a hello answered with a first flight, and hands the session to do. The error is a classic.Refused where the
// endpoint refuses the hello.
func (s *subject) open(ctx context.Context, h *hello.ClientHello, do func(*classic.Session)) (err error) {
	s.persist(ctx, func() outcome {
		err = s.openOnce(ctx, h, do)
		return outcomeOf(err)
	})
	return err
}

// outcome is what became of a try.
type outcome int

const (
	decided outcome = iota
	broken          // a reset or the like
	silent
)

// persist tries until something is decided. An endpoint that does not keep up gets fewer connections at once, and time.
func (s *subject) persist(ctx context.Context, try func() outcome) {
	for n := 0; n < maxTries; n++ {
		switch try() {
		case decided:
			return
		case silent:
			n++
		}
		if ctx.Err() != nil {
			return
		}
		s.prober.Narrow()
		wait(ctx, 50*time.Millisecond<<n)
	}
}

func (s *subject) openOnce(ctx context.Context, h *hello.ClientHello, do func(*classic.Session)) error {
	conn, until, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	x, err := classic.Open(conn, h, until)
	if err != nil {
		return err
	}
	if x.ClientAuth {
		s.mutual.Store(true)
		x.Certificate = s.certificate
	}
	do(x)
	return nil
}

// credentials are what a request for a client certificate can be answered with: none first, then the one that was given.
func (s *subject) credentials() []*tls.Certificate {
	if s.certificate == nil {
		return []*tls.Certificate{nil}
	}
	return []*tls.Certificate{nil, s.certificate}
}

// admits reports whether the endpoint asks for no client certificate, or completes a proper handshake with what it is
// given: else it may have refused for want of one what a check sent.
func (s *subject) admits(ctx context.Context, v suite.Version, suites []suite.Code) bool {
	if !s.mutual.Load() {
		return true
	}
	suites = where(suites, func(i *suite.Suite) bool { return speaks(i, v) })
	if len(suites) == 0 {
		return false
	}
	var unfinished error
	err := s.open(ctx, s.offer(v, suites), func(x *classic.Session) { unfinished = x.Complete() })
	return firstError(err, unfinished) == nil
}

// outcomeOf tells what can be the network's fault from what cannot.
func outcomeOf(err error) outcome {
	var refused classic.Refused
	var network errNetwork
	switch {
	case errors.As(err, &refused) && refused.Event.Kind == classic.Silence,
		errors.As(err, &network) && (network.answer == probe.Silent || network.answer == probe.ConnectTimeout):
		return silent
	case errors.As(err, &refused) && refused.Event.Kind == classic.Reset, errors.As(err, &network):
		return broken
	}
	return decided
}

// ask has a hello answered, in as many tries as it takes to get past network failures.
func (s *subject) ask(ctx context.Context, h *hello.ClientHello) (o probe.Observation) {
	raw := marshal(h)
	s.persist(ctx, func() outcome {
		if o = s.prober.Hello(ctx, s.target, raw); o.Accepted() || o.Answer.Refusal() {
			return decided
		}
		return outcomeOf(failure(&o))
	})
	return o
}

// marshal gives the bytes of a hello of ours.
func marshal(h *hello.ClientHello) []byte {
	raw, err := h.Marshal()
	if err != nil {
		panic("vuln: " + err.Error())
	}
	return raw
}

// serial reports whether the endpoint serves one connection after the other: whether a hello goes unanswered as long as
// another connection is open. Checks that hold a connection open would then starve the others.
func (s *subject) serial(ctx context.Context) bool {
	idle, _, err := s.connect(ctx)
	if err != nil {
		return false
	}
	defer idle.Close()
	p := &probe.Prober{Timeout: min(s.limit, s.unhurried()), DialContext: s.prober.DialContext, Pace: s.prober.Pace}
	o := p.Hello(ctx, s.target, marshal(s.plainHello()))
	s.prober.Waited(p.Connections(), 0)
	return o.Answer == probe.Silent
}

// unhurried is many times what the endpoint took to answer when it was quickest in the scan. One that is slower for
// another reason is taken for a serial one, which costs time alone.
func (s *subject) unhurried() time.Duration {
	return min(200*time.Millisecond+20*s.quickest(), time.Second)
}

// quickest is the shortest time that the endpoint took in the scan to answer a hello; a second if none was answered sooner.
func (s *subject) quickest() time.Duration {
	quickest := time.Second
	for i := range s.result.Seen.Replies {
		if d := s.result.Seen.Replies[i].FirstByte; d > 0 {
			quickest = min(quickest, d)
		}
	}
	return quickest
}

// wait sleeps, unless ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
