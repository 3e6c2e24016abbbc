package declared

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
)

// ReadCloudFormation reads a template of CloudFormation or SAM, in JSON or YAML, short forms such as !Ref included. Defaults of
// parameters, mappings and conditions are resolved as far as the template decides them.
// Source: "AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancing::LoadBalancer" and "Intrinsic function reference"
// of the CloudFormation template reference.
func ReadCloudFormation(f File) (*Result, error) {
	docs, err := parseDocuments(f)
	if err != nil {
		return nil, err
	}
	if len(docs) != 1 || docs[0].get("Resources").empty() || docs[0].get("Resources").kind != mapping {
		return nil, fmt.Errorf("%s: no template of CloudFormation: it has no Resources", f.Name)
	}
	t := &template{file: f.Name, root: docs[0]}
	all := docs[0].get("Resources")
	out := &Result{}
	for i, id := range all.keys {
		r := all.items[i]
		where := "Resources." + id
		if strings.HasPrefix(id, "Fn::") || strings.HasSuffix(r.get("Type").str(), "::MODULE") {
			out.Unseen = append(out.Unseen, Unseen{r.at(f.Name, where), printable(id) + ": resources that CloudFormation makes of a loop, macro or module: give the processed template"})
			continue
		}
		condition := r.get("Condition").str()
		t.assumed = ""
		if condition != "" && t.condition(condition, 0) == no && t.assumed == "" { // whatever parameters are given
			continue
		}
		var found []Listener
		switch r.get("Type").str() {
		case "AWS::ElasticLoadBalancingV2::Listener":
			found = []Listener{t.listener(id, r.get("Properties"), r, where+".Properties")}
		case "AWS::ElasticLoadBalancing::LoadBalancer":
			found = t.classic(id, r.get("Properties"), r, where+".Properties")
		case "AWS::CloudFormation::Stack", "AWS::Serverless::Application":
			out.Unseen = append(out.Unseen, Unseen{r.at(f.Name, where), printable(id) + ": a nested stack, whose template is to be given by itself"})
		}
		for _, l := range found {
			if condition != "" {
				l.Notes = append(l.Notes, "it is made where the condition "+printable(condition)+" holds")
			}
			out.Listeners = append(out.Listeners, l)
		}
	}
	return out, nil
}

// listener reads an AWS::ElasticLoadBalancingV2::Listener.
func (t *template) listener(id string, p, r *node, where string) Listener {
	l := Listener{Format: CloudFormation, Resource: printable(id), At: r.at(t.file, where), Port: t.field(p.get("Port"), where+".Port").port()}
	name := t.field(p.get("SslPolicy"), where+".SslPolicy")
	l.setPolicy(t.field(p.get("Protocol"), where+".Protocol"), name)
	for _, a := range p.get("DefaultActions").list() {
		if to := t.field(a.get("RedirectConfig", "Protocol"), ""); to.known && strings.EqualFold(to.text, "HTTPS") {
			l.Redirects = true
		}
	}
	return l
}

// classic reads the listeners of an AWS::ElasticLoadBalancing::LoadBalancer.
func (t *template) classic(id string, p, r *node, where string) []Listener {
	var out []Listener
	list := p.get("Listeners")
	if list != nil && list.kind != sequence {
		return []Listener{{Format: CloudFormation, Resource: printable(id), At: list.at(t.file, where+".Listeners"), Kind: elb.Classic,
			Unknown: "its listeners are set by an intrinsic function"}}
	}
	for i, n := range list.list() {
		at := fmt.Sprintf("%s.Listeners[%d]", where, i)
		l := Listener{Format: CloudFormation, Resource: printable(id), At: n.at(t.file, at), Kind: elb.Classic}
		port, protocol := t.field(n.get("LoadBalancerPort"), at), t.field(n.get("Protocol"), at+".Protocol")
		l.Port, l.Protocol = port.port(), strings.ToUpper(protocol.text)
		switch {
		case !protocol.known && !protocol.absent():
			l.Unknown = "whether it ends TLS is " + protocol.why
		case l.TLS():
			l.Policy, l.Default = elb.DefaultPolicy, true
			t.policies(&l, n.get("PolicyNames"), p, at+".PolicyNames", where)
			t.byPort(&l, port, p, where)
		}
		out = append(out, l)
	}
	return out
}

