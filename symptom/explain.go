// Package symptom reads the error texts of clients and servers and ranks the causes that they speak for. It does no I/O.
package symptom

import (
	"fmt"
	"strings"

	"github.com/parley-tls/parley/cause"
)

// Schema names the shape of an Explanation in JSON; docs/schema/explain.schema.json describes it.
const Schema = "parley/explain/1"

// The outcomes.
const (
	Named   = "named"   // a cause is named
	Unknown = "unknown" // the text does not decide at all
)

// MaxText is how much of a text is read, in bytes.
const MaxText = 4 << 20

// Causes less probable than worthSaying are left out, and those beyond maxCauses.
const (
	worthSaying = 0.02
	maxCauses   = 6
	// maxReport is how long a text is in which words alone tell what it is about, in bytes.
	maxReport = 4000
	// minFromContexts is how probable a cause must be to be named where a text tells of no failure.
	minFromContexts = 0.16
)

// maxMatches bounds the places that are looked at: a log has the same words over and over.
const maxMatches = 200_000

// Explanation is the answer of `parley explain`: text and JSON are both made from it.
type Explanation struct {
	Schema    string     `json:"schema"`
	Outcome   string     `json:"outcome"`
	Class     Class      `json:"class"`
	Causes    []Ranked   `json:"causes"`   // most probable first; never empty
	Evidence  []Evidence `json:"evidence"` // what in the text decided, most telling first
	Endpoint  Endpoint   `json:"endpoint"`
	Next      []string   `json:"next"` // commands, the most useful first
	Groups    []Group    `json:"groups,omitempty"`
	Settled   *Settled   `json:"settled,omitempty"`
	Lines     int        `json:"lines"`
	BytesRead int        `json:"bytes_read"`
	Cut       bool       `json:"cut,omitempty"` // the text is longer than MaxText, and the rest was not read
}

// Ranked is a cause with how probable it is in the light of the text.
type Ranked struct {
	ID         cause.ID    `json:"id"`
	Confidence float64     `json:"confidence"` // 0 to 1
	Stage      cause.Stage `json:"stage"`
	Class      Class       `json:"class"`
	Summary    string      `json:"summary"`
	Shows      string      `json:"shows,omitempty"` // what one sees if it is this cause
}

// Evidence is one phrase of the text and what it says.
type Evidence struct {
	Line   int    `json:"line"` // from 1
	Text   string `json:"text"`
	Count  int    `json:"count"` // how often the text says it
	Signal string `json:"signal"`
	Kind   string `json:"kind"` // "error", "aside" or "context"
	Means  string `json:"means"`
	By     string `json:"by,omitempty"`   // the programs that print it
	Side   string `json:"side,omitempty"` // "client" or "server": who printed it
}

// Endpoint is the host and port that the text speaks of, as far as it does.
type Endpoint struct {
	Host string `json:"host,omitempty"`
	Port string `json:"port,omitempty"`

	plain bool // an address with http://
}

// Settled says what a probe of the endpoint added.
type Settled struct {
	Target  string `json:"target"`
	Client  string `json:"client"`
	Outcome string `json:"outcome"` // of the diagnosis: negotiated, refused or unreachable
	Decided bool   `json:"decided"` // the ranking is the probe's, no longer the text's
	Words   string `json:"words"`
}

// Explain ranks the causes that a text speaks for. It reads MaxText bytes at most.
func Explain(text string) *Explanation {
	t := load()
	cut := len(text) > MaxText
	if cut {
		text = text[:MaxText]
	}
	f := foldText(text)
	e := &Explanation{Schema: Schema, BytesRead: len(text), Cut: cut, Lines: countLines(text)}
	seen := t.read(f)
	e.Endpoint = findEndpoint(text)
	t.fromEndpoint(seen, e.Endpoint)
	short := len(text) <= maxReport
	ranking := t.combine(seen.all, short)
	t.fill(e, ranking, seen, short)
	e.Groups = t.group(f, seen)
	t.lead(e)
	e.fillIn()
	e.Next = t.next(e)
	return e
}

// fillIn puts the text's endpoint for NAME and PORT.
func (e *Explanation) fillIn() {
	if e.Endpoint.Host == "" {
		return
	}
	fill := strings.NewReplacer("NAME:PORT", e.Endpoint.HostPort(), "NAME", e.Endpoint.Host)
	for i := range e.Causes {
		e.Causes[i].Shows = fill.Replace(e.Causes[i].Shows)
	}
}

func countLines(text string) int {
	if text == "" {
		return 0
	}
	n := strings.Count(text, "\n")
	if !strings.HasSuffix(text, "\n") {
		n++
	}
	return n
}

// fill turns a ranking into the answer.
func (t *tables) fill(e *Explanation, ranking []Ranked, seen *reading, short bool) {
	e.Evidence = seen.evidence()
	e.Outcome = Named
	if !seen.telling() {
		// Words about the circumstances alone are no failure, unless they speak for one cause. In a long text they are chance.
		if len(seen.all) == 0 || ranking[0].Confidence < minFromContexts || !short {
			e.Outcome = Unknown
		}
	}
	for i, r := range ranking {
		if i > 0 && r.Confidence < worthSaying || i == maxCauses {
			break
		}
		e.Causes = append(e.Causes, r)
	}
	if e.Outcome == Unknown {
		u := t.priors[t.place[cause.Unknown]]
		e.Causes = []Ranked{t.ranked(u, 0)}
		e.Class = Undecided
		return
	}
	if e.Causes[0].ID == cause.Unknown {
		e.Outcome = Unknown
	}
	e.Class = t.class(seen, e.Causes[0])
	e.Causes[0].Class = e.Class
}

func (t *tables) ranked(p prior, confidence float64) Ranked {
	r := Ranked{ID: p.id, Confidence: round(confidence), Class: p.class, Summary: p.words, Shows: p.shows}
	if c, ok := cause.Lookup(p.id); ok {
		r.Stage = c.Stage
	}
	return r
}

func round(x float64) float64 { return float64(int(x*1000+0.5)) / 1000 }

// ConfidenceWords says a confidence in plain English.
func ConfidenceWords(c float64) string {
	switch {
	case c >= 0.9:
		return "almost certain"
	case c >= 0.75:
		return "very probable"
	case c >= 0.5:
		return "probable"
	case c >= 0.3:
		return "the most probable of several"
	}
	return "one of many: the text decides little"
}

// HostPort is the endpoint as a command takes it, with placeholders for what the text does not say.
func (p Endpoint) HostPort() string {
	host, port := p.Host, p.Port
	if host == "" {
		host = "HOST"
	}
	if port == "" {
		port = "443"
		if p.Host == "" {
			port = "PORT"
		}
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s:%s", host, port)
}
