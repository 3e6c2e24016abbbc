package vuln

import (
	"errors"
	"fmt"
	"strings"

	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/vuln/internal/classic"
)

func yes(evidence []string, format string, args ...any) answer {
	return answer{verdict: Vulnerable, summary: fmt.Sprintf(format, args...), evidence: evidence}
}

func no(evidence []string, format string, args ...any) answer {
	return answer{verdict: NotVulnerable, summary: fmt.Sprintf(format, args...), evidence: evidence}
}

func unsure(evidence []string, format string, args ...any) answer {
	return answer{verdict: Unsure, summary: fmt.Sprintf(format, args...), evidence: evidence}
}

func notTested(format string, args ...any) answer {
	return answer{verdict: NotTested, summary: fmt.Sprintf(format, args...)}
}

// failed is the answer where a test came to no end.
func failed(err error) answer {
	var refused classic.Refused
	var unfinished classic.Unfinished
	switch {
	case errors.Is(err, classic.ErrUnable):
		return notTested("The endpoint chose a key or group that this test cannot complete a handshake with.")
	case errors.As(err, &refused) && outcomeOf(err) != decided:
		return unsure(nil, "The network failed: the last of several tries ended with %s.", refused.Event)
	case errors.As(err, &refused):
		return unsure(nil, "The endpoint answered the hello of the test with %s, though it took such hellos in the scan.", refused.Event)
	case errors.As(err, &unfinished) && unfinished.Presented:
		return unsure(nil, "The handshake that the test needs did not complete: the endpoint got the client certificate that it asks for, and ended it with %s.", unfinished.Event)
	case errors.As(err, &unfinished) && unfinished.ClientAuth:
		return unsure(nil, "The handshake that the test needs did not complete: the endpoint asks for a client certificate, and ended it with %s.", unfinished.Event)
	case errors.As(err, &unfinished):
		return unsure(nil, "The handshake that the test needs did not complete: it ended with %s.", unfinished.Event)
	}
	return unsure(nil, "The network failed: %v.", err)
}

// failure is the error of a hello that was not accepted.
func failure(o *probe.Observation) error {
	switch o.Answer {
	case probe.Alerted:
		return classic.Refused{Event: classic.Event{Kind: classic.Alert, Fatal: true, Alert: o.Alert}}
	case probe.Closed:
		return classic.Refused{Event: classic.Event{Kind: classic.Closed}}
	}
	if o.Answer.Accepted() { // its first flight broke off
		return errNetwork{o.End}
	}
	return errNetwork{o.Answer}
}

// list names suites: those of more than six by the first six and their number.
func list(l []suite.Code) string {
	var names []string
	for i, c := range l {
		if i == 6 {
			names = append(names, fmt.Sprintf("and %d more", len(l)-i))
			break
		}
		names = append(names, c.OpenSSL())
	}
	return strings.Join(names, ", ")
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
