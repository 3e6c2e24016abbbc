package declared

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
)

// ReadKubernetes reads manifests, YAML streams or JSON, List kinds included: Ingresses of the AWS Load Balancer Controller with
// their IngressClassParams, Services of type LoadBalancer, and the controller's LoadBalancerConfigurations of the Gateway API. The
// files are read together: an Ingress finds its class in another one.
// Source: guides "Ingress annotations", "IngressClass", "Service annotations" and "LoadBalancerConfiguration" of the AWS Load Balancer
// Controller; EKS Auto Mode's guides for eks.amazonaws.com; the cloud provider's annotations for what it makes itself.
func ReadKubernetes(files []File) (*Result, error) {
	c := &cluster{}
	for _, f := range files {
		docs, err := parseDocuments(f)
		if err != nil {
			return nil, err
		}
		for i, d := range docs {
			path := ""
			if len(docs) > 1 {
				path = fmt.Sprintf("[%d].", i)
			}
			c.add(f.Name, path, d, 0)
		}
	}
	if len(c.objects) == 0 && len(files) == 1 {
		return nil, fmt.Errorf("%s: %w", files[0].Name, ErrNoManifest)
	}
	out := &Result{}
	for _, o := range c.objects {
		switch {
		case o.kind == "Ingress":
			out.Listeners = append(out.Listeners, c.ingress(o)...)
		case o.kind == "Service" && o.spec("type").str() == "LoadBalancer":
			out.Listeners = append(out.Listeners, service(o)...)
		case o.kind == "Gateway" && strings.HasPrefix(o.node.get("apiVersion").str(), "gateway.networking.k8s.io/"):
			out.Listeners = append(out.Listeners, c.gateway(o)...)
		case o.isConfiguration() && !c.configures(o):
			out.Listeners = append(out.Listeners, configuration(o)...)
		}
	}
	return out, nil
}

// ErrNoManifest is that a file is sound YAML or JSON and no manifest.
var ErrNoManifest = errors.New("no manifest of Kubernetes: nothing in it has a kind")

// cluster is all objects of the manifests.
type cluster struct{ objects []object }

// object is an object of Kubernetes.
type object struct {
	file, path string // path ends in a dot, where it is not empty
	kind       string
	node       *node
}

func (c *cluster) add(file, path string, n *node, depth int) {
	kind := n.get("kind").str()
	if items := n.get("items"); strings.HasSuffix(kind, "List") && items != nil && depth < 3 {
		for i, item := range items.list() {
			if one := strings.TrimSuffix(kind, "List"); one != "" && item.get("kind").empty() && item.kind == mapping { // as the API has them
				item.keys, item.items = append(item.keys, "kind", "apiVersion"), append(item.items, &node{kind: scalar, text: one}, n.get("apiVersion"))
			}
			c.add(file, fmt.Sprintf("%sitems[%d].", path, i), item, depth+1)
		}
		return
	}
	if kind != "" {
		c.objects = append(c.objects, object{file, path, kind, n})
	}
}

func (o object) name() string              { return o.node.get("metadata", "name").str() }
func (o object) spec(key string) *node     { return o.node.get("spec", key) }
func (o object) annotation(k string) *node { return o.node.get("metadata", "annotations", k) }

// title is how findings name an object: Ingress/shop/web.
func (o object) title() string {
	name := o.name()
	if ns := o.node.get("metadata", "namespace").str(); ns != "" {
		name = ns + "/" + name
	}
	return printable(o.kind + "/" + name)
}

// field is the text of a node, at its path below the object.
func (o object) field(n *node, path string) field {
	at := n.at(o.file, o.path+path)
	if n == nil || n.kind != scalar {
		return field{at: o.node.at(o.file, strings.TrimSuffix(o.path, "."))}
	}
	return known(at, n.text)
}

func (o object) annotated(key string) field {
	return o.field(o.annotation(key), fmt.Sprintf("metadata.annotations[%q]", key))
}

// listener begins a listener of o.
func (o object) listener() Listener {
	return Listener{Format: Kubernetes, Resource: o.title(), At: o.node.at(o.file, strings.TrimSuffix(o.path, "."))}
}

// alb is what all annotations of Ingresses begin with.
const alb = "alb.ingress.kubernetes.io/"

// ingress reads the listeners that an Ingress asks for; none where another controller serves it.
func (c *cluster) ingress(o object) []Listener {
	params, ours := c.class(o)
	if !ours {
		return nil
	}
	name := o.annotated(alb + "ssl-policy")
	if p := params.field(params.spec("sslPolicy"), "spec.sslPolicy"); p.known { // it overrides the annotation
		name = p
	}
	if !name.known {
		name = c.groupPolicy(o, params)
	}
	certificate := !o.annotation(alb+"certificate-arn").empty() || len(params.spec("certificateArn").list()) > 0 || len(params.spec("certificateARNs").list()) > 0
	var out []Listener
	ports, err := listenPorts(o.annotated(alb+"listen-ports"), certificate)
	if err != nil {
		l := o.listener()
		l.Kind, l.Unknown = elb.ALB, err.Error()
		return []Listener{l}
	}
	redirect := !o.annotation(alb + "ssl-redirect").empty()
	for _, p := range ports {
		l := o.listener()
		l.setPolicy(known(l.At, p.protocol), name)
		l.Port, l.Redirects = p.port, redirect && p.protocol == "HTTP"
		if l.Default {
			l.Notes = append(l.Notes, "no policy is named: the controller takes its --default-ssl-policy")
		}
		out = append(out, l)
	}
	return out
}

