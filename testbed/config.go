package testbed

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Kind is a server program.
type Kind string

// Kinds.
const (
	OpenSSL   Kind = "openssl"     // openssl s_server of the machine's own OpenSSL
	OpenSSL35 Kind = "openssl-3.5" // the same of OpenSSL 3.5, which has post-quantum groups
	Nginx     Kind = "nginx"
	HAProxy   Kind = "haproxy"
	GnuTLS    Kind = "gnutls" // gnutls-serv
	Go        Kind = "go"     // crypto/tls of the Go that builds the test, in its process
	Java      Kind = "java"   // JSSE, with everything that java.security switches off switched on
	Node      Kind = "node"   // Node.js of Config.Node
	Bun       Kind = "bun"    // Bun, for the BoringSSL in it
)

// Config is a server to start: the policy that it enforces and what it presents.
type Config struct {
	Kind       Kind
	Node       string // for Kind Node: the release line, "0.10", "4", "24"
	Policy     policy.Policy
	Identities []*Identity
	ClientCA   string // PEM; for a policy that asks for client certificates
	// JavaGroups is for Kind Java: the property jdk.tls.namedGroups, with groups that no policy of the test bed has. Empty
	// leaves it to Policy.
	JavaGroups []suite.Group
	// Departures say in which points the program cannot do what the policy asks for: Policy here is
	// already what it can do. Empty where it enforces the policy to the letter.
	Departures []string
}

// ForPolicy returns the configuration by which a program of this kind comes nearest to p. The result's
// Policy is what the program then really enforces, its Departures are the differences. Identities are
// left to the caller.
func ForPolicy(p *policy.Policy, kind Kind) Config { return settle(Config{Kind: kind, Policy: *p}) }

// ForPolicyNode is ForPolicy for a Node.js of the given release line.
func ForPolicyNode(p *policy.Policy, line string) Config {
	return settle(Config{Kind: Node, Node: line, Policy: *p})
}

// With returns a copy of c that presents these identities.
func (c Config) With(ids ...*Identity) Config {
	c.Identities = ids
	return c
}

// defaultGroups stand for a policy that names none, so that every server's groups are known.
var defaultGroups = []suite.Group{suite.X25519, suite.Secp256r1, suite.Secp384r1}

// settle reduces the policy to what the program can do.
func settle(c Config) Config {
	p, e := &c.Policy, engineOf(c.Kind, c.Node)
	depart := func(format string, args ...any) {
		c.Departures = append(c.Departures, fmt.Sprintf(format, args...))
	}
	p.Engine, p.FIPS = e.engine, false
	p.Versions = keep(p.Versions, e.version, func(v suite.Version) { depart("no %v", v) })
	slices.Sort(p.Versions)
	if p.SuitesIn != nil {
		depart("one list of suites for all versions")
		p.SuitesIn = nil
	}
	p.Suites = keep(p.Suites, e.suite, func(s suite.Code) { depart("no %s", s.OpenSSL()) })
	p.Groups, p.Groups13 = p.GroupsFor(suite.TLS13), nil
	if p.Groups == nil {
		p.Groups = defaultGroups
		if e.oneCurve {
			p.Groups = []suite.Group{suite.Secp256r1}
		}
	}
	p.Groups = keep(p.Groups, e.group, func(g suite.Group) { depart("no group %v", g) })
	if e.oneCurve && len(p.Groups) > 1 {
		depart("one group: %v", p.Groups[0])
		p.Groups = p.Groups[:1]
	}
	if e.arrange != nil {
		before := slices.Clone(p.Suites)
		e.arrange(p)
		added := func(s suite.Code) bool { return !slices.Contains(before, s) }
		switch {
		case slices.ContainsFunc(p.Suites, added):
			depart("also %s", p.Suites[slices.IndexFunc(p.Suites, added)].OpenSSL())
		case !slices.Equal(before, p.Suites):
			depart("suites in the program's own order")
		}
	}
	if p.Order == policy.OrderUnknown || p.Order == "" {
		p.Order = policy.ServerOrder
	}
	if p.Order == policy.ClientOrder && e.serverOrder {
		depart("the server's order")
		p.Order = policy.ServerOrder
	}
	if p.Schemes != nil && !e.schemes {
		depart("signature schemes are the program's own")
		p.Schemes = nil
	}
	if len(p.ALPN.Protocols) > 0 && !e.alpn {
		depart("no ALPN")
		p.ALPN = policy.ALPNRule{}
	}
	if (p.SNI != policy.SNIRule{}) && !e.sni {
		depart("no rule for server names")
		p.SNI = policy.SNIRule{}
	}
	if p.ClientAuth != policy.ClientAuthNone && !e.clientAuth {
		depart("no client certificates")
		p.ClientAuth = policy.ClientAuthNone
	}
	if p.RequiresEMS || p.RequiresRI {
		depart("demands no extension")
		p.RequiresEMS, p.RequiresRI = false, false
	}
	return c
}

