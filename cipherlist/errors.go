package cipherlist

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ErrNoCipherMatch is what errors.Is finds where a string selects nothing: the client would not even
// send a hello, which is not the same as a server that refuses it.
var ErrNoCipherMatch = errors.New("no cipher match")

// ErrInvalidCommand is what errors.Is finds where a string can't be read.
var ErrInvalidCommand = errors.New("invalid command")

// Word is a word that a build passes over.
type Word struct {
	Text   string
	Reason WordReason
}

// WordReason says why a word means nothing.
type WordReason uint8

const (
	// WordUnknown: no OpenSSL release that we know has it.
	WordUnknown WordReason = iota
	// WordUnavailable: another release or build has it, or it names a suite that strings don't select.
	WordUnavailable
)

// String returns "unknown" or "unavailable".
func (r WordReason) String() string {
	if r == WordUnavailable {
		return "unavailable"
	}
	return "unknown"
}

// MarshalText gives String.
func (r WordReason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// NoMatchError says that a string selects no suite older than TLS 1.3, or a list of TLS 1.3 suites none.
type NoMatchError struct {
	Release      Release
	Spec         string
	Ciphersuites bool // Spec is a list of TLS 1.3 suites
	Ignored      []Word
}

// Error is one line that names the words at fault.
func (e *NoMatchError) Error() string {
	what := "cipher string"
	if e.Ciphersuites {
		what = "list of TLS 1.3 suites"
	}
	msg := fmt.Sprintf("no cipher match: %s %q selects no suite of OpenSSL %s", what, e.Spec, e.Release)
	var words []string
	for _, w := range e.Ignored {
		words = append(words, fmt.Sprintf("%s is %s", w.Text, w.Reason))
	}
	if words == nil {
		return msg
	}
	return msg + ": " + strings.Join(words, ", ")
}

// Is matches ErrNoCipherMatch.
func (e *NoMatchError) Is(target error) bool { return target == ErrNoCipherMatch }

// CommandError says that a cipher string can't be read.
type CommandError struct {
	Release Release
	Spec    string
	faults  []fault
}

// Error is one line that names the first place at fault.
func (e *CommandError) Error() string {
	f := e.faults[0]
	at := fmt.Sprintf("in cipher string %q", e.Spec)
	if f.offset >= 0 {
		at = fmt.Sprintf("at byte %d of cipher string %q", f.offset+1, e.Spec)
	}
	switch f.kind {
	case faultLevel:
		return "invalid command " + at + ": @SECLEVEL takes 0 to 5"
	case faultSpecial:
		return "invalid command " + at + ": after @ comes STRENGTH or SECLEVEL=n"
	}
	return "invalid command " + at + ": a cipher name or class is missing, or has a character that names don't have"
}

// Is matches ErrInvalidCommand.
func (e *CommandError) Is(target error) bool { return target == ErrInvalidCommand }

// faultKind is where in OpenSSL an error arises.
type faultKind uint8

const (
	faultByte faultKind = iota // no word where one must stand
	faultLevel
	faultSpecial
	faultNoMatch
	faultCiphersuites
	faultNoCiphers // the program can't even start: no provider has any
)

type fault struct {
	kind   faultKind
	offset int // in what the user wrote, -1 where unknown
}

// maxFaults is how many errors OpenSSL's queue keeps: the newest.
const maxFaults = 15

func (e *evaluation) fault(k faultKind, s string, at int) {
	f := fault{kind: k, offset: -1}
	if e.offset >= 0 {
		f.offset = e.offset + min(at, len(s))
	}
	e.faults = append(e.faults, f)
	if len(e.faults) > maxFaults {
		e.faults = e.faults[1:]
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
