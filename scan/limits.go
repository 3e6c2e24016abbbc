package scan

import (
	"fmt"
	"slices"
	"time"

	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// Bounds on a scan, for an endpoint that contradicts itself, or answers too seldom or too slowly to be asked to the end.
// One that accepts everything with certificates of several kinds takes some 3,500 connections.
const (
	maxConnections = 10000
	maxFailures    = 100 // connections that met a reset, silence or the like, since the first answer and however slow
	maxUnanswered  = 16  // of them in a row
	patience       = 60  // times the limit of a connection, unless the prober paces them
)

// effort is what a scan has spent.
type effort struct {
	begun               time.Time
	connections, failed int
	unanswered          int    // in a row
	gaveUp              string // why nothing more is asked, "" as long as it is
}

// spend takes in an answer. What is lost counts where it came of the present pace: one that is too fast loses many at once.
func (e *effort) spend(o *probe.Observation, counts bool) {
	e.connections++
	lost := ofNetwork(o.Answer)
	stalled := o.Answer.Accepted() && !o.Complete && o.End == probe.Silent
	if lost && counts || stalled {
		e.failed++
	}
	switch {
	case !lost:
		e.unanswered = 0
	case counts:
		e.unanswered++
	}
}

// ofNetwork reports whether an answer may be the network's: what breaks the protocol is the endpoint's own, since TCP sends
// again what is lost.
func ofNetwork(a probe.Answer) bool {
	return !a.Accepted() && !a.Refusal() && a != probe.Malformed && a != probe.NotTLS
}

// triesFor is how often a question is asked that gets such an answer.
func triesFor(a probe.Answer) int {
	if ofNetwork(a) {
		return maxTries
	}
	return 2
}

// over reports whether nothing more is to be asked, and notes why. limit is that of a connection.
func (e *effort) over(limit time.Duration, paced bool) bool {
	spent := time.Since(e.begun)
	switch {
	case e.gaveUp != "":
	case e.connections >= maxConnections:
		e.gaveUp = fmt.Sprintf("after %d connections its answers still do not add up", e.connections)
	case e.failed >= maxFailures:
		e.gaveUp = fmt.Sprintf("%d of %d connections were reset, not answered or not answered to the end", e.failed, e.connections)
	case e.unanswered >= maxUnanswered:
		e.gaveUp = fmt.Sprintf("it answered %d connections, and the next %d not", e.connections-e.failed, e.unanswered)
	case !paced && spent > patience*limit:
		e.gaveUp = fmt.Sprintf("%d connections took %s", e.connections, spent.Round(time.Second))
	}
	return e.gaveUp != ""
}

// open lists the suites of a version that no answer has settled, for a scan that was given up.
func (s *versionScan) open() []suite.Code {
	settled := make(map[suite.Code]bool)
	lines := slices.Concat(s.lines, []*line[suite.Code]{s.knock})
	for _, r := range s.rests {
		lines = append(lines, r.line)
	}
	for _, l := range lines {
		if l == nil {
			continue
		}
		for _, c := range l.pref.universe {
			if l.pref.rejected[c] {
				settled[c] = true
			}
		}
		for _, c := range l.pref.accepted() {
			settled[c] = true
		}
	}
	var open []suite.Code
	for _, class := range append([]certificateClass{classAny}, classes...) {
		for _, c := range universe(s.version, class) {
			if !settled[c] {
				open = with(open, c)
			}
		}
	}
	return open
}
