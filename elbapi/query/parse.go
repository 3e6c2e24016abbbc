// Package query speaks the AWS Query protocol: parameters with dotted names, by GET or by a form in the body of a POST,
// and answers in XML. An action is a function from one struct to another: Values.Decode fills the first and checks the
// rules in its tags, WriteResult writes the second.
package query

import (
	"net/url"
	"strconv"
	"strings"
)

// The bounds of a request. AWS's own are not published; these are above anything that its SDKs send.
const (
	MaxBody       = 1 << 20 // bytes, of the body and of the query string each
	MaxParameters = 10000
	MaxDepth      = 12 // parts of a name
	MaxIndex      = 10000
)

// Values is a tree of parameters, by the parts of their names.
type Values struct {
	Action  string
	Version string
	root    *node
}

type node struct {
	value    string
	given    bool
	children map[string]*node
}

// The parameters that every request can have and no action takes as input: the last seven belong to signatures.
var common = map[string]bool{"Action": true, "Version": true, "X-Amz-Algorithm": true, "X-Amz-Credential": true, "X-Amz-Date": true,
	"X-Amz-Expires": true, "X-Amz-SignedHeaders": true, "X-Amz-Signature": true, "X-Amz-Security-Token": true}

// Parse reads parameters out of query strings or form bodies; they count together, as where a POST has both.
func Parse(encoded ...string) (*Values, error) {
	v := &Values{root: &node{}}
	seen := make(map[string]bool)
	for _, text := range encoded {
		if len(text) > MaxBody {
			return nil, Fail("RequestEntityTooLarge", "the request has %d bytes, the limit is %d", len(text), MaxBody)
		}
		for text != "" {
			var pair string
			pair, text, _ = strings.Cut(text, "&")
			if pair == "" {
				continue
			}
			name, value, err := unescape(pair)
			if err != nil {
				return nil, err
			}
			if seen[name] {
				return nil, Fail("InvalidParameterCombination", "The parameter %s is given more than once", clip(name))
			}
			if seen[name] = true; len(seen) > MaxParameters {
				return nil, Fail("MalformedQueryString", "the request has more than %d parameters", MaxParameters)
			}
			if err := v.put(name, value); err != nil {
				return nil, err
			}
		}
	}
	if v.Action == "" {
		return nil, Fail("MissingAction", "The request is missing an action or a required parameter")
	}
	return v, nil
}

func unescape(pair string) (name, value string, err error) {
	name, value, _ = strings.Cut(pair, "=")
	if name, err = url.QueryUnescape(name); err == nil {
		value, err = url.QueryUnescape(value)
	}
	if err != nil {
		return "", "", Fail("MalformedQueryString", "The query string contains a syntax error: %s", clip(pair))
	}
	return name, value, nil
}

func (v *Values) put(name, value string) error {
	if common[name] {
		switch name {
		case "Action":
			v.Action = value
		case "Version":
			v.Version = value
		}
		return nil
	}
	parts := strings.Split(name, ".")
	if len(parts) > MaxDepth {
		return Fail("MalformedInput", "The parameter %s is nested too deeply", clip(name))
	}
	n := v.root
	for _, part := range parts {
		if part == "" {
			return Fail("MalformedInput", "The parameter %s has an empty part", clip(name))
		}
		if n.children == nil {
			n.children = make(map[string]*node)
		}
		next := n.children[part]
		if next == nil {
			next = &node{}
			n.children[part] = next
		}
		n = next
	}
	n.value, n.given = value, true
	return nil
}

// index reads the number of a list member.
func index(part string) (int, bool) {
	n, err := strconv.Atoi(part)
	return n, err == nil && n >= 1 && n <= MaxIndex && strconv.Itoa(n) == part
}

// clip keeps foreign text in messages short.
func clip(text string) string {
	if len(text) > 80 {
		return text[:80] + "..."
	}
	return text
}
