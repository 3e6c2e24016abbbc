package symptom

import (
	"slices"
	"strings"
)

// sighting is a signal that a text gives, at its first place.
type sighting struct {
	signal     *signal
	line       int
	start, end int
	count      int
	by, side   string
	quote      string
	weight     float64
}

// reading is what a text says.
type reading struct {
	all    []*sighting
	byLine map[int][]*sighting // errors and asides of each line
	side   string              // who printed the text
}

// telling reports whether anything speaks of a failure.
func (r *reading) telling() bool {
	return slices.ContainsFunc(r.all, func(s *sighting) bool { return s.signal.kind != kindContext })
}

// read finds all signals of a text.
func (t *tables) read(f *folded) *reading {
	var found []match
	t.index.find(f, func(m match) bool {
		found = append(found, m)
		return len(found) < maxMatches
	})
	found = append(found, t.codes(f)...)
	found = append(found, t.fields(f)...)
	found = withoutOwnAlerts(outermost(found))
	sides := newSides(t, f, found)
	r := &reading{byLine: map[int][]*sighting{}, side: sides.whole}
	byName := map[string]*sighting{}
	unless := map[string]string{} // a context, and the one that makes it void
	for _, m := range found {
		side := m.Side
		if side == "" || side == sideClient && sides.lines[m.line] == sideServer {
			side = sides.of(m.line) // a mark of the line overrules who has the text as a rule
		}
		s := t.signalOf(&m, side)
		if s == nil {
			continue
		}
		if s.kind != kindContext {
			r.note(m.line, &sighting{signal: s, line: m.line, start: m.start, end: m.end, count: 1, by: m.By, side: side})
		}
		if old := byName[s.name]; old != nil {
			old.count++
			continue
		}
		if _, void, ok := strings.Cut(m.Signal, "!"); ok {
			unless[s.name] = void
		}
		one := &sighting{signal: s, line: m.line, start: m.start, end: m.end, count: 1, by: m.By, side: side, quote: f.quote(m.start, m.end)}
		byName[s.name] = one
		r.all = append(r.all, one)
	}
	r.all = slices.DeleteFunc(r.all, func(s *sighting) bool { return byName[unless[s.signal.name]] != nil })
	return r
}

// withoutOwnAlerts leaves out alerts as received where the same line says that the program sent them itself: some programs
// report both by the same words and tell which it was after them.
func withoutOwnAlerts(found []match) []match {
	type own struct{ line, number int }
	sent := map[own]bool{}
	for _, m := range found {
		if m.number >= 0 && strings.HasPrefix(m.Signal, "sent:") {
			sent[own{m.line, m.number}] = true
		}
	}
	if len(sent) == 0 {
		return found
	}
	return slices.DeleteFunc(found, func(m match) bool {
		return strings.HasPrefix(m.Signal, "alert:") && sent[own{m.line, m.number}]
	})
}

// note keeps a line's sightings, each signal once.
func (r *reading) note(line int, s *sighting) {
	for _, old := range r.byLine[line] {
		if old.signal == s.signal {
			return
		}
	}
	r.byLine[line] = append(r.byLine[line], s)
}

// signalOf is what a match signals where a side printed it, or nil.
func (t *tables) signalOf(m *match, side string) *signal {
	kind, of, found := strings.Cut(m.Signal, ":")
	switch {
	case found:
		a := t.alerts[m.number]
		if of != "#" && of != "%" {
			a = t.alertNamed(of)
		}
		if a == nil {
			return nil
		}
		switch {
		case kind == "alert" && side == sideServer:
			return a.byClient
		case kind == "alert" && side == "" && a.unsure != nil:
			return a.unsure
		case kind == "alert":
			return a.byServer
		case side == sideServer:
			return a.sentServer
		}
		return a.sentHere
	case m.Signal == "side" || m.Signal == nothing:
		return nil
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(m.Signal, "+"), "!")
	if side == sideServer {
		if s := t.signals[name+"@"+side]; s != nil {
			return s
		}
	}
	return t.signals[name]
}

func (t *tables) alertNamed(name string) *alert {
	for _, a := range t.alerts {
		if a.name == name {
			return a
		}
	}
	return nil
}

// outermost leaves out matches that lie within a longer one: the longer says more.
func outermost(found []match) []match {
	slices.SortStableFunc(found, func(a, b match) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return b.end - a.end
	})
	kept := found[:0]
	end := -1
	for _, m := range found {
		// A mark of the side counts within an error too; a context does not: the error's own words are no talk.
		quiet := m.Signal == "side" || strings.HasPrefix(m.Signal, "+")
		if m.Signal != "side" && m.end <= end {
			continue
		}
		kept = append(kept, m)
		if !quiet {
			end = max(end, m.end)
		}
	}
	return kept
}

// evidence lists what decided: errors, then asides, then contexts, each the most telling first.
func (r *reading) evidence() []Evidence {
	order := map[string]int{kindError: 0, kindAside: 1, kindFaint: 2, kindContext: 3}
	all := slices.Clone(r.all)
	if slices.ContainsFunc(all, func(s *sighting) bool { return s.signal.kind == kindError || s.signal.kind == kindAside }) {
		all = slices.DeleteFunc(all, func(s *sighting) bool { return s.signal.kind == kindFaint })
	}
	slices.SortStableFunc(all, func(a, b *sighting) int {
		if d := order[a.signal.kind] - order[b.signal.kind]; d != 0 {
			return d
		}
		switch {
		case a.signal.gain > b.signal.gain:
			return -1
		case a.signal.gain < b.signal.gain:
			return 1
		}
		return a.start - b.start
	})
	out := []Evidence{}
	for _, s := range all {
		e := Evidence{Line: s.line + 1, Text: s.quote, Count: s.count, Signal: strings.TrimSuffix(s.signal.name, "@"+sideServer),
			Kind: s.signal.kind, Means: s.signal.means, By: s.by}
		if s.signal.kind != kindContext {
			e.Side = s.side
		}
		out = append(out, e)
	}
	return out
}

// class is where it failed: what the most telling signal that speaks for the first cause says, else what the cause says.
func (t *tables) class(r *reading, top Ranked) Class {
	if top.Class == NotNegotiation {
		return top.Class
	}
	at, best, share := t.place[top.ID], top.Class, 0.3
	for _, s := range r.all {
		if s.signal.kind == kindContext || s.signal.class == "" {
			continue
		}
		if p := s.signal.shares[at]; p > share {
			best, share = s.signal.class, p
			if best == RefusedByClient && s.side == sideServer && !s.signal.isAlert {
				best = RefusedByLoadBalancer // who prints it refused
			}
		}
	}
	return best
}
