package watch

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"

	"github.com/parley-tls/parley/capture"
	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/hello"
)

// Limits of a collection. What is beyond them is counted.
const (
	maxGroups   = 1 << 13
	maxFailures = 16  // ways to fail of one group
	maxChosen   = 32  // of one group
	maxExamples = 5   // addresses and names of one group
	maxName     = 256 // bytes of a server_name; a name in the DNS has 253 at most
	maxNamed    = 1 << 13
	maxKept     = 32 << 20 // bytes of hellos and certificates that are kept as examples
)

// Collector puts negotiations together. It is not safe for use by several goroutines.
type Collector struct {
	// Client says by what `parley why --client` can take the hello of a connection again, "" for nothing.
	Client func(c *capture.Connection, ja4 string) string
	// Target is what commands call the server; "": its address.
	Target string
	// Tally takes in each connection, where it is not nil.
	Tally *evidence.Tally

	report  Report
	groups  map[groupKey]*group
	servers map[string]*diagnose.Accepted
	seed    maphash.Seed
	hash    maphash.Hash
	ja4     map[uint64]string
	nearest map[string]*Client
	kept    int // bytes of examples
}

type groupKey struct{ ja4, server string }

// group is a Group being counted.
type group struct {
	Group
	chosen   map[Chosen]int
	failures map[string]*failure
	decided  map[string]cause.ID // by what was seen
}

// failure is a Failure with the first connection that showed it.
type failure struct {
	Failure
	first *capture.Connection
}

// NewCollector returns an empty collection.
func NewCollector() *Collector {
	return &Collector{groups: make(map[groupKey]*group), servers: make(map[string]*diagnose.Accepted), seed: maphash.MakeSeed(),
		ja4: make(map[uint64]string), nearest: make(map[string]*Client)}
}

// Add takes in one negotiation.
func (c *Collector) Add(n *capture.Connection) {
	out := n.Outcome()
	r := &c.report
	r.Negotiations++
	r.Hellos += n.Hellos()
	switch out.Result {
	case evidence.Established:
		r.Established++
	case evidence.Failed:
		r.Failed++
	default:
		r.Unfinished++
	}
	ja4, name := c.fingerprint(n.Hello), serverName(n.Hello)
	server := n.Server.String()
	g := c.group(groupKey{ja4, server}, n)
	if c.Tally != nil && n.Hello != nil {
		told := out
		if out.Result == evidence.Failed {
			told.Cause = c.decidedFor(g, n, out.Failure)
		}
		c.Tally.Add(&evidence.Connection{Time: n.HelloAt, Client: n.Client.Addr(), Server: server, Name: name, Hello: n.Hello, Outcome: told})
	}
	if g == nil {
		r.Beyond++
		return
	}
	g.Negotiations++
	g.Clients = evidence.Example(g.Clients, n.Client.Addr().String(), maxExamples)
	g.Names = evidence.Example(g.Names, name, maxExamples)
	if n.HelloAt.Before(g.First) {
		g.First = n.HelloAt
	}
	if n.HelloAt.After(g.Last) {
		g.Last = n.HelloAt
	}
	if out.Version != 0 {
		k := Chosen{Version: out.Version, Suite: out.Suite, Group: out.Group}
		if _, ok := g.chosen[k]; ok || len(g.chosen) < maxChosen {
			g.chosen[k]++
		}
	}
	switch out.Result {
	case evidence.Established:
		c.accepted(server).Add(n.Negotiation)
	case evidence.Unfinished:
		g.Unfinished++
	default:
		c.fail(g, n, out.Failure)
	}
}

// room reports whether an example of so many bytes can be kept, and counts it.
func (c *Collector) room(size int) bool {
	if c.kept+size > maxKept {
		return false
	}
	c.kept += size
	return true
}

// example is the bytes of a hello, nil where there is no more room for it.
func (c *Collector) example(h *hello.ClientHello) evidence.Bytes {
	if h == nil || !c.room(h.WireSize()) {
		return nil
	}
	return raw(h)
}

