package cipherlist

import (
	"errors"
	"fmt"
	"strings"

	"github.com/parley-tls/parley/suite"
)

// Request is a command line of `openssl ciphers`, read.
type Request struct {
	Spec         string // "DEFAULT" where the line has no cipher string
	Named        bool   // the line has a cipher string
	Options      Options
	Verbose      bool // -v, -V, -stdname
	Columns      Columns
	Convert      *string // -convert NAME: nothing else is printed
	withoutSuite bool    // the providers that were asked for have no algorithms
}

// Output is what the program writes, and its exit code.
type Output struct {
	Stdout, Stderr string
	Exit           int
}

// UnmodelledError names an option of `openssl ciphers` that depends on the machine OpenSSL runs on.
type UnmodelledError struct{ Option string }

func (e *UnmodelledError) Error() string {
	return fmt.Sprintf("%s depends on the providers installed on a machine: only -provider default, base and legacy are known here", e.Option)
}

// Run does what the `openssl ciphers` program of rel does with args. Only what depends on the
// machine is an error, of type *UnmodelledError; everything else, usage errors too, is output.
func Run(rel Release, args []string) (Output, error) {
	req, out, err := ParseArgs(rel, args)
	if req == nil || err != nil {
		return out, err
	}
	return req.Run(rel), nil
}

// Run carries out the request.
func (q *Request) Run(rel Release) Output {
	b := &behaviours[rel]
	if q.Convert != nil {
		name := StandardToOpenSSL(rel, *q.Convert)
		if name == "" {
			name = "(NONE)"
		}
		return Output{Stdout: "OpenSSL cipher name: " + name + "\n"}
	}
	l, err := q.Expand(rel)
	if err != nil {
		return Output{Stderr: b.failure(err), Exit: 1}
	}
	if q.Verbose {
		return Output{Stdout: l.Verbose(q.Columns)}
	}
	return Output{Stdout: l.String() + "\n"}
}

// Expand expands the request's cipher string.
func (q *Request) Expand(rel Release) (List, error) {
	if q.withoutSuite {
		return List{Release: rel}, ErrNoCiphers
	}
	return Expand(rel, q.Spec, q.Options)
}

// ErrNoCiphers: a program whose providers have no algorithms doesn't even look at the cipher string.
var ErrNoCiphers = errors.New("the providers named have no cipher suites: add -provider default")

// failure is what the program writes where Expand fails.
func (b *behaviour) failure(err error) string {
	var noMatch *NoMatchError
	var command *CommandError
	switch {
	case err == ErrNoCiphers:
		return b.errors.lines([]fault{{kind: faultNoCiphers}})
	case errors.As(err, &noMatch) && noMatch.Ciphersuites:
		return "Error setting TLSv1.3 ciphersuites\n" + b.errors.lines([]fault{{kind: faultCiphersuites}})
	case errors.As(err, &noMatch):
		return "Error in cipher list\n" + b.errors.lines([]fault{{kind: faultNoMatch}})
	case errors.As(err, &command):
		return "Error in cipher list\n" + b.errors.lines(command.faults)
	}
	return err.Error() + "\n"
}

// optionStyle is how a release's programs read and word their options.
type optionStyle struct {
	unknown    string // format of the complaint, without the program's name
	shortHelp  bool   // -h is -help
	providers  []string
	namesExtra bool // says which argument is one too many
	help       string
	strings    bool // 1.0.2: what is no option is a cipher string, and the last one counts
}

// versionOptions fix the protocol. -ssl3 and -ssl2 exist only where a build has those protocols.
var versionOptions = map[string]suite.Version{"tls1": suite.TLS10, "tls1_1": suite.TLS11, "tls1_2": suite.TLS12, "tls1_3": suite.TLS13}