// keep returns the values for which ok holds, and tells dropped of the others.
func keep[T any](l []T, ok func(T) bool, dropped func(T)) []T {
	var out []T
	for _, v := range l {
		if ok(v) {
			out = append(out, v)
		} else {
			dropped(v)
		}
	}
	return out
}

// Name is a short name for tables: "nginx", "node-0.10".
func (c *Config) Name() string {
	if c.Kind == Node {
		return "node-" + c.Node
	}
	return string(c.Kind)
}

// identity is what Decide is to know of the certificates.
func (c *Config) identity() *policy.Identity {
	id := &policy.Identity{}
	for _, i := range c.Identities {
		id.Certificates = append(id.Certificates, i.Describe)
	}
	return id
}

// The lists of a policy in the words of OpenSSL's configuration.

// cipherString lists the suites before TLS 1.3. OpenSSL from 1.1.0 on has security levels: the string asks
// for 1, OpenSSL's own default, which Debian raises to 2; and for 0 where the policy has SHA-1 signatures,
// which versions before TLS 1.2 are made of and 3.0 forbids from level 1 on.
func (c *Config) cipherString(levels bool) string {
	var l []string
	for _, code := range c.Policy.Suites {
		if s := suite.ByCode(code); s.MinVersion < suite.TLS13 {
			l = append(l, s.OpenSSL)
		}
	}
	if len(l) == 0 {
		l = []string{"ECDHE-RSA-AES128-GCM-SHA256"} // OpenSSL takes no empty list; TLS 1.2 is off then
	}
	out := strings.Join(l, ":")
	switch {
	case levels && (c.Policy.Versions[0] < suite.TLS12 || slices.Contains(c.Policy.Schemes, suite.RSAPKCS1SHA1)):
		out += ":@SECLEVEL=0"
	case levels:
		out += ":@SECLEVEL=1"
	}
	return out
}

// suites13 lists the suites of TLS 1.3.
func (c *Config) suites13() string {
	var l []string
	for _, code := range c.Policy.Suites {
		if s := suite.ByCode(code); s.MinVersion == suite.TLS13 {
			l = append(l, s.IANA)
		}
	}
	return strings.Join(l, ":")
}

func (c *Config) groups() string {
	var l []string
	for _, g := range c.Policy.Groups {
		l = append(l, suite.GroupByCode(g).OpenSSL)
	}
	return strings.Join(l, ":")
}

// sigalgs lists the signature schemes, "" for the program's own.
func (c *Config) sigalgs() string {
	var l []string
	for _, s := range c.Policy.Schemes {
		if i := suite.SchemeByCode(s); i != nil && i.OpenSSL != "" {
			l = append(l, i.OpenSSL)
		}
	}
	return strings.Join(l, ":")
}

func (c *Config) accepts(v suite.Version) bool { return c.Policy.Accepts(v) }
