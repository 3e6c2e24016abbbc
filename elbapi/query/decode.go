package query

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Decode fills in, a pointer to a struct, with the parameters. A field has the name of its parameter and one of the types
//
//	string, int, int64, bool    and pointers to them, which are nil where the parameter is missing
//	struct, *struct             NAME.FIELD
//	[]T                         NAME.member.N; nil where the list is missing, empty where it is given and empty
//	map[string]string           NAME.entry.N.key and NAME.entry.N.value
//
// The tag `query:"rule,rule"` has what the service demands of it:
//
//	required        the parameter must be there
//	min=N, max=N    bounds of a number, of the characters of a string, of the members of a list
//	enum=A|B        the values a string can have; members of a list too
//	flat            the list is NAME.N
//
// `pattern:"regexp"` is what the string, or each member of the list, must match as a whole.
//
// Parameters that the struct has no field for are errors: a stand-in that drops what it does not know would let a program
// believe that its setting was taken.
func (v *Values) Decode(in any) error {
	d := decoder{}
	d.structure("", v.root, reflect.ValueOf(in).Elem())
	if d.malformed != nil {
		return d.malformed
	}
	if n := len(d.broken); n > 0 {
		noun := "error"
		if n > 1 {
			noun = "errors"
		}
		return Invalid("%d validation %s detected: %s", n, noun, strings.Join(d.broken, "; "))
	}
	return nil
}

type decoder struct {
	broken    []string // constraints, in the words of the service
	malformed *Error
}

func (d *decoder) fail(e *Error) {
	if d.malformed == nil {
		d.malformed = e
	}
}

// constraint notes a broken rule; paths are written as the service does, in lower camel case.
func (d *decoder) constraint(path, value, rule string) {
	d.broken = append(d.broken, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, lowerPath(path), rule))
}

func (d *decoder) structure(path string, n *node, v reflect.Value) {
	t := v.Type()
	known := make(map[string]bool, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		known[f.Name] = true
		r := cached(f)
		child := n.children[f.Name]
		if child == nil {
			if r.Required {
				d.constraint(join(path, f.Name), "null", "Member must not be null")
			}
			continue
		}
		d.value(join(path, f.Name), child, v.Field(i), r)
	}
	for name := range n.children {
		if !known[name] {
			d.fail(Invalid("the parameter %s is not known to this service", clip(join(path, name))))
		}
	}
	if n.given && n.value != "" {
		d.fail(Fail("MalformedInput", "the parameter %s is a structure and cannot have a value of its own", clip(path)))
	}
}

func (d *decoder) value(path string, n *node, v reflect.Value, r *Rules) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(path, n, v.Elem(), r)
	case reflect.Struct:
		d.structure(path, n, v)
	case reflect.Slice:
		d.list(path, n, v, r)
	case reflect.Map:
		d.entries(path, n, v)
	default:
		if len(n.children) > 0 || !n.given {
			d.fail(Fail("MalformedInput", "the parameter %s has a single value", clip(path)))
			return
		}
		d.scalar(path, n.value, v, r)
	}
}

func (d *decoder) scalar(path, text string, v reflect.Value, r *Rules) {
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(text) {
			d.fail(Fail("MalformedInput", "the parameter %s is not UTF-8", clip(path)))
			return
		}
		d.text(path, text, r)
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			d.fail(Fail("MalformedInput", "the parameter %s must be a number, not %q", clip(path), clip(text)))
			return
		}
		if r.Min != nil && i < *r.Min {
			d.constraint(path, quote(text), fmt.Sprintf("Member must have value greater than or equal to %d", *r.Min))
		} else if r.Max != nil && i > *r.Max {
			d.constraint(path, quote(text), fmt.Sprintf("Member must have value less than or equal to %d", *r.Max))
		}
		v.SetInt(i)
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			d.fail(Fail("MalformedInput", "the parameter %s must be true or false, not %q", clip(path), clip(text)))
			return
		}
		v.SetBool(b)
	default:
		panic("query: no rule for fields of type " + v.Type().String())
	}
}

