package declared

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// node is a value of a JSON or YAML document with its place.
type node struct {
	kind      nodeKind
	text      string // of a scalar
	tag       string // of YAML, where it is not one of YAML's own: !Ref
	keys      []string
	items     []*node // values of a mapping, in the order of keys, or elements of a sequence
	line, col int
}

type nodeKind uint8

const (
	null nodeKind = iota
	scalar
	mapping
	sequence
)

// get returns the value of a key, nil where there is none or n is no mapping.
func (n *node) get(path ...string) *node {
	for _, key := range path {
		if n == nil || n.kind != mapping {
			return nil
		}
		var next *node
		for i, k := range n.keys {
			if k == key {
				next = n.items[i] // the last of duplicates, as JSON readers have it
			}
		}
		n = next
	}
	return n
}

// str is the text of a scalar, "" for anything else.
func (n *node) str() string {
	if n == nil || n.kind != scalar {
		return ""
	}
	return n.text
}

// list is the elements of a sequence.
func (n *node) list() []*node {
	if n == nil || n.kind != sequence {
		return nil
	}
	return n.items
}

// empty reports whether there is no value: missing or null.
func (n *node) empty() bool { return n == nil || n.kind == null }

// at is n's place in a file.
func (n *node) at(file, path string) Position {
	if n == nil {
		return Position{File: file, Path: path}
	}
	return Position{File: file, Line: n.line, Column: n.col, Path: path}
}

var (
	errDeep = fmt.Errorf("nested more than %d deep", maxDepth)
	errMany = fmt.Errorf("more than %d values, the most that is read", maxNodes)
)

// parseDocuments reads a JSON document, or the documents of a YAML stream.
func parseDocuments(f File) ([]*node, error) {
	text := bytes.TrimPrefix(bytes.TrimSpace(f.Data), []byte("\xEF\xBB\xBF"))
	if len(text) > 0 && text[0] == '{' {
		n, err := parseJSON(f)
		if err == nil {
			return []*node{n}, nil
		}
		// A flow mapping of YAML also begins with a brace, but what was meant as JSON deserves JSON's error.
		if len(f.Data) > MaxText || bytes.Contains(text, []byte(`":`)) {
			return nil, err
		}
	}
	return parseYAML(f)
}

// parseJSON reads a document of JSON.
func parseJSON(f File) (*node, error) { return parseJSONBut(f, nil) }

// parseJSONBut is parseJSON without the values that drop says are of no use: those of a key, in an object whose "type" was kind
// before it. A plan is mostly such.
func parseJSONBut(f File, drop func(kind, key string) bool) (*node, error) {
	if len(f.Data) > MaxJSON {
		return nil, tooLarge(f.Name, MaxJSON)
	}
	data := bytes.TrimPrefix(f.Data, []byte("\xEF\xBB\xBF"))
	if !json.Valid(data) {
		var v json.RawMessage
		err := json.Unmarshal(data, &v)
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
			return nil, fmt.Errorf("%s:%d: not JSON: %v", f.Name, line, syntax)
		}
		return nil, fmt.Errorf("%s: not JSON", f.Name)
	}
	r := &jsonReader{data: data, line: 1, drop: drop}
	n, err := r.value(0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	return n, nil
}

// jsonReader walks over JSON that is known to be valid, and keeps count of lines. encoding/json tells no places.
type jsonReader struct {
	data       []byte
	i          int
	line, from int // the line, and the offset at which it begins
	nodes      int
	drop       func(kind, key string) bool
}

func (r *jsonReader) space() {
	for r.i < len(r.data) {
		switch r.data[r.i] {
		case '\n':
			r.line++
			r.from = r.i + 1
		case ' ', '\t', '\r', ',', ':':
		default:
			return
		}
		r.i++
	}
}

