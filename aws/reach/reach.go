// Package reach finds what keeps clients from a listener, or bears upon them, beside the negotiation: no listener on the port, a load balancer
// that is not active, security groups, network ACLs, an internal load balancer and a client outside, certificates that ACM does
// not vouch for, mutual TLS, and targets that are not healthy. It only reads.
package reach

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
)

// Options say who the client is.
type Options struct {
	Source            netip.Addr // of the client, as the load balancer sees it; the zero value: not known
	ClientCertificate bool       // the client has a certificate that the trust store vouches for
	Now               time.Time
	Have              []elb.Listener // all of the load balancer, to name where the one asked for is missing
}

// Check asks for all that bears upon a listener. What could not be asked is in Unknown.
func Check(ctx context.Context, s *account.Session, l *elb.Listener, o Options) *diagnose.Told {
	t := &diagnose.Told{Listener: l, Identifier: l.Identifier(), Obstacles: []diagnose.Obstacle{}}
	t.Obstacles = append(t.Obstacles, Facts(l, o)...)
	type answer struct {
		obstacles []diagnose.Obstacle
		err       error
	}
	asks := []struct {
		what string
		ask  func(context.Context, *account.Session, *elb.Listener, Options) ([]diagnose.Obstacle, error)
		got  answer
	}{{what: "security groups", ask: securityGroups}, {what: "network ACLs", ask: networkACLs}, {what: "targets' health", ask: targets}}
	var wg sync.WaitGroup
	for i := range asks {
		wg.Go(func() { asks[i].got.obstacles, asks[i].got.err = asks[i].ask(ctx, s, l, o) })
	}
	wg.Wait()
	for i := range asks {
		t.Obstacles = append(t.Obstacles, asks[i].got.obstacles...)
		if err := asks[i].got.err; err != nil {
			t.Unknown = append(t.Unknown, asks[i].what+": "+account.Explain(err).Error())
		}
	}
	slices.SortStableFunc(t.Obstacles, func(a, b diagnose.Obstacle) int { return weight(a) - weight(b) })
	return t
}

// weight puts what keeps everybody out first.
func weight(o diagnose.Obstacle) int {
	return slices.Index([]string{diagnose.KeepsAll, diagnose.KeepsSource, diagnose.KeepsSome, diagnose.KeepsNone}, o.Keeps)
}

// Facts finds what the listener itself shows, without another question.
func Facts(l *elb.Listener, o Options) []diagnose.Obstacle {
	var all []diagnose.Obstacle
	if x, ok := state(l); ok {
		all = append(all, x)
	}
	if x, ok := scheme(l, o.Source); ok {
		all = append(all, x)
	}
	if !l.TLS() {
		return append(all, plain(l, o.Have))
	}
	all = append(all, certificates(l, o.Now)...)
	if l.MutualTLS == "verify" && !o.ClientCertificate {
		all = append(all, diagnose.Obstacle{ID: "mutual-tls", Keeps: diagnose.KeepsAll, Cause: cause.ClientCertificateRequired,
			Summary:  "the listener verifies client certificates (mutual TLS), and the client is not known to have one",
			Evidence: evidence(fmt.Sprintf("mutual authentication is in the mode verify, with the trust store %s", l.TrustStore), command("elbv2 describe-listeners --listener-arns "+l.ARN, l)),
			Decide:   "has the client a certificate whose issuer is in the trust store? Then say so by --client-certificate",
			Fixes: []diagnose.Fix{fix(diagnose.SideClient, "Give the client a certificate whose issuer is in the listener's trust store"),
				fix(diagnose.SideLoadBalancer, "Let clients in without a certificate: mutual authentication off, which takes the check from all clients", command("elbv2 modify-listener --listener-arn "+l.ARN+" --mutual-authentication Mode=off", l))}})
	}
	return all
}

// Missing is the listener that a load balancer lacks on a port, given those that it has: it stands where one is expected.
func Missing(have []elb.Listener, port int) *elb.Listener {
	x := have[0]
	x.ARN, x.Port, x.Protocol = "", port, ""
	x.Policy, x.Reference, x.OtherPolicies, x.Accepts, x.Certificates, x.ALPN, x.MutualTLS, x.TrustStore, x.TargetGroups = "", "", nil, nil, nil, "", "", "", nil
	return &x
}

// ports says which listeners a load balancer has: 80 (HTTP), 443 (HTTPS).
func ports(l []elb.Listener) string {
	var words []string
	for i := range l {
		words = append(words, fmt.Sprintf("%d (%s)", l[i].Port, l[i].Protocol))
	}
	if len(words) == 0 {
		return "no listeners at all"
	}
	return "listeners on " + strings.Join(words, ", ")
}

// plain: the listener does not end TLS.
func plain(l *elb.Listener, have []elb.Listener) diagnose.Obstacle {
	x := diagnose.Obstacle{ID: "listener", Evidence: evidence(fmt.Sprintf("the protocol of port %d is %s", l.Port, l.Protocol), describe(l))}
	switch l.Protocol {
	case "HTTP":
		x.Keeps, x.Cause = diagnose.KeepsAll, cause.PlainHTTPOnTLSPort
		x.Summary = fmt.Sprintf("the listener on port %d speaks plaintext HTTP: no TLS, whatever the client offers", l.Port)
		x.Fixes = []diagnose.Fix{fix(diagnose.SideClient, "Connect to a port with an HTTPS listener, or use http://"),
			fix(diagnose.SideLoadBalancer, "Change the listener to HTTPS, with a certificate")}
	case "UDP", "QUIC", "GENEVE":
		x.Keeps, x.Cause = diagnose.KeepsAll, cause.NotTLS
		x.Summary = fmt.Sprintf("the listener on port %d is for %s, not for TLS over TCP", l.Port, l.Protocol)
	case "":
		x.Keeps, x.Cause = diagnose.KeepsAll, cause.ConnectionRefused
		x.Summary = fmt.Sprintf("%s has no listener on port %d: it has %s", l.LoadBalancer, l.Port, ports(have))
		x.Evidence = evidence("the API tells of "+ports(have), describe(l))
		x.Fixes = []diagnose.Fix{fix(diagnose.SideClient, "Connect to a port that has a TLS listener"), fix(diagnose.SideLoadBalancer, fmt.Sprintf("Add a listener on port %d", l.Port))}
	default: // TCP, TCP_UDP
		x.Keeps = diagnose.KeepsNone
		x.Summary = fmt.Sprintf("the listener on port %d is %s: the load balancer passes TLS on to its targets, which have policies of their own; no security policy of AWS applies", l.Port, l.Protocol)
	}
	return x
}

