package accesslog

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/parley-tls/parley/evidence"
)

// Template is a log format that a user wrote: nginx's log_format or HAProxy's log-format.
type Template struct {
	before string // the text before the first variable
	parts  []part
}

// part is a variable and the text after it; while the format is being read, a text alone.
type part struct {
	literal  string // a text alone
	field    field
	quoted   bool   // the variable's value is in double quotes
	captures bool   // HAProxy's %hr and %hs, which are nothing at all, or texts in braces
	hasPort  bool   // a client's address with ":" and its port
	then     string // the text after it
	closing  string // a double quote and the text after it
}

func (p *part) isLiteral() bool { return p.literal != "" }

// ParseTemplate reads a format as it stands in the configuration of nginx or HAProxy. Which of them wrote it is told by the
// variables: $name and ${name}, or %name and %[expression]. An error says what no line could be read by.
func ParseTemplate(format string) (*Template, error) {
	var t Template
	var err error
	switch {
	case strings.Contains(format, "$"):
		err = t.parseNginx(format)
	case strings.Contains(format, "%"):
		err = t.parseHAProxy(format)
	default:
		err = errors.New("no variable in it: expected nginx's $ssl_protocol or HAProxy's %sslv and their like")
	}
	if err == nil {
		err = t.check()
	}
	if err != nil {
		return nil, fmt.Errorf("log format %q: %w", format, err)
	}
	return &t, nil
}

func (t *Template) addLiteral(s string) {
	if s == "" {
		return
	}
	if n := len(t.parts); n > 0 && t.parts[n-1].isLiteral() {
		t.parts[n-1].literal += s
		return
	}
	t.parts = append(t.parts, part{literal: s})
}

// parseNginx reads $name and ${name}.
func (t *Template) parseNginx(format string) error {
	for format != "" {
		literal, rest, found := strings.Cut(format, "$")
		t.addLiteral(literal)
		if !found {
			break
		}
		name := ""
		if strings.HasPrefix(rest, "{") {
			if name, rest, found = strings.Cut(rest[1:], "}"); !found {
				return errors.New("a ${ is not closed")
			}
		} else {
			end := 0
			for end < len(rest) && (rest[end] == '_' || isDigit(rest[end]) || 'a' <= rest[end]|0x20 && rest[end]|0x20 <= 'z') {
				end++
			}
			name, rest = rest[:end], rest[end:]
		}
		if name == "" {
			return errors.New("a $ without a name")
		}
		t.parts = append(t.parts, part{field: variables()[name]})
		format = rest
	}
	return nil
}

// parseHAProxy reads %name, %{flags}name, %[expression] and %%. White space is one space, as HAProxy writes it.
func (t *Template) parseHAProxy(format string) error {
	format = strings.ReplaceAll(strings.Join(strings.Fields(format), " "), `\ `, " ")
	allQuoted := false
	for format != "" {
		literal, rest, found := strings.Cut(format, "%")
		t.addLiteral(literal)
		if !found {
			break
		}
		if strings.HasPrefix(rest, "%") {
			t.addLiteral("%")
			format = rest[1:]
			continue
		}
		flags := ""
		if strings.HasPrefix(rest, "{") {
			if flags, rest, found = strings.Cut(rest[1:], "}"); !found {
				return errors.New("a %{ is not closed")
			}
		}
		name := ""
		if strings.HasPrefix(rest, "[") {
			if name, rest, found = strings.Cut(rest[1:], "]"); !found {
				return errors.New("a %[ is not closed")
			}
			name = name[:max(0, strings.IndexAny(name+",", ",("))]
		} else {
			end := 0
			for end < len(rest) && (isDigit(rest[end]) || 'a' <= rest[end]|0x20 && rest[end]|0x20 <= 'z') {
				end++
			}
			name, rest = "%"+rest[:end], rest[end:]
		}
		quoted := allQuoted && !strings.Contains(flags, "-Q") || strings.Contains(flags, "+Q")
		switch name {
		case "", "%":
			return errors.New("a % without a name")
		case "%o": // prints nothing, sets the flags of all that follow
			allQuoted = quoted
			rest = strings.TrimPrefix(rest, " ")
		default:
			t.parts = append(t.parts, part{field: variables()[name], quoted: quoted, captures: name == "%hr" || name == "%hs"})
		}
		format = rest
	}
	return nil
}