func (r *jsonReader) value(depth int) (*node, error) {
	r.space()
	if depth > maxDepth {
		return nil, errDeep
	}
	if r.nodes++; r.nodes > maxNodes {
		return nil, errMany
	}
	n := &node{line: r.line, col: r.i - r.from + 1}
	switch c := r.data[r.i]; c {
	case '{', '[':
		n.kind = sequence
		if c == '{' {
			n.kind = mapping
		}
		r.i++
		kind := ""
		for r.space(); r.data[r.i] != '}' && r.data[r.i] != ']'; r.space() {
			key := ""
			if n.kind == mapping {
				key = r.string()
				if r.drop != nil && r.drop(kind, key) {
					r.skip()
					continue
				}
				n.keys = append(n.keys, key)
			}
			v, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			if key == "type" && v.kind == scalar {
				kind = v.text
			}
			n.items = append(n.items, v)
		}
		r.i++
	case '"':
		n.kind, n.text = scalar, r.string()
	default:
		start := r.i
		for r.i < len(r.data) && !strings.ContainsRune(" \t\r\n,:]}", rune(r.data[r.i])) {
			r.i++
		}
		if n.text = string(r.data[start:r.i]); n.text != "null" {
			n.kind = scalar
		}
	}
	return n, nil
}

// skip goes over a value.
func (r *jsonReader) skip() {
	for depth := 0; ; {
		r.space()
		switch r.data[r.i] {
		case '{', '[':
			depth++
			r.i++
		case '}', ']':
			depth--
			r.i++
		case '"':
			r.pass()
		default:
			for r.i < len(r.data) && !strings.ContainsRune(" \t\r\n,:]}", rune(r.data[r.i])) {
				r.i++
			}
		}
		if depth == 0 {
			return
		}
	}
}

// pass goes over a string, and returns it as it stands there.
func (r *jsonReader) pass() []byte {
	start := r.i
	for r.i++; r.data[r.i] != '"'; r.i++ {
		if r.data[r.i] == '\\' {
			r.i++
		}
	}
	r.i++
	return r.data[start:r.i]
}

func (r *jsonReader) string() string {
	raw := r.pass()
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// parseYAML reads the documents of a YAML stream.
func parseYAML(f File) ([]*node, error) {
	if len(f.Data) > MaxText {
		return nil, tooLarge(f.Name, MaxText)
	}
	d := yaml.NewDecoder(bytes.NewReader(f.Data))
	c := &yamlConverter{}
	var l []*node
	for {
		var doc yaml.Node
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return l, nil
		}
		if err != nil {
			return nil, yamlError(f, err)
		}
		if len(doc.Content) == 0 {
			continue
		}
		n, err := c.convert(doc.Content[0], 0)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		if n.kind != null {
			l = append(l, n)
		}
	}
}

// yamlError says where YAML stops being YAML; a Helm template is no YAML yet.
func yamlError(f File, err error) error {
	if bytes.Contains(f.Data, []byte("{{")) {
		return fmt.Errorf("%s: not YAML but a template: render it first (helm template, kustomize build)", f.Name)
	}
	text := strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "yaml: ")
	return fmt.Errorf("%s: not YAML: %s", f.Name, printable(text))
}

// yamlConverter resolves aliases, within a budget: a small file can name an enormous tree.
type yamlConverter struct{ nodes int }

func (c *yamlConverter) convert(y *yaml.Node, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	if c.nodes++; c.nodes > maxNodes/10 {
		return nil, errors.New("aliases that stand for more values than are read")
	}
	n := &node{line: y.Line, col: y.Column}
	if strings.HasPrefix(y.Tag, "!") && !strings.HasPrefix(y.Tag, "!!") {
		n.tag = y.Tag
	}
	switch y.Kind {
	case yaml.AliasNode:
		return c.convert(y.Alias, depth+1)
	case yaml.ScalarNode:
		n.text = y.Value
		if n.tag != "" || y.ShortTag() != "!!null" {
			n.kind = scalar
		}
	case yaml.SequenceNode:
		n.kind = sequence
		for _, e := range y.Content {
			v, err := c.convert(e, depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, v)
		}
	case yaml.MappingNode:
		n.kind = mapping
		for i := 0; i+1 < len(y.Content); i += 2 {
			v, err := c.convert(y.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			if y.Content[i].Tag == "!!merge" { // what it brings stands before, so that n's own keys win
				n.keys, n.items = append(append([]string{}, v.keys...), n.keys...), append(append([]*node{}, v.items[:len(v.keys)]...), n.items...)
				continue
			}
			n.keys, n.items = append(n.keys, y.Content[i].Value), append(n.items, v)
		}
	}
	return n, nil
}

// printable cuts what a file says to a short line without control characters.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	const most = 200
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
