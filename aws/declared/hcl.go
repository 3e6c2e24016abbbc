package declared

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
)

// Bounds of what configurations of Terraform stand for.
const (
	maxInstances = 200    // of a resource with for_each
	maxResources = 20_000 // over all modules
	maxCalls     = 5_000  // of modules
)

// ReadTerraform reads Terraform configurations: .tf and .tf.json files, with terraform.tfvars and *.auto.tfvars beside them. The
// files of a folder are a module together; a module that another one here calls by a relative path is read with what the
// call passes, and so is one from elsewhere that terraform init has put below .terraform/modules, if modules.json there is among the files. Literals, locals, defaults of variables and for_each over known maps are resolved; what they do not decide is unknown,
// with the name of what sets it.
func ReadTerraform(files []File) (*Result, error) {
	folders := map[string][]File{}
	var installed []File
	for _, f := range files {
		if len(f.Data) > MaxText {
			return nil, tooLarge(f.Name, MaxText)
		}
		if strings.HasSuffix(f.Name, modulesFile) {
			installed = append(installed, f)
			continue
		}
		folders[path.Dir(f.Name)] = append(folders[path.Dir(f.Name)], f)
	}
	t := &terraform{modules: map[string]*module{}, installed: map[string]string{}}
	for _, f := range installed {
		if err := t.readInstalled(f); err != nil {
			return nil, err
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(folders)) {
		m, err := readModule(dir, folders[dir])
		if err != nil {
			return nil, err
		}
		t.modules[dir] = m
	}
	for _, dir := range slices.Sorted(maps.Keys(folders)) {
		if m := t.modules[dir]; !t.called(dir) && !vendored(dir+"/") {
			if err := t.expand(m, nil, call{root: dir}); err != nil {
				return nil, err
			}
		}
	}
	return &Result{Listeners: fromTerraform(Terraform, t.all), Unseen: t.unseen}, nil
}

// terraform is a set of modules that is being read.
type terraform struct {
	modules   map[string]*module // by folder
	installed map[string]string  // folders of modules from elsewhere, by the root's folder and the path of the call
	all       []resource
	unseen    []Unseen
	calls     int
}

// modulesFile is where terraform init says which folder it has put a module in.
const modulesFile = ".terraform/modules/modules.json"

// vendored reports whether a file or folder is of a module from elsewhere.
func vendored(name string) bool {
	return strings.HasPrefix(name, ".terraform/") || strings.Contains(name, "/.terraform/")
}

// readInstalled reads modules.json, whose folders are relative to that of the root module.
func (t *terraform) readInstalled(f File) error {
	n, err := parseJSON(f)
	if err != nil {
		return err
	}
	root := path.Clean(strings.TrimSuffix(f.Name, modulesFile))
	for _, m := range n.get("Modules").list() {
		if key, dir := m.get("Key").str(), m.get("Dir").str(); key != "" && dir != "" {
			t.installed[root+"\n"+key] = path.Join(root, dir)
		}
	}
	return nil
}

// call is how a module came to be read.
type call struct {
	root string   // folder of the root module
	key  string   // names of the calls, with dots between them, as modules.json has them
	at   Position // of the first call from a file that is not vendored; nothing in a root module
	from string   // what the addresses begin with
	deep int
}

// module is the files of a folder.
type module struct {
	dir       string
	variables map[string]hcl.Expression // defaults; nil where there is none
	types     map[string]hcl.Expression // of variables
	values    map[string]hcl.Expression // of .tfvars files
	locals    map[string]hcl.Expression
	resources []*hcl.Block
	calls     []*hcl.Block
	sources   map[string][]byte // by name of the file
}

var moduleSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "resource", LabelNames: []string{"type", "name"}}, {Type: "module", LabelNames: []string{"name"}},
	{Type: "variable", LabelNames: []string{"name"}}, {Type: "locals"},
}}

// readModule parses the files of a folder.
func readModule(dir string, files []File) (*module, error) {
	m := &module{dir: dir, variables: map[string]hcl.Expression{}, types: map[string]hcl.Expression{}, values: map[string]hcl.Expression{}, locals: map[string]hcl.Expression{}, sources: map[string][]byte{}}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range files {
		m.sources[f.Name] = f.Data
		body, err := parseHCL(f)
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(f.Name, ".tfvars") || strings.HasSuffix(f.Name, ".tfvars.json") {
			attrs, _ := body.JustAttributes()
			for name, a := range attrs {
				m.values[name] = a.Expr
			}
			continue
		}
		content, _, _ := body.PartialContent(moduleSchema)
		for _, b := range content.Blocks {
			m.add(b)
		}
	}
	return m, nil
}