// decided is the cause where what was seen decides it.
func decided(l []diagnose.Cause) cause.ID {
	if len(l) > 0 && l[0].Confidence >= 0.9 {
		return l[0].ID
	}
	return ""
}

// decidedFor is decided for one connection, found once for all of a group that fail in the same way.
func (c *Collector) decidedFor(g *group, n *capture.Connection, seen string) cause.ID {
	if g == nil {
		return ""
	}
	id, ok := g.decided[seen]
	if !ok {
		id = decided(c.sighting(n, g.JA4).Causes())
		if len(g.decided) < maxFailures {
			g.decided[seen] = id
		}
	}
	return id
}

// fail counts a failure. The first of its kind is kept, to be explained when all is known that the server accepted.
func (c *Collector) fail(g *group, n *capture.Connection, seen string) {
	if g.Failed++; g.Failed == 1 {
		if h := c.example(n.Hello); h != nil {
			g.Hello = h
		}
	}
	f := g.failures[seen]
	if f == nil {
		if len(g.failures) >= maxFailures {
			return
		}
		f = &failure{}
		f.Seen, f.Client, f.At, f.Packet = seen, n.Client.String(), n.HelloAt, n.Packet
		if c.room(sizeOf(n)) {
			kept := *n.Negotiation // what follows may be long; the failure is short
			f.first = &capture.Connection{Negotiation: &kept, Client: n.Client, Server: n.Server, First: n.First, Packet: n.Packet, Again: n.Again}
		} else {
			f.Causes = c.sighting(n, g.JA4).Causes()
		}
		g.failures[seen] = f
	}
	f.Count++
}

// sizeOf is about how many bytes a negotiation takes.
func sizeOf(n *capture.Connection) int {
	size := 1 << 10
	if n.Hello != nil {
		size += 2 * n.Hello.WireSize()
	}
	if n.Second != nil {
		size += 2 * n.Second.WireSize()
	}
	for _, c := range n.Chain {
		size += len(c)
	}
	return size
}

func (c *Collector) group(k groupKey, n *capture.Connection) *group {
	if g := c.groups[k]; g != nil {
		return g
	}
	if len(c.groups) >= maxGroups {
		return nil
	}
	g := &group{Group: Group{JA4: k.ja4, Server: k.server, First: n.HelloAt, Hello: c.example(n.Hello), Nearest: c.near(n.Hello, k.ja4)},
		chosen: make(map[Chosen]int), failures: make(map[string]*failure), decided: make(map[string]cause.ID)}
	if !n.Banner {
		g.StartTLS = string(diagnose.StartTLSOf(n.Preamble))
	}
	c.groups[k] = g
	return g
}

func (c *Collector) accepted(server string) *diagnose.Accepted {
	a := c.servers[server]
	if a == nil {
		a = &diagnose.Accepted{}
		if len(c.servers) < maxGroups {
			c.servers[server] = a
		}
	}
	return a
}

// near names the nearest known client. It is asked for once for each fingerprint, though hellos with one fingerprint can
// differ in their order.
func (c *Collector) near(h *hello.ClientHello, ja4 string) *Client {
	if h == nil {
		return nil
	}
	if known, ok := c.nearest[ja4]; ok {
		return known
	}
	l := clientOf(client.Nearest(h))
	if len(c.nearest) < maxNamed {
		c.nearest[ja4] = l
	}
	return l
}

func (c *Collector) sighting(n *capture.Connection, ja4 string) *diagnose.Sighting {
	s := &diagnose.Sighting{Negotiation: n.Negotiation, Server: cmp.Or(c.Target, n.Server.String()), Accepted: c.servers[n.Server.String()], Again: n.Again}
	if n.Hello != nil {
		s.Profile = c.near(n.Hello, ja4).Profile()
	}
	if c.Client != nil {
		s.Client = c.Client(n, ja4)
	}
	return s
}