func (d *decoder) text(path, text string, r *Rules) {
	n := int64(utf8.RuneCountInString(text))
	switch {
	case r.Min != nil && n < *r.Min:
		d.constraint(path, quote(text), fmt.Sprintf("Member must have length greater than or equal to %d", *r.Min))
	case r.Max != nil && n > *r.Max:
		d.constraint(path, quote(text), fmt.Sprintf("Member must have length less than or equal to %d", *r.Max))
	}
	if r.pattern != nil && !r.pattern.MatchString(text) {
		d.constraint(path, quote(text), "Member must satisfy regular expression pattern: "+r.patternText)
	}
	if r.Enum != nil && !slices.Contains(r.Enum, text) {
		d.constraint(path, quote(text), "Member must satisfy enum value set: ["+strings.Join(r.Enum, ", ")+"]")
	}
}

func (d *decoder) list(path string, n *node, v reflect.Value, r *Rules) {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	if len(n.children) == 0 {
		if n.value != "" {
			d.fail(Fail("MalformedInput", "the parameter %s is a list: its members are %s.member.1 and so on", clip(path), clip(path)))
			return
		}
		d.length(path, 0, r)
		return
	}
	members := n
	if !r.Flat {
		for name := range n.children {
			if name != "member" {
				d.fail(Fail("MalformedInput", "the parameter %s is a list: its members are %s.member.1 and so on", clip(path), clip(path)))
				return
			}
		}
		members = n.children["member"]
	}
	numbers, ok := d.numbers(path, members)
	if !ok {
		return
	}
	d.length(path, int64(len(numbers)), r)
	v.Set(reflect.MakeSlice(v.Type(), len(numbers), len(numbers)))
	each := &Rules{Enum: r.Enum, pattern: r.pattern, patternText: r.patternText}
	for i, number := range numbers {
		d.value(fmt.Sprintf("%s.%d.member", path, i+1), members.children[strconv.Itoa(number)], v.Index(i), each)
	}
}

func (d *decoder) length(path string, n int64, r *Rules) {
	if r.Min != nil && n < *r.Min {
		d.constraint(path, "'[]'", fmt.Sprintf("Member must have length greater than or equal to %d", *r.Min))
	} else if r.Max != nil && n > *r.Max {
		d.constraint(path, "'[...]'", fmt.Sprintf("Member must have length less than or equal to %d", *r.Max))
	}
}

// numbers returns the numbers of a list's members in order; gaps are taken, as AWS does.
func (d *decoder) numbers(path string, n *node) ([]int, bool) {
	var l []int
	for part := range n.children {
		i, ok := index(part)
		if !ok {
			d.fail(Fail("MalformedInput", "the parameter %s has a member %q: they are numbered from 1", clip(path), clip(part)))
			return nil, false
		}
		l = append(l, i)
	}
	slices.Sort(l)
	return l, true
}

func (d *decoder) entries(path string, n *node, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	entry := n.children["entry"]
	if entry == nil {
		if len(n.children) > 0 || n.value != "" {
			d.fail(Fail("MalformedInput", "the parameter %s is a map: its members are %s.entry.1.key, %s.entry.1.value and so on", clip(path), clip(path), clip(path)))
		}
		return
	}
	numbers, ok := d.numbers(path, entry)
	if !ok {
		return
	}
	for _, i := range numbers {
		e := entry.children[strconv.Itoa(i)]
		key, value := e.children["key"], e.children["value"]
		if key == nil || value == nil || len(e.children) != 2 || len(key.children)+len(value.children) > 0 {
			d.fail(Fail("MalformedInput", "entry %d of the parameter %s must have a key and a value", i, clip(path)))
			return
		}
		v.SetMapIndex(reflect.ValueOf(key.value), reflect.ValueOf(value.value))
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func quote(text string) string { return "'" + clip(text) + "'" }

func lowerPath(path string) string {
	parts := strings.Split(path, ".")
	for i, p := range parts {
		parts[i] = strings.ToLower(p[:1]) + p[1:]
	}
	return strings.Join(parts, ".")
}
