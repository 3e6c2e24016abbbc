package accesslog

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/parley-tls/parley/evidence"
)

// Source is a log to read.
type Source struct {
	Name   string
	Open   func() (io.ReadCloser, error)
	Once   bool // it can be opened once: standard input, a pipe
	Remote bool // it is not on this machine
}

// Report is what logs say together.
type Report struct {
	Files   int
	Bytes   int64 // unpacked
	Lines   int
	Formats []FormatCount
	Clients []evidence.Client // apart by load balancer
	Beyond  int               // connections and requests of clients that came after there were too many kinds

	Warnings []string // one a file
	Failed   []error  // files that could not be opened
	Broken   []error  // those that could not be read to their end, which have a warning too
	Unknown  []*File  // files with no line of a known format
}

// Lacking lists what the lines of a format do not tell, nor those of the other formats that were read.
func (rep *Report) Lacking(c *FormatCount) []Lack {
	out := []Lack{}
	for _, l := range c.Lacks {
		if !slices.ContainsFunc(rep.Formats, func(other FormatCount) bool { return other.TLS > 0 && slices.Contains(l.told, other.Format) }) {
			out = append(out, l)
		}
	}
	return out
}

// FormatCount is how many lines of a format there were.
type FormatCount struct {
	*Description
	TLS   int // lines that tell of a handshake
	Plain int // sound lines that tell of no TLS
}

// ReadAll reads logs side by side, as many at once as there are processors.
func ReadAll(sources []Source, o Options) *Report {
	workers := min(runtime.GOMAXPROCS(0), len(sources))
	files := make([]*File, len(sources))
	failed := make([]error, len(sources))
	readers := make([]*Reader, workers)
	next := make(chan int)
	var wait sync.WaitGroup
	for w := range readers {
		readers[w] = NewReader(o)
		wait.Go(func() {
			for i := range next {
				files[i], failed[i] = readers[w].open(&sources[i])
			}
		})
	}
	for i := range sources {
		next <- i
	}
	close(next)
	wait.Wait()

	rep := &Report{}
	if workers == 0 {
		return rep
	}
	tally := &readers[0].Tally
	for _, r := range readers[1:] {
		tally.Merge(&r.Tally)
	}
	rep.Clients, rep.Beyond = tally.Clients(), tally.Beyond
	counts := map[Format]*FormatCount{}
	for i, f := range files {
		if failed[i] != nil {
			rep.Failed = append(rep.Failed, failed[i])
			continue
		}
		rep.add(f, counts)
	}
	for _, d := range Formats() {
		if c := counts[d.Format]; c != nil {
			rep.Formats = append(rep.Formats, *c)
		}
	}
	return rep
}

// open reads a source. The error is that it cannot be opened.
func (r *Reader) open(s *Source) (*File, error) {
	in, err := s.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	defer in.Close()
	return r.Read(s.Name, in), nil
}

// add takes in what a file gave.
func (rep *Report) add(f *File, counts map[Format]*FormatCount) {
	rep.Files++
	rep.Bytes += f.Bytes
	rep.Lines += f.Lines
	of := func(format Format) *FormatCount {
		if counts[format] == nil {
			counts[format] = &FormatCount{Description: Describe(format)}
		}
		return counts[format]
	}
	for format, n := range f.TLS {
		of(format).TLS += n
	}
	for format, n := range f.Plain {
		of(format).Plain += n
	}
	if f.Err != nil {
		rep.Broken = append(rep.Broken, fmt.Errorf("%s: %w", f.Name, f.Err))
	}
	if f.Unknown() {
		rep.Unknown = append(rep.Unknown, f)
	}
	if w := f.Warning(); w != "" {
		rep.Warnings = append(rep.Warnings, w)
	}
}

// Warning is the one line about what could not be read of a file, "" where all could.
func (f *File) Warning() string {
	switch {
	case f.Unknown() && f.Bad > 0:
		return fmt.Sprintf("%s: %s", f.Name, f.unknown())
	case f.Err != nil && f.Bad > 0:
		return fmt.Sprintf("%s: %v; before, %s", f.Name, f.Err, f.badLines())
	case f.Err != nil && f.Lines == 0:
		return fmt.Sprintf("%s: %v", f.Name, f.Err)
	case f.Err != nil:
		return fmt.Sprintf("%s: %v; what comes before was read", f.Name, f.Err)
	case f.Bad > 0:
		return fmt.Sprintf("%s: %s; the others were read", f.Name, f.badLines())
	}
	return ""
}

func (f *File) badLines() string {
	if f.Bad == 1 {
		return fmt.Sprintf("1 of %d lines makes no sense, at byte %d: %q", f.Lines, f.FirstAt, f.First)
	}
	return fmt.Sprintf("%d of %d lines make no sense, the first at byte %d: %q", f.Bad, f.Lines, f.FirstAt, f.First)
}
