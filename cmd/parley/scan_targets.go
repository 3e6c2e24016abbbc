package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/probe"
)

// targets reads the targets one by one: those of the command line, then those of the file. A file may be as long as
// it likes.
type targets struct {
	flags *scanFlags
	args  []string
	file  io.ReadCloser // nil without one
	lines *bufio.Scanner
	line  int
}

// errNoMore ends the targets.
var errNoMore = errors.New("no more targets")

// maxLine is how long a line of a file of targets may be: a URL is seldom longer than 2,000 bytes.
const maxLine = 64 << 10

// openTargets checks the targets of the command line, so that a mistake in them is told before anything is scanned.
func openTargets(args []string, f *scanFlags, stdin io.Reader) (*targets, error) {
	for _, a := range args {
		if _, err := parseScanEndpoint(a, f); err != nil {
			return nil, err
		}
	}
	t := &targets{flags: f, args: args}
	switch {
	case f.file == "-":
		t.file = io.NopCloser(stdin)
	case f.file != "":
		file, err := os.Open(f.file)
		if err != nil {
			return nil, fmt.Errorf("--file %w", fileError(f.file, err))
		}
		t.file = file
	default:
		return t, nil
	}
	t.lines = bufio.NewScanner(t.file)
	t.lines.Buffer(nil, maxLine)
	return t, nil
}

func (t *targets) close() {
	if t.file != nil {
		t.file.Close()
	}
}

// named is a target as it was named, and where, for messages.
type named struct{ name, place string }

// wrap says where a target is wrong.
func (n named) wrap(err error) error {
	if n.place == "" {
		return err
	}
	return fmt.Errorf("%s: %w", n.place, err)
}

// next returns the next target, or errNoMore. An error of another kind concerns one line alone.
func (t *targets) next() (named, error) {
	if len(t.args) > 0 {
		name := t.args[0]
		t.args = t.args[1:]
		return named{name: name}, nil
	}
	for t.lines != nil && t.lines.Scan() {
		t.line++
		name, _, _ := strings.Cut(t.lines.Text(), "#")
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		return named{name, fmt.Sprintf("%s line %d", t.flags.file, t.line)}, nil
	}
	return named{}, t.end()
}

// end says why the file has no more lines.
func (t *targets) end() error {
	if t.lines == nil {
		return errNoMore
	}
	err := t.lines.Err()
	t.lines = nil
	if errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("%s line %d: more than %d bytes: a file with one target a line is expected", t.flags.file, t.line+1, maxLine)
	}
	if err != nil {
		return fmt.Errorf("--file %w", fileError(t.flags.file, err))
	}
	return errNoMore
}

// parseScanEndpoint reads a target, and the protocol that its port is known for, or the port of the protocol.
func parseScanEndpoint(name string, f *scanFlags) (*diagnose.Endpoint, error) {
	e, err := parseEndpoint(name, f.serverName)
	if err != nil {
		return nil, err
	}
	switch f.startTLS {
	case "none":
	case "":
		port, _ := strconv.Atoi(e.Port)
		e.StartTLS = probe.StartTLSForPort(port)
	default:
		e.StartTLS, err = probe.ParseStartTLS(f.startTLS)
		if !namesPort(name) {
			e.Port = strconv.Itoa(e.StartTLS.Port())
		}
	}
	return e, err
}

// namesPort reports whether a target says which port it means. A URL does, by its scheme if by nothing else.
func namesPort(target string) bool {
	_, _, err := net.SplitHostPort(target)
	return err == nil || strings.Contains(target, "://")
}
