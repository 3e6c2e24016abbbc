package evidence

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// Limits of a tally. What is beyond them is counted, never silently lost.
const (
	maxKinds    = 1 << 14  // kinds of client
	maxKept     = 64 << 20 // bytes of their hellos, and of what tells them apart
	maxSources  = 1 << 20  // source addresses over all kinds
	maxOutcomes = 64       // of one kind
	maxExamples = 8        // names and servers of one kind
	maxBusiest  = 5        // addresses named of one kind
	maxText     = 256      // bytes of a user agent, a name, a server
)

// Tally counts connections by kind of client. The zero value is ready. It is not safe for use by several goroutines;
// Merge joins tallies that were filled side by side.
type Tally struct {
	// Beyond counts the connections, and requests, of kinds that came after there were too many.
	Beyond int
	// ByServer takes the same client at two servers for two kinds. It must be set before the first Add.
	ByServer bool

	kinds   map[string]*kind
	kept    int // bytes, see maxKept
	sources int
	key     []byte              // kept for its memory
	offers  map[*Offered]string // their keys: a log says the same again and again
}

// kind is a client being counted.
type kind struct {
	Client
	sources  map[netip.Addr]int // how often each was seen
	outcomes map[Outcome]*Count
	recent   *Count // of the last connection, since the next is often like it
	taken    int    // clients of files that came in
	unnamed  int    // sources of the one of them with the most, where it does not name them all
}

// Add takes in one connection.
func (t *Tally) Add(c *Connection) {
	t.key = t.appendKey(t.key[:0], c)
	k := t.kind(t.key, func() Client {
		fresh := Client{UserAgent: strings.Clone(short(c.UserAgent)), Offered: c.Offered}
		if c.Hello != nil {
			fresh.JA4 = c.Hello.JA4()
			fresh.Hello, _ = c.Hello.Marshal() // it was parsed, so it can be written
		}
		return fresh
	})
	if k == nil {
		t.Beyond++
		return
	}
	n := Count{Outcome: c.Outcome, Connections: 1}
	if c.Request {
		n.Connections, n.Requests = 0, 1
	}
	k.count(&n)
	t.source(k, c.Client, 1)
	k.Names = Example(k.Names, c.Name, maxExamples)
	k.Servers = Example(k.Servers, c.Server, maxExamples)
	k.between(c.Time, c.Time)
}

// between widens the time in which a kind was seen.
func (k *kind) between(first, last time.Time) {
	if k.First.IsZero() || !first.IsZero() && first.Before(k.First) {
		k.First = first
	}
	if last.After(k.Last) {
		k.Last = last
	}
}

// kind finds the kind with a key, or makes it; nil where there are too many.
func (t *Tally) kind(key []byte, fresh func() Client) *kind {
	if k := t.kinds[string(key)]; k != nil {
		return k
	}
	if len(t.kinds) >= maxKinds {
		return nil
	}
	if t.kinds == nil {
		t.kinds = make(map[string]*kind)
	}
	c := fresh()
	if t.kept+len(c.Hello)+len(key) > maxKept {
		return nil
	}
	t.kept += len(c.Hello) + len(key)
	k := &kind{Client: c, sources: make(map[netip.Addr]int), outcomes: make(map[Outcome]*Count)}
	t.kinds[string(key)] = k
	return k
}

// count adds to an outcome. Where there are too many of them, the words of the failure go first.
func (k *kind) count(n *Count) {
	k.Connections += n.Connections
	k.Requests += n.Requests
	if k.recent == nil || k.recent.Outcome != n.Outcome {
		k.recent = k.outcome(n.Outcome)
	}
	k.recent.Connections += n.Connections
	k.recent.Requests += n.Requests
}

func (k *kind) outcome(o Outcome) *Count {
	o.Failure = short(o.Failure)
	if k.outcomes[o] == nil && len(k.outcomes) >= maxOutcomes {
		o = Outcome{Result: o.Result}
	}
	c := k.outcomes[o]
	if c == nil {
		o.Failure = strings.Clone(o.Failure) // which may be part of a file's line
		c = &Count{Outcome: o}
		k.outcomes[o] = c
	}
	return c
}

