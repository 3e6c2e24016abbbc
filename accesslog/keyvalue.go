package accesslog

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/evidence"
)

// maxValues bounds the values of one line that are looked at.
const maxValues = 256

// parseKeyValue reads name=value and name="value" between spaces, commas and semicolons; other words are passed over.
func parseKeyValue(d *decoder, line string, c *evidence.Connection) verdict {
	v := &d.values
	*v = values{}
	for range maxValues {
		equals := strings.IndexByte(line, '=')
		if equals < 0 {
			break
		}
		start := equals
		for start > 0 && !separates(line[start-1]) {
			start--
		}
		name := line[start:equals]
		line = line[equals+1:]
		var value string
		if strings.HasPrefix(line, `"`) {
			end := endOfQuotes(line)
			if end < 0 {
				return bad // a line that was cut
			}
			value, line = line[1:end], line[end+1:]
		} else {
			value = line[:endOfWord(line)]
			line = line[len(value):]
		}
		if f := variables()[name]; f != noField {
			v.set(f, strings.TrimSuffix(value, ","))
		}
	}
	return d.connection(v, c)
}

func separates(c byte) bool { return c == ' ' || c == '\t' || c == ',' || c == ';' }

// endOfWord finds the first space, tab or semicolon, or the end. Commas are part of HAProxy's lists.
func endOfWord(s string) int {
	for _, c := range [...]byte{' ', '\t', ';'} { // each is found by the processor's vector instructions
		if i := strings.IndexByte(s, c); i >= 0 {
			s = s[:i]
		}
	}
	return len(s)
}

// endOfQuotes finds the quote that ends the text in quotes that s begins with, -1 where there is none. HAProxy does not escape
// the quotes in a value, so it must be one that something else follows.
func endOfQuotes(s string) int {
	for i := 1; i < len(s); i++ {
		n := strings.IndexByte(s[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		if (i+1 == len(s) || separates(s[i+1])) && !escaped(s, i) {
			return i
		}
	}
	return -1
}

// endOfString finds the quote that ends the string that s begins with, -1 where there is none.
func endOfString(s string) int {
	for i := 1; i < len(s); i++ {
		n := strings.IndexByte(s[i:], '"')
		if n < 0 {
			return -1
		}
		if i += n; !escaped(s, i) {
			return i
		}
	}
	return -1
}

// parseJSON reads an object of texts and numbers. What is nested in it is passed over, and so is what comes before it, such as
// a header of syslog.
func parseJSON(d *decoder, line string, c *evidence.Connection) verdict {
	start := strings.IndexByte(line, '{')
	if start < 0 || start > 256 {
		return bad
	}
	v := &d.values
	*v = values{}
	rest := line[start+1:]
	for range maxValues {
		rest = skipSpace(rest)
		if strings.HasPrefix(rest, ",") {
			rest = skipSpace(rest[1:])
		}
		if strings.HasPrefix(rest, "}") {
			return d.connection(v, c)
		}
		if !strings.HasPrefix(rest, `"`) {
			return bad
		}
		end := endOfString(rest)
		if end < 0 {
			return bad
		}
		name := rest[1:end]
		rest = skipSpace(rest[end+1:])
		if !strings.HasPrefix(rest, ":") {
			return bad
		}
		value, after, ok := jsonValue(skipSpace(rest[1:]))
		if !ok {
			return bad
		}
		rest = after
		if f := variables()[name]; f != noField {
			v.set(f, value)
		}
	}
	return bad
}

func skipSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	return s
}

// jsonValue takes a value off s. An object or an array is "".
func jsonValue(s string) (value, rest string, ok bool) {
	if s == "" {
		return "", "", false
	}
	switch s[0] {
	case '"':
		end := endOfString(s)
		if end < 0 {
			return "", "", false
		}
		value = s[1:end]
		if strings.IndexByte(value, '\\') >= 0 {
			value = unescaped(s[:end+1])
		}
		return value, s[end+1:], true
	case '{', '[':
		end := endOfNested(s)
		if end < 0 {
			return "", "", false
		}
		return "", s[end+1:], true
	}
	end := strings.IndexAny(s, ",} \t")
	if end <= 0 {
		return "", "", false
	}
	if value = s[:end]; value == "null" {
		value = ""
	}
	return value, s[end:], true
}

// unescaped is the text that a JSON string is, or the string as it stands where it is none.
func unescaped(s string) string {
	if text, err := strconv.Unquote(s); err == nil { // Go's rules differ little from JSON's, and it costs less
		return text
	}
	var text string
	if err := json.Unmarshal([]byte(s), &text); err != nil {
		return s[1 : len(s)-1]
	}
	return text
}

// endOfNested finds the bracket that closes the one that s begins with, -1 where there is none.
func endOfNested(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i
			}
		case '"':
			end := endOfString(s[i:])
			if end < 0 {
				return -1
			}
			i += end
		}
	}
	return -1
}
