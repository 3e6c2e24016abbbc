package cipherlist

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/parley-tls/parley/suite"
)

//go:embed suites.tsv
var suitesTSV string

//go:embed aliases.tsv
var aliasesTSV string

// row is a suite as one release has it.
type row struct {
	code               suite.Code
	name, standard     string // standard is empty where OpenSSL has no standard name
	kx, auth, enc, mac set
	min, max           suite.Version // zero for the signalling values
	class              set
	off                bool // left out of DEFAULT
	bits               int
}

// signalling reports whether r is an SCSV: OpenSSL knows its name but no cipher string selects it.
func (r *row) signalling() bool { return r.min == 0 }

// exportKind splits 1.0.2's suites in two; the later releases have no such attribute.
type exportKind uint8

const (
	exportUnasked exportKind = iota
	exportOnly
	exportNot
)

// pattern is what a word, or several joined by "+", ask of a suite.
type pattern struct {
	kx, auth, enc, mac set
	class              set
	min                suite.Version
	off                bool
	export             exportKind
	code               suite.Code // one suite by name; zero: not asked (no suite of a release has code 0)
}

func (p *pattern) matches(r *row, export exportKind) bool {
	asks := func(want, have set) bool { return want == 0 || want&have != 0 }
	return (p.code == 0 || p.code == r.code) &&
		asks(p.kx, r.kx) && asks(p.auth, r.auth) && asks(p.enc, r.enc) && asks(p.mac, r.mac) &&
		asks(p.class, r.class) && (p.min == 0 || p.min == r.min) && (!p.off || r.off) &&
		(p.export == exportUnasked || p.export == export)
}

// alias is a word that stands for many suites.
type alias struct {
	name string
	pattern
}

// table is everything one build of a release knows.
type table struct {
	*behaviour
	rows  []*row              // every suite compiled in, by code
	words map[string]*pattern // aliases and suite names that this build can use
	start []*row              // usable suites in the release's order of preference
	names map[string]*row     // by standard name
}

type tableKey struct {
	release Release
	legacy  bool
}

var tables sync.Map // tableKey → func() *table

// tableOf returns the table of a build of rel, with or without the legacy provider's algorithms.
func tableOf(rel Release, legacy bool) *table {
	key := tableKey{rel, legacy}
	f, ok := tables.Load(key)
	if !ok {
		f, _ = tables.LoadOrStore(key, sync.OnceValue(func() *table { return build(rel, legacy) }))
	}
	return f.(func() *table)()
}

// build panics on a broken record: the data is part of the program and a test reads all of it.
func build(rel Release, legacy bool) *table {
	t := &table{behaviour: &behaviours[rel], words: map[string]*pattern{}, names: map[string]*row{}}
	must(eachRecord(suitesTSV, 13, rel, func(f []string) error {
		r, err := parseRow(f)
		t.rows = append(t.rows, r)
		if r != nil && r.standard != "" {
			t.names[r.standard] = r
		}
		return err
	}))
	lacks := pattern{kx: keyExchanges.of(t.missingKX...), auth: authentications.of(t.missingAuth...),
		enc: encryptions.of(t.missingEnc...), mac: macs.of(t.missingMAC...)}
	if legacy && t.legacyEnc != nil {
		lacks.enc &^= encryptions.of(t.legacyEnc...)
	}
	for _, r := range slices.Backward(t.rows) { // OpenSSL starts with the highest code
		if lacks.kx&r.kx|lacks.auth&r.auth|lacks.enc&r.enc|lacks.mac&r.mac == 0 && !r.signalling() && r.min < suite.TLS13 {
			t.start = append(t.start, r)
		}
	}
	t.start = t.arrange(t.start)
	must(eachRecord(aliasesTSV, 9, rel, func(f []string) error {
		a, err := parseAlias(f)
		// A word of which the build has nothing left is unknown to it.
		gone := func(want, lacking set) bool { return want != 0 && want&^lacking == 0 }
		if err == nil && !gone(a.kx, lacks.kx) && !gone(a.auth, lacks.auth) && !gone(a.enc, lacks.enc) && !gone(a.mac, lacks.mac) {
			t.words[a.name] = &a.pattern
		}
		return err
	}))
	for _, r := range t.start {
		p := r.pattern(t.behaviour)
		t.words[r.name] = p
		if t.standardNames && r.standard != "" {
			t.words[r.standard] = p
		}
	}
	return t
}

