package elbv2

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/elbapi/store"
)

// randomPart is the last part of a load balancer's ARN.
var randomPart = regexp.MustCompile(`^[0-9a-f]{16}$`)

// Complete fills in what a load balancer that was written by hand leaves out, ARNs, names and the default policy, and checks
// what would make no sense. What is complete already stays as it is. It can have what the API would not let one create, such
// as a policy that is not known yet or a listener without an action: AWS too has listeners older than its rules.
func Complete(r *store.Region, l *store.LoadBalancer, now time.Time) error {
	if protocols[l.Type] == nil {
		return fmt.Errorf("type %q: want application, network, gateway or classic", l.Type)
	}
	def := func(v *string, otherwise string) {
		if *v == "" {
			*v = otherwise
		}
	}
	def(&l.Scheme, "internet-facing")
	def(&l.State, "active")
	def(&l.IPAddressType, "ipv4")
	fresh := r.NewLoadBalancerARN(l.Type, l.Name)
	def(&l.ARN, fresh)
	if prefix := fresh[:strings.LastIndexByte(fresh, '/')+1]; !strings.HasPrefix(l.ARN, prefix) || !randomPart.MatchString(l.ARN[len(prefix):]) {
		return fmt.Errorf("ARN %q: want %s and 16 hexadecimal digits", l.ARN, prefix)
	}
	if l.DNSName == "" {
		name(r, l)
	}
	if l.Created.IsZero() {
		l.Created = now.UTC()
	}
	for _, x := range l.Listeners {
		def(&x.ARN, store.NewListenerARN(l.ARN))
		def(&x.RuleID, store.NewID())
		switch {
		case x.Port < 1 || x.Port > 65535:
			return fmt.Errorf("listener at port %d: want 1 to 65535", x.Port)
		case !slices.Contains(protocols[l.Type], x.Protocol):
			return fmt.Errorf("listener at port %d: protocol %q: want one of %s", x.Port, x.Protocol, strings.Join(protocols[l.Type], ", "))
		case isSecure(x.Protocol):
			def(&x.SSLPolicy, defaultPolicy)
		case x.SSLPolicy != "":
			return fmt.Errorf("listener at port %d: %s has no ssl_policy", x.Port, x.Protocol)
		}
	}
	return nil
}
