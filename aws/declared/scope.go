package declared

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// argument is a value that a name stands for, or why it is not known.
type argument struct {
	value cty.Value
	size  int // of the value
	why   string
	refs  []string
	// assumed is the variable whose default it is, or is made of.
	assumed string
}

// scope is the names that the expressions of a module can use.
type scope struct {
	module *module
	vars   map[string]argument
	locals map[string]argument
	each   map[string]cty.Value // key and value, in an instance of for_each
	// eachAssumed is the variable whose default for_each goes over, eachSize the size of key and value.
	eachAssumed string
	eachSize    int
}

// newScope resolves the variables and locals of a module. args are those of the call; nil for a root module.
func newScope(m *module, args map[string]argument) *scope {
	s := &scope{module: m, vars: map[string]argument{}, locals: map[string]argument{}}
	for name, def := range m.variables {
		given, ok := args[name]
		set := m.values[name]
		switch {
		case ok:
			s.vars[name] = given
		case set != nil && args == nil:
			s.vars[name] = s.evaluate(set)
		case def != nil:
			a := s.evaluate(def)
			if args == nil {
				a.assumed = "var." + printable(name)
			}
			s.vars[name] = a
		default:
			s.vars[name] = argument{value: cty.DynamicVal, why: "set by var." + printable(name)}
		}
		s.vars[name] = typed(s.vars[name], m.types[name])
	}
	// Each round resolves the locals whose own are resolved: as many rounds as there are locals are enough, and a round without
	// progress ends it (what is left goes round in a circle).
	for range len(m.locals) {
		before := len(s.locals)
		for _, name := range slices.Sorted(maps.Keys(m.locals)) {
			if _, done := s.locals[name]; !done && s.ready(m.locals[name]) {
				s.locals[name] = s.evaluate(m.locals[name])
			}
		}
		if len(s.locals) == before {
			break
		}
	}
	return s
}

// typed gives a value the type that its variable is declared with, and with that the defaults of optional attributes.
func typed(a argument, constraint hcl.Expression) argument {
	if constraint == nil || !a.value.IsKnown() || a.value.IsNull() || a.why != "" {
		return a
	}
	t, defaults, diags := typeexpr.TypeConstraintWithDefaults(constraint)
	if diags.HasErrors() {
		return a
	}
	v := a.value
	if defaults != nil {
		v = defaults.Apply(v)
	}
	v, err := convert.Convert(v, t)
	if err != nil {
		return a
	}
	if n := size(v, 0); n <= maxValue {
		a.value, a.size = v, n
	}
	return a
}

// ready reports whether the locals that an expression uses are resolved.
func (s *scope) ready(e hcl.Expression) bool {
	for _, t := range e.Variables() {
		if t.RootName() == "local" && len(t) > 1 {
			if name := step(t, 1); s.module.locals[name] != nil {
				if _, ok := s.locals[name]; !ok {
					return false
				}
			}
		}
	}
	return true
}

// evaluate gives an expression its value, or says what it is set by.
func (s *scope) evaluate(e hcl.Expression) argument {
	if bad := s.unbounded(e); bad != "" {
		return argument{value: cty.DynamicVal, why: bad, refs: s.refs(e)}
	}
	v, diags := e.Value(s.context(e))
	v, _ = v.UnmarkDeep()
	a := argument{value: v, refs: s.refs(e), assumed: s.assumed(e)}
	switch {
	case !diags.HasErrors() && v.IsKnown() && size(v, 0) <= maxValue: // a map may have something unknown in it
		a.size = size(v, 0)
	default:
		a.value, a.why = cty.DynamicVal, s.why(e)
		if a.why == "" {
			a.why = "an expression that the file does not decide"
		}
	}
	return a
}

// context holds what an expression refers to; everything that is not of this file is unknown.
func (s *scope) context(e hcl.Expression) *hcl.EvalContext {
	vars, locals := map[string]cty.Value{}, map[string]cty.Value{}
	all := map[string]cty.Value{}
	for _, t := range e.Variables() {
		name := step(t, 1)
		switch t.RootName() {
		case "var":
			vars[name] = cty.DynamicVal
			if a, ok := s.vars[name]; ok {
				vars[name] = a.value
			}
		case "local":
			locals[name] = cty.DynamicVal
			if a, ok := s.locals[name]; ok {
				locals[name] = a.value
			}
		case "each":
			all["each"] = cty.DynamicVal
			if s.each != nil {
				all["each"] = cty.ObjectVal(s.each)
			}
		default:
			all[t.RootName()] = cty.DynamicVal
		}
	}
	all["var"], all["local"] = cty.ObjectVal(vars), cty.ObjectVal(locals)
	return &hcl.EvalContext{Variables: all, Functions: functions}
}