// ParseArgs reads args as rel's program does. A nil request means that the program ends with out.
// 1.0.2 takes the later releases' options too, which its own program lacks.
func ParseArgs(rel Release, args []string) (q *Request, out Output, err error) {
	b := &behaviours[rel]
	style := b.options
	q = &Request{Spec: "DEFAULT"}
	complain := func(format string, a ...any) (*Request, Output, error) {
		return nil, Output{Stderr: "ciphers: " + fmt.Sprintf(format, a...) + "\nciphers: Use -help for summary.\n", Exit: 1}, nil
	}
	var loaded []string
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		word := args[0]
		args = args[1:]
		if word == "--" {
			break
		}
		name, value, hasValue := strings.Cut(strings.TrimPrefix(word[1:], "-"), "=")
		if name == "help" || name == "h" && style.shortHelp {
			if hasValue {
				return complain("Option -%s does not take a value", name)
			}
			return nil, Output{Stderr: style.help, Exit: style.helpExit()}, nil
		}
		if set := q.flag(name, b); set != nil {
			if hasValue {
				return complain("Option -%s does not take a value", name)
			}
			set()
			continue
		}
		if !style.takesValue(name) {
			if style.strings {
				q.Spec, q.Named = word, true
				continue
			}
			return complain(style.unknown, name)
		}
		if !hasValue {
			if len(args) == 0 {
				return complain("Option -%s needs a value", name)
			}
			value, args = args[0], args[1:]
		}
		switch name {
		case "convert":
			q.Convert = &value
		case "ciphersuites":
			q.Options.Ciphersuites = &value
		case "provider":
			if value != "default" && value != "legacy" && value != "base" {
				return nil, Output{}, &UnmodelledError{"-provider " + value}
			}
			loaded = append(loaded, value)
		default:
			return nil, Output{}, &UnmodelledError{"-" + name}
		}
	}
	q.providers(loaded)
	switch {
	case len(args) == 1 || style.strings && len(args) > 0:
		q.Spec, q.Named = args[len(args)-1], true
	case len(args) > 1 && style.namesExtra && args[0] != "":
		return complain("Extra option: %q", rawQuoted(args[0]))
	case len(args) > 1 && !style.namesExtra:
		return nil, Output{Stderr: "ciphers: Use -help for summary.\n", Exit: 1}, nil
	}
	return q, Output{}, nil
}

// flag returns what the option without a value called name does, or nil.
func (q *Request) flag(name string, b *behaviour) func() {
	if v, ok := versionOptions[name]; ok {
		return func() { q.Options.Min, q.Options.Max = v, v }
	}
	if name == "ssl3" && b.oldest <= suite.SSLv3 {
		return func() { q.Options.Min, q.Options.Max = suite.SSLv3, suite.SSLv3 }
	}
	switch name {
	case "v":
		return func() { q.Verbose = true }
	case "V":
		return func() { q.Verbose, q.Columns.Code = true, true }
	case "stdname":
		return func() { q.Verbose, q.Columns.Standard = true, true }
	case "s":
		return func() { q.Options.Supported = true }
	case "psk":
		return func() { q.Options.PSK = true }
	case "srp":
		return func() { q.Options.SRP = true }
	}
	return nil
}

// providers notes what -provider options load: naming any means that the default one is not loaded
// by itself.
func (q *Request) providers(loaded []string) {
	q.withoutSuite = len(loaded) > 0
	for _, p := range loaded {
		switch p {
		case "default":
			q.withoutSuite = false
		case "legacy":
			q.Options.Legacy = true
		}
	}
}

func (s optionStyle) takesValue(name string) bool {
	if name == "convert" || name == "ciphersuites" {
		return true
	}
	for _, p := range s.providers {
		if p == name {
			return true
		}
	}
	return false
}

// helpExit is 0 but in 1.0.2, where asking for help is a bad option.
func (s optionStyle) helpExit() int {
	if s.strings {
		return 1
	}
	return 0
}

// rawQuoted is printed by %q as `"s"` whatever bytes s has.
type rawQuoted string

func (s rawQuoted) Format(f fmt.State, _ rune) { fmt.Fprintf(f, `"%s"`, string(s)) }
