package vuln

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// variant is a hello that an endpoint must take if it takes a plain one: what it does not know, it has to ignore.
type variant struct {
	name string
	raw  []byte
	cuts []int // where the hello is cut into TCP segments; nil: it is sent at once
}

// plainHello is a hello of the versions from TLS 1.0 on that the endpoint accepts, or of SSLv3.
func (s *subject) plainHello() *hello.ClientHello { return s.build(s.plainOffer()) }

func (s *subject) plainOffer() *hello.Offer {
	o := &hello.Offer{SecureReneg: true}
	for _, v := range s.versions() {
		if v == suite.SSLv3 && len(o.Versions) > 0 {
			break
		}
		o.Versions = append(o.Versions, v)
		for _, c := range s.suites(v) {
			if !slices.Contains(o.Suites, c) && len(o.Suites) < 60 { // some servers take no more than so many
				o.Suites = append(o.Suites, c)
			}
		}
	}
	if o.Versions[0] == suite.TLS13 {
		o.KeyShares = []suite.Group{suite.X25519, suite.Secp256r1}
		if groups := s.result.Groups13.Groups; len(groups) > 0 {
			o.Groups = groups
			o.KeyShares = slices.DeleteFunc(o.KeyShares, func(g suite.Group) bool { return !slices.Contains(groups, g) })
		}
	}
	return o
}

// withoutExtensions reports that the endpoint speaks nothing that knows extensions.
func (s *subject) withoutExtensions() bool { return s.versions()[0] < suite.TLS10 }

var noExtensions = no(nil, "The endpoint speaks SSLv3 only, which knows no extensions.")

// tolerates sends a plain hello and all variants of it. One that is not taken is sent again after another plain one
// was taken, until the variant is to blame.
func (s *subject) tolerates(ctx context.Context, plain *hello.ClientHello, what string, variants []variant) answer {
	control := s.ask(ctx, plain)
	if !control.Accepted() {
		return failed(failure(&control))
	}
	patience := min(s.limit, max(2*time.Second, 20*control.FirstByte))
	complaints := make([]string, len(variants))
	open := make([]bool, len(variants))
	var group sync.WaitGroup
	for i := range variants {
		group.Go(func() { complaints[i], open[i] = s.tolerate(ctx, plain, &variants[i], patience) })
	}
	group.Wait()
	var taken, bad, unclear []string
	for i, c := range complaints {
		switch {
		case c == "":
			taken = append(taken, variants[i].name)
		case open[i]:
			unclear = append(unclear, c)
		default:
			bad = append(bad, c)
		}
	}
	var evidence []string
	if len(taken) > 0 {
		evidence = append(evidence, "accepted: "+strings.Join(taken, "; "))
	}
	switch {
	case len(bad) > 0:
		return yes(append(bad, evidence...), "The endpoint, or something before it, does not take %s, though it must.", what)
	case len(unclear) > 0:
		return unsure(append(unclear, evidence...), "The network failed while the endpoint was asked for %s.", what)
	}
	return no(evidence, "The endpoint takes %s.", what)
}

// tolerate sends one variant and returns how it was refused, "" if it was not. open says that this proves nothing.
func (s *subject) tolerate(ctx context.Context, plain *hello.ClientHello, v *variant, patience time.Duration) (complaint string, open bool) {
	p := s.prober.Variant(patience, nil)
	if v.cuts != nil {
		p = s.prober.Variant(patience, cutting(s.prober.DialContext, v.cuts, s.segmentPause()))
	}
	for failures := 1; ; failures++ {
		o := p.Hello(ctx, s.target, v.raw)
		if sound(&o) {
			return "", false
		}
		how := describe(&o)
		if failures >= convincing(&o) {
			return fmt.Sprintf("%s: %s, %d times, while a plain hello was accepted", v.name, how, failures), false
		}
		if control := s.ask(ctx, plain); !control.Accepted() {
			return fmt.Sprintf("%s: %s, but then a plain hello was not accepted either", v.name, how), true
		}
		if ctx.Err() != nil {
			return fmt.Sprintf("%s: %s, and no time was left to ask again", v.name, how), true
		}
	}
}

// convincing is how often a variant must fail in this way before it is to blame: a server that refuses it says so, while
// a reset or silence can be the network's.
func convincing(o *probe.Observation) int {
	switch {
	case o.Answer.Refusal():
		return 2
	case o.Answer == probe.Silent:
		return 3
	}
	return 4
}

// sound reports whether a variant was taken, and nothing chosen that nobody knows.
func sound(o *probe.Observation) bool {
	return o.Accepted() && o.Version.Known() && !suite.IsGREASE(uint16(o.Suite)) && !suite.IsGREASE(uint16(o.Group))
}

func describe(o *probe.Observation) string {
	switch {
	case o.Answer == probe.Alerted:
		return "alert " + o.Alert.String()
	case o.Accepted():
		return fmt.Sprintf("it chose %s, %s, %s", o.Version, o.Suite, o.Group)
	}
	if o.Answer.Accepted() {
		return "the answer broke off: " + string(o.End)
	}
	return string(o.Answer)
}

// segmentPause keeps two segments apart: long enough that a server has read the first, going by how long it took to
// answer a hello when it was quickest, and far below what any server waits for the rest.
func (s *subject) segmentPause() time.Duration {
	return min(max(10*time.Millisecond, 3*s.quickest()), 50*time.Millisecond)
}

// cutting dials connections that send a hello in several TCP segments, cut at these places.
func cutting(dial func(context.Context, string, string) (net.Conn, error), cuts []int, pause time.Duration) func(context.Context, string, string) (net.Conn, error) {
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &cut{conn, cuts, pause}, nil
	}
}

// cut is such a connection. Only what begins like a handshake record is cut, not a preamble.
type cut struct {
	net.Conn
	cuts  []int
	pause time.Duration
}

func (c *cut) Write(b []byte) (n int, err error) {
	if len(b) == 0 || b[0] != hello.RecordHandshake {
		return c.Conn.Write(b)
	}
	for _, at := range append(slices.Clone(c.cuts), len(b)) {
		if at <= n || at > len(b) {
			continue
		}
		if n > 0 {
			time.Sleep(c.pause)
		}
		m, err := c.Conn.Write(b[n:at])
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}
