package symptom

// sides says who printed which line: programs on the client's side and on the server's use the same library and the same words.
type sides struct {
	lines map[int]string
	whole string
}

// newSides reads the marks of a side. A line without one goes by the whole text, and that by what most marks say; a text
// without marks is a client's.
func newSides(t *tables, f *folded, found []match) *sides {
	s := &sides{lines: map[int]string{}, whole: sideClient}
	count := map[string]int{}
	for _, m := range found {
		side := m.Side
		if m.Signal != "side" && side == sideClient {
			// Many records say "client" since that is who has the text as a rule; only marks overrule.
			continue
		}
		if side == "" {
			continue
		}
		count[side]++
		if old := s.lines[m.line]; old == "" || m.Signal == "side" {
			s.lines[m.line] = side
		}
	}
	if count[sideServer] > count[sideClient] {
		s.whole = sideServer
	}
	return s
}

func (s *sides) of(line int) string {
	if side := s.lines[line]; side != "" {
		return side
	}
	return s.whole
}
