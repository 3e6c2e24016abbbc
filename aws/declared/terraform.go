package declared

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
)

// body is the content of a Terraform resource or of a block in it, from a plan or from a configuration.
type body interface {
	attr(name string) field
	list(name string) ([]field, field) // elements; the second one is not known where the list is not
	blocks(name string) ([]body, string)
	at() Position
}

// resource is a managed resource of Terraform.
type resource struct {
	kind    string // aws_lb_listener …
	address string
	call    Position // of the module that it is in; nothing in a root module, or where that is not told
	body
}

// terraformTypes are the resources that say something of a listener.
// Source: documentation of the provider hashicorp/aws, resources of "ELB Classic" and "ELB (Elastic Load Balancing)".
var terraformTypes = map[string]bool{
	"aws_lb_listener": true, "aws_alb_listener": true, "aws_elb": true, "aws_load_balancer_policy": true,
	"aws_load_balancer_listener_policy": true, "aws_lb_ssl_negotiation_policy": true,
}

// fromTerraform puts listeners together out of resources.
func fromTerraform(format Format, all []resource) []Listener {
	var out []Listener
	for _, r := range all {
		switch r.kind {
		case "aws_lb_listener", "aws_alb_listener":
			l := Listener{Format: format, Resource: r.address, At: r.at(), Port: r.attr("port").port()}
			l.setPolicy(r.attr("protocol"), r.attr("ssl_policy"))
			l.Redirects = redirects(r)
			l.byCall(r)
			out = append(out, l)
		case "aws_elb":
			for _, l := range classicListeners(format, r, all) {
				l.byCall(r)
				out = append(out, l)
			}
		}
	}
	for _, r := range all {
		if r.kind == "aws_lb_ssl_negotiation_policy" || r.kind == "aws_load_balancer_listener_policy" {
			if l := elsewhere(format, r, all); l != nil {
				l.byCall(r)
				out = append(out, *l)
			}
		}
	}
	return out
}

// byCall says where the module of a resource is called; a listener in a module from elsewhere is put there.
func (l *Listener) byCall(r resource) {
	switch {
	case r.call.File == "":
	case vendored(l.At.File):
		l.Notes = append(l.Notes, "in the module's file "+l.At.File)
		l.At = r.call
	default:
		l.Notes = append(l.Notes, "its module is called at "+r.call.String())
	}
}

// redirects reports whether a listener's default action sends clients to HTTPS.
func redirects(r resource) bool {
	actions, _ := r.blocks("default_action")
	for _, a := range actions {
		to, _ := a.blocks("redirect")
		if len(to) > 0 && strings.EqualFold(to[0].attr("protocol").text, "HTTPS") {
			return true
		}
	}
	return false
}

// classicListeners reads the listeners of an aws_elb, with the policies that other resources put on them.
func classicListeners(format Format, r resource, all []resource) []Listener {
	blocks, why := r.blocks("listener")
	var out []Listener
	if why != "" {
		out = append(out, Listener{Format: format, Resource: r.address, At: r.at(), Kind: elb.Classic, Unknown: "its listeners are " + why})
	}
	for _, b := range blocks {
		port, protocol := b.attr("lb_port"), b.attr("lb_protocol")
		l := Listener{Format: format, Resource: r.address, At: b.at(), Kind: elb.Classic, Port: port.port(), Protocol: strings.ToUpper(protocol.text)}
		switch {
		case !protocol.known && !protocol.absent():
			l.Unknown = "whether it ends TLS is " + protocol.why
		case l.TLS():
			l.Policy, l.Default = elb.DefaultPolicy, true
			for _, p := range all {
				if onPort(p, port) && onLoadBalancer(p, r) {
					l.apply(p, all)
				}
			}
		}
		out = append(out, l)
	}
	return out
}

