package symptom

import (
	"slices"
	"strings"

	"github.com/parley-tls/parley/cause"
)

// Group is the lines of a log that speak for one cause.
type Group struct {
	Cause      cause.ID `json:"cause"`
	Confidence float64  `json:"confidence"` // of the line that says most
	Class      Class    `json:"class"`
	Lines      int      `json:"lines"`
	First      int      `json:"first"` // the first of these lines, from 1
	Sample     string   `json:"sample"`
	ranking    []Ranked
}

// minLogLines is from how many lines with a time and an error on a text is a log.
const minLogLines = 3

// group puts the lines of a log together by what each says alone. A text that is no log has none: a trace says one failure
// in several lines.
func (t *tables) group(f *folded, seen *reading) []Group {
	lines := make([]int, 0, len(seen.byLine))
	for i := range seen.byLine {
		if hasTime(f.raw[i]) {
			lines = append(lines, i)
		}
	}
	if len(lines) < minLogLines {
		return nil
	}
	slices.Sort(lines)
	var groups []Group
	place := map[cause.ID]int{}
	known := map[string][]Ranked{} // by the signals of a line
	for _, i := range lines {
		key := signalKey(seen.byLine[i])
		ranking := known[key]
		if ranking == nil {
			ranking = t.combine(seen.byLine[i], false)
			known[key] = ranking
		}
		top := ranking[0]
		at, ok := place[top.ID]
		if !ok {
			at = len(groups)
			place[top.ID] = at
			line := &reading{all: seen.byLine[i]}
			groups = append(groups, Group{Cause: top.ID, Class: t.class(line, top), First: i + 1, Sample: clip(f.raw[i], 0, len(f.raw[i]))})
		}
		g := &groups[at]
		g.Lines++
		if top.Confidence > g.Confidence {
			g.Confidence, g.ranking = top.Confidence, ranking
		}
	}
	slices.SortStableFunc(groups, func(a, b Group) int { return b.Lines - a.Lines })
	return groups
}

// weight is how much a group counts beside another.
func (g *Group) weight() float64 { return float64(g.Lines) * g.Confidence }

func signalKey(line []*sighting) string {
	names := make([]string, len(line))
	for i, s := range line {
		names[i] = s.signal.name + " " + s.side
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

// hasTime reports whether a line begins, after a few words, with a time of day: 12:34:56.
func hasTime(line string) bool {
	if len(line) > 80 {
		line = line[:80]
	}
	for i := 0; i+8 <= len(line); i++ {
		s := line[i : i+8]
		if s[2] == ':' && s[5] == ':' && isDigit(s[0]) && isDigit(s[1]) && isDigit(s[3]) && isDigit(s[4]) && isDigit(s[6]) && isDigit(s[7]) {
			return true
		}
	}
	return false
}

// lead makes the largest group of a log with several the headline: one cause is not to be read out of many failures. A few
// lines of one failure are no such log: what all of them say together stands, unless another cause has clearly more lines.
func (t *tables) lead(e *Explanation) {
	if len(e.Groups) < 2 || e.Groups[0].Cause == e.Causes[0].ID || e.Groups[0].Lines < minLogLines {
		return
	}
	for _, g := range e.Groups {
		if g.Cause == e.Causes[0].ID && e.Groups[0].weight() < 2*g.weight() {
			return
		}
	}
	g := e.Groups[0]
	e.Causes = nil
	for i, r := range g.ranking {
		if i > 0 && r.Confidence < worthSaying || i == maxCauses {
			break
		}
		e.Causes = append(e.Causes, r)
	}
	e.Causes[0].Class = g.Class
	e.Class = g.Class
}

// next lists the commands to run next: of the first causes, each once.
func (t *tables) next(e *Explanation) []string {
	host, port := e.Endpoint.Host, e.Endpoint.Port
	if host == "" {
		host = "HOST"
	}
	if port == "" {
		port = "PORT"
	}
	fill := strings.NewReplacer("ENDPOINT", e.Endpoint.HostPort(), "HOST", host, "PORT", port)
	var out []string
	for i, c := range e.Causes {
		if i == 3 || i > 0 && c.Confidence < 0.15 {
			break
		}
		command := t.priors[t.place[c.ID]].next
		if !strings.Contains(command, "TARGET") {
			command = fill.Replace(command)
		}
		if !slices.Contains(out, command) {
			out = append(out, command)
		}
	}
	return out
}
