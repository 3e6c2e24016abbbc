// Package impact says what a change of policy does to the clients that were seen: which keep working, which change what
// they negotiate, which break and why, and of which the evidence does not tell.
package impact

import (
	"net/netip"
	"slices"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Verdict is what becomes of a client.
type Verdict string

// Verdicts.
const (
	Breaks  Verdict = "breaks"        // connects today, and will not
	Unknown Verdict = "unknown"       // the evidence does not tell: Reason says why, and Decide what would
	Likely  Verdict = "likely-keeps"  // connects as today, unless it lacks what hardly any client lacks: Assumes says what
	Changes Verdict = "changes"       // connects, with another version, cipher suite or group
	Keeps   Verdict = "keeps"         // connects as today
	Fails   Verdict = "fails-already" // does not connect today, and will not
	Gains   Verdict = "gains"         // does not connect today, and will
)

// Verdicts lists them, what matters most first.
var Verdicts = []Verdict{Breaks, Unknown, Likely, Gains, Changes, Keeps, Fails}

// Choice is what a handshake agrees on, as far as it is known.
type Choice struct {
	Version suite.Version `json:"version"`
	Suite   suite.Code    `json:"cipher,omitzero"`
	Group   suite.Group   `json:"group,omitempty"`
}

// Effect is what a change does to one client.
type Effect struct {
	Client  *evidence.Client `json:"-"`
	Verdict Verdict          `json:"verdict"`
	Today   *Choice          `json:"today,omitempty"` // most often; nil where no handshake was seen to succeed
	After   *Choice          `json:"after,omitempty"` // nil where it breaks or is not known
	Cause   cause.ID         `json:"cause,omitempty"` // of what breaks
	Reason  string           `json:"reason,omitempty"`
	Decide  string           `json:"decide,omitempty"` // what would decide, where the verdict is unknown
	// Assumes is what Likely takes for granted of the client, since hardly any is otherwise. Only logs leave that open.
	Assumes string `json:"assumes,omitempty"`
}

// Weight is how much of what was seen has a verdict.
type Weight struct {
	Clients int `json:"clients"` // kinds of client
	Seen    int `json:"seen"`    // connections and requests
	Sources int `json:"sources"` // client addresses
	// AtMost says that addresses which the evidence does not name may be those of several kinds of client.
	AtMost bool `json:"sources_at_most,omitempty"`

	named   map[netip.Addr]bool
	unnamed int
}

func (w *Weight) add(c *evidence.Client) {
	w.Clients++
	w.Seen += c.Seen()
	if w.named == nil {
		w.named = make(map[netip.Addr]bool)
	}
	for _, s := range c.Busiest {
		w.named[s.Address] = true
	}
	w.unnamed += max(0, c.Sources-len(c.Busiest))
	w.Sources = len(w.named) + w.unnamed
	w.AtMost = w.unnamed > 0 && w.Clients > 1
}

// Report is what a change of policy does to all clients, in the order of the evidence.
type Report struct {
	From    *policy.Policy // nil where it is not known
	To      *policy.Policy
	Effects []Effect
	Totals  map[Verdict]Weight
	All     Weight
	// Foreign counts what was negotiated otherwise than From allows: it was seen under another policy.
	Foreign int
	// AtRisk is the part of what is unknown that connects today: it may break. The rest fails today.
	AtRisk Weight
}

// Connects reports whether the client was seen to connect today, or at least not to fail.
func (e *Effect) Connects() bool { return e.Today != nil || e.Client.Failures() == 0 }

// Loss is which part of what was seen breaks, or may where may is true; 0 to 1.
func (r *Report) Loss(may bool) float64 {
	n := r.Totals[Breaks].Seen
	if may {
		n += r.AtRisk.Seen
	}
	return float64(n) / float64(max(r.All.Seen, 1))
}

// Assess judges a change of policy to p by what was seen of clients. from is the policy under which they were seen, nil
// if it is not known: then a line of a log tells less. id are the certificates, nil where they are not known.
func Assess(clients []evidence.Client, from, to *policy.Policy, id *policy.Identity) *Report {
	r := &Report{From: from, To: to, Totals: make(map[Verdict]Weight)}
	j := judge{from, to, id}
	for i := range clients {
		e := j.effect(&clients[i])
		r.Effects = append(r.Effects, e)
		w := r.Totals[e.Verdict]
		w.add(e.Client)
		r.Totals[e.Verdict] = w
		if e.Verdict == Unknown && e.Connects() {
			r.AtRisk.add(e.Client)
		}
		r.All.add(e.Client)
		r.Foreign += j.foreign(e.Client)
	}
	return r
}

// Share is which part of what was seen has one of these verdicts, 0 to 1.
func (r *Report) Share(of ...Verdict) float64 {
	if r.All.Seen == 0 {
		return 0
	}
	n := 0
	for _, v := range of {
		n += r.Totals[v].Seen
	}
	return float64(n) / float64(r.All.Seen)
}

// judge judges clients under one change.
type judge struct {
	from, to *policy.Policy
	id       *policy.Identity
}

// foreign counts what of a client was negotiated otherwise than the policy of today allows.
func (j *judge) foreign(c *evidence.Client) (n int) {
	for _, o := range c.Outcomes {
		if j.from != nil && o.Result == evidence.Established && o.Version != 0 &&
			(!j.from.Accepts(o.Version) || o.Suite != 0 && !slices.Contains(j.from.SuitesFor(o.Version), o.Suite)) {
			n += o.Seen()
		}
	}
	return n
}

func (j *judge) effect(c *evidence.Client) Effect {
	e := Effect{Client: c}
	for _, o := range c.Outcomes { // most frequent first
		if o.Result == evidence.Established && o.Version != 0 {
			e.Today = &Choice{o.Version, o.Suite, o.Group}
			break
		}
	}
	h, err := c.ClientHello()
	switch {
	case err != nil:
		e.unknown("the ClientHello cannot be read: "+err.Error(), "another capture of the client")
	case h != nil:
		o := h.Offer()
		j.byOffer(&e, &offered{Offer: &o, listsVersions: lists(h)})
	case c.Offered != nil && len(c.Offered.Suites) > 0:
		o := fromLog(c.Offered)
		j.byOffer(&e, &offered{Offer: o, fromLog: true})
	default:
		j.byChoice(&e)
	}
	return e
}

func (e *Effect) unknown(reason, decide string) {
	e.Verdict, e.Reason, e.Decide, e.After = Unknown, reason, decide, nil
}

// String gives what a handshake agrees on as a log would have it: "TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 x25519".
func (c *Choice) String() string {
	text := c.Version.String()
	if c.Suite != 0 {
		text += " " + c.Suite.OpenSSL()
	}
	if c.Group != 0 {
		text += " " + c.Group.String()
	}
	return text
}