// apply puts the policy of an aws_lb_ssl_negotiation_policy or aws_load_balancer_listener_policy on l.
func (l *Listener) apply(p resource, all []resource) {
	if p.kind == "aws_lb_ssl_negotiation_policy" {
		l.setClassic(p.attr("name"), p, "attribute")
		l.At = p.at()
		return
	}
	names, whole := p.list("policy_names")
	if !whole.known && !whole.absent() {
		l.Unknown, l.At, l.Default = whole.why, whole.at, false
		return
	}
	for _, name := range names {
		q := policyOf(name, all)
		switch {
		case q != nil && q.attr("policy_type_name").text == sslPolicyType:
			l.setClassic(q.attr("policy_name"), *q, "policy_attribute")
		case q == nil && name.known && policy.ByName("classic/"+name.text) != nil:
			l.Policy, l.Default, l.At = name.text, false, name.at
		case q == nil && !name.known:
			l.Unknown, l.Default, l.At = name.why, false, name.at
		case q == nil:
			l.Unknown, l.Default, l.At = fmt.Sprintf("the policy %s of this load balancer is declared in no file here", printable(name.text)), false, name.at
		}
	}
}

const sslPolicyType = "SSLNegotiationPolicyType"

// policyOf is the aws_load_balancer_policy that a name means.
func policyOf(name field, all []resource) *resource {
	for i, r := range all {
		if r.kind != "aws_load_balancer_policy" {
			continue
		}
		if own := r.attr("policy_name"); name.known && own.known && own.text == name.text || slices.Contains(name.refs, r.address) {
			return &all[i]
		}
	}
	return nil
}

// setClassic gives l a Classic policy that is spelt out as blocks of names and values.
func (l *Listener) setClassic(name field, r body, block string) {
	l.Policy, l.Default, l.At = name.text, false, r.at()
	if l.Policy == "" {
		l.Policy = "(unnamed)"
	}
	blocks, why := r.blocks(block)
	if why != "" {
		l.Unknown = "its attributes are " + why
		return
	}
	var attributes []policy.AttributeValue
	for _, b := range blocks {
		n, v := b.attr("name"), b.attr("value")
		for _, f := range []field{n, v} {
			if !f.known && !f.absent() {
				l.Unknown, l.At = "an attribute of the policy is "+f.why, f.at
				return
			}
		}
		if n.text == "Reference-Security-Policy" && v.known {
			l.At = v.at
			l.assume(v)
		}
		attributes = append(attributes, policy.AttributeValue{AttributeName: n.text, AttributeValue: v.text})
	}
	l.spell(attributes)
}

// spell makes l's policy of attributes.
func (l *Listener) spell(attributes []policy.AttributeValue) {
	for _, a := range attributes {
		if a.AttributeName == "Reference-Security-Policy" {
			l.Reference = a.AttributeValue
		}
	}
	made, err := policy.ClassicCustom(l.Policy, attributes)
	if err != nil {
		l.Unknown = printable(err.Error())
		return
	}
	l.Accepts = made
}

// onPort reports whether a policy is put on that port of some load balancer.
func onPort(p resource, port field) bool {
	var f field
	switch p.kind {
	case "aws_lb_ssl_negotiation_policy":
		f = p.attr("lb_port")
	case "aws_load_balancer_listener_policy":
		f = p.attr("load_balancer_port")
	default:
		return false
	}
	return f.port() != 0 && f.port() == port.port()
}

// balancerOf is the load balancer that a policy is put on.
func balancerOf(p resource) field {
	if p.kind == "aws_lb_ssl_negotiation_policy" {
		return p.attr("load_balancer")
	}
	return p.attr("load_balancer_name")
}

// onLoadBalancer reports whether policy p is put on load balancer r: by its name, or by a reference to it.
func onLoadBalancer(p, r resource) bool {
	to, name := balancerOf(p), r.attr("name")
	return to.known && name.known && to.text != "" && to.text == name.text || slices.Contains(to.refs, r.address)
}

// elsewhere is the listener of a policy whose load balancer is declared in no file here; nil where one declares it, or where
// what is put on the listener is no security policy.
func elsewhere(format Format, p resource, all []resource) *Listener {
	for _, r := range all {
		if r.kind == "aws_elb" && onLoadBalancer(p, r) {
			return nil
		}
	}
	l := &Listener{Format: format, Resource: p.address, At: p.at(), Kind: elb.Classic, Protocol: "SSL"}
	if l.Port = p.attr("lb_port").port(); p.kind == "aws_load_balancer_listener_policy" {
		l.Port = p.attr("load_balancer_port").port()
	}
	l.apply(p, all)
	if l.Policy == "" && (l.Unknown == "" || p.kind == "aws_load_balancer_listener_policy") {
		return nil
	}
	l.Notes = append(l.Notes, "its load balancer is declared elsewhere")
	return l
}
