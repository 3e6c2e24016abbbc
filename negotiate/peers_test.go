package negotiate_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// peer is a real server and the policy and identity that describe how it was started.
type peer struct {
	name    string
	address string
	policy  *policy.Policy
	id      *policy.Identity
}

func codes(t testing.TB, names ...string) []suite.Code {
	t.Helper()
	var l []suite.Code
	for _, n := range names {
		s := suite.ByName(n)
		if s == nil {
			t.Fatalf("no suite %q", n)
		}
		l = append(l, s.Code)
	}
	return l
}

// setup is a server to start: a policy, and the certificates.
type setup struct {
	name   string
	specs  []testbed.Spec
	policy policy.Policy
	extra  []string // options of the server
	level  string   // OpenSSL: @SECLEVEL
}

func (s *setup) identities(t testing.TB) ([]*testbed.Identity, *policy.Identity) {
	var l []*testbed.Identity
	id := &policy.Identity{}
	for _, spec := range s.specs {
		i := testbed.Make(t, spec)
		l = append(l, i)
		id.Certificates = append(id.Certificates, i.Describe)
	}
	return l, id
}

// split names the suites of TLS 1.3 and the older ones by OpenSSL's names.
func split(l []suite.Code) (tls13, older []string) {
	for _, c := range l {
		if s := suite.ByCode(c); s.MinVersion == suite.TLS13 {
			tls13 = append(tls13, s.IANA)
		} else {
			older = append(older, s.OpenSSL)
		}
	}
	return tls13, older
}

func opensslGroups(l []suite.Group) string {
	var names []string
	for _, g := range l {
		names = append(names, suite.GroupByCode(g).OpenSSL)
	}
	return strings.Join(names, ":")
}

func opensslSchemes(l []suite.SignatureScheme) string {
	var names []string
	for _, s := range l {
		names = append(names, suite.SchemeByCode(s).OpenSSL)
	}
	return strings.Join(names, ":")
}

// startOpenSSL starts openssl s_server as the policy says.
func startOpenSSL(t testing.TB, s setup, program string) peer {
	t.Helper()
	ids, id := s.identities(t)
	p := s.policy
	p.Engine = policy.EngineOpenSSL
	port := testbed.FreePort(t)
	args := []string{"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port), "-quiet", "-no_ticket", "-cert", ids[0].Cert, "-key", ids[0].Key}
	if len(ids) > 1 {
		args = append(args, "-dcert", ids[1].Cert, "-dkey", ids[1].Key)
	}
	tls13, older := split(p.Suites)
	level := s.level
	if level == "" {
		level = "@SECLEVEL=0"
	}
	args = append(args, "-cipher", strings.Join(append(older, level), ":"))
	if len(tls13) > 0 {
		args = append(args, "-ciphersuites", strings.Join(tls13, ":"))
	}
	for v, option := range map[suite.Version]string{suite.TLS10: "-no_tls1", suite.TLS11: "-no_tls1_1", suite.TLS12: "-no_tls1_2", suite.TLS13: "-no_tls1_3"} {
		if !p.Accepts(v) {
			args = append(args, option)
		}
	}
	if p.Order == policy.ServerOrder {
		args = append(args, "-serverpref")
	}
	if p.Groups != nil {
		args = append(args, "-groups", opensslGroups(p.Groups))
	}
	if p.Schemes != nil {
		args = append(args, "-sigalgs", opensslSchemes(p.Schemes))
	}
	if len(p.ALPN.Protocols) > 0 {
		args = append(args, "-alpn", strings.Join(p.ALPN.Protocols, ","))
	}
	server := testbed.Run(t, port, program, append(args, s.extra...)...)
	return peer{s.name, server.Addr, &p, id}
}

// startGo starts a crypto/tls server in this process as the policy says.
func startGo(t testing.TB, s setup) peer {
	t.Helper()
	ids, id := s.identities(t)
	p := s.policy
	p.Engine = policy.EngineGo
	c := &tls.Config{MinVersion: uint16(p.Versions[0]), MaxVersion: uint16(p.Versions[len(p.Versions)-1]),
		SessionTicketsDisabled: true, NextProtos: p.ALPN.Protocols}
	for _, i := range ids {
		c.Certificates = append(c.Certificates, i.TLS)
	}
	for _, code := range p.Suites {
		c.CipherSuites = append(c.CipherSuites, uint16(code))
	}
	for _, g := range p.Groups {
		c.CurvePreferences = append(c.CurvePreferences, tls.CurveID(g))
	}
	addr := testbed.Listen(t, 0, func(conn net.Conn) { tls.Server(conn, c).Handshake() })
	return peer{s.name, addr, &p, id}
}

// gnutlsNames are the words of a priority string.
var gnutlsVersions = map[suite.Version]string{suite.TLS10: "+VERS-TLS1.0", suite.TLS11: "+VERS-TLS1.1", suite.TLS12: "+VERS-TLS1.2", suite.TLS13: "+VERS-TLS1.3"}

// startGnuTLS starts gnutls-serv. GnuTLS names ciphers, MACs and key exchanges apart, so what it accepts is
// their product: the caller's suites must be one.
func startGnuTLS(t testing.TB, s setup, priority string) peer {
	t.Helper()
	ids, id := s.identities(t)
	p := s.policy
	p.Engine = policy.EngineGnuTLS
	port := testbed.FreePort(t)
	for i := len(p.Versions) - 1; i >= 0; i-- {
		priority += ":" + gnutlsVersions[p.Versions[i]]
	}
	for _, g := range p.Groups {
		priority += ":+" + suite.GroupByCode(g).GnuTLS
	}
	for _, sc := range p.Schemes {
		priority += ":+" + suite.SchemeByCode(sc).GnuTLS
	}
	if p.Schemes == nil {
		priority += ":+SIGN-ALL"
	}
	if p.Order == policy.ServerOrder {
		priority += ":%SERVER_PRECEDENCE"
	}
	p.Suites = gnutlsSuites(t, priority)
	args := []string{"--quiet", "--port", fmt.Sprint(port), "--priority", priority, "--echo", "--noticket"}
	for _, i := range ids {
		args = append(args, "--x509certfile", i.Cert, "--x509keyfile", i.Key)
	}
	for _, a := range p.ALPN.Protocols {
		args = append(args, "--alpn", a)
	}
	server := testbed.Run(t, port, testbed.Need(t, "gnutls-serv"), append(args, s.extra...)...)
	return peer{s.name, server.Addr, &p, id}
}

// gnutlsSuites asks gnutls-cli which suites a priority string stands for, in order.
func gnutlsSuites(t testing.TB, priority string) []suite.Code {
	t.Helper()
	out, err := exec.Command(testbed.Need(t, "gnutls-cli"), "--list", "--priority", priority).CombinedOutput()
	if err != nil {
		t.Fatalf("gnutls-cli --list --priority %s: %v\n%s", priority, err, out)
	}
	var l []suite.Code
	for line := range strings.Lines(string(out)) {
		if name, _, ok := strings.Cut(line, "\t"); ok && strings.HasPrefix(name, "TLS_") {
			s := suite.ByName(strings.TrimSpace(name))
			if s == nil {
				t.Fatalf("no suite %q", name)
			}
			l = append(l, s.Code)
		}
	}
	return l
}

// startKind starts a server of the test bed, where one is not driven here.
func startKind(t testing.TB, s setup, kind testbed.Kind) peer {
	t.Helper()
	ids, _ := s.identities(t)
	c := testbed.Config{Kind: kind, Policy: s.policy}.With(ids...)
	server := testbed.Start(t, c)
	return peer{s.name, server.Addr, server.Policy, server.Identity}
}