// why names the first thing in an expression whose value is not known.
func (s *scope) why(e hcl.Expression) string {
	for _, t := range e.Variables() {
		name := step(t, 1)
		switch t.RootName() {
		case "var":
			if a, ok := s.vars[name]; !ok || a.why != "" || !a.value.IsWhollyKnown() {
				if a.why != "" {
					return a.why
				}
				return "set by var." + printable(name)
			}
		case "local":
			if a, ok := s.locals[name]; !ok || a.why != "" || !a.value.IsWhollyKnown() {
				if a.why != "" {
					return a.why
				}
				return "set by local." + printable(name)
			}
		case "each":
			if s.each == nil {
				return "set by each." + printable(name)
			}
		default:
			names := []string{t.RootName(), name}
			if t.RootName() == "data" {
				names = append(names, step(t, 2))
			}
			return "set by " + printable(strings.TrimRight(strings.Join(names, "."), "."))
		}
	}
	return ""
}

// refs are the addresses, within the module, of the resources that an expression refers to.
func (s *scope) refs(e hcl.Expression) []string {
	var l []string
	for _, t := range e.Variables() {
		if terraformTypes[t.RootName()] {
			a := t.RootName() + "." + step(t, 1)
			l = append(l, a)
			if key := index(t, 2); key != "" {
				l = append(l, a+key)
			}
		}
		from := s.locals
		if t.RootName() == "var" {
			from = s.vars
		} else if t.RootName() != "local" {
			continue
		}
		l = append(l, from[step(t, 1)].refs...)
	}
	return l
}

// assumed is the first variable, left at its default, that an expression takes its value from.
func (s *scope) assumed(e hcl.Expression) string {
	for _, t := range e.Variables() {
		from := s.locals
		switch t.RootName() {
		case "var":
			from = s.vars
		case "each":
			if s.eachAssumed != "" {
				return s.eachAssumed
			}
			continue
		case "local":
		default:
			continue
		}
		if a := from[step(t, 1)].assumed; a != "" {
			return a
		}
	}
	return ""
}

// step is the name at a place of a traversal, "" where there is none.
func step(t hcl.Traversal, i int) string {
	if i < len(t) {
		if a, ok := t[i].(hcl.TraverseAttr); ok {
			return a.Name
		}
	}
	return ""
}

// index is the instance key at a place of a traversal, as addresses write it: [0], ["a"].
func index(t hcl.Traversal, i int) string {
	if i < len(t) {
		if x, ok := t[i].(hcl.TraverseIndex); ok {
			return instanceKey(x.Key)
		}
	}
	return ""
}

func instanceKey(k cty.Value) string {
	if !k.IsKnown() || k.IsNull() {
		return ""
	}
	s, err := convert.Convert(k, cty.String)
	if err != nil {
		return ""
	}
	if k.Type() == cty.Number {
		return "[" + s.AsString() + "]"
	}
	return fmt.Sprintf("[%q]", s.AsString())
}

// instance is one of what a block with count or for_each makes.
type instance struct {
	key   string
	scope *scope
}

// instances lists what a resource or module block makes: one, none where count is 0 whatever variables are given, or one for each
// element of for_each. Where the file does not tell how many, it makes one whose each.value is not known.
func (s *scope) instances(b *hcl.Block) []instance {
	c, _, _ := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "count"}, {Name: "for_each"}}})
	if a := c.Attributes["count"]; a != nil {
		count := s.evaluate(a.Expr)
		if n := count.value; count.assumed == "" && n.IsKnown() && !n.IsNull() && n.Type() == cty.Number && n.RawEquals(cty.Zero) {
			return nil
		}
		return []instance{{"", s}}
	}
	a := c.Attributes["for_each"]
	if a == nil {
		return []instance{{"", s}}
	}
	all := s.evaluate(a.Expr)
	v := all.value
	if !v.IsKnown() || v.IsNull() || !v.CanIterateElements() || v.LengthInt() > maxInstances || v.LengthInt() == 0 && all.assumed != "" {
		return []instance{{"[*]", s}}
	}
	var l []instance
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if v.Type().IsSetType() {
			k = e
		}
		child := *s
		child.each, child.eachAssumed, child.eachSize = map[string]cty.Value{"key": k, "value": e}, all.assumed, size(k, 0)+size(e, 0)
		l = append(l, instance{instanceKey(k), &child})
	}
	return l
}

// arguments evaluates what a call passes to a module.
func (s *scope) arguments(call *hcl.Block) map[string]argument {
	args := map[string]argument{}
	attrs, _ := call.Body.JustAttributes() // blocks in it, such as providers, are no arguments
	for name, a := range attrs {
		args[name] = s.evaluate(a.Expr)
	}
	return args
}