func state(l *elb.Listener) (diagnose.Obstacle, bool) {
	x := diagnose.Obstacle{ID: "state", Cause: cause.ConnectionTimeout, Evidence: evidence("the state of "+l.LoadBalancer+" is "+l.State, describe(l))}
	switch l.State {
	case "", "active":
		return x, false
	case "active_impaired":
		x.Keeps, x.Summary = diagnose.KeepsSome, l.LoadBalancer+" is impaired: it serves, and lacks what it needs to scale"
	case "provisioning":
		x.Keeps, x.Summary = diagnose.KeepsAll, l.LoadBalancer+" is still being set up: it takes connections when it is active"
	default:
		x.Keeps, x.Summary = diagnose.KeepsAll, l.LoadBalancer+" is not active but "+l.State
	}
	return x, true
}

// scheme: the addresses of an internal load balancer are private.
func scheme(l *elb.Listener, source netip.Addr) (diagnose.Obstacle, bool) {
	if l.Scheme != "internal" {
		return diagnose.Obstacle{}, false
	}
	x := diagnose.Obstacle{ID: "scheme", Keeps: diagnose.KeepsSome, Cause: cause.ConnectionTimeout,
		Summary:  l.LoadBalancer + " is internal: its addresses are private, and only who is in the VPC or joined to it (peering, VPN, Direct Connect) reaches them",
		Evidence: evidence("the scheme of "+l.LoadBalancer+" is internal", describe(l))}
	if source.IsValid() && public(source) {
		x.Keeps = diagnose.KeepsSource
		x.Summary = fmt.Sprintf("%s is internal, and %s is an address outside: its private addresses are not reached from there", l.LoadBalancer, source)
		x.Fixes = []diagnose.Fix{fix(diagnose.SideNetwork, "Connect from within the VPC, or by VPN or peering"), fix(diagnose.SideLoadBalancer, "Use an internet-facing load balancer for clients outside")}
	}
	return x, true
}

// shared is the address space that carriers and clouds use inside. Source: RFC 6598.
var shared = netip.MustParsePrefix("100.64.0.0/10")

func public(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !shared.Contains(a.Unmap())
}

// certificates: those that ended, and those that ACM does not hold for good.
func certificates(l *elb.Listener, now time.Time) []diagnose.Obstacle {
	var all []diagnose.Obstacle
	for _, c := range l.Certificates {
		name := c.ARN
		if len(c.Names) > 0 {
			name = c.Names[0]
		}
		x := diagnose.Obstacle{ID: "certificate", Keeps: diagnose.KeepsAll}
		if !c.Default {
			x.Keeps = diagnose.KeepsSome // those that ask for its names
		}
		switch {
		case c.Status == "REVOKED":
			x.Cause, x.Summary = cause.CertificateRevoked, "the certificate for "+name+" is revoked"
		case c.Status == "EXPIRED" || !c.NotAfter.IsZero() && !now.IsZero() && now.After(c.NotAfter):
			x.Cause, x.Summary = cause.CertificateExpired, "the certificate for "+name+" expired on "+c.NotAfter.UTC().Format(time.DateOnly)
		case c.Status != "" && c.Status != "ISSUED":
			x.Keeps, x.Summary = diagnose.KeepsSome, "ACM holds the certificate for "+name+" as "+c.Status
		default:
			continue
		}
		x.Evidence = evidence(fmt.Sprintf("certificate %s, status %s", c.ARN, orNone(c.Status)), command("acm describe-certificate --certificate-arn "+c.ARN, l))
		x.Fixes = []diagnose.Fix{fix(diagnose.SideCertificate, "Renew the certificate, or attach another to the listener")}
		all = append(all, x)
	}
	return all
}

func orNone(s string) string {
	if s == "" {
		return "not told"
	}
	return s
}

func fix(side, summary string, commands ...string) diagnose.Fix {
	return diagnose.Fix{Side: side, Summary: summary, Commands: slices.DeleteFunc(append([]string{}, commands...), func(c string) bool { return c == "" })}
}

func evidence(fact, command string) []diagnose.Evidence {
	return []diagnose.Evidence{{Fact: fact, Command: command}}
}

// command is a command of the AWS CLI for the listener's region; none where an answer of the API put something into it that a
// shell would not take literally: a command in a report is there to be pasted.
func command(c string, l *elb.Listener) string {
	c = "aws " + c + " --region " + l.Region
	if !literal.MatchString(c) {
		return ""
	}
	return c
}

var literal = regexp.MustCompile(`^[A-Za-z0-9 ._:/=,-]*$`)

// describe is the command that shows the load balancer.
func describe(l *elb.Listener) string {
	if l.Kind == elb.Classic {
		return command("elb describe-load-balancers --load-balancer-names "+l.LoadBalancer, l)
	}
	return command("elbv2 describe-listeners --load-balancer-arn "+l.LoadBalancerARN, l)
}