func (m *module) add(b *hcl.Block) {
	switch b.Type {
	case "resource":
		if terraformTypes[b.Labels[0]] {
			m.resources = append(m.resources, b)
		}
	case "module":
		m.calls = append(m.calls, b)
	case "variable":
		c, _, _ := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "default"}, {Name: "type"}}})
		m.variables[b.Labels[0]] = nil
		if a := c.Attributes["type"]; a != nil {
			m.types[b.Labels[0]] = a.Expr
		}
		if a := c.Attributes["default"]; a != nil {
			m.variables[b.Labels[0]] = a.Expr
		}
	case "locals":
		attrs, _ := b.Body.JustAttributes()
		for name, a := range attrs {
			m.locals[name] = a.Expr
		}
	}
}

// parseHCL parses a file of either syntax.
func parseHCL(f File) (hcl.Body, error) {
	if err := shallow(f.Data); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	var file *hcl.File
	var diags hcl.Diagnostics
	if strings.HasSuffix(f.Name, ".json") {
		file, diags = hcljson.Parse(f.Data, f.Name)
	} else {
		file, diags = hclsyntax.ParseConfig(f.Data, f.Name, hcl.InitialPos)
	}
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			line := 0
			if d.Subject != nil {
				line = d.Subject.Start.Line
			}
			return nil, fmt.Errorf("%s:%d: no configuration of Terraform: %s", f.Name, line, printable(d.Summary+": "+d.Detail))
		}
	}
	return file.Body, nil
}

// shallow refuses what is nested so deep that a recursive parser would need much stack.
func shallow(data []byte) error {
	depth, prefix := 0, 0
	for _, c := range data {
		switch c {
		case '{', '[', '(':
			depth++
			prefix = 0
		case '}', ']', ')':
			depth = max(0, depth-1)
			prefix = 0
		case '!', '-', '?', ':': // unary operators and conditions nest without brackets
			prefix++
		case '\n':
			prefix = 0
		}
		if depth > maxDepth || prefix > 10*maxDepth {
			return errDeep
		}
	}
	return nil
}

// called reports whether another module here calls the one in dir.
func (t *terraform) called(dir string) bool {
	for _, m := range t.modules {
		for _, c := range m.calls {
			if s, local := source(m, c); local && s == dir && m.dir != dir {
				return true
			}
		}
	}
	return false
}

// source is what a call of a module names: the folder where it is a relative path, else the source itself.
func source(m *module, call *hcl.Block) (string, bool) {
	c, _, _ := call.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "source"}}})
	a := c.Attributes["source"]
	if a == nil {
		return "", false
	}
	v, diags := a.Expr.Value(nil)
	if diags.HasErrors() || !v.IsKnown() || v.IsNull() || v.Type() != cty.String {
		return "", false
	}
	s := v.AsString()
	if strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../") {
		return path.Join(m.dir, s), true
	}
	return s, false
}

// expand reads the resources of a module with the arguments of its call, and those of the modules that it calls.
func (t *terraform) expand(m *module, args map[string]argument, by call) error {
	if t.calls++; by.deep > maxModules || t.calls > maxCalls {
		return fmt.Errorf("%s: modules that call each other more than %d deep, or more than %d times", m.dir, maxModules, maxCalls)
	}
	s := newScope(m, args)
	for _, b := range m.resources {
		address := by.from + b.Labels[0] + "." + b.Labels[1]
		for _, inst := range s.instances(b) {
			if len(t.all) >= maxResources {
				return fmt.Errorf("%s: more than %d resources, the most that is read", m.dir, maxResources)
			}
			t.all = append(t.all, resource{b.Labels[0], printable(address + inst.key), by.at, hclBody{inst.scope, b.Body, position(b.DefRange), by.from}})
		}
	}
	for _, c := range m.calls {
		name, local := source(m, c)
		at := position(c.DefRange)
		key := strings.TrimPrefix(by.key+"."+c.Labels[0], ".")
		if dir := t.installed[by.root+"\n"+key]; !local && dir != "" {
			name, local = dir, true
		}
		child := t.modules[name]
		switch {
		case local && child == nil:
			t.unseen = append(t.unseen, Unseen{at, fmt.Sprintf("module.%s: its folder %s was not given", printable(c.Labels[0]), printable(name))})
			continue
		case !local:
			if name == "" {
				name = "a source that is not written out"
			}
			t.unseen = append(t.unseen, Unseen{at, fmt.Sprintf("module.%s comes from %s: audit a plan, or run terraform init first", printable(c.Labels[0]), printable(name))})
			continue
		}
		for _, inst := range s.instances(c) {
			next := call{by.root, key, at, by.from + "module." + c.Labels[0] + inst.key + ".", by.deep + 1}
			if vendored(at.File) {
				next.at = by.at
			}
			if err := t.expand(child, inst.scope.arguments(c), next); err != nil {
				return err
			}
		}
	}
	return nil
}

func position(r hcl.Range) Position {
	return Position{File: r.Filename, Line: r.Start.Line, Column: r.Start.Column}
}
