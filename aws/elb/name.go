package elb

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Name is what a user wrote to mean a load balancer or one of its listeners, taken apart. Which fields are set depends on the
// form: an ARN tells partition, region and account, a DNS name the region, a bare name nothing but itself.
type Name struct {
	Text            string // as it was written
	Partition       string // aws, aws-cn, aws-us-gov
	Region, Account string // empty: not told
	Kind            Kind   // empty: not told; ALB, NLB and Classic where an ARN tells
	LoadBalancer    string // the load balancer's name
	LoadBalancerARN string // of ALB and NLB
	ListenerARN     string
	DNSName         string // in lower case
	Port            int    // 0: not told
}

const arnPrefix = "arn:"

// AWSPrefix before a name says that a load balancer of AWS is meant, where a host could be meant as well.
const AWSPrefix = "aws:"

var (
	regionForm  = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-\d{1,2}$`)
	accountForm = regexp.MustCompile(`^\d{12}$`)
	nameForm    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$`)
	idForm      = regexp.MustCompile(`^[0-9a-f]{16}$`)
	// dnsForm takes the DNS name of a load balancer apart: dualstack prefix, internal prefix, name and id, and the region on
	// either side of "elb" (before it for ALB and Classic, behind it for NLB). The domain is that of the partition.
	dnsForm = regexp.MustCompile(`^(?:dualstack\.)?(?:internal-)?([a-z0-9-]+)-[0-9a-z]+\.(?:([a-z0-9-]+)\.elb|elb\.([a-z0-9-]+))\.amazonaws\.(com|com\.cn|eu)$`)
)

// IsAWSName reports whether text is a name that can mean nothing but a load balancer of AWS: an ARN, or with AWSPrefix.
func IsAWSName(text string) bool {
	return strings.HasPrefix(text, arnPrefix) || strings.HasPrefix(text, AWSPrefix)
}

// ParseName reads one of
//   - the ARN of a listener: arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/app/NAME/ID/ID (net for an NLB),
//   - the ARN of a load balancer, …:loadbalancer/app/NAME/ID, or for a Classic one …:loadbalancer/NAME, and :PORT behind it,
//   - the DNS name that AWS gave a load balancer, and :PORT,
//   - the name of a load balancer, and :PORT.
//
// AWSPrefix may stand before each.
func ParseName(text string) (Name, error) {
	n := Name{Text: text}
	rest := strings.TrimPrefix(strings.TrimSpace(text), AWSPrefix)
	if strings.HasPrefix(rest, arnPrefix) {
		return n, n.parseARN(rest)
	}
	rest, err := n.cutPort(rest)
	switch {
	case err != nil:
		return n, err
	case nameForm.MatchString(rest):
		n.LoadBalancer = rest
		return n, nil
	case strings.Contains(rest, "."):
		return n, n.parseDNS(rest)
	case rest == "":
		return n, fmt.Errorf("%q names no load balancer: use an ARN, a DNS name, or NAME[:PORT]", text)
	}
	return n, fmt.Errorf("%q is no name of a load balancer: 1 to 32 letters, digits and hyphens, or an ARN", text)
}

// cutPort takes :PORT off the end.
func (n *Name) cutPort(s string) (string, error) {
	head, port, found := strings.Cut(s, ":")
	if !found {
		return s, nil
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return "", fmt.Errorf("%q: the port must be a number from 1 to 65535", n.Text)
	}
	n.Port = int(number)
	return head, nil
}

func (n *Name) parseARN(arn string) error {
	f := strings.SplitN(arn, ":", 6)
	if len(f) < 6 {
		return fmt.Errorf("%q is no whole ARN: arn:aws:elasticloadbalancing:REGION:ACCOUNT:… is expected", n.Text)
	}
	if f[2] != "elasticloadbalancing" {
		return fmt.Errorf("%q is an ARN of the service %q: name a load balancer or a listener of elasticloadbalancing", n.Text, f[2])
	}
	n.Partition, n.Region, n.Account = f[1], f[3], f[4]
	switch {
	case !strings.HasPrefix(n.Partition, "aws"):
		return fmt.Errorf("%q: no partition of AWS: %q", n.Text, n.Partition)
	case !regionForm.MatchString(n.Region):
		return fmt.Errorf("%q: no region of AWS: %q", n.Text, n.Region)
	case !accountForm.MatchString(n.Account):
		return fmt.Errorf("%q: an account has 12 digits, not %q", n.Text, n.Account)
	}
	resource, err := n.cutPort(f[5])
	if err != nil {
		return err
	}
	parts := strings.Split(resource, "/")
	head := strings.Join(f[:5], ":") + ":"
	switch {
	case parts[0] == "loadbalancer" && len(parts) == 2 && nameForm.MatchString(parts[1]):
		n.Kind, n.LoadBalancer = Classic, parts[1]
		return nil
	case parts[0] == "loadbalancer" && len(parts) == 4 && nameForm.MatchString(parts[2]) && idForm.MatchString(parts[3]):
		n.LoadBalancer, n.LoadBalancerARN = parts[2], head+resource
		return n.setKind(parts[1])
	case parts[0] == "listener" && len(parts) == 5 && nameForm.MatchString(parts[2]) && idForm.MatchString(parts[3]) && idForm.MatchString(parts[4]):
		if n.Port != 0 {
			return fmt.Errorf("%q: a listener has one port: leave it out behind the listener's ARN", n.Text)
		}
		n.LoadBalancer, n.ListenerARN = parts[2], head+resource
		n.LoadBalancerARN = head + "loadbalancer/" + strings.Join(parts[1:4], "/")
		return n.setKind(parts[1])
	case parts[0] == "targetgroup" || parts[0] == "listener-rule" || parts[0] == "truststore":
		return fmt.Errorf("%q is the ARN of a %s: name the listener or the load balancer", n.Text, parts[0])
	}
	return fmt.Errorf("%q is no ARN of a load balancer or listener: …:loadbalancer/app/NAME/ID or …:listener/app/NAME/ID/ID is expected", n.Text)
}

// setKind reads the kind in an ARN.
func (n *Name) setKind(short string) error {
	switch short {
	case "app":
		n.Kind = ALB
	case "net":
		n.Kind = NLB
	case "gwy":
		n.Kind = Gateway
	default:
		return fmt.Errorf("%q: a load balancer of the unknown kind %q: app and net are known", n.Text, short)
	}
	return nil
}

func (n *Name) parseDNS(host string) error {
	n.DNSName = strings.TrimSuffix(strings.ToLower(host), ".")
	m := dnsForm.FindStringSubmatch(n.DNSName)
	if m == nil {
		return fmt.Errorf("%q is no DNS name that AWS gives to load balancers (….elb.amazonaws.com): name the load balancer, or its ARN", n.Text)
	}
	n.DNSName = strings.TrimPrefix(n.DNSName, "dualstack.")
	n.LoadBalancer, n.Region = m[1], m[2]+m[3]
	if !regionForm.MatchString(n.Region) || !nameForm.MatchString(n.LoadBalancer) {
		return fmt.Errorf("%q is no DNS name of a load balancer: no region or name in it", n.Text)
	}
	n.Partition = (&Place{Region: n.Region}).partition()
	return nil
}
