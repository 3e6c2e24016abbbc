// Package modeltest compares the inputs and outputs of an API's actions with AWS's own description of the service, which
// botocore carries.
package modeltest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/testbed"
)

//go:embed model.py
var program string

type model struct {
	Metadata   struct{ XMLNamespace string }
	Operations map[string]operation
	Shapes     map[string]shape
}

type operation struct {
	Input, Output *reference
}

type reference struct{ Shape string }

type shape struct {
	Type     string
	Members  map[string]reference
	Required []string
	Member   *reference
	Enum     []string
	Min, Max *int64
	Pattern  string
}

// Check compares an API with botocore's service of that name: every field must be a member of the same type, every member that
// AWS requires must be required, and rules must be AWS's. Members that an input lacks are logged: requests with them
// are refused.
func Check(t *testing.T, api elbapi.API, service string) {
	t.Helper()
	m := load(t, service, api.Version)
	if m.Metadata.XMLNamespace != api.Namespace {
		t.Errorf("namespace %q, AWS has %q", api.Namespace, m.Metadata.XMLNamespace)
	}
	for _, a := range api.Actions {
		op, ok := m.Operations[a.Name]
		if !ok {
			t.Errorf("AWS has no action %s", a.Name)
			continue
		}
		c := checker{t: t, m: m, input: true}
		if op.Input != nil {
			c.structure(a.Name, a.Input, op.Input.Shape)
		} else if a.Input.NumField() > 0 {
			t.Errorf("%s has no input with AWS", a.Name)
		}
		c.input = false
		if op.Output != nil {
			c.structure(a.Name, a.Output, op.Output.Shape)
		} else if a.Output.NumField() > 0 {
			t.Errorf("%s has no output with AWS", a.Name)
		}
	}
	for name := range m.Operations {
		if !slices.ContainsFunc(api.Actions, func(a elbapi.Action) bool { return a.Name == name }) {
			t.Logf("not served: %s", name)
		}
	}
}

func load(t *testing.T, service, version string) *model {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		out, err := exec.Command(python, "-c", program, service, version).Output()
		if err != nil {
			continue
		}
		m := &model{}
		if err := json.Unmarshal(out, m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	testbed.Missing(t, "botocore, which has AWS's service models (it comes with the AWS CLI)")
	return nil
}

type checker struct {
	t     *testing.T
	m     *model
	input bool
}

func (c *checker) structure(path string, have reflect.Type, name string) {
	s := c.m.Shapes[name]
	for i := range have.NumField() {
		f := have.Field(i)
		want, ok := s.Members[f.Name]
		at := path + "." + f.Name
		if !ok {
			c.t.Errorf("%s: AWS has no such member", at)
			continue
		}
		if c.input {
			c.rules(at, f, s, c.m.Shapes[want.Shape])
		}
		c.value(at, f.Type, want.Shape)
	}
	for member := range s.Members {
		if _, ok := have.FieldByName(member); ok {
			continue
		}
		if c.input && slices.Contains(s.Required, member) {
			c.t.Errorf("%s.%s is missing, and AWS requires it", path, member)
		}
		if c.input {
			c.t.Logf("%s.%s is refused", path, member)
		}
	}
}

func (c *checker) rules(at string, f reflect.StructField, parent, s shape) {
	r, err := query.RulesOf(f.Tag)
	if err != nil {
		c.t.Errorf("%s: %v", at, err)
		return
	}
	if need := slices.Contains(parent.Required, f.Name); need != r.Required {
		c.t.Errorf("%s: required %v, AWS has %v", at, r.Required, need)
	}
	leaf := s
	if s.Type == "list" && s.Member != nil {
		leaf = c.m.Shapes[s.Member.Shape]
	}
	if leaf.Enum != nil && !slices.Equal(r.Enum, leaf.Enum) {
		c.t.Errorf("%s: values %q, AWS has %q", at, r.Enum, leaf.Enum)
	}
	if f.Type.Kind() != reflect.Struct { // bounds of our own may be added where AWS's are in the text alone
		for _, b := range []struct {
			name       string
			have, want *int64
		}{{"min", r.Min, s.Min}, {"max", r.Max, s.Max}} {
			if b.want != nil && (b.have == nil || *b.have != *b.want) && !(b.name == "min" && *b.want == 0) {
				c.t.Errorf("%s: %s is %v, AWS has %d", at, b.name, show(b.have), *b.want)
			}
		}
	}
}

func show(n *int64) string {
	if n == nil {
		return "not set"
	}
	return fmt.Sprint(*n)
}

func (c *checker) value(at string, have reflect.Type, name string) {
	s := c.m.Shapes[name]
	for have.Kind() == reflect.Pointer {
		have = have.Elem()
	}
	kind := ""
	switch {
	case have == reflect.TypeFor[time.Time]():
		kind = "timestamp"
	case have.Kind() == reflect.String:
		kind = "string"
	case have.Kind() == reflect.Bool:
		kind = "boolean"
	case have.Kind() == reflect.Int || have.Kind() == reflect.Int64:
		kind = "integer long"
	case have.Kind() == reflect.Struct:
		kind = "structure"
	case have.Kind() == reflect.Slice:
		kind = "list"
	case have.Kind() == reflect.Map:
		kind = "map"
	}
	if !strings.Contains(kind, s.Type) {
		c.t.Errorf("%s is a %s, AWS has a %s", at, have, s.Type)
		return
	}
	switch s.Type {
	case "structure":
		c.structure(at, have, name)
	case "list":
		c.value(at+"[]", have.Elem(), s.Member.Shape)
	}
}