func (t *Tally) source(k *kind, a netip.Addr, seen int) {
	if !a.IsValid() {
		return
	}
	if t.sources < maxSources {
		before := len(k.sources)
		k.sources[a] += seen
		t.sources += len(k.sources) - before
		return
	}
	if _, ok := k.sources[a]; !ok {
		k.AtLeast = true
		return
	}
	k.sources[a] += seen
}

// Merge adds what another tally has counted, which must not be used afterwards.
func (t *Tally) Merge(other *Tally) {
	t.Beyond += other.Beyond
	for key, from := range other.kinds {
		k := t.kind([]byte(key), func() Client {
			fresh := from.Client
			fresh.Connections, fresh.Requests, fresh.Names, fresh.Servers = 0, 0, nil, nil
			return fresh
		})
		if k == nil {
			t.Beyond += from.Seen()
			continue
		}
		k.taken += from.taken
		k.unnamed = max(k.unnamed, from.unnamed)
		for _, n := range from.outcomes {
			k.count(n)
		}
		for a, seen := range from.sources {
			t.source(k, a, seen)
		}
		k.alike(&from.Client)
	}
}

// alike takes in what has limits of its own of a client of the same kind.
func (k *kind) alike(c *Client) {
	k.AtLeast = k.AtLeast || c.AtLeast
	for _, n := range c.Names {
		k.Names = Example(k.Names, n, maxExamples)
	}
	for _, s := range c.Servers {
		k.Servers = Example(k.Servers, s, maxExamples)
	}
	k.between(c.First, c.Last)
}

// Take adds a client as a file of evidence has it to those of its kind. What a log tells of two servers stays apart. The
// sources of a client are named only in part: where several come together, there are at least as many as the one with the
// most has.
func (t *Tally) Take(c *Client) error {
	h, err := c.ClientHello()
	if err != nil {
		return err
	}
	like := Connection{Hello: h, Offered: c.Offered, UserAgent: c.UserAgent}
	if len(c.Outcomes) > 0 {
		like.Outcome = c.Outcomes[0].Outcome
	}
	t.key = t.key[:0]
	if h == nil {
		t.key = append(t.key, strings.Join(c.Servers, "\x00")+"\x00"...)
	}
	t.key = t.appendKey(t.key, &like)
	k := t.kind(t.key, func() Client { return Client{JA4: c.JA4, Hello: c.Hello, Offered: c.Offered, UserAgent: c.UserAgent} })
	if k == nil {
		t.Beyond += c.Seen()
		return nil
	}
	told := Count{}
	for i := range c.Outcomes {
		k.count(&c.Outcomes[i])
		told.Connections += c.Outcomes[i].Connections
		told.Requests += c.Outcomes[i].Requests
	}
	k.Connections += c.Connections - told.Connections // of which no outcome is told
	k.Requests += c.Requests - told.Requests
	for _, s := range c.Busiest {
		t.source(k, s.Address, s.Seen)
	}
	if k.taken++; c.Sources > len(c.Busiest) {
		k.unnamed = max(k.unnamed, c.Sources)
	}
	k.alike(c)
	return nil
}

// Clients lists the kinds, the most frequent first; the order is always the same for the same connections.
func (t *Tally) Clients() []Client {
	keys := make([]string, 0, len(t.kinds))
	for key := range t.kinds {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(t.kinds[b].Seen(), t.kinds[a].Seen()), cmp.Compare(a, b))
	})
	out := make([]Client, len(keys))
	for i, key := range keys {
		out[i] = t.kinds[key].client()
	}
	return out
}

func (k *kind) client() Client {
	c := k.Client
	c.Sources = max(len(k.sources), k.unnamed)
	c.AtLeast = c.AtLeast || k.unnamed > 0 && (k.taken > 1 || len(k.sources) > maxBusiest)
	c.Busiest = busiest(k.sources)
	for _, n := range k.outcomes {
		c.Outcomes = append(c.Outcomes, *n)
	}
	slices.SortFunc(c.Outcomes, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Seen(), a.Seen()), cmp.Compare(a.Result, b.Result), cmp.Compare(b.Version, a.Version),
			cmp.Compare(a.Suite, b.Suite), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Failure, b.Failure), cmp.Compare(a.Cause, b.Cause))
	})
	slices.Sort(c.Names)
	slices.Sort(c.Servers)
	return c
}