// Event describes one negotiation by itself.
func (c *Collector) Event(n *capture.Connection) *Event {
	ja4 := c.fingerprint(n.Hello)
	e := &Event{Schema: EventSchema, Time: n.HelloAt, Client: n.Client.String(), Server: n.Server.String(), Name: serverName(n.Hello), JA4: ja4,
		Nearest: c.near(n.Hello, ja4), Retried: n.Retry != nil, Outcome: n.Outcome(), Causes: c.sighting(n, ja4).Causes(), Hello: raw(n.Hello)}
	if !n.Banner {
		e.StartTLS = string(diagnose.StartTLSOf(n.Preamble))
	}
	if e.Causes == nil {
		e.Causes = []diagnose.Cause{}
	}
	e.Outcome.Cause = decided(e.Causes)
	e.Fixes = diagnose.Fixes(e.Causes)
	return e
}

// Report is what was collected so far; st is what was read of the source.
func (c *Collector) Report(source string, st *capture.Stats) *Report {
	r := c.report
	r.Schema, r.Source, r.Packets, r.Partial, r.From, r.To = Schema, source, st.Packets, st.Partial, st.First, st.Last
	r.Warnings = append([]string{}, st.Warnings...)
	r.Groups = make([]Group, 0, len(c.groups))
	for k, g := range c.groups {
		out := g.Group
		out.Chosen, out.Failures = []Chosen{}, []Failure{}
		for ch, n := range g.chosen {
			ch.Count = n
			out.Chosen = append(out.Chosen, ch)
		}
		slices.SortFunc(out.Chosen, func(a, b Chosen) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(b.Version, a.Version), cmp.Compare(a.Suite, b.Suite), cmp.Compare(a.Group, b.Group))
		})
		for _, f := range g.failures {
			if f.first != nil {
				f.Causes = c.sighting(f.first, k.ja4).Causes()
			}
			f.Fixes = diagnose.Fixes(f.Causes)
			out.Failures = append(out.Failures, f.Failure)
		}
		slices.SortFunc(out.Failures, func(a, b Failure) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Seen, b.Seen)) })
		out.Clients, out.Names = sorted(out.Clients), sorted(out.Names)
		r.Groups = append(r.Groups, out)
	}
	slices.SortFunc(r.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Failed, a.Failed), cmp.Compare(b.Negotiations, a.Negotiations), cmp.Compare(a.Server, b.Server), cmp.Compare(a.JA4, b.JA4))
	})
	return &r
}

func sorted(l []string) []string {
	l = append([]string{}, l...)
	slices.Sort(l)
	return l
}

func raw(h *hello.ClientHello) evidence.Bytes {
	if h == nil {
		return nil
	}
	b, _ := h.Marshal() // it was parsed, so it can be written
	return b
}

func serverName(h *hello.ClientHello) string {
	if h == nil {
		return ""
	}
	data, ok := h.Extension(hello.ExtServerName)
	if !ok || len(data) < 5 {
		return ""
	}
	n := min(int(binary.BigEndian.Uint16(data[3:])), maxName)
	return string(data[5:min(5+n, len(data))])
}

// fingerprint is the JA4 of a hello. Hellos repeat by the thousand: what JA4 depends on is looked up first.
func (c *Collector) fingerprint(h *hello.ClientHello) string {
	if h == nil {
		return ""
	}
	c.hash.SetSeed(c.seed)
	c.hash.Reset()
	var b [4]byte
	put := func(v uint32) { binary.BigEndian.PutUint32(b[:], v); c.hash.Write(b[:]) }
	put(uint32(h.Version))
	put(uint32(len(h.Suites)))
	for _, s := range h.Suites {
		put(uint32(s))
	}
	for _, e := range h.Extensions {
		put(uint32(e.Type))
		switch e.Type {
		case hello.ExtALPN, hello.ExtSignatureAlgorithms, hello.ExtSupportedVersions:
			put(uint32(len(e.Data)))
			c.hash.Write(e.Data)
		}
	}
	key := c.hash.Sum64()
	if known, ok := c.ja4[key]; ok {
		return known
	}
	ja4 := h.JA4()
	if len(c.ja4) < 1<<16 {
		c.ja4[key] = ja4
	}
	return ja4
}
