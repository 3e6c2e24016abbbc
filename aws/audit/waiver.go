package audit

import (
	"fmt"
	"strings"
	"time"
)

// Waiver says that a listener may fall short until a day.
type Waiver struct {
	Listener string    `json:"listener"` // a pattern
	Until    time.Time `json:"until"`    // the last day, UTC
	Reason   string    `json:"reason,omitempty"`
	Line     int       `json:"line"` // of the file
}

// maxWaivers bounds a file of waivers.
const maxWaivers = 10_000

// ParseWaivers reads waivers, one a line: a pattern for the listener, the last day (2027-01-31), and the reason. "#" begins a comment.
// A pattern is a listener's name as the report has it, the ARN, LOADBALANCER or LOADBALANCER:PORT; "*" in it stands for any characters.
func ParseWaivers(text string) ([]Waiver, error) {
	var l []Waiver
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		switch {
		case len(f) == 0:
			continue
		case len(f) < 2:
			return nil, fmt.Errorf("line %d: want a pattern, the last day (2027-01-31) and a reason", n)
		case len(l) == maxWaivers:
			return nil, fmt.Errorf("line %d: more than %d waivers", n, maxWaivers)
		}
		day, err := time.Parse(time.DateOnly, f[1])
		if err != nil {
			return nil, fmt.Errorf("line %d: %q is no day: write it as 2027-01-31", n, f[1])
		}
		l = append(l, Waiver{Listener: f[0], Until: day, Reason: strings.Join(f[2:], " "), Line: n})
	}
	return l, nil
}

// ended reports whether the waiver's last day is over.
func (w *Waiver) ended(now time.Time) bool { return !now.Before(w.Until.AddDate(0, 0, 1)) }

// names reports whether the waiver means the listener.
func (w *Waiver) names(s *Subject) bool {
	names := []string{s.Name, fmt.Sprintf("%s:%d", s.Name, s.Port)}
	if s.LoadBalancer != "" {
		names = append(names, s.LoadBalancer, fmt.Sprintf("%s:%d", s.LoadBalancer, s.Port))
	}
	if s.At != nil {
		names = append(names, s.At.File, s.At.File+":"+s.Name)
	}
	for _, n := range names {
		if matches(strings.Split(w.Listener, "*"), n) {
			return true
		}
	}
	return false
}

// matches compares a text with the parts of a pattern between its stars.
func matches(parts []string, text string) bool {
	if len(parts) == 1 {
		return parts[0] == text
	}
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(text, p)
		if i < 0 {
			return false
		}
		text = text[i+len(p):]
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}
