package symptom

// sides says who printed which line: programs on the client's side and on the server's use the same library and the same words.
type sides struct {
	lines map[int]string
	whole string
}

// newSides reads the marks of a side. A line without one goes by the whole text, and that by what most marks say. Of a text
// without marks it is not known who printed it.
func newSides(t *tables, f *folded, found []match) *sides {
	s := &sides{lines: map[int]string{}}
	count := map[string]int{}
	toTarget := map[int]bool{} // lines of a proxy on what it does as a client
	for _, m := range found {
		side := m.Side
		if m.Signal == "+upstream" && side == sideServer {
			toTarget[m.line] = true
		}
		if m.Signal != "side" && side == sideClient {
			// Many records say "client" since that is who has the text as a rule; marks overrule them.
			if s.whole == "" {
				s.whole = sideClient
			}
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
	for line := range toTarget {
		s.lines[line] = sideClient
	}
	switch {
	case count[sideServer] > count[sideClient]:
		s.whole = sideServer
	case count[sideClient] > 0:
		s.whole = sideClient
	}
	return s
}

func (s *sides) of(line int) string {
	if side := s.lines[line]; side != "" {
		return side
	}
	return s.whole
}
