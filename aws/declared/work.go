package declared

import (
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// Bounds of values, counted in characters and elements: what a local, variable or argument may hold, so that values which are made
// of each other cannot double without end, and what the values that one expression works through may come to together.
const (
	maxValue = 64 << 10
	maxWork  = 4 << 20
)

// functions are those of Terraform that choose among what they are given, and make nothing larger than that.
// Source: "Built-in Functions" of Terraform's documentation.
var functions = map[string]function.Function{
	"coalesce": stdlib.CoalesceFunc, "lookup": stdlib.LookupFunc, "element": stdlib.ElementFunc, "merge": stdlib.MergeFunc,
	"lower": stdlib.LowerFunc, "upper": stdlib.UpperFunc, "trimspace": stdlib.TrimSpaceFunc, "length": stdlib.LengthFunc,
	"contains": stdlib.ContainsFunc, "keys": stdlib.KeysFunc, "values": stdlib.ValuesFunc, "try": tryfunc.TryFunc, "can": tryfunc.CanFunc,
	"tostring": stdlib.MakeToFunc(cty.String), "tonumber": stdlib.MakeToFunc(cty.Number), "tobool": stdlib.MakeToFunc(cty.Bool),
	"toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)), "tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)), "tomap": stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
}

// jsonLoop finds what may be a loop, or hide one, in an expression of .tf.json, whose parts cannot be looked at.
var jsonLoop = regexp.MustCompile(`[\[{]\s*for\b|\*|\\`)

// unbounded names what in an expression could cost much more than it is long, or cannot be followed: large values, loops in loops,
// functions other than those above.
func (s *scope) unbounded(e hcl.Expression) string {
	const tooMuch = "set by an expression over more than is followed"
	work := s.weight(e)
	n, ok := e.(hclsyntax.Node)
	if !ok {
		if r := e.Range(); jsonLoop.Match(r.SliceBytes(s.module.sources[r.Filename])) {
			return "set by an expression with a loop or an escape"
		}
		if work > maxWork {
			return tooMuch
		}
		return ""
	}
	bad, loops := "", 0
	hclsyntax.VisitAll(n, func(n hclsyntax.Node) hcl.Diagnostics {
		switch x := n.(type) {
		case *hclsyntax.ForExpr:
			if loops++; loops > 1 {
				bad = "set by several for expressions"
				break
			}
			if s.unbounded(x.CollExpr) != "" { // it may not loop itself
				bad = "set by a for expression"
				break
			}
			work *= 1 + s.rounds(x.CollExpr)
		case *hclsyntax.SplatExpr:
			bad = "set by a splat expression"
		case *hclsyntax.FunctionCallExpr:
			if _, known := functions[x.Name]; !known {
				bad = "set by the function " + printable(x.Name)
			}
		}
		return nil
	})
	if bad == "" && work > maxWork {
		bad = tooMuch
	}
	return bad
}

// weight is the size of all values that an expression refers to, each as often as it stands there, and of the expression.
func (s *scope) weight(e hcl.Expression) int {
	r := e.Range()
	work := 1 + r.End.Byte - r.Start.Byte
	for _, t := range e.Variables() {
		name := step(t, 1)
		switch t.RootName() {
		case "var":
			work += s.vars[name].size
		case "local":
			work += s.locals[name].size
		case "each":
			work += s.eachSize
		}
		if work > maxWork {
			break
		}
	}
	return work
}

// rounds is how often a for expression goes round over a collection.
func (s *scope) rounds(e hcl.Expression) int {
	v, diags := e.Value(s.context(e))
	if diags.HasErrors() || !v.IsKnown() || v.IsNull() || !v.CanIterateElements() {
		return 0
	}
	return v.LengthInt()
}

// size counts the characters and elements of a value, up to a little over maxValue.
func size(v cty.Value, depth int) int {
	switch {
	case depth > maxDepth:
		return maxValue + 1
	case !v.IsKnown() || v.IsNull():
		return 1
	case v.Type() == cty.String:
		return 1 + len(v.AsString())
	case !v.CanIterateElements():
		return 1
	}
	n := 1
	for it := v.ElementIterator(); it.Next() && n <= maxValue; {
		k, e := it.Element()
		n += size(k, depth+1) + size(e, depth+1)
	}
	return n
}
