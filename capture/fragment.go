package capture

import "slices"

// Limits on IP packets that are being put together.
const (
	maxFragmented = 1 << 10 // packets at a time
	maxParts      = 128     // of one packet
	maxDatagram   = 1 << 16 // bytes
	maxFragments  = 8 << 20 // bytes of all parts
)

// fragmentKey names the packet that a part belongs to (RFC 791, RFC 8200 section 4.5).
type fragmentKey struct {
	from, to [16]byte
	id       uint32
	proto    uint8
}

// fragments puts IP packets together from their parts, in whatever order they come. The oldest unfinished packet is
// forgotten where there are too many.
type fragments struct {
	open  map[fragmentKey]*fragmented
	queue []*fragmented
	bytes int
}

type fragmented struct {
	key   fragmentKey
	parts []part // by offset, none overlapping
	bytes int
	total int // -1 until the last part came
}

type part struct {
	at int
	b  []byte
}

// add takes a part and returns the whole packet's content when it was the last one missing, else nil. Of overlapping
// parts the first counts.
func (f *fragments) add(key fragmentKey, at int, more bool, b []byte) []byte {
	if at+len(b) > maxDatagram || len(b) == 0 {
		return nil
	}
	g := f.open[key]
	if g == nil {
		if f.open == nil {
			f.open = make(map[fragmentKey]*fragmented)
		}
		for len(f.queue) > 0 && (len(f.open) >= maxFragmented || f.bytes > maxFragments) {
			f.drop(f.queue[0])
		}
		g = &fragmented{key: key, total: -1}
		f.open[key] = g
		f.queue = append(f.queue, g)
	}
	if !more {
		g.total = at + len(b)
	}
	i, taken := slices.BinarySearchFunc(g.parts, at, func(p part, at int) int { return p.at - at })
	overlaps := taken || i > 0 && g.parts[i-1].at+len(g.parts[i-1].b) > at || i < len(g.parts) && at+len(b) > g.parts[i].at
	if !overlaps && len(g.parts) < maxParts {
		g.parts = slices.Insert(g.parts, i, part{at, slices.Clone(b)})
		g.bytes += len(b)
		f.bytes += len(b)
	}
	if g.total < 0 || g.bytes < g.total {
		return nil
	}
	f.drop(g)
	whole := make([]byte, 0, g.bytes)
	for _, p := range g.parts {
		if p.at != len(whole) {
			return nil
		}
		whole = append(whole, p.b...)
	}
	return whole[:min(g.total, len(whole))]
}

func (f *fragments) drop(g *fragmented) {
	f.bytes -= g.bytes
	delete(f.open, g.key)
	if i := slices.Index(f.queue, g); i >= 0 {
		f.queue = slices.Delete(f.queue, i, i+1)
	}
}