// policies puts the policies that a Classic listener names on it.
func (t *template) policies(l *Listener, names, p *node, at, where string) {
	if names != nil && names.kind != sequence && !names.empty() {
		f := t.field(names, at)
		if !f.known {
			l.Unknown, l.At, l.Default = f.why, f.at, false
			return
		}
	}
	for i, n := range names.list() {
		name := t.field(n, fmt.Sprintf("%s[%d]", at, i))
		switch own, own2 := t.own(name.text, p, where); {
		case !name.known && !name.absent():
			l.Unknown, l.At, l.Default = name.why, name.at, false
		case own != nil:
			t.spell(l, own, own2)
		case policy.ByName("classic/"+name.text) != nil:
			l.Policy, l.Default, l.At = name.text, false, name.at
		default:
			l.Unknown, l.Default, l.At = fmt.Sprintf("the policy %s is not among the load balancer's Policies", printable(name.text)), false, name.at
		}
	}
}

// own is the policy of a load balancer that has that name, and its path.
func (t *template) own(name string, p *node, where string) (*node, string) {
	for i, q := range p.get("Policies").list() {
		if at := fmt.Sprintf("%s.Policies[%d]", where, i); name != "" && t.field(q.get("PolicyName"), at).text == name {
			return q, at
		}
	}
	return nil, ""
}

// byPort puts on l the policies that name its port themselves (LoadBalancerPorts).
func (t *template) byPort(l *Listener, port field, p *node, where string) {
	for i, q := range p.get("Policies").list() {
		at := fmt.Sprintf("%s.Policies[%d]", where, i)
		for _, n := range q.get("LoadBalancerPorts").list() {
			if f := t.field(n, at); f.port() != 0 && f.port() == port.port() {
				t.spell(l, q, at)
			}
		}
	}
}

// spell puts a policy that the template spells out on l; other types of policies are passed over.
func (t *template) spell(l *Listener, q *node, at string) {
	if t.field(q.get("PolicyType"), at).text != sslPolicyType {
		return
	}
	l.Policy, l.Default, l.At = t.field(q.get("PolicyName"), at).text, false, q.at(t.file, at)
	var attributes []policy.AttributeValue
	for i, a := range q.get("Attributes").list() {
		here := fmt.Sprintf("%s.Attributes[%d]", at, i)
		name, value := t.field(a.get("Name"), here+".Name"), t.field(a.get("Value"), here+".Value")
		for _, f := range []field{name, value} {
			if !f.known && !f.absent() {
				l.Unknown, l.At = "an attribute of the policy is "+f.why, f.at
				return
			}
		}
		if name.text == "Reference-Security-Policy" {
			l.At = value.at
			l.assume(value)
		}
		attributes = append(attributes, policy.AttributeValue{AttributeName: name.text, AttributeValue: value.text})
	}
	l.spell(attributes)
}

// template is a template that is being read.
type template struct {
	file  string
	root  *node
	steps int // of resolving, within bounds
	// assumed is the parameter whose default the value that is being resolved takes.
	assumed string
}

// maxSteps bounds what conditions and references that are made of each other may cost; maxFunctions how deep they nest.
const (
	maxSteps     = 100_000
	maxFunctions = 40
)

// field gives a value its text, as far as the template decides it.
func (t *template) field(n *node, path string) field {
	at := n.at(t.file, path)
	if n.empty() {
		return field{at: at}
	}
	t.assumed = ""
	text, why, none := t.resolve(n, 0)
	switch {
	case none:
		return field{at: at, assumed: t.assumed}
	case why != "":
		return unknown(at, why)
	}
	f := known(at, text)
	f.assumed = t.assumed
	return f
}

// intrinsic splits an intrinsic function, in its short or long form, into its name without "Fn::" and what it is given.
func intrinsic(n *node) (string, *node) {
	if n.tag != "" {
		inner := *n
		inner.tag = ""
		return strings.TrimPrefix(n.tag, "!"), &inner
	}
	if n.kind == mapping && len(n.keys) == 1 && (n.keys[0] == "Ref" || n.keys[0] == "Condition" || strings.HasPrefix(n.keys[0], "Fn::")) {
		return strings.TrimPrefix(n.keys[0], "Fn::"), n.items[0]
	}
	return "", n
}