// busiest lists the sources seen most often, by address where they are equal.
func busiest(sources map[netip.Addr]int) []Source {
	var top []Source
	for a, seen := range sources {
		s := Source{a, seen}
		if len(top) == maxBusiest && bySeen(s, top[maxBusiest-1]) > 0 {
			continue
		}
		i, _ := slices.BinarySearchFunc(top, s, bySeen)
		top = slices.Insert(top, i, s)
		top = top[:min(len(top), maxBusiest)]
	}
	return top
}

func bySeen(a, b Source) int {
	return cmp.Or(cmp.Compare(b.Seen, a.Seen), a.Address.Compare(b.Address))
}

// Example adds to a short list of distinct texts, at most so many; of a long one the beginning counts.
func Example(l []string, s string, most int) []string {
	if s == "" || len(l) >= most || slices.Contains(l, s) {
		return l
	}
	if s = short(s); slices.Contains(l, s) {
		return l
	}
	return append(l, strings.Clone(s)) // s may be part of a file's line
}

func short(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// appendKey appends what makes connections one kind of client: of a hello all that negotiation depends on, but for
// the server's name; extensions sorted, since browsers shuffle them. Of a line in a log it is the choice or the failure,
// what is known of the offer, and the user agent.
func (t *Tally) appendKey(b []byte, c *Connection) []byte {
	if t.ByServer {
		b = append(append(b, short(c.Server)...), 0)
	}
	if c.Hello == nil {
		b = append(b, 'L')
		b = binary.BigEndian.AppendUint16(b, uint16(c.Outcome.Version))
		b = binary.BigEndian.AppendUint32(b, uint32(c.Outcome.Suite))
		b = binary.BigEndian.AppendUint16(b, uint16(c.Outcome.Group))
		b = append(append(b, c.Outcome.Result...), 0)
		b = append(append(b, short(c.Outcome.Failure)...), 0)
		return append(append(b, t.offerKey(c.Offered)...), short(c.UserAgent)...)
	}
	o := c.Hello.Offer()
	b = append(b, 'H')
	for _, f := range []bool{o.SSLv2Format, o.HasGroups, o.HasSchemes, o.FallbackSCSV, o.SecureReneg, o.ExtendedMaster, o.EncryptThenMAC, o.GREASE, o.ServerName != ""} {
		b = append(b, flag(f))
	}
	b = appendList(b, o.Versions)
	b = appendSuites(b, o.Suites)
	b = appendList(b, o.Groups)
	b = appendList(b, o.KeyShares)
	b = appendList(b, o.Schemes)
	b = appendList(b, o.CertSchemes)
	for _, p := range o.ALPN {
		b = append(append(b, byte(len(p))), p...)
	}
	extensions := slices.DeleteFunc(o.Extensions, incidental)
	slices.Sort(extensions)
	return appendList(b, extensions)
}

// maxOffers bounds the keys of offers that are kept.
const maxOffers = 1024

func (t *Tally) offerKey(o *Offered) string {
	if key, ok := t.offers[o]; ok {
		return key
	}
	if t.offers == nil || len(t.offers) >= maxOffers {
		t.offers = make(map[*Offered]string)
	}
	key := o.key()
	t.offers[o] = key
	return key
}

func (o *Offered) key() string {
	if o == nil {
		return "\x00"
	}
	b := binary.BigEndian.AppendUint16([]byte{1}, uint16(o.Version))
	b = appendSuites(b, o.Suites)
	b = appendList(b, o.Groups)
	extensions := slices.DeleteFunc(slices.Clone(o.Extensions), incidental)
	slices.Sort(extensions)
	return string(appendList(b, extensions))
}

// incidental extensions come and go between connections of one client: the name, a session to resume, early data with
// it, padding, and the answer to a HelloRetryRequest.
func incidental(e uint16) bool {
	switch e {
	case hello.ExtServerName, hello.ExtPreSharedKey, hello.ExtEarlyData, hello.ExtPadding, hello.ExtCookie:
		return true
	}
	return false
}

func appendSuites(b []byte, l []suite.Code) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(l)))
	for _, s := range l {
		b = binary.BigEndian.AppendUint32(b, uint32(s))
	}
	return b
}

func appendList[T ~uint16](b []byte, l []T) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(l)))
	for _, v := range l {
		b = binary.BigEndian.AppendUint16(b, uint16(v))
	}
	return b
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}
