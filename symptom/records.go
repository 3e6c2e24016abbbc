package symptom

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// The libraries of openssl.tsv by their number in a code: OpenSSL's, and BoringSSL's.
var (
	openSSLLibraries = map[int]string{6: "evp", 9: "pem", 11: "x509", 13: "asn1", 14: "conf", 20: "ssl"}
	boringLibraries  = map[int]string{11: "x509", 16: "ssl"}
)

// readReasons reads openssl.tsv. A name is a pattern too: in all texts, or behind "SSL routines" and "SSL:" alone.
func (t *tables) readReasons(fsys fs.FS) error {
	const source = "OpenSSL include/openssl/sslerr.h and its like, BoringSSL include/openssl/ssl.h"
	return rows(fsys, "openssl.tsv", 5, func(f []string) error {
		if t.signals[f[4]] == nil {
			return fmt.Errorf("no signal %q", f[4])
		}
		after := strings.HasPrefix(f[3], "…")
		names := strings.Split(strings.TrimPrefix(f[3], "…"), "|")
		for i, boring := range []bool{false, true} {
			if f[1+i] == "-" {
				continue
			}
			n, err := strconv.Atoi(f[1+i])
			key := codeKey{f[0], boring, n}
			if _, ok := t.reasons[key]; err != nil || ok {
				return fmt.Errorf("%q is no number, or is there twice", f[1+i])
			}
			t.reasons[key] = reason{names[0], f[4]}
		}
		for _, name := range names {
			texts := []string{name}
			if after {
				texts = []string{"SSL routines:…:" + name, "SSL routines::" + name, "[SSL: " + name + "]", "ERR_SSL_" + name}
			}
			for _, text := range texts {
				p := &Pattern{Text: text, Signal: f[4], By: "OpenSSL", Source: source}
				if err := p.compile(); err != nil {
					return err
				}
				t.patterns = append(t.patterns, p)
			}
		}
		return nil
	})
}

// readFunctions reads which of OpenSSL's functions run on which side.
func (t *tables) readFunctions(fsys fs.FS) error {
	return rows(fsys, "functions.tsv", 3, func(f []string) error {
		n, err := strconv.ParseUint(f[0], 16, 12)
		if err != nil || f[2] != sideClient && f[2] != sideServer {
			return fmt.Errorf("%q: want a function number in hex, its name and client or server", strings.Join(f, " "))
		}
		t.functions[int(n)] = f[2]
		return nil
	})
}

// readPorts reads what ports say.
func (t *tables) readPorts(fsys fs.FS) error {
	return rows(fsys, "ports.tsv", 3, func(f []string) error {
		n, err := strconv.ParseUint(f[0], 10, 16)
		if err != nil || t.signals[f[1]] == nil || t.signals[f[1]].kind != kindContext {
			return fmt.Errorf("%q: want a port, a context and a service", strings.Join(f, " "))
		}
		t.ports[int(n)] = f[1]
		return nil
	})
}

// readPatterns reads all p-*.tsv.
func (t *tables) readPatterns(fsys fs.FS) error {
	names, err := fs.Glob(fsys, "data/p-*.tsv")
	if err != nil {
		return err
	}
	t.patterns = slices.Grow(t.patterns, 8192)
	for _, name := range names {
		err := rows(fsys, strings.TrimPrefix(name, "data/"), 5, func(f []string) error {
			p := &Pattern{Text: f[0], Signal: f[1], By: f[2], Side: f[3], Source: f[4], listed: true, alerts: t.words}
			if p.Side == "either" {
				p.Side = ""
			}
			if len(f) > 5 {
				p.sample = f[5]
			}
			if err := t.checkPattern(p); err != nil {
				return err
			}
			t.patterns = append(t.patterns, p)
			return p.compile()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// checkPattern reports what is wrong with a record.
func (t *tables) checkPattern(p *Pattern) error {
	if p.Side != "" && p.Side != sideClient && p.Side != sideServer {
		return fmt.Errorf("no side %q", p.Side)
	}
	if p.By == "" || p.Source == "" {
		return fmt.Errorf("%q: who prints it and the source are needed", p.Text)
	}
	kind, of, found := strings.Cut(p.Signal, ":")
	switch {
	case found && (kind == "alert" || kind == "sent"):
		if of == "#" || of == "%" {
			if !strings.Contains(p.Text, of) {
				return fmt.Errorf("%q: %s is missing", p.Text, of)
			}
			return nil
		}
		for _, a := range t.alerts {
			if a.name == of {
				return nil
			}
		}
		return fmt.Errorf("no alert %q", of)
	case p.Signal == nothing:
		return nil
	case p.Signal == "side":
		if p.Side == "" {
			return fmt.Errorf("%q: which side?", p.Text)
		}
		return nil
	}
	name, isContext := strings.CutPrefix(p.Signal, "+")
	name, unless, found := strings.Cut(name, "!")
	if found && (t.signals[unless] == nil || t.signals[unless].kind != kindContext) {
		return fmt.Errorf("no context %q", unless)
	}
	s := t.signals[name]
	if s == nil {
		s = t.signals[name+"@"+p.Side]
	}
	if s == nil || (s.kind == kindContext) != isContext {
		return fmt.Errorf("no signal %q", p.Signal)
	}
	return nil
}