// resolve gives a value its text, or says why not, or that it is AWS::NoValue.
func (t *template) resolve(n *node, depth int) (text, why string, none bool) {
	if t.steps++; depth > maxFunctions || t.steps > maxSteps {
		return "", "nested too deep to be followed", false
	}
	if n == nil {
		return "", "set by nothing", false
	}
	name, arg := intrinsic(n)
	switch name {
	case "":
		if n.kind == scalar {
			return n.text, "", false
		}
		return "", "no text", false
	case "Ref":
		return t.ref(arg.str())
	case "Sub":
		return t.sub(arg, depth)
	case "FindInMap":
		return t.findInMap(arg, depth)
	case "If":
		l := arg.list()
		if len(l) != 3 {
			break
		}
		switch t.condition(l[0].str(), depth+1) {
		case yes:
			return t.resolve(l[1], depth+1)
		case no:
			return t.resolve(l[2], depth+1)
		}
		a, aWhy, aNone := t.resolve(l[1], depth+1)
		b, bWhy, bNone := t.resolve(l[2], depth+1)
		if aWhy == "" && bWhy == "" && a == b && aNone == bNone {
			return a, "", aNone
		}
		return "", "set by the condition " + printable(l[0].str()), false
	}
	return "", "set by the function " + printable(name), false
}

func (t *template) ref(name string) (text, why string, none bool) {
	if name == "AWS::NoValue" {
		return "", "", true
	}
	p := t.root.get("Parameters", name)
	if d := p.get("Default"); d != nil && d.kind == scalar {
		if !strings.HasPrefix(p.get("Type").str(), "AWS::SSM::Parameter::Value") {
			t.assumed = "the parameter " + printable(name)
			return d.text, "", false
		}
		return "", "set by the SSM parameter " + printable(d.text), false
	}
	if p != nil {
		return "", "set by the parameter " + printable(name), false
	}
	return "", "set by " + printable(name), false
}

// sub resolves Fn::Sub: a text with ${NAME}, or a list of that and of more names.
func (t *template) sub(arg *node, depth int) (text, why string, none bool) {
	var own *node
	format := arg.str()
	if l := arg.list(); len(l) == 2 {
		format, own = l[0].str(), l[1]
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(format, "${")
		b.WriteString(before)
		if !found {
			return b.String(), "", false
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || b.Len() > maxValue {
			return "", "a text of Fn::Sub that cannot be followed", false
		}
		format = after
		if strings.HasPrefix(name, "!") { // an escape
			b.WriteString("${" + name[1:] + "}")
			continue
		}
		var part string
		if v := own.get(name); v != nil {
			part, why, _ = t.resolve(v, depth+1)
		} else {
			part, why, _ = t.ref(strings.TrimSpace(name))
		}
		if why != "" {
			return "", why, false
		}
		b.WriteString(part)
	}
}

func (t *template) findInMap(arg *node, depth int) (text, why string, none bool) {
	n := t.root.get("Mappings")
	for i, key := range arg.list() {
		if i == 3 {
			break
		}
		k, why, _ := t.resolve(key, depth+1)
		if why != "" {
			return "", why, false
		}
		n = n.get(k)
	}
	if n == nil || n.kind != scalar {
		return "", "set by a mapping without such a key", false
	}
	return n.text, "", false
}

// truth is the outcome of a condition.
type truth uint8

const (
	perhaps truth = iota
	yes
	no
)

// condition decides a condition of the template by its name.
func (t *template) condition(name string, depth int) truth {
	if c := t.root.get("Conditions", name); c != nil {
		return t.decide(c, depth+1)
	}
	return perhaps
}

func (t *template) decide(n *node, depth int) truth {
	if t.steps++; depth > maxFunctions || t.steps > maxSteps || n == nil {
		return perhaps
	}
	name, arg := intrinsic(n)
	var l []truth
	if name == "And" || name == "Or" || name == "Not" {
		for _, e := range arg.list() {
			l = append(l, t.decide(e, depth+1))
		}
	}
	switch {
	case name == "Condition":
		return t.condition(arg.str(), depth+1)
	case name == "Equals" && len(arg.list()) == 2:
		a, aWhy, _ := t.resolve(arg.items[0], depth+1)
		b, bWhy, _ := t.resolve(arg.items[1], depth+1)
		switch {
		case aWhy != "" || bWhy != "":
			return perhaps
		case a == b:
			return yes
		}
		return no
	case name == "Not" && len(l) == 1 && l[0] != perhaps:
		return yes + no - l[0]
	case name == "And" && slices.Contains(l, no), name == "Or" && len(l) > 0 && !slices.Contains(l, yes) && !slices.Contains(l, perhaps):
		return no
	case name == "Or" && slices.Contains(l, yes), name == "And" && len(l) > 0 && !slices.Contains(l, perhaps):
		return yes
	}
	return perhaps
}
