// Package accesslog reads the logs of load balancers and reverse proxies: access and connection logs of AWS Application
// Load Balancers, TLS logs of Network Load Balancers, access logs of Classic Load Balancers, and logs of nginx and HAProxy in
// formats that users write themselves. Each line that tells of TLS becomes an evidence.Connection.
//
// A log is foreign input, often damaged and sometimes hostile: whoever writes a request writes a part of it. What a line makes
// the reader remember is bounded, a line that makes no sense is counted, and the rest is read.
package accesslog

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"github.com/parley-tls/parley/evidence"
)

// Format is the name of a log's format, as --format takes it.
type Format string

// The formats.
const (
	ALB            Format = "alb"             // access log of an Application Load Balancer
	ALBConnections Format = "alb-connections" // its connection log
	NLB            Format = "nlb"             // TLS log of a Network Load Balancer
	Classic        Format = "classic"         // access log of a Classic Load Balancer
	HAProxy        Format = "haproxy"         // option httpslog, and the lines of failed handshakes
	NginxError     Format = "nginx-error"     // nginx's error log at level info
	JSON           Format = "json"            // an object a line, with the names of variables as keys
	KeyValue       Format = "key-value"       // name=value and name="value", with the same names
	LogFormat      Format = "log-format"      // the user's own log_format or log-format
)

// verdict is what a parser says of a line.
type verdict uint8

const (
	bad       verdict = iota // not of this format, or damaged
	plain                    // of this format, about a request or connection without TLS, or about nothing of the kind
	handshake                // about a handshake: the connection is filled in
)

// parser reads one line. The connection is zero before; its strings may be parts of the line, which must not be kept.
type parser func(d *decoder, line string, c *evidence.Connection) verdict

// Description is what to know of a format.
type Description struct {
	Format Format
	Title  string // "access log of an Application Load Balancer"
	parse  parser
	Lacks  []Lack
}

// Lack is something that a format's lines do not tell, and what would.
type Lack struct {
	What  string `json:"what"`
	Where string `json:"where"`

	told []Format // formats whose lines tell it
}

//go:embed formats.tsv
var formatsTSV string

// Formats lists the formats in the order in which an unknown line is tried.
var Formats = sync.OnceValue(func() []*Description {
	parsers := map[Format]parser{ALB: parseALB, ALBConnections: parseALBConnection, NLB: parseNLB, Classic: parseClassic, HAProxy: parseHAProxy,
		NginxError: parseNginxError, JSON: parseJSON, KeyValue: parseKeyValue, LogFormat: nil}
	var out []*Description
	for f := range records(formatsTSV, 4) {
		switch {
		case f[0] == "lacks":
			last := out[len(out)-1]
			lack := Lack{What: f[1], Where: f[2]}
			if f[3] != "-" {
				for name := range strings.SplitSeq(f[3], ",") {
					if _, ok := parsers[Format(name)]; !ok {
						panic(fmt.Sprintf("accesslog: formats.tsv: %q", f))
					}
					lack.told = append(lack.told, Format(name))
				}
			}
			last.Lacks = append(last.Lacks, lack)
		default:
			p, ok := parsers[Format(f[1])]
			if f[0] != "format" || !ok {
				panic(fmt.Sprintf("accesslog: formats.tsv: %q", f))
			}
			out = append(out, &Description{Format: Format(f[1]), Title: f[2], parse: p})
		}
	}
	return out
})

// Describe returns what is known of a format, nil for an unknown one.
func Describe(f Format) *Description {
	for _, d := range Formats() {
		if d.Format == f {
			return d
		}
	}
	return nil
}

// records yields the fields of the lines of an embedded table; a wrong number of them is a mistake in the table.
func records(tsv string, fields int) func(func([]string) bool) {
	return func(yield func([]string) bool) {
		for line := range strings.Lines(tsv) {
			line = strings.TrimRight(line, "\n")
			if line == "" || line[0] == '#' {
				continue
			}
			f := strings.Split(line, "\t")
			if len(f) != fields {
				panic(fmt.Sprintf("accesslog: %d fields, not %d: %q", len(f), fields, line))
			}
			if !yield(f) {
				return
			}
		}
	}
}
