package symptom

import (
	"slices"
	"strings"

	"github.com/parley-tls/parley/cause"
)

// Settle notes what a probe of the endpoint found. Where it decided, its causes replace those of the text, the class is that
// of the first, and the text's causes that it does not name are gone. The command repeats the probe.
func (e *Explanation) Settle(s Settled, found []Ranked, command string) {
	e.Settled = &s
	if s.Decided {
		e.Next = []string{command}
	} else {
		e.Next = append([]string{command}, slices.DeleteFunc(e.Next, func(c string) bool { return c == command || strings.Contains(c, "HOST:PORT") })...)
	}
	if !s.Decided || len(found) == 0 {
		// A client that gets in is not refused: what remains of the text is what comes after the handshake.
		return
	}
	t := load()
	host := s.Target
	if i := strings.LastIndexByte(host, ':'); i > 0 {
		host = host[:i]
	}
	fill := strings.NewReplacer("NAME:PORT", s.Target, "NAME", host)
	for i := range found {
		found[i].Class = RefusedByLoadBalancer
		at, ok := t.place[found[i].ID]
		if !ok {
			continue
		}
		p := t.priors[at]
		found[i].Class = p.class
		if found[i].Shows == "" {
			found[i].Shows = fill.Replace(p.shows)
		}
	}
	e.Causes = found
	e.Class = found[0].Class
	e.Outcome = Named
	if found[0].ID == cause.Unknown {
		e.Outcome = Unknown
	}
}