// class reports whether the AWS Load Balancer Controller serves an Ingress, and with which parameters.
func (c *cluster) class(o object) (params object, ours bool) {
	name := o.spec("ingressClassName").str()
	legacy := o.annotation("kubernetes.io/ingress.class").str()
	for _, k := range c.objects {
		isDefault := name == "" && legacy == "" && k.annotation("ingressclass.kubernetes.io/is-default-class").str() == "true"
		if k.kind != "IngressClass" || k.name() != name && !isDefault {
			continue
		}
		switch k.spec("controller").str() {
		case "ingress.k8s.aws/alb", "eks.amazonaws.com/alb":
		default:
			return object{}, false
		}
		for _, p := range c.objects {
			if p.kind == "IngressClassParams" && p.name() == k.node.get("spec", "parameters", "name").str() {
				return p, true
			}
		}
		return object{}, true
	}
	// A class that is in no file here: the annotations tell whose it is.
	return object{}, name == "alb" || legacy == "alb" || o.albAnnotated()
}

// albAnnotated reports whether an Ingress has annotations of the AWS Load Balancer Controller.
func (o object) albAnnotated() bool {
	a := o.node.get("metadata", "annotations")
	return a != nil && slices.ContainsFunc(a.keys, func(k string) bool { return strings.HasPrefix(k, alb) })
}

// groupPolicy is the policy that another Ingress of the same group names: they share listeners, and the controller takes the one
// that is named.
func (c *cluster) groupPolicy(o, params object) field {
	group := func(o, params object) string {
		if g := params.node.get("spec", "group", "name").str(); g != "" {
			return g
		}
		return o.annotation(alb + "group.name").str()
	}
	own := group(o, params)
	for _, other := range c.objects {
		if own == "" || other.kind != "Ingress" {
			continue
		}
		if f := other.annotated(alb + "ssl-policy"); f.known {
			if p, ours := c.class(other); ours && group(other, p) == own {
				return f
			}
		}
	}
	return field{at: o.listener().At}
}

type listenPort struct {
	protocol string
	port     int
}

// listenPorts reads the annotation listen-ports: '[{"HTTP": 80}, {"HTTPS": 443}]'. Without it, it is HTTPS on 443 where
// a certificate is named, else HTTP on 80.
func listenPorts(f field, certificate bool) ([]listenPort, error) {
	if !f.known {
		if certificate {
			return []listenPort{{"HTTPS", 443}}, nil
		}
		return []listenPort{{"HTTP", 80}}, nil
	}
	var maps []map[string]int
	if err := json.Unmarshal([]byte(f.text), &maps); err != nil {
		return nil, fmt.Errorf("its listen-ports are no JSON list of protocols and ports")
	}
	var l []listenPort
	for _, m := range maps {
		for _, protocol := range []string{"HTTP", "HTTPS"} {
			if port, ok := m[protocol]; ok {
				l = append(l, listenPort{protocol, port})
			}
		}
	}
	return l, nil
}

// balancer is what all annotations of Services begin with.
const balancer = "service.beta.kubernetes.io/aws-load-balancer-"

// service reads the listeners of a Service of type LoadBalancer.
func service(o object) []Listener {
	kind, note := serviceKind(o)
	if kind == "" {
		return nil
	}
	name := o.annotated(balancer + "ssl-negotiation-policy")
	certificate := !o.annotation(balancer + "ssl-cert").empty()
	if kind == elb.Classic && name.known && policy.ByName("classic/"+name.text) == nil && policy.ByName(string(policy.AWS)+"/"+name.text) != nil {
		kind, note = elb.NLB, "taken for a Network Load Balancer: a Classic one has no policy of that name"
	}
	secure := securePorts(o)
	backend := o.annotated(balancer + "backend-protocol").text
	var out []Listener
	for _, p := range o.spec("ports").list() {
		l := o.listener()
		protocol := "TCP"
		if s := p.get("protocol").str(); s != "" {
			protocol = s
		}
		tls := certificate && protocol == "TCP" && (secure == nil || slices.Contains(secure, p.get("port").str()) || slices.Contains(secure, p.get("name").str()))
		switch {
		case tls && kind == elb.NLB:
			protocol = "TLS"
		case tls && (backend == "http" || backend == "https"):
			protocol = "HTTPS"
		case tls:
			protocol = "SSL"
		}
		l.setPolicy(known(l.At, protocol), name)
		l.Kind, l.Port = kind, known(l.At, p.get("port").str()).port()
		if note != "" {
			l.Notes = append(l.Notes, note)
		}
		if l.Default {
			l.Notes = append(l.Notes, "no policy is named: the controller takes its default")
		}
		out = append(out, l)
	}
	return out
}

// securePorts is the annotation ssl-ports: numbers and names of ports; nil means all.
func securePorts(o object) []string {
	f := o.annotated(balancer + "ssl-ports")
	if !f.known || strings.TrimSpace(f.text) == "*" || strings.TrimSpace(f.text) == "" {
		return nil
	}
	var l []string
	for _, s := range strings.Split(f.text, ",") {
		l = append(l, strings.TrimSpace(s))
	}
	return l
}

// serviceKind says which kind of load balancer a Service gets; "" where it is not one of AWS's.
func serviceKind(o object) (elb.Kind, string) {
	switch o.spec("loadBalancerClass").str() {
	case "service.k8s.aws/nlb", "eks.amazonaws.com/nlb":
		return elb.NLB, ""
	case "":
	default:
		return "", ""
	}
	switch o.annotation(balancer + "type").str() {
	case "external", "nlb-ip", "nlb":
		return elb.NLB, ""
	}
	return elb.Classic, "taken for a Classic Load Balancer, as the cloud provider makes it; a controller may make a Network Load Balancer of it"
}
