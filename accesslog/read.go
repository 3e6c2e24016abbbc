package accesslog

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"

	"github.com/parley-tls/parley/evidence"
)

// Limits on what is read of one file.
const (
	chunkSize  = 256 << 10 // bytes read at once, and the longest line
	patience   = 2000      // lines without sense at the beginning, after which the rest is not looked at
	maxExcerpt = 80        // bytes of a line in a warning
)

// Options are how logs are read. The zero value finds out the format of each file.
type Options struct {
	Format   Format    // read as this one alone; "" for any
	Template *Template // the user's own format, tried before the others
}

// File is what one file gave.
type File struct {
	Name    string
	Lines   int            // lines with something in them
	Plain   map[Format]int // sound lines that tell of no TLS
	TLS     map[Format]int // lines that tell of a handshake
	Bad     int            // lines that could not be read
	FirstAt int64          // where the first of them is: bytes from the beginning, unpacked
	First   string         // its beginning
	Err     error          // why the file ends before its end, with the offset
	Bytes   int64          // read, unpacked
	known   bool           // some line was sound
	format  string         // what was looked for: "a known format"
}

// Unknown reports that no line of the file was of a known format.
func (f *File) Unknown() bool { return !f.known }

// Reader reads logs one after the other into one Tally. It is not safe for use by several goroutines.
type Reader struct {
	Tally   evidence.Tally
	options Options
	decoder *decoder
	formats []*Description // those to try, the one that the last line had first
	buffer  []byte
	seen    evidence.Connection // of the line being read; kept for its memory
}

// NewReader makes a reader.
func NewReader(o Options) *Reader {
	r := &Reader{options: o, decoder: newDecoder(), buffer: make([]byte, chunkSize)}
	r.Tally.ByServer = true
	return r
}

// Read reads one log, packed by gzip or not.
func (r *Reader) Read(name string, in io.Reader) *File {
	f := &File{Name: name, Plain: map[Format]int{}, TLS: map[Format]int{}, format: "a known format"}
	switch {
	case r.options.Format != "":
		f.format = "the format " + string(r.options.Format)
	case r.options.Template != nil:
		f.format = "the format given, or a known one"
	}
	r.start()
	buffered := bufio.NewReaderSize(in, 64<<10)
	var from io.Reader = buffered
	if head, _ := buffered.Peek(2); len(head) == 2 && head[0] == 0x1F && head[1] == 0x8B {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			f.Err = fmt.Errorf("no sound gzip file: %w", err)
			return f
		}
		from = unpacked
	}
	r.lines(f, from, serverOf(name))
	return f
}

// start puts the formats in order.
func (r *Reader) start() {
	r.formats = r.formats[:0]
	if t := r.options.Template; t != nil {
		own := *Describe(LogFormat)
		own.parse = t.parse
		r.formats = append(r.formats, &own)
	}
	for _, d := range Formats() {
		if d.parse != nil && (r.options.Format == "" || r.options.Format == d.Format) {
			r.formats = append(r.formats, d)
		}
	}
}

// lines reads line by line. Each chunk becomes one string of which all values are parts, so that a line costs no memory.
func (r *Reader) lines(f *File, in io.Reader, server string) {
	have := 0         // bytes in the buffer
	at := int64(0)    // the offset of the first of them
	overlong := false // in the midst of a line that is too long
	for n, err := 0, error(nil); err == nil && (f.known || f.Bad < patience); {
		n, err = in.Read(r.buffer[have:])
		have += n
		f.Bytes += int64(n)
		end := bytes.LastIndexByte(r.buffer[:have], '\n') + 1
		if err == io.EOF {
			end = have // the last line may lack its end; where reading failed, it is cut
		}
		if err != nil && err != io.EOF {
			f.Err = &ReadError{Offset: f.Bytes, Err: err}
		}
		if end == 0 && have < len(r.buffer) {
			continue
		}
		if end == 0 { // no line has room
			if !overlong {
				f.bad(at, string(r.buffer[:maxExcerpt]))
			}
			overlong = true
			at += int64(have)
			have = 0
			continue
		}
		text := string(r.buffer[:end])
		if overlong {
			_, rest, _ := strings.Cut(text, "\n")
			at += int64(len(text) - len(rest))
			text, overlong = rest, false
		}
		for text != "" && (f.known || f.Bad < patience) {
			line, rest, ended := strings.Cut(text, "\n")
			r.line(f, line, at, ended, server)
			at += int64(len(text) - len(rest))
			text = rest
		}
		have = copy(r.buffer, r.buffer[end:have])
	}
}

// ReadError is a file that could not be read to its end.
type ReadError struct {
	Offset int64 // bytes read before, unpacked
	Err    error
}

func (e *ReadError) Error() string {
	return fmt.Sprintf("cannot be read beyond byte %d: %v", e.Offset, e.Err)
}

func (e *ReadError) Unwrap() error { return e.Err }

// openEnded are the formats in which a line that is cut can look like a whole one: TLSv1 is what is left of TLSv1.2.
var openEnded = map[Format]bool{ALBConnections: true, Classic: true, HAProxy: true, NginxError: true, KeyValue: true, LogFormat: true}

// line reads one line; ended says that a line end comes after it.
func (r *Reader) line(f *File, line string, at int64, ended bool, server string) {
	line = strings.TrimSuffix(line, "\r")
	if at == 0 {
		line = strings.TrimPrefix(line, "\uFEFF")
	}
	if line == "" {
		return
	}
	f.Lines++
	if r.parse(f, line, ended, server) {
		return
	}
	if inner, ok := carried(line); ok && r.parse(f, inner, ended, server) {
		return
	}
	f.bad(at, line)
}

// parse reads a line in the first format that it has, and reports whether it has any.
func (r *Reader) parse(f *File, line string, ended bool, server string) bool {
	c := &r.seen
	for i, d := range r.formats {
		*c = evidence.Connection{}
		v := d.parse(r.decoder, line, c)
		if v == bad || !ended && f.Lines > 1 && openEnded[d.Format] {
			continue
		}
		if i > 0 { // the next line is most likely like this one
			copy(r.formats[1:i+1], r.formats[:i])
			r.formats[0] = d
		}
		f.known = true
		if v == plain {
			f.Plain[d.Format]++
			return true
		}
		f.TLS[d.Format]++
		if c.Server == "" {
			c.Server = server
		}
		r.Tally.Add(c)
		return true
	}
	return false
}

func (f *File) bad(at int64, line string) {
	if f.Bad++; f.Bad == 1 {
		f.FirstAt, f.First = at, strings.ToValidUTF8(strings.Clone(line[:min(len(line), maxExcerpt)]), "\uFFFD")
	}
}

// serverOf finds the load balancer's name in the name of a file that Elastic Load Balancing wrote, for lines that do not have
// it: [conn_log.]ACCOUNT_elasticloadbalancing_REGION_app.NAME.ID_TIME_…. It returns "" for other names.
func serverOf(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	parts := strings.Split(name, "_")
	for i, p := range parts {
		if p == "elasticloadbalancing" && i+2 < len(parts) && strings.HasPrefix(parts[i+2], "app.") {
			return strings.ReplaceAll(parts[i+2], ".", "/")
		}
	}
	return ""
}
