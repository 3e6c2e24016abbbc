package render

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/metric"
)

// AWSErrors is the answer of `parley aws errors` (docs/schema/aws-errors.schema.json).
type AWSErrors struct {
	Schema        string                `json:"schema"`
	From          time.Time             `json:"from"`
	Until         time.Time             `json:"until"`
	LoadBalancers []metric.LoadBalancer `json:"load_balancers"`
	Problems      []AWSProblem          `json:"problems"`
}

// Text writes for each load balancer how many handshakes failed, and whether and when that began to rise.
func (d *AWSErrors) Text(w io.Writer, st Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Failed TLS handshakes, %s to %s\n", stamp(d.From), stamp(d.Until))
	var rows [][]string
	for i := range d.LoadBalancers {
		rows = append(rows, errorsRow(&d.LoadBalancers[i], st))
	}
	if len(rows) > 0 {
		b.WriteString("\n")
		Table(&b, []string{"load balancer", "ports", "failed", "of new connections", "since"}, rows)
	} else {
		b.WriteString("\nNo load balancer with a TLS listener was found.\n")
	}
	classic := false
	for i := range d.LoadBalancers {
		x := &d.LoadBalancers[i]
		classic = classic || x.Kind == elb.Classic
		if len(x.Changes) == 0 && x.Rise.Outcome != metric.Risen {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", st.Bold(oneLine(x.Name)))
		for _, l := range wrap(oneLine(ErrorsLine(x)), 98) {
			fmt.Fprintf(&b, "  %s\n", l)
		}
		for _, c := range x.Changes {
			fmt.Fprintf(&b, "  %s\n", oneLine(changeLine(&c)))
		}
	}
	if classic {
		b.WriteString("\n")
		for _, l := range wrap(metric.ClassicNote+".", 98) {
			fmt.Fprintf(&b, "%s\n", st.Dim(l))
		}
	}
	for _, p := range d.Problems {
		fmt.Fprintf(&b, "\n%s %s: %s: %s\n", st.Warn("Not found out:"), oneLine(p.Region), oneLine(p.Missing), oneLine(p.Error))
	}
	return writeLegible(w, b.String(), st)
}

// errorsRow is a load balancer's row of the table.
func errorsRow(x *metric.LoadBalancer, st Style) []string {
	var ports []string
	for _, p := range x.Ports {
		ports = append(ports, fmt.Sprint(p))
	}
	row := []string{oneLine(x.Name) + " (" + x.Kind.Title() + ")", strings.Join(ports, ","), fmt.Sprintf("%.0f", x.Errors), "-", ""}
	if x.Conns > 0 {
		row[3] = fmt.Sprintf("%.2f%%", 100*x.Errors/max(x.Conns, x.Errors))
	}
	switch x.Rise.Outcome {
	case metric.Risen:
		row[4] = st.Bad("rises " + stamp(x.Rise.From))
		if !x.Rise.Until.IsZero() {
			row[4] = st.Warn("rose " + stamp(x.Rise.From) + " until " + stamp(x.Rise.Until))
		}
	case metric.Steady:
		row[4] = "no rise"
	case metric.TooFew:
		row[4] = "too few to tell a rise"
	case metric.NoTests:
		row[2], row[4] = "-", st.Dim("not known")
	}
	return row
}

// ErrorsLine says in one line what the metric of a load balancer tells: for `parley aws errors`, and beside the listener elsewhere.
func ErrorsLine(x *metric.LoadBalancer) string {
	if x.Note != "" {
		return x.Note
	}
	r := &x.Rise
	switch r.Outcome {
	case metric.NoTests:
		return "CloudWatch told nothing of failed handshakes"
	case metric.TooFew:
		return fmt.Sprintf("%.0f handshakes failed, too few to tell a rise", x.Errors)
	case metric.Steady:
		return fmt.Sprintf("%.0f handshakes failed, about as often all along: there is no rise in that time", x.Errors)
	}
	of := ""
	if r.Related {
		of = ", measured by new connections"
	}
	text := fmt.Sprintf("Failed handshakes rose at %s from none to %.3g in 5 minutes%s", stamp(r.From), r.Within, of)
	if r.Before > 0 {
		text = fmt.Sprintf("Failed handshakes rose at %s from %.3g to %.3g in 5 minutes, %s times as many%s", stamp(r.From), r.Before, r.Within, times(r.Ratio), of)
	}
	if !r.Until.IsZero() {
		text += ", until " + stamp(r.Until)
	}
	if c := x.Cause; c != nil {
		after := r.From.Sub(c.Time).Round(time.Minute)
		when := fmt.Sprintf("%v before that", strings.TrimSuffix(after.String(), "0s"))
		if after <= 0 {
			when = "in the same 5 minutes"
		}
		return text + ". The listener was changed " + when + "."
	}
	return text + ". No change of a listener that is known stands at its beginning."
}

// times is a ratio with as many digits as tell something.
func times(ratio float64) string {
	if ratio >= 10 {
		return fmt.Sprintf("%.0f", ratio)
	}
	return fmt.Sprintf("%.1f", ratio)
}

// changeLine says who changed what and when.
func changeLine(c *metric.Change) string {
	who := c.Who
	if who == "" {
		who = "parley"
	}
	if c.Source == metric.CloudTrail {
		who += " by " + c.Call
	} else if c.ID != "" {
		who += " (change " + c.ID + ")"
	}
	var what []string
	if c.To != "" {
		from := "unknown"
		if c.From != "" {
			from = shortPolicy(c.From)
		}
		what = append(what, from+" -> "+shortPolicy(c.To))
	}
	if c.Other != "" {
		what = append(what, c.Other)
	}
	port := ""
	if c.Port != 0 {
		port = fmt.Sprintf(":%d ", c.Port)
	}
	return fmt.Sprintf("%s  %s%s  %s", stamp(c.Time), port, strings.Join(what, "; "), who)
}

// stamp writes a time to the minute, UTC.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }
