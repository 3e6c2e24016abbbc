package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/probe"
)

// targets reads the targets one by one: those of the command line, then those of the file. A file may be as long as
// it likes.
type targets struct {
	flags   *scanFlags
	args    []string
	file    io.ReadCloser // nil without one
	lines   *bufio.Scanner
	line    int
	waiting []inspect.Target // further addresses of a name
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

// next returns the next target, or errNoMore. An error of another kind concerns one target alone.
func (t *targets) next(ctx context.Context) (inspect.Target, error) {
	if len(t.waiting) > 0 {
		first := t.waiting[0]
		t.waiting = t.waiting[1:]
		return first, nil
	}
	if len(t.args) > 0 {
		name := t.args[0]
		t.args = t.args[1:]
		return t.resolve(ctx, name)
	}
	for t.lines != nil && t.lines.Scan() {
		t.line++
		name, _, _ := strings.Cut(t.lines.Text(), "#")
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		x, err := t.resolve(ctx, name)
		if err != nil {
			return x, fmt.Errorf("%s line %d: %w", t.flags.file, t.line, err)
		}
		return x, nil
	}
	return inspect.Target{}, t.end()
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

// resolve reads a target and looks its name up, unless a proxy does that.
func (t *targets) resolve(ctx context.Context, name string) (inspect.Target, error) {
	e, err := parseScanEndpoint(name, t.flags)
	if err != nil {
		return inspect.Target{}, err
	}
	x := inspect.Target{Name: name, Host: e.Host, Port: e.Port, ServerName: e.ServerName, StartTLS: string(e.StartTLS)}
	if t.flags.proxy != "" && len(e.Addresses) == 0 {
		e.Addresses = []string{e.Host}
	}
	if len(e.Addresses) == 0 {
		lookUpHost(ctx, e)
	}
	if len(e.Addresses) == 0 {
		return x, nil // the report says so
	}
	if !t.flags.allAddresses {
		e.Addresses = e.Addresses[:1]
	}
	for _, a := range e.Addresses {
		x.Address = net.JoinHostPort(a, e.Port)
		t.waiting = append(t.waiting, x)
	}
	x, t.waiting = t.waiting[0], t.waiting[1:]
	return x, nil
}

// parseScanEndpoint reads a target, and the protocol that its port is known for.
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
	}
	return e, err
}
