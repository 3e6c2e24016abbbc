package evidence

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"

	"github.com/parley-tls/parley/hello"
)

// Limits of a tally. What is beyond them is counted, never silently lost.
const (
	maxKinds    = 1 << 14 // kinds of client
	maxSources  = 1 << 20 // source addresses over all kinds
	maxOutcomes = 64      // of one kind
	maxExamples = 8       // names and servers of one kind
	maxText     = 256     // bytes of a user agent, a name, a server
)

// Tally counts connections by kind of client. The zero value is ready. It is not safe for use by several goroutines;
// Merge joins tallies that were filled side by side.
type Tally struct {
	// Beyond counts the connections of kinds that came after there were too many.
	Beyond int

	kinds   map[string]*kind
	sources int
	key     []byte // kept for its memory
}

// kind is a client being counted.
type kind struct {
	Client
	sources  map[netip.Addr]struct{}
	outcomes map[Outcome]int
}

// Add takes in one connection.
func (t *Tally) Add(c *Connection) {
	t.key = appendKey(t.key[:0], c)
	k := t.kind(t.key, func() Client {
		fresh := Client{UserAgent: short(c.UserAgent)}
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
	k.Connections++
	k.count(c.Outcome, 1)
	t.source(k, c.Client)
	k.Names = example(k.Names, c.Name)
	k.Servers = example(k.Servers, c.Server)
	if !c.Time.IsZero() {
		if k.First.IsZero() || c.Time.Before(k.First) {
			k.First = c.Time
		}
		if c.Time.After(k.Last) {
			k.Last = c.Time
		}
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
	k := &kind{Client: fresh(), sources: make(map[netip.Addr]struct{}), outcomes: make(map[Outcome]int)}
	t.kinds[string(key)] = k
	return k
}

// count adds to an outcome. Where there are too many of them, the words of the failure go first.
func (k *kind) count(o Outcome, n int) {
	o.Failure = short(o.Failure)
	if _, ok := k.outcomes[o]; !ok && len(k.outcomes) >= maxOutcomes {
		o = Outcome{Result: o.Result}
	}
	k.outcomes[o] += n
}

func (t *Tally) source(k *kind, a netip.Addr) {
	if _, ok := k.sources[a]; ok || !a.IsValid() {
		return
	}
	if t.sources >= maxSources {
		k.AtLeast = true
		return
	}
	t.sources++
	k.sources[a] = struct{}{}
}

// Merge adds what another tally has counted, which must not be used afterwards.
func (t *Tally) Merge(other *Tally) {
	t.Beyond += other.Beyond
	for key, from := range other.kinds {
		k := t.kind([]byte(key), func() Client {
			fresh := from.Client
			fresh.Connections, fresh.Names, fresh.Servers = 0, nil, nil
			return fresh
		})
		if k == nil {
			t.Beyond += from.Connections
			continue
		}
		k.Connections += from.Connections
		k.AtLeast = k.AtLeast || from.AtLeast
		for o, n := range from.outcomes {
			k.count(o, n)
		}
		for a := range from.sources {
			t.source(k, a)
		}
		for _, n := range from.Names {
			k.Names = example(k.Names, n)
		}
		for _, s := range from.Servers {
			k.Servers = example(k.Servers, s)
		}
		if k.First.IsZero() || !from.First.IsZero() && from.First.Before(k.First) {
			k.First = from.First
		}
		if from.Last.After(k.Last) {
			k.Last = from.Last
		}
	}
}

// Clients lists the kinds, most connections first; the order is always the same for the same connections.
func (t *Tally) Clients() []Client {
	keys := make([]string, 0, len(t.kinds))
	for key := range t.kinds {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(t.kinds[b].Connections, t.kinds[a].Connections), cmp.Compare(a, b))
	})
	out := make([]Client, len(keys))
	for i, key := range keys {
		out[i] = t.kinds[key].client()
	}
	return out
}

func (k *kind) client() Client {
	c := k.Client
	c.Sources = len(k.sources)
	for o, n := range k.outcomes {
		c.Outcomes = append(c.Outcomes, Count{Outcome: o, Connections: n})
	}
	slices.SortFunc(c.Outcomes, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Connections, a.Connections), cmp.Compare(a.Result, b.Result), cmp.Compare(b.Version, a.Version),
			cmp.Compare(a.Suite, b.Suite), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Failure, b.Failure), cmp.Compare(a.Cause, b.Cause))
	})
	slices.Sort(c.Names)
	slices.Sort(c.Servers)
	return c
}

// example adds to a short list of distinct texts.
func example(l []string, s string) []string {
	s = short(s)
	if s == "" || len(l) >= maxExamples || slices.Contains(l, s) {
		return l
	}
	return append(l, strings.Clone(s)) // s may be part of a file's line
}

func short(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// appendKey appends what makes connections one kind of client: of a hello all that negotiation depends on, but for
// the server's name; extensions sorted, since browsers shuffle them. Of a line in a log it is the choice and the user agent.
func appendKey(b []byte, c *Connection) []byte {
	if c.Hello == nil {
		b = append(b, 'L')
		b = binary.BigEndian.AppendUint16(b, uint16(c.Outcome.Version))
		b = binary.BigEndian.AppendUint32(b, uint32(c.Outcome.Suite))
		b = binary.BigEndian.AppendUint16(b, uint16(c.Outcome.Group))
		return append(b, short(c.UserAgent)...)
	}
	o := c.Hello.Offer()
	b = append(b, 'H')
	for _, f := range []bool{o.SSLv2Format, o.HasGroups, o.HasSchemes, o.FallbackSCSV, o.SecureReneg, o.ExtendedMaster, o.EncryptThenMAC, o.GREASE, o.ServerName != ""} {
		b = append(b, flag(f))
	}
	b = appendList(b, o.Versions)
	b = binary.BigEndian.AppendUint16(b, uint16(len(o.Suites)))
	for _, s := range o.Suites {
		b = binary.BigEndian.AppendUint32(b, uint32(s))
	}
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

// incidental extensions come and go between connections of one client: the name, a session to resume, early data with
// it, padding, and the answer to a HelloRetryRequest.
func incidental(e uint16) bool {
	switch e {
	case hello.ExtServerName, hello.ExtPreSharedKey, hello.ExtEarlyData, hello.ExtPadding, hello.ExtCookie:
		return true
	}
	return false
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
