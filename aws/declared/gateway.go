package declared

import (
	"fmt"
	"strings"

	"github.com/parley-tls/parley/aws/elb"
)

// gatewayControllers are the controllers that make load balancers of AWS of Gateways.
// Source: guides "L7 Gateway" and "L4 Gateway" of the AWS Load Balancer Controller.
var gatewayControllers = map[string]elb.Kind{"gateway.k8s.aws/alb": elb.ALB, "gateway.k8s.aws/nlb": elb.NLB}

// isConfiguration reports whether o is a LoadBalancerConfiguration of the controller.
func (o object) isConfiguration() bool {
	return o.kind == "LoadBalancerConfiguration" && strings.HasPrefix(o.node.get("apiVersion").str(), "gateway.k8s.aws/")
}

func (o object) namespace() string { return o.node.get("metadata", "namespace").str() }

// refers reports whether the reference at a path of o means x. A reference without a namespace means o's own.
func (o object) refers(x object, path ...string) bool {
	ref := o.node.get(path...)
	namespace := ref.get("namespace").str()
	if namespace == "" {
		namespace = o.namespace()
	}
	return ref.get("kind").str() == "LoadBalancerConfiguration" && ref.get("name").str() == x.name() && (namespace == x.namespace() || x.namespace() == "")
}

// configures reports whether a Gateway or its class refers to a configuration, so that it counts there and not by itself.
func (c *cluster) configures(x object) bool {
	for _, o := range c.objects {
		if o.kind == "Gateway" && o.refers(x, "spec", "infrastructure", "parametersRef") || o.kind == "GatewayClass" && o.refers(x, "spec", "parametersRef") {
			return true
		}
	}
	return false
}

// gateway reads the listeners of a Gateway; none where another controller serves it.
func (c *cluster) gateway(o object) []Listener {
	class, found := c.gatewayClass(o.spec("gatewayClassName").str())
	kind := gatewayControllers[class.spec("controllerName").str()]
	switch {
	case found && kind == "":
		return nil
	case !found && o.node.get("spec", "infrastructure", "parametersRef", "kind").str() != "LoadBalancerConfiguration":
		return nil // nothing says that it is the controller's
	}
	configurations, missing := c.configurationsOf(o, class)
	var out []Listener
	seen := map[int]bool{}
	for i, n := range o.spec("listeners").list() {
		protocol := n.get("protocol").str()
		if protocol == "TLS" && n.get("tls", "mode").str() == "Passthrough" {
			protocol = "TCP"
		}
		l := o.listener()
		l.At = n.at(o.file, fmt.Sprintf("%sspec.listeners[%d]", o.path, i))
		port := known(l.At, n.get("port").str()).port()
		if seen[port] { // listeners of one port are one, with several names
			continue
		}
		seen[port] = true
		name, configured := policyFor(configurations, protocol, port)
		if !configured {
			name.at = l.At
			if missing != "" {
				name.why = "set by " + missing + ", which is in no file here"
			}
		}
		at := l.At
		l.setPolicy(known(at, protocol), name)
		l.Port = port
		if kind != "" {
			l.Kind = kind
		}
		if l.Default {
			l.Notes = append(l.Notes, "no policy is named: the controller takes its --default-ssl-policy")
		}
		out = append(out, l)
	}
	return out
}

func (c *cluster) gatewayClass(name string) (object, bool) {
	for _, o := range c.objects {
		if o.kind == "GatewayClass" && o.name() == name {
			return o, true
		}
	}
	return object{}, false
}

// configurationsOf are the configurations of a Gateway, the one that counts first before the other: that of the class, unless it says
// otherwise. missing names one that is in no file here.
func (c *cluster) configurationsOf(gateway, class object) (l []object, missing string) {
	find := func(o object, path ...string) {
		ref := o.node.get(path...)
		if ref.get("kind").str() != "LoadBalancerConfiguration" {
			return
		}
		for _, x := range c.objects {
			if x.isConfiguration() && o.refers(x, path...) {
				l = append(l, x)
				return
			}
		}
		missing = printable("the LoadBalancerConfiguration " + ref.get("name").str())
	}
	find(class, "spec", "parametersRef")
	find(gateway, "spec", "infrastructure", "parametersRef")
	if len(l) == 2 && l[0].spec("mergingMode").str() == "prefer-gateway" {
		l[0], l[1] = l[1], l[0]
	}
	return l, missing
}

// policyFor is the policy that the first configuration with an entry for the protocol and port names there; its entry may name none.
func policyFor(configurations []object, protocol string, port int) (field, bool) {
	for _, o := range configurations {
		for i, n := range o.spec("listenerConfigurations").list() {
			if strings.EqualFold(n.get("protocolPort").str(), fmt.Sprintf("%s:%d", protocol, port)) {
				path := fmt.Sprintf("spec.listenerConfigurations[%d]", i)
				f := o.field(n.get("sslPolicy"), path+".sslPolicy")
				if !f.known {
					f.at = n.at(o.file, o.path+path)
				}
				return f, true
			}
		}
	}
	return field{}, false
}

// configuration reads the listeners of a LoadBalancerConfiguration that no Gateway here refers to.
func configuration(o object) []Listener {
	var out []Listener
	for i, n := range o.spec("listenerConfigurations").list() {
		path := fmt.Sprintf("spec.listenerConfigurations[%d]", i)
		protocol, port, _ := strings.Cut(n.get("protocolPort").str(), ":")
		l := o.listener()
		l.At = n.at(o.file, o.path+path)
		name := o.field(n.get("sslPolicy"), path+".sslPolicy")
		if !name.known {
			name.at = l.At
		}
		at := l.At
		l.setPolicy(known(at, protocol), name)
		l.Port = known(at, port).port()
		if l.Default {
			l.Notes = append(l.Notes, "no policy is named: the controller takes its --default-ssl-policy")
		}
		out = append(out, l)
	}
	return out
}
