package change

import "fmt"

// Outcome sorts errors by what they mean to the user.
type Outcome string

// Outcomes.
const (
	NotDone Outcome = "not-done" // nothing was changed, or not what was wanted: the state forbids it
	Unfit   Outcome = "unfit"    // what is asked for makes no sense for this listener, or a file is no plan
	Open    Outcome = "open"     // could not be found out: permission, throttling, no answer
)

// Error is one line that says what happened, what was left as it is, and what to do.
type Error struct {
	Outcome Outcome
	Text    string
	err     error
}

func (e *Error) Error() string { return e.Text }

func (e *Error) Unwrap() error { return e.err }

func notDone(format string, a ...any) *Error {
	return &Error{Outcome: NotDone, Text: fmt.Sprintf(format, a...)}
}

func unfit(format string, a ...any) *Error {
	return &Error{Outcome: Unfit, Text: fmt.Sprintf(format, a...)}
}

func open(err error, format string, a ...any) *Error {
	return &Error{Outcome: Open, Text: fmt.Sprintf(format, a...), err: err}
}
