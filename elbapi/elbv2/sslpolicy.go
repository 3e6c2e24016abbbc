package elbv2

import (
	"slices"
	"strings"
	"sync"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// defaultPolicy is what a secure listener has that is made by the API without a policy. The console has another.
const defaultPolicy = "ELBSecurityPolicy-2016-08"

// SslPolicy is a security policy as the API shows it.
type SslPolicy struct {
	SslProtocols               []string
	Ciphers                    []Cipher
	Name                       string
	SupportedLoadBalancerTypes []string
}

// Cipher is a cipher suite with its place in the server's order.
type Cipher struct {
	Name     string
	Priority int
}

// sslPolicies are the policies in package policy that AWS documents or has documented, by name. Those that are only known from
// source code or rumour are not there.
var sslPolicies = sync.OnceValue(func() []SslPolicy {
	var l []SslPolicy
	for _, p := range policy.InFamily(policy.AWS) {
		if policy.Selectable(p) || p.Status == "legacy-undocumented" {
			l = append(l, sslPolicy(p))
		}
	}
	slices.SortFunc(l, func(a, b SslPolicy) int { return strings.Compare(a.Name, b.Name) })
	return l
})

func sslPolicy(p *policy.Policy) SslPolicy {
	s := SslPolicy{Name: p.Name, SupportedLoadBalancerTypes: p.LoadBalancers}
	for _, v := range p.Versions {
		name := v.String()
		if v == suite.TLS10 {
			name = "TLSv1"
		}
		s.SslProtocols = append(s.SslProtocols, name)
	}
	slices.Reverse(s.SslProtocols) // newest first, as in recorded answers
	for i, c := range p.Suites {
		s.Ciphers = append(s.Ciphers, Cipher{cipherName(c), i + 1})
	}
	return s
}

// cipherName is the name that the API has: OpenSSL's, and IANA's for the suites of TLS 1.3.
func cipherName(c suite.Code) string {
	s := suite.ByCode(c)
	if s == nil {
		return c.String()
	}
	if s.OpenSSL == "" {
		return s.IANA
	}
	return s.OpenSSL
}

// selectable returns the policy with a name if a listener of a kind of load balancer can be set to it.
func selectable(name, kind string) (*SslPolicy, error) {
	l := sslPolicies()
	i, ok := slices.BinarySearchFunc(l, name, func(p SslPolicy, name string) int { return strings.Compare(p.Name, name) })
	if !ok {
		return nil, query.Fail("SSLPolicyNotFound", "SSL policy '%s' not found", name)
	}
	if !slices.Contains(l[i].SupportedLoadBalancerTypes, kind) {
		return nil, query.Fail("InvalidConfigurationRequest", "SSL policy '%s' is not supported for load balancers of type '%s'", name, kind)
	}
	return &l[i], nil
}

type describeSSLPoliciesInput struct {
	Names            []string
	Marker           string
	PageSize         *int   `query:"min=1,max=400"`
	LoadBalancerType string `query:"enum=application|network|gateway"`
}

type describeSSLPoliciesOutput struct {
	SslPolicies []SslPolicy
	NextMarker  string
}

func describeSSLPolicies(_ *elbapi.Call, in *describeSSLPoliciesInput) (*describeSSLPoliciesOutput, error) {
	l := sslPolicies()
	if in.Names != nil {
		named := []SslPolicy{}
		for _, name := range in.Names {
			i, ok := slices.BinarySearchFunc(l, name, func(p SslPolicy, name string) int { return strings.Compare(p.Name, name) })
			if !ok {
				return nil, query.Fail("SSLPolicyNotFound", "One or more SSL policies not found: '%s'", name)
			}
			named = append(named, l[i])
		}
		slices.SortFunc(named, func(a, b SslPolicy) int { return strings.Compare(a.Name, b.Name) })
		l = slices.CompactFunc(named, func(a, b SslPolicy) bool { return a.Name == b.Name })
	}
	if in.LoadBalancerType != "" {
		l = slices.DeleteFunc(slices.Clone(l), func(p SslPolicy) bool { return !slices.Contains(p.SupportedLoadBalancerTypes, in.LoadBalancerType) })
	}
	out := &describeSSLPoliciesOutput{}
	var err error
	out.SslPolicies, out.NextMarker, err = query.Page(l, func(p SslPolicy) string { return p.Name }, in.Marker, in.PageSize, 400)
	if out.SslPolicies == nil {
		out.SslPolicies = []SslPolicy{}
	}
	return out, err
}

func isFIPS(name string) bool {
	p := policy.ByName(name)
	return p != nil && p.FIPS
}
