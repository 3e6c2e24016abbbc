package symptom

import (
	"strconv"
	"strings"
)

// The fields of a TLS log line of a Network Load Balancer that say how a handshake ended, from 0
// (docs.aws.amazon.com/elasticloadbalancing, access logs of NLB).
const (
	nlbVersion = 1
	nlbAlert   = 11
	nlbCipher  = 14
	nlbFields  = 16
)

// fields reads the log lines that tell of a failure by a field and not by words.
func (t *tables) fields(f *folded) []match {
	const source = "docs.aws.amazon.com/elasticloadbalancing: access logs of Network Load Balancers"
	var found []match
	for i, line := range f.raw {
		if !strings.HasPrefix(line, "tls ") || len(found) >= maxMatches {
			continue
		}
		words := strings.SplitN(line, " ", nlbFields+1)
		if len(words) <= nlbFields || !strings.HasPrefix(words[nlbVersion], "2.") && !strings.HasPrefix(words[nlbVersion], "1.") {
			continue
		}
		p := &Pattern{Signal: "lb-unmapped", By: "NLB", Side: sideServer, Source: source}
		m := match{start: f.lines[i], end: f.lineEnd(i), line: i, number: -1, Pattern: p}
		if n, err := strconv.Atoi(words[nlbAlert]); err == nil && t.alerts[n] != nil {
			p.Signal, m.number = "alert:#", n
		} else if words[nlbCipher] != "-" {
			continue
		}
		found = append(found, m)
	}
	return found
}