// pattern is what naming r asks for. Its version is not part of it.
func (r *row) pattern(b *behaviour) *pattern {
	p := &pattern{kx: r.kx, auth: r.auth, enc: r.enc, mac: r.mac, class: r.class, off: r.off, export: exportNot}
	if b.matchByID {
		p.code, p.export = r.code, exportUnasked
	}
	return p
}

// lacking reports whether the release has the suite of that name in its table, though not in this build.
func (t *table) lacking(name string) bool {
	return slices.ContainsFunc(t.rows, func(r *row) bool { return r.name == name })
}

func must(err error) {
	if err != nil {
		panic("cipherlist: " + err.Error())
	}
}

// eachRecord calls f with the fields of every record of rel; field 1 is the range of releases.
func eachRecord(tsv string, fields int, rel Release, f func([]string) error) error {
	for n, line := range strings.Split(strings.TrimSuffix(tsv, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		rec := strings.Split(line, "\t")
		if len(rec) != fields {
			return fmt.Errorf("line %d has %d fields, not %d", n+1, len(rec), fields)
		}
		first, last, ranged := strings.Cut(rec[1], "-")
		if !ranged {
			last = first
		}
		from, err := ParseRelease(first)
		if err != nil {
			return fmt.Errorf("line %d: %w", n+1, err)
		}
		to, err := ParseRelease(last)
		if err != nil {
			return fmt.Errorf("line %d: %w", n+1, err)
		}
		if rel < from || rel > to {
			continue
		}
		if err := f(rec); err != nil {
			return fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	return nil
}

func parseRow(f []string) (*row, error) {
	code, err := strconv.ParseUint(f[0], 0, 16)
	if err != nil {
		return nil, err
	}
	r := &row{code: suite.Code(code), name: f[2]}
	if f[3] != "-" {
		r.standard = f[3]
	}
	if err := parseSets(f[4:8], &r.kx, &r.auth, &r.enc, &r.mac); err != nil {
		return nil, err
	}
	if r.min, err = parseVersion(f[8]); err != nil {
		return nil, err
	}
	if r.max, err = parseVersion(f[9]); err != nil {
		return nil, err
	}
	if r.class, err = classes.parse(f[10]); err != nil {
		return nil, err
	}
	for flag := range strings.SplitSeq(f[11], ",") {
		switch flag {
		case "FIPS":
			r.class |= classes.of("FIPS")
		case "off":
			r.off = true
		case "-":
		default:
			return nil, fmt.Errorf("unknown flag %q", flag)
		}
	}
	r.bits, err = strconv.Atoi(f[12])
	return r, err
}

func parseAlias(f []string) (a alias, err error) {
	a.name = f[0]
	if err = parseSets(f[2:6], &a.kx, &a.auth, &a.enc, &a.mac); err != nil {
		return a, err
	}
	if a.min, err = parseVersion(f[6]); err != nil {
		return a, err
	}
	if a.class, err = classes.parse(f[7]); err != nil {
		return a, err
	}
	switch f[8] {
	case "off":
		a.off = true
	case "export":
		a.export = exportOnly
	case "notexport":
		a.export = exportNot
	case "-":
	default:
		err = fmt.Errorf("unknown flag %q", f[8])
	}
	return a, err
}

func parseSets(f []string, into ...*set) error {
	for i, k := range []*kind{&keyExchanges, &authentications, &encryptions, &macs} {
		s, err := k.parse(f[i])
		if err != nil {
			return err
		}
		*into[i] = s
	}
	return nil
}

func parseVersion(s string) (suite.Version, error) {
	if s == "-" {
		return 0, nil
	}
	return suite.ParseVersion(s)
}
