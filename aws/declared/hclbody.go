package declared

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// hclBody is a resource of a configuration, or a block of it.
type hclBody struct {
	scope  *scope
	body   hcl.Body
	place  Position
	prefix string // of the module's addresses
}

func (b hclBody) at() Position { return b.place }

func (b hclBody) attribute(name string) *hcl.Attribute {
	c, _, _ := b.body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: name}}})
	return c.Attributes[name]
}

func (b hclBody) attr(name string) field {
	a := b.attribute(name)
	if a == nil {
		return field{at: b.place}
	}
	return b.field(a.Expr)
}

// field evaluates an expression to a text.
func (b hclBody) field(e hcl.Expression) field {
	v := b.scope.evaluate(e)
	f := field{at: position(e.Range()), why: v.why, assumed: v.assumed}
	for _, r := range v.refs {
		f.refs = append(f.refs, b.prefix+r)
	}
	switch {
	case f.why != "":
	case v.value.IsNull():
	case !v.value.IsKnown():
		f.why = b.scope.why(e)
		if f.why == "" {
			f.why = "an expression that the file does not decide"
		}
	default:
		s, err := convert.Convert(v.value, cty.String)
		if err != nil || s.IsNull() || !s.IsKnown() {
			f.why = "an expression that is no text"
			break
		}
		f.text, f.known = s.AsString(), true
	}
	return f
}

func (b hclBody) list(name string) ([]field, field) {
	a := b.attribute(name)
	if a == nil {
		return nil, field{at: b.place}
	}
	whole := field{at: position(a.Expr.Range())}
	exprs, diags := hcl.ExprList(a.Expr)
	if diags.HasErrors() {
		v := b.scope.evaluate(a.Expr)
		whole.why = v.why
		if whole.why == "" && v.value.IsKnown() && !v.value.IsNull() && v.value.CanIterateElements() {
			whole.known = true
			var l []field
			for it := v.value.ElementIterator(); it.Next(); {
				_, e := it.Element()
				f := field{at: whole.at, why: "an element that the file does not decide"}
				if s, err := convert.Convert(e, cty.String); err == nil && s.IsKnown() && !s.IsNull() {
					f.text, f.known, f.why = s.AsString(), true, ""
				}
				l = append(l, f)
			}
			return l, whole
		}
		if whole.why == "" {
			whole.why = "an expression that the file does not decide"
		}
		return nil, whole
	}
	whole.known = true
	var l []field
	for _, e := range exprs {
		l = append(l, b.field(e))
	}
	return l, whole
}

func (b hclBody) blocks(name string) ([]body, string) {
	c, _, _ := b.body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: name}, {Type: "dynamic", LabelNames: []string{"name"}}}})
	var l []body
	why := ""
	for _, block := range c.Blocks {
		if block.Type == "dynamic" {
			if block.Labels[0] == name {
				why = "made by a dynamic block"
			}
			continue
		}
		l = append(l, hclBody{b.scope, block.Body, position(block.DefRange), b.prefix})
	}
	return l, why
}
