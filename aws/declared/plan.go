package declared

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// maxModules bounds how deep modules nest; Terraform configurations stay below ten.
const maxModules = 50

// ReadPlan reads the answer of `terraform show -json`: of a plan, with what is to be after it, or of a state.
// Source: "JSON output format" of Terraform's documentation, format 1.x.
func ReadPlan(f File) (*Result, error) {
	if bytes.HasPrefix(f.Data, []byte("PK")) {
		return nil, fmt.Errorf("%s: a saved plan in Terraform's own format: give what terraform show -json prints of it", f.Name)
	}
	root, err := parseJSONBut(f, ofNoUse)
	if err != nil {
		return nil, err
	}
	part := "planned_values"
	if root.get(part).empty() {
		part = "values"
	}
	if root.get("format_version").empty() || root.kind != mapping {
		return nil, fmt.Errorf("%s: no plan of Terraform: want the output of terraform show -json PLAN", f.Name)
	}
	p := &plan{file: f.Name, unknown: map[string]*node{}}
	for _, c := range root.get("resource_changes").list() {
		if u := c.get("change", "after_unknown"); u != nil {
			p.unknown[c.get("address").str()] = u
		}
	}
	if err := p.module(root.get(part, "root_module"), root.get("configuration", "root_module"), part+".root_module", "", 0); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	return &Result{Listeners: fromTerraform(TerraformPlan, p.all)}, nil
}

// ofNoUse reports whether a value of a plan says nothing of load balancers: what was before, and the content of other resources.
func ofNoUse(kind, key string) bool {
	switch key {
	case "prior_state", "before", "after", "before_sensitive", "after_sensitive", "sensitive_values", "output_changes", "relevant_attributes":
		return true
	case "values", "change", "expressions":
		return strings.Contains(kind, "_") && !terraformTypes[kind]
	}
	return false
}

// plan is a plan that is being read.
type plan struct {
	file    string
	unknown map[string]*node // what is known after apply only, by address
	all     []resource
}

// module reads the resources of a module and of those in it. config is the module's configuration, nil where the plan has none.
func (p *plan) module(m, config *node, path, prefix string, depth int) error {
	if depth > maxModules {
		return errors.New("modules nested too deep")
	}
	expressions := map[string]*node{}
	for _, c := range config.get("resources").list() {
		expressions[c.get("address").str()] = c.get("expressions")
	}
	for i, r := range m.get("resources").list() {
		kind, address := r.get("type").str(), r.get("address").str()
		if !terraformTypes[kind] || r.get("mode").str() == "data" {
			continue
		}
		where := fmt.Sprintf("%s.resources[%d].values", path, i)
		b := planBody{p, r.get("values"), p.unknown[address], expressions[kind+"."+r.get("name").str()], where, prefix, r}
		p.all = append(p.all, resource{kind, printable(address), Position{}, b})
	}
	for i, child := range m.get("child_modules").list() {
		address := child.get("address").str()
		name := strings.TrimPrefix(strings.TrimPrefix(address, prefix), "module.")
		name, _, _ = strings.Cut(name, "[")
		c := config.get("module_calls", name, "module")
		if err := p.module(child, c, fmt.Sprintf("%s.child_modules[%d]", path, i), address+".", depth+1); err != nil {
			return err
		}
	}
	return nil
}

// planBody is a resource of a plan, or a block of it.
type planBody struct {
	plan        *plan
	values      *node
	unknown     *node // the same shape, with true for what is known after apply
	expressions *node // the same shape, with what the configuration says; nil where the plan has none
	path        string
	prefix      string // of the module, with its last dot
	place       *node  // that stands for the whole
}

func (b planBody) at() Position {
	if b.values != nil {
		return b.values.at(b.plan.file, b.path)
	}
	return b.place.at(b.plan.file, b.path)
}

func (b planBody) attr(name string) field {
	path := b.path + "." + name
	v := b.values.get(name)
	said := b.expressions.get(name)
	refs := b.refs(said)
	if !v.empty() {
		return field{text: v.str(), known: v.kind == scalar, refs: refs, at: v.at(b.plan.file, path)}
	}
	later := b.unknown.get(name).str() == "true"
	switch {
	case later && (b.expressions == nil || said != nil):
		why := "known after apply"
		if from := references(said); len(from) > 0 {
			why += ": set by " + printable(from[0])
		}
		f := unknown(b.at(), why)
		f.refs = refs
		return f
	default: // what the configuration does not say, the provider fills in with AWS's default
		return field{at: b.at(), refs: refs}
	}
}

func (b planBody) list(name string) ([]field, field) {
	v := b.values.get(name)
	whole := b.attr(name)
	if v == nil || v.kind != sequence {
		if !whole.absent() || len(whole.refs) == 0 {
			return b.referred(whole)
		}
		return nil, whole
	}
	whole.known = true
	var l []field
	for i, e := range v.items {
		f := field{text: e.str(), known: e.kind == scalar, at: e.at(b.plan.file, fmt.Sprintf("%s.%s[%d]", b.path, name, i))}
		if !f.known {
			f.why, f.refs = "known after apply", whole.refs
		}
		l = append(l, f)
	}
	return l, whole
}

// referred is a list that is known after apply only: the resources that it refers to are known nevertheless.
func (b planBody) referred(whole field) ([]field, field) {
	if len(whole.refs) == 0 {
		return nil, whole
	}
	var l []field
	for _, ref := range whole.refs {
		l = append(l, field{why: whole.why, refs: []string{ref}, at: whole.at})
	}
	whole.known = true
	return l, whole
}

func (b planBody) blocks(name string) ([]body, string) {
	v := b.values.get(name)
	if v.empty() && b.unknown.get(name).str() == "true" {
		return nil, "known after apply"
	}
	unknown, said := b.unknown.get(name).list(), b.expressions.get(name).list()
	var l []body
	for i, e := range v.list() {
		c := planBody{plan: b.plan, values: e, path: fmt.Sprintf("%s.%s[%d]", b.path, name, i), prefix: b.prefix, place: e}
		if i < len(unknown) {
			c.unknown = unknown[i]
		}
		if i < len(said) && len(said) == len(v.list()) {
			c.expressions = said[i]
		}
		l = append(l, c)
	}
	return l, ""
}

// refs are the addresses of the resources that an expression refers to.
func (b planBody) refs(said *node) []string {
	var l []string
	for _, r := range references(said) {
		if parts := strings.Split(r, "."); len(parts) == 2 && terraformTypes[strings.SplitN(parts[0], "[", 2)[0]] {
			l = append(l, b.prefix+r)
		}
	}
	return l
}

// references is what an expression of the plan's configuration refers to, the most exact first.
func references(said *node) []string {
	var l []string
	for _, r := range said.get("references").list() {
		l = append(l, r.str())
	}
	return l
}
