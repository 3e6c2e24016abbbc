package accesslog

import "strings"

// fields takes a line apart: words between spaces, in double quotes where they have spaces in them.
type fields struct{ rest string }

// next returns the next field, without its quotes; false at the end of the line and where a quote is not closed.
func (f *fields) next() (string, bool) {
	s := f.rest
	if s == "" {
		return "", false
	}
	if s[0] == '"' {
		end := closingQuote(s)
		if end < 0 {
			return "", false
		}
		f.rest = strings.TrimPrefix(s[end+1:], " ")
		return s[1:end], true
	}
	if i := strings.IndexByte(s, ' '); i >= 0 {
		f.rest = s[i+1:]
		return s[:i], true
	}
	f.rest = ""
	return s, true
}

// skip passes over n fields.
func (f *fields) skip(n int) bool {
	for range n {
		if _, ok := f.next(); !ok {
			return false
		}
	}
	return true
}

// closingQuote finds the quote that ends the text that s begins with: one that no backslash escapes, before a space or the
// end. It returns -1 where there is none.
func closingQuote(s string) int {
	for i := 1; i < len(s); i++ {
		n := strings.IndexByte(s[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		if (i+1 == len(s) || s[i+1] == ' ') && !escaped(s, i) {
			return i
		}
	}
	return -1
}

// escaped reports whether an odd number of backslashes precede s[i].
func escaped(s string, i int) bool {
	odd := false
	for i--; i >= 0 && s[i] == '\\'; i-- {
		odd = !odd
	}
	return odd
}
