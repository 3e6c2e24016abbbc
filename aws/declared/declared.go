// Package declared reads the TLS listeners of load balancers out of the files that make them: Terraform plans and
// configurations, CloudFormation templates, Kubernetes manifests. It does no I/O: bytes in, listeners as declared out, each
// with the place where its security policy is said.
package declared

import (
	"fmt"
	"strings"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
)

// Format is the kind of file that declares a listener.
type Format string

// Formats.
const (
	Terraform      Format = "terraform"
	TerraformPlan  Format = "terraform-plan"
	CloudFormation Format = "cloudformation"
	Kubernetes     Format = "kubernetes"
)

// Position is a place in a file.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"` // from 1
	Column int    `json:"column,omitempty"`
	Path   string `json:"path,omitempty"` // JSON path in the document, where it is JSON or YAML
}

func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// File is a file's name, as it is to stand in positions, and its content.
type File struct {
	Name string
	Data []byte
}

// Listener is a listener as a file declares it.
type Listener struct {
	Format   Format
	Resource string   // Terraform address, logical ID, or Kubernetes kind/namespace/name
	At       Position // of the policy's name; of the resource where it names none
	Kind     elb.Kind // empty where the file does not tell
	Port     int      // 0: not told
	Protocol string   // HTTPS, TLS, SSL; HTTP, TCP … where there is no TLS; empty: not told

	// Policy is the name of the security policy. Where the file names none it is what AWS or the controller then takes, and
	// Default is set.
	Policy    string
	Default   bool
	Reference string         // of a Classic policy: the predefined one that it refers to
	Accepts   *policy.Policy // of a Classic policy that the file spells out
	Redirects bool           // its default action sends clients to HTTPS

	// Unknown says why the file does not tell the policy, such as "known after apply: set by var.policy". Empty: it tells.
	Unknown string
	Notes   []string // what is assumed
}

// Result is what a set of files declares.
type Result struct {
	Listeners []Listener
	// Unseen says what may declare listeners and could not be read: a module from a registry, a nested stack.
	Unseen []Unseen
}

// Unseen is a part of the declared infrastructure that no file here holds.
type Unseen struct {
	At   Position `json:"at"`
	What string   `json:"what"`
}

// TLS reports whether the listener ends TLS, as far as the file tells.
func (l *Listener) TLS() bool {
	switch l.Protocol {
	case "HTTPS", "TLS", "SSL":
		return true
	}
	return false
}

// field is a value of a resource: known, absent, or only known later.
type field struct {
	text  string
	known bool
	why   string   // why it is not known; empty and not known: absent
	refs  []string // addresses of the resources that the value comes from
	// assumed names the default of a variable or parameter that the value is, which whoever applies the file may override.
	assumed string
	at      Position
}

func (f field) absent() bool { return !f.known && f.why == "" }

// unknown is a value that the file does not tell.
func unknown(at Position, why string) field { return field{why: why, at: at} }

// text is a known value.
func known(at Position, text string) field { return field{text: text, known: true, at: at} }

// port reads a port number, 0 for what is none.
func (f field) port() int {
	n := 0
	if !f.known || len(f.text) > 5 {
		return 0
	}
	if _, err := fmt.Sscanf(f.text, "%d", &n); err != nil || n < 1 || n > 65535 {
		return 0
	}
	return n
}

// byProtocol is the kind of load balancer that has listeners of that protocol in the ELBv2 API.
func byProtocol(protocol string) elb.Kind {
	switch protocol {
	case "HTTP", "HTTPS":
		return elb.ALB
	case "TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC":
		return elb.NLB
	case "GENEVE":
		return elb.Gateway
	}
	return ""
}

// setPolicy puts the fields of an ELBv2 listener into l: what the protocol is, and which policy it gets.
func (l *Listener) setPolicy(protocol, name field) {
	if protocol.known {
		l.Protocol = strings.ToUpper(protocol.text)
	}
	l.Kind = byProtocol(l.Protocol)
	named := name.known && name.text != ""
	switch {
	case l.Protocol != "" && !l.TLS():
		return
	case named:
		l.Policy, l.At = name.text, name.at
		l.assume(name)
	case !name.absent() && !name.known:
		l.Unknown, l.At = name.why, name.at
	}
	switch {
	case !protocol.known && !protocol.absent() && !named:
		l.Unknown, l.Policy = "whether it ends TLS is "+protocol.why, ""
	case l.Protocol == "" && (named || l.Unknown != ""):
		l.Notes = append(l.Notes, "taken for a listener with TLS, as it names a security policy")
	case l.TLS() && l.Policy == "" && l.Unknown == "":
		l.Policy, l.Default = elb.DefaultPolicy, true
		l.assume(name)
	}
}

// assume notes which default a value is.
func (l *Listener) assume(f field) {
	if f.assumed != "" {
		l.Notes = append(l.Notes, "the policy follows from the default of "+f.assumed)
	}
}

// maxDepth and maxNodes bound what a hostile file can cost.
const (
	maxDepth = 200
	maxNodes = 3_000_000
)

// Bounds of files. A real template or manifest is far smaller; a plan of a large infrastructure reaches tens of MB.
const (
	MaxJSON = 128 << 20
	MaxText = 4 << 20 // HCL and YAML
)

func tooLarge(name string, limit int) error {
	return fmt.Errorf("%s: larger than %d MB, the most that is read", name, limit>>20)
}
