package accesslog

import (
	"fmt"
	"regexp"
)

// What logs without a word of TLS look like, and what to do about them.
var withoutTLS = []struct {
	looks *regexp.Regexp
	is    string
}{
	{regexp.MustCompile(`^\S+ \S+ \S+ \[\d{2}/\w{3}/\d{4}:[^\]]*\] "[^"]*" \d{3} `), "nginx's or Apache's usual format, which says nothing of TLS: add the variables that docs/logs.md names, and give that format by --log-format"},
	{regexp.MustCompile(`\[\d{2}/\w{3}/\d{4}:[^\]]*\] \S+ \S+/\S+ -?\d+/`), "HAProxy's usual format, which says nothing of TLS: use option httpslog or the log-format of docs/logs.md"},
	{regexp.MustCompile(`^#(Version|Fields):`), "a W3C extended log (CloudFront, IIS), which is not read"},
}

// unknown says what a file without a line of a known format may be.
func (f *File) unknown() string {
	for _, w := range withoutTLS {
		if w.looks.MatchString(f.First) {
			return "this is " + w.is
		}
	}
	return fmt.Sprintf("no line of %s in the first %d; it begins with %q", f.format, f.Lines, f.First)
}
