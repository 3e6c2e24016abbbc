package simulate

import (
	"bytes"
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/elbapi/elbv2"
)

// recordBalancing writes a call of Elastic Load Balancing into the history, with its answer where it changed something.
func (c *Cloud) recordBalancing(k *call, status int, body []byte) {
	ch := k.recorded()
	switch {
	case status != http.StatusOK:
		e := readXML(body).branch("Error")
		ch.failed = &fault{code: e.text("Code"), message: e.text("Message"), status: status}
	case !ch.readOnly:
		ch.answer, _ = asEvent("", readXML(body).branch(k.action+"Result")).(tree)
		ch.resources = resourcesOf(ch.answer, ch.resources)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.record(k, ch)
	if !ch.readOnly {
		c.changes++
	}
}

// recordRefused writes a call of Elastic Load Balancing into the history that its caller has no permission for.
func (c *Cloud) recordRefused(k *call, s *service, f *fault) {
	if s != c.services[elbv2.Service] || k.region == nil || f.code != "AccessDenied" {
		return
	}
	ch := k.recorded()
	ch.request, ch.failed = nil, f // AWS leaves out the parameters of what it did not look at
	c.mu.Lock()
	defer c.mu.Unlock()
	c.record(k, ch)
}

// recorded is a call as it goes into the history, as far as the request says.
func (k *call) recorded() recorded {
	parameters := tree{}
	for name, v := range k.in {
		if name != "Action" && name != "Version" && !strings.HasPrefix(name, "X-Amz-") {
			parameters[name] = v
		}
	}
	ch := recorded{source: elbv2.Service + ".amazonaws.com", version: k.in.text("Version"), action: k.action, readOnly: strings.HasPrefix(k.action, "Describe")}
	ch.request, _ = asEvent("", parameters).(tree)
	if !ch.readOnly {
		ch.resources = resourcesOf(ch.request, nil)
	}
	return ch
}

// numbers are the parameters that events have as numbers: all others are texts in a form.
var numbers = []string{"Port", "LoadBalancerPort", "LoadBalancerPorts", "InstancePort", "CookieExpirationPeriod", "Order", "Weight", "StatusCode", "HealthCheckPort",
	"HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds", "HealthyThresholdCount", "UnhealthyThresholdCount"}

// asEvent writes parameters as events do: the first letter of each name is small.
func asEvent(name string, v any) any {
	switch v := v.(type) {
	case tree:
		t := tree{}
		for name, below := range v {
			t[smallFirst(name)] = asEvent(name, below)
		}
		return t
	case []any:
		l := make([]any, len(v))
		for i := range v {
			l[i] = asEvent(name, v[i])
		}
		return l
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && slices.Contains(numbers, name) {
			return n
		}
	}
	return v
}

// smallFirst makes the first letter of a name small.
func smallFirst(name string) string {
	first := min(1, len(name))
	return strings.ToLower(name[:first]) + name[first:]
}

// resourceTypes are the resources that an event names, by the parameter with their name or ARN.
var resourceTypes = map[string]string{
	"listenerArn": "AWS::ElasticLoadBalancingV2::Listener", "loadBalancerArn": "AWS::ElasticLoadBalancingV2::LoadBalancer",
	"targetGroupArn": "AWS::ElasticLoadBalancingV2::TargetGroup", "ruleArn": "AWS::ElasticLoadBalancingV2::ListenerRule",
	"loadBalancerName": "AWS::ElasticLoadBalancing::LoadBalancer",
}

// resourcesOf adds the resources that are named in parameters or an answer. A load balancer that has an ARN goes by it.
func resourcesOf(v any, to []tree) []tree {
	switch v := v.(type) {
	case tree:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			kind := resourceTypes[name]
			text, isText := v[name].(string)
			if kind == "" || !isText {
				to = resourcesOf(v[name], to)
				continue
			}
			if name == "loadBalancerName" && v["loadBalancerArn"] != nil {
				continue
			}
			if !slices.ContainsFunc(to, func(t tree) bool { return t["ResourceName"] == text }) {
				to = append(to, tree{"ResourceType": kind, "ResourceName": text})
			}
		}
	case []any:
		for _, m := range v {
			to = resourcesOf(m, to)
		}
	}
	return to
}

// readXML reads an answer of the query protocol into a tree: the elements of the root, lists by their members.
func readXML(body []byte) tree {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		t, err := d.Token()
		if err != nil {
			return tree{}
		}
		if _, ok := t.(xml.StartElement); ok {
			root, _ := readElement(d).(tree)
			return root
		}
	}
}

// readElement reads what is in an element up to its end.
func readElement(d *xml.Decoder) any {
	below := tree{}
	var members []any
	var text strings.Builder
	for {
		t, err := d.Token()
		if err != nil && err != io.EOF {
			return below
		}
		switch t := t.(type) {
		case xml.StartElement:
			if t.Name.Local == "member" {
				members = append(members, readElement(d))
			} else {
				below[t.Name.Local] = readElement(d)
			}
		case xml.CharData:
			text.Write(t)
		case xml.EndElement, nil:
			switch {
			case members != nil:
				return members
			case len(below) > 0:
				return below
			}
			return strings.TrimSpace(text.String())
		}
	}
}
