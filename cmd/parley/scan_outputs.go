package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/suite"
)

// outputs are everything that reports are written to.
type outputs struct {
	mu      sync.Mutex
	writers []render.ScanWriter
	files   []*os.File
}

// outputs opens what the flags ask for: standard output gets the text unless a format takes its place.
func (f *scanFlags) outputs(stdout io.Writer, many bool) (*outputs, error) {
	names := render.OpenSSLNames
	if f.iana {
		names = render.IANANames
	}
	o := &outputs{}
	taken := ""
	for _, x := range []struct {
		flag, path string
		to         func(io.Writer) render.ScanWriter
	}{
		{"--json", f.json, func(w io.Writer) render.ScanWriter { return render.NewScanJSON(w, many) }},
		{"--xml", f.xml, func(w io.Writer) render.ScanWriter { return render.NewScanXML(w, names) }},
		{"--csv", f.csv, func(w io.Writer) render.ScanWriter { return render.NewScanCSV(w, names) }},
		{"--html", f.html, func(w io.Writer) render.ScanWriter { return render.NewScanHTML(w, names) }},
	} {
		switch {
		case x.path == "":
		case x.path == "-" && taken != "":
			return nil, errors.Join(fmt.Errorf("%s and %s: only one can go to standard output: give the other a file, as %s=FILE", taken, x.flag, x.flag), o.closeFiles())
		case x.path == "-":
			taken = x.flag
			o.writers = append(o.writers, x.to(stdout))
		default:
			file, err := os.Create(x.path)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("%s %w", x.flag, fileError(x.path, err)), o.closeFiles())
			}
			o.files = append(o.files, file)
			o.writers = append(o.writers, x.to(file))
		}
	}
	if taken == "" {
		o.writers = append(o.writers, render.NewScanText(stdout, styleFor(stdout), names))
	}
	return o, nil
}

// report writes one report to all of them.
func (o *outputs) report(r *inspect.Report) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, w := range o.writers {
		if err := w.Report(r); err != nil {
			return err
		}
	}
	return nil
}

func (o *outputs) close() error {
	var all []error
	for _, w := range o.writers {
		all = append(all, w.Close())
	}
	return errors.Join(append(all, o.closeFiles())...)
}

func (o *outputs) closeFiles() error {
	var all []error
	for _, f := range o.files {
		all = append(all, f.Close())
	}
	return errors.Join(all...)
}

// finding is what --fail-on speaks of: suites of a strength and below, a level that is missed, or a vulnerability. The
// zero value finds nothing.
type finding struct {
	strength   suite.Strength
	level      inspect.Level
	suites     bool
	vulnerable bool
}

// parseFinding reads the value of --fail-on.
func parseFinding(text string) (finding, error) {
	switch l := inspect.Level(text); {
	case text == "":
		return finding{}, nil
	case text == "vulnerable":
		return finding{vulnerable: true}, nil
	case l != inspect.NoLevel && slices.Contains(inspect.Levels, l):
		return finding{level: l}, nil
	}
	s, err := suite.ParseStrength(text)
	if err != nil || s > suite.Weak {
		return finding{}, fmt.Errorf("--fail-on %s: use insecure or weak (a suite of that strength or worse), vulnerable (a proven vulnerability), or modern, intermediate or old (a level that is missed)", text)
	}
	return finding{strength: s, suites: true}, nil
}

// in reports whether a report has such a finding.
func (f finding) in(r *inspect.Report) bool {
	if f.vulnerable {
		return len(r.Proven()) > 0
	}
	if f.suites {
		weakest, c := r.Weakest()
		return c != 0 && weakest <= f.strength
	}
	return f.level != "" && r.Grade != nil && slices.Index(inspect.Levels, r.Grade.Level) > slices.Index(inspect.Levels, f.level)
}

// baseline is a former scan, by endpoint.
type baseline map[string]*inspect.Former

// baselineKey tells endpoints apart. The address is left out where a name was given, since it may change.
func baselineKey(t *inspect.Target) string {
	return strings.Join([]string{t.Host, t.Port, t.ServerName, t.StartTLS}, " ")
}

// readBaseline reads what --json has written: one document, or one a line.
func readBaseline(path string) (baseline, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	defer file.Close()
	b := make(baseline)
	dec := json.NewDecoder(bufio.NewReader(file))
	for {
		var f inspect.Former
		err := dec.Decode(&f)
		switch {
		case errors.Is(err, io.EOF) && len(b) > 0:
			return b, nil
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("%s: empty: a file that parley scan --json has written is expected", path)
		case err != nil:
			return nil, fmt.Errorf("%s: document %d cannot be read: %w", path, len(b)+1, err)
		case f.Schema != inspect.Schema:
			return nil, fmt.Errorf("%s: document %d has schema %q, want %q: a file that parley scan --json has written is expected", path, len(b)+1, f.Schema, inspect.Schema)
		}
		b[baselineKey(&f.Target)] = &f
	}
}