// check gives each variable the text after it, makes one part of an address and its port, and finds what cannot be told apart.
func (t *Template) check() error {
	var parts []part
	for i := 0; i < len(t.parts); i++ {
		p := t.parts[i]
		n := len(parts)
		if p.isLiteral() {
			if n == 0 {
				t.before = p.literal
			} else {
				parts[n-1].then = p.literal
			}
			continue
		}
		if p.field == clientField && !p.quoted && i+2 < len(t.parts) && t.parts[i+1].literal == ":" && t.parts[i+2].field == portField {
			p.hasPort = true
			i += 2
		}
		if n > 0 && parts[n-1].then == "" && !parts[n-1].quoted && !p.captures && !parts[n-1].captures {
			return errors.New("two variables without a text between them: it cannot be told where the first ends")
		}
		parts = append(parts, p)
	}
	for i := range parts {
		parts[i].closing = `"` + parts[i].then
	}
	t.parts = parts
	if !slices.ContainsFunc(parts, func(p part) bool { return p.field.saysTLS() }) {
		return errors.New("no variable in it says anything of TLS: add $ssl_protocol and $ssl_cipher, or %sslv and %sslc (docs/logs.md has whole lines)")
	}
	return nil
}

// parse reads a line of the format, whatever stands before it, such as a header of syslog.
func (t *Template) parse(d *decoder, line string, c *evidence.Connection) verdict {
	if v := t.parseAt(d, line, c); v != bad {
		return v
	}
	if i := strings.Index(line, "]: "); i >= 0 && i < 256 {
		*c = evidence.Connection{}
		return t.parseAt(d, line[i+3:], c)
	}
	return bad
}

func (t *Template) parseAt(d *decoder, line string, c *evidence.Connection) verdict {
	v := &d.values
	*v = values{}
	line, ok := strings.CutPrefix(line, t.before)
	if !ok {
		return bad
	}
	var client netip.Addr
	for i := range t.parts {
		p := &t.parts[i]
		var value string
		if value, line, ok = p.value(line, i == len(t.parts)-1); !ok {
			return bad
		}
		switch {
		case p.hasPort:
			if client, ok = d.clientPort(value); !ok {
				return bad
			}
		case p.field != noField:
			v.set(p.field, value)
		}
	}
	if line != "" {
		return bad
	}
	result := d.connection(v, c)
	if client.IsValid() {
		c.Client = client
	}
	return result
}

// value takes the value of a variable and the text after it off the line.
func (p *part) value(line string, last bool) (value, rest string, ok bool) {
	switch {
	case p.captures:
		if strings.HasPrefix(line, "{") {
			if _, line, ok = strings.Cut(line, "}"); !ok {
				return "", "", false
			}
		} else if strings.HasPrefix(p.then, " ") && !strings.HasPrefix(line, p.then) { // that space was for what is not there
			rest, ok = strings.CutPrefix(line, p.then[1:])
			return "", rest, ok
		}
		rest, ok = strings.CutPrefix(line, p.then)
		return "", rest, ok
	case p.quoted:
		if !strings.HasPrefix(line, `"`) {
			return "", "", false
		}
		if line = line[1:]; last && p.then == "" {
			value, ok = strings.CutSuffix(line, `"`)
			return value, "", ok
		}
		return strings.Cut(line, p.closing) // HAProxy does not escape the quotes in a value
	case p.then != "":
		end := index(line, p.then)
		if end < 0 {
			return "", "", false
		}
		return line[:end], line[end+len(p.then):], true
	case last:
		return line, "", true
	}
	return "", line, true // before captures, which check lets stand there
}

// index is strings.Index, quicker where a byte is found soon.
func index(s, text string) int {
	if len(text) > 1 {
		return strings.Index(s, text)
	}
	near := min(len(s), 16)
	for i := range near {
		if s[i] == text[0] {
			return i
		}
	}
	if i := strings.IndexByte(s[near:], text[0]); i >= 0 {
		return near + i
	}
	return -1
}
