package elb

import (
	"slices"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// alpnRules is what the ALPN policies of an NLB make it answer. No overlap is no refusal: the handshake goes on without ALPN.
// Source: "ALPN policies", Network Load Balancer user guide.
var alpnRules = map[string][]string{
	"HTTP1Only":      {"http/1.1", "http/1.0"},
	"HTTP2Only":      {"h2"},
	"HTTP2Optional":  {"http/1.1", "http/1.0", "h2"},
	"HTTP2Preferred": {"h2", "http/1.1", "http/1.0"},
	"None":           nil,
}

// albProtocols are what an ALB takes by ALPN, which no setting changes. Source: "HTTPS listeners", Application Load Balancer
// user guide: HTTP/2 is offered by ALPN.
var albProtocols = []string{"h2", "http/1.1"}

// Server is the listener as a TLS server: its policy, with what other settings of the listener decide. It is nil where the
// policy's content is not known.
func (l *Listener) Server() *policy.Policy {
	if l.Accepts == nil {
		return nil
	}
	p := *l.Accepts
	switch l.Kind {
	case ALB:
		p.ALPN = policy.ALPNRule{Protocols: albProtocols}
	case NLB:
		p.ALPN = policy.ALPNRule{Protocols: alpnRules[l.ALPN]}
	}
	switch l.MutualTLS {
	case "verify":
		p.ClientAuth = policy.ClientAuthRequired
	case "passthrough":
		p.ClientAuth = policy.ClientAuthRequest
	}
	return &p
}

// Identity is what the listener presents to a client that asks for a name: of the certificates that have it ECDSA ones first,
// or the default one if none has it. It is nil where the kind of a key is not known.
// Source: "SSL certificates for your Application Load Balancer", smart certificate selection.
func (l *Listener) Identity(serverName string) *policy.Identity {
	var id policy.Identity
	for _, c := range l.Certificates {
		p, ok := c.value()
		if !ok {
			return nil
		}
		if serverName != "" && negotiate.MatchesName(&p, serverName) {
			id.Certificates = append(id.Certificates, p)
		}
	}
	if len(id.Certificates) == 0 && len(l.Certificates) > 0 {
		p, _ := l.Certificates[0].value()
		id.Certificates = append(id.Certificates, p)
	}
	slices.SortStableFunc(id.Certificates, func(a, b policy.Certificate) int { return rank(a) - rank(b) })
	return &id
}

func rank(c policy.Certificate) int {
	if c.KeyType == policy.ECDSA {
		return 0
	}
	return 1
}

// value is the certificate in the terms of a negotiation; false where its key, whose kind ACM spells RSA_2048 or EC_prime256v1, is
// not known. Source: CertificateSummary, KeyAlgorithm, AWS Certificate Manager API reference.
func (c *Certificate) value() (policy.Certificate, bool) {
	p := policy.Certificate{Names: c.Names, NotAfter: c.NotAfter, Subject: c.ARN}
	if len(c.Names) > 0 {
		p.Subject = c.Names[0]
	}
	kind, rest, _ := strings.Cut(c.Key, "_")
	switch kind {
	case "RSA":
		p.KeyType = policy.RSA
		p.Bits, _ = strconv.Atoi(rest)
		return p, p.Bits > 0
	case "EC":
		p.KeyType = policy.ECDSA
		curve := suite.GroupByName(rest)
		if curve == nil {
			return p, false
		}
		p.Curve, p.Bits = curve.Code, curve.Bits
		return p, true
	}
	return p, false
}

// ServerName is a name that clients of the listener probably ask for: the first of its default certificate, with www for
// a wildcard. It is the load balancer's DNS name where the certificate's names are not known.
func (l *Listener) ServerName() string {
	if len(l.Certificates) == 0 || len(l.Certificates[0].Names) == 0 {
		return l.DNSName
	}
	name := l.Certificates[0].Names[0]
	if rest, wild := strings.CutPrefix(name, "*."); wild {
		return "www." + rest
	}
	return name
}
